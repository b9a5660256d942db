//! Fingerprints, which identify a finding across runs.

use super::{PORT, Run, UNUSED};
use orchgen::diag::{Diagnostic, SilenceReason, fingerprinted};
use std::collections::BTreeSet;

/// A run with one finding at each `8080` of the text.
fn run(text: &str, name: &str) -> Run {
    let mut run = Run::default();
    let file = run.file(name, text);
    for nth in 0..text.matches("8080").count() {
        let place = run.span(file, "8080", nth);
        run.report(PORT.at(place, "taken", format!("`a` listens on {}", 8080 + nth)).about(("role", "a")));
    }
    run.findings.sort();
    run
}

fn fingerprints(run: &Run) -> Vec<String> {
    fingerprinted(&run.findings, &run.map).iter().map(|finding| finding.fingerprint.to_string()).collect()
}

#[test]
fn a_fingerprint_does_not_depend_on_lines_numbers_or_folders() {
    let here = fingerprints(&run("a: 8080\n", "registry/a.yaml"));
    assert_eq!(here, fingerprints(&run("# above\n\n   a: 8080\n", "./registry/a.yaml")));
    assert_eq!(here, fingerprints(&run("a: 8080\n", "/srv/other/b.yaml")), "the item identifies the finding");
    assert!(here[0].len() == 32 && here[0].bytes().all(|byte| byte.is_ascii_hexdigit()));
    // Baseline files contain fingerprints, so every version must compute the same ones.
    assert_eq!(here, ["ca0803f0fa22644d5bc2457532b344ad"]);
}

#[test]
fn a_fingerprint_depends_on_a_declared_number() {
    let mut run = Run::default();
    let file = run.file("registry/a.yaml", "a: 1\n");
    let place = run.span(file, "1", 0);
    let finding = || PORT.at(place, "", "`a` is wrong").about(("role", "a"));
    run.report(finding());
    run.report(finding().with_number(&8080).note("first"));
    run.report(finding().with_number(&8081).note("second"));
    let all = fingerprints(&run);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 3);
    let mut again = Run::default();
    let file = again.file("b.yaml", "\n\na: 1\n");
    let place = again.span(file, "1", 0);
    again.report(PORT.at(place, "", "`a` is wrong").about(("role", "a")).with_number(&"8081"));
    assert!(all.contains(&fingerprints(&again)[0]));
}

#[test]
fn repeated_findings_have_distinct_fingerprints_in_a_stable_order() {
    let three = fingerprints(&run("8080 8080 8080", "a.yaml"));
    assert_eq!(three.iter().collect::<BTreeSet<_>>().len(), 3);
    assert_eq!(fingerprints(&run("8080 8080", "a.yaml")), three[..2]);
}

#[test]
fn a_fingerprint_depends_on_code_item_and_names() {
    let mut run = Run::default();
    let file = run.file("registry/a.yaml", "a: 1\n");
    let place = run.span(file, "1", 0);
    let other = run.file("registry/b.yaml", "a: 1\n");
    run.report(PORT.at(place, "", "`a` is wrong").about(("role", "a")));
    run.report(PORT.at(place, "", "`a` is wrong").about(("model", "a")));
    run.report(PORT.at(place, "", "`a` is wrong").about(("role", "b")));
    run.report(PORT.at(place, "", "`b` is wrong").about(("role", "a")));
    run.report(UNUSED.at(place, "", "`a` is wrong").about(("role", "a")));
    run.report(PORT.at(place, "", "`a` is wrong"));
    run.report(PORT.at(run.span(other, "1", 0), "", "`a` is wrong"));
    run.report(PORT.at(place, "", "`a` `b`").about(("role", "a")));
    run.report(PORT.at(place, "", "`a`b`").about(("role", "a")));
    let all = fingerprints(&run);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
}

#[test]
fn silenced_findings_keep_their_fingerprints() {
    let mut run = run("8080 8080 8080", "a.yaml");
    let all = fingerprints(&run);
    let mut number = 0;
    run.findings.silence(|_: &Diagnostic| {
        number += 1;
        (number == 2).then(|| SilenceReason::Baseline { file: "known.json".to_owned() })
    });
    assert_eq!(fingerprints(&run), all);
    let silenced =
        fingerprinted(&run.findings, &run.map).iter().map(|one| one.silence.is_some()).collect::<Vec<_>>();
    assert_eq!(silenced, [false, true, false]);
}
