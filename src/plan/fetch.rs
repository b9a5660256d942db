//! The downloads of models from their repositories.

use crate::hir::{Model, Registry, Repo, all_shards};
use std::sync::Arc;

/// The files of a model in a repository.
#[derive(Debug)]
pub struct Fetch {
    /// The name of the model.
    pub model: Arc<str>,
    /// Its title.
    pub title: Arc<str>,
    /// The repository.
    pub repo: Arc<str>,
    /// The branch, tag or commit.
    pub revision: Arc<str>,
    /// The files.
    pub files: Vec<FetchedFile>,
    /// The paths of the files, by host. One place if the paths of all hosts are the same.
    pub places: Vec<FetchPlace>,
}

/// The paths of the files on some hosts.
#[derive(Debug)]
pub struct FetchPlace {
    /// The names of the hosts.
    pub hosts: Vec<Arc<str>>,
    /// The path of each file.
    pub paths: Vec<String>,
}

/// One file to download.
#[derive(Debug)]
pub struct FetchedFile {
    /// Its address below that of the hub, without the leading slash.
    pub source: String,
    /// Its declared SHA-256.
    pub sha256: Option<Arc<str>>,
}

/// The models with a repository, in the order of declaration.
pub(super) fn fetches(registry: &Registry) -> Vec<Fetch> {
    let with_repo = registry.models.iter().filter_map(|model| Some((model, &model.repo.as_ref()?.value)));
    with_repo.map(|(model, repo)| fetch(registry, model, repo)).collect()
}

fn fetch(registry: &Registry, model: &Model, repo: &Repo) -> Fetch {
    let revision = repo.revision.as_ref().map_or_else(|| "main".into(), |revision| revision.value.clone());
    let source = |file: &str| {
        // The repository does not know the folders of an absolute path.
        let name = if file.starts_with('/') { file.rsplit('/').next().unwrap_or(file) } else { file };
        let (repo, revision) = (&*repo.name.value, encoded(&revision, b""));
        format!("{repo}/resolve/{revision}/{}", encoded(name, b"/"))
    };
    let weights = all_shards(&model.file);
    let sums =
        std::iter::once(repo.sha256.as_ref().map(|sum| sum.value.clone())).chain(std::iter::repeat(None));
    let projector = model.projector.as_ref().map(|projector| &*projector.file.value);
    let names: Vec<&str> = weights.iter().map(|name| &**name).chain(projector).collect();
    let files =
        names.iter().zip(sums).map(|(name, sha256)| FetchedFile { source: source(name), sha256 }).collect();
    let places = places(registry, model, &names);
    let (name, title) = (model.head.name.value.clone(), model.title.value.clone());
    Fetch { model: name, title, repo: repo.name.value.clone(), revision, files, places }
}

/// The paths of some files of a model, by host.
fn places(registry: &Registry, model: &Model, files: &[&str]) -> Vec<FetchPlace> {
    let mut places: Vec<FetchPlace> = Vec::new();
    for host in registry.path_hosts() {
        if !files.iter().all(|file| registry.is_file_on(model, file, host)) {
            continue;
        }
        let paths: Vec<String> = files.iter().map(|file| registry.path_of(model, file, host)).collect();
        let name = registry.hosts.get(host).head.name.value.clone();
        match places.iter_mut().find(|place| place.paths == paths) {
            Some(place) => place.hosts.push(name),
            None => places.push(FetchPlace { hosts: vec![name], paths }),
        }
    }
    places
}

/// A text as a part of a URL. The bytes in `kept` stay, in addition to those that never need a code.
fn encoded(text: &str, kept: &[u8]) -> String {
    let code = |byte: u8| {
        let is_plain = byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || kept.contains(&byte);
        if is_plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(code).collect()
}
