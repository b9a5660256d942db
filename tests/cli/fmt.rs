//! `orchgen fmt`: files, exit codes, and that nothing is written that should not be.

use super::{BASE, Workspace, exit_code, text};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

const UGLY: &str = "tiers:   {Z: { title: \"z\" }}\n\n\n\nroles:\n    # a comment\n    r:   {}   # x\n";
const PRETTY: &str = "tiers: {Z: {title: \"z\"}}\n\nroles:\n  # a comment\n  r: {}  # x\n";

fn workspace(more: &[(&str, &str)]) -> Workspace {
    let workspace = Workspace::new("");
    for (name, text) in more {
        fs::write(workspace.at("registry").join(name), text).unwrap();
    }
    workspace
}

fn read(workspace: &Workspace, name: &str) -> String {
    fs::read_to_string(workspace.at("registry").join(name)).unwrap()
}

/// The exit code, and both output streams.
#[track_caller]
fn run(workspace: &Workspace, args: &[&str]) -> (i32, String, String) {
    let output = workspace.run(&[&["fmt"], args].concat());
    (exit_code(&output), text(&output.stdout), text(&output.stderr))
}

fn silent(code: i32, message: &str) -> (i32, String, String) {
    (code, String::new(), message.to_owned())
}

#[test]
fn files_are_formatted_once() {
    let workspace =
        workspace(&[("b.yaml", UGLY), ("c.yml", "a:  1"), ("x.json", "{  }"), ("registry.lock", "{  }")]);
    let before = fs::metadata(workspace.at("registry/base.kdl")).unwrap();
    assert_eq!(run(&workspace, &[]), silent(0, "formatted 2 files, 1 unchanged\n"));
    assert_eq!((&*read(&workspace, "b.yaml"), &*read(&workspace, "c.yml")), (PRETTY, "a: 1\n"));
    for (name, expected) in [("base.kdl", BASE), ("x.json", "{  }"), ("registry.lock", "{  }")] {
        assert_eq!(read(&workspace, name), expected);
    }
    assert_eq!(fs::metadata(workspace.at("registry/base.kdl")).unwrap().ino(), before.ino());
    assert_eq!(run(&workspace, &[]), silent(0, "3 files unchanged\n"));
    assert_eq!(run(&workspace, &["--check"]), silent(0, "3 files unchanged\n"));
    assert_eq!(run(&workspace, &["--quiet"]), silent(0, ""));
}

#[test]
fn check_and_diff_write_nothing_and_name_the_command() {
    let workspace = workspace(&[("b.yaml", UGLY)]);
    let listed =
        "would format registry/b.yaml\nwould format 1 file, 1 unchanged\nrun `orchgen fmt` to format it\n";
    assert_eq!(run(&workspace, &["--check"]), silent(1, listed));
    let given =
        "would format registry/b.yaml\nwould format 1 file\nrun `orchgen fmt registry/b.yaml` to format it\n";
    assert_eq!(run(&workspace, &["--check", "registry/b.yaml"]), silent(1, given));
    let (code, diff, message) = run(&workspace, &["--diff"]);
    assert_eq!((code, &*message), (1, "would format 1 file, 1 unchanged\nrun `orchgen fmt` to format it\n"));
    assert!(diff.starts_with("--- a/registry/b.yaml\n+++ b/registry/b.yaml\n@@ "), "{diff}");
    assert!(diff.contains("\n-    # a comment\n+  # a comment\n"), "{diff}");
    assert_eq!(read(&workspace, "b.yaml"), UGLY);
    let (code, both, message) = run(&workspace, &["--diff", "--check", "--quiet"]);
    assert_eq!((code, both, &*message), (1, diff, "would format registry/b.yaml\n"));
}

