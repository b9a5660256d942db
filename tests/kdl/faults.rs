//! Typical mistakes: each gives one finding at the right byte, and the nodes around it are parsed.

use super::read;
use orchgen::diag::Diagnostic;
use orchgen::syntax::{Node, Value};

fn keys<'a>(nodes: &'a [Node]) -> Vec<&'a str> {
    nodes.iter().map(|node| &*node.key).collect()
}

/// Parses the text without the marks `«` and `»`. Expects one finding, with the span between the marks, and the top-level
/// nodes `good`. Returns the finding.
fn one_finding(marked: &str, good: &[&str]) -> Diagnostic {
    let start = marked.find('«').unwrap();
    let end = marked.find('»').unwrap() - '«'.len_utf8();
    let text = marked.replace(['«', '»'], "");
    let (document, findings) = read(&text);
    assert_eq!(findings.findings().len(), 1, "{:#?}\n{text}", findings.findings());
    let finding = &findings.findings()[0];
    assert_eq!(finding.primary.span.range(), start..end, "{finding:#?}\n{text}");
    assert_eq!(keys(&document.nodes), good, "{text}");
    let words = [&finding.message, &finding.primary.text].into_iter().chain(&finding.help);
    for words in words {
        assert!(!words.contains("invalid") && !words.ends_with('.') || words.ends_with(".."), "{words}");
    }
    assert!(
        finding
            .message
            .chars()
            .next()
            .is_some_and(|c| !c.is_uppercase() || finding.message.starts_with("KDL"))
    );
    finding.clone()
}

/// Like [`one_finding`], but returns the message and the first help.
fn report(marked: &str, good: &[&str]) -> (String, String) {
    let finding = one_finding(marked, good);
    (finding.message, finding.help.first().cloned().unwrap_or_default())
}

#[test]
fn unclosed_strings_and_bad_escapes_are_reported_once() {
    let (message, help) = report("tier \"X\" title=«\"»never closed\ntier2 \"Y\"\n", &["tier", "tier2"]);
    assert_eq!(message, "this string is never closed: expected `\"` on the same line");
    assert_eq!(help, "add `\"` where the text ends");
    // The brace at the end of the line still opens the block.
    report("a «\"»x {\n  b 1\n}\nc 2\n", &["a", "c"]);
    report("a { b «\"»x; c; }\nd\n", &["a", "d"]);
    report("a «\"»one\n  two\"\nb 1\n", &["a", "b"]);
    report("a «\"»\none\n two\n\"\nb 1\n", &["a", "b"]);
    report("a «##\"»x\"#\nb\n", &["a", "b"]);
    let (message, help) = report("a \"C«\\m»odels\\x\" 1\nb\n", &["a", "b"]);
    assert_eq!(message, "unknown escape `\\m`");
    assert_eq!(help, "write `\\\\` for a backslash, or use a raw string: `#\"..\"#`");
    let (_, help) = report("a \"C:«\\m»odels\\x\" 1\nb\n", &["a", "b"]);
    assert_eq!(help, "write `\"/mnt/c/models/x\"` in WSL; otherwise the path on the Linux host");
    report("a \"\"\"\n  é \\\n  \\\n é«\\q»\n  \"\"\"\nb\n", &["a", "b"]);
    report("a \"«\\u»{110000000}\"\nb\n", &["a", "b"]);
    assert_eq!(report("a \"«\\u{d800}»\"\nb\n", &["a", "b"]).0, "no character has the code point d800");
}

#[test]
fn mistakes_in_multiline_strings_are_reported_once() {
    report("a «\"\"\"»\n  one {\n  two \"x\n\nb 1\nc 2\n", &["a", "b", "c"]);
    report("a «\"\"\"»\n  one\nb \"\"\"\n  two\n  \"\"\"\nc\n", &["a", "b", "c"]);
    report("a \"\"\"«one line»\"\"\"\nb\n", &["a", "b"]);
    report("a \"\"\"«one»\n  two\n  \"\"\"\nb\n", &["a", "b"]);
    report("a \"\"\"\n  one«\"\"\"»\nb\n", &["a", "b"]);
    let finding = one_finding("a \"\"\"\n    one\n«  »two\n    \"\"\"\nb\n", &["a", "b"]);
    assert_eq!(finding.message, "this line does not begin with the indentation of the closing `\"\"\"`");
    assert_eq!(finding.secondary[0].span.range(), 24..27);
}

