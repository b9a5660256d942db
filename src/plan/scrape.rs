//! The processes whose metrics can be collected without a change of what is in memory.

use super::{Gateway, Models, Plan, Process, Role, Route, Start, Swap, Word, llama_swap};
use crate::derive::RoleCommand;
use crate::engine::metrics;
use std::sync::Arc;

/// A process that answers `/metrics`, directly or through its gateway.
///
/// Roles on demand are left out: a request for their metrics would load the model, or keep it loaded.
#[derive(Debug)]
pub struct Scrape<'p> {
    /// The role.
    pub role: &'p Role,
    /// The tier of the role.
    pub tier: Option<&'p str>,
    /// The name of the gateway. `None` without one.
    pub gateway: Option<&'p str>,
    /// The server whose address answers: that of the role or of its gateway.
    pub server: &'p Role,
    /// The process of this server.
    pub process: &'p Process,
    /// The path. `None` if it is `/metrics`.
    pub path: Option<String>,
    /// The parameters of the request.
    pub parameters: Vec<(&'static str, &'p str)>,
    /// The file with the keys of which a request needs one.
    pub key_file: Option<&'p Arc<str>>,
}

impl Plan {
    /// The processes with metrics, in the order of the roles.
    pub fn scrapes(&self) -> impl Iterator<Item = Scrape<'_>> {
        let routes = self.routes.iter().filter(|route| !route.shares);
        routes.flat_map(|route| self.scrapes_of(route))
    }

    fn scrapes_of<'p>(&'p self, route: &'p Route) -> Vec<Scrape<'p>> {
        let role = self.roles.get(route.role).filter(|role| {
            role.start == Start::Boot && role.engine().is_some_and(|engine| engine.answers_metrics)
        });
        let Some(role) = role else { return Vec::new() };
        let gateway = role.gateway.and_then(|number| self.gateways.get(number as usize));
        let (path, parameters) = match gateway {
            None => (None, Vec::new()),
            Some(gateway) => match request(gateway, (route.role, role)) {
                Some(request) => request,
                None => return Vec::new(),
            },
        };
        let server = gateway.and_then(|gateway| self.roles.get(gateway.server)).unwrap_or(role);
        let of_process = |process| Scrape {
            role,
            tier: route.tier.as_deref(),
            gateway: gateway.map(|gateway| &*gateway.name),
            server,
            process,
            path: path.clone(),
            parameters: parameters.clone(),
            key_file: server.key_file.as_ref(),
        };
        server.processes.iter().map(of_process).collect()
    }
}

/// True if the processes of a role publish metrics.
pub(super) fn answers_metrics(command: &RoleCommand, env: &[(Arc<str>, Arc<str>)]) -> bool {
    let line = command.server();
    let env = env.iter().map(|(name, value)| (&**name, &**value));
    metrics::is_enabled(line.args.iter().map(Word::text), &line.preset, env)
}

/// A path, unless it is `/metrics`, and parameters.
type Request<'p> = (Option<String>, Vec<(&'static str, &'p str)>);

/// The path and the parameters of a request for the metrics of a role behind a gateway. `None` if it would load the model.
fn request<'p>(gateway: &Gateway, (number, role): (usize, &'p Role)) -> Option<Request<'p>> {
    match &gateway.models {
        Models::Router(_) => Some((None, vec![(metrics::MODEL, &*role.name), metrics::NOT_LOADED])),
        Models::LlamaSwap(swap) => stays_loaded(swap, number)
            .then(|| (Some(format!("{}{}{}", llama_swap::UPSTREAM, role.name, metrics::PATH)), Vec::new())),
    }
}

/// True if llama-swap never unloads a model that starts at boot: it is in every set.
fn stays_loaded(swap: &Swap, role: usize) -> bool {
    let index = swap.models.iter().position(|model| model.role == role);
    swap.is_stricter || index.is_some_and(|index| swap.sets.iter().all(|set| set.contains(&index)))
}
