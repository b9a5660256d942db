//! `--host` with other machines: what a user reads if a host cannot be reached or cannot run orchgen. A script is the ssh client.

use super::{Workspace, text};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

const TWO: &str = r#"
stack "home" engine="cpu"
engine "cpu" profile="llama.cpp-b11669" bin="/usr/bin"
host "big" memory="64 GB" address="203.0.113.1"
host "small" memory="32 GB" address="203.0.113.2"
host "near" memory="32 GB"
model "chat" file="/srv/chat.gguf" arch="qwen2" size="1 GB"
role "one" host="big" model="chat" port=8080 context=4096 { placement threads=4; }
role "two" host="small" model="chat" port=8080 context=4096 { placement threads=4; }
role "three" host="near" model="chat" port=8080 context=4096 { placement threads=4; }
"#;

/// A client that connects, and prints the login with the text of `$SYSTEM`, `$VERSION` and `$PROGRAM`. At another address it
/// fails with `$REASON`. On the host, each command fails with code 1, as `sudo` and the dynamic loader do.
const SSH: &str = r#"#!/bin/sh
for word in "$@"; do
  case $word in
  203.0.113.1) echo "$REASON" >&2; exit 255 ;;
  ControlMaster=yes) master=1 ;;
  esac
done
[ -z "$master" ] || {
  printf '%s\n' 'Welcome!' orchgen-login "$SYSTEM" 1000 "$VERSION" /usr/bin/orchgen "$SUDO" /var/tmp/x
  cat >/dev/null
  echo ended >>"$ENDED"
  exit
}
cat >/dev/null
printf 'orchgen: %s: not found\n' libc.so.6 >&2
exit 1
"#;

fn workspace() -> Workspace {
    let workspace = Workspace(tempfile::tempdir().unwrap());
    fs::create_dir(workspace.at("registry")).unwrap();
    fs::write(workspace.at("registry/stack.kdl"), TWO).unwrap();
    fs::create_dir(workspace.at("bin")).unwrap();
    fs::write(workspace.at("bin/ssh"), SSH).unwrap();
    fs::set_permissions(workspace.at("bin/ssh"), fs::Permissions::from_mode(0o755)).unwrap();
    let built = workspace.command(&["build", "-q"]).output().unwrap();
    assert!(built.status.success(), "{}", text(&built.stderr));
    workspace
}

/// The login on the host: system, version of orchgen, and `sudo` or `no sudo`.
type Login<'l> = (&'l str, &'l str, &'l str);

fn run(workspace: &Workspace, arguments: &str, (system, version, sudo): Login<'_>) -> Output {
    let words: Vec<&str> = arguments.split(' ').collect();
    let path = format!("{}:/usr/bin:/bin", workspace.at("bin").display());
    let mut command = workspace.command(&words);
    command.env("PATH", path).env("SYSTEM", system).env("VERSION", version).env("SUDO", sudo);
    command.env("ENDED", workspace.at("ended"));
    let refused = "ssh: connect to host 203.0.113.1 port 22: Connection refused";
    let reason = fs::read_to_string(workspace.at("reason")).unwrap_or_else(|_| refused.to_owned());
    command.env("REASON", reason).output().unwrap()
}

#[track_caller]
fn fails(workspace: &Workspace, arguments: &str, login: Login<'_>) -> String {
    let output = run(workspace, arguments, login);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    text(&output.stderr)
}

const OWN: Login<'_> = ("Linux riscv64", "none", "no sudo");

#[test]
fn hosts_that_cannot_answer_are_explained() {
    let workspace = workspace();
    let error = fails(&workspace, "plan --against host --host small", OWN);
    let start = "error: host `small` has the system Linux riscv64, and this program is for Linux ";
    assert!(error.starts_with(start) && error.contains(": install orchgen 0."), "{error}");
    let error = fails(&workspace, "plan --against host --host big", OWN);
    assert_eq!(
        error,
        "error: host `big` does not answer at 203.0.113.1: ssh: connect to host 203.0.113.1 port 22: Connection refused\n"
    );
    let version = text(&run(&workspace, "--version", OWN).stdout).trim().to_owned();
    let error = fails(&workspace, "apply --yes --host small", ("Linux riscv64", &version, "no sudo"));
    assert!(error.contains("only root can install units of the system on host `small`"), "{error}");
    assert!(error.contains("write `User root` for `Host 203.0.113.2` in ~/.ssh/config"), "{error}");
    // Code 1 of another program is not the code 1 of orchgen: nothing is known.
    for arguments in ["plan --against host --host small", "apply --yes --host small"] {
        let error = fails(&workspace, arguments, ("Linux riscv64", &version, "sudo"));
        let end = format!(
            "error: orchgen cannot run on host `small`: orchgen: libc.so.6: not found; install {version} on the host\n"
        );
        assert!(error.ends_with(&end), "{error}");
    }
    let ended = fs::read_to_string(workspace.at("ended")).unwrap();
    assert_eq!(ended.lines().count(), 4, "each connection ends before the command");
    let error = fails(&workspace, "status --host big --out nowhere", OWN);
    assert!(error.contains("nowhere"), "{error}");
    for (reason, help) in [
        ("Host key verification failed.", "run `ssh 203.0.113.1` once to accept its key"),
        (
            "root@x: Permission denied (publickey).",
            "write `User` and `IdentityFile` for `Host 203.0.113.1` in ~/.ssh/config",
        ),
    ] {
        fs::write(workspace.at("reason"), reason).unwrap();
        let output = run(&workspace, "status --host big", OWN);
        let error = text(&output.stderr);
        assert!(
            error.starts_with("error: cannot log in to host `big` at 203.0.113.1: ") && error.contains(help),
            "{error}"
        );
    }
}

