//! `orchgen status`: compares what runs on hosts with what was applied. Nothing is changed.

mod table;

pub(super) use table::escaped;
pub use table::human;

use super::args::HostArgs;
use super::fleet::{ChosenHost, HostPlace, chosen, reading};
use super::here::is_here;
use super::host::{host_name, layout, scope_of};
use super::http::Http;
use super::on_host::{Action, Request};
use super::ssh::Connection;
use super::system::{Systemd, now_micros};
use crate::cli::args::{DataFormat, OutputArgs};
use crate::cli::folders::default_out;
use crate::cli::{RunStatus, session};
use crate::deploy::{
    DeployError, FailedHost, Manager, OutFolder, STATUS_VERSION, StackStatus, StatusInput, StatusReport,
    Tree, stacks, status,
};
use crate::diag::words::{printable, quoted};
use crate::hir::UnitScope;
use clap::Args as Arguments;
use std::path::{Path, PathBuf};

pub(in crate::cli) const STATUS_HELP: &str = "Exit codes:
  0  the host agrees with the output
  1  differences: a role does not run or is not healthy, other arguments, a changed model file, edited units, out/
     differs from the current generation, an unfinished `apply`, or a host that does not answer
  2  usage or I/O error

Examples:
  sudo orchgen status             root can also examine the mapped files of all processes
  orchgen status --host small     another machine, over ssh
  orchgen status --all-hosts      each host of the registry
  orchgen status --output-format json | jq '.stacks[].roles[] | {name, state}'";

#[derive(Arguments, Debug)]
pub(in crate::cli) struct StatusArgs {
    /// Folder with the output of `orchgen build`, to compare with the current generation. The default is `out`, next to
    /// the registry, if it exists
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    #[command(flatten)]
    hosts: HostArgs,
    /// Name of the stack. The default are all installed stacks and the stack of the output
    #[arg(long, value_name = "NAME")]
    stack: Option<String>,
    /// Examine the system below this folder, which does not run: only files are compared
    #[arg(long, value_name = "FOLDER")]
    root: Option<PathBuf>,
    /// Output format
    #[arg(long = "output-format", value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    format: DataFormat,
}

/// The output folder.
struct Out {
    name: String,
    tree: Tree,
}

pub(in crate::cli) fn run(command: &StatusArgs, output: OutputArgs) -> RunStatus {
    let report = match report(command) {
        Ok(report) => report,
        Err(error) => return session::fail(printable_lines(&error.to_string())),
    };
    for host in &report.failed {
        session::fail(&host.reason);
    }
    let text = match command.format {
        DataFormat::Human => human(&report, session::style(output, &std::io::stdout())),
        DataFormat::Json => session::json_line(&report),
    };
    let printed = session::print_stdout(&text);
    if printed == RunStatus::Clean && !report.agrees { RunStatus::Findings } else { printed }
}

/// A text from the host without control characters.
fn printable_lines(text: &str) -> String {
    text.lines().map(table::escaped).collect::<Vec<_>>().join("\n")
}

fn report(command: &StatusArgs) -> Result<StatusReport, DeployError> {
    let (out, problem) = read_out(command)?;
    let (mut all, mut failed) = (Vec::new(), Vec::new());
    for host in hosts(command, out.as_ref())? {
        let found = match (&host, out.as_ref()) {
            (Some(ChosenHost { name, place: HostPlace::Ssh(address) }), Some(out)) => {
                there(out, name, address)
            }
            _ => here(command, out.as_ref(), host.as_ref().map(|host| &*host.name)),
        };
        match (found, host) {
            (Ok(stacks), _) => all.extend(stacks),
            (Err(error), Some(host)) if command.hosts.goes_on(&host) => {
                failed.push(FailedHost { host: host.name, reason: error.to_string() });
            }
            (Err(error), _) => return Err(error),
        }
    }
    if let Some(stack) = all.first_mut() {
        stack.notes.extend(problem.map(|problem| format!("not compared with the output: {problem}")));
    }
    let agrees = failed.is_empty() && all.iter().all(|stack| stack.all_differences().next().is_none());
    Ok(StatusReport { format_version: STATUS_VERSION, agrees, stacks: all, failed })
}

/// The hosts to report. `None` is this machine, with the hosts of its generations.
fn hosts(command: &StatusArgs, out: Option<&Out>) -> Result<Vec<Option<ChosenHost>>, DeployError> {
    if !command.hosts.is_given() {
        return Ok(vec![None]);
    }
    match (out, &*command.hosts.host) {
        (Some(out), _) if command.root.is_none() => {
            let own = &out.tree.deployment.stack;
            if let Some(other) = command.stack.as_ref().filter(|stack| *stack != own) {
                return Err(DeployError::new(format!(
                    "`--host` is about the hosts of the output, whose stack is {}, not {}: leave out `--host`, or write `--out`",
                    quoted(own),
                    quoted(other)
                )));
            }
            Ok(chosen(&out.tree, &command.hosts)?.into_iter().map(Some).collect())
        }
        (_, [only]) if command.root.is_some() || command.hosts.local || is_here(only, None) => {
            Ok(vec![Some(ChosenHost { name: only.clone(), place: HostPlace::Here })])
        }
        (None, _) => Err(DeployError::new(
            "the addresses of the hosts are in the output of `orchgen build`: run it, or write `--out`",
        )),
        (Some(_), _) => Err(DeployError::new("`--root` is about one host: write one `--host`")),
    }
}

