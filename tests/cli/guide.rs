//! `orchgen guide`: pages on the terminal and as HTML, their links, and unknown topics.

use super::{Workspace, exit_code, text};
use crate::support::{assert_snapshot, visible};
use orchgen::cli::guide::html::{blocks, heading};
use orchgen::cli::guide::links::{dead_links, unreachable};
use orchgen::cli::guide::markdown::{Block, parse, slug};
use orchgen::cli::guide::page::Page;
use orchgen::cli::guide::{pages, site, terminal};
use orchgen::diag::report::{Style, width};
use std::collections::BTreeSet;
use std::fs;

const PAGE: &str = include_str!("guide/page.md");

/// A text that would be a script, or end an attribute or an element.
const HOSTILE: &str = "<script>alert(1)</script> \"'&";

fn printed(style: Style) -> String {
    terminal::print(&parse(PAGE), "one-gpu", style)
}

#[test]
fn a_page_is_wrapped_for_the_terminal() {
    for columns in [40, 100] {
        let page = printed(Style { width: columns, color: false, ..Style::default() });
        let is_copied = |line: &&str| line.contains('`') || line.starts_with("    ");
        let wide: Vec<_> = page.lines().filter(|line| width(line) > columns && !is_copied(line)).collect();
        assert!(wide.is_empty(), "{columns}: {wide:?}");
        assert_eq!(visible(&printed(Style { width: columns, color: true, ..Style::default() })), page);
        assert_snapshot!("guide", format!("terminal-{columns}"), page);
    }
    assert_eq!(
        printed(Style { width: 400, color: false, ..Style::default() }),
        printed(Style { width: 100, color: false, ..Style::default() }),
        "wider lines are hard to read"
    );
    assert_eq!(
        printed(Style { width: 1, color: false, ..Style::default() }),
        printed(Style { width: 40, color: false, ..Style::default() })
    );
}

#[test]
fn a_page_is_html() {
    assert_snapshot!("guide", "html", blocks(&parse(PAGE), "one-gpu"));
}

#[test]
fn hostile_text_is_text() {
    let page = format!(
        "# A {HOSTILE} title\n\n[{HOSTILE}](javascript:alert) [x](one-gpu.md#\"onclick=\"x) `{HOSTILE}` \u{1b}[31m\n\n\
         ## {HOSTILE}\n\n```kdl {HOSTILE}\n{HOSTILE}\u{1b}[31m\n```\n\n| {HOSTILE} |\n|---|\n| {HOSTILE} |\n\n<script>alert(2)</script>\n"
    );
    let listed =
        vec![Page::new("one-gpu", HOSTILE, page.as_str()), Page::new("two", HOSTILE, "# `two` <b>\n")];
    for (path, html) in site::files(&site::all_pages(listed)).unwrap() {
        for word in ["<script", "<b>", "javascript:", "\"onclick", "\u{1b}"] {
            assert!(!html.contains(word), "{path} has {word}: {html}");
        }
    }
    for color in [false, true] {
        let printed = terminal::print(&parse(&page), "one-gpu", Style { color, ..Style::default() });
        assert!(printed.contains("<script>") && !visible(&printed).contains('\u{1b}'), "{printed:?}");
    }
}

#[test]
fn dead_links_and_dead_anchors_are_found() {
    let page = |name: &str, text: &str| Page::new(name, "A", text);
    let listed = [
        page(
            "one",
            "# One\n\n[a](two.md) [b](two.md#x) [c](nowhere.md)\n\n| [d](#here) |\n|---|\n| [e](two) |\n",
        ),
        page("two", "# Two\n\n## Here `x`\n\n[a](#here-x) [b](one.md#one) [c](sub/three.md#t-1)\n"),
        page(
            "sub/three",
            "# Three\n\n## T\n\n## T\n\n[a](../two.md#here-x) [b](../../one.md) [c](three.md) [d](ftp://x)\n",
        ),
        page("alone", "# Alone\n\n[a](https://example.org/x.md#y)\n"),
    ];
    let dead = dead_links(&listed);
    assert_eq!(
        dead,
        [
            "one: `two.md#x`: `two` has no heading `#x`",
            "one: `nowhere.md`: no page `nowhere`",
            "one: `#here`: `one` has no heading `#here`",
            "one: `two`: neither a page nor an address of the web",
            "sub/three: `../../one.md`: neither a page nor an address of the web",
            "sub/three: `ftp://x`: neither a page nor an address of the web",
        ]
    );
    assert_eq!(unreachable(&listed, "one"), ["alone"]);
}

#[test]
fn anchors_are_those_of_github() {
    for (title, anchor) in [
        ("draft.max", "draftmax"),
        ("Check it, now!", "check-it-now"),
        ("A  b_c-d", "a--b_c-d"),
        ("Größe", "größe"),
    ] {
        assert_eq!(slug(title), anchor);
    }
    let Block::Heading(_, text, _) = &parse("## A [link](x.md) with `<code>`")[0] else {
        panic!("no heading")
    };
    assert_eq!(heading(text), "A link with <code>&lt;code&gt;</code>");
}

