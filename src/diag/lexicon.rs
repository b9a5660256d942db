//! Finds the names that are similar to a word without comparing it with every name.

use super::suggest::fold;

/// Up to this number of names, every name is a candidate.
const ALL_CANDIDATES_LIMIT: usize = 100;
/// With more names than this, candidates may have edit distance 1; with fewer, distance 2.
const MANY_NAMES: usize = 10_000;
/// The maximum length of a name, in characters.
const MAX_NAME_CHARS: usize = 256;

/// The names of one kind of item. [`suggest`](fn@super::suggest) chooses from its candidates.
#[derive(Debug)]
pub struct Lexicon {
    /// Sorted in byte order.
    names: Vec<Box<str>>,
    /// Each name in lower case without separators, with its index in `names`; sorted in byte order.
    folded: Vec<(Box<str>, usize)>,
}

impl Lexicon {
    /// Builds the index of these names.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut names: Vec<Box<str>> = names.into_iter().map(Into::into).collect();
        names.sort_unstable();
        names.dedup();
        let mut folded = Vec::new();
        if names.len() > ALL_CANDIDATES_LIMIT {
            folded.extend(names.iter().zip(0..).map(|(name, at)| (fold(name).into(), at)));
            folded.sort_unstable();
        }
        Self { names, folded }
    }

    /// The names that may be the best suggestion for a word. These are all names if there are few. Otherwise they are
    /// the names that differ only in case and separators, and those within a small edit distance.
    pub fn candidates(&self, word: &str) -> Vec<&str> {
        if self.names.len() <= ALL_CANDIDATES_LIMIT {
            return self.names.iter().map(AsRef::as_ref).collect();
        }
        if word.len() > MAX_NAME_CHARS * char::MAX.len_utf8() {
            return Vec::new();
        }
        let max_distance = if self.names.len() > MANY_NAMES { 1 } else { 2 };
        let mut found = within_distance(&self.names, word, max_distance);
        let target = fold(word);
        let from = self.folded.partition_point(|(folded, _)| **folded < *target);
        let all = self.folded.iter().skip(from).take_while(|(folded, _)| **folded == *target);
        found.extend(all.filter_map(|(_, at)| self.names.get(*at)).map(AsRef::as_ref));
        found
    }
}

/// The names within an edit distance of the word. Edits are: replace, insert or delete a character, or swap two
/// adjacent ones. The sorted names are searched like a trie: if a prefix exceeds the distance, all names with this
/// prefix are skipped.
fn within_distance<'n>(names: &'n [Box<str>], word: &str, max_distance: usize) -> Vec<&'n str> {
    let word: Vec<char> = word.chars().collect();
    let (mut found, mut at) = (Vec::new(), 0);
    let mut table = DistanceTable::new(&word);
    while let Some(name) = names.get(at) {
        match table.distance(name, max_distance) {
            Ok(distance) => {
                found.extend((distance <= max_distance).then_some(&**name));
                at += 1;
            }
            Err(prefix) => {
                let rest = names.get(at..).unwrap_or_default();
                at += rest.partition_point(|name| name.starts_with(prefix));
            }
        }
    }
    found
}

/// The edit distances between all prefixes of a name and all prefixes of the word. Rows of the previous name are reused
/// for the prefix that it shares with the next name.
struct DistanceTable<'w> {
    word: &'w [char],
    letters: Vec<char>,
    /// One row for the empty prefix, then one row per letter of the name.
    rows: Vec<Vec<usize>>,
}

impl<'w> DistanceTable<'w> {
    fn new(word: &'w [char]) -> Self {
        Self { word, letters: Vec::new(), rows: vec![(0..=word.len()).collect()] }
    }

    /// The distance of a name, or the shortest prefix that already exceeds `max_distance`.
    fn distance<'n>(&mut self, name: &'n str, max_distance: usize) -> Result<usize, &'n str> {
        let shared = name.chars().zip(&self.letters).take_while(|(a, b)| a == *b).count();
        self.letters.truncate(shared);
        self.rows.truncate(shared + 1);
        if self.least() > max_distance {
            let end = name.char_indices().nth(shared).map_or(name.len(), |(at, _)| at);
            return Err(name.get(..end).unwrap_or(name));
        }
        for (at, letter) in name.char_indices().skip(shared) {
            let row = self.row(letter);
            self.letters.push(letter);
            self.rows.push(row);
            if self.least() > max_distance {
                return Err(name.get(..at + letter.len_utf8()).unwrap_or(name));
            }
        }
        Ok(self.rows.last().and_then(|row| row.last()).copied().unwrap_or(usize::MAX))
    }

    fn least(&self) -> usize {
        self.rows.last().and_then(|row| row.iter().min()).copied().unwrap_or(0)
    }

    /// The row after one more letter.
    fn row(&self, letter: char) -> Vec<usize> {
        let cell = |back: usize, at: usize| {
            let row = self.rows.len().checked_sub(back)?;
            self.rows.get(row)?.get(at).copied()
        };
        let far = usize::MAX - 1;
        let mut row: Vec<usize> = Vec::with_capacity(self.word.len() + 1);
        row.push(self.rows.len());
        for (at, own) in self.word.iter().enumerate() {
            let left = row.last().copied().unwrap_or(far);
            let above = cell(1, at + 1).unwrap_or(far);
            let across = cell(1, at).unwrap_or(far) + usize::from(*own != letter);
            let mut least = across.min(left + 1).min(above + 1);
            let swapped = self.letters.last() == Some(own)
                && at.checked_sub(1).and_then(|before| self.word.get(before)) == Some(&letter);
            if swapped && let Some(before) = at.checked_sub(1).and_then(|before| cell(2, before)) {
                least = least.min(before + 1);
            }
            row.push(least);
        }
        row
    }
}
