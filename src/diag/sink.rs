//! The sink that collects all findings of a run.

use super::diagnostic::Identity;
use super::words::count;
use super::{
    Code, Diagnostic, Fix, Levels, ProposedFix, Safety, Severity, SilenceReason, SilencedFinding, Subject,
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The maximum number of stored findings per severity. The limit bounds memory for a text that has errors everywhere.
const MAX_STORED: usize = 10_000;

/// Collects all findings of a run. Findings can be reported only through it.
#[derive(Default, Debug)]
pub struct Diagnostics {
    levels: Levels,
    findings: Vec<Diagnostic>,
    silenced: Vec<SilencedFinding>,
    /// Per severity: the number of stored findings.
    stored: BTreeMap<Severity, usize>,
    /// Per severity: the number of findings beyond [`MAX_STORED`], which are only counted.
    omitted: BTreeMap<Severity, usize>,
    /// True if the last finding has the note about omitted findings.
    has_omission_note: bool,
    not_checked: Vec<NotChecked>,
    /// The findings that were stored, also if they are silenced now.
    pub(super) seen: BTreeSet<Identity>,
    /// True if a whole file was not read.
    pub(super) has_unread_file: bool,
    /// True if a part of the registry could not be read, and no baseline silences that.
    pub(super) hides_findings: bool,
}

/// Proof that an error was reported; only the sink can create it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reported(());

/// The verdict *not checked*: the check could neither pass nor fail, because a fact is unknown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Debug)]
pub struct NotChecked {
    /// The name of the code that could not be checked.
    pub check: &'static str,
    /// The item that was not checked.
    pub subject: Subject,
    /// The unknown fact and how to provide it.
    pub why: String,
}

/// The number of findings per severity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Findings of severity error.
    pub errors: usize,
    /// Findings of severity warning.
    pub warnings: usize,
    /// Findings of severity note.
    pub notes: usize,
    /// Checks that lacked a fact.
    pub not_checked: usize,
}

impl Diagnostics {
    /// An empty sink with the severities that the user sets.
    pub fn with(levels: Levels) -> Self {
        Self { levels, ..Self::default() }
    }

    /// Adds a finding with its severity in this run, unless it is ignored or only follows from another one.
    pub fn report(&mut self, mut finding: Diagnostic) -> Reported {
        if self.is_echo(&finding) {
            return Reported(());
        }
        if let Some(severity) = self.levels.severity(finding.code, finding.severity) {
            finding.severity = severity;
            self.store(finding);
        }
        Reported(())
    }

    fn store(&mut self, finding: Diagnostic) {
        self.hides_findings |= finding.hides_findings();
        let stored = self.stored.entry(finding.severity).or_default();
        if *stored < MAX_STORED {
            *stored += 1;
            self.seen.insert(finding.identity());
            self.findings.push(finding);
        } else {
            *self.omitted.entry(finding.severity).or_default() += 1;
        }
    }

    /// Drops the findings from the position `start` that are not wanted.
    pub fn retain_from(&mut self, start: usize, mut is_wanted: impl FnMut(&Diagnostic) -> bool) {
        for finding in self.findings.split_off(start.min(self.findings.len())) {
            if is_wanted(&finding) {
                self.findings.push(finding);
            } else if let Some(stored) = self.stored.get_mut(&finding.severity) {
                *stored = stored.saturating_sub(1);
            }
        }
    }

    /// True if findings of the code are not reported in this run.
    pub fn ignores(&self, code: &Code) -> bool {
        self.levels.ignores(code)
    }

    /// Silences each finding for which `why` returns a reason; calls it in the order of the findings.
    pub fn silence(&mut self, mut why: impl FnMut(&Diagnostic) -> Option<SilenceReason>) {
        for finding in std::mem::take(&mut self.findings) {
            match why(&finding) {
                Some(why) => self.silenced.push(SilencedFinding { finding, why }),
                None => self.findings.push(finding),
            }
        }
        self.hides_findings = self.findings.iter().any(Diagnostic::hides_findings);
    }

    /// The silenced findings.
    pub fn silenced(&self) -> &[SilencedFinding] {
        &self.silenced
    }

    /// Records that something could not be checked, which is not a finding.
    pub fn record_not_checked(&mut self, entry: NotChecked) {
        self.not_checked.push(entry);
    }

    /// Records that a check could not run for an item, and why.
    pub fn skip(&mut self, code: &Code, subject: impl Into<Subject>, why: impl Into<String>) {
        self.record_not_checked(NotChecked { check: code.name, subject: subject.into(), why: why.into() });
    }

    /// The proof that an error was reported, if one was.
    pub fn reported(&self) -> Option<Reported> {
        self.has_errors().then_some(Reported(()))
    }

