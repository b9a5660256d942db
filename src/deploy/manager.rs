//! The service manager of a host.

use super::DeployError;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The state of a unit, as `systemctl show` prints it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct UnitState {
    /// `loaded`, `not-found`, `masked`.
    pub load: String,
    /// `active`, `inactive`, `failed`, `activating`, `deactivating`.
    pub active: String,
    /// The finer state, such as `running` or `auto-restart`.
    pub sub: String,
    /// `success`, `exit-code`, `timeout`.
    pub result: String,
    /// `enabled`, `disabled`, `static`.
    pub enabled: String,
    /// True if its files changed since the service manager read them.
    pub needs_reload: bool,
    /// The main process. 0 without one.
    pub pid: u32,
    /// The drop-ins of the unit: full paths.
    pub drop_ins: Vec<String>,
    /// The duration of the last start in microseconds: until it was active.
    pub start_micros: Option<u64>,
    /// The time of the last start, in microseconds since 1970.
    pub started_at: Option<u64>,
    /// The memory of its control group in bytes.
    pub memory: Option<u64>,
}

impl UnitState {
    /// True if the unit runs, starts or stops.
    pub fn is_up(&self) -> bool {
        matches!(&*self.active, "active" | "activating" | "reloading" | "deactivating")
    }

    /// True if the unit is active.
    pub fn is_active(&self) -> bool {
        self.active == "active"
    }
}

/// A service manager: systemd, or its model in tests.
pub trait Manager {
    /// The states of units. A unit that does not exist has the load state `not-found`.
    fn states(&self, units: &BTreeSet<String>) -> Result<BTreeMap<String, UnitState>, DeployError>;

    /// Runs `systemctl` with arguments. Fails with its message, or after the limit.
    fn systemctl(&self, args: &[&str], limit: Duration) -> Result<(), DeployError>;

    /// Loads a role on demand: connects to its socket, and waits until its server is active. Fails if the server fails, or after
    /// the limit.
    fn load(&self, step: &LoadRequest<'_>) -> Result<(), DeployError>;

    /// The last message of a unit in the journal.
    fn last_message(&self, unit: &str) -> Option<String>;

    /// Starts the service manager of the user at boot, without a login.
    fn enable_linger(&self) -> Result<(), DeployError>;

    /// Shows a command before it runs.
    fn announce(&self, _command: &str) {}

    /// Called before each change of the host. A test can stop here, as a crash would.
    fn before(&self, _change: &str) -> Result<(), DeployError> {
        Ok(())
    }
}

/// A role on demand that is loaded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LoadRequest<'l> {
    /// The address of its socket.
    pub address: &'l str,
    /// The port of its socket.
    pub port: u16,
    /// The unit of its server.
    pub unit: &'l str,
    /// The unit of its proxy.
    pub proxy: Option<&'l str>,
    /// The time limit.
    pub limit: Duration,
}
