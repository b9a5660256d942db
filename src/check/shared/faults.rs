//! Faults of lowering: settings of a role that its engine build cannot express. The checks of fields and of options use
//! this module.

use super::super::owner;
use crate::derive::{Derived, ServedRole};
use crate::diag::{Change, Diagnostic, Line, words};
use crate::engine::Profile;
use crate::engine::dialect::{FaultKind, LoweringFault};
use crate::hir::{EngineOption, Registry, Role, Serving};
use crate::source::Span;

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

impl<'g> FaultyRole<'g> {
    /// The options of the role, with `option` in its place. It may have a corrected name.
    pub(in crate::check) fn options_with<'o>(&self, option: &'o EngineOption) -> Vec<&'o EngineOption>
    where
        'g: 'o,
    {
        let is_this =
            |other: &EngineOption| other.name.span == option.name.span && other.value == option.value;
        self.serving.options.iter().map(|other| if is_this(other) { option } else { other }).collect()
    }
}

impl FaultyRole<'_> {
    /// The item and the blocks for a field that replaces an option: the role, or the `defaults` of the stack.
    fn place_of(&self, option: &EngineOption) -> (Span, Vec<&'static str>) {
        let head = owner(self.registry, self.role, option.name.span);
        (head.span, if head.kind == "stack" { vec!["defaults"] } else { Vec::new() })
    }

    /// True if a value and an option are in the same item: the role, or the `defaults` of the stack.
    pub(in crate::check) fn is_next_to(&self, option: &EngineOption, place: Span) -> bool {
        self.place_of(option).0 == owner(self.registry, self.role, place).span
    }

    /// The change that writes a field, or a part of the block `block`, instead of an option.
    pub(in crate::check) fn instead(
        &self,
        option: &EngineOption,
        block: Option<&'static str>,
        line: Line,
    ) -> Change {
        let (item, mut path) = self.place_of(option);
        path.extend(block);
        Change::Instead { old: "option", value_span: option.name.span, item, path, line }
    }

    /// The change that writes a field where an option is.
    pub(in crate::check) fn set(&self, option: &EngineOption, line: Line) -> Change {
        let (item, path) = self.place_of(option);
        Change::Set { item, path, line }
    }

    /// The change that writes a part of a block where an option is.
    pub(in crate::check) fn set_in(&self, option: &EngineOption, block: &'static str, line: Line) -> Change {
        let (item, mut path) = self.place_of(option);
        path.push(block);
        Change::Set { item, path, line }
    }

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
