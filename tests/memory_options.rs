//! Reads the memory options of a command line, for tests and the fuzz target of headers.

use orchgen::engine::memory::MemoryOptions;
use orchgen::engine::options::Given;
use orchgen::engine::{Profile, Switch};

/// The memory options of a server with these variables and arguments, read as the engine reads them.
pub(crate) fn memory_options<'a>(
    profile: &Profile,
    env: &[(&str, &str)],
    args: impl IntoIterator<Item = &'a str>,
) -> MemoryOptions {
    let mut given = Vec::new();
    let mut words = args.into_iter();
    while let Some(word) = words.next() {
        let found = profile.find("llama-server", word).filter(|_| word.starts_with('-'));
        let Some((option, _, switch)) = found else { continue };
        let value = if option.arity() > 0 { words.next().unwrap_or_default() } else { "" };
        words.by_ref().take(option.arity().saturating_sub(1)).for_each(drop);
        let is_on = switch == Switch::On;
        given.extend(option.row().map(|row| Given {
            row,
            title: option.title(),
            is_on,
            value,
            is_default: false,
        }));
    }
    MemoryOptions::new(profile, env, given)
}
