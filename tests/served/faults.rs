//! A failure of one role at boot does not affect the others.

use super::STACK;
use super::rig::{Rig, ask, wait};
use std::net::TcpListener;

const SLOW: &str = include_str!("slow.kdl");

#[test]
fn a_failed_role_does_not_affect_the_others() {
    let rig = Rig::boot();
    rig.write("/srv/keys/api", "a-key\n", 0o600);
    rig.install(STACK);
    rig.output(&["systemctl", "daemon-reload"]);
    // Another process uses a port before the stack starts.
    let other_listener = TcpListener::bind(("127.0.0.1", 18082)).unwrap();
    let begin = rig.seconds();
    rig.output(&["systemctl", "start", "rig.target"]);
    assert!(rig.seconds() - begin < 55.0, "a failed start ends early, not at its timeout");
    rig.report("started the target");
    for (unit, why) in [
        ("rig-gone.service", "absent.gguf"),
        ("rig-spread.service", "port 18082 on 127.0.0.1 is already in use"),
    ] {
        wait(60, unit, || rig.state(unit) == "failed");
        assert!(rig.journal(unit).contains(why), "{unit}: {}", rig.journal(unit));
    }
    // systemd does not restart a server with a missing file.
    assert_eq!(rig.show("rig-gone.service", "NRestarts"), "0");
    for unit in ["rig-chat.service", "rig-mixture.service", "rig-vectors-5.service", "rig-lazy.socket"] {
        assert_eq!(rig.state(unit), "active", "{unit}");
    }
    rig.report("two roles failed, the others are active");
    drop(other_listener);
    std::fs::copy(rig.root.join("srv/models/target.gguf"), rig.root.join("srv/models/absent.gguf")).unwrap();
    // systemd restarted the server with the busy port five times. A comment in the unit names this command.
    rig.output(&["systemctl", "reset-failed", "rig-spread.service"]);
    rig.output(&["systemctl", "start", "rig.target"]);
    for (unit, port) in [("rig-gone.service", 18087), ("rig-spread.service", 18082)] {
        wait(20, unit, || rig.state(unit) == "active");
        assert_eq!(ask(port, "/health", "", "").unwrap().status, 200);
    }
    rig.report("the file exists and the port is free: the target started both roles");

    let pid = rig.pid("rig-chat.service");
    rig.output(&["kill", "-KILL", &pid]);
    wait(20, "the role is active again", || {
        rig.state("rig-chat.service") == "active" && rig.show("rig-chat.service", "MainPID") != pid
    });
    assert_eq!(ask(18080, "/completion", r#"{"prompt":"a","n_predict":1}"#, "").unwrap().status, 200);
    assert_eq!(rig.show("rig-chat.service", "NRestarts"), "1");
    rig.report("the killed server was restarted and served the next request");
}

#[test]
fn the_start_timeout_depends_on_the_file_size() {
    let rig = Rig::boot();
    rig.write("/srv/late/llama-server", "#!/bin/sh\nsleep 4\nexec /usr/bin/llama-server \"$@\"\n", 0o755);
    rig.write("/srv/never/llama-server", "#!/bin/sh\nexec sleep 1000\n", 0o755);
    rig.install(SLOW);
    rig.output(&["systemctl", "daemon-reload"]);
    let begin = rig.seconds();
    rig.output(&["systemctl", "start", "--no-block", "slow.target"]);
    wait(10, "the model is loading", || rig.state("slow-late.service") == "activating");
    assert_eq!(ask(18098, "/health", "", ""), None);
    wait(20, "the model is loaded", || rig.state("slow-late.service") == "active");
    assert_eq!(ask(18098, "/health", "", "").unwrap().status, 200);
    rig.report("the unit is active after its server answers, and not before");
    // One minute, plus the time to read 737 kB at 2 GB/s.
    assert_eq!(rig.show("slow-never.service", "TimeoutStartUSec"), "1min 1s");
    wait(80, "the start times out", || rig.journal("slow-never.service").contains("timed out"));
    let seconds = rig.seconds() - begin;
    assert!(seconds > 60.0, "{seconds} s");
    rig.report("systemd stopped the server that never gets ready");
    assert_eq!(rig.state("slow-late.service"), "active");
    rig.output(&["systemctl", "stop", "slow.target"]);
    wait(40, "all processes have ended", || {
        !rig.run(&["pgrep", "-f", "sleep 1000|llama-server"]).status.success()
    });
}
