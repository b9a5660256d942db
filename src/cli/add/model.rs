//! `orchgen add model`.

use super::{Target, TargetArgs};
use crate::cli::args::OutputArgs;
use crate::cli::model_file::{GgufFile, GgufKind, projectors_of};
use crate::cli::{RunStatus, session};
use crate::diag::{Line, words};
use crate::hir::{ItemKind, Model, Registry};
use crate::render::quote::shell;
use crate::source::file_names;
use clap::Args as Arguments;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

pub(super) const EXAMPLES: &str = "Examples:
  orchgen add model /srv/models/Qwen3-8B-Q4_K_M.gguf
  orchgen add model Qwen3-8B-Q4_K_M.gguf --name coder --dry-run";

/// The most files next to a model that are read to find its projector.
const MAX_NEIGHBORS: usize = 1000;

/// The word for no projector.
const NO_PROJECTOR: &str = "none";

#[derive(Arguments, Debug)]
pub(super) struct AddModelArgs {
    /// GGUF file; for a sharded model, the first shard
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Name of the model. The default is made of the name of the file
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// File of the multimodal projector, or `none`. The default is the only one next to the model that fits it
    #[arg(long, value_name = "FILE")]
    projector: Option<PathBuf>,
    #[command(flatten)]
    target: TargetArgs,
}

pub(super) fn run(command: &AddModelArgs, output: OutputArgs) -> Result<RunStatus, RunStatus> {
    let target = Target::read(&command.target)?;
    let registry = target.registry();
    let path = absolute(&command.file).map_err(session::fail)?;
    let place = Place::of(&path, &registry);
    let shown = words::quoted(&command.file.to_string_lossy());
    let model = GgufFile::read(&path, &place.file).map_err(|why| session::fail(format!("{shown} {why}")))?;
    check_kind(&model, &shown).map_err(session::fail)?;
    let real = path.canonicalize().ok();
    let is_same = |known: &&Model| {
        registry.path_hosts().any(|host| {
            let known = registry.path_of(known, &known.file.value, host);
            Path::new(&known) == path || real.is_some() && Path::new(&known).canonicalize().ok() == real
        })
    };
    let known = registry.models.iter().find(is_same);
    if let Some(known) = known {
        return Err(session::fail(format!("{} already has this file", known.head)));
    }
    let name = name(command, &model, &registry);
    let projector = projector(command, &path, &model, &place, output)?;
    let mut line = model.line(&name, family(&registry, &model), projector.as_deref());
    line = line.with_each(place.store.as_deref().map(|store| Line::of("store", store)));
    let kind = ItemKind::of_word("model").ok_or(RunStatus::CannotRun)?;
    let added = target.add(kind, &line)?;
    target.finish(&added, output)?;
    if !output.quiet && !command.target.dry_run {
        session::print_stderr(&format!(
            "added model {}\nnext: run `orchgen add role NAME --model {}{}`\n",
            words::quoted(&name),
            shell(&name),
            target.registry_option()
        ));
    }
    Ok(RunStatus::Clean)
}

/// An absolute path without `..`. The last part can be a symlink, as the files of a cache of the hub are.
fn absolute(path: &Path) -> std::io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    let is_up = |part: std::path::Component| part == std::path::Component::ParentDir;
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) if path.components().any(is_up) => {
            Ok(folder.canonicalize().map_or_else(|_| path.clone(), |folder| folder.join(name)))
        }
        _ => Ok(path),
    }
}

/// An error for a file that is no model, with the way to use it.
fn check_kind(file: &GgufFile, shown: &str) -> Result<(), String> {
    match file.kind {
        GgufKind::Model => Ok(()),
        GgufKind::Projector => {
            Err(format!("{shown} is a multimodal projector: add its model, with `--projector FILE`"))
        }
        GgufKind::Adapter => Err(format!("{shown} is a LoRA adapter: name it as `lora` of a role")),
        GgufKind::Other => Err(format!("{shown} has no architecture, so it is not a model")),
    }
}

