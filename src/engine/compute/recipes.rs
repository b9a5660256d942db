//! How the graphs of architectures differ, as far as it takes memory: `src/models/*.cpp` of llama.cpp b11434.
//!
//! Those that are `MEASURED` agree with a real server (b11669) to the last digit that it prints, over contexts, slots, batches,
//! types of caches and with and without flash attention; the others are built as the source says.

use super::build::Norm;
use super::feed::{Bend, Choice};

/// The way through a layer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Flow {
    /// Attention, then the feed-forward network, each after a norm.
    Serial,
    /// Attention and the feed-forward network of the same rows.
    Parallel,
    /// As `Serial`, with a Mamba layer beside the attention.
    Beside,
    /// One thing a layer.
    Single,
    /// As `Serial`, with norms after each instead of before.
    After,
    /// No cache, and norms after each.
    Encoder,
    /// RWKV.
    Shifting,
}

/// What makes tokens know of each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mixer {
    /// Attention.
    Attention,
    /// Attention to keys and values of a low rank.
    Latent,
    /// Attention, and Mamba in layers with state.
    Mamba,
    /// Attention, and Mamba of the second kind in layers with state.
    Mamba2,
    /// Attention with a gate, and the gated delta rule in layers with state.
    Delta,
    /// Attention, and a short convolution in layers with state.
    Convolution,
}

/// Which layers have experts, where a model has some.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sparse {
    /// Those after the first dense ones.
    Every,
    /// Every other one. The header does not say; it is so in the models that there are.
    Odd,
    /// By `interleave_moe_layer_step`.
    Step,
}

/// What an architecture has or does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Trait {
    /// One matrix makes queries, keys and values.
    Fused,
    /// Queries and keys are made even, head by head.
    HeadNorms,
    /// Queries and keys are made even, all heads of a row at once.
    RowNorms,
    /// Positions turn no queries and keys.
    Unturned,
    /// Positions turn queries and keys of windowed layers only, if there are windows.
    TurnsWindows,
    /// Scores are bent by a tangent.
    Capped,
    /// Embeddings are scaled by row.
    Scaled,
    /// Embeddings are made even.
    NormAtStart,
    /// Nothing is kept, and rows are all that is wanted.
    Encodes,
    /// What attention and the feed-forward network make is made even too.
    NormAfter,
    /// What was made earlier comes first in sums.
    EarlierFirst,
    /// Outputs are chosen after the last layer, not in it.
    ChoosesLate,
    /// The last hidden rows stay, all of them.
    KeepsHidden,
    /// Norms are put into the order by themselves.
    ListsNorms,
    /// Layers with state make their results even.
    EvenState,
    /// Weights of experts sum up to one if the header says so.
    EvenIfSaid,
    /// There is an expert that all tokens share, as wide as the others.
    Shares,
    /// The shared expert has a gate.
    GatedShare,
    /// The learned positions are added to embeddings.
    Placed,
    /// The strength and the decay of the delta rule have a matrix each.
    Split,
    /// Positions have four parts.
    FourPositions,
}

/// How graphs of some architectures are built.
#[derive(Clone, Debug)]
pub(super) struct Recipe {
    names: &'static [&'static str],
    pub(super) norm: Norm,
    pub(super) flow: Flow,
    pub(super) mixer: Mixer,
    pub(super) bend: Bend,
    pub(super) sparse: Sparse,
    pub(super) choice: Choice,
    traits: &'static [Trait],
    /// By how many percent the buffer may be off.
    pub(super) within: u8,
}

impl Recipe {
    pub(super) fn has(&self, wanted: Trait) -> bool {
        self.traits.contains(&wanted)
    }
}

/// The recipe of an architecture.
pub(super) fn recipe(name: &str) -> Option<&'static Recipe> {
    RECIPES.iter().find(|recipe| recipe.names.contains(&name))
}

