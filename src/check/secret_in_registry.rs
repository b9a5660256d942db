//! A secret in the registry.

use super::owner;
use super::shared::secrets;
use crate::derive::Derived;
use crate::diag::{Change, Diagnostic, Diagnostics, words};
use crate::engine::options::sets_keys;
use crate::hir::{Head, Text};
use crate::source::Span;

declare_code! {
    /// ## What it finds
    /// A secret as the value of an `option` or of a variable in `env`.
    ///
    /// Secrets are:
    ///
    /// - an API key for clients (`api-key`) or a token (`hf-token`, `HF_TOKEN`);
    /// - a variable whose name ends in `PASSWORD`, `SECRET`, `TOKEN` or `API_KEY`;
    /// - a value that starts like the keys of well-known services.
    ///
    /// orchgen never prints the value.
    ///
    /// ## Why
    /// orchgen would copy the secret into units and scripts that every user can read. Every user of the machine can
    /// also see the arguments of a process. The registry is under version control, which keeps the secret forever.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096, env: {HF_TOKEN: "not-a-real-token"}}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096, env: {HF_TOKEN_PATH: /etc/keys/hf}}
    /// ```
    pub(super) static SECRET_IN_REGISTRY = 358, "secret-in-registry", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for engine in registry.engines.iter() {
        findings.extend(variables(&engine.env).map(|secret| finding(&engine.head, secret)));
    }
    for (role, serving) in registry.served() {
        let options = serving.options.iter().filter(|option| secrets::in_option(option));
        let options =
            options.filter_map(|option| Some(("option", &option.name, option.value.as_ref()?.span)));
        for secret in options {
            findings.report(finding(owner(registry, role, secret.1.span), secret));
        }
    }
    for (role, process) in registry.processes() {
        for secret in variables(&process.env) {
            findings.report(finding(owner(registry, role, secret.1.span), secret));
        }
    }
}

/// The environment variables that contain a secret, each with the place of its value.
fn variables(env: &[(Text, Text)]) -> impl Iterator<Item = (&'static str, &Text, Span)> {
    let secret = env.iter().filter(|(name, value)| secrets::in_variable(name, value));
    secret.map(|(name, value)| ("variable", name, value.span))
}

/// The label marks the name, and source excerpts conceal the value.
fn finding(owner: &Head, (what, name, value): (&str, &Text, Span)) -> Diagnostic {
    let message = format!("{owner} has a secret in the {what} {}", words::quoted(name));
    let help = if sets_keys(name) || secrets::is_key_variable(name) {
        "write a new key into a file that only root can read, and name that file in `key-file`"
    } else {
        "create a new secret, and put it into a file that only the service can read, or into a drop-in of the unit"
    };
    let finding = SECRET_IN_REGISTRY.at(name.span, "its value is a secret", message).conceal(value);
    finding.about(owner).help(help).remedy(
        format!("then remove the {what}"),
        if what == "option" { Change::field("option", name.span) } else { Change::remove(name.span) },
    )
}
