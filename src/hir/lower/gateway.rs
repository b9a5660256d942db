//! Reads gateways, and how a role is behind one.

use super::gateway_peers::{PEER, UnresolvedPeers};
use super::gateway_sets::{SET, UnresolvedSets};
use super::read::Fields;
use super::record::Record;
use super::rules::imply_host;
use super::serving;
use crate::diag::{Change, Line};
use crate::hir::codes::CONFLICTING_FIELDS;
use crate::hir::{Gateway, GatewayKind, Host, Id, NumaPolicy, Placement, PortRange, Text};
use crate::source::{Span, Spanned};

/// The field of a role that names its gateway.
pub(super) const GATEWAY: &str = "gateway";

/// The fields of a role about its own address, which a role behind a gateway does not have.
pub(super) const OWN_ADDRESS: [&str; 4] = ["port", "ports", "listen", "backend"];

/// Reads a gateway. `None` if a required part could not be read. Its sets and peers follow when the roles are
/// read.
pub(super) fn read(
    fields: &mut Fields,
    (sets, peers): (&mut UnresolvedSets, &mut UnresolvedPeers),
) -> Option<Gateway> {
    let (owner, scope) = (fields.owner(), fields.scope);
    imply_host(fields.record, &scope.hosts.names, fields.head, fields.findings);
    let host = fields.get::<Spanned<Id<Host>>>("host");
    // With a wrong kind, findings about the kind by default would be wrong too.
    let is_reported = fields.record.is_reported("kind");
    let kind = (!is_reported).then(|| fields.get::<GatewayKind>("kind")).flatten();
    if let Some(kind) = kind {
        report_other_kind(kind, fields);
    }
    sets.take(fields);
    peers.take(fields);
    let engine = match (fields.record.place("engine"), kind) {
        (Some(_), _) => fields.get("engine"),
        (None, Some(GatewayKind::LlamaSwap)) => Some(None),
        (None, _) => Some(scope.stack.engine),
    };
    let mut placement =
        fields.record.take::<Record>("placement").map(|block| block.value).unwrap_or_default();
    let known = host.map(|host| scope.hosts.arena.get(host.value));
    let cpus = placement.text("cpus").and_then(|name| serving::cpus(&name, known?, &owner, fields.findings));
    let numa: Option<Spanned<NumaPolicy>> = placement.take("numa");
    serving::check_distribute(numa.as_ref(), cpus.as_ref(), &owner, fields.findings);
    if let Some(numa) = numa.as_ref().filter(|numa| numa.value == NumaPolicy::Spread) {
        let message = format!("{} has `numa` `spread`, but it is only one unit", owner.describe());
        let finding = CONFLICTING_FIELDS.at(numa.span, "for the instances of a role", message);
        let change = Change::rewrite(numa.span, Line::of("numa", "bind 0"));
        owner.report(finding.remedy("write `{}`, or another node", change), fields.findings);
    }
    Some(Gateway {
        head: fields.head.clone(),
        kind: kind?,
        port: fields.get("port")?,
        listen: fields.get("listen")?,
        key_file: fields.get("key-file")?,
        engine: engine?,
        bin: fields.get("bin")?,
        backend: fields.get("backend")?,
        sets: Vec::new(),
        peers: Vec::new(),
        host: host?,
        hardening: fields.get("hardening")?,
        numa,
        cpus: cpus.map(Box::new),
        metrics: fields.get("metrics")?,
    })
}

/// The program of llama-swap in helps.
const LLAMA_SWAP: &str = "/usr/local/bin/llama-swap";

/// The setting of a router instead of sets.
const AT_ONCE: &str = "`at-once` of a residency is the number of its roles that may run at the same time";

