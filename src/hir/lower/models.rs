//! Reads families and models.

use super::base::{BaseItems, read_kind};
use super::defaults::Defaults;
use super::items::{Item, Items};
use super::names::{ItemRef, NamedItems};
use super::record::Record;
use super::serving::report_missing;
use super::typed_value::TypedValue;
use crate::diag::Diagnostics;
use crate::hir::codes::{MISSING_FIELD, MISSING_ITEM};
use crate::hir::family::{FORBID_WORDS, NEED_WORDS};
use crate::hir::{
    Advice, Bytes, ExpertAdvice, Experts, Family, ForbidRule, Id, KnownFile, KnownFiles, MissingSize, Model,
    Override, Projector, Setting, Store, Text,
};
use crate::source::Spanned;

pub(super) fn read(
    items: &mut Items,
    known_files: &KnownFiles,
    (base, defaults): (&BaseItems, &Defaults),
    findings: &mut Diagnostics,
) -> (NamedItems<Family>, NamedItems<Model>) {
    let families = read_kind("family", items, family);
    let mut stores = StoreFinder { base, defaults: &defaults.record, is_reported: false };
    let mut models = NamedItems::new("model", items.words_outside_items());
    for mut item in items.take("model") {
        let value = model(&mut item, (&families, known_files), &mut stores, findings);
        models.add(&item.name, value);
    }
    (families, models)
}

fn family(item: &mut Item) -> Option<Family> {
    let head = item.head();
    let record = &mut item.record;
    let experts = record.take::<Record>("experts").map(|block| block.map(advice));
    let needs = record.take_all::<Record>("needs").into_iter();
    Some(Family {
        head,
        arch: record.text("arch")?,
        label: record.text("label"),
        tokenizer: record.text("tokenizer"),
        forbid: record.take_all::<Record>("forbid").into_iter().map(|block| forbidden(block.value)).collect(),
        experts,
        overrides: overrides(record),
        needs: needs.flat_map(|mut block| block.value.words("what", NEED_WORDS)).collect(),
    })
}

fn forbidden(mut block: Record) -> ForbidRule {
    ForbidRule {
        what: block.words("what", FORBID_WORDS),
        failure: block.text("failure"),
        why: block.text("why"),
    }
}

fn advice(mut block: Record) -> ExpertAdvice {
    let advised = block.take_all::<Record>("advise").into_iter();
    let advise = advised.filter_map(|mut advice| {
        Some(Advice { experts: advice.value.take("use")?, purpose: advice.value.text("for") })
    });
    let advise = advise.collect();
    let avoided = block.take_all::<Record>("avoid").into_iter();
    ExpertAdvice { advise, avoid: avoided.filter_map(|mut avoid| avoid.value.take("use")).collect() }
}

/// The metadata overrides of a family or a role.
pub(super) fn overrides(record: &mut Record) -> Vec<Override> {
    let blocks = record.take_all::<Record>("override").into_iter();
    let read = blocks.filter_map(|mut block| {
        let block = &mut block.value;
        Some(Override {
            key: block.text("key")?,
            value: block.take::<Setting>("value")?,
            why: block.text("why"),
        })
    });
    read.collect()
}

