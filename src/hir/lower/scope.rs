//! The items that have been read, for the items that refer to them; and the stack.

use super::gateway_peers::UnresolvedPeers;
use super::gateway_sets::UnresolvedSets;
use super::items::Items;
use super::names::NamedItems;
use super::read::{Fields, FromFields, read_all};
use super::record::Record;
use super::serving::report_missing;
use super::typed_value::TypedValue;
use super::{engine, gateway};
use crate::diag::{Diagnostics, Line, Literal};
use crate::hir::{
    Engine, Family, Gateway, Head, Host, Model, Residency, Role, Seconds, Stack, Start, Store, Tier,
    UnitScope,
};
use crate::source::{Span, Spanned};

/// The residency of a served role without `residency`, if none is declared. It starts at boot.
pub(super) const HOT: &str = "hot";

/// The residency that starts on demand, if none is declared.
pub(super) const WARM: &str = "warm";

/// The items of the kinds that other items refer to. A kind that is not read yet is empty.
pub(super) struct Scope {
    pub(super) stack: Stack,
    pub(super) engines: NamedItems<Engine>,
    pub(super) hosts: NamedItems<Host>,
    pub(super) stores: NamedItems<Store>,
    pub(super) tiers: NamedItems<Tier>,
    pub(super) residencies: NamedItems<Residency>,
    pub(super) gateways: NamedItems<Gateway>,
    /// The sets of the gateways, until the roles are read.
    pub(super) sets: UnresolvedSets,
    /// The peers of the gateways, until the roles are read.
    pub(super) peers: UnresolvedPeers,
    pub(super) families: NamedItems<Family>,
    pub(super) models: NamedItems<Model>,
    pub(super) roles: NamedItems<Role>,
}

/// A kind of items that other items refer to by name.
pub(super) trait Resolvable: Sized {
    /// The items of this kind.
    fn items(scope: &Scope) -> &NamedItems<Self>;
}

macro_rules! impl_resolvable {
    ($($kind:ident: $items:ident),+ $(,)?) => {
        $(impl Resolvable for $kind {
            fn items(scope: &Scope) -> &NamedItems<Self> {
                &scope.$items
            }
        })+
    };
}

impl_resolvable! {
    Engine: engines, Host: hosts, Store: stores, Tier: tiers, Residency: residencies, Gateway: gateways,
    Family: families, Model: models, Role: roles,
}

impl Scope {
    /// Reports the names that are not declared, each once.
    pub(super) fn report_unknown_names(&self, findings: &mut Diagnostics) {
        self.engines.report_unknown(|engine| vec![("profile", &*engine.profile.value)], findings);
        self.hosts.report_unknown(|_| Vec::new(), findings);
        self.stores.report_unknown(|store| vec![("path", &*store.path.value)], findings);
        self.tiers.report_unknown(|tier| vec![("title", &*tier.title.value)], findings);
        self.residencies.report_unknown(|residency| vec![("title", &*residency.title.value)], findings);
        self.gateways.report_unknown(|_| Vec::new(), findings);
        self.families.report_unknown(|family| vec![("architecture", &*family.arch.value)], findings);
        self.models.report_unknown(texts_of_model, findings);
        self.roles.report_unknown(|_| Vec::new(), findings);
    }

    /// The name of an item of a kind.
    pub(super) fn any_name(&self, kind: &str) -> Option<String> {
        let name = match kind {
            "engine" => self.engines.names.any(),
            "host" => self.hosts.names.any(),
            "store" => self.stores.names.any(),
            "tier" => self.tiers.names.any(),
            "residency" => self.residencies.names.any(),
            "gateway" => self.gateways.names.any(),
            "family" => self.families.names.any(),
            "model" => self.models.names.any(),
            _ => self.roles.names.any(),
        };
        name.map(ToOwned::to_owned)
    }

    /// Reads the stack, and the kinds that refer only to kinds before them. Also returns the `defaults` of the stack.
    pub(super) fn read(items: &mut Items, findings: &mut Diagnostics) -> (Self, Record) {
        let words = items.words_outside_items();
        let mut scope = Self {
            stack: placeholder_stack(items.start),
            engines: NamedItems::new("engine", words),
            hosts: NamedItems::new("host", words),
            stores: NamedItems::new("store", words),
            tiers: NamedItems::new("tier", words),
            residencies: NamedItems::new("residency", words),
            gateways: NamedItems::new("gateway", words),
            sets: UnresolvedSets::default(),
            peers: UnresolvedPeers::default(),
            families: NamedItems::new("family", words),
            models: NamedItems::new("model", words),
            roles: NamedItems::new("role", words),
        };
        scope.engines = read_all("engine", items, &scope, findings, engine::read);
        scope.hosts = read_all("host", items, &scope, findings, Host::from_fields);
        scope.stores = read_all("store", items, &scope, findings, Store::from_fields);
        scope.tiers = read_all("tier", items, &scope, findings, titled::<Tier>);
        scope.residencies = read_all("residency", items, &scope, findings, titled::<Residency>);
        scope.imply_items(items);
        scope.families = read_all("family", items, &scope, findings, Family::from_fields);
        let defaults = match items.take("stack").pop() {
            Some(mut item) => {
                let (head, record) = (item.head(), &mut item.record);
                let fields = &mut Fields { head: &head, record, scope: &scope, findings };
                if !items.serve_only_programs() {
                    imply_engine(fields);
                }
                let stack = stack(fields);
                scope.stack = stack.unwrap_or(scope.stack);
                read_defaults(&mut item.record)
            }
            // A stack that could not be parsed may have `defaults`.
            None if items.words_outside_items().contains("stack") => Record::unread(),
            None => Record::default(),
        };
        let (mut sets, mut peers) = (UnresolvedSets::default(), UnresolvedPeers::default());
        let read = |fields: &mut Fields| gateway::read(fields, (&mut sets, &mut peers));
        scope.gateways = read_all("gateway", items, &scope, findings, read);
        (scope.sets, scope.peers) = (sets, peers);
        (scope, defaults)
    }
}

