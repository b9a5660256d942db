//! Writes the blocks of a page as HTML.

use super::links::href;
use super::markdown::{Block, Cell, CodeBlock, Inline, words_of};
use crate::render::quote::html;
use std::fmt::Write;

/// The HTML of the text of a heading. Its links are text, because the heading is one.
pub fn heading(text: &[Inline]) -> String {
    let mut out = String::new();
    for inline in text {
        match inline {
            Inline::Code(words) => out.extend(["<code>", &html(words), "</code>"]),
            Inline::Text(words) => out.push_str(&html(words)),
            Inline::Strong(inner) | Inline::Emphasis(inner) | Inline::Link(_, inner) => {
                out.push_str(&heading(inner));
            }
            Inline::Break => out.push(' '),
        }
    }
    out
}

/// The HTML of blocks. `from` is the name of their page.
pub fn blocks(blocks: &[Block], from: &str) -> String {
    let mut out = String::new();
    let mut rest = blocks;
    while let Some((block, after)) = rest.split_first() {
        rest = after;
        if let (Block::Code(one), [Block::Code(other), after @ ..]) = (block, after)
            && (one.language.as_str(), other.language.as_str()) == ("kdl", "yaml")
        {
            out.push_str("<div class=\"pair\">\n");
            push_code(&mut out, one, Some("KDL"));
            push_code(&mut out, other, Some("YAML"));
            out.push_str("</div>\n");
            rest = after;
            continue;
        }
        push_block(&mut out, block, from);
    }
    out
}

fn push_block(out: &mut String, block: &Block, from: &str) {
    match block {
        Block::Heading(level, text, anchor) => {
            let (anchor, text) = (html(anchor), heading(text));
            // Writing to a string cannot fail.
            let _ = writeln!(out, "<h{level} id=\"{anchor}\"><a href=\"#{anchor}\">{text}</a></h{level}>");
        }
        Block::Paragraph(text) => out.extend(["<p>", &inlines(text, from), "</p>\n"]),
        Block::List(first, items) => {
            let start = first.filter(|first| *first != 1).map(|first| format!(" start=\"{first}\""));
            let tag = if first.is_some() { "ol" } else { "ul" };
            out.extend(["<", tag, &start.unwrap_or_default(), ">\n"]);
            for item in items {
                out.extend(["<li>", &list_item(item, from), "</li>\n"]);
            }
            out.extend(["</", tag, ">\n"]);
        }
        Block::Quote(inner) => out.extend(["<blockquote>\n", &blocks(inner, from), "</blockquote>\n"]),
        Block::Code(code) => push_code(out, code, None),
        Block::Table(header, rows) => push_table(out, header, rows, from),
        Block::Rule => out.push_str("<hr>\n"),
    }
}

/// The first paragraph of an item needs no element.
fn list_item(item: &[Block], from: &str) -> String {
    match item.split_first() {
        Some((Block::Paragraph(text), [])) => inlines(text, from),
        Some((Block::Paragraph(text), after))
            if after.iter().all(|block| matches!(block, Block::List(..))) =>
        {
            format!("{}\n{}", inlines(text, from), blocks(after, from))
        }
        _ => blocks(item, from),
    }
}

/// A block of code with the name of its file. The keyboard can scroll it.
fn push_code(out: &mut String, code: &CodeBlock, title: Option<&str>) {
    let caption = code.caption().or_else(|| title.map(str::to_owned));
    let language = if code.language.is_empty() { "text" } else { &code.language };
    out.push_str("<figure class=\"code\">");
    if let Some(caption) = caption {
        out.extend(["<figcaption>", &html(&caption), "</figcaption>"]);
    }
    let (language, text) = (html(language), html(&code.text));
    // Writing to a string cannot fail.
    let _ =
        writeln!(out, "<pre tabindex=\"0\"><code class=\"language-{language}\">{text}</code></pre></figure>");
}

fn push_table(out: &mut String, header: &[Cell], rows: &[Vec<Cell>], from: &str) {
    out.push_str("<div class=\"table\" tabindex=\"0\"><table>\n<thead><tr>");
    for cell in header {
        // A header without words would be announced as such.
        let tag = if words_of(cell).trim().is_empty() { "<td>" } else { "<th scope=\"col\">" };
        out.extend([tag, &inlines(cell, from)]);
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for cell in row {
            out.extend(["<td>", &inlines(cell, from)]);
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
}

fn inlines(text: &[Inline], from: &str) -> String {
    let mut out = String::new();
    for inline in text {
        match inline {
            Inline::Text(words) => out.push_str(&html(words)),
            Inline::Code(words) => out.extend(["<code>", &html(words), "</code>"]),
            Inline::Strong(inner) => out.extend(["<strong>", &inlines(inner, from), "</strong>"]),
            Inline::Emphasis(inner) => out.extend(["<em>", &inlines(inner, from), "</em>"]),
            Inline::Break => out.push_str("<br>"),
            Inline::Link(target, inner) => match href(from, target) {
                Some(address) => {
                    out.extend(["<a href=\"", &html(&address), "\">", &inlines(inner, from), "</a>"]);
                }
                None => out.push_str(&inlines(inner, from)),
            },
        }
    }
    out
}
