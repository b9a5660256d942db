//! Findings that only follow from others.

use super::{PORT, Run, UNUSED};
use orchgen::diag::{Absence, Diagnostics};

/// The codes of the findings, in order.
fn codes(findings: &Diagnostics) -> Vec<u16> {
    findings.findings().iter().map(|finding| finding.code.number).collect()
}

#[test]
fn a_finding_about_an_absence_is_dropped_if_a_file_is_unread() {
    let mut run = Run::default();
    let file = run.file("registry/a.yaml", "a: 1\n");
    let place = run.span(file, "1", 0);
    let absent = |message: &str| UNUSED.at(place, "", message).absent(Absence::Item);
    run.report(absent("nothing uses `a`"));
    run.findings.record_unread_file();
    run.report(absent("nothing uses `b`"));
    run.report(PORT.at(place, "", "`a` is wrong"));
    // A check in parallel does not know of the file. The sink that absorbs its findings does.
    let mut parallel = Diagnostics::default();
    parallel.report(absent("nothing uses `c`"));
    assert!(!parallel.is_empty());
    run.findings.absorb(parallel);
    assert_eq!(codes(&run.findings), [UNUSED.number, PORT.number]);
}

#[test]
fn an_equal_finding_is_dropped_and_a_similar_one_is_kept() {
    let mut run = Run::default();
    let file = run.file("registry/a.yaml", "a: 1 2\n");
    let (one, two) = (run.span(file, "1", 0), run.span(file, "2", 0));
    for place in [one, two, one] {
        for (kind, message) in [("role", "`a`"), ("role", "`b`"), ("model", "`a`"), ("role", "`a`")] {
            run.report(PORT.at(place, "", message).about((kind, "a")));
        }
    }
    assert_eq!(codes(&run.findings).len(), 6);
}
