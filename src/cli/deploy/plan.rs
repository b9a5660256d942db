//! `orchgen plan`: what a build or an installation would change.

use super::args::{PlanArgs, PlanFormat};
use super::host::{host_name, layout_of, scope_of};
use super::system::Systemd;
use super::wanted::{folder, revision, wanted_units};
use super::{markdown, text};
use crate::cli::args::OutputArgs;
use crate::cli::{RunStatus, session};
use crate::deploy::{DeployError, Deployer, HostPlan, PlanInput, Seen, Target, Tree, plan_host};
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
    let style = session::style(output, &std::io::stdout());
    let printed = session::print_stdout(&match command.format {
        PlanFormat::Human => text::plan(&report, style),
        PlanFormat::Json => session::json_line(&report),
        PlanFormat::Markdown => markdown::plan(&report),
    });
    if printed == RunStatus::Clean { Ok(report.changes) } else { Err(printed) }
}

fn report(command: &PlanArgs, new: &Tree) -> Result<PlanReport, DeployError> {
    let against = command.against.as_deref();
    let hosts = if against == Some(HOST) {
        let name = host_name(new, command.host.as_deref())?;
        let manager = Systemd { scope: scope_of(new), is_verbose: false };
        let deployer = Deployer::new(layout_of(new, None)?, Some(&manager), 0);
        vec![deployer.prepare(new, &name)?.plan]
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
        plans(&old, new, command.host.as_deref())?
    };
    Ok(PlanReport {
        format_version: 1,
        stack: new.deployment.stack.clone(),
        against: against.unwrap_or(LAST_BUILD).to_owned(),
        changes: hosts.iter().any(|plan| !plan.is_empty() || !plan.roles.is_empty()),
        hosts,
    })
}

/// The plans of all hosts, if all services of the old output run.
fn plans(old: &Tree, new: &Tree, only: Option<&str>) -> Result<Vec<HostPlan>, DeployError> {
    if let Some(name) = only {
        host_name(new, Some(name))?;
    }
    let all = [new, old].into_iter().flat_map(|tree| &tree.deployment.hosts);
    let mut seen_names = BTreeSet::new();
    let names = all.map(|host| &*host.name).filter(|name| only.is_none_or(|only| only == *name));
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
