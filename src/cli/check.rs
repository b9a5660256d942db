//! `orchgen check`.

use super::args::{CheckArgs, OutputArgs};
use super::{RunStatus, baseline, fix, session, standard_input, watch};
use crate::check::Checked;
use crate::compile::analyze;
use crate::diag::{BaselineScope, Diagnostics, Reported};
use crate::source::Loaded;
use std::mem::ManuallyDrop;

/// The result of a check.
pub(super) struct Check {
    pub(super) findings: Diagnostics,
    pub(super) loaded: Loaded,
    checked: Result<Checked, Reported>,
}

pub(super) fn run(args: &CheckArgs, output: OutputArgs) -> Result<RunStatus, RunStatus> {
    if args.fixes.fix || args.fixes.diff {
        return fix::run(args, output);
    }
    if args.watch {
        return watch::run(args, output);
    }
    let Check { mut findings, loaded, checked } = check(args, output)?;
    // The verdict is in the findings. Leak the rest: freeing it is slow.
    let _checked = ManuallyDrop::new(checked);
    Ok(session::report_findings(&mut findings, &loaded.map, &args.common, output))
}

/// Checks the registry once. With `--update-baseline`, also writes the baseline.
pub(super) fn check(args: &CheckArgs, output: OutputArgs) -> Result<Check, RunStatus> {
    let command = &args.common;
    let mut findings = Diagnostics::with(command.severity.levels()?);
    let mut loaded = standard_input::load_registry(args)?;
    let baseline = if args.update_baseline { None } else { baseline::read(command)? };
    let checked = analyze(&loaded, args.locked.not_checked_policy(), &mut findings);
    if args.update_baseline {
        baseline::update(command, &mut findings, &loaded.map, output)?;
    }
    if let Some(baseline) = baseline {
        baseline.apply(&mut findings, &mut loaded.map, BaselineScope::All);
    }
    Ok(Check { findings, loaded, checked })
}
