//! Roles that start at boot: they run the command lines of the plan, answer requests, and stop completely.

use super::STACK;
use super::rig::{Rig, ask, wait};
use crate::support::compile;
use crate::systemd::processes;
use orchgen::plan::{Start, Word, plan};

/// Each unit of a server, with its start and the argv of the plan.
fn servers() -> Vec<(String, Start, Vec<String>)> {
    let compiled = compile(&[("stack.kdl", STACK)]);
    let plan = plan(compiled.checked().clone());
    let argv = |unit: &str, role: &orchgen::plan::Role, process: &orchgen::plan::Process| {
        let words = process.args.iter().map(|word| match (word, word.text()) {
            (Word::KeyFile(_), _) => format!("/run/credentials/{unit}/api-key"),
            (Word::Prompt | Word::Image, _) => unreachable!("the command line of a server has no prompt"),
            (_, text) => text.to_owned(),
        });
        std::iter::once(role.program.to_string()).chain(words).collect()
    };
    processes(&plan)
        .into_iter()
        .map(|(unit, role, process)| {
            let words = argv(&unit, role, process);
            (unit, role.start, words)
        })
        .collect()
}

/// The servers that start at boot and have a model file.
fn hot() -> Vec<(String, Vec<String>)> {
    let all =
        servers().into_iter().filter(|(unit, start, _)| *start == Start::Boot && !unit.contains("gone"));
    all.map(|(unit, _, argv)| (unit, argv)).collect()
}

#[test]
fn the_stack_starts_serves_and_stops() {
    let rig = Rig::boot();
    // The configuration file of the engine and variables of the systemd manager must not affect the servers.
    rig.write("/etc/llama.cpp/config.ini", "ctx-size = 256\nparallel = 7\nport = 9\n", 0o644);
    rig.output(&[
        "systemctl",
        "set-environment",
        "LLAMA_ARG_N_PARALLEL=7",
        "LLAMA_ARG_DRAFT_MAX=3",
        "LLAMA_API_KEY=other",
    ]);
    // On a machine with GPUs, udev creates this group.
    assert!(rig.chroot(&["groupadd", "-f", "-r", "render"]).status().unwrap().success());
    rig.write("/srv/keys/api", "a-key\n", 0o600);
    rig.install(STACK);
    rig.output(&["systemctl", "daemon-reload"]);
    rig.output(&["systemctl", "start", "rig.target"]);
    rig.report("started the target");
    let hot = hot();
    assert_eq!(hot.len(), 12, "six roles with one process, and one role with six: {hot:#?}");
    for (unit, argv) in &hot {
        assert_eq!(rig.state(unit), "active", "{unit}: {}", rig.journal(unit));
        let line = rig.proc(unit, "cmdline");
        assert_eq!(line.split_terminator('\0').collect::<Vec<_>>(), *argv, "{unit}");
    }
    assert_answers(&rig);
    rig.report("every role answered");
    assert_placement(&rig);
    assert_environment(&rig);
    assert_order(&rig, &hot);
    rig.report("placement, environment and order are correct");
    assert_stop(&rig, &hot);
    rig.report("stopped, no process and no port is left");
}

