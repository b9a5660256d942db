//! Hardening of units: scores of `systemd-analyze security`, and units that each version of systemd accepts.

use super::STACK;
use super::rig::{Rig, text};
use crate::support::{compile, compile_folder};
use std::collections::BTreeMap;

/// The maximum exposure score of a unit: 2.0 with a GPU, 1.6 if other machines reach it, otherwise 1.5.
fn max_score(unit: &str) -> Option<f64> {
    match unit {
        "rig-locked.service" => None,
        "rig-pinned.service" => Some(2.0),
        "rig-keyed.service" => Some(1.6),
        _ => Some(1.5),
    }
}

/// The score of each service.
fn scores(rig: &Rig, files: &BTreeMap<String, (String, bool)>) -> BTreeMap<String, f64> {
    let mut scores = BTreeMap::new();
    for (path, (unit_text, _)) in files.iter().filter(|(path, _)| path.ends_with(".service")) {
        let unit = path.strip_prefix("systemd/").unwrap();
        let path = format!("/srv/units/{unit}");
        rig.write(&path, unit_text, 0o644);
        let output = rig
            .chroot(&["systemd-analyze", "security", "--no-pager", "--offline=yes", &path])
            .output()
            .unwrap();
        let last = text(&output.stdout);
        let last = last.lines().last().unwrap_or_default().to_owned();
        let score = last.rsplit(": ").next().and_then(|rest| rest.split(' ').next());
        let score: f64 =
            score.and_then(|score| score.parse().ok()).unwrap_or_else(|| panic!("{unit}: {last}"));
        scores.insert(unit.to_owned(), score);
    }
    scores
}

#[test]
fn every_unit_has_the_score_of_its_hardening() {
    let rig = Rig::unbooted();
    let scores = scores(&rig, &compile(&[("stack.kdl", STACK)]).files());
    assert_eq!(scores.len(), 21, "{scores:#?}");
    for (unit, score) in scores {
        println!("{score:4.1}  {unit}");
        assert!(max_score(&unit).is_none_or(|max| score <= max), "{unit}: {score}");
    }
}

/// Roles with GPUs of each back end: at most 2.0. Their proxies and the roles without a GPU: at most 1.5.
#[test]
fn units_of_roles_with_gpus_have_the_score_of_their_devices() {
    let rig = Rig::unbooted();
    let stack = include_str!("../systemd/gpus.kdl").replace("MODELS", "/srv/models").replace("USER", "");
    for version in ["252", "262"] {
        let stack = stack.replace("BIN", "/usr/bin").replace("VERSION", version);
        let files = compile(&[("stack.kdl", &stack)]).files();
        assert_eq!(verify(&rig, &files, &[]), "", "units for systemd {version}");
        let scores = scores(&rig, &files);
        assert_eq!(scores.len(), 15, "{scores:#?}");
        for (unit, score) in scores.iter().filter(|(unit, _)| *unit != "big-stack-bare.service") {
            println!("{score:4.1}  {unit}");
            let has_gpu = files[&format!("systemd/{unit}")].0.contains("DeviceAllow=");
            assert!(*score <= if has_gpu { 2.0 } else { 1.5 }, "{unit}: {score}");
        }
    }
}

/// The messages of `systemd-analyze verify` in the rig, after empty programs were created for the units.
fn verify(rig: &Rig, files: &BTreeMap<String, (String, bool)>, programs: &[&str]) -> String {
    for program in programs.iter().filter(|program| !rig.root.join(program.trim_start_matches('/')).exists())
    {
        rig.write(program, "#!/bin/sh\n", 0o755);
    }
    let mut units = Vec::new();
    for (path, (text, _)) in files {
        if let Some(unit) = path.strip_prefix("systemd/") {
            rig.write(&format!("/srv/units/{unit}"), text, 0o644);
            units.push(unit);
        }
    }
    assert!(units.len() > 15, "{units:?}");
    let mut command = rig.chroot(&["systemd-analyze", "verify", "--man=no", "--recursive-errors=yes"]);
    let output = command.args(&units).env("SYSTEMD_UNIT_PATH", "/srv/units:").output().unwrap();
    text(&output.stdout) + &text(&output.stderr)
}

#[test]
fn systemd_verifies_units_of_both_versions_without_messages() {
    let rig = Rig::unbooted();
    for version in ["252", "262"] {
        let stack = STACK.replace("systemd=262", &format!("systemd={version}"));
        let files = compile(&[("stack.kdl", &stack)]).files();
        assert_eq!(verify(&rig, &files, &[]), "", "units for systemd {version}");
    }
    // The registry of the project, with an empty program at the path of its engine.
    let project = compile_folder(&crate::support::repository().join("registry")).files();
    let programs = ["/mnt/raid0/llm/llama.cpp/build/bin/llama-server"];
    assert_eq!(verify(&rig, &project, &programs), "", "units of the registry of the project");
}
