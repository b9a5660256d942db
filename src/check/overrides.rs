//! The walk over all metadata overrides, those of families and those of roles: shared by the checks of their keys and values.

use super::ground::Ground;
use crate::diag::words;
use crate::engine::Profile;
use crate::engine::architecture::architecture;
use crate::hir::{Family, Model, Override};

/// One override, and what it is held against.
pub(super) struct Placed<'r> {
    /// The kind of item it stands in.
    pub(super) kind: &'static str,
    /// The name of that item.
    pub(super) name: &'r str,
    /// The family of the models it is for.
    pub(super) family: &'r Family,
    /// The model that it is for; none for a family's, which are for all of its models.
    pub(super) model: Option<&'r Model>,
    /// The build that it is for: a family's is the stack's.
    pub(super) profile: &'r Profile,
    /// The override.
    pub(super) said: &'r Override,
}

impl Placed<'_> {
    /// role `frontdoor`
    pub(super) fn owner(&self) -> String {
        format!("{} {}", self.kind, words::quoted(self.name))
    }

    /// Whether the model is known to have no experts.
    pub(super) fn is_dense(&self) -> bool {
        let declares_none = self.model.is_none_or(|model| model.experts.is_none());
        declares_none && architecture(&self.family.arch).is_some_and(|arch| !arch.names_experts())
    }
}

/// All overrides, those of families first. Of an engine whose profile is unknown nothing is said.
pub(super) fn each(ground: &Ground) -> impl Iterator<Item = Placed<'_>> {
    let registry = &ground.registry;
    let pinned = registry.stack.engine.and_then(|engine| ground.profile(engine.value));
    let of_families = registry.families.iter().flat_map(move |family| {
        family.overrides.iter().filter_map(move |said| {
            Some(Placed {
                kind: "family",
                name: &family.head.name,
                family,
                model: None,
                profile: pinned?,
                said,
            })
        })
    });
    let of_roles = registry.served().flat_map(|(role, serving)| {
        let profile = ground.profile_of(serving);
        let (model, family) = registry.model_of(serving);
        serving.overrides.iter().filter_map(move |said| {
            Some(Placed {
                kind: "role",
                name: &role.head.name,
                family,
                model: Some(model),
                profile: profile?,
                said,
            })
        })
    });
    of_families.chain(of_roles)
}
