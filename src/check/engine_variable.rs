//! An environment variable of an engine option that has no effect or stops the server.

use crate::derive::Derived;
use crate::diag::{Change, Diagnostic, Diagnostics, words};
use crate::engine::dialect::reason_not_allowed;
use crate::engine::options;
use crate::engine::{OptionRecord, Profile};
use crate::hir::{Head, Text};
use crate::source::Span;
use std::collections::BTreeSet;

declare_code! {
    /// ## What it finds
    /// A variable `LLAMA_ARG_*` in the `env` of an engine or a role that has no effect or stops the server. It belongs
    /// to an option that a field of the role sets, to a removed option, or to no option of the pinned build. A variable
    /// with a relative path is also found, and one that keeps the server from serving, such as `LLAMA_ARG_API_PREFIX`.
    ///
    /// ## Why
    /// The command line overrides a variable, so the variable shows a value that is not used. A variable of a removed
    /// option stops the server at the start. A variable without an option is never read. With TLS or a prefix of paths, health
    /// checks fail, which request `/health` over plain HTTP.
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
    let registry = &derived.registry;
    let mut reported: BTreeSet<(Span, &str)> = BTreeSet::new();
    let of_engines = registry.engines.entries();
    let of_engines = of_engines.map(|(id, engine)| (&engine.head, &engine.env, derived.profile(id)));
    let of_roles = registry.served();
    let of_roles = of_roles.map(|(role, serving)| (&role.head, &serving.env, derived.profile_of(serving)));
    for (owner, env, profile) in of_engines.chain(of_roles) {
        let Some(profile) = profile else { continue };
        for (name, value) in env {
            let found = finding(profile, (name, value), super::owner_of(registry, owner, name.span));
            // A default, or a YAML alias, applies to many roles, but is reported once.
            findings.extend(found.filter(|_| reported.insert((name.span, profile.name()))));
        }
    }
}

fn finding(profile: &Profile, (name, value): (&Text, &Text), owner: &Head) -> Option<Diagnostic> {
    let family = profile.family();
    // Variables with secrets have separate findings.
    if family.secret_variables().contains(&&***name) || !name.starts_with(family.variable_prefix()) {
        return None;
    }
    let (build, option) = (profile.name(), profile.variable(name));
    let field = option.and_then(|option| option.names.iter().find_map(|name| options::field_help(name)));
    let is_present = |option: &&OptionRecord| option.removed.is_none() && field.is_none();
    let refused = option.filter(is_present).and_then(|option| reason_not_allowed(option, option.title()));
    if let Some((why, _)) = refused {
        let message = words::printable(&format!("variable {} of {owner}: {why}", words::quoted(name)));
        let finding = ENGINE_VARIABLE.at(name.span, "cannot be set", message).about(owner);
        return Some(finding.remedy("remove `{}`", Change::remove(name.span)));
    }
    let (what, label) = match option {
        None => (format!("which no option of {build} reads"), "not read".to_owned()),
        Some(option) if option.removed.is_some() => (
            format!("which stops a server of {build} at the start"),
            format!("sets `{}`, which was removed", option.title()),
        ),
        Some(option) if field.is_some() => {
            ("which the command line overrides".to_owned(), format!("sets `{}`", option.title()))
        }
        Some(option) if option.row().and_then(|row| row.path).is_some_and(|used| !used.is_usable(value)) => {
            let message = words::printable(&format!(
                "{owner} sets {} to a path that is not a full path",
                words::quoted(name)
            ));
            let finding = ENGINE_VARIABLE.at(value.span, "must start with `/`", message).about(owner);
            return Some(finding.help("write the full path: the service starts in the folder `/`"));
        }
        Some(_) => return None,
    };
    let message = words::printable(&format!("{owner} sets {}, {what}", words::quoted(name)));
    let finding = ENGINE_VARIABLE.at(name.span, label, message).about(owner);
    let title = match field {
        Some(help) => format!("remove `{{}}`, and {help}"),
        None => "remove `{}`".to_owned(),
    };
    Some(finding.remedy(title, Change::remove(name.span)))
}
