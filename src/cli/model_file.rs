//! Model files as items of a registry, for `orchgen init` and `orchgen add model`.

use crate::diag::{Line, words};
use crate::facts::{Facts, ModelHeaders, ValueData, VocabularyDetail};
use crate::hir::{Bytes, first_shard};
use crate::import::assemble::{slug, stem};
use std::path::Path;

/// The architecture of projectors (llama.cpp b11434, `src/llama-arch.cpp`).
const PROJECTOR: &str = "clip";

/// The content of a GGUF file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum GgufKind {
    /// A model.
    Model,
    /// A multimodal projector.
    Projector,
    /// An adapter (`LoRA`).
    Adapter,
    /// Neither: it has no architecture.
    Other,
}

/// A file of a model or a projector, with its facts.
#[derive(Clone, Debug)]
pub(super) struct GgufFile {
    /// Its path, as the registry writes it.
    pub(super) file: String,
    /// Its kind.
    pub(super) kind: GgufKind,
    /// The facts of all its shards.
    pub(super) facts: Facts,
}

impl GgufFile {
    /// Reads the headers of a file at `path`. An error is a sentence without a subject.
    pub(super) fn read(path: &Path, file: &str) -> Result<Self, String> {
        if let Some(first) = first_shard(file) {
            return Err(format!("is a later shard: name the first one, {}", words::quoted(&first)));
        }
        let headers = ModelHeaders::read(path, VocabularyDetail::Digests).map_err(|error| {
            let shard = error.shard.map(|shard| format!("shard {shard}: ")).unwrap_or_default();
            words::printable(&format!("cannot be read: {shard}{}", error.cause))
        })?;
        let facts = Facts::from_headers(file, &headers);
        if !facts.shards_missing.is_empty() {
            let missing: Vec<String> = facts.shards_missing.iter().map(ToString::to_string).collect();
            return Err(format!(
                "lacks {} of its {} shards: {}",
                facts.shards_missing.len(),
                facts.shards.unwrap_or_default(),
                missing.join(", ")
            ));
        }
        Ok(Self { file: file.to_owned(), kind: kind(&headers, &facts), facts })
    }

    /// The name without folder, ending and shard number, in lower case. Without the quantization if it ends with it.
    pub(super) fn base(&self) -> String {
        let stem = stem(&self.file).to_lowercase();
        let quant = self.facts.quant.as_deref().unwrap_or_default().to_lowercase();
        let base = stem.strip_suffix(&quant).filter(|_| !quant.is_empty());
        let base = base.and_then(|base| base.strip_suffix(['-', '.', '_'])).unwrap_or(&stem);
        slug(base.strip_suffix("-ud").unwrap_or(base))
    }

    /// The name with the quantization.
    pub(super) fn full_name(&self) -> String {
        slug(&stem(&self.file).to_lowercase())
    }

    /// The folder of the file. Empty if its path has none.
    pub(super) fn folder(&self) -> &str {
        self.file.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// The item of a model.
    pub(super) fn line(&self, name: &str, family: Option<&str>, projector: Option<&str>) -> Line {
        let mut line = Line::of("model", name);
        let arch = self.facts.architecture.as_deref();
        let kind = family.map(|family| ("family", family)).or(arch.map(|arch| ("arch", arch)));
        line = line.with_each(kind.map(|(field, word)| Line::of(field, word)));
        line = line.with_each(self.facts.quant.as_deref().map(|quant| Line::of("quant", quant)));
        line = line.with(Line::of("size", Bytes(self.facts.size).to_string()));
        line = line.with(Line::of("file", self.file.as_str()));
        line.with_each(projector.map(|file| Line::of("projector", file)))
    }
}

fn kind(headers: &ModelHeaders, facts: &Facts) -> GgufKind {
    let general = headers.first.values.get("general.type").map(|value| &value.data);
    match (general, facts.architecture.as_deref()) {
        (Some(ValueData::Text(kind)), _) if &**kind == "adapter" => GgufKind::Adapter,
        (_, Some(PROJECTOR)) => GgufKind::Projector,
        (_, Some(_)) => GgufKind::Model,
        (_, None) => GgufKind::Other,
    }
}

/// The projectors that fit a model: those in its folder, of the same width of embeddings. If the folder has several
/// models, only those with a part of its name.
pub(super) fn projectors_of<'f>(model: &GgufFile, all: &'f [GgufFile]) -> Vec<&'f GgufFile> {
    let is_neighbor = |other: &&GgufFile| other.folder() == model.folder();
    let width = model.facts.number("embedding_length");
    let fits = |projector: &&GgufFile| {
        let own = projector.facts.projector_width;
        own.zip(width).is_none_or(|(own, width)| own == width)
    };
    let mut bases: Vec<String> = all
        .iter()
        .filter(|other| other.kind == GgufKind::Model)
        .filter(is_neighbor)
        .map(GgufFile::base)
        .collect();
    bases.sort_unstable();
    bases.dedup();
    let base = model.base();
    let is_named = |projector: &&GgufFile| bases.len() < 2 || names_model(projector, &base);
    let projectors = all.iter().filter(|other| other.kind == GgufKind::Projector);
    projectors.filter(is_neighbor).filter(fits).filter(is_named).collect()
}

/// True if the name of a projector has the name of the model.
fn names_model(projector: &GgufFile, base: &str) -> bool {
    let name = projector.full_name();
    let mut rest = name.as_str();
    while let Some(at) = rest.find(base) {
        let (before, after) =
            (rest.get(..at).unwrap_or_default(), rest.get(at + base.len()..).unwrap_or_default());
        let is_end = |c: char| !c.is_ascii_alphanumeric();
        if (before.is_empty() || before.ends_with(is_end)) && (after.is_empty() || after.starts_with(is_end))
        {
            return true;
        }
        rest = after;
    }
    false
}
