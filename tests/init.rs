//! `orchgen init --from-host`: machines as the kernel lists them, programs of llama.cpp, and folders of models.
//!
//! The files in `init/machines` have the texts below `/sys` and `/proc` that orchgen reads, one file per line. Those of
//! `two-sockets`, `hybrid-laptop`, `arm` and `gpu-memory-nodes` are of real machines, which the tests of hwloc have in full. Those of
//! `two-gpus` are composed from the documentation of the drivers.

mod models;
mod programs;

use crate::support::{assert_snapshot, compile_folder, orchgen};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// An empty folder in which orchgen runs.
struct Empty(tempfile::TempDir);

impl Empty {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Writes the files of a recorded machine below `root`.
    fn machine(&self, name: &str) {
        let file = crate::support::repository().join("tests/init/machines").join(name);
        for line in fs::read_to_string(file).unwrap().lines() {
            // The names of PCI devices have colons.
            let (path, text) = line.split_once(": ").unwrap_or((line.trim_end_matches(':'), ""));
            self.write(&format!("root/{path}"), (text.replace("\\n", "\n") + "\n").as_bytes());
        }
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(orchgen());
        command.args(args).current_dir(self.0.path()).env_clear();
        command.output().unwrap()
    }

    /// Runs `init --from-host` with more arguments, and returns the registry and the messages.
    #[track_caller]
    fn init(&self, format: &str, args: &[&str]) -> (String, String) {
        let output = self.run(&[&["init", "--from-host", "--format", format][..], args].concat());
        let messages = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{messages}");
        (fs::read_to_string(self.at(&format!("registry/stack.{format}"))).unwrap(), messages)
    }
}

/// The registry of a recorded machine.
fn registry_of(machine: &str, format: &str) -> (Empty, String) {
    let empty = Empty::new();
    empty.machine(machine);
    let (registry, _) = empty.init(format, &["--root", "root"]);
    (empty, registry)
}

const ENGINE: &str = "engine \"llama.cpp\" profile=\"llama.cpp-b12032\" bin=\"/opt/llama.cpp/bin\"\n";

#[test]
fn machines_become_hosts() {
    for machine in ["two-sockets", "hybrid-laptop", "two-gpus", "arm", "gpu-memory-nodes"] {
        let (empty, registry) = registry_of(machine, "kdl");
        assert_snapshot!("init", format!("host_{machine}"), registry);
        // The commented engine is the only line that is missing.
        let example = registry.lines().find_map(|line| line.strip_prefix("// engine ")).unwrap();
        assert_eq!(format!("engine {example}\n"), ENGINE);
        fs::write(empty.at("registry/engine.kdl"), ENGINE).unwrap();
        let compiled = compile_folder(&empty.at("registry"));
        assert!(compiled.findings.is_empty(), "{machine}: {}", compiled.report());
    }
}

#[test]
fn both_languages_give_the_same_host() {
    for machine in ["two-sockets", "hybrid-laptop", "two-gpus", "arm", "gpu-memory-nodes"] {
        let hosts = ["kdl", "yaml"].map(|format| {
            let (empty, _) = registry_of(machine, format);
            fs::write(empty.at("registry/engine.kdl"), ENGINE).unwrap();
            compile_folder(&empty.at("registry")).checked().registry().hosts.clone()
        });
        assert!(hosts[0] == hosts[1], "{machine}");
    }
}

#[test]
fn a_role_on_each_machine_can_use_its_cpus() {
    let placements = [
        ("two-sockets", "placement numa=\"bind 1\"", "numactl --membind=1"),
        ("hybrid-laptop", "placement cpus=\"threads-2\" threads=6", "0-11"),
        ("arm", "placement cpus=\"5-9,15-19\"", "5-9,15-19"),
        ("gpu-memory-nodes", "placement numa=\"bind 8\"", "--membind=8"),
    ];
    for (machine, placement, _) in placements {
        let (empty, registry) = registry_of(machine, "kdl");
        let role = format!(
            "model \"m\" size=\"1 GB\" file=\"/m.gguf\"\nrole \"r\" model=\"m\" port=8080 context=4096 {{ {placement} }}\n"
        );
        let engine = ENGINE.to_owned();
        fs::write(empty.at("registry/stack.kdl"), registry + &engine + &role).unwrap();
        let compiled = compile_folder(&empty.at("registry"));
        assert!(!compiled.findings.has_errors(), "{machine}: {}", compiled.report());
    }
}