/// The names of all of them.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    RECIPES.iter().flat_map(|recipe| recipe.names.iter().copied())
}

const MEASURED: u8 = 2;

const PLAIN: Recipe = Recipe {
    names: &[],
    norm: Norm::Root,
    flow: Flow::Serial,
    mixer: Mixer::Attention,
    bend: Bend::Gated,
    sparse: Sparse::Every,
    choice: Choice::Plain,
    traits: &[],
    within: MEASURED,
};

/// As the source says, not measured.
const READ: Recipe = Recipe { within: 10, ..PLAIN };

const MEAN: Recipe = Recipe { norm: Norm::Mean, ..PLAIN };

use Trait::{
    Capped, ChoosesLate, EarlierFirst, Encodes, EvenIfSaid, EvenState, FourPositions, Fused, GatedShare,
    HeadNorms, KeepsHidden, ListsNorms, NormAfter, NormAtStart, Placed, RowNorms, Scaled, Shares, Split,
    TurnsWindows, Unturned,
};

const RECIPES: &[Recipe] = &[
    // Attention and a feed-forward network, or experts.
    Recipe {
        names: &["llama", "qwen2", "mistral3", "granite", "granitemoe", "minicpm", "internlm2"],
        ..PLAIN
    },
    Recipe { names: &["exaone", "seed_oss", "smollm3", "xverse", "ernie4_5"], ..PLAIN },
    Recipe { names: &["qwen3", "qwen3moe", "hunyuan-dense"], traits: &[HeadNorms], ..PLAIN },
    Recipe { names: &["qwen2vl"], traits: &[FourPositions], ..PLAIN },
    Recipe { names: &["qwen3vl", "qwen3vlmoe"], traits: &[HeadNorms, FourPositions], ..READ },
    Recipe { names: &["qwen2moe"], traits: &[EvenIfSaid, GatedShare], ..PLAIN },
    Recipe { names: &["deepseek", "bailingmoe"], traits: &[EvenIfSaid], ..PLAIN },
    Recipe { names: &["dots1", "glm4moe"], traits: &[HeadNorms, EvenIfSaid], ..PLAIN },
    Recipe { names: &["bailingmoe2"], traits: &[Fused, HeadNorms, EvenIfSaid], ..PLAIN },
    Recipe { names: &["minimax-m2"], traits: &[RowNorms], ..PLAIN },
    Recipe { names: &["olmoe"], traits: &[RowNorms, EvenIfSaid], ..PLAIN },
    Recipe { names: &["hunyuan-moe"], traits: &[HeadNorms, Shares], ..PLAIN },
    Recipe { names: &["openelm"], traits: &[Fused, HeadNorms, EarlierFirst], within: 6, ..PLAIN },
    Recipe { names: &["gpt-oss"], choice: Choice::Late, traits: &[EvenIfSaid, ChoosesLate], ..PLAIN },
    Recipe { names: &["gemma"], traits: &[Scaled], ..PLAIN },
    Recipe { names: &["gemma2"], traits: &[Scaled, NormAfter, Capped], ..PLAIN },
    Recipe { names: &["gemma3"], traits: &[Scaled, NormAfter, HeadNorms], ..PLAIN },
    Recipe {
        names: &["llama4"],
        sparse: Sparse::Step,
        choice: Choice::Before,
        traits: &[EvenIfSaid, Shares],
        ..PLAIN
    },
    Recipe { names: &["deepseek2"], mixer: Mixer::Latent, traits: &[EvenIfSaid], ..PLAIN },
    Recipe { names: &["olmo2"], flow: Flow::After, traits: &[RowNorms], ..PLAIN },
    Recipe { names: &["exaone4"], flow: Flow::After, traits: &[HeadNorms, TurnsWindows], ..PLAIN },
    Recipe { names: &["phimoe", "chatglm"], bend: Bend::Halves, traits: &[Fused], ..PLAIN },
    Recipe { names: &["phi3"], bend: Bend::Halves, traits: &[Fused], ..READ },
    Recipe { names: &["glm4"], bend: Bend::Halves, traits: &[NormAfter], ..PLAIN },
    Recipe { names: &["arcee"], bend: Bend::Plain, ..PLAIN },
    Recipe { names: &["olmo", "orion", "stablelm"], ..MEAN },
    Recipe { names: &["starcoder2", "nemotron"], bend: Bend::Plain, ..MEAN },
    Recipe { names: &["command-r"], flow: Flow::Parallel, ..MEAN },
    Recipe { names: &["cohere2"], flow: Flow::Parallel, traits: &[TurnsWindows], ..MEAN },
    Recipe {
        names: &["phi2"],
        flow: Flow::Parallel,
        bend: Bend::Plain,
        traits: &[Fused, EarlierFirst],
        ..MEAN
    },
    // With state.
    Recipe { names: &["mamba"], flow: Flow::Single, mixer: Mixer::Mamba, ..PLAIN },
    Recipe { names: &["mamba2"], flow: Flow::Single, mixer: Mixer::Mamba2, traits: &[EvenState], ..PLAIN },
    Recipe { names: &["falcon-h1"], flow: Flow::Beside, ..PLAIN },
    Recipe { names: &["granitehybrid"], mixer: Mixer::Mamba2, traits: &[EvenState], ..PLAIN },
    Recipe {
        names: &["jamba"],
        mixer: Mixer::Mamba,
        sparse: Sparse::Odd,
        traits: &[Unturned, EvenState, EvenIfSaid, EarlierFirst],
        ..PLAIN
    },
    Recipe {
        names: &["qwen3next"],
        mixer: Mixer::Delta,
        traits: &[GatedShare, ChoosesLate, KeepsHidden, ListsNorms],
        ..PLAIN
    },
    Recipe {
        names: &["qwen35", "qwen35moe"],
        mixer: Mixer::Delta,
        traits: &[Split, GatedShare, ChoosesLate, KeepsHidden, ListsNorms, FourPositions],
        ..PLAIN
    },
    Recipe { names: &["lfm2"], mixer: Mixer::Convolution, traits: &[HeadNorms, EarlierFirst], ..PLAIN },
    Recipe {
        names: &["lfm2moe"],
        mixer: Mixer::Convolution,
        choice: Choice::Biased,
        traits: &[HeadNorms, EarlierFirst],
        ..PLAIN
    },
    Recipe {
        names: &["nemotron_h"],
        flow: Flow::Single,
        mixer: Mixer::Mamba2,
        bend: Bend::Plain,
        traits: &[Unturned, EvenState, ChoosesLate, KeepsHidden],
        ..PLAIN
    },
    Recipe { names: &["rwkv7"], norm: Norm::Mean, flow: Flow::Shifting, ..PLAIN },
    // Encoders.
    Recipe {
        names: &["bert"],
        flow: Flow::Encoder,
        bend: Bend::Plain,
        traits: &[Encodes, Unturned, Placed],
        ..MEAN
    },
    Recipe { names: &["nomic-bert"], flow: Flow::Encoder, traits: &[Encodes, Fused], ..MEAN },
    Recipe {
        names: &["jina-bert-v2"],
        flow: Flow::Encoder,
        traits: &[Encodes, Unturned],
        within: READ.within,
        ..MEAN
    },
    Recipe {
        names: &["jina-bert-v3"],
        flow: Flow::Encoder,
        bend: Bend::Plain,
        traits: &[Encodes, Fused],
        within: READ.within,
        ..MEAN
    },
    Recipe { names: &["gemma-embedding"], traits: &[Encodes, Scaled, NormAfter, HeadNorms], ..PLAIN },
    Recipe { names: &["modern-bert"], bend: Bend::Halves, traits: &[Encodes, Fused, NormAtStart], ..MEAN },
];
