//! An architecture that no known build has.

use super::Check;
use crate::diag::{Diagnostics, Likeness, Safety, near, words};
use crate::engine::architecture;
use crate::hir::Registry;

declare_code! {
    /// ## What it finds
    /// A family whose `arch` is not an architecture of llama.cpp as of build b11434.
    ///
    /// ## Why
    /// Metadata keys begin with the architecture, and a key of another one is ignored by the engine in silence. A newer build may have
    /// an architecture that is not known here, which is why this is a warning; its override keys are not checked.
    ///
    /// ## Example
    /// ```kdl
    /// family "odd" arch="qwen3-moe"
    /// ban target="odd" draft="*" failure="it stutters"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// family "odd" arch="qwen3moe"
    /// ban target="odd" draft="*" failure="it stutters"
    /// ```
    static UNKNOWN_ARCHITECTURE = 315, "unknown-architecture", Warning;
}

pub(super) static CHECK: Check = Check { code: &UNKNOWN_ARCHITECTURE, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    for family in registry.families.iter() {
        if architecture::architecture(&family.arch).is_some() {
            continue;
        }
        let near = near(&family.arch, architecture::names());
        let label = near.map_or_else(
            || "not known as of b11434".to_owned(),
            |near| format!("did you mean `{}`?", near.name),
        );
        let message = format!(
            "family {} has the unknown architecture {}",
            words::quoted(&family.head.name),
            words::quoted(&family.arch)
        );
        let finding = UNKNOWN_ARCHITECTURE
            .at(family.arch.span, label, message)
            .about("family", &*family.head.name.value);
        let finding = match near {
            // A newer build may have one whose name differs in a letter.
            Some(near) if near.likeness == Likeness::Slip => {
                finding.write(near.name, family.arch.span, Safety::Unsafe)
            }
            near => finding.meant(near, family.arch.span),
        };
        findings.report(finding.help("write `general.architecture` as the model file has it"));
    }
}
