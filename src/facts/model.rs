//! What the rest of the program needs to know of a model or a projector: its files together, as the lock keeps them.

use super::{Data, Header, Parts, Tensor, Value, file_type};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The facts of a model or a projector. What its files do not say is absent.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// `general.architecture`; `clip` for a projector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<Box<str>>,
    /// Whether numbers have their highest byte first, which machines of the other order refuse.
    #[serde(default, skip_serializing_if = "is_false")]
    pub big_endian: bool,
    /// The file as the registry names it.
    pub file: Box<str>,
    /// `general.file_type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_type: Option<u32>,
    /// The SHA-256 of the header, of all headers one after another where there are shards.
    pub header: Box<str>,
    /// The metadata of the architecture, without its name before the first dot: whole numbers, flags, and one a layer.
    #[serde(default)]
    pub parameters: BTreeMap<Box<str>, Parameter>,
    /// `clip.projector_type`, of a projector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projector_type: Option<Box<str>>,
    /// The width of the embeddings that a projector makes, where it is known for its type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projector_width: Option<u64>,
    /// The name of the file type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quant: Option<Box<str>>,
    /// How many shards there should be, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shards: Option<u16>,
    /// The shards that are not there, from 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shards_missing: Vec<u16>,
    /// The bytes of all files.
    pub size: u64,
    /// The tensors.
    #[serde(default)]
    pub tensors: Tensors,
    /// The vocabulary; none in a projector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vocabulary: Option<Tokens>,
}

/// A metadata value of an architecture.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Parameter {
    /// A flag.
    Flag(bool),
    /// A number for all layers.
    Number(i64),
    /// A number for each layer.
    List(Vec<i64>),
}

/// Bytes of tensors, by the name of their type.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tensors {
    /// All of them.
    #[serde(default)]
    pub bytes: BTreeMap<Box<str>, u64>,
    /// Those with a number of rows that 8 divides that are factors of products: what a CPU may repack, if it has a layout for their
    /// type (`ggml/src/ggml-cpu/repack.cpp` of b11434). Without those of `nextn`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub in_rows_of_8: BTreeMap<Box<str>, u64>,
    /// `token_embd.weight`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub token_embd: BTreeMap<Box<str>, u64>,
    /// `output.weight`; where there is none, the embeddings are used in its place.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub output: BTreeMap<Box<str>, u64>,
    /// Those of the last `nextn_predict_layers` layers, which only drafting by the model itself loads.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub nextn: BTreeMap<Box<str>, u64>,
    /// How many there are.
    #[serde(default)]
    pub count: u64,
}

/// A vocabulary, as far as it decides whether two models can be a pair.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// `tokenizer.ggml.add_bos_token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add_bos: Option<bool>,
    /// `tokenizer.ggml.add_eos_token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add_eos: Option<bool>,
    /// `tokenizer.ggml.bos_token_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bos: Option<u64>,
    /// The text of that token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bos_text: Option<Box<str>>,
    /// `tokenizer.ggml.eos_token_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eos: Option<u64>,
    /// The text of that token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eos_text: Option<Box<str>>,
    /// The SHA-256 of all texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Box<str>>,
    /// The SHA-256 of the texts that the engine compares, which are those from token 5 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256_from_5: Option<Box<str>>,
    /// `tokenizer.ggml.pre`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pre: Option<Box<str>>,
    /// How many tokens there are.
    pub size: u64,
    /// `tokenizer.ggml.model`.
    #[serde(rename = "type")]
    pub kind: Box<str>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Facts {
    /// The facts of what was read; `file` is what the registry calls it.
    pub fn of(file: &str, parts: &Parts) -> Self {
        let first = &parts.first;
        let file_type_id = first.number("general.file_type").and_then(|id| u32::try_from(id).ok());
        let text = |key: &str| first.value(key).and_then(Value::text).map(Into::into);
        let mut facts = Self {
            architecture: first.architecture().map(Into::into),
            big_endian: first.order == super::ByteOrder::Big,
            file: file.into(),
            file_type: file_type_id,
            header: parts.digest().to_string().into(),
            parameters: parameters(first),
            projector_type: text("clip.projector_type").or_else(|| text("clip.vision.projector_type")),
            projector_width: None,
            quant: file_type_id.and_then(file_type).map(Into::into),
            shards: parts.shards,
            shards_missing: parts.missing.clone(),
            size: parts.headers().map(|header| header.length).sum(),
            tensors: Tensors::default(),
            vocabulary: tokens(first),
        };
        facts.projector_width = facts.projector_type.as_deref().and_then(|kind| width(kind, parts));
        facts.tensors = facts.count(parts);
        facts
    }

    /// A metadata number of the architecture, without its name: `block_count`.
    pub fn number(&self, key: &str) -> Option<u64> {
        match self.parameters.get(key)? {
            Parameter::Number(number) => u64::try_from(*number).ok(),
            Parameter::Flag(_) | Parameter::List(_) => None,
        }
    }

    /// A metadata flag of the architecture, without its name: `attention.causal`.
    pub fn flag(&self, key: &str) -> Option<bool> {
        match self.parameters.get(key)? {
            Parameter::Flag(flag) => Some(*flag),
            Parameter::Number(_) | Parameter::List(_) => None,
        }
    }

    fn count(&self, parts: &Parts) -> Tensors {
        let layers = self.number("block_count").unwrap_or(u64::MAX);
        let nextn = layers.saturating_sub(self.number("nextn_predict_layers").unwrap_or(0));
        let mut all = Tensors::default();
        for tensor in parts.headers().flat_map(|header| &header.tensors) {
            all.count += 1;
            let is_embedding = &*tensor.name == "token_embd.weight";
            let is_nextn = layer(tensor).is_some_and(|layer| layer >= nextn);
            let groups = [
                (&mut all.bytes, true),
                (&mut all.in_rows_of_8, is_in_rows_of_8(tensor) && !is_nextn),
                (&mut all.token_embd, is_embedding),
                (&mut all.output, &*tensor.name == "output.weight"),
                (&mut all.nextn, is_nextn),
            ];
            for (group, _) in groups.into_iter().filter(|(_, is_in)| *is_in) {
                let sum = group.entry(tensor.kind.name.into()).or_default();
                *sum = sum.saturating_add(tensor.bytes);
            }
        }
        all
    }
}

