//! SARIF reports, checked with the validator of Microsoft and its rules for GitHub.

use super::{DRIFT, PORT, Run, THREADS, UNUSED};
use orchgen::diag::report::{self, sarif::sarif};
use orchgen::diag::{Code, Fix, Severity, SilenceReason, Subject};
use orchgen::source::{ReportPaths, Span};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

fn sarif_text(run: &Run, codes: &[&'static Code]) -> String {
    let places = ReportPaths::default();
    sarif(report::ReportInput { findings: &run.findings, map: &run.map, places: &places, codes })
}

/// The report as JSON.
fn read(run: &Run) -> Value {
    serde_json::from_str(&sarif_text(run, &orchgen::catalogue::codes())).unwrap()
}

/// The path of the validator. `.ci/sarif/install` installs it if it is missing.
fn validator() -> PathBuf {
    let root = crate::support::repository();
    let output = Command::new("bash").arg(root.join(".ci/sarif/install")).output().unwrap();
    assert!(
        output.status.success(),
        "the SARIF validator is missing and could not be installed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    root.join("target/sarif/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool")
}

/// The errors and warnings of the validator for a file. Its exit code does not depend on them.
pub(crate) fn validation_errors(file: &Path) -> Vec<String> {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(validator())
        .args(["validate", "--rule-kind", "Sarif;Ghas"])
        .arg(file)
        .env("DOTNET_BUNDLE_EXTRACT_BASE_DIR", home.path())
        .output()
        .unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("Analysis completed successfully."), "{text}");
    let errors = text.lines().filter(|line| line.contains(": error ") || line.contains(": warning "));
    errors.map(str::to_owned).collect()
}

fn validate(text: &str) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("orchgen.sarif");
    std::fs::write(&file, text).unwrap();
    validation_errors(&file)
}

/// A run with findings in two registry files (one outside of the project) and in an edited output file. One finding has a
/// fix, one is allowed, and one is in the baseline.
fn full_run() -> Run {
    let mut run = Run::default();
    let file = run.file("registry/b,c:d%ü.yaml", "🚀ü: 8080\nb: 8080\nlast: {\n}\n");
    let outside = run.file("/srv/other place/registry/a.kdl", "a 1\n");
    let unit = run.file("./out/a.service", "");
    let (first, again) = (run.span(file, "8080", 0), run.span(file, "8080", 1));
    run.report(
        PORT.at(again, "taken again", "two on `8080`")
            .about(("role", "b"))
            .also(first, "first taken here")
            .also(run.span(outside, "1", 0), "")
            .note("1\n2")
            .help("take 8081")
            .fix(Fix::safe("write `8081`", again, "8081")),
    );
    run.report(UNUSED.at(run.span(outside, "a", 0), "", "unused").about(("model", "m")));
    run.report(THREADS.at(run.span(file, "{\n}", 0), "", "many").about(("role", "c")));
    run.report(THREADS.at(run.span(file, "ü", 0), "here", "more").about(("role", "d")));
    run.report(DRIFT.at(Span::new(unit, 0, 0), "", "edited"));
    run.findings.silence(|finding| match finding.subject.as_ref().map(|subject| &*subject.name) {
        Some("c") => Some(SilenceReason::Allowed { because: "it is fine".into() }),
        Some("m") => Some(SilenceReason::Baseline { file: "known.json".into() }),
        _ => None,
    });
    run
}

