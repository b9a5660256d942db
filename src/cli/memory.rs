//! `orchgen memory`: what each role takes in memory, part by part, and what that is for a residency and a host.
//!
//! As one JSON object, whose shape only grows:
//!
//! | field | |
//! |---|---|
//! | `roles` | `name`, `residency`, `host`, `processes`, `bytes` of one process, `is_whole` whether all of it is known, `parts` |
//! | `parts` | `of` model, draft or projector; `kind`, `mapped` ones once a host; and `bytes` with `within_percent`, `at_most` or `declared` that say how well it is known, or `not_checked` |
//! | `residencies` | `residency`, `host`, `bytes` and its `budget`, null where it has none |
//! | `hosts` | `host`, `bytes` of its roles, `services` what its services say they take, `memory`, `reserve` |

mod table;

use super::End;
use super::args::{FileFormat, Memory, Output};
use super::session;
use crate::check::memory::named;
use crate::check::{Demand, Ground, check};
use crate::compile::lower_with_lock;
use crate::diag::report::human::human;
use crate::diag::{Diagnostics, words};
use crate::engine::memory::{Amount, Kind, Part, Whose};
use crate::hir::{Bytes, Extent, Id, Role, Serving};
use crate::source::load;
use serde::Serialize;

#[derive(Serialize)]
struct Shown<'r> {
    format_version: u32,
    roles: Vec<ShownRole<'r>>,
    residencies: Vec<ShownResidency<'r>>,
    hosts: Vec<ShownHost<'r>>,
}

#[derive(Serialize)]
struct ShownRole<'r> {
    name: &'r str,
    residency: &'r str,
    host: &'r str,
    processes: usize,
    bytes: u64,
    is_whole: bool,
    parts: Vec<ShownPart<'r>>,
}

#[derive(Serialize)]
struct ShownPart<'r> {
    of: &'static str,
    kind: &'static str,
    /// What it is called in the table.
    #[serde(skip)]
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(flatten)]
    known: Known<'r>,
}

/// How well it is known how much it is.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Known<'r> {
    WithinPercent(u8),
    AtMost(bool),
    Declared(bool),
    NotChecked(&'r str),
}

#[derive(Serialize)]
struct ShownResidency<'r> {
    residency: &'r str,
    host: &'r str,
    bytes: u64,
    budget: Option<u64>,
}

#[derive(Serialize)]
struct ShownHost<'r> {
    host: &'r str,
    bytes: u64,
    /// What its services say they take.
    services: u64,
    memory: u64,
    reserve: u64,
}

pub(super) fn run(command: &Memory, output: Output) -> End {
    let loaded = match load(&command.registry) {
        Ok(loaded) => loaded,
        Err(error) => {
            session::report(&format!("error: {error}\n"));
            return End::CannotRun;
        }
    };
    let mut findings = Diagnostics::default();
    let (registry, lock) = lower_with_lock(&loaded, &mut findings);
    if findings.has_errors() {
        // A sum without what could not be read would be taken for the whole.
        findings.sort();
        session::report(&human(&findings, &loaded.map, session::style(output, &std::io::stderr())));
        return End::Findings;
    }
    let ground = Ground::new(registry, &loaded.profiles, lock);
    let shown = gather(&ground);
    let text = match command.format {
        FileFormat::Human => table::human(&shown),
        // Only maps with keys that are not texts can fail, and there is none.
        FileFormat::Json => serde_json::to_string(&shown).unwrap_or_default() + "\n",
    };
    let printed = session::print(&text);
    // What is over its budget is wanted to be seen; what cannot be served has no memory.
    if check(ground, Demand::AsFarAsKnown, &mut findings).is_err() && !output.quiet {
        let errors = words::count(findings.summary().errors, "error");
        session::report(&format!("{errors} of this registry: run `orchgen check`\n"));
    }
    printed
}

