//! How much the roles of a residency, of a host or of a NUMA node have in memory: files, and whatever else is known of it.

use super::extent::Portion;
use super::{Bytes, Extent, Files, Held, Host, Id, Piece, Registry, Residency, Role, Serving, Taken};
use std::collections::BTreeMap;

/// What some roles of one host have in memory together: mapped files once, all others once a process.
#[derive(Debug)]
pub struct Load {
    /// The host.
    pub host: Id<Host>,
    /// The files and what else there is, in the order of the roles that bring them in.
    pub lines: Vec<Line>,
    /// Their sum.
    pub total: Bytes,
    /// What would be freed if a role left: files that no other reads, and its own.
    pub freed: Vec<(Id<Role>, Bytes)>,
}

/// One file of a sum, or memory of a role's own.
#[derive(Clone, Debug)]
pub struct Line {
    /// The first role that has it.
    pub role: Id<Role>,
    /// The title of the model, with what the file is where it is not the model itself, and how much of it counts.
    pub what: Box<str>,
    /// What is summed of it.
    pub bytes: Bytes,
}

/// The served roles of a registry by residency and host, ready to be summed.
#[derive(Debug)]
pub struct Loads<'r> {
    files: Files<'r>,
    taken: &'r Taken,
    groups: BTreeMap<Id<Residency>, BTreeMap<Id<Host>, Vec<Served<'r>>>>,
}

/// Roles of one host that are in memory together.
#[derive(Clone, Debug)]
pub struct Together<'l> {
    /// The host.
    pub host: Id<Host>,
    files: &'l Files<'l>,
    taken: &'l Taken,
    /// The roles of each residency, in the order of declaration.
    parts: Vec<(Id<Residency>, &'l [Served<'l>])>,
}

/// What is tried instead of what was declared.
#[derive(Clone, Copy, Default, Debug)]
pub struct Change<'c> {
    /// Roles that are elsewhere.
    pub gone: &'c [Id<Role>],
    /// How many roles of a residency run at a time.
    pub at_once: Option<(Id<Residency>, usize)>,
}

/// A role with its processes.
type Served<'r> = (Id<Role>, &'r Serving);

impl Registry {
    /// The memory that the services of each host say they take, by the number of the host.
    pub fn memory_of_services(&self) -> Vec<Bytes> {
        let mut sums = vec![Bytes(0); self.hosts.len()];
        for service in self.services.iter() {
            if let (Some(sum), Some(memory)) = (sums.get_mut(service.host.value.number()), service.memory) {
                *sum = sum.plus(memory.value);
            }
        }
        sums
    }

    /// The served roles, grouped to be summed with what is known of them besides their files.
    pub fn loads<'r>(&'r self, taken: &'r Taken) -> Loads<'r> {
        let mut groups: BTreeMap<_, BTreeMap<_, Vec<Served>>> = BTreeMap::new();
        for (id, role) in self.roles.entries() {
            if let Some(serving) = role.serving() {
                let hosts = groups.entry(serving.residency.value).or_default();
                hosts.entry(serving.host.value).or_default().push((id, serving));
            }
        }
        Loads { files: self.files(), taken, groups }
    }
}

impl Loads<'_> {
    /// The roles of a residency, host by host in the order of declaration.
    pub fn of_residency(&self, residency: Id<Residency>) -> impl Iterator<Item = Together<'_>> {
        let hosts = self.groups.get(&residency).into_iter().flatten();
        hosts.map(move |(host, roles)| Together {
            host: *host,
            files: &self.files,
            taken: self.taken,
            parts: vec![(residency, roles.as_slice())],
        })
    }

    /// The roles of each host, in the order of declaration; a host may have none.
    pub fn of_hosts(&self) -> Vec<Together<'_>> {
        let alone = |host| Together { host, files: &self.files, taken: self.taken, parts: Vec::new() };
        let mut all: Vec<Together> =
            self.files.registry().hosts.entries().map(|(host, _)| alone(host)).collect();
        for (residency, hosts) in &self.groups {
            for (host, roles) in hosts {
                if let Some(together) = all.get_mut(host.number()) {
                    together.parts.push((*residency, roles));
                }
            }
        }
        all
    }
}

impl<'l> Together<'l> {
    /// The residencies with the roles that each has here, in the order of declaration.
    pub fn parts(&self) -> impl Iterator<Item = (Id<Residency>, usize, Self)> {
        self.parts.iter().map(|part| (part.0, part.1.len(), Self { parts: vec![*part], ..self.clone() }))
    }

    /// The roles, in the order of declaration within each residency.
    pub fn roles(&self) -> impl Iterator<Item = Id<Role>> {
        self.parts.iter().flat_map(|(_, roles)| roles.iter().map(|(role, _)| *role))
    }

    /// Whether any role says on which nodes its memory is.
    pub fn is_placed(&self) -> bool {
        self.parts.iter().any(|(_, roles)| roles.iter().any(|(_, serving)| serving.placement.numa.is_some()))
    }

