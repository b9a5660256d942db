//! The models of a registry: each file once, in a store if several are in one folder.

use super::unique::Names;
use crate::diag::Line;
use crate::import::raise::{ModelFile, Projector};
use std::collections::BTreeMap;

/// The models, in the order of their first use.
#[derive(Debug, Default)]
pub(super) struct Models {
    names: Names,
    known: Vec<Known>,
}

#[derive(Debug)]
struct Known {
    name: String,
    file: String,
    repo: Option<String>,
    projector: Option<Projector>,
}

/// The name of the only store.
const STORE: &str = "models";

impl Models {
    /// The name of the model with a file. Paths are absolute.
    pub(super) fn add(&mut self, file: &ModelFile, projector: Option<&Projector>) -> String {
        let same = |known: &&Known| {
            known.file == file.file && known.repo == file.repo && known.projector.as_ref() == projector
        };
        if let Some(known) = self.known.iter().find(same) {
            return known.name.clone();
        }
        let name = self.names.add("model", stem(&file.file));
        self.known.push(Known {
            name: name.clone(),
            file: file.file.clone(),
            repo: file.repo.clone(),
            projector: projector.cloned(),
        });
        name
    }

    /// The store of the files, if they have a folder in common that is worth a name.
    fn store(&self) -> Option<String> {
        let files = self.known.iter().filter(|known| known.repo.is_none()).map(|known| known.file.as_str());
        let folders: Vec<&str> = files.filter_map(|file| Some(file.rsplit_once('/')?.0)).collect();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for folder in &folders {
            *counts.entry(folder).or_default() += 1;
        }
        let first = *folders.first()?;
        let common = folders.iter().fold(first, |common, folder| common_folder(common, folder));
        let common = if common.matches('/').count() > 1 {
            common
        } else {
            // A folder that most files have.
            counts.iter().max_by_key(|(_, count)| **count).map(|(folder, _)| *folder)?
        };
        (common.len() > 1 && folders.len() > 1).then(|| common.to_owned())
    }

    /// The store and the models.
    pub(super) fn lines(&self) -> Vec<(&'static str, Line)> {
        let store = self.store();
        let of_store = |path: &str| match &store {
            Some(store) => path
                .strip_prefix(store.as_str())
                .and_then(|rest| rest.strip_prefix('/'))
                .map_or_else(|| path.to_owned(), str::to_owned),
            None => path.to_owned(),
        };
        let mut lines: Vec<(&'static str, Line)> = Vec::new();
        if let Some(store) = &store {
            lines.push(("stores", Line::of("store", STORE).with(Line::of("path", store.as_str()))));
        }
        for known in &self.known {
            let mut line = Line::of("model", known.name.as_str());
            if let Some(repo) = &known.repo {
                line = line.with(Line::of("repo", repo.as_str()));
            }
            line = line.with(Line::of("file", of_store(&known.file)));
            if let Some(projector) = &known.projector {
                let mut field = Line::of("projector", of_store(&projector.file)).principal("file");
                if projector.is_on_host {
                    field = field.with(Line::of("gpu", "none"));
                }
                line = line.with(field);
            }
            lines.push(("models", line));
        }
        lines
    }
}

/// The longest folder that contains both.
fn common_folder<'p>(one: &'p str, other: &str) -> &'p str {
    let mut end = 0;
    let parts = one.split('/').zip(other.split('/'));
    for (at, (a, b)) in parts.enumerate() {
        if a != b {
            break;
        }
        end += a.len() + usize::from(at > 0);
    }
    one.get(..end).unwrap_or_default()
}

/// The name of a model: that of its file without the number of a shard.
pub fn stem(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    let name = name.strip_suffix(".gguf").unwrap_or(name);
    match name.rsplit_once("-of-") {
        Some((start, total)) if !total.is_empty() && total.bytes().all(|byte| byte.is_ascii_digit()) => {
            start.rsplit_once('-').map_or(start, |(start, _)| start)
        }
        _ => name,
    }
}
