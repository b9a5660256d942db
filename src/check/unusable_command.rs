//! A command of a role that cannot serve it.

use crate::derive::{Derived, ServedProgram};
use crate::diag::{Change, Diagnostic, Diagnostics, Line, Literal, words};
use crate::engine::command::{CommandFault, HOST, PORT};
use crate::hir::{Role, Text};

declare_code! {
    /// ## What it finds
    /// A role whose `command` cannot serve it:
    ///
    /// - the first word is not the full path of a program;
    /// - no word and no variable is `{port}`, so the program does not know its port;
    /// - a word is `{host}`, which is one address, but the role listens on several;
    /// - `health` is not the path of a URL.
    ///
    /// ## Why
    /// systemd starts a program by its full path, and passes each word as it is. orchgen replaces a word only if the whole
    /// word is `{port}` or `{host}`. The port differs between the processes of a role. Behind a socket it is not the port
    /// of the role, but a hidden one.
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" port=9000 {
    ///     command "/usr/bin/whisper-server" "--port" "9000"
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" port=9000 {
    ///     command "/usr/bin/whisper-server" "--port" "{port}"
    /// }
    /// ```
    pub(super) static UNUSABLE_COMMAND = 386, "unusable-command", Error;
}

/// Words that mean the port in files of other programs.
const OTHER_PORTS: &[&str] = &["${PORT}", "$PORT", "{PORT}", "{{port}}", "%PORT%", "<port>"];

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for served in &derived.programs {
        let role = derived.registry.roles.get(served.id);
        let words = &served.program.words;
        if let [line] = words.as_slice()
            && let several = line.split_whitespace().collect::<Vec<_>>()
            && several.len() > 1
        {
            findings.report(one_word((role, served), line, &several));
            continue;
        }
        for fault in &served.faults {
            findings.extend(finding(role, served, *fault));
        }
        if served.names_host()
            && let [_, second, ..] = served.program.listen.as_slice()
            && served.endpoint.hidden.is_none()
        {
            findings.report(several_addresses(role, second));
        }
    }
}

/// A whole command line as one word.
fn one_word((role, served): (&Role, &ServedProgram), line: &Text, several: &[&str]) -> Diagnostic {
    let message = format!("`command` of {role} is one word, and systemd would start a program of this name");
    let finding = UNUSABLE_COMMAND.at(line.span, "one word", message).about(role);
    if line.contains(['"', '\'', '\\', '`', '$', '|', ';', '&']) {
        return finding.help("write each word of the command as a separate text");
    }
    let literal = |word: &&str| Literal::Text(if means_port(served, word) { PORT } else { *word }.to_owned());
    let command = several.iter().map(literal).fold(Line::new("command"), Line::value);
    let title = match several.first() {
        Some(program) if !program.starts_with('/') => {
            let program = words::printable(program);
            format!("write `{{}}`, with the full path of the program, which `command -v {program}` prints")
        }
        _ => "write `{}`".to_owned(),
    };
    finding.remedy(title, Change::set(role.head.span, command))
}

fn finding(role: &Role, served: &ServedProgram, fault: CommandFault) -> Option<Diagnostic> {
    let program = served.program.words.first()?;
    Some(match fault {
        CommandFault::Program => {
            let name = words::quoted(program);
            let message =
                format!("{role} runs {name}, which is not the full path of a program that a unit can name");
            let help = match program.rsplit('/').next() {
                Some(name) if !name.is_empty() => {
                    format!("write its full path; `command -v {}` prints it", words::printable(name))
                }
                _ => "write the full path of the program, without quotes or backslashes".to_owned(),
            };
            UNUSABLE_COMMAND.at(program.span, "not a full path", message).about(role).help(help)
        }
        CommandFault::HealthPath => health_path(role, served.program.health.as_ref()?),
        CommandFault::NoPort => no_port(role, served, program),
    })
}

/// Words for no path.
const ABSENT: [&str; 4] = ["none", "no", "off", "false"];

fn health_path(role: &Role, path: &Text) -> Diagnostic {
    let message =
        format!("{role} has the `health` path {}, which is not the path of a URL", words::quoted(path));
    let finding = UNUSABLE_COMMAND.at(path.span, "not a path", message).about(role);
    let url = path.strip_prefix("http://").map(|rest| rest.split_once('/').map_or("", |(_, path)| path));
    let rest = url.unwrap_or(path);
    if ABSENT.contains(&&***path) {
        // llama-swap has a word for no check.
        finding.help("write the path that answers 200 as soon as the program is ready, such as `/health`")
    } else if rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte)) {
        let line = Line::of("health", format!("/{}", rest.trim_start_matches('/')));
        finding.remedy("write `{}`", Change::rewrite(path.span, line))
    } else {
        finding.help(
            "write a path that begins with `/`, without blanks, quotes and backslashes, such as `/health`",
        )
    }
}

fn no_port(role: &Role, served: &ServedProgram, program: &Text) -> Diagnostic {
    let literal = served.program.words.iter().skip(1).find(|word| means_port(served, word));
    let message =
        format!("no word of the `command` of {role} is `{PORT}`, so the program does not know its port");
    let place = literal.unwrap_or(program).span;
    let finding = UNUSABLE_COMMAND.at(place, format!("no word is `{PORT}`"), message).about(role);
    if let Some(word) = literal {
        let to = Literal::Text(PORT.to_owned());
        return finding.remedy("write `{}`", Change::Value { span: word.span, to });
    }
    let part = served.program.words.iter().find(|word| word.contains(PORT));
    match part {
        Some(word) => {
            let (before, _) = word.split_once(PORT).unwrap_or_default();
            let before = words::printable(before.trim_end_matches(['=', ':']));
            finding.help(format!("only a whole word is replaced: write `{before}` and `{PORT}` as two words, if the program accepts that"))
        }
        None => {
            finding.help(format!("add the option of the program that sets its port, then `{PORT}` as a word"))
        }
    }
}

/// True if a word is the port of the role, or means it in files of other programs.
fn means_port(served: &ServedProgram, word: &str) -> bool {
    word == served.program.ports.first.to_string() || OTHER_PORTS.contains(&word)
}

fn several_addresses(role: &Role, second: &Text) -> Diagnostic {
    let message = format!("{role} listens on several addresses, but `{HOST}` is only one");
    UNUSABLE_COMMAND
        .at(second.span, "the program does not learn this address", message)
        .about(role)
        .remedy("remove `{}`", Change::remove(second.span))
}
