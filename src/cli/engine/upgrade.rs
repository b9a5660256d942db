//! What becomes of a registry under another build: which findings come, and what every command line becomes.

use super::hunks::{Hunk, hunks};
use crate::check::{Demand, Ground, check};
use crate::compile::lower_with_lock;
use crate::diag::{Diagnostic, Diagnostics, NotChecked, Severity, Subject};
use crate::engine::Profile;
use crate::engine::dialect::Lowered;
use crate::hir::Serving;
use crate::source::{Loaded, Span};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeSet;

/// What stands for what a person asks of a one-shot command.
const WORDS: (&str, &str) = ("PROMPT", "IMAGE");

/// What a change of builds does to a registry.
pub(super) struct Upgrade {
    /// What was found only under the build that comes.
    pub(super) findings: Diagnostics,
    /// The roles that break: those that the findings of severity error speak of.
    pub(super) broken: BTreeSet<String>,
    /// The command lines that change, roles first, in the order of declaration.
    pub(super) changed: Vec<Line>,
    /// How many do not.
    pub(super) unchanged: usize,
}

/// A command line that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    /// `role` for a server, `model` for a one-shot command.
    pub(super) kind: &'static str,
    /// The name of the role or model.
    pub(super) name: String,
    /// Which of a role's processes, from 0.
    pub(super) instance: usize,
    /// The program and its arguments; none where the build cannot say it.
    pub(super) old: Option<Vec<String>>,
    /// The same under the build that comes.
    pub(super) new: Option<Vec<String>>,
}

impl Line {
    /// Where the two differ; nothing where there is but one.
    pub(super) fn hunks(&self) -> Vec<Hunk> {
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => hunks(old, new),
            _ => Vec::new(),
        }
    }
}

/// Why nothing can be said.
pub(super) enum Cannot {
    /// The registry is wrong as it is.
    Wrong(Box<Diagnostics>),
    /// No engine has the old profile; these are those that they have.
    NoEngine(BTreeSet<String>),
}

/// Puts every engine that has the profile `from` under `to`.
pub(super) fn upgrade(loaded: &Loaded, from: &str, to: &Profile) -> Result<Upgrade, Cannot> {
    let mut before = Diagnostics::default();
    let (registry, lock) = lower_with_lock(loaded, &mut before);
    let named: BTreeSet<String> = registry.engines.iter().map(|engine| engine.profile.to_string()).collect();
    let ground = Ground::new(registry, &loaded.profiles, lock);
    let Ok(old) = check(ground, Demand::AsFarAsKnown, &mut before) else {
        return Err(Cannot::Wrong(Box::new(before)));
    };
    if !named.contains(from) {
        return Err(Cannot::NoEngine(named));
    }
    let mut after = Diagnostics::default();
    let (registry, lock) = lower_with_lock(loaded, &mut after);
    let new = Ground::new(registry, &loaded.profiles, lock).under(from, to);
    let (changed, unchanged) = compare(old.ground(), &new);
    // The verdict is in the findings.
    let _ = check(new, Demand::AsFarAsKnown, &mut after);
    let findings = only_new(&before, &after);
    let errors = findings.findings().iter().filter(|finding| finding.severity == Severity::Error);
    let about = errors.filter_map(|finding| finding.subject.as_ref());
    let broken = about.filter(|subject| subject.kind == "role").map(|subject| subject.name.clone()).collect();
    Ok(Upgrade { findings, broken, changed, unchanged })
}

/// What was said after and not before, at the same place.
fn only_new(before: &Diagnostics, after: &Diagnostics) -> Diagnostics {
    type Key<'d> = (u16, Span, Severity);
    let key =
        |finding: &Diagnostic| -> Key<'_> { (finding.code.number, finding.primary.span, finding.severity) };
    let known: BTreeSet<Key<'_>> = before.findings().iter().map(key).collect();
    let left = |left: &NotChecked| -> (&'static str, Subject) { (left.check, left.subject.clone()) };
    let known_left: BTreeSet<(&'static str, Subject)> = before.not_checked().iter().map(left).collect();
    let mut new = Diagnostics::default();
    for finding in after.findings().iter().filter(|finding| !known.contains(&key(finding))) {
        new.report(finding.clone());
    }
    for one in after.not_checked().iter().filter(|one| !known_left.contains(&left(one))) {
        new.record_not_checked(one.clone());
    }
    new.sort();
    new
}

/// The command lines that change, and how many do not.
fn compare(old: &Ground, new: &Ground) -> (Vec<Line>, usize) {
    let registry = old.registry();
    let served: Vec<(&str, &Serving)> =
        registry.roles.iter().filter_map(|role| Some((&*role.head.name.value, role.serving()?))).collect();
    let servers = served.par_iter().flat_map_iter(|(name, serving)| {
        (0..serving.ports.len()).map(|instance| Line {
            kind: "role",
            name: (*name).to_owned(),
            instance,
            old: words(old.serve(serving, instance)),
            new: words(new.serve(serving, instance)),
        })
    });
    let mut all: Vec<Line> = servers.collect();
    let mut seen = BTreeSet::new();
    let asked: Vec<&Serving> = served
        .iter()
        .map(|(_, serving)| *serving)
        .filter(|serving| serving.pooling.is_none() && seen.insert(serving.model.value))
        .collect();
    let prompts = asked.par_iter().map(|serving| Line {
        kind: "model",
        name: registry.models.get(serving.model.value).head.name.to_string(),
        instance: 0,
        old: words(old.prompt(serving.model.value, serving, WORDS)),
        new: words(new.prompt(serving.model.value, serving, WORDS)),
    });
    all.extend(prompts.collect::<Vec<_>>());
    let count = all.len();
    all.retain(|change| change.old != change.new);
    let unchanged = count - all.len();
    (all, unchanged)
}

/// The program and its arguments, where the build can say all of it.
fn words(lowered: Option<Lowered>) -> Option<Vec<String>> {
    let lowered = lowered.filter(|lowered| lowered.cannot.is_empty() && !lowered.args.is_empty())?;
    let tool = std::iter::once(lowered.tool.to_owned());
    Some(tool.chain(lowered.args.into_iter().map(std::borrow::Cow::into_owned)).collect())
}
