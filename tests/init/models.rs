//! Folders of models: names, facts, projectors, shards, and files that are no models.

use super::Empty;
use crate::facts::build::Gguf;
use crate::support::{assert_snapshot, compile_folder};
use std::fs;

/// A model with a width of embeddings and a number for its quantization.
fn model(arch: &str, width: u32, file_type: u32) -> Gguf {
    let model = Gguf::new(arch).text("general.type", "model").u32("general.file_type", file_type);
    model.u32(&format!("{arch}.embedding_length"), width).u32(&format!("{arch}.context_length"), 4096)
}

/// A projector for models of a width.
fn projector(width: u64) -> Gguf {
    let clip = Gguf::new("clip").text("general.type", "mmproj").text("clip.projector_type", "mlp");
    clip.tensor("mm.2.weight", &[1, width])
}

const Q4_K_M: u32 = 15;
const Q8_0: u32 = 7;

fn folder() -> Empty {
    let empty = Empty::new();
    let files: &[(&str, Gguf)] = &[
        ("Qwen2.5-Coder-7B-Instruct-Q4_K_M.gguf", model("qwen2", 3584, Q4_K_M)),
        ("Qwen2.5-Coder-7B-Instruct-Q8_0.gguf", model("qwen2", 3584, Q8_0)),
        ("vision/Gemma-3-4B-it-Q4_K_M.gguf", model("gemma3", 2560, Q4_K_M)),
        ("vision/mmproj-F16.gguf", projector(2560)),
        ("two/Pixtral-12B-Q4_K_M.gguf", model("llama", 5120, Q4_K_M)),
        ("two/mmproj-F16.gguf", projector(5120)),
        ("two/mmproj-BF16.gguf", projector(5120)),
        ("mixed/LLaVA-7B.Q4_K_M.gguf", model("llama", 4096, Q4_K_M)),
        ("mixed/Other-7B.Q4_K_M.gguf", model("llama", 4096, Q4_K_M)),
        ("mixed/mmproj-LLaVA-7B-f16.gguf", projector(4096)),
        ("lora.gguf", Gguf::new("qwen2").text("general.type", "adapter")),
        (".cache/hidden.gguf", model("qwen2", 1, Q4_K_M)),
    ];
    for (path, gguf) in files {
        empty.write(&format!("models/{path}"), &gguf.bytes());
    }
    let shard = |number: u16| model("qwen3moe", 2048, Q4_K_M).u16("split.no", number).u16("split.count", 2);
    empty.write("models/Big-Q4_K_M-00001-of-00002.gguf", &shard(0).bytes());
    empty.write("models/Big-Q4_K_M-00002-of-00002.gguf", &shard(1).bytes());
    empty.write("models/Half-Q4_K_M-00001-of-00002.gguf", &shard(0).bytes());
    empty.write("models/broken.gguf", b"GGUF\x03\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff");
    empty.write("models/README.md", b"# models\n");
    empty
}

#[test]
fn each_model_of_a_folder_becomes_an_item() {
    let empty = folder();
    fs::create_dir(empty.at("root")).unwrap();
    let (registry, messages) = empty.init("kdl", &["--root", "root", "--models", "models"]);
    let path = empty.0.path().to_string_lossy().into_owned();
    assert_snapshot!("init", "models", format!("{registry}\n{messages}").replace(&path, "/TEST"));
    fs::write(empty.at("registry/engine.kdl"), super::ENGINE).unwrap();
    let compiled = compile_folder(&empty.at("registry"));
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
    let output = empty.run(&["lock"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn each_folder_is_a_store() {
    let empty = folder();
    fs::create_dir(empty.at("root")).unwrap();
    let folders = ["--models", "models/vision", "--models", "models/two", "--models", "models/two/"];
    let (registry, _) = empty.init("yaml", &[&["--root", "root"][..], &folders].concat());
    let gemma = "projector: mmproj-F16.gguf\n    store: vision\n";
    let pixtral = "file: Pixtral-12B-Q4_K_M.gguf, store: two}";
    assert!(registry.contains(gemma) && registry.contains(pixtral), "{registry}");
    assert_eq!(registry.matches("path: ").count(), 2, "{registry}");
    fs::write(empty.at("registry/engine.kdl"), super::ENGINE).unwrap();
    let compiled = compile_folder(&empty.at("registry"));
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
}

#[test]
fn a_folder_that_cannot_be_read_is_an_error_and_nothing_is_written() {
    let empty = Empty::new();
    let output = empty.run(&["init", "--from-host", "--models", "nowhere"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(message.contains("nowhere") && message.contains("No such file"), "{message}");
    assert!(!empty.at("registry").exists());
}

#[test]
fn an_empty_folder_is_a_store_with_a_comment() {
    let empty = Empty::new();
    fs::create_dir_all(empty.at("root/models")).unwrap();
    let (registry, messages) = empty.init("kdl", &["--root", "root", "--models", "root/models"]);
    assert!(registry.contains("// No model (*.gguf) was found here.\nstore \"models\""), "{registry}");
    assert!(messages.contains("0 models in 1 folder"), "{messages}");
    fs::write(empty.at("registry/engine.kdl"), super::ENGINE).unwrap();
    let compiled = compile_folder(&empty.at("registry"));
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
}

#[test]
fn links_do_not_multiply_models() {
    let empty = Empty::new();
    fs::create_dir(empty.at("root")).unwrap();
    empty.write("models/A-Q4_K_M.gguf", &model("qwen2", 64, Q4_K_M).bytes());
    std::os::unix::fs::symlink(".", empty.at("models/loop")).unwrap();
    std::os::unix::fs::symlink("A-Q4_K_M.gguf", empty.at("models/0-link.gguf")).unwrap();
    let (registry, messages) = empty.init("kdl", &["--root", "root", "--models", "models"]);
    assert!(messages.contains("1 model in 1 folder"), "{messages}");
    assert!(registry.contains("file=\"A-Q4_K_M.gguf\"") && !registry.contains("more files"), "{registry}");
}
