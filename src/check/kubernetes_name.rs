//! Names that objects of Kubernetes cannot have, if the stack has the target `kubernetes`.

use super::shared::pods;
use crate::derive::Derived;
use crate::diag::{Change, Diagnostic, Diagnostics};
use crate::hir::kubernetes::{
    DnsLabel, LabelValue, file_stem, is_of_cluster, namespace, node_name, object_name,
};
use crate::hir::{Head, Host, Id, Registry};
use std::collections::{BTreeMap, BTreeSet};

declare_code! {
    /// ## What it finds
    /// In a stack with `kubernetes` in `targets`:
    ///
    /// - a stack whose name does not start with a letter, is too long, or is reserved: `default`, `kube-system`;
    /// - a role or a gateway whose name is too long together with that of the stack;
    /// - a role or a gateway with the name of another generated file: `namespace` and `kustomization`;
    /// - two names that are equal in lower case and with `-` instead of `_` and `.`, for example `Chat_1` and `chat-1`;
    /// - a host whose name is no name of a node, for example with `_`, or is that of another host in lower case.
    ///
    /// ## Why
    /// The Deployment and the Service of a role have the name `STACK-ROLE`. Kubernetes allows at most 63 lower-case letters,
    /// digits and `-` in the name of a Service, starting with a letter. So orchgen writes lower case, and `-` for other characters.
    /// One of two objects with the same name would replace the other. A pod runs on the node whose label `kubernetes.io/hostname` is
    /// the name of its host in lower case.
    ///
    /// ## Instead
    /// Rename the item. Clients can keep the old name: write it in `alias` of the role.
    pub(super) static KUBERNETES_NAME = 617, "kubernetes-name", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    if pods::target(registry).is_none() {
        return;
    }
    let stack = &registry.stack.head;
    hosts(derived, findings);
    if object_name(&stack.name, "r").is_none() || namespace(&stack.name).is_none() {
        findings.report(of_stack(stack));
        return;
    }
    let roles = pods::roles(derived).map(|served| &registry.roles.get(served.id).head);
    let gateways = pods::routers(derived).map(|served| &registry.gateways.get(served.id).head);
    let mut heads: Vec<&Head> = roles.chain(gateways).collect();
    heads.sort_by_key(|head| head.name.span);
    let mut taken: BTreeMap<DnsLabel, &Head> = BTreeMap::new();
    for head in heads {
        let finding = match object_name(&stack.name, &head.name) {
            None => Some(invalid(stack, head)),
            Some(name) => match taken.get(&name) {
                Some(first) => Some(taken_by(head, (first, &name))),
                None => {
                    taken.insert(name, head);
                    None
                }
            },
        };
        findings.extend(finding.map(|finding| rename(registry, finding, head)));
    }
}

/// The finding for a stack whose name is in no name of an object.
fn of_stack(stack: &Head) -> Diagnostic {
    let is_of_cluster = is_of_cluster(&stack.name);
    let starts_well = stack.name.starts_with(|c: char| c.is_ascii_alphabetic()) && !is_of_cluster;
    let (fault, label) = if is_of_cluster {
        ("is that of a namespace of the cluster", "a namespace of the cluster")
    } else if starts_well {
        ("is too long for the names of objects in Kubernetes", "too long")
    } else {
        ("does not start with a letter, as names of objects in Kubernetes do", "not a letter at the start")
    };
    let finding =
        KUBERNETES_NAME.at(stack.name.span, label, format!("the name of {stack} {fault}")).about(stack);
    let prefixed = if starts_well { stack.name.to_string() } else { format!("stack-{}", stack.name.value) };
    let shorter = (1..=prefixed.len().min(MAX_STACK)).rev().filter_map(|length| prefixed.get(..length));
    let name = shorter.filter(|name| namespace(name).is_some()).find(|name| object_name(name, "r").is_some());
    let replacement = name.unwrap_or("stack").to_owned();
    finding.remedy("write another name, such as `{}`", Change::Word { span: stack.name.span, replacement })
}

