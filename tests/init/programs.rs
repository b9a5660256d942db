//! The programs of llama.cpp: their profile, and the GPUs that they find.

use super::Empty;
use crate::support::{assert_snapshot, compile_folder};
use orchgen::engine::Profile;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

const HELP: &str = include_str!("../probe/help.txt");
const B11669: &str = "0.7.0 (build 11669, commit Debian)";
const DEVICES: &str = "Available devices:\n  CUDA0: NVIDIA GeForce RTX 4090 (24080 MiB, 23670 MiB free)\n  \
                       CUDA1: NVIDIA GeForce RTX 3060 (Ti) (12044 MiB, 11800 MiB free)\n";

/// Writes a `llama-server` that prints a version, a help text and a list of devices.
fn server(empty: &Empty, folder: &str, version: &str, devices: &str) {
    empty.write(&format!("{folder}/help"), HELP.as_bytes());
    empty.write(&format!("{folder}/devices"), devices.as_bytes());
    let at = empty.at(folder);
    let (help, devices) = (at.join("help"), at.join("devices"));
    let script = format!(
        "#!/bin/bash\ncase $1 in --version) echo 'version: {version}' >&2;; --help) exec cat '{}';; \
         --list-devices) exec cat '{}';; *) exit 1;; esac\n",
        help.display(),
        devices.display()
    );
    let path = format!("{folder}/llama-server");
    empty.write(&path, script.as_bytes());
    fs::set_permissions(empty.at(&path), fs::Permissions::from_mode(0o755)).unwrap();
}

/// The lines of the engine and of the GPUs, without the folder of the test.
fn relevant(empty: &Empty, registry: &str) -> String {
    let folder = empty.0.path().to_string_lossy().into_owned();
    let is_relevant =
        |line: &&str| ["engine", "gpu", "llama-server", "GPU"].iter().any(|word| line.contains(word));
    let lines: Vec<&str> = registry.lines().filter(is_relevant).collect();
    lines.join("\n").replace(&folder, "/TEST")
}

#[test]
fn a_known_build_has_its_built_in_profile_and_its_gpus() {
    let empty = Empty::new();
    server(&empty, "bin", B11669, DEVICES);
    let (registry, messages) = empty.init("kdl", &["--bin", "bin"]);
    assert_snapshot!("init", "known_build", relevant(&empty, &registry));
    assert!(messages.contains("with profile llama.cpp-b11669"), "{messages}");
    assert!(registry.contains("orchgen add role chat --model MODEL --gpu CUDA0"), "{registry}");
    let compiled = compile_folder(&empty.at("registry"));
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
}

#[test]
fn an_unknown_build_is_probed_into_a_profile_of_the_registry() {
    let empty = Empty::new();
    server(&empty, "bin", "0.9.0 (build 13001, commit abcdef0)", "Available devices:\n  (none)\n");
    let (registry, _) = empty.init("yaml", &["--bin", "bin"]);
    assert_snapshot!("init", "unknown_build", relevant(&empty, &registry));
    let profile = fs::read_to_string(empty.at("registry/llama.cpp-b13001.json")).unwrap();
    let profile = Profile::parse("probed", &profile, Profile::built_in).unwrap();
    assert_eq!((profile.build(), profile.has_tool("llama-server")), ("b13001", true));
    let compiled = compile_folder(&empty.at("registry"));
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
}

