//! The port as a part of words and variables: in scripts and units, with instances and behind sockets.

use super::{InstalledStack, printed_words};
use crate::outside::{self, split_words};
use crate::support::compile;
use std::fs;
use std::process::Command;

/// Words before the separator are arguments, those after it are the value of a variable.
const WORDS: &[&str] = &[
    "127.0.0.1:{port}",
    "--listen=:{port}",
    "port={port}",
    "={port}",
    "{port}:8080",
    "http://127.0.0.1:{port}/v1",
    "{host}:{port}",
    "it's ${HOME} \u{1f980}:{port}:a `b` ~ \\",
    "$'x',{port},}",
    "x{port}y",
    "{\"port\": 1}",
    "{port}",
];

/// A stack with one process, with two, and with two behind sockets.
pub(super) fn stack() -> String {
    let quoted = WORDS.iter().map(|word| format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"")));
    let quoted: Vec<String> = quoted.collect();
    let role = |name: &str, residency: &str, ports: &str| {
        let env: Vec<String> = (0..).zip(&quoted).map(|(n, word)| format!("V{n} {word}")).collect();
        let env = env.join("; ");
        let words = quoted.join(" ");
        format!(
            "role \"{name}\" residency=\"{residency}\" {ports} memory=\"1 GB\" {{ command \"/rig/serve\" {words}; env {{ {env} }} }}\n"
        )
    };
    "stack \"s\"\nhost \"h\" memory=\"9 GB\" cpus=\"0-1\"\nresidency \"hot\" start=\"boot\"\n\
     residency \"warm\" start=\"on-demand\" budget=\"9 GB\" idle=\"5 min\"\n"
        .to_owned()
        + &role("one", "hot", "port=23581")
        + &role("two", "hot", "ports=\"23582-23583\" listen=\"::1\"")
        + &role("cold", "warm", "ports=\"23584-23585\" backend=33590")
}

fn installed() -> InstalledStack {
    let dir = outside::folder();
    let text = stack().replace("/rig", dir.path().to_str().unwrap());
    InstalledStack::install(dir, &compile(&[("stack.kdl", &text)]))
}

/// The words with the port and the address of a process.
fn expected(port: u16, address: &str) -> Vec<String> {
    let fill = |word: &&str| {
        let filled = word.replace("{host}", address);
        if *word == "x{port}y" { filled } else { filled.replace("{port}", &port.to_string()) }
    };
    WORDS.iter().map(fill).collect()
}

/// The processes: role, instance, port for clients, and port of the process.
const PROCESSES: [(&str, usize, u16, u16); 5] = [
    ("one", 0, 23581, 23581),
    ("two", 0, 23582, 23582),
    ("two", 1, 23583, 23583),
    ("cold", 0, 23584, 33590),
    ("cold", 1, 23585, 33591),
];

fn address(role: &str) -> &'static str {
    if role == "two" { "[::1]" } else { "127.0.0.1" }
}

/// A process started by hand has the port of its clients.
#[test]
fn scripts_print_the_port_of_each_instance() {
    let stack = installed();
    for (role, instance, port, _) in PROCESSES {
        let words = stack.words(&format!("bin/{role}"), &["--dry-run", "--print0", &instance.to_string()]);
        assert_eq!(words[1..], expected(port, address(role)), "{role} {instance}");
    }
}

#[test]
fn scripts_pass_the_port_of_each_instance() {
    let stack = installed();
    let env = stack.dir.path().join("env");
    for (role, instance, port, _) in PROCESSES {
        let mut command = Command::new(stack.out(&format!("bin/{role}")));
        let words =
            printed_words(&outside::run(command.arg(instance.to_string()).env("STUB_ENV", &env), "bash"));
        let expected = expected(port, address(role));
        assert_eq!(words[1..], expected, "{role} {instance}");
        let env = fs::read_to_string(&env).unwrap();
        for (n, value) in expected.iter().enumerate() {
            assert!(env.split('\0').any(|variable| variable == format!("V{n}={value}")), "{value}: {env}");
        }
    }
}

/// The process of a unit has the hidden port behind its socket.
#[test]
fn units_pass_the_port_of_each_process() {
    let files = compile(&[("stack.kdl", &stack())]).files();
    for (role, instance, _, port) in PROCESSES {
        let number = if role == "one" { String::new() } else { format!("-{instance}") };
        let behind = if role == "cold" { "-backend" } else { "" };
        let unit = &files[&format!("systemd/s-{role}{number}{behind}.service")].0;
        let unit = unit.replace("\\\n", " ");
        let plain = |word: String| word.replace("%%", "%").replace("$$", "$");
        let settings = |name: &str| {
            let lines = unit.lines().filter_map(|line| line.strip_prefix(name));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        let start = split_words(settings("ExecStart=")[0].trim()).into_iter().filter(|word| !word.is_empty());
        let expected = expected(port, address(role));
        assert_eq!(start.skip(1).map(plain).collect::<Vec<_>>(), expected, "{role} {instance}");
        let env: Vec<String> = settings("Environment=").iter().flat_map(|line| split_words(line)).collect();
        for (n, value) in expected.iter().enumerate().filter(|(_, value)| value.contains(&port.to_string())) {
            let variable = format!("V{n}={value}");
            assert!(env.iter().any(|one| one.replace("%%", "%") == variable), "{variable}: {env:?}");
        }
    }
}
