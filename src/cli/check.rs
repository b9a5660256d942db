//! `orchgen check`.

use super::args::{CheckArgs, OutputArgs};
use super::{RunStatus, baseline, fix, session, standard_input};
use crate::compile::analyze;
use crate::diag::{BaselineScope, Diagnostics};
use std::mem::ManuallyDrop;

pub(super) fn run(args: &CheckArgs, output: OutputArgs) -> Result<RunStatus, RunStatus> {
    let CheckArgs { common: command, update_baseline, locked, fixes, .. } = args;
    if fixes.fix || fixes.diff {
        return fix::run(args, output);
    }
    let mut findings = Diagnostics::with(command.severity.levels()?);
    let mut loaded = standard_input::load_registry(args)?;
    let baseline = if *update_baseline { None } else { baseline::read(command)? };
    // The verdict is in the findings. Leak the rest: freeing it is slow.
    let _checked = ManuallyDrop::new(analyze(&loaded, locked.not_checked_policy(), &mut findings));
    if *update_baseline {
        baseline::update(command, &mut findings, &loaded.map, output)?;
    }
    if let Some(baseline) = baseline {
        baseline.apply(&mut findings, &mut loaded.map, BaselineScope::All);
    }
    Ok(session::report_findings(&mut findings, &loaded.map, command, output))
}
