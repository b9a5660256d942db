//! A store: a folder of model files, and the hosts that have it.

use super::{Bytes, Host, Id, Shape, Text};
use crate::source::Spanned;

declare! {
    /// A folder of model files.
    pub item Store {
        /// The folder: an absolute path.
        path: Text = required("path", Shape::Path),
        /// Display name of the store.
        title: Option<Text> = optional("title", Shape::Text).example("Model files"),
        /// The read speed of the disk, such as `2 GB/s`. It determines the start timeout of the services.
        speed: Option<Spanned<Bytes>> = optional("speed", Shape::ByteRate),
        /// The `PersistentVolumeClaim` that has the folder in Kubernetes, such as `models`; default: the folder of the node.
        claim: Option<Text> = optional("claim", Shape::ObjectName),
        /// A host that has the store. Without `mount`, all hosts have the store at `path`; else only the hosts that are named.
        mounts: Vec<Mount> = distinct("mount", Shape::Block(&Mount::TABLE)),
    }
}

declare! {
    /// A host that has a store: `mount "small" path="/srv/models"`.
    pub block Mount = with_principal("host") {
        // `None` if the name is unknown, which is already reported.
        /// The host.
        host: Option<Spanned<Id<Host>>> = required("host", Shape::Name("host")),
        /// The folder on this host: an absolute path; default: `path` of the store.
        path: Option<Text> = optional("path", Shape::Path).example("/mnt/models"),
        /// The read speed of the disk of this host, such as `500 MB/s`; default: `speed` of the store.
        speed: Option<Spanned<Bytes>> = optional("speed", Shape::ByteRate),
    }
}

impl Store {
    /// The mount of a host.
    fn mount(&self, host: Id<Host>) -> Option<&Mount> {
        self.mounts.iter().find(|mount| mount.host.is_some_and(|one| one.value == host))
    }

    /// True if a host has the store. A mount whose host is unknown may be of any host.
    pub fn is_on(&self, host: Id<Host>) -> bool {
        self.mounts.is_empty()
            || self.mount(host).is_some()
            || self.mounts.iter().any(|mount| mount.host.is_none())
    }

    /// The folder on a host, with the place of its path.
    pub fn path_on(&self, host: Id<Host>) -> &Text {
        self.mount(host).and_then(|mount| mount.path.as_ref()).unwrap_or(&self.path)
    }

    /// The read speed of the disk of a host.
    pub fn speed_on(&self, host: Id<Host>) -> Option<Bytes> {
        self.mount(host).and_then(|mount| mount.speed).or(self.speed).map(|speed| speed.value)
    }

    /// The folders of all hosts, in the order of the mounts.
    pub fn paths(&self) -> impl Iterator<Item = &Text> {
        let own = self.mounts.is_empty().then_some(&self.path);
        own.into_iter().chain(self.mounts.iter().map(|mount| mount.path.as_ref().unwrap_or(&self.path)))
    }
}
