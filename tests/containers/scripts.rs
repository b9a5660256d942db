//! The scripts that run a container in the foreground. podman is a program that prints its arguments.

use super::facts::{Facts, of_script};
use super::{HOSTILE, IMAGE, PLAIN, stack};
use crate::outside;
use crate::scripts::{assert_refused, path_with, printed_words, split_by_bash};
use crate::support::{Compiled, assert_snapshot, compile};
use orchgen::plan::{Plan, Process, Role, Word, plan};
use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output};
use tempfile::TempDir;

/// Prints its name and its arguments, with a NUL after each, and has one image.
const RUNNER: &str = "#!/bin/sh\nif [ \"$1\" = image ]; then [ \"$3\" != localhost/absent:1 ]; exit; fi\n\
    printf '%s\\0' \"${0##*/}\" \"$@\"\n";

/// The scripts of a stack, with a `PATH` that has these runners and the programs that scripts need.
struct Scripts {
    dir: TempDir,
    plan: Plan,
    path: PathBuf,
}

impl Scripts {
    fn new(compiled: &Compiled, runners: &[&str]) -> Self {
        let dir = outside::folder();
        compiled.write(dir.path());
        let path = path_with(dir.path(), &["bash", "cat", "env", "sh"]);
        for runner in runners {
            outside::write(&path.join(runner), RUNNER, 0o755);
        }
        Self { dir, plan: plan(compiled.checked().clone()), path }
    }

    fn run(&self, name: &str, args: &[&str]) -> Output {
        let mut command = Command::new(self.dir.path().join("bin").join(name));
        outside::run(command.args(args).env("PATH", &self.path), "bash")
    }

    #[track_caller]
    fn words(&self, name: &str, args: &[&str]) -> Vec<String> {
        printed_words(&self.run(name, args))
    }

    /// The processes in containers, with the number of each as an argument.
    fn processes(&self) -> Vec<(&Role, String, &Process)> {
        let roles = self.plan.roles.iter().filter(|role| role.container.is_some());
        let processes = roles.flat_map(|role| {
            (0..).zip(&role.processes).map(move |(n, process): (usize, _)| (role, n.to_string(), process))
        });
        processes.collect()
    }
}

/// The `podman run` commands of all scripts.
pub(super) fn words_of_scripts(compiled: &Compiled) -> Vec<Vec<String>> {
    let scripts = Scripts::new(compiled, &["podman"]);
    let processes = scripts.processes().into_iter();
    processes.map(|(role, n, _)| scripts.words(&role.name, &["--outer", "--print0", &n])).collect()
}

/// The facts of all containers, as their scripts print them, by the names of the containers.
pub(super) fn facts_of_scripts(compiled: &Compiled) -> BTreeMap<String, Facts> {
    words_of_scripts(compiled).iter().map(|words| of_script(words)).collect()
}

#[test]
fn scripts_match_the_snapshots() {
    let files = stack(&PLAIN, "").files();
    for name in ["code", "spread", "amd"] {
        assert_snapshot!("containers", format!("script_{name}"), files[&format!("bin/{name}")].0);
    }
}

/// The program and its arguments are those of the plan, in all forms.
#[test]
fn a_dry_run_prints_the_command_in_the_container() {
    for texts in [&PLAIN, &HOSTILE] {
        let scripts = Scripts::new(&stack(texts, ""), &[]);
        let processes = scripts.processes();
        assert_eq!(processes.len(), 7);
        for (role, n, process) in processes {
            let is_key = |word: &Word| matches!(word, Word::KeyFile(_));
            let word = |word| if is_key(word) { "/run/secrets/api-key" } else { word.text() };
            let mut expected = vec!["llama-server".to_owned()];
            expected.extend(process.args.iter().map(word).map(str::to_owned));
            let words = |args: &[&str]| scripts.words(&role.name, args);
            assert_eq!(words(&["--dry-run", "--print0", &n]), expected);
            assert_eq!(words(&["--print0", &n]), expected);
            assert_eq!(split_by_bash(&scripts.run(&role.name, &["--dry-run", &n]).stdout), expected);
            let outer = words(&["--print0", "--outer", &n]);
            assert_eq!(outer[outer.len() - expected.len()..], [&[IMAGE.to_owned()], &expected[1..]].concat());
            for options in [&["--outer"][..], &["--dry-run", "--outer"], &["--outer", "--dry-run"]] {
                let line = scripts.run(&role.name, &[options, &[&n]].concat());
                assert_eq!(split_by_bash(&line.stdout), outer);
            }
            expected.extend(["-v", "--", "", "it's $(id)\n"].map(str::to_owned));
            assert_eq!(words(&["--print0", &n, "--", "-v", "--", "", "it's $(id)\n"]), expected);
        }
    }
}

