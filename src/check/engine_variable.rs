//! A variable of an engine option that does not do what it says.

use super::GroundCheck;
use super::ground::Ground;
use crate::diag::{Diagnostics, words};
use crate::engine::Profile;
use crate::engine::dialect;
use crate::hir::Text;

declare_code! {
    /// ## What it finds
    /// A name in the `env` of an engine or a role that begins as the variables of engine options do and does not do what it says: one of
    /// an option that a field writes, of an option that was removed, or of none that the pinned build has.
    ///
    /// ## Why
    /// The command line wins over a variable, which then says something that is not so. A variable of a removed option keeps the
    /// server from starting, and one of no option is not read.
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
    static ENGINE_VARIABLE = 377, "engine-variable", Error;
}

pub(super) static CHECK: GroundCheck = GroundCheck { code: &ENGINE_VARIABLE, run };

/// How the variables begin that are for options and nothing else.
const PREFIX: &str = "LLAMA_ARG_";

/// Variables that hold secrets, which have findings of their own.
const SECRETS: &[&str] = &["LLAMA_API_KEY", "HF_TOKEN"];

fn run(ground: &Ground, findings: &mut Diagnostics) {
    for (id, engine) in ground.registry.engines.entries() {
        let Some(profile) = ground.profile(id) else { continue };
        for (name, _) in &engine.env {
            let by = ("engine", &*engine.head.name.value);
            report(profile, name, by, findings);
        }
    }
    for (role, serving) in ground.registry.served().filter(|(_, serving)| !serving.env.is_empty()) {
        let Some(profile) = ground.profile_of(serving) else { continue };
        for (name, _) in &serving.env {
            let by = ("role", &*role.head.name.value);
            report(profile, name, by, findings);
        }
    }
}

fn report(profile: &Profile, name: &Text, (kind, owner): (&'static str, &str), findings: &mut Diagnostics) {
    if SECRETS.contains(&&***name) || !name.starts_with(PREFIX) {
        return;
    }
    let build = profile.name();
    let (what, label, help) = match profile.variable(name) {
        None => (format!("which no option of {build} reads"), "not read".to_owned(), "remove it".to_owned()),
        Some(option) => {
            let title = option.title();
            let field = option.names.iter().find_map(|name| dialect::owned(name));
            let help =
                field.map_or_else(|| "remove it".to_owned(), |field| format!("use the field `{field}`"));
            match (&option.removed, field) {
                (Some(_), _) => (
                    format!("at which a server of {build} stops"),
                    format!("read as `{title}`, which is removed"),
                    help,
                ),
                (None, Some(_)) => {
                    ("which the command line overrides".to_owned(), format!("read as `{title}`"), help)
                }
                (None, None) => return,
            }
        }
    };
    let (shown, by) = (words::quoted(name), words::quoted(owner));
    let message = words::printable(&format!("{kind} {by} sets {shown}, {what}"));
    let finding = ENGINE_VARIABLE.at(name.span, label, message).about(kind, owner);
    findings.report(finding.help(help));
}
