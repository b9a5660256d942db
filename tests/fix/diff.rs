//! The diff: `git apply` and `patch` turn the old text into the fixed text.

use orchgen::cli::fix::unified;
use proptest::prelude::*;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn run(folder: &Path, program: &str, args: &[&str]) -> Output {
    Command::new(program)
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"))
}

/// A replaced range of a text.
type Replacement = (std::ops::Range<usize>, String);

/// The text after the changes, which are in text order.
fn apply(old: &str, changes: &[Replacement]) -> String {
    let mut new = old.to_owned();
    changes.iter().rev().for_each(|(range, text)| new.replace_range(range.clone(), text));
    new
}

/// Asserts that git and patch apply the diff with the same result as the changes.
#[track_caller]
fn assert_applies(name: &str, old: &str, changes: &[Replacement]) {
    let new = apply(old, changes);
    let diff = unified(name, old, &new);
    let dir = tempfile::tempdir().unwrap();
    let (file, patch) = (dir.path().join(name), dir.path().join("the.diff"));
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&patch, &diff).unwrap();
    assert!(run(dir.path(), "git", &["init", "-q"]).status.success());
    for (program, args) in [
        ("git", &["apply", "--check", "the.diff"][..]),
        ("git", &["apply", "--whitespace=nowarn", "the.diff"]),
        ("patch", &["-p1", "--binary", "--fuzz=0", "-i", "the.diff"]),
    ] {
        fs::write(&file, old).unwrap();
        let output = run(dir.path(), program, args);
        assert!(output.status.success(), "{program} {args:?} {output:?}\n{diff}");
        if !args.contains(&"--check") {
            assert_eq!(fs::read_to_string(&file).unwrap(), new, "{program}\n{diff}");
        }
    }
}

fn replacement(old: std::ops::Range<usize>, text: &str) -> Replacement {
    (old, text.to_owned())
}

#[test]
fn an_absolute_path_loses_its_slash() {
    assert_eq!(
        unified("/srv/registry/a.yaml", "one\n", "1\n"),
        "--- a/srv/registry/a.yaml\n+++ b/srv/registry/a.yaml\n@@ -1,1 +1,1 @@\n-one\n+1\n"
    );
}

#[test]
fn no_changes_give_an_empty_diff() {
    assert_eq!(unified("a.kdl", "one\n", "one\n"), "");
}

mod tools {
    use super::*;

    #[test]
    fn file_names_with_special_characters_apply() {
        for name in ["registry/a.yaml", "a b/c d.kdl", "r/quote\"s.kdl", "r/tab\there.kdl", "r/ü.kdl"] {
            assert_applies(name, "one\ntwo\nthree\n", &[replacement(4..7, "2")]);
        }
    }

    #[test]
    fn all_line_endings_and_ends_of_files_apply() {
        for text in ["a\r\nb\r\nc\r\n", "a\nb\nc", "\u{feff}a\nb\n", "a\n\n\n\nb\n\n\n\n\n\n\n\n\n\nc\n\n"] {
            let (first, last) = (text.find('a').unwrap(), text.rfind(['b', 'c']).unwrap());
            assert_applies(
                "r/a.kdl",
                text,
                &[replacement(first..first + 1, "x"), replacement(last..last + 1, "y")],
            );
        }
        assert_applies("r/a.kdl", "a\nb\nc", &[replacement(3..5, "")]);
        assert_applies("r/a.kdl", "a\nb\nc", &[replacement(0..2, "")]);
        assert_applies("r/a.kdl", "a\nb\n", &[replacement(0..3, "")]);
        assert_applies("r/a.kdl", "a\nb\nc\n", &[replacement(1..2, "")]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 24, ..ProptestConfig::default() })]

        #[test]
        fn git_and_patch_apply_random_diffs(
            lines in proptest::collection::vec("[ab]{0,3}\n", 1..40),
            random_edits in proptest::collection::vec((any::<prop::sample::Index>(), 0..7_usize, "[xy\n]{0,3}"), 1..6),
        ) {
            let text = lines.concat();
            let mut starts: Vec<_> = random_edits.iter().map(|(at, length, new)| (at.index(text.len()), *length, new)).collect();
            starts.sort();
            let mut changes: Vec<Replacement> = Vec::new();
            for (start, length, new) in starts {
                if changes.last().is_none_or(|last| last.0.end < start) {
                    changes.push(replacement(start..(start + length).min(text.len()), new));
                }
            }
            let new = apply(&text, &changes);
            prop_assume!(!new.is_empty() && new != text);
            assert_applies("registry/a.kdl", &text, &changes);
        }
    }
}
