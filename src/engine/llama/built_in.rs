//! The built-in profiles. Each is parsed on first use.

use std::sync::OnceLock;

use super::profile::Profile;

/// The names of the profiles, oldest build first in each family.
pub(super) const NAMES: &[&str] = &[
    "llama.cpp-2026-03-22-g49bfddeca",
    "llama.cpp-2026-03-fork",
    "llama.cpp-b9093",
    "llama.cpp-b10434",
    "llama.cpp-b11434",
    "llama.cpp-b11669",
    "llama.cpp-b12032",
    "ik_llama.cpp-8337e4cd3",
];

/// The files, in the order of [`NAMES`].
static FILES: [BuiltInFile; NAMES.len()] = [
    BuiltInFile::new(include_str!("profiles/llama.cpp-2026-03-22-g49bfddeca.json")),
    BuiltInFile::new(include_str!("profiles/llama.cpp-2026-03-fork.json")),
    BuiltInFile::new(include_str!("profiles/llama.cpp-b9093.json")),
    BuiltInFile::new(include_str!("profiles/llama.cpp-b10434.json")),
    BuiltInFile::new(include_str!("profiles/llama.cpp-b11434.json")),
    BuiltInFile::new(include_str!("profiles/llama.cpp-b11669.json")),
    BuiltInFile::new(include_str!("profiles/llama.cpp-b12032.json")),
    BuiltInFile::new(include_str!("profiles/ik_llama.cpp-8337e4cd3.json")),
];

struct BuiltInFile {
    json: &'static str,
    parsed: OnceLock<Option<Profile>>,
}

impl BuiltInFile {
    const fn new(json: &'static str) -> Self {
        Self { json, parsed: OnceLock::new() }
    }
}

/// The built-in profile with this name. Parse errors are ignored here, because a test parses all files.
pub(super) fn profile(name: &str) -> Option<&'static Profile> {
    let at = NAMES.iter().position(|known| *known == name)?;
    let file = FILES.get(at)?;
    let parsed = file.parsed.get_or_init(|| {
        // A profile may only extend an older one of the list, so there are no cycles.
        let older = |extended: &str| {
            NAMES
                .iter()
                .position(|known| *known == extended)
                .filter(|n| *n < at)
                .and_then(|_| profile(extended))
        };
        Profile::parse(name, file.json, older).ok()
    });
    parsed.as_ref()
}