#[test]
fn given_files_and_folders_are_formatted_and_no_others() {
    let workspace = workspace(&[("b.yaml", UGLY), ("c.yaml", UGLY)]);
    let twice = ["registry/b.yaml", "./registry/b.yaml"];
    assert_eq!(run(&workspace, &twice), silent(0, "formatted 1 file\n"));
    assert_eq!((&*read(&workspace, "b.yaml"), &*read(&workspace, "c.yaml")), (PRETTY, UGLY));
    let all = ["--verbose", "registry", "registry/b.yaml"];
    assert_eq!(
        run(&workspace, &all),
        silent(0, "formatted registry/c.yaml\nformatted 1 file, 2 unchanged\n")
    );
    // From a folder below, the registry is found.
    fs::write(workspace.at("registry/c.yaml"), UGLY).unwrap();
    fs::create_dir(workspace.at("tools")).unwrap();
    let output = workspace.command(&["fmt", "--check"]).current_dir(workspace.at("tools")).output().unwrap();
    assert!(
        text(&output.stderr).starts_with("would format ../registry/c.yaml\n"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn files_with_syntax_errors_are_reported_and_the_others_are_formatted() {
    let workspace = workspace(&[("b.yaml", UGLY), ("c.kdl", "tier   \"x\" {\n"), ("d.yaml", "a:   [1\n")]);
    let (code, stdout, message) = run(&workspace, &[]);
    assert_eq!((code, &*stdout), (1, ""));
    for part in ["ORC104", "registry/c.kdl:1:", "ORC103", "registry/d.yaml:1:"] {
        assert!(message.contains(part), "{message}");
    }
    let summary = "formatted 1 file, 1 unchanged, 2 files not formatted\n";
    assert!(message.ends_with(summary), "{message}");
    assert_eq!(read(&workspace, "b.yaml"), PRETTY);
    assert_eq!(read(&workspace, "c.kdl"), "tier   \"x\" {\n");
    assert_eq!(read(&workspace, "d.yaml"), "a:   [1\n");
    // Not text, another language, two documents.
    for (name, bytes, code) in [
        ("e.yaml", &b"a: \xff\xfe"[..], "ORC101"),
        ("e.yaml", b"role \"x\" model=\"y\" port=1\nrole \"z\" port=2\n", "ORC103"),
        ("e.yaml", b"a: 1\n---\nb: 2\n", "ORC106"),
        ("e.kdl", b"/- kdl-version 1\na\n", "ORC105"),
    ] {
        let path = workspace.at("registry").join(name);
        fs::write(&path, bytes).unwrap();
        let (exit, _, message) = run(&workspace, &[&format!("registry/{name}")]);
        assert!(exit == 1 && message.contains(code), "{message}");
        assert_eq!(fs::read(&path).unwrap(), bytes);
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn mistakes_on_the_command_line_get_a_help() {
    let workspace = workspace(&[("x.json", "{}")]);
    for (args, expected) in [
        (
            &["registry/x.json"][..],
            "cannot format `registry/x.json`: the name of a registry file ends in .yaml, .yml or .kdl",
        ),
        (&["missing"], "cannot read `missing`: no such file or folder"),
        (&["-", "registry"], "`-` is standard input: write it without other files"),
        (&["--stdin-filename", "a.kdl"], "write `orchgen fmt - --stdin-filename a.kdl`"),
        (&["-", "--stdin-filename", "a.txt"], "the file name `a.txt` does not end in .yaml, .yml or .kdl"),
    ] {
        let (code, stdout, message) = run(&workspace, args);
        assert!(code == 2 && stdout.is_empty() && message.contains(expected), "{args:?}: {message}");
    }
}

#[test]
fn a_symlink_and_the_mode_of_a_file_stay_and_a_read_only_file_is_refused() {
    let workspace = workspace(&[("c.yaml", UGLY)]);
    let file = workspace.at("file.yaml");
    fs::write(&file, UGLY).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
    symlink("../file.yaml", workspace.at("registry/b.yaml")).unwrap();
    fs::set_permissions(workspace.at("registry/c.yaml"), Permissions::from_mode(0o444)).unwrap();
    let (code, _, message) = run(&workspace, &[]);
    assert!(code == 2 && message.contains("c.yaml") && message.contains("read-only"), "{message}");
    assert_eq!(fs::read_to_string(&file).unwrap(), UGLY, "all files or none");
    fs::set_permissions(workspace.at("registry/c.yaml"), Permissions::from_mode(0o644)).unwrap();
    assert_eq!(run(&workspace, &[]), silent(0, "formatted 2 files, 1 unchanged\n"));
    assert_eq!(fs::read_to_string(&file).unwrap(), PRETTY);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(workspace.at("registry/b.yaml").symlink_metadata().unwrap().is_symlink());
    assert_eq!(fs::read_dir(workspace.at("registry")).unwrap().count(), 3);
}

#[test]
fn standard_input_is_formatted_to_standard_output() {
    let workspace = workspace(&[]);
    for (args, input, expected) in [
        (&["-", "--stdin-filename", "new/file.yml"][..], UGLY, PRETTY),
        (&["-", "--stdin-filename", "a.kdl"], "a   1;b", "a 1; b\n"),
        (&["-", "--stdin-filename", "a.yaml"], "", ""),
        (&["-", "--stdin-filename", "a.yaml"], "# x\n\n\n", "# x\n"),
    ] {
        let output = workspace.run_with(&[&["fmt"], args].concat(), input);
        assert_eq!(
            (exit_code(&output), &*text(&output.stdout), &*text(&output.stderr)),
            (0, expected, ""),
            "{args:?}"
        );
    }
    // A text alone does not show its language.
    let output = workspace.run_with(&["fmt", "-"], UGLY);
    assert!(exit_code(&output) == 2 && text(&output.stderr).contains("--stdin-filename NAME"));
    let output = workspace.run_with(&["fmt", "-", "--check", "--stdin-filename", "stdin.yaml"], UGLY);
    assert_eq!(
        (exit_code(&output), text(&output.stdout), text(&output.stderr)),
        silent(1, "would format stdin.yaml\n")
    );
    let output = workspace.run_with(&["fmt", "-", "--diff", "--stdin-filename", "b/c.yaml"], UGLY);
    assert!(exit_code(&output) == 1 && text(&output.stdout).starts_with("--- a/b/c.yaml\n"));
    // Nothing is printed for a text with errors, so that an editor keeps its text.
    for (input, name) in [("a {", "stdin.kdl:1:"), ("a: [", "stdin.yaml:1:")] {
        let file = name.split(':').next().unwrap();
        let output = workspace.run_with(&["fmt", "-", "--stdin-filename", file], input);
        assert_eq!((exit_code(&output), &*text(&output.stdout)), (1, ""));
        assert!(text(&output.stderr).contains(name), "{}", text(&output.stderr));
    }
}
