//! An engine: a llama.cpp build on disk or in a container image, and the profile that describes it.

use super::{Shape, Text};

declare! {
    /// A llama.cpp build.
    pub item Engine {
        /// The profile of the build: a built-in profile, or a `*.json` file in the registry folder.
        profile: Text = required("profile", Shape::Text).example("llama.cpp-b12032"),
        // An engine has `bin`, `image` or both.
        /// The folder of the programs, such as `llama-server`: an absolute path.
        bin: Option<Text> = optional("bin", Shape::Path).example("/opt/llama.cpp/bin"),
        /// A container image, with its digest. Its entry point must be llama-server, and it must have curl. With `bin`, only
        /// the target `kubernetes` uses it.
        image: Option<Text> = optional("image", Shape::Text)
            .example("ghcr.io/ggml-org/llama.cpp@sha256:0000000000000000000000000000000000000000000000000000000000000000"),
        /// Environment variables of all processes of this engine.
        env: Vec<(Text, Text)> = optional("env", Shape::Map),
    }
}

impl Engine {
    /// True if its programs are in an image and not on the host.
    pub fn is_only_image(&self) -> bool {
        self.bin.is_none() && self.image.is_some()
    }
}
