//! Color on terminals and in files, box-drawing characters, and plain output for screen readers.

use super::{BROKEN, Variables, Workspace, text};
use std::process::Command;

/// The output of `orchgen check` on a terminal, which `script` provides, with these environment variables.
pub(super) fn check_on_terminal(workspace: &Workspace, args: &str, variables: &[(&str, &str)]) -> String {
    let line = format!("'{}' check {args}", crate::support::orchgen());
    let mut command = Command::new("script");
    command.args(["-qec", &line, "/dev/null"]).current_dir(workspace.at(""));
    for name in [
        "TERM",
        "CI",
        "FORCE_HYPERLINK",
        "VTE_VERSION",
        "NO_COLOR",
        "CLICOLOR_FORCE",
        "FORCE_COLOR",
        "NO_GRAPHICS",
        "COLUMNS",
    ] {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("cannot run `script` (Debian package bsdutils): {error}"));
    text(&output.stdout)
}

#[test]
fn boxes_need_a_utf8_locale_and_columns_limits_the_width() {
    let workspace = Workspace::new(BROKEN);
    let cases: [(Variables, bool); 5] = [
        (&[("LC_ALL", "C")], true),
        (&[], true),
        (&[("LANG", "de_DE.UTF-8")], false),
        (&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")], true),
        (&[("LC_CTYPE", "C.utf8"), ("LC_ALL", "")], false),
    ];
    for (variables, ascii) in cases {
        let shown = workspace.command(&["check"]).envs(variables.iter().copied()).output().unwrap().stderr;
        assert_eq!(shown.is_ascii(), ascii, "{variables:?}");
    }
    for columns in [40, 60, 80, 120] {
        let output = workspace.command(&["check"]).env("COLUMNS", columns.to_string()).output().unwrap();
        let shown = text(&output.stderr);
        let widest = shown.lines().map(str::len).max().unwrap();
        assert!(widest <= columns, "the widest line has {widest} bytes, the limit is {columns}: {shown}");
    }
}

#[test]
fn no_graphics_replaces_box_drawing_with_sentences() {
    let workspace = Workspace::new(BROKEN);
    let output =
        workspace.command(&["check"]).env("NO_GRAPHICS", "1").env("LANG", "C.UTF-8").output().unwrap();
    let shown = text(&output.stderr);
    assert!(shown.is_ascii() && shown.contains("  at registry/base.kdl line 30 column "), "{shown}");
    assert!(shown.contains("    line 30 reads: role \"extra\""), "{shown}");
}

mod tools {
    use super::*;

    #[test]
    fn on_a_terminal_the_color_flag_overrides_the_environment_which_overrides_the_terminal_type() {
        let workspace = Workspace::new(BROKEN);
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
        for (args, variables, colored) in cases {
            let shown = check_on_terminal(&workspace, args, variables);
            assert!(shown.contains("unknown-name"), "{shown}");
            assert_eq!(shown.contains('\u{1b}'), colored, "{args} {variables:?}: {shown:?}");
        }
        for format in ["json", "sarif", "github", "gitlab", "concise"] {
            let shown = check_on_terminal(&workspace, &format!("--report {format}"), &[("TERM", "xterm")]);
            assert!(!shown.contains('\u{1b}'), "{format}");
        }
    }

    #[test]
    fn a_report_file_has_color_only_with_color_always() {
        let workspace = Workspace::new(BROKEN);
        for (args, colored) in [("", false), ("--color always", true)] {
            check_on_terminal(&workspace, &format!("--report human=x {args}"), &[("FORCE_COLOR", "1")]);
            let shown = std::fs::read_to_string(workspace.at("x")).unwrap();
            assert_eq!(shown.contains('\u{1b}'), colored, "{args}");
        }
    }
}
