//! The lines of a formatted text. Comments at the end of adjacent lines stay aligned if they were aligned.

/// The written lines.
pub(super) struct Lines {
    out: String,
    /// The number of spaces before a comment at the end of a line.
    gap: usize,
    /// True if a blank line comes before the next line.
    has_blank: bool,
    /// Adjacent lines whose comments begin at the same column of the source.
    aligned: Vec<Line>,
    column: Option<usize>,
}

/// A line with a comment at its end.
struct Line {
    /// The text before the comment. Empty for a comment that continues the one above it.
    code: String,
    comment: String,
}

/// A comment with its place in the source.
#[derive(Clone, Copy)]
pub(super) struct Comment<'a> {
    /// The whole comment.
    pub(super) text: &'a str,
    /// Its column, in characters.
    pub(super) column: usize,
}

impl Lines {
    /// No lines. `gap` is the number of spaces before a comment at the end of a line.
    pub(super) fn new(gap: usize, capacity: usize) -> Self {
        Self {
            out: String::with_capacity(capacity),
            gap,
            has_blank: false,
            aligned: Vec::new(),
            column: None,
        }
    }

    /// Writes a blank line before the next line, except at the start of the text or after another blank line.
    pub(super) fn blank(&mut self) {
        self.has_blank = true;
    }

    /// Removes a blank line that was requested: the next line begins a block or ends one.
    pub(super) fn no_blank(&mut self) {
        if std::mem::take(&mut self.has_blank) {
            self.end_group();
        }
    }

    /// Writes a line. Code with several lines may be in quotes.
    pub(super) fn code(&mut self, indent: usize, code: &str, comment: Option<Comment>) {
        let code = format!("{:indent$}{code}", "");
        let Some(comment) = comment else {
            self.end_group();
            self.separate();
            self.out.extend([&*code, "\n"]);
            return;
        };
        let column = Some(comment.column).filter(|_| !code.contains('\n'));
        if self.has_blank || column.is_none() || column != self.column {
            self.end_group();
        }
        self.separate();
        self.column = column;
        self.aligned.push(Line { code, comment: comment.text.to_owned() });
    }

    /// Writes a comment on a separate line. It stays below a comment at the end of the line above.
    pub(super) fn comment(&mut self, indent: usize, comment: Comment) {
        if !self.has_blank && !self.aligned.is_empty() && self.column == Some(comment.column) {
            self.aligned.push(Line { code: String::new(), comment: comment.text.to_owned() });
        } else {
            self.code(indent, comment.text, None);
        }
    }

    /// Writes the lines of a block scalar as they are.
    pub(super) fn verbatim(&mut self, text: &str) {
        self.end_group();
        self.out.push_str(text);
    }

    /// The text, with a line feed at the end of each line.
    pub(super) fn finish(mut self) -> String {
        self.end_group();
        self.out
    }

    fn separate(&mut self) {
        if std::mem::take(&mut self.has_blank) && !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    /// Writes the aligned lines.
    fn end_group(&mut self) {
        let width = |line: &Line| line.code.rsplit('\n').next().unwrap_or_default().chars().count();
        let column = self.aligned.iter().map(width).max().unwrap_or(0) + self.gap;
        for line in self.aligned.drain(..) {
            let blanks = column - width(&line);
            self.out.extend([&*line.code, &" ".repeat(blanks), &line.comment, "\n"]);
        }
        self.column = None;
    }
}
