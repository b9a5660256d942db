//! The order of kinds and files does not matter, and forward references work.

use super::BASE;
use super::parity::registry_text;
use crate::support::lower;
use orchgen::diag::Diagnostics;
use orchgen::source::SourceMap;
use orchgen::syntax::parse;
use proptest::prelude::*;

/// The items of a text, each with its kind.
fn items(text: &str) -> Vec<(String, String)> {
    let mut map = SourceMap::default();
    let file = map.add("a.kdl", text);
    let document = parse(file, map.get(file).unwrap(), &mut Diagnostics::default());
    document.nodes.iter().map(|node| (node.key.to_string(), map.text(node.span).to_owned())).collect()
}

/// The items in another order. Items of the same kind keep their order.
fn interleave(items: &[(String, String)], picks: &[usize]) -> Vec<String> {
    let mut kinds: Vec<(&str, Vec<&str>)> = Vec::new();
    for (kind, text) in items {
        match kinds.iter_mut().find(|(known, _)| known == kind) {
            Some((_, texts)) => texts.push(text),
            None => kinds.push((kind, vec![text])),
        }
    }
    let mut out = Vec::new();
    for pick in picks.iter().cycle().take(items.len()) {
        let at = pick % kinds.len();
        out.push(kinds[at].1.remove(0).to_owned());
        kinds.retain(|(_, texts)| !texts.is_empty());
    }
    out
}

/// The messages, sorted.
fn messages(compiled: &crate::support::Compiled) -> Vec<String> {
    let mut all: Vec<String> =
        compiled.findings.findings().iter().map(|finding| finding.message.clone()).collect();
    all.sort();
    all
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn kinds_and_files_in_any_order_give_the_same_registry(
        picks in proptest::collection::vec(0..20_usize, 8..40),
        boundary in 0..20_usize,
        fixture in proptest::sample::select(vec![
            BASE, include_str!("parity/rules.kdl"), include_str!("parity/roles.kdl"), include_str!("parity/defaults.kdl"),
        ]),
    ) {
        let (whole, _) = lower(&[("a.kdl", fixture)]);
        let moved = interleave(&items(fixture), &picks);
        let (first, second) = moved.split_at(boundary.min(moved.len()));
        let (split, compiled) = lower(&[("a.kdl", &first.join("\n")), ("b.kdl", &second.join("\n"))]);
        prop_assert!(compiled.findings.is_empty(), "{}", compiled.report());
        prop_assert_eq!(registry_text(&whole), registry_text(&split));
        prop_assert!(whole == split);
    }

    #[test]
    fn items_in_any_order_give_the_same_findings(order in Just(items(FAULTY)).prop_shuffle(), boundary in 0..12_usize) {
        let texts: Vec<&str> = order.iter().map(|(_, text)| text.as_str()).collect();
        let (first, second) = texts.split_at(boundary);
        let (_, compiled) = lower(&[("a.kdl", &first.join("\n")), ("b.kdl", BASE), ("c.kdl", &second.join("\n"))]);
        let (_, whole) = lower(&[("a.kdl", FAULTY), ("b.kdl", BASE)]);
        prop_assert_eq!(messages(&whole).len(), 9);
        prop_assert_eq!(messages(&compiled), messages(&whole));
    }
}

const FAULTY: &str = r#"
tier "X" titel="t"
model "x" family="qwne" title="X" quant="q" size="1 GB" file="x"
model "y" family="qwen2" title="Y" quant="q" size=1 file="y"
role "a" tier="A" residency="hot" model="x" port=9000 context=1
role "b" tier="X" residency="hot" model="y" port=9001 context=1
role "c" tier="A" shares="d"
role "d" tier="A" shares="nobody"
role "e" tier="A" residency="hot" model="plain" port=0 context=1
role "f" tier="A" shares="e" note=""
ban target="x" draft="nothing-known" failure="f"
quirk "q" models="y" issue="i" found="soon"
expect "e" role="c"
"#;
