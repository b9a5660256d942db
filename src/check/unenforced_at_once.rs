//! A limit on the number of roles that run at the same time, which nothing enforces.

use super::shared::gateway_remedy::{gateway_change, join_change, llama_swap_change};
use crate::derive::{Derived, ServedGateway, ServedProcess};
use crate::diag::{Change, Diagnostic, Diagnostics, Line, words};
use crate::hir::{Gateway, GatewayKind, Id, Registry, Residency, Role, RoleSet, Start};
use crate::source::Spanned;
use std::collections::{BTreeMap, BTreeSet};

declare_code! {
    /// ## What it finds
    /// A residency whose `at-once` is smaller than the number of its roles on a host, if nothing enforces the limit:
    ///
    /// - one of these roles is not behind a gateway;
    /// - they are behind several gateways;
    /// - their gateway is a router that also has roles of another residency;
    /// - a `set` of their gateway has more of them;
    /// - the residency starts more roles at boot than may run at the same time.
    ///
    /// ## Why
    /// A client can use each role that has its own port at any time, and systemd does not unload another role for it. Memory
    /// sums with `at-once` would be too small.
    ///
    /// Both kinds of gateways enforce `at-once`. The router of llama-server unloads the model that was used least recently before it
    /// loads another one. It has one limit for all its models, so a residency with `at-once` needs its own router. llama-swap has
    /// the sets of models that may be in memory together, which orchgen computes from `at-once` and the memory of the roles, or
    /// which the gateway declares with `set`.
    ///
    /// ## Example
    /// ```kdl
    /// residency "swap" start="on-demand" at-once=1
    /// role "fast" tier="A" residency="swap" model="plain" port=9000 context=4096
    /// role "smart" tier="A" residency="swap" model="tiny" port=9001 context=4096
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// gateway "front" port=9000
    /// residency "swap" start="on-demand" at-once=1
    /// role "fast" tier="A" residency="swap" model="plain" gateway="front" context=4096
    /// role "smart" tier="A" residency="swap" model="tiny" gateway="front" context=4096
    /// ```
    pub(super) static UNENFORCED_AT_ONCE = 602, "unenforced-at-once", Error;
}

/// The number of findings with an exact change. A limit keeps the work for any text linear.
const MAX_CHANGES: usize = 16;

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let (registry, loads) = (&derived.registry, derived.loads());
    let mut found = 0;
    let mut reported: BTreeSet<Id<Residency>> = BTreeSet::new();
    for (id, residency) in registry.residencies.entries() {
        let Some(most) = residency.at_once else { continue };
        for group in loads.of_residency(id) {
            let is_enforced =
                residency.start.value != Start::Boot && derived.limiting_gateway(id, &group).is_some();
            let roles: Vec<ServedProcess<'_>> = group.roles().collect();
            if is_enforced || roles.len() <= most.value as usize {
                continue;
            }
            // One finding for all hosts is enough.
            let has_change = found < MAX_CHANGES;
            found += 1;
            let limited = Limited { derived, registry, id, residency, most, roles, has_change };
            findings.report(limited.finding().about(residency));
            reported.insert(id);
            break;
        }
    }
    for gateway in registry.gateways.iter() {
        larger_sets(registry, gateway, &reported, findings);
    }
}

/// The roles of a set by residency.
fn by_residency(registry: &Registry, set: &RoleSet) -> BTreeMap<Id<Residency>, Vec<Spanned<Id<Role>>>> {
    let mut found: BTreeMap<Id<Residency>, Vec<Spanned<Id<Role>>>> = BTreeMap::new();
    for role in &set.value {
        if let Some(process) = registry.roles.get(role.value).process() {
            found.entry(process.residency.value).or_default().push(*role);
        }
    }
    found
}

/// The number of roles that a help names. A set can have thousands.
const MAX_NAMED: usize = 4;

