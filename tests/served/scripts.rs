//! Launch scripts, wrappers and one-shot commands with real llama.cpp programs.

use super::STACK;
use super::rig::{Rig, ask, text, wait};
use std::fs;
use std::process::{Child, Command, Output, Stdio};

/// The stack with ports that no unit uses.
fn stack() -> String {
    STACK.replace("180", "190")
}

fn script(rig: &Rig, path: &str, args: &[&str]) -> Command {
    let path = format!("/srv/out/{path}");
    rig.chroot(&[&[&*path], args].concat())
}

/// Runs a script to its end, for at most a minute.
fn run_script(rig: &Rig, path: &str, args: &[&str]) -> Output {
    let path = format!("/srv/out/{path}");
    rig.chroot(&[&["timeout", "60", &*path], args].concat()).stdin(Stdio::null()).output().unwrap()
}

#[track_caller]
fn assert_error(output: &Output, code: i32, why: &str) {
    let output_text = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{output_text}");
    assert!(output_text.contains(why) && output_text.lines().count() == 1, "{output_text}");
}

/// A server in the foreground, stopped at the end of the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Send SIGTERM. The process exists, because the test has not waited for it yet.
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
fn wait_until_ready(port: u16) {
    wait(60, "the server answers", || {
        ask(port, "/health", "", "a-key").is_some_and(|answer| answer.status == 200)
    });
}

#[test]
fn scripts_serve_with_the_real_program() {
    let rig = Rig::unbooted();
    rig.write("/srv/keys/api", "a-key\n", 0o600);
    rig.install(&stack());
    {
        let _server = serve(&rig, "chat", &[]);
        wait_until_ready(19080);
        let output_text =
            ask(19080, "/completion", r#"{"prompt":"the the the","n_predict":32}"#, "").unwrap().json();
        assert!(output_text["timings"]["draft_n"].as_u64() > Some(0), "{output_text}");
        rig.report("`chat` answers with its draft");
        assert_error(&run_script(&rig, "bin/chat", &[]), 75, "port 19080 on 127.0.0.1 is already in use");
    }
    {
        // An instance of an on-demand role, at its backend port, with an extra argument.
        let _lazy = serve(&rig, "lazyvec", &["1", "--", "--alias", "mine"]);
        wait_until_ready(29097);
        let models = ask(29097, "/v1/models", "", "").unwrap().json();
        assert!(models.to_string().contains("\"mine\""), "{models}");
        rig.report("instance 1 of `lazyvec` answers with the added alias");
    }
    for (role, port) in [("spread", 19082), ("pinned", 19083)] {
        let server = serve(&rig, role, &[]);
        wait_until_ready(port);
        let maps = fs::read_to_string(format!("/proc/{}/numa_maps", server.0.id())).unwrap();
        let policy = if role == "spread" { "interleave:0" } else { "bind:0" };
        assert!(maps.lines().all(|line| line.split(' ').nth(1) == Some(policy)), "{role}: {maps}");
        rig.report(&format!("`{role}` answers, with the memory policy {policy}"));
    }
    let _keyed = serve(&rig, "keyed", &[]);
    wait_until_ready(19085);
    assert_eq!(ask(19085, "/v1/models/none", "", "").unwrap().status, 401);
}

#[test]
fn scripts_report_missing_files_and_programs() {
    let rig = Rig::unbooted();
    rig.install(&stack());
    assert_error(&run_script(&rig, "bin/gone", &[]), 66, "/srv/models/absent.gguf");
    assert_error(&run_script(&rig, "bin/keyed", &[]), 66, "/srv/keys/api");
    assert_error(&run_script(&rig, "bin/vectors", &["9"]), 64, "unknown instance '9'");
    assert_error(&run_script(&rig, "bin/chat", &["--no-such"]), 64, "--no-such");
    // The limit of locked memory is smaller than the weights.
    let limited = rig
        .chroot(&[
            "bash",
            "-c",
            "ulimit -l 64; exec setpriv --reuid 65534 --clear-groups timeout 30 /srv/out/bin/locked",
        ])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_error(&limited, 77, "lock");
    let path = rig.root.join("usr/bin/llama-server");
    let aside = rig.root.join("usr/bin/llama-server.aside");
    fs::rename(&path, &aside).unwrap();
    let missing = run_script(&rig, "bin/chat", &[]);
    fs::rename(&aside, &path).unwrap();
    assert_error(&missing, 69, "/usr/bin/llama-server");
    for (path, word) in
        [("bin/chat", "port 19080"), ("bin/prompt/target", "Target"), ("numactl/interleave-all", "numactl")]
    {
        let help = run_script(&rig, path, &["--help"]);
        assert!(help.status.success() && text(&help.stdout).contains(word), "{path}: {help:?}");
    }
    let dry = text(&run_script(&rig, "bin/chat", &["--dry-run"]).stdout);
    assert!(dry.starts_with("/usr/bin/llama-server -m /srv/models/target.gguf "), "{dry}");
}

#[test]
fn one_shot_commands_answer() {
    let rig = Rig::unbooted();
    rig.install(&stack());
    for (model, tool) in [("target", "llama-speculative"), ("moe", "llama-cli")] {
        let path = format!("bin/prompt/{model}");
        let words = run_script(&rig, &path, &["--dry-run", "hello"]);
        assert!(text(&words.stdout).starts_with(&format!("/usr/bin/{tool} ")), "{words:?}");
        let output = run_script(&rig, &path, &["the the", "--", "-n", "8"]);
        let output_text = text(&output.stdout) + &text(&output.stderr);
        assert!(output.status.success(), "{model}: {:?}: {output_text}", output.status);
        assert!(output_text.contains("the the"), "{model}: {output_text}");
        rig.report(&format!("{tool} answered a prompt with `{model}`"));
    }
}