#[test]
fn a_machine_without_any_file_gives_comments() {
    let empty = Empty::new();
    fs::create_dir(empty.at("root")).unwrap();
    let (registry, messages) = empty.init("yaml", &["--root", "root", "--name", "lab"]);
    assert_snapshot!("init", "host_unknown", format!("{registry}\n{messages}"));
    assert!(empty.at("registry/orchgen.schema.json").is_file());
}

#[test]
fn texts_of_any_bytes_do_no_harm() {
    for bytes in [&b"\xff\xfe\n\0"[..], b"0-", b"999999999999", b"-1\n", b"\x1b[31m", &[b'1'; 4096]] {
        let empty = Empty::new();
        empty.machine("two-gpus");
        let mut folders = vec![empty.at("root")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else {
                    fs::write(entry.path(), bytes).unwrap();
                }
            }
        }
        let (registry, _) = empty.init("kdl", &["--root", "root"]);
        assert!(!registry.contains('\x1b'), "{registry}");
        fs::write(empty.at("registry/engine.kdl"), ENGINE).unwrap();
        let compiled = compile_folder(&empty.at("registry"));
        assert!(!compiled.findings.has_errors(), "{}", compiled.report());
    }
}

#[test]
fn an_existing_registry_is_kept() {
    let empty = Empty::new();
    empty.write("registry/a.kdl", b"stack \"a\"\n");
    let output = empty.run(&["init", "--from-host"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(message.contains("`registry` already contains a registry"), "{message}");
    assert!(!Path::new(&empty.at("registry/stack.yaml")).exists());
}

#[test]
fn options_of_from_host_need_it() {
    let empty = Empty::new();
    let output = empty.run(&["init", "--models", "/srv/models"]);
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("--from-host"), "{message}");
}

/// The registry of a recorded machine, after a change of one of its files.
fn changed(machine: &str, file: &str, text: Option<&str>) -> String {
    let empty = Empty::new();
    empty.machine(machine);
    match text {
        Some(text) => empty.write(&format!("root/{file}"), text.as_bytes()),
        None => fs::remove_file(empty.at(&format!("root/{file}"))).unwrap(),
    }
    empty.init("kdl", &["--root", "root"]).0
}

#[test]
fn an_offline_cpu_does_not_make_a_machine_hybrid() {
    let empty = Empty::new();
    empty.machine("two-sockets");
    empty.write("root/sys/devices/system/cpu/online", b"0-30\n");
    empty.write("root/sys/devices/system/cpu/offline", b"31\n");
    empty.write("root/sys/devices/system/cpu/cpu15/topology/thread_siblings_list", b"15\n");
    let (registry, _) = empty.init("kdl", &["--root", "root"]);
    assert!(registry.contains("smt=2 {\n    numa 0 cpus=\"0-7,16-23\""), "{registry}");
    assert!(
        registry.contains("numa 1 cpus=\"8-15,24-30\"") && registry.contains("threads are off: CPU 31."),
        "{registry}"
    );
}

#[test]
fn memory_is_not_subtracted_if_the_online_cpus_are_unknown() {
    let registry = changed("two-sockets", "sys/devices/system/cpu/online", None);
    assert!(registry.contains("memory=\"99.7 GB\"") && !registry.contains("not counted"), "{registry}");
}

#[test]
fn names_and_folders_that_cannot_be_used_are_refused() {
    let empty = Empty::new();
    for (args, expected) in [
        (["--name", "my stack"], "`my stack` cannot be the name of a stack: write `my-stack`"),
        (["--root", "nowhere"], "`nowhere` is no folder"),
    ] {
        let output = empty.run(&[&["init", "--from-host"][..], &args].concat());
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && message.contains(expected), "{message}");
        assert!(!empty.at("registry").exists());
    }
}
