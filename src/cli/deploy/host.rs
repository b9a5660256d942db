//! The stack and the host that a command is about: folders, the name of this machine, installed stacks.
#![expect(clippy::disallowed_methods, reason = "the environment names the folders of the user")]

use super::here::{has_name, is_here};
use crate::deploy::{DeployError, Generation, Layout, State, Tree, UserFolders, is_of_user, stacks};
use crate::diag::words;
use crate::hir::UnitScope;
use crate::render::deployment::DeployedHost;
use crate::render::quote::shell;
use std::path::{Path, PathBuf};

/// The folders of the user, from `XDG_CONFIG_HOME`, `XDG_STATE_HOME` and `HOME`.
fn user_folders() -> Result<UserFolders, DeployError> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || {
        folder("HOME")
            .ok_or_else(|| DeployError::new("`HOME` is not set: the folders of the user are unknown"))
    };
    Ok(UserFolders {
        config: folder("XDG_CONFIG_HOME").map_or_else(|| Ok(home()?.join(".config")), Ok)?,
        state: folder("XDG_STATE_HOME").map_or_else(|| Ok(home()?.join(".local/state")), Ok)?,
    })
}

/// The service manager of the stack of some output.
pub(super) fn scope_of(tree: &Tree) -> UnitScope {
    if is_of_user(&tree.deployment) { UnitScope::User } else { UnitScope::System }
}

/// The root folder of the system.
const ROOT: &str = "/";

/// The folders of a stack. `root` is the folder of another system.
pub(super) fn layout(stack: &str, scope: UnitScope, root: Option<&Path>) -> Result<Layout, DeployError> {
    let root = root.unwrap_or(Path::new(ROOT));
    if scope == UnitScope::System {
        return Ok(Layout::new(root, None, stack));
    }
    let UserFolders { config, state } = user_folders()?;
    let below = |path: PathBuf| root.join(path.strip_prefix(ROOT).unwrap_or(&path));
    Ok(Layout::new(root, Some(&UserFolders { config: below(config), state: below(state) }), stack))
}

/// The folders of the stack of some output.
pub(super) fn layout_of(tree: &Tree, root: Option<&Path>) -> Result<Layout, DeployError> {
    layout(&tree.deployment.stack, scope_of(tree), root)
}

/// The name of the host: the given one, the only one, or the one that is this machine.
pub(super) fn host_name(tree: &Tree, given: Option<&str>) -> Result<String, DeployError> {
    let hosts = &tree.deployment.hosts;
    let names: Vec<String> = hosts.iter().map(|host| words::quoted(&host.name)).collect();
    let known = words::any_of(&names);
    match (given, &**hosts) {
        (Some(given), _) if hosts.iter().any(|host| host.name == given) => Ok(given.to_owned()),
        (Some(given), _) => {
            Err(DeployError::new(format!("the stack has no host {}, only {known}", words::quoted(given))))
        }
        (None, [only]) => Ok(only.name.clone()),
        (None, _) => {
            let mut own = hosts.iter().filter(|host| is_here(&host.name, host.address.as_deref()));
            match (own.next(), own.next(), hosts.iter().find(|host| has_name(&host.name))) {
                (Some(only), None, _) => Ok(only.name.clone()),
                (None, _, Some(named)) => Err(only_name(named)),
                (found, ..) => {
                    let some = if found.is_some() { "several have" } else { "none has" };
                    Err(DeployError::new(format!(
                        "the stack has several hosts, and {some} the name or the address of this machine: write `--host` with {known}, or `--all-hosts`"
                    )))
                }
            }
        }
    }
}

/// The error of a host whose name is that of this machine, but whose address is not.
pub(super) fn only_name(host: &DeployedHost) -> DeployError {
    DeployError::new(format!(
        "this machine has the name of host {name}, but not its address {}: write `--host {} --local` if it is the host, or correct \
         the `address`",
        host.address.as_deref().unwrap_or_default(),
        shell(&host.name),
        name = words::quoted(&host.name)
    ))
}

/// The layout of an installed stack: the given one, or the only one.
pub(super) fn installed(
    stack: Option<&str>,
    scope: UnitScope,
    root: Option<&Path>,
) -> Result<Layout, DeployError> {
    if let Some(stack) = stack {
        return layout(stack, scope, root);
    }
    let folder = layout("", scope, root)?.state;
    let found = stacks(&folder)?;
    match &*found {
        [only] => layout(only, scope, root),
        [] => {
            let hint = if scope == UnitScope::User { "" } else { "; for units of a user, write `--user`" };
            Err(DeployError::new(format!(
                "nothing is installed below {}: run `orchgen apply` first{hint}",
                folder.display()
            )))
        }
        several => {
            let names: Vec<String> = several.iter().map(|name| words::quoted(name)).collect();
            Err(DeployError::new(format!(
                "several stacks are installed: write `--stack` with {}",
                words::any_of(&names)
            )))
        }
    }
}

/// The names of the stacks of the system and of this user that are installed. Folders that cannot be read have none.
pub(in crate::cli) fn installed_stacks() -> Vec<String> {
    let of = |scope| stacks(&layout("", scope, None)?.state);
    let found = [UnitScope::System, UnitScope::User].map(|scope| of(scope).unwrap_or_default());
    found.concat()
}

/// The generations of an installed stack, each with its host: the given stack, or the only one. Empty if they cannot be
/// read.
pub(in crate::cli) fn installed_generations(stack: Option<&str>) -> Vec<(u32, String)> {
    let scopes = [UnitScope::System, UnitScope::User].into_iter();
    let found =
        scopes.filter_map(|scope| State::new(installed(stack, scope, None).ok()?.state).generations().ok());
    let describe = |one: Generation| {
        let mark = if one.is_current { ", current" } else { "" };
        (one.number, format!("host {}{mark}", one.host))
    };
    found.flatten().map(describe).collect()
}
