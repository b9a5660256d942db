//! `{a,b}` and `{1..4}`: several words from one.

use super::words::{Part, PartKind, RawWord};

/// The maximum number of words from one word.
pub(super) const MAX_WORDS: usize = 1024;

/// The result for a word.
pub(super) enum Braces {
    /// It has no list in braces.
    None,
    /// Its list is not read.
    Dynamic,
    /// Its words.
    Words(Vec<RawWord>),
}

/// The words of a word with lists in braces.
pub(super) fn expand(word: &RawWord) -> Braces {
    let plain = |part: &&Part| matches!(part.kind, PartKind::Text) && !part.is_quoted;
    let texts = || word.parts.iter().filter(plain).map(|part| part.written.as_str());
    if !texts().any(|text| text.contains('{')) || !texts().any(|text| text.contains('}')) {
        return Braces::None;
    }
    if word.parts.len() > 64 || word.parts.iter().any(|part| part.written.len() > 4096) {
        return Braces::Dynamic;
    }
    let mut done = Vec::new();
    let mut open = vec![word.clone()];
    while let Some(word) = open.pop() {
        let found = word.parts.iter().enumerate().find_map(|(n, part)| {
            let list = if plain(&part) { list(&part.written)? } else { return None };
            Some((n, list))
        });
        match found {
            Some((n, texts)) => {
                let with = |text: String| {
                    let mut word = word.clone();
                    if let Some(part) = word.parts.get_mut(n) {
                        part.written = text;
                    }
                    word
                };
                open.extend(texts.into_iter().rev().map(with));
            }
            None => done.push(word),
        }
        if open.len() + done.len() > MAX_WORDS {
            return Braces::Dynamic;
        }
    }
    let is_list = done.len() == 1 && texts().any(|text| text.contains(',') || text.contains(".."));
    if is_list { Braces::Dynamic } else { Braces::Words(done) }
}

/// The texts for the first list in braces of a text. `None` if it has none.
fn list(text: &str) -> Option<Vec<String>> {
    let mut from = 0;
    while let Some(open) = text.get(from..)?.find('{').map(|at| from + at) {
        let inner = text.get(open + 1..)?;
        let end = inner.find(['{', '}'])?;
        let (inside, after) = inner.split_at_checked(end)?;
        let parts = after.starts_with('}').then(|| parts(inside)).flatten();
        if let Some(parts) = parts {
            let (before, after) = (text.get(..open)?, after.get(1..)?);
            return Some(parts.iter().map(|part| format!("{before}{part}{after}")).collect());
        }
        from = open + 1;
    }
    None
}

fn parts(inside: &str) -> Option<Vec<String>> {
    if inside.contains(',') {
        return Some(inside.split(',').map(str::to_owned).collect());
    }
    let numbers: Option<Vec<i64>> = inside.split("..").map(|number| number.parse().ok()).collect();
    let (from, to, step) = match numbers?.as_slice() {
        [from, to] => (*from, *to, 1),
        [from, to, step] => (*from, *to, step.checked_abs()?.max(1)),
        _ => return None,
    };
    let is_padded = inside
        .split("..")
        .take(2)
        .any(|number| number.len() > 1 && number.trim_start_matches('-').starts_with('0'));
    let count = from.checked_sub(to)?.checked_abs()? / step;
    if is_padded || count > i64::try_from(MAX_WORDS).ok()? {
        return None;
    }
    let sign = if from <= to { step } else { -step };
    (0..=count).map(|n| Some(from.checked_add(n.checked_mul(sign)?)?.to_string())).collect()
}
