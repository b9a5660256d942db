//! `orchgen engine probe`.

use super::args::Probe;
use super::program;
use crate::cli::args::Output;
use crate::cli::{End, session};
use crate::diag::words;
use crate::emit;
use crate::engine::help::{Help, help};
use crate::engine::version::{Version, version};
use crate::engine::{Profile, probed};
use crate::source::programs;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How many programs run at once.
const AT_ONCE: usize = 8;

/// How many lines that could not be read are said; all of them stand in the profile.
const SAID: usize = 10;

/// A program to ask.
struct Asked {
    path: PathBuf,
    /// Its name, which is that of its file.
    name: String,
    /// Whether it was named, rather than found in a folder.
    is_named: bool,
}

/// What it answered.
struct Answer {
    version: Version,
    help: Help,
}

pub(super) fn run(command: &Probe, output: Output) -> End {
    match probe(command, output) {
        Ok(end) => end,
        Err(why) => {
            session::report(&format!("error: {why}\n"));
            End::CannotRun
        }
    }
}

fn probe(command: &Probe, output: Output) -> Result<End, String> {
    let asked = gather(&command.paths)?;
    let mut answers: BTreeMap<&str, Answer> = BTreeMap::new();
    let mut failed = Vec::new();
    let mut left_out = Vec::new();
    for (program, answer) in asked.iter().zip(ask_all(&asked)) {
        match answer {
            Ok(answer) => {
                answers.insert(&program.name, answer);
            }
            Err(why) if program.is_named => failed.push(why),
            Err(why) => left_out.push(why),
        }
    }
    if !failed.is_empty() {
        return Err(failed.join("\nerror: "));
    }
    for why in left_out.iter().filter(|_| !output.quiet) {
        session::report(&format!("left out: {why}\n"));
    }
    let version = one_build(&answers)?;
    let helps: BTreeMap<String, Help> =
        answers.into_iter().map(|(name, answer)| (name.to_owned(), answer.help)).collect();
    let file = probed(&version, &helps);
    let text = file.text();
    // What is written has to be read again.
    Profile::parse("probed", &text, Profile::built_in)
        .map_err(|error| words::printable(&error.to_string()))?;
    say_not_understood(&file.not_understood);
    let end = match &command.out {
        None => session::print(&text),
        Some(out) => {
            emit::put(out, text.as_bytes()).map_err(|error| error.to_string())?;
            End::Clean
        }
    };
    if end == End::Clean && !output.quiet {
        if !helps.contains_key("llama-server") {
            session::report(
                "note: there is no `llama-server` among them, and no role can be served without\n",
            );
        }
        let place = command.out.as_ref().map(|out| format!("{}: ", out.display())).unwrap_or_default();
        let (programs, options) =
            (words::count(helps.len(), "program"), words::count(file.options.len(), "option"));
        session::report(&format!("{place}build {}, {programs}, {options}\n", words::printable(&file.build)));
    }
    Ok(end)
}

/// The programs that are meant, each name once.
fn gather(paths: &[PathBuf]) -> Result<Vec<Asked>, String> {
    let mut asked: Vec<Asked> = Vec::new();
    for path in paths {
        let (found, is_named) = if path.is_dir() {
            (programs(path).map_err(|error| error.to_string())?, false)
        } else {
            (vec![path.clone()], true)
        };
        if found.is_empty() {
            return Err(format!("{} has no program `llama-*`", shown(path)));
        }
        for path in found {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            if name.is_empty() {
                return Err(format!("the name of {} is not UTF-8", shown(&path)));
            }
            match asked.iter().find(|other| other.name == name) {
                Some(other) if other.path == path => {}
                Some(other) => {
                    return Err(format!(
                        "two programs are called {}: {} and {}",
                        words::quoted(&name),
                        shown(&other.path),
                        shown(&path)
                    ));
                }
                None => asked.push(Asked { path, name, is_named }),
            }
        }
    }
    Ok(asked)
}

fn ask_all(asked: &[Asked]) -> Vec<Result<Answer, String>> {
    let mut answers = Vec::with_capacity(asked.len());
    for some in asked.chunks(AT_ONCE) {
        std::thread::scope(|scope| {
            let running: Vec<_> = some.iter().map(|one| scope.spawn(|| ask(&one.path))).collect();
            let lost = |path: &Path| Err(format!("{} could not be asked", shown(path)));
            answers.extend(
                running
                    .into_iter()
                    .zip(some)
                    .map(|(one, program)| one.join().unwrap_or_else(|_| lost(&program.path))),
            );
        });
    }
    answers
}

fn ask(path: &Path) -> Result<Answer, String> {
    let deadline = program::deadline();
    let said = |argument: &str| {
        program::run(path, argument, deadline).map_err(|failure| {
            let with = if failure.is_early() { String::new() } else { format!(" with `{argument}`") };
            format!("{}{with} {failure}", shown(path))
        })
    };
    let about = said("--version")?;
    let version = version(&format!("{}\n{}", about.err, about.out)).ok_or_else(|| {
        format!("{} with `--version` does not say `version: …` as the programs of llama.cpp do", shown(path))
    })?;
    let told = said("--help")?;
    let read = [told.out, told.err].map(|text| help(&text));
    let knows_help =
        |help: &Help| help.options.iter().any(|option| option.names.iter().any(|name| name == "--help"));
    let help = read.into_iter().find(knows_help).ok_or_else(|| {
        format!("{} with `--help` does not list its options as llama-server does", shown(path))
    })?;
    Ok(Answer { version, help })
}

/// The build that all programs are of.
fn one_build(answers: &BTreeMap<&str, Answer>) -> Result<Version, String> {
    let mut all = answers.iter();
    let Some((first, answer)) = all.next() else {
        return Err("no program of llama.cpp answered".to_owned());
    };
    match all.find(|(_, other)| other.version != answer.version) {
        None => Ok(answer.version.clone()),
        Some((name, other)) => Err(format!(
            "the programs are of different builds: {} says {}, and {} says {}\nprobe the programs of one build at a time",
            words::quoted(first),
            words::quoted(&answer.version.said),
            words::quoted(name),
            words::quoted(&other.version.said)
        )),
    }
}

fn say_not_understood(lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let mut text = format!(
        "{} could not be understood; the profile lists what is not known because of it:\n",
        words::count(lines.len(), "line")
    );
    for line in lines.iter().take(SAID) {
        text.extend(["  ", &*words::printable(line), "\n"]);
    }
    if lines.len() > SAID {
        text.extend(["  and ", &(lines.len() - SAID).to_string(), " more\n"]);
    }
    session::report(&text);
}

fn shown(path: &Path) -> String {
    words::quoted(&path.to_string_lossy())
}
