//! The pipeline as one short function.

use crate::check::{Checked, check};
use crate::diag::{Diagnostics, Reported};
use crate::hir::lower::Items;
use crate::source::{FileId, Flaw, Loaded, SourceFile, Span};
use crate::syntax::{Document, codes, parse};
use rayon::prelude::*;

/// Text to a registry that is known to make sense; everything that is wrong on the way is said.
pub fn analyse(loaded: &Loaded, findings: &mut Diagnostics) -> Result<Checked, Reported> {
    say_flaws(loaded, findings);
    let mut items = Items::default();
    let files: Vec<_> = loaded.map.files().collect();
    for batch in files.chunks(AT_ONCE) {
        let read: Vec<_> = batch.par_iter().map(|(file, source)| document(*file, source)).collect();
        for (document, said) in read {
            findings.absorb(said);
            items.gather(&document, findings);
        }
    }
    let registry = items.resolve(findings);
    let checked = check(registry, findings);
    findings.sort();
    checked
}

/// How many files are read at a time. A document lives no longer than its batch, so that a large registry is never held twice.
const AT_ONCE: usize = 2;

fn document(file: FileId, source: &SourceFile) -> (Document<'_>, Diagnostics) {
    let mut said = Diagnostics::default();
    let document = parse(file, source, &mut said);
    (document, said)
}

fn say_flaws(loaded: &Loaded, findings: &mut Diagnostics) {
    for flaw in &loaded.flaws {
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
        findings.say(finding);
    }
}
