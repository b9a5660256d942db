//! The `registry/` and `out/` of this repository: `out/` is up to date, and external tools accept each file.

use crate::support::compile_folder;
use crate::{outside, support};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder in which all paths of the stack start. Tests that need the programs replace it by a temporary folder.
const DISK: &str = "/mnt/raid0";

fn root() -> &'static Path {
    crate::support::repository()
}

/// The files that orchgen generates from the registry: path, text, and true for programs.
#[track_caller]
fn generate() -> BTreeMap<String, (String, bool)> {
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
fn the_committed_output_is_up_to_date() {
    let files = generate();
    for (path, (text, _)) in &files {
        let committed = fs::read_to_string(root().join("out").join(path)).unwrap_or_default();
        assert!(committed == *text, "out/{path} differs: run `orchgen build`");
    }
    let listed = ["systemd", "bin", "bin/prompt", "numactl", "docs"]
        .iter()
        .flat_map(|folder| committed(folder))
        .count();
    // `stack.json`, `deploy.json` and `report.html` are in no folder.
    assert_eq!(listed + 3, files.len(), "out/ has stale files, or files are missing");
}

/// Writes all generated files into the folder, with [`DISK`] replaced by it, and a stub as `llama-server`. Returns the
/// units.
fn write_with_stubs(dir: &Path) -> Vec<String> {
    let disk = dir.to_str().unwrap();
    let mut units = Vec::new();
    for (path, (text, executable)) in generate() {
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

mod tools {
    use super::*;

    #[test]
    fn shellcheck_has_no_findings_in_the_scripts() {
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

    #[test]
    fn systemd_analyze_verify_accepts_the_units_without_warnings() {
        let dir = outside::folder();
        let units = write_with_stubs(dir.path());
        let names: Vec<&str> = units.iter().map(String::as_str).collect();
        assert_eq!(outside::systemd_verify(&dir.path().join("out/systemd"), "--system", &names), "");
    }

    #[test]
    fn a_script_runs_the_same_argv_as_its_unit() {
        let dir = outside::folder();
        let units = write_with_stubs(dir.path());
        let mut compared = 0;
        for script in fs::read_dir(dir.path().join("out/bin")).unwrap().map(|entry| entry.unwrap().path()) {
            let role = script.file_name().unwrap().to_str().unwrap().to_owned();
            if !script.is_file() {
                continue;
            }
            let is_unit_of_role = |unit: &&String| {
                let stem =
                    unit.strip_prefix(&format!("epyc-{role}")).and_then(|rest| rest.strip_suffix(".service"));
                stem.is_some_and(|rest| {
                    rest == "-backend" || rest.trim_start_matches('-').parse::<u32>().is_ok()
                }) || (**unit == format!("epyc-{role}.service")
                    && !units.contains(&format!("epyc-{role}-backend.service")))
            };
            for unit in units.iter().filter(is_unit_of_role) {
                let instance =
                    unit.trim_end_matches(".service").rsplit('-').next().filter(|n| n.parse::<u32>().is_ok());
                let dump = outside::systemd_dump(&dir.path().join("out/systemd"), unit);
                let mut command = Command::new(&script);
                command.args(["--dry-run", "--print0"]).args(instance);
                let printed = String::from_utf8(command.output().unwrap().stdout).unwrap();
                let mut printed: Vec<String> =
                    printed.split_terminator('\0').map(|word| word.replace('$', "$$")).collect();
                assert!(printed.len() > 10, "{role}: {printed:?}");
                if unit.ends_with("-backend.service") {
                    // The script serves at the port of the socket, the unit 10000 above it.
                    let port = printed.iter().position(|word| word == "--port").unwrap() + 1;
                    printed[port] = (printed[port].parse::<u32>().unwrap() + 10_000).to_string();
                }
                assert!(dump.argvs().contains(&printed), "{unit}: {printed:?} is not in {:?}", dump.argvs());
                compared += 1;
            }
        }
        assert_eq!(compared, 14, "nine roles, one of them (the embedder) with six processes");
    }
}
