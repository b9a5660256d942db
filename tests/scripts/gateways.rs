//! The scripts of gateways.

use super::{InstalledStack, STUB, assert_refused, printed_words, split_by_bash};
use crate::outside;
use crate::support::{assert_snapshot, compile};
use orchgen::plan::Word;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

pub(super) const GATEWAYS: &str = include_str!("gateways.kdl");
pub(super) const LLAMA_SWAP: &str = include_str!("../llama_swap/stack.kdl");

/// A stack whose ports differ from those of the other tests, which run at the same time.
fn installed(ports: &str) -> InstalledStack {
    let dir = outside::folder();
    let text = GATEWAYS.replace("/rig", dir.path().to_str().unwrap()).replace("215", ports);
    InstalledStack::install(dir, &compile(&[("gateways.kdl", &text)]))
}

/// The argv of a gateway, as its script passes it: with the preset file of the output folder.
fn expected_argv(stack: &InstalledStack, gateway: &str) -> Vec<String> {
    let role = stack.role(gateway);
    let preset = stack.out("router").canonicalize().unwrap().join(format!("{gateway}.ini"));
    let word = |word: &Word| match (word, word.text()) {
        (Word::PresetFile(_), _) => preset.to_str().unwrap().to_owned(),
        (Word::KeyFile(_), _) => role.key_file.as_deref().unwrap().to_owned(),
        (_, text) => text.to_owned(),
    };
    std::iter::once(role.program.to_string()).chain(role.processes[0].args.iter().map(word)).collect()
}

#[test]
fn a_gateway_has_a_script_and_its_roles_have_none() {
    let files = compile(&[("gateways.kdl", GATEWAYS)]).files();
    let scripts: Vec<&str> = files.keys().filter_map(|path| path.strip_prefix("bin/")).collect();
    assert_eq!(scripts, ["alone", "front", "keyed", "prompt/dense"]);
    assert_snapshot!("scripts", "gateway", files["bin/front"].0);
    // Another role has the same script as in a stack without gateways.
    let without: Vec<&str> =
        GATEWAYS.lines().filter(|line| !line.contains("gateway") && !line.contains("helper")).collect();
    let without = compile(&[("gateways.kdl", &without.join("\n"))]).files();
    assert_eq!(without["bin/alone"].0, files["bin/alone"].0);
}

#[test]
fn a_dry_run_prints_the_argv_of_the_plan_with_the_preset_file_of_the_output_folder() {
    let stack = installed("225");
    for gateway in ["front", "keyed"] {
        let path = format!("bin/{gateway}");
        let expected = expected_argv(&stack, gateway);
        assert!(expected.contains(&"--models-preset".to_owned()));
        assert_eq!(stack.words(&path, &["--dry-run", "--print0"]), expected);
        assert_eq!(split_by_bash(&stack.run(&path, &["--dry-run"]).stdout), expected);
    }
    let link = stack.dir.path().join("a link");
    std::os::unix::fs::symlink(stack.out("bin/front"), &link).unwrap();
    let printed = outside::run(Command::new(&link).arg("--print0").current_dir("/"), "bash");
    assert_eq!(printed_words(&printed), expected_argv(&stack, "front"));
}

#[test]
fn help_names_the_gateway_its_roles_and_its_address() {
    let stack = installed("226");
    let help = String::from_utf8(stack.run("bin/front", &["--help"]).stdout).unwrap();
    assert!(help.contains("Serves gateway front (chat, later) in the foreground:"), "{help}");
    assert!(help.contains("at 127.0.0.1 port 22600") && !help.contains("role"), "{help}");
    let keyed = String::from_utf8(stack.run("bin/keyed", &["--help"]).stdout).unwrap();
    assert!(keyed.contains("Runs through numactl/bind-0-cpus-0"), "{keyed}");
}

#[test]
fn each_kind_of_failure_has_a_separate_exit_code() {
    let stack = installed("227");
    stack.assert_refuses("bin/front", &["1"], 64, "the only instance is 0");
    let busy = TcpListener::bind("127.0.0.1:22700").unwrap();
    stack.assert_refuses("bin/front", &[], 75, "port 22700 on 127.0.0.1 is already in use");
    drop(busy);
    // The files of models are the concern of the router, which serves the others.
    fs::remove_file(stack.dir.path().join("models/dense.gguf")).unwrap();
    assert_eq!(stack.words("bin/front", &[]), expected_argv(&stack, "front"));
    fs::remove_file(stack.dir.path().join("keys it's")).unwrap();
    stack.assert_refuses("bin/keyed", &[], 66, "it'\\''s' is missing or cannot be read");
    fs::remove_file(stack.out("router/front.ini")).unwrap();
    stack.assert_refuses("bin/front", &[], 66, "router/front.ini' is missing or cannot be read");
    fs::remove_file(stack.dir.path().join("bin/llama-server")).unwrap();
    stack.assert_refuses("bin/front", &[], 69, "llama-server' is missing or cannot be executed");
    assert_eq!(stack.words("bin/front", &["--print0"])[1], "--models-preset");
}

