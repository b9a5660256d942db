//! Images of llama.cpp, and the program that each starts (`.devops/*.Dockerfile` of llama.cpp, August 2026).

use crate::import::prefix::is_server;

/// Parts of the names of images with llama.cpp or a fork.
const LLAMA_NAMES: &[&str] = &["llama.cpp", "llama-cpp", "llamacpp", "llama_cpp", "ik_llama"];

/// Parts of tags with the kind of GPU that the image supports.
const GPU_TAGS: &[(&str, &str)] = &[
    ("cuda", "CUDA"),
    ("rocm", "ROCm"),
    ("hip", "ROCm"),
    ("vulkan", "Vulkan"),
    ("intel", "SYCL"),
    ("sycl", "SYCL"),
    ("oneapi", "SYCL"),
];

/// The program that an image starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ImageKind {
    /// The server.
    Server,
    /// A script that selects the program by its first argument.
    Full,
    /// A program that answers one prompt.
    Cli,
    /// No program of llama.cpp.
    Other,
}

/// Parts of the names of images with other engines that also read GGUF files.
const OTHER_ENGINES: &[&str] = &["vllm", "kobold", "sglang", "aphrodite", "ollama", "localai", "python"];

/// The name of an image without its tag, and its tag.
fn parts(image: &str) -> (&str, &str) {
    let image = image.split('@').next().unwrap_or(image);
    let after = image.rfind('/').map_or(0, |slash| slash + 1);
    match image.get(after..).and_then(|last| last.find(':')) {
        Some(colon) => {
            (image.get(..after + colon).unwrap_or(image), image.get(after + colon + 1..).unwrap_or_default())
        }
        None => (image, ""),
    }
}

/// The program that an image starts.
pub(super) fn kind(image: &str) -> ImageKind {
    let (name, tag) = parts(image);
    let name = name.to_ascii_lowercase();
    let is_named = LLAMA_NAMES.iter().any(|part| name.contains(part)) || is_server(&name);
    if !is_named {
        return ImageKind::Other;
    }
    if tag.starts_with("full") {
        ImageKind::Full
    } else if tag.starts_with("light") || name.ends_with("-cli") {
        ImageKind::Cli
    } else {
        ImageKind::Server
    }
}

/// True if the name of an image is that of another engine.
pub(super) fn is_other_engine(image: &str) -> bool {
    let name = parts(image).0.to_ascii_lowercase();
    OTHER_ENGINES.iter().any(|part| name.contains(part))
}

/// True if the name or the tag of an image is empty, such as after a variable without a value.
pub(super) fn is_incomplete(image: &str) -> bool {
    let (name, tag) = parts(image);
    let has_tag = name.len() < image.split('@').next().unwrap_or(image).len();
    let is_part_empty = name.split('/').any(str::is_empty);
    is_part_empty || (has_tag && tag.is_empty()) || image.ends_with('@')
}

/// The kind of GPUs that an image supports.
pub(super) fn gpus(image: &str) -> Option<&'static str> {
    let (name, tag) = parts(image);
    let name = name.rsplit('/').next().unwrap_or(name);
    let text = format!("{name}:{tag}").to_ascii_lowercase();
    let has =
        |part: &str| text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word.starts_with(part));
    GPU_TAGS.iter().find(|(part, _)| has(part)).map(|(_, kind)| *kind)
}
