//! A projector that is no projector.

use super::Check;
use crate::diag::{Diagnostics, words};
use crate::hir::Registry;

declare_code! {
    /// ## What it finds
    /// A `projector` whose file is the weights of a model, its own or another's.
    ///
    /// ## Why
    /// A projector is a second file (`general.architecture` is `clip`), which turns images into what the model reads. The engine
    /// loads no weights as one, and exits.
    ///
    /// ## Example
    /// ```kdl
    /// model "eye" family="qwen2" title="Eye-7B" quant="Q4_K_M" size="4.4 GB" file="eye.gguf" { projector "plain.gguf" }
    /// role "look" tier="A" model="eye"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// model "eye" family="qwen2" title="Eye-7B" quant="Q4_K_M" size="4.4 GB" file="eye.gguf" { projector "mmproj-eye.gguf" }
    /// role "look" tier="A" model="eye"
    /// ```
    static MISPLACED_PROJECTOR = 352, "misplaced-projector", Error;
}

pub(super) static CHECK: Check = Check { code: &MISPLACED_PROJECTOR, run };

fn run(registry: &Registry, findings: &mut Diagnostics) {
    let weights = registry.weights();
    for model in registry.models.iter() {
        let Some(projector) = &model.projector else { continue };
        let path = registry.path_of(model, &projector.file);
        // Its own file is said first, whoever else reads it.
        let own = (registry.path_of(model, &model.file) == path).then_some(model);
        let Some(other) = own.or_else(|| weights.get(&path).copied()) else { continue };
        let whose = if own.is_some() {
            "its own weights".to_owned()
        } else {
            format!("the weights of model {}", words::quoted(&other.head.name))
        };
        let message = format!("the projector of model {} is {whose}", words::quoted(&model.head.name));
        let finding = MISPLACED_PROJECTOR
            .at(projector.file.span, "expected a projector", message)
            .also(other.file.span, "a file of weights")
            .about("model", &*model.head.name.value);
        findings
            .report(finding.help("name the projector's own file, as `mmproj-*.gguf`, or remove `projector`"));
    }
}
