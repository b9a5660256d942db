//! The command line: exit codes, streams, formats, colors, and the files that it writes.

mod completions;
mod examples;
mod explain;
mod fleet;
mod fmt;
mod folders;
mod foreign;
mod hostile;
mod init;

mod colors;
mod gpu_memory;
mod guide;
mod known;
mod links;
mod man;
mod memory;
mod only;
mod reports;
mod standard_input;
mod table;
mod watch;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const BASE: &str = include_str!("pages/base.kdl");
const BROKEN: &str = "role \"extra\" tier=\"A\" residency=\"hot\" model=\"plian\" port=9000 context=4096\n";

/// Environment variables.
type Variables = &'static [(&'static str, &'static str)];

/// A temporary folder with a registry. orchgen runs in it.
struct Workspace(tempfile::TempDir);

impl Workspace {
    fn new(extra: &str) -> Self {
        let workspace = Self(tempfile::tempdir().unwrap());
        fs::create_dir(workspace.at("registry")).unwrap();
        fs::write(workspace.at("registry/base.kdl"), format!("{BASE}{extra}")).unwrap();
        workspace
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(crate::support::orchgen());
        command.args(args).current_dir(self.0.path()).env_clear();
        command
    }

    /// Runs orchgen with a text as standard input.
    fn run_with(&self, args: &[&str], input: &str) -> Output {
        use std::io::Write;
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // orchgen may end without reading its input.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Each file below `out`: path, mode, inode, modification time and bytes.
    fn tree(&self, out: &str) -> Vec<(PathBuf, u32, u64, i64, Vec<u8>)> {
        let mut found = Vec::new();
        let mut folders = vec![self.at(out)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let metadata = path.symlink_metadata().unwrap();
                if metadata.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(self.at(out)).unwrap().to_owned();
                    found.push((
                        name,
                        metadata.mode() & 0o7777,
                        metadata.ino(),
                        metadata.mtime_nsec(),
                        fs::read(path).unwrap(),
                    ));
                }
            }
        }
        found.sort();
        found
    }
}

fn exit_code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("killed by a signal: {output:?}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn the_exit_code_reports_success_findings_or_failure() {
    let (clean, broken) = (Workspace::new(""), Workspace::new(BROKEN));
    let warned = Workspace::new("family \"odd\" arch=\"qwen3-moe\"\n");
    assert_eq!(exit_code(&clean.run(&["check"])), 0);
    assert_eq!(exit_code(&broken.run(&["check"])), 1);
    assert_eq!(exit_code(&broken.run(&["build"])), 1);
    assert_eq!(exit_code(&warned.run(&["check"])), 0);
    assert_eq!(exit_code(&warned.run(&["check", "--deny", "warnings"])), 1);
    assert_eq!(exit_code(&warned.run(&["build", "--deny", "warnings"])), 1);
    assert!(!warned.at("out").exists());
    for args in [
        &["check", "nowhere"][..],
        &["build", "nowhere"],
        &["frobnicate"],
        &[],
        &["check", "--frob"],
        &["explain", "nothing"],
    ] {
        assert_eq!(exit_code(&clean.run(args)), 2, "{args:?}");
    }
    for args in [
        &["--help"][..],
        &["--version"],
        &["build", "--help"],
        &["explain", "ORC302"],
        &["completions", "bash"],
    ] {
        assert_eq!(exit_code(&clean.run(args)), 0, "{args:?}");
    }
}

#[test]
fn a_registry_that_cannot_be_read_ends_the_run_with_one_error() {
    let workspace = Workspace::new("");
    let output = workspace.run(&["check", "nowhere"]);
    assert_eq!(
        text(&output.stderr),
        "error: cannot read `nowhere`: no such file or folder\nrun `orchgen init nowhere` to create a registry\n"
    );
    fs::create_dir(workspace.at("empty")).unwrap();
    let output = workspace.run(&["check", "empty"]);
    assert_eq!(
        text(&output.stderr),
        "error: cannot read `empty`: no *.yaml, *.yml or *.kdl file in this folder\n\
         run `orchgen init empty` to create a registry\n"
    );
    fs::create_dir(workspace.at("registry/folder.kdl")).unwrap();
    assert_eq!(exit_code(&workspace.run(&["check"])), 2);
}

#[test]
fn a_build_with_errors_writes_nothing() {
    let workspace = Workspace::new(BROKEN);
    workspace.run(&["build"]);
    assert!(!workspace.at("out").exists());
    fs::write(workspace.at("registry/base.kdl"), BASE).unwrap();
    assert_eq!(exit_code(&workspace.run(&["build"])), 0);
    let before = workspace.tree("out");
    fs::write(workspace.at("registry/base.kdl"), format!("{BASE}{BROKEN}")).unwrap();
    assert_eq!(exit_code(&workspace.run(&["build"])), 1);
    assert_eq!(workspace.tree("out"), before);
}

