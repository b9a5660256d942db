//! The files and folders of a pod. They have the same paths as on the host.

use crate::engine::Access;
use crate::engine::dialect::OptionPath;
use crate::hir::{Host, Id, Registry};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A file or folder of a pod.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mount {
    /// Its path inside.
    pub path: Arc<str>,
    /// Its content.
    pub source: MountSource,
    /// True if the server writes there.
    pub writes: bool,
}

impl Mount {
    /// True if a path is in this mount, or is its folder.
    pub fn has(&self, path: &str) -> bool {
        is_within(path, &self.path)
    }

    /// True if it is a file or folder of the node.
    pub fn is_of_node(&self) -> bool {
        matches!(self.source, MountSource::Folder | MountSource::File)
    }

    /// The mounts of a pod that are in another mount of it that the container cannot write. If that has no file or folder for such a
    /// mount, the container does not start: its runtime cannot create one there.
    pub fn nested_in_read_only(all: &[Self]) -> impl Iterator<Item = (&Self, &Self)> {
        all.iter().filter_map(|inner| {
            let outer = all.iter().filter(|outer| outer.path != inner.path && outer.has(&inner.path));
            let innermost = outer.max_by_key(|outer| outer.path.len())?;
            (!innermost.writes).then_some((inner, innermost))
        })
    }
}

/// The content of a mount.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MountSource {
    /// The claim of a persistent volume with this name, which has the content of a store.
    Claim(Arc<str>),
    /// The folder of the node at the same path.
    Folder,
    /// The file of the node at the same path.
    File,
    /// An empty folder, which is deleted with the pod. A restart of the container keeps it.
    Empty,
}

/// The only folder that every server can write. It is not in the list of mounts.
const TMP: &str = "/tmp";

/// Folders of the kernel, which a container has.
const OF_THE_KERNEL: [&str; 3] = ["/dev", "/proc", "/sys"];

/// The mounts on a host for model files and the paths of options, in byte order of paths. A folder that the server writes is empty, unless it
/// is also a folder with files that it reads.
pub(super) fn mounts<'a>(
    (registry, host): (&Registry, Id<Host>),
    files: impl Iterator<Item = &'a str>,
    paths: impl IntoIterator<Item = &'a OptionPath>,
) -> Vec<Mount> {
    let paths: Vec<&OptionPath> = paths.into_iter().collect();
    let mut found = Found { registry, host, all: BTreeMap::new() };
    for file in files {
        match parent(file) {
            "/" => found.read(file, MountSource::File),
            folder => found.read(folder, MountSource::Folder),
        }
    }
    let used = |access: Access| {
        let paths = paths.iter().filter(move |one| one.access == access && is_mounted(&one.path));
        paths.map(|one| (without_slashes(&one.path), one.is_folder))
    };
    for (path, is_folder) in used(Access::Read) {
        found.read(path, if is_folder { MountSource::Folder } else { MountSource::File });
    }
    found.remove_nested();
    for (path, is_folder) in used(Access::Write) {
        found.write(if is_folder { path } else { parent(path) });
    }
    found.all.into_values().collect()
}

struct Found<'r> {
    registry: &'r Registry,
    host: Id<Host>,
    all: BTreeMap<Arc<str>, Mount>,
}

impl Found<'_> {
    /// Adds a path that the server reads, or the claim with it.
    fn read(&mut self, path: &str, source: MountSource) {
        let (path, source) = self.claim(path).unwrap_or((path.into(), source));
        self.all.entry(path.clone()).or_insert(Mount { path, source, writes: false });
    }

    /// The claim of the innermost store that has a path, and the folder of the store.
    fn claim(&self, path: &str) -> Option<(Arc<str>, MountSource)> {
        let host = self.host;
        let claimed = self.registry.stores.iter().filter(|store| store.is_on(host));
        let claimed = claimed.filter_map(|store| {
            Some((without_slashes(store.path_on(host)), store.claim.as_ref()?.value.clone()))
        });
        let inside = claimed.filter(|(folder, _)| is_within(path, folder));
        let (folder, claim) = inside.max_by_key(|(folder, _)| folder.len())?;
        Some((folder.into(), MountSource::Claim(claim)))
    }

    /// Removes files and folders of the node below another folder of the node.
    fn remove_nested(&mut self) {
        let folders: Vec<Arc<str>> = (self.all.values())
            .filter(|mount| mount.source == MountSource::Folder)
            .map(|mount| mount.path.clone())
            .collect();
        self.all.retain(|path, mount| {
            !mount.is_of_node() || !folders.iter().any(|folder| folder != path && is_within(path, folder))
        });
    }

    /// Adds a folder that the server writes. The checks report the root folder.
    fn write(&mut self, folder: &str) {
        if folder == TMP {
            return;
        }
        let empty = || Mount { path: folder.into(), source: MountSource::Empty, writes: true };
        self.all.entry(folder.into()).or_insert_with(empty).writes = true;
    }
}

/// True for a path of an option that needs a mount: a relative path is in the folder of the image.
fn is_mounted(path: &str) -> bool {
    path.starts_with('/') && path != "/" && !OF_THE_KERNEL.iter().any(|kernel| is_within(path, kernel))
}

/// True if a path is a folder or below it.
fn is_within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder.trim_end_matches('/'))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The folder of a path.
fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("/", |(folder, _)| if folder.is_empty() { "/" } else { folder })
}

/// A path without slashes at its end.
fn without_slashes(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" => "/",
        kept => kept,
    }
}
