//! Tests of the engine.

mod compute;
mod dialect;
mod difference;
mod facts;
mod file;
mod help;
mod layers;
mod memory;
mod mistakes;
mod options;
mod profile;
mod rig;
mod table;
mod upgrade;

use dialect::servers;
use orchgen::engine::{OptionRecord, Profile};

/// A built-in profile.
fn profile(name: &str) -> &'static Profile {
    Profile::built_in(&format!("llama.cpp-{name}")).unwrap()
}

/// All built-in profiles.
fn profiles() -> Vec<&'static Profile> {
    Profile::names().iter().map(|name| Profile::built_in(name).unwrap()).collect()
}

/// Walks an argv as the engine does: every name an option of the program that is not removed, followed by as many values
/// as it eats, each of them of its closed set.
fn assert_accepts(profile: &Profile, tool: &str, args: &[impl AsRef<str>]) {
    let shown: Vec<&str> = args.iter().map(AsRef::as_ref).collect();
    let mut rest = shown.as_slice();
    let mut seen: Vec<&OptionRecord> = Vec::new();
    while let Some((name, values)) = rest.split_first() {
        let at = format!("{name} in {shown:?} for {tool} of {}", profile.name());
        assert!(name.starts_with('-'), "{at}");
        let option = profile.option(tool, name);
        assert!(option.is_some(), "unknown: {at}");
        let option = option.unwrap();
        assert_eq!(option.removed, None, "{at}");
        assert!(profile.spelling(tool, &[*name]).is_some(), "not as the build spells it: {at}");
        assert!(!seen.iter().any(|other| std::ptr::eq(*other, option)), "twice: {at}");
        seen.push(option);
        let arity = if option.negative.iter().any(|n| n == name) { 0 } else { option.arity() };
        assert!(values.len() >= arity, "too few values: {at}");
        for value in &values[..arity] {
            for word in value.split(',').filter(|_| option.takes_list_of_choices()) {
                assert!(option.lists(word), "{word}: {at}");
            }
            assert!(option.takes_list_of_choices() || option.allows(value), "{value}: {at}");
        }
        rest = &values[arity..];
    }
}
