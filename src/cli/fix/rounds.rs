//! Fixes applied round by round, each kept only if it does what it says and no more.

use super::changes::{Changes, Replaced};
use crate::diag::{Diagnostic, Diagnostics, Edit, Safety, Subject, words};
use crate::hir::codes::UNKNOWN_NAME;
use crate::source::{FileId, Loaded, Span};
use std::collections::{BTreeMap, BTreeSet};

/// A fix may bring another finding to light that can be fixed; after so many rounds the rest is left.
const ROUNDS: usize = 10;
/// How often everything is analysed at the most, to find out which of the fixes go wrong.
const TRIALS: usize = 64;
/// Codes below this number are about the text itself.
const FIRST_OF_SHAPE: u16 = 200;

/// Texts, and what is found in them.
pub struct Analysed {
    /// The texts.
    pub loaded: Loaded,
    /// The findings.
    pub findings: Diagnostics,
}

/// A registry before and after its fixes.
pub struct Fixed {
    /// Before.
    pub before: Analysed,
    /// After, where anything was changed.
    pub after: Option<Analysed>,
    /// What became of the files that were changed.
    pub changes: BTreeMap<FileId, Changes>,
    /// How many findings are gone.
    pub cured: usize,
    /// The fixes that were left out, because other findings would have come of them.
    pub left_out: Vec<String>,
}

impl Fixed {
    /// The texts with all that was fixed.
    pub fn latest(&self) -> &Analysed {
        self.after.as_ref().unwrap_or(&self.before)
    }
}

/// What may be done without asking.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FixLevel {
    /// Safe fixes.
    Safe,
    /// All fixes.
    Unsafe,
}

/// What tells a finding from others before and after a change: its code, and its item or else its file.
type Key = (u16, Result<Subject, FileId>);

/// A fix that is to be tried, and what it cures.
struct Candidate {
    title: String,
    edits: Vec<Edit>,
    cures: Vec<Key>,
}

/// Applies the fixes of all findings, and those of the findings that come to light; `analyse` finds them.
pub fn fix(loaded: Loaded, daring: FixLevel, analyse: &dyn Fn(&Loaded) -> Diagnostics) -> Fixed {
    let findings = analyse(&loaded);
    let before = Analysed { loaded, findings };
    let mut fixed = Fixed { before, after: None, changes: BTreeMap::new(), cured: 0, left_out: Vec::new() };
    let mut trials = TRIALS;
    for _ in 0..ROUNDS {
        let base = fixed.latest();
        let candidates = candidates(&base.findings, daring);
        if candidates.is_empty() {
            break;
        }
        let mut round =
            Round { base, analyse, trials, kept: Vec::new(), outcome: None, left_out: Vec::new() };
        round.sift(candidates);
        let Round { kept, outcome, left_out, trials: left, .. } = round;
        trials = left;
        fixed.left_out = left_out;
        let Some(after) = outcome else { break };
        for (file, edits) in &by_file(&kept) {
            let length = fixed.before.loaded.map.get(*file).map_or(0, |source| source.text().len());
            fixed.changes.entry(*file).or_default().add(edits, length);
        }
        fixed.cured += kept.iter().map(|one| one.cures.len()).sum::<usize>();
        fixed.after = Some(after);
    }
    fixed
}

/// The first fix of each finding that may be made, without those that meet another one; equal ones are one.
fn candidates(findings: &Diagnostics, daring: FixLevel) -> Vec<Candidate> {
    let mut chosen: Vec<Candidate> = Vec::new();
    let mut taken: BTreeMap<(FileId, u32), (u32, usize)> = BTreeMap::new();
    for finding in findings.findings() {
        let may = |fix: &&crate::diag::Fix| fix.safety == Safety::Safe || daring == FixLevel::Unsafe;
        let Some(fix) = finding.fixes.iter().find(may) else { continue };
        let meets = fix.edits.iter().find_map(|edit| meeting(&taken, edit));
        match meets.and_then(|other| chosen.get_mut(other)) {
            Some(other) if other.edits == fix.edits => other.cures.push(key(finding)),
            Some(_) => {}
            None => {
                for edit in &fix.edits {
                    taken.insert((edit.span.file, edit.span.start), (edit.span.end, chosen.len()));
                }
                let (title, edits) = (titled(&fix.title, finding), fix.edits.clone());
                chosen.push(Candidate { title, edits, cures: vec![key(finding)] });
            }
        }
    }
    chosen
}

/// The chosen fix that an edit overlaps or touches.
fn meeting(taken: &BTreeMap<(FileId, u32), (u32, usize)>, edit: &Edit) -> Option<usize> {
    let ((file, _), (end, chosen)) = taken.range(..=(edit.span.file, edit.span.end)).next_back()?;
    (*file == edit.span.file && *end >= edit.span.start).then_some(*chosen)
}

