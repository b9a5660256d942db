//! An adapter for a model of another architecture.

use crate::derive::Derived;
use crate::diag::{Change, Diagnostics, words};
use crate::engine::options;
use crate::hir::Setting;

declare_code! {
    /// ## What it finds
    /// A `lora` of a role that was made for another architecture than that of the model. The lock has the architecture of
    /// each adapter.
    ///
    /// ## Why
    /// llama-server exits at start (seen with b11669).
    ///
    /// ## Instead
    /// Use an adapter for the model of the role, or remove the option.
    pub(super) static FOREIGN_ADAPTER = 367, "foreign-adapter", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for (role, serving) in registry.served() {
        for option in serving.options.iter().filter(|option| options::loads_adapters(&option.name)) {
            let Some(value) = &option.value else { continue };
            let Setting::Text(text) = &value.value else { continue };
            for path in options::read_files(&option.name, text) {
                let adapter = derived.lock.adapters.get(path).and_then(|locked| {
                    Some((locked.facts.architecture.as_deref()?, locked.place("architecture")))
                });
                let Some((found, place)) = adapter else { continue };
                let model = registry.model_of(serving).0;
                let Some(arch) = registry.arch_of(model) else { continue };
                if found == &*arch.value {
                    continue;
                }
                let (path, found) = (words::quoted(path), words::quoted(found));
                let needed = words::quoted(arch);
                let message = format!(
                    "adapter {path} of {role} is for the architecture {found}, and {model} has {needed}"
                );
                let mut finding =
                    FOREIGN_ADAPTER.at(value.span, "made for another architecture", message).about(role);
                if let Some(place) = place {
                    finding = finding.also(place, "as the lock has it");
                }
                findings
                    .report(finding.remedy("remove this option", Change::field("option", option.name.span)));
            }
        }
    }
}
