//! Imports through the library: texts in, a registry and its command lines out.

use crate::support::{Compiled, compile};
use orchgen::compile::{Import, ImportOptions, import};
use orchgen::derive::ServedRole;
use orchgen::engine::{Profile, Word};
use orchgen::import::assemble::EngineChoice;
use orchgen::import::report::ServerReport;
use orchgen::import::source::FixedSurroundings;
use orchgen::import::{Format, Input, read};
use orchgen::syntax::Language;
use std::collections::BTreeMap;

/// The profile of sources that name no build.
pub(super) const PROFILE: &str = "llama.cpp-b11669";

/// Imports files of one format. All files can name each other.
#[track_caller]
pub(super) fn import_texts(
    files: &[(&str, &str)],
    format: Format,
    profile: &str,
    language: Language,
) -> Import {
    let profile = Profile::built_in(profile).unwrap_or_else(|| panic!("{profile}"));
    let around = FixedSurroundings {
        files: files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect(),
        ..FixedSurroundings::default()
    };
    let input =
        |(path, text): &(&str, &str)| Input { path: (*path).to_owned(), text: (*text).to_owned(), format };
    let sources = read(&around, "/home/ida", files.iter().map(input).collect(), profile);
    let options = ImportOptions {
        language,
        engines: EngineChoice { profile: Some(profile), ..EngineChoice::default() },
        folder: "registry".to_owned(),
        profiles: Vec::new(),
    };
    import(&sources, &options)
}

/// The compiled registry of an import.
pub(super) fn compiled(import: &Import) -> Compiled {
    let files: Vec<(&str, &str)> =
        import.files.iter().map(|file| (file.name.as_str(), file.text.as_str())).collect();
    compile(&files)
}

/// The text of the registry.
pub(super) fn registry(import: &Import) -> String {
    import.files.iter().map(|file| file.text.as_str()).collect()
}

/// The arguments of the first process of each role.
#[track_caller]
pub(super) fn arguments(compiled: &Compiled) -> BTreeMap<String, Vec<String>> {
    let checked = compiled.checked();
    let name = |served: &ServedRole| checked.registry().roles.get(served.id).head.name.value.to_string();
    let roles = checked.roles().map(|(served, command)| {
        let line = command.line(&served.endpoint, 0);
        (name(served), line.iter().map(|word| Word::text(word).to_owned()).collect())
    });
    roles.collect()
}

/// The losses and real changes of a server, as `lost WHAT` and `changed OPTION`.
pub(super) fn differences(own: &ServerReport) -> Vec<String> {
    let lost = own.lost.iter().map(|loss| format!("lost {}", loss.what));
    let changed = own.changed.iter().filter(|change| !change.form_only);
    lost.chain(changed.map(|change| format!("changed {} {} {}", change.option, change.was, change.is)))
        .collect()
}
