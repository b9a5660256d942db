//! A role on a host that does not have the store of its model.

use super::owner;
use crate::derive::Derived;
use crate::diag::{Change, Diagnostic, Diagnostics, Line, words};
use crate::hir::{Head, Host, Id, Model, Registry, Role, Serving, Store};
use crate::source::{Span, Spanned};
use std::collections::BTreeSet;

declare_code! {
    /// ## What it finds
    /// A role on a host that does not mount the store of its model, or of its draft.
    ///
    /// ## Why
    /// A store without `mount` is on all hosts, at its `path`. As soon as a store has a `mount`, only the hosts that are named
    /// have it. On another host the file does not exist, so the server would exit at the start.
    ///
    /// ## Example
    /// ```yaml
    /// hosts:
    ///   far: {memory: 64 GB}
    /// stores:
    ///   disk: {path: /srv/disk, mount: box}
    /// models:
    ///   moved: {family: qwen2, title: Moved-7B, quant: Q4_K_M, size: 4.4 GB, store: disk, file: moved.gguf}
    /// roles:
    ///   extra: {tier: A, residency: hot, model: moved, port: 9000, context: 4096, host: far}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// hosts:
    ///   far: {memory: 64 GB}
    /// stores:
    ///   disk: {path: /srv/disk, mount: [{host: box}, {host: far, path: /mnt/models}]}
    /// models:
    ///   moved: {family: qwen2, title: Moved-7B, quant: Q4_K_M, size: 4.4 GB, store: disk, file: moved.gguf}
    /// roles:
    ///   extra: {tier: A, residency: hot, model: moved, port: 9000, context: 4096, host: far}
    /// ```
    pub(super) static UNMOUNTED_STORE = 507, "unmounted-store", Error;
}

/// A model that a role reads from a store which its host does not have.
struct Unmounted<'r> {
    registry: &'r Registry,
    role: &'r Role,
    serving: &'r Serving,
    model: &'r Model,
    store: &'r Store,
    /// The place of the name of the model.
    place: Span,
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for (role, serving) in registry.served() {
        let draft = serving.draft_model().map(|(_, draft)| ("draft", draft));
        for (what, id) in std::iter::once(("model", serving.model)).chain(draft) {
            if let Some(unmounted) = Unmounted::of((registry, role, serving), id) {
                findings.report(unmounted.finding(what));
            }
        }
    }
}

impl<'r> Unmounted<'r> {
    fn of(
        (registry, role, serving): (&'r Registry, &'r Role, &'r Serving),
        id: Spanned<Id<Model>>,
    ) -> Option<Self> {
        let (model, host) = (registry.models.get(id.value), serving.host.value);
        let is_target = id.value == serving.model.value;
        let projector = model.projector.as_ref().filter(|_| is_target).map(|one| &one.file);
        let is_here = |file: &str| registry.is_file_on(model, file, host);
        let files = std::iter::once(&model.file).chain(projector);
        let store = registry.stores.get(model.store?.value);
        let is_missing = files.into_iter().any(|file| !is_here(file));
        is_missing.then_some(Self { registry, role, serving, model, store, place: id.span })
    }

    fn finding(&self, what: &str) -> Diagnostic {
        let (host, store) = (&self.host().head, &self.store.head);
        let owner = owner(self.registry, self.role, self.place);
        let message =
            format!("the {what} of {} is {}, whose {store} is not on {host}", self.role, self.model.head);
        let finding = UNMOUNTED_STORE
            .at(self.place, format!("its files are not on {host}"), message)
            .also(store.name.span, format!("{store} is only on {}", self.mounted()))
            .about(owner);
        let name = words::quoted(&host.name);
        let mount = Line::of("mount", &*host.name.value).principal("host");
        let append = Change::Append { item: store.span, line: mount };
        let finding = finding.remedy(
            format!(
                "write `{{}}` in {store}; add `path` if the folder on {name} is not {}",
                words::quoted(&self.store.path)
            ),
            append,
        );
        self.other_store(self.other_host(finding))
    }

    /// Adds the remedy to move the role, or its gateway, to a host with the store.
    fn other_host(&self, finding: Diagnostic) -> Diagnostic {
        let Some((_, other)) = self.registry.hosts.entries().find(|(id, _)| self.is_everywhere(*id)) else {
            return finding;
        };
        let gateway = self.serving.gateway.map(|gateway| self.registry.gateways.get(gateway.value));
        let item: &Head = gateway.map_or(&self.role.head, |gateway| &gateway.head);
        let line = Line::of("host", &*other.head.name.value);
        finding.remedy(format!("or write `{{}}` in {item}"), Change::set(item.span, line))
    }

    /// Adds the remedy to name another store of the host.
    fn other_store(&self, finding: Diagnostic) -> Diagnostic {
        let host = self.serving.host.value;
        let Some(other) = self.registry.stores.iter().find(|store| store.is_on(host)) else { return finding };
        let line = Line::of("store", &*other.head.name.value);
        let title = format!("or write `{{}}` in {}, if its files are there", self.model.head);
        finding.remedy(title, Change::set(self.model.head.span, line))
    }

    /// True if a host has the files of the model and of the draft.
    fn is_everywhere(&self, host: Id<Host>) -> bool {
        let draft = self.serving.draft_model().map(|(_, draft)| draft.value);
        let mut models = std::iter::once(self.serving.model.value).chain(draft);
        models.all(|id| {
            let model = self.registry.models.get(id);
            let is_target = id == self.serving.model.value;
            let projector = model.projector.as_ref().filter(|_| is_target).map(|one| &one.file);
            let mut files = std::iter::once(&model.file).chain(projector);
            files.all(|file| self.registry.is_file_on(model, file, host))
        })
    }

    fn host(&self) -> &'r Host {
        self.registry.hosts.get(self.serving.host.value)
    }

    /// The hosts that have the store.
    fn mounted(&self) -> String {
        let hosts = self.store.mounts.iter().filter_map(|mount| mount.host);
        let hosts: BTreeSet<Id<Host>> = hosts.map(|host| host.value).collect();
        let names = hosts.into_iter().map(|host| words::quoted(&self.registry.hosts.get(host).head.name));
        words::all_of(&names.collect::<Vec<_>>())
    }
}
