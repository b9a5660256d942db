//! The changes of a file as a unified diff for `patch -p1` and `git apply`.

use super::changes::{Changes, Replacement};
use std::fmt::Write;
use std::ops::Range;

/// The number of context lines before and after a change.
const CONTEXT_LINES: usize = 3;

/// Removed lines, numbered from 0, and the text that replaces them.
struct Hunk {
    old: Range<usize>,
    new: String,
}

/// The original text by line.
struct Lines<'t> {
    text: &'t str,
    /// The start of each line, and the end of the text.
    starts: Vec<usize>,
}

/// The diff of one file; empty if nothing changed. `name` is its path; the leading `/` of an absolute path is removed.
pub fn unified(name: &str, old: &str, changes: &Changes) -> String {
    let lines = Lines::new(old);
    let hunks = lines.hunks(changes.list());
    let mut out = String::new();
    if hunks.is_empty() {
        return out;
    }
    for (mark, side) in [("---", 'a'), ("+++", 'b')] {
        out.extend([mark, " ", &quoted_path(side, name), "\n"]);
    }
    let mut first_new = 0;
    let mut first_old = 0;
    for group in hunks.chunk_by(|a, b| b.old.start <= a.old.end + 2 * CONTEXT_LINES) {
        lines.push_group(&mut out, group, (&mut first_old, &mut first_new));
    }
    out
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

impl<'t> Lines<'t> {
    fn new(text: &'t str) -> Self {
        let mut starts = vec![0];
        starts.extend(text.match_indices('\n').map(|(at, _)| at + 1).filter(|at| *at < text.len()));
        if !text.is_empty() {
            starts.push(text.len());
        }
        Self { text, starts }
    }

    fn count(&self) -> usize {
        self.starts.len() - 1
    }

    fn start(&self, line: usize) -> usize {
        self.starts.get(line).copied().unwrap_or(self.text.len())
    }

    /// The lines that a change touches.
    fn touched(&self, change: &Replacement) -> Range<usize> {
        let line_at = |at: usize| self.starts.partition_point(|start| *start <= at).saturating_sub(1);
        let first = line_at(change.old.start).min(self.count().saturating_sub(1));
        let ends = self.start(line_at(change.old.end)) == change.old.end;
        let removes_line = self.start(first) == change.old.start && change.text.is_empty();
        let last =
            line_at(change.old.end) + usize::from(!(ends && (removes_line || change.text.ends_with('\n'))));
        first..last.clamp(first, self.count())
    }

    /// The changes as whole lines. Changes of the same line are merged.
    fn hunks(&self, changes: &[Replacement]) -> Vec<Hunk> {
        let mut groups: Vec<(Range<usize>, Vec<&Replacement>)> = Vec::new();
        for change in changes {
            let lines = self.touched(change);
            match groups.last_mut().filter(|(group, _)| group.end > lines.start) {
                Some((group, members)) => {
                    group.end = group.end.max(lines.end);
                    members.push(change);
                }
                None => groups.push((lines, vec![change])),
            }
        }
        let hunk = |(old, members): (Range<usize>, Vec<&Replacement>)| {
            let (mut new, mut from) = (String::new(), self.start(old.start));
            for change in members {
                new.push_str(self.text.get(from..change.old.start).unwrap_or_default());
                new.push_str(&change.text);
                from = change.old.end;
            }
            new.push_str(self.text.get(from..self.start(old.end)).unwrap_or_default());
            Hunk { old, new }
        };
        groups.into_iter().map(hunk).collect()
    }

    /// Adds neighboring hunks as one hunk. `done_old` and `done_new` are the numbers of lines before it; they are
    /// updated.
    fn push_group(&self, out: &mut String, hunks: &[Hunk], (done_old, done_new): (&mut usize, &mut usize)) {
        let (Some(first), Some(last)) = (hunks.first(), hunks.last()) else { return };
        let old_lines =
            first.old.start.saturating_sub(CONTEXT_LINES)..(last.old.end + CONTEXT_LINES).min(self.count());
        let mut body = String::new();
        let (mut at, mut new_count) = (old_lines.start, 0);
        for hunk in hunks {
            new_count += self.push_lines(&mut body, ' ', at..hunk.old.start);
            self.push_lines(&mut body, '-', hunk.old.clone());
            new_count += hunk.new.split_inclusive('\n').map(|line| push_line(&mut body, '+', line)).count();
            at = hunk.old.end;
        }
        new_count += self.push_lines(&mut body, ' ', at..old_lines.end);
        let first_new = *done_new + (old_lines.start - *done_old);
        let range = |first: usize, count: usize| (if count == 0 { first } else { first + 1 }, count);
        let ((old, old_count), (new, new_count)) =
            (range(old_lines.start, old_lines.len()), range(first_new, new_count));
        let _ = writeln!(out, "@@ -{old},{old_count} +{new},{new_count} @@");
        out.push_str(&body);
        (*done_old, *done_new) = (old_lines.end, first_new + new_count);
    }

    fn push_lines(&self, out: &mut String, mark: char, lines: Range<usize>) -> usize {
        for line in lines.clone() {
            push_line(out, mark, self.text.get(self.start(line)..self.start(line + 1)).unwrap_or_default());
        }
        lines.len()
    }
}

fn push_line(out: &mut String, mark: char, line: &str) {
    out.push(mark);
    out.push_str(line);
    if !line.ends_with('\n') {
        out.push_str("\n\\ No newline at end of file\n");
    }
}
