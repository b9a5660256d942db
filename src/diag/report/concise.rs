//! One line per finding, for editors, `grep` and language models.

use super::plain::sanitize;
use super::style::Style;
use crate::diag::{Diagnostic, Diagnostics, Safety};
use crate::source::{Position, SourceMap};

/// `registry/a.yaml:4:11: error[ORC302] port-conflict: message`, followed by ` [fixable]` if there is a safe fix.
pub fn concise(findings: &Diagnostics, map: &SourceMap) -> String {
    let mut out = String::new();
    for finding in findings.findings() {
        out.push_str(&line(finding, map));
        out.push('\n');
    }
    out
}

fn line(finding: &Diagnostic, map: &SourceMap) -> String {
    // Control characters are replaced in any style; `unicode` keeps the rest as it is.
    let style = Style { unicode: true, ..Style::default() };
    let span = finding.primary.span;
    let place = map.get(span.file).map_or(String::new(), |file| {
        let Position { line, column, .. } = file.position(span.start);
        let name = sanitize(file.name(), style);
        if file.text().is_empty() { format!("{name}: ") } else { format!("{name}:{line}:{column}: ") }
    });
    let message = sanitize(&finding.message, style);
    let (word, code) = (finding.severity.word(), finding.code);
    let is_safe = finding.fixes.iter().any(|fix| fix.safety == Safety::Safe);
    let fix = if is_safe { " [fixable]" } else { "" };
    format!("{place}{word}[{code}] {}: {message}{fix}", code.name)
}
