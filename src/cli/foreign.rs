//! Commands and options that other tools have, and users therefore try: what to write instead.
//!
//! The answer replaces the error of clap, which only knows words with similar letters. The corrected command line is printed
//! only if it is valid.

use super::args::Args;
use crate::diag::words::{any_of, is_control_like, quoted};
use crate::render::quote::shell;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory};
use std::path::Path;

/// A command of other tools.
#[derive(Debug)]
pub struct ForeignCommand {
    /// Its names, separated by blanks.
    pub names: &'static str,
    /// The words of orchgen instead.
    pub write: &'static str,
    /// Arguments that these words need. They are an example, because only the user knows them.
    pub arguments: &'static str,
    /// The help, if another program does it. The words above are then related commands.
    pub help: &'static str,
}

/// An option of other tools.
#[derive(Debug)]
pub struct ForeignOption {
    /// The commands that lack it, separated by blanks. Empty for all.
    pub commands: &'static str,
    /// Its spellings, separated by `|`. `{}` is any value.
    pub names: &'static str,
    /// The words of orchgen instead. If they begin with `orchgen`, they replace the whole command line.
    pub write: &'static str,
}

const fn command(names: &'static str, write: &'static str) -> ForeignCommand {
    ForeignCommand { names, write, arguments: "", help: "" }
}

const fn with_arguments(names: &'static str, write: &'static str, arguments: &'static str) -> ForeignCommand {
    ForeignCommand { names, write, arguments, help: "" }
}

const fn explained(names: &'static str, write: &'static str, help: &'static str) -> ForeignCommand {
    ForeignCommand { names, write, arguments: "", help }
}

const fn option(commands: &'static str, names: &'static str, write: &'static str) -> ForeignOption {
    ForeignOption { commands, names, write }
}

/// The commands of other tools.
pub const COMMANDS: &[ForeignCommand] = &[
    command("validate verify test vet", "check"),
    command("fix autofix", "check --fix"),
    command("watch", "check --watch"),
    command("generate gen compile render make export emit", "build"),
    command("docs doc", "build --only docs"),
    command("deploy install up sync switch activate", "apply"),
    command("show list ls ps state health doctor", "status"),
    command("history", "generations"),
    command("undo revert restore", "rollback"),
    command("preview dry-run", "plan"),
    command("compare changes", "diff"),
    with_arguments("convert migrate", "import", "FILE"),
    command("new create setup scaffold", "init"),
    command("detect discover scan", "init --from-host"),
    command("format reformat prettify", "fmt"),
    with_arguments("add-model", "add model", "FILE"),
    with_arguments("add-role", "add role", "NAME --model MODEL"),
    with_arguments("upgrade", "engine diff", "OLD NEW"),
    command("update refresh pin", "lock"),
    with_arguments("probe profile", "engine probe", "FOLDER"),
    command("profiles engines builds", "engine list"),
    with_arguments("completion complete autocomplete", "completions", "bash"),
    with_arguments("manual manpage manpages", "man", "--out FOLDER"),
    command("rules rule codes errors why", "explain"),
    command("tutorial book learn topics help-topic handbook", "guide"),
    with_arguments("info metadata gguf header", "inspect", "FILE"),
    command("mem ram vram budget", "memory"),
    command("dashboard visualize visualise graph topology html page", "report"),
    with_arguments("field fields", "schema --field", "role"),
    command("version", "--version"),
    explained(
        "run start serve",
        "apply",
        "`sudo orchgen apply` installs and starts all roles; for one installed role, run `systemctl start STACK-ROLE`; \
         `out/bin/ROLE` serves it in the foreground",
    ),
    explained(
        "clean",
        "build",
        "`orchgen build` removes stale files from out/; to remove all files, delete the folder",
    ),
    explained(
        "stop down restart reload disable kill",
        "status",
        "systemd controls the roles: run `systemctl stop STACK.target`, or `systemctl restart STACK-ROLE` for one role; `orchgen status` prints the names",
    ),
    explained(
        "logs log journal tail",
        "status",
        "the roles write to the journal of systemd: run `journalctl --unit STACK-ROLE` with the names of the stack and the role",
    ),
];

/// The commands that check a registry.
const CHECKING: &str = "check build lock";

/// The commands with the argument `REGISTRY`.
const READING: &str = "check build lock diff plan memory report";

