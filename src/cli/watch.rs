//! `orchgen check --watch`.
//!
//! The states of the files are read four times in a second. A registry has few files in one folder, so this costs less than
//! a millisecond. Notifications of the kernel would need a crate, do not work on network file systems, and follow a folder
//! or file that was replaced only with more code.

use super::args::{CheckArgs, OutputArgs};
use super::check::check;
use super::{RunStatus, session};
use crate::diag::words;
use crate::source::{FileStamp, stamp, stamps};
use std::thread::sleep;
use std::time::Duration;

/// The time between two looks at the files.
const INTERVAL: Duration = Duration::from_millis(250);

/// A change is complete if no file changes for this time: an editor writes, renames and removes several files.
const QUIET: Duration = Duration::from_millis(100);

/// The most times that a run waits for [`QUIET`]. A file that changes all the time is then checked anyway.
const MAX_WAITS: usize = 20;

/// Clears a terminal (ECMA-48), and moves the cursor to its start. The lines above can still be scrolled to.
const CLEAR: &str = "\x1b[2J\x1b[H";

/// Checks the registry after each change. Ends only if the first check cannot run, or by a signal.
pub(super) fn run(args: &CheckArgs, output: OutputArgs) -> Result<RunStatus, RunStatus> {
    if args.common.registry.is_standard_input() {
        return Err(session::fail("`--watch` reads files: write the folder of the registry instead of `-`"));
    }
    if args.common.reports.use_stdout() {
        return Err(session::fail(
            "`--watch` prints findings on standard error: write a report to a file with `--report FORMAT=FILE`",
        ));
    }
    if args.common.reports.write_into(args.common.registry.path()) {
        return Err(session::fail(
            "with `--watch`, a report in the folder of the registry would start the next check: choose another folder",
        ));
    }
    let mut seen = files(args);
    // If the first check cannot run, the command line has a mistake.
    report(args, output)?;
    loop {
        sleep(INTERVAL);
        let mut now = files(args);
        if now == seen {
            continue;
        }
        for _ in 0..MAX_WAITS {
            sleep(QUIET);
            let later = files(args);
            let is_complete = later == now;
            now = later;
            if is_complete {
                break;
            }
        }
        // A change during the check is a difference from this state.
        seen = now;
        if !output.quiet {
            session::print_stderr(if session::is_terminal() { CLEAR } else { "---\n" });
        }
        // The error is printed. The folder can come back.
        let _ = report(args, output);
    }
}

/// Checks and reports once, with the number of findings.
fn report(args: &CheckArgs, output: OutputArgs) -> Result<(), RunStatus> {
    let checked = check(args, output);
    let status = checked.map(|mut checked| {
        session::report_findings(&mut checked.findings, &checked.loaded.map, &args.common, output)
    });
    let status = status.and_then(|status| if status == RunStatus::CannotRun { Err(status) } else { Ok(()) });
    if !output.quiet {
        let folder = args.common.registry.path().to_string_lossy();
        session::print_stderr(&format!("watching {} (Ctrl-C stops)\n", words::printable(&folder)));
    }
    status
}

/// The states of all files that a check reads: the registry and the baseline.
fn files(args: &CheckArgs) -> Vec<FileStamp> {
    let mut files = stamps(args.common.registry.path());
    files.extend(args.common.baseline.as_deref().and_then(|file| stamp(file, "baseline".to_owned())));
    files
}
