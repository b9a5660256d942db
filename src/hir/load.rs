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

/// A file that a process reads.
pub struct FileRead<'r> {
    key: FileKey<'r>,
    model: &'r Model,
    part: &'static str,
    /// Its size.
    pub bytes: Bytes,
}

/// What tells files apart: the number of the store, where the path is below one, and the path.
pub type FileKey<'r> = (Option<usize>, &'r str);

impl<'r> FileRead<'r> {
    /// What tells it from other files.
    pub fn key(&self) -> FileKey<'r> {
        self.key
    }
}

impl Registry {
    /// The loads of a residency, one a host that serves any of it, in the order of hosts.
    pub fn loads(&self, residency: Id<Residency>) -> Vec<Load> {
        let mut by_host: BTreeMap<Id<Host>, Vec<(Id<Role>, &Serving)>> = BTreeMap::new();
        for (id, role) in self.roles.entries() {
            if let Some(serving) = role.serving().filter(|serving| serving.residency.value == residency) {
                by_host.entry(serving.host.value).or_default().push((id, serving));
            }
        }
        let at_once = self.residencies.get(residency).at_once.map(|n| n.value as usize);
        by_host.into_iter().map(|(host, roles)| self.load_of(host, largest(self, roles, at_once))).collect()
    }

    /// The load of a residency on one host; empty where the host serves nothing of it.
    pub fn load(&self, residency: Id<Residency>, host: Id<Host>) -> Load {
        let loads = self.loads(residency).into_iter();
        loads.filter(|load| load.host == host).next_back().unwrap_or_else(|| self.load_of(host, Vec::new()))
    }

    fn load_of(&self, host: Id<Host>, roles: Vec<(Id<Role>, &Serving)>) -> Load {
        let mut readers: BTreeMap<FileKey, (usize, Id<Role>, Bytes)> = BTreeMap::new();
        let mut lines: Vec<Line> = Vec::new();
        for (role, serving) in &roles {
            for file in self.files_of(serving) {
                let entry = readers.entry(file.key).or_insert_with(|| {
                    let what = format!("{}{}", *file.model.title, file.part);
                    lines.push(Line { role: *role, what: what.into(), bytes: file.bytes });
                    (0, *role, file.bytes)
                });
                // A role that reads a file twice, as its own draft, is one reader.
                if entry.0 == 0 || entry.1 != *role {
                    *entry = (entry.0 + 1, *role, entry.2);
                }
            }
        }
        let mut freed: BTreeMap<Id<Role>, Bytes> = BTreeMap::new();
        for (count, role, bytes) in readers.into_values() {
            if count == 1 {
                let sum = freed.entry(role).or_default();
                *sum = sum.plus(bytes);
            }
        }
        let total = lines.iter().fold(Bytes(0), |sum, line| sum.plus(line.bytes));
        Load { host, lines, total, freed: freed.into_iter().collect() }
    }

    /// The files that each process of a role reads: model, draft, projector.
    pub fn files_of<'r>(&'r self, serving: &Serving) -> Vec<FileRead<'r>> {
        let mut files = Vec::with_capacity(3);
        let model = self.models.get(serving.model.value);
        files.push(file(model, &model.file, "", model.size.value));
        if let Some(draft) = &serving.draft {
            let drafter = self.models.get(draft.model.value);
            files.push(file(drafter, &drafter.file, " (draft)", drafter.size.value));
        }
        if let Some(projector) = &model.projector {
            files.push(file(
                model,
                &projector.file,
                " (projector)",
                projector.size.map_or(Bytes(0), |size| size.value),
            ));
        }
        files
    }
}

fn file<'r>(model: &'r Model, path: &'r Text, part: &'static str, bytes: Bytes) -> FileRead<'r> {
    let store = model.store.filter(|_| !path.starts_with('/')).map(|store| store.value.number());
    FileRead { key: (store, path), model, part, bytes }
}

/// The roles that may run at a time, the largest first where not all may; in the order of declaration.
fn largest<'r>(
    registry: &Registry,
    mut roles: Vec<(Id<Role>, &'r Serving)>,
    at_once: Option<usize>,
) -> Vec<(Id<Role>, &'r Serving)> {
    let Some(at_once) = at_once.filter(|most| *most < roles.len()) else { return roles };
    let bytes = |serving: &Serving| {
        registry.files_of(serving).iter().fold(Bytes(0), |sum, file| sum.plus(file.bytes))
    };
    roles.sort_by_cached_key(|(id, serving)| (std::cmp::Reverse(bytes(serving)), *id));
    roles.truncate(at_once);
    roles.sort_by_key(|(id, _)| *id);
    roles
}
