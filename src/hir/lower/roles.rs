//! Reads roles. After all are read, resolves roles that share another role.

use super::defaults::Defaults;
use super::gateway::{self, GATEWAY};
use super::items::Items;
use super::merge::Merge;
use super::names::NamedItems;
use super::not_served::{self, NotServed, WITHOUT_PROCESS};
use super::program;
use super::read::{Fields, read_items};
use super::record::Record;
use super::scope::{HOT, Scope};
use super::serving::{self, report_missing};
use super::typed_value::TypedValue;
use crate::diag::{Change, Diagnostic, Diagnostics, Line, Literal, Safety, Suggestion, suggest, words};
use crate::hir::codes::UNKNOWN_NAME;
use crate::hir::{Draft, Engine, EngineOption, Head, Host, Id, Measured, Model, Role, RoleKind, Text, Tier};
use crate::source::{Span, Spanned};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A role before `shares` is resolved. If it shares another role, `kind` is an error with the name of that role.
struct UnresolvedRole {
    head: Head,
    tier: Option<Spanned<Id<Tier>>>,
    group: Option<Text>,
    measured: Option<Box<Spanned<Measured>>>,
    purpose: Option<Text>,
    note: Option<Text>,
    requests: Box<[EngineOption]>,
    kind: Result<RoleKind, Text>,
}

/// All roles, and what is known about those that could not be read.
pub(super) struct ReadRoles {
    /// The readable roles.
    pub(super) named: NamedItems<Role>,
    /// The residencies of roles that could not be read. `None` for a role whose residency is not readable either.
    pub(super) residencies_of_unread: Vec<Option<Arc<str>>>,
}

/// Reads all roles.
pub(super) fn read(
    items: &mut Items,
    (scope, defaults, merge): (&Scope, &Defaults, &Merge),
    findings: &mut Diagnostics,
) -> ReadRoles {
    let (mut roles, mut residencies) = (Vec::new(), Vec::new());
    let read = |fields: &mut Fields| {
        let of = |record: &Record| record.peek_text("residency").map(|name| name.value);
        let is_reported = fields.record.is_reported("residency");
        residencies.push((of(fields.record).or_else(|| of(&defaults.record)), is_reported));
        role(fields, (defaults, merge))
    };
    read_items(("role", items, scope), findings, read, |name, role| roles.push((name, role)));
    let unread = roles.iter().zip(residencies).filter(|((_, role), _)| role.is_none());
    let residencies_of_unread = unread.filter_map(|(_, (name, is_reported))| match name {
        Some(name) => Some(Some(name)),
        None => is_reported.then_some(None),
    });
    let residencies_of_unread = residencies_of_unread.collect();
    report_unknown_shares(&mut roles, (items.words_outside_items(), scope), findings);
    let named = resolve_shares(roles, items.words_outside_items());
    ReadRoles { named, residencies_of_unread }
}

fn role(fields: &mut Fields, (defaults, merge): (&Defaults, &Merge)) -> Option<UnresolvedRole> {
    let owner = fields.owner();
    let record = &mut *fields.record;
    defaults.mark_command(record);
    program::report_without_effect(record, fields.head, fields.findings);
    let has_command = record.has_or_reported(program::COMMAND);
    let shares = match record.text("shares") {
        None if !record.has_or_reported("model") && !has_command => defaults.shares.clone(),
        own => own,
    };
    let (all_defaults, defaults) = (defaults, &defaults.record);
    let address = RoleAddress::of(record, defaults);
    let is_implied = fields.scope.residencies.names.implied().is_some();
    if shares.is_none() && is_implied && (address.has_any || has_command) {
        let has_residency = record.has_or_reported("residency") || defaults.has_or_reported("residency");
        if !has_residency {
            record.add("residency", Spanned::new(TypedValue::Text(HOT.into()), fields.head.name.span));
        }
    }
    let is_served = record.has_or_reported("residency") || defaults.has_or_reported("residency");
    if shares.is_some() || !(is_served || has_command) {
        let how = shares.as_ref().map_or(NotServed::Listed { is_implied }, NotServed::Shares);
        let place = (fields.head, fields.scope, &mut *fields.findings);
        not_served::report((record, all_defaults), how, place);
    }
    let unsets_gateway = record.has_text("unset", GATEWAY);
    let is_wanted = |field: &str| match field {
        field if gateway::OWN_ADDRESS.contains(&field) && address.is_routed => false,
        "port" | "ports" => !address.has_ports,
        // Its own port wins, but `unset` may make this clear.
        GATEWAY if address.has_ports && !unsets_gateway => false,
        "model" => shares.is_none() && !has_command,
        field if shares.is_some() => WITHOUT_PROCESS.contains(&field),
        field if has_command => program::is_of_command(field),
        field => program::is_of_engine(field),
    };
    merge.fill(record, is_wanted, &owner, fields.findings);
    if !record.has_or_reported("tier") && !fields.scope.tiers.names.is_none_declared() {
        let what = "the heading under which the documents list the role";
        let line = Line::new("tier").value(Literal::NameOf("tier"));
        report_missing((line, record), what, fields.head, fields.findings);
    }
    let requests = if shares.is_some() { serving::options(fields.record) } else { Vec::new() };
    let (tier, measured) = (fields.get("tier"), fields.get("measured"));
    let kind = match shares {
        Some(name) => Some(Err(name)),
        None => read_kind(fields, all_defaults).map(Ok),
    };
    Some(UnresolvedRole {
        head: fields.head.clone(),
        tier: tier?,
        group: fields.get("group")?,
        measured: Option::map(measured?, Box::new),
        purpose: fields.get("purpose")?,
        note: fields.get("note")?,
        requests: requests.into(),
        kind: kind?,
    })
}