#[test]
fn a_noisy_or_silent_client_does_not_block() {
    let workspace = workspace();
    let noise =
        "i=0; while [ $i -lt 20000 ]; do echo 'debug1: a long line of the client' >&2; i=$((i + 1)); done\n";
    fs::write(workspace.at("bin/ssh"), SSH.replacen("#!/bin/sh\n", &format!("#!/bin/sh\n{noise}"), 1))
        .unwrap();
    let error = fails(&workspace, "plan --against host --host small", OWN);
    assert!(error.contains("has the system Linux riscv64"), "{error}");
    fs::remove_file(workspace.at("bin/ssh")).unwrap();
    let mut command = workspace.command(&["plan", "--against", "host", "--host", "small"]);
    let output = command.env("PATH", workspace.at("bin")).output().unwrap();
    assert!(text(&output.stderr).starts_with("error: cannot run `ssh`: "), "{}", text(&output.stderr));
}

#[test]
fn each_host_is_tried_and_reported() {
    let workspace = workspace();
    let output = run(&workspace, "status --host small --host big --output-format json", OWN);
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let failed: Vec<&str> =
        report["failed"].as_array().unwrap().iter().map(|one| one["host"].as_str().unwrap()).collect();
    assert_eq!(failed, ["big", "small"], "in the order of declaration");
    assert_eq!(text(&output.stderr).lines().count(), 2);
    // A plan of no host is not a plan without changes.
    for format in ["human", "markdown"] {
        let arguments = format!("plan --against host --host big --host small --output-format {format}");
        let output = run(&workspace, &arguments, OWN);
        assert_eq!(output.status.code(), Some(2));
        let out = text(&output.stdout);
        assert!(!out.to_lowercase().contains("no changes"), "{out}");
        assert_eq!(
            out.contains("**big**: no plan: host `big` does not answer"),
            format == "markdown",
            "{out}"
        );
    }
}

#[test]
fn the_place_of_a_host_is_never_a_guess() {
    let workspace = workspace();
    for command in ["plan --against host", "apply --yes", "status"] {
        let error = fails(&workspace, &format!("{command} --host near"), OWN);
        assert!(
            error.starts_with("error: host `near` has no `address`, and this machine has another name"),
            "{error}"
        );
        let error = fails(&workspace, &format!("{command} --host nearer"), OWN);
        assert!(error.contains("no host `nearer`, only `big`, `small` or `near`"), "{error}");
    }
    let error = fails(&workspace, "apply --yes --host near --host big --local", OWN);
    assert!(error.contains("`--local` is about one host"), "{error}");
    let error = fails(&workspace, "plan --host near --local", OWN);
    assert!(error.contains("write `--against host`, too"), "{error}");
    let error = fails(&workspace, "apply --yes --host small --root /nonexistent", OWN);
    assert!(error.contains("`--root` is a folder of this machine"), "{error}");
    let error = fails(&workspace, "apply --yes --host small --host big --plan 0", OWN);
    assert!(error.contains("`--plan` is the plan of one host"), "{error}");
    let error = fails(&workspace, "status --host small --stack other", OWN);
    assert!(error.contains("whose stack is `home`, not `other`"), "{error}");
    let error = fails(&workspace, "on-host", OWN);
    assert!(error.contains("standard input is no request"), "{error}");
}

#[test]
fn requests_that_are_damaged_are_refused() {
    let workspace = workspace();
    let description = fs::read_to_string(workspace.at("out/deploy.json")).unwrap();
    let request = |version: u32, description: &str| {
        let file = serde_json::json!({"text": description, "executable": false});
        let request = serde_json::json!({
            "format_version": version, "action": "plan", "host": "nowhere", "files": {"deploy.json": file}, "id": null,
            "force": false, "quiet": false,
        });
        request.to_string()
    };
    for (input, message) in [
        (String::new(), "standard input is no request: EOF"),
        ("\0\u{ff}".to_owned(), "standard input is no request"),
        ("[".repeat(100_000), "standard input is no request: invalid type"),
        (r#"{"format_version": 1, "action": "reboot"}"#.to_owned(), "unknown variant `reboot`"),
        (request(9, &description), "the request has format 9, and this version of orchgen reads format 1"),
        (request(1, "{}"), "`deploy.json` of the output is damaged"),
        (request(1, &description.replace("home-one.service", "../../x")), "has the bad name \"../../x\""),
        (request(1, &description), "the stack has no host `nowhere`"),
    ] {
        let output = workspace.run_with(&["on-host"], &input);
        assert_eq!((output.status.code(), &*text(&output.stdout)), (Some(2), "{}\n"), "{message}");
        assert!(text(&output.stderr).contains(message), "{message}: {}", text(&output.stderr));
    }
}
