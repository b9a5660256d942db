//! Text that wants to steer the terminal it is shown on, or to break the drawing.

use super::{ASCII, PLAIN, PORT, Run, Style, widest};
use orchgen::diag::words::steers;
use orchgen::diag::{Code, Diagnostic, NotChecked, Severity, Subject};
use orchgen::source::Span;
use proptest::prelude::*;

const ATTACK: &str =
    "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}evil\u{2066}\u{200b}\u{0}\u{7f}\u{feff}\r\u{8}x";

/// Every text of a finding and of its file is an attack.
fn attacked() -> Run {
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
    let narrated = Style { narrated: true, ..PLAIN };
    [PLAIN, ASCII, narrated].map(|style| Style { verbose: true, ..style }).to_vec()
}

fn first_that_steers(shown: &str) -> Option<char> {
    shown.chars().find(|c| *c != '\n' && steers(*c))
}

#[test]
fn nothing_that_steers_comes_through() {
    for style in styles() {
        let shown = attacked().shown(style);
        assert_eq!(first_that_steers(&shown), None, "{shown:?}");
        assert!(shown.contains("evil"), "the text itself is shown");
    }
    let shown = attacked().shown(Style { verbose: true, ..ASCII });
    assert!(shown.is_ascii(), "{shown}");
}

#[test]
fn in_colour_every_escape_is_one_of_ours() {
    for style in styles() {
        let shown = attacked().shown(Style { colour: true, ..style });
        let mut bare = shown.clone();
        for ours in ["31;1", "33;1", "32;1", "36;1", "34;1", "0"] {
            bare = bare.replace(&format!("\u{1b}[{ours}m"), "");
        }
        assert_eq!(first_that_steers(&bare), None, "{bare:?}");
        assert_eq!(bare, attacked().shown(style));
    }
}

#[test]
fn what_was_hidden_is_seen() {
    insta::with_settings!({
        snapshot_path => "../snapshots/report", prepend_module_to_snapshot => false, omit_expression => true,
    }, { insta::assert_snapshot!("hostile", attacked().shown(Style { verbose: true, ..PLAIN })) });
}

static ANY: [Code; 3] = [
    Code { number: 101, name: "a", severity: Severity::Error, page: "" },
    Code { number: 202, name: "b-c", severity: Severity::Warning, page: "" },
    Code { number: 303, name: "d-e-f", severity: Severity::Note, page: "" },
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
    fn any_place_in_any_text_can_be_drawn(run in any_run(), width in 0..220_usize) {
        for style in styles() {
            let style = Style { width, ..style };
            let shown = run.shown(style);
            prop_assert_eq!(first_that_steers(&shown), None);
            prop_assert!(!shown.contains("Failed to read"));
            let drawn: Vec<&str> = shown.lines().filter(|line| line.contains([' ', '│'])).collect();
            let most = width.clamp(40, 200);
            prop_assert!(style.narrated || widest(&drawn.join("\n")) <= most + 3, "{}", shown);
            for finding in run.findings.findings() {
                for label in finding.secondary.iter().chain([&finding.primary]) {
                    let there = run.map.get(label.span.file).is_some();
                    let said = label.text.split(' ').next().unwrap();
                    prop_assert!(!there || shown.contains(said), "{:?} in {}", label, shown);
                }
            }
        }
    }
}
