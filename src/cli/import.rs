//! `orchgen import`.
#![expect(
    clippy::disallowed_methods,
    reason = "configurations of other tools use variables of the environment"
)]

mod args;

pub(super) use args::{EXAMPLES, ImportArgs};

use super::args::OutputArgs;
use super::folders::operand;
use super::{RunStatus, session};
use crate::compile::{Import, ImportOptions, import};
use crate::diag::report::{Style, human};
use crate::diag::words;
use crate::emit;
use crate::engine::{Family, Profile};
use crate::import::assemble::{EngineChoice, Selection};
use crate::import::prefix::is_server;
use crate::import::report::ServerReport;
use crate::import::source::{At, Loss, Program, SourceText, Sources, Surroundings};
use crate::import::{Format, Input, read, read_running};
use crate::source::{file_names, find_program, is_registry, running, text as read_text};
use args::ImportReport;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::Read;
use std::path::Path;

/// The most files that one import reads.
const MAX_FILES: usize = 4096;
/// The most bytes of standard input.
const MAX_STDIN: u64 = 1 << 20;

pub(super) fn run(command: &ImportArgs, output: OutputArgs) -> RunStatus {
    run_import(command, output).unwrap_or_else(session::fail)
}

fn run_import(command: &ImportArgs, output: OutputArgs) -> Result<RunStatus, String> {
    let out = &command.out;
    if is_registry(out) {
        let name = words::quoted(&out.to_string_lossy());
        return Err(format!("{name} already contains a registry: choose another folder with `--out FOLDER`"));
    }
    let chosen = command.profile.as_deref().map(profile).transpose()?;
    let latest = Profile::built_in_of(Family::LlamaCpp).last().ok_or("no profile is built in")?;
    let sources = sources(command, chosen.as_ref().map_or(latest, |chosen| chosen.profile))?;
    if sources.servers.is_empty() && sources.losses.is_empty() {
        return Err("the sources have no server".to_owned());
    }
    let options = ImportOptions {
        language: command.format.language(),
        engines: EngineChoice {
            profile: chosen.as_ref().map(|chosen| chosen.profile),
            programs: programs(&sources),
        },
        folder: out.to_string_lossy().into_owned(),
        profiles: chosen.and_then(|chosen| chosen.file).into_iter().collect(),
    };
    let mut done = import(&sources, &options);
    if done.roles == 0 {
        return Ok(report_nothing(command, &mut done, output));
    }
    let files: Vec<(&str, &str)> = done
        .files
        .iter()
        .map(|file| (file.name.as_str(), file.text.as_str()))
        .chain(options.profiles.iter().map(|(name, text)| (name.as_str(), text.as_str())))
        .collect();
    if !command.dry_run {
        emit::create(out, &files).map_err(|error| error.to_string())?;
    }
    let has_losses =
        !done.report.lost.is_empty() || done.report.servers.iter().any(|own| !own.lost.is_empty());
    let status = match command.report {
        ImportReport::Json => session::print_stdout(&session::json_line(&done.report)),
        ImportReport::Human => {
            print_human(command, &mut done, output);
            RunStatus::Clean
        }
    };
    Ok(if status == RunStatus::Clean && command.strict && has_losses { RunStatus::Findings } else { status })
}

/// A profile that the user chose.
struct ChosenProfile {
    profile: &'static Profile,
    /// Its file in the registry, unless it is built in.
    file: Option<(String, String)>,
}

fn profile(word: &str) -> Result<ChosenProfile, String> {
    let built_in = Profile::built_in(word).or_else(|| Profile::built_in(Profile::built_in_with(word)?));
    if let Some(profile) = built_in {
        return Ok(ChosenProfile { profile, file: None });
    }
    let path = Path::new(word);
    if path.extension().is_none_or(|extension| extension != "json") {
        let names: Vec<String> = Profile::built_in_names().iter().map(|name| words::quoted(name)).collect();
        return Err(format!(
            "no built-in profile is named {}; built in are {}; `orchgen engine probe PROGRAM --out NAME.json` makes one",
            words::quoted(word),
            words::all_of(&names)
        ));
    }
    let text = read_text(path).map_err(|error| error.to_string())?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let profile = Profile::parse(&name, &text, Profile::built_in)
        .map_err(|error| words::printable(&error.to_string()))?;
    // One profile for the whole run.
    Ok(ChosenProfile { profile: Box::leak(Box::new(profile)), file: Some((name, text)) })
}

