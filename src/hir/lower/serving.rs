//! Reads how a role is served. The fields are those of the role, with the stack's defaults filled in.

use super::defaults::Defaults;
use super::field_findings::missing;
use super::gateway::{self, Address, GATEWAY};
use super::gpu::GpuReader;
use super::guess::list;
use super::names::ItemRef;
use super::read::Fields;
use super::record::Record;
use super::rules::imply_host;
use super::window;
use crate::diag::{Change, Diagnostic, Diagnostics, Line, Literal, suggest, words};
use crate::hir::codes::{CONFLICTING_FIELDS, MISSING_FIELD, UNKNOWN_NAME};
use crate::hir::role;
use crate::hir::{
    CpuList, Cpus, Draft, DraftKind, EngineOption, EngineSetting, GatewayKind, Head, Host, Id, Lookup, Model,
    NumaPolicy, Placement, PortRange, ProcessSettings, RareFields, Residency, Serving, Setting, Shape, Text,
};
use crate::source::{Span, Spanned};

/// Reads the processes of a role that has a residency. `None` if a required part could not be read.
pub(super) fn read(
    fields: &mut Fields,
    residency: Spanned<Id<Residency>>,
    defaults: &Defaults,
) -> Option<Serving> {
    let (owner, scope) = (fields.owner(), fields.scope);
    let process = process(fields, residency, defaults);
    let gateway = process.as_ref().and_then(|process| process.gateway);
    let engine = match (fields.record.place("engine"), gateway) {
        (Some(_), _) => fields.get("engine"),
        (None, Some(gateway)) if scope.gateways.arena.get(gateway.value).kind == GatewayKind::Router => {
            Some(scope.gateways.arena.get(gateway.value).engine)
        }
        (None, _) => Some(scope.stack.engine),
    };
    let model = fields.get("model");
    let (context, slots) = (window::context(fields), window::slots(fields));
    report_unknown_architecture(fields, model);
    let has_model = fields.record.blocks("draft").next().is_some_and(|block| block.has_or_reported("model"));
    let mut draft = fields.get::<Option<Spanned<Draft>>>("draft");
    if let (Some(process), Some(context)) = (&process, context) {
        let host = Some(scope.hosts.arena.get(process.host.value));
        let stack = scope.stack.head.span;
        let mut gpus = GpuReader { host, head: fields.head, stack, findings: fields.findings };
        gpus.check_fit(&process.placement, context);
        if let Some(Some(draft)) = &mut draft {
            gpus.check_draft(&mut draft.value, process.placement.gpu.as_deref());
        }
    }
    let lookup = fields.get::<Option<Spanned<Lookup>>>("lookup");
    check_cache_types(fields.record, &owner, fields.findings);
    let key_file = fields.get::<Option<Text>>("key-file")?;
    let gateway = process.as_ref().and_then(|process| process.gateway);
    let gateway = gateway.map(|gateway| scope.gateways.arena.get(gateway.value));
    let is_replaced = gateway.is_some_and(gateway::replaces_key);
    // `defaults` are in the stack.
    let is_default = |file: &Text| scope.stack.head.span.contains(file.span);
    Some(Serving {
        process: process?,
        engine: engine?,
        model: model?,
        key_file: key_file.filter(|file| !(is_replaced && is_default(file))).map(Box::new),
        context: context?,
        slots: slots?,
        batch: fields.get("batch")?,
        experts: fields.get("experts")?,
        draft: draft?.filter(|draft| check_draft((draft, has_model), &owner, fields.findings)).map(Box::new),
        lookup: Option::map(lookup?, Box::new),
        overrides: fields.get("override")?,
        pooling: fields.get::<Option<Text>>("pooling")?.map(Box::new),
        settings: engine_settings(fields.record),
        options: options(fields.record),
        rare: rare_fields(fields)?,
    })
}

