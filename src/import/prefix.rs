//! The words in front of a program: variables, and programs that start another program (`env`, `numactl`, `nice`, `sudo` …).
//!
//! Their options are those of bash 5.2, GNU coreutils 9.7, util-linux 2.41, sudo 1.9.16, systemd 257 and numactl 2.0.16 (`numactl.c`).

mod options;
mod placement;
mod table;

use super::source::{Loss, Server, Word};
use options::{Given, joined, parse};
use std::collections::VecDeque;
use table::{Report, WRAPPERS, Wrapper};

/// The maximum number of variables and programs in front of a program.
const MAX_PREFIXES: usize = 4096;

/// The maximum number of words that the options of such a program have.
const MAX_OPTION_WORDS: usize = 1024;

/// Programs that run a string as a script.
const SHELLS: &[&str] = &["sh", "bash", "dash", "zsh", "ash", "ksh"];

/// Reads the words in front of a program, then sets the program and the arguments of the server.
///
/// The variables of the source must be set before: `env -u` removes them, and variables in front of the program replace them. The server gets
/// `unreadable` if there is no program, or if the program is in a string for a shell.
pub fn apply(words: Vec<Word>, server: &mut Server) {
    let first = words.first().cloned();
    let words = strip(words, server);
    if let Some(text) = shell_string(&words) {
        let what = format!("{} …", joined(words.iter().take(text)));
        let at = words.first().map_or(server.at, |word| word.at);
        let why = "the program is in a string for a shell; write its command into the source".to_owned();
        server.unreadable = Some(Loss { what, at, why });
    } else if words.is_empty() {
        let (what, at) = first.map_or((String::new(), server.at), |word| (word.text, word.at));
        let why = "no program follows".to_owned();
        server.unreadable = Some(Loss { what: format!("command {what}").trim_end().to_owned(), at, why });
    }
    server.set_command(words);
}

/// Reads the words in front of a program. Returns the program with its arguments.
pub fn strip(words: Vec<Word>, server: &mut Server) -> Vec<Word> {
    let mut words = VecDeque::from(words);
    let mut found = 0;
    while found < MAX_PREFIXES && strip_one(&mut words, server) {
        found += 1;
    }
    if let Some(word) = words.front().filter(|_| found == MAX_PREFIXES) {
        let why = format!("more than {MAX_PREFIXES} variables and programs are in front of it");
        server.unreadable = Some(Loss { what: word.text.clone(), at: word.at, why });
    }
    words.into()
}

/// True if a program is a server of llama.cpp or of a fork, by its base name: `llama-server` also with an ending such as `-vulkan`, and `llama`,
/// which is a server with its command `serve` (see [`is_server_command`]).
pub fn is_server(program: &str) -> bool {
    let name = base_name(program);
    let name = name.strip_suffix(".exe").unwrap_or(name);
    let is_named = name
        .split_once(['-', '_'])
        .and_then(|(first, rest)| Some(first == "llama" && is_end(rest.strip_prefix("server")?)));
    name == "llama" || is_named.unwrap_or(false)
}

/// True if a command starts a server of llama.cpp or of a fork: the program is first.
pub fn is_server_command(words: &[Word]) -> bool {
    let Some(program) = words.first().filter(|word| is_server(&word.text)) else { return false };
    base_name(&program.text).trim_end_matches(".exe") != "llama"
        || words.get(1).is_some_and(|word| word.text == "serve")
}

/// The last part of a path.
pub fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The index of the string that a shell runs: the word after `sh -c`, `bash -lc`, or `su USER -c`.
pub fn shell_string(words: &[Word]) -> Option<usize> {
    let program = base_name(&words.first()?.text);
    let is_account = ["su", "runuser"].contains(&program);
    if !SHELLS.contains(&program) && !is_account {
        return None;
    }
    let options = words.iter().skip(1).take_while(|word| is_account || word.text.starts_with(['-', '+']));
    let is_switch = |text: &str| {
        let is_short = text.starts_with('-') && !text.starts_with("--") && text.ends_with('c');
        is_short || (is_account && ["--command", "--session-command"].contains(&text))
    };
    let at = options.map(|word| is_switch(&word.text)).position(|is_switch| is_switch)?;
    Some(at + 2).filter(|at| *at < words.len())
}

/// The name and the value of a word such as `X=Y`.
pub fn assignment(word: &Word) -> Option<(String, Word)> {
    let (name, value) = word.text.split_once('=')?;
    is_name(name).then(|| (name.to_owned(), Word { text: value.to_owned(), ..*word }))
}

