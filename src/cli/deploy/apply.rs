//! `orchgen apply` and `rollback`.

use super::args::{ApplyArgs, ChangeArgs, RollbackArgs};
use super::fleet::{ChosenHost, HostPlace, chosen, left_out, reading};
use super::host::{installed, layout_of, scope_of};
use super::on_host::{Action, Request};
use super::ssh::{Connection, Rights};
use super::system::{Systemd, ask_user, now_micros};
use super::text;
use super::wanted::{folder, wanted_units};
use crate::cli::args::OutputArgs;
use crate::cli::folders::RegistryFolder;
use crate::cli::{RunStatus, session};
use crate::deploy::{
    Applied, DeployError, Deployer, Failure, HostPlan, Layout, Outcome, Prepared, Tree, is_root,
};
use crate::diag::words::{any_of, printable, quoted};
use crate::hir::UnitScope;
use crate::render::quote::shell;
use crate::source::is_registry;

pub(in crate::cli) fn apply(command: &ApplyArgs, output: OutputArgs) -> Result<RunStatus, RunStatus> {
    let registry = RegistryFolder::default();
    let out = registry.out(command.out.as_deref());
    if !out.exists() {
        let out = quoted(&out.to_string_lossy());
        return Err(session::fail(format!(
            "there is no folder {out}: run `orchgen build`, or write `--out FOLDER`"
        )));
    }
    let new = folder(&out).map_err(session::fail)?;
    let hosts = chosen(&new, &command.hosts).map_err(session::fail)?;
    if command.change.root.is_some() && hosts.iter().any(|host| host.place != HostPlace::Here) {
        return Err(session::fail("`--root` is a folder of this machine: write one `--host`, and `--local`"));
    }
    if hosts.len() > 1 && command.change.id.is_some() {
        return Err(session::fail("`--plan` is the plan of one host: write one `--host`"));
    }
    if command.out.is_none() && is_registry(registry.path()) {
        let built = wanted_units(&registry, output)?;
        let part = |tree: &Tree, name| tree.host(Some(name)).map(|host| tree.installed_part(host));
        if hosts.iter().any(|host| part(&built, &host.name) != part(&new, &host.name)) {
            session::print_stderr(
                "error: out/ differs from the registry: run `orchgen build`, then apply again\n",
            );
            return Err(RunStatus::Findings);
        }
    }
    check_users(&new, &hosts, command)?;
    Ok(apply_all(&new, &hosts, &command.change, output))
}

/// Changes hosts one after another. Returns the worst status. A host without a connection was not changed, so the others go on.
/// After any other failure they do not, because the same change can fail there.
fn apply_all(new: &Tree, hosts: &[ChosenHost], options: &ChangeArgs, output: OutputArgs) -> RunStatus {
    let mut worst = RunStatus::Clean;
    for (host, after) in hosts.iter().zip(1..) {
        let status = match &host.place {
            HostPlace::Here => change((new, &host.name), options, output, Change::Apply),
            HostPlace::Ssh(address) => match Connection::open(&host.name, address) {
                Ok(connection) => apply_remote((new, &host.name), &connection, options, output),
                Err(error) => {
                    worst = worst.max(session::fail(error));
                    continue;
                }
            },
        };
        let status = status.unwrap_or_else(|status| status);
        worst = worst.max(status);
        if status != RunStatus::Clean {
            let why = if status == RunStatus::Findings { "" } else { ", because of the failure" };
            if let Some(text) = left_out(hosts.get(after..).unwrap_or_default(), why) {
                session::print_stderr(&text);
            }
            break;
        }
    }
    worst
}

/// Fails if no user can change all hosts: this machine needs root, and ssh the configuration of the user.
fn check_users(new: &Tree, hosts: &[ChosenHost], command: &ApplyArgs) -> Result<(), RunStatus> {
    let is_own = |host: &&ChosenHost| host.place == HostPlace::Here;
    let (own, others): (Vec<&ChosenHost>, Vec<&ChosenHost>) = hosts.iter().partition(is_own);
    let needs_root = scope_of(new) == UnitScope::System && !command.change.dry_run && !is_root();
    let Some(own) = own.first().filter(|_| needs_root && !others.is_empty()) else { return Ok(()) };
    let options = command.options();
    let others: Vec<String> = others.iter().map(|host| format!("--host {}", shell(&host.name))).collect();
    Err(session::fail(format!(
        "only root can change this machine, and `sudo` would use the ssh configuration of root: run \
         `sudo orchgen apply --host {}{options}`, then `orchgen apply {}{options}`",
        shell(&own.name),
        others.join(" ")
    )))
}

