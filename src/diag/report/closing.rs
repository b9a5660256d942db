//! What stands after the findings: what was not checked, the counts, and where to read on.

use super::plain::{clean, hang, wrap};
use super::style::Style;
use crate::diag::words::{all_of, count, quoted};
use crate::diag::{Code, Diagnostics, Severity, Silence, Silenced};

/// As many codes are named as worth a page.
const MOST_CODES: usize = 3;

/// Adds the lines after the findings.
pub(super) fn close(out: &mut String, findings: &Diagnostics, style: Style) {
    if style.verbose {
        list_not_checked(out, findings, style);
    }
    if let Some(left) = left_out(findings, style) {
        hang(out, "", 0, &wrap(&left, style.width));
    }
    hang(out, "", 0, &wrap(&summary(findings, style), style.width));
    if let Some(fixable) = fixable(findings) {
        hang(out, "", 0, &wrap(&fixable, style.width));
    }
    if let Some(more) = more(findings) {
        hang(out, "", 0, &wrap(&more, style.width));
    }
}

fn list_not_checked(out: &mut String, findings: &Diagnostics, style: Style) {
    for left in findings.not_checked() {
        let subject = format!("{} {}", left.subject.kind, quoted(&left.subject.name));
        let line = format!("not checked: {}, {subject}: {}", left.check, left.why);
        hang(out, "", 4, &wrap(&clean(&line, style), style.width.saturating_sub(4)));
    }
    if !findings.not_checked().is_empty() {
        out.push('\n');
    }
}

/// How many findings are not drawn, and what draws them.
fn left_out(findings: &Diagnostics, style: Style) -> Option<String> {
    let left = findings.findings().len().saturating_sub(style.most);
    let more = count(left, "more finding");
    let (are, them) = if left == 1 { ("is", "it") } else { ("are", "them") };
    (left > 0).then(|| format!("{more} {are} not drawn; --max-findings all draws {them}"))
}

/// `2 errors, 1 warning; 3 things were not checked; --verbose lists them`.
fn summary(findings: &Diagnostics, style: Style) -> String {
    let summary = findings.summary();
    let counts = [(summary.errors, "error"), (summary.warnings, "warning"), (summary.notes, "note")];
    let counts: Vec<String> =
        counts.iter().filter(|(n, _)| *n > 0).map(|(n, noun)| count(*n, noun)).collect();
    let mut line = if counts.is_empty() { "no findings".to_owned() } else { counts.join(", ") };
    // Where findings are held, the last of them says how many are not.
    if findings.findings().is_empty() && findings.beyond() > 0 {
        line = format!("{line} beyond those that a run holds: mend some of what is known first");
    }
    let in_baseline = |one: &&Silenced| matches!(one.why, Silence::Baseline { .. });
    let known = findings.silenced().iter().filter(in_baseline).count();
    if known > 0 {
        line = format!("{line}; {} of the baseline", count(known, "known finding"));
    }
    if summary.not_checked > 0 {
        let (were, them) = if summary.not_checked == 1 { ("was", "it") } else { ("were", "them") };
        let left = count(summary.not_checked, "thing");
        let hint = if style.verbose { String::new() } else { format!("; --verbose lists {them}") };
        line = format!("{line}; {left} {were} not checked{hint}");
    }
    line
}

/// How many findings the program can mend itself.
fn fixable(findings: &Diagnostics) -> Option<String> {
    let them = |n: usize| match findings.findings().len() {
        1 => "it".to_owned(),
        all if all == n => "all of them".to_owned(),
        _ => format!("{n} of them"),
    };
    let (can, more) = match findings.fixable() {
        (0, 0) => return None,
        (0, risky) => {
            (format!("{} can be fixed with `orchgen check --fix --unsafe-fixes`", them(risky)), None)
        }
        (safe, 0) => (format!("{} can be fixed with `orchgen check --fix`", them(safe)), None),
        (safe, risky) => (format!("{} can be fixed with `orchgen check --fix`", them(safe)), Some(risky)),
    };
    let more = more.map(|more| format!(", {more} more with `--unsafe-fixes`")).unwrap_or_default();
    Some(format!("{can}{more}; `--diff` instead of `--fix` shows how"))
}

/// Where the pages of the codes are: errors before the rest, each code once.
fn more(findings: &Diagnostics) -> Option<String> {
    let mut codes: Vec<&Code> = Vec::new();
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        for finding in findings.findings().iter().filter(|finding| finding.severity == severity) {
            if !codes.iter().any(|code| code.number == finding.code.number) {
                codes.push(finding.code);
            }
        }
    }
    let (first, others) = codes.split_first()?;
    let mut named: Vec<String> = others.iter().take(MOST_CODES - 1).map(ToString::to_string).collect();
    if others.len() > named.len() {
        named.push(count(others.len() - named.len(), "other"));
    }
    let likewise = if named.is_empty() { String::new() } else { format!(" (likewise {})", all_of(&named)) };
    Some(format!("for what it means and how to cure it, run `orchgen explain {first}`{likewise}"))
}
