//! An engine: a llama.cpp build on disk, and the profile that describes it.

use super::{Shape, Text};

declare! {
    /// A llama.cpp build.
    pub item Engine {
        /// The profile of the build: a built-in profile, or a `*.json` file in the registry folder.
        profile: Text = required("profile", Shape::Text).example("llama.cpp-b12032"),
        /// The folder of the programs, such as `llama-server`: an absolute path.
        bin: Text = required("bin", Shape::Path).example("/opt/llama.cpp/bin"),
        /// Environment variables of all processes of this engine.
        env: Vec<(Text, Text)> = optional("env", Shape::Map),
    }
}
