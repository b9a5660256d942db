//! Reads roles that another program serves instead of an engine.

use super::defaults::Defaults;
use super::names::ItemRef;
use super::read::Fields;
use super::record::Record;
use super::serving;
use crate::diag::{Change, Diagnostics, words};
use crate::hir::codes::CONFLICTING_FIELDS;
pub(super) use crate::hir::role::COMMAND;
use crate::hir::role::OF_COMMAND;
use crate::hir::{Head, Id, NumaPolicy, Program, Residency};
use crate::source::{Span, Spanned};

/// The fields of a role that do not depend on its program.
const OF_ALL: &[&str] = &[
    "tier",
    "residency",
    "group",
    "host",
    "gateway",
    "port",
    "ports",
    "listen",
    "backend",
    "placement",
    "env",
    "hardening",
    "measured",
    "purpose",
    "note",
    "allow",
    "unset",
];

/// The fields of a placement that an engine needs to know.
const OF_ENGINE_PLACEMENT: &[&str] =
    &["threads", "lock", "layers", "split", "split-mode", "cpu-experts", "kv"];

/// True if a field has an effect on a role with `command`.
pub(super) fn is_of_command(field: &str) -> bool {
    field == COMMAND || OF_COMMAND.contains(&field) || OF_ALL.contains(&field)
}

/// True if a field has an effect on a role without `command`.
pub(super) fn is_of_engine(field: &str) -> bool {
    !OF_COMMAND.contains(&field)
}

/// Reports and drops the fields of a role without an effect, because it has a `command` or has none.
pub(super) fn report_without_effect(record: &mut Record, head: &Head, findings: &mut Diagnostics) {
    let command = record.place(COMMAND);
    let has_command = record.has_or_reported(COMMAND);
    let is_effective = if has_command { is_of_command } else { is_of_engine };
    let owner = ItemRef::new(head.kind, &head.name);
    let mut dropped: Vec<(&'static str, Span)> = Vec::new();
    for (field, place) in record.places() {
        if is_effective(field) || dropped.iter().any(|(known, _)| *known == field) {
            continue;
        }
        dropped.push((field, place));
        let name = words::quoted(field);
        let finding = match command {
            Some(command) => CONFLICTING_FIELDS
                .at(
                    place,
                    "of no use to another program",
                    format!("{} has both `command` and {name}", owner.describe()),
                )
                .also(command, "the program that serves the role"),
            None if has_command => continue,
            None => CONFLICTING_FIELDS.at(
                place,
                "has no effect",
                format!("{} has {name}, but no `command`", owner.describe()),
            ),
        };
        owner.report(finding.remedy("remove `{}`", Change::remove(place)), findings);
    }
    if let Some(command) = command {
        report_placement(record, (command, &owner), findings);
    }
    for (field, _) in dropped {
        record.discard(field);
    }
}

/// Reports the fields of the placement that only an engine has.
fn report_placement(record: &Record, (command, owner): (Span, &ItemRef), findings: &mut Diagnostics) {
    for block in record.blocks("placement") {
        for (field, place) in block.places().filter(|(field, _)| OF_ENGINE_PLACEMENT.contains(field)) {
            let message = format!("{} has both `command` and `placement.{field}`", owner.describe());
            let finding = CONFLICTING_FIELDS
                .at(place, "of no use to another program", message)
                .also(command, "the program that serves the role");
            owner.report(finding.remedy("remove `{}`", Change::remove(place)), findings);
        }
    }
}

/// Reads the processes of a role with `command`. `None` if a required part could not be read.
pub(super) fn read(
    fields: &mut Fields,
    residency: Spanned<Id<Residency>>,
    defaults: &Defaults,
) -> Option<Program> {
    let process = serving::process(fields, residency, defaults);
    let numa = process.as_ref().and_then(|process| process.placement.numa.as_ref());
    if let Some(numa) = numa.filter(|numa| numa.value == NumaPolicy::Distribute) {
        let owner = fields.owner();
        let message = format!("{} has both `command` and `numa` `distribute`", owner.describe());
        let finding = CONFLICTING_FIELDS.at(numa.span, "of no use to another program", message);
        owner.report(finding.remedy("remove `{}`", Change::remove(numa.span)), fields.findings);
    }
    let words = fields.record.take_all(COMMAND);
    let program = Program {
        process: process?,
        words,
        health: fields.get("health")?,
        memory: fields.get("memory")?,
        reads: fields.get("reads")?,
        writes: fields.get("writes")?,
    };
    // A word that could not be read is reported.
    (!program.words.is_empty() && !fields.record.is_reported(COMMAND)).then_some(program)
}
