//! Reading the files of all models, several at a time.

use super::super::args::Output;
use super::super::session;
use crate::diag::{Diagnostic, Diagnostics, words};
use crate::facts::lock::{MISSING_MODEL, UNREADABLE_MODEL};
use crate::facts::{
    Difference, Facts, Fault, Keep, Lock, Locked, PartFault, Parts, TokenTexts, Tokens, are_compared,
    distinct,
};
use crate::hir::{Model, Registry, Text};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A file that is to be read.
struct Job<'r> {
    model: &'r Model,
    file: &'r Text,
    part: Part,
    path: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Model,
    Projector,
}

/// Reads every model and projector. One that cannot be read is said; of one that is not here, what an older lock says is kept:
/// it may lie on another machine.
pub(super) fn all(registry: &Registry, old: &Lock, output: Output, findings: &mut Diagnostics) -> Lock {
    let jobs = jobs(registry);
    let (done, watched) = (AtomicUsize::new(0), session::is_watched(output));
    let read = |job: &Job<'_>| {
        let facts =
            Parts::read(Path::new(&job.path), Keep::Texts).map(|parts| Facts::of(&job.file.value, &parts));
        let number = done.fetch_add(1, Ordering::Relaxed) + 1;
        if watched {
            session::report(&format!("\r{number} of {} headers read", jobs.len()));
        }
        facts
    };
    let read: Vec<Result<Facts, PartFault>> = jobs.par_iter().map(read).collect();
    if watched {
        session::report("\r\u{1b}[K");
    }
    let mut lock = Lock::default();
    // One path of each vocabulary, from which its texts can be read again.
    let mut texts_at: BTreeMap<Box<str>, &str> = BTreeMap::new();
    for (job, read) in jobs.iter().zip(read) {
        let (locked, known) = match job.part {
            Part::Model => (&mut lock.models, &old.models),
            Part::Projector => (&mut lock.projectors, &old.projectors),
        };
        let name = &job.model.head.name.value;
        match read {
            Ok(facts) => {
                let digest = facts.vocabulary.as_ref().and_then(|tokens| tokens.sha256_from_5.clone());
                texts_at.extend(digest.map(|digest| (digest, job.path.as_str())));
                locked.insert(name.clone(), facts.into());
            }
            Err(fault) => {
                let kept = known.get(name).filter(|known| known.facts.file == job.file.value);
                let kept = kept.filter(|_| fault.fault == Fault::Missing);
                findings.report(finding(job, &fault, kept));
                locked.extend(kept.map(|kept| (name.clone(), Locked::from(kept.facts.clone()))));
            }
        }
    }
    lock.differences = differences(&lock, old, &texts_at);
    lock
}

fn jobs(registry: &Registry) -> Vec<Job<'_>> {
    let mut jobs = Vec::new();
    for model in registry.models.iter() {
        let projector = model.projector.as_ref().map(|projector| (Part::Projector, &projector.file));
        for (part, file) in std::iter::once((Part::Model, &model.file)).chain(projector) {
            jobs.push(Job { model, file, part, path: registry.path_of(model, file) });
        }
    }
    jobs
}

fn finding(job: &Job<'_>, PartFault { shard, fault }: &PartFault, kept: Option<&Locked>) -> Diagnostic {
    let name = words::quoted(&job.model.head.name);
    let what = match job.part {
        Part::Model => format!("the file of model {name}"),
        Part::Projector => format!("the projector of model {name}"),
    };
    let path = words::quoted(&job.path);
    let finding = match fault {
        Fault::Missing => {
            let message = format!("{what} is not there: {path}");
            let finding = MISSING_MODEL.at(job.file.span, "no such file here", message);
            let finding = if kept.is_some() {
                finding.note("what the lock says of it is kept, as it may lie on another machine")
            } else {
                finding.note("the lock has no facts of it; all others are locked")
            };
            finding.help("put the file there, or correct the path, and run `orchgen lock` again")
        }
        Fault::Disk(_) | Fault::Damaged(_) => {
            let label = shard.map_or_else(|| fault.to_string(), |shard| format!("shard {shard}, {fault}"));
            let message = format!("{what} cannot be read: {path}");
            let label = words::printable(&label);
            let finding = UNREADABLE_MODEL.at(job.file.span, label, message);
            let help = match fault {
                Fault::Damaged(_) => "fetch the file again: compare its size and its SHA-256 with its source",
                Fault::Missing | Fault::Disk(_) => "let whoever runs `orchgen lock` read it",
            };
            finding.note("the lock has no facts of it; all others are locked").help(help)
        }
    };
    finding.about("model", &*job.model.head.name.value)
}

/// Where all vocabularies part that an engine would compare. What was not read now is taken from the older lock.
fn differences(lock: &Lock, old: &Lock, texts_at: &BTreeMap<Box<str>, &str>) -> Vec<Difference> {
    let vocabularies = distinct(lock.models.values().map(|locked| &locked.facts));
    let mut pairs = Vec::new();
    for (number, one) in vocabularies.iter().enumerate() {
        let later = vocabularies.iter().skip(number + 1);
        pairs.extend(later.filter(|other| are_compared(one, other)).map(|other| (*one, *other)));
    }
    let wanted: BTreeMap<&str, &str> = pairs
        .iter()
        .flat_map(|(one, other)| [one, other])
        .filter_map(|tokens| texts_at.get_key_value(tokens.sha256_from_5.as_deref()?))
        .map(|(digest, path)| (&**digest, *path))
        .collect();
    let texts: BTreeMap<&str, TokenTexts> = wanted
        .par_iter()
        .filter_map(|(digest, path)| {
            let parts = Parts::read(Path::new(path), Keep::Texts).ok()?;
            Some((*digest, parts.first.vocabulary?.texts?))
        })
        .collect();
    let of = |tokens: &Tokens| texts.get(tokens.sha256_from_5.as_deref()?);
    let mut all: Vec<Difference> = pairs
        .par_iter()
        .filter_map(|(one, other)| match (of(one), of(other)) {
            (Some(first), Some(second)) => Difference::find((one, first), (other, second)),
            _ => old.difference(one, other).cloned(),
        })
        .collect();
    all.sort();
    all
}
