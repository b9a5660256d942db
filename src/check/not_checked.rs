//! Checks that could not run, reported as errors under `--locked`.

use crate::diag::{Code, Diagnostics, words};
use crate::hir::Registry;
use crate::source::Span;
use std::collections::BTreeMap;

declare_code! {
    /// ## What it finds
    /// With `--locked`: a check that could not run because a fact is unknown. Missing facts for
    /// memory sums do not count, because missing headers are already reported per model.
    ///
    /// ## Why
    /// Without `--locked` such checks are only counted, and `--verbose` lists them. In CI and before a release, use
    /// `--locked` to make sure that all checks ran.
    ///
    /// ## Instead
    /// Run `orchgen lock` on the machine with the models, and commit `registry.lock`. If a profile lacks a list of its
    /// build, create it again with `orchgen engine probe`.
    pub(super) static NOT_CHECKED = 399, "not-checked", Error;
}

const LOCK: &str = "run `orchgen lock` where the model files are, or run without `--locked` to accept this";
const ACCEPT: &str = "run without `--locked` to accept this";

/// Reports all checks that could not run, except those with the exempt codes, at the item that they are about.
pub(super) fn report(registry: &Registry, exempt: &[&Code], findings: &mut Diagnostics) {
    let places: BTreeMap<(&str, &str), Span> =
        registry.heads().map(|head| ((head.kind, &*head.name.value), head.name.span)).collect();
    let not_checked = findings.not_checked().to_vec();
    for one in not_checked.into_iter().filter(|one| !exempt.iter().any(|code| code.name == one.check)) {
        let (kind, name) = (one.subject.kind, words::quoted(&one.subject.name));
        let place = places.get(&(kind, &*one.subject.name)).copied().unwrap_or(registry.stack.head.name.span);
        let message = format!("check `{}` could not run for {kind} {name}", one.check);
        // The reason may already name the command that provides the fact.
        let help = if one.why.contains("`orchgen ") { ACCEPT } else { LOCK };
        let finding = NOT_CHECKED.at(place, "not verified", message).note(one.why);
        findings.report(finding.about((kind, one.subject.name)).help(help));
    }
}
