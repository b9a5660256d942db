//! Turns proposed fixes into text edits, in the syntax of each file's language.

use super::quote::quote_like;
use super::removal::{Removal, removals};
use super::{language, parse};
use crate::diag::{Change, Diagnostics, Edit, Fix, ProposedFix, Safety};
use crate::source::{FileId, SourceMap, Span};
use std::collections::BTreeMap;

/// A cache: the removals of all fields of one name in one file, by the spans of their values.
type RemovalCache = BTreeMap<(FileId, &'static str), BTreeMap<Span, Option<Removal>>>;

/// Turns all proposed fixes into edits. Drops those that touch a file for which `may_change` is false.
pub fn resolve_fixes(map: &SourceMap, may_change: impl Fn(FileId) -> bool, findings: &mut Diagnostics) {
    let mut cache = RemovalCache::new();
    findings.resolve_fixes(|proposed| {
        resolve(proposed, map, &mut cache).filter(|fix| fix.edits.iter().all(|e| may_change(e.span.file)))
    });
}

fn resolve(proposed: &ProposedFix, map: &SourceMap, cache: &mut RemovalCache) -> Option<Fix> {
    let (edit, safety) = match &proposed.change {
        Change::Word { span, replacement } => {
            let text = quote_like(language(map.get(span.file)?), map.text(*span), replacement)?;
            (Edit { span: *span, text }, proposed.safety)
        }
        Change::Field { name, value_span } => {
            let file = value_span.file;
            let by_value = cache.entry((file, name)).or_insert_with(|| all_removals(file, name, map));
            let removal = by_value.get(value_span).copied().flatten()?;
            let safety = if removal.drops_comments { Safety::Unsafe } else { proposed.safety };
            (Edit { span: removal.span, text: String::new() }, safety)
        }
    };
    Some(Fix { title: proposed.title.clone(), safety, edits: vec![edit] })
}

fn all_removals(file: FileId, name: &str, map: &SourceMap) -> BTreeMap<Span, Option<Removal>> {
    let Some(source) = map.get(file) else { return BTreeMap::new() };
    // Discard the findings: the first parse has reported them.
    let document = parse(file, source, &mut Diagnostics::default());
    removals(&document, source.text(), name)
}
