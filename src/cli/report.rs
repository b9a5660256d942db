//! `orchgen report`: one HTML page about a stack. Unlike `build`, it also works for a registry with errors.

use super::RunStatus;
use super::args::OutputArgs;
use super::folders::{RegistryFolder, STANDARD_INPUT};
use super::session;
use crate::check::{NotCheckedPolicy, check};
use crate::compile::{finish_findings, listed_findings, lower};
use crate::diag::{Diagnostics, words};
use crate::plan::report::report;
use crate::render::report::page;
use clap::Args as Arguments;
use std::path::{Path, PathBuf};

pub(in crate::cli) const EXAMPLES: &str = "Examples:
  orchgen report                          write report.html
  orchgen report --out stack.html         write another file
  orchgen report -o - | ssh web tee /srv/www/stack.html
                                          write to standard output";

pub(in crate::cli) const CODES: &str = "Exit codes:
  0  the page is written
  1  the page is written, and the registry has errors
  2  usage or I/O error: no page";

#[derive(Arguments, Debug)]
pub(in crate::cli) struct ReportArgs {
    #[command(flatten)]
    registry: RegistryFolder,
    /// File for the page, which is replaced. `-` is standard output
    #[arg(long, short, value_name = "FILE", default_value = "report.html")]
    out: PathBuf,
}

pub(super) fn run(command: &ReportArgs, output: OutputArgs) -> RunStatus {
    let loaded = match session::load_registry(command.registry.path()) {
        Ok(loaded) => loaded,
        Err(status) => return status,
    };
    let mut findings = Diagnostics::default();
    let derived = lower(&loaded, &mut findings).derive(None, &mut findings);
    let report = report(&derived);
    let has_errors = check(derived, NotCheckedPolicy::Count, &mut findings).is_err();
    finish_findings(&loaded, &mut findings);
    let report = report.with_findings(listed_findings(&findings, &loaded.map));
    let page = match page(&report) {
        Ok(page) => page,
        Err(error) => return session::fail(error),
    };
    let is_stdout = command.out == Path::new(STANDARD_INPUT);
    let written =
        if is_stdout { session::print_stdout(&page) } else { session::write_file(&command.out, &page) };
    if written != RunStatus::Clean {
        return written;
    }
    if !output.quiet {
        let summary = findings.summary();
        let place = if is_stdout { String::new() } else { format!("{}: ", command.out.display()) };
        let [errors, warnings] = [(summary.errors, "error"), (summary.warnings, "warning")]
            .map(|(number, word)| words::count(number, word));
        let roles = words::count(report.role_count, "role");
        session::print_stderr(&format!("{place}{roles}, {errors}, {warnings}\n"));
    }
    if has_errors { RunStatus::Findings } else { RunStatus::Clean }
}
