//! `compose/compose.yaml`: all containers of a host for `docker compose` (the Compose Specification). With several hosts,
//! `compose/HOST/compose.yaml`.

use serde::Serialize;

use super::container::{
    ContainerContext, ContainerView, HEALTH_INTERVAL, HEALTH_RETRIES, HEALTH_TIMEOUT, KEY, TMP, of_host,
};
use super::template::Template;
use super::{ArtifactCollector, OutputTarget, RenderError};
use crate::plan::{Host, Plan, TargetName};

static COMPOSE: Template = crate::template!("compose/compose.yaml.j2");

pub(super) static TARGET: OutputTarget = OutputTarget::new("compose", &[&COMPOSE], artifacts);

/// The template data.
#[derive(Serialize)]
struct ProjectView<'p> {
    project: String,
    services: Vec<ServiceView<'p>>,
    /// The name of each secret, and its file.
    secrets: Vec<(String, String)>,
    /// True if there are also units of podman.
    has_quadlet: bool,
    has_nvidia: bool,
    /// The names of the roles of the host that are not in containers, separated by commas.
    others: String,
    key: &'static str,
    tmp: &'static str,
    interval: &'static str,
    timeout: &'static str,
    retries: u32,
}

/// A service. In its texts, `$` is doubled: compose finds variables in all values.
#[derive(Serialize)]
struct ServiceView<'p> {
    key: String,
    name: String,
    title: String,
    image: &'p str,
    args: Vec<String>,
    env: Vec<(&'p str, String)>,
    ports: Vec<String>,
    /// The files and folders. True if they are only read.
    mounts: Vec<(String, bool)>,
    devices: Vec<String>,
    secret: Option<String>,
    memory: Option<String>,
    cpus: Option<String>,
    is_bound: bool,
    locks: bool,
    health: Vec<String>,
    start_period: String,
}

fn artifacts<'p>(plan: &'p Plan, collector: &mut ArtifactCollector<'p>) {
    for host in &plan.hosts {
        let contexts = of_host(plan, host);
        if !contexts.is_empty() {
            let folder = if host.is_only { "compose".to_owned() } else { format!("compose/{}", host.name) };
            let path = format!("{folder}/compose.yaml");
            collector.file(path, &COMPOSE, move || project(plan, host, &contexts));
        }
    }
}

fn project<'p>(
    plan: &'p Plan,
    host: &Host,
    contexts: &[ContainerContext<'p>],
) -> Result<ProjectView<'p>, RenderError> {
    let views: Vec<ContainerView<'_>> =
        contexts.iter().map(|context| context.view()).collect::<Result<_, _>>()?;
    let secrets = views.iter().filter_map(|view| view.secret.as_ref());
    Ok(ProjectView {
        project: project_name(&plan.stack),
        secrets: secrets.map(|(name, file)| (name.clone(), escaped(file))).collect(),
        has_quadlet: plan.targets.contains(&TargetName::Quadlet),
        has_nvidia: contexts.iter().any(|context| !context.container.nvidia.is_empty()),
        others: others(plan, host).collect::<Vec<_>>().join(", "),
        services: views.into_iter().map(service).collect(),
        key: KEY,
        tmp: TMP,
        interval: HEALTH_INTERVAL,
        timeout: HEALTH_TIMEOUT,
        retries: HEALTH_RETRIES,
    })
}

/// The names of the roles of a host that are not in containers.
fn others<'p>(plan: &'p Plan, host: &Host) -> impl Iterator<Item = &'p str> {
    let roles =
        host.groups.iter().flat_map(|group| &group.roles).filter_map(|number| plan.roles.get(*number));
    roles.filter(|role| role.container.is_none()).map(|role| &*role.name)
}

fn service(view: ContainerView<'_>) -> ServiceView<'_> {
    ServiceView {
        key: view.short_name,
        name: view.name,
        title: view.title,
        image: view.image,
        args: view.args.into_iter().map(escaped).collect(),
        env: view.env.into_iter().map(|(name, value)| (name, escaped(value))).collect(),
        ports: view.ports,
        mounts: view.mounts.into_iter().map(|(path, writes)| (escaped(path), !writes)).collect(),
        devices: view.devices,
        secret: view.secret.map(|(name, _)| name),
        memory: view.memory.map(|memory| format!("{memory}g")),
        cpus: view.cpus,
        is_bound: view.node.is_some(),
        locks: view.locks,
        health: view.health.into(),
        start_period: view.start_period,
    }
}

/// A text in which compose finds no variables.
fn escaped(text: &str) -> String {
    text.replace('$', "$$")
}

/// The name of the project: compose accepts lower case, digits, `-` and `_`.
fn project_name(stack: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { '-' };
    stack.chars().map(allowed).collect()
}
