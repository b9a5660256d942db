//! Typical mistakes: each gives one finding at the byte of the mistake, and all other sections are parsed.

use super::{child, keys, many, read};

/// Sections with one mistake. `⟦` marks the start of the finding; the second text is a part of its headline.
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
    ("bad:\n⟦\tX: 1\n", "a tab where YAML requires spaces"),
    ("bad:\n  x: 1\n⟦\ty: 1\n", "a tab where YAML requires spaces"),
    ("bad:\n  x:\n      - 1\n⟦\t  ü  - 2\n", "a tab where YAML requires spaces"),
    ("bad:\n  x: 1\n  ⟦key\n  y: 2\n", "expected `key: value`, found `key`"),
    ("bad:\n  ⟦key\n  y: 2\n", "expected `key: value`, found `key`"),
    ("bad: 1\n⟦key\n", "expected `key: value`, found `key`"),
    ("bad:\n  ⟦x:1\n  y: 2\n", "`x:1` has no space"),
    ("bad:\n  x: 1\n   ⟦y: 2\n", "`y` is indented deeper"),
    ("bad: 1\n  ⟦y: 2\n", "`y` is indented deeper"),
    ("bad:\n  x: 1\n ⟦y: 2\n", "`y` is not aligned"),
    ("bad:\n  x: b⟦: c\n", "unexpected `:` in a value"),
    ("bad:\n  x: \"q\" ⟦z\n", "follows a closing quote"),
    ("bad:\n  x: 'it'⟦s'\n", "follows a closing quote"),
    ("bad:\n  x: ⟦@foo\n", "begin with `@`"),
    ("bad:\n  x: ⟦`foo`\n", "begin with ``"),
    ("bad:\n  x: ⟦%foo\n", "begin with `%`"),
    ("bad:\n  x: \"C:⟦\\qwen\"\n", "does not begin a valid escape"),
    ("bad:\n  x: \"a⟦\\x4\"\n", "does not begin a valid escape"),
    ("bad:\n  x: {p: 1}⟦}\n", "unexpected `}`"),
    ("bad:\n  x: ⟦[1}\n", "`[` is closed by `}`"),
    ("bad:\n  x:\n    - 1\n    ⟦y: 2\n", "expected `- `"),
    ("bad:\n  - 1\n  ⟦-2\n  - 3\n", "no space after its `-`"),
    ("bad:\n  x: ⟦- 1\n", "on the line of its key"),
    ("bad:\n  x: 1\n  ⟦- 1\n", "list item among the keys"),
    ("bad:\n  x: ⟦*\n", "alias without a name"),
    ("bad:\n  x: ⟦& 2\n", "anchor without a name"),
    ("bad: ⟦|x\n  foo\n", "is not the header of a block scalar"),
    ("bad: {b: c d⟦: e}\n", "expected `,` or `}`"),
    ("bad: {x: 1\n  ⟦y: 2}\n", "expected `,` before `y`"),
    ("bad: [x, ⟦, y]\n", "expected a value"),
    ("bad: {b: 1, ⟦, c: 2}\n", "expected a value"),
    ("bad: [⟦- x]\n", "in brackets"),
    ("bad: [x]⟦y\n", "expected the end of the line"),
    ("bad: x ⟦# c\n  y\n", "comment interrupts"),
    ("bad: x⟦\0y\n", "is not allowed in YAML"),
    ("⟦bad\n", "expected `key: value`, found `bad`"),
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
fn a_mistake_is_one_finding_and_other_sections_are_parsed() {
    for (bad, words) in MISTAKES {
        check("first: {a: 1}\n", bad, words, "last: {ok: 1}\n");
    }
}

#[test]
fn non_ascii_text_does_not_move_labels() {
    for (bad, words) in MISTAKES {
        check("# Комментарий\nfirst: {é: \"größer\", 🙂: '日本'}\n", bad, words, "# ü\nlast:\n  ok: \"ä\"\n");
    }
}

#[test]
fn crlf_and_byte_order_marks_do_not_move_labels() {
    for (bad, words) in MISTAKES {
        let bad = bad.replace('\n', "\r\n");
        check("first: {a: 1}\r\n", &bad, words, "last: {ok: 1}\r\n");
        check("\u{feff}first: {a: 1}\r\n", &bad, words, "last: {ok: 1}\r\n");
    }
}

#[test]
fn a_mistake_in_the_first_section_keeps_the_others() {
    for (bad, words) in MISTAKES {
        check("", bad, words, "last: {ok: 1}\nmore: 1\n");
    }
}

#[test]
fn all_mistakes_of_one_file_are_found() {
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
fn items_before_an_error_are_kept_and_the_incomplete_item_is_dropped() {
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
fn parsing_continues_at_the_column_of_the_top_level_keys() {
    let (document, findings) = read("  a: 1\n  b: @\n  c: 2\n");
    assert_eq!(findings.findings().len(), 1);
    assert_eq!(keys(&document.nodes), ["a", "c"]);
    let (document, findings) = read("  a: 1\nb: 2\nc: 3\n");
    assert_eq!(findings.findings().len(), 1, "{:?}", findings.findings());
    assert!(findings.findings()[0].message.contains("indented less than the first key"));
    assert_eq!(keys(&document.nodes), ["a", "b", "c"]);
}

#[test]
fn anchors_survive_an_error_and_aliases_of_skipped_ones_are_not_reported() {
    let (document, findings) =
        read("a: &kept {x: 1}\nb:\n  c: @\n  d: &lost {y: 1}\ne: *kept\nf: *lost\ng: *never\n");
    let codes: Vec<_> = findings.findings().iter().map(|finding| finding.code.name).collect();
    assert_eq!(codes, ["yaml-syntax", "bad-alias"]);
    assert_eq!(child(&document.nodes, "e.x").args.len(), 1);
}

#[test]
fn a_tag_with_an_undeclared_handle_is_a_type_annotation() {
    let (document, findings) = read("a: !e!foo x\nb: 1\n");
    assert_eq!(findings.findings()[0].code.name, "type-annotation");
    assert_eq!(keys(&document.nodes), ["b"]);
}

#[test]
fn parsing_stops_after_100_errors_with_a_note() {
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
fn the_examples_of_code_pages_are_correct() {
    use orchgen::syntax::codes;
    for code in [&codes::YAML_SYNTAX, &codes::SEVERAL_DOCUMENTS, &codes::BAD_ALIAS, &codes::UNEXPECTED_SHAPE]
    {
        let page = code.text();
        let blocks: Vec<&str> =
            page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        let found: Vec<_> = super::found(blocks[0]).into_iter().map(|(name, _)| name).collect();
        assert_eq!(found, [code.name]);
        assert!(super::found(blocks[1]).is_empty(), "{}", blocks[1]);
    }
}
