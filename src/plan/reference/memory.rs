//! Total file size per residency. Each file counts once.

use crate::derive::Derived;
use crate::hir::{Bytes, Residency};
use serde::Serialize;
use std::collections::BTreeSet;

/// The total file size of a residency.
#[derive(Debug, Serialize)]
pub struct Footprint {
    /// The name of the residency.
    pub residency: Box<str>,
    /// Its title.
    pub title: Box<str>,
    /// The groups of its roles, each once, in the order of the roles.
    pub groups: Vec<Box<str>>,
    /// The total size of their files. Each file counts once.
    pub bytes: Bytes,
}

/// The residencies with at least one role, and the total size of all files. Each file counts once.
pub(super) fn memory(derived: &Derived) -> (Vec<Footprint>, Bytes) {
    let registry = &derived.registry;
    let mut rows: Vec<Footprint> = registry.residencies.iter().map(empty).collect();
    let mut groups: BTreeSet<(usize, &str)> = BTreeSet::new();
    let mut counted: BTreeSet<(Option<usize>, &str)> = BTreeSet::new();
    let mut total = Bytes(0);
    for served in &derived.roles {
        let residency = served.serving.residency.value.number();
        let Some(row) = rows.get_mut(residency) else { continue };
        let role = registry.roles.get(served.id);
        let group = role.group.as_ref().unwrap_or(&role.head.name);
        if groups.insert((residency, group)) {
            row.groups.push(group.value.clone());
        }
        for (_, file) in served.files.iter() {
            let bytes = file.bytes.unwrap_or(Bytes(0));
            if counted.insert((Some(residency), &file.path)) {
                row.bytes = row.bytes.plus(bytes);
            }
            if counted.insert((None, &file.path)) {
                total = total.plus(bytes);
            }
        }
    }
    rows.retain(|row| !row.groups.is_empty());
    (rows, total)
}

fn empty(residency: &Residency) -> Footprint {
    Footprint {
        residency: residency.head.name.value.clone(),
        title: residency.title.value.clone(),
        groups: Vec::new(),
        bytes: Bytes(0),
    }
}
