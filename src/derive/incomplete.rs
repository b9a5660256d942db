//! The roles whose memory a sum lacks, because it is not completely known or its place is not fixed.

use super::loads::RoleGroup;
use super::place::MemoryScope;
use super::process::ServedProcess;
use crate::engine::memory::Amount;
use crate::hir::NumaPolicy;

impl<'d> ServedProcess<'d> {
    /// The first reason why its memory is not completely known, as a clause. `None` if it is known.
    pub fn unknown_part(&self) -> Option<&'d str> {
        let reason = self.memory.parts.iter().find_map(|part| match &part.amount {
            Amount::Unknown(why) => Some(why.as_str()),
            Amount::Within { .. } | Amount::AtMost(_) | Amount::MayGrow(_) => None,
        });
        reason.or_else(|| self.memory.lacks_size.then_some("the size of a file is unknown"))
    }

    fn policy(&self) -> Option<&'d NumaPolicy> {
        self.settings.placement.numa.as_ref().map(|numa| &numa.value)
    }
}

impl<'l> RoleGroup<'l> {
    /// The roles whose memory is not completely known.
    pub fn unknown(&self) -> impl Iterator<Item = ServedProcess<'l>> {
        self.roles().filter(|role| role.unknown_part().is_some())
    }

    /// The roles on a NUMA node whose memory is not completely known.
    pub fn unknown_on_node(&self, node: u32) -> impl Iterator<Item = ServedProcess<'l>> {
        let host = self.registry.hosts.get(self.host);
        self.unknown().filter(move |role| match role.policy() {
            Some(NumaPolicy::Interleave(nodes)) => nodes.is_empty() || nodes.contains(&node),
            Some(NumaPolicy::Bind(_) | NumaPolicy::Spread | NumaPolicy::Distribute) | None => {
                let mut instances = role.settings.representative_instances(host);
                instances.any(|instance| role.settings.bound_node(host, instance) == Some(node))
            }
        })
    }

    /// The number of roles with memory that the sum of a NUMA node lacks, because its node is not fixed.
    pub fn unplaced_on_node(&self, node: u32) -> usize {
        let scope = MemoryScope::node(node);
        let is_unplaced = |role: &ServedProcess<'_>| {
            matches!(role.policy(), None | Some(NumaPolicy::Distribute)) || !self.is_located(scope, role)
        };
        self.roles().filter(is_unplaced).count()
    }
}