    /// What the roles have in memory in a part of the host.
    pub fn load(&self, extent: Extent) -> Load {
        self.load_after(extent, Change::default())
    }

    /// The same after a change.
    pub fn load_after(&self, extent: Extent, change: Change) -> Load {
        let mut running: Vec<Served> = Vec::new();
        for (residency, roles) in &self.parts {
            running.extend(self.running(*residency, roles, extent, change));
        }
        running.sort_by_key(|(id, _)| *id);
        let host = self.files.registry().hosts.get(self.host);
        let mut tally = Tally::default();
        for (role, serving) in running {
            for piece in self.files.with((role, serving), self.taken) {
                tally.take(role, piece, extent.portion(serving, host, piece.held));
            }
        }
        tally.close(self.host)
    }

    /// The roles of a residency that may run at a time, those with most in this part of the host where not all may.
    fn running(
        &self,
        residency: Id<Residency>,
        roles: &'l [Served<'l>],
        extent: Extent,
        change: Change,
    ) -> Vec<Served<'l>> {
        let registry = self.files.registry();
        let mut staying: Vec<Served> =
            roles.iter().filter(|(id, _)| !change.gone.contains(id)).copied().collect();
        let declared = registry.residencies.get(residency).at_once.map(|n| n.value as usize);
        let changed = change.at_once.filter(|(changed, _)| *changed == residency).map(|(_, n)| n);
        let Some(most) = changed.or(declared).filter(|most| *most < staying.len()) else { return staying };
        let host = registry.hosts.get(self.host);
        let bytes = |served: Served| {
            self.files.with(served, self.taken).fold(Bytes(0), |sum, piece| {
                let portion = extent.portion(served.1, host, piece.held);
                sum.plus(portion.map_or(Bytes(0), |portion| portion.of(piece.bytes)))
            })
        };
        staying.sort_by_cached_key(|served| (std::cmp::Reverse(bytes(*served)), served.0));
        staying.truncate(most);
        staying
    }
}

/// A sum that is being drawn up.
#[derive(Default)]
struct Tally<'r> {
    entries: Vec<Entry<'r>>,
    /// Mapped files by their number, as places in `entries`: a role that maps more of a file than those before it brings in the rest.
    mapped: BTreeMap<usize, Vec<usize>>,
}

struct Entry<'r> {
    role: Id<Role>,
    piece: Piece<'r>,
    /// None where it is not known where it lies, or its readers disagree.
    portion: Option<Portion>,
    readers: usize,
    last: Id<Role>,
}

impl<'r> Tally<'r> {
    fn take(&mut self, role: Id<Role>, piece: Piece<'r>, portion: Option<Portion>) {
        let Some(file) = piece.file.filter(|_| piece.held == Held::Mapped) else {
            self.entries.push(Entry { role, piece, portion, readers: 1, last: role });
            return;
        };
        let places = self.mapped.entry(file).or_default();
        let (mut rest, mut portion) = (piece.bytes, portion);
        for place in places.iter() {
            let Some(entry) = self.entries.get_mut(*place) else { continue };
            if rest > Bytes(0) || entry.piece.bytes == Bytes(0) {
                // A role that reads a file twice, as its own draft, is one reader.
                entry.readers += usize::from(entry.last != role);
                entry.last = role;
                entry.portion = entry.portion.filter(|known| portion == Some(*known));
                portion = entry.portion;
            }
            rest = rest.minus(entry.piece.bytes);
        }
        if places.is_empty() || rest > Bytes(0) {
            places.push(self.entries.len());
            let mut piece = piece;
            piece.bytes = rest;
            self.entries.push(Entry { role, piece, portion, readers: 1, last: role });
        }
    }

    fn close(self, host: Id<Host>) -> Load {
        let mut freed: BTreeMap<Id<Role>, Bytes> = BTreeMap::new();
        let mut lines = Vec::new();
        for entry in self.entries {
            let Some(portion) = entry.portion else { continue };
            let bytes = portion.of(entry.piece.bytes);
            if bytes == Bytes(0) {
                continue;
            }
            if entry.readers == 1 {
                let sum = freed.entry(entry.role).or_default();
                *sum = sum.plus(bytes);
            }
            lines.push(Line { role: entry.role, what: described(&entry.piece, portion).into(), bytes });
        }
        let total = lines.iter().fold(Bytes(0), |sum, line| sum.plus(line.bytes));
        Load { host, lines, total, freed: freed.into_iter().collect() }
    }
}

/// `Title`, `Title (projector), 6 copies`, `Title, 1/2`.
fn described(piece: &Piece, portion: Portion) -> String {
    let mut what = piece.what();
    if portion.times > 1 {
        what = format!("{what}, {} copies", portion.times);
    }
    if portion.of > 1 {
        what = format!("{what}, 1/{}", portion.of);
    }
    what
}
