//! Differences between two texts or two command lines. This is the only file that uses similar.
//!
//! The algorithm of similar has a bounded search: for two very different texts, the diff is right, but not minimal.

use similar::{Algorithm, DiffTag, capture_diff_slices, group_diff_ops};
use std::fmt::Write;
use std::ops::Range;

/// The number of context lines before and after a change.
const CONTEXT_LINES: usize = 3;

/// Removed words, and added words in their place.
pub(super) type WordHunk = (Vec<String>, Vec<String>);

/// The differences between two command lines, in order.
pub(super) fn diff_words(old: &[String], new: &[String]) -> Vec<WordHunk> {
    let words = |all: &[String], range: Range<usize>| all.get(range).unwrap_or_default().to_vec();
    let ops = capture_diff_slices(Algorithm::Myers, old, new);
    let equal_after = |n: usize| ops.get(n + 1).filter(|op| op.tag() == DiffTag::Equal);
    let changes = ops.iter().enumerate().filter(|(_, op)| op.tag() != DiffTag::Equal);
    let hunk = changes.map(|(n, op)| {
        // A replacement has a place on both sides.
        let movable = equal_after(n).filter(|_| op.tag() != DiffTag::Replace);
        let room = movable.map_or(0, |equal| equal.old_range().len());
        let [removed, added] =
            [(old, op.old_range()), (new, op.new_range())].map(|(all, range)| from_option(all, range, room));
        (words(old, removed), words(new, added))
    });
    hunk.collect()
}

/// The range, moved by at most `room` words to begin with an option: `32768 -cd` after `-c` is the same change as
/// `-cd 32768` after `-c 32768`.
fn from_option(all: &[String], range: Range<usize>, room: usize) -> Range<usize> {
    let mut moved = range.clone();
    for _ in 0..=room.min(range.len()) {
        match (all.get(moved.start), all.get(moved.end)) {
            (Some(first), _) if first.starts_with('-') => return moved,
            (Some(first), Some(next)) if first == next => moved = moved.start + 1..moved.end + 1,
            _ => break,
        }
    }
    range
}

/// The changes of one file as a unified diff for `patch -p1` and `git apply`; empty if the texts are equal. `name` is
/// the path of the file; the leading `/` of an absolute path is removed.
pub fn unified(name: &str, old: &str, new: &str) -> String {
    let [old, new] = [old, new].map(|text| text.split_inclusive('\n').collect::<Vec<_>>());
    let mut out = String::new();
    for group in group_diff_ops(capture_diff_slices(Algorithm::Myers, &old, &new), CONTEXT_LINES) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        if out.is_empty() {
            out = format!("--- {}\n+++ {}\n", quoted_path('a', name), quoted_path('b', name));
        }
        let range = |first: Range<usize>, last: Range<usize>| {
            let count = last.end - first.start;
            format!("{},{count}", first.start + usize::from(count > 0))
        };
        let (before, after) =
            (range(first.old_range(), last.old_range()), range(first.new_range(), last.new_range()));
        // Writing to a string cannot fail.
        let _ = writeln!(out, "@@ -{before} +{after} @@");
        for op in &group {
            let (before, after) = (op.old_range(), op.new_range());
            if op.tag() == DiffTag::Equal {
                push_lines(&mut out, ' ', &old, before);
            } else if before.len() == after.len() {
                // Each line is followed by its new text.
                for (before, after) in before.zip(after) {
                    push_lines(&mut out, '-', &old, before..before + 1);
                    push_lines(&mut out, '+', &new, after..after + 1);
                }
            } else {
                push_lines(&mut out, '-', &old, before);
                push_lines(&mut out, '+', &new, after);
            }
        }
    }
    out
}

fn push_lines(out: &mut String, mark: char, lines: &[&str], range: Range<usize>) {
    for line in lines.get(range).unwrap_or_default() {
        out.push(mark);
        out.push_str(line);
        if !line.ends_with('\n') {
            out.push_str("\n\\ No newline at end of file\n");
        }
    }
}

/// For example `a/registry/roles.kdl`. Quoted if git requires it. A path with spaces ends with a tab, or `patch` would
/// cut it at the space.
fn quoted_path(side: char, name: &str) -> String {
    let path = format!("{side}/{}", name.trim_start_matches('/'));
    if !path.contains(|c: char| c.is_control() || matches!(c, '"' | '\\')) {
        let end = if path.contains(' ') { "\t" } else { "" };
        return path + end;
    }
    let mut out = String::from("\"");
    for byte in path.bytes() {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            b' '..=b'~' => out.push(char::from(byte)),
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\{byte:03o}");
            }
        }
    }
    out + "\""
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
        assert_eq!(diff("-c 9 -cd 9 -t 1", "-c 9 -t 1"), [hunk("-cd 9", "")]);
        assert_eq!(diff("-c 9 -t 1", "-c 9 -cd 9 -t 1"), [hunk("", "-cd 9")]);
        assert_eq!(diff("a", "a b"), [hunk("", "b")]);
        assert_eq!(diff("a b", "b"), [hunk("a", "")]);
        assert_eq!(diff("a b c d", "x b y d"), [hunk("a", "x"), hunk("c", "y")]);
    }
}