fn titled(title: &str, finding: &Diagnostic) -> String {
    match &finding.subject {
        Some(Subject { kind, name }) => format!("{title} in {kind} {}", words::quoted(name)),
        None => title.to_owned(),
    }
}

fn key(finding: &Diagnostic) -> Key {
    (finding.code.number, finding.subject.clone().ok_or(finding.primary.span.file))
}

fn by_file(kept: &[Candidate]) -> BTreeMap<FileId, Vec<Replaced>> {
    let mut files: BTreeMap<FileId, Vec<Replaced>> = BTreeMap::new();
    for edit in kept.iter().flat_map(|one| &one.edits) {
        let replaced = Replaced { old: edit.span.range(), text: edit.text.clone() };
        files.entry(edit.span.file).or_default().push(replaced);
    }
    for edits in files.values_mut() {
        edits.sort_by_key(|edit| edit.old.start);
    }
    files
}

/// One round: which of the candidates can be kept together.
struct Round<'r> {
    base: &'r Analysed,
    analyse: &'r dyn Fn(&Loaded) -> Diagnostics,
    trials: usize,
    kept: Vec<Candidate>,
    /// The texts with what is kept, and what is found in them.
    outcome: Option<Analysed>,
    left_out: Vec<String>,
}

impl Round<'_> {
    /// Keeps those of the candidates that do no harm: all at once, or by halves.
    fn sift(&mut self, mut candidates: Vec<Candidate>) {
        if candidates.is_empty() {
            return;
        }
        if self.trials == 0 {
            self.left_out.extend(candidates.into_iter().map(|one| one.title));
            return;
        }
        self.trials -= 1;
        let before = self.kept.len();
        self.kept.append(&mut candidates);
        let outcome = self.attempt();
        if self.is_better(&outcome.findings) {
            self.outcome = Some(outcome);
            return;
        }
        let mut first = self.kept.split_off(before);
        if first.len() == 1 {
            self.left_out.extend(first.into_iter().map(|one| one.title));
            return;
        }
        let second = first.split_off(first.len() / 2);
        self.sift(first);
        self.sift(second);
    }

    fn attempt(&self) -> Analysed {
        let mut changed = BTreeMap::new();
        for (file, edits) in by_file(&self.kept) {
            let old = self.base.loaded.map.get(file).map_or("", |source| source.text());
            let mut changes = Changes::default();
            changes.add(&edits, old.len());
            changed.insert(file, changes.text(old));
        }
        let loaded = self.base.loaded.rewritten(changed);
        let findings = (self.analyse)(&loaded);
        Analysed { loaded, findings }
    }

    /// Whether what is kept has cured what it should, and nothing came of it. What an item that could not be read has hidden may
    /// come to light, unless it was read by a guess at a name.
    fn is_better(&self, after: &Diagnostics) -> bool {
        let mut allowed: BTreeMap<Key, usize> = BTreeMap::new();
        for finding in self.base.findings.findings() {
            *allowed.entry(key(finding)).or_default() += 1;
        }
        let mut guessed = BTreeSet::new();
        for cured in self.kept.iter().flat_map(|one| &one.cures) {
            if let Some(count) = allowed.get_mut(cured) {
                *count = count.saturating_sub(1);
            }
            if cured.0 == UNKNOWN_NAME.number {
                guessed.insert(&cured.1);
            }
        }
        let cured: BTreeSet<&Key> = self.kept.iter().flat_map(|one| &one.cures).collect();
        let places = places(&self.kept);
        after.findings().iter().all(|finding| {
            let key = key(finding);
            match allowed.get_mut(&key) {
                Some(count) if *count > 0 => {
                    *count -= 1;
                    true
                }
                Some(_) | None => {
                    let is_text = finding.code.number < FIRST_OF_SHAPE;
                    !is_text && !cured.contains(&key) && !guessed.contains(&key.1) && !is_at(finding, &places)
                }
            }
        })
    }
}

/// Where the edits are after they were made, in order.
fn places(kept: &[Candidate]) -> Vec<Span> {
    let mut places = Vec::new();
    for (file, edits) in by_file(kept) {
        let (mut from, mut at) = (0, 0);
        for Replaced { old, text } in edits {
            at += old.start - from;
            places.push(Span::new(file, at, at + text.len()));
            at += text.len();
            from = old.end;
        }
    }
    places
}

/// Whether a finding points at one of the places, or at a text in which one is.
fn is_at(finding: &Diagnostic, places: &[Span]) -> bool {
    let labels = std::iter::once(&finding.primary).chain(&finding.secondary);
    labels.map(|label| label.span).any(|span| {
        let first = places.partition_point(|place| (place.file, place.end) <= (span.file, span.start));
        places.get(first).is_some_and(|place| place.file == span.file && place.start < span.end)
    })
}
