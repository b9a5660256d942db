//! Several hosts over ssh: two booted systems in two network namespaces, each with a real sshd, and a third host that does not
//! exist.

use super::rig::{Rig, text, wait};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

const REGISTRY: &str = r#"stack "rig" engine="llama.cpp" { defaults { context 512; prompt-cache "100 MB"; placement threads=1 } }
engine "llama.cpp" profile="llama.cpp-b11669" bin="/usr/bin"
host "big" memory="20 GB" systemd=262 address="10.77.0.1"
host "gone" memory="20 GB" systemd=262 address="10.77.0.9"
host "small" memory="20 GB" systemd=262 address="10.77.0.2"
store "models" path="/srv/models" speed="2 GB/s"
model "target" file="target.gguf" arch="qwen2" size="737088 B"
model "moe" file="moe.gguf" arch="qwen3moe" size="1032224 B"
role "chat" host="big" model="target" port=18080 listen="10.77.0.1" key-file="/etc/keys"
role "late" host="gone" model="target" port=18080
role "code" host="small" model="moe" port=18080 listen="10.77.0.2" key-file="/etc/keys"
role "idle" host="small" model="target" port=18081 residency="warm"
"#;

/// Two hosts with their own network. The user is on `big`.
struct Fleet {
    big: Rig,
    small: Rig,
    /// The root that both roots are layers on.
    base: Rig,
}

/// Runs a program of the machine. It must succeed.
#[track_caller]
fn machine(program: &str, arguments: &str) {
    let output = Command::new(program).args(arguments.split(' ')).output().unwrap();
    assert!(output.status.success(), "{program} {arguments}: {}", text(&output.stderr));
}

/// Removes the network and the root of an earlier test. They may not exist.
fn clear(base: &Rig, name: &str) -> PathBuf {
    let root = base.root.with_file_name(format!("rig-{name}"));
    let top = root.with_extension("top");
    let _ = Command::new("umount").arg("--lazy").args([&root, &top]).output();
    let _ = Command::new("ip").args(["netns", "del", &format!("rig-{name}")]).output();
    let _ = fs::create_dir(&root);
    let _ = fs::create_dir(&top);
    root
}

/// A root folder whose changes are in memory.
#[track_caller]
fn layer(base: &Rig, name: &str) -> PathBuf {
    let root = clear(base, name);
    let (root_text, top) = (root.to_str().unwrap(), root.with_extension("top"));
    let top = top.to_str().unwrap();
    machine("mount", &format!("-t tmpfs tmpfs {top}"));
    fs::create_dir_all(format!("{top}/work")).unwrap();
    fs::create_dir_all(format!("{top}/upper")).unwrap();
    let base = base.root.to_str().unwrap();
    machine(
        "mount",
        &format!("-t overlay overlay -o lowerdir={base},upperdir={top}/upper,workdir={top}/work {root_text}"),
    );
    machine("ip", &format!("netns add rig-{name}"));
    root
}

/// Writes a file of root for ssh.
#[track_caller]
fn write_ssh(host: &Rig, name: &str, text: &str) {
    let script = format!("umask 077; mkdir -p ~root/.ssh && printf '%s\\n' \"$1\" >~root/.ssh/{name}");
    host.output(&["sh", "-c", &script, "sh", text]);
}

impl Fleet {
    #[track_caller]
    fn boot() -> Self {
        let base = Rig::unbooted();
        let roots = ["big", "small"].map(|name| layer(&base, name));
        machine("ip", "link add rig-big netns rig-big type veth peer name rig-small netns rig-small");
        for (name, number) in [("big", 1), ("small", 2)] {
            machine("ip", &format!("-n rig-{name} addr add 10.77.0.{number}/24 dev rig-{name}"));
            machine("ip", &format!("-n rig-{name} link set lo up"));
            machine("ip", &format!("-n rig-{name} link set rig-{name} up"));
        }
        let [big, small] = roots;
        let (big, small) = (Rig::boot_in(big, "rig-big"), Rig::boot_in(small, "rig-small"));
        let fleet = Self { big, small, base };
        for host in [&fleet.big, &fleet.small] {
            host.write("/etc/keys", "one\n", 0o600);
            host.output(&["systemctl", "enable", "--now", "--quiet", "ssh.service"]);
        }
        let make = "ssh-keygen -q -t ed25519 -N '' -f ~root/.ssh/id_ed25519 && cat ~root/.ssh/id_ed25519.pub";
        let key = fleet.big.output(&["sh", "-c", make]);
        write_ssh(&fleet.small, "authorized_keys", &key);
        write_ssh(&fleet.big, "config", "StrictHostKeyChecking accept-new");
        fs::copy(crate::support::orchgen(), fleet.big.root.join("usr/local/bin/orchgen")).unwrap();
        fleet.build(REGISTRY);
        fleet
    }

