//! Links from codes to their pages (OSC 8).

use super::{BROKEN, Variables, Workspace, exit_code, text};
use crate::support::visible;
use std::fs;
use std::process::Command;

const FORCED: Variables = &[
    ("FORCE_HYPERLINK", "1"),
    ("ORCHGEN_EXPLAIN_URL", "https://wiki.example/orchgen/"),
    ("LANG", "C.UTF-8"),
];

const URL: (&str, &str) = ("ORCHGEN_EXPLAIN_URL", "https://x/");

/// The start of a link.
const LINK: &str = "\u{1b}]8;;";

fn check(workspace: &Workspace, args: &[&str], variables: Variables) -> String {
    let mut command = workspace.command(&[&["check"], args].concat());
    text(&command.envs(variables.iter().copied()).output().unwrap().stderr)
}

#[test]
fn the_code_of_a_finding_is_a_link_and_the_text_is_the_same() {
    let workspace = Workspace::new(BROKEN);
    let plain = check(&workspace, &[], &[("LANG", "C.UTF-8")]);
    assert!(plain.contains("error[ORC") && !plain.contains('\u{1b}'), "{plain}");
    let linked = check(&workspace, &[], FORCED);
    assert_eq!(visible(&linked), plain);
    let code = &plain[plain.find("ORC").unwrap()..][..6];
    let expected = format!("error[{LINK}https://wiki.example/orchgen/{code}\u{1b}\\{code}{LINK}\u{1b}\\] ");
    assert!(linked.contains(&expected), "{linked:?}");
    let colored = check(&workspace, &["--color", "always"], FORCED);
    assert!(colored.contains(LINK), "{colored:?}");
    assert_eq!(visible(&colored), plain);
}

/// Width is that of the visible text.
#[test]
fn links_do_not_change_where_lines_are_wrapped() {
    let workspace = Workspace::new(BROKEN);
    for columns in ["40", "60", "80"] {
        let run = |variables: Variables| {
            let mut command = workspace.command(&["check"]);
            text(&command.env("COLUMNS", columns).envs(variables.iter().copied()).output().unwrap().stderr)
        };
        assert_eq!(visible(&run(FORCED)), run(&[("LANG", "C.UTF-8")]), "{columns}");
    }
    let listed = |variables: Variables| {
        let mut command = workspace.command(&["explain"]);
        text(&command.envs(variables.iter().copied()).output().unwrap().stdout)
    };
    let linked = listed(FORCED);
    assert_eq!(linked.matches(LINK).count(), 2 * orchgen::catalogue::codes().len());
    assert_eq!(visible(&linked), listed(&[]));
}

#[test]
fn addresses_have_a_place_for_the_code_and_no_control_characters() {
    let workspace = Workspace::new(BROKEN);
    let linked = check(
        &workspace,
        &[],
        &[("FORCE_HYPERLINK", "1"), ("ORCHGEN_EXPLAIN_URL", "http://x/{code}.html?a=\u{1b}]8;;\u{7}é b")],
    );
    assert!(linked.contains(&format!("{LINK}http://x/ORC")), "{linked:?}");
    assert!(linked.contains(".html?a=%1B]8;;%07%C3%A9%20b\u{1b}\\ORC"), "{linked:?}");
}

