//! Derived properties of roles: file paths, and the CPUs and NUMA node of an instance.

use super::{
    CpuList, Engine, Family, Host, Id, Model, NumaPolicy, ProcessSettings, Registry, Role, RoleKind, Serving,
    Start, Text,
};
use crate::source::Spanned;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Registry {
    /// The roles that have their own processes of an engine, in the order of declaration.
    pub fn served(&self) -> impl Iterator<Item = (&Role, &Serving)> {
        self.roles.iter().filter_map(|role| Some((role, role.serving()?)))
    }

    /// The roles that have their own processes, of any program, in the order of declaration.
    pub fn processes(&self) -> impl Iterator<Item = (&Role, &ProcessSettings)> {
        self.roles.iter().filter_map(|role| Some((role, role.process()?)))
    }

    /// The model that a role serves, and its family.
    pub fn model_of(&self, serving: &Serving) -> (&Model, Option<&Family>) {
        let model = self.models.get(serving.model.value);
        (model, self.family_of(model))
    }

    /// The family of a model.
    pub fn family_of(&self, model: &Model) -> Option<&Family> {
        model.family.map(|family| self.families.get(family.value))
    }

    /// The architecture of a model: of its family, or its own, which the lock may have. `None` if it is unknown.
    pub fn arch_of<'r>(&'r self, model: &'r Model) -> Option<&'r Text> {
        self.family_of(model).map(|family| &family.arch).or(model.arch.as_ref())
    }

    /// The names of the roles that share the processes of each role, in the order of declaration.
    pub fn sharers(&self) -> BTreeMap<Id<Role>, Vec<Arc<str>>> {
        let mut sharers: BTreeMap<_, Vec<Arc<str>>> = BTreeMap::new();
        for role in self.roles.iter() {
            if let RoleKind::Shares(shared) = &role.kind {
                sharers.entry(shared.value).or_default().push(role.head.name.value.clone());
            }
        }
        sharers
    }

    /// The role whose processes answer for a role: the one that it shares, or itself.
    pub fn provider<'r>(&'r self, role: &'r Role) -> &'r Role {
        if let RoleKind::Shares(shared) = &role.kind { self.roles.get(shared.value) } else { role }
    }

    /// The engine that serves a role. `None` for a role of another program, or one that is only listed.
    pub fn engine_of_role(&self, role: &Role) -> Option<Spanned<Id<Engine>>> {
        self.provider(role).serving()?.engine
    }

    /// The model of a role. `None` for a role of another program.
    pub fn model_of_role(&self, role: &Role) -> Option<Id<Model>> {
        match &self.provider(role).kind {
            RoleKind::Shares(_) | RoleKind::Program(_) => None,
            RoleKind::Listed(model) => Some(model.value),
            RoleKind::Served(serving) => Some(serving.model.value),
        }
    }

    /// True if the engine of a role is only in a container image.
    pub fn is_container(&self, serving: &Serving) -> bool {
        serving.engine.is_some_and(|engine| self.engines.get(engine.value).is_only_image())
    }

    /// True if a role starts on its first request.
    pub fn is_on_demand(&self, process: &ProcessSettings) -> bool {
        self.residencies.get(process.residency.value).start.value == Start::OnDemand
    }

    /// The models by the absolute path of their weights on a host. If several models have the same file, the first wins.
    /// Empty if no model has a projector, because only the checks of projectors need it.
    pub fn models_by_path(&self, host: Id<Host>) -> BTreeMap<String, &Model> {
        let mut weights = BTreeMap::new();
        if self.models.iter().any(|model| model.projector.is_some()) {
            for model in self.models.iter() {
                weights.entry(self.path_of(model, &model.file, host)).or_insert(model);
            }
        }
        weights
    }
}

impl ProcessSettings {
    /// True if the weights are locked in memory.
    pub fn is_locked(&self) -> bool {
        self.placement.lock.is_some_and(|lock| lock.value)
    }

    /// The NUMA node of an instance, for `bind` and for `spread` (round robin over the nodes). `None` if it is not
    /// bound to one node.
    pub fn bound_node(&self, host: &Host, instance: usize) -> Option<u32> {
        match self.placement.numa.as_ref()?.value {
            NumaPolicy::Bind(node) => Some(node),
            NumaPolicy::Spread if host.numa.is_empty() => Some(0),
            NumaPolicy::Spread => host.numa.get(instance % host.numa.len()).map(|node| node.node.value),
            NumaPolicy::Interleave(_) | NumaPolicy::Distribute => None,
        }
    }

    /// The instances with distinct placements. Every other instance is placed like one of them.
    pub fn representative_instances(&self, host: &Host) -> std::ops::Range<usize> {
        let is_spread = self.placement.numa.as_ref().is_some_and(|numa| numa.value == NumaPolicy::Spread);
        0..if is_spread { self.ports.len().min(host.numa.len().max(1)) } else { 1 }
    }

    /// The CPUs to which an instance is restricted. `None` if it is not restricted.
    pub fn cpus(&self, host: &Host, instance: usize) -> Option<CpuList> {
        if let Some(cpus) = &self.placement.cpus {
            return Some(cpus.list.clone());
        }
        let node = self.bound_node(host, instance)?;
        host.numa.iter().find(|numa| numa.node.value == node)?.cpus.as_ref().map(|cpus| cpus.value.clone())
    }

    /// The number of compute threads of an instance: `threads`, or the number of physical cores of its CPUs. `None` if
    /// no CPUs are declared.
    pub fn threads(&self, host: &Host, instance: usize) -> Option<u32> {
        if let Some(threads) = self.placement.threads {
            return Some(threads.value);
        }
        u32::try_from(host.cores(&self.threads_cpus(host, instance)?)).ok()
    }

    /// The CPUs whose physical cores are the default number of threads. `None` if no CPUs are declared.
    pub fn threads_cpus(&self, host: &Host, instance: usize) -> Option<CpuList> {
        self.cpus(host, instance).or_else(|| self.interleaved_cpus(host)).or_else(|| host.all_cpus())
    }

    fn interleaved_cpus(&self, host: &Host) -> Option<CpuList> {
        let NumaPolicy::Interleave(nodes) = &self.placement.numa.as_ref()?.value else { return None };
        let named = host.numa.iter().filter(|numa| nodes.contains(&numa.node.value));
        let cpus = CpuList::union(named.filter_map(|numa| numa.cpus.as_ref()).map(|cpus| &cpus.value));
        (!cpus.is_empty()).then_some(cpus)
    }
}
