//! The image of a container: its program, and the kind of its GPUs.

use crate::import::prefix::base_name;
use crate::import::source::{Loss, Program, Server, Word};

/// The kind of the GPUs that a build of an image uses, by its tag or name.
pub(super) fn gpus(image: &str) -> Option<&'static str> {
    let image = image.to_ascii_lowercase();
    let name = base_name(&image);
    let kinds = [
        ("cuda", "CUDA"),
        ("rocm", "ROCm"),
        ("hip", "ROCm"),
        ("vulkan", "Vulkan"),
        ("sycl", "SYCL"),
        ("intel", "SYCL"),
    ];
    let has =
        |kind: &str| name.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| part.starts_with(kind));
    kinds.into_iter().find(|(part, _)| has(part)).map(|(_, kind)| kind)
}

/// The kind of the GPUs that a device belongs to.
pub(super) fn gpus_of_device(device: &str) -> Option<&'static str> {
    let device = device.trim_start_matches('-');
    let kinds = [
        ("nvidia.com/gpu", "CUDA"),
        ("/dev/nvidia", "CUDA"),
        ("amd.com/gpu", "ROCm"),
        ("/dev/kfd", "ROCm"),
        ("/dev/dri", "Vulkan"),
    ];
    kinds.into_iter().find(|(start, _)| device.starts_with(start)).map(|(_, kind)| kind)
}

/// Sets the program and the arguments of a container. Images of llama.cpp with all tools take the tool as their first argument.
pub(super) fn apply(image: Word, entry: Vec<Word>, args: Vec<Word>, server: &mut Server) {
    let mut entry = entry.into_iter();
    let tool = entry.next();
    let mut args: Vec<Word> = entry.chain(args).collect();
    let tag = base_name(&image.text).split_once(':').map_or("", |(_, tag)| tag);
    let is_of_llama = image.text.contains("llama.cpp") || image.text.contains("llama-cpp");
    if tool.is_none() && is_of_llama && tag.starts_with("full") {
        let is_server = args.first().is_some_and(|word| ["--server", "-s"].contains(&word.text.as_str()));
        if is_server {
            args.remove(0);
        } else {
            refuse(&image, "the image starts no server without `--server`", server);
        }
    } else if tool.is_none() && is_of_llama && tag.starts_with("light") {
        refuse(&image, "the image starts no server", server);
    }
    server.gpus = gpus(&image.text).or(server.gpus);
    server.program = Program::Image { image, tool };
    server.args = args;
}

fn refuse(image: &Word, why: &str, server: &mut Server) {
    let loss = Loss { what: format!("Image={}", image.text), at: image.at, why: why.to_owned() };
    server.unreadable.get_or_insert(loss);
}
