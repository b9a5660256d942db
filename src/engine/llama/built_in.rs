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

/// The shortest part of a name that identifies it.
const LEAST_PART: usize = 4;

/// The only name that has this part, or whose last part is in this word.
pub(super) fn name_with(part: &str) -> Option<&'static str> {
    let word = part.to_ascii_lowercase();
    let build = |name: &'static str| name.rsplit_once("cpp-").map_or(name, |(_, build)| build);
    let matches = |name: &&&'static str| has_part(name, &word) || has_part(&word, build(name));
    let mut found = NAMES.iter().filter(matches);
    let first = found.next().filter(|_| word.len() >= LEAST_PART)?;
    found.next().is_none().then_some(*first)
}

/// True if a text has a part that begins and ends at a word. `b` can be before the number of a build.
fn has_part(text: &str, part: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric();
    text.match_indices(part).any(|(at, _)| {
        let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at + part.len()..));
        let is_number = part.starts_with(|c: char| c.is_ascii_digit());
        let before = if is_number { before.strip_suffix('b').unwrap_or(before) } else { before };
        !before.ends_with(is_word) && !after.is_some_and(|rest| rest.starts_with(is_word))
    })
}
