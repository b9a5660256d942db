//! Man pages and the version.

use super::{Workspace, exit_code, text};
use std::collections::BTreeSet;
use std::fs;

/// The name of the page of a command and of all commands below it, from the texts of `--help`.
fn listed(workspace: &Workspace, command: &[&str], pages: &mut BTreeSet<String>) {
    pages.insert(format!("{}.1", [&["orchgen"], command].concat().join("-")));
    let help = text(&workspace.run(&[command, &["--help"]].concat()).stdout);
    let Some((_, commands)) = help.split_once("\nCommands:\n") else { return };
    let rows = commands.lines().take_while(|line| !line.is_empty());
    let names = rows.filter_map(|row| row.strip_prefix("  ")).filter(|row| !row.starts_with(' '));
    for name in names.filter_map(|row| row.split(' ').next()).filter(|name| *name != "help") {
        listed(workspace, &[command, &[name]].concat(), pages);
    }
}

/// Writes the pages into the folder `pages`, and returns their names.
fn pages(workspace: &Workspace) -> BTreeSet<String> {
    let output = workspace.run(&["man", "--out", "some/pages"]);
    assert_eq!(exit_code(&output), 0, "{}", text(&output.stderr));
    let entries = fs::read_dir(workspace.at("some/pages")).unwrap();
    let names: BTreeSet<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(text(&output.stderr), format!("wrote {} man pages into `some/pages`\n", names.len()));
    names
}

#[test]
fn each_command_has_a_man_page_with_its_exit_codes() {
    let workspace = Workspace::new("");
    let mut expected = BTreeSet::new();
    listed(&workspace, &[], &mut expected);
    assert!(expected.contains("orchgen-engine-probe.1") && expected.len() > 15, "{expected:?}");
    assert_eq!(pages(&workspace), expected);
    for name in expected {
        let page = fs::read_to_string(workspace.at("some/pages").join(&name)).unwrap();
        let (_, status) =
            page.split_once(".SH \"EXIT STATUS\"\n").unwrap_or_else(|| panic!("{name}: {page}"));
        assert!(status.starts_with(".TP\n\\fB0\\fR\n"), "{name}: {status}");
        assert!(status.contains("\\fB2\\fR\nusage or I/O error"), "{name}: {status}");
        assert!(page.contains(".SH EXAMPLES\n.nf\n"), "{name}: {page}");
        assert!(!page.contains("Exit codes:") && !page.contains("Examples:"), "{name}: {page}");
    }
    let examples = fs::read_to_string(workspace.at("some/pages/orchgen.1")).unwrap();
    assert!(examples.contains(".SH EXAMPLES\n.nf\norchgen build   "), "{examples}");
}

#[test]
fn a_folder_that_cannot_be_written_fails_man() {
    let workspace = Workspace::new("");
    fs::write(workspace.at("file"), "").unwrap();
    assert_eq!(exit_code(&workspace.run(&["man", "--out", "file/pages"])), 2);
    assert_eq!(exit_code(&workspace.run(&["man"])), 2);
    let quiet = workspace.run(&["man", "--out", "pages", "--quiet"]);
    assert_eq!((exit_code(&quiet), quiet.stderr.is_empty()), (0, true));
}

#[test]
fn the_version_has_the_commit_if_the_build_knows_it() {
    let output = Workspace::new("").run(&["--version"]);
    let version = text(&output.stdout);
    let commit = version.strip_prefix(concat!("orchgen ", env!("CARGO_PKG_VERSION"))).unwrap().trim_end();
    assert!(commit.is_empty() || (commit.starts_with(" (") && commit.ends_with(')')), "{version}");
}

mod tools {
    use super::*;
    use crate::outside::run;
    use std::process::Command;

    #[test]
    fn mandoc_accepts_the_pages() {
        let workspace = Workspace::new("");
        let names = pages(&workspace);
        let mut mandoc = Command::new("mandoc");
        mandoc.args(["-T", "lint", "-W", "warning"]).args(names).current_dir(workspace.at("some/pages"));
        let output = run(&mut mandoc, "mandoc");
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        // A debug build does not know the date of its commit. `release.rs` checks the pages with a date.
        let is_fault = |line: &&str| !line.ends_with("WARNING: missing date, using \"\": TH");
        let faults: Vec<&str> = out.lines().chain(err.lines()).filter(is_fault).collect();
        assert!(faults.is_empty(), "{faults:#?}");
    }

    /// groff has other rules than mandoc.
    #[test]
    fn man_accepts_the_pages() {
        let workspace = Workspace::new("");
        for name in pages(&workspace) {
            let mut man = Command::new("man");
            man.args(["--warnings", "-E", "UTF-8", "--local-file", "-Tutf8", "-Z"]).arg(&name);
            let output = run(man.current_dir(workspace.at("some/pages")).env("MANWIDTH", "80"), "man");
            assert_eq!((exit_code(&output), text(&output.stderr)), (0, String::new()), "{name}");
        }
    }
}
