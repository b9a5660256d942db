//! The pipeline as one short function.

use crate::check::{Checked, check};
use crate::diag::{Diagnostics, Reported};
use crate::hir::Registry;
use crate::hir::lower::{Items, Torn};
use crate::source::{Flaw, Loaded};
use crate::syntax::{codes, parse};

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
    let mut items = Items::default();
    for (file, source) in loaded.map.files() {
        // A document lives no longer than its reading: a large registry is never held twice.
        let before = findings.findings().len();
        let document = parse(file, source, findings);
        let said = findings.findings().iter().skip(before);
        let faults: Vec<_> = said.map(|finding| finding.primary.span).collect();
        items.gather(&document, Torn { text: source.text(), faults: &faults }, findings);
    }
    items.resolve(findings)
}

fn say_flaws(loaded: &Loaded, findings: &mut Diagnostics) {
    for flaw in &loaded.flaws {
        let finding = match *flaw {
            Flaw::NotUtf8 { file, at } => {
                let span = crate::source::Span::new(file, at, at + '\u{fffd}'.len_utf8());
                codes::NOT_UTF8.at(span, "from here on", "the file is not UTF-8").help("save it as UTF-8")
            }
            Flaw::TooLarge { file, bytes } => {
                let message = format!("the file has {bytes} bytes, and 64 MiB are read at the most");
                let span = crate::source::Span::new(file, 0, 0);
                codes::FILE_TOO_LARGE
                    .at(span, "not read", message)
                    .help("split it, or move it out of the folder")
            }
        };
        findings.say(finding);
    }
}
