//! The script in a string for a shell, such as `bash -c "source env.sh && exec llama-server …"`.
//!
//! The rules are those of `sh` (POSIX 2024, Shell Command Language). Nothing is executed: assignments, `export`, `cd` and one command are
//! read, and everything else is reported.

mod reader;

use super::prefix::{assignment, is_server, shell_string, strip};
use super::source::{Loss, Server, Word, join};
use super::words::Lined;
use reader::{Command, ScriptReader};

/// The maximum number of commands in a script.
const MAX_COMMANDS: usize = 1000;

/// Words that begin a structure of several commands.
const KEYWORDS: &[&str] = &[
    "if", "then", "elif", "else", "fi", "for", "while", "until", "do", "done", "case", "esac", "select",
    "function", "{", "}", "!", "[[", "time", "coproc",
];

/// Commands that have no effect on a server.
const SILENT: &[&str] = &["set", "shopt", "true", ":", "wait"];

/// The start of variables that engines and their libraries read, in addition to a use in the script.
const ENGINE_VARIABLES: &[&str] = &[
    "LLAMA_", "GGML_", "CUDA_", "NVIDIA_", "HIP_", "HSA_", "ROCR_", "ROCBLAS_", "GPU_", "ONEAPI_", "SYCL_",
    "ZE_", "VK_", "GGUF_", "OMP_", "KMP_", "HF_", "LD_",
];

/// Removes the words in front of a program, and reads the script if the program is a shell with one. Returns the program with its arguments. Sets
/// `unreadable` of the server if the script cannot be read.
pub(super) fn program_words(words: &[Lined], server: &mut Server) -> Vec<Word> {
    let rest = strip(words.iter().map(Lined::word).collect(), server);
    let Some((at, text)) = shell_string(&rest).and_then(|at| Some((at, rest.get(at)?))) else { return rest };
    // Words in front are removed, so the script is found from the end.
    let lined = words.len().checked_sub(rest.len() - at).and_then(|at| words.get(at));
    let lined = lined.filter(|lined| lined.text() == text.text).cloned();
    let lined = lined.unwrap_or_else(|| Lined::new(text.text.clone(), text.at));
    match read(&lined, rest.get(at + 1..).unwrap_or_default(), server) {
        Ok(words) => strip(words, server),
        Err(reason) => {
            let shown: Vec<&str> = rest.iter().take(at).map(|word| word.text.as_str()).collect();
            let why = format!(
                "the script cannot be read: {reason}; write the command of the server into the source"
            );
            server.unreadable = Some(Loss { what: format!("{} …", shown.join(" ")), at: text.at, why });
            rest
        }
    }
}

/// Reads a script. `positional` are the words after it: `$0`, `$1` and so on. The variables of the server must be set before. Variables that only
/// fill in the script are removed from the server.
///
/// Returns the words of the command that it starts. An error is the reason why it cannot be read.
fn read(script: &Lined, positional: &[Word], server: &mut Server) -> Result<Vec<Word>, String> {
    let mut reader = ScriptReader::new(script, positional, &server.env);
    let mut commands = Vec::new();
    let mut chosen = None;
    while let Some(command) = reader.next_command()? {
        if commands.len() >= MAX_COMMANDS {
            return Err(format!("it has more than {MAX_COMMANDS} commands"));
        }
        if let Some(command) = run(command, &mut reader, server)? {
            let is_exec = command.first() == "exec";
            commands.push(command);
            if is_exec {
                chosen = Some(commands.len() - 1);
                break;
            }
        }
    }
    let chosen = chosen.or_else(|| only_server(&commands)).ok_or("it starts no single program")?;
    let rest = reader.rest();
    for (at, command) in commands.iter().enumerate().filter(|(at, _)| *at != chosen) {
        let why = if at < chosen {
            "the unit starts only the server"
        } else {
            "the unit starts only the server, without the rest of its script"
        };
        server.lose(command.written.trim(), command.at, why);
    }
    if !rest.text().trim().is_empty() {
        server.lose(rest.text().trim(), rest.start(), "nothing after `exec` runs");
    }
    let used = reader.used;
    let is_read = |name: &str| ENGINE_VARIABLES.iter().any(|start| name.starts_with(start));
    server.env.retain(|(name, _)| !used.contains(name) || is_read(name));
    Ok(commands.get(chosen).map_or_else(Vec::new, |command| program(command, server)))
}

