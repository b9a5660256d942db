//! The models in folders: a store for each folder, and an item for each model file.

use super::host::Described;
use crate::cli::model_file::{GgufFile, GgufKind, projectors_of};
use crate::diag::{Line, words};
use crate::import::assemble::slug;
use crate::source::{ModelFiles, model_files};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The name of the only store.
const STORE: &str = "models";

/// The stores and models of some folders, with the comments about other files.
#[derive(Default)]
pub(super) struct FoundModels {
    pub(super) stores: Vec<Described>,
    pub(super) models: Vec<Described>,
    /// The name of the largest model.
    pub(super) largest: Option<String>,
}

/// A folder with its model files.
struct Folder {
    store: String,
    path: String,
    files: Vec<GgufFile>,
    comments: Vec<String>,
}

/// Reads the model files of some folders. An error names a folder that cannot be read.
pub(super) fn find(folders: &[PathBuf]) -> Result<FoundModels, String> {
    let mut names: BTreeSet<String> = BTreeSet::new();
    let mut paths: BTreeSet<PathBuf> = BTreeSet::new();
    let mut all = Vec::new();
    for folder in folders {
        let path = std::path::absolute(folder).map_err(|error| error.to_string())?;
        if !paths.insert(path.clone()) {
            continue;
        }
        let wanted = if folders.len() == 1 { STORE.to_owned() } else { store_name(&path) };
        let name = unique_name(&wanted, &mut names);
        all.push(read(name, &path)?);
    }
    Ok(describe(&all))
}

fn store_name(path: &Path) -> String {
    slug(&path.file_name().unwrap_or_default().to_string_lossy().to_lowercase())
}

fn read(store: String, path: &Path) -> Result<Folder, String> {
    let shown = path.to_string_lossy().trim_end_matches('/').to_owned();
    let name = words::quoted(&shown);
    let found = model_files(path).map_err(|error| format!("cannot read the folder {name}: {error}"))?;
    let ModelFiles { files: names, is_cut, unnamed } = found;
    let firsts: Vec<&String> = names.iter().filter(|name| crate::hir::first_shard(name).is_none()).collect();
    let read = |name: &&String| ((*name).clone(), GgufFile::read(&path.join(name), name));
    let mut folder = Folder { store, path: shown, files: Vec::new(), comments: Vec::new() };
    for (file, result) in firsts.par_iter().map(read).collect::<Vec<_>>() {
        match result {
            Ok(read) => folder.files.push(read),
            Err(why) => folder.comments.push(format!("Not used: {} {why}.", words::printable(&file))),
        }
    }
    if is_cut {
        folder
            .comments
            .push("The folder has more files than were examined: name smaller folders.".to_owned());
    }
    if unnamed > 0 {
        folder.comments.push(format!("{} have names that are not UTF-8.", words::count(unnamed, "file")));
    }
    if folder.files.iter().all(|file| file.kind != GgufKind::Model) {
        folder.comments.push("No model (*.gguf) was found here.".to_owned());
    }
    Ok(folder)
}

/// Why the models of a store may be unused.
const INVENTORY: &str = "all models of the folder are listed, and roles use some of them";

fn describe(folders: &[Folder]) -> FoundModels {
    let mut found = FoundModels::default();
    let models =
        || folders.iter().flat_map(|folder| folder.files.iter()).filter(|file| file.kind == GgufKind::Model);
    let mut bases: BTreeMap<String, usize> = BTreeMap::new();
    models().for_each(|file| *bases.entry(file.base()).or_default() += 1);
    let mut used: BTreeSet<String> = BTreeSet::new();
    let mut largest = 0;
    for folder in folders {
        let store = Line::of("store", folder.store.as_str()).with(Line::of("path", folder.path.as_str()));
        let has_models = folder.files.iter().any(|file| file.kind == GgufKind::Model);
        let allow = Line::of("allow", "unused-item").principal("code").with(Line::of("because", INVENTORY));
        let store = store.with_each(has_models.then_some(allow));
        let mut comments = folder.comments.clone();
        comments.extend(folder.files.iter().filter_map(other_file));
        found.stores.push(Described { line: store, comments });
        for file in folder.files.iter().filter(|file| file.kind == GgufKind::Model) {
            let base = file.base();
            let is_single = bases.get(&base) == Some(&1);
            let wanted = if is_single { base } else { file.full_name() };
            let name = unique_name(&wanted, &mut used);
            if file.facts.size > largest {
                (largest, found.largest) = (file.facts.size, Some(name.clone()));
            }
            let mut described = model(file, &name, &folder.files);
            if folders.len() > 1 {
                described.line.fields.push(Line::of("store", folder.store.as_str()));
            }
            found.models.push(described);
        }
    }
    found
}

/// A name that no other item has.
fn unique_name(wanted: &str, used: &mut BTreeSet<String>) -> String {
    let mut name = wanted.to_owned();
    for number in 2.. {
        if used.insert(name.clone()) {
            break;
        }
        name = format!("{wanted}-{number}");
    }
    name
}

/// The comment about a file that no item names.
fn other_file(file: &GgufFile) -> Option<String> {
    let name = words::printable(&file.file);
    match file.kind {
        GgufKind::Model | GgufKind::Projector => None,
        GgufKind::Adapter => Some(format!("{name} is a LoRA adapter: name it as `lora` of a role.")),
        GgufKind::Other => Some(format!("{name} has no architecture, so it is not a model.")),
    }
}

/// The item of a model, with its only projector.
fn model(file: &GgufFile, name: &str, all: &[GgufFile]) -> Described {
    let projectors = projectors_of(file, all);
    let mut comments = Vec::new();
    let projector = match projectors.as_slice() {
        [] => None,
        [only] => Some(only.file.as_str()),
        several => {
            let names: Vec<String> = several.iter().map(|file| words::quoted(&file.file)).collect();
            comments
                .push(format!("For images, write one of these as `projector`: {}.", words::all_of(&names)));
            None
        }
    };
    Described { line: file.line(name, None, projector), comments }
}
