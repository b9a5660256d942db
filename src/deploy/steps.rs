//! The steps of a plan, in order. Each is one command of the service manager, or the change of the installed files.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The kind of a step.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Stops units.
    Stop,
    /// Writes and removes the installed files.
    Install,
    /// Lets the service manager read the files.
    Reload,
    /// Restarts units.
    Restart,
    /// Starts units.
    Start,
    /// Loads a role on demand, to verify that it serves.
    Load,
    /// Starts the target of the stack, now and at boot.
    Enable,
}

/// A step.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
pub struct Step {
    /// The kind of the step.
    pub action: Action,
    /// The units.
    pub units: Vec<String>,
    /// The role or gateway of the units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The estimated duration in seconds. `None` if it is unknown.
    pub seconds: Option<f64>,
    /// True if nothing of the role changes, and it is down: the run goes on if it does not start.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repair: bool,
    /// The time limit of the role.
    #[serde(skip)]
    pub limit: Duration,
    /// The address and port of the socket to load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socket: Option<(String, u16)>,
}

/// The time limit of a start whose load time is unknown. A server that exits fails at once, so only one that hangs takes this long.
pub(super) const LONG_LIMIT: Duration = Duration::from_hours(3);

/// The largest time limit of a start.
const MAX_LIMIT: Duration = Duration::from_hours(24 * 7);

/// The time limit of all other commands: a stop can take the 30 seconds of `TimeoutStopSec=`.
pub(super) const SHORT_LIMIT: Duration = Duration::from_mins(3);

/// The time limit of the start of a process, from that of its unit in seconds. The service manager stops it first.
pub(super) fn start_limit(seconds: Option<u64>) -> Duration {
    seconds.map_or(LONG_LIMIT, |seconds| Duration::from_secs(seconds).min(MAX_LIMIT) + SHORT_LIMIT)
}

impl Step {
    /// A step of the stack as a whole.
    pub(super) fn of_stack(action: Action, units: Vec<String>) -> Self {
        Self {
            action,
            units,
            role: None,
            seconds: Some(0.0),
            repair: false,
            limit: SHORT_LIMIT,
            socket: None,
        }
    }

    /// The arguments of `systemctl`. Empty for a step that is no command of it.
    pub fn arguments(&self) -> Vec<&str> {
        let verb: &[&str] = match self.action {
            Action::Install | Action::Load => return Vec::new(),
            Action::Reload => &["daemon-reload"],
            Action::Stop => &["stop"],
            Action::Restart => &["restart"],
            Action::Start => &["start"],
            Action::Enable => &["enable", "--now"],
        };
        verb.iter().copied().chain(self.units.iter().map(String::as_str)).collect()
    }
}