/// The stacks of this machine.
fn here(
    command: &StatusArgs,
    out: Option<&Out>,
    host: Option<&str>,
) -> Result<Vec<StackStatus>, DeployError> {
    let question =
        Question { root: command.root.as_deref(), host, is_default: command.out.is_none(), is_remote: false };
    let stacks = chosen_stacks(command, out)?;
    stacks.iter().map(|(stack, scope)| stack_status(&question, out, (stack, *scope))).collect()
}

/// The stack of the output on another machine.
fn there(out: &Out, host: &str, address: &str) -> Result<Vec<StackStatus>, DeployError> {
    let request = Request::new(Action::Status, (&out.tree, host), (None, false))?;
    let (_, reply) = Connection::open(host, address)?.send(&request, reading(&out.tree))?;
    let stacks = reply.status.as_ref().map(|report| report.stacks.clone());
    stacks.ok_or_else(|| reply.error(host))
}

/// The state of a host for another machine, which sent its output.
pub(super) fn for_another((tree, host): (&Tree, &str)) -> Result<StatusReport, DeployError> {
    let out = Out { name: "out".to_owned(), tree: tree.clone() };
    let question = Question { root: None, host: Some(host), is_default: true, is_remote: true };
    let stack = stack_status(&question, Some(&out), (&tree.deployment.stack, scope_of(tree)))?;
    let agrees = stack.all_differences().next().is_none();
    Ok(StatusReport { format_version: STATUS_VERSION, agrees, stacks: vec![stack], failed: Vec::new() })
}

/// The output folder, or why a default folder cannot be read. One that orchgen did not write is ignored.
fn read_out(command: &StatusArgs) -> Result<(Option<Out>, Option<String>), DeployError> {
    let folder = command.out.clone().unwrap_or_else(default_out);
    let name = folder.to_string_lossy().into_owned();
    match Tree::read(&folder) {
        Ok(tree) => Ok((Some(Out { name, tree }), None)),
        Err(error) if command.out.is_some() => Err(error),
        Err(error) => Ok((None, Tree::is_described_in(&folder).then(|| error.to_string()))),
    }
}

/// The stacks to report: the given one, or all that are installed and that of the output. With the service manager of each.
fn chosen_stacks(command: &StatusArgs, out: Option<&Out>) -> Result<Vec<(String, UnitScope)>, DeployError> {
    let mut all = installed(command.root.as_deref())?;
    let of_out = out.map(|out| (out.tree.deployment.stack.clone(), scope_of(&out.tree)));
    // Hosts are those of the output.
    let is_of_out = command.out.is_some() && command.stack.is_none();
    if is_of_out || command.hosts.is_given() && of_out.is_some() {
        return Ok(of_out.into_iter().collect());
    }
    if let Some(own) = of_out.filter(|own| !all.contains(own)) {
        all.push(own);
    }
    if let Some(stack) = &command.stack {
        let known: Vec<String> = all.iter().map(|(name, _)| quoted(name)).collect();
        all.retain(|(name, _)| name == stack);
        if all.is_empty() {
            let known = if known.is_empty() {
                "no stack is".to_owned()
            } else {
                format!("only {}", known.join(", "))
            };
            return Err(DeployError::new(format!("{} is not installed, {known}", quoted(stack))));
        }
    }
    if all.is_empty() {
        return Err(DeployError::new(
            "no stack is installed, and there is no folder `out`: run `orchgen build` and `orchgen apply`, or write `--out`",
        ));
    }
    Ok(all)
}

/// The installed stacks: those of the system, then those of this user.
fn installed(root: Option<&Path>) -> Result<Vec<(String, UnitScope)>, DeployError> {
    let of_system = stacks(&layout("", UnitScope::System, root)?.state)?
        .into_iter()
        .map(|name| (name, UnitScope::System));
    // Services without a home have no stacks of a user.
    let of_user = layout("", UnitScope::User, root).ok().map(|layout| stacks(&layout.state)).transpose()?;
    Ok(of_system.chain(of_user.into_iter().flatten().map(|name| (name, UnitScope::User))).collect())
}

/// A question about the stacks of this machine.
struct Question<'q> {
    /// The folder of a system that does not run.
    root: Option<&'q Path>,
    /// The name of the host.
    host: Option<&'q str>,
    /// True if `orchgen apply` finds the output without `--out`.
    is_default: bool,
    /// True if another machine asks.
    is_remote: bool,
}

fn stack_status(
    question: &Question<'_>,
    out: Option<&Out>,
    (stack, scope): (&str, UnitScope),
) -> Result<StackStatus, DeployError> {
    let root = question.root;
    let layout = layout(stack, scope, root)?;
    let systemd = Systemd { scope, is_verbose: false };
    let is_same = |out: &&Out| out.tree.deployment.stack == stack && scope_of(&out.tree) == scope;
    let out = out.filter(is_same);
    let has_generation = crate::deploy::State::new(layout.state.clone()).current()?.is_some();
    let host = match out.filter(|_| !has_generation) {
        Some(out) => Some(host_name(&out.tree, question.host)?),
        None => question.host.map(str::to_owned),
    };
    let input = StatusInput {
        layout: &layout,
        manager: root.is_none().then_some(&systemd as &dyn Manager),
        web: &Http,
        out: out.map(|out| OutFolder { name: &out.name, is_default: question.is_default, tree: &out.tree }),
        host: host.as_deref(),
        is_remote: question.is_remote,
        now: now_micros(),
    };
    status(&input).map_err(|error| DeployError::new(format!("stack {}: {error}", quoted(&printable(stack)))))
}
