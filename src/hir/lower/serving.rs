//! How a role is served: its own fields over the stack's defaults.

use super::defaults::Defaults;
use super::models::overrides;
use super::names::{By, Names};
use super::places::Places;
use super::record::Record;
use crate::diag::{Diagnostics, near, words};
use crate::hir::codes::{CONFLICTING_FIELDS, MISSING_FIELD, UNKNOWN_NAME};
use crate::hir::stack::HARDENING_WORDS;
use crate::hir::{
    CpuList, Cpus, Draft, EngineOption, Host, Id, Model, Placement, PortRange, Residency, Serving, Setting,
    Text,
};
use crate::source::Spanned;

/// What a role may refer to.
pub(super) struct Known<'a> {
    pub(super) places: &'a Places,
    pub(super) models: &'a Names<Model>,
    pub(super) defaults: &'a Defaults,
}

/// Reads the processes of a role that has a residency; none where something that they need cannot be read.
pub(super) fn read(
    record: &mut Record,
    residency: Spanned<Id<Residency>>,
    known: &Known,
    by: &By,
    findings: &mut Diagnostics,
) -> Option<Serving> {
    let host = host_of(record, &known.places.hosts.names, by, findings);
    let engine = match record.text("engine") {
        Some(name) => Some(known.places.engines.names.find(&name, by, findings)),
        None => Some(known.places.stack.engine),
    };
    let model = record.text("model").and_then(|name| known.models.find(&name, by, findings));
    let ports = ports(record, by, findings);
    let context = record.take::<u64>("context");
    if context.is_none() && !record.is_spoken("context") {
        say_missing("context", "tokens of one request, here or in `defaults` of the stack", by, findings);
    }
    let draft = record.take::<Record>("draft").and_then(|block| draft(block, known, by, findings));
    let placement = record.take::<Record>("placement").map(|block| block.value).unwrap_or_default();
    let placement =
        placed(placement, host.map(|host| known.places.hosts.arena.get(host.value)), by, findings);
    Some(Serving {
        residency,
        host: host?,
        engine: engine?,
        model: model?,
        ports: ports?,
        listen: record.take_all("listen"),
        key_file: record.text("key-file"),
        backend: record.take::<Record>("backend").and_then(|mut block| block.value.take("port")),
        context: context?,
        slots: record.take("slots").unwrap_or_else(|| Spanned::new(1, by.place)),
        batch: record.take("batch"),
        experts: record.take("experts"),
        draft,
        lookup: record
            .take::<Record>("lookup")
            .map(|b| b.map(|mut b| b.take::<u32>("ngram-min").map(|n| n.value))),
        overrides: overrides(record),
        pooling: word(record, "pooling"),
        placement,
        cache_type: word(record, "cache-type"),
        flash_attention: word(record, "flash-attention"),
        prompt_cache: record.take("prompt-cache"),
        options: options(record),
        env: record.take("env").map(|map| map.value).unwrap_or_default(),
        hardening: record.word("hardening", HARDENING_WORDS),
    })
}

fn word(record: &mut Record, field: &str) -> Option<Text> {
    record.take::<&'static str>(field).map(|word| word.map(Into::into))
}

/// The host that is named, else the only one.
pub(super) fn host_of(
    record: &mut Record,
    names: &Names<Host>,
    by: &By,
    findings: &mut Diagnostics,
) -> Option<Spanned<Id<Host>>> {
    if let Some(name) = record.text("host") {
        return names.find(&name, by, findings);
    }
    if let Some(only) = names.only() {
        return only.map(|id| Spanned::new(id, by.place));
    }
    if !names.is_empty() && !record.is_spoken("host") {
        say_missing("host", "there are several, and one of them has to be named", by, findings);
    }
    None
}

fn ports(record: &mut Record, by: &By, findings: &mut Diagnostics) -> Option<Spanned<PortRange>> {
    let one = record.take::<u16>("port");
    let range = record.take::<PortRange>("ports");
    match (one, range) {
        (Some(one), Some(range)) => {
            let message = format!("{} has both `port` and `ports`", by.words());
            let finding = CONFLICTING_FIELDS.at(range.span, "and here are ports", message);
            let help = "keep `port` for one process, `ports` for one each";
            by.report(finding.also(one.span, "here is a port").help(help), findings);
            Some(range)
        }
        (Some(one), None) => Some(one.map(PortRange::one)),
        (None, Some(range)) => Some(range),
        (None, None) => {
            if !record.is_spoken("port") && !record.is_spoken("ports") {
                let what = "a served role listens at `port`, or at `ports` for several processes";
                say_missing("port", what, by, findings);
            }
            None
        }
    }
}

pub(super) fn say_missing(field: &str, what: &str, by: &By, findings: &mut Diagnostics) {
    let message = format!("{} has no `{field}`", by.words());
    let finding = MISSING_FIELD.at(by.place, format!("`{field}` is missing"), message);
    by.report(finding.help(format!("add `{field}`: {what}")), findings);
}

fn draft(
    block: Spanned<Record>,
    known: &Known,
    by: &By,
    findings: &mut Diagnostics,
) -> Option<Spanned<Draft>> {
    let Spanned { value: mut block, span } = block;
    let model = known.models.find(&block.text("model")?, by, findings)?;
    let draft = Draft { model, max: block.take("max"), min: block.take("min"), p_min: block.take("p-min") };
    Some(Spanned::new(draft, span))
}

fn options(record: &mut Record) -> Vec<EngineOption> {
    let blocks = record.take_all::<Record>("option").into_iter();
    let read = blocks.filter_map(|mut block| {
        let block = &mut block.value;
        let (name, value) = (block.text("name")?, block.take::<Setting>("value"));
        // Of an option whose value could not be read nothing more is said.
        (value.is_some() || !block.is_spoken("value")).then_some(EngineOption { name, value })
    });
    read.collect()
}

fn placed(mut block: Record, host: Option<&Host>, by: &By, findings: &mut Diagnostics) -> Placement {
    let cpus = block.text("cpus").and_then(|said| cpus(&said, host?, by, findings));
    Placement { numa: block.take("numa"), cpus, threads: block.take("threads"), lock: block.take("lock") }
}

fn cpus(said: &Text, host: &Host, by: &By, findings: &mut Diagnostics) -> Option<Spanned<Cpus>> {
    let set = host.cpusets.iter().find(|set| set.name.value == said.value);
    let cpus = match set {
        Some(set) => Some(Cpus { list: set.cpus.value.clone(), set: Some(set.name.value.clone()) }),
        None => CpuList::read(said).map(|list| Cpus { list, set: None }),
    };
    if cpus.is_none() {
        let near = near(said, host.cpusets.iter().map(|set| &*set.name.value));
        let label = near.map_or_else(
            || "neither CPUs nor a cpuset".to_owned(),
            |near| format!("did you mean `{}`?", near.name),
        );
        let message = format!(
            "`cpus` of {} is {}, which is neither a list of CPUs nor a cpuset of host {}",
            by.words(),
            words::quoted(said),
            words::quoted(&host.head.name)
        );
        let help = "write CPUs as `0-47`, or declare the set on the host: `cpuset \"name\" cpus=\"0-47\"`";
        let finding = UNKNOWN_NAME.at(said.span, label, message).help(help);
        by.report(finding.meant(near, said.span), findings);
    }
    cpus.map(|cpus| Spanned::new(cpus, said.span))
}
