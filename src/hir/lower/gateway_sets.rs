//! Resolves the declared sets of gateways, after all roles are read.

use super::gateway::GATEWAY;
use super::names::ItemRef;
use super::read::Fields;
use super::record::Record;
use super::scope::Scope;
use super::typed_value::TypedValue;
use crate::diag::{Change, Diagnostics, Line};
use crate::hir::codes::{CONFLICTING_FIELDS, OUT_OF_RANGE};
use crate::hir::{Gateway, Id, MAX_SETS, Role, RoleKind, RoleSet, Text};
use crate::source::Spanned;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The field with a set of roles of a gateway.
pub(super) const SET: &str = "set";

/// The sets of gateways as names of roles, by the name of the gateway.
#[derive(Default)]
pub(super) struct UnresolvedSets(BTreeMap<Arc<str>, Vec<Spanned<Vec<Text>>>>);

impl UnresolvedSets {
    /// Takes the sets of a gateway from its fields.
    pub(super) fn take(&mut self, fields: &mut Fields) {
        let blocks = fields.record.take_all::<Record>(SET);
        if !blocks.is_empty() {
            let sets = blocks.into_iter().map(|block| block.map(names)).collect();
            self.0.insert(fields.head.name.value.clone(), sets);
        }
    }
}

fn names(mut block: Record) -> Vec<Text> {
    let values = block.take_values("roles").into_iter();
    let all =
        values.flat_map(|value| if let TypedValue::List(list) = value.value { list } else { vec![value] });
    all.filter_map(Spanned::<TypedValue>::into_text).collect()
}

/// Resolves the sets of all gateways. Reports unknown roles, and those that are not behind their gateway.
pub(super) fn resolve(scope: &mut Scope, findings: &mut Diagnostics) {
    let UnresolvedSets(mut unresolved) = std::mem::take(&mut scope.sets);
    if unresolved.is_empty() {
        return;
    }
    let gateways = scope.gateways.arena.entries().map(|(id, gateway)| {
        let sets = unresolved.remove(&gateway.head.name.value).unwrap_or_default();
        let behind = Behind { scope, id, gateway };
        behind.report_too_many(&sets, findings);
        sets.into_iter().take(MAX_SETS).filter_map(|set| behind.resolve(set, findings)).collect()
    });
    let all: Vec<Vec<RoleSet>> = gateways.collect();
    for (gateway, sets) in scope.gateways.arena.iter_mut().zip(all) {
        gateway.sets = sets;
    }
}

/// A gateway with sets.
struct Behind<'s> {
    scope: &'s Scope,
    id: Id<Gateway>,
    gateway: &'s Gateway,
}

impl Behind<'_> {
    fn report_too_many(&self, sets: &[Spanned<Vec<Text>>], findings: &mut Diagnostics) {
        let Some(first) = sets.get(MAX_SETS) else { return };
        let message =
            format!("{} has {} sets, but at most {MAX_SETS} are possible", self.gateway, sets.len());
        let finding = OUT_OF_RANGE.at(first.span, "one set too many", message).about(self.gateway);
        findings.report(
            finding.help("remove some sets, or all: orchgen then computes them from the memory of the roles"),
        );
    }

    /// The roles of a set. `None` if it has a name that is not one of a role behind the gateway (already reported).
    fn resolve(&self, set: Spanned<Vec<Text>>, findings: &mut Diagnostics) -> Option<RoleSet> {
        let owner = ItemRef::new(GATEWAY, &self.gateway.head.name);
        let Spanned { value: names, span } = set;
        let mut known: BTreeSet<Id<Role>> = BTreeSet::new();
        let mut roles = Vec::with_capacity(names.len());
        // Check all names, to report each mistake.
        let mut is_complete = true;
        for name in names {
            let found = self.scope.roles.names.find(&name, &owner);
            match found.and_then(|found| self.process_of(found, findings)) {
                Some(id) if known.insert(id) => roles.push(Spanned::new(id, name.span)),
                Some(_) => {}
                None => is_complete = false,
            }
        }
        is_complete.then(|| Spanned::new(roles, span))
    }

    /// The role that runs the processes of a role. Reports one that is not behind the gateway.
    fn process_of(&self, named: Spanned<Id<Role>>, findings: &mut Diagnostics) -> Option<Id<Role>> {
        let roles = &self.scope.roles.arena;
        let id = match &roles.get(named.value).kind {
            RoleKind::Shares(shared) => shared.value,
            RoleKind::Served(_) | RoleKind::Program(_) | RoleKind::Listed(_) => named.value,
        };
        let role = roles.get(id);
        // `shares-a-sharer` reports it.
        if matches!(role.kind, RoleKind::Shares(_)) {
            return None;
        }
        let process = role.process();
        if process.is_some_and(|process| process.gateway.is_some_and(|own| own.value == self.id)) {
            return Some(id);
        }
        let (gateway, place) = (self.gateway, named.span);
        let message =
            format!("a set of {gateway} has {}, which is not behind the gateway", roles.get(named.value));
        let finding = CONFLICTING_FIELDS.at(place, "not behind the gateway", message).about(gateway);
        let finding = finding.remedy("remove `{}`", Change::RemoveValue { place });
        let Some(process) = process else {
            findings.report(finding.also(role.head.name.span, "not served"));
            return None;
        };
        let (own, label) = match process.gateway {
            Some(other) => (other.span, "another gateway"),
            None => (process.ports.span, "its own port"),
        };
        let line = Line::of(GATEWAY, &*gateway.head.name.value);
        let change = if role.head.span.contains(own) {
            Change::rewrite(own, line)
        } else {
            Change::set(role.head.span, line)
        };
        findings.report(finding.also(own, label).remedy(format!("or write `{{}}` in {role}"), change));
        None
    }
}
