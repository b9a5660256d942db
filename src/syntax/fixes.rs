//! Turns proposed fixes into text edits, in the syntax of each file's language.

use super::insertion::{Insertion, Layout, code_only, file_of, replace_value};
use super::line::item;
use super::quote::quote_like;
use super::removal::{Removal, key_removal, list_removals, removal_at, removals, value_removal};
use super::{Document, Language, language, parse};
use crate::diag::{Change, Diagnostics, Edit, Fix, Line, ProposedFix, Safety};
use crate::source::{FileId, SourceFile, SourceMap, Span};
use std::collections::BTreeMap;

/// Turns all proposed fixes into edits, and those that are helps into texts. Drops the edits of files for which
/// `may_change` is false. The findings must be sorted, because only one document is in memory.
pub fn resolve_fixes(map: &SourceMap, may_change: impl Fn(FileId) -> bool, findings: &mut Diagnostics) {
    findings.mark_words(|span| map.text(span));
    let mut parsed = ParsedFile::default();
    findings.resolve_fixes(|proposed| {
        let resolved = parsed.resolve(proposed, map);
        let mut title = proposed.title.replace("{}", &resolved.code);
        if is_example_in_braces(&proposed.change, map) {
            title.push_str(", inside the outer braces of the file");
        }
        let edits = resolved.edits.filter(|edits| edits.iter().all(|edit| may_change(edit.span.file)));
        let fix = edits.map(|edits| Fix { title: title.clone(), safety: resolved.safety, edits });
        (title, fix)
    });
}

/// True for an item to add to a YAML file that is one block in braces, such as JSON.
fn is_example_in_braces(change: &Change, map: &SourceMap) -> bool {
    let Change::Example { file, .. } = change else { return false };
    let source = map.get(*file).filter(|source| language(source) == Language::Yaml);
    source.is_some_and(|source| source.text().trim_start().starts_with('{'))
}

/// The document of the latest file, and a cache of the removals of all fields of one name by the spans of their values.
#[derive(Default)]
struct ParsedFile<'m> {
    document: Option<(Document<'m>, &'m SourceFile)>,
    removals: BTreeMap<&'static str, BTreeMap<Span, Option<Removal>>>,
}

/// Finds the text to delete at a place, and the text to name in the help.
type FindRemoval = fn(Layout, Span) -> Option<(String, Option<Removal>)>;

/// The text of a change, its edits if there are any, and its safety.
struct Resolved {
    code: String,
    edits: Option<Vec<Edit>>,
    safety: Safety,
}

impl<'m> ParsedFile<'m> {
    fn resolve(&mut self, proposed: &ProposedFix, map: &'m SourceMap) -> Resolved {
        self.resolve_one(&proposed.change, proposed.safety, map)
    }

    fn resolve_all(&mut self, changes: &[Change], safety: Safety, map: &'m SourceMap) -> Resolved {
        let mut all = Resolved { code: String::new(), edits: Some(Vec::new()), safety };
        // Several items may get the same line.
        let mut last = String::new();
        let lists = self.list_removals(changes, map);
        for change in changes {
            let listed = removed_field(change).and_then(|(place, _)| lists.get(&place));
            let one = match listed {
                // The first member removes the others.
                Some(removal) => {
                    let one = removed(String::new(), *removal, all.safety);
                    Resolved { edits: one.edits.or_else(|| Some(Vec::new())), ..one }
                }
                None => self.resolve_one(change, all.safety, map),
            };
            if !matches!(change, Change::Remove { .. } | Change::RemoveValue { .. } | Change::Field { .. }) {
                if all.code.is_empty() {
                    all.code.clone_from(&one.code);
                } else if last != one.code {
                    all.code.extend(["` and `", &one.code]);
                }
                last = one.code;
            }
            all.safety = all.safety.max(one.safety);
            all.edits = all.edits.zip(one.edits).map(|(edits, more)| edits.into_iter().chain(more).collect());
        }
        let text = |span: Span| map.get(span.file).map_or("", SourceFile::text);
        all.edits = all.edits.map(joined).map(|edits| instead_of_deleted(edits, text));
        all.edits = all.edits.filter(|edits| are_separate(edits));
        all
    }

