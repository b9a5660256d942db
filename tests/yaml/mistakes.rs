//! Typical mistakes: one finding each, at the byte where the mistake is, and all other sections are read.

use super::{child, keys, many, read};

/// The faulty section with `⟦` where the finding begins, and a part of its headline.
const MISTAKES: &[(&str, &str)] = &[
    ("bad:\n  X: {title: ⟦\"never closed}\n", "quote is never closed"),
    ("bad:\n  X: ⟦'never closed\n", "quote is never closed"),
    ("bad:\n  X: ⟦\"never closed\n  Y: \"closed\"\n", "quote is never closed"),
    ("bad:\n  X: ⟦[1, 2\n", "`[` is never closed"),
    ("bad:\n  X: ⟦{p: 1\n", "`{` is never closed"),
    ("bad:\n  X: ⟦{p: 1,\n", "`{` is never closed"),
    ("bad:\n  - ⟦{p: 1\n", "`{` is never closed"),
    ("bad:\n  - ⟦{p: 1,\n", "`{` is never closed"),
    ("bad:\n  - ⟦[1, 2\n", "`[` is never closed"),
    ("bad:\n  - x: ⟦[1, 2\n", "`[` is never closed"),
    ("bad: [1, 2]\nworse: ⟦@\n", "begin with `@`"),
    ("bad:\n  - {p: 1,\n     q: ⟦@}\n", "begin with `@`"),
    ("bad:\n  X: {p: ⟦[1, 2\n", "`[` is never closed"),
    ("bad:\n⟦\tX: 1\n", "a tab stands"),
    ("bad:\n  x: 1\n⟦\ty: 1\n", "a tab stands"),
    ("bad:\n  x:\n      - 1\n⟦\t  ü  - 2\n", "a tab stands"),
    ("bad:\n  x: 1\n  ⟦key\n  y: 2\n", "`key` has no `:`"),
    ("bad:\n  ⟦key\n  y: 2\n", "`key` has no `:`"),
    ("bad: 1\n⟦key\n", "`key` has no `:`"),
    ("bad:\n  ⟦x:1\n  y: 2\n", "`x:1` has no blank"),
    ("bad:\n  x: 1\n   ⟦y: 2\n", "`y` is indented deeper"),
    ("bad: 1\n  ⟦y: 2\n", "`y` is indented deeper"),
    ("bad:\n  x: 1\n ⟦y: 2\n", "`y` does not line up"),
    ("bad:\n  x: b⟦: c\n", "same line"),
    ("bad:\n  x: \"q\" ⟦z\n", "follows a closing quote"),
    ("bad:\n  x: 'it'⟦s'\n", "follows a closing quote"),
    ("bad:\n  x: ⟦@foo\n", "begin with `@`"),
    ("bad:\n  x: ⟦`foo`\n", "begin with ``"),
    ("bad:\n  x: ⟦%foo\n", "begin with `%`"),
    ("bad:\n  x: \"C:⟦\\qwen\"\n", "begins no escape"),
    ("bad:\n  x: \"a⟦\\x4\"\n", "begins no escape"),
    ("bad:\n  x: {p: 1}⟦}\n", "`}` closes nothing"),
    ("bad:\n  x: ⟦[1}\n", "`[` is closed by `}`"),
    ("bad:\n  x:\n    - 1\n    ⟦y: 2\n", "expected `- `"),
    ("bad:\n  - 1\n  ⟦-2\n  - 3\n", "no blank behind its `-`"),
    ("bad:\n  x: ⟦- 1\n", "behind its key"),
    ("bad:\n  x: 1\n  ⟦- 1\n", "list item stands among keys"),
    ("bad:\n  x: ⟦*\n", "alias without a name"),
    ("bad:\n  x: ⟦& 2\n", "anchor without a name"),
    ("bad: ⟦|x\n  foo\n", "begins no block of text"),
    ("bad: {b: c d⟦: e}\n", "expected `,` or `}`"),
    ("bad: {x: 1\n  ⟦y: 2}\n", "no `,` before `y`"),
    ("bad: [x, ⟦, y]\n", "expected a value"),
    ("bad: {b: 1, ⟦, c: 2}\n", "expected a value"),
    ("bad: [⟦- x]\n", "in brackets"),
    ("bad: [x]⟦y\n", "expected the end of the line"),
    ("bad: x ⟦# c\n  y\n", "comment cuts"),
    ("bad: x⟦\0y\n", "cannot stand in YAML"),
    ("⟦bad\n", "`bad` has no `:`"),
    ("⟦<<<<<<< HEAD\nbad: 1\n=======\nbad: 2\n>>>>>>> x\n", "merge conflict"),
    ("bad:\n  x: 1\n⟦<<<<<<< HEAD\n  y: 1\n=======\n  y: 2\n>>>>>>> x\n", "merge conflict"),
];

fn check(before: &str, bad: &str, words: &str, after: &str) {
    let marked = format!("{before}{bad}{after}");
    let place = marked.find('⟦').unwrap();
    let text = marked.replace('⟦', "");
    let (document, findings) = read(&text);
    let findings = findings.findings();
    assert_eq!(findings.len(), 1, "{text}\n{findings:#?}");
    let finding = &findings[0];
    assert_eq!(finding.code.name, "yaml-syntax");
    assert_eq!(finding.primary.span.start as usize, place, "{text}\n{finding:#?}");
    assert!(finding.primary.span.end as usize > place, "{text}\n{finding:#?}");
    assert!(finding.message.contains(words), "{text}\n{finding:#?}");
    assert!(!finding.message.contains("invalid") && !finding.message.ends_with('.'), "{}", finding.message);
    let names = keys(&document.nodes);
    assert!(before.is_empty() || names[0] == "first", "{text}\n{names:?}");
    assert!(names.iter().any(|name| name == "last"), "{text}\n{names:?}\n{finding:#?}");
    let last = child(&document.nodes, "last.ok");
    assert_eq!(&text[last.key_span.range()], "ok", "{text}");
}

