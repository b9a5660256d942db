//! Launch scripts, wrappers and one-shot commands with the real programs.

use super::STACK;
use super::rig::{Rig, ask, text, wait};
use std::fs;
use std::process::{Child, Command, Output, Stdio};

/// The stack on ports that no unit has.
fn stack() -> String {
    STACK.replace("180", "190")
}

fn script(rig: &Rig, path: &str, args: &[&str]) -> Command {
    let path = format!("/srv/out/{path}");
    rig.chroot(&[&[&*path], args].concat())
}

/// Runs one to its end, which has to come within a minute.
fn ran(rig: &Rig, path: &str, args: &[&str]) -> Output {
    let path = format!("/srv/out/{path}");
    rig.chroot(&[&["timeout", "60", &*path], args].concat()).stdin(Stdio::null()).output().unwrap()
}

#[track_caller]
fn refused(output: &Output, code: i32, why: &str) {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(why) && said.lines().count() == 1, "{said}");
}

/// A server in the foreground, ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // What it would answer to a person at the terminal; the child is ours, so it is there.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

fn serve(rig: &Rig, role: &str, args: &[&str]) -> Running {
    let mut command = script(rig, &format!("bin/{role}"), args);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Running(command.spawn().unwrap())
}

#[track_caller]
fn comes_up(port: u16) {
    wait(60, "it answers", || ask(port, "/health", "", "a-key").is_some_and(|answer| answer.status == 200));
}

#[test]
fn scripts_serve_with_the_real_program() {
    let Some(rig) = Rig::unbooted("scripts_serve_with_the_real_program") else { return };
    rig.write("/srv/keys/api", "a-key\n", 0o600);
    rig.install(&stack());
    {
        let _server = serve(&rig, "chat", &[]);
        comes_up(19080);
        let said =
            ask(19080, "/completion", r#"{"prompt":"the the the","n_predict":32}"#, "").unwrap().json();
        assert!(said["timings"]["draft_n"].as_u64() > Some(0), "{said}");
        rig.report("chat serves with its draft");
        refused(&ran(&rig, "bin/chat", &[]), 75, "port 19080 at 127.0.0.1 is taken");
    }
    {
        // An on-demand role too, at the port behind its socket: an instance of several, with an argument of the caller's own.
        let _lazy = serve(&rig, "lazyvec", &["1", "--", "--alias", "mine"]);
        comes_up(29097);
        let models = ask(29097, "/v1/models", "", "").unwrap().json();
        assert!(models.to_string().contains("\"mine\""), "{models}");
        rig.report("instance 1 of lazyvec serves under the name that was added");
    }
    for (role, port) in [("spread", 19082), ("pinned", 19083)] {
        let server = serve(&rig, role, &[]);
        comes_up(port);
        let maps = fs::read_to_string(format!("/proc/{}/numa_maps", server.0.id())).unwrap();
        let policy = if role == "spread" { "interleave:0" } else { "bind:0" };
        assert!(maps.lines().all(|line| line.split(' ').nth(1) == Some(policy)), "{role}: {maps}");
        rig.report(&format!("{role} serves with its memory at {policy}"));
    }
    let _keyed = serve(&rig, "keyed", &[]);
    comes_up(19085);
    assert_eq!(ask(19085, "/v1/models/none", "", "").unwrap().status, 401);
}

#[test]
fn scripts_say_what_is_missing() {
    let Some(rig) = Rig::unbooted("scripts_say_what_is_missing") else { return };
    rig.install(&stack());
    refused(&ran(&rig, "bin/gone", &[]), 66, "/srv/models/absent.gguf");
    refused(&ran(&rig, "bin/keyed", &[]), 66, "/srv/keys/api");
    refused(&ran(&rig, "bin/vectors", &["9"]), 64, "there is no instance '9'");
    refused(&ran(&rig, "bin/chat", &["--no-such"]), 64, "--no-such");
    // Less may be locked than the weights take.
    let limited = rig
        .chroot(&[
            "bash",
            "-c",
            "ulimit -l 64; exec setpriv --reuid 65534 --clear-groups timeout 30 /srv/out/bin/locked",
        ])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    refused(&limited, 77, "lock");
    let path = rig.root.join("usr/bin/llama-server");
    let aside = rig.root.join("usr/bin/llama-server.aside");
    fs::rename(&path, &aside).unwrap();
    let missing = ran(&rig, "bin/chat", &[]);
    fs::rename(&aside, &path).unwrap();
    refused(&missing, 69, "/usr/bin/llama-server");
    for (path, word) in
        [("bin/chat", "port 19080"), ("bin/prompt/target", "Target"), ("numactl/interleave-all", "numactl")]
    {
        let help = ran(&rig, path, &["--help"]);
        assert!(help.status.success() && text(&help.stdout).contains(word), "{path}: {help:?}");
    }
    let dry = text(&ran(&rig, "bin/chat", &["--dry-run"]).stdout);
    assert!(dry.starts_with("/usr/bin/llama-server -m /srv/models/target.gguf "), "{dry}");
}

#[test]
fn one_shot_commands_answer() {
    let Some(rig) = Rig::unbooted("one_shot_commands_answer") else { return };
    rig.install(&stack());
    for (model, tool) in [("target", "llama-speculative"), ("moe", "llama-cli")] {
        let path = format!("bin/prompt/{model}");
        let words = ran(&rig, &path, &["--dry-run", "hello"]);
        assert!(text(&words.stdout).starts_with(&format!("/usr/bin/{tool} ")), "{words:?}");
        let output = ran(&rig, &path, &["the the", "--", "-n", "8"]);
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(output.status.success(), "{model}: {:?}: {said}", output.status);
        assert!(said.contains("the the"), "{model}: {said}");
        rig.report(&format!("{model} was asked once, by {tool}"));
    }
}
