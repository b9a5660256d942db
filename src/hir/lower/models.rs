//! Families and models.

use super::datum::Datum;
use super::defaults::Defaults;
use super::items::{Item, Items};
use super::names::{By, Named};
use super::places::{Places, kind};
use super::record::Record;
use super::serving::say_missing;
use crate::diag::Diagnostics;
use crate::hir::codes::{MISSING_FIELD, MISSING_ITEM};
use crate::hir::family::{FORBID_WORDS, NEED_WORDS};
use crate::hir::{
    Advice, Bytes, ExpertAdvice, Experts, Family, Forbidden, Id, Known, Model, Override, Projector, Said,
    Setting, Store, Text, Unsaid,
};
use crate::source::Spanned;

pub(super) fn read(
    items: &mut Items,
    known: &Known,
    (places, defaults): (&Places, &Defaults),
    findings: &mut Diagnostics,
) -> (Named<Family>, Named<Model>) {
    let families = kind("family", items, family);
    let mut stores = Stores { places, defaults: &defaults.record, said: false };
    let mut models = Named::new("model", items.lost());
    for mut item in items.take("model") {
        let value = model(&mut item, (&families, known), &mut stores, findings);
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

fn forbidden(mut block: Record) -> Forbidden {
    Forbidden {
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
    (families, known): (&Named<Family>, &Known),
    stores: &mut Stores,
    findings: &mut Diagnostics,
) -> Option<Model> {
    let head = item.head();
    let record = &mut item.record;
    let by = By::of("model", &item.name);
    let family = record.text("family").and_then(|name| families.names.find(&name, &by, findings));
    let named = record.text("store");
    let projector = record.take::<Record>("projector").map(|block| block.map(projector));
    let projector =
        projector.and_then(|Spanned { value, span }| value.map(|value| Spanned::new(value, span)));
    let file = record.text("file");
    let relative = [file.as_ref(), projector.as_ref().map(|p| &p.file)]
        .into_iter()
        .flatten()
        .find(|f| !f.starts_with('/'));
    let store = match named {
        Some(name) => stores.places.stores.names.find(&name, &by, findings).map(Some).ok_or(()),
        None if record.is_spoken("store") => Err(()),
        None => stores.implied(relative, &by, findings),
    };
    let said = known
        .models
        .get(&*item.name.value)
        .filter(|said| file.as_ref().is_some_and(|file| file.value == said.file));
    let size = size(record, (said, known), &by, findings);
    if record.is_incomplete() {
        return None;
    }
    let trained_context = record.take("trained-context").or(said.and_then(|said| said.trained_context));
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

/// The size that is said, else the one that is known of the file; a size that nobody knows is said to be missing.
fn size(
    record: &mut Record,
    (said, known): (Option<&Said>, &Known),
    by: &By,
    findings: &mut Diagnostics,
) -> Option<Spanned<Bytes>> {
    if known.unsaid == Unsaid::Allow && !record.speaks_of("size") {
        return Some(Spanned::new(Bytes(0), by.place));
    }
    let size = record.take("size").or(said.filter(|_| !record.is_spoken("size")).map(|said| said.size));
    if size.is_none() && !record.is_spoken("size") && known.unsaid == Unsaid::Say {
        let what = "that of its file, as `17.5 GB`, or run `orchgen lock` where the file is";
        say_missing("size", what, by, findings);
    }
    size
}

fn projector(mut block: Record) -> Option<Projector> {
    Some(Projector { file: block.text("file")?, size: block.take("size") })
}

fn experts(mut block: Record) -> Experts {
    Experts { total: block.take("total"), default: block.take("default"), advice: advice(block) }
}

/// Finds the store of a model that names none: the default, or the only one.
struct Stores<'a> {
    places: &'a Places,
    defaults: &'a Record,
    said: bool,
}

impl Stores<'_> {
    /// None where the paths are absolute; an error where a store is needed and cannot be known, which was said.
    fn implied(
        &mut self,
        relative: Option<&Text>,
        by: &By,
        findings: &mut Diagnostics,
    ) -> Result<Option<Spanned<Id<Store>>>, ()> {
        let names = &self.places.stores.names;
        let Some(file) = relative else { return Ok(None) };
        if let Some(Spanned { value: Datum::Text(name), span }) = self.defaults.peek("store") {
            return names.look(name).flatten().map(|id| Some(Spanned::new(id, *span))).ok_or(());
        }
        if self.defaults.is_spoken("store") {
            return Err(());
        }
        match names.only() {
            Some(only) => only.map(|id| Some(Spanned::new(id, file.span))).ok_or(()),
            None => {
                self.say_unknown(file, by, findings);
                Err(())
            }
        }
    }

    fn say_unknown(&mut self, file: &Text, by: &By, findings: &mut Diagnostics) {
        if !self.places.stores.names.is_empty() {
            let message = format!("{} has no `store`, and there are several", by.words());
            let finding = MISSING_FIELD.at(file.span, "below which store?", message);
            return by
                .report(finding.help("add `store`, or name a default in `defaults` of the stack"), findings);
        }
        let is_none = self.places.stores.names.is_none_declared();
        if is_none && !std::mem::replace(&mut self.said, true) {
            let message = format!("no store is declared, and {} needs one", by.words());
            let finding = MISSING_ITEM.at(file.span, "this path is not absolute", message);
            let help =
                "declare one, as in `store \"models\" path=\"/srv/models\"`, or write the path in full";
            by.report(finding.help(help), findings);
        }
    }
}
