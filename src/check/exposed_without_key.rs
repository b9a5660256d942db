//! A role that other machines reach and that asks for no key.

use super::{Check, owner, secrets};
use crate::diag::{Diagnostics, words};
use crate::hir::{Registry, Serving};
use crate::source::Span;
use std::collections::BTreeSet;
use std::net::IpAddr;

declare_code! {
    /// ## What it finds
    /// A role that listens at an address which other machines reach, as `0.0.0.0` or `::`, without a `key-file`.
    ///
    /// ## Why
    /// Whoever reaches the port may ask the model anything, and read or end the conversations of others. A firewall may be
    /// reason enough to allow it.
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
    static EXPOSED_WITHOUT_KEY = 357, "exposed-without-key", Warning;
}

pub(super) static CHECK: Check = Check { code: &EXPOSED_WITHOUT_KEY, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    let mut said: BTreeSet<Span> = BTreeSet::new();
    for (role, serving) in registry.served() {
        let exposed = serving.listen.iter().find(|address| !is_loopback(address));
        let Some(address) = exposed.filter(|_| !asks_for_a_key(registry, serving)) else { continue };
        let (kind, name) = owner(registry, role, address.span);
        // A default stands at one place for many roles.
        if kind != "role" && !said.insert(address.span) {
            continue;
        }
        let label = match address.parse() {
            Ok(address) if IpAddr::is_unspecified(&address) => "every machine that reaches this one",
            _ => "other machines reach this",
        };
        let message = format!(
            "role {} listens at {} and asks for no key",
            words::quoted(&role.head.name),
            words::quoted(address)
        );
        let finding = EXPOSED_WITHOUT_KEY.at(address.span, label, message).about(kind, name);
        findings.report(
            finding.help("add `key-file`, or listen at `127.0.0.1` behind a proxy that asks for one"),
        );
    }
}

fn is_loopback(address: &str) -> bool {
    address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Whether clients have to show a key. One that stands in the registry is one as well, and said elsewhere.
fn asks_for_a_key(registry: &Registry, serving: &Serving) -> bool {
    let by_variable = |(name, _): &(&str, &str)| secrets::KEY_VARIABLES.contains(name);
    serving.key_file.is_some()
        || serving.options.iter().any(|option| secrets::is_key_option(&option.name))
        || registry.env_of(serving).iter().any(by_variable)
}
