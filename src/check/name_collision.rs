//! Names that meet in one unit or file.

use super::Check;
use crate::diag::{Diagnostics, words};
use crate::hir::{Registry, Role, Text};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

declare_code! {
    /// ## What it finds
    /// Two items whose names lead to one unit or one file: a role `a-backend` beside an on-demand role `a`, `e-0` beside the
    /// instances of `e`, a role `prompt` beside the folder of that name, names that differ only in case.
    ///
    /// ## Why
    /// One of them would overwrite the other. Names that differ only in case are one file on some disks.
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
    static NAME_COLLISION = 310, "name-collision", Error;
}

pub(super) static CHECK: Check = Check { code: &NAME_COLLISION, run };

/// A name that is taken, and by what.
#[derive(Clone, Copy)]
struct Taken<'r> {
    kind: &'static str,
    name: &'r Text,
    what: What,
}

/// What takes a name.
#[derive(Clone, Copy)]
enum What {
    Slice,
    Role,
    Instance(usize),
    Backend,
    Command,
}

impl Taken<'_> {
    /// It in words, for those few that collide.
    fn spoken(&self) -> String {
        let name = words::quoted(self.name);
        match self.what {
            What::Slice => format!("the slice of residency {name}"),
            What::Role => format!("role {name}"),
            What::Instance(n) => format!("instance {n} of role {name}"),
            What::Backend => format!("the backend of role {name}"),
            What::Command => format!("the command of model {name}"),
        }
    }
}

/// The spaces of names: in each one a name is taken once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Space {
    Slice,
    Unit,
    Command,
}

fn run(registry: &Registry, findings: &mut Diagnostics) {
    let mut names = Names { taken: BTreeMap::new(), findings };
    for residency in registry.residencies.iter() {
        let name = &residency.head.name;
        // `_` and `-` are one in the name of a slice.
        let slice = fold(name).replace('-', "_");
        names.claim((Space::Slice, slice), Taken { kind: "residency", name, what: What::Slice });
    }
    for role in registry.roles.iter() {
        let name = &role.head.name;
        for (stem, what) in units_of(registry, role) {
            if !names.claim((Space::Unit, fold(&stem)), Taken { kind: "role", name, what }) {
                break;
            }
        }
        if role.serving().is_some() && fold(name) == "prompt" {
            names.say_prompt(name);
        }
    }
    for model in registry.models.iter() {
        let name = &model.head.name;
        names.claim((Space::Command, fold(name)), Taken { kind: "model", name, what: What::Command });
    }
}

/// The names of units and files that are taken.
struct Names<'r, 'f> {
    taken: BTreeMap<(Space, String), Taken<'r>>,
    findings: &'f mut Diagnostics,
}

impl<'r> Names<'r, '_> {
    /// Whether the name was free; a taken one is said at the later of the two.
    fn claim(&mut self, key: (Space, String), taken: Taken<'r>) -> bool {
        let first = match self.taken.entry(key) {
            Entry::Vacant(free) => {
                free.insert(taken);
                return true;
            }
            Entry::Occupied(first) => *first.get(),
        };
        let (mut earlier, mut later) = (first, taken);
        if later.name.span < earlier.name.span {
            std::mem::swap(&mut earlier, &mut later);
        }
        let message = format!("{} and {} would have one name", later.spoken(), earlier.spoken());
        let finding = NAME_COLLISION
            .at(later.name.span, "would be the same file", message)
            .about(later.kind, &*later.name.value)
            .also(earlier.name.span, format!("as {}", earlier.spoken()));
        self.findings.report(finding.help("rename one of them"));
        false
    }

    fn say_prompt(&mut self, name: &Text) {
        let message = format!("role {} has the name of the folder of one-shot commands", words::quoted(name));
        let finding = NAME_COLLISION
            .at(name.span, "would be `bin/prompt`, which is a folder", message)
            .about("role", &*name.value);
        self.findings.report(finding.help("rename the role"));
    }
}

/// The stems of the units of a role, with what each is.
fn units_of(registry: &Registry, role: &Role) -> Vec<(String, What)> {
    let Some(serving) = role.serving() else { return Vec::new() };
    let name: &str = &role.head.name;
    let on_demand = registry.is_on_demand(serving);
    let several = serving.ports.len() > 1;
    let mut stems = vec![(name.to_owned(), What::Role)];
    for n in 0..serving.ports.len() {
        let instance = if several { format!("{name}-{n}") } else { name.to_owned() };
        let backend = on_demand.then(|| format!("{instance}-backend"));
        if several {
            stems.push((instance, What::Instance(n)));
        }
        stems.extend(backend.map(|backend| (backend, What::Backend)));
    }
    stems
}

fn fold(name: &str) -> String {
    name.to_lowercase()
}
