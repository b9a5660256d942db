//! The tables of all commands: aligned columns, of which the last is wrapped, and colors with a meaning.
//!
//! If the terminal is too narrow, the last column is below its row, and then each cell is on its own line. For screen
//! readers, a row is one line with the names of its columns.

mod text;

pub use text::{Text, Tone, cut_middle};

use crate::diag::report::{Style, width};

/// The least columns of a wrapped text next to its row. If there are fewer, the text is below the row.
const LEAST_WRAPPED: usize = 24;

/// The least columns of a terminal.
const LEAST_WIDTH: usize = 40;

/// The indentation of the lines after the first one, of a text without a prefix.
const CONTINUED: usize = 2;

/// The indentation of a text below its prefix.
const BELOW: usize = 4;

/// The blanks between two columns.
const GAP: &str = "  ";

/// The side to which the cells of a column are aligned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Align {
    Left,
    Right,
}

/// A column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    title: String,
    align: Align,
}

impl Column {
    /// A column of words.
    pub fn words(title: &str) -> Self {
        Self { title: title.to_owned(), align: Align::Left }
    }

    /// A column of numbers or sizes, which are aligned to the right.
    pub fn numbers(title: &str) -> Self {
        Self { title: title.to_owned(), align: Align::Right }
    }
}

/// Rows with the same columns, below a title. Columns that a row lacks are empty.
#[derive(Clone, Default, Debug)]
pub struct Section {
    /// The line above the rows, which are then indented.
    pub title: Option<Text>,
    /// The titles of more than two columns are printed above the rows, if they differ from those of the section above.
    pub columns: Vec<Column>,
    /// Each row has a cell for each column.
    pub rows: Vec<Vec<Text>>,
}

impl Section {
    /// Rows of two columns, such as a name and its value.
    pub fn pairs(title: Option<Text>, rows: Vec<(Text, Text)>) -> Self {
        let columns = vec![Column::words(""), Column::words("")];
        Self { title, columns, rows: rows.into_iter().map(|(name, value)| vec![name, value]).collect() }
    }

    fn has_header(&self) -> bool {
        self.columns.len() > 2 && self.columns.iter().any(|column| !column.title.is_empty())
    }
}

/// The lines between sections.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spacing {
    /// No line.
    Tight,
    /// An empty line.
    Blank,
}

/// Sections whose columns have the same widths.
#[derive(Clone, Debug)]
pub struct Table {
    /// The lines between sections.
    pub spacing: Spacing,
    /// The blanks before each line.
    pub indent: usize,
    /// The blanks before each row below a title, in addition.
    pub row_indent: usize,
    /// The sections.
    pub sections: Vec<Section>,
}

impl Table {
    /// Sections with an empty line between them.
    pub fn new(sections: Vec<Section>) -> Self {
        Self { spacing: Spacing::Blank, indent: 0, row_indent: 2, sections }
    }

    /// The text. No line is wider than the style, except for long words.
    pub fn print(&self, style: Style) -> String {
        let mut out = String::new();
        let widths = self.widths(style);
        let mut header: &[Column] = &[];
        for (number, section) in self.sections.iter().enumerate() {
            if number > 0 && self.spacing == Spacing::Blank {
                out.push('\n');
            }
            let mut indent = self.indent;
            if let Some(title) = &section.title {
                out.push_str(&hanging(&Text::from(" ".repeat(indent)), title, style));
                indent += self.row_indent;
            }
            let writer = Writer { indent, widths: &widths, columns: &section.columns, style };
            if section.has_header() && section.columns != header && !style.screen_reader {
                header = &section.columns;
                writer.push_header(&mut out);
            }
            let place = writer.place(&section.rows);
            for row in &section.rows {
                writer.push_row(&mut out, row, place);
            }
        }
        out
    }

    /// The widths of all columns except the last of each section. If they do not fit the terminal, the first one
    /// has at most half of its columns: longer names have their own line.
    fn widths(&self, style: Style) -> Vec<usize> {
        let mut widths: Vec<usize> = Vec::new();
        for section in &self.sections {
            let fixed = section.columns.len().saturating_sub(1);
            for (at, column) in section.columns.iter().enumerate().take(fixed) {
                let title = Some(column).filter(|_| section.has_header());
                let title = title.map_or(0, |column| width(&column.title));
                let cells = section.rows.iter().filter_map(|row| row.get(at)).map(Text::width);
                let widest = cells.chain([title]).max().unwrap_or(0);
                match widths.get_mut(at) {
                    Some(width) => *width = widest.max(*width),
                    None => widths.push(widest),
                }
            }
        }
        let fixed = widths.iter().map(|width| width + GAP.len()).sum::<usize>();
        let is_narrow = self.indent + self.row_indent + fixed > columns(style);
        if let Some(first) = widths.first_mut().filter(|_| is_narrow) {
            *first = (*first).min(columns(style) / 2);
        }
        widths
    }
}

/// Writes the rows of a section.
struct Writer<'t> {
    indent: usize,
    widths: &'t [usize],
    columns: &'t [Column],
    style: Style,
}

