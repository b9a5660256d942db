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
/// smallest edit distance that is at most a third of the length of the word, rounded up. The first wins where several
/// are as near.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(word);
    let synonym = SYNONYMS.iter().find(|(said, _)| *said == folded).map(|(_, meant)| *meant);
    let limit = word.chars().count().div_ceil(3);
    let mut best: Option<(usize, &'a str)> = None;
    for candidate in candidates {
        let distance = if fold(candidate) == folded {
            0
        } else if synonym == Some(candidate) {
            1
        } else if candidate.len().abs_diff(word.len()) > limit * 4 {
            continue;
        } else {
            strsim::osa_distance(word, candidate) + 1
        };
        if distance <= limit + 1 && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Whether two names are so unlike that nobody would mistake one for the other.
pub fn unlike(a: &str, b: &str) -> bool {
    nearest(a, [b]).is_none()
}

fn fold(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '-' | '_' | '.' | ' ')).flat_map(char::to_lowercase).collect()
}
