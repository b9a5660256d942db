//! The nearest known name, or none.

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

/// The candidate that was most likely meant: the same but for case and dashes, else a synonym, else the one at the
/// smallest edit distance that is at most a third of the length of the word, rounded up. Of several as near, one with the
/// same first letter wins, since that is seldom wrong; then one of the same length, since letters are swapped more often
/// than left out; then the first.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(word);
    let synonym = SYNONYMS.iter().find(|(said, _)| *said == folded).map(|(_, meant)| *meant);
    let mut best: Option<(Rank, &'a str)> = None;
    for candidate in candidates {
        let rank = if !folded.is_empty() && fold(candidate) == folded {
            Some((0, false, 0))
        } else if synonym == Some(candidate) {
            Some((1, false, 0))
        } else {
            slips(word, candidate)
        };
        if let Some(rank) = rank
            && best.is_none_or(|(least, _)| rank < least)
        {
            best = Some((rank, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// How far a candidate is from the word, least first: slips, whether the first letters differ, and how much longer one is.
type Rank = (usize, bool, usize);

/// The rank by edit distance; none where the two are too far apart, or share nothing.
fn slips(word: &str, candidate: &str) -> Option<Rank> {
    let (said, meant) = (word.chars().count(), candidate.chars().count());
    let limit = said.div_ceil(3);
    let longer = said.abs_diff(meant);
    if longer > limit {
        return None;
    }
    let distance = strsim::osa_distance(word, candidate);
    let near = distance <= limit && distance < said.max(meant);
    near.then(|| (distance + 1, word.chars().next() != candidate.chars().next(), longer))
}

fn fold(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '-' | '_' | '.' | ' ')).flat_map(char::to_lowercase).collect()
}
