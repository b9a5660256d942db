//! The nearest known name, or none.

use super::Safety;

/// Names that people use for a thing that the language calls otherwise.
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
    ("address", "listen"),
    ("bind", "listen"),
    ("affinity", "cpus"),
    ("quantization", "quant"),
];

/// A known name that was most likely meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Near<'a> {
    /// The name.
    pub name: &'a str,
    /// How sure that is.
    pub likeness: Likeness,
}

/// How like a word is to the name that is nearest to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Likeness {
    /// The same but for case and dashes, or another word for the same thing.
    Same,
    /// One slip in three letters or two in eight, none of them in a number, and no other name is as near.
    Slip,
    /// No other name is as near, but a number differs or much else.
    Far,
    /// Another name is as near.
    Tied,
}

impl Near<'_> {
    /// Whether it may be written without asking; none where it is no better than another.
    pub fn safety(self) -> Option<Safety> {
        match self.likeness {
            Likeness::Same | Likeness::Slip => Some(Safety::Safe),
            Likeness::Far => Some(Safety::Unsafe),
            Likeness::Tied => None,
        }
    }
}

/// The name of the candidate that was most likely meant: see [`near`].
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    near(word, candidates).map(|near| near.name)
}

/// The candidate that was most likely meant: the same but for case and dashes, else a synonym, else the one at the
/// smallest edit distance that is at most a third of the length of the word, rounded up. Of several as near, one with the
/// same first letter wins, since that is seldom wrong; then one of the same length, since letters are swapped more often
/// than left out; then the first.
pub fn near<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<Near<'a>> {
    let (folded, length) = (fold(word), word.chars().count());
    let synonym = SYNONYMS.iter().find(|(said, _)| *said == folded).map(|(_, meant)| *meant);
    let mut best: Option<(Rank, &'a str)> = None;
    let mut tied = false;
    for candidate in candidates {
        let rank = if !folded.is_empty() && letters(candidate).eq(folded.chars()) {
            (0, false, 0)
        } else if synonym == Some(candidate) {
            (1, false, 0)
        } else if let Some(rank) = slips((word, length), candidate) {
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
    let ((slips, ..), name) = best?;
    let likeness = match slips {
        _ if tied => Likeness::Tied,
        0 | 1 => Likeness::Same,
        _ if is_slip(word, name, slips - 1) => Likeness::Slip,
        _ => Likeness::Far,
    };
    Some(Near { name, likeness })
}

/// Whether so few slips are surely slips: two models whose names differ in a digit are two models.
fn is_slip(word: &str, name: &str, slips: usize) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let length = word.chars().count().max(name.chars().count());
    let least = if slips == 1 { 3 } else { 8 };
    slips <= 2 && length >= least && digits(word) == digits(name)
}

/// How far a candidate is from the word, least first: 0 and 1 for the same thing and else 1 more than the slips, then whether
/// the first letters differ, and how much longer one is.
type Rank = (usize, bool, usize);

/// The rank by edit distance; none where the two are too far apart, or share nothing.
fn slips((word, said): (&str, usize), candidate: &str) -> Option<Rank> {
    let meant = candidate.chars().count();
    let limit = said.div_ceil(3);
    let longer = said.abs_diff(meant);
    if longer > limit {
        return None;
    }
    let distance = strsim::osa_distance(word, candidate);
    let near = distance <= limit && distance < said.max(meant);
    near.then(|| (distance + 1, word.chars().next() != candidate.chars().next(), longer))
}

/// A word without case and dashes.
pub(super) fn fold(word: &str) -> String {
    letters(word).collect()
}

fn letters(word: &str) -> impl Iterator<Item = char> {
    word.chars().filter(|c| !matches!(c, '-' | '_' | '.' | ' ')).flat_map(char::to_lowercase)
}
