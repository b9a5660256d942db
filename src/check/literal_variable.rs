//! An environment variable whose value has a variable or `~` of a shell.

use super::owner;
use crate::derive::Derived;
use crate::diag::{Diagnostic, Diagnostics, words};
use crate::hir::{Head, Text};
use crate::source::Span;
use std::collections::BTreeSet;

declare_code! {
    /// ## What it finds
    /// A value in `env` that has a variable such as `$HOME`, a `~`, or a specifier such as `%h` at the beginning of a
    /// path. A `$` in other texts, such as a password, is not found.
    ///
    /// ## Why
    /// Only a shell expands variables. systemd does not expand them in `Environment=`, and orchgen writes each character
    /// as it is. So the process looks for a folder with the name `$HOME`.
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     env { XDG_CACHE_HOME "$HOME/cache" }
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     env { XDG_CACHE_HOME "/var/cache/llm" }
    /// }
    /// ```
    pub(super) static LITERAL_VARIABLE = 341, "literal-variable", Warning;
}

/// Variables that a user almost certainly wants to be expanded.
const WELL_KNOWN: &[&str] =
    &["HOME", "USER", "LOGNAME", "PATH", "PWD", "LD_LIBRARY_PATH", "TMPDIR", "HOSTNAME", "XDG_RUNTIME_DIR"];

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let mut reported: BTreeSet<Span> = BTreeSet::new();
    for engine in registry.engines.iter() {
        findings.extend(engine.env.iter().filter_map(|variable| finding(variable, &engine.head)));
    }
    for (role, process) in registry.processes() {
        for variable in &process.env {
            let owner = owner(registry, role, variable.1.span);
            // A default, or a YAML alias, applies to many roles, but is reported once.
            if reported.insert(variable.1.span) {
                findings.extend(finding(variable, owner));
            }
        }
    }
}

fn finding((name, value): &(Text, Text), owner: &Head) -> Option<Diagnostic> {
    let word = unexpanded(value)?;
    let message = words::printable(&format!(
        "{owner} sets {} to a text with {}, which is not expanded",
        words::quoted(name),
        words::quoted(word)
    ));
    let finding = LITERAL_VARIABLE.at(value.span, "used as it is", message).about(owner);
    let text = words::printable(value);
    let is_simple = !text.contains(['"', '`', '\\', '%', ' ']);
    Some(match word {
        "~" if is_simple => finding.help(format!("run `echo {text}`, and write the text that it prints")),
        "$PATH" | "${PATH}" => finding.help("write all folders of the path in full"),
        _ if is_simple && word.starts_with('$') => {
            finding.help(format!("run `echo \"{text}\"`, and write the text that it prints"))
        }
        _ => finding.help(format!("write the path in full instead of {}", words::quoted(word))),
    })
}

/// The first part of a value that only a shell or another field of systemd expands.
fn unexpanded(value: &str) -> Option<&str> {
    let variable = value.match_indices('$').find_map(|(at, _)| {
        let (word, name, rest) = variable(value.get(at..)?)?;
        let is_path = is_start(value, at) && rest.starts_with(['/', ':']);
        (is_path || WELL_KNOWN.contains(&name)).then_some(word)
    });
    let at_start = || {
        let starts = value.match_indices(['~', '%']).filter(|(at, _)| is_start(value, *at));
        starts.into_iter().find_map(|(at, _)| home(value.get(at..)?))
    };
    variable.or_else(at_start)
}

/// True at the beginning of a path or of a member of a list of paths.
fn is_start(value: &str, at: usize) -> bool {
    value.get(..at).is_some_and(|before| before.is_empty() || before.ends_with([':', '=', ',']))
}

/// The variable at the beginning of a text, its name, and the rest of the text.
fn variable(text: &str) -> Option<(&str, &str, &str)> {
    let braced = text.strip_prefix("${").and_then(|inner| inner.split_once('}')).map(|(name, _)| (name, 3));
    let (name, around) = braced.or_else(|| {
        let inner = text.strip_prefix('$')?;
        let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
        Some((inner.get(..end)?, 1))
    })?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let (word, rest) = text.split_at_checked(name.len() + around)?;
    is_name.then_some((word, name, rest))
}

/// A `~` or a specifier of systemd at the beginning of a path.
fn home(text: &str) -> Option<&str> {
    let length = if text.starts_with('~') { 1 } else { 2 };
    let (word, rest) = text.split_at_checked(length)?;
    let is_word = word == "~" || word.ends_with(|c: char| c.is_ascii_alphabetic());
    let is_end = rest.starts_with('/') || (rest.is_empty() && word == "~");
    (is_word && is_end).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::unexpanded;

    #[test]
    fn only_variables_of_paths_and_well_known_ones_are_found() {
        for (value, word) in [
            ("$HOME/y", Some("$HOME")),
            ("${HOME}/y", Some("${HOME}")),
            ("/usr/bin:$PATH", Some("$PATH")),
            ("x-$USER", Some("$USER")),
            ("$MODELS/a", Some("$MODELS")),
            ("~/y", Some("~")),
            ("~", Some("~")),
            ("/a:~/b", Some("~")),
            ("%h/y", Some("%h")),
            ("pa$$word", None),
            ("$ecret", None),
            ("a$b/c", None),
            ("$1/a", None),
            ("50%", None),
            ("100%/s", None),
            ("a~b", None),
            ("~user", None),
            ("%{x}", None),
            ("", None),
            ("$", None),
            ("${", None),
            ("é~/", None),
        ] {
            assert_eq!(unexpanded(value), word, "{value}");
        }
    }
}
