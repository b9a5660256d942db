//! The options of roles that have no field, as the builds of their engines take them: shared by the checks of what can be
//! wrong with one.

use super::ground::Ground;
use super::secrets;
use crate::diag::{Code, Diagnostic, words};
use crate::engine::Profile;
use crate::engine::dialect::{Fault, Inexpressible, Intent};
use crate::hir::{EngineOption, Role, Serving};

/// An option with what is wrong with it.
pub(super) struct Wrong<'g> {
    /// The role.
    pub(super) role: &'g Role,
    /// How it is served.
    pub(super) serving: &'g Serving,
    /// The build that it is held against.
    pub(super) profile: &'g Profile,
    /// The option.
    pub(super) option: &'g EngineOption,
    /// What is wrong.
    pub(super) said: &'g Inexpressible,
}

/// All options with a fault of that kind, in the order of the roles.
pub(super) fn each(ground: &Ground, fault: Fault) -> impl Iterator<Item = Wrong<'_>> {
    ground.troubles().iter().flat_map(move |trouble| {
        let role = ground.registry.roles.get(trouble.role);
        let all = trouble.cannot.iter().chain(&trouble.warned).filter(move |said| said.fault == fault);
        all.filter_map(move |said| {
            let serving = role.serving()?;
            let Intent::OptionName(at) = said.intent else { return None };
            let (profile, option) = (ground.profile_of(serving)?, serving.options.get(at)?);
            // A key that stands in the registry is said as a secret.
            let is_secret = secrets::is_key_option(&option.name) && secrets::in_option(option);
            (!is_secret).then_some(Wrong { role, serving, profile, option, said })
        })
    })
}

impl Wrong<'_> {
    /// Begins the finding, at the name of the option.
    pub(super) fn at_name(&self, code: &'static Code, label: impl Into<String>) -> Diagnostic {
        let finding = code.at(self.option.name.span, label, self.message());
        self.complete(finding)
    }

    /// Begins the finding, at the value of the option; at its name where it has none.
    pub(super) fn at_value(&self, code: &'static Code, label: impl Into<String>) -> Diagnostic {
        let place = self.option.value.as_ref().map_or(self.option.name.span, |value| value.span);
        let finding = code.at(place, label, self.message());
        self.complete(finding)
    }

    /// What is wrong, in a line.
    fn message(&self) -> String {
        let (name, role) = (words::quoted(&self.option.name), words::quoted(&self.role.head.name));
        format!("option {name} of role {role}: {}", words::printable(&self.said.why))
    }

    fn complete(&self, finding: Diagnostic) -> Diagnostic {
        let pinned = self.serving.engine.map_or(self.role.head.name.span, |engine| engine.span);
        let builds: Vec<String> = self.said.builds.iter().map(|build| format!("`{build}`")).collect();
        finding
            .about("role", &*self.role.head.name.value)
            .also(pinned, format!("served by {}", words::printable(self.profile.name())))
            .maybe_help(self.said.help.as_deref().map(words::printable))
            .maybe_help((!builds.is_empty()).then(|| format!("builds that can: {}", words::all_of(&builds))))
    }
}
