//! The format of the JSON report. Later versions may only add keys.

use super::{PORT, Run, THREADS, UNUSED};
use orchgen::diag::report::json::{FORMAT_VERSION, json};
use orchgen::diag::{Diagnostic, Fix, NotChecked, SilenceReason, Subject, fingerprinted};
use orchgen::source::Span;

fn run() -> Run {
    let mut run = Run::default();
    let roles = run.file("registry/roles.yaml", "ü: 8080\nb: 8080\n");
    let unit = run.file("out/a.service", "");
    let (first, again) = (run.span(roles, "8080", 0), run.span(roles, "8080", 1));
    run.report(
        PORT.at(again, "taken again", "two on 8080")
            .about(("role", "b"))
            .also(first, "first taken here")
            .note("1\n2")
            .help("take 8081")
            .fix(Fix::safe("write `8081`", again, "8081")),
    );
    run.report(THREADS.at(run.span(roles, "b", 0), "", "many").about(("role", "b")));
    let why = |finding: &Diagnostic| {
        let because = "all \"right\"".to_owned();
        (finding.code.number == THREADS.number).then_some(SilenceReason::Allowed { because })
    };
    run.findings.silence(why);
    run.report(UNUSED.at(Span::new(unit, 0, 0), "", "\u{1b}\u{202e}\"\n"));
    run.findings.record_not_checked(NotChecked {
        check: "missing-shard",
        subject: Subject::new("model", "m"),
        why: "there is no lock".into(),
    });
    run
}

/// A report with findings, a silenced finding, a fix and a check without a verdict.
pub(super) fn value() -> serde_json::Value {
    serde_json::from_str(&json_report(&run())).unwrap()
}

fn json_report(run: &Run) -> String {
    json(&run.findings, &run.map)
}

#[test]
fn keys_and_their_order_are_stable() {
    let expected = concat!(
        r#"{"format_version":1,"findings":[{"code":"ORC302","name":"port-conflict","severity":"error","#,
        r#""message":"two on 8080","subject":{"kind":"role","name":"b"},"primary":{"file":"registry/roles.yaml","#,
        r#""start":{"line":2,"column":4,"byte":12},"end":{"line":2,"column":8,"byte":16},"label":"taken again"},"#,
        r#""secondary":[{"file":"registry/roles.yaml","start":{"line":1,"column":4,"byte":4},"#,
        r#""end":{"line":1,"column":8,"byte":8},"label":"first taken here"}],"notes":["1\n2"],"help":["take 8081"],"#,
        r#""fixes":[{"title":"write `8081`","safety":"safe","edits":[{"file":"registry/roles.yaml","#,
        r#""start":{"line":2,"column":4,"byte":12},"end":{"line":2,"column":8,"byte":16},"text":"8081"}]}],"#,
        r#""fingerprint":"FIRST"},"#,
        r#"{"code":"ORC320","name":"unused-model","severity":"warning","message":"\u001b"#,
        "\u{202e}",
        r#"\"\n","subject":{"kind":"file","name":"out/a.service"},"primary":{"file":"out/a.service","#,
        r#""start":{"line":1,"column":1,"byte":0},"end":{"line":1,"column":1,"byte":0},"label":""},"#,
        r#""secondary":[],"notes":[],"help":[],"fixes":[],"fingerprint":"SECOND"}],"not_checked":[{"check":"missing-shard","#,
        r#""subject":{"kind":"model","name":"m"},"why":"there is no lock"}],"#,
        r#""summary":{"errors":1,"warnings":1,"not_checked":1,"notes":0,"silenced":1},"silenced":[{"by":"allow","#,
        r#""because":"all \"right\"","code":"ORC330","name":"threads-above-cores","severity":"note","message":"many","#,
        r#""subject":{"kind":"role","name":"b"},"primary":{"file":"registry/roles.yaml","start":{"line":2,"column":1,"byte":9},"#,
        r#""end":{"line":2,"column":2,"byte":10},"label":""},"secondary":[],"notes":[],"help":[],"fixes":[],"fingerprint":"THIRD"}]}"#,
        "\n"
    );
    let run = run();
    let mut expected = expected.to_owned();
    let fingerprints = fingerprinted(&run.findings, &run.map);
    for (name, number) in [("FIRST", PORT.number), ("SECOND", UNUSED.number), ("THIRD", THREADS.number)] {
        let found = fingerprints.iter().find(|found| found.finding.code.number == number).unwrap();
        expected = expected.replace(name, &found.fingerprint.to_string());
    }
    assert_eq!(json_report(&run), expected);
    assert_eq!(FORMAT_VERSION, 1);
}

#[test]
fn the_report_is_one_line_without_control_characters() {
    let text = json_report(&run());
    let line = text.strip_suffix('\n').unwrap();
    assert!(!line.chars().any(char::is_control));
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(value["findings"][1]["message"], "\u{1b}\u{202e}\"\n");
}

#[test]
fn a_report_without_findings_has_all_keys() {
    assert_eq!(
        json_report(&Run::default()),
        "{\"format_version\":1,\"findings\":[],\"not_checked\":[],\"summary\":{\"errors\":0,\"warnings\":0,\"not_checked\":0,\"notes\":0,\"silenced\":0},\"silenced\":[]}\n"
    );
}

#[test]
fn a_span_in_an_unknown_file_is_the_start_of_a_file_without_a_name() {
    let mut run = Run::default();
    run.report(PORT.at(Span::new(orchgen::source::FileId(3), 5, 9), "", "a headline"));
    let value: serde_json::Value = serde_json::from_str(&json_report(&run)).unwrap();
    let place = &value["findings"][0]["primary"];
    assert_eq!(place["file"], "");
    assert_eq!(place["start"], serde_json::json!({"line": 1, "column": 1, "byte": 0}));
}
