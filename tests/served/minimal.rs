//! The smallest registry: everything else has a default, and the server answers.

use super::rig::{Rig, ask, wait};

/// The registry of a user with one model: four lines.
const MINIMAL: &str = r#"
stack "rig" engine="llama.cpp"
engine "llama.cpp" profile="llama.cpp-b11669" bin="/usr/bin"
model "coder" file="/srv/models/target.gguf"
role "code" model="coder" port=18080 context=512
"#;

#[test]
fn a_registry_of_four_lines_is_installed_and_answers() {
    let rig = Rig::boot();
    let last_line = rig.install(MINIMAL);
    assert!(last_line.starts_with("next: run `orchgen lock`"), "{last_line}");
    rig.output(&["systemctl", "daemon-reload"]);
    rig.output(&["systemctl", "enable", "--now", "rig.target"]);
    assert_answers(&rig);
    rig.report("the role answered");
    rig.reboot();
    wait(60, "the role starts at boot", || rig.state("rig-code.service") == "active");
    assert_answers(&rig);
    rig.report("the role answered after the boot");
}

#[test]
fn threads_are_counted_separately_for_batches_and_distributed_over_nodes() {
    let rig = Rig::boot();
    let role = "context=512 threads-batch=2 { placement numa=\"distribute\" threads=1 }";
    rig.install(&MINIMAL.replace("context=512", role));
    rig.output(&["systemctl", "daemon-reload"]);
    rig.output(&["systemctl", "start", "rig-code.service"]);
    assert_answers(&rig);
    let command = rig.proc("rig-code.service", "cmdline").replace('\0', " ");
    assert!(command.contains("-t 1 --numa distribute") && command.contains("-tb 2"), "{command}");
}

fn assert_answers(rig: &Rig) {
    assert_eq!(rig.state("rig-code.service"), "active", "{}", rig.journal("rig-code.service"));
    let names = ask(18080, "/v1/models", "", "").unwrap().json();
    assert_eq!(names["data"][0]["id"], "code", "{names}");
    let body = r#"{"model":"code","messages":[{"role":"user","content":"hello"}],"max_tokens":4}"#;
    let answer = ask(18080, "/v1/chat/completions", body, "").unwrap().json();
    assert!(answer["usage"]["completion_tokens"].as_u64() > Some(0), "{answer}");
}