/// Reads a command that changes the state of the script. Returns the others.
fn run(
    command: Command,
    reader: &mut ScriptReader<'_>,
    server: &mut Server,
) -> Result<Option<Command>, String> {
    if KEYWORDS.contains(&command.first()) {
        return Err(format!("it has `{}`", command.first()));
    }
    let words: Vec<Word> = command.words.iter().map(Lined::word).collect();
    let assignments: Vec<(String, Word)> = words.iter().map_while(assignment).collect();
    if assignments.len() == words.len() {
        for (name, value) in assignments {
            if server.env.iter().any(|(known, _)| *known == name) {
                server.set_variable(&name, value.clone());
            }
            reader.variables.insert(name, value);
        }
        lose_redirections(&command, server);
        return Ok(None);
    }
    let arguments = words.get(1..).unwrap_or_default();
    match command.first() {
        "export" => export(arguments, reader, server),
        "cd" => {
            let Some(folder) = arguments.last().cloned() else { return Ok(Some(command)) };
            let start = server.folder.take().map_or(String::new(), |folder| folder.text);
            server.folder = Some(Word { text: join(&start, &folder.text), ..folder });
        }
        "unset" => {
            for name in arguments {
                reader.variables.remove(&name.text);
                server.env.retain(|(known, _)| *known != name.text);
            }
        }
        "source" | "." => {
            reader.is_tainted = true;
            let why = "the variables that it sets are unknown; write them into `env` of the role";
            server.lose(command.written.trim(), command.at, why);
            return Ok(None);
        }
        first if SILENT.contains(&first) => {}
        _ => return Ok(Some(command)),
    }
    lose_redirections(&command, server);
    Ok(None)
}

fn export(arguments: &[Word], reader: &mut ScriptReader<'_>, server: &mut Server) {
    for argument in arguments.iter().filter(|argument| !argument.text.starts_with('-')) {
        if let Some((name, value)) = assignment(argument) {
            reader.variables.insert(name.clone(), value.clone());
            server.set_variable(name, value);
        } else if let Some(value) = reader.variables.get(&argument.text) {
            server.set_variable(&argument.text, value.clone());
        } else {
            server.lose(
                format!("export {}", argument.text),
                argument.at,
                "its value is known only when the script runs",
            );
        }
    }
}

/// The index of the only command with a server, or of the only command.
fn only_server(commands: &[Command]) -> Option<usize> {
    let has_server = |command: &Command| command.words.iter().any(|word| is_server(word.text()));
    let mut servers = (0..).zip(commands).filter(|(_, command)| has_server(command)).map(|(at, _)| at);
    match (servers.next(), servers.next(), commands.len()) {
        (Some(at), None, _) => Some(at),
        (None, _, 1) => Some(0),
        _ => None,
    }
}

/// The words of the program, without `exec`.
fn program(command: &Command, server: &mut Server) -> Vec<Word> {
    lose_redirections(command, server);
    let is_exec = command.first() == "exec";
    let mut words: Vec<Word> = command.words.iter().map(Lined::word).collect();
    if is_exec {
        words.remove(0);
        while let Some(option) = words.first().filter(|word| word.text.starts_with('-')).cloned() {
            words.remove(0);
            let has_value = option.text.ends_with('a') && !words.is_empty();
            let value = if has_value { format!(" {}", words.remove(0).text) } else { String::new() };
            server.lose(format!("exec {}{value}", option.text), option.at, "the unit has no such setting");
        }
    }
    if let Some(end) = &command.unsupported_end {
        server.lose(end.text().trim(), end.start(), "the unit starts only the server");
    }
    words
}

fn lose_redirections(command: &Command, server: &mut Server) {
    for redirection in &command.redirections {
        server.lose(redirection.text().trim(), redirection.start(), "the journal has the output");
    }
}
