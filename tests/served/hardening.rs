//! How far units are locked in, and what each version of systemd says of them.

use super::STACK;
use super::rig::{Rig, text};
use crate::support::{compile, compile_folder};
use std::collections::BTreeMap;
use std::path::Path;

/// What a unit may be exposed to at most, times ten: 2.0 with a card, 1.6 with a listener for other machines, else 1.5.
fn most(unit: &str) -> Option<f64> {
    match unit {
        "rig-locked.service" => None,
        "rig-pinned.service" => Some(2.0),
        "rig-keyed.service" => Some(1.6),
        _ => Some(1.5),
    }
}

#[test]
fn every_unit_is_as_locked_in_as_its_profile_promises() {
    let Some(rig) = Rig::unbooted("every_unit_is_as_locked_in_as_its_profile_promises") else { return };
    rig.install(STACK);
    let files = compile(&[("stack.kdl", STACK)]).files();
    let mut scores = BTreeMap::new();
    for unit in files.keys().filter_map(|path| path.strip_prefix("systemd/")) {
        if !unit.ends_with(".service") {
            continue;
        }
        let path = format!("/etc/systemd/system/{unit}");
        let said = rig
            .chroot(&["systemd-analyze", "security", "--no-pager", "--offline=yes", &path])
            .output()
            .unwrap();
        let last = text(&said.stdout);
        let last = last.lines().last().unwrap_or_default().to_owned();
        let score = last.rsplit(": ").next().and_then(|rest| rest.split(' ').next());
        let score: f64 =
            score.and_then(|score| score.parse().ok()).unwrap_or_else(|| panic!("{unit}: {last}"));
        if let Some(most) = most(unit) {
            assert!(score <= most, "{unit}: {last}");
        }
        scores.insert(unit, score);
    }
    assert_eq!(scores.len(), 21, "{scores:#?}");
    for (unit, score) in scores {
        println!("{score:4.1}  {unit}");
    }
}

/// What `systemd-analyze verify` of the rig says of units, after their programs were put there.
fn verified(rig: &Rig, files: &BTreeMap<String, (String, bool)>, programs: &[&str]) -> String {
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
fn both_versions_of_systemd_read_every_unit_without_a_word() {
    let Some(rig) = Rig::unbooted("both_versions_of_systemd_read_every_unit_without_a_word") else { return };
    for version in ["252", "262"] {
        let stack = STACK.replace("systemd=262", &format!("systemd={version}"));
        let files = compile(&[("stack.kdl", &stack)]).files();
        assert_eq!(verified(&rig, &files, &[]), "", "units for {version}, read by the rig's");
    }
    // The project's own stack, with a program where it says that one is.
    let own = compile_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("registry")).files();
    let programs = ["/mnt/raid0/llm/llama.cpp/build/bin/llama-server"];
    assert_eq!(verified(&rig, &own, &programs), "", "the units of our own registry");
}