    /// True if an error was reported.
    pub fn has_errors(&self) -> bool {
        let is_omitted = self.omitted.contains_key(&Severity::Error);
        is_omitted || self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// True if there are no findings, apart from silenced ones.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty() && self.omitted.is_empty()
    }

    /// Sorts findings by place in the text, and unchecked items by name.
    pub fn sort(&mut self) {
        self.findings.sort_by(Diagnostic::order);
        self.silenced.sort_by(|a, b| a.finding.order(&b.finding));
        self.not_checked.sort();
        self.not_checked.dedup();
        let omitted = self.omitted();
        if let (1.., false, Some(last)) = (omitted, self.has_omission_note, self.findings.last_mut()) {
            last.notes.push(format!("{} omitted: fix these first", count(omitted, "further finding")));
            self.has_omission_note = true;
        }
    }

    /// Sorts findings by their code, and those with the same code by the order of reporting.
    pub fn sort_by_code(&mut self) {
        self.findings.sort_by_key(|finding| finding.code.number);
    }

    /// The number of findings that were counted but not stored.
    pub fn omitted(&self) -> usize {
        self.omitted.values().sum()
    }

    /// The findings, in the order of reporting until [`sort`](Self::sort) is called.
    pub fn findings(&self) -> &[Diagnostic] {
        &self.findings
    }

    /// Everything that could not be checked.
    pub fn not_checked(&self) -> &[NotChecked] {
        &self.not_checked
    }

    /// Turns proposed fixes into helps and text edits. `write` returns the text of the title, and the fix if there is
    /// one.
    pub fn resolve_fixes(&mut self, mut write: impl FnMut(&ProposedFix) -> (String, Option<Fix>)) {
        for finding in &mut self.findings {
            let mut written = 0;
            for proposed in std::mem::take(&mut finding.proposed_fixes) {
                let (title, fix) = write(&proposed);
                if proposed.is_help {
                    let at = finding.help.len().min(proposed.texts_before + written);
                    finding.help.insert(at, title);
                    written += 1;
                }
                finding.fixes.extend(fix);
            }
        }
    }

    /// Narrows the primary places of findings about a word. `text` returns the text of a place.
    pub fn mark_words<'t>(&mut self, text: impl Fn(crate::source::Span) -> &'t str) {
        for finding in &mut self.findings {
            let place = &mut finding.primary.span;
            let Some(word) = finding.word.take() else { continue };
            let found = text(*place).find(word).and_then(|at| u32::try_from(at).ok());
            if let (Some(at), Ok(length)) = (found, u32::try_from(word.len())) {
                place.start += at;
                place.end = place.start + length;
            }
        }
    }

    /// Writes the names of items into the helps that need one. `name_of` returns the name of an item of a kind. If there
    /// is none, the help names only the field.
    pub fn name_items(&mut self, name_of: impl Fn(&'static str) -> Option<String>) {
        for finding in &mut self.findings {
            let mut texts = 0;
            for mut proposed in std::mem::take(&mut finding.proposed_fixes) {
                proposed.texts_before += texts;
                match proposed.change.name_items(&name_of) {
                    Ok(()) => finding.proposed_fixes.push(proposed),
                    Err(field) => {
                        let at = finding.help.len().min(proposed.texts_before);
                        finding.help.insert(at, proposed.title.replace("{}", &field));
                        texts += 1;
                    }
                }
            }
        }
    }

    /// The number of findings with a safe fix, and the number of others with an unsafe fix.
    pub fn fixable(&self) -> (usize, usize) {
        let fixable = |level: Safety| {
            let is_fixable = |finding: &&Diagnostic| finding.fixes.iter().any(|fix| fix.safety <= level);
            self.findings.iter().filter(is_fixable).count()
        };
        let safe = fixable(Safety::Safe);
        (safe, fixable(Safety::Unsafe) - safe)
    }

    /// Adds everything from another sink.
    pub fn absorb(&mut self, other: Self) {
        self.has_unread_file |= other.has_unread_file;
        for finding in other.findings {
            self.report(finding);
        }
        self.silenced.extend(other.silenced);
        for (severity, omitted) in other.omitted {
            *self.omitted.entry(severity).or_default() += omitted;
        }
        self.not_checked.extend(other.not_checked);
    }

    /// Counts by severity.
    pub fn summary(&self) -> Summary {
        let stored = |severity| self.findings.iter().filter(|f| f.severity == severity).count();
        let count = |severity| stored(severity) + self.omitted.get(&severity).copied().unwrap_or_default();
        Summary {
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            notes: count(Severity::Note),
            not_checked: self.not_checked.len(),
        }
    }
}

/// Reports all of the findings.
impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, findings: I) {
        for finding in findings {
            self.report(finding);
        }
    }
}
