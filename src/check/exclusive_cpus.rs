//! CPUs of a set that is declared exclusive, used by what does not name it.

use super::Check;
use super::claims::Claims;
use crate::diag::{Diagnostic, Diagnostics, words};
use crate::hir::{CpuList, CpuSet, Host, Id, Registry, Role, Serving};
use crate::source::Span;
use std::collections::{BTreeMap, BTreeSet};

declare_code! {
    /// ## What it finds
    /// CPUs of a cpuset with `exclusive` that are used by somebody else: a role on a list of CPUs or bound to a node with some of
    /// them, a service, or another cpuset.
    ///
    /// ## Why
    /// The set was declared so that nothing else runs there. Units hold each role to the CPUs it was given, and to no others'.
    ///
    /// The set is for whoever names it: several roles may, and all instances of each. A service cannot name a set, so one on
    /// exactly its CPUs has it, as long as no role names it. A role without CPUs or a node of its own is held to none and is no
    /// finding; give it `cpus` to keep it away.
    ///
    /// ## Example
    /// ```kdl
    /// host "far" memory="64 GB" cpus="0-15" { cpuset "quiet" cpus="0-3" exclusive=#true }
    /// role "extra" tier="A" residency="hot" host="far" model="plain" port=9000 context=4096 { placement cpus="0-7" threads=8 }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// host "far" memory="64 GB" cpus="0-15" { cpuset "quiet" cpus="0-3" exclusive=#true }
    /// role "extra" tier="A" residency="hot" host="far" model="plain" port=9000 context=4096 { placement cpus="4-7" threads=4 }
    /// role "other" tier="A" residency="hot" host="far" model="plain" port=9001 context=4096 { placement cpus="quiet" threads=4 }
    /// ```
    static EXCLUSIVE_CPUS = 332, "exclusive-cpus", Error;
}

pub(super) static CHECK: Check = Check { code: &EXCLUSIVE_CPUS, run };

/// The exclusive sets of a host, by CPU.
struct Exclusive<'r> {
    host: &'r Host,
    claims: Claims,
}

fn run(registry: &Registry, findings: &mut Diagnostics) {
    let mut exclusive: BTreeMap<Id<Host>, Exclusive> = BTreeMap::new();
    for (id, host) in registry.hosts.entries() {
        if host.cpusets.iter().any(|set| set.exclusive) {
            exclusive.insert(id, sets(host, findings));
        }
    }
    if exclusive.is_empty() {
        return;
    }
    let mut named: BTreeSet<(Id<Host>, &str)> = BTreeSet::new();
    let mut said: BTreeSet<(Span, Id<Host>)> = BTreeSet::new();
    for (role, serving) in registry.served() {
        let id = serving.host.value;
        let set = serving.placement.cpus.as_ref().and_then(|cpus| cpus.set.as_deref());
        named.extend(set.map(|set| (id, set)));
        // Where a set that is named meets another one, the sets are said.
        if let Some(sets) = exclusive.get(&id).filter(|_| set.is_none())
            && let Some((place, finding)) = sets.used_by_role(role, serving)
            && said.insert((place, id))
        {
            findings.report(finding);
        }
    }
    for service in registry.services.iter() {
        let id = service.host.value;
        if let (Some(cpus), Some(sets)) = (&service.cpus, exclusive.get(&id))
            && let Some(set) = sets.met(cpus)
            && (set.cpus.value != cpus.value || named.contains(&(id, &*set.name.value)))
        {
            let who = ("service", &*service.head.name.value);
            let common = set.cpus.common_with(cpus);
            findings
                .report(sets.finding(who, (set, &common), cpus.span).help("move one of them to other CPUs"));
        }
    }
}

/// The exclusive sets; those that meet other sets are said.
fn sets<'r>(host: &'r Host, findings: &mut Diagnostics) -> Exclusive<'r> {
    let mut exclusive = Exclusive { host, claims: Claims::default() };
    let mut all = Exclusive { host, claims: Claims::default() };
    for (n, set) in host.cpusets.iter().enumerate() {
        let met = if set.exclusive { all.met(&set.cpus) } else { exclusive.met(&set.cpus) };
        if let Some(met) = met {
            findings.report(overlap(host, set, met));
        }
        all.claim(set, n);
        if set.exclusive {
            exclusive.claim(set, n);
        }
    }
    exclusive
}

fn overlap(host: &Host, set: &CpuSet, met: &CpuSet) -> Diagnostic {
    let (closed, other) = if met.exclusive { (met, set) } else { (set, met) };
    let common = set.cpus.common_with(&met.cpus);
    let message = format!(
        "cpuset {} of host {} is exclusive, and {} has its {}",
        words::quoted(&closed.name),
        words::quoted(&host.head.name),
        words::quoted(&other.name),
        common.spoken()
    );
    let finding = EXCLUSIVE_CPUS
        .at(set.cpus.span, format!("both have {}", common.spoken()), message)
        .about("host", &*host.head.name.value)
        .also(met.cpus.span, format!("these are the CPUs of {}", words::quoted(&met.name)));
    finding.help("give each set CPUs of its own")
}

impl<'r> Exclusive<'r> {
    fn claim(&mut self, set: &CpuSet, n: usize) {
        for range in set.cpus.ranges() {
            self.claims.claim(*range, n);
        }
    }

    /// The set that has the first of some CPUs which any set has.
    fn met(&self, cpus: &CpuList) -> Option<&'r CpuSet> {
        let first = cpus.ranges().iter().find_map(|range| self.claims.meeting(*range).next());
        first.and_then(|(_, n)| self.host.cpusets.get(n))
    }

    /// The place and the finding of a role whose CPUs are a set's that it does not name.
    fn used_by_role(&self, role: &Role, serving: &Serving) -> Option<(Span, Diagnostic)> {
        let placement = &serving.placement;
        let of_node = placement.numa.as_ref().map(|numa| numa.span);
        let place = placement.cpus.as_ref().map(|cpus| cpus.span).or(of_node)?;
        let instances = serving.kinds_of_instances(self.host);
        let mut held = instances.filter_map(|instance| serving.cpus(self.host, instance));
        let (cpus, set) = held.find_map(|cpus| self.met(&cpus).map(|set| (cpus, set)))?;
        let common = set.cpus.common_with(&cpus);
        let name = words::quoted(&set.name);
        let help = if placement.cpus.is_none() {
            format!("give it `cpus` without {common}, or name the set: `cpus` {name}")
        } else if common == cpus {
            format!("name the set: `cpus` {name}")
        } else {
            format!("leave {common} out of `cpus`")
        };
        let who = ("role", &*role.head.name.value);
        Some((place, self.finding(who, (set, &common), place).help(help)))
    }

    fn finding(
        &self,
        (kind, name): (&'static str, &str),
        (set, common): (&CpuSet, &CpuList),
        place: Span,
    ) -> Diagnostic {
        let message = format!(
            "{kind} {} runs on {}, exclusive to cpuset {} of host {}",
            words::quoted(name),
            common.spoken(),
            words::quoted(&set.name),
            words::quoted(&self.host.head.name)
        );
        EXCLUSIVE_CPUS
            .at(place, format!("takes {}", common.spoken()), message)
            .about(kind, name)
            .also(set.cpus.span, "exclusive to who names this set")
    }
}
