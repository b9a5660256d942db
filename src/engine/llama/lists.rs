//! The closed lists of a build: words of model files that its loader knows. Any other word stops the engine.
//!
//! | list | of a model file | source in llama.cpp b11434 |
//! |---|---|---|
//! | architectures | `general.architecture` | `src/llama-arch.cpp` |
//! | pre-tokenizers | `tokenizer.ggml.pre` | `src/llama-vocab.cpp` |
//! | projector types | `clip.projector_type` | `tools/mtmd/clip-impl.h` |
//! | tensor types | the type of each tensor | `ggml/src/ggml.c` |

/// A closed list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ClosedList {
    /// Architectures.
    Architectures,
    /// Pre-tokenizers of BPE vocabularies.
    PreTokenizers,
    /// Types of projectors.
    ProjectorTypes,
    /// Types of tensors, by their names in orchgen.
    TensorTypes,
}

impl ClosedList {
    /// All lists.
    pub const ALL: [Self; 4] =
        [Self::Architectures, Self::PreTokenizers, Self::ProjectorTypes, Self::TensorTypes];

    /// The field of a profile.
    pub fn field(self) -> &'static str {
        match self {
            Self::Architectures => "architectures",
            Self::PreTokenizers => "pre_tokenizers",
            Self::ProjectorTypes => "projector_types",
            Self::TensorTypes => "tensor_types",
        }
    }

    /// The noun of its words: `architecture`, `pre-tokenizer`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Architectures => "architecture",
            Self::PreTokenizers => "pre-tokenizer",
            Self::ProjectorTypes => "projector type",
            Self::TensorTypes => "tensor type",
        }
    }
}

/// The closed lists of a build, sorted. An empty list is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClosedLists {
    /// The architectures.
    pub architectures: Vec<String>,
    /// The pre-tokenizers.
    pub pre_tokenizers: Vec<String>,
    /// The types of projectors.
    pub projector_types: Vec<String>,
    /// The types of tensors.
    pub tensor_types: Vec<String>,
}

impl ClosedLists {
    /// A list. `None` if it is unknown.
    pub fn get(&self, list: ClosedList) -> Option<&[String]> {
        let words = match list {
            ClosedList::Architectures => &self.architectures,
            ClosedList::PreTokenizers => &self.pre_tokenizers,
            ClosedList::ProjectorTypes => &self.projector_types,
            ClosedList::TensorTypes => &self.tensor_types,
        };
        (!words.is_empty()).then_some(words)
    }

    /// The lists with their words sorted, as a file of a user may not have them.
    pub(super) fn sorted(mut self) -> Self {
        let Self { architectures, pre_tokenizers, projector_types, tensor_types } = &mut self;
        for words in [architectures, pre_tokenizers, projector_types, tensor_types] {
            words.sort_unstable();
        }
        self
    }

    /// True if the list has the word. `None` if the list is unknown.
    pub fn has(&self, list: ClosedList, word: &str) -> Option<bool> {
        let words = self.get(list)?;
        Some(words.binary_search_by(|known| known.as_str().cmp(word)).is_ok())
    }

    /// The lists, with those of `base` for unknown ones.
    pub(super) fn or(self, base: &Self) -> Self {
        let or = |own: Vec<String>, base: &Vec<String>| if own.is_empty() { base.clone() } else { own };
        Self {
            architectures: or(self.architectures, &base.architectures),
            pre_tokenizers: or(self.pre_tokenizers, &base.pre_tokenizers),
            projector_types: or(self.projector_types, &base.projector_types),
            tensor_types: or(self.tensor_types, &base.tensor_types),
        }
    }
}

/// True if the vocabulary has a pre-tokenizer (`src/llama-vocab.cpp` of b11434): BPE vocabularies, except that of
/// `gemma4`, which has a fixed one.
pub fn has_pre_tokenizer(vocabulary: &str) -> bool {
    matches!(vocabulary, "gpt2" | "hybriddna" | "whitespace")
}

/// The type of file to use instead of a tensor type that llama.cpp removed (`ggml/src/ggml.c` of b11434).
pub fn replacement_of_removed(tensor_type: &str) -> Option<&'static str> {
    matches!(tensor_type, "q4_0_4_4" | "q4_0_4_8" | "q4_0_8_8").then_some("Q4_0")
}
