//! The files that `orchgen lock` reads, with their paths on this machine.

use super::machine::Machine;
use crate::engine::options;
use crate::facts::missing_file;
use crate::hir::{Head, Host, Id, Model, Serving, Setting, Text};
use crate::source::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A file to read.
pub(super) struct ReadJob<'r> {
    pub(super) part: FileRole,
    /// The item that names the file.
    pub(super) owner: &'r Head,
    pub(super) place: Span,
    /// The name of its entry in the lock.
    pub(super) key: Box<str>,
    /// The file as the registry names it.
    pub(super) file: Box<str>,
    /// Its path on this machine. Empty if the store of the model is only on other hosts.
    pub(super) path: String,
    pub(super) need: Need,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FileRole {
    Model,
    Projector,
    /// An adapter (`LoRA`).
    Adapter,
    /// Another file that an option names. Only its existence is checked.
    Other,
}

/// Which machine must have a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Need {
    /// This one.
    Here,
    /// Only other hosts of the stack.
    Elsewhere(BTreeSet<Id<Host>>),
    /// One of the hosts: no role uses it, or it is unknown which host this machine is.
    Anywhere,
}

/// The hosts by what their roles use.
type Users<T> = BTreeMap<T, BTreeSet<Id<Host>>>;

impl<'r> Machine<'r> {
    /// The files to read.
    pub(super) fn jobs(self) -> Vec<ReadJob<'r>> {
        let mut jobs = Vec::new();
        let users = self.users_of_models();
        for (id, model) in self.registry.models.entries() {
            let projector = model.projector.as_ref().map(|projector| (FileRole::Projector, &projector.file));
            for (part, file) in std::iter::once((FileRole::Model, &model.file)).chain(projector) {
                let need = self.need_of_model(model, file, users.get(&id));
                let is_far = matches!(need, Need::Elsewhere(_))
                    && self.host.is_some_and(|host| !self.registry.is_file_on(model, file, host));
                jobs.push(ReadJob {
                    part,
                    owner: &model.head,
                    place: file.span,
                    key: (&*model.head.name.value).into(),
                    file: (&*file.value).into(),
                    path: if is_far { String::new() } else { self.path(model, file) },
                    need,
                });
            }
        }
        let (mut known, users) = (BTreeSet::new(), self.users_of_files());
        for (role, serving) in self.registry.served() {
            for (part, place, path) in files_of_role(serving) {
                let need = users.get(path).map_or(Need::Anywhere, |hosts| self.need(hosts));
                // The existence of a file without facts matters only where a role uses it.
                let is_read = part != FileRole::Other || !matches!(need, Need::Elsewhere(_));
                if is_read && known.insert(path) {
                    let (key, file, path) = (path.into(), path.into(), path.to_owned());
                    jobs.push(ReadJob { part, owner: &role.head, place, key, file, path, need });
                }
            }
        }
        jobs
    }

    /// The path of a file of a model. If the host is unknown, the first path of a host that exists.
    fn path(self, model: &Model, file: &Text) -> String {
        if let Some(host) = self.host {
            return self.registry.path_of(model, file, host);
        }
        let hosts = self.registry.path_hosts().filter(|host| self.registry.is_file_on(model, file, *host));
        let mut paths: Vec<String> = hosts.map(|host| self.registry.path_of(model, file, host)).collect();
        let found = paths.iter().position(|path| missing_file(Path::new(path)).is_none());
        if paths.is_empty() { file.to_string() } else { paths.swap_remove(found.unwrap_or_default()) }
    }

    /// Which machine must have a file that roles of some hosts use.
    fn need(self, users: &BTreeSet<Id<Host>>) -> Need {
        match self.host {
            None => Need::Anywhere,
            Some(host) if users.contains(&host) => Need::Here,
            Some(_) => Need::Elsewhere(users.clone()),
        }
    }

    /// Which machine must have a file of a model. Without a role, the hosts that its store names must have it.
    fn need_of_model(self, model: &Model, file: &str, users: Option<&BTreeSet<Id<Host>>>) -> Need {
        if let Some(users) = users {
            return self.need(users);
        }
        let is_only = self.registry.hosts.len() == 1;
        match self.host {
            None => Need::Anywhere,
            Some(host) if !self.registry.is_file_on(model, file, host) => {
                let others = self.registry.hosts.entries().map(|(id, _)| id);
                Need::Elsewhere(others.filter(|id| self.registry.is_file_on(model, file, *id)).collect())
            }
            Some(_) if !is_only && !self.is_mounted(model, file) => Need::Anywhere,
            Some(_) => Need::Here,
        }
    }

    /// True if the store of a file names its hosts.
    fn is_mounted(self, model: &Model, file: &str) -> bool {
        let store = model.store.map(|store| self.registry.stores.get(store.value));
        !file.starts_with('/') && store.is_some_and(|store| !store.mounts.is_empty())
    }

    /// The hosts whose roles use a model, also as a draft.
    fn users_of_models(self) -> Users<Id<Model>> {
        let mut users = Users::new();
        for (_, serving) in self.registry.served() {
            let draft = serving.draft_model().map(|(_, draft)| draft.value);
            for model in std::iter::once(serving.model.value).chain(draft) {
                users.entry(model).or_default().insert(serving.host.value);
            }
        }
        users
    }

    /// The hosts whose roles name a file.
    fn users_of_files(self) -> Users<&'r str> {
        let mut users = Users::new();
        for (_, serving) in self.registry.served() {
            for (_, _, path) in files_of_role(serving) {
                users.entry(path).or_default().insert(serving.host.value);
            }
        }
        users
    }
}

/// The files that a role names: template, adapters and files of options, each with its place and its absolute path.
fn files_of_role(serving: &Serving) -> impl Iterator<Item = (FileRole, Span, &str)> {
    let template = serving.template().map(|file| (FileRole::Other, file));
    let adapters = serving.adapters().iter().map(|adapter| (FileRole::Adapter, &adapter.file));
    let named =
        template.into_iter().chain(adapters).map(|(part, file)| (part, file.span, &*file.value as &str));
    let of_options = serving.options.iter().flat_map(|option| {
        let value = option.value.as_ref().and_then(|value| match &value.value {
            Setting::Text(text) => Some((&**text, value.span)),
            Setting::Flag(_) | Setting::Integer(_) | Setting::Float(_) => None,
        });
        value.into_iter().flat_map(|(value, span)| {
            let files = options::read_files(&option.name, value).filter(|file| file.starts_with('/'));
            files.map(move |file| (FileRole::Other, span, file))
        })
    });
    named.chain(of_options)
}
