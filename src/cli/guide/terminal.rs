//! Prints a page on the terminal. Links become the commands that print their targets.

use super::links::LinkTarget;
use super::markdown::{Block, Cell, CodeBlock, Inline, slug, words_of};
use crate::cli::table::{Column, Section, Table, Text, Tone};
use crate::diag::report::{Style, sanitize};
use crate::hir::schema::FieldPath;

/// The indentation of all blocks except headings.
const INDENT: usize = 2;
/// The indentation of code, in addition.
const CODE_INDENT: usize = 2;
/// Wider lines are hard to read.
const MAX_WIDTH: usize = 100;
const MIN_WIDTH: usize = 40;

/// The blocks of a page as text. Prose is wrapped, and code is not.
pub fn print(blocks: &[Block], from: &str, style: Style) -> String {
    let style = Style { width: style.width.clamp(MIN_WIDTH, MAX_WIDTH), ..style };
    let printer = Printer { from, style };
    let mut out = String::new();
    let mut is_below_heading = true;
    for block in blocks {
        if !out.is_empty() && !is_below_heading {
            out.push('\n');
        }
        is_below_heading = matches!(block, Block::Heading(level, ..) if *level > 1);
        for line in printer.lines(block, INDENT) {
            out.extend([line.trim_end(), "\n"]);
        }
    }
    out
}

/// Prints the blocks of a page.
struct Printer<'p> {
    /// The name of the page.
    from: &'p str,
    style: Style,
}

/// The place of a text, which decides how its links are printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Prose,
    /// A cell has less room: a link whose text is the name in its command has no command.
    Cell,
}

