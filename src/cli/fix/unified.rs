//! Changes of a file as a unified diff, which `patch -p1` and `git apply` take.

use super::changes::{Changes, Replaced};
use std::fmt::Write;
use std::ops::Range;

/// Lines that are shown before and after a change.
const AROUND: usize = 3;

/// Lines that go, by their numbers from 0, and the text that comes.
struct Hunk {
    old: Range<usize>,
    new: String,
}

/// The text as it was, line by line.
struct Lines<'t> {
    text: &'t str,
    /// Where each line begins, and where the text ends.
    starts: Vec<usize>,
}

/// The diff of one file; empty where nothing was changed. `name` is its path; of one that begins at the root the rest is named.
pub fn unified(name: &str, old: &str, changes: &Changes) -> String {
    let lines = Lines::of(old);
    let hunks = lines.hunks(changes.list());
    let mut out = String::new();
    if hunks.is_empty() {
        return out;
    }
    for (mark, side) in [("---", 'a'), ("+++", 'b')] {
        out.extend([mark, " ", &path(side, name), "\n"]);
    }
    let mut first_new = 0;
    let mut first_old = 0;
    for group in hunks.chunk_by(|a, b| b.old.start <= a.old.end + 2 * AROUND) {
        lines.draw(&mut out, group, (&mut first_old, &mut first_new));
    }
    out
}

/// `a/registry/roles.kdl`, in quotes where git wants them, and ended by a tab where a blank would end it for `patch`.
fn path(side: char, name: &str) -> String {
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
    fn of(text: &'t str) -> Self {
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

    /// The lines of a change.
    fn touched(&self, change: &Replaced) -> Range<usize> {
        let of = |at: usize| self.starts.partition_point(|start| *start <= at).saturating_sub(1);
        let first = of(change.old.start).min(self.count().saturating_sub(1));
        let ends = self.start(of(change.old.end)) == change.old.end;
        let is_gone = self.start(first) == change.old.start && change.text.is_empty();
        let last = of(change.old.end) + usize::from(!(ends && (is_gone || change.text.ends_with('\n'))));
        first..last.clamp(first, self.count())
    }

    /// The changes line by line, those of one line together.
    fn hunks(&self, changes: &[Replaced]) -> Vec<Hunk> {
        let mut groups: Vec<(Range<usize>, Vec<&Replaced>)> = Vec::new();
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
        let hunk = |(old, members): (Range<usize>, Vec<&Replaced>)| {
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

    /// Draws hunks that lie near each other as one; `done` are the lines, old and new, before those that are drawn.
    fn draw(&self, out: &mut String, hunks: &[Hunk], (done_old, done_new): (&mut usize, &mut usize)) {
        let (Some(first), Some(last)) = (hunks.first(), hunks.last()) else { return };
        let area = first.old.start.saturating_sub(AROUND)..(last.old.end + AROUND).min(self.count());
        let mut body = String::new();
        let (mut at, mut came) = (area.start, 0);
        for hunk in hunks {
            came += self.put(&mut body, ' ', at..hunk.old.start);
            self.put(&mut body, '-', hunk.old.clone());
            came += hunk.new.split_inclusive('\n').map(|line| put(&mut body, '+', line)).count();
            at = hunk.old.end;
        }
        came += self.put(&mut body, ' ', at..area.end);
        let first_new = *done_new + (area.start - *done_old);
        let place = |first: usize, count: usize| (if count == 0 { first } else { first + 1 }, count);
        let ((old, gone), (new, came)) = (place(area.start, area.len()), place(first_new, came));
        let _ = writeln!(out, "@@ -{old},{gone} +{new},{came} @@");
        out.push_str(&body);
        (*done_old, *done_new) = (area.end, first_new + came);
    }

    fn put(&self, out: &mut String, mark: char, lines: Range<usize>) -> usize {
        for line in lines.clone() {
            put(out, mark, self.text.get(self.start(line)..self.start(line + 1)).unwrap_or_default());
        }
        lines.len()
    }
}

fn put(out: &mut String, mark: char, line: &str) {
    out.push(mark);
    out.push_str(line);
    if !line.ends_with('\n') {
        out.push_str("\n\\ No newline at end of file\n");
    }
}