/// Plans on another machine, asks here, and applies there.
fn apply_remote(
    (new, name): (&Tree, &str),
    connection: &Connection,
    options: &ChangeArgs,
    output: OutputArgs,
) -> Result<RunStatus, RunStatus> {
    let is_user = scope_of(new) == UnitScope::User;
    let (preparing, rights) = match (options.dry_run, is_user) {
        (true, _) => (Action::Plan, reading(new)),
        (false, true) => (Action::Prepare, Rights::User),
        (false, false) => (Action::Prepare, Rights::Root),
    };
    let request = |action, id| {
        let request = Request::new(action, (new, name), (id, options.force)).map_err(session::fail)?;
        Ok::<_, RunStatus>(request.with_output(output))
    };
    let (status, reply) =
        connection.send(&request(preparing, options.id.clone())?, rights).map_err(session::fail)?;
    let Some(plan) = reply.plan.filter(|_| status == RunStatus::Clean) else {
        // The other side printed the reason.
        return Err(if status == RunStatus::Clean { RunStatus::CannotRun } else { status });
    };
    show(&plan, output);
    if options.dry_run {
        return Ok(print_commands(&plan, scope_of(new).systemctl()));
    }
    if !options.yes && !plan.is_empty() {
        accept(&plan)?;
    }
    let request = request(Action::Apply, Some(plan.id))?;
    connection.send(&request, rights).map(|(status, _)| status).map_err(|error| {
        let status = session::fail(error);
        session::print_stderr("the host may be changed in part: run the command again to repair it\n");
        status
    })
}

pub(in crate::cli) fn rollback(command: &RollbackArgs, output: OutputArgs) -> Result<RunStatus, RunStatus> {
    let root = command.change.root.as_deref();
    let target = || -> Result<(Tree, u32, String), DeployError> {
        let layout = installed(command.stack.stack.as_deref(), command.stack.scope(), root)?;
        let state = Deployer::new(layout, None, 0).state;
        let all = state.generations()?;
        let current = state.current()?;
        let number = match command.number {
            Some(number) => number,
            // An unfinished run has not replaced the current generation.
            None if state.journal()?.is_some() && current.is_some() => current.unwrap_or_default(),
            None => {
                let previous = all.iter().find(|one| one.is_current).and_then(|one| one.previous);
                let before = all.iter().find(|one| Some(one.number) == previous).or_else(|| {
                    all.iter().rev().find(|one| current.is_some_and(|current| one.number < current))
                });
                before
                    .map(|one| one.number)
                    .ok_or_else(|| DeployError::new("there is no generation before the current one"))?
            }
        };
        let Some(found) = all.iter().find(|one| one.number == number) else {
            let numbers: Vec<String> = all.iter().map(|one| one.number.to_string()).collect();
            if numbers.is_empty() {
                return Err(DeployError::new("there is no generation: run `orchgen apply` first"));
            }
            return Err(DeployError::new(format!(
                "there is no generation {number}, only {}",
                any_of(&numbers)
            )));
        };
        Ok((state.tree(number)?, number, found.host.clone()))
    };
    let (tree, number, host) = target().map_err(session::fail)?;
    change((&tree, &host), &command.change, output, Change::Rollback(number))
}

/// Why a host changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Change {
    /// It gets new output.
    Apply,
    /// It gets new output, and the user has seen the plan on another machine.
    Agreed,
    /// It returns to this generation.
    Rollback(u32),
}

