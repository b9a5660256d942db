//! What could not be checked, where everything has to be proved.

use super::{over_budget, over_host_memory, over_node_memory};
use crate::diag::{Diagnostics, words};
use crate::hir::Registry;
use crate::source::Span;
use std::collections::BTreeMap;

declare_code! {
    /// ## What it finds
    /// With `--locked`: anything that could not be checked because a fact is not known. What a sum of memory leaves out is none of
    /// these: a header that is not known is said of its model, and no lock would tell the rest.
    ///
    /// ## Why
    /// Without `--locked` it is counted and listed by `--verbose`. Where a stack is released from a machine without its models,
    /// "not known to be wrong" is not enough.
    ///
    /// ## Instead
    /// Run `orchgen lock` where the models are, and commit `registry.lock`.
    pub(super) static NOT_CHECKED = 399, "not-checked", Error;
}

/// Says everything that was left unchecked, at the item that it speaks of.
pub(super) fn report(registry: &Registry, findings: &mut Diagnostics) {
    let places: BTreeMap<(&str, &str), Span> =
        registry.heads().map(|(kind, head)| ((kind, &*head.name.value), head.name.span)).collect();
    let sums =
        [&over_budget::OVER_BUDGET, &over_host_memory::OVER_HOST_MEMORY, &over_node_memory::OVER_NODE_MEMORY];
    let left = findings.not_checked().to_vec();
    for one in left.into_iter().filter(|one| !sums.iter().any(|sum| sum.name == one.check)) {
        let (kind, name) = (one.subject.kind, words::quoted(&one.subject.name));
        let place = places.get(&(kind, &*one.subject.name)).copied().unwrap_or(registry.stack.head.name.span);
        let message = format!("`{}` of {kind} {name} could not be checked", one.check);
        let finding = NOT_CHECKED.at(place, "nothing is proved of this", message).note(one.why);
        findings.report(finding.about(kind, one.subject.name).help("leave out `--locked` to let it be"));
    }
}