impl Writer<'_> {
    fn push_header(&self, out: &mut String) {
        let titles = self.columns.iter().map(|column| Text::new(Tone::Strong, &*column.title));
        let titles: Vec<Text> = titles.collect();
        let (aligned, last) = self.split(&titles);
        // The last column is below its row if its title has no room.
        let lines = [aligned.clone().join(last), aligned];
        if let Some(line) = lines.iter().find(|line| line.width() <= columns(self.style)) {
            out.extend([line.painted(self.style).trim_end(), "\n"]);
        }
    }

    /// The last cell of a row, and the cells before it.
    fn split(&self, row: &[Text]) -> (Text, Text) {
        let last = self.columns.len().checked_sub(1).and_then(|last| row.get(last));
        (self.aligned(row), last.cloned().unwrap_or_default())
    }

    /// Where the last cells of all rows begin that are too wide: at the same place, which is easier to read.
    fn place(&self, rows: &[Vec<Text>]) -> Place {
        let needs_own_line = |row: &Vec<Text>| {
            let (aligned, last) = self.split(row);
            needs_own_line(&aligned, &last, self.style)
        };
        if rows.iter().any(needs_own_line) { Place::Below } else { Place::Next }
    }

    fn push_row(&self, out: &mut String, row: &[Text], place: Place) {
        let (aligned, last) = self.split(row);
        let name = row.first().filter(|name| self.widths.first().is_some_and(|width| name.width() > *width));
        if self.style.screen_reader {
            self.push_sentence(out, row);
        } else if let Some(name) = name {
            let rest: Vec<Text> =
                std::iter::once(Text::default()).chain(row.iter().skip(1).cloned()).collect();
            out.push_str(&hanging(&self.indentation(), name, self.style));
            if self.aligned(&rest).words().trim().is_empty() {
                let below = Text::from(" ".repeat(self.indent + BELOW));
                out.push_str(&hanging(&below, &last, self.style));
            } else {
                self.push_row(out, &rest, place);
            }
        } else if aligned.width() <= columns(self.style) + GAP.len() {
            out.push_str(&hanging_at(&aligned, &last, (place, self.indent + BELOW), self.style));
        } else {
            self.push_cells(out, row);
        }
    }

    fn indentation(&self) -> Text {
        " ".repeat(self.indent).into()
    }

    /// All cells except the last, with blanks after each.
    fn aligned(&self, row: &[Text]) -> Text {
        let mut line = self.indentation();
        let fixed = self.columns.len().saturating_sub(1);
        for (at, (column, width)) in self.columns.iter().zip(self.widths).enumerate().take(fixed) {
            let cell = row.get(at).cloned().unwrap_or_default();
            let padding = " ".repeat(width.saturating_sub(cell.width()));
            line = match column.align {
                Align::Left => line.join(cell).and(Tone::Plain, padding),
                Align::Right => line.and(Tone::Plain, padding).join(cell),
            };
            line = line.and(Tone::Plain, GAP);
        }
        line
    }

    /// Each cell on its own line, below the first one.
    fn push_cells(&self, out: &mut String, row: &[Text]) {
        let titled = row.iter().zip(self.columns).enumerate().filter(|(_, (cell, _))| cell.width() > 0);
        for (at, (cell, column)) in titled {
            let indent = if at == 0 { self.indent } else { self.indent + BELOW };
            let is_titled = at > 0 && !column.title.is_empty();
            let title = if is_titled { format!("{} ", column.title) } else { String::new() };
            let prefix = Text::from(" ".repeat(indent)).and(Tone::Plain, title);
            out.push_str(&hanging(&prefix, cell, self.style));
        }
    }

    /// The row as one line, such as `chat: state serving, port 8080`.
    fn push_sentence(&self, out: &mut String, row: &[Text]) {
        let cells = row.iter().zip(self.columns).map(|(cell, column)| (cell.words(), &*column.title));
        let mut cells = cells.filter(|(cell, _)| !cell.trim().is_empty());
        let Some((first, _)) = cells.next() else { return };
        let titled = |(cell, title): (String, &str)| {
            if title.is_empty() { cell } else { format!("{title} {cell}") }
        };
        let others: Vec<String> = cells.map(titled).collect();
        let colon = if others.is_empty() { "" } else { ": " };
        out.extend([first.trim(), colon, &others.join(", "), "\n"]);
    }
}

/// The columns of the terminal.
fn columns(style: Style) -> usize {
    if style.screen_reader { usize::MAX } else { style.width.max(LEAST_WIDTH) }
}

/// A text after a prefix. If both are wider than the style, the text is wrapped: next to its prefix, or below it if there
/// is no room.
pub fn hanging(prefix: &Text, text: &Text, style: Style) -> String {
    let words = prefix.words();
    let blanks = words.len() - words.trim_start().len();
    let place = if needs_own_line(prefix, text, style) { Place::Below } else { Place::Next };
    hanging_at(prefix, text, (place, blanks + BELOW), style)
}

/// Where a text that is too wide for the line of its prefix begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Next,
    Below,
}

/// True if a text neither fits on the line of its prefix, nor can be wrapped next to it.
fn needs_own_line(prefix: &Text, text: &Text, style: Style) -> bool {
    let room = columns(style).saturating_sub(prefix.width());
    text.width() > room && (room < LEAST_WRAPPED || text.longest_word() > room)
}

/// The text next to its prefix, or below it with an indentation.
fn hanging_at(prefix: &Text, text: &Text, (place, below): (Place, usize), style: Style) -> String {
    let columns = columns(style);
    let words = prefix.words();
    let indent = prefix.width();
    if style.screen_reader {
        return format!("{}\n", prefix.clone().join(text.clone()).words().trim());
    }
    let is_empty = text.width() == 0;
    if is_empty || indent.saturating_add(text.width()) <= columns {
        let line = prefix.clone().join(text.clone()).painted(style);
        return format!("{}\n", line.trim_end());
    }
    let (mut out, indent) = if words.trim().is_empty() {
        (words, indent + CONTINUED)
    } else if place == Place::Next || indent <= below {
        (prefix.painted(style), indent)
    } else {
        (format!("{}\n{}", prefix.painted(style).trim_end(), " ".repeat(below)), below)
    };
    let lines = text.lines(columns.saturating_sub(indent), style);
    out.push_str(&lines.join(&format!("\n{}", " ".repeat(indent))));
    out.push('\n');
    out
}
