//! `orchgen check -`: standard input in place of a file of the registry.

use super::{BASE, BROKEN, Workspace, exit_code, text};
use std::fs;

const CONCISE: [&str; 2] = ["--output-format", "concise"];

/// The exit code, and the findings in the concise format.
#[track_caller]
fn check(workspace: &Workspace, args: &[&str], input: &str) -> (i32, String) {
    let output = workspace.run_with(&[&["check", "-"], &CONCISE[..], args].concat(), input);
    (exit_code(&output), text(&output.stdout))
}

#[test]
fn the_findings_are_those_of_a_folder_with_the_same_file() {
    let whole = format!("{BASE}{BROKEN}");
    let workspace = Workspace::new(BROKEN);
    let folder = workspace.run(&[&["check"], &CONCISE[..]].concat());
    let expected = text(&folder.stdout).replace("registry/base.kdl", "stdin.kdl");
    assert!(expected.contains("unknown-name"), "{expected}");
    assert_eq!(check(&workspace, &[], &whole), (1, expected));
    assert_eq!(check(&workspace, &[], BASE), (0, String::new()));
    let (code, found) = check(&workspace, &[], "roles:\n  a: {modle: b}\n");
    assert!(code == 1 && found.contains("\nstdin.yaml:2:7: error[ORC202]"), "{found}");
}

#[test]
fn a_named_text_replaces_its_file_and_is_checked_with_the_others() {
    let workspace = Workspace::new("");
    let role = "roles: {extra: {tier: A, residency: hot, model: MODEL, port: 9000, context: 4096}}\n";
    fs::write(workspace.at("registry/roles.yaml"), role.replace("MODEL", "plian")).unwrap();
    let name = ["--stdin-filename", "registry/roles.yaml"];
    assert_eq!(check(&workspace, &name, &role.replace("MODEL", "plain")), (0, String::new()));
    let (code, found) = check(&workspace, &name, &format!("\n{}", role.replace("MODEL", "plain2")));
    assert!(code == 1 && found.starts_with("registry/roles.yaml:2:"), "{found}");
    // Findings of the other files too.
    let other = ["--stdin-filename", "registry/base.kdl"];
    let (code, found) = check(&workspace, &other, BASE);
    assert!(code == 1 && found.starts_with("registry/roles.yaml:1:"), "{found}");
    // A file that does not exist yet.
    let new = ["--stdin-filename", "registry/new.yml"];
    fs::remove_file(workspace.at("registry/roles.yaml")).unwrap();
    let (code, found) = check(&workspace, &new, &role.replace("MODEL", "plian"));
    assert!(code == 1 && found.starts_with("registry/new.yml:1:"), "{found}");
    assert!(!workspace.at("registry/new.yml").exists());
    // In a folder without a registry, the text is the whole registry.
    let alone = ["--stdin-filename", "elsewhere/base.kdl"];
    assert_eq!(check(&workspace, &alone, BASE), (0, String::new()));
}

#[test]
fn text_that_is_no_text_is_a_finding_and_too_much_text_is_refused() {
    let workspace = Workspace::new("");
    let output = workspace.run_with(&["check", "-"], "a: \u{0}b\n");
    assert_eq!(exit_code(&output), 1, "{}", text(&output.stderr));
    let mut command = workspace.command(&["fmt", "-", "--stdin-filename", "a.kdl"]);
    let zeros = fs::File::open("/dev/zero").unwrap();
    let output = command.stdin(zeros).output().unwrap();
    assert_eq!(
        (exit_code(&output), text(&output.stderr)),
        (2, "error: standard input has more than 64 MiB\n".to_owned())
    );
}

#[test]
fn standard_input_is_not_changed() {
    let workspace = Workspace::new("");
    let broken = format!("{BASE}{BROKEN}");
    let output = workspace.run_with(&["check", "-", "--fix"], &broken);
    let message = text(&output.stderr);
    assert!(exit_code(&output) == 2 && message.contains("write `--diff` instead"), "{message}");
    let output = workspace.run_with(&["check", "-", "--diff", "--unsafe-fixes"], &broken);
    let diff = text(&output.stdout);
    assert!(
        exit_code(&output) == 1 && diff.contains("+++ b/stdin.kdl") && diff.contains("model=\"plain\""),
        "{diff}"
    );
    let output = workspace.run(&["check", "--stdin-filename", "registry/base.kdl"]);
    let message = text(&output.stderr);
    assert!(message.contains("write `orchgen check - --stdin-filename registry/base.kdl`"), "{message}");
    for command in ["build", "memory", "lock"] {
        let output = workspace.run_with(&[command, "-"], BASE);
        let message = text(&output.stderr);
        let help = "only `orchgen check` and `orchgen fmt` read standard input";
        assert!(exit_code(&output) == 2 && message.contains(help), "{command}: {message}");
    }
}
