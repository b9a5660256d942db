//! Reports roles without their own process whose settings would have no effect.

use super::defaults::Defaults;
use super::gateway::GATEWAY;
use super::names::ItemRef;
use super::record::Record;
use super::scope::{HOT, Scope};
use crate::diag::{Change, Diagnostic, Diagnostics, Line, Literal, words};
use crate::hir::codes::{CONFLICTING_FIELDS, NOT_SERVED};
use crate::hir::{Head, Start, Text};
use crate::source::Span;

/// The fields that have an effect on a role without its own process.
pub(super) const WITHOUT_PROCESS: &[&str] =
    &["tier", "model", "shares", "group", "purpose", "note", "measured", "allow", "unset"];

/// The reason why a role has no separate process.
#[derive(Clone, Copy)]
pub(super) enum NotServed<'r> {
    /// It shares the process of this role.
    Shares(&'r Text),
    /// It is listed: it has no residency. If residencies are implied, a role with a port has one.
    Listed { is_implied: bool },
}

/// The role that a finding is about, and where findings go.
type Place<'p> = (&'p Head, &'p Scope, &'p mut Diagnostics);

/// Reports what has no effect on a role without its own process: the gateway of the defaults, or its own settings.
pub(super) fn report((record, defaults): (&Record, &Defaults), how: NotServed<'_>, place: Place<'_>) {
    let is_routed = || {
        let own_address = ["port", "ports", GATEWAY];
        let has_own = own_address.iter().any(|field| record.has_or_reported(field));
        defaults.record.has_or_reported(GATEWAY) && !has_own && !record.has_text("unset", GATEWAY)
    };
    match how {
        NotServed::Listed { is_implied: false } if is_routed() => report_unserved(&defaults.record, place),
        NotServed::Shares(_) | NotServed::Listed { .. } => {
            report_without_effect((record, defaults), how, place);
        }
    }
}

/// Reports process settings on a role without its own process, where they have no effect.
fn report_without_effect(
    (record, defaults): (&Record, &Defaults),
    how: NotServed<'_>,
    (head, scope, findings): Place<'_>,
) {
    let owner = ItemRef::new(head.kind, &head.name);
    if let (NotServed::Shares(shares), Some(model)) = (how, record.place("model")) {
        return owner.report(model_and_shares(record, (model, shares), &owner), findings);
    }
    let mut ineffective = ineffective(record);
    if let NotServed::Shares(_) = how {
        // A gateway can write options into requests. `shared-option` checks them.
        ineffective.retain(|(name, _)| *name != "option");
    }
    let Some((first, span)) = ineffective.first() else { return };
    let mut names: Vec<String> = ineffective.iter().map(|(name, _)| format!("`{name}`")).collect();
    names.dedup();
    let names = words::all_of(&names);
    let reason = match how {
        NotServed::Shares(shares) => format!("shares the process of role {}", words::quoted(shares)),
        NotServed::Listed { is_implied } => {
            let field = if is_implied { "port" } else { "residency" };
            format!("is listed and not served (it has no `{field}`)")
        }
    };
    let message = format!("{} {reason}, so {names} would have no effect", owner.describe());
    let finding = NOT_SERVED.at(*span, format!("`{first}` has no effect"), message);
    let remove = Change::All(ineffective.iter().map(|(_, span)| Change::remove(*span)).collect());
    let finding = match how {
        NotServed::Shares(shares) => {
            let title = format!("remove {names}; configure role {} instead", words::quoted(shares));
            finding.remedy(title, remove)
        }
        NotServed::Listed { is_implied } => {
            let residency = (!is_implied).then(|| Line::new("residency").value(Literal::NameOf("residency")));
            let finding = serve_it(finding, (record, defaults), residency.as_ref(), (head, scope));
            finding.remedy(format!("or remove {names}"), remove)
        }
    };
    owner.report(finding, findings);
}

