//! Non-ASCII text before a mistake does not move the label of the finding.

use super::compile_with_base;
use proptest::prelude::*;

/// The language, a text with a mistake (`{}` is replaced by non-ASCII text), and the text that the label must cover.
const CASES: &[(&str, &str, &str)] = &[
    (
        "kdl",
        "// {}\ntier \"X\" title=\"{}\"\nrole \"x\" tier=\"A\" purpose=\"{}\" residency=\"hot\" model=\"plain\" port=9000 context=1 /* {} */ contxt=5",
        "contxt",
    ),
    (
        "kdl",
        "role \"x\" tier=\"A\" purpose=\"{}\" residency=\"hot\" model=\"plian\" port=9000 context=1",
        "\"plian\"",
    ),
    ("kdl", "role \"x\" tier=\"A\" purpose=#\"{}\"# residency=\"hot\" model=\"plain\" port=0 context=1", "0"),
    (
        "yaml",
        "# {}\ntiers: {X: {title: \"{}\"}}\nroles:\n  x: {tier: A, purpose: \"{}\", residency: hot, model: plain, port: 9000, context: 1, contxt: 5}",
        "contxt",
    ),
    (
        "yaml",
        "# {}\nroles:\n  x: {tier: A, purpose: {}, residency: hot, model: plian, port: 9000, context: 1}",
        "plian",
    ),
    ("yaml", "quirks:\n  \"{}\": {models: plain, issue: i, found: soon}", "soon"),
];

fn check(language: &str, template: &str, labeled: &str, text: &str) {
    let source = template.replace("{}", text);
    let compiled = compile_with_base(language, &source);
    let [finding] = compiled.findings.findings() else { panic!("{source}: {}", compiled.report()) };
    let span = finding.primary.span;
    let file = compiled.loaded.map.get(span.file).unwrap();
    assert_eq!(compiled.loaded.map.text(span), labeled, "{source}");
    let byte = source.rfind(labeled).unwrap();
    let before = &source[..byte];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let position = file.position(span.start);
    assert_eq!(position.byte as usize, byte);
    assert_eq!(position.line as usize, before.matches('\n').count() + 1);
    assert_eq!(position.column as usize, source[line_start..byte].chars().count() + 1, "{source}");
}

#[test]
fn typical_non_ascii_texts_do_not_move_a_label() {
    for text in ["x", "größer", "日本語のモデル", "🦀🦀", "e\u{301}tude", "a\u{200d}b", "ﬀ\u{fb03}"]
    {
        for (language, template, labeled) in CASES {
            check(language, template, labeled, text);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn random_non_ascii_texts_do_not_move_a_label(text in "[a-zäßλ日🦀é]{1,20}") {
        for (language, template, labeled) in CASES {
            check(language, template, labeled, &format!("Z{text}"));
        }
    }
}