/// True if a text is the name of a variable.
pub fn is_name(text: &str) -> bool {
    let is_start = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    is_start && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn is_end(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(['-', '_', '.'])
}

/// Reads one variable, or one program with its options. False if the next word is another program.
fn strip_one(words: &mut VecDeque<Word>, server: &mut Server) -> bool {
    let Some(first) = words.front() else { return false };
    if let Some((name, value)) = assignment(first) {
        server.set_variable(name, value);
        words.pop_front();
        return true;
    }
    match base_name(&first.text) {
        "numactl" => placement::numactl(words, server),
        "taskset" => placement::taskset(words, server),
        "env" => env(words, server),
        name => match WRAPPERS.iter().find(|wrapper| wrapper.names.contains(&name)) {
            Some(wrapper) => return strip_wrapper(wrapper, words, server),
            None => return false,
        },
    }
    true
}

/// `env`: `-i` empties the environment, `-u` removes a variable; the variables themselves are read later.
fn env(words: &mut VecDeque<Word>, server: &mut Server) {
    let valued = &["--unset", "--chdir", "--split-string", "--argv0"];
    let head = words.pop_front().unwrap_or_default();
    let mut removed = Vec::new();
    // `env X=Y -u Z` is written, although GNU env accepts options only in front of variables.
    for _ in 0..MAX_PREFIXES {
        for given in parse(words, "uCSa", valued) {
            let name = given.name.clone();
            match (name.as_str(), given.value.clone()) {
                ("-i" | "--ignore-environment" | "-", _) => server.env.clear(),
                ("-u" | "--unset", Some(value)) => removed.push(value.text),
                ("-C" | "--chdir", Some(value)) => server.folder = Some(value),
                ("-S" | "--split-string", Some(value)) => split(&head, &value, words, server),
                ("-v" | "--debug" | "--", _) => {}
                _ => lose(&head, &given, server, "the unit has no such setting"),
            }
        }
        server.env.retain(|(name, _)| !removed.contains(name));
        let is_variable = |word: &Word| word.text.contains('=') && !word.text.starts_with(['=', '-']);
        let Some(word) = words.front().filter(|word| is_variable(word)) else { break };
        let (name, text) = word.text.split_once('=').unwrap_or_default();
        server.set_variable(name, Word { text: text.to_owned(), ..*word });
        words.pop_front();
        let is_option = |word: &Word| word.text.starts_with('-') && word.text.len() > 1;
        removed.clear();
        if !words.front().is_some_and(|word| is_option(word) || is_variable(word)) {
            break;
        }
    }
}

/// The string of `env -S`: blanks separate words. Quotes, escapes and variables in it are not read.
fn split(head: &Word, value: &Word, words: &mut VecDeque<Word>, server: &mut Server) {
    if value.text.contains(['\'', '"', '\\', '$', '#']) {
        let what = format!("{} -S {}", head.text, value.text);
        let why = "the program is in a string with quotes or variables".to_owned();
        server.unreadable = Some(Loss { what, at: value.at, why });
    }
    for part in value.text.split_ascii_whitespace().rev() {
        words.push_front(Word { text: part.to_owned(), ..*value });
    }
}

fn lose(head: &Word, given: &Given, server: &mut Server, why: &str) {
    server.lose(format!("{} {}", base_name(&head.text), given.written), given.at, why);
}

/// A program of the table. False if its options show that it starts no program.
fn strip_wrapper(wrapper: &Wrapper, words: &mut VecDeque<Word>, server: &mut Server) -> bool {
    let mut rest: VecDeque<Word> = words.iter().take(MAX_OPTION_WORDS).cloned().collect();
    let before = rest.len();
    let Some(head) = rest.pop_front() else { return false };
    let mut given = parse(&mut rest, wrapper.valued, wrapper.long);
    if given.iter().any(|given| wrapper.ends.contains(&given.name.as_str())) {
        return false;
    }
    for _ in 0..wrapper.positional {
        let next = rest.front().filter(|word| wrapper.is_positional(word)).cloned();
        given.extend(next.map(Given::positional));
        if given.last().is_some_and(|given| given.name.is_empty()) {
            rest.pop_front();
        }
    }
    words.drain(..before - rest.len());
    read_given(wrapper, &head, &given, server);
    true
}

/// The options of a program of the table that have a field, and the report of the others.
fn read_given(wrapper: &Wrapper, head: &Word, given: &[Given], server: &mut Server) {
    let mut written = vec![base_name(&head.text).to_owned()];
    let mut user = None;
    for given in given.iter().filter(|given| given.name != "--") {
        let value = given.value.clone();
        match (wrapper.meaning(&given.name), value) {
            ("user", Some(value)) => {
                user = Some(value.text);
                written.push(given.written.clone());
            }
            ("folder", Some(value)) => server.folder = Some(value),
            ("variable", Some(value)) => match assignment(&value) {
                Some((name, value)) => server.set_variable(name, value),
                None => lose(head, given, server, "its value is known only when it runs"),
            },
            ("manager", _) => server.is_user = true,
            ("clear", _) => server.env.clear(),
            ("silent", _) => {}
            _ => written.push(given.written.clone()),
        }
    }
    let what = written.join(" ");
    match (wrapper.report, user) {
        (Report::Account, Some(user)) => {
            server.lose(what, head.at, format!("set `user` of the host to `{user}`"));
        }
        (Report::Account, None) => {
            server.lose(what, head.at, "systemd selects the user; set `user` of the host");
        }
        (Report::Unit, user) => {
            let why = match user {
                Some(user) => format!("orchgen writes the unit; set `user` of the host to `{user}`"),
                None => "orchgen writes the unit".to_owned(),
            };
            server.lose(what, head.at, why);
        }
        (Report::Always(why), _) => server.lose(what, head.at, why),
        (Report::Options(why), _) if written.len() > 1 => server.lose(what, head.at, why),
        (Report::Options(_), _) => {}
    }
}
