//! Suggests the known name that the user most likely intended.

use super::{Code, Diagnostic, Safety};
use crate::source::Span;

/// Words from other tools, with the name of the same thing in a registry.
const SYNONYMS: &[(&str, &str)] = &[
    ("ctx", "context"),
    ("ctxsize", "context"),
    ("contextsize", "context"),
    ("ncpus", "cpus"),
    ("np", "slots"),
    ("parallel", "slots"),
    ("path", "file"),
    ("gguf", "file"),
    ("mmproj", "projector"),
    ("ram", "memory"),
    ("mem", "memory"),
    ("val", "value"),
    ("description", "purpose"),
    ("desc", "purpose"),
    ("comment", "note"),
    ("comments", "note"),
    ("hostport", "port"),
    ("serverport", "port"),
    ("address", "listen"),
    ("bind", "listen"),
    ("affinity", "cpus"),
    ("quantization", "quant"),
    ("router", "gateway"),
];

/// Among more candidates than this, only those that may have edit distance 1 are compared: the others would take long.
const MANY_CANDIDATES: usize = 1000;

/// The maximum length of a word for which an edit distance is computed, in characters.
const MAX_WORD_CHARS: usize = 256;

/// The known name that was most likely intended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Suggestion<'a> {
    /// The suggested name.
    pub name: &'a str,
    /// How similar it is to the word that the user wrote.
    pub similarity: Similarity,
}

/// How similar a word is to the best matching name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Similarity {
    /// Differs only in case and separators, or is a synonym.
    Same,
    /// Edit distance 1 in at least 3 characters, or 2 in at least 8; digits are equal, and no other name is as close.
    Typo,
    /// No other name is as close, but digits differ or the distance is larger.
    Distant,
    /// Another name is equally close.
    Ambiguous,
}

impl Suggestion<'_> {
    /// The safety of a fix that writes this name; none if the suggestion is ambiguous.
    pub fn safety(self) -> Option<Safety> {
        match self.similarity {
            Similarity::Same | Similarity::Typo => Some(Safety::Safe),
            Similarity::Distant => Some(Safety::Unsafe),
            Similarity::Ambiguous => None,
        }
    }
}

impl Code {
    /// A finding at a word that is not known. The label is the suggestion, which is also a fix, or the other text.
    pub fn at_unknown(
        &'static self,
        span: Span,
        (suggestion, otherwise): (Option<Suggestion>, &str),
        message: impl Into<String>,
    ) -> Diagnostic {
        let did_you_mean = |near: Suggestion| format!("did you mean `{}`?", near.name);
        let label = suggestion.map_or_else(|| otherwise.to_owned(), did_you_mean);
        self.at(span, label, message).suggest(suggestion, span)
    }
}

/// The best matching candidate; see [`suggest`].
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    suggest(word, candidates).map(|found| found.name)
}

/// Words that differ by a letter and mean different places.
const OPPOSITES: &[(&str, &str)] = &[("cpu", "gpu"), ("gpu", "cpu"), ("gpus", "cpus"), ("cpus", "gpus")];

/// The best matching candidate, in this order:
/// 1. a candidate that differs only in case and separators,
/// 2. a synonym,
/// 3. the candidate with the smallest edit distance, at most a third of the word's length (rounded up).
///
/// Ties are broken in this order:
/// 1. the same first letter, because it is rarely wrong,
/// 2. the most similar length, because letters are swapped more often than omitted,
/// 3. the first candidate.
pub fn suggest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<Suggestion<'a>> {
    let is_opposite = |candidate: &str| OPPOSITES.contains(&(word, candidate));
    let candidates: Vec<&'a str> =
        candidates.into_iter().filter(|candidate| !is_opposite(candidate)).collect();
    let (folded, length) = (letters(word).rev().collect::<Vec<_>>(), word.chars().count());
    let are_many = candidates.len() > MANY_CANDIDATES;
    let synonym = SYNONYMS
        .iter()
        .find(|(word, _)| word.chars().rev().eq(folded.iter().copied()))
        .map(|(_, name)| *name);
    let mut best: Option<(Rank, &'a str)> = None;
    let mut tied = false;
    for candidate in candidates {
        // Compare from the end: many similar names have a number there.
        let rank = if !folded.is_empty() && letters(candidate).rev().eq(folded.iter().copied()) {
            (0, false, 0)
        } else if synonym == Some(candidate) {
            (1, false, 0)
        } else if are_many && !is_one_edit(word, candidate) {
            continue;
        } else if let Some(rank) = distance_rank((word, length), candidate) {
            rank
        } else {
            continue;
        };
        match best {
            Some((least, name)) if rank.0 > least.0 || name == candidate => {}
            Some((least, _)) if rank.0 == least.0 => {
                tied = true;
                best = best.filter(|(least, _)| *least <= rank).or(Some((rank, candidate)));
            }
            Some(_) | None => (best, tied) = (Some((rank, candidate)), false),
        }
    }
    let ((rank, ..), name) = best?;
    let similarity = match rank {
        _ if tied => Similarity::Ambiguous,
        0 | 1 => Similarity::Same,
        _ if is_typo(word, name, rank - 1) => Similarity::Typo,
        _ => Similarity::Distant,
    };
    Some(Suggestion { name, similarity })
}

/// True if an edit distance this small is certainly a typo. Names that differ in a digit are different models, not
/// typos.
fn is_typo(word: &str, name: &str, distance: usize) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let length = word.chars().count().max(name.chars().count());
    let least = if distance == 1 { 3 } else { 8 };
    distance <= 2 && length >= least && digits(word) == digits(name)
}

/// The sort key of a candidate, best first:
/// - 0 for equal names, 1 for a synonym, otherwise the edit distance plus 1,
/// - true if the first letters differ,
/// - the difference in length.
type Rank = (usize, bool, usize);

/// The rank by edit distance; none if the two are too different or have no character in common.
fn distance_rank((word, word_length): (&str, usize), candidate: &str) -> Option<Rank> {
    let candidate_length = candidate.chars().count();
    let limit = word_length.div_ceil(3);
    let difference = word_length.abs_diff(candidate_length);
    if difference > limit || word_length > MAX_WORD_CHARS {
        return None;
    }
    let distance = strsim::osa_distance(word, candidate);
    let is_close = distance <= limit && distance < word_length.max(candidate_length);
    is_close.then(|| (distance + 1, word.chars().next() != candidate.chars().next(), difference))
}

/// True if replacing, inserting or deleting a character, or swapping two adjacent ones, may turn one word into the
/// other. This is faster than the edit distance. Characters with several bytes may count as several edits.
fn is_one_edit(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let (least, difference) = (one.len().min(other.len()), one.len().abs_diff(other.len()));
    let end = one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
    if difference > 1 {
        return false;
    }
    let start = one.iter().zip(other).take_while(|(a, b)| a == b).count().min(least - end);
    // A swap changes two characters; strsim then decides.
    least - start - end <= 2
}

/// The characters of the word in lower case, without separators.
fn letters(word: &str) -> impl DoubleEndedIterator<Item = char> {
    word.chars().filter(|c| !matches!(c, '-' | '_' | '.' | ' ')).map(|c| c.to_ascii_lowercase())
}
