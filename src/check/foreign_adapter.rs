//! An adapter for a model of another architecture.

use crate::derive::Derived;
use crate::diag::{Change, Diagnostics, words};

declare_code! {
    /// ## What it finds
    /// A `lora` of a role that was made for another architecture than that of the model. The lock has the architecture of
    /// each adapter.
    ///
    /// ## Why
    /// llama-server exits at start (seen with b11669).
    ///
    /// ## Instead
    /// Use an adapter for the model of the role, or remove the field.
    pub(super) static FOREIGN_ADAPTER = 367, "foreign-adapter", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for (role, serving) in registry.served() {
        for adapter in serving.adapters() {
            let path = &adapter.file;
            let facts = derived.lock.adapters.get(&*path.value).and_then(|locked| {
                Some((locked.facts.architecture.as_deref()?, locked.place("architecture")))
            });
            let Some((found, place)) = facts else { continue };
            let model = registry.model_of(serving).0;
            let Some(arch) = registry.arch_of(model) else { continue };
            if found == &*arch.value {
                continue;
            }
            let (shown, found) = (words::quoted(path), words::quoted(found));
            let needed = words::quoted(arch);
            let message = format!(
                "adapter {shown} of {role} is for the architecture {found}, and {model} has {needed}"
            );
            let finding = FOREIGN_ADAPTER.at(path.span, "made for another architecture", message).about(role);
            let finding = match place {
                Some(place) => finding.also(place, "as the lock has it"),
                None => finding,
            };
            findings.report(finding.remedy("remove `{}`", Change::field("lora", path.span)));
        }
    }
}
