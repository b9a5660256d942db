//! A trained context that a command line needs, and that is not known.

use super::shared::faults;
use crate::derive::Derived;
use crate::diag::{Diagnostics, words};
use crate::engine::dialect::FaultKind;

declare_code! {
    /// ## What it finds
    /// A role whose `context` is `"trained"` or absent, if the command line needs the number and the number is unknown:
    /// a role with several separate `slots`, or a role with `pooling`.
    ///
    /// ## Why
    /// The server gets one number for all slots together, so orchgen multiplies the trained context by `slots`. An
    /// embedder processes a whole request in one batch, so its batch has the size of the context. The trained context is
    /// in the header of the model file: `orchgen lock` stores it in `registry.lock`. With one slot the engine reads the
    /// header itself.
    ///
    /// ## Example
    /// ```yaml
    /// families: {f: {arch: llama}}
    /// models: {base: {family: f, title: Base, quant: Q4_K_M, size: 1 GB, file: base.gguf}}
    /// roles:
    ///   extra: {tier: A, residency: hot, model: base, port: 9000, slots: 2}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// families: {f: {arch: llama}}
    /// models: {base: {family: f, title: Base, quant: Q4_K_M, size: 1 GB, file: base.gguf}}
    /// roles:
    ///   extra: {tier: A, residency: hot, model: base, port: 9000, slots: 2, context: 8192}
    /// ```
    pub(super) static UNKNOWN_CONTEXT = 342, "unknown-context", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for (at, fault) in faults::of_kind(derived, FaultKind::UnknownContext) {
        let (role, serving) = (at.role, at.serving);
        let title = words::quoted(&derived.registry.models.get(serving.model.value).title);
        let message = format!("{role} needs the trained context of {title}, which is unknown");
        let finding = UNKNOWN_CONTEXT.at(serving.context.span, &*fault.why, message).about(role);
        let finding = finding.help("run `orchgen lock` where the model file is");
        findings.report(finding.help("or set `context` to a number of tokens"));
    }
}
