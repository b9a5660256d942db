//! A container around the server of a model: `docker run` and its relatives. The command is kept as it is.

use crate::import::prefix::{base_name, is_name};
use crate::import::source::{Change, Program, Server, Word};
use crate::import::words::{is_secret, uses_secret};

/// Programs that run a container.
const PROGRAMS: &[&str] = &["docker", "podman", "nerdctl"];

/// Long options of `run` without a value (docker 28, podman 5.6).
const SWITCHES: &[&str] = &[
    "--detach",
    "--disable-content-trust",
    "--env-host",
    "--help",
    "--http-proxy",
    "--init",
    "--interactive",
    "--no-healthcheck",
    "--no-hostname",
    "--no-hosts",
    "--oom-kill-disable",
    "--passwd",
    "--privileged",
    "--publish-all",
    "--quiet",
    "--read-only",
    "--read-only-tmpfs",
    "--replace",
    "--rm",
    "--rmi",
    "--rootfs",
    "--sig-proxy",
    "--tls-verify",
    "--tty",
    "--use-api-socket",
];

/// Letters of options without a value.
const SHORT_SWITCHES: &str = "ditPq";

/// The name of the program, and the index of the first word after `run`. Nothing if the server is in no container.
fn run(server: &Server) -> Option<(&str, usize)> {
    let Program::Path(program) = &server.program else { return None };
    let name = base_name(&program.text);
    let at = server.args.iter().take(2).position(|word| word.text == "run")?;
    PROGRAMS.contains(&name).then_some((name, at + 1))
}

/// The index of the image: the first word that is no option and no value of an option.
fn image(args: &[Word], first: usize) -> Option<usize> {
    let mut at = first;
    loop {
        let word = args.get(at)?.text.as_str();
        at += match word.strip_prefix('-') {
            None | Some("") => return Some(at),
            Some("-") => return Some(at + 1).filter(|at| *at < args.len()),
            Some(_) if has_next(word) => 2,
            Some(_) => 1,
        };
    }
}

/// True if the value of an option is the next word.
fn has_next(option: &str) -> bool {
    if option.starts_with("--") {
        return !option.contains('=') && !SWITCHES.contains(&option);
    }
    let rest = option.trim_start_matches('-').trim_start_matches(|c| SHORT_SWITCHES.contains(c));
    rest.chars().count() == 1
}

/// Replaces `-e NAME=value` with `-e NAME` if the value is a secret: the container then gets the variable of the program that starts it.
pub(super) fn pass_secrets(server: &mut Server) {
    let Some((_, first)) = run(server) else { return };
    let end = image(&server.args, first).unwrap_or(server.args.len());
    let mut changes = Vec::new();
    let mut is_value = false;
    for word in server.args.iter_mut().take(end).skip(first) {
        let is_option = matches!(word.text.as_str(), "-e" | "--env");
        let start = if is_value {
            ""
        } else {
            ["--env=", "-e"].into_iter().find(|start| word.text.starts_with(start)).unwrap_or_default()
        };
        if is_value || (!start.is_empty() && !is_option) {
            changes.extend(pass_secret(word, start));
        }
        is_value = is_option && !is_value;
    }
    server.changes.append(&mut changes);
}

/// Removes the value of a variable that is a secret. `start` is the option in the same word.
fn pass_secret(word: &mut Word, start: &str) -> Option<Change> {
    let (name, value) = word.text.strip_prefix(start)?.split_once('=')?;
    if !is_name(name) || !(is_secret(name) || uses_secret(value)) {
        return None;
    }
    let name = name.to_owned();
    word.text = format!("{}{name}", if start == "-e" { "--env=" } else { start });
    Some(Change {
        option: "-e".to_owned(),
        was: format!("{name} with a value"),
        is: format!("-e {name}"),
        why: "a registry has no secrets: set the variable where the gateway runs".to_owned(),
        at: word.at,
    })
}

/// Reports a container around the server.
pub(super) fn note(server: &mut Server) {
    let Program::Path(program) = &server.program else { return };
    let Some((name, first)) = run(server) else { return };
    let image = image(&server.args, first).and_then(|at| server.args.get(at));
    let was = image
        .map_or_else(|| "a container".to_owned(), |image| format!("container with the image {}", image.text));
    let change = Change {
        option: format!("{name} run"),
        was,
        is: "a command that starts the same container".to_owned(),
        why: "the options inside the container are not checked".to_owned(),
        at: program.at,
    };
    server.changes.push(change);
}
