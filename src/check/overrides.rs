//! The walk over all metadata overrides, those of families and those of roles: shared by the checks of their keys and values.

use super::profile_of;
use crate::diag::words;
use crate::engine::Profile;
use crate::hir::{Family, Override, Registry};

/// One override, and what it is held against.
pub(super) struct Placed<'r> {
    /// The kind of item it stands in.
    pub(super) kind: &'static str,
    /// The name of that item.
    pub(super) name: &'r str,
    /// The family of the models it is for.
    pub(super) family: &'r Family,
    /// The build that it is for: a family's is the stack's.
    pub(super) profile: &'static Profile,
    /// The override.
    pub(super) said: &'r Override,
}

impl Placed<'_> {
    /// role `frontdoor`
    pub(super) fn owner(&self) -> String {
        format!("{} {}", self.kind, words::quoted(self.name))
    }
}

/// All overrides, those of families first. Of an engine whose profile is unknown nothing is said.
pub(super) fn each(registry: &Registry) -> impl Iterator<Item = Placed<'_>> {
    let engine = registry.stack.engine.map(|engine| registry.engines.get(engine.value));
    let pinned = engine.and_then(|engine| Profile::built_in(&engine.profile));
    let of_families = registry.families.iter().flat_map(move |family| {
        family.overrides.iter().filter_map(move |said| {
            Some(Placed { kind: "family", name: &family.head.name, family, profile: pinned?, said })
        })
    });
    let of_roles = registry.served().flat_map(|(role, serving)| {
        let profile = profile_of(registry, serving);
        let family = registry.model_of(serving).1;
        serving.overrides.iter().filter_map(move |said| {
            Some(Placed { kind: "role", name: &role.head.name, family, profile: profile?, said })
        })
    });
    of_families.chain(of_roles)
}