/// Reports the fields that have an effect only on gateways of another kind, and a missing program.
fn report_other_kind(kind: GatewayKind, fields: &mut Fields) {
    let owner = fields.owner();
    let of_engine = "its program is that of an engine";
    let (others, other) = match kind {
        GatewayKind::Router => (
            &[
                ("bin", of_engine),
                ("backend", of_engine),
                (SET, "a router has one limit for all its models"),
                (PEER, "a router reaches only its own roles"),
            ][..],
            GatewayKind::LlamaSwap,
        ),
        GatewayKind::LlamaSwap => {
            (&[("engine", "each of its roles has its own engine")][..], GatewayKind::Router)
        }
    };
    for (name, why) in others {
        let all = fields.record.places().filter(|(field, _)| field == name);
        let places: Vec<Span> = all.map(|(_, place)| place).collect();
        let Some(place) = places.first().copied() else { continue };
        let (word, other) = (kind.word(), other.word());
        let message = format!("{} has `{name}`, but its `kind` is `{word}`: {why}", owner.describe());
        let finding = CONFLICTING_FIELDS.at(place, format!("for the kind `{other}`"), message);
        let finding = match (*name, places.len()) {
            (SET, 1) => finding.remedy(format!("remove `{{}}`: {AT_ONCE}"), Change::remove(place)),
            (SET, _) => finding.help(format!("remove all sets: {AT_ONCE}")),
            (PEER, 2..) => finding.help("remove all peers"),
            _ => finding.remedy("remove `{}`", Change::remove(place)),
        };
        let change = Change::set(fields.head.span, Line::of("kind", other));
        let is_complete = kind == GatewayKind::LlamaSwap || fields.record.has_or_reported("bin");
        let change = if is_complete {
            change
        } else {
            Change::All(vec![change, Change::set(fields.head.span, Line::of("bin", LLAMA_SWAP))])
        };
        owner.report(finding.remedy("or write `{}`", change), fields.findings);
        fields.record.discard(name);
    }
    if kind == GatewayKind::LlamaSwap && !fields.record.has_or_reported("bin") {
        let line = Line::of("bin", LLAMA_SWAP);
        serving::report_missing((line, fields.record), "the program", fields.head, fields.findings);
    }
}

/// The address of a role: its own, or that of its gateway.
pub(super) struct Address {
    pub(super) gateway: Option<Spanned<Id<Gateway>>>,
    pub(super) ports: Spanned<PortRange>,
    pub(super) listen: Vec<Text>,
    pub(super) backend: Option<Spanned<u16>>,
}

/// Reads the address of a role behind a gateway. Reports fields about its own address.
pub(super) fn address(place: Span, fields: &mut Fields) -> Option<Address> {
    for own in OWN_ADDRESS {
        let Some(other) = fields.record.place(own) else { continue };
        let owner = fields.owner();
        let message = format!("{} has both `gateway` and `{own}`", owner.describe());
        let finding = CONFLICTING_FIELDS.at(other, "its gateway has the address", message);
        let finding = finding.also(place, "the gateway");
        let finding = finding.remedy("remove `{}`", Change::remove(other));
        let finding = if matches!(own, "port" | "ports") {
            finding.remedy("or remove `{}` for its own address", Change::remove(place))
        } else if own == "listen" {
            finding.help("write `listen` in the gateway, if other machines use it")
        } else {
            finding
        };
        owner.report(finding, fields.findings);
        fields.record.discard(own);
    }
    let id = fields.get::<Spanned<Id<Gateway>>>(GATEWAY)?;
    let gateway = fields.scope.gateways.arena.get(id.value);
    Some(Address {
        gateway: Some(id),
        ports: Spanned::new(PortRange::single(gateway.port.value), id.span),
        listen: gateway.listen.clone(),
        backend: None,
    })
}

/// True if the key file of a gateway replaces that of `defaults` for its roles: llama-swap passes the key of a client on to the
/// model. A router asks for the key itself.
pub(super) fn replaces_key(gateway: &Gateway) -> bool {
    gateway.kind == GatewayKind::LlamaSwap && gateway.key_file.is_some()
}

/// Adds the placement of its gateway to that of a role. `gateway-cannot` reports another one.
pub(super) fn inherit_placement(gateway: &Gateway, placement: &mut Placement) {
    if placement.numa.is_none() && placement.cpus.is_none() {
        placement.numa.clone_from(&gateway.numa);
        placement.cpus.clone_from(&gateway.cpus);
    }
}