fn model(
    item: &mut Item,
    (families, known_files): (&NamedItems<Family>, &KnownFiles),
    stores: &mut StoreFinder,
    findings: &mut Diagnostics,
) -> Option<Model> {
    let head = item.head();
    let record = &mut item.record;
    let owner = ItemRef::new("model", &item.name);
    let family = record.text("family").and_then(|name| families.names.find(&name, &owner, findings));
    let store_name = record.text("store");
    let projector = record.take::<Record>("projector").map(|block| block.map(projector));
    let projector =
        projector.and_then(|Spanned { value, span }| value.map(|value| Spanned::new(value, span)));
    let file = record.text("file");
    let relative = [file.as_ref(), projector.as_ref().map(|p| &p.file)]
        .into_iter()
        .flatten()
        .find(|f| !f.starts_with('/'));
    let store = match store_name {
        Some(name) => stores.base.stores.names.find(&name, &owner, findings).map(Some).ok_or(()),
        None if record.is_reported("store") => Err(()),
        None => stores.implied(relative, &owner, findings),
    };
    let facts = known_files
        .files
        .get(&*item.name.value)
        .filter(|facts| file.as_ref().is_some_and(|file| file.value == facts.file));
    let size = size(record, (facts, known_files), &owner, findings);
    if record.is_incomplete() {
        return None;
    }
    let trained_context = record.take("trained-context").or(facts.and_then(|facts| facts.trained_context));
    Some(Model {
        head,
        family: family?,
        title: record.text("title")?,
        label: record.text("label"),
        quant: record.text("quant")?,
        size: size?,
        store: store.ok()?,
        file: file?,
        projector,
        experts: record.take::<Record>("experts").map(|block| block.map(experts)),
        trained_context,
        retired: record
            .take::<Record>("retired")
            .map(|block| block.map(|mut b| b.text("why").map(|why| why.value))),
    })
}

/// The declared size, else the size of the file in the lock. Reports the size as missing if neither is known.
fn size(
    record: &mut Record,
    (facts, known_files): (Option<&KnownFile>, &KnownFiles),
    owner: &ItemRef,
    findings: &mut Diagnostics,
) -> Option<Spanned<Bytes>> {
    if known_files.missing_size == MissingSize::Allow && !record.has_or_reported("size") {
        return Some(Spanned::new(Bytes(0), owner.place));
    }
    let size = record.take("size").or(facts.filter(|_| !record.is_reported("size")).map(|facts| facts.size));
    if size.is_none() && !record.is_reported("size") && known_files.missing_size == MissingSize::Report {
        let what =
            "the size of its file, such as `17.5 GB`; or run `orchgen lock` on the machine that has the file";
        report_missing("size", what, owner, findings);
    }
    size
}

fn projector(mut block: Record) -> Option<Projector> {
    Some(Projector { file: block.text("file")?, size: block.take("size") })
}

fn experts(mut block: Record) -> Experts {
    Experts { total: block.take("total"), default: block.take("default"), advice: advice(block) }
}

/// Finds the store of a model without `store`: the default store, or the only one.
struct StoreFinder<'a> {
    base: &'a BaseItems,
    defaults: &'a Record,
    is_reported: bool,
}

impl StoreFinder<'_> {
    /// `None` if all paths are absolute. An error if a store is needed and cannot be determined (already reported).
    fn implied(
        &mut self,
        relative: Option<&Text>,
        owner: &ItemRef,
        findings: &mut Diagnostics,
    ) -> Result<Option<Spanned<Id<Store>>>, ()> {
        let names = &self.base.stores.names;
        let Some(file) = relative else { return Ok(None) };
        if let Some(Spanned { value: TypedValue::Text(name), span }) = self.defaults.peek("store") {
            return names.resolve(name).flatten().map(|id| Some(Spanned::new(id, *span))).ok_or(());
        }
        if self.defaults.is_reported("store") {
            return Err(());
        }
        match names.only() {
            Some(only) => only.map(|id| Some(Spanned::new(id, file.span))).ok_or(()),
            None => {
                self.report_unknown_store(file, owner, findings);
                Err(())
            }
        }
    }

    fn report_unknown_store(&mut self, file: &Text, owner: &ItemRef, findings: &mut Diagnostics) {
        if !self.base.stores.names.is_empty() {
            let message = format!("{} has no `store`, but several stores are declared", owner.describe());
            let finding = MISSING_FIELD.at(file.span, "relative to an unknown store", message);
            return owner
                .report(finding.help("add `store`, or set `store` in `defaults` of the stack"), findings);
        }
        let is_none = self.base.stores.names.is_none_declared();
        if is_none && !std::mem::replace(&mut self.is_reported, true) {
            let message = format!("no store is declared, but {} needs one", owner.describe());
            let finding = MISSING_ITEM.at(file.span, "a relative path", message);
            let help = "declare one with a name and `path`, such as `/srv/models`, or write an absolute path";
            owner.report(finding.help(help), findings);
        }
    }
}