/// The time after which a role of the implied residency `warm` is unloaded.
const USUAL_IDLE: Seconds = Seconds(15 * 60);

impl Scope {
    /// Adds what a registry need not declare: a host of which nothing is known, and the residencies `hot` and `warm`.
    fn imply_items(&mut self, items: &Items) {
        let head = |kind, name: &str| Head {
            kind,
            name: Spanned::new(name.into(), items.start),
            span: items.start,
            allow: Vec::new(),
        };
        if self.hosts.names.is_none_declared() {
            self.hosts.imply(Host::IMPLIED, Host::unknown(head("host", Host::IMPLIED)));
        }
        if self.residencies.names.is_none_declared() {
            let residency = |name, title: &str, start, idle| Residency {
                head: head("residency", name),
                title: Spanned::new(title.into(), items.start),
                budget: None,
                start: Spanned::new(start, items.start),
                idle,
                at_once: None,
            };
            let idle = Spanned::new(USUAL_IDLE, items.start);
            let warm = residency(WARM, "loaded on demand", Start::OnDemand, Some(idle));
            self.residencies.imply(HOT, residency(HOT, "always in memory", Start::Boot, None));
            self.residencies.imply(WARM, warm);
        }
    }
}

/// The texts that users write instead of the name of a model.
fn texts_of_model(model: &Model) -> Vec<(&'static str, &str)> {
    let file = &*model.file.value;
    let name = file.rsplit('/').next().unwrap_or(file);
    let stem = name.strip_suffix(".gguf").unwrap_or(name);
    let repo = model.repo.as_ref().map(|repo| ("repository", &*repo.value.name.value));
    let label = model.label.as_ref().map(|label| ("label", &*label.value));
    let own = [("title", &*model.title.value), ("file", file), ("file", name), ("file", stem)];
    own.into_iter().chain(repo).chain(label).collect()
}

/// Reads an item whose title is its name by default.
fn titled<T: FromFields>(fields: &mut Fields) -> Option<T> {
    imply_title(fields);
    T::from_fields(fields)
}

/// Adds the title of an item that has none: its name.
pub(super) fn imply_title(fields: &mut Fields) {
    if !fields.record.has_or_reported("title") {
        fields.record.add("title", fields.head.name.clone().map(TypedValue::Text));
    }
}

/// Adds the only engine to a stack that names none. Reports a stack that must name one.
fn imply_engine(fields: &mut Fields) {
    if fields.record.has_or_reported("engine") {
        return;
    }
    if let Some(engine) = fields.scope.engines.names.only() {
        let engine = TypedValue::Text(engine.into());
        fields.record.add("engine", Spanned::new(engine, fields.head.name.span));
    } else {
        let line = (Line::new("engine").value(Literal::NameOf("engine")), &*fields.record);
        report_missing(line, "the default engine of roles", fields.head, fields.findings);
    }
}

/// Reads the stack. Only its engine can be unknown, so there is always a value.
fn stack(fields: &mut Fields) -> Option<Stack> {
    let has_unread_targets = fields.record.is_reported("targets");
    Some(Stack {
        has_unread_targets,
        head: fields.head.clone(),
        verified: fields.get("verified")?,
        engine: fields.get("engine")?,
        title: fields.get("title")?,
        targets: fields.get("targets")?,
        hardening: fields.get("hardening")?,
        scope: fields.get("scope")?,
        has_defaults: fields.record.place("defaults").is_some(),
    })
}

fn read_defaults(record: &mut Record) -> Record {
    match record.take::<Record>("defaults") {
        Some(block) => block.value,
        None if record.is_reported("defaults") => Record::unread(),
        None => Record::default(),
    }
}

/// A placeholder for a stack that could not be read, so that everything else is still checked. It is never planned.
fn placeholder_stack(at: Span) -> Stack {
    Stack {
        head: Head { kind: "stack", name: Spanned::new("".into(), at), span: at, allow: Vec::new() },
        verified: None,
        engine: None,
        title: None,
        targets: Vec::new(),
        has_unread_targets: true,
        hardening: None,
        scope: UnitScope::System,
        has_defaults: false,
    }
}
