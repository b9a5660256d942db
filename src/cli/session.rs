//! Reading the registry, and output: streams, files, terminal width and color.
#![expect(
    clippy::disallowed_methods,
    reason = "the environment decides about color and layout, and about nothing else"
)]

use super::RunStatus;
use super::args::{ColorWhen, CommonArgs, OutputArgs};
use super::folders::{STANDARD_INPUT, operand};
use super::links;
use crate::diag::report::Style;
use crate::diag::{Diagnostics, words};
use crate::emit;
use crate::import::Format;
use crate::render::quote::shell;
use crate::source::{LoadError, Loaded, REGISTRY, SourceMap, is_registry, load, text};
use crate::syntax::resolve_fixes;
use serde::Serialize;
use std::fmt::Display;
use std::io::{ErrorKind, IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::Path;
use terminal_size::{Width, terminal_size_of};

/// Reads the registry. Reports conflicting options and read errors.
pub(super) fn read(command: &CommonArgs) -> Result<Loaded, RunStatus> {
    if let Some(conflict) = command.reports.conflict(command.registry.path(), command.baseline.as_deref()) {
        return Err(fail(conflict));
    }
    load_registry(command.registry.path())
}

/// Reads the registry in a folder. Reports read errors, and how to create a registry if there is none.
pub(super) fn load_registry(folder: &Path) -> Result<Loaded, RunStatus> {
    load(folder).map_err(|error| report_load_error(folder, &error))
}

/// Reports that a registry cannot be read, and returns the status of the run.
pub(super) fn report_load_error(folder: &Path, error: &LoadError) -> RunStatus {
    let status = fail(error);
    if let Some(help) = missing_help(folder, error) {
        print_stderr(&(help + "\n"));
    }
    status
}

/// The help for a folder that is not a registry.
fn missing_help(folder: &Path, error: &LoadError) -> Option<String> {
    if is_registry(folder) {
        return None;
    }
    if folder == Path::new(STANDARD_INPUT) {
        return Some("only `orchgen check` and `orchgen fmt` read standard input".to_owned());
    }
    if folder.is_file() {
        // A file of a registry instead of its folder.
        let parent =
            folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let name = words::quoted(&parent.to_string_lossy());
        return import_help(folder).or_else(|| {
            is_registry(parent).then(|| format!("write the folder of the registry, not a file of it: {name}"))
        });
    }
    let is_here = folder == Path::new(REGISTRY) && is_registry(Path::new("."));
    let here = is_here.then(|| "this folder has registry files: write it as the argument `.`".to_owned());
    here.or_else(|| {
        let init = format!("run `orchgen init{}` to create a registry", operand(folder));
        let other = error.other_file();
        let import = other.and_then(|name| import_help(&folder.join(name)));
        let rename = other.map(rename_hint).unwrap_or_default();
        import.or_else(|| error.is_missing().then(|| rename + &init))
    })
}

/// The command for a file that orchgen imports.
fn import_help(path: &Path) -> Option<String> {
    let name = path.to_string_lossy();
    let format = Format::of(&name, &text(path).ok()?)?;
    let kind = format.description();
    Some(format!("{} is {kind}: run `orchgen import {}`", words::quoted(&name), shell(&name)))
}

/// How to make a registry of a file of another format: JSON is YAML, other formats are not.
fn rename_hint(name: &str) -> String {
    let path = Path::new(name);
    let new = words::printable(&path.with_extension("yaml").to_string_lossy());
    let name = words::printable(name);
    let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    if is_json {
        format!("if `{name}` is your registry, rename it to `{new}`: YAML includes JSON\n")
    } else {
        format!("if `{name}` is your registry, write it as YAML in `{new}`\n")
    }
}

/// Writes all reports and returns the status of the run.
pub(super) fn report_findings(
    findings: &mut Diagnostics,
    map: &SourceMap,
    command: &CommonArgs,
    output: OutputArgs,
) -> RunStatus {
    findings.sort();
    resolve_fixes(map, |_| true, findings);
    let written = command.reports.write(findings, map, output);
    if written == RunStatus::Clean && is_failure(findings, command) { RunStatus::Findings } else { written }
}

/// True if the findings fail the run. Then `build` writes nothing.
pub(super) fn is_failure(findings: &Diagnostics, command: &CommonArgs) -> bool {
    let summary = findings.summary();
    summary.errors > 0 || (summary.warnings > 0 && !command.deny.is_empty())
}

/// True if progress lines may be printed: standard error is a terminal, and neither CI nor `--quiet` is set.
pub(super) fn shows_progress(output: OutputArgs) -> bool {
    !output.quiet && env_var("CI").is_none() && is_terminal()
}

/// True if standard error is a terminal that can move its cursor.
pub(super) fn is_terminal() -> bool {
    std::io::stderr().is_terminal() && env_var("TERM").is_some_and(|term| term != "dumb")
}

/// Prints a text for users to standard error.
pub(super) fn print_stderr(text: &str) {
    // Ignore errors: the reader may have closed the pipe.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Prints why a command cannot run, and returns the status of the run.
pub(super) fn fail(why: impl Display) -> RunStatus {
    print_stderr(&format!("error: {why}\n"));
    RunStatus::CannotRun
}

/// One line of JSON. Serialization fails only for maps with non-string keys, and no result has one.
pub(super) fn json_line(result: &impl Serialize) -> String {
    serde_json::to_string(result).unwrap_or_default() + "\n"
}

/// Prints the result of a command to standard output and returns the status of the run. A closed pipe is not an error.
/// A full disk is one, because the output would be incomplete.
pub(super) fn print_stdout(text: &str) -> RunStatus {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            fail(format!("cannot write to standard output: {error}"))
        }
        Ok(()) | Err(_) => RunStatus::Clean,
    }
}

