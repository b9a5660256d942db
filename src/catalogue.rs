//! All finding codes, collected from the modules that declare them.

use crate::diag::Code;
use crate::{check, derive, diag, emit, facts, hir, import, syntax};

/// All codes, sorted by number.
pub fn codes() -> Vec<&'static Code> {
    let mut all: Vec<&'static Code> = syntax::codes::ALL
        .iter()
        .chain(hir::codes::ALL)
        .chain(facts::lock::CODES)
        .chain(derive::CODES)
        .chain(emit::codes::ALL)
        .chain(diag::codes::ALL)
        .chain(import::codes::ALL)
        .copied()
        .chain(check::codes())
        .collect();
    all.sort_by_key(|code| code.number);
    all
}

/// Finds a code by its number (`ORC302`, `302`) or its name (`port-conflict`), ignoring case.
pub fn find(word: &str) -> Option<&'static Code> {
    codes().into_iter().find(|code| code.is_named(word))
}
