//! The registry is found from any folder of its project, and a wrong folder gives a help.

use super::{BROKEN, Workspace, exit_code, text};
use std::fs;
use std::process::Output;

/// Runs orchgen in a folder of the workspace.
fn run_in(workspace: &Workspace, folder: &str, args: &[&str]) -> Output {
    fs::create_dir_all(workspace.at(folder)).unwrap();
    workspace.command(args).current_dir(workspace.at(folder)).output().unwrap()
}

#[test]
fn a_registry_is_found_in_a_parent_folder() {
    let workspace = Workspace::new(BROKEN);
    for (folder, file) in [
        (".", "registry/base.kdl"),
        ("tools", "../registry/base.kdl"),
        ("tools/deep/er", "../../../registry/base.kdl"),
        ("registry", "base.kdl"),
        ("registry/notes", "../base.kdl"),
    ] {
        let output = run_in(&workspace, folder, &["check", "--output-format", "concise"]);
        let found = text(&output.stdout);
        assert!(found.starts_with(&format!("{file}:")), "{folder}: {found}");
        assert_eq!(exit_code(&output), 1);
    }
}

#[test]
fn a_build_in_a_subfolder_writes_next_to_the_registry() {
    let workspace = Workspace::new("");
    assert_eq!(exit_code(&workspace.run(&["build"])), 0);
    for (folder, out) in [("tools", "../out"), ("registry", "../out"), ("registry/notes", "../../out")] {
        let output = run_in(&workspace, folder, &["build"]);
        let shown = text(&output.stderr);
        assert!(shown.contains(&format!("{out}: ")) && shown.contains("unchanged"), "{folder}: {shown}");
        assert!(!workspace.at(folder).join("out").exists());
        assert_eq!(exit_code(&run_in(&workspace, folder, &["build", "--check"])), 0);
    }
    // The command of a help works in the same folder.
    fs::remove_file(workspace.at("out/stack.json")).unwrap();
    let drift = run_in(&workspace, "tools", &["build", "--check"]);
    assert!(text(&drift.stderr).contains("run `orchgen build` and commit"), "{}", text(&drift.stderr));
    assert_eq!(exit_code(&run_in(&workspace, "tools", &["build"])), 0);
    assert!(workspace.at("out/stack.json").exists());
    // A given folder is not replaced by another one.
    let given = run_in(&workspace, "tools", &["check", "registry"]);
    assert_eq!(exit_code(&given), 2);
    let elsewhere = run_in(&workspace, "tools", &["build", "--out", "mine"]);
    assert_eq!(exit_code(&elsewhere), 0, "{}", text(&elsewhere.stderr));
    assert!(workspace.at("tools/mine/stack.json").exists());
}

#[test]
fn lock_and_fix_write_into_the_registry_that_was_found() {
    let workspace = Workspace::new("family \"odd\" arch=\"qwen3-moe\"\n");
    // An old lock is replaced, although no model file is found.
    fs::write(workspace.at("registry/registry.lock"), r#"{"format_version": 1, "models": {}}"#).unwrap();
    let locked = run_in(&workspace, "registry", &["lock"]);
    assert!(text(&locked.stderr).contains("\nregistry.lock: 0 models locked"), "{}", text(&locked.stderr));
    fs::remove_file(workspace.at("registry/registry.lock")).unwrap();
    let locked = run_in(&workspace, "registry", &["lock"]);
    assert!(text(&locked.stderr).contains("\nregistry.lock: not written"), "{}", text(&locked.stderr));
    assert!(!workspace.at("registry/registry.lock").exists());
    let fixed = run_in(&workspace, "tools", &["check", "--fix"]);
    assert!(text(&fixed.stderr).contains("in `../registry/base.kdl`"), "{}", text(&fixed.stderr));
    assert!(fs::read_to_string(workspace.at("registry/base.kdl")).unwrap().contains("arch=\"qwen3moe\""));
}

#[test]
fn the_nearest_registry_is_used() {
    let outer = Workspace::new(BROKEN);
    fs::create_dir_all(outer.at("inner/registry")).unwrap();
    fs::copy(outer.at("registry/base.kdl"), outer.at("inner/registry/near.kdl")).unwrap();
    let output = run_in(&outer, "inner/src", &["check", "--output-format", "concise"]);
    assert!(text(&output.stdout).starts_with("../registry/near.kdl:"), "{}", text(&output.stdout));
    // A folder `registry` without files is no reason to read another one.
    fs::create_dir_all(outer.at("inner/src/registry")).unwrap();
    let output = run_in(&outer, "inner/src", &["check"]);
    assert_eq!(exit_code(&output), 2);
    assert!(
        text(&output.stderr).contains("run `orchgen init` to create a registry"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn a_wrong_folder_gives_a_help() {
    let workspace = Workspace::new("");
    let empty = tempfile::tempdir().unwrap();
    let stderr = |args: &[&str], folder: &std::path::Path| {
        let output = workspace.command(args).current_dir(folder).output().unwrap();
        assert_eq!(exit_code(&output), 2, "{args:?}");
        text(&output.stderr)
    };
    let create = "run `orchgen init` to create a registry\n";
    for command in ["check", "build", "lock", "memory"] {
        assert!(stderr(&[command], empty.path()).ends_with(create), "{command}");
    }
    let diff = ["engine", "diff", "llama.cpp-b11434", "llama.cpp-b11669", "--registry", "nowhere"];
    assert!(stderr(&diff, empty.path()).ends_with("run `orchgen init nowhere` to create a registry\n"));
    let file = stderr(&["check", "registry/base.kdl"], workspace.0.path());
    assert!(file.ends_with("write the folder of the registry, not a file of it: `registry`\n"), "{file}");
    // The working folder has the files, but another name.
    fs::copy(workspace.at("registry/base.kdl"), empty.path().join("stack.kdl")).unwrap();
    let here = stderr(&["check"], empty.path());
    assert!(here.ends_with("this folder has registry files: write it as the argument `.`\n"), "{here}");
    let checked = workspace.command(&["check", "."]).current_dir(empty.path()).output().unwrap();
    assert_eq!(exit_code(&checked), 0);
}
