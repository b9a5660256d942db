//! The result of `orchgen status`. Later versions only add fields.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the format.
pub const STATUS_VERSION: u32 = 1;

/// The states of the stacks on a host.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Default, Debug)]
pub struct StatusReport {
    /// The version of the format.
    pub format_version: u32,
    /// True if there are no differences.
    pub agrees: bool,
    /// The stacks.
    pub stacks: Vec<StackStatus>,
    /// The hosts that did not answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<FailedHost>,
}

/// A host that did not answer, or whose answer is an error.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct FailedHost {
    /// Its name.
    pub host: String,
    /// The reason.
    pub reason: String,
}

/// The state of a stack on a host.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Default, Debug)]
pub struct StackStatus {
    /// The name of the stack.
    pub stack: String,
    /// The name of the host.
    pub host: String,
    /// `system` or `user`.
    pub scope: String,
    /// The current generation. `None` before the first `apply`.
    pub generation: Option<u32>,
    /// The time of the current generation: seconds since 1970.
    pub created: Option<u64>,
    /// True if the service manager was asked.
    pub is_running: bool,
    /// The number of roles in each state.
    pub totals: BTreeMap<RoleState, usize>,
    /// The roles and gateways, in the order of declaration.
    pub roles: Vec<RoleStatus>,
    /// The differences that no role has.
    pub differences: Vec<Difference>,
    /// Facts that are no differences.
    pub notes: Vec<String>,
}

impl StackStatus {
    /// All differences, each with the name of its role.
    pub fn all_differences(&self) -> impl Iterator<Item = (Option<&str>, &Difference)> {
        let of_roles = self.roles.iter().flat_map(|role| {
            role.differences.iter().map(|difference| (Some(role.name.as_str()), difference))
        });
        self.differences.iter().map(|difference| (None, difference)).chain(of_roles)
    }

    /// All notes, each with the name of its role.
    pub fn all_notes(&self) -> impl Iterator<Item = (Option<&str>, &str)> {
        let of_roles = self
            .roles
            .iter()
            .flat_map(|role| role.notes.iter().map(|note| (Some(role.name.as_str()), note.as_str())));
        self.notes.iter().map(|note| (None, note.as_str())).chain(of_roles)
    }
}

/// The state of a role, a gateway or a process. The worst is the last.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum RoleState {
    /// It answers requests.
    Serving,
    /// It is on demand, and not loaded.
    Idle,
    /// It starts, or reads its files.
    Loading,
    /// It is behind a gateway that did not answer what is loaded.
    BehindGateway,
    /// No service manager was asked.
    Unknown,
    /// The output has no units for it.
    NotManaged,
    /// It stops.
    Stopping,
    /// It does not run.
    Stopped,
    /// The service manager does not know its unit.
    NotInstalled,
    /// It runs, and its health check fails.
    Unhealthy,
    /// It ended, and starts again.
    Restarting,
    /// It failed.
    Failed,
}

impl RoleState {
    /// The word for users.
    pub fn word(self) -> &'static str {
        match self {
            Self::Serving => "serving",
            Self::Idle => "idle",
            Self::Loading => "loading",
            Self::BehindGateway => "behind gateway",
            Self::Unknown => "unknown",
            Self::NotManaged => "no units",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::NotInstalled => "not installed",
            Self::Unhealthy => "unhealthy",
            Self::Restarting => "restarting",
            Self::Failed => "failed",
        }
    }
}

/// The state of a role or a gateway.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct RoleStatus {
    /// Its name.
    pub name: String,
    /// `role` or `gateway`.
    pub kind: String,
    /// True if it starts at its first request.
    pub on_demand: bool,
    /// The gateway in front of it.
    pub gateway: Option<String>,
    /// The worst state of its processes, or that of its gateway.
    pub state: RoleState,
    /// Its processes. Empty behind a gateway.
    pub processes: Vec<ProcessStatus>,
    /// Its differences.
    pub differences: Vec<Difference>,
    /// Facts that are no differences.
    pub notes: Vec<String>,
}

/// The state of a process of a role.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct ProcessStatus {
    /// The unit of its server.
    pub unit: String,
    /// Its state.
    pub state: RoleState,
    /// The number of the process.
    pub pid: Option<u32>,
    /// The port that clients use.
    pub port: u16,
    /// The result of its health check.
    pub health: Verdict,
    /// True if it runs with the arguments of the output.
    pub arguments: Verdict,
    /// The arguments that differ.
    pub changed_arguments: Vec<ArgumentChange>,
    /// True if its model files did not change since its start.
    pub files: Verdict,
    /// Its memory.
    pub memory: MemoryStatus,
    /// The last message of a failed unit.
    pub message: Option<String>,
}

/// The result of a check.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// As in the output.
    Ok,
    /// A difference.
    Differs,
    /// It could not run.
    NotChecked,
}

/// A group of arguments, usually an option with its value, that differs.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct ArgumentChange {
    /// As in the output. `None` if it is not planned.
    pub planned: Option<String>,
    /// As in the process. `None` if it is missing.
    pub running: Option<String>,
}

/// The memory of a process in the RAM of the host.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub struct MemoryStatus {
    /// The resident bytes.
    pub resident: Option<u64>,
    /// The planned bytes. `None` if they are unknown.
    pub planned: Option<u64>,
    /// Differs if the resident bytes are more than 5 % and more than 64 MiB above the planned bytes.
    pub verdict: Verdict,
    /// `not-checked` if the process uses a GPU, whose memory orchgen does not measure. `None` without a GPU.
    pub gpu: Option<Verdict>,
}

/// A difference between the host and the output.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// Its kind.
    pub kind: DifferenceKind,
    /// The unit or the file.
    pub item: Option<String>,
    /// The difference in words.
    pub text: String,
    /// The solution.
    pub help: Option<String>,
}

/// The kind of a difference.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceKind {
    /// The last `apply` or `rollback` did not end.
    Unfinished,
    /// The output folder differs from the current generation.
    OutDiffers,
    /// The stack is not installed.
    NotInstalled,
    /// An installed file was edited.
    EditedFile,
    /// An installed file is missing.
    MissingFile,
    /// A unit is masked.
    Masked,
    /// The stack does not start at boot.
    NotEnabled,
    /// A role does not run.
    NotRunning,
    /// A health check fails.
    Unhealthy,
    /// A process has other arguments.
    OtherArguments,
    /// A model file changed after the start of the process.
    ReplacedModel,
    /// A model file is missing.
    MissingModel,
}
