//! The same registry under every build: command lines that the build accepts, or findings at the field.

use super::{assert_accepts, profile, profiles};
use crate::support::{Compiled, compile, compile_folder};
use orchgen::check::Ground;
use orchgen::diag::{Diagnostics, Severity};
use orchgen::engine::dialect::Lowered;
use orchgen::hir::Registry;
use std::collections::BTreeMap;
use std::path::Path;

const FORK: &str = "llama.cpp-2026-03-fork";
const NEW: &str = "llama.cpp-b11669";

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("registry")
}

/// The texts of the project's own registry with one profile in the place of the fork's.
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

/// The command lines of all processes and of the one-shot commands.
fn lines(registry: &Registry, ground: &Ground) -> Vec<Lowered> {
    let mut lines = Vec::new();
    for (_, serving) in registry.served() {
        lines.extend((0..serving.ports.len()).filter_map(|n| ground.serve(serving, n)));
        if serving.pooling.is_none() {
            lines.extend(ground.prompt(serving.model.value, serving, ("prompt", "image.png")));
        }
    }
    lines
}

/// Options whose defaults cost memory, open a port or have moved; each is written where the program has it.
const SETTLED: &[&str] = &[
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
/// The same of the programs for a person.
const SETTLED_ONCE: &[&str] = &["-m", "-c", "--fit", "--cache-ram", "-ctxcp", "-p"];

#[track_caller]
fn assert_settled(build: &str, lowered: &Lowered) {
    let settled = if lowered.tool == "llama-server" { SETTLED } else { SETTLED_ONCE };
    let speculates = ["-md", "--lookup-ngram-min", "--spec-ngram-size-n", "--spec-ngram-simple-size-n"];
    let speculates = lowered.args.iter().any(|arg| speculates.contains(&&**arg));
    for name in settled.iter().filter(|name| !(speculates && **name == "--spec-type")) {
        let has = profile(build).spelling(lowered.tool, &[*name]).is_some();
        let line = lowered.args.join(" ");
        assert_eq!(
            lowered.args.iter().any(|arg| arg == name),
            has,
            "{name} of {build}: {} {line}",
            lowered.tool
        );
    }
}

#[test]
fn our_own_roles_under_every_build() {
    let mut said = BTreeMap::new();
    for profile in profiles() {
        let compiled = under(profile.name());
        let findings = compiled.findings.findings();
        said.insert(profile.build(), compiled.codes());
        for finding in findings {
            assert_eq!(finding.severity, Severity::Error, "{}", compiled.report());
            let place = compiled.loaded.map.text(finding.primary.span);
            assert!(["3", "lookup: 3", "lookup"].iter().any(|text| place.trim() == *text), "{place}");
        }
        let registry = orchgen::compile::lower(&compiled.loaded, &mut Diagnostics::default());
        let ground = Ground::new(registry, &[], orchgen::facts::Lock::default());
        let mut written = 0;
        for lowered in lines(ground.registry(), &ground) {
            assert_accepts(profile, lowered.tool, &lowered.args);
            if lowered.cannot.is_empty() && !lowered.args.is_empty() {
                assert_settled(profile.build(), &lowered);
                written += 1;
            }
        }
        assert!(written >= 12, "{}: {written}", profile.name());
    }
    // One word for the kind of speculation, and two roles that want two.
    let two = vec!["engine-cannot"; 2];
    assert_eq!(said["2026-03-22-g49bfddeca"], two);
    assert_eq!(said["b9093"], two);
    for build in ["2026-03-fork", "b10434", "b11434", "b11669"] {
        assert_eq!(said[build], [""; 0], "{build}");
    }
}

#[test]
fn an_upgrade_and_back_touches_what_follows_from_the_profile_alone() {
    let (fork, new) = (under(FORK).files(), under(NEW).files());
    let back = under(FORK).files();
    assert!(fork == back, "the way back makes the same files");
    assert_eq!(fork.keys().collect::<Vec<_>>(), new.keys().collect::<Vec<_>>());
    let changed: Vec<&String> = fork.keys().filter(|path| fork[*path] != new[*path]).collect();
    let serves = |path: &str| {
        path.starts_with("bin/")
            || path.ends_with(".service")
            || path == "stack.json"
            || path == "docs/MODEL_REFERENCE.md"
    };
    assert!(changed.len() > 20 && changed.iter().all(|path| serves(path)), "{changed:?}");
    let coder = &new["systemd/epyc-coder_escalation.service"].0;
    assert!(
        coder.contains("--spec-type ngram-simple,draft-simple") && !coder.contains("--draft-max"),
        "{coder}"
    );
}

#[test]
fn what_a_build_would_be_given_is_known_without_changing_the_registry() {
    let compiled = compile_folder(&folder());
    let lower = || orchgen::compile::lower(&compiled.loaded, &mut Diagnostics::default());
    let foreseen = Ground::new(lower(), &[], orchgen::facts::Lock::default()).under(FORK, profile("b11669"));
    let changed = under(NEW);
    let registry = orchgen::compile::lower(&changed.loaded, &mut Diagnostics::default());
    let made = Ground::new(registry, &[], orchgen::facts::Lock::default());
    let (foreseen, made) = (lines(foreseen.registry(), &foreseen), lines(made.registry(), &made));
    assert!(foreseen == made && foreseen.len() > 12, "{}", foreseen.len());
    let stays = Ground::new(lower(), &[], orchgen::facts::Lock::default())
        .under("llama.cpp-b9093", profile("b11669"));
    assert_ne!(lines(stays.registry(), &stays), made, "another profile than the engine's");
}