/// The options of other tools.
pub const OPTIONS: &[ForeignOption] = &[
    option(
        CHECKING,
        "--strict|--error-on-warning|--fail-on-warning|--fail-on-warnings|--warnings-as-errors|--deny-warnings|-Werror|-D warnings",
        "--deny warnings",
    ),
    option(CHECKING, "--allow {}|--disable {}|-A {}", "--ignore {}"),
    option(CHECKING, "--forbid {}|-D {}", "--error {}"),
    option("build lock fmt", "--dry-run|--dryrun|-n", "--check"),
    option("check diff plan status memory", "--dry-run|--dryrun|-n", ""),
    option("fmt", "--write|-w|-i|--in-place|--inplace|--fix|-r|--recursive", ""),
    option("build", "--diff", "orchgen diff"),
    option("build", "--watch|-w", "orchgen check --watch"),
    option("build", "--target {}|--targets {}|-t {}", "--only {}"),
    option("check", "-w", "--watch"),
    option("apply rollback", "--auto-approve|--assume-yes|--no-confirm", "--yes"),
    option("apply rollback", "--check|--dryrun|--noop|-n", "--dry-run"),
    option("plan", "--exit-code|--exitcode", "--detailed-exitcode"),
    option(
        "apply plan status",
        "--remote {}|--target-host {}|--target {}|--on {}|--node {}|--limit {}|--hosts {}",
        "--host {}",
    ),
    option("apply plan status", "--all|-a|--hosts", "--all-hosts"),
    option("import", "-o json|--output json|-o=json|--output=json", "--report json"),
    option("", "-o json|--output json|-o=json|--output=json", "--output-format json"),
    option(
        "build diff plan apply status import man",
        "--output {}|--output-dir {}|--out-dir {}|-o {}",
        "--out {}",
    ),
    option("report", "--output {}|--output-dir {}|--out-dir {}", "--out {}"),
    option("report", "--stdout", "--out -"),
    option("report", "--open|--browser|--html", ""),
    option("report", "--json|--output-format json|--format json", "orchgen memory --output-format json"),
    option("guide", "--topic {}|--page {}|-t {}", "{}"),
    option("guide", "--html|--site", "--out guide"),
    option("guide", "--list|-l|--all", ""),
    option("explain", "--out {}|-o {}", "orchgen guide --out {}"),
    option("init import", "--language {}|--lang {}", "--format {}"),
    option("init import", "--yaml", "--format yaml"),
    option("init import", "--kdl", "--format kdl"),
    option(
        READING,
        "--config {}|--file {}|--registry {}|--dir {}|--path {}|--folder {}|-f {}|-c {}|-C {}",
        "{}",
    ),
    option("explain", "--list|-l", ""),
    option("import", "--json", "--report json"),
    option("", "--json", "--output-format json"),
    option("", "--sarif", "--output-format sarif"),
    option("", "--format {}|--output {}|-o {}", "--output-format {}"),
    option("", "--no-color|--no-colour|--nocolor", "--color never"),
    option("", "--colour {}", "--color {}"),
    option("", "--debug", "--verbose"),
    option("", "--silent|-s", "--quiet"),
    option("", "--version|-V", "orchgen --version"),
];

/// The most mistakes of one command line that are corrected.
const MAX_MISTAKES: usize = 8;

/// A mistake with its correction.
struct Correction {
    /// The wrong word, and who does not have it.
    problem: String,
    /// The command line without this mistake.
    words: Vec<String>,
    /// The help if the words are still not valid. Empty for none.
    help: String,
    /// True if the help is better than a valid command line.
    is_final: bool,
}

/// The text of the error for a command line with a foreign word. `None` if clap explains the mistake better. The first word
/// is the name of the program.
pub fn explain(error: &clap::Error, words: &[String]) -> Option<String> {
    let name = || std::iter::once("orchgen".to_owned());
    let words: Vec<String> = name().chain(words.iter().skip(1).cloned()).collect();
    let first = correct(error, &words)?;
    let mut words = first.words;
    let mut help = first.help;
    for _ in 0..MAX_MISTAKES {
        if first.is_final {
            break;
        }
        let Some(error) = error_of(&words) else {
            let line: Vec<_> = words.iter().map(|word| shell(word)).collect();
            let line = line.join(" ");
            if !line.chars().any(is_control_like) {
                help = format!("run `{line}`");
            }
            break;
        };
        let Some(next) = correct(&error, &words) else { break };
        words = next.words;
    }
    (!help.is_empty()).then(|| format!("error: {}\nhelp: {help}\n", first.problem))
}

