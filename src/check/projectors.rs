//! Projectors that are the weights of a model, or that do not match their model.

use crate::derive::Derived;
use crate::derive::locked::{self, is_unusable};
use crate::diag::{Change, Diagnostic, Diagnostics, Line, words};
use crate::facts::{Facts, LockEntry};
use crate::hir::{Bytes, Model, Projector};

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
    let hosts: Vec<_> = registry.path_hosts().map(|host| (host, registry.models_by_path(host))).collect();
    for model in registry.models.iter() {
        let (Some(projector), Some(header)) = (&model.projector, locked::projector(lock, model)) else {
            continue;
        };
        let weights = hosts.iter().find_map(|(host, weights)| {
            let path = registry.path_of(model, &projector.file, *host);
            // If the model uses the same file, report that first.
            let own = (registry.path_of(model, &model.file, *host) == path).then_some(model);
            own.or_else(|| weights.get(&path).copied())
        });
        let finding = match (weights, header) {
            (Some(other), _) => Some(misplaced(model, projector, other)),
            (None, Ok(header)) => {
                let text = locked::facts(lock, model).ok().map(|text| &text.facts);
                foreign(model, projector, (header, text)).or_else(|| other_size(model, projector, header))
            }
            (None, Err(why)) => {
                if !is_unusable(lock) {
                    findings.skip(&FOREIGN_PROJECTOR, model, format!("projector: {why}"));
                }
                None
            }
        };
        if let Some(finding) = finding {
            findings.report(finding.about(model));
        }
    }
}

fn misplaced(model: &Model, projector: &Projector, other: &Model) -> Diagnostic {
    let content = if std::ptr::eq(model, other) {
        "its own weight file".to_owned()
    } else {
        format!("the weight file of {other}")
    };
    let message = format!("the projector of {model} is {content}");
    MISPLACED_PROJECTOR
        .at(projector.file.span, "expected a projector", message)
        .also(other.file.span, "a file with weights")
        .help("name the file of the projector, which often begins with `mmproj-`")
        .remedy("or remove `{}`", Change::remove(projector.file.span))
}

/// The finding about a projector that belongs to another model. `text` has the facts of the model itself.
fn foreign(
    model: &Model,
    projector: &Projector,
    (header, text): (&LockEntry, Option<&Facts>),
) -> Option<Diagnostic> {
    let width = text.and_then(embedding).zip(header.facts.projector_width);
    let (key, label, problem) = match (header.facts.architecture.as_deref(), width) {
        (Some(arch), _) if arch != "clip" => {
            let arch = words::quoted(arch);
            let problem = format!("has the architecture {arch}, not `clip`");
            ("architecture", format!("this file is a model of the architecture {arch}"), problem)
        }
        (_, Some((expected, actual))) if expected != actual => {
            let label = format!("makes embeddings of {actual} values, the model needs {expected}");
            let problem = format!("belongs to another model: its width is {actual}, not {expected}");
            ("projector_width", label, problem)
        }
        _ => return None,
    };
    let message = format!("the projector of {model} {problem}");
    let finding = FOREIGN_PROJECTOR
        .at(projector.file.span, label, message)
        .also_each(header.place(key).map(|place| (place, "from the header of the file")));
    Some(finding.help("name the projector that was made for this model, then run `orchgen lock`"))
}

/// The embedding width of a model. `None` for models with deepstack layers, whose input is wider.
fn embedding(text: &Facts) -> Option<u64> {
    if text.parameters.contains_key("n_deepstack_layers") { None } else { text.number("embedding_length") }
}

fn other_size(model: &Model, projector: &Projector, header: &LockEntry) -> Option<Diagnostic> {
    let declared = projector.size?;
    let actual = Bytes(header.facts.size);
    if declared.value.is_near(actual) {
        return None;
    }
    let size = declared.value;
    let message =
        format!("the projector of {model} is declared with a size of {size}, but its file has {actual}");
    let finding = FOREIGN_PROJECTOR
        .at(declared.span, "declared here", message)
        .also_each(header.place("size").map(|place| (place, format!("the file has {actual}"))));
    Some(finding.remedy("write `{}`", Change::rewrite(declared.span, Line::of("size", actual.to_string()))))
}
