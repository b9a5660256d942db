//! What goes wrong with roles that start with the machine stays with the role that it went wrong with.

use super::STACK;
use super::rig::{Rig, ask, wait};
use std::net::TcpListener;

const SLOW: &str = include_str!("slow.kdl");

#[test]
fn a_fault_of_one_role_is_that_roles_alone() {
    let Some(rig) = Rig::boot("a_fault_of_one_role_is_that_roles_alone") else { return };
    rig.write("/srv/keys/api", "a-key\n", 0o600);
    rig.install(STACK);
    rig.said(&["systemctl", "daemon-reload"]);
    // A stranger has a port before the stack starts.
    let stranger = TcpListener::bind(("127.0.0.1", 18082)).unwrap();
    let begun = rig.seconds();
    rig.said(&["systemctl", "start", "rig.target"]);
    assert!(rig.seconds() - begun < 55.0, "a start that fails does so at once, not at its timeout");
    rig.report("the target is started");
    for (unit, why) in
        [("rig-gone.service", "absent.gguf"), ("rig-spread.service", "port 18082 of 127.0.0.1 is taken")]
    {
        wait(60, unit, || rig.state(unit) == "failed");
        assert!(rig.journal(unit).contains(why), "{unit}: {}", rig.journal(unit));
    }
    // A file that is missing is not tried again.
    assert_eq!(rig.show("rig-gone.service", "NRestarts"), "0");
    for unit in ["rig-chat.service", "rig-mixture.service", "rig-vectors-5.service", "rig-lazy.socket"] {
        assert_eq!(rig.state(unit), "active", "{unit}");
    }
    rig.report("two have failed, and the others run");
    drop(stranger);
    std::fs::copy(rig.root.join("srv/models/target.gguf"), rig.root.join("srv/models/absent.gguf")).unwrap();
    // It was tried five times, in case the port would be free again; the unit says how to lift the limit.
    rig.said(&["systemctl", "reset-failed", "rig-spread.service"]);
    rig.said(&["systemctl", "start", "rig.target"]);
    for (unit, port) in [("rig-gone.service", 18087), ("rig-spread.service", 18082)] {
        wait(20, unit, || rig.state(unit) == "active");
        assert_eq!(ask(port, "/health", "", "").unwrap().status, 200);
    }
    rig.report("the file has come and the port is free: the target started both");

    let pid = rig.pid("rig-chat.service");
    rig.said(&["kill", "-KILL", &pid]);
    wait(20, "it is back", || {
        rig.state("rig-chat.service") == "active" && rig.show("rig-chat.service", "MainPID") != pid
    });
    assert_eq!(ask(18080, "/completion", r#"{"prompt":"a","n_predict":1}"#, "").unwrap().status, 200);
    assert_eq!(rig.show("rig-chat.service", "NRestarts"), "1");
    rig.report("killed, restarted, and the next request was served");
}

#[test]
fn a_load_has_the_time_that_its_file_needs() {
    let Some(rig) = Rig::boot("a_load_has_the_time_that_its_file_needs") else { return };
    rig.write("/srv/late/llama-server", "#!/bin/sh\nsleep 4\nexec /usr/bin/llama-server \"$@\"\n", 0o755);
    rig.write("/srv/never/llama-server", "#!/bin/sh\nexec sleep 1000\n", 0o755);
    rig.install(SLOW);
    rig.said(&["systemctl", "daemon-reload"]);
    let begun = rig.seconds();
    rig.said(&["systemctl", "start", "--no-block", "slow.target"]);
    wait(10, "it loads", || rig.state("slow-late.service") == "activating");
    assert_eq!(ask(18098, "/health", "", ""), None);
    wait(20, "it has loaded", || rig.state("slow-late.service") == "active");
    assert_eq!(ask(18098, "/health", "", "").unwrap().status, 200);
    rig.report("active when it answers, and not before");
    // 737 kB from a store of 2 GB/s, and a minute.
    assert_eq!(rig.show("slow-never.service", "TimeoutStartUSec"), "1min 1s");
    wait(80, "it has had its time", || rig.journal("slow-never.service").contains("timed out"));
    let took = rig.seconds() - begun;
    assert!(took > 60.0, "{took} s");
    rig.report("a load that never ends was given up");
    assert_eq!(rig.state("slow-late.service"), "active");
    rig.said(&["systemctl", "stop", "slow.target"]);
    wait(40, "nothing is left", || !rig.run(&["pgrep", "-f", "sleep 1000|llama-server"]).status.success());
}
