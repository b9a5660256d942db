//! Our own `registry/` and `out/`: what is committed is what the registry says, and each file passes the checker of its field.

use crate::support::compile_folder;
use crate::{outside, support};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder that every path of the stack begins with; another one stands for it where programs have to be there.
const DISK: &str = "/mnt/raid0";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[track_caller]
fn own() -> BTreeMap<String, (String, bool)> {
    let compiled: support::Compiled = compile_folder(&root().join("registry"));
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
    compiled.files()
}

/// The committed files below a folder of `out/`, without those in folders below it.
fn committed(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("out").join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.is_file()).collect();
    files.sort();
    assert!(!files.is_empty(), "out/{folder} is empty");
    files
}

#[test]
fn what_is_committed_is_what_the_registry_says() {
    let files = own();
    for (path, (text, _)) in &files {
        let there = fs::read_to_string(root().join("out").join(path)).unwrap_or_default();
        assert!(there == *text, "out/{path} differs: run `orchgen build`");
    }
    let listed = ["systemd", "bin", "bin/prompt", "numactl", "docs"]
        .iter()
        .flat_map(|folder| committed(folder))
        .count();
    assert_eq!(listed + 1, files.len(), "out/ has files that nothing makes, or lacks some");
}

#[test]
fn scripts_are_clean() {
    let scripts: Vec<PathBuf> =
        ["bin", "bin/prompt", "numactl"].iter().flat_map(|folder| committed(folder)).collect();
    assert_eq!(outside::shellcheck(&scripts), "");
    for script in scripts {
        assert!(
            Command::new("bash").arg("-n").arg(&script).status().unwrap().success(),
            "{}",
            script.display()
        );
    }
}

/// The units and scripts with the disk of the stack replaced by a folder in which its programs are.
fn elsewhere(dir: &Path) -> Vec<String> {
    let disk = dir.to_str().unwrap();
    let mut units = Vec::new();
    for (path, (text, executable)) in own() {
        let mode = if executable { 0o755 } else { 0o644 };
        outside::write(&dir.join("out").join(&path), &text.replace(DISK, disk), mode);
        units.extend(path.strip_prefix("systemd/").map(str::to_owned));
    }
    let stub = outside::stub(dir);
    let program = dir.join("llm/llama.cpp/build/bin/llama-server");
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    fs::copy(stub, program).unwrap();
    assert!(units.len() > 20);
    units
}

#[test]
fn units_pass_verify_without_a_word() {
    let dir = outside::folder();
    let units = elsewhere(dir.path());
    let names: Vec<&str> = units.iter().map(String::as_str).collect();
    assert_eq!(outside::systemd_verify(&dir.path().join("out/systemd"), &names), "");
}

#[test]
fn a_script_prints_the_argv_that_its_unit_has() {
    let dir = outside::folder();
    let units = elsewhere(dir.path());
    let mut compared = 0;
    for script in fs::read_dir(dir.path().join("out/bin")).unwrap().map(|entry| entry.unwrap().path()) {
        let role = script.file_name().unwrap().to_str().unwrap().to_owned();
        if !script.is_file() {
            continue;
        }
        let served = |unit: &&String| {
            let stem =
                unit.strip_prefix(&format!("epyc-{role}")).and_then(|rest| rest.strip_suffix(".service"));
            stem.is_some_and(|rest| rest == "-backend" || rest.trim_start_matches('-').parse::<u32>().is_ok())
                || (**unit == format!("epyc-{role}.service")
                    && !units.contains(&format!("epyc-{role}-backend.service")))
        };
        for unit in units.iter().filter(served) {
            let instance =
                unit.trim_end_matches(".service").rsplit('-').next().filter(|n| n.parse::<u32>().is_ok());
            let dump = outside::systemd_dump(&dir.path().join("out/systemd"), unit);
            let mut command = Command::new(&script);
            command.args(["--dry-run", "--print0"]).args(instance);
            let printed = String::from_utf8(command.output().unwrap().stdout).unwrap();
            let printed: Vec<String> =
                printed.split_terminator('\0').map(|word| word.replace('$', "$$")).collect();
            assert!(printed.len() > 10, "{role}: {printed:?}");
            assert!(dump.argvs().contains(&printed), "{unit}: {printed:?} is not in {:?}", dump.argvs());
            compared += 1;
        }
    }
    assert_eq!(compared, 14, "a process for each of nine roles, the embedder's six among them");
}
