//! Random changes of whitespace, which formatting removes, and random damage, which it must handle.

use super::fixtures::{files, read};
use super::{check_registry, good};
use crate::fuzz::layout::check_layout;
use crate::support::lower;
use proptest::prelude::*;
use std::sync::LazyLock;

/// Registries without syntax errors: name and formatted text.
static TEXTS: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let named =
        files().into_iter().filter_map(|path| Some((path.to_string_lossy().into_owned(), read(&path)?)));
    let formatted = named.filter_map(|(name, text)| {
        // The file name alone, as the messages of a failed test have the text.
        let short = name.rsplit('/').next().unwrap_or_default().to_owned();
        Some((short, check_layout(&name, &text).filter(|new| new.len() < 20_000)?))
    });
    formatted.collect()
});

/// One change of a line.
#[derive(Clone, Copy, Debug)]
enum LineChange {
    /// The indentation of a line of KDL.
    Indent(usize),
    Tab,
    Trailing,
    BlankLine,
    /// A comment on a separate line, with an indentation.
    Comment(usize),
}

fn line_change() -> impl Strategy<Value = LineChange> {
    prop_oneof![
        (0..13_usize).prop_map(LineChange::Indent),
        Just(LineChange::Tab),
        Just(LineChange::Trailing),
        Just(LineChange::BlankLine),
        (0..9_usize).prop_map(LineChange::Comment),
    ]
}

fn is_kdl(name: &str) -> bool {
    std::path::Path::new(name).extension().is_some_and(|ending| ending == "kdl")
}

/// Multiplies the indentation of each line of YAML, also that after dashes.
fn scaled(text: &str, factor: usize) -> String {
    let line = |line: &str| {
        let spaces = line.len() - line.trim_start_matches(' ').len();
        let mut rest = &line[spaces..];
        let mut out = " ".repeat(spaces * factor);
        while let Some(inner) = rest.strip_prefix("- ") {
            out.push('-');
            out.push_str(&" ".repeat(2 * factor - 1));
            rest = inner;
        }
        out + rest + "\n"
    };
    text.lines().map(line).collect()
}

fn changed(name: &str, text: &str, changes: &[(prop::sample::Index, LineChange)]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (at, change) in changes {
        let at = at.index(lines.len());
        match change {
            LineChange::Indent(spaces) if is_kdl(name) => {
                lines[at] = " ".repeat(*spaces) + lines[at].trim_start();
            }
            LineChange::Tab if is_kdl(name) => lines[at].insert(0, '\t'),
            LineChange::Indent(_) | LineChange::Tab => {}
            LineChange::Trailing => lines[at].push_str(" \t"),
            LineChange::BlankLine => lines.insert(at, "  ".to_owned()),
            LineChange::Comment(spaces) => {
                let mark = if is_kdl(name) { "//" } else { "#" };
                lines.insert(at, format!("{}{mark} a comment", " ".repeat(*spaces)));
            }
        }
    }
    lines.join("\n")
}

/// True if two texts have the same values.
fn is_same(name: &str, one: &str, other: &str) -> bool {
    let value = |text: &str| serde_yaml::from_str::<serde_json::Value>(text).ok();
    lower(&[(name, one)]).0 == lower(&[(name, other)]).0 && (is_kdl(name) || value(one) == value(other))
}

/// True if the changes are only whitespace that formatting removes.
fn is_layout(change: LineChange) -> bool {
    match change {
        LineChange::Indent(_) | LineChange::Tab | LineChange::Trailing => true,
        LineChange::BlankLine | LineChange::Comment(_) => false,
    }
}

const DAMAGE: &[&str] = &[
    "", " ", "\n", "\n\n", "\t", "{", "}", "[", "]", "\"", "'", ":", ": ", "- ", "? ", "#", " # c\n",
    "// c\n", "\\\n", "/-", "/*", "*/", ";", "=", "(t)", "&a ", "*a", "!t ", "|\n", ">-\n", "|2+\n", "---\n",
    "...\n", "\r\n", "\u{85}", "\u{a0}", "\"\"\"\n", "é", ",", "~", "  ", "    ",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 300, max_shrink_iters: 300, ..ProptestConfig::default() })]

    #[test]
    fn whitespace_and_comments_do_not_change_the_meaning(
        text in any::<prop::sample::Index>(),
        factor in 1..4_usize,
        crlf in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), line_change()), 0..8),
    ) {
        let (name, text) = text.get(&TEXTS);
        prop_assume!(!text.is_empty());
        let mut mutant = if is_kdl(name) { text.clone() } else { scaled(text, factor) };
        mutant = changed(name, &mutant, &changes);
        if crlf {
            mutant = mutant.replace('\n', "\r\n");
        }
        // Lines of a block scalar or a text in quotes are part of the value.
        prop_assume!(is_same(name, text, &mutant));
        let new = check_registry(name, &mutant);
        let has_multi_line = text.contains("\"\"\"") || text.contains("/*");
        if changes.iter().all(|(_, change)| is_layout(*change)) && new.is_some() && !has_multi_line {
            prop_assert_eq!(new.as_deref(), Some(&**text), "{}", mutant);
        }
    }

    #[test]
    fn damaged_texts_are_refused_or_keep_their_meaning(
        text in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..6_usize, 0..DAMAGE.len()), 1..5),
    ) {
        let (name, text) = text.get(&TEXTS);
        let mut chars: Vec<char> = text.chars().collect();
        for (at, length, piece) in changes {
            let start = at.index(chars.len() + 1);
            let end = (start + length).min(chars.len());
            chars.splice(start..end, DAMAGE[piece].chars());
        }
        let damaged: String = chars.into_iter().collect();
        check_layout(name, &damaged);
    }

    #[test]
    fn small_random_texts_are_refused_or_keep_their_meaning(
        words in prop::collection::vec(0..DAMAGE.len() + 6, 1..16),
        language in any::<bool>(),
    ) {
        let word = |n: usize| DAMAGE.get(n).copied().unwrap_or(["a", "b: ", "c 1", "x y", "d", "\n  "][n.saturating_sub(DAMAGE.len())]);
        let text: String = words.into_iter().map(word).collect();
        // An indented marker is a key or the start of one, which cannot be in the first column.
        prop_assume!(!text.contains(" ---") && !text.contains(" ..."));
        check_layout(if language { "a.kdl" } else { "a.yaml" }, &text);
    }
}

#[test]
fn formatted_fixtures_are_unchanged() {
    assert!(TEXTS.len() > 100, "{}", TEXTS.len());
    for (name, text) in TEXTS.iter() {
        assert_eq!(good(name, text), *text);
    }
}
