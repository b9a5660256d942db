//! Properties of any registry text: nothing panics, every span is in its file, every report can be printed, and a registry
//! without errors can be planned and rendered.

use orchgen::check::NotCheckedPolicy;
use orchgen::compile::analyze;
use orchgen::diag::report::{Style, human::human, json::json};
use orchgen::diag::{Diagnostic, Diagnostics};
use orchgen::source::{Loaded, SourceMap, Span};

const BASE: &str = include_str!("../pages/base.kdl");

/// Runs the whole pipeline on a text. A text without a stack is combined with a complete registry, to reach later stages.
pub(crate) fn check_text(language: &str, text: &str) {
    let mut map = SourceMap::default();
    if !text.contains("stack") {
        map.add("base.kdl", BASE);
    }
    map.add(format!("text.{language}"), text);
    let loaded = Loaded { map, ..Loaded::default() };
    let mut findings = Diagnostics::default();
    let checked = analyze(&loaded, NotCheckedPolicy::Count, &mut findings);
    assert_eq!(checked.is_ok(), !findings.has_errors());
    for finding in findings.findings() {
        for span in spans(finding) {
            let file = loaded.map.get(span.file).unwrap();
            assert!(
                file.text().get(span.range()).is_some(),
                "{span:?} is outside of its file: {}",
                finding.message
            );
        }
    }
    assert!(json(&findings, &loaded.map).ends_with("}\n"));
    for style in [
        Style { width: 60, unicode: true, color: true, ..Style::default() },
        Style { screen_reader: true, ..Style::default() },
    ] {
        assert!(human(&findings, &loaded.map, style).ends_with('\n'));
    }
    if let Ok(checked) = checked {
        let plan = orchgen::plan::plan(checked);
        let templates = orchgen::render::templates();
        let set = orchgen::render::render(&plan, &templates).unwrap();
        for artifact in set.iter() {
            artifact.text().unwrap();
        }
    }
}

fn spans(finding: &Diagnostic) -> Vec<Span> {
    let labels = finding.secondary.iter().map(|label| label.span);
    let edits = finding.fixes.iter().flat_map(|fix| fix.edits.iter().map(|edit| edit.span));
    labels.chain([finding.primary.span]).chain(edits).collect()
}
