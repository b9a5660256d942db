//! A `projector` that names the weights of a model.

use crate::derive::Derived;
use crate::diag::Diagnostics;

declare_code! {
    /// ## What it finds
    /// A `projector` whose file contains the weights of a model: this model or another one.
    ///
    /// ## Why
    /// A projector is a second file, with the `general.architecture` `clip`. It turns images into embeddings for the
    /// model. If the file is not a projector, the engine exits at the start.
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
    pub(super) static MISPLACED_PROJECTOR = 352, "misplaced-projector", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let weights = registry.models_by_path();
    for model in registry.models.iter() {
        let Some(projector) = &model.projector else { continue };
        let path = registry.path_of(model, &projector.file);
        // If the model uses the same file, report that first.
        let own = (registry.path_of(model, &model.file) == path).then_some(model);
        let Some(other) = own.or_else(|| weights.get(&path).copied()) else { continue };
        let content = if own.is_some() {
            "its own weight file".to_owned()
        } else {
            format!("the weight file of {other}")
        };
        let message = format!("the projector of {model} is {content}");
        let finding = MISPLACED_PROJECTOR
            .at(projector.file.span, "expected a projector", message)
            .also(other.file.span, "a file with weights")
            .about(model);
        findings.report(
            finding.help("name the file of the projector, such as `mmproj-*.gguf`, or remove `projector`"),
        );
    }
}
