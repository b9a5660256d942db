//! The model files that the pages name.

use crate::facts::build::Gguf;
use std::fs::{self, File};
use std::path::Path;

/// A model file below `/srv/models`.
pub(crate) struct ModelFile {
    pub(crate) name: &'static str,
    arch: &'static str,
    /// Layers, width, heads, heads of keys and values, trained context.
    shape: [u32; 5],
    /// The size of the file in MB.
    megabytes: u64,
    /// The tiny model that is served in its place in the rig. Empty if no page needs it there.
    pub(crate) served: &'static str,
}

const fn file(
    name: &'static str,
    arch: &'static str,
    shape: [u32; 5],
    megabytes: u64,
    served: &'static str,
) -> ModelFile {
    ModelFile { name, arch, shape, megabytes, served }
}

const QWEN3_8B: [u32; 5] = [36, 4096, 32, 8, 40960];
const QWEN3_4B: [u32; 5] = [36, 2560, 32, 8, 40960];
const QWEN3_06B: [u32; 5] = [28, 1024, 16, 8, 40960];
const QWEN3_30B: [u32; 5] = [48, 2048, 32, 4, 40960];
const QWEN3_32B: [u32; 5] = [64, 5120, 64, 8, 40960];
const VL_7B: [u32; 5] = [28, 3584, 28, 4, 128_000];
const BGE: [u32; 5] = [24, 1024, 16, 16, 8192];
const CLIP: [u32; 5] = [0, 3584, 0, 0, 0];

pub(crate) static FILES: &[ModelFile] = &[
    file("Qwen3-8B-Q4_K_M.gguf", "qwen3", QWEN3_8B, 5030, "target"),
    file("Qwen3-4B-Q4_K_M.gguf", "qwen3", QWEN3_4B, 2500, ""),
    file("Qwen3-0.6B-Q8_0.gguf", "qwen3", QWEN3_06B, 640, "draft"),
    file("Qwen3-30B-A3B-Q4_K_M.gguf", "qwen3moe", QWEN3_30B, 18_560, "moe"),
    file("Qwen3-32B-Q4_K_M.gguf", "qwen3", QWEN3_32B, 19_760, "target"),
    file("Qwen2.5-VL-7B-Instruct-Q4_K_M.gguf", "qwen2vl", VL_7B, 4680, ""),
    file("mmproj-Qwen2.5-VL-7B-Instruct-f16.gguf", "clip", CLIP, 1350, ""),
    file("bge-m3-Q8_0.gguf", "bert", BGE, 635, "embed"),
    file("bge-reranker-v2-m3-Q8_0.gguf", "bert", BGE, 636, "embed"),
];

/// The files that a page names.
pub(crate) fn of_page(page: &str) -> impl Iterator<Item = &'static ModelFile> {
    FILES.iter().filter(move |file| page.contains(file.name))
}

impl ModelFile {
    /// Writes the file below a folder: its header, and zeros that need no blocks on the disk.
    pub(super) fn write(&self, folder: &Path) {
        let path = folder.join(self.name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, self.header().bytes()).unwrap();
        File::options().write(true).open(&path).unwrap().set_len(self.megabytes * 1_000_000).unwrap();
    }

    fn header(&self) -> Gguf {
        let [layers, width, heads, kv_heads, context] = self.shape;
        if self.arch == "clip" {
            let clip = Gguf::new("clip")
                .text("general.type", "mmproj")
                .text("clip.projector_type", "qwen2.5vl_merger");
            return clip
                .u32("clip.vision.projection_dim", width)
                .tensor("mm.2.weight", &[1, u64::from(width)]);
        }
        let key = |name: &str| format!("{}.{name}", self.arch);
        let file_type = if self.name.contains("Q8_0") { 7 } else { 15 };
        let model = Gguf::new(self.arch).text("general.type", "model").u32("general.file_type", file_type);
        let model = model.text("tokenizer.ggml.model", "gpt2").text("tokenizer.ggml.pre", "qwen2");
        let model = model.texts("tokenizer.ggml.tokens", &["a", "b", "c", "d", "e", "f", "g", "h"]);
        let model = model
            .u32(&key("block_count"), layers)
            .u32(&key("embedding_length"), width)
            .u32(&key("attention.head_count"), heads)
            .u32(&key("attention.head_count_kv"), kv_heads)
            .u32(&key("context_length"), context);
        // A page with a GPU limits its memory, so the sizes of its layers must be known.
        let is_placed = self.shape == QWEN3_4B;
        if is_placed { self.layers(model) } else { model }
    }

    /// A header with the same weights in each layer, which fill most of the file.
    fn layers(&self, model: Gguf) -> Gguf {
        let [layers, width, ..] = self.shape;
        let (rows, kind) = (40_960, 12);
        // Q4_K has 144 bytes for 256 weights.
        let bytes = u64::from(width) * rows * 144 / 256;
        let layer = |model: Gguf, layer: u32| {
            model.info(
                &format!("blk.{layer}.ffn_up.weight"),
                &[u64::from(width), rows],
                kind,
                u64::from(layer) * bytes,
            )
        };
        (0..layers).fold(model.u32("qwen3.feed_forward_length", 9728), layer)
    }
}
