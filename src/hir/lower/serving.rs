//! How a role is served: its own fields over the stack's defaults.

use super::models::overrides;
use super::names::{By, Names};
use super::places::Places;
use super::record::Record;
use crate::diag::Diagnostics;
use crate::hir::codes::{CONFLICTING_FIELDS, MISSING_FIELD, UNKNOWN_NAME};
use crate::hir::stack::HARDENING_WORDS;
use crate::hir::{
    CpuList, Cpus, Draft, EngineOption, Host, Id, Model, Placement, PortRange, Residency, Serving, Setting,
    Text,
};
use crate::source::{Span, Spanned};

/// What a role may refer to.
pub(super) struct Known<'a> {
    pub(super) places: &'a Places,
    pub(super) models: &'a Names<Model>,
    pub(super) defaults: &'a Record,
}

/// The role that is read: who speaks, and where its name stands.
pub(super) struct Of<'a> {
    pub(super) by: By<'a>,
    pub(super) place: Span,
}

/// Reads the processes of a role that has a residency; none where something that they need cannot be read.
pub(super) fn read(
    record: &mut Record,
    residency: Spanned<Id<Residency>>,
    known: &Known,
    of: &Of,
    findings: &mut Diagnostics,
) -> Option<Serving> {
    let host = host(record, known, of, findings);
    let engine = match record.text("engine") {
        Some(name) => Some(known.places.engines.names.find(&name, &of.by, findings)),
        None => Some(known.places.stack.engine),
    };
    let model = record.text("model").and_then(|name| known.models.find(&name, &of.by, findings));
    let ports = ports(record, of, findings);
    let context = record.take::<u64>("context");
    if context.is_none() && !record.is_spoken("context") {
        say_missing("context", "tokens of one request, here or in `defaults` of the stack", of, findings);
    }
    let draft = record.take::<Record>("draft").and_then(|block| draft(block, known, of, findings));
    let placement = record.take::<Record>("placement").map(|block| block.value).unwrap_or_default();
    let placement =
        placed(placement, host.map(|host| known.places.hosts.arena.get(host.value)), of, findings);
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
        slots: record.take("slots").unwrap_or_else(|| Spanned::new(1, of.place)),
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

fn host(
    record: &mut Record,
    known: &Known,
    of: &Of,
    findings: &mut Diagnostics,
) -> Option<Spanned<Id<Host>>> {
    let names = &known.places.hosts.names;
    if let Some(name) = record.text("host") {
        return names.find(&name, &of.by, findings);
    }
    match names.only() {
        Some(only) => only.map(|id| Spanned::new(id, of.place)),
        None => {
            if !names.is_empty() && !record.is_spoken("host") {
                say_missing("host", "there are several, and one of them has to be named", of, findings);
            }
            None
        }
    }
}

fn ports(record: &mut Record, of: &Of, findings: &mut Diagnostics) -> Option<Spanned<PortRange>> {
    let one = record.take::<u16>("port");
    let range = record.take::<PortRange>("ports");
    match (one, range) {
        (Some(one), Some(range)) => {
            let finding = CONFLICTING_FIELDS
                .at(
                    range.span,
                    "and here are ports",
                    format!("{} has both `port` and `ports`", of.by.words()),
                )
                .also(one.span, "here is a port");
            findings.say(
                finding
                    .about(of.by.kind, of.by.name)
                    .help("keep `port` for one process, `ports` for one each"),
            );
            Some(range)
        }
        (Some(one), None) => Some(one.map(PortRange::one)),
        (None, Some(range)) => Some(range),
        (None, None) => {
            if !record.is_spoken("port") && !record.is_spoken("ports") {
                say_missing(
                    "port",
                    "a served role listens at `port`, or at `ports` for several processes",
                    of,
                    findings,
                );
            }
            None
        }
    }
}

pub(super) fn say_missing(field: &str, what: &str, of: &Of, findings: &mut Diagnostics) {
    let finding = MISSING_FIELD
        .at(of.place, format!("`{field}` is missing"), format!("{} has no `{field}`", of.by.words()))
        .about(of.by.kind, of.by.name)
        .help(format!("add `{field}`: {what}"));
    findings.say(finding);
}

fn draft(
    block: Spanned<Record>,
    known: &Known,
    of: &Of,
    findings: &mut Diagnostics,
) -> Option<Spanned<Draft>> {
    let Spanned { value: mut block, span } = block;
    let model = known.models.find(&block.text("model")?, &of.by, findings)?;
    let draft = Draft { model, max: block.take("max"), min: block.take("min"), p_min: block.take("p-min") };
    Some(Spanned::new(draft, span))
}

fn options(record: &mut Record) -> Vec<EngineOption> {
    let blocks = record.take_all::<Record>("option").into_iter();
    let read = blocks.filter_map(|mut block| {
        let block = &mut block.value;
        Some(EngineOption { name: block.text("name")?, value: block.take::<Setting>("value") })
    });
    read.collect()
}

fn placed(mut block: Record, host: Option<&Host>, of: &Of, findings: &mut Diagnostics) -> Placement {
    let cpus = block.text("cpus").and_then(|said| cpus(&said, host?, of, findings));
    Placement { numa: block.take("numa"), cpus, threads: block.take("threads"), lock: block.take("lock") }
}

fn cpus(said: &Text, host: &Host, of: &Of, findings: &mut Diagnostics) -> Option<Spanned<Cpus>> {
    let set = host.cpusets.iter().find(|set| set.name.value == said.value);
    let cpus = match set {
        Some(set) => Some(Cpus { list: set.cpus.value.clone(), set: Some(set.name.value.clone()) }),
        None => CpuList::read(said).map(|list| Cpus { list, set: None }),
    };
    if cpus.is_none() {
        let near = crate::diag::nearest(said, host.cpusets.iter().map(|set| &*set.name.value));
        let label = near
            .map_or_else(|| "neither CPUs nor a cpuset".to_owned(), |near| format!("did you mean `{near}`?"));
        let message = format!(
            "`cpus` of {} is {}, which is neither a list of CPUs nor a cpuset of host `{}`",
            of.by.words(),
            crate::diag::words::quoted(said),
            *host.head.name
        );
        let finding = UNKNOWN_NAME.at(said.span, label, message).about(of.by.kind, of.by.name);
        findings.say(
            finding.help(
                "write CPUs as `0-47`, or declare the set on the host: `cpuset \"name\" cpus=\"0-47\"`",
            ),
        );
    }
    cpus.map(|cpus| Spanned::new(cpus, said.span))
}
