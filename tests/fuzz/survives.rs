//! What has to hold of any text: nothing panics, every place lies in its file, every report can be drawn, and what is
//! found to be right can be planned and rendered.

use orchgen::compile::analyse;
use orchgen::diag::report::{Style, human::human, json::json};
use orchgen::diag::{Diagnostic, Diagnostics};
use orchgen::source::{Loaded, SourceMap, Span};

const BASE: &str = include_str!("../pages/base.kdl");

/// Takes a text the whole way. A text that declares no stack stands beside a complete registry, so that it comes further.
pub(crate) fn survives(language: &str, text: &str) {
    let mut map = SourceMap::default();
    if !text.contains("stack") {
        map.add("base.kdl", BASE);
    }
    map.add(format!("text.{language}"), text);
    let loaded = Loaded { map, ..Loaded::default() };
    let mut findings = Diagnostics::default();
    let checked = analyse(&loaded, &mut findings);
    assert_eq!(checked.is_ok(), !findings.has_errors());
    for finding in findings.findings() {
        for span in places(finding) {
            let file = loaded.map.get(span.file).unwrap();
            assert!(file.text().get(span.range()).is_some(), "{span:?} is no place: {}", finding.message);
        }
    }
    assert!(json(&findings, &loaded.map).ends_with("}\n"));
    for style in [
        Style { width: 60, unicode: true, colour: true, ..Style::default() },
        Style { narrated: true, ..Style::default() },
    ] {
        assert!(human(&findings, &loaded.map, style).ends_with('\n'));
    }
    if let Ok(checked) = checked {
        let plan = orchgen::plan::plan(&checked);
        let templates = orchgen::render::templates();
        let set = orchgen::render::render(&plan, &templates).unwrap();
        for artifact in set.iter() {
            artifact.text().unwrap();
        }
    }
}

fn places(finding: &Diagnostic) -> Vec<Span> {
    let labels = finding.secondary.iter().map(|label| label.span);
    let edits = finding.fixes.iter().flat_map(|fix| fix.edits.iter().map(|edit| edit.span));
    labels.chain([finding.primary.span]).chain(edits).collect()
}
