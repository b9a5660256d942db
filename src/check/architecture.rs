//! Architectures that no known build supports, or for which the engine loads no model.

use crate::derive::Derived;
use crate::diag::{Diagnostic, Diagnostics, Safety, Similarity, suggest, words};
use crate::engine::architecture::{self, Class};
use crate::engine::{ClosedList, Profile};
use crate::hir::Family;
use std::collections::BTreeSet;

declare_code! {
    /// ## What it finds
    /// A family whose `arch` is not an architecture of any known build. If a role serves a model of the family, and the
    /// profile of its engine lists architectures, `unsupported-model` reports this instead.
    ///
    /// ## Why
    /// Metadata keys start with the architecture, and the engine silently ignores keys of another one. A newer build
    /// can have an architecture that orchgen does not know, so this is a warning. The override keys of such an
    /// architecture are not checked.
    ///
    /// ## Example
    /// ```kdl
    /// family "odd" arch="qwen3-moe"
    /// ban target="odd" draft="*" failure="it stutters"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// family "odd" arch="qwen3moe"
    /// ban target="odd" draft="*" failure="it stutters"
    /// ```
    pub(super) static UNKNOWN_ARCHITECTURE = 315, "unknown-architecture", Warning;
}

declare_code! {
    /// ## What it finds
    /// A family whose `arch` the engine knows but cannot load: `clip`, the architecture of projectors, and `gptj`.
    ///
    /// ## Why
    /// llama-server exits after it has read the header of such a file (llama.cpp b11434, `src/llama-arch.cpp`).
    ///
    /// ## Example
    /// ```kdl
    /// family "odd" arch="clip"
    /// ban target="odd" draft="*" failure="it is a projector"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// family "odd" arch="qwen2vl"
    /// ban target="odd" draft="*" failure="it has a projector"
    /// ```
    pub(super) static UNLOADABLE_ARCHITECTURE = 363, "unloadable-architecture", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let is_known = |arch: &str| {
        let own = derived.profiles.iter().flatten().map(|profile| &***profile);
        let built_in = Profile::built_in_names().iter().filter_map(|name| Profile::built_in(name));
        own.chain(built_in).any(|profile| profile.lists().has(ClosedList::Architectures, arch) == Some(true))
    };
    let compared = compared_families(derived);
    for (id, family) in derived.registry.families.entries() {
        let finding = match architecture::architecture(&family.arch) {
            Some(arch) if arch.is(Class::NotLoadable) => unloadable(family),
            Some(_) => continue,
            None if compared.contains(&id.number()) || is_known(&family.arch) => continue,
            None => unknown(family),
        };
        findings.report(finding.about(family));
    }
}

fn lists(profile: &Profile) -> &[String] {
    profile.lists().get(ClosedList::Architectures).unwrap_or_default()
}

/// The families of models that `unsupported-model` compares with the architectures of their engine.
fn compared_families(derived: &Derived) -> BTreeSet<usize> {
    let served = derived
        .roles
        .iter()
        .filter(|role| derived.profile_of(&role.serving).is_some_and(|profile| !lists(profile).is_empty()));
    let models = served.flat_map(|role| {
        let draft = role.serving.draft_model().map(|(_, model)| model.value);
        std::iter::once(role.serving.model.value).chain(draft)
    });
    let family = |model| Some(derived.registry.models.get(model).family?.value.number());
    models.filter_map(family).collect()
}

fn unknown(family: &Family) -> Diagnostic {
    let arch = &family.arch;
    let near = suggest(arch, architecture::names());
    let label = match near {
        Some(near) => format!("did you mean `{}`?", near.name),
        None => "not in any known build".to_owned(),
    };
    let message = format!("{family} has the unknown architecture {}", words::quoted(arch));
    let finding = UNKNOWN_ARCHITECTURE.at(arch.span, label, message).help(
        "write the `general.architecture` of the model file; if only a newer build has it, `allow` this warning",
    );
    match near {
        // A newer build can have an architecture whose name differs in one letter.
        Some(near) if near.similarity == Similarity::Typo => {
            finding.suggest_word(near.name, arch.span, Safety::Unsafe)
        }
        near => finding.suggest(near, arch.span),
    }
}

fn unloadable(family: &Family) -> Diagnostic {
    let arch = &family.arch;
    let message =
        format!("{family} has the architecture {}, which the engine cannot load", words::quoted(arch));
    let help = if &*arch.value == "clip" {
        "write the architecture of the model here, and name this file in the `projector` of the model"
    } else {
        "write the `general.architecture` of the model file"
    };
    UNLOADABLE_ARCHITECTURE.at(arch.span, "not a loadable architecture", message).help(help)
}