/// Plans, shows the plan, asks, and applies it.
pub(super) fn change(
    (new, name): (&Tree, &str),
    options: &ChangeArgs,
    output: OutputArgs,
    why: Change,
) -> Result<RunStatus, RunStatus> {
    let rollback = match why {
        Change::Rollback(number) => Some(number),
        Change::Apply | Change::Agreed => None,
    };
    let layout = layout_of(new, options.root.as_deref()).map_err(session::fail)?;
    let scope = scope_of(new);
    check_rights(options, scope)?;
    let systemd = Systemd { scope, is_verbose: !output.quiet };
    let manager = options.root.is_none().then_some(&systemd as &dyn crate::deploy::Manager);
    let mut deployer = Deployer::new(layout, manager, now_micros() / 1_000_000);
    deployer.is_forced = options.force;
    let prepare = || deployer.prepare(new, name).map_err(session::fail);
    if options.dry_run {
        let prepared = prepare()?;
        show_interruption(&prepared);
        show(&prepared.plan, output);
        return Ok(print_commands(&prepared.plan, scope.systemctl()));
    }
    let waiting = || session::print_stderr("waiting for another `orchgen apply` of this stack to finish\n");
    let _lock = deployer.state.lock(&waiting).map_err(session::fail)?;
    let mut prepared = prepare()?;
    if let (Some(number), Some(current)) = (rollback, prepared.current) {
        let stack = quoted(&new.deployment.stack);
        session::print_stderr(&format!(
            "returning {stack} from generation {current} to generation {number}\n"
        ));
    }
    if why != Change::Agreed {
        show_interruption(&prepared);
        show(&prepared.plan, output);
    }
    agree(&prepared, options, &deployer.layout)?;
    if !options.yes && !prepared.plan.is_empty() {
        prepared = confirmed(&prepared, prepare)?;
    }
    let outcome = deployer.apply((new, name), &prepared, rollback).map_err(|error| {
        let status = session::fail(error);
        if deployer.state.journal().is_ok_and(|journal| journal.is_some()) {
            session::print_stderr("the host may be changed in part: run the command again to repair it\n");
        }
        status
    })?;
    if options.root.is_some() && !matches!(outcome, Outcome::Failed(_)) {
        enable_below(new, name, options)?;
    }
    Ok(report(outcome, &prepared, output))
}

/// Fails if the user may not change the host.
fn check_rights(options: &ChangeArgs, scope: UnitScope) -> Result<(), RunStatus> {
    let is_user = scope == UnitScope::User;
    if !options.dry_run && options.root.is_none() && !is_user && !is_root() {
        return Err(session::fail("only root can install units of the system: run the command with `sudo`"));
    }
    if is_user && options.root.is_none() && is_root() {
        session::print_stderr(
            "note: the stack has `scope=\"user\"`, and this is root: its units will run as root\n",
        );
    }
    Ok(())
}

/// Asks the user.
fn accept(plan: &HostPlan) -> Result<(), RunStatus> {
    if ask_user("Apply this plan? [y/N] ") {
        return Ok(());
    }
    session::print_stderr(&format!("host {} was not changed\n", quoted(&plan.host)));
    Err(RunStatus::Findings)
}

/// Asks the user, and plans again: the host may have changed in the meantime.
fn confirmed(
    prepared: &Prepared,
    prepare: impl Fn() -> Result<Prepared, RunStatus>,
) -> Result<Prepared, RunStatus> {
    accept(&prepared.plan)?;
    let again = prepare()?;
    if again.plan.id != prepared.plan.id {
        session::print_stderr(
            "error: the host changed since the plan was shown: nothing was changed; apply again\n",
        );
        return Err(RunStatus::Findings);
    }
    Ok(again)
}

/// Refuses edited files, and another plan than the requested one.
pub(super) fn agree(prepared: &Prepared, options: &ChangeArgs, layout: &Layout) -> Result<(), RunStatus> {
    if let Some(id) = options.id.as_ref().filter(|id| **id != prepared.plan.id) {
        session::print_stderr(&format!(
            "error: {} is not the number of the plan, which is {}: the host or the output may have changed since; \
             nothing was changed\n",
            quoted(id),
            prepared.plan.id
        ));
        return Err(RunStatus::Findings);
    }
    let path = |key: &str| quoted(&layout.path(key).to_string_lossy());
    let conflicts: Vec<String> = prepared.plan.conflicts().map(path).collect();
    if conflicts.is_empty() || options.force {
        return Ok(());
    }
    session::print_stderr(&format!(
        "error: these files were edited on the host, or orchgen did not install them: {}\n\
         To keep your changes, move them to drop-ins (`systemctl edit UNIT`) and remove the files. To replace the files, write \
         `--force`: their content is saved. Nothing was changed.\n",
        conflicts.join(", ")
    ));
    Err(RunStatus::Findings)
}

