//! An environment variable of an engine option that has no effect or stops the server.

use crate::derive::Derived;
use crate::diag::{Diagnostics, words};
use crate::engine::Profile;
use crate::engine::dialect;
use crate::hir::Text;

declare_code! {
    /// ## What it finds
    /// A variable `LLAMA_ARG_*` in the `env` of an engine or a role that has no effect or stops the server. It belongs
    /// to an option that a field of the role sets, to a removed option, or to no option of the pinned build.
    ///
    /// ## Why
    /// The command line overrides a variable, so the variable shows a value that is not used. A variable of a removed
    /// option stops the server at the start. A variable without an option is never read.
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     env { LLAMA_ARG_N_PARALLEL "4" }
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     slots 4
    /// }
    /// ```
    pub(super) static ENGINE_VARIABLE = 377, "engine-variable", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for (id, engine) in derived.registry.engines.entries() {
        let Some(profile) = derived.profile(id) else { continue };
        for (name, _) in &engine.env {
            let by = ("engine", &*engine.head.name.value);
            report(profile, name, by, findings);
        }
    }
    for (role, serving) in derived.registry.served().filter(|(_, serving)| !serving.env.is_empty()) {
        let Some(profile) = derived.profile_of(serving) else { continue };
        for (name, _) in &serving.env {
            let by = ("role", &*role.head.name.value);
            report(profile, name, by, findings);
        }
    }
}

fn report(profile: &Profile, name: &Text, (kind, owner): (&'static str, &str), findings: &mut Diagnostics) {
    let family = profile.family();
    // Variables with secrets have separate findings.
    if family.secret_variables().contains(&&***name) || !name.starts_with(family.variable_prefix()) {
        return;
    }
    let build = profile.name();
    let (what, label, help) = match profile.variable(name) {
        None => (
            format!("which no option of {build} reads"),
            "not read".to_owned(),
            "remove the variable".to_owned(),
        ),
        Some(option) => {
            let title = option.title();
            let field = option.names.iter().find_map(|name| dialect::field_help(name));
            let help = match &field {
                Some(help) => format!("remove the variable, and {help}"),
                None => "remove the variable".to_owned(),
            };
            match (&option.removed, field) {
                (Some(_), _) => (
                    format!("which stops a server of {build} at the start"),
                    format!("sets `{title}`, which was removed"),
                    help,
                ),
                (None, Some(_)) => {
                    ("which the command line overrides".to_owned(), format!("sets `{title}`"), help)
                }
                (None, None) => return,
            }
        }
    };
    let (shown, by) = (words::quoted(name), words::quoted(owner));
    let message = words::printable(&format!("{kind} {by} sets {shown}, {what}"));
    let finding = ENGINE_VARIABLE.at(name.span, label, message).about((kind, owner));
    findings.report(finding.help(help));
}