#[test]
fn a_mistake_is_one_finding_at_its_place_and_other_sections_are_read() {
    for (bad, words) in MISTAKES {
        check("first: {a: 1}\n", bad, words, "last: {ok: 1}\n");
    }
}

#[test]
fn text_that_is_not_ascii_moves_no_label() {
    for (bad, words) in MISTAKES {
        check("# Комментарий\nfirst: {é: \"größer\", 🙂: '日本'}\n", bad, words, "# ü\nlast:\n  ok: \"ä\"\n");
    }
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_move_no_label() {
    for (bad, words) in MISTAKES {
        let bad = bad.replace('\n', "\r\n");
        check("first: {a: 1}\r\n", &bad, words, "last: {ok: 1}\r\n");
        check("\u{feff}first: {a: 1}\r\n", &bad, words, "last: {ok: 1}\r\n");
    }
}

#[test]
fn a_mistake_in_the_first_section_leaves_the_rest() {
    for (bad, words) in MISTAKES {
        check("", bad, words, "last: {ok: 1}\nmore: 1\n");
    }
}

#[test]
fn every_mistake_is_found_where_many_are_made() {
    let bad: Vec<_> = MISTAKES.iter().map(|(bad, _)| bad.replace('⟦', "")).collect();
    let bad: Vec<_> = bad.iter().filter(|bad| !bad.contains("<<<")).collect();
    let text = many(bad.len(), |n| format!("{}good{n}: {{ok: 1}}\n", bad[n]));
    let (document, findings) = read(&text);
    assert_eq!(findings.findings().len(), MISTAKES.len() - 2, "{:#?}", findings.findings());
    assert_eq!(
        keys(&document.nodes).iter().filter(|key| key.starts_with("good")).count(),
        MISTAKES.len() - 2
    );
}

#[test]
fn what_was_complete_before_a_fault_is_kept_and_what_was_not_is_left_out() {
    let (document, findings) = read(
        "roles:\n  a: {port: 1}\n  b:\n    port: 2\n  c:\n    port: 3\n    x: @\n  d: {port: 4}\nnext: 1\n",
    );
    assert_eq!(findings.findings().len(), 1);
    assert_eq!(keys(&child(&document.nodes, "roles").fields), ["a", "b"]);
    assert_eq!(keys(&document.nodes), ["roles", "next"]);
    let (document, _) = read("bans:\n  - {target: a}\n  - target: b\n    x: @\nnext: 1\n");
    assert_eq!(keys(&document.nodes), ["bans", "next"]);
}

#[test]
fn a_file_that_is_indented_goes_on_at_its_own_margin() {
    let (document, findings) = read("  a: 1\n  b: @\n  c: 2\n");
    assert_eq!(findings.findings().len(), 1);
    assert_eq!(keys(&document.nodes), ["a", "c"]);
    let (document, findings) = read("  a: 1\nb: 2\nc: 3\n");
    assert_eq!(findings.findings().len(), 1, "{:?}", findings.findings());
    assert!(findings.findings()[0].message.contains("indented less than the first key"));
    assert_eq!(keys(&document.nodes), ["a", "b", "c"]);
}

#[test]
fn anchors_survive_a_fault_and_lost_ones_are_silent() {
    let (document, findings) =
        read("a: &kept {x: 1}\nb:\n  c: @\n  d: &lost {y: 1}\ne: *kept\nf: *lost\ng: *never\n");
    let said: Vec<_> = findings.findings().iter().map(|finding| finding.code.name).collect();
    assert_eq!(said, ["yaml-syntax", "bad-alias"]);
    assert_eq!(child(&document.nodes, "e.x").args.len(), 1);
}

#[test]
fn a_tag_without_a_handle_is_a_tag() {
    let (document, findings) = read("a: !e!foo x\nb: 1\n");
    assert_eq!(findings.findings()[0].code.name, "type-annotation");
    assert_eq!(keys(&document.nodes), ["b"]);
}

#[test]
fn a_hundred_mistakes_end_the_reading_and_the_last_says_so() {
    let text = "a: @\n".repeat(100_000);
    let (document, findings) = read(&text);
    assert!(document.nodes.is_empty());
    assert_eq!(findings.findings().len(), 100);
    assert!(findings.findings()[99].notes[0].contains("not read"));
    assert!(findings.findings()[98].notes.is_empty());
}

#[test]
fn a_file_in_braces_has_one_finding() {
    let (document, findings) = read("{\n\"a\": 1,\n\"b\": @bad,\n\"c\": 3\n}\n");
    assert_eq!(findings.findings().len(), 1, "{:#?}", findings.findings());
    assert!(document.nodes.is_empty());
}

#[test]
fn the_page_of_a_code_shows_what_it_finds_and_its_cure() {
    use orchgen::syntax::codes;
    for code in [&codes::YAML_SYNTAX, &codes::SEVERAL_DOCUMENTS, &codes::BAD_ALIAS, &codes::UNEXPECTED_SHAPE]
    {
        let page = code.text();
        let blocks: Vec<&str> =
            page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        let found: Vec<_> = super::said(blocks[0]).into_iter().map(|(name, _)| name).collect();
        assert_eq!(found, [code.name]);
        assert!(super::said(blocks[1]).is_empty(), "{}", blocks[1]);
    }
}
