//! Reads the headers of all model files in parallel.

use super::super::args::OutputArgs;
use super::super::session;
use crate::diag::{Diagnostic, Diagnostics, words};
use crate::facts::lock::{MISSING_MODEL, UNREADABLE_MODEL};
use crate::facts::{
    Facts, Lock, LockEntry, ModelHeaders, ReadError, ShardError, TokenTexts, VocabularyDetail,
    VocabularyDifference, VocabularyFacts, are_compared, distinct_vocabularies,
};
use crate::hir::{Model, Registry, Text};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The note about a file that was not read.
const NO_FACTS: &str = "the lock has no facts of this file; the facts of other files are not affected";

/// A file to read.
struct ReadJob<'r> {
    model: &'r Model,
    file: &'r Text,
    part: FileRole,
    path: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum FileRole {
    Model,
    Projector,
}

/// Reads all models and projectors and reports read errors. If a file is missing, the facts of the old lock are kept:
/// the file may be on another machine.
pub(super) fn read_all(
    registry: &Registry,
    old: &Lock,
    output: OutputArgs,
    findings: &mut Diagnostics,
) -> Lock {
    let jobs = jobs(registry);
    let (done, shows_progress) = (AtomicUsize::new(0), session::shows_progress(output));
    let read = |job: &ReadJob<'_>| {
        let facts = ModelHeaders::read(Path::new(&job.path), VocabularyDetail::Texts)
            .map(|parts| Facts::from_headers(&job.file.value, &parts));
        let number = done.fetch_add(1, Ordering::Relaxed) + 1;
        if shows_progress {
            session::print_stderr(&format!("\rread {number} of {} headers", jobs.len()));
        }
        facts
    };
    let read: Vec<Result<Facts, ShardError>> = jobs.par_iter().map(read).collect();
    if shows_progress {
        session::print_stderr("\r\u{1b}[K");
    }
    let mut lock = Lock::default();
    // A model file for each vocabulary, to read the token texts again.
    let mut path_of_texts: BTreeMap<Box<str>, &str> = BTreeMap::new();
    for (job, read) in jobs.iter().zip(read) {
        let (locked, known) = match job.part {
            FileRole::Model => (&mut lock.models, &old.models),
            FileRole::Projector => (&mut lock.projectors, &old.projectors),
        };
        let name = &job.model.head.name.value;
        match read {
            Ok(facts) => {
                let digest = facts.vocabulary.as_ref().and_then(|tokens| tokens.sha256_from_5.clone());
                path_of_texts.extend(digest.map(|digest| (digest, job.path.as_str())));
                locked.insert(name.clone(), facts.into());
            }
            Err(fault) => {
                let kept = known.get(name).filter(|known| known.facts.file == job.file.value);
                let kept = kept.filter(|_| fault.cause == ReadError::Missing);
                findings.report(finding(job, &fault, kept));
                locked.extend(kept.map(|kept| (name.clone(), LockEntry::from(kept.facts.clone()))));
            }
        }
    }
    lock.differences = vocabulary_differences(&lock, old, &path_of_texts);
    lock
}

fn jobs(registry: &Registry) -> Vec<ReadJob<'_>> {
    let mut jobs = Vec::new();
    for model in registry.models.iter() {
        let projector = model.projector.as_ref().map(|projector| (FileRole::Projector, &projector.file));
        for (part, file) in std::iter::once((FileRole::Model, &model.file)).chain(projector) {
            jobs.push(ReadJob { model, file, part, path: registry.path_of(model, file) });
        }
    }
    jobs
}

fn finding(
    job: &ReadJob<'_>,
    ShardError { shard, cause: fault }: &ShardError,
    kept: Option<&LockEntry>,
) -> Diagnostic {
    let name = words::quoted(&job.model.head.name);
    let what = match job.part {
        FileRole::Model => format!("the file of model {name}"),
        FileRole::Projector => format!("the projector of model {name}"),
    };
    let path = words::quoted(&job.path);
    let finding = match fault {
        ReadError::Missing => {
            let message = format!("{what} is missing: {path}");
            let finding = MISSING_MODEL.at(job.file.span, "no such file", message);
            let finding = if kept.is_some() {
                finding.note("the locked facts are kept, because the file may be on another machine")
            } else {
                finding.note(NO_FACTS)
            };
            finding.help("put the file at this path or correct the path, then run `orchgen lock` again")
        }
        ReadError::Disk(_) | ReadError::Damaged(_) => {
            let label = shard.map_or_else(|| fault.to_string(), |shard| format!("shard {shard}, {fault}"));
            let message = format!("{what} cannot be read: {path}");
            let label = words::printable(&label);
            let finding = UNREADABLE_MODEL.at(job.file.span, label, message);
            let help = match fault {
                ReadError::Damaged(_) => {
                    "download the file again, and compare its size and SHA-256 with the source"
                }
                ReadError::Missing | ReadError::Disk(_) => {
                    "make the file readable for the user who runs `orchgen lock`"
                }
            };
            finding.note(NO_FACTS).help(help)
        }
    };
    finding.about(&job.model.head)
}

/// The first difference of all pairs of vocabularies that an engine would compare. Uses the old lock for vocabularies
/// that were not read.
fn vocabulary_differences(
    lock: &Lock,
    old: &Lock,
    path_of_texts: &BTreeMap<Box<str>, &str>,
) -> Vec<VocabularyDifference> {
    let vocabularies = distinct_vocabularies(lock.models.values().map(|locked| &locked.facts));
    let mut pairs = Vec::new();
    for (number, one) in vocabularies.iter().enumerate() {
        let later = vocabularies.iter().skip(number + 1);
        pairs.extend(later.filter(|other| are_compared(one, other)).map(|other| (*one, *other)));
    }
    let wanted: BTreeMap<&str, &str> = pairs
        .iter()
        .flat_map(|(one, other)| [one, other])
        .filter_map(|tokens| path_of_texts.get_key_value(tokens.sha256_from_5.as_deref()?))
        .map(|(digest, path)| (&**digest, *path))
        .collect();
    let texts: BTreeMap<&str, TokenTexts> = wanted
        .par_iter()
        .filter_map(|(digest, path)| {
            let parts = ModelHeaders::read(Path::new(path), VocabularyDetail::Texts).ok()?;
            Some((*digest, parts.first.vocabulary?.texts?))
        })
        .collect();
    let of = |tokens: &VocabularyFacts| texts.get(tokens.sha256_from_5.as_deref()?);
    let mut all: Vec<VocabularyDifference> = pairs
        .par_iter()
        .filter_map(|(one, other)| match (of(one), of(other)) {
            (Some(first), Some(second)) => VocabularyDifference::compare((one, first), (other, second)),
            _ => old.difference(one, other).cloned(),
        })
        .collect();
    all.sort();
    all
}
