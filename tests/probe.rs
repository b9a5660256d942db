//! `orchgen engine probe`, `list` and `show`: real builds, and programs that do their worst.
#![expect(
    clippy::disallowed_methods,
    reason = "bounds are held against the clock, and the environment says where the rig is"
)]

use crate::support::{rig_root, shared};
use orchgen::engine::{OptionRecord, Profile, Tools};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// A folder of programs.
struct Bin(tempfile::TempDir);

impl Bin {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A program that is a script for bash.
    fn script(&self, name: &str, body: &str) -> String {
        let path = self.at(name);
        fs::write(&path, format!("#!/bin/bash\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.to_string_lossy().into_owned()
    }

    /// A program that prints the help of a real one, and its version on standard error.
    fn real(&self, tool: &str, build: &str, version: &str) -> String {
        let help = shared("engine/help").join(format!("{tool}-{build}.txt"));
        let help = fs::canonicalize(help).unwrap();
        let body = format!(
            "echo loading >&2\ncase $1 in --version) echo 'version: {version}' >&2;; --help) exec cat '{}';; *) exit 1;; esac",
            help.display()
        );
        self.script(tool, &body)
    }
}

fn orchgen(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_orchgen")).args(["engine"]).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What is said of a run that cannot go on.
#[track_caller]
fn refused(args: &[&str]) -> String {
    let output = orchgen(args);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
    assert!(output.stdout.is_empty(), "{args:?} printed something");
    assert!(said.starts_with("error: ") && said.ends_with('\n'), "{said}");
    said
}

const B11669: &str = "0.7.0 (build 11669, commit Debian)";
const TOOLS: [&str; 5] =
    ["llama-server", "llama-cli", "llama-completion", "llama-speculative", "llama-lookup"];

/// What `--help` tells of each program, by program and title.
fn told(profile: &Profile) -> Vec<(String, OptionRecord)> {
    let mut told = Vec::new();
    for tool in TOOLS {
        for option in profile.options().iter().filter(|option| profile.takes(tool, option)) {
            told.push((tool.to_owned(), OptionRecord { tools: Tools::All, repeat: None, ..option.clone() }));
        }
    }
    told
}

#[test]
fn a_folder_of_programs_gives_the_profile_that_is_built_in() {
    let bin = Bin::new();
    for tool in TOOLS {
        bin.real(tool, "b11669", B11669);
    }
    bin.script(
        "llama-bench",
        "echo 'version: 0.7.0 (build 11669, commit Debian)'; echo '  -m, --model FNAME  the model'",
    );
    bin.script("llama-quantize", "echo usage; exit 1");
    bin.script("other", "touch \"$0.ran\"");
    fs::write(bin.at("llama-notes"), "not executable").unwrap();
    let out = bin.at("engines/mine.json");
    let output = orchgen(&["probe", &bin.0.path().to_string_lossy(), "-o", &out.to_string_lossy()]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(output.stdout.is_empty());
    assert!(
        said.contains("left out: ") && said.contains("llama-bench` with `--help` does not list"),
        "{said}"
    );
    assert!(said.contains("llama-quantize` with `--version` ended with exit code 1: usage"), "{said}");
    assert!(said.ends_with("mine.json: build b11669, 5 programs, 286 options\n"), "{said}");
    assert!(!bin.at("other.ran").exists());
    let written = fs::read_to_string(&out).unwrap();
    let found = Profile::parse("mine", &written, |_| None).unwrap();
    assert_eq!(told(&found), told(Profile::built_in("llama.cpp-b11669").unwrap()));
    // The same from programs that are named, in any order, on standard output.
    let mut args = vec!["probe".to_owned()];
    args.extend(TOOLS.iter().rev().map(|tool| bin.at(tool).to_string_lossy().into_owned()));
    let named = orchgen(&args.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(text(&named.stdout), written);
    assert!(
        !written.contains(&*bin.0.path().to_string_lossy()),
        "a path of the machine stands in the profile"
    );
}

#[test]
fn what_is_no_program_of_llama_cpp_is_refused_with_a_sentence() {
    let bin = Bin::new();
    let path = |name: &str| bin.at(name).to_string_lossy().into_owned();
    assert!(
        refused(&["probe", &path("missing")]).contains("missing` cannot be started: there is no such file")
    );
    fs::write(bin.at("plain"), "x").unwrap();
    assert!(refused(&["probe", &path("plain")]).contains("cannot be started: it is not executable"));
    fs::set_permissions(bin.at("plain"), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(refused(&["probe", &path("plain")]).contains("it is no program of this machine"));
    fs::create_dir(bin.at("empty")).unwrap();
    assert!(refused(&["probe", &path("empty")]).contains("empty` has no program `llama-*`"));
    assert!(refused(&["probe", "/bin/ls"]).contains("`/bin/ls` with `--version` does not say `version: …`"));
    let dies = bin.script("dies", "kill -SEGV $$");
    assert!(refused(&["probe", &dies]).contains("was ended by signal 11"));
    let sparse = bin.script("sparse", "echo 'version: 5000 (a)'");
    assert!(refused(&["probe", &sparse]).contains("with `--help` does not list its options"));
    let both = refused(&["probe", &dies, &sparse]);
    assert_eq!(both.matches("error: ").count(), 2, "{both}");
    let escapes = bin.script("escapes", "printf '\\033[31mno\\n' >&2; exit 3");
    assert!(refused(&["probe", &escapes]).contains("exit code 3: \\u{1b}[31mno"));
    assert!(refused(&["probe", "/dev/zero"]).contains("not executable"));
    let server = bin.real("llama-server", "b11669", B11669);
    let full = refused(&["probe", &server, "-o", "/dev/full"]);
    assert!(full.contains("cannot write `/dev/full`"), "{full}");
}

#[test]
fn programs_of_different_builds_or_of_one_name_do_not_go_together() {
    let (one, two) = (Bin::new(), Bin::new());
    let server = one.real("llama-server", "b11669", B11669);
    let cli = one.real("llama-cli", "b11669", "0.7.0 (build 11670, commit Debian)");
    let said = refused(&["probe", &server, &cli]);
    assert!(
        said.contains("`llama-cli` says `0.7.0 (build 11670, commit Debian)`, and `llama-server` says"),
        "{said}"
    );
    let other = two.real("llama-server", "b11669", B11669);
    assert!(refused(&["probe", &server, &other]).contains("two programs are called `llama-server`"));
    assert_eq!(
        orchgen(&["probe", &server, &server]).status.code(),
        Some(0),
        "the same one twice is the same one"
    );
}

/// The processes that run a script below a folder.
fn left_running(bin: &Bin) -> Vec<String> {
    let mark = bin.0.path().to_string_lossy().into_owned();
    let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(&mark))
        .collect()
}

/// Runs a probe that has to fail within the bound, and leaves nothing running.
#[track_caller]
fn bounded(bin: &Bin, paths: &[&str]) -> String {
    let since = Instant::now();
    let mut args = vec!["probe"];
    args.extend(paths);
    let said = refused(&args);
    assert!(since.elapsed() < Duration::from_secs(20), "it took {:?}", since.elapsed());
    assert_eq!(left_running(bin), Vec::<String>::new());
    said
}

#[test]
fn a_program_that_hangs_is_killed_with_all_that_it_started() {
    let bin = Bin::new();
    // Each name of a sleeper has the folder in it, so that what is left of it can be seen.
    let sleeper = bin.script("sleeper", "while :; do sleep 1; done");
    let hangs = bin.script("hangs", "trap '' TERM INT HUP\nwhile :; do sleep 1; done");
    let reads = bin.script("waits", &format!("'{sleeper}' &\nexec >&- 2>&-\n'{sleeper}'"));
    let late = bin.script(
        "late",
        "[[ $1 = --version ]] && { echo 'version: 5000 (a)'; exit; }\nwhile :; do sleep 1; done",
    );
    let said = bounded(&bin, &[&hangs, &reads, &late]);
    assert_eq!(said.matches("did not end within 10 seconds and was killed").count(), 3, "{said}");
    assert!(said.contains("late` with `--help` did not end"), "{said}");
}

#[test]
fn a_program_that_prints_without_end_is_killed() {
    let bin = Bin::new();
    let out = bin.script("out", "exec yes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    let err = bin.script("err", "exec head -c 1073741824 /dev/zero >&2");
    let said = bounded(&bin, &[&out, &err]);
    assert_eq!(said.matches("printed more than 8 MiB and was killed").count(), 2, "{said}");
}

#[test]
fn a_program_that_leaves_a_child_with_its_output_is_not_waited_for() {
    let bin = Bin::new();
    let sleeper = bin.script("sleeper", "while :; do sleep 1; done");
    let leaves = bin.script("leaves", &format!("'{sleeper}' &\necho 'version: 5000 (a)'"));
    let since = Instant::now();
    let said = bounded(&bin, &[&leaves]);
    assert!(said.contains("ended, and a process that it started keeps its output open"), "{said}");
    assert!(since.elapsed() < Duration::from_secs(8));
}

#[test]
fn the_environment_of_the_user_does_not_reach_a_program() {
    let bin = Bin::new();
    let server = bin.real("llama-server", "b11669", B11669);
    let body = fs::read_to_string(&server).unwrap();
    let nosy = "read -r line && exit 9\n[[ -z ${LLAMA_ARG_DRAFT_MAX+x}${HF_TOKEN+x} && $HOME = /dev/null && $XDG_CONFIG_HOME = /dev/null && $PWD = / ]] || exit 7\nset -m; [[ $(cut -d' ' -f5 /proc/$$/stat) = \"$$\" ]] || exit 8\n";
    fs::write(&server, body.replacen("#!/bin/bash\n", &format!("#!/bin/bash\n{nosy}"), 1)).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_orchgen"))
        .args(["engine", "probe", "./llama-server", "--quiet"])
        .current_dir(bin.0.path())
        .envs([("LLAMA_ARG_DRAFT_MAX", "3"), ("HF_TOKEN", "x"), ("XDG_CONFIG_HOME", "/root")])
        .output()
        .unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    assert!(text(&output.stdout).contains("\"build\":\"b11669\""));
}

#[test]
fn a_line_that_is_not_understood_is_said_and_stands_in_the_profile() {
    let bin = Bin::new();
    let odd = bin.script(
        "llama-server",
        "case $1 in --version) echo 'version: 5000 (a)';; *) printf -- '-h,    --help\\n--odd,option X\\n';; esac",
    );
    let output = orchgen(&["probe", &odd]);
    assert_eq!(output.status.code(), Some(0));
    let (said, written) = (text(&output.stderr), text(&output.stdout));
    assert!(
        said.contains("1 line could not be understood") && said.contains("llama-server: --odd,option X"),
        "{said}"
    );
    assert!(written.contains("\"not_understood\":[\n  \"llama-server: --odd,option X\"\n ]"), "{written}");
}

/// The programs of the root that systemd is tried in, each behind a script that enters it.
fn rig(bin: &Bin) -> bool {
    let Some(root) = rig_root("the_real_programs_give_the_profile_that_is_built_in") else { return false };
    for tool in TOOLS {
        bin.script(tool, &format!("exec chroot '{}' /usr/bin/{tool} \"$@\"", root.display()));
    }
    true
}

#[test]
fn the_real_programs_give_the_profile_that_is_built_in() {
    let bin = Bin::new();
    if !rig(&bin) {
        return;
    }
    let output = orchgen(&["probe", &bin.0.path().to_string_lossy()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let found = Profile::parse("mine", &text(&output.stdout), |_| None).unwrap();
    let known = Profile::built_in("llama.cpp-b11669").unwrap();
    assert_eq!((found.build(), told(&found)), (known.build(), told(known)));
}

#[test]
fn profiles_are_listed() {
    let human = text(&orchgen(&["list"]).stdout);
    assert_eq!(human.lines().count(), Profile::names().len() + 1);
    assert!(human.contains("llama.cpp-b11669                        5      286  Debian package"), "{human}");
    let json: serde_json::Value =
        serde_json::from_slice(&orchgen(&["list", "--output-format", "json"]).stdout).unwrap();
    let names: Vec<&str> =
        json["profiles"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
    assert_eq!((json["format_version"].as_u64(), names), (Some(1), Profile::names().to_vec()));
}

#[test]
fn a_profile_and_its_options_are_shown() {
    let show = |args: &[&str]| {
        let output = orchgen(&[&["show"], args].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let b = "llama.cpp-b11669";
    let whole = show(&[b]);
    assert!(
        whole.contains("\n-c, --ctx-size N\n")
            && whole.contains("--draft-max N  (removed: use --spec-draft-n-max")
    );
    let one = show(&[b, "ctx_size"]);
    assert_eq!(one, show(&[b, "-c"]));
    assert!(one.starts_with("-c, --ctx-size N\n") && one.contains("LLAMA_ARG_CTX_SIZE"), "{one}");
    assert!(one.contains("the field `context` writes it"), "{one}");
    assert!(show(&[b, "--no-repack"]).contains("LLAMA_ARG_REPACK, and LLAMA_ARG_NO_REPACK to switch it off"));
    assert!(show(&[b, "control-vector-layer-range"]).contains("START END, as 2 arguments"));
    let mlock = show(&["llama.cpp-b10434", "mlock"]);
    assert!(
        mlock.lines().any(|line| line.split_whitespace().eq(["deprecated", "use", "--load-mode"])),
        "{mlock}"
    );
    assert_eq!(show(&["llama.cpp-b11434", "output-format"]).matches("--output-format").count(), 2);
    let json: serde_json::Value = serde_json::from_str(&show(&[b, "np", "--output-format", "json"])).unwrap();
    assert_eq!(json["options"][0]["names"][0], "-np");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine/profiles/llama.cpp-b11669.json");
    assert_eq!(show(&[&path.to_string_lossy(), "np"]), show(&[b, "np"]));
}

#[test]
fn what_is_not_there_to_show_is_said_with_the_nearest() {
    let said = refused(&["show", "llama.cpp-b11668"]);
    assert!(
        said.contains("there is no profile `llama.cpp-b11668`; did you mean `llama.cpp-b11669`?"),
        "{said}"
    );
    let said = refused(&["show", "llama.cpp-b11669", "ctx-sise"]);
    assert!(said.contains("has no option `ctx-sise`; did you mean `--ctx-size`?"), "{said}");
    assert!(refused(&["show", "no/where.json"]).contains("cannot read `no/where.json`: there is no such"));
    let bin = Bin::new();
    fs::write(bin.at("bad.json"), "{\"engine\":1}").unwrap();
    assert!(refused(&["show", &bin.at("bad.json").to_string_lossy()]).contains("line 1 column"));
    assert!(refused(&["show", "/dev"]).contains("it is not a file"));
}
