//! Formats the files of a registry.

use super::read::report_flaws;
use crate::diag::Diagnostics;
use crate::hir::lower::wrong_language;
use crate::source::{FileId, Loaded, SourceFile};
use crate::syntax::{Formatted, format};

/// The registry files, each with the result of formatting it. Reports files that are not text, and syntax errors.
pub fn format_files<'l>(loaded: &'l Loaded, findings: &mut Diagnostics) -> Vec<(&'l SourceFile, Formatted)> {
    let files = loaded.map.files().filter(|(_, source)| !source.is_lock());
    files.map(|(file, source)| (source, format_file(loaded, file, source, findings))).collect()
}

fn format_file(loaded: &Loaded, file: FileId, source: &SourceFile, findings: &mut Diagnostics) -> Formatted {
    let flaws: Vec<_> = loaded.flaws.iter().copied().filter(|flaw| flaw.file() == file).collect();
    if !flaws.is_empty() {
        report_flaws(&loaded.map, &flaws, findings);
        return Formatted::Invalid;
    }
    if let Some(finding) = wrong_language(file, source) {
        findings.report(finding);
        return Formatted::Invalid;
    }
    format(file, source, findings)
}
