//! Random texts: the parser does not panic, all spans are in the text, and parsing is deterministic.

use super::read;
use orchgen::source::Span;
use orchgen::syntax::Node;
use proptest::prelude::*;

const SAMPLE: &str = include_str!("sample.yaml");
const PIECES: &[&str] = &[
    "a: 1\n",
    "  b: 2\n",
    "- x\n",
    "  - y\n",
    "[",
    "]",
    "{",
    "}",
    ",",
    ": ",
    "\"",
    "'",
    "|\n",
    ">-\n",
    "&a ",
    "*a",
    "<<: ",
    "!t ",
    "# c\n",
    "\t",
    "\n",
    "\r\n",
    "---\n",
    "...\n",
    "ü",
    "🙂",
    "\u{85}",
    "\u{feff}",
    "\0",
    "? ",
    "key",
    "%YAML 1.2\n",
    "\\",
    "@",
    "~",
    "    ",
    "<<<<<<< x\n",
];

fn check(text: &str) -> Result<(), TestCaseError> {
    let (document, findings) = read(text);
    check_nodes(text, &document.nodes)?;
    for finding in findings.findings() {
        for label in std::iter::once(&finding.primary).chain(&finding.secondary) {
            check_span(text, label.span)?;
        }
        prop_assert!(
            !finding.message.contains('\n') && !finding.message.ends_with('.'),
            "{}",
            finding.message
        );
    }
    prop_assert!(super::depth(&document.nodes) <= 65);
    let (again, _) = read(text);
    prop_assert_eq!(format!("{:?}", document), format!("{:?}", again));
    Ok(())
}

fn check_nodes(text: &str, nodes: &[Node<'_>]) -> Result<(), TestCaseError> {
    for node in nodes {
        check_span(text, node.key_span)?;
        check_span(text, node.span)?;
        prop_assert!(node.span.start <= node.key_span.start && node.span.end >= node.key_span.end);
        for span in node.args.iter().map(|arg| arg.span).chain(node.block) {
            check_span(text, span)?;
        }
        check_nodes(text, &node.fields)?;
    }
    Ok(())
}

fn check_span(text: &str, span: Span) -> Result<(), TestCaseError> {
    prop_assert!(text.get(span.range()).is_some(), "{span:?} in {text:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_handled(text in "\\PC{0,200}") {
        check(&text)?;
    }

    #[test]
    fn pieces_of_yaml_in_any_order_are_handled(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..60)) {
        check(&pieces.concat())?;
    }

    #[test]
    fn a_damaged_registry_is_handled(cuts in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..6, prop::sample::select(PIECES)), 1..6)) {
        let mut text: Vec<char> = SAMPLE.chars().collect();
        for (at, gone, piece) in cuts {
            let at = at.index(text.len());
            let end = (at + gone).min(text.len());
            text.splice(at..end, piece.chars());
        }
        check(&text.into_iter().collect::<String>())?;
    }
}