impl Printer<'_> {
    /// The lines of a block, with their indentation.
    fn lines(&self, block: &Block, indent: usize) -> Vec<String> {
        match block {
            Block::Heading(level, text, _) => {
                let indent = if *level > 2 { indent } else { 0 };
                self.wrapped(&[Inline::Text(words_of(text))], Tone::Strong, indent)
            }
            Block::Paragraph(text) => self.wrapped(text, Tone::Plain, indent),
            Block::List(first, items) => self.list(*first, items, indent),
            Block::Quote(inner) => self.blocks(inner, indent + INDENT, 1),
            Block::Code(code) => self.code(code, indent),
            Block::Table(header, rows) => self.table(header, rows, indent),
            Block::Rule => {
                vec![format!("{}{}", " ".repeat(indent), "-".repeat(self.style.width - 2 * indent.min(8)))]
            }
        }
    }

    /// The lines of several blocks, with a number of empty lines between them.
    fn blocks(&self, blocks: &[Block], indent: usize, gap: usize) -> Vec<String> {
        let mut lines = Vec::new();
        for (at, block) in blocks.iter().enumerate() {
            if at > 0 {
                lines.extend(std::iter::repeat_n(String::new(), gap));
            }
            lines.extend(self.lines(block, indent));
        }
        lines
    }

    fn wrapped(&self, text: &[Inline], tone: Tone, indent: usize) -> Vec<String> {
        let columns = self.style.width - indent.min(MIN_WIDTH / 2);
        let parts = text.split(|inline| *inline == Inline::Break);
        let lines = parts.flat_map(|part| self.text(part, tone, Place::Prose).lines(columns, self.style));
        lines.map(|line| " ".repeat(indent) + &line).collect()
    }

    /// Items with a mark or a number. Items with several paragraphs are separated by empty lines.
    fn list(&self, first: Option<u64>, items: &[Vec<Block>], indent: usize) -> Vec<String> {
        let last = first.map(|first| first + u64::try_from(items.len()).unwrap_or(0));
        let mark_width = last.map_or(2, |last| last.to_string().len() + 2);
        let is_paragraph = |block: &&Block| matches!(block, Block::Paragraph(_));
        let has_code = |block: &Block| matches!(block, Block::Code(_) | Block::Table(..));
        let is_loose =
            |item: &Vec<Block>| item.iter().filter(is_paragraph).count() > 1 || item.iter().any(has_code);
        let gap = usize::from(items.iter().any(is_loose));
        let mut lines = Vec::new();
        for (number, item) in (first.unwrap_or(0)..).zip(items) {
            let mark = first.map_or("-".to_owned(), |_| format!("{number}."));
            if !lines.is_empty() {
                lines.extend(std::iter::repeat_n(String::new(), gap));
            }
            let below = self.blocks(item, indent + mark_width, gap);
            let mut below = below.into_iter();
            let start = below.next().unwrap_or_default();
            let text = start.get(indent + mark_width..).unwrap_or_default();
            lines.push(format!("{}{mark:mark_width$}{text}", " ".repeat(indent)));
            lines.extend(below);
        }
        lines
    }

    fn code(&self, code: &CodeBlock, indent: usize) -> Vec<String> {
        let caption = code.caption().map(|caption| format!("{}:", sanitize(&caption, self.style)));
        let mut lines: Vec<String> = caption.iter().map(|caption| " ".repeat(indent) + caption).collect();
        for line in code.text.lines() {
            let text = Text::new(Tone::Code, sanitize(line, self.style));
            lines.push(" ".repeat(indent + CODE_INDENT) + &text.painted(self.style));
        }
        lines
    }

    /// A table has the titles of its columns above its rows. [`Table`] omits those of two columns.
    fn table(&self, header: &[Cell], rows: &[Vec<Cell>], indent: usize) -> Vec<String> {
        let title = |cell: &Cell| sanitize(&words_of(cell), self.style);
        let columns: Vec<Column> = header.iter().map(|cell| Column::words(&title(cell))).collect();
        let row =
            |row: &Vec<Cell>| row.iter().map(|cell| self.text(cell, Tone::Plain, Place::Cell)).collect();
        let mut rows: Vec<Vec<Text>> = rows.iter().map(row).collect();
        if columns.len() <= 2 && !self.style.screen_reader {
            rows.insert(0, header.iter().map(|cell| Text::new(Tone::Strong, title(cell))).collect());
        }
        let table = Table { indent, ..Table::new(vec![Section { title: None, columns, rows }]) };
        table.print(self.style).lines().map(str::to_owned).collect()
    }

    fn text(&self, inlines: &[Inline], tone: Tone, place: Place) -> Text {
        let mut text = Text::default();
        for inline in inlines {
            text = match inline {
                Inline::Text(words) => text.and(tone, sanitize(words, self.style)),
                Inline::Code(words) => text.and(tone, format!("`{}`", sanitize(words, self.style))),
                Inline::Strong(inner) => text.join(self.text(inner, Tone::Strong, place)),
                Inline::Emphasis(inner) => text.join(self.text(inner, tone, place)),
                Inline::Break => text.and(tone, " "),
                Inline::Link(target, inner) => {
                    let words = words_of(inner);
                    let is_shown = |pointer: &String| place == Place::Prose || !names(pointer, &words);
                    let pointer = self.pointer(target).filter(is_shown).filter(|pointer| *pointer != words);
                    let text = text.join(self.text(inner, tone, place));
                    match pointer {
                        Some(pointer) => {
                            text.and(tone, format!(" ({})", sanitize(&quoted(&pointer), self.style)))
                        }
                        None => text,
                    }
                }
            };
        }
        text
    }

    /// The command that prints the target of a link, or its address. `None` for another part of the same page.
    fn pointer(&self, link: &str) -> Option<String> {
        let (name, anchor) = match LinkTarget::of(self.from, link)? {
            LinkTarget::Web(address) => return Some(address),
            LinkTarget::Page(name, _) if name == self.from => return None,
            LinkTarget::Page(name, anchor) => (name, anchor),
        };
        if let Some(code) = name.strip_prefix("codes/") {
            return Some(format!("orchgen explain {code}").replace(" index", ""));
        }
        let kind = name.strip_prefix("reference/");
        if let Some(path) = kind.and_then(|kind| field_of(kind, &anchor)) {
            return Some(format!("orchgen schema --field {path}"));
        }
        Some(format!("orchgen guide {name}"))
    }
}

/// True if a text is the last word of a command, or the last part of it: `max` in `orchgen schema --field role.draft.max`.
fn names(command: &str, text: &str) -> bool {
    command.strip_suffix(text).is_some_and(|before| before.ends_with([' ', '.', '/']))
}

/// A command between backquotes, which is not wrapped. An address is as it is.
fn quoted(pointer: &str) -> String {
    if pointer.starts_with("orchgen ") { format!("`{pointer}`") } else { pointer.to_owned() }
}

/// The path of the field whose heading has an anchor: `role.draft.max` for `draftmax`.
fn field_of(kind: &str, anchor: &str) -> Option<String> {
    let paths = FieldPath::all().into_iter().map(|path| path.text());
    let mut fields =
        paths.filter_map(|path| Some((path.strip_prefix(kind)?.strip_prefix('.')?.to_owned(), path)));
    fields
        .find(|(field, path)| [slug(field), slug(path)].iter().any(|slug| slug == anchor))
        .map(|(_, path)| path)
}
