//! Documents: the model reference, the quirks of models and the measured speeds. The templates have the wording, and print the
//! [`Reference`] of the plan.

mod command;
mod hosts;

use serde::Serialize;
use std::sync::Arc;

use super::template::{Items, Template};
use super::{ArtifactCollector, OutputTarget};
use crate::plan::reference::{Columns, ForbiddingFamily, Heading, Measurement, Quirk, RoleRow, Store, Tier};
use crate::plan::{
    ClientAddress, Date, Gateway, ModelKind, Plan, Prompt, Reference, Role, TargetName, base_url,
};
use hosts::{HostView, ServiceView};
use std::collections::BTreeSet;

static REFERENCE: Template = crate::template!("docs/MODEL_REFERENCE.md.j2");
static QUIRKS: Template = crate::template!("docs/QUIRKS.md.j2");
static RESULTS: Template = crate::template!("docs/RESULTS.md.j2");

pub(super) static TARGET: OutputTarget =
    OutputTarget::new("docs", &[&REFERENCE, &QUIRKS, &RESULTS], artifacts);

/// The template data of the model reference.
#[derive(Serialize)]
struct ReferenceView<'p> {
    stack: &'p str,
    verified: Option<Date>,
    tiers: Vec<TierView<'p>>,
    #[serde(flatten)]
    reference: &'p Reference,
    families: Vec<FamilyView<'p>>,
    /// The example command of a vision model; empty if there is none.
    vision_example: String,
    stores: Vec<String>,
    commands: Vec<KindView<'p>>,
    gateways: Vec<GatewayView<'p>>,
    /// The hosts, if several of them have roles.
    hosts: Vec<HostView<'p>>,
    /// The services, if several hosts have roles.
    services: Vec<ServiceView<'p>>,
    /// True if there is a document of measured speeds.
    is_measured: bool,
}

/// A gateway with its roles.
#[derive(Serialize)]
struct GatewayView<'p> {
    name: &'p str,
    /// Its host, if several hosts have roles.
    host: Option<&'p str>,
    addresses: Vec<String>,
    most: u32,
    /// Each role, with its further names.
    roles: Vec<(&'p str, Vec<&'p str>)>,
    /// Each peer with its host, and the names that the gateway forwards to it.
    peers: Vec<(&'p str, &'p str, &'p [Arc<str>])>,
    has_key: bool,
}

/// A tier with its roles.
#[derive(Serialize)]
struct TierView<'p> {
    heading: Option<&'p Heading>,
    is_measured: bool,
    columns: Columns,
    rows: Items<RoleRow>,
}

/// A family that forbids something, with examples.
#[derive(Serialize)]
struct FamilyView<'p> {
    #[serde(flatten)]
    family: &'p ForbiddingFamily,
    wrong: Option<String>,
    /// The correct command; empty if there is none.
    right: String,
}

/// The commands of one kind of model.
#[derive(Serialize)]
struct KindView<'p> {
    kind: ModelKind,
    /// The methods that at least one of the commands uses to be faster.
    speedups: Vec<&'static str>,
    /// True if all commands use fewer experts and no other method.
    only_experts: bool,
    commands: Vec<CommandView<'p>>,
}

/// The command of a model.
#[derive(Serialize)]
struct CommandView<'p> {
    title: &'p str,
    /// Its host. `None` if only one host has roles.
    host: Option<&'p str>,
    /// The script that runs it. `None` without the target of scripts.
    script: Option<String>,
    text: String,
}

/// The template data of the quirks.
#[derive(Serialize)]
struct QuirksView<'p> {
    quirks: &'p [Quirk],
}

/// The template data of the measured speeds.
#[derive(Serialize)]
struct ResultsView<'p> {
    stack: &'p str,
    measurements: &'p [Measurement],
    /// True if several hosts have roles.
    has_hosts: bool,
    has_stale: bool,
    /// True if the engine of a measurement is not known.
    has_unknown: bool,
}

fn artifacts<'p>(plan: &'p Plan, collector: &mut ArtifactCollector<'p>) {
    collector.file("docs/MODEL_REFERENCE.md".to_owned(), &REFERENCE, || Ok(reference_view(plan)));
    let quirks = &plan.reference.quirks;
    if !quirks.is_empty() {
        collector.file("docs/QUIRKS.md".to_owned(), &QUIRKS, || Ok(QuirksView { quirks }));
    }
    let measurements = &plan.reference.measurements;
    if !measurements.is_empty() {
        let has = |is_such: fn(&Measurement) -> bool| measurements.iter().any(is_such);
        let view = move || ResultsView {
            stack: title(plan),
            measurements,
            has_hosts: plan.reference.memory.has_hosts,
            has_stale: has(|one| one.replaced_by.is_some()),
            has_unknown: has(|one| one.engine.is_none()),
        };
        collector.file("docs/RESULTS.md".to_owned(), &RESULTS, move || Ok(view()));
    }
}

fn title(plan: &Plan) -> &str {
    plan.title.as_deref().unwrap_or(&plan.stack)
}

