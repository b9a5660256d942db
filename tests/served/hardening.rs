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

#[test]
fn every_unit_has_the_score_of_its_hardening() {
    let rig = Rig::unbooted();
    rig.install(STACK);
    let files = compile(&[("stack.kdl", STACK)]).files();
    let mut scores = BTreeMap::new();
    for unit in files.keys().filter_map(|path| path.strip_prefix("systemd/")) {
        if !unit.ends_with(".service") {
            continue;
        }
        let path = format!("/etc/systemd/system/{unit}");
        let output = rig
            .chroot(&["systemd-analyze", "security", "--no-pager", "--offline=yes", &path])
            .output()
            .unwrap();
        let last = text(&output.stdout);
        let last = last.lines().last().unwrap_or_default().to_owned();
        let score = last.rsplit(": ").next().and_then(|rest| rest.split(' ').next());
        let score: f64 =
            score.and_then(|score| score.parse().ok()).unwrap_or_else(|| panic!("{unit}: {last}"));
        if let Some(max) = max_score(unit) {
            assert!(score <= max, "{unit}: {last}");
        }
        scores.insert(unit, score);
    }
    assert_eq!(scores.len(), 21, "{scores:#?}");
    for (unit, score) in scores {
        println!("{score:4.1}  {unit}");
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
    assert!(units.len() > 20, "{units:?}");
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
