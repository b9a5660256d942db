//! Many names, and which of them are like a word, found without looking at each.

use super::suggest::fold;

/// So many names are each held against the word.
const FEW: usize = 100;
/// Of more names than this only those with one slip are like a word, and below it those with two.
const MANY: usize = 10_000;
/// No name is longer, in characters.
const LONGEST: usize = 256;

/// The names of one kind, for [`near`](super::near) to choose from.
#[derive(Debug)]
pub struct Lexicon {
    /// In byte order.
    names: Vec<Box<str>>,
    /// What each is without case and dashes, in byte order, with its number.
    folded: Vec<(Box<str>, usize)>,
}

impl Lexicon {
    /// Takes the names in.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut names: Vec<Box<str>> = names.into_iter().map(Into::into).collect();
        names.sort_unstable();
        names.dedup();
        let mut folded = Vec::new();
        if names.len() > FEW {
            folded.extend(names.iter().zip(0..).map(|(name, at)| (fold(name).into(), at)));
            folded.sort_unstable();
        }
        Self { names, folded }
    }

    /// The names that may be the nearest to a word: all where there are few, else the same but for case and dashes, and those with
    /// few slips.
    pub fn like(&self, word: &str) -> Vec<&str> {
        if self.names.len() <= FEW {
            return self.names.iter().map(AsRef::as_ref).collect();
        }
        if word.len() > LONGEST * char::MAX.len_utf8() {
            return Vec::new();
        }
        let slips = if self.names.len() > MANY { 1 } else { 2 };
        let mut found = within(&self.names, word, slips);
        let same = fold(word);
        let from = self.folded.partition_point(|(folded, _)| **folded < *same);
        let all = self.folded.iter().skip(from).take_while(|(folded, _)| **folded == *same);
        found.extend(all.filter_map(|(_, at)| self.names.get(*at)).map(AsRef::as_ref));
        found
    }
}

/// The names that are so many slips from the word at the most: letters wrong, too many, left out or swapped. The names are read as a
/// tree of their beginnings, and a beginning with more slips is passed over with all that begin so.
fn within<'n>(names: &'n [Box<str>], word: &str, slips: usize) -> Vec<&'n str> {
    let word: Vec<char> = word.chars().collect();
    let (mut found, mut at) = (Vec::new(), 0);
    let mut table = Table::new(&word);
    while let Some(name) = names.get(at) {
        match table.read(name, slips) {
            Ok(distance) => {
                found.extend((distance <= slips).then_some(&**name));
                at += 1;
            }
            Err(beginning) => {
                let rest = names.get(at..).unwrap_or_default();
                at += rest.partition_point(|name| name.starts_with(beginning));
            }
        }
    }
    found
}

/// The distances of the beginnings of a name from those of a word; those of the last name are kept as far as the next begins alike.
struct Table<'w> {
    word: &'w [char],
    letters: Vec<char>,
    /// A row for each letter, after one for none.
    rows: Vec<Vec<usize>>,
}

impl<'w> Table<'w> {
    fn new(word: &'w [char]) -> Self {
        Self { word, letters: Vec::new(), rows: vec![(0..=word.len()).collect()] }
    }

    /// The distance of a name; as soon as it is more than `most` whatever follows, the beginning of which that is true.
    fn read<'n>(&mut self, name: &'n str, most: usize) -> Result<usize, &'n str> {
        let same = name.chars().zip(&self.letters).take_while(|(a, b)| a == *b).count();
        self.letters.truncate(same);
        self.rows.truncate(same + 1);
        if self.least() > most {
            let end = name.char_indices().nth(same).map_or(name.len(), |(at, _)| at);
            return Err(name.get(..end).unwrap_or(name));
        }
        for (at, letter) in name.char_indices().skip(same) {
            let row = self.row(letter);
            self.letters.push(letter);
            self.rows.push(row);
            if self.least() > most {
                return Err(name.get(..at + letter.len_utf8()).unwrap_or(name));
            }
        }
        Ok(self.rows.last().and_then(|row| row.last()).copied().unwrap_or(usize::MAX))
    }

    fn least(&self) -> usize {
        self.rows.last().and_then(|row| row.iter().min()).copied().unwrap_or(0)
    }

    /// The row of one letter more.
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
