//! `orchgen check`.

use super::args::{Checking, Output};
use super::{End, baseline, fix, session};
use crate::compile::analyse_to;
use crate::diag::{Diagnostics, Reach};
use std::mem::ManuallyDrop;

pub(super) fn run(command: &Checking, output: Output) -> End {
    let is_mended = command.mend.fix || command.mend.diff;
    let end = if is_mended { fix::run(command, output) } else { check(command, output) };
    end.unwrap_or_else(|end| end)
}

fn check(
    Checking { check: command, update_baseline, proof, .. }: &Checking,
    output: Output,
) -> Result<End, End> {
    let mut findings = Diagnostics::with(command.said.levels()?);
    let mut loaded = session::read(command)?;
    let known = if *update_baseline { None } else { baseline::read(command)? };
    // Whether something is wrong is in the findings; giving the rest back piece by piece takes longer than ending.
    let _checked = ManuallyDrop::new(analyse_to(proof.demand(), &loaded, &mut findings));
    if *update_baseline {
        baseline::update(command, &mut findings, &loaded.map, output)?;
    }
    if let Some(known) = known {
        known.apply(&mut findings, &mut loaded.map, Reach::All);
    }
    Ok(session::show(&mut findings, &loaded.map, command, output))
}
