//! An architecture for which the engine loads no model.

use crate::derive::Derived;
use crate::diag::{Diagnostics, words};
use crate::engine::architecture::{self, Class};

declare_code! {
    /// ## What it finds
    /// A family whose `arch` the engine knows but cannot load: `clip`, the architecture of projectors, and `gptj`.
    ///
    /// ## Why
    /// llama-server exits after it has read the header of such a file (llama.cpp b11434, `src/llama-arch.cpp`).
    ///
    /// ## Example
    /// ```kdl
    /// family "odd" arch="clip"
    /// ban target="odd" draft="*" failure="it is a projector"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// family "odd" arch="qwen2vl"
    /// ban target="odd" draft="*" failure="it has a projector"
    /// ```
    pub(super) static UNLOADABLE_ARCHITECTURE = 363, "unloadable-architecture", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for family in derived.registry.families.iter() {
        let known = architecture::architecture(&family.arch);
        if !known.is_some_and(|arch| arch.is(Class::NotLoadable)) {
            continue;
        }
        let message = format!(
            "{family} has the architecture {}, which the engine cannot load",
            words::quoted(&family.arch)
        );
        let finding = UNLOADABLE_ARCHITECTURE
            .at(family.arch.span, "not a loadable architecture", message)
            .about(family);
        let help = if &*family.arch.value == "clip" {
            "write the architecture of the model here, and name this file in the `projector` of the model"
        } else {
            "write the `general.architecture` of the model file"
        };
        findings.report(finding.help(help));
    }
}
