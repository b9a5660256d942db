//! What a finding is recognised by from run to run.

use super::{PORT, Run, UNUSED};
use orchgen::diag::{Diagnostic, Silence, known};
use std::collections::BTreeSet;

/// A run over a text in which each `8080` is a port that is taken.
fn run(text: &str, name: &str) -> Run {
    let mut run = Run::default();
    let file = run.file(name, text);
    for nth in 0..text.matches("8080").count() {
        let place = run.span(file, "8080", nth);
        run.report(PORT.at(place, "taken", format!("`a` listens on {}", 8080 + nth)).about("role", "a"));
    }
    run.findings.sort();
    run
}

fn marks(run: &Run) -> Vec<String> {
    known(&run.findings, &run.map).iter().map(|one| one.fingerprint.to_string()).collect()
}

#[test]
fn lines_sums_and_folders_do_not_count() {
    let here = marks(&run("a: 8080\n", "registry/a.yaml"));
    assert_eq!(here, marks(&run("# above\n\n   a: 8080\n", "./registry/a.yaml")));
    assert_eq!(here, marks(&run("a: 8080\n", "/srv/other/b.yaml")), "the item says which it is");
    assert!(here[0].len() == 32 && here[0].bytes().all(|byte| byte.is_ascii_hexdigit()));
    // What is written to files of known findings must mean the same in every version.
    assert_eq!(here, ["ca0803f0fa22644d5bc2457532b344ad"]);
}

#[test]
fn alike_ones_differ_and_the_first_keeps_its_own() {
    let three = marks(&run("8080 8080 8080", "a.yaml"));
    assert_eq!(three.iter().collect::<BTreeSet<_>>().len(), 3);
    assert_eq!(marks(&run("8080 8080", "a.yaml")), three[..2]);
}

#[test]
fn code_item_and_names_count() {
    let mut run = Run::default();
    let file = run.file("registry/a.yaml", "a: 1\n");
    let place = run.span(file, "1", 0);
    let other = run.file("registry/b.yaml", "a: 1\n");
    run.report(PORT.at(place, "", "`a` is wrong").about("role", "a"));
    run.report(PORT.at(place, "", "`a` is wrong").about("model", "a"));
    run.report(PORT.at(place, "", "`a` is wrong").about("role", "b"));
    run.report(PORT.at(place, "", "`b` is wrong").about("role", "a"));
    run.report(UNUSED.at(place, "", "`a` is wrong").about("role", "a"));
    run.report(PORT.at(place, "", "`a` is wrong"));
    run.report(PORT.at(run.span(other, "1", 0), "", "`a` is wrong"));
    run.report(PORT.at(place, "", "`a` `b`").about("role", "a"));
    run.report(PORT.at(place, "", "`a`b`").about("role", "a"));
    let all = marks(&run);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
}

#[test]
fn what_is_silenced_keeps_its_turn() {
    let mut run = run("8080 8080 8080", "a.yaml");
    let all = marks(&run);
    let mut turn = 0;
    run.findings.silence(|_: &Diagnostic| {
        turn += 1;
        (turn == 2).then(|| Silence::Baseline { file: "known.json".to_owned() })
    });
    assert_eq!(marks(&run), all);
    let silent = known(&run.findings, &run.map).iter().map(|one| one.silence.is_some()).collect::<Vec<_>>();
    assert_eq!(silent, [false, true, false]);
}