#[test]
fn json_output_is_one_object_on_stdout() {
    for (workspace, errors) in [(Workspace::new(""), 0), (Workspace::new(BROKEN), 1)] {
        for command in ["check", "build"] {
            let output = workspace.run(&[command, "--output-format", "json"]);
            assert!(text(&output.stdout).lines().count() == 1 && output.stdout.ends_with(b"\n"));
            let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(report["format_version"], 1);
            assert_eq!(report["summary"]["errors"], errors);
            assert_eq!(report["findings"].as_array().unwrap().len(), errors);
            assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
        }
    }
}

#[test]
fn a_repeated_build_changes_no_file() {
    let workspace = Workspace::new("");
    assert_eq!(exit_code(&workspace.run(&["build"])), 0);
    let first = workspace.tree("out");
    assert!(first.len() > 10);
    assert_eq!(exit_code(&workspace.run(&["build"])), 0);
    assert_eq!(workspace.tree("out"), first);
    assert_eq!(exit_code(&workspace.run(&["build", "--check"])), 0);
    assert_eq!(workspace.tree("out"), first);
}

#[test]
fn build_check_reports_each_difference_and_writes_nothing() {
    let workspace = Workspace::new("");
    let absent = workspace.run(&["build", "--check"]);
    assert_eq!(exit_code(&absent), 1);
    assert!(!workspace.at("out").exists());
    workspace.run(&["build"]);
    fs::remove_file(workspace.at("out/stack.json")).unwrap();
    fs::write(workspace.at("registry/base.kdl"), BASE.replace("port=8000", "port=8500")).unwrap();
    let before = workspace.tree("out");
    let output = workspace.run(&["build", "--check"]);
    assert_eq!(exit_code(&output), 1);
    assert_eq!(workspace.tree("out"), before);
    let stderr = text(&output.stderr);
    assert!(stderr.contains("`out/stack.json` is missing"), "{stderr}");
    assert!(stderr.contains("`out/bin/basic` differs from the generated content"), "{stderr}");
    assert!(stderr.contains("orchgen build"), "{stderr}");
}

#[test]
fn edited_and_unlisted_files_are_overwritten_only_with_force() {
    let workspace = Workspace::new("");
    workspace.run(&["build"]);
    fs::write(workspace.at("out/bin/basic"), "mine\n").unwrap();
    fs::write(workspace.at("registry/base.kdl"), BASE.replace("role \"expert\"", "role \"master\"")).unwrap();
    fs::write(workspace.at("out/bin/master"), "mine too\n").unwrap();
    let before = workspace.tree("out");
    let output = workspace.run(&["build"]);
    assert_eq!(exit_code(&output), 1, "{}", text(&output.stderr));
    assert_eq!(workspace.tree("out"), before);
    let stderr = text(&output.stderr);
    assert!(stderr.contains("ORC401") && stderr.contains("ORC402"), "{stderr}");
    assert_eq!(exit_code(&workspace.run(&["build", "--force"])), 0);
    assert_eq!(exit_code(&workspace.run(&["build", "--check"])), 0);
    assert!(!workspace.at("out/bin/expert").exists(), "the stale file is removed");
}

#[test]
fn the_output_depends_only_on_the_registry() {
    let workspace = Workspace::new("");
    let mut trees = Vec::new();
    let machines: [(&str, &str, Variables); 4] = [
        ("a", "umask 022; cd . && exec", &[]),
        ("b", "umask 077; cd . && exec", &[("HOME", "/nonexistent"), ("LC_ALL", "C"), ("TZ", "Asia/Tokyo")]),
        (
            "c",
            "umask 000; cd / && exec",
            &[("LC_ALL", "de_DE.UTF-8"), ("USER", "somebody"), ("RAYON_NUM_THREADS", "1")],
        ),
        (
            "d",
            "umask 027; cd /tmp && exec",
            &[("RAYON_NUM_THREADS", "7"), ("COLUMNS", "40"), ("NO_COLOR", "1")],
        ),
    ];
    for (name, before, variables) in machines {
        let out = workspace.at(name);
        let script = format!(
            "{before} '{}' build --quiet '{}' --out '{}'",
            crate::support::orchgen(),
            workspace.at("registry").display(),
            out.display()
        );
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", &script])
            .current_dir(workspace.0.path())
            .env_clear()
            .envs(variables.iter().copied());
        let output = command.output().unwrap();
        assert_eq!(exit_code(&output), 0, "{}", text(&output.stderr));
        let tree = workspace.tree(name).into_iter().map(|(path, mode, _, _, bytes)| (path, mode, bytes));
        trees.push(tree.collect::<Vec<_>>());
    }
    assert!(trees.windows(2).all(|pair| pair[0] == pair[1]));
    assert!(trees[0].iter().all(|(_, mode, _)| [0o644, 0o755].contains(mode)));
    let everything: Vec<u8> = trees[0].iter().flat_map(|(_, _, bytes)| bytes.clone()).collect();
    assert!(
        !text(&everything).contains(&*workspace.0.path().to_string_lossy()),
        "a path of this machine is in the output"
    );
}

