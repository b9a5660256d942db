//! Reads models. A model that omits its store, size or trained context has those of the registry or of the lock.

use super::defaults::Defaults;
use super::items::Items;
use super::names::NamedItems;
use super::read::{Fields, FromFields, read_all};
use super::scope::{Scope, imply_title};
use super::typed_value::TypedValue;
use crate::diag::{Change, Diagnostics, Line, Literal};
use crate::hir::codes::{CONFLICTING_FIELDS, MISSING_FIELD, MISSING_ITEM};
use crate::hir::{KnownFiles, Model, Text};
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
        report_second_architecture(fields);
        imply_title(fields);
        imply_facts(fields, known_files);
        let [has_store, has_family] = ["store", "family"].map(|field| fields.record.place(field).is_some());
        let is_whole =
            |model: &Model| model.store.is_some() == has_store && model.family.is_some() == has_family;
        let model = Model::from_fields(fields).filter(is_whole);
        if let Some(model) = &model {
            report_repeated_folder(fields, model);
        }
        model
    })
}

/// Reports a file that begins with the name of the repository: its folder has this name already.
fn report_repeated_folder(fields: &mut Fields, model: &Model) {
    let Some(repo) = &model.repo else { return };
    let projector = model.projector.as_ref().map(|projector| &projector.file);
    for file in [Some(&model.file), projector].into_iter().flatten() {
        let rest = file.strip_prefix(&**repo.name).and_then(|rest| rest.strip_prefix('/'));
        let Some(rest) = rest else { continue };
        let owner = fields.owner();
        let message = format!("`file` of {} begins with the name of its repository", owner.describe());
        let finding = CONFLICTING_FIELDS.at(file.span, "relative to the repository", message);
        let finding = finding.also(repo.name.span, "the files are in the folder of this name");
        let change = Change::Value { span: file.span, to: rest.into() };
        owner.report(finding.remedy("write `{}`", change), fields.findings);
    }
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
    if fields.record.has_or_reported("repo") && stores.is_none_declared() {
        // Its files are in the default folder.
        return;
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

/// Adds the facts of the file in the lock that the model omits.
fn imply_facts(fields: &mut Fields, known_files: &KnownFiles) {
    let (head, record) = (fields.head, &mut *fields.record);
    let Some(file) = record.peek_text("file") else { return };
    let Some(facts) = known_files.get(&head.name.value).filter(|facts| facts.file == file.value) else {
        return;
    };
    let has_family = record.has_or_reported("family");
    let values = [
        ("arch", facts.arch.clone().filter(|_| !has_family).map(|arch| arch.map(TypedValue::Text))),
        ("quant", facts.quant.clone().map(|quant| quant.map(TypedValue::Text))),
        ("size", Some(facts.size.map(TypedValue::Size))),
        ("trained-context", facts.trained_context.map(|context| context.map(TypedValue::Count))),
    ];
    for (field, value) in values {
        if let Some(value) = value.filter(|_| !record.has_or_reported(field)) {
            record.add(field, value);
        }
    }
}

/// Reports an architecture of a model with a family, which has one too.
fn report_second_architecture(fields: &mut Fields) {
    let (owner, record) = (fields.owner(), &*fields.record);
    if let (Some(arch), Some(family)) = (record.place("arch"), record.place("family")) {
        let message = format!("{} has both `family` and `arch`", owner.describe());
        let finding = CONFLICTING_FIELDS.at(arch, "the family has an architecture too", message);
        let finding = finding.also(family, "the family is here");
        let finding = finding.remedy("remove `{}`", Change::remove(arch));
        owner.report(finding.remedy("or remove `{}`", Change::remove(family)), fields.findings);
    }
}
