//! An architecture that no model can be loaded under.

use super::Check;
use crate::diag::{Diagnostics, words};
use crate::engine::architecture::{self, Class};
use crate::hir::Registry;

declare_code! {
    /// ## What it finds
    /// A family whose `arch` is a name that the engine knows and loads no model under: `clip`, which is what projectors say of
    /// themselves, and `gptj`.
    ///
    /// ## Why
    /// llama-server exits as soon as it has read the header of such a file (llama.cpp b11434, `src/llama-arch.cpp`).
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
    static UNLOADABLE_ARCHITECTURE = 363, "unloadable-architecture", Error;
}

pub(super) static CHECK: Check = Check { code: &UNLOADABLE_ARCHITECTURE, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    for family in registry.families.iter() {
        let known = architecture::architecture(&family.arch);
        if !known.is_some_and(|arch| arch.is(Class::NotLoadable)) {
            continue;
        }
        let message = format!(
            "family {} has the architecture {}, under which no model can be loaded",
            words::quoted(&family.head.name),
            words::quoted(&family.arch)
        );
        let finding = UNLOADABLE_ARCHITECTURE
            .at(family.arch.span, "loads no model", message)
            .about("family", &*family.head.name.value);
        let help = if &*family.arch.value == "clip" {
            "name such a file as the `projector` of its model, and here the architecture of the model"
        } else {
            "write `general.architecture` as the model file has it"
        };
        findings.report(finding.help(help));
    }
}
