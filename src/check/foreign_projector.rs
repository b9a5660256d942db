//! A projector that does not match its model.

use crate::derive::Derived;
use crate::derive::locked::{facts, is_unusable, projector};
use crate::diag::{Diagnostics, words};
use crate::facts::{Facts, LockEntry};
use crate::hir::{Bytes, Model, Projector};

declare_code! {
    /// ## What it finds
    /// A `projector` file that is not a projector, whose embeddings have another width than those of the model, or
    /// whose declared `size` differs by more than 2 percent.
    ///
    /// ## Why
    /// The engine exits with an error at the start (llama.cpp b11434, `tools/mtmd/mtmd.cpp`). The width is compared
    /// only for types of projectors whose width follows from one tensor.
    ///
    /// ## Example
    /// ```kdl
    /// model "eye" family="qwen2" title="Eye" quant="Q4_K_M" size="4.4 GB" file="eye.gguf" projector="text.gguf"
    /// role "eye" tier="A" model="eye"
    /// ```
    /// ```lock
    /// {"format_version": 1,
    ///  "projectors": {"eye": {"architecture": "qwen2", "file": "text.gguf", "header": "0", "size": 600000000}}}
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// model "eye" family="qwen2" title="Eye" quant="Q4_K_M" size="4.4 GB" file="eye.gguf" projector="mmproj.gguf"
    /// role "eye" tier="A" model="eye"
    /// ```
    /// ```lock
    /// {"format_version": 1,
    ///  "projectors": {"eye": {"architecture": "clip", "file": "mmproj.gguf", "header": "0", "size": 600000000}}}
    /// ```
    pub(super) static FOREIGN_PROJECTOR = 393, "foreign-projector", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let (registry, lock) = (&derived.registry, &derived.lock);
    let weights = registry.models_by_path();
    for model in registry.models.iter() {
        let (Some(declared), Some(locked)) = (&model.projector, projector(lock, model)) else { continue };
        // `misplaced-projector` reports a projector that is the weight file of a declared model. It needs no facts.
        if weights.contains_key(&registry.path_of(model, &declared.value.file)) {
            continue;
        }
        match locked {
            Ok(locked) => {
                let text = facts(lock, model).ok().map(|text| &text.facts);
                report(model, &declared.value, (locked, text), findings);
            }
            Err(_) if is_unusable(lock) => {}
            Err(why) => findings.skip(&FOREIGN_PROJECTOR, &model.head, format!("projector: {why}")),
        }
    }
}

fn report(
    model: &Model,
    projector: &Projector,
    (locked, text): (&LockEntry, Option<&Facts>),
    findings: &mut Diagnostics,
) {
    let name = words::quoted(&model.head.name);
    let facts = &locked.facts;
    let width =
        text.and_then(embedding).zip(facts.projector_width).filter(|(expected, actual)| expected != actual);
    let (key, label, message) = match (facts.architecture.as_deref(), width) {
        (Some(architecture), _) if architecture != "clip" => {
            let architecture = words::quoted(architecture);
            let message =
                format!("the projector of model {name} has the architecture {architecture}, not `clip`");
            ("architecture", format!("this file is a model of the architecture {architecture}"), message)
        }
        (_, Some((expected, actual))) => {
            let message = format!(
                "the projector of model {name} belongs to another model: its width is {actual}, not {expected}"
            );
            (
                "projector_width",
                format!("makes embeddings of {actual} values, the model needs {expected}"),
                message,
            )
        }
        _ => return report_size(model, projector, locked, findings),
    };
    let mut finding = FOREIGN_PROJECTOR.at(projector.file.span, label, message).about(model);
    if let Some(place) = locked.place(key) {
        finding = finding.also(place, "from the header of the file");
    }
    findings.report(finding.help("name the projector that was made for this model, then run `orchgen lock`"));
}

/// The embedding width of a model. `None` for models with deepstack layers, whose input is wider.
fn embedding(text: &Facts) -> Option<u64> {
    if text.parameters.contains_key("n_deepstack_layers") { None } else { text.number("embedding_length") }
}

fn report_size(model: &Model, projector: &Projector, locked: &LockEntry, findings: &mut Diagnostics) {
    let Some(declared) = projector.size else { return };
    let actual = Bytes(locked.facts.size);
    if u128::from(declared.value.0.abs_diff(actual.0)) * 50 <= u128::from(actual.0) {
        return;
    }
    let name = words::quoted(&model.head.name);
    let message = format!(
        "the projector of model {name} is declared with a size of {}, but its file has {actual}",
        declared.value
    );
    let mut finding = FOREIGN_PROJECTOR.at(declared.span, "declared here", message).about(model);
    if let Some(place) = locked.place("size") {
        finding = finding.also(place, format!("the file has {actual}"));
    }
    findings.report(finding.help(format!("write `size` \"{actual}\"")));
}