/// Reports the hosts of pods whose name is no name of a node, or that of another host.
fn hosts(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let mut taken: BTreeMap<LabelValue, &Head> = BTreeMap::new();
    for id in hosts_of_pods(derived) {
        let host = registry.hosts.get(id);
        if host.is_implied() {
            continue;
        }
        let head = &host.head;
        let finding = match node_name(&head.name) {
            None => {
                let message = format!("the name of {head} is no name of a node in Kubernetes");
                KUBERNETES_NAME.at(head.name.span, "no name of a node", message).about(head)
            }
            Some(name) => match taken.insert(name.clone(), head) {
                None => continue,
                Some(first) => {
                    let message = format!("{head} and {first} would both be the node `{name}` in Kubernetes");
                    let finding = KUBERNETES_NAME.at(head.name.span, "the same node", message).about(head);
                    finding.also(first.name.span, "the first host with the name")
                }
            },
        };
        findings.report(match suggested_node(registry, &head.name) {
            Some(replacement) => {
                let change = Change::Word { span: head.name.span, replacement };
                finding.remedy("write the name of the node, such as `{}`, here and where it is used", change)
            }
            None => finding.help("write the name of the node, here and where it is used"),
        });
    }
}

/// The hosts of all pods, in the order of declaration.
fn hosts_of_pods(derived: &Derived) -> BTreeSet<Id<Host>> {
    let roles = pods::roles(derived).map(|served| served.serving.host.value);
    roles.chain(pods::routers(derived).map(|served| served.settings.host.value)).collect()
}

/// A name of a node that no host has: the name with `-` instead of other characters, or with a number.
fn suggested_node(registry: &Registry, name: &str) -> Option<String> {
    let kept = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c.to_ascii_lowercase() } else { '-' };
    let name: String = name.chars().map(kept).take(MAX_NODE).collect();
    let name = name.trim_matches(['-', '.']).to_owned();
    let is_free = |name: &String| {
        let node = node_name(name);
        node.is_some() && registry.hosts.iter().all(|host| node_name(&host.head.name) != node)
    };
    [name.clone(), format!("{name}-2"), format!("{name}-3")].into_iter().find(is_free)
}

/// The length of a suggested name of a node, so that a number can follow.
const MAX_NODE: usize = 60;

/// The length of a suggested name of a stack, so that names of roles have enough room.
const MAX_STACK: usize = 24;

/// The finding for a name that no object can have.
fn invalid(stack: &Head, head: &Head) -> Diagnostic {
    let (message, label) = match file_stem(&head.name) {
        None => (format!("{head} would have the same file as other objects of {stack}"), "a reserved name"),
        Some(_) => (format!("the name of {head} is too long for an object in Kubernetes"), "too long"),
    };
    KUBERNETES_NAME.at(head.name.span, label, message).about(head)
}

/// The finding for a name that an earlier item has.
fn taken_by(head: &Head, (first, name): (&Head, &DnsLabel)) -> Diagnostic {
    let message = format!("{head} and {first} would both be `{name}` in Kubernetes");
    let finding = KUBERNETES_NAME.at(head.name.span, "the same name in Kubernetes", message).about(head);
    finding.also(first.name.span, "the first item with the name")
}

/// A help with another name, which no item has.
fn rename(registry: &Registry, finding: Diagnostic, head: &Head) -> Diagnostic {
    let stack = &*registry.stack.head.name.value;
    let is_free = |name: &str| {
        let object = object_name(stack, name);
        let roles = registry.roles.iter().map(|role| &role.head);
        let mut heads = roles.chain(registry.gateways.iter().map(|gateway| &gateway.head));
        object.is_some() && heads.all(|other| object_name(stack, &other.name) != object)
    };
    let name = &*head.name.value;
    let shorter = (1..=name.len()).rev().filter_map(|length| name.get(..length));
    let candidates = shorter.flat_map(|name| [format!("{name}-2"), format!("{name}-3"), name.to_owned()]);
    let free = candidates.into_iter().find(|name| is_free(name));
    match free {
        Some(replacement) => {
            let change = Change::Word { span: head.name.span, replacement };
            finding.remedy("write another name, such as `{}`, here and where it is used", change)
        }
        None => finding.help("write another name, here and where it is used"),
    }
}
