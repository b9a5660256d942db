//! The files of a server: model, projector, template, adapters.

use super::value::literal;
use super::{ModelFile, Projector, Raiser};
use crate::diag::Line;

impl Raiser<'_> {
    /// The files: model, projector, template, adapters.
    pub(super) fn files(&mut self) {
        self.raised.model = self.model_file(["model", "hf-repo", "hf-file"]);
        self.raised.draft = self.model_file(["spec-draft-model", "spec-draft-hf", ""]);
        if let Some(given) = self.take("mmproj") {
            self.raised.projector = Some(Projector { file: given.text(), is_on_host: false });
        }
        let is_off = [
            self.switch("mmproj-offload") == Some(false),
            self.text("mmproj-device").as_deref() == Some("none"),
        ];
        if let Some(projector) = &mut self.raised.projector {
            projector.is_on_host = is_off.contains(&true);
        }
        if let Some(file) = self.text("chat-template-file") {
            self.field("template", Line::of("template", file));
        }
        let plain = self.take("lora").map(|given| given.values).unwrap_or_default();
        for file in plain.iter().flat_map(|files| files.split(',')) {
            self.field("lora", Line::of("lora", file).principal("file"));
        }
        let scaled = self.take("lora-scaled").map(|given| given.values).unwrap_or_default();
        for adapter in scaled.iter().flat_map(|files| files.split(',')) {
            let (file, scale) = adapter.rsplit_once(':').unwrap_or((adapter, "1"));
            let scale = Line { values: vec![literal(scale)], ..Line::new("scale") };
            self.field("lora", Line::of("lora", file).principal("file").with(scale));
        }
    }

    /// A model file by its path, or by its repository.
    fn model_file(&mut self, [path, repo, file]: [&str; 3]) -> Option<ModelFile> {
        let named = self.take(path);
        let repo = self.take(repo);
        let file = self.take(file);
        if let Some(given) = named {
            for other in repo.iter().chain(&file) {
                self.reason(other, "the role has the file of the model");
            }
            return Some(ModelFile {
                file: given.text(),
                repo: None,
                is_conventional: false,
                at: given.spelling.at,
            });
        }
        let given = repo?;
        let text = given.text();
        let (repo, tag) = text.split_once(':').map_or((text.as_str(), None), |(repo, tag)| (repo, Some(tag)));
        let name = match &file {
            Some(file) => file.text(),
            None => conventional_file(repo, tag),
        };
        let why = match &file {
            Some(_) => {
                "the model has the fields `repo` and `file`, and `out/bin/fetch/MODEL` downloads it; a projector of the \
                 repository needs the field `projector`"
            }
            None => {
                "the source names no file: by convention the repository has it under this name; \
                     `out/bin/fetch/MODEL` downloads it, and fails if the name is wrong; \
                 a projector of the repository needs the field `projector`"
            }
        };
        self.reason(&given, why);
        if let Some(file) = &file {
            self.reason(file, why);
        }
        Some(ModelFile {
            file: name,
            repo: Some(repo.to_owned()),
            is_conventional: file.is_none(),
            at: given.spelling.at,
        })
    }
}

/// The name that a file of a repository has by convention: `ORG/Name-GGUF:Q8_0` has `Name-Q8_0.gguf`. Without a tag,
/// llama.cpp searches for `Q4_K_M` (`common/download.cpp` of b11669).
fn conventional_file(repo: &str, tag: Option<&str>) -> String {
    let base = repo.rsplit('/').next().unwrap_or(repo);
    let base =
        ["-GGUF", "-gguf", "_GGUF", ".GGUF"].iter().find_map(|end| base.strip_suffix(end)).unwrap_or(base);
    format!("{base}-{}.gguf", tag.filter(|tag| *tag != "latest").unwrap_or("Q4_K_M").to_ascii_uppercase())
}
