//! The `option` entries of roles, compared with their engine builds. The checks of options use this module.

use super::secrets;
use crate::derive::Derived;
use crate::diag::{Code, Diagnostic, words};
use crate::engine::Profile;
use crate::engine::dialect::{FaultKind, Intent, LoweringFault, owning_field};
use crate::hir::{EngineOption, Role, Serving};

/// An option with a fault.
pub(super) struct FaultyOption<'g> {
    /// The role.
    pub(super) role: &'g Role,
    /// Its serving settings.
    pub(super) serving: &'g Serving,
    /// The profile of its engine build.
    pub(super) profile: &'g Profile,
    /// The option.
    pub(super) option: &'g EngineOption,
    /// The fault.
    pub(super) issue: &'g LoweringFault,
}

/// All options with the given kind of fault, in the order of the roles.
pub(super) fn with_fault(derived: &Derived, kind: FaultKind) -> impl Iterator<Item = FaultyOption<'_>> {
    derived.lowering_issues().iter().flat_map(move |issues| {
        let role = derived.registry.roles.get(issues.role);
        let all = issues.errors.iter().chain(&issues.warnings).filter(move |issue| issue.kind == kind);
        all.filter_map(move |issue| {
            let serving = role.serving()?;
            let Intent::OptionName(at) = issue.intent else { return None };
            let (profile, option) = (derived.profile_of(serving)?, serving.options.get(at)?);
            // `secret-in-registry` reports keys.
            let is_secret = secrets::is_key_option(&option.name) && secrets::in_option(option);
            (!is_secret).then_some(FaultyOption { role, serving, profile, option, issue })
        })
    })
}

impl FaultyOption<'_> {
    /// A finding at the name of the option.
    pub(super) fn at_name(&self, code: &'static Code, label: impl Into<String>) -> Diagnostic {
        let finding = code.at(self.option.name.span, label, self.message());
        self.complete(finding)
    }

    /// A finding at the value of the option, or at its name if it has no value.
    pub(super) fn at_value(&self, code: &'static Code, label: impl Into<String>) -> Diagnostic {
        let place = self.option.value.as_ref().map_or(self.option.name.span, |value| value.span);
        let finding = code.at(place, label, self.message());
        self.complete(finding)
    }

    fn message(&self) -> String {
        let (name, role) = (words::quoted(&self.option.name), words::quoted(&self.role.head.name));
        format!("option {name} of role {role}: {}", words::printable(&self.issue.why))
    }

    /// The help of the fault. If the role already has the field that sets the option, no field is missing.
    fn help(&self) -> Option<String> {
        match owning_field(&self.option.name) {
            Some(field) if self.issue.kind == FaultKind::OwnedByField && self.has_field(field) => {
                Some(format!("remove this option: `{field}` sets it"))
            }
            _ => self.issue.help.as_deref().map(words::printable),
        }
    }

    /// True if the role has the field. False for fields of which an option sets only a part.
    fn has_field(&self, field: &str) -> bool {
        let serving = self.serving;
        match field {
            "batch" => serving.batch.is_some(),
            "cache-type" => serving.cache_type.is_some(),
            "context" | "model" | "port" => true,
            "flash-attention" => serving.flash_attention.is_some(),
            "key-file" => serving.key_file.is_some(),
            "listen" => !serving.listen.is_empty(),
            // The option may ask for another pooling: `rerank` is the pooling `rank`.
            "pooling" => serving
                .pooling
                .as_ref()
                .is_some_and(|pooling| &*pooling.value == "rank" || !self.option.name.contains("rerank")),
            "prompt-cache" => serving.prompt_cache.is_some(),
            _ => false,
        }
    }

    fn complete(&self, finding: Diagnostic) -> Diagnostic {
        let pinned = self.serving.engine.map_or(self.role.head.name.span, |engine| engine.span);
        let builds: Vec<String> = self.issue.builds.iter().map(|build| format!("`{build}`")).collect();
        finding
            .about(&self.role.head)
            .also(pinned, format!("served by {}", words::printable(self.profile.name())))
            .maybe_help(self.help())
            .maybe_help(
                (!builds.is_empty())
                    .then(|| format!("use a build that supports it: {}", words::any_of(&builds))),
            )
    }
}