#[test]
fn there_are_no_links_in_files_machine_formats_and_without_a_terminal() {
    let workspace = Workspace::new(BROKEN);
    let cases: [(&[&str], Variables); 6] = [
        (&[], &[URL]),
        (&[], &[URL, ("FORCE_HYPERLINK", "0")]),
        (&[], &[URL, ("FORCE_HYPERLINK", "")]),
        (&[], &[URL, ("TERM", "xterm-kitty")]),
        (&["--color", "never"], &[URL, ("FORCE_HYPERLINK", "1")]),
        (&[], &[URL, ("FORCE_HYPERLINK", "1"), ("NO_GRAPHICS", "1")]),
    ];
    for (args, variables) in cases {
        let shown = check(&workspace, args, variables);
        assert!(shown.contains("ORC") && !shown.contains(LINK), "{args:?} {variables:?}: {shown:?}");
    }
    // Color and links are separate.
    assert!(check(&workspace, &[], &[URL, ("FORCE_HYPERLINK", "1"), ("NO_COLOR", "1")]).contains(LINK));
    for format in ["human", "concise", "json", "sarif", "github", "gitlab"] {
        let target = format!("{format}=report");
        let mut command = workspace.command(&["check", "--report", &target]);
        let output = command.envs(FORCED.iter().copied()).output().unwrap();
        assert_eq!(exit_code(&output), 1);
        let report = fs::read_to_string(workspace.at("report")).unwrap();
        assert!(report.contains("plian") && !report.contains(LINK), "{format}: {report:?}");
        if format != "human" {
            let mut command = workspace.command(&["check", "--report", format]);
            let output = command.envs(FORCED.iter().copied()).output().unwrap();
            assert!(!text(&output.stdout).contains(LINK), "{format}");
        }
    }
}

#[test]
fn pages_are_found_next_to_the_program() {
    let workspace = Workspace::new(BROKEN);
    let output = workspace.run(&["guide", "--out", "a prefix/share/doc/orchgen/guide"]);
    assert_eq!(exit_code(&output), 0, "{}", text(&output.stderr));

    fs::create_dir_all(workspace.at("a prefix/bin")).unwrap();
    let program = workspace.at("a prefix/bin/orchgen");
    fs::copy(crate::support::orchgen(), &program).unwrap();
    std::os::unix::fs::symlink(&program, workspace.at("link")).unwrap();
    for path in [program, workspace.at("link")] {
        let mut command = Command::new(path);
        command.args(["explain"]).env_clear().env("FORCE_HYPERLINK", "1").current_dir(workspace.at(""));
        let listed = text(&command.output().unwrap().stdout);
        let address = listed.split(LINK).nth(1).unwrap().split('\u{1b}').next().unwrap();
        let file = address.strip_prefix("file://").unwrap();
        assert!(file.ends_with("/a%20prefix/share/doc/orchgen/guide/codes/ORC101.html"), "{file}");
        assert!(fs::exists(file.replace("%20", " ")).unwrap(), "{file}");
    }
}

mod tools {
    use super::super::colors::check_on_terminal;
    use super::*;

    /// The output of `orchgen check` on a terminal, with pages at an address.
    fn on_terminal(workspace: &Workspace, args: &str, variables: Variables) -> String {
        let pages = [("ORCHGEN_EXPLAIN_URL", "https://x/")];
        check_on_terminal(workspace, args, &[variables, &pages].concat())
    }

    #[test]
    fn the_terminal_decides_about_links() {
        let workspace = Workspace::new(BROKEN);
        let cases: [(&str, Variables, bool); 9] = [
            ("", &[("TERM", "xterm-kitty")], true),
            ("", &[("TERM", "xterm"), ("VTE_VERSION", "7600")], true),
            ("", &[("TERM", "xterm-kitty"), ("NO_COLOR", "1")], true),
            ("", &[("TERM", "xterm")], false),
            ("", &[("TERM", "dumb"), ("VTE_VERSION", "7600")], false),
            ("", &[("TERM", "xterm-kitty"), ("CI", "true")], false),
            ("", &[("TERM", "xterm-kitty"), ("FORCE_HYPERLINK", "0")], false),
            ("--color never", &[("TERM", "xterm-kitty")], false),
            ("--report concise", &[("TERM", "xterm-kitty")], false),
        ];
        for (args, variables, linked) in cases {
            let shown = on_terminal(&workspace, args, variables);
            assert!(visible(&shown).contains("unknown-name"), "{shown}");
            assert_eq!(shown.contains(LINK), linked, "{args} {variables:?}: {shown:?}");
        }
    }
}