/// One test, because the reference takes long.
#[test]
fn the_site_is_complete_and_each_time_the_same() {
    let all = site::all_pages(pages());
    assert_links(&all);
    let files = site::files(&all).unwrap();
    for (path, html) in &files {
        assert_static(path, html);
    }
    let workspace = Workspace::new("");
    let mut command = workspace.command(&["guide", "--out", "some/pages"]);
    command.env("COLUMNS", "40").env("LANG", "C.UTF-8").env("CLICOLOR_FORCE", "1").env("TZ", "Asia/Tokyo");
    let output = command.output().unwrap();
    let message = format!("wrote {} pages into `some/pages`\n", all.len());
    assert_eq!((exit_code(&output), text(&output.stdout), text(&output.stderr)), (0, String::new(), message));
    let written = workspace.tree("some/pages");
    assert_eq!(written.len(), files.len());
    for (path, html) in &files {
        let on_disk = fs::read_to_string(workspace.at("some/pages").join(path)).unwrap();
        assert!(on_disk == *html, "{path} differs");
    }
    let file = |path: &str| &files.iter().find(|(known, _)| known == path).unwrap().1;
    let (index, code) = (file("index.html"), file("codes/ORC302.html"));
    for page in &all {
        let href = format!("href=\"{}.html\"", page.name);
        assert!(page.name.starts_with("codes/ORC") || index.contains(&href), "{}", page.name);
    }
    for expected in [
        "<a href=\"../codes/index.html\">",
        "<title>ORC302 port-conflict · orchgen guide</title>",
        "../index.html",
    ] {
        assert!(code.contains(expected), "{expected} is not in {code}");
    }
}

/// Each link leads to a page and a heading, and the index leads to each page.
#[track_caller]
fn assert_links(all: &[Page]) {
    assert_eq!(dead_links(all), Vec::<String>::new());
    assert_eq!(unreachable(all, site::INDEX), Vec::<&str>::new());
    let names: BTreeSet<&str> = all.iter().map(|page| page.name.as_str()).collect();
    assert_eq!(names.len(), all.len(), "each name is of one page");
    for page in all {
        let parsed = parse(page.text());
        let titles = parsed.iter().filter(|block| matches!(block, Block::Heading(1, ..))).count();
        let is_first = matches!(parsed.first(), Some(Block::Heading(1, ..)));
        assert!(is_first && titles == 1, "{} begins with its only title", page.name);
    }
}

/// A page has no script, and loads nothing.
#[track_caller]
fn assert_static(path: &str, html: &str) {
    for word in ["<script", " src=", "<link", "<img", "url(", "@import", "style=\""] {
        assert!(!html.contains(word), "{path} has {word}");
    }
    for expected in [
        "<html lang=\"en\">",
        "default-src 'none'",
        "<main id=\"main\"",
        "name=\"viewport\"",
        "href=\"#main\"",
    ] {
        assert!(html.contains(expected), "{path} lacks {expected}");
    }
    assert_eq!(html.matches("<h1").count(), 1, "{path}");
}

#[test]
fn a_site_needs_a_folder_and_no_other_choice() {
    let workspace = Workspace::new("");
    fs::write(workspace.at("file"), "").unwrap();
    assert_eq!(exit_code(&workspace.run(&["guide", "vision", "--out", "x"])), 2);
    assert_eq!(exit_code(&workspace.run(&["guide", "--out", "x", "--output-format", "markdown"])), 2);
}

#[test]
fn topics_are_listed_and_printed() {
    let workspace = Workspace::new("");
    let listed = text(&workspace.run(&["guide"]).stdout);
    for page in pages() {
        assert!(
            listed.contains(&format!("  {}", page.name)) && listed.contains(&page.group),
            "{}: {listed}",
            page.name
        );
    }
    for page in pages().iter().filter(|page| page.group != "Reference") {
        let markdown = workspace.run(&["guide", &page.name, "--output-format", "markdown"]);
        assert_eq!(text(&markdown.stdout), page.text());
    }
    let page = text(&workspace.run(&["guide", "Vision"]).stdout);
    assert!(page.starts_with("Images: a vision model\n") && !page.contains('\u{1b}'), "{page}");
    let colored = workspace.run(&["guide", "vision", "--color", "always"]);
    assert_eq!(visible(&text(&colored.stdout)), page);
    assert!(colored.stdout.starts_with(b"\x1b[1m"));
    let index = text(&workspace.run(&["guide", "--output-format", "markdown"]).stdout);
    assert!(index.contains("- [Images: a vision model](vision.md)\n"), "{index}");
}

#[test]
fn unknown_topics_get_help() {
    let workspace = Workspace::new("");
    for (topic, help) in [
        ("visoin", "unknown topic `visoin`; did you mean `vision`?\n"),
        ("gpu", "\nread `orchgen guide one-gpu` or `orchgen guide gpu-and-cpu`\n"),
        ("swap", "\nread `orchgen guide from-llama-swap` or `orchgen guide reference/llama-swap-keys`\n"),
        ("systemd", "\nread `orchgen guide from-systemd`\n"),
        ("MTP", "\nread `orchgen guide draft`\n"),
        ("orc302", "\nORC302 is a finding: run `orchgen explain ORC302`\n"),
        ("codes/ORC302", "\nORC302 is a finding: run `orchgen explain ORC302`\n"),
        ("index", "\nrun `orchgen guide` for the list of topics\n"),
        ("codes/index", "\nrun `orchgen explain` for the list of findings\n"),
        ("port-conflict", "\nORC302 is a finding: run `orchgen explain ORC302`\n"),
        ("role.draft.max", "\nrun `orchgen schema --field role.draft.max`\n"),
        ("rollback", "\nrun `orchgen rollback --help`\n"),
        ("\u{1b}[31mzzzz", "unknown topic `\\u{1b}[31mzzzz`\n`orchgen guide` lists all topics\n"),
    ] {
        let output = workspace.run(&["guide", topic]);
        let stderr = text(&output.stderr);
        assert_eq!((exit_code(&output), output.stdout.len()), (2, 0), "{topic}");
        assert!(
            stderr.contains(help) && stderr.ends_with("\n`orchgen guide` lists all topics\n"),
            "{topic}: {stderr}"
        );
    }
}
