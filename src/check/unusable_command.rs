//! A command of a role that cannot serve it.

use crate::derive::{Derived, ServedProgram};
use crate::diag::{Change, Diagnostic, Diagnostics, Line, Literal, words};
use crate::engine::PortPart;
use crate::engine::command::{CommandFault, HOST, PORT, SOCKET_ADDRESS, around_port};
use crate::hir::{Role, Text};

declare_code! {
    /// ## What it finds
    /// A role whose `command` cannot serve it:
    ///
    /// - the first word is not the full path of a program;
    /// - no word and no variable gets the port, so the program does not know it;
    /// - a word is `{host}`, which is one address, but the role listens on several;
    /// - a word has a second `{port}`, or `{host}` next to `{port}`, which is not replaced;
    /// - `health` is not the path of a URL.
    ///
    /// ## Why
    /// systemd starts a program by its full path, and passes each word as it is. orchgen replaces `{port}` if it is the
    /// whole word, or a part of an address or a value: after the start of the word, `:`, `=` or `,`, and before its end,
    /// `:`, `/` or `,`. Examples are `127.0.0.1:{port}`, `--listen=:{port}`, `{port}:8080` and `http://127.0.0.1:{port}/v1`.
    /// It replaces one `{port}` of a word, and `{host}` in the words `{host}` and `{host}:{port}`. The values of `env`
    /// follow the same rules.
    ///
    /// The port differs between the processes of a role. Behind a socket it is not the port of the role, but a hidden one.
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

/// Texts that mean the port in files of other programs.
const OTHER_PORTS: &[&str] =
    &["${PORT}", "${port}", "$PORT", "$port", "{{PORT}}", "{{port}}", "{PORT}", "%PORT%", "<PORT>", "<port>"];

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
        let values = served.program.env.iter().map(|(_, value)| value);
        findings.extend(
            words.iter().skip(1).chain(values).filter_map(|word| partly_replaced(role, served, word)),
        );
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
    let ports = port_words(served, several);
    let words = several.iter().zip(ports).map(|(word, port)| port.unwrap_or_else(|| (*word).to_owned()));
    let words: Vec<String> = words.collect();
    if words.iter().any(|word| word.contains(['"', '\'', '\\', '`', '$', '|', ';', '&'])) {
        return finding.help("write each word of the command as a separate text");
    }
    let command = words.into_iter().map(Literal::Text).fold(Line::new("command"), Line::value);
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
    let arguments = served.program.words.get(1..).unwrap_or_default();
    let texts: Vec<&str> = arguments.iter().map(|word| &*word.value).collect();
    let ports = arguments.iter().zip(port_words(served, &texts));
    let ports: Vec<(&Text, String)> = ports.filter_map(|(word, port)| Some((word, port?))).collect();
    let means_port = |word: &&Text| std::iter::once(&PORT).chain(OTHER_PORTS).any(|port| word.contains(port));
    let unreplaced = arguments.iter().find(means_port);
    let place = ports.first().map(|(word, _)| *word).or(unreplaced).unwrap_or(program).span;
    let message =
        format!("no word of the `command` of {role} gets the port, so the program does not know it");
    let label =
        if unreplaced.is_some_and(|word| word.contains(PORT)) { "not replaced" } else { "no `{port}`" };
    let finding = UNUSABLE_COMMAND.at(place, label, message).about(role);
    if !ports.is_empty() {
        let change = |(word, to): (&Text, String)| Change::Value { span: word.span, to: Literal::Text(to) };
        return finding.remedy("write `{}`", Change::All(ports.into_iter().map(change).collect()));
    }
    match unreplaced {
        Some(word) => {
            let finding = finding.help(format!(
                "`{PORT}` is replaced once in a word: after its start, `:`, `=` or `,`, and before its end, `:`, `/` or `,`"
            ));
            let variable = format!("or set the variable in `env` to `{PORT}`, if the program is a shell");
            if word.contains('$') { finding.help(variable) } else { finding }
        }
        None => {
            finding.help(format!("add the option of the program that sets its port, then `{PORT}` as a word"))
        }
    }
}

/// The words to write instead of those that mean the port: with a text of another program, or else the first one that is the
/// port of the role, or has it as a part.
fn port_words(served: &ServedProgram, words: &[&str]) -> Vec<Option<String>> {
    if words.iter().any(|word| around_port(word).is_some()) {
        return vec![None; words.len()];
    }
    let all: Vec<Option<String>> = words.iter().map(|word| of_other_program(word)).collect();
    if all.iter().any(Option::is_some) {
        return all;
    }
    let number = served.program.ports.first.to_string();
    let whole = words.iter().position(|word| *word == number).map(|at| (at, PORT.to_owned()));
    // Behind a gateway the number is the port of the gateway, which a program can have in a URL.
    let numbered = if served.program.gateway.is_some() { &[] } else { words };
    let part = || (0..).zip(numbered).find_map(|(at, word)| Some((at, with_port_as_part(word, &number)?)));
    let found = whole.or_else(part);
    (0..words.len()).map(|n| found.clone().filter(|(at, _)| *at == n).map(|(_, word)| word)).collect()
}

/// The word with `{port}` instead of the text of another program. `None` if orchgen would not replace it.
fn of_other_program(word: &str) -> Option<String> {
    let other = OTHER_PORTS.iter().find(|other| word.contains(**other))?;
    let word = word.replace(other, PORT);
    is_replaced_completely(&word).then_some(word)
}

/// The word with `{port}` instead of a number that is a part of an address or a value.
fn with_port_as_part(word: &str, number: &str) -> Option<String> {
    let ends = word.match_indices(number).map(|(at, _)| (at, at + number.len()));
    let parts =
        ends.filter_map(|(start, end)| Some(format!("{}{PORT}{}", word.get(..start)?, word.get(end..)?)));
    parts.into_iter().find(|word| is_replaced_completely(word))
}

/// True if a word has a `{port}` that is replaced, and no other one.
fn is_replaced_completely(word: &str) -> bool {
    around_port(word).is_some_and(|(before, after)| !before.contains(PORT) && !after.contains(PORT))
}

/// Reports a word in which `{port}` is replaced, and a second `{port}` or `{host}` is not.
fn partly_replaced(role: &Role, served: &ServedProgram, word: &Text) -> Option<Diagnostic> {
    let (before, after) = around_port(word)?;
    let rest = [HOST, PORT].into_iter().find(|rest| before.contains(rest) || after.contains(rest))?;
    if &*word.value == SOCKET_ADDRESS {
        return None;
    }
    let message =
        format!("in {} of {role}, only the first `{PORT}` is replaced, not `{rest}`", words::quoted(word));
    let finding = UNUSABLE_COMMAND.at(word.span, format!("`{rest}` is not replaced"), message).about(role);
    if rest == PORT {
        return Some(
            finding.help(format!("write `{PORT}` once; the port inside of a container can be any number")),
        );
    }
    let host = served.endpoint.server_addresses().first().copied().unwrap_or_default();
    let text = word.replace(HOST, &PortPart::bracketed(host));
    Some(finding.remedy("write `{}`", Change::Value { span: word.span, to: Literal::Text(text) }))
}

fn several_addresses(role: &Role, second: &Text) -> Diagnostic {
    let message = format!("{role} listens on several addresses, but `{HOST}` is only one");
    UNUSABLE_COMMAND
        .at(second.span, "the program does not learn this address", message)
        .about(role)
        .remedy("remove `{}`", Change::remove(second.span))
}
