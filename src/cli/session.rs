//! How a run speaks: to which stream, in which format, with which colours.
#![expect(
    clippy::disallowed_methods,
    reason = "whether to colour is the one thing that the environment decides"
)]

use super::End;
use super::args::{Check, Output, When};
use crate::diag::Diagnostics;
use crate::diag::report::Style;
use crate::emit;
use crate::source::{Loaded, SourceMap, load};
use std::io::{ErrorKind, IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::Path;
use terminal_size::{Width, terminal_size_of};

/// Reads the registry; says what keeps it from being read, or what of the command line cannot be done.
pub(super) fn read(command: &Check) -> Result<Loaded, End> {
    if let Some(clash) = command.reports.clash(&command.registry, command.baseline.as_deref()) {
        report(&format!("error: {clash}\n"));
        return Err(End::CannotRun);
    }
    load(&command.registry).map_err(|error| {
        report(&format!("error: {error}\n"));
        End::CannotRun
    })
}

/// Shows all findings and says how the run ends because of them.
pub(super) fn show(findings: &mut Diagnostics, map: &SourceMap, command: &Check, output: Output) -> End {
    findings.sort();
    let written = command.reports.write(findings, map, output);
    if written == End::Clean && fails(findings, command) { End::Findings } else { written }
}

/// Whether what was found lets the run fail, and keeps it from writing.
pub(super) fn fails(findings: &Diagnostics, command: &Check) -> bool {
    let summary = findings.summary();
    summary.errors > 0 || (summary.warnings > 0 && !command.deny.is_empty())
}

/// Whether people watch a terminal on which a line may change: never in continuous integration, nor where nothing but findings
/// is wanted.
pub(super) fn is_watched(output: Output) -> bool {
    let is_plain = set("TERM").is_none_or(|term| term == "dumb");
    !output.quiet && set("CI").is_none() && !is_plain && std::io::stderr().is_terminal()
}

/// Says something to people, who read it beside what programs read.
pub(super) fn report(text: &str) {
    // A reader who closed the pipe has read enough.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Prints what was asked for, and says how the run ends if that cannot be: a reader who closed the pipe has read enough, a full
/// disk has lost what others will take for the whole.
pub(super) fn print(text: &str) -> End {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            report(&format!("error: cannot write to standard output: {error}\n"));
            End::CannotRun
        }
        Ok(()) | Err(_) => End::Clean,
    }
}

/// Writes a file that was asked for, and says how the run ends if that cannot be.
pub(super) fn put(file: &Path, text: &str) -> End {
    match emit::put(file, text.as_bytes()) {
        Ok(()) => End::Clean,
        Err(error) => {
            report(&format!("error: {error}\n"));
            End::CannotRun
        }
    }
}

/// How to draw in a file: as wide as terminals are taken to be, and without colour unless it was asked for.
pub(super) fn style_of_file(output: Output) -> Style {
    let colour = output.color == When::Always;
    Style { width: WIDTH, colour, ..style(output, &std::io::stderr()) }
}

/// How to draw for whoever reads that stream.
pub(super) fn style(output: Output, stream: &(impl IsTerminal + AsFd)) -> Style {
    let unicode = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| set(name)).is_some_and(|locale| {
        let locale = locale.to_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    });
    Style {
        width: set("COLUMNS")
            .and_then(|columns| columns.parse().ok())
            .or_else(|| columns(stream))
            .unwrap_or(WIDTH),
        colour: colours(output.color, stream),
        unicode,
        verbose: output.verbose,
        most: usize::MAX,
        narrated: set("NO_GRAPHICS").is_some(),
    }
}

/// Columns where no terminal says how many it has.
const WIDTH: usize = 100;

/// The columns of the terminal that reads, where one does.
fn columns(stream: impl AsFd) -> Option<usize> {
    terminal_size_of(stream).map(|(Width(columns), _)| usize::from(columns))
}

/// The flag wins, then `NO_COLOR`, then what forces colour, then whether a terminal reads.
fn colours(when: When, stream: &impl IsTerminal) -> bool {
    let forced =
        ["CLICOLOR_FORCE", "FORCE_COLOR"].iter().any(|name| set(name).is_some_and(|value| value != "0"));
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto if set("NO_COLOR").is_some() => false,
        When::Auto if forced => true,
        When::Auto => stream.is_terminal() && set("TERM").is_none_or(|term| term != "dumb"),
    }
}

/// A variable of the environment that is set to something.
fn set(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
