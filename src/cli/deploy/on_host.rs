//! `orchgen on-host`: the other side of [`ssh`](super::ssh). It reads one request from standard input, and writes the answer to
//! standard output. The output to install is in the request, so the host needs no registry.

use super::apply::{Change, agree, change, show_interruption};
use super::args::ChangeArgs;
use super::host::{host_name, layout_of, scope_of};
use super::status::{self, escaped};
use super::system::Systemd;
use crate::cli::args::OutputArgs;
use crate::cli::{RunStatus, session};
use crate::deploy::{DeployError, Deployer, HostPlan, StatusReport, Tree, TreeFile};
use crate::diag::words::quoted;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Read};

/// The name of the command.
pub(super) const COMMAND: &str = "on-host";

/// The version of requests and answers.
const FORMAT_VERSION: u32 = 1;

/// The most bytes of a request.
const MAX_REQUEST: u64 = 1 << 30;

/// The action on the host.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Action {
    /// Compare the output with the host.
    Plan,
    /// The same, and fail if the plan cannot be applied.
    Prepare,
    /// Apply the plan with an id.
    Apply,
    /// Report the state of the host.
    Status,
}

/// A request.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub(super) struct Request {
    format_version: u32,
    action: Action,
    /// The name of the host.
    host: String,
    /// The files that are installed there, with their description.
    files: BTreeMap<String, RequestFile>,
    /// The plan to apply.
    id: Option<String>,
    /// True to replace edited files.
    force: bool,
    /// True to print only errors.
    quiet: bool,
}

/// A file of a request. All generated files are text.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
struct RequestFile {
    text: String,
    executable: bool,
}

/// The answer to a request.
#[derive(Serialize, Deserialize, Default, Debug)]
pub(super) struct Reply {
    /// The plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) plan: Option<HostPlan>,
    /// The state of the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<StatusReport>,
    /// The last message of a run that failed.
    #[serde(skip)]
    reason: String,
}

impl Reply {
    /// Reads a line. Control characters in texts are escaped, because they are printed on a terminal. `None` if it is no answer.
    pub(super) fn read(line: &str) -> Option<Self> {
        let mut value: Value = serde_json::from_str(line).ok()?;
        escape(&mut value);
        serde_json::from_value(value).ok()
    }

    /// Keeps the last message.
    pub(super) fn with_reason(self, reason: &str) -> Self {
        Self { reason: escaped(reason.trim_start_matches("error: ")), ..self }
    }

    /// The error of a host without the wanted answer.
    pub(super) fn error(&self, host: &str) -> DeployError {
        DeployError::new(format!("host {}: {}", quoted(host), self.reason))
    }
}

fn escape(value: &mut Value) {
    match value {
        Value::String(text) => *text = escaped(text),
        Value::Array(all) => all.iter_mut().for_each(escape),
        Value::Object(all) => all.values_mut().for_each(escape),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl Request {
    /// A request about a host, with the id of the plan to apply, and true to replace edited files.
    pub(super) fn new(
        action: Action,
        (tree, host): (&Tree, &str),
        (id, force): (Option<String>, bool),
    ) -> Result<Self, DeployError> {
        let part = tree.host(Some(host)).map(|host| tree.installed_part(host)).unwrap_or_default();
        let file = |(path, file): (String, TreeFile)| {
            let bad = |_| DeployError::new(format!("{} is no text", quoted(&path)));
            let text = String::from_utf8(file.bytes).map_err(bad)?;
            Ok((path, RequestFile { text, executable: file.executable }))
        };
        let files = part.files.into_iter().map(file).collect::<Result<_, _>>()?;
        Ok(Self {
            format_version: FORMAT_VERSION,
            action,
            host: host.to_owned(),
            files,
            id,
            force,
            quiet: false,
        })
    }

    /// The same request, whose run prints only errors if this run does.
    pub(super) fn with_output(self, output: OutputArgs) -> Self {
        Self { quiet: output.quiet, ..self }
    }

    pub(super) fn action(&self) -> Action {
        self.action
    }

    fn tree(&self) -> Result<Tree, DeployError> {
        let file = |file: &RequestFile| TreeFile {
            bytes: file.text.clone().into_bytes(),
            executable: file.executable,
        };
        Tree::new(self.files.iter().map(|(path, text)| (path.clone(), file(text))).collect(), "the output")
    }
}

pub(in crate::cli) fn run(output: OutputArgs) -> RunStatus {
    // An answer is printed in any case: without it, another program failed.
    let (status, reply) = run_request(output).unwrap_or_else(|status| (status, Reply::default()));
    let printed = session::print_stdout(&session::json_line(&reply));
    if printed == RunStatus::Clean { status } else { printed }
}

fn run_request(output: OutputArgs) -> Result<(RunStatus, Reply), RunStatus> {
    let request = read().map_err(session::fail)?;
    let tree = request.tree().map_err(session::fail)?;
    host_name(&tree, Some(&request.host)).map_err(session::fail)?;
    if request.action == Action::Apply && request.id.is_none() {
        return Err(session::fail("the request has no plan to apply"));
    }
    answer(&request, &tree, OutputArgs { quiet: request.quiet, ..output })
}

fn read() -> Result<Request, DeployError> {
    let mut input = std::io::stdin().lock();
    if input.is_terminal() {
        return Err(DeployError::new(
            "standard input is no request: run `orchgen plan`, `apply` or `status` with `--host` on another machine",
        ));
    }
    let mut bytes = Vec::new();
    let read = input.by_ref().take(MAX_REQUEST).read_to_end(&mut bytes);
    read.map_err(|error| DeployError::new(format!("cannot read the request: {error}")))?;
    let request: Request = serde_json::from_slice(&bytes)
        .map_err(|error| DeployError::new(format!("standard input is no request: {error}")))?;
    if request.format_version != FORMAT_VERSION {
        return Err(DeployError::new(format!(
            "the request has format {}, and this version of orchgen reads format {FORMAT_VERSION}",
            request.format_version
        )));
    }
    Ok(request)
}

fn answer(request: &Request, tree: &Tree, output: OutputArgs) -> Result<(RunStatus, Reply), RunStatus> {
    let options =
        ChangeArgs { yes: true, dry_run: false, id: request.id.clone(), force: request.force, root: None };
    let of_host = (tree, &*request.host);
    match request.action {
        Action::Apply => {
            change(of_host, &options, output, Change::Agreed).map(|status| (status, Reply::default()))
        }
        Action::Plan | Action::Prepare => {
            let plan = plan(of_host, &options, request.action)?;
            Ok((RunStatus::Clean, Reply { plan: Some(plan), ..Reply::default() }))
        }
        Action::Status => {
            let report = status::for_another(of_host).map_err(session::fail)?;
            Ok((RunStatus::Clean, Reply { status: Some(report), ..Reply::default() }))
        }
    }
}

fn plan((tree, host): (&Tree, &str), options: &ChangeArgs, action: Action) -> Result<HostPlan, RunStatus> {
    let systemd = Systemd { scope: scope_of(tree), is_verbose: false };
    let layout = layout_of(tree, None).map_err(session::fail)?;
    let mut deployer = Deployer::new(layout, Some(&systemd), 0);
    deployer.is_forced = options.force;
    let prepared = deployer.prepare(tree, host).map_err(session::fail)?;
    show_interruption(&prepared);
    if action == Action::Prepare {
        agree(&prepared, options, &deployer.layout)?;
    }
    Ok(prepared.plan)
}
