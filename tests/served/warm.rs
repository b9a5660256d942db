//! Roles that start on demand: they load at the first request and stop when idle. While idle, only systemd runs.

use super::STACK;
use super::rig::{Answer, Rig, ask, wait};
use std::thread;

const BODY: &str = r#"{"prompt":"the the the","n_predict":8}"#;
const BACKEND: &str = "rig-lazy-backend.service";
const PROXY: &str = "rig-lazy.service";

#[track_caller]
fn answer_of(answer: Option<Answer>) -> serde_json::Value {
    answer.unwrap_or_else(|| panic!("the connection failed")).json()
}

/// The number of starts of the backend since boot.
fn starts(rig: &Rig) -> usize {
    rig.journal(BACKEND).lines().filter(|line| line.starts_with(&format!("Starting {BACKEND}"))).count()
}

#[track_caller]
fn wait_until_idle(rig: &Rig) {
    wait(20, "the proxy and the backend have stopped", || {
        rig.state(PROXY) == "inactive" && rig.state(BACKEND) == "inactive"
    });
    assert_eq!(rig.state("rig-lazy.socket"), "active");
    let found = rig.run(&["pgrep", "-f", "port 28086|127.0.0.1:28086"]);
    assert!(!found.status.success(), "{}", super::rig::text(&found.stdout));
    let listener = rig.output(&["ss", "-Hltnp", "sport = :18086"]);
    assert!(listener.contains("\"systemd\",pid=1"), "{listener}");
    assert_eq!(rig.output(&["ss", "-Hltn", "sport = :28086"]), "");
}

#[test]
fn an_on_demand_role_loads_at_the_first_request_and_stops_when_idle() {
    let rig = Rig::boot();
    rig.install(STACK);
    rig.output(&["systemctl", "daemon-reload"]);
    rig.output(&["systemctl", "start", "rig-warm.target"]);
    wait_until_idle(&rig);
    assert_eq!(starts(&rig), 0);
    let first = answer_of(ask(18086, "/completion", BODY, ""));
    assert!(first["timings"]["draft_n"].as_u64() > Some(0), "{first}");
    rig.report("the first request loaded the model");
    let line = rig.proc(BACKEND, "cmdline");
    assert!(line.contains("\0--host\x00127.0.0.1\0--port\x0028086\0"), "{line}");
    wait_until_idle(&rig);
    rig.report("idle: the model is unloaded, and the socket listens");

    let both = [0, 1].map(|_| thread::spawn(|| ask(18086, "/completion", BODY, "")));
    for one in both {
        answer_of(one.join().unwrap());
    }
    assert_eq!(starts(&rig), 2, "two simultaneous requests start one backend: {}", rig.journal(BACKEND));
    rig.report("two simultaneous requests loaded the model once");

    // An open connection keeps the model loaded. A request during the stop starts the next backend.
    let open = std::net::TcpStream::connect(("127.0.0.1", 18086)).unwrap();
    thread::sleep(std::time::Duration::from_secs(5));
    assert_eq!(rig.state(BACKEND), "active", "a connection is open");
    drop(open);
    for round in 0..4 {
        wait(20, "the proxy begins to stop", || rig.state(PROXY) != "active");
        answer_of(ask(18086, "/completion", BODY, ""));
        rig.report(&format!("a request during the stop was answered ({round})"));
    }
    let vectors = answer_of(ask(18097, "/v1/embeddings", r#"{"input":"hello"}"#, ""));
    assert!(vectors["data"][0]["embedding"].is_array());
    assert_eq!(rig.state("rig-lazyvec-1-backend.service"), "active");
    assert_eq!(rig.state("rig-lazyvec-0-backend.service"), "inactive", "instances start separately");
    wait_until_idle(&rig);
}

#[test]
fn the_socket_survives_a_backend_that_crashes_or_cannot_start() {
    let rig = Rig::boot();
    rig.install(STACK);
    rig.output(&["systemctl", "daemon-reload"]);
    // A hot role has no model file. The other roles must start anyway.
    rig.output(&["systemctl", "start", "rig-warm.target"]);
    answer_of(ask(18086, "/completion", BODY, ""));
    let pid = rig.pid(BACKEND);
    rig.output(&["kill", "-KILL", &pid]);
    wait(10, "the proxy stops too", || rig.state(PROXY) != "active");
    answer_of(ask(18086, "/completion", BODY, ""));
    assert_ne!(rig.pid(BACKEND), pid);
    rig.report("the backend was killed, and the next request was answered");

    // The model file is missing: each request fails immediately, also with many requests.
    let begin = rig.seconds();
    assert_eq!(ask(18088, "/health", "", ""), None);
    assert!(
        rig.seconds() - begin < 20.0,
        "a request to a backend that cannot start fails early, not at the timeout"
    );
    for _ in 0..25 {
        ask(18088, "/health", "", "");
    }
    let limit = rig.show("rig-lazygone-backend.service", "Result");
    assert!(["start-limit-hit", "exit-code"].contains(&&*limit), "{limit}");
    assert_eq!(rig.state("rig-lazygone.socket"), "active", "{}", rig.journal("rig-lazygone.socket"));
    rig.report("the model file is missing: requests fail, and the socket listens");

    // The file exists now. Starting the target also starts units that reached their start limit.
    let models = rig.root.join("srv/models");
    std::fs::copy(models.join("target.gguf"), models.join("absent.gguf")).unwrap();
    rig.output(&["systemctl", "start", "rig.target"]);
    wait(15, "the role answers", || ask(18088, "/health", "", "").is_some_and(|answer| answer.status == 200));
    rig.report("the model file exists: the role answers");

    // Starting the target also starts a stopped socket.
    rig.output(&["systemctl", "stop", "rig-lazygone.socket"]);
    assert_eq!(ask(18088, "/health", "", ""), None);
    rig.output(&["systemctl", "start", "rig.target"]);
    wait(15, "the role answers", || ask(18088, "/health", "", "").is_some_and(|answer| answer.status == 200));
    rig.report("the target started the stopped socket");
}
