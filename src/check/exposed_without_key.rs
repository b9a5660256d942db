//! A role or a gateway that other machines can reach without an API key.

use super::owner;
use super::shared::listening::{is_loopback, requires_key};
use crate::derive::Derived;
use crate::diag::{Change, Diagnostic, Diagnostics, Line, words};
use crate::hir::{Head, Text};
use crate::source::Span;
use std::collections::BTreeSet;
use std::net::IpAddr;

declare_code! {
    /// ## What it finds
    /// A role or a gateway without a `key-file` that listens on an address that other machines can reach, such as `0.0.0.0` or `::`.
    ///
    /// ## Why
    /// Anyone who can reach the port can send requests, and can read or end the conversations of other users. If a
    /// firewall protects the port, `allow` the finding.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096, listen: 0.0.0.0}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096, listen: 0.0.0.0, key-file: /etc/keys/extra}
    /// ```
    pub(super) static EXPOSED_WITHOUT_KEY = 357, "exposed-without-key", Warning;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let mut reported: BTreeSet<Span> = BTreeSet::new();
    for served in &derived.programs {
        if served.program.listen.iter().any(|address| !is_loopback(address)) {
            let why = format!(
                "orchgen does not know if {} requires a key",
                words::printable(served.program.name())
            );
            findings.skip(&EXPOSED_WITHOUT_KEY, registry.roles.get(served.id), why);
        }
    }
    for served in &derived.roles {
        let (role, serving) = (registry.roles.get(served.id), &served.serving);
        if serving.gateway.is_some() {
            continue;
        }
        let exposed = serving.listen.iter().find(|address| !is_loopback(address));
        let Some(address) = exposed.filter(|_| !requires_key(registry, served)) else { continue };
        let owner = owner(registry, role, address.span);
        // A default, or a YAML alias, applies to many roles, but is reported once.
        if !reported.insert(address.span) {
            continue;
        }
        findings.report(finding(&role.head, address).about(owner));
    }
    for gateway in registry.gateways.iter().filter(|gateway| gateway.key_file.is_none()) {
        if let Some(address) = gateway.listen.iter().find(|address| !is_loopback(address)) {
            findings.report(finding(&gateway.head, address).about(gateway));
        }
    }
}

fn finding(head: &Head, address: &Text) -> Diagnostic {
    let label = match address.parse() {
        Ok(address) if IpAddr::is_unspecified(&address) => "reachable from every network of this machine",
        _ => "reachable from other machines",
    };
    let message = format!("{head} listens on {} without an API key", words::quoted(address));
    let local = Change::rewrite(address.span, Line::of("listen", "127.0.0.1"));
    EXPOSED_WITHOUT_KEY
        .at(address.span, label, message)
        .help("set `key-file` to the path of a file with API keys")
        .remedy("or write `{}`, behind a proxy that requires a key", local)
}
