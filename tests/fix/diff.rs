//! The diff: git and patch make of the old text what the fixes would.

use orchgen::cli::fix::{Changes, Replaced, unified};
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

/// Asserts that both programs make the same of a file as the changes do.
#[track_caller]
fn applies(name: &str, old: &str, changes: &[Replaced]) {
    let mut all = Changes::default();
    all.add(changes, old.len());
    let new = all.text(old);
    let diff = unified(name, old, &all);
    let ground = tempfile::tempdir().unwrap();
    let (file, patch) = (ground.path().join(name), ground.path().join("the.diff"));
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&patch, &diff).unwrap();
    assert!(run(ground.path(), "git", &["init", "-q"]).status.success());
    for (program, args) in [
        ("git", &["apply", "--check", "the.diff"][..]),
        ("git", &["apply", "--whitespace=nowarn", "the.diff"]),
        ("patch", &["-p1", "--binary", "--fuzz=0", "-i", "the.diff"]),
    ] {
        fs::write(&file, old).unwrap();
        let output = run(ground.path(), program, args);
        assert!(output.status.success(), "{program} {args:?} {output:?}\n{diff}");
        if !args.contains(&"--check") {
            assert_eq!(fs::read_to_string(&file).unwrap(), new, "{program}\n{diff}");
        }
    }
}

fn replaced(old: std::ops::Range<usize>, text: &str) -> Replaced {
    Replaced { old, text: text.to_owned() }
}

#[test]
fn whatever_the_name_of_the_file() {
    for name in ["registry/a.yaml", "a b/c d.kdl", "r/quote\"s.kdl", "r/tab\there.kdl", "r/ü.kdl"] {
        applies(name, "one\ntwo\nthree\n", &[replaced(4..7, "2")]);
    }
}

#[test]
fn a_name_from_the_root_loses_its_slash() {
    let mut changes = Changes::default();
    changes.add(&[replaced(0..3, "1")], 4);
    assert_eq!(
        unified("/srv/registry/a.yaml", "one\n", &changes),
        "--- a/srv/registry/a.yaml\n+++ b/srv/registry/a.yaml\n@@ -1,1 +1,1 @@\n-one\n+1\n"
    );
}

#[test]
fn nothing_changed_is_no_diff() {
    assert_eq!(unified("a.kdl", "one\n", &Changes::default()), "");
}

#[test]
fn ends_of_lines_and_of_files() {
    for text in ["a\r\nb\r\nc\r\n", "a\nb\nc", "\u{feff}a\nb\n", "a\n\n\n\nb\n\n\n\n\n\n\n\n\n\nc\n\n"] {
        let (first, last) = (text.find('a').unwrap(), text.rfind(['b', 'c']).unwrap());
        applies("r/a.kdl", text, &[replaced(first..first + 1, "x"), replaced(last..last + 1, "y")]);
    }
    applies("r/a.kdl", "a\nb\nc", &[replaced(3..5, "")]);
    applies("r/a.kdl", "a\nb\nc", &[replaced(0..2, "")]);
    applies("r/a.kdl", "a\nb\n", &[replaced(0..3, "")]);
    applies("r/a.kdl", "a\nb\nc\n", &[replaced(1..2, "")]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn git_and_patch_agree_with_us(
        lines in proptest::collection::vec("[ab]{0,3}\n", 1..40),
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), 0..7_usize, "[xy\n]{0,3}"), 1..6),
    ) {
        let text = lines.concat();
        let mut starts: Vec<_> = cuts.iter().map(|(at, gone, new)| (at.index(text.len()), *gone, new)).collect();
        starts.sort();
        let mut changes: Vec<Replaced> = Vec::new();
        for (start, gone, new) in starts {
            if changes.last().is_none_or(|last| last.old.end < start) {
                changes.push(replaced(start..(start + gone).min(text.len()), new));
            }
        }
        let mut all = Changes::default();
        all.add(&changes, text.len());
        prop_assume!(!all.text(&text).is_empty() && all.text(&text) != text);
        applies("registry/a.kdl", &text, &changes);
    }
}
