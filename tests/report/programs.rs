//! Reports for GitHub, GitLab and `grep`, read back by decoders of their own.

use super::{DRIFT, PORT, Run, THREADS, UNUSED};
use orchgen::diag::report::{self, concise::concise, github::github, gitlab::gitlab};
use orchgen::diag::{Fix, Silence};
use orchgen::source::{Places, Span};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const HARD: &str = "registry/b,c:d%.yaml";

/// A note, a warning, an error over two lines and one without a text, in this order.
fn run() -> Run {
    let mut run = Run::default();
    let file = run.file(HARD, "ü: 8080\nb: 8080\nlast: {\n}\n");
    let unit = run.file("out/a.service", "");
    run.report(THREADS.at(run.span(file, "ü", 0), "", "a note").about("role", "a"));
    run.report(
        UNUSED
            .at(run.span(file, "8080", 0), "here", "100% of `a`, b: c")
            .help("first,\nsecond")
            .note("1\r\n2")
            .fix(Fix::safe("write", run.span(file, "8080", 0), "1")),
    );
    run.report(PORT.at(run.span(file, "{\n}", 0), "here", "over two lines").about("role", "b"));
    run.report(DRIFT.at(Span::new(unit, 0, 0), "", "edited"));
    run
}

fn all(run: &Run) -> (String, serde_json::Value, String) {
    let codes = orchgen::catalogue::codes();
    let places = Places::default();
    let whole = report::Run { findings: &run.findings, map: &run.map, places: &places, codes: &codes };
    let gitlab: serde_json::Value = serde_json::from_str(&gitlab(whole)).unwrap();
    (github(whole), gitlab, concise(&run.findings, &run.map))
}

/// A workflow command as the runner reads it: its kind, its properties, and its data.
fn decoded(line: &str) -> (String, BTreeMap<String, String>, String) {
    let (head, data) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
    let (kind, properties) = head.split_once(' ').unwrap();
    let plain = |text: &str, of_property: bool| {
        let text = text.replace("%0D", "\r").replace("%0A", "\n");
        let text = if of_property { text.replace("%3A", ":").replace("%2C", ",") } else { text };
        text.replace("%25", "%")
    };
    let property = |word: &str| {
        let (key, value) = word.split_once('=').unwrap();
        (key.to_owned(), plain(value, true))
    };
    (kind.to_owned(), properties.split(',').map(property).collect(), plain(data, false))
}

#[test]
fn github_reads_what_was_meant_the_most_severe_first() {
    let said = all(&run()).0;
    let lines: Vec<_> = said.lines().map(decoded).collect();
    let kinds: Vec<&str> = lines.iter().map(|(kind, _, _)| &**kind).collect();
    assert_eq!(kinds, ["error", "error", "warning", "notice"]);
    let get = |line: usize, key: &str| lines[line].1.get(key).map_or("-", String::as_str).to_owned();
    let place = |line| ["file", "line", "endLine", "col", "endColumn"].map(|key| get(line, key));
    assert_eq!(place(0), [HARD, "3", "4", "-", "-"], "columns are drawn within one line only");
    assert_eq!(place(1), ["out/a.service", "-", "-", "-", "-"]);
    assert_eq!(place(2), [HARD, "1", "1", "4", "8"]);
    assert_eq!(get(2, "title"), "ORC320 unused-model");
    assert_eq!(lines[2].2, "100% of `a`, b: c\nnote: 1\r\n2\nhelp: first,\nsecond");
    assert!(said.contains("file=registry/b%2Cc%3Ad%25.yaml,"), "{said}");
}

#[test]
fn gitlab_gets_fingerprints_of_their_own_and_places() {
    let issues = all(&run()).1;
    let issues = issues.as_array().unwrap();
    let of = |key: &str| issues.iter().map(|issue| issue[key].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(of("severity"), ["info", "minor", "critical", "critical"]);
    assert_eq!(of("check_name"), ["threads-above-cores", "unused-model", "port-conflict", "edited-by-hand"]);
    assert_eq!(of("fingerprint").iter().collect::<BTreeSet<_>>().len(), 4);
    assert_eq!(issues[2]["location"], serde_json::json!({"path": HARD, "lines": {"begin": 3, "end": 4}}));
    assert_eq!(issues[3]["location"]["lines"]["begin"], 1);
    assert!(of("description").iter().all(|text| !text.is_empty()));
}

#[test]
fn a_line_each_has_the_place_the_code_and_whether_it_can_be_fixed() {
    assert_eq!(
        all(&run()).2,
        "registry/b,c:d%.yaml:1:1: note[ORC330] threads-above-cores: a note\n\
         registry/b,c:d%.yaml:1:4: warning[ORC320] unused-model: 100% of `a`, b: c [fixable]\n\
         registry/b,c:d%.yaml:3:7: error[ORC302] port-conflict: over two lines\n\
         out/a.service: error[ORC401] edited-by-hand: edited\n"
    );
}

#[test]
fn nothing_found_and_nothing_that_counts_look_alike() {
    let clean = (String::new(), serde_json::json!([]), String::new());
    assert_eq!(all(&Run::default()), clean);
    let mut silent = run();
    silent.findings.silence(|_| Some(Silence::Allowed { because: "fine".into() }));
    assert_eq!(all(&silent), clean);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_comes_through_every_report(name in "[^\u{0}-\u{1f}\u{7f}-\u{9f}]{1,20}", said in "\\PC{0,40}") {
        let mut run = Run::default();
        let file = run.file(&name, "a: 1\n");
        run.report(PORT.at(run.span(file, "1", 0), "", said.clone()));
        let (github, gitlab, concise) = all(&run);
        prop_assert_eq!(github.lines().count(), 1);
        prop_assert_eq!(concise.lines().count(), 1);
        let (_, properties, data) = decoded(github.trim_end_matches('\n'));
        if !name.chars().chain(said.chars()).any(orchgen::diag::words::steers) {
            prop_assert_eq!(&properties["file"], &name);
            prop_assert_eq!(data, said.clone());
        }
        prop_assert_eq!(gitlab[0]["description"].as_str(), Some(&*said));
        prop_assert_eq!(gitlab[0]["location"]["path"].as_str(), Some(&*name));
    }
}
