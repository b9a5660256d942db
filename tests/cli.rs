//! The command line: exit codes, streams, formats, colours, and what it does to the disk.

mod explain;
mod hostile;
mod init;

mod colours;
mod known;
mod memory;
mod reports;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const BASE: &str = include_str!("pages/base.kdl");
const BROKEN: &str = "role \"extra\" tier=\"A\" residency=\"hot\" model=\"plian\" port=9000 context=4096\n";

/// Variables of the environment.
type Variables = &'static [(&'static str, &'static str)];

struct Ground(tempfile::TempDir);

impl Ground {
    fn new(extra: &str) -> Self {
        let ground = Self(tempfile::tempdir().unwrap());
        fs::create_dir(ground.at("registry")).unwrap();
        fs::write(ground.at("registry/base.kdl"), format!("{BASE}{extra}")).unwrap();
        ground
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orchgen"));
        command.args(args).current_dir(self.0.path()).env_clear();
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Every path below `out` with mode, inode, time and bytes.
    fn tree(&self, out: &str) -> Vec<(PathBuf, u32, u64, i64, Vec<u8>)> {
        let mut found = Vec::new();
        let mut folders = vec![self.at(out)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let about = path.symlink_metadata().unwrap();
                if about.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(self.at(out)).unwrap().to_owned();
                    found.push((
                        name,
                        about.mode() & 0o7777,
                        about.ino(),
                        about.mtime_nsec(),
                        fs::read(path).unwrap(),
                    ));
                }
            }
        }
        found.sort();
        found
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("ended by a signal: {output:?}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn exit_codes() {
    let (clean, broken) = (Ground::new(""), Ground::new(BROKEN));
    let warned = Ground::new("family \"odd\" arch=\"qwen3-moe\"\n");
    assert_eq!(code(&clean.run(&["check"])), 0);
    assert_eq!(code(&broken.run(&["check"])), 1);
    assert_eq!(code(&broken.run(&["build"])), 1);
    assert_eq!(code(&warned.run(&["check"])), 0);
    assert_eq!(code(&warned.run(&["check", "--deny", "warnings"])), 1);
    assert_eq!(code(&warned.run(&["build", "--deny", "warnings"])), 1);
    assert!(!warned.at("out").exists());
    for cannot in [
        &["check", "nowhere"][..],
        &["build", "nowhere"],
        &["frobnicate"],
        &[],
        &["check", "--frob"],
        &["explain", "nothing"],
    ] {
        assert_eq!(code(&clean.run(cannot)), 2, "{cannot:?}");
    }
    for fine in [
        &["--help"][..],
        &["--version"],
        &["build", "--help"],
        &["explain", "ORC302"],
        &["completions", "bash"],
    ] {
        assert_eq!(code(&clean.run(fine)), 0, "{fine:?}");
    }
}

#[test]
fn what_cannot_be_read_is_said_in_a_sentence() {
    let ground = Ground::new("");
    let output = ground.run(&["check", "nowhere"]);
    assert_eq!(text(&output.stderr), "error: cannot read `nowhere`: there is no such folder or file\n");
    fs::create_dir(ground.at("empty")).unwrap();
    let output = ground.run(&["check", "empty"]);
    assert_eq!(
        text(&output.stderr),
        "error: cannot read `empty`: there is no *.yaml, *.yml or *.kdl file in it\n"
    );
    fs::create_dir(ground.at("registry/folder.kdl")).unwrap();
    assert_eq!(code(&ground.run(&["check"])), 2);
}

#[test]
fn on_an_error_nothing_is_written() {
    let ground = Ground::new(BROKEN);
    ground.run(&["build"]);
    assert!(!ground.at("out").exists());
    fs::write(ground.at("registry/base.kdl"), BASE).unwrap();
    assert_eq!(code(&ground.run(&["build"])), 0);
    let before = ground.tree("out");
    fs::write(ground.at("registry/base.kdl"), format!("{BASE}{BROKEN}")).unwrap();
    assert_eq!(code(&ground.run(&["build"])), 1);
    assert_eq!(ground.tree("out"), before);
}

#[test]
fn json_is_one_object_on_standard_output() {
    for (ground, errors) in [(Ground::new(""), 0), (Ground::new(BROKEN), 1)] {
        for command in ["check", "build"] {
            let output = ground.run(&[command, "--output-format", "json"]);
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
fn a_build_is_repeated_without_touching_anything() {
    let ground = Ground::new("");
    assert_eq!(code(&ground.run(&["build"])), 0);
    let first = ground.tree("out");
    assert!(first.len() > 10);
    assert_eq!(code(&ground.run(&["build"])), 0);
    assert_eq!(ground.tree("out"), first);
    assert_eq!(code(&ground.run(&["build", "--check"])), 0);
    assert_eq!(ground.tree("out"), first);
}

#[test]
fn check_says_which_file_differs_and_how_and_writes_nothing() {
    let ground = Ground::new("");
    let absent = ground.run(&["build", "--check"]);
    assert_eq!(code(&absent), 1);
    assert!(!ground.at("out").exists());
    ground.run(&["build"]);
    fs::remove_file(ground.at("out/stack.json")).unwrap();
    fs::write(ground.at("registry/base.kdl"), BASE.replace("port=8000", "port=8500")).unwrap();
    let before = ground.tree("out");
    let output = ground.run(&["build", "--check"]);
    assert_eq!(code(&output), 1);
    assert_eq!(ground.tree("out"), before);
    let said = text(&output.stderr);
    assert!(said.contains("`out/stack.json` is missing"), "{said}");
    assert!(said.contains("`out/bin/basic` differs from what the registry says"), "{said}");
    assert!(said.contains("orchgen build"), "{said}");
}

#[test]
fn a_file_edited_by_hand_and_an_unlisted_one_stay() {
    let ground = Ground::new("");
    ground.run(&["build"]);
    fs::write(ground.at("out/bin/basic"), "mine\n").unwrap();
    fs::write(ground.at("registry/base.kdl"), BASE.replace("role \"expert\"", "role \"master\"")).unwrap();
    fs::write(ground.at("out/bin/master"), "mine too\n").unwrap();
    let before = ground.tree("out");
    let output = ground.run(&["build"]);
    assert_eq!(code(&output), 1, "{}", text(&output.stderr));
    assert_eq!(ground.tree("out"), before);
    let said = text(&output.stderr);
    assert!(said.contains("ORC401") && said.contains("ORC402"), "{said}");
    assert_eq!(code(&ground.run(&["build", "--force"])), 0);
    assert_eq!(code(&ground.run(&["build", "--check"])), 0);
    assert!(!ground.at("out/bin/expert").exists(), "what nothing makes any more is gone");
}

/// What reaches `out` depends on the registry alone.
#[test]
fn the_bytes_do_not_depend_on_the_machine() {
    let ground = Ground::new("");
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
        let out = ground.at(name);
        let script = format!(
            "{before} '{}' build --quiet '{}' --out '{}'",
            env!("CARGO_BIN_EXE_orchgen"),
            ground.at("registry").display(),
            out.display()
        );
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", &script])
            .current_dir(ground.0.path())
            .env_clear()
            .envs(variables.iter().copied());
        let output = command.output().unwrap();
        assert_eq!(code(&output), 0, "{}", text(&output.stderr));
        let tree = ground.tree(name).into_iter().map(|(path, mode, _, _, bytes)| (path, mode, bytes));
        trees.push(tree.collect::<Vec<_>>());
    }
    assert!(trees.windows(2).all(|pair| pair[0] == pair[1]));
    assert!(trees[0].iter().all(|(_, mode, _)| [0o644, 0o755].contains(mode)));
    let everything: Vec<u8> = trees[0].iter().flat_map(|(_, _, bytes)| bytes.clone()).collect();
    assert!(
        !text(&everything).contains(&*ground.0.path().to_string_lossy()),
        "a path of this machine is in the output"
    );
}

#[test]
fn colour_follows_the_flag_then_the_environment() {
    let ground = Ground::new(BROKEN);
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
    for (flags, variables, coloured) in cases {
        let mut args = vec!["check"];
        args.extend(flags);
        let output = ground.command(&args).envs(variables.iter().copied()).output().unwrap();
        assert_eq!(output.stderr.contains(&0x1b), coloured, "{flags:?} {variables:?}");
    }
}

#[test]
fn output_that_is_lost_is_no_success() {
    let ground = Ground::new("");
    for args in ["check --output-format json", "explain", "explain --all", "schema", "completions bash"] {
        let script = format!("'{}' {args} >/dev/full", env!("CARGO_BIN_EXE_orchgen"));
        let output =
            Command::new("bash").args(["-c", &script]).current_dir(ground.0.path()).output().unwrap();
        assert_eq!(code(&output), 2, "{args}");
        assert!(text(&output.stderr).contains("error: cannot write to standard output"), "{args}");
    }
}

#[test]
fn the_registry_is_not_written_into_and_a_missing_output_is_one_finding() {
    let ground = Ground::new("");
    assert_eq!(code(&ground.run(&["build", "--out", "registry"])), 2);
    assert_eq!(fs::read_dir(ground.at("registry")).unwrap().count(), 1);
    let output = ground.run(&["build", "--check", "registry", "--out", "some where"]);
    let said = text(&output.stderr);
    assert_eq!(code(&output), 1);
    assert_eq!(said.matches("ORC403").count(), 2, "one finding and the line that explains it: {said}");
    assert!(said.contains("orchgen build --out 'some where'"), "{said}");
}

#[test]
fn a_closed_pipe_is_no_fault() {
    let ground = Ground::new(BROKEN);
    let script = format!(
        "'{}' explain --output-format json | head -c 1 >/dev/null; exit ${{PIPESTATUS[0]}}",
        env!("CARGO_BIN_EXE_orchgen")
    );
    let output = Command::new("bash").args(["-c", &script]).current_dir(ground.0.path()).output().unwrap();
    assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
}

#[test]
fn completions_are_scripts_of_their_shells() {
    let ground = Ground::new("");
    let script = ground.run(&["completions", "bash"]).stdout;
    fs::write(ground.at("script"), &script).unwrap();
    assert!(Command::new("bash").arg("-n").arg(ground.at("script")).status().unwrap().success());
    assert!(text(&script).contains("explain"));
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        assert!(!ground.run(&["completions", shell]).stdout.is_empty());
    }
}

#[test]
fn what_is_not_text_or_too_large_is_a_finding_and_the_rest_is_read() {
    let ground = Ground::new("tier \"Z\" title=\"one\" colour=\"red\"\n");
    fs::write(ground.at("registry/latin.yaml"), b"tiers: {Y: {title: \"caf\xe9\"}}\n").unwrap();
    let large = fs::File::create(ground.at("registry/large.yaml")).unwrap();
    large.set_len(200 << 20).unwrap();
    let output = ground.run(&["check"]);
    let said = text(&output.stderr);
    assert_eq!(code(&output), 1);
    assert!(said.contains("ORC101") && said.contains("ORC102") && said.contains("ORC202"), "{said}");
}

#[test]
fn a_folder_that_cannot_be_written_ends_the_run_with_two() {
    let ground = Ground::new("");
    fs::write(ground.at("file"), "").unwrap();
    let output = ground.run(&["build", "--out", "file/out"]);
    assert_eq!(code(&output), 2, "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("error: cannot"), "{}", text(&output.stderr));
    let output = ground.run(&["build", "--out", "file"]);
    assert_ne!(code(&output), 0, "{}", text(&output.stderr));
    assert_eq!(fs::read(ground.at("file")).unwrap(), b"");
    let executable = Path::new(env!("CARGO_BIN_EXE_orchgen")).metadata().unwrap().permissions().mode();
    assert_ne!(executable & 0o111, 0);
}
