//! Units of a user: the service manager of the user runs them, without root.

use super::rig::{Rig, ask, text, wait};
use std::fs;

/// `code` starts at boot, with a key. The other roles have each level of hardening, and start on demand.
const REGISTRY: &str = r#"
stack "rig" scope="user" { defaults { model "coder"; context 512 } }
engine "llama.cpp" profile="llama.cpp-b11669" bin="/usr/bin"
host "box" memory="16 GB" systemd=262 { numa 0 cpus="0-1" memory="8 GB"; gpu "Vulkan0" memory="4 GB" }
gateway "front" port=18086 key-file="/home/ada/keys/code"
residency "hot" title="resident" start="boot" budget="4 GB"
residency "warm" title="on demand" start="on-demand" idle="3 s"
model "coder" file="/home/ada/models/target.gguf"
role "code" port=18080 residency="hot" key-file="/home/ada/keys/code"
role "chat" port=18081 residency="warm"
role "strict" port=18082 residency="warm" hardening="strict" { placement numa="bind 0" threads=1 }
role "gpu" port=18083 residency="warm" { placement gpu="Vulkan0"; env { GGML_VK_VISIBLE_DEVICES "0" }; option "log-verbosity" 4 }
role "routed" residency="hot" gateway="front"
role "off" port=18084 residency="warm" hardening="off"
role "notes" port=18085 residency="warm" {
    command "/usr/bin/perl" "/home/ada/programs/speech.pl" "{port}" "0"
    health "/ready"
    reads "/home/ada/programs"
    writes "/home/ada/notes"
}
"#;

/// The command of the last line of a build, as the user.
const INSTALL: &str = "cd && orchgen apply --yes --out /srv/out";

const QUESTION: &str = r#"{"messages":[{"role":"user","content":"hello"}],"max_tokens":4}"#;

/// The files of a user who cannot use root.
const PREPARE: &str = "\
    id ada || useradd --uid 1000 --create-home ada
    cd /home/ada && mkdir -p models keys programs notes private
    cp /srv/models/target.gguf models && mv /srv/speech.pl programs && echo secret >keys/code && chmod 600 keys/code
    chown -R ada: /home/ada && loginctl enable-linger ada";

/// Runs a shell command as the user.
#[track_caller]
fn as_user(rig: &Rig, command: &str) -> String {
    let user = ["setpriv", "--reuid=ada", "--regid=ada", "--init-groups", "--reset-env"];
    let shell = ["env", "XDG_RUNTIME_DIR=/run/user/1000", "bash", "-c", command];
    rig.output(&[&user[..], &shell[..]].concat())
}

fn state(rig: &Rig, unit: &str) -> String {
    as_user(rig, &format!("systemctl --user show --value -p ActiveState {unit}"))
}

fn journal(rig: &Rig, unit: &str) -> String {
    let of_unit = format!("_SYSTEMD_USER_UNIT={unit}");
    text(
        &rig.run(&["journalctl", "--no-pager", "-o", "cat", &of_unit, "+", &format!("USER_UNIT={unit}")])
            .stdout,
    )
}

fn installed() -> Rig {
    let rig = Rig::boot();
    // The rig has no PAM module of systemd, which sets this variable.
    let setting = "[Service]\nEnvironment=XDG_RUNTIME_DIR=/run/user/%i\n";
    rig.write("/etc/systemd/system/user@.service.d/rig.conf", setting, 0o644);
    rig.write("/srv/speech.pl", include_str!("speech.pl"), 0o644);
    rig.output(&["systemctl", "daemon-reload"]);
    rig.build(REGISTRY);
    rig.output(&["bash", "-ec", PREPARE]);
    wait(10, "the manager of the user runs", || rig.state("user@1000.service") == "active");
    fs::copy(crate::support::orchgen(), rig.root.join("usr/local/bin/orchgen")).unwrap();
    as_user(&rig, INSTALL);
    rig.report("installed as a user");
    rig
}

