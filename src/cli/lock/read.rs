//! Reads the headers of all model files in parallel.

use super::super::args::OutputArgs;
use super::super::session;
use super::jobs::{FileRole, Need, ReadJob};
use super::machine::Machine;
use crate::diag::{Diagnostic, Diagnostics, words};
use crate::facts::lock::{MISSING_MODEL, UNREADABLE_MODEL};
use crate::facts::{
    Facts, Lock, LockEntry, ModelHeaders, ReadError, ShardError, TokenTexts, TypeOrigin, VocabularyDetail,
    VocabularyDifference, VocabularyFacts, are_compared, distinct_vocabularies, missing_file,
};
use crate::hir::{Host, Id, Registry};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The note about a file that was not read.
const NO_FACTS: &str = "the lock has no facts of this file; the facts of other files are not affected";

/// The lock after a run, and the facts that other hosts must give.
pub(super) struct ReadResult {
    pub(super) lock: Lock,
    /// The number of entries that are kept, because their files are not on this machine.
    pub(super) kept: usize,
    /// The hosts that have the files without facts which are not on this machine.
    pub(super) others: BTreeSet<Id<Host>>,
}

/// Reads all models and projectors and reports read errors. If a file is missing, the facts of the old lock are kept:
/// the file may be on another machine.
pub(super) fn read_all(
    machine: Machine<'_>,
    old: &Lock,
    output: OutputArgs,
    findings: &mut Diagnostics,
) -> ReadResult {
    let jobs = machine.jobs();
    let read = read_files(&jobs, output);
    let mut result = ReadResult { lock: Lock::default(), kept: 0, others: BTreeSet::new() };
    // A model file for each vocabulary, to read the token texts again.
    let mut path_of_texts: BTreeMap<Box<str>, &str> = BTreeMap::new();
    for (job, read) in jobs.iter().zip(read) {
        let lock = &mut result.lock;
        let (locked, known) = match job.part {
            FileRole::Model => (&mut lock.models, &old.models),
            FileRole::Projector => (&mut lock.projectors, &old.projectors),
            FileRole::Adapter => (&mut lock.adapters, &old.adapters),
            FileRole::Other => {
                findings.extend(read.err().map(|fault| finding((machine, job), &fault, None)));
                continue;
            }
        };
        let name = &job.key;
        match read {
            Ok(facts) => {
                let digest = facts.vocabulary.as_ref().and_then(|tokens| tokens.sha256_from_5.clone());
                path_of_texts.extend(digest.map(|digest| (digest, job.path.as_str())));
                locked.insert(name.clone(), facts.into());
            }
            Err(fault) => {
                let kept = known.get(name).filter(|known| known.facts.file == job.file);
                let kept = kept.filter(|_| fault.cause == ReadError::Missing);
                match (&job.need, kept) {
                    (Need::Elsewhere(_) | Need::Anywhere, Some(_)) => result.kept += 1,
                    (Need::Elsewhere(hosts), None) if fault.cause == ReadError::Missing => {
                        result.others.extend(hosts);
                    }
                    (Need::Here | Need::Elsewhere(_) | Need::Anywhere, _) => {
                        findings.report(finding((machine, job), &fault, kept));
                    }
                }
                locked.extend(kept.map(|kept| (name.clone(), LockEntry::from(kept.facts.clone()))));
            }
        }
    }
    result.lock.differences = vocabulary_differences(&result.lock, old, &path_of_texts);
    result
}

/// Reads the headers of files in parallel. Files without facts are only looked up.
fn read_files(jobs: &[ReadJob<'_>], output: OutputArgs) -> Vec<Result<Facts, ShardError>> {
    let (done, shows_progress) = (AtomicUsize::new(0), session::shows_progress(output));
    let read = |job: &ReadJob<'_>| {
        let path = Path::new(&job.path);
        let facts = match job.part {
            FileRole::Other => missing_file(path).map_or(Ok(Facts::default()), Err),
            FileRole::Model | FileRole::Projector | FileRole::Adapter => {
                ModelHeaders::read(path, VocabularyDetail::Texts)
                    .map(|parts| Facts::from_headers(&job.file, &parts))
            }
        };
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
    read
}

/// The files of all adapters.
pub(super) fn adapters(registry: &Registry) -> BTreeSet<&str> {
    registry
        .served()
        .flat_map(|(_, serving)| serving.adapters())
        .map(|adapter| &*adapter.file.value)
        .collect()
}

fn finding(
    (machine, job): (Machine<'_>, &ReadJob<'_>),
    ShardError { shard, cause: fault }: &ShardError,
    kept: Option<&LockEntry>,
) -> Diagnostic {
    let name = words::quoted(&job.owner.name);
    let what = match job.part {
        FileRole::Model => format!("the file of model {name}"),
        FileRole::Projector => format!("the projector of model {name}"),
        FileRole::Adapter => format!("an adapter of role {name}"),
        FileRole::Other => format!("a file of role {name}"),
    };
    let path = words::quoted(&job.path);
    let finding = match fault {
        ReadError::Missing => {
            let message = format!("{what} is missing: {path}");
            let finding = MISSING_MODEL.at(job.place, "no such file", message);
            let finding = match (kept, job.part) {
                (_, FileRole::Other) => finding,
                (Some(_), _) => {
                    finding.note("the locked facts are kept, because the file may be on another machine")
                }
                (None, _) => finding.note(NO_FACTS),
            };
            finding.help(machine.help())
        }
        ReadError::Disk(_)
        | ReadError::Damaged(_)
        | ReadError::ForeignType(..)
        | ReadError::LaterShard { .. } => {
            let label = shard.map_or_else(|| fault.to_string(), |shard| format!("shard {shard}, {fault}"));
            let message = format!("{what} cannot be read: {path}");
            let label = words::printable(&label);
            let finding = UNREADABLE_MODEL.at(job.place, label, message);
            finding.note(NO_FACTS).help(help(fault))
        }
    };
    finding.about(job.owner)
}

/// The help about a file that cannot be read.
fn help(fault: &ReadError) -> String {
    let help = match fault {
        ReadError::LaterShard { count, .. } => {
            return format!(
                "name the first shard, which ends in `-00001-of-{count:05}.gguf`; download it if it is missing"
            );
        }
        ReadError::ForeignType(_, TypeOrigin::IkLlamaCpp) => {
            "this file is made for another engine, ik_llama.cpp: use a file of the model for llama.cpp; if ik_llama.cpp \
             serves it, download the file again"
        }
        ReadError::ForeignType(_, TypeOrigin::Removed) => {
            "use a file of this model with the type `Q4_0` or another current type"
        }
        ReadError::ForeignType(_, TypeOrigin::Unknown) => {
            "use a file of this model with another type, such as `Q4_K_M`; if a newer build has this type, orchgen cannot \
             read its files yet"
        }
        ReadError::Damaged(_) => "download the file again, and compare its size and SHA-256 with the source",
        ReadError::Missing | ReadError::Disk(_) => {
            "make the file readable for the user who runs `orchgen lock`"
        }
    };
    help.to_owned()
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
