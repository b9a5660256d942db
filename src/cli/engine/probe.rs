//! `orchgen engine probe`.

use super::args::ProbeArgs;
use super::program;
use crate::cli::args::OutputArgs;
use crate::cli::{RunStatus, session};
use crate::diag::words;
use crate::emit;
use crate::engine::help::{Help, parse_help};
use crate::engine::libraries::{LIBRARIES, read_lists};
use crate::engine::version::{Version, parse_version};
use crate::engine::{ClosedList, Profile, ProfileFile, profile_from_help};
use crate::source::{libraries, programs, text as read_text};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The number of programs that run in parallel.
const MAX_PARALLEL: usize = 8;

/// The maximum number of unparsed lines to print. The profile lists all of them.
const MAX_PRINTED_LINES: usize = 10;

/// A program to probe.
struct ProbeTarget {
    path: PathBuf,
    /// The file name.
    name: String,
    /// True if the user named the program. False if it was found in a folder.
    is_explicit: bool,
}

/// The parsed output of a program.
struct ProbeResult {
    version: Version,
    help: Help,
}

pub(super) fn run(command: &ProbeArgs, output: OutputArgs) -> RunStatus {
    probe(command, output).unwrap_or_else(session::fail)
}

/// The result of probing programs.
pub(in crate::cli) struct ProbedBuild {
    /// The profile of the build.
    pub(in crate::cli) file: ProfileFile,
    /// Its text, which can be parsed.
    pub(in crate::cli) text: String,
    /// The programs that the profile has.
    programs: Vec<String>,
}

/// Runs all programs of some paths. Programs that were found in a folder and that are not of llama.cpp are passed to `skip`
/// with the reason.
pub(in crate::cli) fn probe_programs(
    paths: &[PathBuf],
    mut skip: impl FnMut(String),
) -> Result<ProbedBuild, String> {
    let targets = collect_programs(paths)?;
    let mut results: BTreeMap<&str, ProbeResult> = BTreeMap::new();
    let mut failed = Vec::new();
    let mut skipped = Vec::new();
    for (program, result) in targets.iter().zip(probe_all(&targets)) {
        match result {
            Ok(result) => {
                results.insert(&program.name, result);
            }
            Err(why) if program.is_explicit => failed.push(why),
            Err(why) => skipped.push(why),
        }
    }
    if !failed.is_empty() {
        return Err(failed.join("\nerror: "));
    }
    skipped.into_iter().for_each(&mut skip);
    let version = common_version(&results)?;
    let lists = targets.first().map(|program| read_lists(&libraries(&program.path, LIBRARIES)));
    let helps: BTreeMap<String, Help> =
        results.into_iter().map(|(name, result)| (name.to_owned(), result.help)).collect();
    let file = profile_from_help(&version, &helps, lists.unwrap_or_default());
    let text = file.to_json();
    // The written profile must be readable.
    Profile::parse("probed", &text, Profile::built_in)
        .map_err(|error| words::printable(&error.to_string()))?;
    Ok(ProbedBuild { file, text, programs: helps.into_keys().collect() })
}

fn probe(command: &ProbeArgs, output: OutputArgs) -> Result<RunStatus, String> {
    let skip = |why: String| {
        if !output.quiet {
            session::print_stderr(&format!("skipped: {why}\n"));
        }
    };
    let ProbedBuild { file, text, programs } = probe_programs(&command.paths, skip)?;
    report_unparsed_lines(&file.not_understood);
    let end = match &command.out {
        None => session::print_stdout(&text),
        Some(out) => {
            if !command.force {
                refuse_other_content(out, &text)?;
            }
            emit::write_file(out, text.as_bytes()).map_err(|error| error.to_string())?;
            RunStatus::Clean
        }
    };
    if end == RunStatus::Clean && !output.quiet {
        let server = file.engine.server();
        if !programs.iter().any(|name| name == server) {
            session::print_stderr(&format!(
                "note: `{server}` is missing from this profile, so no role can use it\n"
            ));
        }
        let place = command.out.as_ref().map(|out| format!("{}: ", out.display())).unwrap_or_default();
        let (programs, options) =
            (words::count(programs.len(), "program"), words::count(file.options.len(), "option"));
        session::print_stderr(&format!(
            "{place}build {}, {programs}, {options}\n",
            words::printable(&file.build)
        ));
        report_unknown_lists(&file);
    }
    Ok(end)
}

/// An error if the file exists with another content.
fn refuse_other_content(out: &Path, text: &str) -> Result<(), String> {
    let is_other = out.is_file() && !read_text(out).is_ok_and(|old| old == text);
    if is_other {
        let shown = quoted_path(out);
        return Err(format!(
            "{shown} exists with another content: choose another file, or add `--force` to replace it"
        ));
    }
    Ok(())
}

