//! Malicious and random text: the parser never panics, all spans are in the text, and the time is linear.

use super::read;
use orchgen::source::Span;
use orchgen::syntax::Node;
use proptest::prelude::*;

fn check_span(text: &str, span: Span) {
    assert!(text.get(span.range()).is_some(), "{span:?} is outside of {text:?}");
}

fn check_nodes(text: &str, nodes: &[Node]) {
    for node in nodes {
        let spans = [node.key_span, node.span].into_iter().chain(node.block);
        spans.chain(node.args.iter().map(|arg| arg.span)).for_each(|span| check_span(text, span));
        assert!(node.span.start <= node.key_span.start && node.key_span.end <= node.span.end, "{text:?}");
        check_nodes(text, &node.fields);
    }
}

fn check(text: &str) {
    let (document, findings) = read(text);
    check_nodes(text, &document.nodes);
    for finding in findings.findings() {
        let secondary = finding.secondary.iter().map(|label| label.span);
        secondary.chain([finding.primary.span]).for_each(|span| check_span(text, span));
    }
}

#[test]
fn a_bad_escape_after_a_wide_character_has_a_place_in_the_text() {
    check("\"\"\"\n\\\n{\\\n\u{feff}#\"\\/*\u{85}\"\"\"");
}

const SAMPLE: &str = include_str!("registry.kdl");

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_handled(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn any_bytes_are_handled(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_punctuation_is_handled(text in r##"[ \n\t"#{}();=/*\\\-+.,a-z0-9\[\]é\u{2028}\u{a0}\r]{0,80}"##) {
        check(&text);
    }

    #[test]
    fn any_tokens_are_handled(tokens in prop::collection::vec(prop::sample::select(vec![
        "{", "}", "\"", "\"\"\"", "#\"", "\"#", "\"\"\"\n", "\\", "\\\n", "/*", "*/", "//", "/-", "(", ")", "=", ";", "\n", " ",
        "a", "1", "-1.5e3", "0x", "#true", "true", "r\"", "é", "\u{feff}", "\u{85}", "\r", "\r\n", "  ", "\\u{e9}", ",",
    ]), 0..60)) {
        check(&tokens.concat());
    }

    #[test]
    fn a_damaged_sample_is_handled(
        at in any::<prop::sample::Index>(), len in 0usize..30, put in r#"["{}\\/*#()=;\n -]{0,3}"#
    ) {
        let cut = |at: usize| (at..=SAMPLE.len()).find(|at| SAMPLE.is_char_boundary(*at)).unwrap();
        let start = cut(at.index(SAMPLE.len()));
        let end = cut((start + len).min(SAMPLE.len()));
        check(&[&SAMPLE[..start], &put, &SAMPLE[end..]].concat());
    }

    #[test]
    fn an_error_after_non_ascii_text_is_at_its_byte(before in "[a-zé€😀ß]{0,20}") {
        let text = format!("// {before}\nx \"{before}\" 1x\n");
        let (_, findings) = read(&text);
        prop_assert_eq!(findings.findings().len(), 1);
        prop_assert_eq!(&text[findings.findings()[0].primary.span.range()], "x");
        prop_assert_eq!(findings.findings()[0].primary.span.range().end, text.len() - 1);
    }
}

#[test]
fn deep_nesting_is_one_finding() {
    for depth in [65, 1000, 100_000] {
        for text in ["a{".repeat(depth), "a{".repeat(depth) + &"}".repeat(depth) + "\nb\n"] {
            let (_, findings) = read(&text);
            let [finding] = findings.findings() else { panic!("{:#?}", findings.findings()) };
            assert_eq!((finding.code.name, finding.primary.span.start), ("nesting-too-deep", 64 * 2 + 1));
        }
    }
    let text = "a{".repeat(64) + &"}".repeat(64);
    assert!(read(&text).1.is_empty());
    let text = "/*".repeat(100_000) + &"*/".repeat(100_000) + "\nb";
    let (document, findings) = read(&text);
    assert!(findings.is_empty() && document.nodes.len() == 1);
    assert_eq!(read(&"/*".repeat(100_000)).1.findings().len(), 1);
}

#[rustfmt::skip]
const PIECES: &[&str] = &[
    "{", "}", "\"", "\"\"\"\n", "#", "#\"\"\"\n", "/*", "/* /* */ ", "/-", "(", ")", "=", "\\", "\\\n",
    "\n", "a", "1", "a b=", "a{", "a{}", "a{\n", "a}\n", "a \"\n", "a \"\"\"\n\\\"\"\"\n", "\\\"\"\"\n",
    "r\"", "a r#\"", "a r\"\n", "\u{7}", "\u{feff}\n", "a \"x\"", "\"a\"=\"b\",", "a/", "a#", "a #", "é",
    "\u{2028}", "(a)", "a (b)1 ", "a /-{", "/-a{} ", "{\"", "a {\"\n", "  a {\n", "a \"\"\"\n x \"\"\"\n",
    "#a\"", "a #\"", "a true ", "\\u", "\"\\u{", "\"\\q\" ", " ", "\t}", ";",
];

/// If the parser had quadratic time, each of these texts would take minutes.
#[test]
fn parse_time_is_linear() {
    for piece in PIECES {
        check(&piece.repeat(1_000_000 / piece.len()));
        check(&("a {\n".to_owned() + &piece.repeat(100_000)));
        check(&("a{".repeat(70) + &piece.repeat(100_000)));
    }
    let hashes: Vec<_> = (1..400).map(|n| format!("a {}\"\"\"\n", "#".repeat(n))).collect();
    check(&hashes.concat());
}

#[test]
fn parsing_stops_after_1000_errors_with_a_note() {
    let (_, findings) = read(&"a 1x\n".repeat(5000));
    assert_eq!(findings.findings().len(), 1000);
    let notes = &findings.findings()[999].notes;
    assert_eq!(notes, &["after 1000 syntax errors the rest of the file was not read"]);
}