/// The address of a role, as far as its fields and the defaults show it.
#[derive(Clone, Copy)]
struct RoleAddress {
    /// True if the role has its own ports.
    has_ports: bool,
    /// True if the role or the defaults have ports or a gateway.
    has_any: bool,
    /// True if the role is behind a gateway. Its own port wins over a gateway of the defaults.
    is_routed: bool,
}

impl RoleAddress {
    fn of(record: &Record, defaults: &Record) -> Self {
        let has = |record: &Record, field| record.has_or_reported(field);
        let ports = |record| has(record, "port") || has(record, "ports");
        let has_ports = ports(record);
        let is_unset = record.has_text("unset", GATEWAY);
        let takes_default = has(defaults, GATEWAY) && !has_ports && !is_unset;
        let is_routed = has(record, GATEWAY) || takes_default;
        Self { has_ports, has_any: has_ports || ports(defaults) || is_routed, is_routed }
    }
}

fn read_kind(fields: &mut Fields, defaults: &Defaults) -> Option<RoleKind> {
    let record = &mut *fields.record;
    if record.has_or_reported(program::COMMAND) {
        return read_program(fields, defaults);
    }
    if !record.has_or_reported("model") && !record.is_reported("shares") {
        let what = "the model to serve; or add `shares` with the role whose processes to use";
        let line = Line::new("model").value(Literal::NameOf("model"));
        report_missing((line, record), what, fields.head, fields.findings);
        fields.scope.models.names.mark_maybe_used(None);
        // Such a role may also be meant to share another one, which needs no port.
        if [GATEWAY, "port", "ports"].iter().all(|field| record.place(field).is_none()) {
            return None;
        }
    }
    if !record.has_or_reported("model") && record.is_reported("shares") {
        return None;
    }
    if record.place("residency").is_none() {
        let is_reported = record.is_reported("residency");
        return fields.get("model").filter(|_| !is_reported).map(RoleKind::Listed);
    }
    match fields.get("residency") {
        Some(residency) => {
            serving::read(fields, residency, defaults).map(|serving| RoleKind::Served(Arc::new(serving)))
        }
        None => {
            // Also check the other names: an unknown name is a separate mistake, and the known ones are used.
            fields.get::<Spanned<Id<Model>>>("model");
            fields.get::<Spanned<Id<Engine>>>("engine");
            fields.get::<Spanned<Id<Host>>>("host");
            fields.get::<Option<Spanned<Draft>>>("draft");
            None
        }
    }
}

fn read_program(fields: &mut Fields, defaults: &Defaults) -> Option<RoleKind> {
    if !fields.record.has_or_reported("residency") {
        let what = "when the program starts";
        let line = Line::new("residency").value(Literal::NameOf("residency"));
        report_missing((line, fields.record), what, fields.head, fields.findings);
    }
    let residency = fields.get("residency")?;
    program::read(fields, residency, defaults).map(|program| RoleKind::Program(Arc::new(program)))
}

