//! `orchgen lock`: reads the headers of all models and records their facts in `registry.lock`, or compares the two.

mod drift;
mod read;

use super::args::{LockArgs, OutputArgs};
use super::{RunStatus, baseline, session};
use crate::compile::{LoweredRegistry, lower_to_lock};
use crate::diag::{BaselineScope, Diagnostics, words};
use crate::emit;
use crate::facts::Lock;
use crate::hir::Registry;
use crate::source::LOCK;

pub(super) fn run(command: &LockArgs, output: OutputArgs) -> RunStatus {
    lock(command, output).unwrap_or_else(|status| status)
}

fn lock(command: &LockArgs, output: OutputArgs) -> Result<RunStatus, RunStatus> {
    let common = &command.common;
    let mut findings = Diagnostics::with(common.severity.levels()?);
    let baseline = baseline::read(common)?;
    let mut loaded = session::read(common)?;
    let (LoweredRegistry { registry, lock: old, .. }, damage) = lower_to_lock(&loaded, &mut findings);
    if findings.has_errors() {
        // The list of models may be incomplete.
        return Ok(session::report_findings(&mut findings, &loaded.map, common, output));
    }
    let lock = read::read_all(&registry, &old, output, &mut findings);
    let path = common.registry.path().join(LOCK);
    let shown = path.to_string_lossy();
    let shown = shown.strip_prefix("./").unwrap_or(&shown);
    let mut written = Ok(());
    if command.compare {
        findings.absorb(damage);
        if !old.is_damaged {
            drift::report((&registry, &old, &lock), || loaded.map.add(shown, ""), &mut findings);
        }
    } else {
        written = emit::write_file(&path, lock.write().as_bytes());
    }
    if let Some(baseline) = baseline {
        baseline.apply(&mut findings, &mut loaded.map, BaselineScope::All);
    }
    let status = session::report_findings(&mut findings, &loaded.map, common, output);
    if let Err(error) = written {
        session::print_stderr(&format!("error: {error}\n"));
        return Err(RunStatus::CannotRun);
    }
    if !command.compare && !output.quiet && common.reports.human_goes_to_stderr() {
        session::print_stderr(&format!("{shown}: {}\n", summary(&registry, &old, &lock)));
    }
    Ok(status)
}

/// For example `6 models and 1 projector locked, 2 changed`.
fn summary(registry: &Registry, old: &Lock, lock: &Lock) -> String {
    let mut counts = vec![words::count(lock.models.len(), "model")];
    if !lock.projectors.is_empty() {
        counts.push(words::count(lock.projectors.len(), "projector"));
    }
    let locked = format!("{} locked", words::all_of(&counts));
    let changed = |new: &std::collections::BTreeMap<_, _>, old: &std::collections::BTreeMap<_, _>| {
        new.iter().filter(|(name, locked)| old.get(*name) != Some(*locked)).count()
    };
    let changed = changed(&lock.models, &old.models) + changed(&lock.projectors, &old.projectors);
    let without_facts =
        registry.models.iter().filter(|model| !lock.models.contains_key(&*model.head.name.value)).count();
    let without_facts =
        if without_facts > 0 { format!(", {without_facts} without facts") } else { String::new() };
    match changed {
        _ if old.place.is_none() => format!("{locked}{without_facts}"),
        0 => format!("{locked}, none changed{without_facts}"),
        _ => format!("{locked}, {changed} changed{without_facts}"),
    }
}
