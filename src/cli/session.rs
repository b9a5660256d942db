//! How a run speaks: to which stream, in which format, with which colours.
#![expect(
    clippy::disallowed_methods,
    reason = "whether to colour is the one thing that the environment decides"
)]

use super::End;
use super::args::{Check, Format, Output, When};
use crate::diag::Diagnostics;
use crate::diag::report::json::json;
use crate::diag::report::{Style, human::human};
use crate::source::{Loaded, SourceMap, load};
use std::io::{ErrorKind, IsTerminal, Write};
use std::os::fd::AsFd;
use terminal_size::{Width, terminal_size_of};

/// Reads the registry; says what keeps it from being read.
pub(super) fn read(command: &Check) -> Result<Loaded, End> {
    load(&command.registry).map_err(|error| {
        say(&format!("error: {error}\n"));
        End::CannotRun
    })
}

/// Shows all findings and says how the run ends because of them.
pub(super) fn show(findings: &mut Diagnostics, map: &SourceMap, command: &Check, output: Output) -> End {
    findings.sort();
    match command.format {
        Format::Json => {
            if print(&json(findings, map)) == End::CannotRun {
                return End::CannotRun;
            }
        }
        Format::Human if output.quiet && findings.is_empty() => {}
        Format::Human => say(&human(findings, map, style(output, &std::io::stderr()))),
    }
    let summary = findings.summary();
    let denied = !command.deny.is_empty() && summary.warnings > 0;
    if summary.errors > 0 || denied { End::Findings } else { End::Clean }
}

/// Says something to people, who read it beside what programs read.
pub(super) fn say(text: &str) {
    // A reader who closed the pipe has read enough.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Prints what was asked for, and says how the run ends if that cannot be: a reader who closed the pipe has read enough, a full
/// disk has lost what others will take for the whole.
pub(super) fn print(text: &str) -> End {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            say(&format!("error: cannot write to standard output: {error}\n"));
            End::CannotRun
        }
        Ok(()) | Err(_) => End::Clean,
    }
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
            .unwrap_or(100),
        colour: colours(output.color, stream),
        unicode,
        verbose: output.verbose,
        narrated: set("NO_GRAPHICS").is_some(),
    }
}

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