/// Reads the settings that do not depend on the program. `None` if a required one could not be read.
pub(super) fn process(
    fields: &mut Fields,
    residency: Spanned<Id<Residency>>,
    defaults: &Defaults,
) -> Option<ProcessSettings> {
    let (owner, scope) = (fields.owner(), fields.scope);
    let is_behind = fields.record.has_or_reported(GATEWAY);
    let address = match fields.record.place(GATEWAY) {
        Some(place) => gateway::address(place, fields),
        // An unknown gateway is reported.
        None if fields.record.is_reported(GATEWAY) => None,
        None => own_address(fields, defaults),
    };
    let gateway = address.as_ref().and_then(|address| address.gateway);
    let host = match gateway.filter(|_| !fields.record.has_or_reported("host")) {
        Some(gateway) => Some(gateway.map(|id| scope.gateways.arena.get(id).host.value)),
        // The host of a gateway that could not be read is unknown.
        None if is_behind && !fields.record.has_or_reported("host") => None,
        None => {
            imply_host(fields.record, &scope.hosts.names, fields.head, fields.findings);
            fields.get::<Spanned<Id<Host>>>("host")
        }
    };
    let placement = fields.record.take::<Record>("placement").map(|block| block.value).unwrap_or_default();
    let mut placement = read_placement(
        placement,
        host.map(|host| scope.hosts.arena.get(host.value)),
        (&owner, fields.head),
        scope.stack.head.span,
        fields.findings,
    );
    let Address { gateway, ports, listen, backend } = address?;
    if let Some(gateway) = gateway {
        gateway::inherit_placement(scope.gateways.arena.get(gateway.value), &mut placement);
    }
    Some(ProcessSettings {
        residency,
        host: host?,
        gateway,
        ports,
        listen,
        backend,
        placement,
        env: fields.get("env")?,
        hardening: fields.get("hardening")?,
    })
}

/// Reads the address of a role without a gateway.
fn own_address(fields: &mut Fields, defaults: &Defaults) -> Option<Address> {
    let ports = ports(fields.record, (fields.head, defaults), fields.findings);
    let (listen, backend) = (fields.get("listen"), fields.get("backend"));
    Some(Address { gateway: None, ports: ports?, listen: listen?, backend: backend? })
}

/// Reports `experts` for a model of unknown architecture, because the engine's option contains its name.
fn report_unknown_architecture(fields: &mut Fields, model: Option<Spanned<Id<Model>>>) {
    let (Some(place), Some(id)) = (fields.record.place("experts"), model) else { return };
    let (scope, owner) = (fields.scope, fields.owner());
    let model = scope.models.arena.get(id.value);
    if model.family.is_some() || model.arch.is_some() {
        return;
    }
    let message = format!("{} has `experts`, but the architecture of {model} is unknown", owner.describe());
    let finding = MISSING_FIELD.at(place, "an override of a key of the architecture", message);
    let finding = finding.also(model.head.name.span, "neither `family` nor `arch`");
    let help = "run `orchgen lock` where its file is, or write `arch` with its `general.architecture`";
    owner.report(finding.help(help), fields.findings);
}

fn ports(
    record: &mut Record,
    (head, defaults): (&Head, &Defaults),
    findings: &mut Diagnostics,
) -> Option<Spanned<PortRange>> {
    let owner = ItemRef::new(head.kind, &head.name);
    let one = record.take::<u16>("port");
    let range = record.take::<PortRange>("ports");
    match (one, range) {
        (Some(one), Some(range)) => {
            let message = format!("{} has both `port` and `ports`", owner.describe());
            let finding = CONFLICTING_FIELDS.at(range.span, "`ports` is here", message);
            let finding = finding.also(one.span, "`port` is here");
            let finding = finding.remedy("remove `{}` for several processes", Change::remove(one.span));
            owner.report(
                finding.remedy("or remove `{}` for one process", Change::remove(range.span)),
                findings,
            );
            Some(range)
        }
        (Some(one), None) => Some(one.map(PortRange::single)),
        (None, Some(range)) => Some(range),
        (None, None) => {
            if !record.is_reported("port") && !record.is_reported("ports") {
                let what = "the port of the server; or add `ports` for several processes, or `gateway`";
                report_missing((Line::of("port", defaults.next_port()), record), what, head, findings);
            }
            None
        }
    }
}

/// Reports a missing field of an item. The help has the line to write.
pub(super) fn report_missing(
    (line, record): (Line, &Record),
    what: &str,
    head: &Head,
    findings: &mut Diagnostics,
) {
    let owner = ItemRef::new(head.kind, &head.name);
    let (described, empty) = (owner.describe(), record.empty_field(&line.name));
    owner.report(missing((Ok(line), empty), (&described, owner.place), what, head.span), findings);
}