#[test]
fn a_build_without_a_back_end_for_the_cards_is_reported_at_the_cards() {
    let empty = Empty::new();
    let (_, registry) = super::registry_of("two-gpus", "kdl");
    assert!(registry.contains("NVIDIA GeForce RTX 3090 at 0000:01:00.0"), "{registry}");
    // The programs of this machine are not those of another one.
    server(&empty, "bin", B11669, DEVICES);
    let output = empty.run(&["init", "--from-host", "--bin", "bin", "--root", "/"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn programs_that_are_no_llama_server_give_a_comment() {
    let empty = Empty::new();
    let program = |body: &str| {
        empty.write("bin/llama-server", format!("#!/bin/bash\n{body}\n").as_bytes());
        fs::set_permissions(empty.at("bin/llama-server"), fs::Permissions::from_mode(0o755)).unwrap();
    };
    for (body, why) in [
        ("echo hello", "prints no version of llama.cpp"),
        ("exit 3", "failed with exit code 3"),
        ("echo 'version: 0.9.0 (build 13001, commit a)'", "does not list its options"),
    ] {
        program(body);
        let (registry, messages) = empty.init("kdl", &["--bin", "bin"]);
        assert!(registry.contains(why) && messages.contains(why), "{registry}\n{messages}");
        assert!(registry.contains("\n// engine \"llama.cpp\""), "{registry}");
        fs::remove_dir_all(empty.at("registry")).unwrap();
    }
    let output = empty.run(&["init", "--from-host", "--bin", "registry"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(message.contains("`registry` has no program llama-server"), "{message}");
}

/// The registry of `init --from-host` with these folders on PATH, and their paths.
fn init_with_path<const N: usize>(empty: &Empty, folders: [&str; N]) -> (String, [String; N]) {
    let path = folders.map(|name| empty.at(name).to_string_lossy().into_owned());
    let mut command = Command::new(crate::support::orchgen());
    command.args(["init", "--from-host", "--format", "kdl"]).current_dir(empty.0.path());
    let output =
        command.env_clear().env("PATH", format!("{}:/usr/bin:/bin", path.join(":"))).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (fs::read_to_string(empty.at("registry/stack.kdl")).unwrap(), path)
}

#[test]
fn programs_are_found_on_path_in_order() {
    let empty = Empty::new();
    server(&empty, "first", B11669, DEVICES);
    server(&empty, "second", "0.9.0 (build 13001, commit abcdef0)", DEVICES);
    std::os::unix::fs::symlink(empty.at("first"), empty.at("link")).unwrap();
    let (registry, [first, link, second, _]) = init_with_path(&empty, ["first", "link", "second", "missing"]);
    assert!(registry.contains(&format!("bin=\"{first}\"")) && !registry.contains(&link), "{registry}");
    let other = format!("// {second} has another llama-server: version: 0.9.0 (build 13001, commit abcdef0)");
    assert!(registry.contains(&other), "{registry}");
}

#[test]
fn a_broken_program_does_not_hide_the_next_one() {
    let empty = Empty::new();
    server(&empty, "second", B11669, DEVICES);
    empty.write("first/llama-server", b"#!/bin/bash\nexit 127\n");
    fs::set_permissions(empty.at("first/llama-server"), fs::Permissions::from_mode(0o755)).unwrap();
    let (registry, [first, second]) = init_with_path(&empty, ["first", "second"]);
    assert!(
        registry.contains(&format!("bin=\"{second}\"")) && registry.contains("gpu \"CUDA0\""),
        "{registry}"
    );
    assert!(
        registry.contains(&format!("{first} has another llama-server, which cannot be used")),
        "{registry}"
    );
}

#[test]
fn a_card_of_two_back_ends_counts_once_and_others_are_no_gpus() {
    let empty = Empty::new();
    let devices = "Available devices:\n  BLAS: OpenBLAS (0 MiB, 0 MiB free)\n  CUDA0: RTX (24080 MiB, 23670 MiB free)\n  \
                   Vulkan0: RTX (24564 MiB, 23670 MiB free)\n";
    server(&empty, "bin", B11669, devices);
    let (registry, _) = empty.init("kdl", &["--bin", "bin"]);
    assert_eq!(registry.matches("gpu \"").count(), 1, "{registry}");
    assert!(registry.contains("Another back end lists Vulkan0 (RTX)."), "{registry}");
    let compiled = compile_folder(&empty.at("registry"));
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
}
