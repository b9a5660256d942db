//! Roles that start on demand: they load on the first request, leave when idle, and come back, with nothing running but systemd.

use super::STACK;
use super::rig::{Answer, Rig, ask, wait};
use std::thread;

const BODY: &str = r#"{"prompt":"the the the","n_predict":8}"#;
const BACKEND: &str = "rig-lazy-backend.service";
const PROXY: &str = "rig-lazy.service";

#[track_caller]
fn served(answer: Option<Answer>) -> serde_json::Value {
    answer.unwrap_or_else(|| panic!("the connection broke")).json()
}

/// How often the backend was started since the system came up.
fn starts(rig: &Rig) -> usize {
    rig.journal(BACKEND).lines().filter(|line| line.starts_with(&format!("Starting {BACKEND}"))).count()
}

#[track_caller]
fn is_at_rest(rig: &Rig) {
    wait(20, "the proxy and the backend are gone", || {
        rig.state(PROXY) == "inactive" && rig.state(BACKEND) == "inactive"
    });
    assert_eq!(rig.state("rig-lazy.socket"), "active");
    let found = rig.run(&["pgrep", "-f", "port 28086|127.0.0.1:28086"]);
    assert!(!found.status.success(), "{}", super::rig::text(&found.stdout));
    let listener = rig.said(&["ss", "-Hltnp", "sport = :18086"]);
    assert!(listener.contains("\"systemd\",pid=1"), "{listener}");
    assert_eq!(rig.said(&["ss", "-Hltn", "sport = :28086"]), "");
}

#[test]
fn an_on_demand_role_loads_on_its_first_request_and_leaves_when_idle() {
    let Some(rig) = Rig::boot("an_on_demand_role_loads_on_its_first_request_and_leaves_when_idle") else {
        return;
    };
    rig.install(STACK);
    rig.said(&["systemctl", "daemon-reload"]);
    rig.said(&["systemctl", "start", "rig-warm.target"]);
    is_at_rest(&rig);
    assert_eq!(starts(&rig), 0);
    let first = served(ask(18086, "/completion", BODY, ""));
    assert!(first["timings"]["draft_n"].as_u64() > Some(0), "{first}");
    rig.report("the first request loaded the model");
    let line = rig.proc(BACKEND, "cmdline");
    assert!(line.contains("\0--host\x00127.0.0.1\0--port\x0028086\0"), "{line}");
    is_at_rest(&rig);
    rig.report("idle: the model is gone and the socket listens");

    let both = [0, 1].map(|_| thread::spawn(|| ask(18086, "/completion", BODY, "")));
    for one in both {
        served(one.join().unwrap());
    }
    assert_eq!(starts(&rig), 2, "two at once load one: {}", rig.journal(BACKEND));
    rig.report("two requests at once loaded it once");

    // A connection that stays open keeps it, and one that comes while it goes is served by the next.
    let open = std::net::TcpStream::connect(("127.0.0.1", 18086)).unwrap();
    thread::sleep(std::time::Duration::from_secs(5));
    assert_eq!(rig.state(BACKEND), "active", "a connection is open");
    drop(open);
    for round in 0..4 {
        wait(20, "the proxy begins to go", || rig.state(PROXY) != "active");
        served(ask(18086, "/completion", BODY, ""));
        rig.report(&format!("a request in the middle of the stop was served ({round})"));
    }
    let vectors = served(ask(18097, "/v1/embeddings", r#"{"input":"hello"}"#, ""));
    assert!(vectors["data"][0]["embedding"].is_array());
    assert_eq!(rig.state("rig-lazyvec-1-backend.service"), "active");
    assert_eq!(rig.state("rig-lazyvec-0-backend.service"), "inactive", "each instance is by itself");
    is_at_rest(&rig);
}

#[test]
fn a_backend_that_dies_or_cannot_start_leaves_its_socket_alive() {
    let Some(rig) = Rig::boot("a_backend_that_dies_or_cannot_start_leaves_its_socket_alive") else { return };
    rig.install(STACK);
    rig.said(&["systemctl", "daemon-reload"]);
    // A hot role has no model, which is no reason for the others not to start.
    rig.said(&["systemctl", "start", "rig-warm.target"]);
    served(ask(18086, "/completion", BODY, ""));
    let pid = rig.pid(BACKEND);
    rig.said(&["kill", "-KILL", &pid]);
    wait(10, "the proxy follows", || rig.state(PROXY) != "active");
    served(ask(18086, "/completion", BODY, ""));
    assert_ne!(rig.pid(BACKEND), pid);
    rig.report("killed, and the next request was served");

    // Its file is missing: each request is turned away at once, however many come.
    let begun = rig.seconds();
    assert_eq!(ask(18088, "/health", "", ""), None);
    assert!(rig.seconds() - begun < 20.0, "a load that is dead fails at once, not at the timeout");
    for _ in 0..25 {
        ask(18088, "/health", "", "");
    }
    let limit = rig.show("rig-lazygone-backend.service", "Result");
    assert!(["start-limit-hit", "exit-code"].contains(&&*limit), "{limit}");
    assert_eq!(rig.state("rig-lazygone.socket"), "active", "{}", rig.journal("rig-lazygone.socket"));
    rig.report("its file is missing: turned away, and the socket listens");

    // The file comes, and starting the target revives what the limit holds.
    let models = rig.root.join("srv/models");
    std::fs::copy(models.join("target.gguf"), models.join("absent.gguf")).unwrap();
    rig.said(&["systemctl", "start", "rig.target"]);
    wait(15, "it is served", || ask(18088, "/health", "", "").is_some_and(|answer| answer.status == 200));
    rig.report("the file has come: served");

    // What has killed the socket itself, starting the target brings back.
    rig.said(&["systemctl", "stop", "rig-lazygone.socket"]);
    assert_eq!(ask(18088, "/health", "", ""), None);
    rig.said(&["systemctl", "start", "rig.target"]);
    wait(15, "it is served", || ask(18088, "/health", "", "").is_some_and(|answer| answer.status == 200));
    rig.report("the target has brought a stopped socket back");
}