/// Reports the declared sets of a gateway with more roles of a residency than may run at the same time. `reported` are the
/// residencies whose limit nothing enforces.
fn larger_sets(
    registry: &Registry,
    gateway: &Gateway,
    reported: &BTreeSet<Id<Residency>>,
    findings: &mut Diagnostics,
) {
    let mut most_of: BTreeMap<Id<Residency>, usize> = BTreeMap::new();
    for set in &gateway.sets {
        for (id, roles) in by_residency(registry, set) {
            let most = most_of.entry(id).or_default();
            *most = roles.len().max(*most);
        }
    }
    let of_sets = gateway.sets.iter().flat_map(|set| {
        by_residency(registry, set).into_iter().map(move |(id, roles)| (id, set.span, roles))
    });
    for (id, place, roles) in of_sets {
        let residency = registry.residencies.get(id);
        let Some(most) = residency.at_once.filter(|_| !reported.contains(&id)) else { continue };
        let others = roles.get(most.value as usize..).unwrap_or_default();
        if others.is_empty() {
            continue;
        }
        let message = format!(
            "a set of {gateway} has {} of {residency}, but its `at-once` is {}",
            words::count(roles.len(), "role"),
            most.value
        );
        let finding = UNENFORCED_AT_ONCE.at(place, "may be in memory together", message).about(gateway);
        let finding = finding.also(most.span, "fewer roles at the same time");
        let name = |role: &Spanned<Id<Role>>| words::quoted(&registry.roles.get(role.value).head.name);
        let finding = if others.len() > MAX_NAMED {
            finding.help(format!("remove {} of these roles from the `set`", others.len()))
        } else {
            let names: Vec<String> = others.iter().map(name).collect();
            let removals = others.iter().map(|role| Change::RemoveValue { place: role.span });
            let title = format!("remove {} from the `set`", words::all_of(&names));
            finding.remedy(title, Change::All(removals.collect()))
        };
        let largest = most_of.get(&id).copied().unwrap_or(roles.len()) as u64;
        let raised = Change::rewrite(most.span, Line::of("at-once", largest));
        findings.report(finding.remedy(format!("or write `{{}}` in {residency}"), raised));
    }
}

/// A residency with more roles on a host than may run at the same time.
struct Limited<'r> {
    derived: &'r Derived,
    registry: &'r Registry,
    id: Id<Residency>,
    residency: &'r Residency,
    most: Spanned<u32>,
    roles: Vec<ServedProcess<'r>>,
    /// True if the help names the exact change.
    has_change: bool,
}