/// Writes a requested file and returns the status of the run.
pub(super) fn write_file(file: &Path, text: &str) -> RunStatus {
    emit::write_file(file, text.as_bytes()).map_or_else(fail, |()| RunStatus::Clean)
}

/// The style for reports in files: the default width, and color only with `--color always`.
pub(super) fn file_style(output: OutputArgs) -> Style {
    let color = output.color == ColorWhen::Always;
    Style { width: DEFAULT_WIDTH, color, links: None, ..style(output, &std::io::stderr()) }
}

/// The style for a stream.
pub(super) fn style(output: OutputArgs, stream: &(impl IsTerminal + AsFd)) -> Style {
    let unicode =
        ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| env_var(name)).is_some_and(|locale| {
            let locale = locale.to_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        });
    Style {
        width: env_var("COLUMNS")
            .and_then(|columns| columns.parse().ok().filter(|columns| *columns > 0))
            .or_else(|| columns(stream))
            .unwrap_or(DEFAULT_WIDTH),
        color: uses_color(output.color, stream),
        unicode,
        verbose: output.verbose,
        max_findings: usize::MAX,
        screen_reader: env_var("NO_GRAPHICS").is_some(),
        links: links::pages(output.color, stream),
    }
}

/// The number of columns if the width of the terminal is unknown.
const DEFAULT_WIDTH: usize = 100;

/// The width of the terminal. `None` if the stream is not a terminal.
fn columns(stream: impl AsFd) -> Option<usize> {
    terminal_size_of(stream).map(|(Width(columns), _)| usize::from(columns))
}

/// True if color is used. Precedence: `--color`, `NO_COLOR`, the variables that force color, then whether the stream is
/// a terminal.
fn uses_color(when: ColorWhen, stream: &impl IsTerminal) -> bool {
    let forced =
        ["CLICOLOR_FORCE", "FORCE_COLOR"].iter().any(|name| env_var(name).is_some_and(|value| value != "0"));
    match when {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto if env_var("NO_COLOR").is_some() => false,
        ColorWhen::Auto if forced => true,
        ColorWhen::Auto => stream.is_terminal() && env_var("TERM").is_none_or(|term| term != "dumb"),
    }
}

/// A non-empty environment variable.
pub(super) fn env_var(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
