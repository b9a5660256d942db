//! Resolves the peers of gateways, after all roles are read: the name of a gateway, or else of a role.

use super::gateway::GATEWAY;
use super::names::ItemRef;
use super::read::Fields;
use super::scope::Scope;
use super::typed_value::TypedValue;
use crate::diag::suggest;
use crate::hir::{Peer, Text};
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
pub(super) fn resolve(scope: &mut Scope) {
    let UnresolvedPeers(mut unresolved) = std::mem::take(&mut scope.peers);
    let gateways = scope.gateways.arena.iter().map(|gateway| {
        let names = unresolved.remove(&gateway.head.name.value).unwrap_or_default();
        let owner = ItemRef::new(GATEWAY, &gateway.head.name);
        names.iter().filter_map(|name| find(scope, name, &owner)).collect()
    });
    let all: Vec<Vec<Spanned<Peer>>> = gateways.collect();
    for (gateway, peers) in scope.gateways.arena.iter_mut().zip(all) {
        gateway.peers = peers;
    }
}

/// The gateway or the role of a name. Records an unknown name with the items among which it has a similar one.
fn find(scope: &Scope, name: &Text, owner: &ItemRef) -> Option<Spanned<Peer>> {
    let (gateways, roles) = (&scope.gateways.names, &scope.roles.names);
    let peer = match (gateways.resolve(name), roles.resolve(name)) {
        (Some(Some(gateway)), _) => Peer::Gateway(gateway),
        (_, Some(Some(role))) => Peer::Role(role),
        (Some(None), _) | (_, Some(None)) => return None,
        (None, None) if suggest(name, gateways.all()).is_none() && suggest(name, roles.all()).is_some() => {
            return roles.find(name, owner).map(|role| role.map(Peer::Role));
        }
        (None, None) => return gateways.find(name, owner).map(|gateway| gateway.map(Peer::Gateway)),
    };
    Some(Spanned::new(peer, name.span))
}