#[test]
fn the_color_flag_overrides_the_environment() {
    let workspace = Workspace::new(BROKEN);
    let cases: [(&[&str], Variables, bool); 8] = [
        (&[], &[], false),
        (&["--color", "always"], &[("NO_COLOR", "1")], true),
        (&["--color", "never"], &[("CLICOLOR_FORCE", "1")], false),
        (&[], &[("CLICOLOR_FORCE", "1")], true),
        (&[], &[("FORCE_COLOR", "1")], true),
        (&[], &[("CLICOLOR_FORCE", "0")], false),
        (&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        (&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "")], true),
    ];
    for (flags, variables, colored) in cases {
        let mut args = vec!["check"];
        args.extend(flags);
        let output = workspace.command(&args).envs(variables.iter().copied()).output().unwrap();
        assert_eq!(output.stderr.contains(&0x1b), colored, "{flags:?} {variables:?}");
    }
}

#[test]
fn a_failed_write_to_stdout_fails_the_run() {
    let workspace = Workspace::new("");
    for args in ["check --output-format json", "explain", "explain --all", "schema", "completions bash"] {
        let script = format!("'{}' {args} >/dev/full", crate::support::orchgen());
        let output =
            Command::new("bash").args(["-c", &script]).current_dir(workspace.0.path()).output().unwrap();
        assert_eq!(exit_code(&output), 2, "{args}");
        assert!(text(&output.stderr).contains("error: cannot write to standard output"), "{args}");
    }
}

#[test]
fn build_refuses_to_write_into_the_registry_and_reports_a_missing_output_folder_once() {
    let workspace = Workspace::new("");
    assert_eq!(exit_code(&workspace.run(&["build", "--out", "registry"])), 2);
    assert_eq!(fs::read_dir(workspace.at("registry")).unwrap().count(), 1);
    let output = workspace.run(&["build", "--check", "registry", "--out", "some where"]);
    let stderr = text(&output.stderr);
    assert_eq!(exit_code(&output), 1);
    assert_eq!(
        stderr.matches("ORC403").count(),
        2,
        "one finding, and one line that refers to its page: {stderr}"
    );
    assert!(stderr.contains("orchgen build --out 'some where'"), "{stderr}");
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let workspace = Workspace::new(BROKEN);
    let script = format!(
        "'{}' explain --output-format json | head -c 1 >/dev/null; exit ${{PIPESTATUS[0]}}",
        crate::support::orchgen()
    );
    let output = Command::new("bash").args(["-c", &script]).current_dir(workspace.0.path()).output().unwrap();
    assert_eq!((exit_code(&output), text(&output.stderr)), (0, String::new()));
}

#[test]
fn completions_are_printed_for_each_shell() {
    let workspace = Workspace::new("");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = text(&workspace.run(&["completions", shell]).stdout);
        assert!(script.contains("orchgen"), "{shell}");
    }
    assert!(text(&workspace.run(&["completions", "zsh"]).stdout).starts_with("#compdef orchgen\n"));
}

#[test]
fn files_that_are_not_utf8_or_too_large_are_findings_and_the_others_are_read() {
    let workspace = Workspace::new("tier \"Z\" title=\"one\" colour=\"red\"\n");
    fs::write(workspace.at("registry/latin.yaml"), b"tiers: {Y: {title: \"caf\xe9\"}}\n").unwrap();
    let large = fs::File::create(workspace.at("registry/large.yaml")).unwrap();
    large.set_len(200 << 20).unwrap();
    let output = workspace.run(&["check"]);
    let stderr = text(&output.stderr);
    assert_eq!(exit_code(&output), 1);
    assert!(stderr.contains("ORC101") && stderr.contains("ORC102") && stderr.contains("ORC202"), "{stderr}");
}

#[test]
fn an_output_folder_that_cannot_be_written_gives_exit_code_2() {
    let workspace = Workspace::new("");
    fs::write(workspace.at("file"), "").unwrap();
    let output = workspace.run(&["build", "--out", "file/out"]);
    assert_eq!(exit_code(&output), 2, "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("error: cannot"), "{}", text(&output.stderr));
    let output = workspace.run(&["build", "--out", "file"]);
    assert_ne!(exit_code(&output), 0, "{}", text(&output.stderr));
    assert_eq!(fs::read(workspace.at("file")).unwrap(), b"");
    let executable = Path::new(crate::support::orchgen()).metadata().unwrap().permissions().mode();
    assert_ne!(executable & 0o111, 0);
}
