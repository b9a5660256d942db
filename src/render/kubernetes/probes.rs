//! The probes of a server. A server answers its health path with an error until its model is loaded, and without an API key
//! (`tools/server/server-http.cpp` of llama.cpp, `get_public_endpoints`).

use super::api::{HTTPGetAction, Probe};
use super::names::NamedPort;
use crate::plan::Seconds;

/// The seconds between two checks, and the time limit of each.
const PERIOD: i32 = 10;
const TIMEOUT: i32 = 10;

/// The seconds for the start if the load time is unknown, as in containers.
const LONG_START: u64 = 3600;

/// The minimum of seconds for the start: a claim can be slower than the disk of the host.
const SHORT_START: u64 = 300;

/// The seconds for which a server that serves may fail its checks until it is restarted. It answers while it decodes, but a
/// server with many connections can be late, and one that was idle loads its model again.
const LIVENESS: u64 = 600;

/// The seconds for everything else at the start: the image, the volumes, the node.
const PREPARATION: i32 = 600;

/// The probes of one server.
pub(super) struct Probes {
    path: String,
    port: NamedPort,
    /// The limit of the load time.
    start: u64,
}

impl Probes {
    pub(super) fn new(path: &str, port: NamedPort, load_time: Result<Seconds, &'static str>) -> Self {
        let start = load_time.map_or(LONG_START, |time| time.0.max(SHORT_START));
        Self { path: path.to_owned(), port, start }
    }

    /// Restarts a server that does not load its model in time. The other probes begin after it.
    pub(super) fn startup(&self) -> Probe {
        self.probe(failures(self.start))
    }

    /// Sends no requests to a server that fails.
    pub(super) fn readiness(&self) -> Probe {
        self.probe(3)
    }

    /// Restarts a server that fails for a long time.
    pub(super) fn liveness(&self) -> Probe {
        self.probe(failures(self.start.max(LIVENESS)))
    }

    /// The seconds after which a rollout has failed.
    pub(super) fn deadline(&self) -> i32 {
        failures(self.start).saturating_mul(PERIOD).saturating_add(PREPARATION)
    }

    fn probe(&self, failures: i32) -> Probe {
        Probe {
            http_get: Some(HTTPGetAction {
                path: Some(self.path.clone()),
                port: self.port.reference(),
                scheme: Some("HTTP".to_owned()),
                ..HTTPGetAction::default()
            }),
            period_seconds: Some(PERIOD),
            timeout_seconds: Some(TIMEOUT),
            failure_threshold: Some(failures),
            ..Probe::default()
        }
    }
}

/// The number of failed checks in a time.
fn failures(seconds: u64) -> i32 {
    i32::try_from(seconds.div_ceil(u64::from(PERIOD.unsigned_abs()))).unwrap_or(i32::MAX)
}