    #[track_caller]
    fn build(&self, registry: &str) {
        self.big.write("/srv/registry/stack.kdl", registry, 0o644);
        self.succeeds("build -q");
    }

    /// Runs orchgen on `big`.
    fn orchgen(&self, arguments: &str) -> Output {
        self.big.run(&["sh", "-c", &format!("cd /srv && exec orchgen {arguments}")])
    }

    /// Runs orchgen on `big`. Returns its standard output and standard error.
    #[track_caller]
    fn run(&self, arguments: &str, code: i32) -> (String, String) {
        let output = self.orchgen(arguments);
        let (out, error) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{arguments}: {out}{error}");
        (out, error)
    }

    #[track_caller]
    fn succeeds(&self, arguments: &str) -> String {
        self.run(arguments, 0).0
    }

    #[track_caller]
    fn assert_serves(&self, address: &str) {
        let url = format!("http://{address}:18080/completion");
        let ask = [
            "curl",
            "-fsS",
            "-H",
            "Authorization: Bearer one",
            "-d",
            r#"{"prompt":"the","n_predict":1}"#,
            &url,
        ];
        self.big.output(&ask);
    }

    /// The copies of orchgen on `small`.
    fn copies(&self) -> String {
        self.small.output(&["sh", "-c", "ls /var/tmp | grep orchgen || true"])
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.big.stop();
        self.small.stop();
        for name in ["big", "small"] {
            clear(&self.base, name);
        }
    }
}

const GONE: &str = "error: host `gone` does not answer at 10.77.0.9: ";

#[test]
fn hosts_are_changed_in_order_and_one_that_ended_comes_back() {
    let fleet = Fleet::boot();
    let (_, error) = fleet.run("apply --all-hosts --yes", 2);
    let places = ["applied: generation 1 is current", GONE, "small: applied: generation 1 is current"];
    let places: Vec<usize> =
        places.iter().map(|line| error.find(line).unwrap_or_else(|| panic!("{line}: {error}"))).collect();
    assert!(places.is_sorted(), "{error}");
    fleet.assert_serves("10.77.0.1");
    fleet.assert_serves("10.77.0.2");
    assert_eq!(fleet.copies(), "", "the copy of the program is removed");
    fleet.big.report("both hosts serve, without orchgen on `small`");

    let two = "--host small --host big";
    let status = fleet.succeeds(&format!("status {two}"));
    let hosts: Vec<&str> = status.lines().filter(|line| line.starts_with("  on ")).collect();
    assert!(
        hosts[0].starts_with("  on big (system), generation 1") && hosts[1].contains("on small"),
        "{status}"
    );
    assert_eq!(fleet.succeeds(&format!("plan --against host {two}")), "no changes against `host`\n");
    let (status, error) = fleet.run("status --all-hosts --output-format json", 1);
    let status: Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["failed"][0]["host"], "gone");
    assert_eq!(status["stacks"].as_array().unwrap().len(), 2);
    assert!(error.starts_with(GONE), "{error}");

    fleet.small.output(&["systemctl", "stop", "rig-code.service"]);
    let (status, _) = fleet.run("status --host small", 1);
    assert!(status.contains("`rig-code.service` is stopped"), "{status}");
    assert!(status.contains("run `systemctl start rig-code.service` on `small`"), "{status}");
    fleet.run("apply --host small --yes", 0);
    fleet.assert_serves("10.77.0.2");
    fleet.succeeds(&format!("status {two}"));
    fleet.big.report("a role that ended is back");

    fleet.small.stop();
    let (status, error) = fleet.run(&format!("status {two}"), 1);
    assert!(status.contains("on big (system)") && error.contains("host `small` does not answer"), "{error}");
    fleet.small.reboot();
    wait(60, "the role starts at boot", || fleet.small.state("rig-code.service") == "active");
    fleet.succeeds(&format!("status {two}"));
    fleet.big.report("a host that ended is back");
}

