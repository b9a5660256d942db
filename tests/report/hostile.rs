//! Malicious text: it must not control the terminal or break the layout of the report.

use super::{ASCII, PLAIN, PORT, Run, Style, max_width};
use crate::support::assert_snapshot;
use orchgen::diag::words::is_control_like;
use orchgen::diag::{Code, Diagnostic, NotChecked, Severity, Subject};
use orchgen::source::Span;
use proptest::prelude::*;

const ATTACK: &str =
    "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}evil\u{2066}\u{200b}\u{0}\u{7f}\u{feff}\r\u{8}x";

/// A run in which every text contains control characters.
fn attacked_run() -> Run {
    let mut run = Run::default();
    let file = run.file(&format!("registry/{ATTACK}.yaml"), &format!("a: {ATTACK} mark\n{ATTACK}: here\n"));
    let bare = run.file(&format!("out/{ATTACK}"), "");
    run.report(
        PORT.at(run.span(file, "mark", 0), ATTACK, format!("`{ATTACK}` is wrong"))
            .also(run.span(file, "here", 0), ATTACK)
            .also(Span::new(bare, 0, 0), ATTACK)
            .note(format!("sum\t{ATTACK}\n  {ATTACK}"))
            .help(format!("do {ATTACK}\n{ATTACK}")),
    );
    run.findings.record_not_checked(NotChecked {
        check: "missing-shard",
        subject: Subject::new("model", ATTACK),
        why: ATTACK.into(),
    });
    run
}

fn styles() -> Vec<Style> {
    let narrated = Style { screen_reader: true, ..PLAIN };
    [PLAIN, ASCII, narrated].map(|style| Style { verbose: true, ..style }).to_vec()
}

fn first_control_char(output: &str) -> Option<char> {
    output.chars().find(|c| *c != '\n' && is_control_like(*c))
}

#[test]
fn no_control_character_is_printed() {
    for style in styles() {
        let output = attacked_run().render(style);
        assert_eq!(first_control_char(&output), None, "{output:?}");
        assert!(output.contains("evil"), "the harmless part of the text is printed");
    }
    let output = attacked_run().render(Style { verbose: true, ..ASCII });
    assert!(output.is_ascii(), "{output}");
}

#[test]
fn a_colored_report_has_only_known_escape_sequences() {
    for style in styles() {
        let output = attacked_run().render(Style { color: true, ..style });
        let mut without_color = output.clone();
        for color in ["31;1", "33;1", "32;1", "36;1", "34;1", "0"] {
            without_color = without_color.replace(&format!("\u{1b}[{color}m"), "");
        }
        assert_eq!(first_control_char(&without_color), None, "{without_color:?}");
        assert_eq!(without_color, attacked_run().render(style));
    }
}

#[test]
fn control_characters_are_printed_as_escapes() {
    assert_snapshot!("report", "hostile", attacked_run().render(Style { verbose: true, ..PLAIN }));
}

static ANY: [Code; 3] = [
    Code { number: 101, name: "a", severity: Severity::Error, page: "", absence: None },
    Code { number: 202, name: "b-c", severity: Severity::Warning, page: "", absence: None },
    Code { number: 303, name: "d-e-f", severity: Severity::Note, page: "", absence: None },
];

fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z:]{1,12}",
        4 => Just(" ".to_owned()),
        3 => Just("\n".to_owned()),
        1 => Just("\r\n".to_owned()),
        1 => Just("\t".to_owned()),
        1 => "[é模型🚀\u{301}\u{200d}\u{1b}\u{202e}\u{0}]{1,4}",
        1 => "[a-z ]{150,300}",
        1 => any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

prop_compose! {
    fn any_run()(
        texts in proptest::collection::vec(any_text(), 1..4),
        findings in proptest::collection::vec(
            (0..3_usize, proptest::collection::vec((0..4_u32, 0..900_usize, 0..60_usize, "([a-z]{1,9} ){0,6}"), 1..7)), 1..4),
    ) -> Run {
        let mut run = Run::default();
        for text in texts {
            run.file("a.yaml", &text);
        }
        for (code, labels) in findings {
            let mut finding: Option<Diagnostic> = None;
            for (file, start, len, text) in labels {
                let span = Span::new(orchgen::source::FileId(file), start, start + len);
                finding = Some(match finding {
                    None => ANY[code].at(span, text, "a message"),
                    Some(finding) => finding.also(span, text),
                });
            }
            run.report(finding.unwrap());
        }
        run
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_span_in_any_text_can_be_printed(run in any_run(), width in 0..220_usize) {
        for style in styles() {
            let style = Style { width, ..style };
            let output = run.render(style);
            prop_assert_eq!(first_control_char(&output), None);
            prop_assert!(!output.contains("Failed to read"));
            let wrapped: Vec<&str> = output.lines().filter(|line| line.contains([' ', '│'])).collect();
            let max = width.clamp(40, 200);
            prop_assert!(style.screen_reader || max_width(&wrapped.join("\n")) <= max + 3, "{}", output);
            for finding in run.findings.findings() {
                for label in finding.secondary.iter().chain([&finding.primary]) {
                    let has_file = run.map.get(label.span.file).is_some();
                    let first_word = label.text.split(' ').next().unwrap();
                    prop_assert!(!has_file || output.contains(first_word), "{:?} in {}", label, output);
                }
            }
        }
    }
}
