//! The facts of a model or a projector, from all its files, as the lock stores them.

use super::{Header, ModelHeaders, Value, ValueData, file_type, tensor_sums};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The facts of a model or a projector. A value that its files do not have is absent.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// `general.architecture`; `clip` for a projector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<Box<str>>,
    /// True if the file is big-endian. Little-endian machines refuse it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub big_endian: bool,
    /// The file name in the registry.
    pub file: Box<str>,
    /// `general.file_type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_type: Option<u32>,
    /// The SHA-256 of the header, or for shards the SHA-256 of the concatenated digests of all headers.
    pub header: Box<str>,
    /// The metadata of the architecture, without its name before the first dot: whole numbers, flags, and arrays of
    /// whole numbers (such as one per layer). `decision.type` is a flag: the model has it.
    #[serde(default)]
    pub parameters: BTreeMap<Box<str>, Parameter>,
    /// `clip.projector_type` of a projector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projector_type: Option<Box<str>>,
    /// The width of the embeddings that a projector returns, if it is known for its type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projector_width: Option<u64>,
    /// The name of the file type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quant: Option<Box<str>>,
    /// The declared number of shards. `None` for a single file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shards: Option<u16>,
    /// The missing shards, numbered from 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shards_missing: Vec<u16>,
    /// The size of all files in bytes.
    pub size: u64,
    /// The tensors.
    #[serde(default)]
    pub tensors: Tensors,
    /// The vocabulary. `None` for a projector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vocabulary: Option<VocabularyFacts>,
}

/// A metadata value of an architecture.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Parameter {
    /// A flag.
    Flag(bool),
    /// A number.
    Number(i64),
    /// An array of numbers, such as one per layer.
    List(Vec<i64>),
}

/// Sizes of tensors in bytes, by the name of their type.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tensors {
    /// All tensors.
    #[serde(default)]
    pub bytes: BTreeMap<Box<str>, u64>,
    /// Weights of matrix multiplications whose number of rows is divisible by 8. A CPU may repack them if it has a
    /// layout for their type (`ggml/src/ggml-cpu/repack.cpp` of b11434). Without the tensors of `nextn`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub in_rows_of_8: BTreeMap<Box<str>, u64>,
    /// `token_embd.weight`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub token_embd: BTreeMap<Box<str>, u64>,
    /// `output.weight`. If the file does not have it, the engine uses the token embeddings instead.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub output: BTreeMap<Box<str>, u64>,
    /// The last `nextn_predict_layers` layers (MTP). The engine loads them only if the model drafts for itself.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub nextn: BTreeMap<Box<str>, u64>,
    /// The layers of the file in order, including those of `nextn`; equal ones that follow each other share an entry. Empty
    /// in a lock of an earlier version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerTensors>,
    /// Bytes of the tensors that the engine looks up by token or position, and keeps on the host.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub input: u64,
    /// The number of tensors.
    #[serde(default)]
    pub count: u64,
}

/// The tensors of some equal layers. The lock has it as a list of three numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(from = "[u64; 3]", into = "[u64; 3]")]
pub struct LayerTensors {
    /// The number of layers.
    pub layers: u64,
    /// Bytes of the tensors of one layer, without its experts.
    pub bytes: u64,
    /// Bytes of the expert tensors of one layer, which can stay on the host.
    pub experts: u64,
}

impl From<[u64; 3]> for LayerTensors {
    fn from([layers, bytes, experts]: [u64; 3]) -> Self {
        Self { layers, bytes, experts }
    }
}

impl From<LayerTensors> for [u64; 3] {
    fn from(one: LayerTensors) -> Self {
        [one.layers, one.bytes, one.experts]
    }
}