/// How the registry names a file.
struct Place {
    /// The path below the store, or the absolute path.
    file: String,
    /// The folder of the store. Empty for an absolute path.
    folder: PathBuf,
    /// The store, if there are several.
    store: Option<String>,
}

impl Place {
    /// The place in the innermost store that has the file, else an absolute path.
    fn of(path: &Path, registry: &Registry) -> Self {
        let folders = registry.stores.iter().flat_map(|store| store.paths().map(move |path| (store, path)));
        let stores = folders.filter_map(|(store, folder)| {
            let folder = Path::new(&*folder.value);
            let file = path.strip_prefix(folder).ok().map(Path::to_owned);
            // The store or the path can have symlinks.
            let file =
                file.or_else(|| Some(path.strip_prefix(folder.canonicalize().ok()?).ok()?.to_owned()))?;
            Some((
                file.to_string_lossy().into_owned(),
                path.ancestors().nth(file.components().count())?.to_owned(),
                store,
            ))
        });
        let Some((file, folder, store)) = stores.min_by_key(|(file, ..)| file.len()) else {
            return Self { file: path.to_string_lossy().into_owned(), folder: PathBuf::new(), store: None };
        };
        let name = store.head.name.value.to_string();
        Self { file, folder, store: Some(name).filter(|_| registry.stores.len() > 1) }
    }

    /// How the registry names another file. Only a file in the same store has a path below it.
    fn name(&self, path: &Path) -> String {
        path.strip_prefix(&self.folder).unwrap_or(path).to_string_lossy().into_owned()
    }
}

/// The given name, else that of the file without its quantization, if it is free.
fn name(command: &AddModelArgs, model: &GgufFile, registry: &Registry) -> String {
    let is_used = |name: &str| registry.models.iter().any(|known| *known.head.name.value == *name);
    command.name.clone().unwrap_or_else(|| {
        let base = model.base();
        if is_used(&base) { model.full_name() } else { base }
    })
}

/// The only family of the architecture of a model.
fn family<'r>(registry: &'r Registry, model: &GgufFile) -> Option<&'r str> {
    let arch = model.facts.architecture.as_deref()?;
    let mut same = registry.families.iter().filter(|family| *family.arch.value == *arch);
    let only = same.next()?;
    same.next().is_none().then_some(&*only.head.name.value)
}

/// The projector: the given one, or the only one next to the model that fits it.
fn projector(
    command: &AddModelArgs,
    path: &Path,
    model: &GgufFile,
    place: &Place,
    output: OutputArgs,
) -> Result<Option<String>, RunStatus> {
    if let Some(given) = &command.projector {
        if given.as_os_str() == NO_PROJECTOR {
            return Ok(None);
        }
        let shown = words::quoted(&given.to_string_lossy());
        let path = absolute(given).map_err(session::fail)?;
        let read = GgufFile::read(&path, &place.name(&path));
        let read = read.map_err(|why| session::fail(format!("{shown} {why}")))?;
        if read.kind != GgufKind::Projector {
            return Err(session::fail(format!("{shown} is no multimodal projector")));
        }
        return Ok(Some(read.file));
    }
    let neighbors = neighbors(path, place);
    match projectors_of(model, &neighbors).as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(only.file.clone())),
        several => {
            if !output.quiet {
                let names: Vec<String> = several.iter().map(|file| words::quoted(&file.file)).collect();
                let names = words::all_of(&names);
                session::print_stderr(&format!(
                    "note: several projectors fit: {names}; `--projector FILE` selects one\n"
                ));
            }
            Ok(None)
        }
    }
}

/// The model files in the folder of a model, the model included.
fn neighbors(path: &Path, place: &Place) -> Vec<GgufFile> {
    let Some(folder) = path.parent() else { return Vec::new() };
    let names = file_names(folder).into_iter().filter(|name| name.to_lowercase().ends_with(".gguf"));
    let paths: Vec<PathBuf> = names.take(MAX_NEIGHBORS).map(|name| folder.join(name)).collect();
    paths.par_iter().filter_map(|path| GgufFile::read(path, &place.name(path)).ok()).collect()
}
