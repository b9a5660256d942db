//! Applies fixes in rounds. A fix is kept only if its findings disappear and no others appear.

use crate::diag::{Diagnostic, Diagnostics, Edit, Safety, Subject, words};
use crate::hir::codes::UNKNOWN_NAME;
use crate::source::{FileId, Loaded, SourceFile, Span};
use std::collections::{BTreeMap, BTreeSet};

/// The maximum number of rounds. A fix may reveal further findings with fixes, which the next round applies.
const MAX_ROUNDS: usize = 10;
/// The maximum number of analyses to find the fixes that cause other findings.
const MAX_ANALYSES: usize = 64;
/// Codes below this number are syntax errors.
const FIRST_SHAPE_CODE: u16 = 200;

/// A registry with its findings.
pub struct Analyzed {
    /// The texts.
    pub loaded: Loaded,
    /// The findings.
    pub findings: Diagnostics,
}

/// A registry before and after its fixes.
pub struct Fixed {
    /// The original registry.
    pub before: Analyzed,
    /// The fixed registry, if anything changed.
    pub after: Option<Analyzed>,
    /// The number of fixed findings.
    pub fixed_count: usize,
    /// The titles of skipped fixes, which would cause other findings.
    pub skipped: Vec<String>,
}

impl Fixed {
    /// The registry with all fixes.
    pub fn latest(&self) -> &Analyzed {
        self.after.as_ref().unwrap_or(&self.before)
    }

    /// The original files that changed, with their fixed texts.
    pub fn changed_files(&self) -> Vec<(&SourceFile, &str)> {
        let latest = &self.latest().loaded.map;
        let both = self.before.loaded.map.files().filter_map(|(id, old)| Some((old, latest.get(id)?.text())));
        both.filter(|(old, new)| old.text() != *new).collect()
    }
}

/// The fixes to apply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FixLevel {
    /// Safe fixes.
    Safe,
    /// All fixes.
    Unsafe,
}

/// Identifies a finding across changes of the text: the code, and the item or else the file.
type FindingKey = (u16, Result<Subject, FileId>);

/// A fix to try, and the findings that it fixes.
struct Candidate {
    title: String,
    edits: Vec<Edit>,
    fixes: Vec<FindingKey>,
}

/// Applies the fixes of all findings, then those of findings that were hidden before. `analyze` returns the findings of
/// a registry.
pub fn fix(loaded: Loaded, level: FixLevel, analyze: &dyn Fn(&Loaded) -> Diagnostics) -> Fixed {
    let findings = analyze(&loaded);
    let before = Analyzed { loaded, findings };
    let mut fixed = Fixed { before, after: None, fixed_count: 0, skipped: Vec::new() };
    let mut analyses_left = MAX_ANALYSES;
    for _ in 0..MAX_ROUNDS {
        let base = fixed.latest();
        let candidates = candidates(&base.findings, level);
        if candidates.is_empty() {
            break;
        }
        let mut round =
            Round { base, analyze, analyses_left, kept: Vec::new(), outcome: None, skipped: Vec::new() };
        round.bisect(candidates);
        let Round { kept, outcome, skipped, analyses_left: left, .. } = round;
        analyses_left = left;
        fixed.skipped = skipped;
        let Some(after) = outcome else { break };
        fixed.fixed_count += kept.iter().map(|one| one.fixes.len()).sum::<usize>();
        fixed.after = Some(after);
    }
    fixed
}

/// The first allowed fix of each finding. A fix that overlaps or touches an earlier one is left for the next round.
/// Equal fixes are merged.
fn candidates(findings: &Diagnostics, level: FixLevel) -> Vec<Candidate> {
    let mut chosen: Vec<Candidate> = Vec::new();
    let mut edited: BTreeMap<(FileId, u32), (u32, usize)> = BTreeMap::new();
    for finding in findings.findings() {
        let most = if level == FixLevel::Unsafe { Safety::Unsafe } else { Safety::Safe };
        let is_allowed = |fix: &&crate::diag::Fix| fix.safety <= most;
        let Some(fix) = finding.fixes.iter().find(is_allowed) else { continue };
        let overlap = fix.edits.iter().find_map(|edit| overlapping(&edited, edit));
        match overlap.and_then(|other| chosen.get_mut(other)) {
            Some(other) if other.edits == fix.edits => other.fixes.push(finding_key(finding)),
            Some(_) => {}
            None => {
                for edit in &fix.edits {
                    edited.insert((edit.span.file, edit.span.start), (edit.span.end, chosen.len()));
                }
                let (title, edits) = (title_with_item(&fix.title, finding), fix.edits.clone());
                chosen.push(Candidate { title, edits, fixes: vec![finding_key(finding)] });
            }
        }
    }
    chosen
}

/// The chosen fix that an edit overlaps or touches.
fn overlapping(edited: &BTreeMap<(FileId, u32), (u32, usize)>, edit: &Edit) -> Option<usize> {
    let ((file, _), (end, chosen)) = edited.range(..=(edit.span.file, edit.span.end)).next_back()?;
    (*file == edit.span.file && *end >= edit.span.start).then_some(*chosen)
}

