//! `orchgen status` on a booted system with real servers.

use super::rig::{Rig, text, wait};
use serde_json::Value;

const REGISTRY: &str = r#"
stack "rig" title="Rig stack" engine="llama.cpp" {
    hardening "strict"
    defaults { context 512; store "models"; slots 1; placement threads=1 }
}
engine "llama.cpp" profile="llama.cpp-b11669" bin="/usr/bin"
host "box" memory="20 GB" systemd=262 cpus="0-1"
store "models" path="/srv/models" speed="2 GB/s"
residency "hot" start="boot"
residency "warm" start="on-demand" idle="1 h"
gateway "front" port=18500
model "target" arch="qwen2" size="737088 B" file="target.gguf"
model "draft" arch="qwen2" size="289600 B" file="draft.gguf"
role "chat" model="target" residency="hot" port=18080
role "small" model="draft" residency="hot" port=18081
role "lazy" model="target" residency="warm" port=18086
role "inner" model="draft" residency="warm" gateway="front"
"#;

/// The exit code of `orchgen status`, and its report.
#[track_caller]
fn status(rig: &Rig) -> (i32, Value) {
    let output = rig.run(&["/srv/orchgen", "status", "--out", "/srv/out", "--output-format", "json"]);
    let report = serde_json::from_slice(&output.stdout);
    let report: Value = report.unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr)));
    (output.status.code().unwrap(), report["stacks"][0].clone())
}

/// The kinds of all differences, with the name of the role.
fn differences(stack: &Value) -> Vec<(String, String)> {
    let kinds = |name: &str, all: &Value| {
        let all = all.as_array().unwrap().clone();
        all.into_iter()
            .map(|one| (name.to_owned(), one["kind"].as_str().unwrap().to_owned()))
            .collect::<Vec<_>>()
    };
    let roles = stack["roles"].as_array().unwrap();
    let of_roles = roles.iter().flat_map(|role| kinds(role["name"].as_str().unwrap(), &role["differences"]));
    kinds("", &stack["differences"]).into_iter().chain(of_roles).collect()
}

fn state(stack: &Value, name: &str) -> String {
    let roles = stack["roles"].as_array().unwrap();
    let role = roles.iter().find(|role| role["name"] == *name).unwrap();
    role["state"].as_str().unwrap().to_owned()
}

#[track_caller]
fn assert_differences(rig: &Rig, expected: &[(&str, &str)]) -> Value {
    let (code, stack) = status(rig);
    let found = differences(&stack);
    let found: Vec<(&str, &str)> = found.iter().map(|(role, kind)| (role.as_str(), kind.as_str())).collect();
    assert_eq!(found, expected, "{stack:#}");
    assert_eq!(code, i32::from(!expected.is_empty()));
    stack
}

#[test]
fn differences_of_a_running_stack_are_reported() {
    let rig = Rig::boot();
    rig.install(REGISTRY);
    std::fs::copy(crate::support::orchgen(), rig.root.join("srv/orchgen")).unwrap();
    rig.output(&["systemctl", "daemon-reload"]);
    rig.output(&["systemctl", "enable", "--now", "rig.target"]);
    wait(60, "all serve", || {
        rig.state("rig-front.service") == "active" && rig.state("rig-chat.service") == "active"
    });
    rig.report("started the target");
    let stack = assert_differences(&rig, &[]);
    for (name, expected) in [("chat", "serving"), ("small", "serving"), ("lazy", "idle"), ("inner", "idle")] {
        assert_eq!(state(&stack, name), expected, "{name}");
    }
    let chat = &stack["roles"][0]["processes"][0];
    for check in ["health", "arguments", "files"] {
        assert_eq!(chat[check], "ok", "{chat:#}");
    }
    // Without a lock, only the sizes of the files are known.
    assert_eq!(chat["memory"]["verdict"], "not-checked", "{chat:#}");
    assert_eq!(rig.state("rig-lazy-backend.service"), "inactive", "`status` loads nothing");
    rig.report("all roles serve");

    assert_loaded(&rig);
    assert_generation(&rig);
    assert_other_processes(&rig);
    let human = rig.run(&["env", "COLUMNS=100", "/srv/orchgen", "status", "--out", "/srv/out"]);
    rig.report(&format!("the last report:\n{}{}", text(&human.stdout), text(&human.stderr)));
    rig.output(&["systemctl", "disable", "rig.target"]);
}

