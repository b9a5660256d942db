//! The differences of two command lines by word.

/// Removed words, and added words in their place.
pub(super) type WordHunk = (Vec<String>, Vec<String>);

/// The differences in order, from the longest common subsequence.
pub(super) fn diff_words(old: &[String], new: &[String]) -> Vec<WordHunk> {
    let table = lcs_lengths(old, new);
    let common = |a: usize, b: usize| table.get(a).and_then(|row| row.get(b)).copied().unwrap_or(0);
    let mut found: Vec<WordHunk> = Vec::new();
    let (mut a, mut b, mut in_hunk) = (0, 0, false);
    loop {
        let (left, right) = (old.get(a), new.get(b));
        if left.is_some() && left == right {
            (a, b, in_hunk) = (a + 1, b + 1, false);
            continue;
        }
        if left.is_none() && right.is_none() {
            return found;
        }
        if !in_hunk {
            found.push(WordHunk::default());
            in_hunk = true;
        }
        let Some((removed, added)) = found.last_mut() else { return found };
        match (left, right) {
            (Some(word), _) if right.is_none() || common(a + 1, b) >= common(a, b + 1) => {
                removed.push(word.clone());
                a += 1;
            }
            (_, Some(word)) => {
                added.push(word.clone());
                b += 1;
            }
            (_, None) => return found,
        }
    }
}

/// The length of the longest common subsequence of the remaining words, for each pair of positions.
fn lcs_lengths(old: &[String], new: &[String]) -> Vec<Vec<usize>> {
    let mut below = vec![0; new.len() + 1];
    let mut rows = vec![below.clone()];
    for left in old.iter().rev() {
        let mut row = vec![0; new.len() + 1];
        for (at, right) in new.iter().enumerate().rev() {
            let cell = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(0);
            let length = if left == right {
                cell(&below, at + 1) + 1
            } else {
                cell(&below, at).max(cell(&row, at + 1))
            };
            if let Some(place) = row.get_mut(at) {
                *place = length;
            }
        }
        rows.push(row.clone());
        below = row;
    }
    rows.reverse();
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(old: &str, new: &str) -> Vec<(String, String)> {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let found = diff_words(&words(old), &words(new));
        found.into_iter().map(|(removed, added)| (removed.join(" "), added.join(" "))).collect()
    }

    #[test]
    fn hunks_are_minimal_and_in_order() {
        let hunk = |removed: &str, added: &str| (removed.to_owned(), added.to_owned());
        assert_eq!(diff("", ""), []);
        assert_eq!(diff("a b", "a b"), []);
        assert_eq!(
            diff("-m x --mlock -c 1", "-m x --load-mode mmap -c 1"),
            [hunk("--mlock", "--load-mode mmap")]
        );
        assert_eq!(diff("a", "a b"), [hunk("", "b")]);
        assert_eq!(diff("a b", "b"), [hunk("a", "")]);
        assert_eq!(diff("a b c d", "x b y d"), [hunk("a", "x"), hunk("c", "y")]);
    }
}
