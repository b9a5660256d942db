//! The profiles that come with the program, each parsed when it is first asked for.

use std::sync::OnceLock;

use super::profile::Profile;

/// The names of the profiles, oldest build first.
pub(super) const NAMES: &[&str] = &[
    "llama.cpp-2026-03-22-g49bfddeca",
    "llama.cpp-2026-03-fork",
    "llama.cpp-b9093",
    "llama.cpp-b10434",
    "llama.cpp-b11434",
    "llama.cpp-b11669",
];

/// The files, in the order of [`NAMES`].
static FILES: [File; NAMES.len()] = [
    File::new(include_str!("profiles/llama.cpp-2026-03-22-g49bfddeca.json")),
    File::new(include_str!("profiles/llama.cpp-2026-03-fork.json")),
    File::new(include_str!("profiles/llama.cpp-b9093.json")),
    File::new(include_str!("profiles/llama.cpp-b10434.json")),
    File::new(include_str!("profiles/llama.cpp-b11434.json")),
    File::new(include_str!("profiles/llama.cpp-b11669.json")),
];

struct File {
    json: &'static str,
    parsed: OnceLock<Option<Profile>>,
}

impl File {
    const fn new(json: &'static str) -> Self {
        Self { json, parsed: OnceLock::new() }
    }
}

/// The profile of that name. A file that cannot be read is none: a test reads them all.
pub(super) fn profile(name: &str) -> Option<&'static Profile> {
    let at = NAMES.iter().position(|known| *known == name)?;
    let file = FILES.get(at)?;
    let parsed = file.parsed.get_or_init(|| {
        // A profile extends an older one of the list only, so that no chain can close.
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
