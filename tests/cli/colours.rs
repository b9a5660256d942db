//! Colour on a terminal and beside one, and drawing for those who cannot see it.

use super::{BROKEN, Ground, Variables, text};
use std::process::Command;

/// What is written to a terminal, made by `script`, under these variables.
fn on_a_terminal(ground: &Ground, args: &str, variables: Variables) -> String {
    let line = format!("'{}' check {args}", env!("CARGO_BIN_EXE_orchgen"));
    let mut command = Command::new("script");
    command.args(["-qec", &line, "/dev/null"]).current_dir(ground.at(""));
    for name in ["TERM", "NO_COLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "NO_GRAPHICS", "COLUMNS"] {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    let output = command.output().unwrap_or_else(|error| panic!("`script` of bsdutils is needed: {error}"));
    text(&output.stdout)
}

#[test]
fn on_a_terminal_the_flag_counts_then_the_environment_then_the_terminal() {
    let ground = Ground::new(BROKEN);
    let cases: [(&str, Variables, bool); 13] = [
        ("", &[("TERM", "xterm")], true),
        ("", &[], true),
        ("", &[("TERM", "dumb")], false),
        ("", &[("TERM", "xterm"), ("NO_COLOR", "1")], false),
        ("", &[("TERM", "xterm"), ("NO_COLOR", "")], true),
        ("", &[("TERM", "xterm"), ("CLICOLOR_FORCE", "0")], true),
        ("", &[("TERM", "dumb"), ("CLICOLOR_FORCE", "1")], true),
        ("", &[("TERM", "dumb"), ("FORCE_COLOR", "1")], true),
        ("", &[("TERM", "dumb"), ("FORCE_COLOR", "0")], false),
        ("", &[("TERM", "xterm"), ("FORCE_COLOR", "1"), ("NO_COLOR", "1")], false),
        ("--color never", &[("TERM", "xterm"), ("FORCE_COLOR", "1")], false),
        ("--color always", &[("TERM", "dumb"), ("NO_COLOR", "1")], true),
        ("", &[("TERM", "xterm"), ("NO_GRAPHICS", "1")], false),
    ];
    for (args, variables, coloured) in cases {
        let shown = on_a_terminal(&ground, args, variables);
        assert!(shown.contains("unknown-name"), "{shown}");
        assert_eq!(shown.contains('\u{1b}'), coloured, "{args} {variables:?}: {shown:?}");
    }
    for format in ["json", "sarif", "github", "gitlab", "concise"] {
        let shown = on_a_terminal(&ground, &format!("--report {format}"), &[("TERM", "xterm")]);
        assert!(!shown.contains('\u{1b}'), "{format}");
    }
}

#[test]
fn a_file_has_no_colour_unless_it_was_asked_for() {
    let ground = Ground::new(BROKEN);
    for (args, coloured) in [("", false), ("--color always", true)] {
        on_a_terminal(&ground, &format!("--report human=x {args}"), &[("FORCE_COLOR", "1")]);
        let shown = std::fs::read_to_string(ground.at("x")).unwrap();
        assert_eq!(shown.contains('\u{1b}'), coloured, "{args}");
    }
}

#[test]
fn the_locale_says_whether_boxes_can_be_drawn_and_the_columns_how_wide() {
    let ground = Ground::new(BROKEN);
    let cases: [(Variables, bool); 5] = [
        (&[("LC_ALL", "C")], true),
        (&[], true),
        (&[("LANG", "de_DE.UTF-8")], false),
        (&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")], true),
        (&[("LC_CTYPE", "C.utf8"), ("LC_ALL", "")], false),
    ];
    for (variables, ascii) in cases {
        let shown = ground.command(&["check"]).envs(variables.iter().copied()).output().unwrap().stderr;
        assert_eq!(shown.is_ascii(), ascii, "{variables:?}");
    }
    for columns in [40, 60, 80, 120] {
        let output = ground.command(&["check"]).env("COLUMNS", columns.to_string()).output().unwrap();
        let shown = text(&output.stderr);
        let widest = shown.lines().map(str::len).max().unwrap();
        assert!(widest <= columns, "{widest} of {columns}: {shown}");
    }
}

#[test]
fn sentences_stand_for_drawings_where_graphics_are_not_wanted() {
    let ground = Ground::new(BROKEN);
    let output = ground.command(&["check"]).env("NO_GRAPHICS", "1").env("LANG", "C.UTF-8").output().unwrap();
    let shown = text(&output.stderr);
    assert!(shown.is_ascii() && shown.contains("  at registry/base.kdl line 30 column "), "{shown}");
    assert!(shown.contains("    line 30 reads: role \"extra\""), "{shown}");
}
