//! The first stage: parses the loaded files and lowers their items to a registry, and reads the lock.

use crate::diag::Diagnostics;
use crate::facts::{Facts, Lock};
use crate::hir::lower::{Items, SyntaxDamage};
use crate::hir::{Bytes, KnownFile, KnownFiles, MissingSize, Registry};
use crate::source::{FileId, Flaw, Loaded, SourceFile, Span, Spanned};
use crate::syntax::{codes, parse};
use rayon::prelude::*;

/// Parses the files and lowers their items. Uses `known` for properties that models omit.
pub(super) fn lower_with(loaded: &Loaded, known: &KnownFiles, findings: &mut Diagnostics) -> Registry {
    let (locks, files): (Vec<_>, Vec<_>) = loaded.map.files().partition(|(_, file)| file.is_lock());
    let is_lock = |flaw: &Flaw| locks.iter().any(|(file, _)| *file == flaw.file());
    let flaws: Vec<Flaw> = loaded.flaws.iter().copied().filter(|flaw| !is_lock(flaw)).collect();
    report_flaws(&flaws, findings);
    if !flaws.is_empty() {
        findings.record_unread_file();
    }
    let gathered: Vec<Gathered> = files.par_iter().map(|(file, source)| gather(*file, source)).collect();
    let mut items = Items::default();
    for one in gathered {
        findings.absorb(one.findings);
        items.join(one.items, findings);
    }
    items.resolve(known, findings)
}

/// Reads the lock. Treats a lock that is not UTF-8 or too large as damaged.
pub(super) fn read_lock(loaded: &Loaded, findings: &mut Diagnostics) -> Lock {
    let Some((file, source)) = loaded.map.files().find(|(_, file)| file.is_lock()) else {
        return Lock::default();
    };
    let flaws: Vec<Flaw> = loaded.flaws.iter().copied().filter(|flaw| flaw.file() == file).collect();
    if flaws.is_empty() {
        return Lock::read(file, source.text(), findings);
    }
    report_flaws(&flaws, findings);
    Lock::unreadable(file)
}

/// The facts in the lock that replace fields that models omit.
pub(super) fn known_files(lock: &Lock) -> KnownFiles {
    let files = lock.models.iter().filter_map(|(name, locked)| {
        let Facts { file, size, .. } = &locked.facts;
        let place = locked.place("size")?;
        let context = locked.facts.number("context_length");
        let context = context.zip(locked.place("parameters.context_length"));
        let facts = KnownFile {
            file: file.clone(),
            size: Spanned::new(Bytes(*size), place),
            trained_context: context.map(|(tokens, place)| Spanned::new(tokens, place)),
        };
        Some((name.clone(), facts))
    });
    KnownFiles {
        files: files.collect(),
        missing_size: if lock.is_damaged { MissingSize::LeaveOut } else { MissingSize::Report },
    }
}

/// The items of one file, with its findings.
struct Gathered {
    items: Items,
    findings: Diagnostics,
}

/// Gathers the items of one file and frees its document, so that a large registry is not in memory twice.
fn gather(file: FileId, source: &SourceFile) -> Gathered {
    let mut findings = Diagnostics::default();
    let document = parse(file, source, &mut findings);
    let errors: Vec<Span> = findings.findings().iter().map(|finding| finding.primary.span).collect();
    let mut items = Items::default();
    items.gather(&document, SyntaxDamage { text: source.text(), errors: &errors }, &mut findings);
    Gathered { items, findings }
}

fn report_flaws(flaws: &[Flaw], findings: &mut Diagnostics) {
    for flaw in flaws {
        let finding = match *flaw {
            Flaw::NotUtf8 { file, at } => {
                let span = Span::new(file, at, at + '\u{fffd}'.len_utf8());
                codes::NOT_UTF8
                    .at(span, "not UTF-8 from here on", "the file is not UTF-8")
                    .help("save the file as UTF-8")
            }
            Flaw::TooLarge { file, bytes } => {
                let message = format!("the file has {bytes} bytes; the limit is 64 MiB");
                let span = Span::new(file, 0, 0);
                codes::FILE_TOO_LARGE
                    .at(span, "not read", message)
                    .help("split the file, or move it out of the registry folder")
            }
        };
        findings.report(finding);
    }
}
