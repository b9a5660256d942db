//! `orchgen lock`: reads the headers of all models and writes what they say into `registry.lock`, or compares the two.

mod drift;
mod read;

use super::args::{LockModels, Output};
use super::{End, baseline, session};
use crate::compile::lower_to_lock;
use crate::diag::{Diagnostics, Reach, words};
use crate::emit;
use crate::facts::Lock;
use crate::hir::Registry;
use crate::source::LOCK;

pub(super) fn run(command: &LockModels, output: Output) -> End {
    lock(command, output).unwrap_or_else(|end| end)
}

fn lock(command: &LockModels, output: Output) -> Result<End, End> {
    let check = &command.check;
    let mut findings = Diagnostics::with(check.said.levels()?);
    let known = baseline::read(check)?;
    let mut loaded = session::read(check)?;
    let (registry, old, damage) = lower_to_lock(&loaded, &mut findings);
    if findings.has_errors() {
        // What a model is cannot be known while the registry does not say.
        return Ok(session::show(&mut findings, &loaded.map, check, output));
    }
    let lock = read::all(&registry, &old, output, &mut findings);
    let path = check.registry.join(LOCK);
    let shown = path.to_string_lossy();
    let mut written = Ok(());
    if command.compare {
        findings.absorb(damage);
        if !old.is_damaged {
            drift::report((&registry, &old, &lock), || loaded.map.add(&*shown, ""), &mut findings);
        }
    } else {
        written = emit::put(&path, lock.write().as_bytes());
    }
    if let Some(known) = known {
        known.apply(&mut findings, &mut loaded.map, Reach::All);
    }
    let end = session::show(&mut findings, &loaded.map, check, output);
    if let Err(error) = written {
        session::report(&format!("error: {error}\n"));
        return Err(End::CannotRun);
    }
    if !command.compare && !output.quiet && check.reports.speaks_to_people() {
        session::report(&format!("{shown}: {}\n", summary(&registry, &old, &lock)));
    }
    Ok(end)
}

/// `6 models and 1 projector locked, 2 of them changed`.
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
    let lost =
        registry.models.iter().filter(|model| !lock.models.contains_key(&*model.head.name.value)).count();
    let lost = if lost > 0 { format!(", {lost} without facts") } else { String::new() };
    match changed {
        _ if old.place.is_none() => format!("{locked}{lost}"),
        0 => format!("{locked}, none changed{lost}"),
        _ => format!("{locked}, {changed} changed{lost}"),
    }
}
