//! Resolves the peers of gateways, after all roles are read: the name of a gateway, or else of a role.

use super::gateway::GATEWAY;
use super::names::ItemRef;
use super::read::Fields;
use super::scope::Scope;
use super::typed_value::TypedValue;
use crate::diag::{Change, Diagnostic, Diagnostics, Safety, suggest, words};
use crate::hir::codes::UNKNOWN_NAME;
use crate::hir::{Arena, Peer, Role, Service, Text};
use crate::source::Spanned;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The field with the name of a peer.
pub(super) const PEER: &str = "peer";

/// The names of the peers of gateways, by the name of the gateway.
#[derive(Default)]
pub(super) struct UnresolvedPeers(BTreeMap<Arc<str>, Vec<Text>>);

impl UnresolvedPeers {
    /// Takes the peers of a gateway from its fields.
    pub(super) fn take(&mut self, fields: &mut Fields) {
        if fields.record.peek(PEER).is_some() {
            let values = fields.record.take_values(PEER).into_iter();
            let all = values
                .flat_map(|value| if let TypedValue::List(list) = value.value { list } else { vec![value] });
            let names = all.filter_map(Spanned::<TypedValue>::into_text).collect();
            self.0.insert(fields.head.name.value.clone(), names);
        }
    }
}

/// Resolves the peers of all gateways. Reports unknown names.
pub(super) fn resolve(scope: &mut Scope, services: &Arena<Service>, findings: &mut Diagnostics) {
    let UnresolvedPeers(mut unresolved) = std::mem::take(&mut scope.peers);
    let gateways = scope.gateways.arena.iter().map(|gateway| {
        let names = unresolved.remove(&gateway.head.name.value).unwrap_or_default();
        let owner = ItemRef::new(GATEWAY, &gateway.head.name);
        names.iter().filter_map(|name| find((scope, services), name, &owner, findings)).collect()
    });
    let all: Vec<Vec<Spanned<Peer>>> = gateways.collect();
    for (gateway, peers) in scope.gateways.arena.iter_mut().zip(all) {
        gateway.peers = peers;
    }
}

/// The gateway or the role of a name. Reports an unknown name, with a similar one of another gateway or of a role.
fn find(
    (scope, services): (&Scope, &Arena<Service>),
    name: &Text,
    owner: &ItemRef,
    findings: &mut Diagnostics,
) -> Option<Spanned<Peer>> {
    let (gateways, roles) = (&scope.gateways.names, &scope.roles.names);
    let peer = match (gateways.resolve(name), roles.resolve(name)) {
        (Some(Some(gateway)), _) => Peer::Gateway(gateway),
        (_, Some(Some(role))) => Peer::Role(role),
        (Some(None), _) | (_, Some(None)) => return None,
        (None, None) => {
            owner.report(unknown((scope, services), name, owner), findings);
            return None;
        }
    };
    Some(Spanned::new(peer, name.span))
}

/// The finding about a name that neither a gateway nor a role has.
fn unknown((scope, services): (&Scope, &Arena<Service>), name: &Text, owner: &ItemRef) -> Diagnostic {
    let (gateways, roles) = (&scope.gateways.names, &scope.roles.names);
    let quoted = words::quoted(name);
    let of_host = scope.hosts.names.resolve(name).flatten();
    let is_service = services.iter().any(|service| service.head.name.value == name.value);
    let message = |what: &str| format!("{} has the `peer` {quoted}, {what}", owner.describe());
    if let Some(host) = of_host {
        let on_host = |role: &&Role| role.process().is_some_and(|process| process.host.value == host);
        let names: Vec<String> =
            scope.roles.arena.iter().filter(on_host).map(|role| words::quoted(&role.head.name)).collect();
        let finding = UNKNOWN_NAME.at(name.span, "the name of a host", message("which is a host"));
        return finding.help(match &*names {
            [] => format!("name a gateway or a role: host {quoted} has no roles"),
            _ => format!("name a gateway or a role of this host: {}", words::any_of(&names)),
        });
    }
    if is_service {
        let finding = UNKNOWN_NAME.at(name.span, "the name of a service", message("which is a service"));
        return finding.help("name a gateway or a role: the gateway knows no model names of a service");
    }
    let others = gateways.all().filter(|other| *other != owner.name);
    let near = suggest(name, others.chain(roles.all()));
    gateways.mark_maybe_used(near.map(|near| near.name));
    roles.mark_maybe_used(near.map(|near| near.name));
    let label = "no gateway or role has this name";
    let finding = UNKNOWN_NAME.at_unknown(name.span, (near, label), message("which is not declared"));
    match near {
        Some(near) => {
            let change = Change::Word { span: name.span, replacement: near.name.to_owned() };
            finding.remedy_as(near.safety().unwrap_or(Safety::Manual), "write `{}`", change)
        }
        None => finding.help("name a gateway or a role with its own `port`"),
    }
}