#[test]
fn the_router_gets_no_variables_of_the_caller_and_no_cache() {
    let stack = installed("228");
    let env = stack.dir.path().join("env");
    let mut command = Command::new(stack.out("bin/front"));
    command.args(["--", "--verbose"]).env("STUB_ENV", &env);
    command.envs([("LLAMA_ARG_CTX_SIZE", "1"), ("LLAMA_CACHE", "/tmp"), ("LLAMA_API_KEY", "k")]);
    let mut expected = expected_argv(&stack, "front");
    expected.push("--verbose".to_owned());
    assert_eq!(printed_words(&outside::run(&mut command, "bash")), expected);
    let env = fs::read_to_string(env).unwrap();
    let llama: Vec<&str> = env.split('\0').filter(|entry| entry.starts_with("LLAMA_")).collect();
    assert_eq!(llama, ["LLAMA_CACHE=/nonexistent"]);
    outside::write(Path::new(&*stack.role("front").program), STUB, 0o644);
    let output = outside::run(&mut Command::new(stack.out("bin/front")), "bash");
    assert_refused(&output, 69, "cannot be executed");
}

/// llama-swap gets its keys and those of its models from variables, and no variables that its models would read as options.
#[test]
fn llama_swap_gets_its_configuration_and_its_keys() {
    let dir = outside::folder();
    let root = dir.path().to_str().unwrap().to_owned();
    let text =
        ["/usr/local", "/opt", "/srv", "/etc/keys"].iter().fold(LLAMA_SWAP.to_owned(), |text, folder| {
            text.replace(&format!("\"{folder}/"), &format!("\"{root}{folder}/"))
        });
    let text = text.replace("\"/srv", &format!("\"{root}/srv")).replace("port=8100", "port=23000");
    let stack = InstalledStack::install(dir, &compile(&[("a.kdl", &text)]));
    let key = |name: &str| stack.dir.path().join("etc/keys").join(name);
    outside::write(&key("all"), "# all\n\nfirst key\nsecond\n", 0o600);
    let run = || {
        let env = stack.dir.path().join("env");
        let mut command = Command::new(stack.out("bin/keyed"));
        command.env("STUB_ENV", &env).envs([("LLAMA_ARG_CTX_SIZE", "1"), ("ORCHGEN_API_KEY", "other")]);
        (outside::run(&mut command, "bash"), env)
    };
    fs::remove_file(key("own")).unwrap();
    assert_refused(&run().0, 66, "etc/keys/own' is missing or cannot be read");
    outside::write(&key("own"), "k\n", 0o600);
    let (output, env) = run();
    let program = format!("{root}/usr/local/bin/llama-swap");
    let config = stack.out("llama-swap").canonicalize().unwrap().join("keyed.yaml");
    let expected = [&program, "--config", config.to_str().unwrap(), "--listen", "0.0.0.0:23000"];
    assert_eq!(printed_words(&output), expected);
    let env = fs::read_to_string(env).unwrap();
    let found: Vec<&str> = env
        .split('\0')
        .filter(|entry| ["LLAMA_", "ORCHGEN_API", "ORCHGEN_KEY"].iter().any(|start| entry.starts_with(start)))
        .collect();
    let own = format!("ORCHGEN_KEY_FILE_1={root}/etc/keys/own");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.contains(&"ORCHGEN_API_KEY=first key") && found.contains(&&*own), "{found:?}");
    outside::write(&key("all"), "# none\n", 0o600);
    assert_refused(&run().0, 66, "the key file has no key");
}

mod tools {
    use super::*;

    #[test]
    fn the_placement_of_a_gateway_is_that_of_its_wrapper() {
        let stack = installed("229");
        let numa = stack.dir.path().join("numa");
        let mut command = Command::new(stack.out("bin/keyed"));
        assert_eq!(
            printed_words(&outside::run(command.env("STUB_NUMA", &numa), "numactl")),
            expected_argv(&stack, "keyed")
        );
        let shown = fs::read_to_string(numa).unwrap();
        assert!(shown.contains("policy: bind"), "{shown}");
    }
}
