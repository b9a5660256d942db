//! Names that meet in one unit or file.

use super::Check;
use crate::diag::{Diagnostics, words};
use crate::hir::{Registry, Role, Text};
use std::collections::BTreeMap;

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
struct Taken<'r> {
    kind: &'static str,
    name: &'r Text,
    what: String,
}

fn run(registry: &Registry, findings: &mut Diagnostics) {
    let mut names = Names { taken: BTreeMap::new(), findings };
    for residency in registry.residencies.iter() {
        let name = &residency.head.name;
        let what = format!("residency {}", words::quoted(name));
        // `_` and `-` are one in the name of a slice.
        let slice = format!("slice {}", fold(name).replace('-', "_"));
        names.claim(slice, Taken { kind: "residency", name, what: format!("the slice of {what}") });
    }
    for role in registry.roles.iter() {
        let name = &role.head.name;
        for (stem, what) in units_of(registry, role) {
            if !names.claim(format!("unit {}", fold(&stem)), Taken { kind: "role", name, what }) {
                break;
            }
        }
        if role.serving().is_some() && fold(name) == "prompt" {
            names.say_prompt(name);
        }
    }
    for model in registry.models.iter() {
        let name = &model.head.name;
        let what = format!("the command of model {}", words::quoted(name));
        names.claim(format!("command {}", fold(name)), Taken { kind: "model", name, what });
    }
}

/// The names of units and files that are taken.
struct Names<'r, 'f> {
    taken: BTreeMap<String, Taken<'r>>,
    findings: &'f mut Diagnostics,
}

impl<'r> Names<'r, '_> {
    /// Whether the name was free; a taken one is said at the later of the two.
    fn claim(&mut self, key: String, taken: Taken<'r>) -> bool {
        let Some(first) = self.taken.get(&key) else {
            self.taken.insert(key, taken);
            return true;
        };
        let (mut earlier, mut later) = (first, &taken);
        if later.name.span < earlier.name.span {
            std::mem::swap(&mut earlier, &mut later);
        }
        let message = format!("{} and {} would have one name", later.what, earlier.what);
        let finding = NAME_COLLISION
            .at(later.name.span, "would be the same file", message)
            .about(later.kind, &*later.name.value)
            .also(earlier.name.span, format!("as {}", earlier.what));
        self.findings.say(finding.help("rename one of them"));
        false
    }

    fn say_prompt(&mut self, name: &Text) {
        let message = format!("role {} has the name of the folder of one-shot commands", words::quoted(name));
        let finding = NAME_COLLISION
            .at(name.span, "would be `bin/prompt`, which is a folder", message)
            .about("role", &*name.value);
        self.findings.say(finding.help("rename the role"));
    }
}

/// The stems of the units of a role, with what each is.
fn units_of(registry: &Registry, role: &Role) -> Vec<(String, String)> {
    let Some(serving) = role.serving() else { return Vec::new() };
    let name: &str = &role.head.name;
    let on_demand = registry.is_on_demand(serving);
    let several = serving.ports.len() > 1;
    let mut stems = vec![(name.to_owned(), format!("role {}", words::quoted(name)))];
    for n in 0..serving.ports.len() {
        let instance = if several { format!("{name}-{n}") } else { name.to_owned() };
        if several {
            stems.push((instance.clone(), format!("instance {n} of role {}", words::quoted(name))));
        }
        if on_demand {
            stems.push((
                format!("{instance}-backend"),
                format!("the backend of role {}", words::quoted(name)),
            ));
        }
    }
    stems
}

fn fold(name: &str) -> String {
    name.to_lowercase()
}
