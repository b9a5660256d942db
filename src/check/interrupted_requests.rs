//! A router that unloads a model that a request needs.

use crate::derive::Derived;
use crate::diag::{Diagnostics, words};
use crate::engine::dialect::WAITS_FOR_REQUESTS;

declare_code! {
    /// ## What it finds
    /// A gateway that keeps fewer models in memory than it has roles (`at-once`), if the router of its build unloads a model
    /// that a request needs.
    ///
    /// ## Why
    /// Routers of builds before b10865 may unload a model while a request needs it. The client gets an error, and two clients
    /// of two roles can interrupt each other again and again (seen with b10434). Later builds let requests wait until another
    /// model is idle.
    ///
    /// ## Example
    /// ```kdl
    /// engine "old" profile="llama.cpp-b10434" bin="/opt/old/bin"
    /// gateway "front" port=9000 engine="old"
    /// residency "swap" start="on-demand" at-once=1
    /// role "fast" tier="A" residency="swap" model="plain" gateway="front" context=4096
    /// role "smart" tier="A" residency="swap" model="tiny" gateway="front" context=4096
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// engine "new" profile="llama.cpp-b11669" bin="/opt/new/bin"
    /// gateway "front" port=9000 engine="new"
    /// residency "swap" start="on-demand" at-once=1
    /// role "fast" tier="A" residency="swap" model="plain" gateway="front" context=4096
    /// role "smart" tier="A" residency="swap" model="tiny" gateway="front" context=4096
    /// ```
    pub(super) static INTERRUPTED_REQUESTS = 605, "interrupted-requests", Warning;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for served in &derived.gateways {
        let Some(command) = served.router() else { continue };
        let waits = command.profile.build_number().is_some_and(|build| build >= WAITS_FOR_REQUESTS);
        let at_once = served.only_residency().and_then(|id| registry.residencies.get(id).at_once);
        let Some(at_once) = at_once.filter(|most| (most.value as usize) < served.roles.len() && !waits)
        else {
            continue;
        };
        let gateway = registry.gateways.get(served.id);
        let build = words::printable(command.profile.name());
        let message = format!(
            "{gateway} may lose requests when it unloads a model: the router of {build} does not wait for them"
        );
        let place = gateway.engine.map_or(gateway.head.name.span, |engine| engine.span);
        let finding = INTERRUPTED_REQUESTS.at(place, "does not wait for requests", message).about(gateway);
        findings.report(
            finding
                .also(at_once.span, "fewer models in memory than roles")
                .help(format!("use build b{WAITS_FOR_REQUESTS} of llama.cpp or a later one")),
        );
    }
}