/// The tables of which rows are looked up, which no product has for a factor (`src/llama-arch.cpp` of b11434).
const TABLES: &[&str] =
    &["token_embd.weight", "per_layer_token_embd.weight", "position_embd.weight", "token_types.weight"];

/// Whether a tensor has rows that come in eights and is the factor of a product: a matrix, or the matrices of experts (`supports_op`
/// of `ggml/src/ggml-cpu/repack.cpp` of b11434).
fn is_in_rows_of_8(tensor: &Tensor) -> bool {
    let [_, rows, matrices, rest] = tensor.shape;
    let is_matrix = matrices == 1 || tensor.name.contains("_exps.");
    rows > 1 && rows % 8 == 0 && rest == 1 && is_matrix && !TABLES.contains(&&*tensor.name)
}

/// The number in `blk.7.attn_q.weight`.
fn layer(tensor: &Tensor) -> Option<u64> {
    tensor.name.strip_prefix("blk.")?.split('.').next()?.parse().ok()
}

fn parameters(header: &Header) -> BTreeMap<Box<str>, Parameter> {
    let Some(architecture) = header.architecture() else { return BTreeMap::new() };
    let own = header.values.iter().filter_map(|(key, value)| {
        let key = key.strip_prefix(architecture)?.strip_prefix('.')?;
        let value = match &value.data {
            Data::Flag(flag) => Parameter::Flag(*flag),
            Data::Integer(number) => Parameter::Number(i64::try_from(*number).ok()?),
            Data::Integers(list) => {
                Parameter::List(list.iter().map(|n| i64::try_from(*n)).collect::<Result<_, _>>().ok()?)
            }
            Data::Float(_) | Data::Text(_) | Data::LongText(_) | Data::List(_) => return None,
        };
        Some((key.into(), value))
    });
    own.collect()
}

fn tokens(header: &Header) -> Option<Tokens> {
    let kind = header.value("tokenizer.ggml.model")?.text()?;
    let flag = |key: &str| header.value(key).and_then(Value::flag);
    let (bos, eos) =
        (header.number("tokenizer.ggml.bos_token_id"), header.number("tokenizer.ggml.eos_token_id"));
    let vocabulary = header.vocabulary.as_ref();
    let text = |token: Option<u64>| {
        let texts = vocabulary?.texts.as_ref()?;
        let text = texts.get(usize::try_from(token?).ok()?)?;
        Some(String::from_utf8_lossy(text).into())
    };
    Some(Tokens {
        add_bos: flag("tokenizer.ggml.add_bos_token"),
        add_eos: flag("tokenizer.ggml.add_eos_token"),
        bos,
        bos_text: text(bos),
        eos,
        eos_text: text(eos),
        sha256: vocabulary.map(|vocabulary| vocabulary.digest.to_string().into()),
        sha256_from_5: vocabulary.map(|vocabulary| vocabulary.compared.to_string().into()),
        pre: header.value("tokenizer.ggml.pre").and_then(Value::text).map(Into::into),
        size: vocabulary.map_or(0, |vocabulary| vocabulary.size),
        kind: kind.into(),
    })
}

/// The width of the embeddings that a projector makes, for the types where one tensor says it (`clip_n_mmproj_embd` and the
/// names of tensors in `tools/mtmd/clip.cpp` of b11434).
fn width(kind: &str, parts: &Parts) -> Option<u64> {
    let (name, dimension) = match kind {
        "mlp" | "pixtral" => ("mm.2.weight", 1),
        "qwen2vl_merger" | "qwen2.5vl_merger" => ("mm.2.bias", 0),
        "gemma3" => ("mm.input_projection.weight", 0),
        "idefics3" => ("mm.model.fc.weight", 1),
        "internvl" => ("mm.3.weight", 1),
        _ => return None,
    };
    let find = |name: &str| parts.first.tensors.iter().find(|tensor| &*tensor.name == name);
    // With a third layer it is another type for the engine.
    if kind == "mlp" && find("mm.3.weight").is_some() {
        return None;
    }
    find(name)?.shape.get(dimension).copied()
}
