//! Properties of any source: reading and importing it ends without panic, each place is in its file, the written registry can be
//! read in both languages, and every report can be printed.

use orchgen::compile::{Import, ImportOptions, import, lower};
use orchgen::diag::Diagnostics;
use orchgen::diag::report::{Style, human::human, json::json};
use orchgen::engine::Profile;
use orchgen::import::assemble::EngineChoice;
use orchgen::import::source::{FixedSurroundings, Sources};
use orchgen::import::{Format, Input, read};
use orchgen::source::Loaded;
use orchgen::syntax::Language;

/// Files that a source can name.
const COMPANIONS: &[(&str, &str)] = &[
    (".env", "MODEL=/srv/m.gguf\nEMPTY=\n"),
    ("vars", "MODEL=/srv/m.gguf\nEXTRA=\"-c 512\"\n"),
    ("presets.ini", "[*]\nc = 512\n[a]\nmodel = /srv/a.gguf\n"),
    ("other.sh", "MODEL=/srv/other.gguf\n"),
    ("other.yaml", "services:\n  base:\n    image: llama.cpp:server\n    command: [-m, /srv/m.gguf]\n"),
];

/// Imports a text in the format that a byte selects.
pub(crate) fn check_source(selector: u8, text: &str) {
    let Some(profile) = Profile::built_in("llama.cpp-b11669") else { return };
    let all = Format::ALL;
    let Some(format) = all.get(usize::from(selector) % all.len()).copied() else { return };
    let around = FixedSurroundings {
        files: COMPANIONS.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect(),
        variables: [("HOME", "/home/ida"), ("MODELS", "/srv")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    };
    let named = [(Format::Systemd, "llm.service"), (Format::Quadlet, "llm.container")];
    let path = named.iter().find(|(known, _)| *known == format).map_or("input", |(_, path)| path);
    let input = Input { path: path.to_owned(), text: text.to_owned(), format };
    let sources = read(&around, "/work", vec![input], profile);
    for language in [Language::Kdl, Language::Yaml] {
        let options = ImportOptions {
            language,
            engines: EngineChoice { profile: Some(profile), ..EngineChoice::default() },
            folder: "registry".to_owned(),
            profiles: Vec::new(),
        };
        check_import(&sources, &import(&sources, &options));
    }
}

fn check_import(sources: &Sources, done: &Import) {
    let report = &done.report;
    assert_eq!(report.servers.len(), sources.servers.len() + sources.gateways.len());
    for own in &report.servers {
        check_place(sources, &own.from.file, own.from.line);
        own.changed.iter().for_each(|change| check_place(sources, &own.from.file, change.line));
        own.lost.iter().for_each(|loss| check_place(sources, &own.from.file, loss.line));
    }
    report.lost.iter().for_each(|loss| check_place(sources, &loss.file, loss.line));
    assert!(serde_json::to_string(report).is_ok());
    assert!(json(&done.findings, &done.map).ends_with("}\n"));
    assert!(human(&done.findings, &done.map, Style::default()).ends_with('\n'));
    let mut loaded = Loaded::default();
    for file in &done.files {
        loaded.map.add(file.name.clone(), file.text.clone());
    }
    let mut findings = Diagnostics::default();
    let lowered = lower(&loaded, &mut findings);
    // 1xx are the codes of syntax.
    let unread = findings.findings().iter().find(|finding| finding.code.number < 200);
    assert!(unread.is_none(), "{unread:?}");
    let roles = report.servers.iter().take(sources.servers.len()).filter(|own| own.role.is_some()).count();
    // The registry of a path that no registry can have has an error. Then the import reports it too.
    let is_reported = findings.has_errors() && done.findings.has_errors();
    assert!(is_reported || lowered.registry.roles.len() >= roles, "{roles} roles");
}

/// A line of a file, counted from 1. An empty file has one line.
fn check_place(sources: &Sources, file: &str, line: u32) {
    let known = sources.files.iter().find(|known| known.path == file);
    let lines = known.map_or(0, |known| known.text.split('\n').count());
    assert!(
        line >= 1 && usize::try_from(line).is_ok_and(|line| line <= lines),
        "{file}:{line} of {lines} lines"
    );
}
