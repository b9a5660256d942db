//! The impact of a new engine build on a registry: new findings, and changed command lines.

use crate::check::{NotCheckedPolicy, check};
use crate::cli::text_diff::{WordHunk, diff_words};
use crate::compile::lower;
use crate::derive::{Derived, ServedRole};
use crate::diag::{Diagnostic, Diagnostics, NotChecked, Severity, Subject};
use crate::engine::dialect::Lowered;
use crate::engine::{Profile, Word};
use crate::source::{Loaded, Span};
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::Arc;

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
    let derived = lower(loaded, &mut before).derive(None, &mut before);
    let Ok(old) = check(derived, NotCheckedPolicy::Count, &mut before) else {
        return Err(UpgradeError::InvalidRegistry(Box::new(before)));
    };
    let profiles: BTreeSet<String> = old.engines().map(|(engine, _)| engine.profile.to_string()).collect();
    if !profiles.contains(from) {
        return Err(UpgradeError::NoEngine(profiles));
    }
    let mut after = Diagnostics::default();
    let new = lower(loaded, &mut after).derive(Some((from, to)), &mut after);
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
    let registry = &old.registry;
    let pairs = || old.roles.iter().zip(&new.roles);
    let servers = pairs().flat_map(|(old, new)| {
        let name = &registry.roles.get(old.id).head.name;
        let lines = |n| (server_line(old, n), server_line(new, n));
        (0..old.endpoint.ports.len()).map(move |n| ("role", name, n, lines(n)))
    });
    let prompts = pairs().filter_map(|(old, new)| {
        let name = &registry.models.get(old.serving.model.value).head.name;
        let lines = (prompt_line(one_shot(old)?), one_shot(new).and_then(prompt_line));
        Some(("model", name, 0, lines))
    });
    let (mut changed, mut unchanged) = (Vec::new(), 0);
    for (kind, name, instance, (old, new)) in servers.chain(prompts) {
        if old == new {
            unchanged += 1;
            continue;
        }
        let (old, new) = (old.map(texts), new.map(texts));
        changed.push(CommandChange { kind, name: name.to_string(), instance, old, new });
    }
    (changed, unchanged)
}

/// A program and its arguments.
type CommandLine = (&'static str, Arc<[Word]>);

/// The command line of an instance. `None` if the build cannot express all settings.
fn server_line(role: &ServedRole, instance: usize) -> Option<CommandLine> {
    let command = role.known_command()?;
    let server = command.server();
    server.is_complete().then(|| (server.tool, command.line(&role.endpoint, instance)))
}

fn one_shot(role: &ServedRole) -> Option<&Lowered> {
    role.known_command()?.one_shot.as_deref()
}

/// The one-shot command. `None` if the build cannot express all settings.
fn prompt_line(line: &Lowered) -> Option<CommandLine> {
    line.is_complete().then(|| (line.tool, line.args.clone()))
}

fn texts((tool, args): CommandLine) -> Vec<String> {
    std::iter::once(tool).chain(args.iter().map(Word::text)).map(str::to_owned).collect()
}
