//! Sums of the sizes of tensors, from the headers of all files of a model.

use super::model::{Facts, LayerTensors, Tensors};
use super::{ModelHeaders, Tensor};

/// The maximum number of layers of a model (llama.cpp b11434, `LLAMA_MAX_LAYERS` of `src/llama-hparams.h`).
const MAX_LAYERS: usize = 512;

/// Sums the tensors of a model.
pub(super) fn sum_tensors(facts: &Facts, headers: &ModelHeaders) -> Tensors {
    let layers = facts.number("block_count").unwrap_or(u64::MAX);
    let nextn = layers.saturating_sub(facts.number("nextn_predict_layers").unwrap_or(0));
    let mut all = Tensors::default();
    let mut by_layer = Vec::new();
    for tensor in headers.headers().flat_map(|header| &header.tensors) {
        all.count += 1;
        let is_embedding = &*tensor.name == "token_embd.weight";
        let is_nextn = layer(&tensor.name).is_some_and(|layer| layer >= nextn);
        let groups = [
            (&mut all.bytes, true),
            (&mut all.in_rows_of_8, is_repackable(tensor) && !is_nextn),
            (&mut all.token_embd, is_embedding),
            (&mut all.output, &*tensor.name == "output.weight"),
            (&mut all.nextn, is_nextn),
        ];
        for (group, _) in groups.into_iter().filter(|(_, is_in)| *is_in) {
            let sum = group.entry(tensor.kind.name.into()).or_default();
            *sum = sum.saturating_add(tensor.bytes);
        }
        match tensor_place(&tensor.name) {
            TensorPlace::Input => all.input = all.input.saturating_add(tensor.bytes),
            TensorPlace::Layer(layer) if (layer as u64) < layers => {
                add_to_layer(&mut by_layer, layer, tensor);
            }
            TensorPlace::Layer(_) | TensorPlace::Output => {}
        }
    }
    all.layers = runs(&by_layer);
    all
}

/// Tensors whose rows are looked up by index and that are not used in matrix multiplications (`src/llama-arch.cpp` of
/// b11434).
const LOOKUP_TABLES: &[&str] =
    &["token_embd.weight", "per_layer_token_embd.weight", "position_embd.weight", "token_types.weight"];

/// True if a tensor is a weight of matrix multiplications (a matrix, or the matrices of experts) and its number of rows
/// is divisible by 8 (`supports_op` in `ggml/src/ggml-cpu/repack.cpp` of b11434).
fn is_repackable(tensor: &Tensor) -> bool {
    let [_, rows, matrices, rest] = tensor.shape;
    let is_matrix = matrices == 1 || tensor.name.contains("_exps.");
    rows > 1 && rows % 8 == 0 && rest == 1 && is_matrix && !LOOKUP_TABLES.contains(&&*tensor.name)
}

/// The layer of a tensor: 7 for `blk.7.attn_q.weight`.
fn layer(name: &str) -> Option<u64> {
    name.strip_prefix("blk.")?.split('.').next()?.parse().ok()
}

/// The group of tensors that the engine places together.
enum TensorPlace {
    Input,
    Layer(usize),
    Output,
}

/// Tensors without a layer in their name that belong to the first layer (`LLM_TENSOR_INFOS` in `src/llama-arch.cpp` of
/// b11434).
const FIRST_LAYER: &[&str] =
    &["token_embd_norm", "rope_freqs", "rope_factors_", "per_layer_model_proj", "per_layer_proj_norm"];

/// The group of a tensor of a model, or of an adapter: an adapter is placed like the tensors that it changes.
fn tensor_place(name: &str) -> TensorPlace {
    let base = name.strip_suffix(".lora_a").or_else(|| name.strip_suffix(".lora_b")).unwrap_or(name);
    let decoder = base.strip_prefix("enc.").or_else(|| base.strip_prefix("dec.")).unwrap_or(base);
    if let Some(layer) = layer(decoder) {
        // The blocks behind the last layer go with the output (`create_tensor` in `src/llama-model.cpp`).
        let layer = usize::try_from(layer).ok().filter(|layer| *layer < MAX_LAYERS);
        return layer.map_or(TensorPlace::Output, TensorPlace::Layer);
    }
    if LOOKUP_TABLES.contains(&base) {
        TensorPlace::Input
    } else if FIRST_LAYER.iter().any(|start| base.starts_with(start)) {
        TensorPlace::Layer(0)
    } else {
        TensorPlace::Output
    }
}

/// True if `--n-cpu-moe` keeps a tensor on the host: its name contains `.ffn_(up|down|gate|gate_up)_(ch|)exps`
/// (`LLM_FFN_EXPS_REGEX` in `common/common.h` of b11434).
fn is_expert(name: &str) -> bool {
    let mut rest = name;
    while let Some((_, after)) = rest.split_once(".ffn_") {
        let kinds = ["up_", "down_", "gate_up_", "gate_"];
        let is_expert = |kind: &&str| {
            after.strip_prefix(*kind).is_some_and(|end| end.starts_with("exps") || end.starts_with("chexps"))
        };
        if kinds.iter().any(is_expert) {
            return true;
        }
        rest = after;
    }
    false
}

fn add_to_layer(layers: &mut Vec<LayerTensors>, layer: usize, tensor: &Tensor) {
    if layers.len() <= layer {
        layers.resize(layer + 1, LayerTensors { layers: 1, ..LayerTensors::default() });
    }
    let Some(one) = layers.get_mut(layer) else { return };
    let sum = if is_expert(&tensor.name) { &mut one.experts } else { &mut one.bytes };
    *sum = sum.saturating_add(tensor.bytes);
}

/// Joins equal layers that follow each other.
fn runs(layers: &[LayerTensors]) -> Vec<LayerTensors> {
    let mut runs: Vec<LayerTensors> = Vec::new();
    for layer in layers {
        match runs.last_mut().filter(|last| (last.bytes, last.experts) == (layer.bytes, layer.experts)) {
            Some(last) => last.layers += layer.layers,
            None => runs.push(*layer),
        }
    }
    runs
}
