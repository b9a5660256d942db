//! The pipeline as one short function.

use crate::check::{Checked, check};
use crate::diag::{Diagnostic, Diagnostics, Reported};
use crate::hir::lower::Items;
use crate::hir::{Registry, codes as shape};
use crate::source::{FileId, Flaw, Loaded, SourceFile, Span};
use crate::syntax::{codes, parse};
use rayon::prelude::*;

/// Text to a registry that is known to make sense; everything that is wrong on the way is said.
pub fn analyse(loaded: &Loaded, findings: &mut Diagnostics) -> Result<Checked, Reported> {
    let registry = lower(loaded, findings);
    let checked = check(registry, findings);
    findings.sort();
    checked
}

/// Text to all that was declared, before anything is checked; what cannot be read is said and left out.
pub fn lower(loaded: &Loaded, findings: &mut Diagnostics) -> Registry {
    say_flaws(loaded, findings);
    let mut torn: Vec<FileId> = findings.findings().iter().map(|finding| finding.primary.span.file).collect();
    let files: Vec<(FileId, &SourceFile)> = loaded.map.files().collect();
    let gathered: Vec<Gathered> = files.par_iter().map(|(file, source)| gather(*file, source)).collect();
    let mut items = Items::default();
    for one in gathered {
        torn.extend(one.torn);
        findings.absorb(one.findings);
        items.join(one.items, findings);
    }
    let registry = items.resolve(findings);
    if !torn.is_empty() {
        findings.drop_echoes(|finding| is_echo(finding, &torn));
    }
    registry
}

/// What one file declares.
struct Gathered {
    items: Items,
    findings: Diagnostics,
    /// The file, where not all of it could be read.
    torn: Option<FileId>,
}

/// A document lives no longer than its reading, so that a large registry is never held twice.
fn gather(file: FileId, source: &SourceFile) -> Gathered {
    let mut findings = Diagnostics::default();
    let document = parse(file, source, &mut findings);
    let torn = findings.has_errors().then_some(file);
    let mut items = Items::default();
    items.gather(&document, &mut findings);
    Gathered { items, findings, torn }
}

/// Whether a finding may only say that something was lost where a file could not be read: what is missing there, and names
/// that were perhaps declared there.
fn is_echo(finding: &Diagnostic, torn: &[FileId]) -> bool {
    let code = finding.code.name;
    let missing = [&shape::MISSING_FIELD, &shape::NOT_SERVED].iter().any(|echo| echo.name == code);
    let anywhere = [&shape::UNKNOWN_NAME, &shape::MISSING_ITEM].iter().any(|echo| echo.name == code);
    anywhere || (missing && torn.contains(&finding.primary.span.file))
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