/// Reads all sources that the user names.
fn sources(command: &ImportArgs, profile: &Profile) -> Result<Sources, String> {
    let folder = std::env::current_dir().unwrap_or_default().to_string_lossy().into_owned();
    if command.running {
        let processes = running(&is_server).map_err(|error| error.to_string())?;
        if processes.is_empty() {
            return Err(format!("no {} runs on this machine", Family::LlamaCpp.server()));
        }
        return Ok(read_running(&Machine, &folder, &processes, profile));
    }
    let mut inputs = Vec::new();
    let mut others = Vec::new();
    for path in &command.files {
        if path.as_os_str() == "-" {
            inputs.push(standard_input(command)?);
        } else if path.is_dir() {
            inputs.extend(folder_inputs(&path.to_string_lossy(), command.from));
        } else {
            others.push(path.to_string_lossy().into_owned());
        }
        if inputs.len() + others.len() > MAX_FILES {
            return Err(format!("more than {MAX_FILES} files: import fewer at a time"));
        }
    }
    // A file without a format is one that another file names, such as an environment file.
    for path in &others {
        read_text(Path::new(path)).map_err(|error| error.to_string())?;
    }
    let (known, unknown): (Vec<_>, Vec<_>) =
        others.iter().map(|path| (path, input(path, command.from))).partition(|(_, input)| input.is_ok());
    inputs.extend(known.into_iter().filter_map(|(_, input)| input.ok()));
    if inputs.is_empty()
        && let Some((_, Err(why))) = unknown.into_iter().next()
    {
        return Err(why);
    }
    if inputs.is_empty() {
        return Err(
            "no file in the folder has a known format: name the files, and their format with `--from`"
                .to_owned(),
        );
    }
    let mut found = read(&Machine, &folder, inputs, profile);
    for path in &others {
        if !found.files.iter().any(|file| file.path == *path) {
            let file = found.files.len();
            let text = read_text(Path::new(path)).unwrap_or_default();
            found.files.push(SourceText { path: path.clone(), text });
            let why = "it has no format that orchgen knows, and no other file names it";
            found.losses.push(Loss { what: path.clone(), at: At { file, line: 1 }, why: why.to_owned() });
        }
    }
    Ok(found)
}

fn standard_input(command: &ImportArgs) -> Result<Input, String> {
    let mut text = String::new();
    let mut input = std::io::stdin().lock().take(MAX_STDIN);
    input.read_to_string(&mut text).map_err(|error| format!("cannot read standard input: {error}"))?;
    if u64::try_from(text.len()).is_ok_and(|length| length >= MAX_STDIN) {
        return Err("standard input has more than 1 MiB: write it into a file".to_owned());
    }
    let format = command.from.or_else(|| Format::of("-", &text)).unwrap_or(Format::Shell);
    Ok(Input { path: "-".to_owned(), text, format })
}

fn input(path: &str, from: Option<Format>) -> Result<Input, String> {
    let text = read_text(Path::new(path)).map_err(|error| error.to_string())?;
    let Some(format) = from.or_else(|| Format::of(path, &text)) else {
        let all: Vec<String> = Format::ALL.iter().map(|format| format!("`{}`", format.word())).collect();
        return Err(format!(
            "{} has no format that orchgen knows: name it with `--from`, one of {}",
            words::quoted(path),
            words::all_of(&all)
        ));
    };
    Ok(Input { path: path.to_owned(), text, format })
}

/// The files of a folder that have a known format. Others are left out.
fn folder_inputs(folder: &str, from: Option<Format>) -> Vec<Input> {
    let names = file_names(Path::new(folder));
    let paths =
        names.into_iter().take(MAX_FILES).map(|name| format!("{}/{name}", folder.trim_end_matches('/')));
    paths.filter_map(|path| input(&path, from).ok()).collect()
}

