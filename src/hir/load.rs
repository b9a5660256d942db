//! How many bytes of files the roles of a residency have in memory.

use super::{Bytes, Host, Id, Model, Registry, Residency, Role, Serving, Text};
use std::collections::BTreeMap;

/// The files that the roles of one residency have in memory on one host, each once.
#[derive(Debug)]
pub struct Load {
    /// The host.
    pub host: Id<Host>,
    /// The files in the order of the roles that bring them in.
    pub lines: Vec<Line>,
    /// Their sum.
    pub total: Bytes,
    /// What would be freed if a role left, files that no other reads.
    pub freed: Vec<(Id<Role>, Bytes)>,
}

/// One file of a sum.
#[derive(Clone, Debug)]
pub struct Line {
    /// The first role that reads it.
    pub role: Id<Role>,
    /// The title of the model, with what the file is where it is not the model itself.
    pub what: Box<str>,
    /// Its size.
    pub bytes: Bytes,
}

/// A role with its processes.
type Served<'r> = (Id<Role>, &'r Serving);

/// A file that a process reads.
pub struct FileRead<'r> {
    /// The full path.
    pub path: String,
    model: &'r Model,
    part: &'static str,
    /// Its size.
    pub bytes: Bytes,
}

/// How many roles read a file, which of them last, and how large it is.
struct Readers {
    count: usize,
    last: Id<Role>,
    bytes: Bytes,
}

impl Registry {
    /// The loads of a residency, one a host that serves any of it, in the order of hosts.
    pub fn loads(&self, residency: Id<Residency>) -> Vec<Load> {
        let mut by_host: BTreeMap<Id<Host>, Vec<Served>> = BTreeMap::new();
        for (id, role) in self.roles.entries() {
            if let Some(serving) = role.serving().filter(|serving| serving.residency.value == residency) {
                by_host.entry(serving.host.value).or_default().push((id, serving));
            }
        }
        by_host.into_iter().map(|(host, roles)| self.load_of(residency, host, roles)).collect()
    }

    /// What a residency would take on a host without some of its roles.
    pub fn load_without(&self, residency: Id<Residency>, host: Id<Host>, gone: &[Id<Role>]) -> Bytes {
        let roles = self.roles.entries().filter(|(id, _)| !gone.contains(id));
        let served = roles
            .filter_map(|(id, role)| Some((id, role.serving()?)))
            .filter(|(_, serving)| serving.residency.value == residency && serving.host.value == host);
        self.load_of(residency, host, served.collect()).total
    }

    fn load_of(&self, residency: Id<Residency>, host: Id<Host>, roles: Vec<Served>) -> Load {
        let at_once = self.residencies.get(residency).at_once.map(|n| n.value as usize);
        let mut readers: BTreeMap<String, Readers> = BTreeMap::new();
        let mut lines: Vec<Line> = Vec::new();
        for (role, serving) in largest(self, roles, at_once) {
            for file in self.files_of(serving) {
                let entry = readers.entry(file.path).or_insert_with(|| {
                    let what = format!("{}{}", *file.model.title, file.part);
                    lines.push(Line { role, what: what.into(), bytes: file.bytes });
                    Readers { count: 0, last: role, bytes: file.bytes }
                });
                // A role that reads a file twice, as its own draft, is one reader.
                if entry.count == 0 || entry.last != role {
                    *entry = Readers { count: entry.count + 1, last: role, bytes: entry.bytes };
                }
            }
        }
        let mut freed: BTreeMap<Id<Role>, Bytes> = BTreeMap::new();
        for alone in readers.into_values().filter(|readers| readers.count == 1) {
            let sum = freed.entry(alone.last).or_default();
            *sum = sum.plus(alone.bytes);
        }
        let total = lines.iter().fold(Bytes(0), |sum, line| sum.plus(line.bytes));
        Load { host, lines, total, freed: freed.into_iter().collect() }
    }

    /// The files that each process of a role reads: model, draft, projector.
    pub fn files_of<'r>(&'r self, serving: &Serving) -> Vec<FileRead<'r>> {
        let file = |model: &'r Model, path: &Text, part: &'static str, bytes: Bytes| FileRead {
            path: self.path_of(model, path),
            model,
            part,
            bytes,
        };
        let mut files = Vec::with_capacity(3);
        let model = self.models.get(serving.model.value);
        files.push(file(model, &model.file, "", model.size.value));
        if let Some(draft) = &serving.draft {
            let drafter = self.models.get(draft.model.value);
            files.push(file(drafter, &drafter.file, " (draft)", drafter.size.value));
        }
        if let Some(projector) = &model.projector {
            let bytes = projector.size.map_or(Bytes(0), |size| size.value);
            files.push(file(model, &projector.file, " (projector)", bytes));
        }
        files
    }
}

/// The roles that may run at a time, the largest where not all may; in the order of declaration.
fn largest<'r>(registry: &Registry, mut roles: Vec<Served<'r>>, at_once: Option<usize>) -> Vec<Served<'r>> {
    let Some(at_once) = at_once.filter(|most| *most < roles.len()) else { return roles };
    let bytes = |serving: &Serving| {
        registry.files_of(serving).iter().fold(Bytes(0), |sum, file| sum.plus(file.bytes))
    };
    roles.sort_by_cached_key(|(id, serving)| (std::cmp::Reverse(bytes(serving)), *id));
    roles.truncate(at_once);
    roles.sort_by_key(|(id, _)| *id);
    roles
}
