//! The guide as HTML files: the topics, the reference, and a page for each code.

use super::html;
use super::markdown::{Block, parse, words_of};
use super::page::Page;
use crate::catalogue;
use crate::cli::explain;
use crate::render::RenderError;
use crate::render::template::{Quoted, Template, Templates};
use rayon::prelude::*;
use serde::Serialize;

static PAGE: Template = crate::template!("guide/page.html.j2");

/// The style of all pages, in each of them: files on disk have no common origin, and a page is then complete alone.
const STYLE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/guide/style.css"));

/// The page with links to all others.
pub const INDEX: &str = "index";
/// The page with links to the pages of all codes.
const CODES: &str = "codes/index";

/// A link in the frame of a page.
#[derive(Serialize)]
struct FrameLink {
    href: String,
    title: String,
    is_current: bool,
}

/// A heading with the links below it.
#[derive(Serialize)]
struct LinkGroup {
    title: String,
    links: Vec<FrameLink>,
}

/// The values of the template.
#[derive(Serialize)]
struct PageFrame {
    title: String,
    heading: Quoted,
    style: Quoted,
    body: Quoted,
    version: &'static str,
    is_index: bool,
    home: String,
    /// The page above this one: the list of codes for a code.
    above: Option<FrameLink>,
    group: String,
    groups: Vec<LinkGroup>,
    /// The headings of level 2, if there are several.
    contents: Vec<FrameLink>,
    previous: Option<FrameLink>,
    next: Option<FrameLink>,
}

/// All pages of the site: the index, these pages, and those of the codes.
pub fn all_pages(mut listed: Vec<Page>) -> Vec<Page> {
    let codes = catalogue::codes();
    let list = explain::markdown_list(&codes, |code| format!("{code}.md"));
    listed.push(Page::new(CODES, "Reference", list));
    let index = Page::new(INDEX, "", index(&listed));
    let code = |code| Page::new(format!("codes/{code}"), "Findings", explain::markdown(code));
    std::iter::once(index).chain(listed).chain(codes.into_iter().map(code)).collect()
}

/// The Markdown of the index.
pub fn index(pages: &[Page]) -> String {
    let mut text = "# The orchgen guide\n\norchgen compiles a registry of language models into the files that serve and document them: \
        systemd units, scripts, configurations of gateways and documents.\n"
        .to_owned();
    for (group, pages) in groups(pages) {
        text.extend(["\n## ", group, "\n\n"]);
        for page in pages {
            text.extend(["- [", page.title(), "](", &page.name, ".md)\n"]);
        }
    }
    text
}

/// Pages by group, in their order.
pub fn groups<'p>(pages: impl IntoIterator<Item = &'p Page>) -> Vec<(&'p str, Vec<&'p Page>)> {
    let mut groups: Vec<(&str, Vec<&Page>)> = Vec::new();
    for page in pages {
        match groups.iter_mut().find(|(group, _)| *group == page.group) {
            Some((_, pages)) => pages.push(page),
            None => groups.push((&page.group, vec![page])),
        }
    }
    groups
}

/// The files of the site, as paths and texts.
pub fn files(pages: &[Page]) -> Result<Vec<(String, String)>, RenderError> {
    let templates = Templates::new([&PAGE]);
    let file = |at: usize, page: &Page| {
        let text = templates.render(&PAGE, &frame(pages, at, page))?;
        Ok((format!("{}.html", page.name), text))
    };
    pages.par_iter().enumerate().map(|(at, page)| file(at, page)).collect()
}

/// True for a page in the navigation. Pages of codes are only in the list of codes.
fn is_listed(page: &Page) -> bool {
    page.name == CODES || !page.name.starts_with("codes/") && page.name != INDEX
}

fn frame(pages: &[Page], at: usize, page: &Page) -> PageFrame {
    let parsed = parse(page.text());
    let (heading, body) = match parsed.split_first() {
        Some((Block::Heading(1, text, _), body)) => (html::heading(text), body),
        _ => (String::new(), &*parsed),
    };
    let is_code = page.name.starts_with("codes/") && page.name != CODES;
    let place = |page: &Page| (page.name != INDEX).then(|| is_listed(page));
    let neighbour = |other: Option<&Page>| {
        other.filter(|other| place(other) == place(page)).map(|other| link(page, other))
    };
    let above = pages.iter().find(|other| is_code && other.name == CODES);
    let listed = pages.iter().filter(|page| is_listed(page));
    let group = |(title, pages): (&str, Vec<&Page>)| LinkGroup {
        title: title.to_owned(),
        links: pages.into_iter().map(|other| link(page, other)).collect(),
    };
    PageFrame {
        title: page.title().to_owned(),
        heading: heading.into(),
        style: STYLE.to_owned().into(),
        body: html::blocks(body, &page.name).into(),
        version: env!("CARGO_PKG_VERSION"),
        is_index: page.name == INDEX,
        home: relative(&page.name, INDEX),
        above: above.map(|above| link(page, above)),
        group: page.group.clone(),
        groups: groups(listed).into_iter().map(group).collect(),
        contents: contents(body),
        previous: neighbour(at.checked_sub(1).and_then(|at| pages.get(at))),
        next: neighbour(pages.get(at + 1)),
    }
}

/// The headings of level 2 as links. One heading needs no list.
fn contents(body: &[Block]) -> Vec<FrameLink> {
    let link = |block: &Block| match block {
        Block::Heading(2, text, anchor) => {
            Some(FrameLink { href: format!("#{anchor}"), title: words_of(text), is_current: false })
        }
        Block::Heading(..)
        | Block::Paragraph(_)
        | Block::List(..)
        | Block::Quote(_)
        | Block::Code(_)
        | Block::Table(..)
        | Block::Rule => None,
    };
    let links: Vec<FrameLink> = body.iter().filter_map(link).collect();
    if links.len() > 2 { links } else { Vec::new() }
}

fn link(from: &Page, to: &Page) -> FrameLink {
    let is_current = from.name == to.name;
    FrameLink { href: relative(&from.name, &to.name), title: to.title().replace('`', ""), is_current }
}

/// The relative path of the file of a page, from another page.
fn relative(from: &str, to: &str) -> String {
    format!("{}{to}.html", "../".repeat(from.matches('/').count()))
}