/// The error of a command line. `None` if it is valid, or if it asks for the help or the version.
fn error_of(words: &[String]) -> Option<clap::Error> {
    Args::command().try_get_matches_from(words).err().filter(clap::Error::use_stderr)
}

fn correct(error: &clap::Error, words: &[String]) -> Option<Correction> {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        Some(_) | None => None,
    };
    let kind = error.kind();
    if kind == ErrorKind::InvalidSubcommand {
        correct_command(context(ContextKind::InvalidSubcommand)?, words)
    } else if kind == ErrorKind::UnknownArgument {
        correct_option(context(ContextKind::InvalidArg)?, words)
    } else if kind == ErrorKind::InvalidValue {
        let option = context(ContextKind::InvalidArg)?;
        let value = context(ContextKind::InvalidValue)?;
        if option.starts_with("--deny ") { correct_deny(value, words) } else { None }
    } else {
        None
    }
}

fn correct_command(name: &str, words: &[String]) -> Option<Correction> {
    let at = words.iter().position(|word| word == name)?;
    let (before, from) = words.split_at_checked(at)?;
    // In `orchgen engine NAME`, clap looks for a subcommand of `engine`.
    let root = Args::command();
    let is_first = before.iter().skip(1).all(|word| root.find_subcommand(word).is_none());
    let row = COMMANDS.iter().find(|row| is_first && row.names.split(' ').any(|known| known == name))?;
    let new = row.write.split(' ').map(str::to_owned);
    let words = before.iter().cloned().chain(new).chain(from.iter().skip(1).cloned()).collect();
    let example = format!("run `orchgen {}`", format!("{} {}", row.write, row.arguments).trim_end());
    let (help, is_final) = if row.help.is_empty() { (example, false) } else { (row.help.to_owned(), true) };
    Some(Correction { problem: format!("orchgen has no command {}", quoted(name)), words, help, is_final })
}

/// `name` is the option as clap reads it: of a word with one dash, only the first letter that is not an option.
fn correct_option(name: &str, words: &[String]) -> Option<Correction> {
    let mut root = Args::command();
    root.build();
    let (path, command) = command_of(&root, words);
    let (before, word, after) = split_at_option(name, words)?;
    let problem = format!("`{path}` has no option {}", quoted(word.split('=').next().unwrap_or(word)));
    let replaced = |new: &[String], after: &[String]| [before, new, after].concat();
    let is_known = |long: &str| command.get_arguments().any(|arg| arg.get_long() == Some(long));
    if let Some((write, value, rest)) = row_of(command.get_name(), word, after) {
        let new = filled(write, value);
        let option = new.first().and_then(|first| first.strip_prefix("--"));
        if option.is_none_or(is_known) {
            let is_line = write.starts_with("orchgen");
            let words = if is_line { new.clone() } else { replaced(&new, rest) };
            let help = match option {
                Some(option) if !value.is_empty() => {
                    format!("the option is `--{option}`: `{path} --help` describes its values")
                }
                Some(_) => format!("write `{}`", new.join(" ")),
                None => String::new(),
            };
            return Some(Correction { problem, words, help, is_final: false });
        }
    }
    // terraform and llama.cpp accept one dash before long names.
    let long = word.trim_start_matches('-').split('=').next()?;
    let doubled = format!("-{word}");
    let has_one_dash = !name.starts_with("--") && long.len() > 1;
    if has_one_dash && (is_known(long) || row_of(command.get_name(), &doubled, after).is_some()) {
        let help = format!("write `{doubled}`");
        return Some(Correction { problem, words: replaced(&[doubled], after), help, is_final: false });
    }
    if is_known(long) && name.starts_with("--") {
        // A command before its subcommand.
        let problem = format!("{} is before the command that has it, `{path}`", quoted(name));
        let help = format!("write {} after `{path}`", quoted(name));
        return Some(Correction { problem, words: words.to_vec(), help, is_final: true });
    }
    let owners = owners(&root, long);
    let help =
        format!("{} is an option of {}; `{path} --help` lists its options", quoted(name), any_of(&owners));
    let has_owner = name.starts_with("--") && !owners.is_empty();
    has_owner.then(|| Correction { problem, words: words.to_vec(), help, is_final: true })
}

