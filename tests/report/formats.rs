//! Reports for GitHub, GitLab and `grep`, decode as their readers would decode them.

use super::{DRIFT, PORT, Run, THREADS, UNUSED};
use orchgen::diag::report::{self, concise::concise, github::github, gitlab::gitlab};
use orchgen::diag::{Fix, SilenceReason};
use orchgen::source::{ReportPaths, Span};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const HARD: &str = "registry/b,c:d%.yaml";

/// A note, a warning, an error over two lines, and an error in a file without text, in this order.
fn run() -> Run {
    let mut run = Run::default();
    let file = run.file(HARD, "ü: 8080\nb: 8080\nlast: {\n}\n");
    let unit = run.file("out/a.service", "");
    run.report(THREADS.at(run.span(file, "ü", 0), "", "a note").about(("role", "a")));
    run.report(
        UNUSED
            .at(run.span(file, "8080", 0), "here", "100% of `a`, b: c")
            .help("first,\nsecond")
            .note("1\r\n2")
            .fix(Fix::safe("write", run.span(file, "8080", 0), "1")),
    );
    run.report(PORT.at(run.span(file, "{\n}", 0), "here", "over two lines").about(("role", "b")));
    run.report(DRIFT.at(Span::new(unit, 0, 0), "", "edited"));
    run
}

/// The reports for GitHub, GitLab and `grep`.
fn reports(run: &Run) -> (String, serde_json::Value, String) {
    let codes = orchgen::catalogue::codes();
    let places = ReportPaths::default();
    let input =
        report::ReportInput { findings: &run.findings, map: &run.map, places: &places, codes: &codes };
    let gitlab: serde_json::Value = serde_json::from_str(&gitlab(input)).unwrap();
    (github(input), gitlab, concise(&run.findings, &run.map))
}

/// Decodes a workflow command like the GitHub runner: its kind, its properties, and its data.
fn decode(line: &str) -> (String, BTreeMap<String, String>, String) {
    let (head, data) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
    let (kind, properties) = head.split_once(' ').unwrap();
    let unescape = |text: &str, is_property: bool| {
        let text = text.replace("%0D", "\r").replace("%0A", "\n");
        let text = if is_property { text.replace("%3A", ":").replace("%2C", ",") } else { text };
        text.replace("%25", "%")
    };
    let property = |word: &str| {
        let (key, value) = word.split_once('=').unwrap();
        (key.to_owned(), unescape(value, true))
    };
    (kind.to_owned(), properties.split(',').map(property).collect(), unescape(data, false))
}

#[test]
fn github_commands_have_the_correct_properties_and_the_most_severe_come_first() {
    let report = reports(&run()).0;
    let lines: Vec<_> = report.lines().map(decode).collect();
    let kinds: Vec<&str> = lines.iter().map(|(kind, _, _)| &**kind).collect();
    assert_eq!(kinds, ["error", "error", "warning", "notice"]);
    let get = |line: usize, key: &str| lines[line].1.get(key).map_or("-", String::as_str).to_owned();
    let place = |line| ["file", "line", "endLine", "col", "endColumn"].map(|key| get(line, key));
    assert_eq!(place(0), [HARD, "3", "4", "-", "-"], "GitHub supports columns only within one line");
    assert_eq!(place(1), ["out/a.service", "-", "-", "-", "-"]);
    assert_eq!(place(2), [HARD, "1", "1", "4", "8"]);
    assert_eq!(get(2, "title"), "ORC320 unused-model");
    assert_eq!(lines[2].2, "100% of `a`, b: c\nnote: 1\r\n2\nhelp: first,\nsecond");
    assert!(report.contains("file=registry/b%2Cc%3Ad%25.yaml,"), "{report}");
}

#[test]
fn gitlab_issues_have_distinct_fingerprints_and_correct_places() {
    let issues = reports(&run()).1;
    let issues = issues.as_array().unwrap();
    let values = |key: &str| issues.iter().map(|issue| issue[key].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(values("severity"), ["info", "minor", "critical", "critical"]);
    assert_eq!(
        values("check_name"),
        ["threads-above-cores", "unused-model", "port-conflict", "edited-by-hand"]
    );
    assert_eq!(values("fingerprint").iter().collect::<BTreeSet<_>>().len(), 4);
    assert_eq!(issues[2]["location"], serde_json::json!({"path": HARD, "lines": {"begin": 3, "end": 4}}));
    assert_eq!(issues[3]["location"]["lines"]["begin"], 1);
    assert!(values("description").iter().all(|text| !text.is_empty()));
}

#[test]
fn a_concise_line_has_the_place_the_code_and_a_mark_if_it_is_fixable() {
    assert_eq!(
        reports(&run()).2,
        "registry/b,c:d%.yaml:1:1: note[ORC330] threads-above-cores: a note\n\
         registry/b,c:d%.yaml:1:4: warning[ORC320] unused-model: 100% of `a`, b: c [fixable]\n\
         registry/b,c:d%.yaml:3:7: error[ORC302] port-conflict: over two lines\n\
         out/a.service: error[ORC401] edited-by-hand: edited\n"
    );
}

#[test]
fn silenced_findings_are_not_in_the_reports() {
    let empty = (String::new(), serde_json::json!([]), String::new());
    assert_eq!(reports(&Run::default()), empty);
    let mut silenced = run();
    silenced.findings.silence(|_| Some(SilenceReason::Allowed { because: "fine".into() }));
    assert_eq!(reports(&silenced), empty);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_encoded_correctly_in_every_report(name in "[^\u{0}-\u{1f}\u{7f}-\u{9f}]{1,20}", message in "\\PC{0,40}") {
        let mut run = Run::default();
        let file = run.file(&name, "a: 1\n");
        run.report(PORT.at(run.span(file, "1", 0), "", message.clone()));
        let (github, gitlab, concise) = reports(&run);
        prop_assert_eq!(github.lines().count(), 1);
        prop_assert_eq!(concise.lines().count(), 1);
        let (_, properties, data) = decode(github.trim_end_matches('\n'));
        if !name.chars().chain(message.chars()).any(orchgen::diag::words::is_control_like) {
            prop_assert_eq!(&properties["file"], &name);
            prop_assert_eq!(data, message.clone());
        }
        prop_assert_eq!(gitlab[0]["description"].as_str(), Some(&*message));
        prop_assert_eq!(gitlab[0]["location"]["path"].as_str(), Some(&*name));
    }
}