#[test]
fn unmatched_braces_are_reported_once() {
    let (message, help) = report("a «{»\n  b 1\n", &["a"]);
    assert_eq!(message, "this block is never closed: expected `}`");
    assert_eq!(help, "add `}` at the end of line 2");
    assert_eq!(report("a { b «{» c 1;\nd 1\n", &["a", "d"]).1, "add `} }` at the end of line 1");
    // A node that is not indented is not part of an unclosed block, and the `}` before it closes the item.
    report("a {\n  b «{»\n    c 1\n}\nd 1\ne 2\n", &["a", "d", "e"]);
    report("a «{»\n  b 1\nc {\n  d\n}\ne\n", &["a", "c", "e"]);
    assert_eq!(report("a\n«}»\nb\n", &["a", "b"]).0, "unexpected `}`: no block is open here");
    let finding = one_finding("a «{»\n  b 1\nc 1\n", &["a", "c"]);
    assert_eq!(finding.secondary[0].span.range(), 10..11);
    // Indented nodes after an item belong to its block.
    let finding = one_finding("a {\n  b {\n  }\n  }\n  c 1\n«}»\nd\n", &["a", "d"]);
    assert_eq!(finding.secondary[0].span.range(), 16..17);
    report("a\n«}»\n}\n}\nb\n", &["a", "b"]);
    report("a { b } «c» { d }\ne\n", &["a", "c", "e"]);
    report("a { b }«,»\nc\n", &["a", "c"]);
    report("a { b } «{» c }\nd\n", &["a", "d"]);
    report("«{»\n  a 1\n}\nb\n", &["b"]);
}

/// In an indented text, one missing or surplus brace is one finding, and no item is lost.
#[test]
fn a_missing_or_surplus_brace_keeps_all_items() {
    let text = "stack \"s\" { defaults { slots 1; } }\nhost \"h\" {\n    numa 0 {\n        x\n    }\n    numa 1\n    \
                /- off { y; }\n    empty {\n    }\n}\nrole \"r\" {\n    deep {\n        more {\n            z\n        }\n    }\n}\nlast\n";
    let (document, findings) = read(text);
    assert!(findings.is_empty());
    for (at, brace) in text.match_indices(['{', '}']) {
        let missing = format!("{}{}", &text[..at], &text[at + 1..]);
        let surplus = format!("{}}}{}", &text[..at], &text[at..]);
        for changed in [missing, surplus].into_iter().take(if brace == "{" { 1 } else { 2 }) {
            let (recovered, findings) = read(&changed);
            assert_eq!(findings.findings().len(), 1, "{:#?}\n{changed}", findings.findings());
            assert_eq!(keys(&recovered.nodes), keys(&document.nodes), "{changed}");
        }
    }
}

#[test]
fn bad_words_without_quotes_are_reported_once() {
    let (message, help) = report("size «45GB»\nb\n".replace("«45GB»", "45«G»B").as_str(), &["size", "b"]);
    assert_eq!(message, "expected a number, found `45GB`");
    assert_eq!(help, "put the text in quotes: `\"45GB\"`");
    report("a date=2026«-»01-26 x=1\nb\n", &["a", "b"]);
    report("a 0.0«.»0.0\nb\n", &["a", "b"]);
    report("a 0x10«g»10\nb\n", &["a", "b"]);
    assert_eq!(report("a «.»5\nb\n", &["a", "b"]).1, "write `0.5`, or put the text in quotes: `\".5\"`");
    let (message, help) = report("model lmstudio«/»foo-GGUF/x.gguf {\n  c\n}\nb\n", &["model", "b"]);
    assert_eq!(message, "`/` is not allowed in a word without quotes");
    assert_eq!(help, "put the text in quotes: `\"lmstudio/foo-GGUF/x.gguf\"`");
    assert_eq!(
        report("bin «/mnt/llm/bin»\nb\n", &["bin", "b"]).1,
        "put the text in quotes: `\"/mnt/llm/bin\"`"
    );
    report("a «inf»\nb\n", &["a", "b"]);
    report("a «null»=1\nb\n", &["a", "b"]);
}

