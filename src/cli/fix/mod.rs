//! `orchgen check --fix` and `orchgen check --diff`.

mod rounds;

pub use super::text_diff::unified;
pub use rounds::{Analyzed, FixLevel, Fixed, fix};

use super::args::{CheckArgs, OutputArgs};
use super::{RunStatus, baseline, session, standard_input};
use crate::compile::analyze;
use crate::diag::{BaselineScope, Diagnostics, words};
use crate::emit::{Rewrite, rewrite};
use std::path::Path;

/// The maximum number of skipped fixes to name.
const MAX_NAMED: usize = 3;

pub(super) fn run(command: &CheckArgs, output: OutputArgs) -> Result<RunStatus, RunStatus> {
    let fixes = command.fixes;
    if fixes.diff && command.common.reports.use_stdout() {
        return Err(session::fail(
            "the diff and a report would both go to standard output: write the report to a file with `--report FORMAT=FILE`",
        ));
    }
    let levels = command.common.severity.levels()?;
    let loaded = standard_input::load_registry(command)?;
    let baseline = baseline::read(&command.common)?;
    let level = if fixes.unsafe_fixes { FixLevel::Unsafe } else { FixLevel::Safe };
    let mut fixed = fix(loaded, level, &|loaded| {
        let mut findings = Diagnostics::with(levels.clone());
        // The verdict is in the findings.
        let _ = analyze(loaded, command.locked.not_checked_policy(), &mut findings);
        findings
    });
    if let Some(baseline) = baseline {
        for one in std::iter::once(&mut fixed.before).chain(&mut fixed.after) {
            baseline.apply(&mut one.findings, &mut one.loaded.map, BaselineScope::All);
        }
    }
    Ok(if fixes.diff { print_diff(command, output, fixed) } else { apply(command, output, fixed) })
}

/// Prints the diff and reports the findings; writes nothing.
fn print_diff(command: &CheckArgs, output: OutputArgs, mut fixed: Fixed) -> RunStatus {
    let changed = fixed.changed_files();
    let has_changes = !changed.is_empty();
    let diffs = changed.iter().map(|(source, new)| unified(source.name(), source.text(), new));
    if session::print_stdout(&diffs.collect::<String>()) == RunStatus::CannotRun {
        return RunStatus::CannotRun;
    }
    let before = &mut fixed.before;
    let status = session::report_findings(&mut before.findings, &before.loaded.map, &command.common, output);
    if !output.quiet {
        session::print_stderr(&summary("would fix", &fixed));
    }
    if has_changes { RunStatus::Findings } else { status }
}

/// Writes the fixed files and reports the remaining findings.
fn apply(command: &CheckArgs, output: OutputArgs, mut fixed: Fixed) -> RunStatus {
    let files = fixed.changed_files().into_iter().filter_map(|(source, new)| {
        let name = Path::new(source.name()).file_name()?;
        Some(Rewrite { path: command.common.registry.path().join(name), old: source.text(), new })
    });
    if let Err(error) = rewrite(&files.collect::<Vec<_>>()) {
        return session::fail(error);
    }
    if !output.quiet {
        session::print_stderr(&summary("fixed", &fixed));
    }
    let latest = fixed.after.as_mut().unwrap_or(&mut fixed.before);
    session::report_findings(&mut latest.findings, &latest.loaded.map, &command.common, output)
}

/// The summary, for example ``fixed 3 findings in `registry/roles.kdl` ``, and the skipped fixes.
fn summary(verb: &str, fixed: &Fixed) -> String {
    let mut text = String::new();
    if fixed.fixed_count > 0 {
        let files: Vec<String> =
            fixed.changed_files().iter().map(|(source, _)| words::quoted(source.name())).collect();
        let findings = words::count(fixed.fixed_count, "finding");
        text.extend([verb, " ", &findings, " in ", &words::all_of(&files), "\n"]);
    }
    for title in fixed.skipped.iter().take(MAX_NAMED) {
        text.extend(["not applied, because it would cause other findings: ", title, "\n"]);
    }
    if fixed.skipped.len() > MAX_NAMED {
        let others = words::count(fixed.skipped.len() - MAX_NAMED, "other");
        text.extend(["not applied for the same reason: ", &others, "\n"]);
    }
    text
}
