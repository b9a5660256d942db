//! Tests of engine profiles, command lines, metadata keys and memory estimates.

mod command;
mod compute;
mod devices;
mod dialect;
mod difference;
mod facts;
mod gpu;
mod help;
mod ik;
mod layers;
mod libraries;
mod memory;
mod mistakes;
mod options;
mod placement;
mod preset;
mod profile;
mod rig;
mod table;
mod upgrade;

use dialect::servers;
use orchgen::engine::{Family, OptionRecord, Profile};

/// A built-in profile.
fn profile(name: &str) -> &'static Profile {
    Profile::built_in(&format!("llama.cpp-{name}")).unwrap()
}

/// All built-in profiles of llama.cpp.
fn profiles() -> Vec<&'static Profile> {
    let all = Profile::built_in_names().iter().map(|name| Profile::built_in(name).unwrap());
    all.filter(|profile| profile.family() == Family::LlamaCpp).collect()
}

/// The built-in profile of `ik_llama.cpp`.
fn ik_profile() -> &'static Profile {
    Profile::built_in("ik_llama.cpp-8337e4cd3").unwrap()
}

/// Parses an argv as the engine does: each name is an option of the program that the build has not removed. The expected
/// number of values follows it, and each value is one of the choices of the option.
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
        assert!(
            profile.first_spelling(tool, &[*name]).is_some(),
            "not the first spelling of the build: {at}"
        );
        assert!(!seen.iter().any(|other| std::ptr::eq(*other, option)), "given twice: {at}");
        seen.push(option);
        let arity = if option.negative.iter().any(|n| n == name) { 0 } else { option.arity() };
        assert!(values.len() >= arity, "too few values: {at}");
        for value in &values[..arity] {
            for word in value.split(',').filter(|_| option.takes_list_of_choices()) {
                assert!(option.lists_value(word), "{word}: {at}");
            }
            assert!(option.takes_list_of_choices() || option.allows_value(value), "{value}: {at}");
        }
        rest = &values[arity..];
    }
}