fn assert_answers(rig: &Rig) {
    for port in (18080..=18085).chain(18090..=18095) {
        let health = ask(port, "/health", "", "a-key").unwrap_or_else(|| panic!("{port} does not answer"));
        assert_eq!(health.status, 200, "{port}: {}", health.body);
    }
    let answer =
        ask(18080, "/completion", r#"{"prompt":"the the the the","n_predict":48}"#, "").unwrap().json();
    assert!(answer["timings"]["draft_n"].as_u64() > Some(0), "the draft was not used: {}", answer["timings"]);
    assert!(answer["tokens_predicted"].as_u64() > Some(0), "{answer}");
    for port in [18081, 18082, 18083, 18084] {
        let answer = ask(port, "/completion", r#"{"prompt":"hello","n_predict":4}"#, "").unwrap().json();
        assert!(answer["tokens_predicted"].as_u64() > Some(0), "{port}: {answer}");
    }
    for port in 18090..=18095 {
        let answer = ask(port, "/v1/embeddings", r#"{"input":"hello"}"#, "").unwrap().json();
        let vector = answer["data"][0]["embedding"].as_array().map(Vec::len);
        assert!(vector > Some(8), "{port}: {answer}");
    }
    assert_names();
    let body = r#"{"prompt":"hello","n_predict":1}"#;
    assert_eq!(ask(18085, "/completion", body, "").unwrap().status, 401);
    assert_eq!(ask(18085, "/completion", body, "wrong").unwrap().status, 401);
    assert_eq!(ask(18085, "/completion", body, "a-key").unwrap().status, 200);
    // The number of experts is on the command line, as an override.
    assert!(rig.proc("rig-mixture.service", "cmdline").contains("qwen3moe.expert_used_count=int:2"));
    let found = rig.run(&["systemctl", "cat", "rig-helper.service"]);
    assert!(!found.status.success(), "a shared role has no unit");
}

/// A server answers to the name of its role, to that of the role that shares it, and to its aliases. The first in byte
/// order is its id.
fn assert_names() {
    let models = ask(18080, "/v1/models", "", "").unwrap().json();
    assert_eq!(models["data"][0]["id"], "anything", "{models}");
    assert_eq!(
        models["data"][0]["aliases"],
        serde_json::json!(["anything", "chat", "helper", "org/name:7b"]),
        "{models}"
    );
    let models = ask(18081, "/v1/models", "", "").unwrap().json();
    assert_eq!(models["data"][0]["id"], "mixture", "{models}");
    for name in ["helper", "org/name:7b"] {
        let body = format!(r#"{{"model":"{name}","prompt":"hello","max_tokens":1}}"#);
        let answer = ask(18080, "/v1/completions", &body, "").unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

fn assert_placement(rig: &Rig) {
    let status = |unit: &str, key: &str| {
        let text = rig.proc(unit, "status");
        let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
        line.trim_start_matches(':').trim().to_owned()
    };
    let policies = |unit: &str, policy: &str| {
        let maps = rig.proc(unit, "numa_maps");
        (maps.lines().filter(|line| line.split(' ').nth(1) == Some(policy)).count(), maps.lines().count())
    };
    assert_eq!(status("rig-pinned.service", "Cpus_allowed_list"), "1");
    assert_eq!(status("rig-locked.service", "Cpus_allowed_list"), "1");
    assert_eq!(status("rig-chat.service", "Cpus_allowed_list"), "0-1");
    let (interleaved, all) = policies("rig-spread.service", "interleave:0");
    assert!(interleaved == all && all > 20, "{interleaved} of {all}");
    let (bound, all) = policies("rig-pinned.service", "bind:0");
    assert!(bound == all && all > 20, "{bound} of {all}");
    let (plain, all) = policies("rig-chat.service", "default");
    assert_eq!(plain, all);
    let locked =
        |unit: &str| status(unit, "VmLck").trim_end_matches(" kB").trim().parse::<u64>().unwrap_or_default();
    assert!(locked("rig-locked.service") > 500, "720 KiB of weights are locked");
    assert_eq!(locked("rig-chat.service"), 0);
    // systemd starts each server directly, without a wrapper.
    for (unit, _) in hot() {
        assert_eq!(status(&unit, "PPid"), "1", "{unit}");
        assert_eq!(
            rig.output(&["readlink", &format!("/proc/{}/exe", rig.pid(&unit))]),
            "/usr/bin/llama-server"
        );
    }
}

fn assert_environment(rig: &Rig) {
    for (unit, _) in hot() {
        let environ = rig.proc(&unit, "environ");
        assert!(!environ.contains("LLAMA_ARG_") && !environ.contains("LLAMA_API_KEY"), "{unit}: {environ}");
        assert!(!environ.contains("a-key") && !rig.proc(&unit, "cmdline").contains("a-key"), "{unit}");
    }
    let props = ask(18082, "/props", "", "").unwrap().json();
    assert_eq!(props["total_slots"], 1, "{props}");
    assert_eq!(props["default_generation_settings"]["n_ctx"], 512, "{props}");
}

/// Targets become active after their units.
fn assert_order(rig: &Rig, hot: &[(String, Vec<String>)]) {
    let reached = |unit: &str| rig.show(unit, "ActiveEnterTimestampMonotonic").parse::<u64>().unwrap();
    for (unit, _) in hot {
        assert!(reached("rig-hot.target") >= reached(unit), "{unit} became active after its target");
    }
    assert!(reached("rig.target") >= reached("rig-hot.target").max(reached("rig-warm.target")));
    assert_eq!(rig.state("rig-lazy.socket"), "active");
    assert_eq!(rig.state("rig-lazy-backend.service"), "inactive");
}

fn assert_stop(rig: &Rig, hot: &[(String, Vec<String>)]) {
    // Start one on-demand role too.
    assert_eq!(ask(18086, "/health", "", "").unwrap().status, 200);
    rig.output(&["systemctl", "stop", "rig.target"]);
    wait(40, "all processes have ended", || {
        !rig.run(&["pgrep", "-f", "llama-server|socket-proxyd"]).status.success()
    });
    let inactive_since =
        |unit: &str| rig.show(unit, "InactiveEnterTimestampMonotonic").parse::<u64>().unwrap();
    for (unit, _) in hot {
        wait(10, unit, || rig.state(unit) == "inactive");
        assert_eq!(rig.show(unit, "Result"), "success", "{unit}: {}", rig.journal(unit));
        assert!(inactive_since("rig-hot.target") <= inactive_since(unit), "{unit} stopped before its target");
    }
    let listening = rig.output(&["ss", "-Hltn"]);
    let open: Vec<&str> = listening
        .lines()
        .filter(|line| (18080..18100).chain(28080..28100).any(|port| line.contains(&format!(":{port} "))))
        .collect();
    assert!(open.is_empty(), "{open:#?}");
}

#[test]
fn an_enabled_stack_starts_at_boot() {
    let rig = Rig::boot();
    rig.write("/srv/keys/api", "a-key\n", 0o600);
    rig.install(STACK);
    rig.output(&["systemctl", "daemon-reload"]);
    rig.output(&["systemctl", "enable", "rig.target"]);
    rig.reboot();
    wait(60, "`chat` is active", || rig.state("rig-chat.service") == "active");
    wait(60, "the socket listens", || rig.state("rig-lazy.socket") == "active");
    assert_eq!(ask(18080, "/health", "", "").unwrap().status, 200);
    rig.report("the enabled stack started at boot");
    rig.output(&["systemctl", "disable", "rig.target"]);
}
