//! All metadata overrides, those of families and those of roles. The checks of keys and values use this module.

use crate::derive::Derived;
use crate::diag::words;
use crate::engine::Profile;
use crate::engine::architecture::architecture;
use crate::hir::{Family, Model, Override};

/// One override with the item that declares it, and the profile to check it with.
pub(super) struct DeclaredOverride<'r> {
    /// The kind of the item that declares it.
    pub(super) kind: &'static str,
    /// The name of that item.
    pub(super) name: &'r str,
    /// The family of the model.
    pub(super) family: &'r Family,
    /// The model of the role. `None` for an override of a family, which applies to all its models.
    pub(super) model: Option<&'r Model>,
    /// The engine profile: of the role, or of the stack for an override of a family.
    pub(super) profile: &'r Profile,
    /// The override.
    pub(super) entry: &'r Override,
}

impl DeclaredOverride<'_> {
    /// Kind and name of the item: role `frontdoor`.
    pub(super) fn owner(&self) -> String {
        format!("{} {}", self.kind, words::quoted(self.name))
    }

    /// True if the model is known to have no experts.
    pub(super) fn is_dense(&self) -> bool {
        let declares_none = self.model.is_none_or(|model| model.experts.is_none());
        declares_none && architecture(&self.family.arch).is_some_and(|arch| !arch.names_experts())
    }
}

/// All overrides, those of families first. Overrides for an engine with an unknown profile are left out.
pub(super) fn each(derived: &Derived) -> impl Iterator<Item = DeclaredOverride<'_>> {
    let registry = &derived.registry;
    let pinned = registry.stack.engine.and_then(|engine| derived.profile(engine.value));
    let of_families = registry.families.iter().flat_map(move |family| {
        family.overrides.iter().filter_map(move |entry| {
            Some(DeclaredOverride {
                kind: "family",
                name: &family.head.name,
                family,
                model: None,
                profile: pinned?,
                entry,
            })
        })
    });
    let of_roles = registry.served().flat_map(|(role, serving)| {
        let profile = derived.profile_of(serving);
        let (model, family) = registry.model_of(serving);
        serving.overrides.iter().filter_map(move |entry| {
            Some(DeclaredOverride {
                kind: "role",
                name: &role.head.name,
                family,
                model: Some(model),
                profile: profile?,
                entry,
            })
        })
    });
    of_families.chain(of_roles)
}
