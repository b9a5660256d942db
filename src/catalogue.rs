//! Every code there is, gathered from the rooms that declare them.

use crate::diag::Code;
use crate::{check, diag, emit, facts, hir, syntax};

/// All codes, in the order of their numbers.
pub fn codes() -> Vec<&'static Code> {
    let mut all: Vec<&'static Code> = syntax::codes::ALL
        .iter()
        .chain(hir::codes::ALL)
        .chain(facts::lock::CODES)
        .chain(emit::codes::ALL)
        .chain(diag::codes::ALL)
        .copied()
        .chain(check::codes())
        .collect();
    all.sort_by_key(|code| code.number);
    all
}

/// The code of a number (`ORC302`, `302`) or a name (`port-conflict`), in any case.
pub fn find(word: &str) -> Option<&'static Code> {
    codes().into_iter().find(|code| code.is_named(word))
}
