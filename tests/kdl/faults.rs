//! Typical mistakes: one finding each, at the right byte, and the good nodes around it are read.

use super::read;
use orchgen::diag::Diagnostic;
use orchgen::syntax::{Node, Value};

fn keys<'a>(nodes: &'a [Node]) -> Vec<&'a str> {
    nodes.iter().map(|node| &*node.key).collect()
}

/// Reads `text`, in which the one finding lies between the marks `«` and `»`, and the nodes `good` are at the top.
fn one_fault(marked: &str, good: &[&str]) -> Diagnostic {
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

/// The message and the first help of the one finding.
fn said(marked: &str, good: &[&str]) -> (String, String) {
    let finding = one_fault(marked, good);
    (finding.message, finding.help.first().cloned().unwrap_or_default())
}

#[test]
fn strings() {
    let (message, help) = said("tier \"X\" title=«\"»never closed\ntier2 \"Y\"\n", &["tier", "tier2"]);
    assert_eq!(message, "this string is never closed: expected `\"` on the same line");
    assert_eq!(help, "write `\"` where the text ends");
    // The brace at the end of the line opens the block all the same.
    said("a «\"»x {\n  b 1\n}\nc 2\n", &["a", "c"]);
    said("a { b «\"»x; c; }\nd\n", &["a", "d"]);
    said("a «\"»one\n  two\"\nb 1\n", &["a", "b"]);
    said("a «\"»\none\n two\n\"\nb 1\n", &["a", "b"]);
    said("a «##\"»x\"#\nb\n", &["a", "b"]);
    let (message, help) = said("a \"C:«\\m»odels\\x\" 1\nb\n", &["a", "b"]);
    assert_eq!(message, "unknown escape `\\m`");
    assert_eq!(help, "write `\\\\` for a backslash, or take a raw string: `#\"..\"#`");
    said("a \"\"\"\n  é \\\n  \\\n é«\\q»\n  \"\"\"\nb\n", &["a", "b"]);
    said("a \"«\\u»{110000000}\"\nb\n", &["a", "b"]);
    assert_eq!(said("a \"«\\u{d800}»\"\nb\n", &["a", "b"]).0, "no character has the number d800");
}

#[test]
fn text_of_several_lines() {
    said("a «\"\"\"»\n  one {\n  two \"x\n\nb 1\nc 2\n", &["a", "b", "c"]);
    said("a «\"\"\"»\n  one\nb \"\"\"\n  two\n  \"\"\"\nc\n", &["a", "b", "c"]);
    said("a \"\"\"«one line»\"\"\"\nb\n", &["a", "b"]);
    said("a \"\"\"«one»\n  two\n  \"\"\"\nb\n", &["a", "b"]);
    said("a \"\"\"\n  one«\"\"\"»\nb\n", &["a", "b"]);
    let finding = one_fault("a \"\"\"\n    one\n«  »two\n    \"\"\"\nb\n", &["a", "b"]);
    assert_eq!(finding.message, "a line of this text is not indented as its closing `\"\"\"` is");
    assert_eq!(finding.secondary[0].span.range(), 24..27);
}

#[test]
fn braces() {
    let (message, help) = said("a «{»\n  b 1\n", &["a"]);
    assert_eq!(message, "this block is never closed: expected `}`");
    assert_eq!(help, "write a `}` where the block ends");
    // What is indented less than a block is not in it.
    said("a {\n  b «{»\n    c 1\n}\nd 1\ne 2\n", &["a", "d", "e"]);
    said("a «{»\n  b 1\nc {\n  d\n}\ne\n", &["a", "c", "e"]);
    assert_eq!(said("a\n«}»\nb\n", &["a", "b"]).0, "unexpected `}`: no block is open here");
    said("a {\n  b {\n  }\n  «}»\n  c 1\n}\nd\n", &["a", "d"]);
    said("a\n«}»\n}\n}\nb\n", &["a", "b"]);
    said("a { b } «c» { d }\ne\n", &["a", "c", "e"]);
    said("a { b }«,»\nc\n", &["a", "c"]);
    said("a { b } «{» c }\nd\n", &["a", "d"]);
    said("«{»\n  a 1\n}\nb\n", &["b"]);
}

#[test]
fn words_that_lack_quotes() {
    let (message, help) = said("size «45GB»\nb\n".replace("«45GB»", "45«G»B").as_str(), &["size", "b"]);
    assert_eq!(message, "expected a number, found `45GB`");
    assert_eq!(help, "write text in quotes: `\"45GB\"`");
    said("a date=2026«-»01-26 x=1\nb\n", &["a", "b"]);
    said("a 0.0«.»0.0\nb\n", &["a", "b"]);
    said("a 0x10«g»10\nb\n", &["a", "b"]);
    assert_eq!(said("a «.»5\nb\n", &["a", "b"]).1, "write `0.5`, or text in quotes: `\".5\"`");
    let (message, help) = said("model lmstudio«/»foo-GGUF/x.gguf {\n  c\n}\nb\n", &["model", "b"]);
    assert_eq!(message, "`/` cannot stand in a word without quotes");
    assert_eq!(help, "write text in quotes: `\"lmstudio/foo-GGUF/x.gguf\"`");
    assert_eq!(said("bin «/mnt/llm/bin»\nb\n", &["bin", "b"]).1, "write text in quotes: `\"/mnt/llm/bin\"`");
    said("a «inf»\nb\n", &["a", "b"]);
    said("a «null»=1\nb\n", &["a", "b"]);
}

#[test]
fn signs_of_other_languages() {
    let (message, help) = said("a {\n  port «=» 8080\n  b\n}\nc\n", &["a", "c"]);
    assert_eq!((&*message, &*help), ("unexpected `=`", "write the value right behind the name: `port ..`"));
    assert_eq!(said("a «[»1, 2]\nb\n", &["a", "b"]).0, "expected a value, found `[`");
    assert_eq!(said("«#» a comment { \"\nb\n", &["b"]).1, "write `//` before a comment");
    said("a 1 «#» a comment { \"\nb\n", &["a", "b"]);
    assert_eq!(said("a «#True»\nb\n", &["a", "b"]).1, "write `#true`");
    assert_eq!(said("a 1«,» 2\nb\n", &["a", "b"]).1, "separate values by blanks, without a comma");
    assert_eq!(said("a \"x\"«,» \"y\"\nb\n", &["a", "b"]).1, "remove the comma");
    said("a «x=»\nb\n", &["a", "b"]);
    said("a { b «x=» }\nc\n", &["a", "c"]);
    said("a «1»=2\nb\n", &["a", "b"]);
    said("a \"x\"«\"»y\"\nb\n", &["a", "b"]);
    said("a\n«8080»\nb\n", &["a", "b"]);
    said("a\n«;»\nb\n", &["a", "b"]);
}

#[test]
fn comments() {
    let (message, help) = said("a\n«/*» never closed\nb\n", &["a"]);
    assert_eq!((&*message, &*help), ("this comment is never closed: expected `*/`", "close it with `*/`"));
    said("a\n«/*» one /* two */\nb\n", &["a", "b"]);
    said("a {\n  b\n  «/-»\n}\nc\n".replace("«/-»\n}", "/-\n«}»").as_str(), &["a", "c"]);
    said("a 1 «/-»;\nb\n", &["a", "b"]);
    said("a /-{ b } «c»\nd\n", &["a", "d"]);
}

#[test]
fn other_faults() {
    said("a «(»)1\nb\n".replace("«(»)", "(«)»").as_str(), &["a", "b"]);
    said("a «(type)»key=1\nb\n", &["a", "b"]);
    said("größe 1\na«\u{200e}»b 1\nc\n", &["größe", "a\u{200e}b", "c"]);
    assert_eq!(said("// «\u{7}» bell\nc\n", &["c"]).0, "the code point U+0007 may not stand in KDL text");
}

#[test]
fn two_slips_are_two_findings() {
    let (document, findings) = read("a \"x\nb \"y\nc 1x\nd {\n  e=\n  f 2y; g (1)\n}\nh\n");
    assert_eq!(findings.findings().len(), 6, "{:#?}", findings.findings());
    assert_eq!(keys(&document.nodes), ["a", "b", "c", "d", "h"]);
    assert_eq!(keys(&document.nodes[3].fields), ["e", "f", "g"]);
}

#[test]
fn type_annotations_are_refused_and_their_values_kept() {
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
fn version_1_is_one_finding() {
    let finding = one_fault("a «true» x=false null\nb r\"c:\\x\" r#\"a\"b\"# \"\\/\"\nc\n", &["a", "b", "c"]);
    assert_eq!(finding.code.name, "kdl-version-1");
    assert_eq!(finding.message, "`true` is KDL 1; KDL 2.0 writes `#true`");
    let finding = one_fault("a x=«r#\"»a\"#\nb true\nc\n", &["a", "b", "c"]);
    assert_eq!(finding.message, "`r\"..\"` is KDL 1; KDL 2.0 writes `#\"..\"#`");
    let finding = one_fault("«/- kdl-version 1»\na true \"one\n  two\"\n", &["a"]);
    assert_eq!(finding.code.name, "kdl-version-1");
    let (document, _) = read("a true null r#\"x\"#");
    let values: Vec<_> = document.nodes[0].args.iter().map(|arg| arg.value.clone()).collect();
    assert_eq!(values, [Value::Bool(true), Value::Null, Value::String("x".into())]);
}

#[test]
fn every_part_has_its_place() {
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
fn numbers_have_their_value() {
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
