//! `orchgen completions`, and the candidates that its scripts ask for.
//!
//! The scripts of bash, zsh and fish run `orchgen __complete SHELL WORD...`, and print its answer. An installed script
//! therefore needs no change if orchgen has new commands. The candidates include the names in the registry, and clap
//! knows which of them an argument takes.

mod shell;
mod values;

use super::RunStatus;
use super::args::Args;
use super::session;
use clap::builder::StyledStr;
use clap::{Arg, Args as Arguments, Command, CommandFactory, ValueHint};
use clap_complete::Shell;
use clap_complete::engine::{
    ArgValueCandidates, ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter, complete,
};
use shell::{Candidate, Script, Typed};
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::Arc;
use values::Values;

/// The first argument of a request for candidates. It is no command, because it is only for the scripts.
const REQUEST: &str = "__complete";

#[derive(Arguments, Debug)]
pub(in crate::cli) struct CompletionsArgs {
    /// Shell that loads the script. For bash, zsh and fish, candidates include the names in the registry
    shell: Shell,
}

pub(super) fn run(command: &CompletionsArgs) -> RunStatus {
    if let Some(script) = Script::of(&command.shell.to_string()) {
        return session::print_stdout(script.text());
    }
    let mut script = Vec::new();
    clap_complete::generate(command.shell, &mut Args::command(), "orchgen", &mut script);
    session::print_stdout(&String::from_utf8_lossy(&script))
}

/// Prints the candidates if the arguments of the process are a request for them. A request of an unknown shell has no
/// candidates.
pub(super) fn answer(mut args: impl Iterator<Item = OsString>) -> Option<RunStatus> {
    args.by_ref().nth(1).filter(|first| first == REQUEST)?;
    let script = args.next().and_then(|name| Script::of(name.to_str()?));
    let text = script.map(|script| {
        let typed = Typed::new(script, args.collect());
        typed.lines(candidates(&typed))
    });
    Some(session::print_stdout(&text.unwrap_or_default()))
}

/// The candidates for the last word.
fn candidates(typed: &Typed) -> Vec<Candidate> {
    let values = Arc::new(Values::new(typed.words()));
    let mut command = with_values(Args::command(), &values);
    let last = typed.words().len().saturating_sub(1);
    let found = complete(&mut command, typed.words().to_vec(), last, Some(Path::new(".")));
    let candidate = |one: CompletionCandidate| {
        let help = one.get_help().map(ToString::to_string).unwrap_or_default();
        // For an empty word, the engine lists the current folder as `.`.
        let value = one.get_value().to_str().filter(|value| *value != ".")?;
        Some(Candidate { value: value.to_owned(), help })
    };
    found.unwrap_or_default().into_iter().filter_map(candidate).collect()
}

/// Adds the values to the arguments of a command and of all commands below it. This is done for requests only: other runs
/// do not need them.
fn with_values(command: Command, values: &Arc<Values>) -> Command {
    let command = command.mut_args(|arg| with_value(arg, values));
    command.mut_subcommands(|below| with_values(below, values))
}

fn with_value(arg: Arg, values: &Arc<Values>) -> Arg {
    let name = arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    let name = name.unwrap_or_default();
    if ["FOLDER", "REGISTRY"].contains(&&*name) {
        return arg.value_hint(ValueHint::DirPath);
    }
    if name == "FORMAT[=FILE]" {
        let formats: Vec<String> = super::reports::formats().collect();
        return arg.add(ArgValueCompleter::new(move |word: &OsStr| report_values(&formats, word)));
    }
    let Some(list) = Values::of(arg.get_id().as_str(), &name) else { return arg };
    let values = Arc::clone(values);
    if let Some(is_file) = list.file_filter() {
        return arg.add(ArgValueCompleter::new(move |word: &OsStr| {
            let typed = word.as_encoded_bytes();
            let is_start = |one: &CompletionCandidate| one.get_value().as_encoded_bytes().starts_with(typed);
            let found = listed(values.list(list)).filter(is_start);
            let files = PathCompleter::any().filter(is_file).complete(word).into_iter();
            found.chain(files.map(|file| file.display_order(Some(usize::MAX)))).collect()
        }));
    }
    arg.add(ArgValueCandidates::new(move || listed(values.list(list)).collect()))
}

/// The candidates of a list, in its order.
fn listed(list: Vec<Candidate>) -> impl Iterator<Item = CompletionCandidate> {
    list.into_iter().enumerate().map(|(at, one)| {
        let help = Some(StyledStr::from(one.help)).filter(|help| !help.to_string().is_empty());
        CompletionCandidate::new(one.value).help(help).display_order(Some(at))
    })
}

/// The values of `--report`: a format, or a format with a file.
fn report_values(formats: &[String], word: &OsStr) -> Vec<CompletionCandidate> {
    let text = word.to_str().unwrap_or_default();
    match text.split_once('=') {
        Some((format, file)) => {
            let files = PathCompleter::any().complete(OsStr::new(file)).into_iter();
            files
                .filter(|one| one.get_value() != ".")
                .map(|one| one.add_prefix(format!("{format}=")))
                .collect()
        }
        None => {
            let found = formats.iter().filter(|format| format.starts_with(text));
            found.map(CompletionCandidate::new).collect()
        }
    }
}
