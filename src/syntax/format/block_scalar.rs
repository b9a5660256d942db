//! Moves the lines of a YAML block scalar to another indentation.

/// A block scalar and the indentation of the collection around it.
pub(super) struct BlockScalar<'a> {
    /// `|` or `>` with its indicators.
    pub(super) header: &'a str,
    /// All lines up to the next content.
    pub(super) body: &'a str,
    /// The old and the new column of the collection. None for a scalar that is the whole document.
    pub(super) parent: Option<(usize, usize)>,
}

/// The new lines of a block scalar.
pub(super) struct MovedLines {
    /// The lines, each with its line feed.
    pub(super) text: String,
    /// True if blank lines follow that are not part of the value.
    pub(super) has_blank_after: bool,
}

impl BlockScalar<'_> {
    /// Moves the lines. `step` is the indentation without an indicator.
    pub(super) fn moved(&self, step: usize) -> MovedLines {
        let (old, new) = self.margins(step);
        let mut lines: Vec<&str> = self.body.split_terminator('\n').collect();
        let is_layout = |line: &&str| line.len() <= old && is_blank(line);
        // Blanks at the end of the text, without a line feed, are no line.
        if !self.body.ends_with('\n') && lines.last().is_some_and(is_layout) {
            lines.pop();
        }
        let all = lines.len();
        if !self.header.contains('+') {
            lines.truncate(lines.iter().rposition(|line| !is_layout(line)).map_or(0, |last| last + 1));
        }
        let has_blank_after = lines.len() < all;
        let mut text = String::with_capacity(self.body.len());
        for line in lines {
            let spaces = line.len() - line.trim_start_matches(' ').len();
            let rest = line.get(spaces.min(old)..).unwrap_or_default();
            if !rest.is_empty() {
                text.extend(std::iter::repeat_n(' ', new));
            }
            text.extend([rest, "\n"]);
        }
        MovedLines { text, has_blank_after }
    }

    /// The old and the new indentation of the value.
    fn margins(&self, step: usize) -> (usize, usize) {
        let indicator =
            self.header.chars().find_map(|c| c.to_digit(10)).and_then(|digit| usize::try_from(digit).ok());
        if let Some(indicator) = indicator {
            let (old, new) = self.parent.unwrap_or((0, 0));
            return (old + indicator, new + indicator);
        }
        let first = self.body.split('\n').find(|line| !is_blank(line));
        // Without text, all lines are blank.
        let old = first.map_or(usize::MAX, |line| line.len() - line.trim_start_matches(' ').len());
        (old, self.parent.map_or(old, |(_, new)| new + step))
    }
}

fn is_blank(line: &str) -> bool {
    line.bytes().all(|byte| byte == b' ')
}
