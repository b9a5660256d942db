//! The exact spans of keys, values, blocks and nodes.

use super::{child, good};

/// A text, a path of keys, and the source text of the key, the values and the whole node.
const COVERED: &[(&str, &str, &str, &[&str], &str)] = &[
    ("a: 1\n", "a", "a", &["1"], "a: 1"),
    ("\"a\" : 'x' # c\n", "a", "\"a\"", &["'x'"], "\"a\" : 'x'"),
    ("a: \"x\n  y\"\nb: 1\n", "a", "a", &["\"x\n  y\""], "a: \"x\n  y\""),
    ("a: x\n  y\nb: 1\n", "a", "a", &["x\n  y"], "a: x\n  y"),
    ("a: [1, \"b\" , c]\n", "a", "a", &["1", "\"b\"", "c"], "a: [1, \"b\" , c]"),
    ("a:\n  - 1\n  - x\n\nb: 1\n", "a", "a", &["1", "x"], "a:\n  - 1\n  - x"),
    ("a:\n- 1\n- x\nb: 1\n", "a", "a", &["1", "x"], "a:\n- 1\n- x"),
    ("a:\n- |\n  x\n\n-\n", "a", "a", &["|\n  x", ""], "a:\n- |\n  x\n\n-"),
    ("a: |  # c\n  x\n\n  y\n\n\nb: 1\n", "a", "a", &["|  # c\n  x\n\n  y"], "a: |  # c\n  x\n\n  y"),
    ("a: # c | d\n  >-2\n    x  \n\n", "a", "a", &[">-2\n    x  "], "a: # c | d\n  >-2\n    x  "),
    ("a: &x !!str |\n  x", "a", "a", &["|\n  x"], "a: &x !!str |\n  x"),
    ("a: |+\n\nb: 1\n", "a", "a", &["|+"], "a: |+"),
    ("a: >\n", "a", "a", &[">"], "a: >"),
    ("a:\nb: 1\n", "a", "a", &[""], "a:"),
    ("a :   # c\nb: 1\n", "a", "a", &[""], "a :"),
    ("x: {a: , b}\n", "x.a", "a", &[""], "a:"),
    ("x: {a: , b}\n", "x.b", "b", &[""], "b"),
    ("a: &x\nb: 1\n", "a", "a", &[""], "a: &x"),
    ("a: {}\n", "a", "a", &[], "a: {}"),
    ("a: [ ]\n", "a", "a", &[], "a: [ ]"),
    ("a:\n  b:\n    c: 1\n\n\n# c\nd: 1\n", "a", "a", &[], "a:\n  b:\n    c: 1"),
    ("a: {b: {c: 1 }, }\n", "a.b", "b", &[], "b: {c: 1 }"),
    ("ü: 'ß'\n日: 🙂\n", "日", "日", &["🙂"], "日: 🙂"),
    ("\u{feff}a: 1\r\nb:\r\n  c: ü\r\n\r\nd: |\r\n  x\r\n\r\n", "b", "b", &[], "b:\r\n  c: ü"),
    ("\u{feff}a: 1\r\nb: 2\r\nd: |\r\n  x\r\n\r\n", "d", "d", &["|\r\n  x"], "d: |\r\n  x"),
    ("? a\n: x\n", "a", "a", &["x"], "a\n: x"),
];

#[test]
fn keys_values_and_nodes_have_exact_spans() {
    for (text, path, key, args, whole) in COVERED {
        let (document, _) = super::read(text);
        let node = child(&document.nodes, path);
        assert_eq!(&text[node.key_span.range()], *key, "{text}");
        let covered: Vec<&str> = node.args.iter().map(|arg| &text[arg.span.range()]).collect();
        assert_eq!(covered, *args, "{text}");
        assert_eq!(&text[node.span.range()], *whole, "{text}");
    }
}

#[test]
fn a_missing_value_is_after_the_colon() {
    for (text, place) in [("a:\n", 2), ("a :\nb: 1\n", 3), ("{a: , b: 1}", 3), ("{a}", 2), ("? a\n", 3)] {
        let span = good(text)[0].args[0].span;
        assert_eq!((span.start, span.end), (place, place), "{text}");
    }
}

#[test]
fn blocks_span_their_braces_or_lines() {
    let text = "a: {x: 1 }\nb:\n  x: 1\n  y: {z: 2}\n\nc: [ ]\nd:\n  - n: 1\n    m: 2\n  - n: 3\n";
    let nodes = good(text);
    let blocks: Vec<&str> = nodes.iter().map(|node| &text[node.block.unwrap().range()]).collect();
    assert_eq!(blocks, ["{x: 1 }", "x: 1\n  y: {z: 2}", "[ ]", "n: 1\n    m: 2", "n: 3"]);
    assert_eq!(&text[nodes[3].span.range()], "d:\n  - n: 1\n    m: 2");
}