    /// The removals of whole lists in YAML: see [`list_removals`].
    fn list_removals(&mut self, changes: &[Change], map: &'m SourceMap) -> BTreeMap<Span, Option<Removal>> {
        let places: BTreeMap<Span, Option<&str>> = changes.iter().filter_map(removed_field).collect();
        let Some(first) = places.keys().next().filter(|_| places.len() > 1) else { return BTreeMap::new() };
        let layout = self.layout(first.file, map);
        let layout = layout.filter(|layout| layout.document.language == Language::Yaml);
        layout.map(|layout| list_removals(layout, &places)).unwrap_or_default()
    }

    fn resolve_one(&mut self, change: &Change, safety: Safety, map: &'m SourceMap) -> Resolved {
        let Some(file) = file_of(change) else {
            return Resolved { code: String::new(), edits: None, safety };
        };
        let found = |Insertion { code, edit }: Insertion| Resolved {
            code,
            edits: edit.map(|edit| vec![edit]),
            safety,
        };
        let language = map.get(file).map_or(Language::Kdl, language);
        match change {
            Change::Word { span, replacement } => {
                let text = quote_like(language, map.text(*span), replacement);
                found(Insertion {
                    code: replacement.clone(),
                    edit: text.map(|text| Edit { span: *span, text }),
                })
            }
            Change::Value { span, to } => found(replace_value(language, *span, to)),
            Change::Field { name, value_span } => {
                removed((*name).to_owned(), self.removal(name, *value_span, map), safety)
            }
            Change::Text { span, text } => {
                found(Insertion { code: text.clone(), edit: Some(Edit { span: *span, text: text.clone() }) })
            }
            Change::Remove { place } => self.remove(*place, removal_at, (safety, map)),
            Change::RemoveValue { place } => self.remove(*place, value_removal, (safety, map)),
            Change::Example { plural, line, .. } => {
                found(Insertion { code: item(language, plural, line), edit: None })
            }
            Change::All(changes) => self.resolve_all(changes, safety, map),
            Change::Set { item, path, line } => {
                found(self.write((file, map), line, |layout| layout.set(*item, path, line)))
            }
            Change::Append { item, line } => {
                found(self.write((file, map), line, |layout| layout.append(*item, line)))
            }
            Change::Instead { old, value_span, item, path, line } => {
                let written = self.layout(file, map);
                let written =
                    written.and_then(|layout| layout.instead((old, *value_span), (*item, path), line));
                written.map_or_else(
                    || {
                        let set = Change::Set { item: *item, path: path.clone(), line: line.clone() };
                        let all = vec![Change::field(old, *value_span), set];
                        self.resolve_all(&all, safety, map)
                    },
                    found,
                )
            }
            Change::Rewrite { place, line } => {
                found(self.write((file, map), line, |layout| layout.rewrite(*place, line)))
            }
            Change::Add { plural, line, .. } => {
                found(self.write((file, map), line, |layout| layout.add(plural, line)))
            }
        }
    }

