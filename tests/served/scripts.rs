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
        // An instance of an on-demand role, at the port of its socket, with an extra argument.
        let _lazy = serve(&rig, "lazyvec", &["1", "--", "--alias", "mine"]);
        wait_until_ready(19097);
        let models = ask(19097, "/v1/models", "", "").unwrap().json();
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

/// The stack in which the role of the mixture has settings that its one-shot command must also have.
fn stack_with_settings() -> String {
    let role = "experts=2 hardening=\"default\"";
    let settings =
        "cache-type=\"bf16\" flash-attention=\"on\" { option \"temp\" value=0.0; option \"metrics\"; }";
    let text = stack();
    assert!(text.contains(role));
    text.replace(role, &format!("{role} {settings}"))
}

/// Runs a program for at most a minute. Its standard input stays open without data, as that of a terminal does.
fn run_with_open_input(mut command: Command) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let input = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    drop(input);
    output
}

#[test]
fn one_shot_commands_end_after_one_answer() {
    let rig = Rig::unbooted();
    rig.install(&stack_with_settings());
    for (model, tool) in [("target", "llama-speculative"), ("moe", "llama-cli")] {
        let path = format!("bin/prompt/{model}");
        let words = run_script(&rig, &path, &["--dry-run", "hello"]);
        assert!(text(&words.stdout).starts_with(&format!("/usr/bin/{tool} ")), "{words:?}");
        let command = format!("timeout 60 /srv/out/{path} 'the the' -- -n 8");
        let pipe = rig.chroot(&["bash", "-c", &command]);
        let terminal = rig.chroot(&["script", "--quiet", "--return", "--command", &command, "/dev/null"]);
        for (place, command) in [("pipe", pipe), ("terminal", terminal)] {
            let output = run_with_open_input(command);
            let output_text = text(&output.stdout) + &text(&output.stderr);
            assert!(output.status.success(), "{model}: {:?}: {output_text}", output.status);
            assert!(output_text.contains("the the"), "{model}: {output_text}");
            rig.report(&format!("{tool} answered a prompt with `{model}` in a {place}"));
        }
    }
}

#[test]
fn one_shot_commands_have_the_settings_of_their_role() {
    let rig = Rig::unbooted();
    rig.install(&stack_with_settings());
    let path = "bin/prompt/moe";
    let log = run_script(&rig, path, &["hello", "--", "-n", "8", "-lv", "4"]);
    let log_text = text(&log.stdout) + &text(&log.stderr);
    assert!(log_text.contains("K (bf16)") && log_text.contains("V (bf16)"), "{log_text}");
    assert!(
        log_text.lines().any(|line| line.contains("flash_attn") && line.contains("enabled")),
        "{log_text}"
    );
    let answers = [(); 3].map(|()| {
        let answer = run_script(&rig, path, &["hello", "--", "-n", "8", "--no-show-timings"]);
        assert!(answer.status.success(), "{answer:?}");
        text(&answer.stdout)
    });
    let answer = answers[0].split("> hello").nth(1).unwrap();
    assert!(answers.iter().all(|other| other.ends_with(answer)), "not of temperature 0: {answers:?}");
    let help = text(&run_script(&rig, path, &["--help"]).stdout);
    assert!(help.contains("for its server only: --metrics\n"), "{help}");
    rig.report("`moe` answers with the settings of `mixture`");
}

#[test]
fn a_one_shot_command_does_not_read_the_text_as_a_command() {
    let rig = Rig::unbooted();
    rig.install(&stack());
    for prompt in ["/exit", "/regen it", "/read /etc/passwd"] {
        let answer = run_script(&rig, "bin/prompt/moe", &[prompt, "--", "-n", "8"]);
        let answer_text = text(&answer.stdout);
        assert!(answer.status.success() && answer_text.contains(&format!(">  {prompt}")), "{answer_text}");
        assert!(answer_text.contains("Generation:"), "{answer_text}");
    }
    for blank in ["", " ", "\n"] {
        assert_error(&run_script(&rig, "bin/prompt/moe", &[blank]), 64, "the text is empty");
    }
}