/// Reports a draft with a model and `self`, or with neither. False if there is nothing that drafts.
fn check_draft(
    (draft, has_model): (&Spanned<Draft>, bool),
    owner: &ItemRef,
    findings: &mut Diagnostics,
) -> bool {
    let conflict = |place, label, message| CONFLICTING_FIELDS.at(place, label, message);
    match (draft.own.filter(|own| own.value), draft.model, draft.kind) {
        (Some(own), Some(model), _) => {
            let message = format!("`draft` of {} has both a model and `self`", owner.describe());
            let finding = conflict(own.span, "`self` is here", message).also(model.span, "the model is here");
            let finding = finding.remedy("remove `{}` to draft with the model", Change::remove(own.span));
            let line = Line::new("draft").with(Line::of("self", true));
            let title = "or write `{}` to draft with the layers of the model itself";
            owner.report(finding.remedy(title, Change::rewrite(model.span, line)), findings);
        }
        (Some(own), None, Some(kind)) if kind.value != DraftKind::Mtp => {
            let word = kind.value.word();
            let message = format!("`draft` of {} has `self` and the kind `{word}`", owner.describe());
            let finding =
                conflict(kind.span, "needs a draft model", message).also(own.span, "`self` is here");
            let change = Change::Value { span: kind.span, to: DraftKind::Mtp.word().into() };
            owner.report(
                finding.remedy("write `{}`: only MTP layers are part of the model", change),
                findings,
            );
        }
        (None, None, kind) if !has_model => {
            let message = format!("`draft` of {} has no draft model", owner.describe());
            let finding = MISSING_FIELD.at(draft.span, "needs `model` or `self`", message);
            let own = Line::new("draft").with(Line::of("self", true));
            let own = own.with_each(kept(draft));
            let finding = match kind {
                Some(kind) if kind.value != DraftKind::Mtp => finding.help("name the draft model in `model`"),
                _ => finding
                    .remedy(
                        "write `{}` if the model has its own MTP layers",
                        Change::rewrite(draft.span, own),
                    )
                    .help("or name the draft model in `model`"),
            };
            owner.report(finding, findings);
        }
        (own, model, _) => return own.is_some() || model.is_some(),
    }
    false
}

/// The limits of a draft as lines.
fn kept(draft: &Draft) -> Vec<Line> {
    let count = |name, count: Option<Spanned<u32>>| Some(Line::of(name, u64::from(count?.value)));
    let p_min = draft.p_min.map(|p_min| Line::of("p-min", Literal::Number(p_min.value.to_string())));
    [count("max", draft.max), count("min", draft.min), p_min].into_iter().flatten().collect()
}

fn rare_fields(fields: &mut Fields) -> Option<Option<Box<RareFields>>> {
    let rare = RareFields {
        aliases: fields.get("alias")?,
        template: fields.get("template")?,
        adapters: fields.get("lora")?,
        has_unread_caches: ["prompt-cache", "checkpoints"]
            .iter()
            .any(|field| fields.record.is_reported(field)),
    };
    Some((rare != RareFields::default()).then(|| Box::new(rare)))
}

fn engine_settings(record: &mut Record) -> Vec<EngineSetting> {
    let mut settings = Vec::new();
    for row in role::TABLE.fields.iter().filter(|row| row.is_engine_setting) {
        let Shape::Block(table) = &row.shape else {
            settings.extend(engine_setting((row.name, None), row.name, record));
            continue;
        };
        let Some(mut block) = record.take::<Record>(row.name) else { continue };
        settings.extend(table.fields.iter().filter_map(|part| {
            let name = (table.principal != Some(part.name)).then_some(part.name);
            engine_setting((row.name, name), part.name, &mut block.value)
        }));
    }
    settings
}

fn engine_setting(
    (field, part): (&'static str, Option<&'static str>),
    name: &str,
    record: &mut Record,
) -> Option<EngineSetting> {
    let Spanned { value, span } = record.take_values(name).into_iter().next()?;
    Some(EngineSetting { field, part, value: Spanned::new(value.into_setting()?, span) })
}

/// Reports a type of both caches next to a type of one cache.
fn check_cache_types(record: &Record, owner: &ItemRef, findings: &mut Diagnostics) {
    let Some(block) = record.blocks("cache-type").next() else { return };
    let [both, keys, values] = ["type", "k", "v"].map(|part| block.peek_text(part));
    let (Some(both), Some(one)) = (both, keys.as_ref().or(values.as_ref())) else { return };
    let message =
        format!("`cache-type` of {} has a type for both caches and one for a single cache", owner.describe());
    let finding = CONFLICTING_FIELDS.at(one.span, "one cache", message).also(both.span, "both caches");
    let part = |name: &str, one: Option<&Text>| Line::of(name, &*one.unwrap_or(&both).value);
    let line = Line::new("cache-type").with(part("k", keys.as_ref())).with(part("v", values.as_ref()));
    owner.report(finding.remedy("write `{}`", Change::rewrite(both.span, line)), findings);
}