/// Reports a run that did not end.
pub(super) fn show_interruption(prepared: &Prepared) {
    if let Some(last) = &prepared.interrupted {
        let last =
            if last.is_empty() { String::new() } else { format!(" (its last step: {})", printable(last)) };
        session::print_stderr(&format!(
            "the last run did not end{last}; this plan starts from what it left\n"
        ));
    }
}

/// Prints the plan before it is applied.
fn show(plan: &HostPlan, output: OutputArgs) {
    if !output.quiet {
        let style = session::style(output, &std::io::stderr());
        session::print_stderr(&text::host_plan(plan, style));
    }
}

/// Prints the commands of a plan.
fn print_commands(plan: &HostPlan, systemctl: &str) -> RunStatus {
    let mut commands = format!("# on {}\n", printable(&plan.host));
    for step in &plan.steps {
        let words = step.arguments();
        let line = match step.socket.as_ref() {
            _ if !words.is_empty() => format!("{systemctl} {}", words.join(" ")),
            Some((address, port)) => {
                format!("# load {} by a connection to {address}:{port}", step.units.join(" "))
            }
            None => format!("# {}", text::step_text(step, plan)),
        };
        commands.push_str(&line);
        commands.push('\n');
    }
    session::print_stdout(&commands)
}

/// Enables the target in a system that does not run.
fn enable_below(new: &Tree, name: &str, options: &ChangeArgs) -> Result<(), RunStatus> {
    let target = new.host(Some(name)).and_then(|host| host.target.as_deref());
    let (Some(target), Some(root), UnitScope::System) = (target, &options.root, scope_of(new)) else {
        return Ok(());
    };
    super::system::enable_below(root, target).map_err(session::fail)
}

fn report(outcome: Outcome, prepared: &Prepared, output: OutputArgs) -> RunStatus {
    let print = |text: String| {
        if !output.quiet {
            session::print_stderr(&text);
        }
    };
    match outcome {
        Outcome::Unchanged => {
            print("the host is up to date\n".to_owned());
            RunStatus::Clean
        }
        Outcome::Applied(Applied { number, still_down, saved }) => {
            if let Some(folder) = saved {
                print(format!("the edited files are saved in {}\n", folder.display()));
            }
            print(format!("applied: generation {number} is current\n"));
            for why in still_down {
                session::print_stderr(&format!(
                    "warning: a role that did not change was down, and does not start: {}\n",
                    printable(&why)
                ));
            }
            RunStatus::Clean
        }
        Outcome::Failed(failure) => {
            session::print_stderr(&failure_text(&failure, prepared));
            if failure.restored.is_ok() { RunStatus::Restored } else { RunStatus::Broken }
        }
    }
}

/// The failure in one paragraph.
fn failure_text(failure: &Failure, prepared: &Prepared) -> String {
    let role = failure.role.as_ref().map(|role| format!("{}: ", quoted(role))).unwrap_or_default();
    let message = failure
        .message
        .as_ref()
        .map(|message| format!(". Its last message: {}", quoted(message)))
        .unwrap_or_default();
    let before = prepared
        .current
        .map_or_else(|| "The state before".to_owned(), |number| format!("Generation {number}"));
    let end = match &failure.restored {
        Ok(()) if failure.role.is_none() => format!("{before} is restored"),
        Ok(()) => format!("{before} is restored, and its roles are verified"),
        Err(why) => format!(
            "{before} could not be restored: {}. Run `orchgen status`; `orchgen rollback` tries again",
            printable(why)
        ),
    };
    format!("error: {role}{}{message}. {end}.\n", printable(&failure.why))
}
