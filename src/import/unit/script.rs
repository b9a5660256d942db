//! A unit that starts a script.

use crate::import::prefix::{base_name, is_server};
use crate::import::source::{Loss, Program, Server, Surroundings, Word};

/// Programs that run a script.
const SHELLS: &[&str] = &["sh", "bash", "dash", "zsh", "ash", "ksh"];

/// Options with the port of a server.
const PORT_OPTIONS: &[&str] = &["--port", "--http-port", "--listen", "--listen-port", "--bind", "-port"];

/// The report about a script that a unit starts. `None` for other programs.
pub(super) fn unread(around: &dyn Surroundings, server: &Server) -> Option<Loss> {
    let Program::Path(program) = &server.program else { return None };
    let script = script_of(program, &server.args, around)?;
    let path = &script.text;
    let why = format!("the script is not read: import it too (`orchgen import {path}`)");
    Some(Loss { what: format!("ExecStart={path}"), at: script.at, why })
}

/// The script of a command: the program, or the first argument of a shell.
fn script_of<'w>(program: &'w Word, args: &'w [Word], around: &dyn Surroundings) -> Option<&'w Word> {
    if SHELLS.contains(&base_name(&program.text)) {
        return args.iter().find(|word| !word.text.starts_with(['-', '+']));
    }
    let is_named = [".sh", ".bash"].iter().any(|ending| program.text.ends_with(ending));
    if is_server(&program.text) && (!is_named || !args.is_empty()) {
        return None;
    }
    let name = |word: &'w Word| word.text.split('=').next().unwrap_or_default();
    let has_port = args.iter().any(|word| PORT_OPTIONS.contains(&name(word)));
    let is_script = || !has_port && around.text(&program.text).is_ok_and(|text| is_shell_script(&text));
    (is_named || is_script()).then_some(program)
}

/// True if the first line of a text names a shell.
fn is_shell_script(text: &str) -> bool {
    let line = text.lines().next().and_then(|line| line.strip_prefix("#!")).unwrap_or_default();
    line.split_whitespace().any(|word| SHELLS.contains(&base_name(word)))
}