/// The finding for a role with both `model` and `shares`.
fn model_and_shares(record: &Record, (model, shares): (Span, &Text), owner: &ItemRef<'_>) -> Diagnostic {
    let message = format!("{} has both `model` and `shares`", owner.describe());
    let finding =
        CONFLICTING_FIELDS.at(model, "names a model", message).also(shares.span, "shares another role");
    // Do not report other settings: they are right if the user keeps `model`.
    let without_effect = ineffective(record);
    let names = std::iter::once("model").chain(without_effect.iter().map(|(name, _)| *name));
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    let places = std::iter::once(model).chain(without_effect.iter().map(|(_, place)| *place));
    let finding = finding.remedy("remove `{}`", Change::remove(shares.span));
    let remove = Change::All(places.map(Change::remove).collect());
    finding.remedy(format!("or remove {}", words::all_of(&names)), remove)
}

/// Adds the help with the lines that make a listed role a served one: its residency, if residencies are not implied,
/// and its address.
fn serve_it(
    finding: Diagnostic,
    (record, defaults): (&Record, &Defaults),
    residency: Option<&Line>,
    (head, scope): (&Head, &Scope),
) -> Diagnostic {
    let has = |field| record.has_or_reported(field) || defaults.record.has_or_reported(field);
    let add = |address: Option<Line>| {
        let lines = residency.cloned().into_iter().chain(address);
        Change::All(lines.map(|line| Change::set(head.span, line)).collect())
    };
    let finding = if has("port") || has("ports") || has(GATEWAY) {
        finding.remedy("add `{}`", add(None))
    } else {
        let finding = finding.remedy("add `{}`", add(Some(Line::of("port", defaults.next_port()))));
        match scope.gateways.names.any() {
            Some(name) => finding.remedy("or add `{}`", add(Some(Line::of(GATEWAY, name)))),
            None => finding,
        }
    };
    if residency.is_none() { finding } else { at_boot(finding, head, scope) }
}

/// Reports a role that the gateway of the defaults does not serve, because it has no residency.
fn report_unserved(defaults: &Record, (head, scope, findings): Place<'_>) {
    let owner = ItemRef::new(head.kind, &head.name);
    let Some(gateway) = defaults.peek_text(GATEWAY) else { return };
    let message = format!(
        "{} has no `residency`, so gateway {} of the `defaults` does not serve it",
        owner.describe(),
        words::quoted(&gateway)
    );
    let finding = NOT_SERVED.at(head.name.span, "not served", message);
    let finding = finding.also(gateway.span, "the gateway of all roles");
    let residency = Line::new("residency").value(Literal::NameOf("residency"));
    let finding = finding.remedy("add `{}`", Change::set(head.span, residency));
    let unset = Line::of("unset", GATEWAY);
    let finding = at_boot(finding, head, scope);
    owner.report(
        finding.remedy("or add `{}`, so that it is only listed", Change::set(head.span, unset)),
        findings,
    );
}

/// The help with a residency that starts at boot, if none is declared: declared residencies replace the built-in ones.
fn at_boot(finding: Diagnostic, head: &Head, scope: &Scope) -> Diagnostic {
    let mut declared = scope.residencies.arena.iter();
    if declared.any(|one| one.start.value == Start::Boot || &*one.head.name.value == HOT) {
        return finding;
    }
    let line = Line::of("residency", HOT).with(Line::of("start", Start::Boot.word()));
    let add = Change::Add { file: head.span.file, plural: "residencies", line };
    let set = Change::set(head.span, Line::of("residency", HOT));
    finding.remedy("or write `{}`, to load its model at boot", Change::All(vec![add, set]))
}

/// The fields that have no effect on a role without its own process, in the order of the text.
fn ineffective(record: &Record) -> Vec<(&'static str, Span)> {
    let mut found: Vec<_> = record.places().filter(|(name, _)| !WITHOUT_PROCESS.contains(name)).collect();
    found.sort_by_key(|(_, span)| *span);
    found
}
