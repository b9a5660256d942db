//! Faults of lowering: settings of a role that its engine build cannot express. The checks of fields and of options use
//! this module.

use crate::derive::{Derived, ServedRole};
use crate::diag::{Diagnostic, words};
use crate::engine::Profile;
use crate::engine::dialect::{FaultKind, LoweringFault};
use crate::hir::{Registry, Role, Serving};

/// A role with faults.
pub(in crate::check) struct FaultyRole<'g> {
    pub(in crate::check) registry: &'g Registry,
    pub(in crate::check) role: &'g Role,
    pub(in crate::check) serving: &'g Serving,
    /// The profile of its engine build.
    pub(in crate::check) profile: &'g Profile,
}

/// All faults of a kind with their roles, in the order of declaration.
pub(in crate::check) fn of_kind(
    derived: &Derived,
    kind: FaultKind,
) -> impl Iterator<Item = (FaultyRole<'_>, &LoweringFault)> {
    derived.commands().flat_map(move |(role, ServedRole { serving, .. }, command)| {
        let server = command.server();
        let faults = server.errors.iter().chain(&server.warnings).filter(move |fault| fault.kind == kind);
        faults.map(move |fault| {
            (FaultyRole { registry: &derived.registry, role, serving, profile: &command.profile }, fault)
        })
    })
}

impl FaultyRole<'_> {
    /// Adds the role, its engine, a help, and the builds without the fault.
    pub(in crate::check) fn complete(
        &self,
        finding: Diagnostic,
        fault: &LoweringFault,
        help: Option<String>,
    ) -> Diagnostic {
        self.about(finding).maybe_help(help).maybe_help(builds_without(fault))
    }

    /// Adds the role and its engine.
    pub(in crate::check) fn about(&self, finding: Diagnostic) -> Diagnostic {
        let pinned = self.serving.engine.map_or(self.role.head.name.span, |engine| engine.span);
        let served_by = format!("served by {}", words::printable(self.profile.name()));
        finding.about(self.role).also(pinned, served_by)
    }
}

/// A help that names the builds without a fault, if there are any.
pub(in crate::check) fn builds_without(fault: &LoweringFault) -> Option<String> {
    let builds: Vec<String> = fault.builds.iter().map(|build| format!("`{build}`")).collect();
    (!builds.is_empty()).then(|| format!("use a build that supports it: {}", words::any_of(&builds)))
}
