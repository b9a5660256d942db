//! The last lines of a build: the address and the names of each gateway, and the next command for the user.

use super::BuildArgs;
use crate::check::Checked;
use crate::derive::{ServedGateway, client_addresses};
use crate::diag::words;
use crate::emit::Written;
use crate::hir::{Registry, UnitScope};
use crate::render::ArtifactSet;
use crate::render::quote::shell;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

/// The data of the registry that decides about the next command.
pub(super) struct NextStep {
    /// Some models have no facts in the lock.
    needs_lock: bool,
    /// The file name of the systemd target of the stack.
    target: String,
    /// The service manager that runs the units.
    scope: UnitScope,
    /// A role has server processes.
    serves: bool,
    /// The lines about gateways.
    gateways: String,
}

impl NextStep {
    pub(super) fn new(checked: &Checked) -> Self {
        let (registry, lock) = (checked.registry(), &checked.derived().lock);
        Self {
            needs_lock: registry
                .models
                .iter()
                .any(|model| !lock.models.contains_key(&*model.head.name.value)),
            target: format!("{}.target", registry.stack.head.name.value),
            scope: registry.stack.scope,
            serves: registry.processes().next().is_some(),
            gateways: checked.derived().gateways.iter().map(|served| describe(registry, served)).collect(),
        }
    }

    /// The lines. They need no file and no state of the machine.
    pub(super) fn lines(
        &self,
        artifacts: &ArtifactSet<'_>,
        written: &Written,
        command: &BuildArgs,
    ) -> String {
        self.gateways.clone() + &self.line(artifacts, written, command)
    }

    fn line(&self, artifacts: &ArtifactSet<'_>, written: &Written, command: &BuildArgs) -> String {
        let paths = || artifacts.iter().map(|artifact| artifact.path().as_str());
        let at = |path: &str| shell(&command.out().join(path).to_string_lossy()).into_owned();
        if self.needs_lock {
            let lock = format!("orchgen lock{}", command.common.registry.operand());
            return format!(
                "next: run `{lock}` where the model files are, so that memory and drafts can be checked\n"
            );
        }
        if !self.serves {
            return "next: to serve a role, write its `port`\n".to_owned();
        }
        let folder_of = |path: &str| path.strip_suffix(&*self.target)?.strip_suffix('/').map(str::to_owned);
        let folders: Vec<String> = paths().filter_map(folder_of).collect();
        let Some(folder) = folders.first() else {
            let script = paths().find(|path| path.starts_with("bin/") && path.matches('/').count() == 1);
            return script.map(|path| format!("next: run `{}` to serve\n", at(path))).unwrap_or_default();
        };
        // A start does not restart a unit that is active, so units of an earlier build need a restart.
        let (target, systemctl) = (shell(&self.target), self.scope.systemctl());
        let has_presets = paths().any(|path| path.starts_with(PRESETS));
        let is_running =
            |path: &str| path.starts_with(folder.as_str()) || has_presets && path.starts_with(PRESETS);
        let start = if written.updated.iter().any(|path| is_running(path.as_str())) {
            format!("{systemctl} enable {target} && {systemctl} restart {target}")
        } else {
            format!("{systemctl} enable --now {target}")
        };
        let who = match self.scope {
            UnitScope::System => "run as root",
            UnitScope::User => "run as the user of the services",
        };
        let place = match folder.strip_prefix("systemd/") {
            Some(host) if folders.len() > 1 => {
                format!("{who} on {}, and for each other host with its folder", words::quoted(host))
            }
            Some(host) => format!("{who} on {}", words::quoted(host)),
            None => who.to_owned(),
        };
        let presets = has_presets.then(|| at(PRESETS));
        let install = self.install(&at(folder), presets.as_deref(), &start);
        format!("next: {place}: {install}\n")
    }

    /// The commands that install the units and the preset files, and start them.
    fn install(&self, units: &str, presets: Option<&str>, start: &str) -> String {
        let (systemctl, stack) = (self.scope.systemctl(), shell(self.target.trim_end_matches(".target")));
        let place_presets = |folder: &str| {
            let install = |from| format!("install -D -m 644 -t {folder}/orchgen/{stack} {from}*.ini && ");
            presets.map(install).unwrap_or_default()
        };
        match self.scope {
            UnitScope::System => {
                let presets = place_presets("/etc");
                format!("{presets}cp {units}/* /etc/systemd/system/ && {systemctl} daemon-reload && {start}")
            }
            // Without lingering, the service manager of a user runs only while the user is logged in.
            UnitScope::User => {
                let folder = "~/.config/systemd/user";
                let presets = place_presets("~/.config");
                format!(
                    "{presets}mkdir -p {folder} && cp {units}/* {folder}/ && {systemctl} daemon-reload && {start} && loginctl enable-linger"
                )
            }
        }
    }
}

/// The folder of the preset files of gateways.
const PRESETS: &str = "router/";

/// The address of a gateway and the names that clients can use.
fn describe(registry: &Registry, served: &ServedGateway) -> String {
    let gateway = registry.gateways.get(served.id);
    let host = registry.hosts.get(gateway.host.value).address.as_ref();
    let addresses = client_addresses(&served.endpoint.addresses, host.map(|address| &*address.value));
    let addresses: BTreeSet<IpAddr> = addresses.collect();
    let url = |address: &IpAddr| format!("http://{}", SocketAddr::new(*address, gateway.port.value));
    let addresses: Vec<String> = addresses.iter().map(url).collect();
    let names = served.endpoint.names.iter().map(|name| words::printable(name)).collect::<Vec<_>>();
    format!("{gateway}: {} serves {}\n", addresses.join(", "), names.join(", "))
}
