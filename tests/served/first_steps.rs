//! The first steps of README, in an empty folder of the rig with a folder of models: six commands to an answer.

use super::rig::{Rig, text, wait};
use std::fs;

/// The commands of README, which the test runs.
fn commands() -> Vec<String> {
    let readme = include_str!("../../README.md");
    let start = readme.find("orchgen init --from-host --models").unwrap();
    let block = readme[start..].split("```").next().unwrap();
    let command = |line: &str| line.split("  #").next().unwrap().trim().replace("sudo ", "");
    block.lines().map(command).filter(|line| !line.is_empty()).collect()
}

#[test]
fn six_commands_lead_from_an_empty_folder_to_an_answer() {
    let rig = Rig::boot();
    fs::copy(crate::support::orchgen(), rig.root.join("usr/local/bin/orchgen")).unwrap();
    let folder = rig.root.join("srv/first");
    fs::create_dir(&folder).unwrap();
    let commands = commands();
    assert_eq!(commands.len(), 6, "{commands:?}");
    for (number, command) in commands.iter().enumerate() {
        // The units of the rig have its prefix, no other test uses the port, and no user answers the question of `apply`.
        let command = match number {
            0 => format!("{command} --name rig"),
            1 => command.replace("--model qwen3-8b", "--model target") + " --port 18080",
            4 => format!("{command} --yes"),
            _ => command.replace("8080", "18080"),
        };
        let output = rig.run(&["bash", "-ec", &format!("cd /srv/first; {command}")]);
        let all = format!("{command}: {}{}", text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{all}");
        rig.report(&all);
        if number + 1 == commands.len() {
            let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(answer["model"], "chat", "{answer}");
            assert!(answer["choices"][0]["message"]["content"].is_string(), "{answer}");
        }
    }
    let registry = fs::read_to_string(folder.join("registry/stack.yaml")).unwrap();
    let has = |line: &str| assert!(registry.contains(line), "{line}: {registry}");
    has("profile: llama.cpp-b11669, bin: /usr/bin");
    has("systemd: 262");
    has("moe: {arch: qwen3moe, size: ");
    has("chat: {model: target, port: 18080}");
    // The findings of the registry: none.
    let check = rig.run(&["bash", "-c", "cd /srv/first && orchgen check --deny warnings"]);
    assert!(check.status.success(), "{}", text(&check.stderr));
    wait(10, "the role is active", || rig.state("rig-chat.service") == "active");
}

/// A build whose programs see the software driver of the rig as two GPUs.
const TWO_GPUS: &str = "#!/bin/sh\nGGML_VK_VISIBLE_DEVICES=0,0 exec /usr/bin/llama-server \"$@\"\n";

#[test]
fn the_gpus_that_the_real_server_lists_are_written() {
    let rig = Rig::unbooted();
    fs::copy(crate::support::orchgen(), rig.root.join("usr/local/bin/orchgen")).unwrap();
    rig.write("/srv/two/llama-server", TWO_GPUS, 0o755);
    let arguments = ["/srv/registry", "--from-host", "--bin", "/srv/two", "--format", "kdl"];
    let output =
        rig.chroot(&[&["/usr/local/bin/orchgen", "init"][..], &arguments].concat()).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let registry = fs::read_to_string(rig.root.join("srv/registry/stack.kdl")).unwrap();
    for line in [
        "engine \"llama.cpp\" profile=\"llama.cpp-b11669\" bin=\"/srv/two\"",
        "gpu \"Vulkan0\" memory=\"",
        "gpu \"Vulkan1\" memory=\"",
        " MiB\" title=\"llvmpipe (LLVM ",
    ] {
        assert!(registry.contains(line), "{line}: {registry}");
    }
}
