//! The last lines of a build: the address and the names of each gateway, and the next command for the user.

use super::BuildArgs;
use crate::check::Checked;
use crate::derive::{ClientAddress, ServedGateway, base_url, client_addresses};
use crate::diag::words;
use crate::emit::Written;
use crate::hir::{GatewayKind, Registry, UnitScope};
use crate::render::ArtifactSet;
use crate::render::quote::shell;
use std::collections::BTreeSet;

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
    hosts: Hosts,
}

/// The hosts of a registry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Hosts {
    One,
    /// Several, each with an address, so that `orchgen apply` can reach all of them.
    Reachable,
    Several,
}

impl Hosts {
    fn of(registry: &Registry) -> Self {
        let has_addresses = registry.hosts.iter().all(|host| host.address.is_some());
        match registry.hosts.len() {
            1 => Self::One,
            _ if has_addresses => Self::Reachable,
            _ => Self::Several,
        }
    }
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
            hosts: Hosts::of(registry),
            gateways: checked.derived().gateways.iter().map(|served| describe(checked, served)).collect(),
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
        let has_other =
            paths().any(|path| [UNITS, CONTAINERS, COMPOSE].iter().any(|folder| path.starts_with(folder)));
        let cluster = paths().find(|path| self.serves && !self.needs_lock && path.starts_with(MANIFESTS));
        let cluster =
            cluster.filter(|_| has_other).map(|_| format!("or, in a cluster, {}\n", kubectl(command)));
        self.gateways.clone() + &line + &or.unwrap_or_default() + &cluster.unwrap_or_default()
    }

    /// The command that starts the containers of a compose file.
    fn compose_command(&self, file: &str) -> String {
        let host = if self.hosts == Hosts::One { "" } else { "on its host, " };
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
        let has = |folder: &str| paths().any(|path| path.starts_with(folder));
        if has(UNITS) || has(CONTAINERS) {
            let prepare = if has(CONTAINERS) { PREPARE } else { "" };
            let all = match self.hosts {
                Hosts::Reachable => format!("run `orchgen apply --all-hosts{}`, or ", command.out_option()),
                Hosts::One | Hosts::Several => String::new(),
            };
            return format!("next: {prepare}{all}run `{}`{}\n", self.apply(command), self.place());
        }
        if let Some(compose) = paths().find(|path| path.starts_with(COMPOSE)) {
            return format!("next: {}\n", self.compose_command(&at(compose)));
        }
        if has(MANIFESTS) {
            return format!("next: {}\n", kubectl(command));
        }
        if let Some(script) = paths().find(|path| path.starts_with("bin/") && path.matches('/').count() == 1)
        {
            return format!("next: run `{}` to serve\n", at(script));
        }
        let presets = PRESETS.iter().filter(|(folder, _)| has(folder));
        let presets: Vec<String> = presets.map(|(folder, end)| format!("{}{end}", at(folder))).collect();
        if presets.is_empty() {
            return String::new();
        }
        self.presets_line(&self.install_presets(&presets.join(" ")), written)
    }

    /// The command that installs the output.
    fn apply(&self, command: &BuildArgs) -> String {
        let root = match self.scope {
            UnitScope::System => "sudo ",
            UnitScope::User => "",
        };
        format!("{root}orchgen apply{}", command.out_option())
    }

    /// Where the output is installed.
    fn place(&self) -> &'static str {
        match (self.hosts == Hosts::One, self.scope) {
            (true, UnitScope::System) => "",
            (true, UnitScope::User) => " as the user of the services",
            (false, UnitScope::System) => " on each host",
            (false, UnitScope::User) => " on each host, as the user of the services",
        }
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
        match (self.hosts == Hosts::One, &*units) {
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
}

/// The command that creates the objects in a cluster.
fn kubectl(command: &BuildArgs) -> String {
    let folder = command.out().join(MANIFESTS.trim_end_matches('/'));
    let folder = shell(&folder.to_string_lossy()).into_owned();
    format!(
        "run `kubectl apply --kustomize {folder}`, and create the secrets as the comments in the manifests describe"
    )
}

/// The folder of manifests.
const MANIFESTS: &str = "kubernetes/";

/// The folder of systemd units.
const UNITS: &str = "systemd/";

/// The folder of the units of podman.
const CONTAINERS: &str = "quadlet/";

/// The folder of compose files.
const COMPOSE: &str = "compose/";

/// The steps before the installation of container units.
const PREPARE: &str =
    "pull the images and create the secrets as the comments in the container units describe, then ";

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

/// The address of a gateway and the names that clients can use, with those of its peers.
fn describe(checked: &Checked, served: &ServedGateway) -> String {
    let registry = checked.registry();
    let gateway = registry.gateways.get(served.id);
    let host = registry.hosts.get(gateway.host.value).address.as_ref();
    let for_clients = served.endpoint.for_clients(registry, &gateway.head.name);
    let addresses = client_addresses(&for_clients, host.map(|address| &*address.value));
    let addresses: BTreeSet<ClientAddress> = addresses.collect();
    let addresses: Vec<String> =
        addresses.into_iter().map(|address| base_url(&address, gateway.port.value)).collect();
    let peers = checked.derived().peers(served.id);
    let names = served.endpoint.names.iter().chain(peers.iter().flat_map(|peer| &peer.names));
    let names = names.map(|name| words::printable(name)).collect::<Vec<_>>();
    format!("{gateway}: {} serves {}\n", addresses.join(", "), names.join(", "))
}
