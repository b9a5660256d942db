//! A projector that cannot be that of its model.

use super::FactCheck;
use super::ground::Ground;
use super::locked::{facts, is_silent, projector};
use crate::diag::{Diagnostics, NotChecked, Subject, words};
use crate::facts::{Facts, Lock, Locked};
use crate::hir::{Bytes, Model, Projector};

declare_code! {
    /// ## What it finds
    /// A `projector` that is no projector, that makes embeddings of another width than its model takes, or whose declared
    /// `size` is off by more than 2 percent.
    ///
    /// ## Why
    /// The engine ends with an error at the start (llama.cpp b11434, `tools/mtmd/mtmd.cpp`). The width is compared for the types
    /// of projectors that say it in one tensor.
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
    static FOREIGN_PROJECTOR = 393, "foreign-projector", Error;
}

pub(super) static CHECK: FactCheck = FactCheck { code: &FOREIGN_PROJECTOR, run };

fn run(ground: &Ground, lock: &Lock, findings: &mut Diagnostics) {
    let registry = &ground.registry;
    let weights = registry.weights();
    for model in registry.models.iter() {
        let (Some(declared), Some(locked)) = (&model.projector, projector(lock, model)) else { continue };
        // The weights of a declared model are said without a look at the file.
        if weights.contains_key(&registry.path_of(model, &declared.value.file)) {
            continue;
        }
        match locked {
            Ok(locked) => {
                let text = facts(lock, model).ok().map(|text| &text.facts);
                report(model, &declared.value, (locked, text), findings);
            }
            Err(_) if is_silent(lock) => {}
            Err(why) => findings.record_not_checked(NotChecked {
                check: FOREIGN_PROJECTOR.name,
                subject: Subject::new("model", &*model.head.name.value),
                why: format!("of its projector, {why}"),
            }),
        }
    }
}

fn report(
    model: &Model,
    projector: &Projector,
    (locked, text): (&Locked, Option<&Facts>),
    findings: &mut Diagnostics,
) {
    let name = words::quoted(&model.head.name);
    let facts = &locked.facts;
    let width = text.and_then(embedding).zip(facts.projector_width).filter(|(takes, makes)| takes != makes);
    let (key, label, message) = match (facts.architecture.as_deref(), width) {
        (Some(architecture), _) if architecture != "clip" => {
            let architecture = words::quoted(architecture);
            let message =
                format!("the projector of model {name} is a model of the architecture {architecture}");
            ("architecture", format!("this is {architecture}, and projectors are `clip`"), message)
        }
        (_, Some((takes, makes))) => {
            let message = format!("the projector of model {name} is that of another model");
            (
                "projector_width",
                format!("it makes {makes} numbers for an image token, and the model takes {takes}"),
                message,
            )
        }
        _ => return say_size(model, projector, locked, findings),
    };
    let mut finding =
        FOREIGN_PROJECTOR.at(projector.file.span, label, message).about("model", &*model.head.name.value);
    if let Some(place) = locked.place(key) {
        finding = finding.also(place, "read of the file");
    }
    findings.report(finding.help("name the projector that was made for this model, and run `orchgen lock`"));
}

/// The width of the embeddings that a model takes; of one with further inputs it is not known here.
fn embedding(text: &Facts) -> Option<u64> {
    if text.parameters.contains_key("n_deepstack_layers") { None } else { text.number("embedding_length") }
}

fn say_size(model: &Model, projector: &Projector, locked: &Locked, findings: &mut Diagnostics) {
    let Some(declared) = projector.size else { return };
    let says = Bytes(locked.facts.size);
    if u128::from(declared.value.0.abs_diff(says.0)) * 50 <= u128::from(says.0) {
        return;
    }
    let name = words::quoted(&model.head.name);
    let message = format!(
        "the projector of model {name} is declared to have {}, and its file has {says}",
        declared.value
    );
    let mut finding =
        FOREIGN_PROJECTOR.at(declared.span, "declared here", message).about("model", &*model.head.name.value);
    if let Some(place) = locked.place("size") {
        finding = finding.also(place, format!("the file has {says}"));
    }
    findings.report(finding.help(format!("write `size` \"{says}\"")));
}
