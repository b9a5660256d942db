//! The one sink that all findings go to.

use super::words::count;
use super::{Code, Diagnostic, Fix, Levels, ProposedFix, Safety, Severity, Silence, Silenced, Subject};
use std::collections::BTreeMap;

/// The most findings of one severity that a run holds: whoever has more will mend these first, and a text that is nothing but
/// faults must not take many times its size.
const MOST: usize = 10_000;

/// All findings of a run; the only way to say one.
#[derive(Default, Debug)]
pub struct Diagnostics {
    levels: Levels,
    findings: Vec<Diagnostic>,
    silenced: Vec<Silenced>,
    /// How many were taken of each severity, and how many beyond [`MOST`] were only counted.
    taken: BTreeMap<Severity, usize>,
    left_out: BTreeMap<Severity, usize>,
    is_noted: bool,
    not_checked: Vec<NotChecked>,
}

/// Proof that an error was said; only the sink can make it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reported(());

/// The third verdict: neither proved nor refuted, because a fact is not known.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct NotChecked {
    /// The name of the code that would have spoken.
    pub check: &'static str,
    /// The item it would have spoken of.
    pub subject: Subject,
    /// What is not known, and what would make it known.
    pub why: String,
}

/// How many of each there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Findings of severity error.
    pub errors: usize,
    /// Findings of severity warning.
    pub warnings: usize,
    /// Findings of severity note.
    pub notes: usize,
    /// Verdicts that could not be given.
    pub not_checked: usize,
}

impl Diagnostics {
    /// An empty sink of a run in which codes count as the user says.
    pub fn with(levels: Levels) -> Self {
        Self { levels, ..Self::default() }
    }

    /// Takes a finding, as what it counts as in this run.
    pub fn report(&mut self, mut finding: Diagnostic) -> Reported {
        if let Some(severity) = self.levels.severity(finding.code, finding.severity) {
            finding.severity = severity;
            self.hold(finding);
        }
        Reported(())
    }

    fn hold(&mut self, finding: Diagnostic) {
        let taken = self.taken.entry(finding.severity).or_default();
        if *taken < MOST {
            *taken += 1;
            self.findings.push(finding);
        } else {
            *self.left_out.entry(finding.severity).or_default() += 1;
        }
    }

    /// Whether findings of the code are left out of this run.
    pub fn ignores(&self, code: &Code) -> bool {
        self.levels.ignores(code)
    }

    /// Takes findings out of what counts where there is a reason; asks in the order of the findings.
    pub fn silence(&mut self, mut why: impl FnMut(&Diagnostic) -> Option<Silence>) {
        for finding in std::mem::take(&mut self.findings) {
            match why(&finding) {
                Some(why) => self.silenced.push(Silenced { finding, why }),
                None => self.findings.push(finding),
            }
        }
    }

    /// The findings that do not count.
    pub fn silenced(&self) -> &[Silenced] {
        &self.silenced
    }

    /// Takes note of what could not be checked, which is no finding.
    pub fn record_not_checked(&mut self, left: NotChecked) {
        self.not_checked.push(left);
    }

    /// The proof that something was said, where something was.
    pub fn reported(&self) -> Option<Reported> {
        self.has_errors().then_some(Reported(()))
    }

    /// Whether anything of severity error was said.
    pub fn has_errors(&self) -> bool {
        let is_left_out = self.left_out.contains_key(&Severity::Error);
        is_left_out || self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// Whether nothing that counts was said.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty() && self.left_out.is_empty()
    }

    /// Puts findings in the order of the text, and what was not checked in the order of its names.
    pub fn sort(&mut self) {
        self.findings.sort_by(Diagnostic::order);
        self.silenced.sort_by(|a, b| a.finding.order(&b.finding));
        self.not_checked.sort();
        self.not_checked.dedup();
        let left = self.beyond();
        if let (1.., false, Some(last)) = (left, self.is_noted, self.findings.last_mut()) {
            last.notes.push(format!("{} left out: mend these first", count(left, "further finding")));
            self.is_noted = true;
        }
    }

    /// How many findings were counted and not held, since there were more than a run holds.
    pub fn beyond(&self) -> usize {
        self.left_out.values().sum()
    }

    /// Drops findings that only echo others, which stay: whether there are errors must not change.
    pub fn drop_echoes(&mut self, is_echo: impl Fn(&Diagnostic) -> bool) {
        self.findings.retain(|finding| !is_echo(finding));
    }

    /// The findings, in order of saying until [`sort`](Self::sort) is called.
    pub fn findings(&self) -> &[Diagnostic] {
        &self.findings
    }

    /// What was not checked.
    pub fn not_checked(&self) -> &[NotChecked] {
        &self.not_checked
    }

    /// Makes fixes of the cures, as far as `write` knows how.
    pub fn resolve_fixes(&mut self, mut write: impl FnMut(&ProposedFix) -> Option<Fix>) {
        for finding in &mut self.findings {
            let cures = std::mem::take(&mut finding.proposed_fixes);
            finding.fixes.extend(cures.iter().filter_map(&mut write));
        }
    }

    /// How many findings can be fixed without asking, and how many others if somebody looks.
    pub fn fixable(&self) -> (usize, usize) {
        let any = self.findings.iter().filter(|finding| !finding.fixes.is_empty()).count();
        let is_safe = |finding: &&Diagnostic| finding.fixes.iter().any(|fix| fix.safety == Safety::Safe);
        let safe = self.findings.iter().filter(is_safe).count();
        (safe, any - safe)
    }

    /// Takes everything that another sink was told.
    pub fn absorb(&mut self, other: Self) {
        for finding in other.findings {
            self.report(finding);
        }
        self.silenced.extend(other.silenced);
        for (severity, left) in other.left_out {
            *self.left_out.entry(severity).or_default() += left;
        }
        self.not_checked.extend(other.not_checked);
    }

    /// Counts by severity.
    pub fn summary(&self) -> Summary {
        let held = |severity| self.findings.iter().filter(|f| f.severity == severity).count();
        let count = |severity| held(severity) + self.left_out.get(&severity).copied().unwrap_or_default();
        Summary {
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            notes: count(Severity::Note),
            not_checked: self.not_checked.len(),
        }
    }
}
