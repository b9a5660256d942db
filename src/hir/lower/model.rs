//! Reads models. A model that omits its store, size or trained context has those of the registry or of the lock.

use super::defaults::Defaults;
use super::items::Items;
use super::names::NamedItems;
use super::read::{Fields, FromFields, read_all};
use super::scope::Scope;
use super::serving::report_missing;
use super::typed_value::TypedValue;
use crate::diag::{Change, Diagnostics, Line, Literal};
use crate::hir::codes::{MISSING_FIELD, MISSING_ITEM};
use crate::hir::{Bytes, KnownFiles, MissingSize, Model, Text};
use crate::source::Spanned;

pub(super) fn read(
    items: &mut Items,
    known_files: &KnownFiles,
    (scope, defaults): (&Scope, &Defaults),
    findings: &mut Diagnostics,
) -> NamedItems<Model> {
    let mut is_store_reported = false;
    read_all("model", items, scope, findings, |fields| {
        imply_store(fields, defaults, &mut is_store_reported);
        imply_facts(fields, known_files);
        let has_store = fields.record.place("store").is_some();
        Model::from_fields(fields).filter(|model| model.store.is_some() == has_store)
    })
}

/// Adds the store of a model with a relative path: the default store, or the only one. Marks the model as incomplete if
/// it needs a store and none can be determined (already reported).
fn imply_store(fields: &mut Fields, defaults: &Defaults, is_reported: &mut bool) {
    if fields.record.place("store").is_some() {
        return;
    }
    if fields.record.is_reported("store") {
        return fields.record.mark_incomplete();
    }
    let projector = fields.record.blocks("projector").find_map(|block| block.peek_text("file"));
    let files = [fields.record.peek_text("file"), projector];
    let Some(file) = files.into_iter().flatten().find(|file| !file.starts_with('/')) else { return };
    let stores = &fields.scope.stores.names;
    let default = defaults.record.peek_text("store");
    let only = || stores.only().map(|only| Spanned::new(only.into(), file.span));
    if let Some(name) = default.or_else(|| only().filter(|_| !defaults.record.is_reported("store"))) {
        return fields.record.add("store", name.map(TypedValue::Text));
    }
    if !defaults.record.is_reported("store") {
        report_unknown_store(fields, &file, is_reported);
    }
    fields.record.mark_incomplete();
}

/// Reports a relative path without a store: for each model if several stores are declared, once if none is.
fn report_unknown_store(fields: &mut Fields, file: &Text, is_reported: &mut bool) {
    let (stores, owner) = (&fields.scope.stores.names, fields.owner());
    if !stores.is_empty() {
        let message = format!("{} has no `store`, but several stores are declared", owner.describe());
        let finding = MISSING_FIELD.at(file.span, "relative to an unknown store", message);
        let line = Line::new("store").value(Literal::NameOf("store"));
        let title = "add `{}`, or set `store` in `defaults` of the stack";
        owner.report(finding.remedy(title, Change::set(fields.head.span, line)), fields.findings);
    } else if stores.is_none_declared() && !std::mem::replace(is_reported, true) {
        let message = format!("no store is declared, but {} needs one", owner.describe());
        let finding = MISSING_ITEM.at(file.span, "a relative path", message);
        let help = "declare a store with the folder of the model files as its `path`, or write an absolute path here";
        owner.report(finding.help(help), fields.findings);
    }
}

/// Adds the size and the trained context of the file in the lock. Reports a missing size.
fn imply_facts(fields: &mut Fields, known_files: &KnownFiles) {
    let (owner, record) = (fields.owner(), &mut *fields.record);
    let facts = known_files.files.get(owner.name);
    let facts = facts.filter(|facts| record.peek_text("file").is_some_and(|file| file.value == facts.file));
    if let Some(context) = facts.and_then(|facts| facts.trained_context)
        && record.place("trained-context").is_none()
    {
        record.add("trained-context", context.map(TypedValue::Count));
    }
    if record.has_or_reported("size") {
        return;
    }
    let size = match known_files.missing_size {
        MissingSize::Allow => Some(Spanned::new(Bytes(0), owner.place)),
        MissingSize::Report | MissingSize::LeaveOut => facts.map(|facts| facts.size),
    };
    if let Some(size) = size {
        record.add("size", size.map(TypedValue::Size));
    } else if known_files.missing_size == MissingSize::Report {
        let what = "the size of its file; or run `orchgen lock` on the machine that has the file";
        report_missing((Line::of("size", "17.5 GB"), record), what, fields.head, fields.findings);
    }
}