/// The words before an option, its word, and the words after it. A word with one dash can have several letters.
fn split_at_option<'w>(name: &str, words: &'w [String]) -> Option<(&'w [String], &'w String, &'w [String])> {
    let letter = name.strip_prefix('-').filter(|letter| !letter.starts_with('-'));
    let is_wrong = |word: &String| {
        let letters = word.strip_prefix('-').filter(|letters| !letters.starts_with('-'));
        let has_letter = letter.zip(letters).is_some_and(|(letter, letters)| letters.contains(letter));
        let is_long = letter.is_none() && name.starts_with("--");
        has_letter
            || is_long && (word == name || word.strip_prefix(name).is_some_and(|rest| rest.starts_with('=')))
    };
    let at = words.iter().skip(1).position(is_wrong)?;
    let (before, from) = words.split_at_checked(at + 1)?;
    let (word, after) = from.split_first()?;
    Some((before, word, after))
}

/// The words to write, with the value of the option.
fn filled(write: &str, value: &str) -> Vec<String> {
    let value = if write == "{}" { registry_folder(value) } else { value.to_owned() };
    let words = write.split(' ').filter(|word| !word.is_empty());
    words.map(|word| if word == "{}" { value.clone() } else { word.to_owned() }).collect()
}

/// `--deny CODE` is usual in other tools. Here only all warnings are denied.
fn correct_deny(value: &str, words: &[String]) -> Option<Correction> {
    let code = crate::catalogue::find(value)?;
    let change = |(at, word): (usize, &String)| match word.as_str() {
        "--deny" if words.get(at + 1).is_some_and(|next| next == value) => "--error".to_owned(),
        word if word == format!("--deny={value}") => format!("--error={value}"),
        word => word.to_owned(),
    };
    let words = words.iter().enumerate().map(change).collect();
    let problem = format!("`--deny` has no value {}, only `warnings`", quoted(value));
    Some(Correction { problem, words, help: format!("write `--error {}`", code.name), is_final: false })
}

/// The command of a command line, with its words.
fn command_of<'c>(root: &'c Command, words: &[String]) -> (String, &'c Command) {
    let mut found = (root.get_name().to_owned(), root);
    for word in words.iter().skip(1) {
        if let Some(below) = found.1.find_subcommand(word) {
            found = (format!("{} {}", found.0, below.get_name()), below);
        }
    }
    found
}

/// The replacement of an option, its value, and the words after both.
fn row_of<'w>(
    command: &str,
    word: &'w str,
    after: &'w [String],
) -> Option<(&'static str, &'w str, &'w [String])> {
    let rows = OPTIONS
        .iter()
        .filter(|row| row.commands.is_empty() || row.commands.split(' ').any(|one| one == command));
    let mut spellings = rows.flat_map(|row| row.names.split('|').map(|name| (name, row.write)));
    spellings.find_map(|(name, write)| match name.split_once(' ') {
        None => (name == word).then_some((write, "", after)),
        Some((name, expected)) => {
            let attached = word.strip_prefix(name).and_then(|rest| rest.strip_prefix('='));
            let separate = || after.split_first().filter(|_| word == name);
            let (value, rest) = match attached {
                Some(value) => (value, after),
                None => separate().map(|(value, rest)| (value.as_str(), rest))?,
            };
            match expected {
                "{}" => Some((write, value, rest)),
                _ => (value == expected).then_some((write, "", rest)),
            }
        }
    })
}

/// The folder of a registry that the user names. For a file of the registry, it is the folder with the file.
fn registry_folder(value: &str) -> String {
    let path = Path::new(value);
    let is_file =
        path.extension().is_some_and(|ending| ["kdl", "yaml", "yml"].iter().any(|known| ending == *known));
    let folder = path.parent().filter(|_| is_file).map(|folder| folder.to_string_lossy().into_owned());
    folder.map_or_else(|| value.to_owned(), |folder| if folder.is_empty() { ".".to_owned() } else { folder })
}

/// The commands with an option, quoted.
fn owners(root: &Command, long: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut commands: Vec<(String, &Command)> = vec![("orchgen".to_owned(), root)];
    while let Some((path, command)) = commands.pop() {
        if command.get_arguments().any(|arg| arg.get_long() == Some(long)) {
            found.push(quoted(&path));
        }
        commands
            .extend(command.get_subcommands().map(|below| (format!("{path} {}", below.get_name()), below)));
    }
    found.sort();
    found
}