/// Reports roles that share an unknown role. Removes them and, silently, the roles that share them.
fn report_unknown_shares(
    roles: &mut [(Text, Option<UnresolvedRole>)],
    (words_outside_items, scope): (&BTreeSet<Arc<str>>, &Scope),
    findings: &mut Diagnostics,
) {
    let declared: BTreeMap<Arc<str>, usize> =
        roles.iter().zip(0..).map(|((name, _), n)| (name.value.clone(), n)).collect();
    let mut targets: Vec<Option<usize>> = Vec::with_capacity(roles.len());
    let mut reported: BTreeSet<Span> = BTreeSet::new();
    for (_, role) in &mut *roles {
        let Some(UnresolvedRole { head, kind: Err(shares), .. }) = role else {
            targets.push(None);
            continue;
        };
        let target = declared.get(&shares.value).copied();
        if target.is_none() {
            // Report `shares` of `defaults` once, not for every role.
            if !words_outside_items.contains(&shares.value) && reported.insert(shares.span) {
                let others = declared.keys().map(AsRef::as_ref).filter(|name| *name != &*head.name.value);
                let near = suggest(shares, others);
                findings.report(unknown_shares(head, shares, (near, scope)));
            }
            *role = None;
        }
        targets.push(target);
    }
    drop_dependents(roles, &targets);
}

/// The finding for a role that shares an unknown role. A model of this name is what the user means.
fn unknown_shares(head: &Head, shares: &Text, (near, scope): (Option<Suggestion>, &Scope)) -> Diagnostic {
    let quoted = words::quoted(shares);
    let message = format!("role {} shares the unknown role {quoted}", words::quoted(&head.name));
    let at = |label: &str| UNKNOWN_NAME.at(shares.span, label, &message).about(("role", &*head.name.value));
    if scope.models.names.resolve(shares).is_some() {
        let line = Line::of("model", &*shares.value);
        return at("a model, not a role").remedy("write `{}`", Change::rewrite(shares.span, line));
    }
    let Some(near) = near else {
        scope.models.names.mark_maybe_used(None);
        return at("no role has this name").help("write the name of a served role");
    };
    let change = Change::Word { span: shares.span, replacement: near.name.to_owned() };
    at(&format!("did you mean `{}`?", near.name)).remedy_as(
        near.safety().unwrap_or(Safety::Manual),
        "write `{}`",
        change,
    )
}

/// Removes the roles that share a removed role, directly or through other roles.
fn drop_dependents(roles: &mut [(Text, Option<UnresolvedRole>)], targets: &[Option<usize>]) {
    let mut dependents: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (n, target) in targets.iter().enumerate() {
        if let Some(target) = target {
            dependents.entry(*target).or_default().push(n);
        }
    }
    let mut removed: Vec<usize> =
        roles.iter().zip(0..).filter(|((_, role), _)| role.is_none()).map(|(_, n)| n).collect();
    while let Some(target) = removed.pop() {
        for dependent in dependents.remove(&target).unwrap_or_default() {
            if let Some((_, role @ Some(_))) = roles.get_mut(dependent) {
                *role = None;
                removed.push(dependent);
            }
        }
    }
}

/// Assigns an id to every role, and resolves `shares` to the id of the shared role.
fn resolve_shares(
    roles: Vec<(Text, Option<UnresolvedRole>)>,
    words_outside_items: &Arc<BTreeSet<Arc<str>>>,
) -> NamedItems<Role> {
    let mut named = NamedItems::new("role", words_outside_items);
    let readable = roles.iter().filter(|(_, role)| role.is_some());
    let names = readable.clone().map(|(name, _)| name.value.clone());
    let ids: BTreeMap<Arc<str>, Id<Role>> = names.zip(named.arena.next_ids(readable.count())).collect();
    named.arena.reserve(ids.len());
    for (name, role) in roles {
        let role = role.and_then(|role| {
            let kind = match role.kind {
                Ok(kind) => kind,
                Err(shares) => RoleKind::Shares(Spanned::new(*ids.get(&shares.value)?, shares.span)),
            };
            let UnresolvedRole { head, tier, group, measured, purpose, note, requests, .. } = role;
            Some(Role { head, tier, group, measured, purpose, note, requests, kind })
        });
        named.add(&name, role);
    }
    named
}