    /// Writes a line into a file, or only shows it.
    fn write(
        &mut self,
        (file, map): (FileId, &'m SourceMap),
        line: &Line,
        edit: impl FnOnce(Layout<'_>) -> Insertion,
    ) -> Insertion {
        let language = map.get(file).map_or(Language::Kdl, language);
        self.layout(file, map).map_or_else(|| code_only(language, line), edit)
    }

    fn remove(&mut self, place: Span, find: FindRemoval, (safety, map): (Safety, &'m SourceMap)) -> Resolved {
        let removal = self.layout(place.file, map).and_then(|layout| find(layout, place));
        let (code, removal) = removal.unwrap_or_else(|| (map.text(place).to_owned(), None));
        removed(code, removal, safety)
    }

    fn removal(&mut self, name: &'static str, value: Span, map: &'m SourceMap) -> Option<Removal> {
        self.layout(value.file, map)?;
        let (document, source) = self.document.as_ref()?;
        let by_value = self.removals.entry(name).or_insert_with(|| removals(document, source.text(), name));
        match by_value.get(&value) {
            Some(removal) => *removal,
            // The value is the key of an entry in a map, such as `options`.
            None => key_removal(Layout { document, text: source.text() }, value),
        }
    }

    /// The document of a file. Replaces the document of another file.
    fn layout(&mut self, file: FileId, map: &'m SourceMap) -> Option<Layout<'_>> {
        if self.document.as_ref().is_none_or(|(document, _)| document.file != file) {
            let source = map.get(file)?;
            // Discard the findings: the first parse has reported them.
            self.document = Some((parse(file, source, &mut Diagnostics::default()), source));
            self.removals.clear();
        }
        let (document, source) = self.document.as_ref()?;
        Some(Layout { document, text: source.text() })
    }
}

fn removed(code: String, removal: Option<Removal>, safety: Safety) -> Resolved {
    let drops_comments = removal.is_some_and(|removal| removal.drops_comments);
    let safety = if drops_comments { safety.max(Safety::Unsafe) } else { safety };
    let edits = removal.map(|removal| vec![Edit { span: removal.span, text: String::new() }]);
    Resolved { code, edits, safety }
}

/// The edits in text order. Insertions at one place are one edit, and so are deletions that touch.
fn joined(mut edits: Vec<Edit>) -> Vec<Edit> {
    edits.sort_by_key(|edit| edit.span);
    let mut joined: Vec<Edit> = Vec::with_capacity(edits.len());
    for edit in edits {
        let is_insertion = edit.span.start == edit.span.end;
        let joins = |last: &&mut Edit| {
            let touches = last.span.file == edit.span.file && edit.span.start <= last.span.end;
            last.span == edit.span && is_insertion || touches && last.text.is_empty() && edit.text.is_empty()
        };
        match joined.last_mut().filter(joins) {
            Some(last) => {
                last.text += &edit.text;
                last.span = last.span.to(edit.span);
            }
            None => joined.push(edit),
        }
    }
    joined
}

/// Writes a new last child of KDL where the deleted last child is, so that one `;` separates it from the one before.
fn instead_of_deleted<'t>(edits: Vec<Edit>, text: impl Fn(Span) -> &'t str) -> Vec<Edit> {
    let mut all: Vec<Edit> = Vec::with_capacity(edits.len());
    for edit in edits {
        let is_in = |last: &&mut Edit| {
            let (deleted, place) = (last.span, edit.span);
            let is_inside = deleted.start < place.start && place.start <= deleted.end;
            deleted.file == place.file && is_inside && place.start == place.end && last.text.is_empty()
        };
        match (all.last_mut().filter(is_in), edit.text.strip_prefix("; ")) {
            (Some(last), Some(code)) => {
                let before = text(last.span).get(..last.span.range().start).unwrap_or_default();
                let start = match before.trim_end_matches([' ', '\t']) {
                    kept if !kept.ends_with([';', '{']) => "; ",
                    kept if kept == before => " ",
                    _ => "",
                };
                let end = if last.span.end > edit.span.end { " " } else { "" };
                last.text = format!("{start}{code}{end}");
            }
            _ => all.push(edit),
        }
    }
    all
}

/// The place of a field that a change removes, and its name if the place is that of a value.
fn removed_field(change: &Change) -> Option<(Span, Option<&'static str>)> {
    if let Change::Remove { place } = change {
        return Some((*place, None));
    }
    if let Change::Field { name, value_span } = change { Some((*value_span, Some(*name))) } else { None }
}

/// True if no edit overlaps another one.
fn are_separate(edits: &[Edit]) -> bool {
    let mut spans: Vec<Span> = edits.iter().map(|edit| edit.span).collect();
    spans.sort_unstable();
    spans.windows(2).all(|pair| matches!(pair, [one, next] if one.file != next.file || one.end <= next.start))
}