/// The programs of all paths. Each name may occur only once.
fn collect_programs(paths: &[PathBuf]) -> Result<Vec<ProbeTarget>, String> {
    let mut targets: Vec<ProbeTarget> = Vec::new();
    for path in paths {
        let (found, is_explicit) = if path.is_dir() {
            (programs(path).map_err(|error| error.to_string())?, false)
        } else {
            (vec![path.clone()], true)
        };
        if found.is_empty() {
            return Err(format!("{} contains no `llama-*` program", quoted_path(path)));
        }
        for path in found {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            if name.is_empty() {
                return Err(format!("the name of {} is not UTF-8", quoted_path(&path)));
            }
            match targets.iter().find(|other| other.name == name) {
                Some(other) if other.path == path => {}
                Some(other) => {
                    return Err(format!(
                        "two programs have the name {}: {} and {}",
                        words::quoted(&name),
                        quoted_path(&other.path),
                        quoted_path(&path)
                    ));
                }
                None => targets.push(ProbeTarget { path, name, is_explicit }),
            }
        }
    }
    Ok(targets)
}

fn probe_all(targets: &[ProbeTarget]) -> Vec<Result<ProbeResult, String>> {
    let mut results = Vec::with_capacity(targets.len());
    for some in targets.chunks(MAX_PARALLEL) {
        std::thread::scope(|scope| {
            let running: Vec<_> = some.iter().map(|one| scope.spawn(|| probe_program(&one.path))).collect();
            let lost = |path: &Path| Err(format!("{} could not be run", quoted_path(path)));
            results.extend(
                running
                    .into_iter()
                    .zip(some)
                    .map(|(one, program)| one.join().unwrap_or_else(|_| lost(&program.path))),
            );
        });
    }
    results
}

fn probe_program(path: &Path) -> Result<ProbeResult, String> {
    let deadline = program::deadline();
    let output_of = |argument: &str| {
        program::run(path, argument, deadline).map_err(|error| {
            let with = if error.is_start_failure() { String::new() } else { format!(" with `{argument}`") };
            format!("{}{with} {error}", quoted_path(path))
        })
    };
    let version = output_of("--version")?;
    let version = parse_version(&format!("{}\n{}", version.err, version.out)).ok_or_else(|| {
        format!("{} with `--version` does not print `version: …` as llama.cpp programs do", quoted_path(path))
    })?;
    let help = output_of("--help")?;
    let parsed = [help.out, help.err].map(|text| parse_help(&text));
    let lists_help =
        |help: &Help| help.options.iter().any(|option| option.names.iter().any(|name| name == "--help"));
    let help = parsed.into_iter().find(lists_help).ok_or_else(|| {
        format!("{} with `--help` does not list its options as llama.cpp programs do", quoted_path(path))
    })?;
    Ok(ProbeResult { version, help })
}

/// The version of all programs. An error if they differ.
fn common_version(results: &BTreeMap<&str, ProbeResult>) -> Result<Version, String> {
    let mut all = results.iter();
    let Some((first, result)) = all.next() else {
        return Err("none of the programs is a llama.cpp program".to_owned());
    };
    match all.find(|(_, other)| other.version != result.version) {
        None => Ok(result.version.clone()),
        Some((name, other)) => Err(format!(
            "the programs are from different builds: {} prints {}, and {} prints {}\nprobe one build at a time",
            words::quoted(first),
            words::quoted(&result.version.text),
            words::quoted(name),
            words::quoted(&other.version.text)
        )),
    }
}

fn report_unknown_lists(file: &ProfileFile) {
    let lists = file.lists();
    let unknown: Vec<String> = (ClosedList::ALL.iter())
        .filter(|list| lists.get(**list).is_none())
        .map(|list| format!("`{}`", list.field()))
        .collect();
    if !unknown.is_empty() {
        session::print_stderr(&format!(
            "note: the libraries of the build do not show its {}, so model files are not compared with them\n",
            words::all_of(&unknown)
        ));
    }
}

fn report_unparsed_lines(lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let mut text = format!(
        "{} could not be parsed; the profile lists all of them in `not_understood`:\n",
        words::count(lines.len(), "line")
    );
    for line in lines.iter().take(MAX_PRINTED_LINES) {
        text.extend(["  ", &*words::printable(line), "\n"]);
    }
    if lines.len() > MAX_PRINTED_LINES {
        text.extend(["  and ", &(lines.len() - MAX_PRINTED_LINES).to_string(), " more\n"]);
    }
    session::print_stderr(&text);
}

fn quoted_path(path: &Path) -> String {
    words::quoted(&path.to_string_lossy())
}
