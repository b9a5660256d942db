//! `orchgen plan`: what a build or an installation would change.

use super::args::{PlanArgs, PlanFormat};
use super::fleet::{ChosenHost, HostPlace, chosen, reading};
use super::host::{host_name, layout_of, scope_of};
use super::on_host::{Action, Request};
use super::ssh::Connection;
use super::system::Systemd;
use super::wanted::{folder, revision, wanted_units};
use super::{markdown, text};
use crate::cli::args::OutputArgs;
use crate::cli::{RunStatus, session};
use crate::deploy::{DeployError, Deployer, FailedHost, HostPlan, PlanInput, Seen, Target, Tree, plan_host};
use crate::diag::words::quoted;
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::Path;

/// The result of `orchgen plan`. Later versions only add fields.
#[derive(Serialize)]
pub(super) struct PlanReport {
    /// The version of the format.
    pub(super) format_version: u32,
    /// The name of the stack.
    pub(super) stack: String,
    /// The other side of the comparison: `last build`, `host`, a folder or a revision.
    pub(super) against: String,
    /// True if something changes.
    pub(super) changes: bool,
    /// The plan of each host.
    pub(super) hosts: Vec<HostPlan>,
    /// The hosts without a plan.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) failed: Vec<FailedHost>,
}

/// The word for the output folder.
const LAST_BUILD: &str = "last build";

/// The word for this machine.
const HOST: &str = "host";

pub(in crate::cli) fn run(command: &PlanArgs, output: OutputArgs) -> Result<RunStatus, RunStatus> {
    let result = plan(command, output);
    if !command.detailed_exitcode {
        return result.map(|_| RunStatus::Clean);
    }
    match result {
        Ok(true) => Ok(RunStatus::Changes),
        Ok(false) => Ok(RunStatus::Clean),
        // Every error is 1, because 2 means changes.
        Err(_) => Err(RunStatus::Findings),
    }
}

/// Prints the plan. True if something changes.
fn plan(command: &PlanArgs, output: OutputArgs) -> Result<bool, RunStatus> {
    let new = wanted_units(&command.registry, output)?;
    let report = report(command, &new).map_err(session::fail)?;
    for host in &report.failed {
        session::fail(&host.reason);
    }
    let style = session::style(output, &std::io::stdout());
    let printed = session::print_stdout(&match command.format {
        PlanFormat::Human => text::plan(&report, style),
        PlanFormat::Json => session::json_line(&report),
        PlanFormat::Markdown => markdown::plan(&report),
    });
    if printed != RunStatus::Clean {
        return Err(printed);
    }
    if report.failed.is_empty() { Ok(report.changes) } else { Err(RunStatus::CannotRun) }
}

fn report(command: &PlanArgs, new: &Tree) -> Result<PlanReport, DeployError> {
    let against = command.against.as_deref();
    if command.hosts.local && against != Some(HOST) {
        return Err(DeployError::new("`--local` is about this machine: write `--against host`, too"));
    }
    let mut failed = Vec::new();
    let hosts = if against == Some(HOST) {
        let mut plans = Vec::new();
        for host in chosen(new, &command.hosts)? {
            match installed_plan(new, &host) {
                Ok(plan) => plans.push(plan),
                Err(error) if command.hosts.goes_on(&host) => {
                    failed.push(FailedHost { host: host.name, reason: error.to_string() });
                }
                Err(error) => return Err(error),
            }
        }
        plans
    } else {
        let out = command.registry.out(command.out.as_deref());
        let old = match against {
            None if !out.exists() => {
                let out = out.to_string_lossy();
                session::print_stderr(&format!(
                    "there is no last build in {}: everything is new\n",
                    quoted(&out)
                ));
                Tree::empty(&new.deployment)
            }
            None => folder(&out)?,
            Some(place) if Path::new(place).is_dir() => folder(Path::new(place))?,
            Some(place) => revision(&out, place)?,
        };
        plans(&old, new, &command.hosts.host)?
    };
    Ok(PlanReport {
        format_version: 1,
        stack: new.deployment.stack.clone(),
        against: against.unwrap_or(LAST_BUILD).to_owned(),
        changes: hosts.iter().any(|plan| !plan.is_empty() || !plan.roles.is_empty()),
        hosts,
        failed,
    })
}

/// The plan of a host, compared with what is installed there.
fn installed_plan(new: &Tree, host: &ChosenHost) -> Result<HostPlan, DeployError> {
    let HostPlace::Ssh(address) = &host.place else {
        let manager = Systemd { scope: scope_of(new), is_verbose: false };
        let deployer = Deployer::new(layout_of(new, None)?, Some(&manager), 0);
        return Ok(deployer.prepare(new, &host.name)?.plan);
    };
    let request = Request::new(Action::Plan, (new, &host.name), (None, false))?;
    let (_, reply) = Connection::open(&host.name, address)?.send(&request, reading(new))?;
    reply.plan.clone().ok_or_else(|| reply.error(&host.name))
}

/// The plans of all hosts, if all services of the old output run.
fn plans(old: &Tree, new: &Tree, only: &[String]) -> Result<Vec<HostPlan>, DeployError> {
    for name in only {
        host_name(new, Some(name))?;
    }
    let is_chosen = |name: &str| only.is_empty() || only.iter().any(|one| one == name);
    let all = [new, old].into_iter().flat_map(|tree| &tree.deployment.hosts);
    let mut seen_names = BTreeSet::new();
    let names = all.map(|host| &*host.name).filter(|name| is_chosen(name));
    let names: Vec<&str> = names.filter(|name| seen_names.insert(*name)).collect();
    let plan = |name: &&str| {
        let (before, after) = (old.host(Some(name)), new.host(Some(name)));
        let target = |tree, host| Target { tree, host };
        let (old, new) = (target(old, before), target(new, after));
        let seen = before.map_or_else(Seen::nothing, |host| Seen::assumed(old.tree, host));
        let known = [old.installed_files()];
        plan_host(&PlanInput { old, new, seen: &seen, known: &known })
    };
    Ok(names.iter().map(plan).collect())
}
