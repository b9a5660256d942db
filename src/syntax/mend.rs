//! Cures to changes of the text: each as the language of its file writes it.

use super::cut::{Cut, cuts};
use super::{Language, kdl, language, parse, yaml};
use crate::diag::{Change, Diagnostics, Edit, Fix, ProposedFix, Safety};
use crate::source::{FileId, SourceMap, Span};
use std::collections::BTreeMap;

/// The cuts of the fields of a name in a file, by the places of their values.
type Cuts = BTreeMap<(FileId, &'static str), BTreeMap<Span, Option<Cut>>>;

/// Makes fixes of all cures of the files that `may_change`.
pub fn mend(map: &SourceMap, may_change: impl Fn(FileId) -> bool, findings: &mut Diagnostics) {
    let mut known = Cuts::new();
    findings.resolve_fixes(|cure| {
        fix(cure, map, &mut known).filter(|fix| fix.edits.iter().all(|e| may_change(e.span.file)))
    });
}

fn fix(cure: &ProposedFix, map: &SourceMap, known: &mut Cuts) -> Option<Fix> {
    let (edit, safety) = match &cure.change {
        Change::Word { span, meant } => {
            let written = map.text(*span);
            let text = match language(map.get(span.file)?) {
                Language::Yaml => yaml::spell::spell(written, meant),
                Language::Kdl => kdl::spell::spell(written, meant),
            };
            (Edit { span: *span, text: text? }, cure.safety)
        }
        Change::Field { name, holding } => {
            let file = holding.file;
            let found = known.entry((file, name)).or_insert_with(|| all_cuts(file, name, map));
            let cut = found.get(holding).copied().flatten()?;
            let safety = if cut.loses_comments { Safety::Unsafe } else { cure.safety };
            (Edit { span: cut.span, text: String::new() }, safety)
        }
    };
    Some(Fix { title: cure.title.clone(), safety, edits: vec![edit] })
}

fn all_cuts(file: FileId, name: &str, map: &SourceMap) -> BTreeMap<Span, Option<Cut>> {
    let Some(source) = map.get(file) else { return BTreeMap::new() };
    // What is wrong with the text was said when it was read first.
    let document = parse(file, source, &mut Diagnostics::default());
    cuts(&document, source.text(), name)
}