/// The programs of this machine that the sources name without a folder.
fn programs(sources: &Sources) -> BTreeMap<String, String> {
    let of_servers = sources.servers.iter().filter_map(|server| match &server.program {
        Program::Path(word) => Some(word),
        Program::Image { .. } | Program::Gateway => None,
    });
    let of_gateways = sources.gateways.iter().filter_map(|gateway| gateway.program.as_ref());
    let mut names: Vec<&str> = of_servers.chain(of_gateways).map(|word| word.text.as_str()).collect();
    names.extend(["llama-swap", Family::LlamaCpp.server()]);
    let path = std::env::var("PATH").unwrap_or_default();
    let bare = names.into_iter().filter(|name| !name.contains('/'));
    bare.filter_map(|name| Some((name.to_owned(), find_program(name, &path)?))).collect()
}

/// The files and variables of this machine.
struct Machine;

impl Surroundings for Machine {
    fn text(&self, path: &str) -> Result<String, String> {
        read_text(Path::new(path)).map_err(|error| error.to_string())
    }

    fn names(&self, folder: &str) -> Vec<String> {
        file_names(Path::new(if folder.is_empty() { "." } else { folder }))
    }

    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

/// Reports sources from which no role follows. Nothing is written.
fn report_nothing(command: &ImportArgs, done: &mut Import, output: OutputArgs) -> RunStatus {
    match command.report {
        ImportReport::Json => {
            session::print_stdout(&session::json_line(&done.report));
        }
        ImportReport::Human => {
            done.findings.sort();
            let style = session::style(output, &std::io::stderr());
            let style = Style { max_findings: command.max_findings, ..style };
            session::print_stderr(&human::human(&done.findings, &done.map, style));
        }
    }
    session::fail("no server can be imported: nothing is written")
}

/// Prints the report for users: all findings, then one line for each server.
fn print_human(command: &ImportArgs, done: &mut Import, output: OutputArgs) {
    done.findings.sort();
    let style = session::style(output, &std::io::stderr());
    let style = Style { max_findings: command.max_findings, ..style };
    let mut text = human::human(&done.findings, &done.map, style);
    if !output.quiet {
        text.push_str(&summary(command, done));
    }
    session::print_stderr(&text);
}

fn summary(command: &ImportArgs, done: &Import) -> String {
    let mut text = String::new();
    let is_empty = |own: &&ServerReport| own.kept.is_empty() && own.changed.is_empty() && own.lost.is_empty();
    for own in done.report.servers.iter().filter(|own| !is_empty(own)) {
        let name = own.role.as_deref().map_or_else(|| "not imported".to_owned(), words::printable);
        let counts = [
            (own.kept.len(), "kept"),
            (own.changed.iter().filter(|change| !change.form_only).count(), "changed"),
            (own.lost.len(), "lost"),
        ];
        let counts: Vec<String> = counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        let counts = if counts.is_empty() { "nothing to keep".to_owned() } else { counts.join(", ") };
        let file = words::printable(&own.from.file);
        let _ = writeln!(text, "{file}:{}: {name}: {counts}", own.from.line);
    }
    let verb = if command.dry_run { "would write" } else { "wrote" };
    let names: Vec<String> = done
        .files
        .iter()
        .map(|file| words::printable(&command.out.join(&file.name).to_string_lossy()))
        .collect();
    for (engine, profile, selection) in &done.engines {
        let why = match selection {
            Selection::Chosen => continue,
            Selection::Named => "its path or image names the build",
            Selection::Inferred => {
                "the latest built-in one with the options of the sources; `--profile` selects another"
            }
        };
        let _ = writeln!(text, "engine {}: profile {profile}, {why}", words::quoted(engine));
    }
    let operand = operand(&command.out);
    let _ = writeln!(text, "{verb} {}", words::all_of(&names));
    if !command.dry_run {
        let _ = writeln!(
            text,
            "next: run `orchgen check{operand}`, then `orchgen lock{operand}` where the model files are"
        );
    }
    text
}
