//! Names that meet in one unit or file.

use super::Check;
use crate::diag::{Diagnostics, words};
use crate::hir::{Registry, Role, Start};
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
    name: &'r crate::hir::Text,
    what: String,
}

fn run(registry: &Registry, findings: &mut Diagnostics) {
    let mut units: BTreeMap<String, Taken> = BTreeMap::new();
    let residencies = registry.residencies.iter().map(|residency| (&residency.head.name, "residency"));
    for (name, kind) in residencies {
        // `_` and `-` are one in the name of a slice.
        let key = format!("slice {}", fold(name).replace('-', "_"));
        claim(
            &mut units,
            key,
            Taken { kind, name, what: format!("the slice of residency {}", words::quoted(name)) },
            findings,
        );
        let key = format!("target {}", fold(name));
        claim(
            &mut units,
            key,
            Taken { kind, name, what: format!("the target of residency {}", words::quoted(name)) },
            findings,
        );
    }
    for role in registry.roles.iter() {
        for (stem, what) in units_of(registry, role) {
            let taken = Taken { kind: "role", name: &role.head.name, what };
            if !claim(&mut units, format!("unit {}", fold(&stem)), taken, findings) {
                break;
            }
        }
        if role.serving().is_some() && fold(&role.head.name) == "prompt" {
            let finding = NAME_COLLISION
                .at(
                    role.head.name.span,
                    "the folder of one-shot commands",
                    "a role cannot be called `prompt`",
                )
                .about("role", &*role.head.name.value);
            findings.say(finding.help("rename the role"));
        }
    }
    let mut models: BTreeMap<String, Taken> = BTreeMap::new();
    for model in registry.models.iter() {
        let name = &model.head.name;
        let what = format!("the command of model {}", words::quoted(name));
        claim(&mut models, fold(name), Taken { kind: "model", name, what }, findings);
    }
}

/// Whether the name was free; a taken one is said at the later of the two.
fn claim<'r>(
    units: &mut BTreeMap<String, Taken<'r>>,
    key: String,
    taken: Taken<'r>,
    findings: &mut Diagnostics,
) -> bool {
    if let Some(first) = units.get(&key) {
        let (mut earlier, mut later) = (first, &taken);
        if later.name.span < earlier.name.span {
            std::mem::swap(&mut earlier, &mut later);
        }
        let message = format!("{} and {} have one name", later.what, earlier.what);
        let finding = NAME_COLLISION
            .at(later.name.span, "would be the same file", message)
            .about(later.kind, &*later.name.value)
            .also(earlier.name.span, "as what this one makes");
        findings.say(finding.help("rename one of them"));
        return false;
    }
    units.insert(key, taken);
    true
}

/// The stems of the units of a role, with what each is.
fn units_of(registry: &Registry, role: &Role) -> Vec<(String, String)> {
    let Some(serving) = role.serving() else { return Vec::new() };
    let name: &str = &role.head.name;
    let on_demand = registry.residencies.get(serving.residency.value).start.value == Start::OnDemand;
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
