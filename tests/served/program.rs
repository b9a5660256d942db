//! Roles that a program serves that is no llama.cpp: at boot and on demand, with the same gate and sandbox.

use super::rig::{Rig, ask, text, wait};

/// `slow` is ready two seconds after it listens. `wrong` never answers with a success. `lazy` starts on demand.
const REGISTRY: &str = r#"
stack "rig" engine="llama.cpp" { targets "systemd" "bin" }
engine "llama.cpp" profile="llama.cpp-b11669" bin="/usr/bin"
host "box" memory="16 GB" systemd=262
tier "A" title="Everything"
residency "hot" title="resident" start="boot" budget="1 GB"
residency "warm" title="on demand" start="on-demand" idle="3 s"
role "slow" tier="A" residency="hot" port=18200 {
    command "/usr/bin/perl" "/srv/speech.pl" "{port}" "2"
    health "/ready"
    memory "100 MB"
    reads "/home/speech/voice"
    writes "/var/lib/rig-speech"
    env PORT="{port}" NAME="a $b 100%"
}
role "plain" tier="A" residency="hot" port=18201 {
    command "/usr/bin/perl" "/srv/speech.pl" "{port}" "60"
}
role "wrong" tier="A" residency="hot" port=18202 {
    command "/usr/bin/perl" "/srv/speech.pl" "{port}" "0"
    health "/no-such-path"
}
role "lazy" tier="A" residency="warm" ports="18203-18204" {
    command "/usr/bin/perl" "/srv/speech.pl" "{port}" "1"
    health "/ready"
    env PORT="{port}"
}
"#;

fn installed() -> Rig {
    let rig = Rig::boot();
    rig.write("/srv/speech.pl", include_str!("speech.pl"), 0o644);
    rig.write("/home/speech/voice", "la la", 0o644);
    rig.write("/home/speech/other", "not declared", 0o644);
    rig.install(REGISTRY);
    rig.output(&["systemctl", "daemon-reload"]);
    rig
}

#[track_caller]
fn body(port: u16, path: &str) -> String {
    let answer = ask(port, path, "", "").unwrap_or_else(|| panic!("no connection for {path}"));
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.body
}

#[track_caller]
fn status(port: u16, path: &str) -> u16 {
    ask(port, path, "", "").unwrap_or_else(|| panic!("no connection for {path}")).status
}

#[test]
fn another_program_serves_at_boot_behind_the_same_gate_and_sandbox() {
    let rig = installed();
    let start = rig.seconds();
    rig.output(&["systemctl", "start", "rig-slow.service"]);
    assert!(rig.seconds() - start > 1.0, "the gate waits for the health check");
    assert_eq!(rig.state("rig-slow.service"), "active");
    assert_eq!(body(18200, "/ready"), "ready");
    rig.report("ready after its health check");

    assert_eq!((body(18200, "/env/PORT"), body(18200, "/env/NAME")), ("18200".into(), "a $b 100%".into()));
    assert_eq!(body(18200, "/read/home/speech/voice"), "la la");
    assert_eq!(body(18200, "/write/var/lib/rig-speech/x"), "written");
    assert_eq!(status(18200, "/read/home/speech/other"), 404, "homes are hidden");
    assert_eq!(status(18200, "/write/home/speech/voice"), 403);
    assert_eq!(status(18200, "/write/srv/x"), 403);
    assert_eq!(status(18200, "/bind/18299"), 403);
    rig.report("the sandbox allows only what is declared");

    // Without `health`, the gate only waits for the port.
    let start = rig.seconds();
    rig.output(&["systemctl", "start", "rig-plain.service"]);
    assert!(rig.seconds() - start < 30.0);
    assert_eq!(status(18201, "/ready"), 503);

    let failed = rig.run(&["systemctl", "start", "rig-wrong.service"]);
    assert!(!failed.status.success(), "{}", text(&failed.stdout));
    let journal = rig.journal("rig-wrong.service");
    assert!(journal.contains("the program answered 404 to a request for /no-such-path"), "{journal}");

    let script = rig.output(&["/srv/out/bin/slow", "--dry-run"]);
    assert_eq!(script, "/usr/bin/perl /srv/speech.pl 18200 2");
}

#[test]
fn another_program_serves_on_demand_and_stops_when_idle() {
    let rig = installed();
    rig.output(&["systemctl", "start", "rig-warm.target"]);
    let backends = ["rig-lazy-0-backend.service", "rig-lazy-1-backend.service"];
    assert_eq!(backends.map(|unit| rig.state(unit)), ["inactive", "inactive"]);
    assert_eq!(body(18204, "/ready"), "ready");
    assert_eq!(body(18204, "/env/PORT"), "28204");
    assert_eq!(backends.map(|unit| rig.state(unit)), ["inactive", "active"]);
    rig.report("the first request started the program");
    wait(20, "the idle program has stopped", || rig.state(backends[1]) == "inactive");
    assert_eq!(body(18204, "/ready"), "ready");
    assert_eq!(body(18203, "/env/PORT"), "28203");
    rig.report("a later request started it again");
}