#[test]
fn syntax_of_other_languages_is_reported_once() {
    let (message, help) = report("a {\n  port «=» 8080\n  b\n}\nc\n", &["a", "c"]);
    assert_eq!(
        (&*message, &*help),
        ("unexpected `=`", "write the value directly after the name: `port 8080`")
    );
    assert_eq!(
        report("a {\n  \"port\"«:» 8080\n}\nb\n", &["a", "b"]).1,
        "write `port 8080`, without the colon"
    );
    let help = "keep one of the two versions, and remove the lines that begin with `<<<<<<<`, `=======` and `>>>>>>>`";
    assert_eq!(report("a 1\n«<<<<<<< HEAD»\nb 1\n=======\nb 2\n>>>>>>> main\nc\n", &["a", "b", "c"]).1, help);
    assert_eq!(report("a «[»1, 2]\nb\n", &["a", "b"]).0, "expected a value, found `[`");
    assert_eq!(report("«#» a comment { \"\nb\n", &["b"]).1, "write `//` before a comment");
    report("a 1 «#» a comment { \"\nb\n", &["a", "b"]);
    assert_eq!(report("a «#True»\nb\n", &["a", "b"]).1, "write `#true`");
    assert_eq!(report("a 1«,» 2\nb\n", &["a", "b"]).1, "separate values by spaces, without a comma");
    assert_eq!(report("a \"x\"«,» \"y\"\nb\n", &["a", "b"]).1, "remove the comma");
    report("a «x=»\nb\n", &["a", "b"]);
    report("a { b «x=» }\nc\n", &["a", "c"]);
    report("a «1»=2\nb\n", &["a", "b"]);
    report("a \"x\"«\"»y\"\nb\n", &["a", "b"]);
    report("a\n«8080»\nb\n", &["a", "b"]);
    report("a\n«;»\nb\n", &["a", "b"]);
}

#[test]
fn mistakes_in_comments_and_slashdash_are_reported_once() {
    let (message, help) = report("a\n«/*» never closed\nb\n", &["a"]);
    assert_eq!((&*message, &*help), ("this comment is never closed: expected `*/`", "close it with `*/`"));
    report("a\n«/*» one /* two */\nb\n", &["a", "b"]);
    report("a {\n  b\n  «/-»\n}\nc\n".replace("«/-»\n}", "/-\n«}»").as_str(), &["a", "c"]);
    report("a 1 «/-»;\nb\n", &["a", "b"]);
    report("a /-{ b } «c»\nd\n", &["a", "d"]);
}

#[test]
fn bad_annotations_and_forbidden_code_points_are_reported_once() {
    report("a «(»)1\nb\n".replace("«(»)", "(«)»").as_str(), &["a", "b"]);
    report("a «(type)»key=1\nb\n", &["a", "b"]);
    report("größe 1\na«\u{200e}»b 1\nc\n", &["größe", "a\u{200e}b", "c"]);
    assert_eq!(report("// «\u{7}» bell\nc\n", &["c"]).0, "the code point U+0007 is not allowed in KDL text");
}

#[test]
fn each_mistake_is_one_finding() {
    let (document, findings) = read("a \"x\nb \"y\nc 1x\nd {\n  e=\n  f 2y; g (1)\n}\nh\n");
    assert_eq!(findings.findings().len(), 6, "{:#?}", findings.findings());
    assert_eq!(keys(&document.nodes), ["a", "b", "c", "d", "h"]);
    assert_eq!(keys(&document.nodes[3].fields), ["e", "f", "g"]);
}

