//! A role that shares with a role that shares.

use super::Check;
use crate::diag::{Diagnostics, words};
use crate::hir::{Registry, Work};

declare_code! {
    /// ## What it finds
    /// A role that shares with a role that has no process of its own: it shares as well, or it is not served.
    ///
    /// ## Why
    /// Sharing means using another role's process. A chain of sharing may end in nothing, or in itself.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   one: {tier: A, shares: basic}
    ///   two: {tier: A, shares: one}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   one: {tier: A, shares: basic}
    ///   two: {tier: A, shares: basic}
    /// ```
    static SHARES_A_SHARER = 314, "shares-a-sharer", Error;
}

pub(super) static CHECK: Check = Check { code: &SHARES_A_SHARER, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    for (id, role) in registry.roles.entries() {
        let Work::Shares(shared) = &role.work else { continue };
        let other = registry.roles.get(shared.value);
        let (name, other_name) = (words::quoted(&role.head.name), words::quoted(&other.head.name));
        let finding = match &other.work {
            Work::Served(_) => continue,
            _ if shared.value == id => {
                SHARES_A_SHARER.at(shared.span, "itself", format!("role {name} shares itself"))
            }
            Work::Shares(further) => {
                let end = words::quoted(&registry.roles.get(further.value).head.name);
                let message = format!("role {name} shares {other_name}, which shares {end}");
                let label = "has no process of its own";
                let way_out = if further.value == id {
                    "give one of them a model of its own".to_owned()
                } else {
                    format!("share {end}")
                };
                SHARES_A_SHARER.at(shared.span, label, message).also(further.span, "shares on").help(way_out)
            }
            Work::Listed(_) => {
                let message = format!("role {name} shares {other_name}, which is listed and not served");
                let finding = SHARES_A_SHARER
                    .at(shared.span, "has no process", message)
                    .also(other.head.name.span, "has no `residency`");
                finding.help(format!("give {other_name} a `residency`, or share another role"))
            }
        };
        findings.report(finding.about("role", &*role.head.name.value));
    }
}