impl Limited<'_> {
    fn finding(&self) -> Diagnostic {
        let Self { registry, residency, most, .. } = self;
        let count = self.roles.len();
        if residency.start.value == Start::Boot {
            let message =
                format!("{residency} starts {count} roles at boot, but `at-once` allows {}", most.value);
            let finding = UNENFORCED_AT_ONCE.at(most.span, "fewer than start at boot", message);
            return self.at_boot(finding.also(residency.start.span, "starts all its roles"));
        }
        if let Some(own) = self.roles.iter().find(|role| role.settings.gateway.is_none()) {
            let role = registry.roles.get(own.id);
            let message = format!(
                "nothing enforces `at-once` {} of {residency}: clients can use all its {count} roles at the same time",
                most.value
            );
            let finding = UNENFORCED_AT_ONCE.at(most.span, "not enforced", message);
            return self
                .with_gateway(finding.also(own.settings.ports.span, format!("{role} has its own port")));
        }
        match self.gateways().as_slice() {
            [one] => self.with_other_residencies(one),
            several => self.behind_several(several),
        }
    }

    /// The gateways of the roles.
    fn gateways(&self) -> Vec<&ServedGateway> {
        let all: BTreeSet<_> =
            self.roles.iter().filter_map(|role| role.settings.gateway).map(|id| id.value).collect();
        let served = |id| self.derived.gateways.iter().find(|gateway: &&ServedGateway| gateway.id == id);
        all.into_iter().filter_map(served).collect()
    }

    /// The change that puts all roles behind one gateway: one that has only roles of the residency, or a new one.
    fn one_gateway(&self) -> Option<Change> {
        if !self.has_change {
            return None;
        }
        let gateways = self.gateways();
        let Some(kept) = gateways.iter().find(|gateway| gateway.only_residency() == Some(self.id)) else {
            return gateway_change(self.derived, &self.roles.iter().collect::<Vec<_>>());
        };
        let is_elsewhere =
            |role: &&ServedProcess<'_>| role.settings.gateway.is_none_or(|own| own.value != kept.id);
        let others: Vec<&ServedProcess<'_>> = self.roles.iter().filter(is_elsewhere).collect();
        join_change(self.registry, &others, self.registry.gateways.get(kept.id))
    }

    /// The helps for a residency that starts at boot.
    fn at_boot(&self, finding: Diagnostic) -> Diagnostic {
        let Self { registry, residency, most, .. } = self;
        let start = Change::rewrite(residency.start.span, Line::of("start", "on-demand"));
        let file = residency.start.span.file;
        let is_one_file = self.roles.iter().all(|role| registry.roles.get(role.id).head.span.file == file);
        let finding = if let [gateway] = self.gateways().as_slice()
            && gateway.roles.len() == self.roles.len()
        {
            finding.remedy("write `{}`", start)
        } else if let Some(program) = self.program() {
            finding.help(program)
        } else if let Some(Change::All(changes)) = self.one_gateway().filter(|_| is_one_file) {
            let all = Change::All(std::iter::once(start).chain(changes).collect());
            finding.remedy("write `{}` in its roles", all)
        } else {
            finding.help("write `start` `on-demand`, and put its roles behind their own gateway")
        };
        finding.remedy("or remove `{}`: then all its roles may run", Change::remove(most.span))
    }

    /// The helps for roles with their own ports.
    fn with_gateway(&self, finding: Diagnostic) -> Diagnostic {
        let finding = if let Some(program) = self.program() {
            finding.help(program)
        } else if let Some(change) = self.one_gateway() {
            let title =
                "write `{}` in its roles instead of `port`: a gateway loads only so many models at a time";
            finding.remedy(title, change)
        } else if let Some(several) = self.roles.iter().find(|role| role.settings.ports.value.len() > 1) {
            let role = self.registry.roles.get(several.id);
            finding.help(format!(
                "give {role} one process: a router runs one for each role; then put the roles behind a gateway"
            ))
        } else {
            finding.help(
                "put its roles behind a gateway, whose router loads only so many models at a time: declare it, and write `gateway` in each of them instead of its address",
            )
        };
        finding.remedy("or remove `{}`: then all its roles may run", Change::remove(self.most.span))
    }

    /// The help for a role with a `command`.
    fn program(&self) -> Option<String> {
        let program = self.roles.iter().find(|role| role.is_program)?;
        let role = self.registry.roles.get(program.id);
        let mut gateways = self.roles.iter().filter_map(|role| role.settings.gateway);
        let swap = gateways.find_map(|gateway| {
            Some(self.registry.gateways.get(gateway.value))
                .filter(|gateway| gateway.kind == GatewayKind::LlamaSwap)
        });
        Some(match swap {
            Some(gateway) => format!("put all its roles behind {gateway}"),
            None => format!(
                "give {role} another residency: it has a `command`, which no router runs; or use a gateway of `kind` `llama-swap` for all of them"
            ),
        })
    }

    fn with_other_residencies(&self, gateway: &ServedGateway) -> Diagnostic {
        let Self { registry, residency, most, .. } = self;
        let head = &registry.gateways.get(gateway.id).head;
        let message = format!(
            "{head} cannot enforce `at-once` {} of {residency}: it has one limit for the models of all its residencies",
            most.value
        );
        let finding = UNENFORCED_AT_ONCE.at(most.span, "not enforced", message);
        let other = gateway.roles.iter().map(|id| registry.roles.get(*id)).find_map(|role| {
            let process = role.process().filter(|process| process.residency.value != self.id)?;
            Some((role, process.residency.span))
        });
        let finding = match other {
            Some((role, place)) => finding.also(place, format!("{role} has another residency")),
            None => finding,
        };
        let finding = match self.one_gateway() {
            Some(change) => finding.remedy("write `{}` in its roles: they need their own gateway", change),
            None => {
                finding.help(format!("give the roles of {residency} their own gateway, with another port"))
            }
        };
        let swap = llama_swap_change(registry.gateways.get(gateway.id));
        let title = "or write `{}` in the gateway, if llama-swap is installed: it limits each residency";
        let finding = finding.remedy(title, swap);
        finding.remedy("or remove `{}`: then all its roles may run", Change::remove(most.span))
    }

    fn behind_several(&self, gateways: &[&ServedGateway]) -> Diagnostic {
        let Self { registry, residency, most, .. } = self;
        let message = format!(
            "nothing enforces `at-once` {} of {residency}: its roles are behind several gateways",
            most.value
        );
        let finding = UNENFORCED_AT_ONCE.at(most.span, "not enforced", message);
        let heads = gateways.iter().map(|gateway| &registry.gateways.get(gateway.id).head);
        let finding =
            heads.fold(finding, |finding, head| finding.also(head.name.span, "one of its gateways"));
        let finding = match self.one_gateway() {
            Some(change) => finding.remedy("write `{}` in its other roles: they need one gateway", change),
            None => finding.help("put all its roles behind one gateway"),
        };
        finding.help("or declare a residency for the roles of each gateway")
    }
}
