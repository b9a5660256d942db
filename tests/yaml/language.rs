//! The nodes that YAML gives: scalars, shapes, aliases, merge keys, tags and documents.

use super::{child, count, found, good, keys, many, read};
use orchgen::syntax::Value;

fn value(word: &str) -> Value<'static> {
    let text = format!("a: {word}\n");
    match good(&text)[0].args[0].value.clone() {
        Value::String(text) => Value::String(text.into_owned().into()),
        Value::Null => Value::Null,
        Value::Bool(is) => Value::Bool(is),
        Value::Integer(n) => Value::Integer(n),
        Value::Float(n) => Value::Float(n),
    }
}

#[test]
fn bare_words_follow_the_core_schema() {
    for word in ["", "~", "null", "Null", "NULL"] {
        assert_eq!(value(word), Value::Null, "{word}");
    }
    for (word, is) in [("true", true), ("True", true), ("TRUE", true), ("false", false), ("FALSE", false)] {
        assert_eq!(value(word), Value::Bool(is), "{word}");
    }
    let whole: &[(&str, i128)] = &[("0", 0), ("014", 14), ("-7", -7), ("+7", 7), ("0x1F", 31), ("0o17", 15)];
    for (word, n) in whole {
        assert_eq!(value(word), Value::Integer(*n), "{word}");
    }
    assert_eq!(value(&i128::MAX.to_string()), Value::Integer(i128::MAX));
    assert!(matches!(value("170141183460469231731687303715884105728"), Value::Float(_)));
    assert!(matches!(value("0xffffffffffffffffffffffffffffffffff"), Value::Float(_)));
    let broken: &[(&str, f64)] = &[
        ("1.5", 1.5),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("1e3", 1e3),
        ("1.5E-3", 1.5e-3),
        (".inf", f64::INFINITY),
        ("-.INF", f64::NEG_INFINITY),
    ];
    for (word, n) in broken {
        assert_eq!(value(word), Value::Float(*n), "{word}");
    }
    assert!(matches!(value(".nan"), Value::Float(n) if n.is_nan()));
    let words = [
        "yes",
        "no",
        "on",
        "off",
        "1_000",
        "12:30:45",
        "0x",
        "0b1",
        "-0x1",
        "nULL",
        "tRUE",
        "1.2.3",
        "e3",
        "1e",
        ".",
        "+",
        "-.nan",
        "\"1\"",
        "'true'",
        "45 GB",
        "0-47,96-143",
        "5.4x",
        "2026-02-03",
    ];
    for word in words {
        let expected = word.trim_matches(['"', '\'']);
        assert_eq!(value(word), Value::String(expected.into()), "{word}");
    }
}

#[test]
fn the_shape_of_a_value_decides_the_shape_of_the_node() {
    let text = "port: 1\nwhat: [a, b]\nblock: {a: 1}\nnone: []\nempty: {}\nmany: [{n: 1}, x, {n: 2}]\nlines:\n- a\n- b\n";
    let nodes = good(text);
    assert_eq!(keys(&nodes), ["port", "what", "block", "none", "empty", "many", "many", "many", "lines"]);
    let shape = |n: usize| (nodes[n].args.len(), nodes[n].fields.len(), nodes[n].block.is_some());
    let expected = [
        (1, 0, false),
        (2, 0, false),
        (0, 1, true),
        (0, 0, true),
        (0, 0, true),
        (0, 1, true),
        (1, 0, false),
        (0, 1, true),
        (2, 0, false),
    ];
    for (n, expected) in expected.into_iter().enumerate() {
        assert_eq!(shape(n), expected, "{}", nodes[n].key);
    }
    assert_eq!(nodes[5].key_span, nodes[7].key_span);
}

#[test]
fn keys_are_strings_and_duplicates_are_kept() {
    assert_eq!(
        keys(&good("~: 1\n8080: 2\n\"q\": 3\n'<<': 4\ntrue: 5\n? long\n: 6\na: 1\na: 2\n")),
        ["~", "8080", "q", "<<", "true", "long", "a", "a"]
    );
}

#[test]
fn an_empty_file_is_valid() {
    for text in [
        "",
        "\n\n",
        "# only\n",
        "---\n",
        "---\n# only\n",
        "---\n...\n",
        "\u{feff}",
        "\u{feff}# x\n",
        "%YAML 1.2\n---\n",
    ] {
        assert!(good(text).is_empty(), "{text:?}");
    }
    assert_eq!(good("%YAML 1.2\n---\na: 1\n...\n# end\n").len(), 1);
}

#[test]
fn unsupported_shapes_are_reported_once() {
    let one = |text| assert_eq!(found(text).len(), 1, "{text} {:?}", found(text));
    for text in [
        "x",
        "- a\n- [b]\n",
        "[a, [b]]",
        "a: [[1], [2], [[3]]]\n",
        "? [a, {b: 1}]\n: 1\n",
        "? {a: [[1]]}\n: 1\n",
        "{a: 1}: 2\n",
    ] {
        one(text);
        assert_eq!(found(text)[0].0, "unexpected-shape", "{text}");
    }
    assert_eq!(found("a: 1\nb: [x, [y]]\n"), [("unexpected-shape", "[")]);
    let (document, _) = read("a: [x, [y], z]\n? [k]\n: 1\nb: 1\n");
    assert_eq!(keys(&document.nodes), ["a", "b"]);
    assert_eq!(document.nodes[0].args.len(), 2);
    one("l: &l [1]\nm: [*l, *l]\n");
    one("l: &l [1]\n*l : 1\n");
}