#[test]
fn a_failure_on_one_host_restores_it_and_stops_the_run() {
    let fleet = Fleet::boot();
    fleet.run("apply --host big --host small --yes", 0);
    fleet.small.write("/srv/models/bad.gguf", "junk", 0o644);
    let model = "model \"bad\" file=\"bad.gguf\" arch=\"qwen2\" size=\"4 B\"\n";
    fleet.build(&(REGISTRY.replace(r#"model="moe""#, r#"model="bad""#) + model));
    let plan: Value =
        serde_json::from_str(&fleet.succeeds("plan --against host --host small --output-format json"))
            .unwrap();
    assert_eq!(plan["hosts"][0]["roles"][0]["name"], "code");
    let id = plan["hosts"][0]["id"].as_str().unwrap();
    let (_, error) = fleet.run(&format!("apply --host small --yes --plan {id}"), 3);
    assert!(error.contains("small: error: `code`"), "{error}");
    assert!(error.contains("Generation 1 is restored, and its roles are verified."), "{error}");
    fleet.assert_serves("10.77.0.2");
    assert_eq!(fleet.copies(), "");
    fleet.big.report("restored");

    // The files of the host were edited.
    fleet.small.output(&["sh", "-c", "echo >>/etc/systemd/system/rig-code.service"]);
    let (_, error) = fleet.run("apply --host small --yes", 1);
    assert!(error.contains("small: error: these files were edited on the host"), "{error}");
    let (_, error) = fleet.run("apply --host small --dry-run", 0);
    assert!(error.contains("edited on the host, and in the way"), "{error}");
}

#[test]
fn an_installed_orchgen_answers_and_other_logins_are_explained() {
    let fleet = Fleet::boot();
    fs::copy(crate::support::orchgen(), fleet.small.root.join("usr/local/bin/orchgen.real")).unwrap();
    let wrapper = "#!/bin/sh\necho \"$*\" >>/srv/asked\nexec orchgen.real \"$@\"\n";
    fleet.small.write("/usr/local/bin/orchgen", wrapper, 0o755);
    fleet.run("apply --host small --yes", 0);
    assert_eq!(fleet.small.output(&["cat", "/srv/asked"]), "on-host --help\n--version\non-host\non-host");
    fleet.big.report("the installed orchgen answered");

    // Another version is not used.
    let other = "#!/bin/sh\necho \"$*\" >>/srv/asked\necho orchgen 0.0.1\n";
    fleet.small.write("/usr/local/bin/orchgen", other, 0o755);
    fleet.small.write("/srv/asked", "", 0o644);
    fleet.succeeds("status --host small");
    assert_eq!(fleet.small.output(&["cat", "/srv/asked"]), "on-host --help\n--version");
    assert_eq!(fleet.copies(), "");

    // A killed run leaves no copy.
    std::thread::scope(|scope| {
        scope.spawn(|| fleet.orchgen("status --host small"));
        wait(20, "the folder of the copy exists", || !fleet.copies().is_empty());
        fleet.big.output(&["pkill", "-KILL", "-x", "orchgen"]);
    });
    wait(20, "the copy is removed", || fleet.copies().is_empty());

    // A user without rights, and one whose key is unknown.
    fleet.small.output(&["useradd", "--create-home", "eve"]);
    let key = fleet.small.output(&["sh", "-c", "cat ~root/.ssh/authorized_keys"]);
    fleet.small.write("/home/eve/.ssh/authorized_keys", &key, 0o644);
    write_ssh(&fleet.big, "config", "StrictHostKeyChecking accept-new\nUser eve");
    let (_, error) = fleet.run("apply --host small --yes", 2);
    assert!(
        error.contains("only root can install units of the system on host `small`: write `User root`"),
        "{error}"
    );
    fleet.small.output(&["rm", "/home/eve/.ssh/authorized_keys"]);
    let (_, error) = fleet.run("plan --against host --host small", 2);
    assert!(
        error.contains("cannot log in to host `small` at 10.77.0.2: ") && error.contains("Permission denied"),
        "{error}"
    );
    fleet.big.report("errors are explained");
}
