//! `orchgen lock`: reads the headers of all models and records their facts in `registry.lock`, or compares the two.

mod drift;
mod jobs;
mod machine;
mod read;

use self::machine::Machine;
use self::read::ReadResult;
use super::args::{CommonArgs, OutputArgs};
use super::baseline::BaselineFile;
use super::{RunStatus, baseline, session};
use crate::check::NotCheckedPolicy;
use crate::compile::{LoweredRegistry, analyze, lower_to_lock};
use crate::diag::{BaselineScope, Diagnostics, words};
use crate::emit;
use crate::facts::Lock;
use crate::source::{LOCK, load};
use clap::Args as Arguments;

#[derive(Arguments, Debug)]
pub(in crate::cli) struct LockArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// Compare the model files with the lock; write nothing. Exit with 1 if they differ
    #[arg(long = "check", help_heading = None::<&str>)]
    compare: bool,
    /// Host of the registry that this machine is. Files of other hosts are not required, and their facts are kept. The default
    /// is the only host, or the one with the name or an address of this machine
    #[arg(long, value_name = "NAME", help_heading = None::<&str>)]
    host: Option<String>,
}

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
    if old.is_damaged && !command.compare && registry.hosts.len() > 1 {
        // The facts of other hosts would be lost.
        findings.absorb(damage);
        return Ok(session::report_findings(&mut findings, &loaded.map, common, output));
    }
    let machine = Machine::find(&registry, command.host.as_deref()).map_err(session::fail)?;
    let read = read::read_all(machine, &old, output, &mut findings);
    let lock = &read.lock;
    let path = common.registry.path().join(LOCK);
    let shown = path.to_string_lossy();
    let shown = shown.strip_prefix("./").unwrap_or(&shown);
    let mut written = Ok(());
    if command.compare {
        findings.absorb(damage);
        if !old.is_damaged {
            drift::report((&registry, &old, lock), || loaded.map.add(shown, ""), &mut findings);
        }
    } else if is_written(&old, lock) {
        written = emit::write_file(&path, lock.write().as_bytes());
    }
    if let Some(baseline) = &baseline {
        baseline.apply(&mut findings, &mut loaded.map, BaselineScope::All);
    }
    let later = if command.compare { None } else { findings_of_check(common, baseline.as_ref())? };
    // `no findings` would be read as the verdict of a check.
    let quiet = output.quiet || ((command.compare || later.is_some()) && findings.is_empty());
    let is_up_to_date = command.compare && findings.is_empty();
    let reports = OutputArgs { quiet, ..output };
    let status = session::report_findings(&mut findings, &loaded.map, common, reports);
    if let Err(error) = written {
        session::print_stderr(&format!("error: {error}\n"));
        return Err(RunStatus::CannotRun);
    }
    if output.quiet || !common.reports.human_goes_to_stderr() {
        return Ok(status);
    }
    if is_up_to_date {
        session::print_stderr(&format!("{shown}: up to date{}\n", rest(machine, &read)));
    } else if !command.compare {
        let later = later.map(|later| later + "\n").unwrap_or_default();
        session::print_stderr(&format!("{shown}: {}\n{later}", summary(machine, &old, &read)));
    }
    Ok(status)
}

/// True if a lock must be written: it has facts, or replaces an old one.
fn is_written(old: &Lock, lock: &Lock) -> bool {
    let has_facts = !(lock.models.is_empty() && lock.projectors.is_empty() && lock.adapters.is_empty());
    has_facts || old.place.is_some()
}

/// The number of findings that `orchgen check` reports with the new lock. `None` if there are none.
fn findings_of_check(
    common: &CommonArgs,
    baseline: Option<&BaselineFile>,
) -> Result<Option<String>, RunStatus> {
    let mut findings = Diagnostics::with(common.severity.levels()?);
    let Ok(mut loaded) = load(common.registry.path()) else { return Ok(None) };
    // The verdict is in the findings.
    let _ = analyze(&loaded, NotCheckedPolicy::Count, &mut findings);
    if let Some(baseline) = baseline {
        baseline.apply(&mut findings, &mut loaded.map, BaselineScope::All);
    }
    let counts = findings.summary();
    let all = [(counts.errors, "error"), (counts.warnings, "warning"), (counts.notes, "note")];
    let found: Vec<String> =
        all.iter().filter(|(n, _)| *n > 0).map(|(n, what)| words::count(*n, what)).collect();
    let operand = common.registry.operand();
    Ok((!found.is_empty()).then(|| {
        format!("with these facts the registry has {}: run `orchgen check{operand}`", words::all_of(&found))
    }))
}

/// For example `6 models and 1 projector locked, 2 changed`.
fn summary(machine: Machine<'_>, old: &Lock, read: &ReadResult) -> String {
    let lock = &read.lock;
    let mut counts = vec![words::count(lock.models.len(), "model")];
    if !lock.projectors.is_empty() {
        counts.push(words::count(lock.projectors.len(), "projector"));
    }
    if !lock.adapters.is_empty() {
        counts.push(words::count(lock.adapters.len(), "adapter"));
    }
    let locked = format!("{} locked", words::all_of(&counts));
    let changed = |new: &std::collections::BTreeMap<_, _>, old: &std::collections::BTreeMap<_, _>| {
        new.iter().filter(|(name, locked)| old.get(*name) != Some(*locked)).count()
    };
    let changed = changed(&lock.models, &old.models)
        + changed(&lock.projectors, &old.projectors)
        + changed(&lock.adapters, &old.adapters);
    let rest = rest(machine, read);
    match changed {
        _ if !is_written(old, lock) => format!("not written, because no file was read{rest}"),
        _ if old.place.is_none() => format!("{locked}{rest}"),
        0 => format!("{locked}, none changed{rest}"),
        _ => format!("{locked}, {changed} changed{rest}"),
    }
}

/// The part of the summary about files that were not read, for example `, 3 kept (files of other hosts)`.
fn rest(machine: Machine<'_>, read: &ReadResult) -> String {
    let registry = machine.registry;
    let of = if machine.host.is_some() { "files of other hosts" } else { "no file here" };
    let kept = if read.kept > 0 { format!(", {} kept ({of})", read.kept) } else { String::new() };
    let has_facts = |name: &str| read.lock.models.contains_key(name);
    let without_facts = registry.models.iter().filter(|model| !has_facts(&model.head.name)).count();
    let others = read.others.iter().map(|host| words::quoted(&registry.hosts.get(*host).head.name));
    let run = format!("run `orchgen lock` on {}", words::all_of(&others.collect::<Vec<_>>()));
    match (without_facts, read.others.is_empty()) {
        (0, true) => kept,
        (0, false) => format!("{kept}, some files have no facts: {run}"),
        (_, true) => format!("{kept}, {without_facts} without facts"),
        (_, false) => format!("{kept}, {without_facts} without facts: {run}"),
    }
}