#[test]
fn aliases_are_copies_with_the_spans_of_the_original() {
    let text = "a: &a {x: 1}\nb: *a\nc: &c word\nd: [*c, *c]\n*c : 5\ne: [*a, {y: 1}]\n";
    let nodes = good(text);
    assert_eq!(keys(&nodes), ["a", "b", "c", "d", "word", "e", "e"]);
    assert_eq!(nodes[0].fields, nodes[1].fields);
    assert_eq!(&text[nodes[1].span.range()], "b: *a");
    assert_eq!(&text[nodes[4].key_span.range()], "*c");
    assert_eq!(nodes[3].args[0].span, nodes[2].args[0].span);
}

#[test]
fn aliases_without_an_anchor_or_inside_it_are_reported() {
    assert_eq!(found("a: *nope\nb: [*no]\n"), [("bad-alias", "*nope"), ("bad-alias", "*no")]);
    assert_eq!(found("a: &a [*a]\n"), [("bad-alias", "*a")]);
    assert_eq!(found("a: &a {b: {c: *a}}\n"), [("bad-alias", "*a")]);
    let nodes = good("a: &x 1\nb: &x 2\nc: *x\nd: &x {e: &x 3, f: *x}\ng: *x\n");
    assert_eq!(nodes[2].args[0].value, Value::Integer(2));
    assert_eq!(child(&nodes, "d.f").args[0].value, Value::Integer(3));
    assert_eq!(child(&nodes, "g").args[0].value, Value::Integer(3));
}

#[test]
fn merged_fields_come_last_and_the_first_merge_wins() {
    let text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2, z2: [{n: 1}, {n: 2}]}\nc: {<<: [*a, *b], x: 0}\nd: {<<: *b, <<: {w: 1}}\n";
    let nodes = good(text);
    let values = |path| {
        child(&nodes, path)
            .fields
            .iter()
            .map(|f| (f.key.to_string(), f.args.first().map(|s| s.value.clone())))
            .collect::<Vec<_>>()
    };
    let int = |n| Some(Value::Integer(n));
    let expected = [("x", int(0)), ("y", int(1)), ("z", int(2)), ("z2", None), ("z2", None)];
    assert_eq!(values("c"), expected.map(|(k, v)| (k.to_owned(), v)));
    assert_eq!(keys(&child(&nodes, "d").fields), ["y", "z", "z2", "z2", "w"]);
    let merged = &child(&nodes, "c").fields[1];
    assert_eq!(merged.key_span, child(&nodes, "a.y").key_span);
    assert_eq!(keys(&good("<<: {a: 1, b: 2}\nb: 3\n")), ["b", "a"]);
}

#[test]
fn a_merge_of_another_value_is_reported() {
    for text in ["a: {<<: 1}\n", "a: {<<: [1, 2]}\n", "a: {<<: }\n", "a: &a 1\nb: {<<: *a}\n"] {
        assert_eq!(found(text), [("unexpected-shape", "<<")], "{text}");
    }
    assert_eq!(found("a: {<<: *no, b: 1}\n"), [("bad-alias", "*no")]);
}

#[test]
fn tags_are_reported_and_the_value_is_kept() {
    let text = "a: !!int \"3\"\nb: !x\n  c: 1\nd: !!str 3\ne: [!y z]\n";
    let tags: Vec<_> = found(text).into_iter().collect();
    assert_eq!(
        tags,
        [
            ("type-annotation", "!!int"),
            ("type-annotation", "!x"),
            ("type-annotation", "!!str"),
            ("type-annotation", "!y")
        ]
    );
    let (document, _) = read(text);
    assert_eq!(document.nodes[0].args[0].value, Value::String("3".into()));
    assert_eq!(document.nodes[2].args[0].value, Value::Integer(3));
    assert_eq!(count(&document.nodes), 9);
}

#[test]
fn a_second_document_is_reported_and_skipped() {
    for text in [
        "a: 1\n---\nb: 2\n",
        "---\na: 1\n---\nb: 2\n---\nc: 3\n",
        "a: 1\n...\n---\nb: @\n",
        "a: @\n---\nb: 2\nc: 1\n",
    ] {
        let (document, findings) = read(text);
        let several: Vec<_> =
            findings.findings().iter().filter(|f| f.code.name == "several-documents").collect();
        assert_eq!(several.len(), 1, "{text} {:?}", findings.findings());
        assert_eq!(&text[several[0].primary.span.range()], "---");
        assert!(several[0].primary.span.start > 0);
        assert!(document.nodes.iter().all(|node| node.key == "a"));
    }
    assert_eq!(found("a: 1\n...\nb: 2\n"), [("several-documents", "...")]);
}

#[test]
fn nesting_deeper_than_64_is_reported_once() {
    let nested = |n: usize| format!("{}1{}\nlast: 1\n", "a: {".repeat(n - 1) + "a: ", "}".repeat(n - 1));
    assert_eq!(super::depth(&good(&nested(64))), 64);
    for n in [65, 100, 250, 300, 5000] {
        let text = nested(n);
        let (document, findings) = read(&text);
        let names: Vec<_> = findings.findings().iter().map(|f| f.code.name).collect();
        assert_eq!(names, ["nesting-too-deep"], "{n}");
        assert_eq!(keys(&document.nodes).last().unwrap(), "last", "{n}");
    }
    let chain = many(100, |m| format!("a{n}: &a{n} {{x: *a{m}}}\n", n = m + 1));
    let chain = format!("a0: &a0 {{x: 1}}\n{chain}");
    let (document, findings) = read(&chain);
    assert_eq!(findings.findings().len(), 1);
    assert!(super::depth(&document.nodes) <= 65);
}
