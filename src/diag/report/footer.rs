//! The end of a report: what was not checked, the counts, and where to find more information.

use super::plain::{push_indented, sanitize, wrap};
use super::style::Style;
use crate::diag::words::{all_of, count, quoted};
use crate::diag::{Code, Diagnostics, Severity, SilenceReason, SilencedFinding};

/// The maximum number of codes to name for `orchgen explain`.
const MAX_CODES: usize = 3;

/// Adds the lines after the findings.
pub(super) fn push_footer(out: &mut String, findings: &Diagnostics, style: Style) {
    if style.verbose {
        list_not_checked(out, findings, style);
    }
    let lines =
        [unprinted(findings, style), Some(summary(findings, style)), fixable(findings), explain(findings)];
    for line in lines.into_iter().flatten() {
        push_indented(out, "", 0, &wrap(&line, style.width));
    }
}

fn list_not_checked(out: &mut String, findings: &Diagnostics, style: Style) {
    for entry in findings.not_checked() {
        let subject = format!("{} {}", entry.subject.kind, quoted(&entry.subject.name));
        let line = format!("not checked: {}, {subject}: {}", entry.check, entry.why);
        push_indented(out, "", 4, &wrap(&sanitize(&line, style), style.width.saturating_sub(4)));
    }
    if !findings.not_checked().is_empty() {
        out.push('\n');
    }
}

/// The number of findings that are not printed, and the option that prints them.
fn unprinted(findings: &Diagnostics, style: Style) -> Option<String> {
    let unprinted = findings.findings().len().saturating_sub(style.max_findings);
    let more = count(unprinted, "more finding");
    let them = if unprinted == 1 { "it" } else { "them" };
    (unprinted > 0).then(|| format!("{more} not printed; --max-findings all prints {them}"))
}

/// `2 errors, 1 warning; 3 checks could not run; --verbose lists them`.
fn summary(findings: &Diagnostics, style: Style) -> String {
    let summary = findings.summary();
    let counts = [(summary.errors, "error"), (summary.warnings, "warning"), (summary.notes, "note")];
    let counts: Vec<String> =
        counts.iter().filter(|(n, _)| *n > 0).map(|(n, noun)| count(*n, noun)).collect();
    let mut line = if counts.is_empty() { "no findings".to_owned() } else { counts.join(", ") };
    // If findings are stored, the last one has a note about the omitted findings.
    if findings.findings().is_empty() && findings.omitted() > 0 {
        line = format!("{line} over the limit: fix some findings of the baseline first");
    }
    let is_in_baseline = |one: &&SilencedFinding| matches!(one.why, SilenceReason::Baseline { .. });
    let in_baseline = findings.silenced().iter().filter(is_in_baseline).count();
    if in_baseline > 0 {
        line = format!("{line}; {} silenced by the baseline", count(in_baseline, "finding"));
    }
    if summary.not_checked > 0 {
        let them = if summary.not_checked == 1 { "it" } else { "them" };
        let checks = count(summary.not_checked, "check");
        let hint = if style.verbose { String::new() } else { format!("; --verbose lists {them}") };
        line = format!("{line}; {checks} could not run{hint}");
    }
    line
}

/// The number of findings that orchgen can fix, and the command that fixes them.
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
    Some(format!("{can}{more}; to preview the changes, use `--diff` instead of `--fix`"))
}

/// The command that explains the codes. Errors come first, and each code is named once.
fn explain(findings: &Diagnostics) -> Option<String> {
    let mut codes: Vec<&Code> = Vec::new();
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        for finding in findings.findings().iter().filter(|finding| finding.severity == severity) {
            if !codes.iter().any(|code| code.number == finding.code.number) {
                codes.push(finding.code);
            }
        }
    }
    let (first, others) = codes.split_first()?;
    let mut named: Vec<String> = others.iter().take(MAX_CODES - 1).map(ToString::to_string).collect();
    if others.len() > named.len() {
        named.push(count(others.len() - named.len(), "other"));
    }
    let also = if named.is_empty() { String::new() } else { format!(" (also {})", all_of(&named)) };
    Some(format!("for more information, run `orchgen explain {first}`{also}"))
}