fn title_with_item(title: &str, finding: &Diagnostic) -> String {
    match &finding.subject {
        Some(Subject { kind, name }) => format!("{title} in {kind} {}", words::quoted(name)),
        None => title.to_owned(),
    }
}

fn finding_key(finding: &Diagnostic) -> FindingKey {
    (finding.code.number, finding.subject.clone().ok_or(finding.primary.span.file))
}

/// The edits of each file, in text order. They do not overlap.
fn by_file(kept: &[Candidate]) -> BTreeMap<FileId, Vec<&Edit>> {
    let mut files: BTreeMap<FileId, Vec<&Edit>> = BTreeMap::new();
    for edit in kept.iter().flat_map(|one| &one.edits) {
        files.entry(edit.span.file).or_default().push(edit);
    }
    for edits in files.values_mut() {
        edits.sort_by_key(|edit| edit.span);
    }
    files
}

/// The text after the edits.
fn edited(old: &str, edits: &[&Edit]) -> String {
    let (mut new, mut from) = (String::with_capacity(old.len()), 0);
    for Edit { span, text } in edits {
        new.extend([old.get(from..span.range().start).unwrap_or_default(), text]);
        from = span.range().end;
    }
    new + old.get(from..).unwrap_or_default()
}

/// One round: finds the candidates that can be applied together.
struct Round<'r> {
    base: &'r Analyzed,
    analyze: &'r dyn Fn(&Loaded) -> Diagnostics,
    analyses_left: usize,
    kept: Vec<Candidate>,
    /// The registry with the kept fixes.
    outcome: Option<Analyzed>,
    skipped: Vec<String>,
}

impl Round<'_> {
    /// Keeps the candidates that cause no other findings. Tries all at once, then each half.
    fn bisect(&mut self, mut candidates: Vec<Candidate>) {
        if candidates.is_empty() {
            return;
        }
        if self.analyses_left == 0 {
            self.skipped.extend(candidates.into_iter().map(|one| one.title));
            return;
        }
        self.analyses_left -= 1;
        let before = self.kept.len();
        self.kept.append(&mut candidates);
        let outcome = self.analyze_kept();
        if self.is_better(&outcome.findings) {
            self.outcome = Some(outcome);
            return;
        }
        let mut first = self.kept.split_off(before);
        if first.len() == 1 {
            self.skipped.extend(first.into_iter().map(|one| one.title));
            return;
        }
        let second = first.split_off(first.len() / 2);
        self.bisect(first);
        self.bisect(second);
    }

    fn analyze_kept(&self) -> Analyzed {
        let mut changed = BTreeMap::new();
        for (file, edits) in by_file(&self.kept) {
            let old = self.base.loaded.map.get(file).map_or("", |source| source.text());
            changed.insert(file, edited(old, &edits));
        }
        let loaded = self.base.loaded.with_texts(changed);
        let findings = (self.analyze)(&loaded);
        Analyzed { loaded, findings }
    }

    /// True if the kept fixes remove their findings and cause no others. New findings are allowed if the fix made an
    /// unread item readable, but not if it guessed a name in this item.
    fn is_better(&self, after: &Diagnostics) -> bool {
        let mut allowed: BTreeMap<FindingKey, usize> = BTreeMap::new();
        for finding in self.base.findings.findings() {
            *allowed.entry(finding_key(finding)).or_default() += 1;
        }
        let mut guessed = BTreeSet::new();
        for fixed in self.kept.iter().flat_map(|one| &one.fixes) {
            if let Some(count) = allowed.get_mut(fixed) {
                *count = count.saturating_sub(1);
            }
            if fixed.0 == UNKNOWN_NAME.number {
                guessed.insert(&fixed.1);
            }
        }
        let fixed: BTreeSet<&FindingKey> = self.kept.iter().flat_map(|one| &one.fixes).collect();
        let spans = edited_spans(&self.kept);
        after.findings().iter().all(|finding| {
            let key = finding_key(finding);
            match allowed.get_mut(&key) {
                Some(count) if *count > 0 => {
                    *count -= 1;
                    true
                }
                Some(_) | None => {
                    let is_syntax = finding.code.number < FIRST_SHAPE_CODE;
                    !is_syntax
                        && !fixed.contains(&key)
                        && !guessed.contains(&key.1)
                        && !points_into(finding, &spans)
                }
            }
        })
    }
}

/// The spans of the edits in the new text, in order.
fn edited_spans(kept: &[Candidate]) -> Vec<Span> {
    let mut spans = Vec::new();
    for (file, edits) in by_file(kept) {
        let (mut from, mut at) = (0, 0);
        for Edit { span, text } in edits {
            let old = span.range();
            at += old.start - from;
            spans.push(Span::new(file, at, at + text.len()));
            at += text.len();
            from = old.end;
        }
    }
    spans
}

/// True if a label of the finding overlaps one of the spans.
fn points_into(finding: &Diagnostic, spans: &[Span]) -> bool {
    let labels = std::iter::once(&finding.primary).chain(&finding.secondary);
    labels.map(|label| label.span).any(|span| {
        let first = spans.partition_point(|edit| (edit.file, edit.end) <= (span.file, span.start));
        spans.get(first).is_some_and(|edit| edit.file == span.file && edit.start < span.end)
    })
}
