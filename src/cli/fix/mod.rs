//! `orchgen check --fix` and `--diff`: what is done to the texts, and what is said of it.

mod changes;
mod rounds;
mod unified;

pub use changes::{Changes, Replaced};
pub use rounds::{Analysed, FixLevel, Fixed, fix};
pub use unified::unified;

use super::args::{Checking, Output};
use super::{End, baseline, session};
use crate::compile::analyse_to;
use crate::diag::{Diagnostics, Reach, words};
use crate::emit::{Rewrite, rewrite};
use crate::source::SourceFile;
use std::path::Path;

/// As many fixes that were left out are named.
const MOST_NAMED: usize = 3;

pub(super) fn run(command: &Checking, output: Output) -> Result<End, End> {
    let mend = command.mend;
    if mend.diff && command.check.reports.are_printed() {
        session::report(
            "error: the diff and a report would both stand on standard output: leave one of them out\n",
        );
        return Err(End::CannotRun);
    }
    let levels = command.check.said.levels()?;
    let loaded = session::read(&command.check)?;
    let known = baseline::read(&command.check)?;
    let daring = if mend.unsafe_fixes { FixLevel::Unsafe } else { FixLevel::Safe };
    let mut fixed = fix(loaded, daring, &|loaded| {
        let mut findings = Diagnostics::with(levels.clone());
        // Whether something is wrong is in the findings.
        let _ = analyse_to(command.proof.demand(), loaded, &mut findings);
        findings
    });
    if let Some(known) = known {
        for one in std::iter::once(&mut fixed.before).chain(&mut fixed.after) {
            known.apply(&mut one.findings, &mut one.loaded.map, Reach::All);
        }
    }
    Ok(if mend.diff { show(command, output, fixed) } else { write(command, output, fixed) })
}

/// Shows what is found, and what would be done about it.
fn show(command: &Checking, output: Output, mut fixed: Fixed) -> End {
    let diffs = each(&fixed).map(|(source, changes)| unified(source.name(), source.text(), changes));
    if session::print(&diffs.collect::<String>()) == End::CannotRun {
        return End::CannotRun;
    }
    let before = &mut fixed.before;
    let end = session::show(&mut before.findings, &before.loaded.map, &command.check, output);
    if !output.quiet {
        session::report(&summary("would fix", &fixed));
    }
    if fixed.changes.is_empty() { end } else { End::Findings }
}

/// Writes what was fixed, and shows what is left.
fn write(command: &Checking, output: Output, mut fixed: Fixed) -> End {
    let new: Vec<String> = each(&fixed).map(|(source, changes)| changes.text(source.text())).collect();
    let files = each(&fixed).zip(&new).filter_map(|((source, _), new)| {
        let name = Path::new(source.name()).file_name()?;
        Some(Rewrite { path: command.check.registry.join(name), old: source.text(), new })
    });
    if let Err(error) = rewrite(&files.collect::<Vec<_>>()) {
        session::report(&format!("error: {error}\n"));
        return End::CannotRun;
    }
    if !output.quiet {
        session::report(&summary("fixed", &fixed));
    }
    let latest = fixed.after.as_mut().unwrap_or(&mut fixed.before);
    session::show(&mut latest.findings, &latest.loaded.map, &command.check, output)
}

/// The files that were changed, as they were.
fn each(fixed: &Fixed) -> impl Iterator<Item = (&SourceFile, &Changes)> {
    let map = &fixed.before.loaded.map;
    fixed.changes.iter().filter_map(|(file, changes)| Some((map.get(*file)?, changes)))
}

/// ``fixed 3 findings in `registry/roles.kdl` ``, and what was not fixed.
fn summary(done: &str, fixed: &Fixed) -> String {
    let mut text = String::new();
    if fixed.cured > 0 {
        let files: Vec<String> = each(fixed).map(|(source, _)| words::quoted(source.name())).collect();
        let findings = words::count(fixed.cured, "finding");
        text.extend([done, " ", &findings, " in ", &words::all_of(&files), "\n"]);
    }
    for left in fixed.left_out.iter().take(MOST_NAMED) {
        text.extend(["left out, since other findings would come of it: ", left, "\n"]);
    }
    if fixed.left_out.len() > MOST_NAMED {
        let others = words::count(fixed.left_out.len() - MOST_NAMED, "other");
        text.extend(["left out likewise: ", &others, "\n"]);
    }
    text
}
