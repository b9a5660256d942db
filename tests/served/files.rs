//! Files of options, ports below 1024 and wildcard addresses, in units of each level of hardening.

use super::rig::{Rig, ask};

const STACK: &str = r#"
stack "rig" engine="e" hardening="strict" { defaults { tier "t"; residency "hot"; context 512; placement threads=1 } }
engine "e" profile="llama.cpp-b11669" bin="/usr/bin"
host "box" memory="20 GB" cpus="0-1" smt=1 systemd=262
store "m" path="/srv/models" speed="2 GB/s"
tier "t" title="T"
residency "hot" title="hot" start="boot"
residency "warm" title="warm" start="on-demand" idle="3 s"
family "qwen2" arch="qwen2"
model "target" family="qwen2" title="Target" quant="F32" size="737088 B" file="target.gguf"
role "low" model="target" port=981 {
    template "/home/rig/chat.jinja"
    lora "/home/rig/adapter.gguf"
    lora "/srv/models/adapter.gguf" scale=0.5
    option "slot-save-path" value="/var/lib/rig-files/slots"
    option "log-file" value="/var/log/rig-files/low.log"
    option "path" value="/home/rig/www"
}
role "plain" model="target" port=982 hardening="default" { option "slot-save-path" value="/var/lib/rig-files/slots" }
role "open" model="target" port=983 hardening="off" { option "slot-save-path" value="/var/lib/rig-files/slots" }
role "home" model="target" port=984 hardening="gpu" { allow "unwritable-path" because="everyone may write there"; option "slot-save-path" value="/home/rig/slots" }
role "lazy" model="target" port=985 residency="warm" {
    option "slot-save-path" value="/var/lib/rig-files/slots"
    template "/home/rig/chat.jinja"
}
role "lan" model="target" port=18185 listen="0.0.0.0" key-file="/srv/keys/api"
role "lan6" model="target" port=18185 listen="::" key-file="/srv/keys/api" residency="warm"
"#;

const TEMPLATE: &str = "{% for m in messages %}{{ m.content }}{% endfor %}";

/// Saves or restores the slot of a role in a file. Returns the answer.
#[track_caller]
fn slot(port: u16, action: &str, file: &str) -> serde_json::Value {
    let path = format!("/slots/0?action={action}");
    ask(port, &path, &format!(r#"{{"filename":"{file}"}}"#), "").unwrap().json()
}

#[test]
fn options_reach_their_files_in_the_sandbox() {
    let rig = Rig::boot();
    assert!(rig.chroot(&["groupadd", "-f", "-r", "render"]).status().unwrap().success());
    rig.write("/srv/keys/api", "a-key\n", 0o600);
    rig.write("/home/rig/chat.jinja", TEMPLATE, 0o644);
    rig.write("/home/rig/www/x.txt", "static\n", 0o644);
    let (models, home) = (rig.root.join("srv/models"), rig.root.join("home/rig"));
    std::fs::copy(models.join("adapter.gguf"), home.join("adapter.gguf")).unwrap();
    rig.output(&["mkdir", "-m", "1777", "-p", "/home/rig/slots"]);
    rig.install(STACK);
    rig.output(&["systemctl", "daemon-reload"]);
    rig.output(&["systemctl", "start", "rig.target"]);
    for role in ["low", "plain", "open", "home", "lan"] {
        let unit = format!("rig-{role}.service");
        assert_eq!(rig.state(&unit), "active", "{unit}: {}", rig.journal(&unit));
    }
    rig.report("servers of all levels of hardening listen on ports below 1024");
    for port in [981, 982, 983, 984] {
        ask(port, "/completion", r#"{"prompt":"the the","n_predict":3}"#, "").unwrap().json();
        assert!(slot(port, "save", &format!("{port}.bin"))["n_saved"].as_u64() > Some(0));
    }
    assert_eq!(ask(981, "/x.txt", "", "").unwrap().body, "static\n");
    let adapters = ask(981, "/lora-adapters", "", "").unwrap().json();
    let scales: Vec<f64> =
        adapters.as_array().unwrap().iter().filter_map(|one| one["scale"].as_f64()).collect();
    assert_eq!(scales, [1.0, 0.5], "{adapters}");
    let props = ask(981, "/props", "", "").unwrap().json();
    assert_eq!(props["chat_template"], TEMPLATE, "{props}");
    let log = rig.output(&["cat", "/var/log/rig-files/low.log"]);
    assert!(log.contains("listening on"), "{log}");
    rig.report("servers write slots and logs, and read a template, adapters and a static file");
    // The folder belongs to each service that names it, also to a later one with another temporary user.
    assert!(slot(985, "restore", "981.bin")["n_restored"].as_u64() > Some(0));
    rig.report("an on-demand server restored the slot of another role");
    assert_eq!(rig.state("rig-lan6.socket"), "active");
    assert!(ask(18185, "/health", "", "").is_some_and(|answer| answer.status == 200));
    for folder in ["lib", "log"] {
        rig.output(&[
            "rm",
            "-rf",
            &format!("/var/{folder}/rig-files"),
            &format!("/var/{folder}/private/rig-files"),
        ]);
    }
    rig.output(&["rm", "-rf", "/home/rig"]);
}
