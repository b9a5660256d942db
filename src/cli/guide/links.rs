//! Links between pages: where they lead to, and which are dead.

use super::markdown::{Block, Inline, parse};
use super::page::Page;
use std::collections::{BTreeMap, BTreeSet};

/// The target of a link.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LinkTarget {
    /// A page, and the anchor of a heading in it. Empty for its start.
    Page(String, String),
    /// An address of the web.
    Web(String),
}

impl LinkTarget {
    /// The target of a link in a page. `None` if it is neither a page nor an address of the web.
    pub fn of(from: &str, link: &str) -> Option<Self> {
        if ["https://", "http://"].iter().any(|scheme| link.starts_with(scheme)) {
            return Some(Self::Web(link.to_owned()));
        }
        let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
        if path.is_empty() {
            return (!anchor.is_empty()).then(|| Self::Page(from.to_owned(), anchor.to_owned()));
        }
        let mut parts: Vec<&str> = from.split('/').collect();
        parts.pop();
        for part in path.strip_suffix(".md")?.split('/') {
            match part {
                ".." => parts.pop().map(drop)?,
                "." => {}
                "" => return None,
                part => parts.push(part),
            }
        }
        Some(Self::Page(parts.join("/"), anchor.to_owned()))
    }
}

/// A link of an HTML page: Markdown files become HTML files. `None` if it has no target.
pub fn href(from: &str, link: &str) -> Option<String> {
    LinkTarget::of(from, link).map(|target| match target {
        LinkTarget::Web(address) => address,
        LinkTarget::Page(..) => match link.split_once('#') {
            Some(("", anchor)) => format!("#{anchor}"),
            Some((path, anchor)) => format!("{}.html#{anchor}", path.trim_end_matches(".md")),
            None => format!("{}.html", link.trim_end_matches(".md")),
        },
    })
}

/// All links of blocks.
pub fn links(blocks: &[Block]) -> Vec<&str> {
    let mut found = Vec::new();
    for block in blocks {
        match block {
            Block::Heading(_, text, _) | Block::Paragraph(text) => push_links(text, &mut found),
            Block::List(_, items) => found.extend(items.iter().flat_map(|item| links(item))),
            Block::Quote(inner) => found.extend(links(inner)),
            Block::Table(header, rows) => {
                let cells = header.iter().chain(rows.iter().flatten());
                cells.for_each(|cell| push_links(cell, &mut found));
            }
            Block::Code(_) | Block::Rule => {}
        }
    }
    found
}

fn push_links<'b>(text: &'b [Inline], found: &mut Vec<&'b str>) {
    for inline in text {
        match inline {
            Inline::Link(target, inner) => {
                found.push(target);
                push_links(inner, found);
            }
            Inline::Strong(inner) | Inline::Emphasis(inner) => push_links(inner, found),
            Inline::Text(_) | Inline::Code(_) | Inline::Break => {}
        }
    }
}

/// The anchors of the headings of blocks.
fn anchors<'b>(blocks: &'b [Block]) -> BTreeSet<&'b str> {
    let anchor = |block: &'b Block| match block {
        Block::Heading(_, _, anchor) => Some(&**anchor),
        Block::Paragraph(_)
        | Block::List(..)
        | Block::Quote(_)
        | Block::Code(_)
        | Block::Table(..)
        | Block::Rule => None,
    };
    blocks.iter().filter_map(anchor).collect()
}

/// The links of all pages that lead to no page or to no heading, each with its page. No dead link gives an empty list.
pub fn dead_links(pages: &[Page]) -> Vec<String> {
    let parsed: BTreeMap<&str, Vec<Block>> =
        pages.iter().map(|page| (page.name.as_str(), parse(page.text()))).collect();
    let known: BTreeMap<&str, BTreeSet<&str>> =
        parsed.iter().map(|(name, blocks)| (*name, anchors(blocks))).collect();
    let fault = |from: &str, link: &str| match LinkTarget::of(from, link) {
        None => Some("neither a page nor an address of the web".to_owned()),
        Some(LinkTarget::Web(_)) => None,
        Some(LinkTarget::Page(name, anchor)) => match known.get(name.as_str()) {
            None => Some(format!("no page `{name}`")),
            Some(anchors) if anchor.is_empty() || anchors.contains(anchor.as_str()) => None,
            Some(_) => Some(format!("`{name}` has no heading `#{anchor}`")),
        },
    };
    let faults = parsed.iter().flat_map(|(from, blocks)| {
        let dead = links(blocks).into_iter().filter_map(|link| Some((link, fault(from, link)?)));
        dead.map(|(link, fault)| format!("{from}: `{link}`: {fault}")).collect::<Vec<_>>()
    });
    faults.collect()
}

/// The pages to which no chain of links leads from a page.
pub fn unreachable<'p>(pages: &'p [Page], start: &str) -> Vec<&'p str> {
    let mut left: BTreeMap<&str, &Page> = pages.iter().map(|page| (page.name.as_str(), page)).collect();
    let mut next = vec![start.to_owned()];
    while let Some(name) = next.pop() {
        let Some(page) = left.remove(name.as_str()) else { continue };
        let blocks = parse(page.text());
        let targets = links(&blocks).into_iter().filter_map(|link| LinkTarget::of(&page.name, link));
        next.extend(targets.filter_map(|target| match target {
            LinkTarget::Page(name, _) => Some(name),
            LinkTarget::Web(_) => None,
        }));
    }
    left.into_keys().collect()
}