fn gather(ground: &Ground) -> Shown<'_> {
    let registry = ground.registry();
    let roles = registry.roles.entries().filter_map(|(id, role)| Some((id, role, role.serving()?)));
    let roles = roles.map(|(id, role, serving)| {
        let parts = parts(ground, id, serving);
        ShownRole {
            name: &role.head.name,
            residency: &registry.residencies.get(serving.residency.value).head.name,
            host: &registry.hosts.get(serving.host.value).head.name,
            processes: serving.ports.len(),
            bytes: parts.iter().filter_map(|part| part.bytes).fold(0, u64::saturating_add),
            is_whole: !parts.iter().any(|part| matches!(part.known, Known::NotChecked(_))),
            parts,
        }
    });
    let loads = ground.loads();
    let residencies = registry.residencies.entries().flat_map(|(id, residency)| {
        let hosts = loads.of_residency(id).map(|together| ShownResidency {
            residency: &residency.head.name,
            host: &registry.hosts.get(together.host).head.name,
            bytes: together.load(Extent::Host).total.0,
            budget: residency.budget.map(|budget| budget.value.0),
        });
        hosts.collect::<Vec<_>>()
    });
    let hosts =
        loads.of_hosts().into_iter().zip(registry.memory_of_services()).map(|(together, services)| {
            let host = registry.hosts.get(together.host);
            ShownHost {
                host: &host.head.name,
                bytes: together.load(Extent::Host).total.0,
                services: services.0,
                memory: host.memory.value.0,
                reserve: host.reserve.of(host.memory.value).0,
            }
        });
    Shown {
        format_version: 1,
        roles: roles.collect(),
        residencies: residencies.collect(),
        hosts: hosts.collect(),
    }
}

/// The parts of a role; its files as they are declared, where no header says more.
fn parts<'g>(ground: &'g Ground, id: Id<Role>, serving: &'g Serving) -> Vec<ShownPart<'g>> {
    let known = ground.memory_of(id).map_or(&[][..], |memory| &memory.parts);
    let is_read = |of| {
        let is_file = |part: &Part| matches!(part.kind, Kind::Mapped | Kind::Loaded);
        known.iter().any(|part| part.of == of && is_file(part) && !matches!(part.amount, Amount::Unknown(_)))
    };
    let registry = ground.registry();
    let model = registry.models.get(serving.model.value);
    let drafter = serving.draft.as_ref().map(|draft| registry.models.get(draft.model.value));
    let projector = model.projector.as_ref().and_then(|projector| projector.size);
    let files = [
        (Whose::Model, Some(model.size.value)),
        (Whose::Draft, drafter.map(|drafter| drafter.size.value)),
        (Whose::Projector, projector.map(|size| size.value)),
    ];
    let declared = files.into_iter().filter(|(of, _)| !is_read(*of)).filter_map(|(of, size)| {
        let known = Known::Declared(true);
        Some(ShownPart {
            of: whose(of),
            kind: "file",
            title: titled(of, "file"),
            bytes: Some(size?.0),
            known,
        })
    });
    let (model, others): (Vec<ShownPart>, Vec<ShownPart>) = declared.partition(|part| part.of == "model");
    model.into_iter().chain(known.iter().map(|part| shown(part, serving))).chain(others).collect()
}

fn whose(of: Whose) -> &'static str {
    match of {
        Whose::Model => "model",
        Whose::Draft => "draft",
        Whose::Projector => "projector",
    }
}

fn titled(of: Whose, what: &str) -> String {
    if of == Whose::Model { what.to_owned() } else { format!("{}: {what}", whose(of)) }
}

fn shown<'p>(part: &'p Part, serving: &Serving) -> ShownPart<'p> {
    let (bytes, known) = match &part.amount {
        Amount::Within { bytes, percent } => (Some(*bytes), Known::WithinPercent(*percent)),
        Amount::AtMost(bytes) => (Some(*bytes), Known::AtMost(true)),
        Amount::Unknown(why) => (None, Known::NotChecked(why)),
    };
    let (mut kind, mut title) = (named_kind(part.kind), named(part.kind));
    if part.kind == Kind::Mapped && serving.is_locked() {
        (kind, title) = ("locked", "weights, locked");
    }
    ShownPart { of: whose(part.of), kind, title: titled(part.of, title), bytes, known }
}

fn named_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Mapped => "mapped",
        Kind::Loaded => "loaded",
        Kind::Repacked => "repacked",
        Kind::Cache => "cache",
        Kind::State => "state",
        Kind::Compute => "compute",
        Kind::Output => "output",
        Kind::PromptCache => "prompt_cache",
        Kind::Checkpoints => "checkpoints",
        Kind::Rest => "rest",
    }
}

/// Bytes as people read them.
fn sized(bytes: u64) -> String {
    Bytes(bytes).to_string()
}
