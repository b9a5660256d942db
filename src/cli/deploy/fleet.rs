//! The hosts that a command is about: this machine, or other machines over ssh.

use super::args::HostArgs;
use super::here::{has_name, is_here};
use super::host::{host_name, only_name, scope_of};
use super::ssh::Rights;
use crate::deploy::{DeployError, Tree};
use crate::diag::words::{all_of, quoted};
use crate::hir::UnitScope;
use crate::render::deployment::DeployedHost;

/// A host of a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct ChosenHost {
    /// Its name.
    pub(super) name: String,
    /// Where it is.
    pub(super) place: HostPlace,
}

/// Where a host is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum HostPlace {
    /// This machine.
    Here,
    /// Another machine, at this address.
    Ssh(String),
}

/// The chosen hosts in the order of declaration. Without a choice: the only host, or the one that is this machine.
pub(super) fn chosen(tree: &Tree, given: &HostArgs) -> Result<Vec<ChosenHost>, DeployError> {
    let here = |name| ChosenHost { name, place: HostPlace::Here };
    if !given.is_given() {
        return Ok(vec![here(host_name(tree, None)?)]);
    }
    for name in &given.host {
        host_name(tree, Some(name))?;
    }
    let is_chosen = |host: &&DeployedHost| given.all_hosts || given.host.contains(&host.name);
    let hosts: Vec<&DeployedHost> = tree.deployment.hosts.iter().filter(is_chosen).collect();
    if let [only] = &*hosts
        && given.local
    {
        return Ok(vec![here(only.name.clone())]);
    }
    if given.local {
        return Err(DeployError::new("`--local` is about one host: write one `--host`"));
    }
    let all = hosts.iter().map(|host| Ok(ChosenHost { name: host.name.clone(), place: place(host, tree)? }));
    let all: Vec<ChosenHost> = all.collect::<Result<_, DeployError>>()?;
    let is_own = |host: &&ChosenHost| host.place == HostPlace::Here;
    let own: Vec<String> = all.iter().filter(is_own).map(|host| quoted(&host.name)).collect();
    if own.len() > 1 {
        return Err(DeployError::new(format!(
            "this machine is {}: correct the `address` of the hosts",
            all_of(&own)
        )));
    }
    Ok(all)
}

fn place(host: &DeployedHost, tree: &Tree) -> Result<HostPlace, DeployError> {
    let address = host.address.as_deref();
    if is_here(&host.name, address) {
        return Ok(HostPlace::Here);
    }
    let name = quoted(&host.name);
    match address {
        Some(_) if has_name(&host.name) => Err(only_name(host)),
        Some(address) => Ok(HostPlace::Ssh(address.to_owned())),
        // The only host of a registry is this machine, although names differ.
        None if tree.deployment.hosts.len() == 1 => Ok(HostPlace::Here),
        None => Err(DeployError::new(format!(
            "host {name} has no `address`, and this machine has another name: write `address` in the host and run `orchgen build`, \
             or write `--local` if this machine is {name}"
        ))),
    }
}

/// The rights to read the state of a host: root can read all of it.
pub(super) fn reading(tree: &Tree) -> Rights {
    if scope_of(tree) == UnitScope::User { Rights::User } else { Rights::RootIfPossible }
}

/// A sentence about hosts after one that did not change. `why` begins with a comma, or is empty.
pub(super) fn left_out(hosts: &[ChosenHost], why: &str) -> Option<String> {
    let names: Vec<String> = hosts.iter().map(|host| quoted(&host.name)).collect();
    (!names.is_empty()).then(|| format!("not applied{why}: {}\n", all_of(&names)))
}