fn reference_view(plan: &Plan) -> ReferenceView<'_> {
    let reference = &plan.reference;
    let vision = reference.constraints.vision.as_ref().and_then(|vision| vision.example);
    ReferenceView {
        stack: title(plan),
        verified: plan.verified,
        tiers: reference.tiers.iter().map(tier_view).collect(),
        reference,
        families: reference.constraints.families.iter().map(|family| family_view(plan, family)).collect(),
        vision_example: vision.map(|number| right_command(plan, number)).unwrap_or_default(),
        stores: stores(&reference.stores),
        commands: commands(plan),
        gateways: plan.gateways.iter().filter_map(|gateway| gateway_view(plan, gateway)).collect(),
        is_measured: !reference.measurements.is_empty(),
        hosts: if reference.memory.has_hosts { hosts::hosts(plan) } else { Vec::new() },
        services: if reference.memory.has_hosts { hosts::services(plan) } else { Vec::new() },
    }
}

fn gateway_view<'p>(plan: &'p Plan, gateway: &'p Gateway) -> Option<GatewayView<'p>> {
    let server = plan.roles.get(gateway.server)?;
    let host = plan.hosts.get(server.host as usize)?;
    let addresses: BTreeSet<ClientAddress> = server.client_addresses(host.address.as_deref()).collect();
    let roles = gateway.roles().filter_map(|role| plan.roles.get(role));
    let names = |role: &'p Role| role.names.iter().map(|name| &**name).filter(|name| *name != &*role.name);
    Some(GatewayView {
        name: &gateway.name,
        host: plan.reference.memory.has_hosts.then_some(&host.name),
        addresses: addresses.into_iter().map(|address| base_url(&address, server.ports.first)).collect(),
        most: gateway.most,
        roles: roles.map(|role| (&*role.name, names(role).collect())).collect(),
        peers: gateway.peers().iter().map(|peer| (&*peer.name, &*peer.host, &*peer.names)).collect(),
        has_key: server.key_file.is_some(),
    })
}

fn tier_view(tier: &Tier) -> TierView<'_> {
    let Tier { heading, is_measured, columns, rows } = tier;
    let rows = Items(Arc::clone(rows));
    TierView { heading: heading.as_ref(), is_measured: *is_measured, columns: *columns, rows }
}

fn family_view<'p>(plan: &'p Plan, family: &'p ForbiddingFamily) -> FamilyView<'p> {
    let example = family.example.as_ref();
    FamilyView {
        family,
        wrong: example.and_then(|example| example.wrong.as_deref()).map(command::quoted_words),
        right: example.map(|example| right_command(plan, example.right)).unwrap_or_default(),
    }
}

fn right_command(plan: &Plan, number: usize) -> String {
    plan.prompts.get(number).map(command::example).unwrap_or_default()
}

/// The folders of the stores, followed by an aligned column of titles and hosts.
fn stores(stores: &[Store]) -> Vec<String> {
    let width = stores.iter().map(|store| store.path.chars().count() + 1).max().unwrap_or_default();
    let text = |store: &Store| {
        let hosts = (!store.hosts.is_empty()).then(|| format!("on {}", store.hosts.join(", ")));
        let about: Vec<&str> = store.title.as_deref().into_iter().chain(hosts.as_deref()).collect();
        match about.join(" ") {
            about if about.is_empty() => format!("{}/", store.path),
            about => format!("{:width$}  # {about}", format!("{}/", store.path)),
        }
    };
    stores.iter().map(text).collect()
}

/// The commands of each kind of model that has any.
fn commands<'p>(plan: &'p Plan) -> Vec<KindView<'p>> {
    let has_scripts = plan.targets.contains(&TargetName::Bin);
    let has_hosts = plan.reference.memory.has_hosts;
    let command = |prompt: &'p Prompt| CommandView {
        title: &prompt.title,
        host: plan.hosts.get(prompt.host as usize).filter(|_| has_hosts).map(|host| &*host.name),
        script: has_scripts.then(|| command::script(prompt)),
        text: command::full_command(plan, prompt),
    };
    let view = |kind: &ModelKind| {
        let prompts: Vec<&Prompt> = plan.prompts.iter().filter(|prompt| prompt.kind == *kind).collect();
        let used = |uses: fn(&Prompt) -> bool| prompts.iter().any(|prompt| uses(prompt));
        let (draft, lookup) = (used(|prompt| prompt.has_draft), used(|prompt| prompt.has_lookup));
        let speedups = [
            (used(|prompt| prompt.sets_experts), "expert reduction"),
            (draft, "speculation"),
            (lookup, "lookup"),
        ];
        (!prompts.is_empty()).then(|| KindView {
            kind: *kind,
            speedups: speedups.iter().filter(|(used, _)| *used).map(|(_, name)| *name).collect(),
            only_experts: !draft && !lookup && prompts.iter().all(|prompt| prompt.sets_experts),
            commands: prompts.into_iter().map(command).collect(),
        })
    };
    ModelKind::ALL.iter().filter_map(view).collect()
}
