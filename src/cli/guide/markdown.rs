//! Reads Markdown into blocks, from which the terminal and HTML are written. This is the only file that uses pulldown-cmark.
//!
//! Raw HTML is a text like any other. An image is a link: pages have no images.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "there are no events of the extensions that are off, which are most of the variants"
)]

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag};

/// A part of a page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Block {
    /// A heading of level 1 to 6, with the part of its address after `#`.
    Heading(u8, Vec<Inline>, String),
    /// A paragraph.
    Paragraph(Vec<Inline>),
    /// A list with the number of its first item, or without numbers.
    List(Option<u64>, Vec<Vec<Block>>),
    /// A quotation.
    Quote(Vec<Block>),
    /// A fenced or indented block.
    Code(CodeBlock),
    /// A table: a header, and rows.
    Table(Vec<Cell>, Vec<Vec<Cell>>),
    /// A line between two parts.
    Rule,
}

/// The text of a cell of a table.
pub type Cell = Vec<Inline>;

/// A block of code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CodeBlock {
    /// The first word after the fence, for example `kdl`. Empty for none.
    pub language: String,
    /// The words after the language: the name of a file, and `+=` if the block adds to it. Other words are for tests.
    pub file: String,
    /// The text. Each line ends with a line break.
    pub text: String,
}

/// A part of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Inline {
    /// Words, without line breaks.
    Text(String),
    /// Words between backquotes.
    Code(String),
    /// Important words.
    Strong(Vec<Inline>),
    /// Stressed words.
    Emphasis(Vec<Inline>),
    /// A link with its target.
    Link(String, Vec<Inline>),
    /// A line break.
    Break,
}

impl CodeBlock {
    /// The name of the file, and what the block is for it.
    pub fn caption(&self) -> Option<String> {
        let added = self.file.strip_suffix("+=").map(|name| format!("Add to {}", name.trim_end()));
        added.or_else(|| self.file.contains(['.', '/']).then(|| self.file.clone()))
    }
}

/// The words of a text.
pub fn words_of(inlines: &[Inline]) -> String {
    let words = |inline: &Inline| match inline {
        Inline::Text(text) | Inline::Code(text) => text.clone(),
        Inline::Strong(inner) | Inline::Emphasis(inner) | Inline::Link(_, inner) => words_of(inner),
        Inline::Break => " ".to_owned(),
    };
    inlines.iter().map(words).collect()
}

/// The blocks of a page.
pub fn parse(text: &str) -> Vec<Block> {
    let mut reader = Reader { events: Parser::new_ext(text, Options::ENABLE_TABLES), anchors: Vec::new() };
    reader.blocks()
}

/// Reads blocks from events. Each method reads up to the event that ends its element.
struct Reader<'t> {
    events: Parser<'t>,
    /// The anchors of the headings so far.
    anchors: Vec<String>,
}

impl<'t> Reader<'t> {
    /// The blocks of an element. In tight lists, the text of an item is in no paragraph.
    fn blocks(&mut self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut text = Vec::new();
        while let Some(event) = self.events.next() {
            let block = match event {
                Event::End(_) => break,
                Event::Rule => Some(Block::Rule),
                Event::Start(tag) if is_inline(&tag) => {
                    text.extend(self.inline(tag));
                    None
                }
                Event::Start(tag) => {
                    flush(&mut text, &mut blocks);
                    Some(self.block(tag))
                }
                event => {
                    text.extend(leaf(event));
                    None
                }
            };
            if block.is_some() {
                flush(&mut text, &mut blocks);
            }
            blocks.extend(block);
        }
        flush(&mut text, &mut blocks);
        blocks
    }

    fn block(&mut self, tag: Tag<'t>) -> Block {
        match tag {
            Tag::Heading { level, .. } => {
                let text = self.inlines();
                let anchor = self.anchor(&words_of(&text));
                Block::Heading(level as u8, text, anchor)
            }
            Tag::List(first) => Block::List(first, self.parts(Self::blocks)),
            Tag::Table(_) => {
                let mut rows = self.parts(|reader| reader.parts(Self::inlines));
                let header = if rows.is_empty() { Vec::new() } else { rows.remove(0) };
                Block::Table(header, rows)
            }
            Tag::CodeBlock(kind) => self.code(&kind),
            Tag::BlockQuote(_) => Block::Quote(self.blocks()),
            _ => Block::Paragraph(self.inlines()),
        }
    }

    /// The parts of an element that has only elements of one kind.
    fn parts<T>(&mut self, read: impl Fn(&mut Self) -> T) -> Vec<T> {
        let mut parts = Vec::new();
        while let Some(Event::Start(_)) = self.events.next() {
            parts.push(read(self));
        }
        parts
    }

    fn code(&mut self, kind: &CodeBlockKind<'t>) -> Block {
        let info = if let CodeBlockKind::Fenced(info) = kind { info.trim() } else { "" };
        let (language, file) = info.split_once(' ').unwrap_or((info, ""));
        let text = words_of(&self.inlines());
        Block::Code(CodeBlock { language: language.to_owned(), file: file.trim().to_owned(), text })
    }

    fn inlines(&mut self) -> Vec<Inline> {
        let mut found = Vec::new();
        while let Some(event) = self.events.next() {
            match event {
                Event::End(_) => break,
                Event::Start(tag) => found.extend(self.inline(tag)),
                event => found.extend(leaf(event)),
            }
        }
        found
    }

    fn inline(&mut self, tag: Tag<'t>) -> Vec<Inline> {
        let inner = self.inlines();
        match tag {
            Tag::Strong => vec![Inline::Strong(inner)],
            Tag::Emphasis => vec![Inline::Emphasis(inner)],
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                vec![Inline::Link(dest_url.into_string(), inner)]
            }
            _ => inner,
        }
    }

    /// The anchor of a heading, as GitHub makes it. Of equal ones, the second has the suffix `-1`.
    fn anchor(&mut self, heading: &str) -> String {
        let slug = slug(heading);
        let numbered = (1..).map(|number| format!("{slug}-{number}"));
        let mut names = std::iter::once(slug.clone()).chain(numbered);
        let anchor = names.find(|name| !self.anchors.contains(name)).unwrap_or_default();
        self.anchors.push(anchor.clone());
        anchor
    }
}

/// The heading in lower case, with `-` for blanks and without other punctuation.
pub fn slug(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>().to_lowercase()
}

fn is_inline(tag: &Tag) -> bool {
    matches!(
        tag,
        Tag::Emphasis
            | Tag::Strong
            | Tag::Strikethrough
            | Tag::Superscript
            | Tag::Subscript
            | Tag::Link { .. }
            | Tag::Image { .. }
    )
}

/// The text of an event that has no other events inside. Extensions that are off have no events.
fn leaf(event: Event) -> Option<Inline> {
    match event {
        Event::Text(text) => Some(Inline::Text(text.into_string())),
        Event::Html(text) | Event::InlineHtml(text) => Some(Inline::Text(text.replace('\n', " "))),
        Event::Code(text) => Some(Inline::Code(text.into_string())),
        Event::SoftBreak => Some(Inline::Text(" ".to_owned())),
        Event::HardBreak => Some(Inline::Break),
        _ => None,
    }
}

/// Adds a text that is in no paragraph as one.
fn flush(text: &mut Vec<Inline>, blocks: &mut Vec<Block>) {
    if !text.is_empty() {
        blocks.push(Block::Paragraph(std::mem::take(text)));
    }
}
