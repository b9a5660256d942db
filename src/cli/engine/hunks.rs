//! Where two command lines differ, word by word.

/// Words that go, and those that stand in their place.
pub(super) type Hunk = (Vec<String>, Vec<String>);

/// The differences in order, by the longest common subsequence.
pub(super) fn hunks(old: &[String], new: &[String]) -> Vec<Hunk> {
    let table = lengths(old, new);
    let common = |a: usize, b: usize| table.get(a).and_then(|row| row.get(b)).copied().unwrap_or(0);
    let mut found: Vec<Hunk> = Vec::new();
    let (mut a, mut b, mut is_open) = (0, 0, false);
    loop {
        let (left, right) = (old.get(a), new.get(b));
        if left.is_some() && left == right {
            (a, b, is_open) = (a + 1, b + 1, false);
            continue;
        }
        if left.is_none() && right.is_none() {
            return found;
        }
        if !is_open {
            found.push(Hunk::default());
            is_open = true;
        }
        let Some((gone, come)) = found.last_mut() else { return found };
        match (left, right) {
            (Some(word), _) if right.is_none() || common(a + 1, b) >= common(a, b + 1) => {
                gone.push(word.clone());
                a += 1;
            }
            (_, Some(word)) => {
                come.push(word.clone());
                b += 1;
            }
            (_, None) => return found,
        }
    }
}

/// The length of the longest common subsequence of what is left from each pair of places on.
fn lengths(old: &[String], new: &[String]) -> Vec<Vec<usize>> {
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

    fn of(old: &str, new: &str) -> Vec<(String, String)> {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let found = hunks(&words(old), &words(new));
        found.into_iter().map(|(gone, come)| (gone.join(" "), come.join(" "))).collect()
    }

    #[test]
    fn what_differs_is_found_in_order_and_nothing_else() {
        let hunk = |gone: &str, come: &str| (gone.to_owned(), come.to_owned());
        assert_eq!(of("", ""), []);
        assert_eq!(of("a b", "a b"), []);
        assert_eq!(
            of("-m x --mlock -c 1", "-m x --load-mode mmap -c 1"),
            [hunk("--mlock", "--load-mode mmap")]
        );
        assert_eq!(of("a", "a b"), [hunk("", "b")]);
        assert_eq!(of("a b", "b"), [hunk("a", "")]);
        assert_eq!(of("a b c d", "x b y d"), [hunk("a", "x"), hunk("c", "y")]);
    }
}