#[test]
fn help_lists_the_image_the_address_and_the_options() {
    let scripts = Scripts::new(&stack(&HOSTILE, ""), &[]);
    for (name, expected) in [
        (
            "spread",
            &["instance 1 at 127.0.0.1 port 8111", "--outer", "Exit codes of this script: 64 usage"][..],
        ),
        ("code", &["podman pull localhost/image:1", "Mounts the key file /etc/keys/code"]),
        ("drafted", &["instance 0 at 127.0.0.1, 10.0.0.7 port 8101"]),
        ("odd", &["Sets EMPTY=", "Sets ODD=a;b \"c\" 'd' %h $e ${f}"]),
    ] {
        let output = scripts.run(name, &["--help"]);
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && output.stderr.is_empty());
        assert!(expected.iter().all(|word| help.contains(word)), "{help}");
    }
}

/// A stack whose model file and key file exist.
fn small(image: &str, port: u16) -> (TempDir, Compiled) {
    let files = outside::folder();
    for name in ["m.gguf", "keys"] {
        outside::write(&files.path().join(name), "", 0o644);
    }
    let registry = format!(
        "stack \"s\"\nengine \"e\" profile=\"llama.cpp-b11669\" image=\"{image}\"\n\
         model \"m\" size=\"1 kB\" file=\"{0}/m.gguf\"\n\
         role \"a\" model=\"m\" port={port} context=512 key-file=\"{0}/keys\" {{ placement lock=#true; }}\n",
        files.path().display()
    );
    (files, compile(&[("a.kdl", &registry)]))
}

#[test]
fn a_script_runs_podman_or_docker_with_the_printed_words() {
    let (_files, compiled) = small(IMAGE, 22180);
    for (runners, expected) in
        [(&["podman"][..], "podman"), (&["docker"], "docker"), (&["podman", "docker"], "podman")]
    {
        let scripts = Scripts::new(&compiled, runners);
        let words = scripts.words("a", &["--", "-v"]);
        assert_eq!(words[..4], [expected, "run", "--rm", "--name=s-a"]);
        assert_eq!(words, scripts.words("a", &["--outer", "--print0", "--", "-v"]));
        assert_eq!(words.last().map(String::as_str), Some("-v"));
    }
}

#[test]
fn each_kind_of_failure_has_a_separate_exit_code() {
    let (files, compiled) = small(IMAGE, 22181);
    let none = Scripts::new(&compiled, &[]);
    assert_refused(&none.run("a", &[]), 69, "program podman is missing");
    let scripts = Scripts::new(&compiled, &["podman"]);
    assert_refused(&scripts.run("a", &["1"]), 64, "unknown instance '1'");
    assert_refused(&scripts.run("a", &["--podman"]), 64, "unknown option '--podman'");
    let busy = TcpListener::bind("127.0.0.1:22181").unwrap();
    assert_refused(&scripts.run("a", &[]), 75, "port 22181 on 127.0.0.1 is already in use");
    drop(busy);
    fs::remove_file(files.path().join("keys")).unwrap();
    assert_refused(&scripts.run("a", &[]), 66, "keys' is missing or cannot be read");
    fs::remove_file(files.path().join("m.gguf")).unwrap();
    assert_refused(&scripts.run("a", &[]), 66, "m.gguf' is missing or cannot be read");
    assert!(scripts.run("a", &["--dry-run"]).status.success());

    let (_files, compiled) = small("localhost/absent:1", 22182);
    let reason = "image localhost/absent:1 is missing; to get it: docker pull localhost/absent:1";
    assert_refused(&Scripts::new(&compiled, &["docker"]).run("a", &[]), 66, reason);
}

mod tools {
    use super::*;

    /// Only root can raise the limit. Docker starts containers as root.
    #[test]
    fn a_hard_limit_on_locked_memory_is_reported() {
        let (_files, compiled) = small(IMAGE, 22183);
        let who = outside::run(Command::new("id").arg("-u"), "coreutils").stdout;
        let drop = if who == b"0\n" { "setpriv --reuid 65534 --clear-groups --" } else { "" };
        for (runner, is_refused) in [("podman", true), ("docker", false)] {
            let scripts = Scripts::new(&compiled, &[runner]);
            let script = format!("ulimit -l 1; exec {drop} env PATH=\"$1\" \"$2\"");
            let mut command = Command::new("bash");
            command.args(["-c", &script, "bash"]).arg(&scripts.path).arg(scripts.dir.path().join("bin/a"));
            let output = outside::run(&mut command, "util-linux");
            if is_refused {
                assert_refused(&output, 77, "the role locks 1000 B in memory, but the hard limit is 1 KiB");
            } else {
                assert_eq!(printed_words(&output)[..2], ["docker", "run"]);
            }
        }
    }

    /// Rootless podman keeps the groups that own the device files.
    #[test]
    fn only_rootless_podman_keeps_groups() {
        let keeps = |runner: &str, drop: &str| {
            let scripts = Scripts::new(&stack(&PLAIN, ""), &[runner]);
            let mut command = Command::new("bash");
            let script = format!("exec {drop} env PATH=\"$1\" \"$2\" --outer --print0");
            command.args(["-c", &script, "bash"]).arg(&scripts.path).arg(scripts.dir.path().join("bin/amd"));
            let words = printed_words(&outside::run(&mut command, "util-linux"));
            words.contains(&"--group-add=keep-groups".to_owned())
        };
        let user = "unshare --user --";
        assert!(keeps("podman", user) && !keeps("docker", user));
        assert!(!keeps("podman", "unshare --map-root-user --"));
    }
}
