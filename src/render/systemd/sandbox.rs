//! How far a unit is locked in.

use std::net::IpAddr;

use serde::Serialize;

use super::Place;
use crate::plan::{Hardening, Role, Word};
use crate::render::template::skeleton::{Hole, Texts};

/// What the part of a service about hardening says.
#[expect(clippy::struct_excessive_bools, reason = "each is one question of the template")]
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sandbox {
    off: bool,
    strict: bool,
    gpu: bool,
    /// Whether other machines reach it.
    exposed: bool,
    /// Whether it places its own threads.
    resources: bool,
    since_257: bool,
    port: Option<Hole>,
    folders: Vec<Hole>,
}

impl Sandbox {
    /// For a server that listens at this port.
    pub(super) fn server<'p>(place: &'p Place<'_>, port: Hole, texts: &mut Texts<'p>) -> Self {
        let role = place.role;
        let strict = role.hardening == Hardening::Strict;
        Self {
            off: role.hardening == Hardening::Off,
            strict,
            gpu: role.hardening == Hardening::Gpu,
            exposed: place.process.backend.is_none() && is_exposed(role),
            resources: !strict || places_threads(place),
            since_257: place.host.systemd >= 257,
            port: Some(port),
            folders: texts
                .each(role.folders.iter().map(|folder| &**folder).filter(|folder| is_bound(folder))),
        }
    }

    /// For a proxy, which reads nothing and binds nothing.
    pub(super) fn proxy(place: &Place<'_>) -> Self {
        Self {
            off: place.role.hardening == Hardening::Off,
            strict: true,
            gpu: false,
            exposed: is_exposed(place.role),
            resources: false,
            since_257: place.host.systemd >= 257,
            port: None,
            folders: Vec::new(),
        }
    }
}

/// Whether a folder is shown by a mount of its own. All of the disk cannot be bound over itself, and of a path with `"`
/// systemd 255 and later trip over their own notes; what lies outside of homes is seen anyway.
fn is_bound(folder: &str) -> bool {
    folder != "/" && !folder.contains('"')
}

/// Whether an address is the machine's own alone.
pub(super) fn is_loopback(address: &str) -> bool {
    address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Whether other machines reach a role.
pub(super) fn is_exposed(role: &Role) -> bool {
    !role.addresses.iter().all(|address| is_loopback(address))
}

/// Options and variables by which a process sets affinities or priorities of its threads.
const PLACES_THREADS: &[&str] = &[
    "--numa",
    "--prio",
    "--prio-batch",
    "--cpu-mask",
    "-C",
    "--cpu-mask-batch",
    "-Cb",
    "--cpu-range",
    "-Cr",
    "--cpu-range-batch",
    "-Crb",
    "GOMP_CPU_AFFINITY",
    "KMP_AFFINITY",
    "OMP_PLACES",
    "OMP_PROC_BIND",
    "LLAMA_ARG_NUMA",
];

fn places_threads(place: &Place<'_>) -> bool {
    let words = place.process.args.iter().map(Word::text);
    let names = place.role.env.iter().map(|(name, _)| &**name);
    words.chain(names).any(|word| PLACES_THREADS.contains(&word))
}
