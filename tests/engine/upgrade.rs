//! One registry under every build: the build accepts all command lines, or orchgen reports findings at the field.

use super::{assert_accepts, profile, profiles};
use crate::support::{Compiled, compile, compile_folder};
use orchgen::derive::Derived;
use orchgen::diag::{Diagnostics, Severity};
use orchgen::engine::Profile;
use orchgen::engine::dialect::Lowered;
use std::collections::BTreeMap;

const FORK: &str = "llama.cpp-2026-03-fork";
const NEW: &str = "llama.cpp-b11669";

fn folder() -> std::path::PathBuf {
    crate::support::repository().join("registry")
}

/// The texts of the registry of the project, with another profile instead of that of the fork.
fn texts(profile: &str) -> Vec<(String, String)> {
    let mut texts: Vec<(String, String)> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "kdl" || ending == "yaml"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).unwrap().replace(FORK, profile))
        })
        .collect();
    texts.sort();
    texts
}

fn under(profile: &str) -> Compiled {
    let texts = texts(profile);
    compile(&texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect::<Vec<_>>())
}

/// Everything that follows from the registry of a compilation, with an upgrade of its engines.
pub(super) fn derived(compiled: &Compiled, upgrade: Option<(&str, &Profile)>) -> Derived {
    let findings = &mut Diagnostics::default();
    orchgen::compile::lower(&compiled.loaded, findings).derive(upgrade, findings)
}

/// The command lines of all server processes and one-shot commands.
pub(super) fn lines(derived: &Derived) -> Vec<Lowered> {
    let mut lines = Vec::new();
    for (_, role, command) in derived.commands() {
        let instances = 0..role.endpoint.ports.len();
        let line = |n| Lowered { args: command.line(&role.endpoint, n), ..command.server().clone() };
        lines.extend(instances.map(line).chain(command.one_shot.as_deref().cloned()));
    }
    lines
}

/// Options whose defaults cost memory, open a port or have changed. Each must be on the command line if the program has it.
const EXPLICIT: &[&str] = &[
    "-m",
    "-c",
    "-np",
    "-b",
    "-ub",
    "--host",
    "--port",
    "--fit",
    "--cache-ram",
    "-ctxcp",
    "--no-kv-unified",
    "--spec-type",
];
/// The same for one-shot programs.
const EXPLICIT_ONE_SHOT: &[&str] = &["-m", "-c", "--fit", "--cache-ram", "-ctxcp", "-p"];

#[track_caller]
fn assert_explicit(build: &str, lowered: &Lowered) {
    let explicit = if lowered.tool == "llama-server" { EXPLICIT } else { EXPLICIT_ONE_SHOT };
    let speculates = ["-md", "--lookup-ngram-min", "--spec-ngram-size-n", "--spec-ngram-simple-size-n"];
    let speculates = lowered.texts().iter().any(|arg| speculates.contains(arg));
    for name in explicit.iter().filter(|name| !(speculates && **name == "--spec-type")) {
        let has = profile(build).first_spelling(lowered.tool, &[*name]).is_some();
        let line = lowered.texts().join(" ");
        assert_eq!(lowered.texts().contains(name), has, "{name} of {build}: {} {line}", lowered.tool);
    }
}

#[test]
fn the_registry_of_the_project_under_every_build() {
    let mut codes = BTreeMap::new();
    for profile in profiles() {
        let compiled = under(profile.name());
        let findings = compiled.findings.findings();
        codes.insert(profile.build(), compiled.codes());
        for finding in findings {
            assert_eq!(finding.severity, Severity::Error, "{}", compiled.report());
            let place = compiled.loaded.map.text(finding.primary.span);
            assert!(["3", "lookup: 3", "lookup"].iter().any(|text| place.trim() == *text), "{place}");
        }
        let mut written = 0;
        for lowered in lines(&derived(&compiled, None)) {
            assert_accepts(profile, lowered.tool, &lowered.args);
            if lowered.errors.is_empty() && !lowered.args.is_empty() {
                assert_explicit(profile.build(), &lowered);
                written += 1;
            }
        }
        assert!(written >= 12, "{}: {written}", profile.name());
    }
    // These builds accept only one speculation type, and two roles need two.
    let two = vec!["engine-cannot"; 2];
    assert_eq!(codes["2026-03-22-g49bfddeca"], two);
    assert_eq!(codes["b9093"], two);
    for build in ["2026-03-fork", "b10434", "b11434", "b11669"] {
        assert_eq!(codes[build], [""; 0], "{build}");
    }
}

#[test]
fn an_upgrade_changes_only_files_that_depend_on_the_profile_and_can_be_undone() {
    let (fork, new) = (under(FORK).files(), under(NEW).files());
    let back = under(FORK).files();
    assert!(fork == back, "the downgrade gives the same files");
    assert_eq!(fork.keys().collect::<Vec<_>>(), new.keys().collect::<Vec<_>>());
    let changed: Vec<&String> = fork.keys().filter(|path| fork[*path] != new[*path]).collect();
    let depends_on_profile = |path: &str| {
        path.starts_with("bin/")
            || path.ends_with(".service")
            || path == "stack.json"
            || path == "deploy.json"
            || path == "report.html"
            || path == "docs/MODEL_REFERENCE.md"
    };
    assert!(changed.len() > 20 && changed.iter().all(|path| depends_on_profile(path)), "{changed:?}");
    let coder = &new["systemd/epyc-coder_escalation.service"].0;
    assert!(
        coder.contains("--spec-type ngram-simple,draft-simple") && !coder.contains("--draft-max"),
        "{coder}"
    );
}

#[test]
fn command_lines_of_another_build_are_computed_without_changing_the_registry() {
    let compiled = compile_folder(&folder());
    let predicted = lines(&derived(&compiled, Some((FORK, profile("b11669")))));
    let actual = lines(&derived(&under(NEW), None));
    assert!(predicted == actual && predicted.len() > 12, "{}", predicted.len());
    let unchanged = lines(&derived(&compiled, Some(("llama.cpp-b9093", profile("b11669")))));
    assert_ne!(unchanged, actual, "the engine does not use this profile");
}