/// A role on demand and one behind a gateway are loaded.
fn assert_loaded(rig: &Rig) {
    assert_eq!(super::rig::ask(18086, "/health", "", "").unwrap().status, 200);
    let body = r#"{"model":"inner","messages":[{"role":"user","content":"hello"}],"max_tokens":1}"#;
    assert_eq!(super::rig::ask(18500, "/v1/chat/completions", body, "").unwrap().status, 200);
    let stack = assert_differences(rig, &[]);
    assert_eq!((state(&stack, "lazy"), state(&stack, "inner")), ("serving".to_owned(), "serving".to_owned()));
    rig.report("loaded roles serve");
}

/// A generation, newer output, and an unfinished run.
fn assert_generation(rig: &Rig) {
    let folder = "/var/lib/orchgen/rig";
    // The installed units are those of the output, so nothing restarts.
    let output = rig.run(&["sh", "-c", "cd / && /srv/orchgen apply --yes --out /srv/out"]);
    assert_eq!(output.status.code(), Some(0), "{}", super::rig::text(&output.stderr));
    let stack = assert_differences(rig, &[]);
    assert_eq!(stack["generation"], 1);
    rig.write("/srv/out/systemd/rig-chat.service", "[Service]\n", 0o644);
    rig.write(&format!("{folder}/journal"), "begin generation 2\n", 0o644);
    assert_differences(rig, &[("", "unfinished"), ("", "out-differs")]);
    rig.output(&["rm", &format!("{folder}/journal")]);
    rig.output(&["cp", &format!("{folder}/generations/1/out/systemd/rig-chat.service"), "/srv/out/systemd/"]);
    rig.report("a generation, newer output and an unfinished run are found");
}

/// A replaced model, other arguments, and a killed server.
fn assert_other_processes(rig: &Rig) {
    let target = "/srv/models/target.gguf";
    rig.output(&["cp", target, "/srv/models/new.gguf"]);
    rig.output(&["mv", "/srv/models/new.gguf", target]);
    assert_differences(rig, &[("chat", "replaced-model"), ("lazy", "replaced-model")]);
    rig.output(&["systemctl", "restart", "rig-chat.service"]);
    rig.output(&["systemctl", "stop", "rig-lazy-backend.service"]);
    assert_differences(rig, &[]);
    rig.report("a replaced model is found");

    let unit = std::fs::read_to_string(rig.root.join("etc/systemd/system/rig-chat.service")).unwrap();
    let edited = unit.replace("-c 512", "-c 256");
    assert_ne!(unit, edited);
    rig.write("/etc/systemd/system/rig-chat.service", &edited, 0o644);
    rig.output(&["systemctl", "daemon-reload"]);
    rig.output(&["systemctl", "restart", "rig-chat.service"]);
    let stack = assert_differences(rig, &[("", "edited-file"), ("chat", "other-arguments")]);
    let change = &stack["roles"][0]["processes"][0]["changed_arguments"];
    assert_eq!(change, &serde_json::json!([{"planned": "-c 512", "running": "-c 256"}]));
    rig.write("/etc/systemd/system/rig-chat.service", &unit, 0o644);
    rig.output(&["systemctl", "daemon-reload"]);
    assert_differences(rig, &[("chat", "other-arguments")]);
    rig.report("other arguments are found");

    // A unit that cannot start: its model is missing.
    rig.output(&["mv", "/srv/models/draft.gguf", "/srv/models/away.gguf"]);
    rig.run(&["systemctl", "restart", "rig-small.service"]);
    wait(60, "the server failed", || rig.state("rig-small.service") == "failed");
    let (code, stack) = status(rig);
    assert_eq!((code, &*state(&stack, "small")), (1, "failed"));
    let message = stack["roles"][1]["processes"][0]["message"].as_str().unwrap();
    assert!(message.contains("gguf") || message.contains("error"), "{message}");
    rig.output(&["systemctl", "kill", "--signal=KILL", "rig-chat.service"]);
    wait(20, "the server restarts", || status(rig).1["roles"][0]["state"] == "restarting");
    rig.report("failed servers are found");
}