#[test]
fn type_annotations_are_reported_and_their_values_kept() {
    let text = "(kind)a ( \"u8\" ) 1 key=(x)\"v\" /-(y)2 { /-(z)b; }";
    let (document, findings) = read(text);
    let found: Vec<_> =
        findings.findings().iter().map(|f| (f.code.name, &text[f.primary.span.range()])).collect();
    let code = "type-annotation";
    assert_eq!(found, [(code, "(kind)"), (code, "( \"u8\" )"), (code, "(x)")]);
    assert_eq!(document.nodes[0].args[0].value, Value::Integer(1));
    assert_eq!(document.nodes[0].fields[0].args[0].value, Value::String("v".into()));
}

#[test]
fn kdl_1_is_one_finding() {
    let finding =
        one_finding("a «true» x=false null\nb r\"c:\\x\" r#\"a\"b\"# \"\\/\"\nc\n", &["a", "b", "c"]);
    assert_eq!(finding.code.name, "kdl-version-1");
    assert_eq!(finding.message, "`true` is KDL 1 syntax; in KDL 2.0 it is `#true`");
    let finding = one_finding("a x=«r#\"»a\"#\nb true\nc\n", &["a", "b", "c"]);
    assert_eq!(finding.message, "`r\"..\"` is KDL 1 syntax; in KDL 2.0 it is `#\"..\"#`");
    let finding = one_finding("«/- kdl-version 1»\na true \"one\n  two\"\n", &["a"]);
    assert_eq!(finding.code.name, "kdl-version-1");
    let (document, _) = read("a true null r#\"x\"#");
    let values: Vec<_> = document.nodes[0].args.iter().map(|arg| arg.value.clone()).collect();
    assert_eq!(values, [Value::Bool(true), Value::Null, Value::String("x".into())]);
}

#[test]
fn every_part_has_its_span() {
    let text = "\u{feff}größe \"é\" k = #\"v\"# /-x \\\n 1_0 { kid } /-{ no } ; \"b\" {}";
    let (document, findings) = read(text);
    assert!(findings.is_empty(), "{:#?}", findings.findings());
    let at = |span: orchgen::source::Span| &text[span.range()];
    let [a, b] = &document.nodes[..] else { panic!("{:#?}", document.nodes) };
    assert_eq!((at(a.key_span), at(a.span)), ("größe", &text[3..text.find(" /-{").unwrap()]));
    assert_eq!((at(a.args[0].span), at(a.args[1].span)), ("\"é\"", "1_0"));
    let [property, kid] = &a.fields[..] else { panic!("{:#?}", a.fields) };
    assert_eq!((at(property.key_span), at(property.span)), ("k", "k = #\"v\"#"));
    assert_eq!((at(property.args[0].span), property.block), ("#\"v\"#", None));
    assert_eq!((at(kid.span), a.block.map(at)), ("kid", Some("{ kid }")));
    assert_eq!((at(b.key_span), b.block.map(at), at(b.span)), ("\"b\"", Some("{}"), "\"b\" {}"));
}

#[test]
fn numbers_are_parsed() {
    let text = "a 170141183460469231731687303715884105727 -170141183460469231731687303715884105728 \
                170141183460469231731687303715884105728 -0x1_0 0b101 +0o17 1e3 -0.5E-1 -0";
    let (document, findings) = read(text);
    assert!(findings.is_empty(), "{:#?}", findings.findings());
    let values: Vec<_> = document.nodes[0].args.iter().map(|arg| arg.value.clone()).collect();
    let integer = Value::Integer;
    let expected =
        [integer(i128::MAX), integer(i128::MIN), Value::Float(2f64.powi(127)), integer(-16), integer(5)];
    assert_eq!(values[..5], expected);
    assert_eq!(values[5..], [integer(15), Value::Float(1000.0), Value::Float(-0.05), integer(0)]);
}
