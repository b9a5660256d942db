//! Items whose names result in the same unit or file.

use crate::derive::Derived;
use crate::diag::{Diagnostics, words};
use crate::hir::{Registry, Role, Text};
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
    kind: &'static str,
    name: &'r Text,
    use_kind: UseKind,
}

/// The use of a unit or file name.
#[derive(Clone, Copy)]
enum UseKind {
    Slice,
    Role,
    Instance(usize),
    Backend,
    Command,
}

impl NameUse<'_> {
    /// The item and the use as text.
    fn describe(&self) -> String {
        let name = words::quoted(self.name);
        match self.use_kind {
            UseKind::Slice => format!("the slice of residency {name}"),
            UseKind::Role => format!("role {name}"),
            UseKind::Instance(n) => format!("instance {n} of role {name}"),
            UseKind::Backend => format!("the backend of role {name}"),
            UseKind::Command => format!("the command of model {name}"),
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
    for residency in registry.residencies.iter() {
        let name = &residency.head.name;
        // A slice name does not distinguish `_` and `-`.
        let slice = fold(name).replace('-', "_");
        names.claim((Namespace::Slice, slice), NameUse { kind: "residency", name, use_kind: UseKind::Slice });
    }
    for role in registry.roles.iter() {
        let name = &role.head.name;
        for (stem, use_kind) in units_of(registry, role) {
            if !names.claim((Namespace::Unit, fold(&stem)), NameUse { kind: "role", name, use_kind }) {
                break;
            }
        }
        if role.serving().is_some() && fold(name) == "prompt" {
            names.report_prompt(name);
        }
    }
    for model in registry.models.iter() {
        let name = &model.head.name;
        names.claim(
            (Namespace::Command, fold(name)),
            NameUse { kind: "model", name, use_kind: UseKind::Command },
        );
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
        if later.name.span < earlier.name.span {
            std::mem::swap(&mut earlier, &mut later);
        }
        let message = format!("{} and {} would have the same name", later.describe(), earlier.describe());
        let finding = NAME_COLLISION
            .at(later.name.span, "would use the same unit or file", message)
            .about((later.kind, &*later.name.value))
            .also(earlier.name.span, format!("same name as {}", earlier.describe()));
        self.findings.report(finding.help("rename one of them"));
        false
    }

    fn report_prompt(&mut self, name: &Text) {
        let message =
            format!("role {} has the same name as the folder for one-shot commands", words::quoted(name));
        let finding = NAME_COLLISION
            .at(name.span, "its script would be `bin/prompt`, which is a folder", message)
            .about(("role", &*name.value));
        self.findings.report(finding.help("rename the role"));
    }
}

/// The unit names of a role without their suffixes.
fn units_of(registry: &Registry, role: &Role) -> Vec<(String, UseKind)> {
    let Some(serving) = role.serving() else { return Vec::new() };
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
