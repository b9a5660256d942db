//! The reasons why orchgen writes options that a source does not have.

use crate::import::compare::Difference;

/// Options that orchgen writes with the default of the engine: nothing changes (llama.cpp b11669, `common/common.h`).
const WRITTEN_DEFAULTS: &[(&str, &str)] = &[
    ("--batch-size", "2048"),
    ("--ubatch-size", "512"),
    ("--cache-ram", "8192"),
    ("--ctx-checkpoints", "32"),
    ("--spec-type", "none"),
    ("--repack", "on"),
    ("--fit", "on"),
    ("--numa", "numactl"),
];

/// True for an option that orchgen writes with the engine's default.
pub(super) fn is_written_default(option: &str, is: &str, compared: Option<&Vec<Difference>>) -> bool {
    let is_given = |name: &str| {
        compared.into_iter().flatten().any(|difference| match difference {
            Difference::Kept(option) => option == name,
            Difference::Changed(change) => change.option == name,
            Difference::Lost { .. } | Difference::Added { .. } => false,
        })
    };
    match option {
        // The engine shares one cache between the slots if it selects their number.
        "--kv-unified" => (is == "on") != is_given("--parallel"),
        "--parallel" => is == "4",
        _ => WRITTEN_DEFAULTS.contains(&(option, is)),
    }
}

/// The reason why orchgen writes an option.
pub(super) fn fixed_reason(option: &str, is: &str) -> Option<&'static str> {
    Some(match option {
        _ if WRITTEN_DEFAULTS.contains(&(option, is)) => "the default of the engine, written out",
        "--threads" => "the number of cores of the CPUs of the role",
        "--fit" => "the context is a number: orchgen keeps the engine from cutting it to the free memory",
        "--fit-ctx" => "the default of the engine, written out",
        "--cache-ram" | "--ctx-checkpoints" => {
            "a server of embeddings reuses no prompts; set `prompt-cache` or `checkpoints` of the role to keep it"
        }
        "--parallel" => "the number of slots of the role",
        "--kv-unified" => "the role states if its slots share one cache",
        "--batch-size" | "--ubatch-size" => "a server of embeddings reads each request in one batch",
        "--repack" => "locked weights cannot be repacked copies",
        "--device" => "the role names its GPUs",
        "--gpu-layers" | "--n-gpu-layers" => "by default all layers of a role with a GPU are on it",
        "--spec-draft-n-max" | "--spec-type" => "written out, because builds have different defaults",
        "--ctx-size-draft" | "--spec-draft-ctx-size" => "a draft has the context of its role",
        "--model" | "--spec-draft-model" => "the file of the model",
        "--ctx-size" => "the context of the role",
        "--numa" => "threads keep the CPUs of the placement",
        "--embeddings" => "the role has `pooling`",
        _ => return None,
    })
}
