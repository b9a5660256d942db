//! `orchgen check`.

use super::End;
use super::args::{Check, Output};
use super::session;
use crate::compile::analyse;
use crate::diag::Diagnostics;

pub(super) fn run(command: &Check, output: Output) -> End {
    let loaded = match session::read(command) {
        Ok(loaded) => loaded,
        Err(end) => return end,
    };
    let mut findings = Diagnostics::default();
    // The proof that something is wrong is in the findings as well.
    let _ = analyse(&loaded, &mut findings);
    session::show(&mut findings, &loaded.map, command, output)
}
