//! The first stage: parses the loaded files and lowers their items to a registry, and reads the lock.

use crate::diag::{Diagnostic, Diagnostics};
use crate::engine::{Meaning, meaning, option_arity, option_title};
use crate::facts::{Facts, Lock};
use crate::hir::lower::{EngineWord, EngineWords, Items, SyntaxDamage, wrong_language};
use crate::hir::{Bytes, KnownFile, KnownFiles, Registry};
use crate::source::{Encoding, FileId, Flaw, Loaded, SourceFile, SourceMap, Span, Spanned};
use crate::syntax::{codes, parse};
use rayon::prelude::*;

/// Parses the files and lowers their items. Uses `known` for properties that models omit.
pub(super) fn lower_with(loaded: &Loaded, known: &KnownFiles, findings: &mut Diagnostics) -> Registry {
    let (locks, files): (Vec<_>, Vec<_>) = loaded.map.files().partition(|(_, file)| file.is_lock());
    let is_lock = |flaw: &Flaw| locks.iter().any(|(file, _)| *file == flaw.file());
    let flaws: Vec<Flaw> = loaded.flaws.iter().copied().filter(|flaw| !is_lock(flaw)).collect();
    report_flaws(&loaded.map, &flaws, findings);
    if !flaws.is_empty() {
        findings.record_unread_file();
    }
    let gathered: Vec<Gathered> = files.par_iter().map(|(file, source)| gather(*file, source)).collect();
    let mut items = Items::default();
    for one in gathered {
        findings.absorb(one.findings);
        items.join(one.items, findings);
    }
    items.resolve(known, ENGINE, findings)
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
    report_flaws(&loaded.map, &flaws, findings);
    Lock::unreadable(file)
}

/// The facts in the lock that replace fields that models omit.
pub(super) fn known_files(lock: &Lock) -> KnownFiles {
    let files = lock.models.iter().filter_map(|(name, locked)| {
        let Facts { file, size, .. } = &locked.facts;
        let place = locked.place("size")?;
        let context = locked.facts.number("context_length");
        let context = context.zip(locked.place("parameters.context_length"));
        let text = |text: Option<&str>, key| Some(Spanned::new(text?.into(), locked.place(key)?));
        let facts = KnownFile {
            file: (&**file).into(),
            arch: text(locked.facts.architecture.as_deref(), "architecture"),
            quant: text(locked.facts.quant.as_deref(), "quant"),
            size: Spanned::new(Bytes(*size), place),
            trained_context: context.map(|(tokens, place)| Spanned::new(tokens, place)),
        };
        Some(((&**name).into(), facts))
    });
    files.collect()
}

/// The items of one file, with its findings.
struct Gathered {
    items: Items,
    findings: Diagnostics,
}

/// Gathers the items of one file and frees its document, so that a large registry is not in memory twice.
fn gather(file: FileId, source: &SourceFile) -> Gathered {
    let mut findings = Diagnostics::default();
    if let Some(finding) = wrong_language(file, source) {
        findings.report(finding);
        findings.record_unread_file();
        return Gathered { items: Items::default(), findings };
    }
    let document = parse(file, source, &mut findings);
    let errors: Vec<Span> = findings.findings().iter().map(|finding| finding.primary.span).collect();
    let mut items = Items::default();
    let damage = SyntaxDamage { name: source.name(), text: source.text(), errors: &errors };
    items.gather(&document, (damage, ENGINE), &mut findings);
    Gathered { items, findings }
}

/// The knowledge of engines that the reading of a registry needs.
const ENGINE: EngineWords = EngineWords { meaning: engine_word, title: option_title, arity: option_arity };

/// Where a role has a setting of the engine.
fn engine_word(word: &str) -> Option<EngineWord> {
    Some(match meaning(word)? {
        Meaning::Field(field, part) => EngineWord::Field(field, part),
        Meaning::Option(name) => EngineWord::Option(name),
        Meaning::OptionOff(name) => EngineWord::OptionOff(name),
        Meaning::OptionValue(name, value) => EngineWord::OptionValue(name, value),
        Meaning::Secret => EngineWord::Secret,
    })
}

/// The finding for a file that is not UTF-8, with the command that converts it.
fn not_utf8(span: Span, name: &str, encoding: Encoding) -> Diagnostic {
    let finding = |message: &str| codes::NOT_UTF8.at(span, "not UTF-8 from here on", message);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    match encoding {
        Encoding::Text(from) if name.chars().all(is_plain) => finding(&format!(
            "the file is not UTF-8; it looks like {from}"
        ))
        .help(format!(
            "save the file as UTF-8: run `iconv -f {from} -t UTF-8 {name} -o {name}.utf8`, then `mv {name}.utf8 {name}`"
        )),
        Encoding::Text(from) => {
            finding(&format!("the file is not UTF-8; it looks like {from}")).help("save the file as UTF-8")
        }
        Encoding::Gguf => finding("the file is a GGUF model, not a registry")
            .help("move it to the folder of a store, and declare it as a model with `file`"),
        Encoding::Binary => finding("the file is not text").help("move it out of the folder of the registry"),
    }
}

/// Reports files that are not text or too large.
pub(super) fn report_flaws(map: &SourceMap, flaws: &[Flaw], findings: &mut Diagnostics) {
    for flaw in flaws {
        let finding = match *flaw {
            Flaw::NotUtf8 { file, at, encoding } => {
                let span = Span::new(file, at, at + '\u{fffd}'.len_utf8());
                let name = map.get(file).map_or("", SourceFile::name);
                not_utf8(span, name, encoding)
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
