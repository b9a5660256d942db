//! Every code there is, gathered from the rooms that declare them.

use crate::diag::Code;
use crate::{check, emit, facts, hir, syntax};

/// All codes, in the order of their numbers.
pub fn codes() -> Vec<&'static Code> {
    let mut all: Vec<&'static Code> = syntax::codes::ALL
        .iter()
        .chain(hir::codes::ALL)
        .chain(facts::lock::CODES)
        .chain(emit::codes::ALL)
        .copied()
        .chain(check::codes())
        .collect();
    all.sort_by_key(|code| code.number);
    all
}

/// The code of a number (`ORC302`, `302`) or a name (`port-conflict`), in any case.
pub fn find(word: &str) -> Option<&'static Code> {
    let word = word.to_ascii_lowercase();
    let digits = word.strip_prefix("orc").unwrap_or(&word);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = if is_number { digits.parse::<u16>().ok() } else { None };
    codes().into_iter().find(|code| Some(code.number) == number || code.name == word)
}
