//! The impact of a new engine build on a registry: new findings, and changed command lines.

use super::hunks::{WordHunk, diff_words};
use crate::check::{NotCheckedPolicy, check};
use crate::compile::lower_with_lock;
use crate::derive::Derived;
use crate::diag::{Diagnostic, Diagnostics, NotChecked, Severity, Subject};
use crate::engine::Profile;
use crate::engine::dialect::Lowered;
use crate::hir::Serving;
use crate::source::{Loaded, Span};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeSet;

/// The impact of a new build on a registry.
pub(super) struct UpgradeImpact {
    /// The findings that appear only with the new build.
    pub(super) findings: Diagnostics,
    /// The roles that break: the subjects of the new errors.
    pub(super) broken: BTreeSet<String>,
    /// The changed command lines: roles first, in the order of declaration.
    pub(super) changed: Vec<CommandChange>,
    /// The number of unchanged command lines.
    pub(super) unchanged: usize,
}

/// A changed command line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct CommandChange {
    /// `role` for a server, `model` for a one-shot command.
    pub(super) kind: &'static str,
    /// The name of the role or model.
    pub(super) name: String,
    /// The instance of the role, from 0.
    pub(super) instance: usize,
    /// The program and its arguments. `None` if the old build cannot express the settings.
    pub(super) old: Option<Vec<String>>,
    /// The same for the new build.
    pub(super) new: Option<Vec<String>>,
}

impl CommandChange {
    /// The differences. Empty if there is only one command line.
    pub(super) fn hunks(&self) -> Vec<WordHunk> {
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => diff_words(old, new),
            _ => Vec::new(),
        }
    }
}

/// The reason why the impact cannot be computed.
pub(super) enum UpgradeError {
    /// The registry already has errors with the old build.
    InvalidRegistry(Box<Diagnostics>),
    /// No engine uses the old profile. Contains the profiles in use.
    NoEngine(BTreeSet<String>),
}

/// Computes the impact if all engines with the profile `from` change to `to`.
pub(super) fn upgrade_impact(
    loaded: &Loaded,
    from: &str,
    to: &Profile,
) -> Result<UpgradeImpact, UpgradeError> {
    let mut before = Diagnostics::default();
    let (registry, lock) = lower_with_lock(loaded, &mut before);
    let profiles: BTreeSet<String> =
        registry.engines.iter().map(|engine| engine.profile.to_string()).collect();
    let derived = Derived::new(registry, &loaded.profiles, lock);
    let Ok(old) = check(derived, NotCheckedPolicy::Count, &mut before) else {
        return Err(UpgradeError::InvalidRegistry(Box::new(before)));
    };
    if !profiles.contains(from) {
        return Err(UpgradeError::NoEngine(profiles));
    }
    let mut after = Diagnostics::default();
    let (registry, lock) = lower_with_lock(loaded, &mut after);
    let new = Derived::new(registry, &loaded.profiles, lock).with_profile(from, to);
    let (changed, unchanged) = compare_commands(old.derived(), &new);
    // The verdict is in the findings.
    let _ = check(new, NotCheckedPolicy::Count, &mut after);
    let findings = only_new(&before, &after);
    let errors = findings.findings().iter().filter(|finding| finding.severity == Severity::Error);
    let subjects = errors.filter_map(|finding| finding.subject.as_ref());
    let broken =
        subjects.filter(|subject| subject.kind == "role").map(|subject| subject.name.clone()).collect();
    Ok(UpgradeImpact { findings, broken, changed, unchanged })
}

/// The findings and not-checked entries of `after` that `before` does not have at the same place.
fn only_new(before: &Diagnostics, after: &Diagnostics) -> Diagnostics {
    type FindingPlace<'d> = (u16, Span, Severity);
    let key = |finding: &Diagnostic| -> FindingPlace<'_> {
        (finding.code.number, finding.primary.span, finding.severity)
    };
    let known: BTreeSet<FindingPlace<'_>> = before.findings().iter().map(key).collect();
    let not_checked_key = |one: &NotChecked| -> (&'static str, Subject) { (one.check, one.subject.clone()) };
    let known_not_checked: BTreeSet<(&'static str, Subject)> =
        before.not_checked().iter().map(not_checked_key).collect();
    let mut new = Diagnostics::default();
    for finding in after.findings().iter().filter(|finding| !known.contains(&key(finding))) {
        new.report(finding.clone());
    }
    for one in after.not_checked().iter().filter(|one| !known_not_checked.contains(&not_checked_key(one))) {
        new.record_not_checked(one.clone());
    }
    new.sort();
    new
}

/// The changed command lines, and the number of unchanged ones.
fn compare_commands(old: &Derived, new: &Derived) -> (Vec<CommandChange>, usize) {
    let registry = old.registry();
    let served: Vec<(&str, &Serving)> =
        registry.roles.iter().filter_map(|role| Some((&*role.head.name.value, role.serving()?))).collect();
    let servers = served.par_iter().flat_map_iter(|(name, serving)| {
        (0..serving.ports.len()).map(|instance| CommandChange {
            kind: "role",
            name: (*name).to_owned(),
            instance,
            old: command_line(old.lower_server(serving, instance)),
            new: command_line(new.lower_server(serving, instance)),
        })
    });
    let mut all: Vec<CommandChange> = servers.collect();
    let mut seen = BTreeSet::new();
    let prompted: Vec<&Serving> = served
        .iter()
        .map(|(_, serving)| *serving)
        .filter(|serving| serving.pooling.is_none() && seen.insert(serving.model.value))
        .collect();
    let prompts = prompted.par_iter().map(|serving| CommandChange {
        kind: "model",
        name: registry.models.get(serving.model.value).head.name.to_string(),
        instance: 0,
        old: command_line(old.lower_prompt(serving.model.value, serving)),
        new: command_line(new.lower_prompt(serving.model.value, serving)),
    });
    all.extend(prompts.collect::<Vec<_>>());
    let count = all.len();
    all.retain(|change| change.old != change.new);
    let unchanged = count - all.len();
    (all, unchanged)
}

/// The program and its arguments. `None` if the build cannot express all settings.
fn command_line(lowered: Option<Lowered>) -> Option<Vec<String>> {
    let lowered = lowered.filter(|lowered| lowered.errors.is_empty() && !lowered.args.is_empty())?;
    Some(std::iter::once(lowered.tool).chain(lowered.texts()).map(str::to_owned).collect())
}
