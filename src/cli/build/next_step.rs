//! The last line of a build: the next command for the user.

use super::BuildArgs;
use crate::check::Checked;
use crate::diag::words;
use crate::emit::Written;
use crate::hir::UnitScope;
use crate::render::ArtifactSet;
use crate::render::quote::shell;

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
        }
    }

    /// The line. It reads no file and no state of the machine.
    pub(super) fn line(&self, artifacts: &ArtifactSet<'_>, written: &Written, command: &BuildArgs) -> String {
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
        let start = if written.updated.iter().any(|path| path.as_str().starts_with(folder.as_str())) {
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
        let units = at(folder);
        let install = match self.scope {
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
        };
        format!("next: {place}: {install}\n")
    }
}
