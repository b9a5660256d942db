//! Use of CPUs from an exclusive cpuset by a role or service that does not name the set.

use super::shared::claims::Claims;
use crate::derive::Derived;
use crate::diag::{Change, Diagnostic, Diagnostics, Line, words};
use crate::hir::{CpuList, CpuSet, Head, Host, Id, ProcessSettings, Role};
use crate::source::{Span, Spanned};
use std::collections::{BTreeMap, BTreeSet};

declare_code! {
    /// ## What it finds
    /// CPUs of a cpuset with `exclusive` that something else uses as well: another cpuset, a service, or a role that
    /// lists some of these CPUs or is bound to a node with some of them.
    ///
    /// ## Why
    /// The set was declared so that nothing else runs on its CPUs. Units restrict each role to its own CPUs, but they
    /// do not keep other roles away from them.
    ///
    /// All roles that name the set may use it, with all their instances. A service cannot name a set: it may use the
    /// set if it has exactly the same CPUs and no role names the set. A role without `cpus` and without a bound node
    /// may run anywhere, and is not reported. Set its `cpus` to keep it away.
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
    pub(super) static EXCLUSIVE_CPUS = 332, "exclusive-cpus", Error;
}

/// The exclusive sets of a host, by CPU.
struct Exclusive<'r> {
    host: &'r Host,
    claims: Claims,
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let mut exclusive: BTreeMap<Id<Host>, Exclusive> = BTreeMap::new();
    for (id, host) in registry.hosts.entries() {
        if host.cpusets.iter().any(|set| set.exclusive) {
            exclusive.insert(id, exclusive_sets(host, findings));
        }
    }
    if exclusive.is_empty() {
        return;
    }
    let mut named: BTreeSet<(Id<Host>, &str)> = BTreeSet::new();
    let mut reported: BTreeSet<(Span, Id<Host>)> = BTreeSet::new();
    for (role, serving) in registry.processes() {
        let id = serving.host.value;
        let set = serving.placement.cpus.as_ref().and_then(|cpus| cpus.set.as_deref());
        named.extend(set.map(|set| (id, set)));
        // A role that names a set is skipped: if that set overlaps another, the two sets are reported.
        if let Some(sets) = exclusive.get(&id).filter(|_| set.is_none())
            && let Some((place, finding)) = sets.used_by_role(role, serving)
            && reported.insert((place, id))
        {
            findings.report(finding);
        }
    }
    for service in registry.services.iter() {
        let id = service.host.value;
        if let (Some(cpus), Some(sets)) = (&service.cpus, exclusive.get(&id))
            && let Some(set) = sets.overlapping(cpus)
            && (set.cpus.value != cpus.value || named.contains(&(id, &*set.name.value)))
        {
            let common = set.cpus.intersection(cpus);
            let finding = sets.finding(&service.head, (set, &common), cpus.span);
            findings.report(without_common(finding, cpus, &common, &service.head.to_string()));
        }
    }
}

/// The exclusive sets of a host. Reports those that overlap other sets.
fn exclusive_sets<'r>(host: &'r Host, findings: &mut Diagnostics) -> Exclusive<'r> {
    let (mut exclusive, mut all) = (Claims::default(), Claims::default());
    for (n, set) in host.cpusets.iter().enumerate() {
        let others = if set.exclusive { &all } else { &exclusive };
        let earlier = others.first_of(&set.cpus).and_then(|earlier| host.cpusets.get(earlier));
        findings.extend(earlier.map(|earlier| overlap(host, set, earlier)));
        all.claim_cpus(&set.cpus, n);
        if set.exclusive {
            exclusive.claim_cpus(&set.cpus, n);
        }
    }
    Exclusive { host, claims: exclusive }
}

fn overlap(host: &Host, set: &CpuSet, earlier: &CpuSet) -> Diagnostic {
    let (exclusive, other) = if earlier.exclusive { (earlier, set) } else { (set, earlier) };
    let common = set.cpus.intersection(&earlier.cpus);
    let message = format!(
        "cpuset {} of {host} is exclusive, but {} also has its {}",
        words::quoted(&exclusive.name),
        words::quoted(&other.name),
        common.describe()
    );
    let finding = EXCLUSIVE_CPUS
        .at(set.cpus.span, format!("both contain {}", common.describe()), message)
        .about(host)
        .with_number(&common)
        .also(earlier.cpus.span, format!("the CPUs of {}", words::quoted(&earlier.name)));
    without_common(finding, &set.cpus, &common, &format!("cpuset {}", words::quoted(&set.name)))
}

/// A help that writes the CPUs of a list that are in no other list.
fn without_common(finding: Diagnostic, cpus: &Spanned<CpuList>, common: &CpuList, owner: &str) -> Diagnostic {
    let rest = cpus.difference(common);
    if rest.is_empty() {
        return finding.help("change the `cpus` of one of them");
    }
    let change = Change::rewrite(cpus.span, Line::of("cpus", rest.to_string()));
    finding.remedy(format!("write `{{}}` in {owner}"), change)
}

impl<'r> Exclusive<'r> {
    fn overlapping(&self, cpus: &CpuList) -> Option<&'r CpuSet> {
        self.host.cpusets.get(self.claims.first_of(cpus)?)
    }

    fn used_by_role(&self, role: &Role, serving: &ProcessSettings) -> Option<(Span, Diagnostic)> {
        let placement = &serving.placement;
        let numa_span = placement.numa.as_ref().map(|numa| numa.span);
        let place = placement.cpus.as_ref().map(|cpus| cpus.span).or(numa_span)?;
        let instances = serving.representative_instances(self.host);
        let mut cpus_of_instances = instances.filter_map(|instance| serving.cpus(self.host, instance));
        let (cpus, set) =
            cpus_of_instances.find_map(|cpus| self.overlapping(&cpus).map(|set| (cpus, set)))?;
        let common = set.cpus.intersection(&cpus);
        let name = words::quoted(&set.name);
        let rest = cpus.difference(&common);
        let finding = self.finding(&role.head, (set, &common), place);
        let write = |cpus: String, count: u64| {
            let set = |line| Change::set_in(role.head.span, "placement", line);
            let fewer = placement.threads.filter(|threads| u64::from(threads.value) > count);
            let fewer = fewer.map(|_| set(Line::of("threads", count)));
            Change::All(std::iter::once(set(Line::of("cpus", cpus))).chain(fewer).collect())
        };
        let finding = if rest.is_empty() {
            finding
        } else {
            finding.remedy("write `{}`", write(rest.to_string(), rest.count()))
        };
        let or = if rest.is_empty() { "" } else { "or " };
        let title = format!("{or}write `{{}}` to use the set {name}");
        Some((place, finding.remedy(title, write(set.name.value.to_string(), set.cpus.count()))))
    }

    fn finding(&self, user: &Head, (set, common): (&CpuSet, &CpuList), place: Span) -> Diagnostic {
        let number = common.to_string();
        let (common, name, host) = (common.describe(), words::quoted(&set.name), self.host);
        let message = format!("{user} uses {common} of the exclusive cpuset {name} of {host}");
        EXCLUSIVE_CPUS
            .at(place, format!("uses {common}"), message)
            .about(user)
            .with_number(&number)
            .also(set.cpus.span, "only for roles that name this set")
    }
}
