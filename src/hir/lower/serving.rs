//! Reads how a role is served. The fields are those of the role, with the stack's defaults filled in.

use super::defaults::Defaults;
use super::names::ItemRef;
use super::record::Record;
use super::rules::imply_host;
use super::scope::Scope;
use crate::diag::{Diagnostics, suggest, words};
use crate::hir::codes::{CONFLICTING_FIELDS, MISSING_FIELD, UNKNOWN_NAME};
use crate::hir::{
    CpuList, Cpus, Draft, EngineOption, Host, Id, Override, Placement, PortRange, Residency, Serving,
    Setting, Text,
};
use crate::source::Spanned;

/// The items that a role may refer to, and the defaults.
pub(super) struct RoleScope<'a> {
    pub(super) base: &'a Scope,
    pub(super) defaults: &'a Defaults,
}

/// Reads the processes of a role that has a residency. `None` if a required part could not be read.
pub(super) fn read(
    record: &mut Record,
    residency: Spanned<Id<Residency>>,
    scope: &RoleScope,
    owner: &ItemRef,
    findings: &mut Diagnostics,
) -> Option<Serving> {
    imply_host(record, &scope.base.hosts.names, owner, findings);
    let host = record.text("host").and_then(|name| scope.base.hosts.names.find(&name, owner, findings));
    let engine = match record.text("engine") {
        Some(name) => Some(scope.base.engines.names.find(&name, owner, findings)),
        None => Some(scope.base.stack.engine),
    };
    let model = record.text("model").and_then(|name| scope.base.models.names.find(&name, owner, findings));
    let ports = ports(record, owner, findings);
    let context = record.take::<u64>("context");
    if context.is_none() && !record.is_reported("context") {
        let what = "tokens of one request, prompt and answer together; here or in `defaults` of the stack";
        report_missing("context", what, owner, findings);
    }
    let draft = record.take::<Record>("draft").and_then(|block| draft(block, scope, owner, findings));
    let placement = record.take::<Record>("placement").map(|block| block.value).unwrap_or_default();
    let placement =
        read_placement(placement, host.map(|host| scope.base.hosts.arena.get(host.value)), owner, findings);
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
        slots: record.take("slots").unwrap_or_else(|| Spanned::new(1, owner.place)),
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
        env: record.map("env"),
        hardening: record.take("hardening"),
    })
}

fn word(record: &mut Record, field: &str) -> Option<Text> {
    record.take::<&'static str>(field).map(|word| word.map(Into::into))
}

fn ports(record: &mut Record, owner: &ItemRef, findings: &mut Diagnostics) -> Option<Spanned<PortRange>> {
    let one = record.take::<u16>("port");
    let range = record.take::<PortRange>("ports");
    match (one, range) {
        (Some(one), Some(range)) => {
            let message = format!("{} has both `port` and `ports`", owner.describe());
            let finding = CONFLICTING_FIELDS.at(range.span, "`ports` is here", message);
            let help = "keep `port` for one process, or `ports` for several";
            owner.report(finding.also(one.span, "`port` is here").help(help), findings);
            Some(range)
        }
        (Some(one), None) => Some(one.map(PortRange::single)),
        (None, Some(range)) => Some(range),
        (None, None) => {
            if !record.is_reported("port") && !record.is_reported("ports") {
                let what = "the port of the server; or add `ports` for several processes";
                report_missing("port", what, owner, findings);
            }
            None
        }
    }
}

pub(super) fn report_missing(field: &str, what: &str, owner: &ItemRef, findings: &mut Diagnostics) {
    let message = format!("{} has no `{field}`", owner.describe());
    let finding = MISSING_FIELD.at(owner.place, format!("`{field}` is missing"), message);
    owner.report(finding.help(format!("add `{field}`: {what}")), findings);
}

fn draft(
    block: Spanned<Record>,
    scope: &RoleScope,
    owner: &ItemRef,
    findings: &mut Diagnostics,
) -> Option<Spanned<Draft>> {
    let Spanned { value: mut block, span } = block;
    let model = scope.base.models.names.find(&block.text("model")?, owner, findings)?;
    let draft = Draft { model, max: block.take("max"), min: block.take("min"), p_min: block.take("p-min") };
    Some(Spanned::new(draft, span))
}

fn overrides(record: &mut Record) -> Vec<Override> {
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

fn options(record: &mut Record) -> Vec<EngineOption> {
    let blocks = record.take_all::<Record>("option").into_iter();
    let read = blocks.filter_map(|mut block| {
        let block = &mut block.value;
        let (name, value) = (block.text("name")?, block.take::<Setting>("value"));
        // Drop an option whose value could not be read, so that no check reports it again.
        (value.is_some() || !block.is_reported("value")).then_some(EngineOption { name, value })
    });
    read.collect()
}

fn read_placement(
    mut block: Record,
    host: Option<&Host>,
    owner: &ItemRef,
    findings: &mut Diagnostics,
) -> Placement {
    let cpus = block.text("cpus").and_then(|name| cpus(&name, host?, owner, findings));
    Placement { numa: block.take("numa"), cpus, threads: block.take("threads"), lock: block.take("lock") }
}

fn cpus(name: &Text, host: &Host, owner: &ItemRef, findings: &mut Diagnostics) -> Option<Spanned<Cpus>> {
    let set = host.cpusets.iter().find(|set| set.name.value == name.value);
    let cpus = match set {
        Some(set) => Some(Cpus { list: set.cpus.value.clone(), set: Some(set.name.value.clone()) }),
        None => CpuList::parse(name).map(|list| Cpus { list, set: None }),
    };
    if cpus.is_none() {
        let near = suggest(name, host.cpusets.iter().map(|set| &*set.name.value));
        let label = near.map_or_else(
            || "neither CPUs nor a cpuset".to_owned(),
            |near| format!("did you mean `{}`?", near.name),
        );
        let message = format!(
            "`cpus` of {} is {}, which is neither a list of CPUs nor a cpuset of host {}",
            owner.describe(),
            words::quoted(name),
            words::quoted(&host.head.name)
        );
        let help = "write CPUs such as `0-47`, or declare a `cpuset` with this name and `cpus` on the host";
        let finding = UNKNOWN_NAME.at(name.span, label, message).help(help);
        owner.report(finding.suggest(near, name.span), findings);
    }
    cpus.map(|cpus| Spanned::new(cpus, name.span))
}
