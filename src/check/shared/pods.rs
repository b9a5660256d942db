//! The roles and gateways that run as pods, for the checks of the target `kubernetes`.

use crate::derive::{Derived, GatewayServer, ServedGateway, ServedRole};
use crate::diag::{Change, Diagnostic};
use crate::hir::kubernetes::are_only_pods;
use crate::hir::{Registry, TargetName};
use crate::source::Span;

/// The place of `kubernetes` in the `targets` of the stack. `None` if the stack does not have the target.
pub(in crate::check) fn target(registry: &Registry) -> Option<Span> {
    let mut targets = registry.stack.targets.iter();
    targets.find(|target| target.value == TargetName::Kubernetes).map(|target| target.span)
}

/// True if images run only as pods: no other target starts containers, or programs of gateways.
pub(in crate::check) fn is_only_target(registry: &Registry) -> bool {
    are_only_pods(registry.stack.targets.iter().map(|target| target.value))
}

/// The roles with their own pods.
pub(in crate::check) fn roles(derived: &Derived) -> impl Iterator<Item = &ServedRole> {
    derived.roles.iter().filter(|served| served.serving.gateway.is_none())
}

/// The gateways whose router runs in a pod.
pub(in crate::check) fn routers(derived: &Derived) -> impl Iterator<Item = &ServedGateway> {
    derived.gateways.iter().filter(|gateway| matches!(gateway.server, GatewayServer::Router(_)))
}

/// The roles whose models are loaded in pods: their own, or that of a router.
pub(in crate::check) fn all_roles(derived: &Derived) -> impl Iterator<Item = &ServedRole> {
    let in_router = |served: &&ServedRole| {
        let gateway = served.serving.gateway.map(|gateway| gateway.value);
        gateway.is_none_or(|id| routers(derived).any(|router| router.id == id))
    };
    derived.roles.iter().filter(in_router)
}

/// The help that removes `kubernetes` from the targets.
pub(in crate::check) fn or_other_targets(finding: Diagnostic, registry: &Registry) -> Diagnostic {
    match target(registry) {
        Some(place) => finding
            .remedy("or remove `kubernetes` from `targets` of the stack", Change::RemoveValue { place }),
        None => finding,
    }
}
