//! `orchgen check`.

use super::End;
use super::args::{Checking, Output};
use super::{fix, session};
use crate::compile::analyse;
use crate::diag::Diagnostics;
use std::mem::ManuallyDrop;

pub(super) fn run(command: &Checking, output: Output) -> End {
    if command.mend.fix || command.mend.diff {
        return fix::run(command, output);
    }
    let loaded = match session::read(&command.check) {
        Ok(loaded) => loaded,
        Err(end) => return end,
    };
    let mut findings = Diagnostics::default();
    // Whether something is wrong is in the findings; giving the rest back piece by piece takes longer than ending.
    let _checked = ManuallyDrop::new(analyse(&loaded, &mut findings));
    session::show(&mut findings, &loaded.map, &command.check, output)
}