pub(super) fn options(record: &mut Record) -> Vec<EngineOption> {
    let blocks = record.take_all::<Record>("option").into_iter();
    blocks.filter_map(|mut block| option(&mut block.value)).collect()
}

/// An option. `None` if its value could not be read, so that no check reports it again.
pub(super) fn option(block: &mut Record) -> Option<EngineOption> {
    let (name, value) = (block.text("name")?, block.take::<Setting>("value"));
    (value.is_some() || !block.is_reported("value")).then_some(EngineOption { name, value })
}

fn read_placement(
    mut block: Record,
    host: Option<&Host>,
    (owner, head): (&ItemRef, &Head),
    stack: Span,
    findings: &mut Diagnostics,
) -> Placement {
    let gpu = GpuReader { host, head, stack, findings }.placement(&mut block);
    let cpus = block.text("cpus").and_then(|name| cpus(&name, host?, owner, findings));
    let numa: Option<Spanned<NumaPolicy>> = block.take("numa");
    check_distribute(numa.as_ref(), cpus.as_ref(), owner, findings);
    let (cpus, threads) = (cpus.map(Box::new), block.take("threads"));
    Placement { numa, cpus, threads, lock: block.take("lock"), gpu }
}

/// The help with the list of CPUs that a text means.
pub(super) fn write_cpus(finding: Diagnostic, name: &Text) -> Diagnostic {
    let change = |list| Change::Rewrite { place: name.span, line: Line::of("cpus", list) };
    match list::cpus(name).into_iter().next() {
        Some(list) => finding.remedy("write `{}`", change(list)),
        None if &*name.value == "all" => finding
            .remedy("remove `cpus`: a role without it uses all CPUs", Change::Remove { place: name.span }),
        None => finding
            .help("write CPUs such as `0-47`, or declare a `cpuset` with this name and `cpus` on the host"),
    }
}

/// Reports CPUs next to `numa` `distribute`, with which the engine sets the CPUs of its threads.
pub(super) fn check_distribute(
    numa: Option<&Spanned<NumaPolicy>>,
    cpus: Option<&Spanned<Cpus>>,
    owner: &ItemRef,
    findings: &mut Diagnostics,
) {
    if let (Some(numa), Some(cpus)) = (numa, cpus)
        && numa.value == NumaPolicy::Distribute
    {
        let message = format!(
            "{} has `cpus` and `numa` `distribute`, with which the engine sets the CPUs of its threads",
            owner.describe()
        );
        let finding = CONFLICTING_FIELDS.at(cpus.span, "would not be used", message);
        let finding = finding.also(numa.span, "the engine distributes its threads");
        let finding = finding.remedy("remove `{}`", Change::remove(cpus.span));
        owner.report(finding.remedy("or remove `{}`", Change::remove(numa.span)), findings);
    }
}

/// The CPUs of a list or of a cpuset of the host. Reports a text that is neither.
pub(super) fn cpus(
    name: &Text,
    host: &Host,
    owner: &ItemRef,
    findings: &mut Diagnostics,
) -> Option<Spanned<Cpus>> {
    let set = host.cpusets.iter().find(|set| set.name.value == name.value);
    let cpus = match set {
        Some(set) => Some(Cpus { list: set.cpus.value.clone(), set: Some(set.name.value.clone()) }),
        None => CpuList::parse(name).map(|list| Cpus { list, set: None }),
    };
    if cpus.is_none() {
        let near = suggest(name, host.cpusets.iter().map(|set| &*set.name.value));
        let message = format!(
            "`cpus` of {} is {}, which is neither a list of CPUs nor a cpuset of host {}",
            owner.describe(),
            words::quoted(name),
            words::quoted(&host.head.name)
        );
        let finding = UNKNOWN_NAME.at_unknown(name.span, (near, "neither CPUs nor a cpuset"), message);
        owner.report(write_cpus(finding, name), findings);
    }
    cpus.map(|cpus| Spanned::new(cpus, name.span))
}
