//! The pipeline as one short function.

use crate::check::{Checked, Demand, Ground, check};
use crate::diag::{Diagnostics, Reported};
use crate::facts::{Facts, Lock};
use crate::hir::lower::{Items, Torn};
use crate::hir::{Bytes, Known, Registry, Said, Unsaid, Unused, codes as shape};
use crate::source::{FileId, Flaw, Loaded, SourceFile, Span, Spanned};
use crate::syntax::{codes, mend, parse};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Text to a registry that is known to make sense; everything that is wrong on the way is said.
pub fn analyse(loaded: &Loaded, findings: &mut Diagnostics) -> Result<Checked, Reported> {
    analyse_to(Demand::AsFarAsKnown, loaded, findings)
}

/// The same, and whatever could not be checked is an error where everything has to be proved.
pub fn analyse_to(demand: Demand, loaded: &Loaded, findings: &mut Diagnostics) -> Result<Checked, Reported> {
    let (registry, lock) = lower_with_lock(loaded, findings);
    let checked = check(Ground::new(registry, &loaded.profiles, lock), demand, findings);
    let is_whole = |file| !loaded.flaws.iter().any(|flaw| flaw.file() == file);
    mend(&loaded.map, is_whole, findings);
    findings.sort();
    checked
}

/// Text to all that was declared, before anything is checked; what cannot be read is said and left out.
pub fn lower(loaded: &Loaded, findings: &mut Diagnostics) -> Registry {
    lower_with_lock(loaded, findings).0
}

/// The same, for a lock that is about to be written: models need not say their sizes, and what is wrong with the older lock is
/// told apart from what is wrong with the registry.
pub fn lower_to_lock(loaded: &Loaded, findings: &mut Diagnostics) -> (Registry, Lock, Diagnostics) {
    let mut damage = Diagnostics::default();
    let lock = lock(loaded, &mut damage);
    let known = Known { models: BTreeMap::new(), unsaid: Unsaid::Allow };
    (lower_knowing(loaded, &known, findings), lock, damage)
}

/// The same, with what the lock says of the model files.
pub fn lower_with_lock(loaded: &Loaded, findings: &mut Diagnostics) -> (Registry, Lock) {
    let lock = lock(loaded, findings);
    (lower_knowing(loaded, &known(&lock), findings), lock)
}

fn lower_knowing(loaded: &Loaded, known: &Known, findings: &mut Diagnostics) -> Registry {
    let (locks, files): (Vec<_>, Vec<_>) = loaded.map.files().partition(|(_, file)| file.is_lock());
    let is_lock = |flaw: &Flaw| locks.iter().any(|(file, _)| *file == flaw.file());
    let flaws: Vec<Flaw> = loaded.flaws.iter().copied().filter(|flaw| !is_lock(flaw)).collect();
    say_flaws(&flaws, findings);
    let gathered: Vec<Gathered> = files.par_iter().map(|(file, source)| gather(*file, source)).collect();
    let mut items = Items::default();
    for one in gathered {
        findings.absorb(one.findings);
        items.join(one.items, findings);
    }
    let mut registry = items.resolve(known, findings);
    if !flaws.is_empty() {
        // Nobody knows which names stand in a file that could not be read at all.
        let echoes = [shape::UNKNOWN_NAME.name, shape::MISSING_ITEM.name];
        findings.drop_echoes(|finding| echoes.contains(&finding.code.name));
        registry.unused = Unused::default();
    }
    registry
}

/// A lock that is no text at all was said, and is as good as a damaged one.
fn lock(loaded: &Loaded, findings: &mut Diagnostics) -> Lock {
    let Some((file, source)) = loaded.map.files().find(|(_, file)| file.is_lock()) else {
        return Lock::default();
    };
    let flaws: Vec<Flaw> = loaded.flaws.iter().copied().filter(|flaw| flaw.file() == file).collect();
    if flaws.is_empty() {
        return Lock::read(file, source.text(), findings);
    }
    say_flaws(&flaws, findings);
    Lock::unreadable(file)
}

/// What models need not say, because the lock says it.
fn known(lock: &Lock) -> Known {
    let said = lock.models.iter().filter_map(|(name, locked)| {
        let Facts { file, size, .. } = &locked.facts;
        let place = locked.place("size")?;
        let context = locked.facts.number("context_length");
        let context = context.zip(locked.place("parameters.context_length"));
        let said = Said {
            file: file.clone(),
            size: Spanned::new(Bytes(*size), place),
            trained_context: context.map(|(tokens, place)| Spanned::new(tokens, place)),
        };
        Some((name.clone(), said))
    });
    Known { models: said.collect(), unsaid: if lock.is_damaged { Unsaid::LeaveOut } else { Unsaid::Say } }
}

/// What one file declares.
struct Gathered {
    items: Items,
    findings: Diagnostics,
}

/// A document lives no longer than its reading, so that a large registry is never held twice.
fn gather(file: FileId, source: &SourceFile) -> Gathered {
    let mut findings = Diagnostics::default();
    let document = parse(file, source, &mut findings);
    let faults: Vec<Span> = findings.findings().iter().map(|finding| finding.primary.span).collect();
    let mut items = Items::default();
    items.gather(&document, Torn { text: source.text(), faults: &faults }, &mut findings);
    Gathered { items, findings }
}

fn say_flaws(flaws: &[Flaw], findings: &mut Diagnostics) {
    for flaw in flaws {
        let finding = match *flaw {
            Flaw::NotUtf8 { file, at } => {
                let span = Span::new(file, at, at + '\u{fffd}'.len_utf8());
                codes::NOT_UTF8.at(span, "from here on", "the file is not UTF-8").help("save it as UTF-8")
            }
            Flaw::TooLarge { file, bytes } => {
                let message = format!("the file has {bytes} bytes, and 64 MiB are read at the most");
                let span = Span::new(file, 0, 0);
                codes::FILE_TOO_LARGE
                    .at(span, "not read", message)
                    .help("split it, or move it out of the folder")
            }
        };
        findings.report(finding);
    }
}
