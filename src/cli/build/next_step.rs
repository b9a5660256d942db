//! The last lines of a build: the address and the names of each gateway, and the next command for the user.

use super::BuildArgs;
use crate::check::Checked;
use crate::derive::{ServedGateway, client_addresses};
use crate::diag::words;
use crate::emit::Written;
use crate::hir::{GatewayKind, Registry, UnitScope};
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
    /// The preset file of each gateway in the output folder, and its unit.
    presets: Vec<(String, String)>,
    /// There is only one host.
    has_one_host: bool,
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
            presets: checked.derived().gateways.iter().map(|served| preset(registry, served)).collect(),
            has_one_host: registry.hosts.len() == 1,
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
        let line = self.line(artifacts, written, command);
        let paths = || artifacts.iter().map(|artifact| artifact.path().as_str());
        let has_units = self.serves && !self.needs_lock && paths().any(|path| path.starts_with(CONTAINERS));
        let compose = paths().find(|path| has_units && path.starts_with(COMPOSE));
        let or = compose.map(|compose| {
            let compose = command.out().join(compose);
            format!(
                "or, instead of the container units, {}\n",
                self.compose_command(&shell(&compose.to_string_lossy()))
            )
        });
        self.gateways.clone() + &line + &or.unwrap_or_default()
    }

    /// The command that starts the containers of a compose file.
    fn compose_command(&self, file: &str) -> String {
        let host = if self.has_one_host { "" } else { "on its host, " };
        format!("{host}run `docker compose -f {file} up -d`")
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
        let presets = PRESETS.iter().filter(|(folder, _)| paths().any(|path| path.starts_with(folder)));
        let presets: Vec<String> = presets.map(|(folder, end)| format!("{}{end}", at(folder))).collect();
        let presets = (!presets.is_empty()).then(|| self.install_presets(&presets.join(" ")));
        let containers = paths().filter(|path| path.starts_with(CONTAINERS)).collect::<Vec<_>>();
        let Some(folder) = folders.first() else {
            if let Some(line) = self.containers_line(&containers, paths(), &at) {
                return line;
            }
            let script = paths().find(|path| path.starts_with("bin/") && path.matches('/').count() == 1);
            let script = script.map(|path| format!("next: run `{}` to serve\n", at(path)));
            return script.or_else(|| Some(self.presets_line(&presets?, written))).unwrap_or_default();
        };
        // A start does not restart a unit that is active, so units of an earlier build need a restart.
        let (target, systemctl) = (shell(&self.target), self.scope.systemctl());
        let is_preset = |path: &str| PRESETS.iter().any(|(folder, _)| path.starts_with(folder));
        let is_running = |path: &str| path.starts_with(folder.as_str()) || is_preset(path);
        let start = if written.updated.iter().any(|path| is_running(path.as_str())) {
            format!("{systemctl} enable {target} && {systemctl} restart {target}")
        } else {
            format!("{systemctl} enable --now {target}")
        };
        let who = self.who();
        let place = match folder.strip_prefix("systemd/") {
            Some(host) if folders.len() > 1 => {
                format!("{who} on {}, and for each other host with its folder", words::quoted(host))
            }
            Some(host) => format!("{who} on {}", words::quoted(host)),
            None => who.to_owned(),
        };
        let presets = presets.map(|install| install + " && ").unwrap_or_default();
        if containers.is_empty() {
            return format!("next: {place}: {presets}{}\n", self.install_units(&at(folder), &start));
        }
        let from = at(&folder.replacen("systemd", "quadlet", 1));
        format!(
            "next: {PREPARE}, then {place}: {presets}{} && {}\n",
            self.install_containers(&from),
            self.install_units(&at(folder), &start)
        )
    }

    /// The line after a build of containers without the units of the stack.
    fn containers_line<'a>(
        &self,
        units: &[&str],
        mut all: impl Iterator<Item = &'a str>,
        at: &dyn Fn(&str) -> String,
    ) -> Option<String> {
        let who = self.who();
        let Some(first) = units.first() else {
            let compose = all.find(|path| path.starts_with(COMPOSE))?;
            return Some(format!("next: {}\n", self.compose_command(&at(compose))));
        };
        let folder = first.rsplit_once('/').map_or("", |(folder, _)| folder);
        let of_host = units.iter().filter(|path| path.rsplit_once('/').is_some_and(|(own, _)| own == folder));
        let names = of_host.filter_map(|path| path.rsplit('/').next()?.strip_suffix(".container"));
        let systemctl = self.scope.systemctl();
        let services = names.map(|name| format!("{}.service", shell(name))).collect::<Vec<_>>().join(" ");
        let place = match folder.strip_prefix(CONTAINERS) {
            Some(host) => format!("{who} on {}", words::quoted(host)),
            None => who.to_owned(),
        };
        let install = self.install_containers(&at(folder));
        Some(format!(
            "next: {PREPARE}, then {place}: {install} && {systemctl} daemon-reload && {systemctl} restart {services}\n"
        ))
    }

    /// The command that installs container units.
    fn install_containers(&self, from: &str) -> String {
        let folder = match self.scope {
            UnitScope::System => "/etc/containers/systemd",
            UnitScope::User => "~/.config/containers/systemd",
        };
        format!("install -D -m 644 -t {folder} {from}/*.container")
    }

    fn who(&self) -> &'static str {
        match self.scope {
            UnitScope::System => "run as root",
            UnitScope::User => "run as the user of the services",
        }
    }

    /// The line after a build of preset files alone. A gateway reads its file only at its start.
    fn presets_line(&self, install: &str, written: &Written) -> String {
        let is_updated = |preset: &str| written.updated.iter().any(|path| path.as_str() == preset);
        let changed = self.presets.iter().filter(|(preset, _)| is_updated(preset));
        let units = changed.map(|(_, unit)| unit.as_str()).collect::<Vec<_>>().join(" ");
        let (who, systemctl) = (self.who(), self.scope.systemctl());
        match (self.has_one_host, &*units) {
            (true, "") => format!("next: {who}: {install}\n"),
            (true, _) => format!("next: {who}: {install} && {systemctl} try-restart {units}\n"),
            (false, _) => format!("next: {who} on the host of each gateway: {install}\n"),
        }
    }

    /// The command that installs the files that configure gateways.
    fn install_presets(&self, from: &str) -> String {
        let folder = match self.scope {
            UnitScope::System => "/etc",
            UnitScope::User => "~/.config",
        };
        let stack = shell(self.target.trim_end_matches(".target"));
        format!("install -D -m 644 -t {folder}/orchgen/{stack} {from}")
    }

    /// The commands that install the units and start them.
    fn install_units(&self, units: &str, start: &str) -> String {
        let systemctl = self.scope.systemctl();
        match self.scope {
            UnitScope::System => {
                format!("cp {units}/* /etc/systemd/system/ && {systemctl} daemon-reload && {start}")
            }
            // Without lingering, the service manager of a user runs only while the user is logged in.
            UnitScope::User => {
                let folder = "~/.config/systemd/user";
                format!(
                    "mkdir -p {folder} && cp {units}/* {folder}/ && {systemctl} daemon-reload && {start} && loginctl enable-linger"
                )
            }
        }
    }
}

/// The folder of the units of podman.
const CONTAINERS: &str = "quadlet/";

/// The folder of compose files.
const COMPOSE: &str = "compose/";

/// The steps before the installation of container units.
const PREPARE: &str =
    "pull the images and create the secrets as the comments in the container units describe";

/// The folders of the files that configure gateways, with a pattern for those files.
const PRESETS: [(&str, &str); 2] = [("router/", "*.ini"), ("llama-swap/", "*.yaml")];

/// The file that configures a gateway in the output folder, and its unit.
fn preset(registry: &Registry, served: &ServedGateway) -> (String, String) {
    let (stack, gateway) = (&registry.stack.head.name, registry.gateways.get(served.id));
    let [router, llama_swap] = PRESETS;
    let (folder, end) = match gateway.kind {
        GatewayKind::Router => router,
        GatewayKind::LlamaSwap => llama_swap,
    };
    let name = &gateway.head.name.value;
    (format!("{folder}{name}{}", end.trim_start_matches('*')), format!("{}-{name}.service", stack.value))
}

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
