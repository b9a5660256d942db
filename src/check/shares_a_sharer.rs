//! A role that shares a role without a process.

use crate::derive::Derived;
use crate::diag::{Diagnostics, Line, words};
use crate::hir::RoleKind;

declare_code! {
    /// ## What it finds
    /// A role that shares a role without a process: the other role also shares one, or is not served.
    ///
    /// ## Why
    /// `shares` means to use the process of another role. A chain of sharing roles can be circular, or end without a
    /// process.
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
    pub(super) static SHARES_A_SHARER = 314, "shares-a-sharer", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for (id, role) in registry.roles.entries() {
        let RoleKind::Shares(shared) = &role.kind else { continue };
        let other = registry.roles.get(shared.value);
        let other_name = words::quoted(&other.head.name);
        let finding = match &other.kind {
            RoleKind::Served(_) | RoleKind::Program(_) => continue,
            _ if shared.value == id => SHARES_A_SHARER
                .at(shared.span, "the role itself", format!("{role} shares itself"))
                .help("set `shares` to a role with a `residency`"),
            RoleKind::Shares(further) => {
                let end = words::quoted(&registry.roles.get(further.value).head.name);
                let message = format!("{role} shares {other_name}, which shares {end}");
                let finding = SHARES_A_SHARER
                    .at(shared.span, "has no process", message)
                    .also(further.span, "shares another role");
                if further.value == id {
                    finding.help("replace `shares` with `model` in one of the two roles")
                } else {
                    let end = &*registry.roles.get(further.value).head.name.value;
                    finding.write(role.head.span, Line::of("shares", end))
                }
            }
            RoleKind::Listed(_) => {
                let message = format!("{role} shares {other_name}, which is only listed and not served");
                let finding = SHARES_A_SHARER
                    .at(shared.span, "has no process", message)
                    .also(other.head.name.span, "has no `residency`");
                finding.help(format!("set `residency` in {other_name}, or set `shares` to another role"))
            }
        };
        findings.report(finding.about(role));
    }
}
