//! `orchgen check`.

use super::End;
use super::args::{Check, Output};
use super::session;
use crate::compile::analyse;
use crate::diag::Diagnostics;
use std::mem::ManuallyDrop;

pub(super) fn run(command: &Check, output: Output) -> End {
    let loaded = match session::read(command) {
        Ok(loaded) => loaded,
        Err(end) => return end,
    };
    let mut findings = Diagnostics::default();
    // Whether something is wrong is in the findings; giving the rest back piece by piece takes longer than ending.
    let _checked = ManuallyDrop::new(analyse(&loaded, &mut findings));
    session::show(&mut findings, &loaded.map, command, output)
}
