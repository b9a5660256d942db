//! Items whose names result in the same unit or file.

use crate::derive::Derived;
use crate::diag::{Change, Diagnostic, Diagnostics};
use crate::hir::{Gateway, Head, Model, Registry, Residency, Role};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

declare_code! {
    /// ## What it finds
    /// Two items whose names result in the same unit or file.
    ///
    /// For example:
    ///
    /// - a role `a-backend` and an on-demand role `a`;
    /// - a role `e-0` and the instances of a role `e`;
    /// - a role `prompt` and the folder with that name;
    /// - names that differ only in case.
    ///
    /// ## Why
    /// One of them would overwrite the other. Some file systems ignore case in file names.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: warm, model: plain, port: 9000, context: 4096}
    ///   extra-backend: {tier: A, residency: hot, model: plain, port: 9001, context: 4096}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: warm, model: plain, port: 9000, context: 4096}
    ///   extra-back: {tier: A, residency: hot, model: plain, port: 9001, context: 4096}
    /// ```
    pub(super) static NAME_COLLISION = 310, "name-collision", Error;
}

/// An item that uses a unit or file name.
#[derive(Clone, Copy)]
struct NameUse<'r> {
    head: &'r Head,
    use_kind: UseKind,
}

/// The use of a unit or file name.
#[derive(Clone, Copy)]
enum UseKind {
    Slice,
    Role,
    Instance(usize),
    Backend,
    Gateway,
    Command,
}

impl NameUse<'_> {
    /// The item and the use as text.
    fn describe(&self) -> String {
        let head = self.head;
        match self.use_kind {
            UseKind::Slice => format!("the slice of {head}"),
            UseKind::Role | UseKind::Gateway => head.to_string(),
            UseKind::Instance(n) => format!("instance {n} of {head}"),
            UseKind::Backend => format!("the backend of {head}"),
            UseKind::Command => format!("the command of {head}"),
        }
    }
}

/// Names must be unique within each namespace.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Namespace {
    Slice,
    Unit,
    Command,
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let mut names = Names { taken: BTreeMap::new(), findings };
    for Residency { head, .. } in registry.residencies.iter() {
        // A slice name does not distinguish `_` and `-`.
        let slice = fold(&head.name).replace('-', "_");
        names.claim((Namespace::Slice, slice), NameUse { head, use_kind: UseKind::Slice });
    }
    for Gateway { head, .. } in registry.gateways.iter() {
        let key = (Namespace::Unit, fold(&head.name));
        names.claim(key, NameUse { head, use_kind: UseKind::Gateway });
        names.check_folder(registry, head);
    }
    for role in registry.roles.iter() {
        let head = &role.head;
        for (stem, use_kind) in units_of(registry, role) {
            if !names.claim((Namespace::Unit, fold(&stem)), NameUse { head, use_kind }) {
                break;
            }
        }
        if role.process().is_some_and(|process| process.gateway.is_none()) {
            names.check_folder(registry, head);
        }
    }
    for Model { head, .. } in registry.models.iter() {
        let name = fold(&head.name);
        names.claim((Namespace::Command, name), NameUse { head, use_kind: UseKind::Command });
    }
}

/// The unit and file names in use.
struct Names<'r, 'f> {
    taken: BTreeMap<(Namespace, String), NameUse<'r>>,
    findings: &'f mut Diagnostics,
}

impl<'r> Names<'r, '_> {
    /// Records the use of a name. False if the name is in use: reports it at the later item.
    fn claim(&mut self, key: (Namespace, String), name_use: NameUse<'r>) -> bool {
        let first = match self.taken.entry(key) {
            Entry::Vacant(free) => {
                free.insert(name_use);
                return true;
            }
            Entry::Occupied(first) => *first.get(),
        };
        let (mut earlier, mut later) = (first, name_use);
        if later.head.name.span < earlier.head.name.span {
            std::mem::swap(&mut earlier, &mut later);
        }
        let message = format!("{} and {} would have the same name", later.describe(), earlier.describe());
        let finding = NAME_COLLISION
            .at(later.head.name.span, "would use the same unit or file", message)
            .about(later.head)
            .also(earlier.head.name.span, format!("same name as {}", earlier.describe()));
        self.findings.report(rename(finding, later.head));
        false
    }

    /// Reports a script with the name of a folder of scripts.
    fn check_folder(&mut self, registry: &Registry, role: &Head) {
        let purpose = match &*fold(&role.name) {
            "prompt" => "one-shot commands",
            "fetch" if registry.models.iter().any(|model| model.repo.is_some()) => "downloads",
            _ => return,
        };
        let message = format!("{role} has the same name as the folder for {purpose}");
        let label = format!("its script would be `bin/{}`, which is a folder", fold(&role.name));
        let finding = NAME_COLLISION.at(role.name.span, label, message).about(role);
        self.findings.report(rename(finding, role));
    }
}

/// A help with another name for an item.
fn rename(finding: Diagnostic, head: &Head) -> Diagnostic {
    let change = Change::Word { span: head.name.span, replacement: format!("{}-2", head.name.value) };
    finding.remedy("write another name, such as `{}`, here and where it is used", change)
}

/// The unit names of a role without their suffixes.
fn units_of(registry: &Registry, role: &Role) -> Vec<(String, UseKind)> {
    // A gateway starts the processes of its roles.
    let Some(serving) = role.process().filter(|process| process.gateway.is_none()) else { return Vec::new() };
    let name: &str = &role.head.name;
    let on_demand = registry.is_on_demand(serving);
    let several = serving.ports.len() > 1;
    let mut stems = vec![(name.to_owned(), UseKind::Role)];
    for n in 0..serving.ports.len() {
        let instance = if several { format!("{name}-{n}") } else { name.to_owned() };
        let backend = on_demand.then(|| format!("{instance}-backend"));
        if several {
            stems.push((instance, UseKind::Instance(n)));
        }
        stems.extend(backend.map(|backend| (backend, UseKind::Backend)));
    }
    stems
}

fn fold(name: &str) -> String {
    name.to_lowercase()
}
