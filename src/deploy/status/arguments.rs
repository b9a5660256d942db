//! Compares the command line of a process with the planned one.

use super::report::ArgumentChange;
use crate::render::deployment::{CONFIGURATION_WORD, KEY_WORD};

/// The differences. Empty if they agree. A wrapper is accepted: the command line ends with the planned arguments, and the word
/// before them is the program, if it is named at all.
pub(super) fn changes(planned: &[String], running: &[String]) -> Vec<ArgumentChange> {
    let Some((program, args)) = planned.split_first() else { return Vec::new() };
    let (before, last) = running.split_at(running.len().saturating_sub(args.len()));
    let ends_with = last.len() == args.len() && last.iter().zip(args).all(|(word, plan)| fits(plan, word));
    if ends_with && is_prefix_of(program, before) {
        return Vec::new();
    }
    let at = running.iter().position(|word| base_name(word) == base_name(program)).unwrap_or(0);
    let (found, rest) = running
        .get(at..)
        .and_then(<[String]>::split_first)
        .map_or(("", &[][..]), |(word, rest)| (word.as_str(), rest));
    let mut changes = changed_groups(args, rest);
    if found != program {
        changes.insert(0, ArgumentChange { planned: Some(program.clone()), running: Some(found.to_owned()) });
    }
    if changes.is_empty() {
        // Only the order differs.
        let joined = |words: &[String]| Some(words.join(" "));
        changes.push(ArgumentChange { planned: joined(args), running: joined(rest) });
    }
    changes
}

/// True if the words before the arguments are the program, or a wrapper.
fn is_prefix_of(program: &str, before: &[String]) -> bool {
    let Some((last, wrapper)) = before.split_last() else { return false };
    let is_program = |word: &String| base_name(word) == base_name(program);
    if wrapper.iter().any(is_program) {
        return false;
    }
    last == program || !is_program(last)
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// True if a word of a command line is as planned. The paths of key files and of configuration files are not in the plan.
fn fits(planned: &str, running: &str) -> bool {
    planned == running || matches!(planned, KEY_WORD | CONFIGURATION_WORD)
}

/// An option with its values.
type Group<'w> = Vec<&'w str>;

fn groups(words: &[String]) -> Vec<Group<'_>> {
    let mut all: Vec<Group<'_>> = Vec::new();
    for word in words {
        let is_option =
            word.strip_prefix('-').is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()));
        match all.last_mut().filter(|_| !is_option) {
            Some(group) => group.push(word),
            None => all.push(vec![word]),
        }
    }
    all
}

/// The options that only one of both has. Options of the same name are paired.
fn changed_groups(planned: &[String], running: &[String]) -> Vec<ArgumentChange> {
    let mut running = groups(running);
    let same = |one: &Group<'_>, other: &Group<'_>| {
        one.len() == other.len() && one.iter().zip(other).all(|(plan, word)| fits(plan, word))
    };
    let mut missing: Vec<Group<'_>> = Vec::new();
    for group in groups(planned) {
        match running.iter().position(|other| same(&group, other)) {
            Some(at) => drop(running.remove(at)),
            None => missing.push(group),
        }
    }
    let mut changes = Vec::new();
    for group in missing {
        let at = running.iter().position(|other| other.first() == group.first());
        let other = at.map(|at| running.remove(at).join(" "));
        changes.push(ArgumentChange { planned: Some(group.join(" ")), running: other });
    }
    let added = running.into_iter();
    changes.extend(added.map(|group| ArgumentChange { planned: None, running: Some(group.join(" ")) }));
    changes
}

/// The most differences in a text.
const MAX_SHOWN: usize = 4;

/// The most characters of a text from the host.
const MAX_CHARS: usize = 200;

/// The start of a text from the host.
pub(super) fn short(text: &str) -> String {
    let mut chars = text.chars();
    let start: String = chars.by_ref().take(MAX_CHARS).collect();
    if chars.next().is_some() { start + "..." } else { start }
}

/// The differences in words.
pub(super) fn text(changes: &[ArgumentChange]) -> String {
    let one = |change: &ArgumentChange| match (&change.planned, &change.running) {
        (Some(planned), Some(running)) => format!("`{}` instead of `{}`", short(running), short(planned)),
        (Some(planned), None) => format!("without `{}`", short(planned)),
        (None, running) => format!("with `{}`", short(running.as_deref().unwrap_or_default())),
    };
    let mut all: Vec<String> = changes.iter().take(MAX_SHOWN).map(one).collect();
    if let Some(rest) = changes.len().checked_sub(MAX_SHOWN).filter(|rest| *rest > 0) {
        all.push(format!("and {rest} more"));
    }
    all.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(planned: &str, running: &str) -> String {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        text(&changes(&words(planned), &words(running)))
    }

    #[test]
    fn command_lines_are_compared() {
        let plan = "/usr/bin/server --port 80 --key {key-file} -c 512";
        assert_eq!(compared(plan, "/usr/bin/server --port 80 --key /run/k -c 512"), "");
        assert_eq!(compared(plan, "numactl -m 0 /usr/bin/server --port 80 --key /run/k -c 512"), "");
        assert_eq!(compared(plan, "/bin/sh /opt/wrapper --port 80 --key /run/k -c 512"), "");
        assert_eq!(
            compared(plan, "/usr/bin/server --port 80 --key /run/k -c 4096 --mlock"),
            "`-c 4096` instead of `-c 512`, with `--mlock`"
        );
        assert_eq!(
            compared(plan, "/opt/server --port 80 --key /run/k -c 512"),
            "`/opt/server` instead of `/usr/bin/server`"
        );
        assert_eq!(compared(plan, "/usr/bin/server --mlock --port 80 --key /run/k -c 512"), "with `--mlock`");
        assert_eq!(compared(plan, "/usr/bin/server --port 80 -c 512"), "without `--key {key-file}`");
        assert_eq!(compared("/a -b 1 -c 2", "/a -c 2 -b 1"), "`-c 2 -b 1` instead of `-b 1 -c 2`");
    }
}