#[track_caller]
fn assert_answers(rig: &Rig, port: u16, key: &str, unit: &str) {
    let answer = ask(port, "/v1/chat/completions", QUESTION, key);
    let answer = answer.unwrap_or_else(|| panic!("{unit}: {}", journal(rig, unit)));
    assert_eq!(answer.status, 200, "{unit}: {} {}", answer.body, journal(rig, unit));
    assert!(answer.json()["usage"]["completion_tokens"].as_u64() > Some(0), "{}", answer.body);
}

#[test]
fn units_of_a_user_serve_at_boot_without_a_login() {
    let rig = installed();
    let unit = "rig-code.service";
    assert_eq!(state(&rig, unit), "active", "{}", journal(&rig, unit));
    assert_eq!(ask(18080, "/v1/chat/completions", QUESTION, "").unwrap().status, 401);
    assert_answers(&rig, 18080, "secret", unit);
    let pid = as_user(&rig, &format!("systemctl --user show --value -p MainPID {unit}"));
    assert_eq!(rig.output(&["stat", "-c", "%U", &format!("/proc/{pid}")]), "ada");
    let home = "/home/ada";
    assert_eq!(rig.output(&["ls", &format!("/proc/{pid}/root{home}")]), "models", "the home is hidden");
    assert!(rig.output(&["cat", &format!("/proc/{pid}/status")]).contains("NoNewPrivs:\t1"));

    let body = r#"{"model":"routed","prompt":"hello","max_tokens":1}"#;
    let routed = |key| ask(18086, "/v1/completions", body, key).map(|answer| answer.status);
    let gateway = "rig-front.service";
    assert_eq!(state(&rig, gateway), "active", "{}", journal(&rig, gateway));
    assert_eq!((routed("secret"), routed("")), (Some(200), Some(401)), "{}", journal(&rig, gateway));

    rig.reboot();
    wait(60, "the role starts at boot", || {
        ask(18080, "/health", "", "").is_some_and(|answer| answer.status == 200)
    });
    assert_answers(&rig, 18080, "secret", unit);
    wait(60, "the gateway starts at boot", || routed("secret") == Some(200));
    rig.report("the role answered after the boot");
}

#[test]
fn units_of_a_user_start_on_demand_with_each_level_of_hardening() {
    let rig = installed();
    for (role, port) in [("chat", 18081), ("strict", 18082), ("gpu", 18083), ("off", 18084)] {
        let unit = format!("rig-{role}-backend.service");
        // The installation has loaded it, to verify that it serves.
        wait(60, "the model is unloaded", || state(&rig, &unit) == "inactive");
        assert_answers(&rig, port, "", &unit);
        assert_eq!(state(&rig, &unit), "active");
        let pid = as_user(&rig, &format!("systemctl --user show --value -p MainPID {unit}"));
        let is_bound = rig.output(&["cat", &format!("/proc/{pid}/numa_maps")]).contains("bind:0");
        assert_eq!(is_bound, role == "strict");
        let uses_gpu = journal(&rig, &unit).contains("using device Vulkan0");
        assert_eq!(uses_gpu, role == "gpu", "{}", journal(&rig, &unit));
        rig.report(role);
    }
    wait(20, "idle servers stop", || state(&rig, "rig-chat-backend.service") == "inactive");
    assert_answers(&rig, 18081, "", "rig-chat-backend.service");

    let status = |path: &str| ask(18085, path, "", "").unwrap().status;
    assert_eq!(status("/write/home/ada/notes/x"), 200, "{}", journal(&rig, "rig-notes-backend.service"));
    assert_eq!(rig.output(&["stat", "-c", "%U", "/home/ada/notes/x"]), "ada");
    assert_eq!((status("/write/home/ada/private/x"), status("/read/home/ada/keys/code")), (403, 404));
    rig.report("another program writes only where it may");

    let help = as_user(&rig, "/srv/out/bin/chat --help");
    assert!(help.contains("  systemctl --user stop rig-chat.socket\n"), "{help}");
    as_user(&rig, "systemctl --user stop rig.target");
    assert_eq!(state(&rig, "rig-chat.socket"), "inactive");
}