#[test]
fn every_run_lists_all_codes_as_rules_with_complete_texts() {
    let rules = read(&Run::default())["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap().clone();
    assert_eq!(rules.len(), orchgen::catalogue::codes().len());
    for rule in &rules {
        let text = |path: &str| rule.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
        let paths =
            ["/shortDescription/text", "/fullDescription/text", "/help/text", "/help/markdown", "/name"];
        for path in paths {
            assert!(!text(path).is_empty(), "{rule} has no {path}");
        }
        for path in &paths[..2] {
            assert!(!text(path).contains(['{', '}', '\n']) && text(path).len() <= 1024, "{}", text(path));
        }
        assert!(text("/shortDescription/text").ends_with('.'), "{}", text("/shortDescription/text"));
        assert!(text("/name").chars().all(char::is_alphanumeric), "{}", text("/name"));
        assert!(text("/help/markdown").starts_with("## What it finds"));
        assert!(rule["properties"]["tags"].as_array().unwrap().len() <= 20);
    }
    assert_eq!(read(&Run::default())["runs"][0]["results"], json!([]));
}

#[test]
fn a_result_has_columns_in_utf16_and_its_fix() {
    let log = read(&full_run());
    let run = &log["runs"][0];
    assert_eq!(run["columnKind"], "utf16CodeUnits");
    let result_of = |rule: &str| {
        let results = run["results"].as_array().unwrap();
        results.iter().find(|result| result["ruleId"] == rule).unwrap().clone()
    };
    let port = result_of("ORC302");
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules[usize::try_from(port["ruleIndex"].as_u64().unwrap()).unwrap()]["id"], "ORC302");
    assert_eq!(port["message"]["text"], "two on `8080`.\nnote: 1\n2\nhelp: take 8081");
    assert_eq!(
        port["locations"][0]["physicalLocation"]["artifactLocation"],
        json!({"uri": "registry/b%2Cc%3Ad%25%C3%BC.yaml", "uriBaseId": "%SRCROOT%"})
    );
    let first = &port["relatedLocations"][0];
    assert_eq!(
        first["physicalLocation"]["region"],
        json!({"startLine": 1, "startColumn": 6, "endLine": 1, "endColumn": 10})
    );
    assert_eq!(first["message"]["text"], "first taken here");
    assert_eq!(
        port["relatedLocations"][1]["physicalLocation"]["artifactLocation"],
        json!({"uri": "file:///srv/other%20place/registry/a.kdl"})
    );
    let change = &port["fixes"][0]["artifactChanges"][0];
    assert_eq!(change["replacements"][0]["insertedContent"]["text"], "8081");
    assert_eq!(change["replacements"][0]["deletedRegion"]["startLine"], 2);
    let drift = &result_of("ORC401")["locations"][0]["physicalLocation"];
    assert_eq!(drift["artifactLocation"]["uri"], "out/a.service");
    assert_eq!(port["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap().len(), 32);
}

#[test]
fn silenced_findings_are_results_with_a_suppression_and_its_reason() {
    let log = read(&full_run());
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 5);
    let why = |message: &str| {
        let result = results.iter().find(|one| one["message"]["text"].as_str().unwrap().starts_with(message));
        result.unwrap()["suppressions"].clone()
    };
    assert_eq!(why("many"), json!([{"kind": "inSource", "justification": "it is fine"}]));
    assert_eq!(
        why("unused"),
        json!([{"kind": "external", "justification": "listed in baseline known.json"}])
    );
    assert_eq!(why("two on"), json!([]));
}

#[test]
fn the_least_severe_of_too_many_results_are_omitted() {
    let mut run = Run::default();
    let file = run.file("a.yaml", &"a: 1\n".repeat(30_001));
    // About 10,000 findings of each severity.
    for n in 0..29_998 {
        let place = Span::new(file, n * 5, n * 5 + 1);
        let mut finding = UNUSED.at(place, "", "unused").about(("model", n.to_string()));
        finding.severity = [Severity::Warning, Severity::Note, Severity::Error][n % 3];
        run.report(finding);
    }
    let last = Span::new(file, 150_000, 150_001);
    let mut finding = PORT.at(last, "", "last");
    finding.subject = Some(Subject::new("role", "a"));
    run.report(finding);
    let log = read(&run);
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 25_000);
    assert_eq!(results[24_999]["ruleId"], "ORC302");
    let note = &log["runs"][0]["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"];
    assert!(note.as_str().unwrap().starts_with("4999 results omitted"), "{note}");
}

mod tools {
    use super::*;

    #[test]
    fn the_validator_accepts_all_reports() {
        let codes = orchgen::catalogue::codes();
        assert_eq!(validate(&sarif_text(&full_run(), &codes)), [""; 0]);
        assert_eq!(validate(&sarif_text(&Run::default(), &codes)), [""; 0]);
    }

    #[test]
    fn the_validator_reports_an_unknown_key() {
        let broken =
            sarif_text(&full_run(), &orchgen::catalogue::codes()).replace("shortDescription", "briefly");
        assert!(validate(&broken).len() > 1);
    }
}