/// The facts of a vocabulary that decide whether two models can be a pair.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VocabularyFacts {
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
    /// The SHA-256 of all token texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Box<str>>,
    /// The SHA-256 of the token texts that the engine compares: those from token 5 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256_from_5: Option<Box<str>>,
    /// `tokenizer.ggml.pre`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pre: Option<Box<str>>,
    /// The number of tokens.
    pub size: u64,
    /// `tokenizer.ggml.model`.
    #[serde(rename = "type")]
    pub kind: Box<str>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde requires this signature")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde requires this signature")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Facts {
    /// Extracts the facts from headers. `file` is the file name in the registry.
    pub fn from_headers(file: &str, headers: &ModelHeaders) -> Self {
        let first = &headers.first;
        let file_type_id = first.number("general.file_type").and_then(|id| u32::try_from(id).ok());
        let text = |key: &str| first.value(key).and_then(Value::text).map(Into::into);
        let mut facts = Self {
            architecture: first.architecture().map(Into::into),
            big_endian: first.order == super::ByteOrder::Big,
            file: file.into(),
            file_type: file_type_id,
            header: headers.digest().to_string().into(),
            parameters: parameters(first),
            projector_type: text("clip.projector_type").or_else(|| text("clip.vision.projector_type")),
            projector_width: None,
            quant: file_type_id.and_then(file_type).map(Into::into),
            shards: headers.shards,
            shards_missing: headers.missing.clone(),
            size: headers.headers().map(|header| header.length).sum(),
            tensors: Tensors::default(),
            vocabulary: vocabulary_facts(first),
        };
        facts.projector_width =
            facts.projector_type.as_deref().and_then(|kind| projector_width(kind, headers));
        facts.tensors = tensor_sums::sum_tensors(&facts, headers);
        facts
    }

    /// A metadata number of the architecture by its key without prefix, such as `block_count`.
    pub fn number(&self, key: &str) -> Option<u64> {
        match self.parameters.get(key)? {
            Parameter::Number(number) => u64::try_from(*number).ok(),
            Parameter::Flag(_) | Parameter::List(_) => None,
        }
    }

    /// A metadata flag of the architecture by its key without prefix, such as `attention.causal`.
    pub fn flag(&self, key: &str) -> Option<bool> {
        match self.parameters.get(key)? {
            Parameter::Flag(flag) => Some(*flag),
            Parameter::Number(_) | Parameter::List(_) => None,
        }
    }
}

fn parameters(header: &Header) -> BTreeMap<Box<str>, Parameter> {
    let Some(architecture) = header.architecture() else { return BTreeMap::new() };
    let own = header.values.iter().filter_map(|(key, value)| {
        let key = key.strip_prefix(architecture)?.strip_prefix('.')?;
        let value = match &value.data {
            ValueData::Flag(flag) => Parameter::Flag(*flag),
            ValueData::Integer(number) => Parameter::Number(i64::try_from(*number).ok()?),
            ValueData::Integers(list) => {
                Parameter::List(list.iter().map(|n| i64::try_from(*n)).collect::<Result<_, _>>().ok()?)
            }
            // The engine has other defaults for all models with this key.
            ValueData::Text(_) if key == "decision.type" => Parameter::Flag(true),
            ValueData::Float(_) | ValueData::Text(_) | ValueData::LongText(_) | ValueData::List(_) => {
                return None;
            }
        };
        Some((key.into(), value))
    });
    own.collect()
}

fn vocabulary_facts(header: &Header) -> Option<VocabularyFacts> {
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
    Some(VocabularyFacts {
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

/// The width of the embeddings that a projector returns, for the types where one tensor determines it
/// (`clip_n_mmproj_embd` and the tensor names in `tools/mtmd/clip.cpp` of b11434).
fn projector_width(kind: &str, headers: &ModelHeaders) -> Option<u64> {
    let (name, dimension) = match kind {
        "mlp" | "pixtral" => ("mm.2.weight", 1),
        "qwen2vl_merger" | "qwen2.5vl_merger" => ("mm.2.bias", 0),
        "gemma3" => ("mm.input_projection.weight", 0),
        "idefics3" => ("mm.model.fc.weight", 1),
        "internvl" => ("mm.3.weight", 1),
        _ => return None,
    };
    let find = |name: &str| headers.first.tensors.iter().find(|tensor| &*tensor.name == name);
    // With a third layer, the engine treats it as another type.
    if kind == "mlp" && find("mm.3.weight").is_some() {
        return None;
    }
    find(name)?.shape.get(dimension).copied()
}
