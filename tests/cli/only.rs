//! `build --only`: the files of some output targets.

use super::{BASE, Workspace, exit_code, text};
use std::fs;

/// A role with a placement, so that each output target has files.
const PLACED: &str = "role \"placed\" tier=\"A\" residency=\"hot\" model=\"tiny\" port=9000 context=4096 host=\"box\" { placement numa=\"bind 0\" }\n";

const TARGETS: [&str; 7] = ["systemd", "router", "bin", "numactl", "docs", "report", "stack-json"];

/// Runs `build` with these arguments, which must succeed, and returns the summary of the files.
#[track_caller]
fn build(workspace: &Workspace, args: &[&str]) -> String {
    let output = workspace.run(&[&["build"], args].concat());
    let stderr = text(&output.stderr);
    assert_eq!(exit_code(&output), 0, "{args:?}: {stderr}");
    stderr.lines().find_map(|line| line.strip_prefix("out: ")).unwrap_or_default().to_owned()
}

/// Writes the registry with more fields of the stack.
fn write_stack(workspace: &Workspace, fields: &str) {
    let base = BASE.replacen("engine=\"llama.cpp\"\n", &format!("engine=\"llama.cpp\" {fields}\n"), 1);
    fs::write(workspace.at("registry/base.kdl"), base + PLACED).unwrap();
}

#[test]
fn files_of_other_targets_stay_as_they_are() {
    let workspace = Workspace::new(PLACED);
    build(&workspace, &[]);
    let units = fs::read_dir(workspace.at("out/systemd")).unwrap().map(|entry| entry.unwrap().path());
    for unit in units {
        fs::write(unit, "edited\n").unwrap();
    }
    fs::remove_file(workspace.at("out/stack.json")).unwrap();
    write_stack(&workspace, "title=\"New\"");
    let before = workspace.tree("out");
    assert_eq!(exit_code(&workspace.run(&["build", "--check", "--only", "docs"])), 1);
    assert_eq!(build(&workspace, &["--only", "docs"]), "1 updated, 1 unchanged");
    for (old, new) in before.iter().zip(workspace.tree("out")) {
        let is_written = old.0.starts_with("docs") || old.0.ends_with(".orchgen-manifest.json");
        assert!(is_written || *old == new, "{}", old.0.display());
    }
    assert_eq!(build(&workspace, &["--only", "docs"]), "2 unchanged");
    assert_eq!(build(&workspace, &["--check", "--only", "docs"]), "2 unchanged");
    // A build of all targets still finds the edits.
    let all = workspace.run(&["build"]);
    assert_eq!(exit_code(&all), 1);
    assert!(text(&all.stderr).contains("edited-by-hand"), "{}", text(&all.stderr));
}

#[test]
fn the_targets_together_are_all_files_and_a_build_of_all_targets_changes_none() {
    let gateway = "gateway \"front\" port=9100 host=\"box\"\n\
        role \"routed\" tier=\"A\" residency=\"hot\" model=\"tiny\" gateway=\"front\" context=4096\n";
    let workspace = Workspace::new(&format!("{PLACED}{gateway}"));
    build(&workspace, &["--out", "clean"]);
    for target in TARGETS {
        let summary = build(&workspace, &["--only", target]);
        assert!(
            summary.contains("created") || ["numactl", "router"].contains(&target),
            "{target}: {summary}"
        );
    }
    let content = |out: &str| -> Vec<_> {
        workspace.tree(out).into_iter().map(|(path, mode, _, _, bytes)| (path, mode, bytes)).collect()
    };
    assert_eq!(content("out"), content("clean"));
    let written = workspace.tree("out");
    for target in TARGETS {
        let summary = build(&workspace, &["--only", target]);
        assert!(summary.ends_with(" unchanged") && !summary.contains(','), "{target}: {summary}");
    }
    assert_eq!(build(&workspace, &[]), format!("{} unchanged", written.len() - 1));
    assert_eq!(workspace.tree("out"), written);
}

#[test]
fn several_targets_are_separated_by_commas_or_options() {
    let workspace = Workspace::new(PLACED);
    for (out, args) in [
        ("a", &["--only", "docs,stack-json"][..]),
        ("b", &["--only", "stack-json", "--only", "docs"]),
        ("c", &["--only=docs", "--only", "docs,stack-json"]),
    ] {
        build(&workspace, &[args, &["--out", out]].concat());
        let paths: Vec<_> = workspace.tree(out).into_iter().map(|(path, ..)| path).collect();
        let expected = [".orchgen-manifest.json", "docs/MODEL_REFERENCE.md", "docs/QUIRKS.md", "stack.json"];
        assert_eq!(paths, expected.map(std::path::PathBuf::from), "{args:?}");
    }
}

#[test]
fn only_stale_files_of_the_targets_are_removed() {
    let workspace = Workspace::new(PLACED);
    build(&workspace, &[]);
    fs::write(workspace.at("registry/base.kdl"), BASE).unwrap();
    let exists = |paths: &[&str]| paths.iter().all(|path| workspace.at("out").join(path).exists());
    // The scripts call the wrappers, so both are one part.
    let wrapper = fs::read_dir(workspace.at("out/numactl")).unwrap().next().unwrap().unwrap().path();
    let summary = build(&workspace, &["--only", "bin"]);
    assert!(summary.contains("removed"), "{summary}");
    assert!(!exists(&["bin/placed"]) && !wrapper.exists());
    assert!(exists(&["systemd/page-placed.service"]));
    let summary = build(&workspace, &["--only", "systemd"]);
    assert!(summary.contains("removed"), "{summary}");
    assert!(!exists(&["systemd/page-placed.service"]));
    build(&workspace, &[]);
    build(&workspace, &["--out", "clean"]);
    let paths = |out: &str| -> Vec<_> { workspace.tree(out).into_iter().map(|(path, ..)| path).collect() };
    assert_eq!(paths("out"), paths("clean"));
}

#[test]
fn scripts_are_written_with_their_wrappers() {
    let workspace = Workspace::new(PLACED);
    build(&workspace, &["--only", "bin"]);
    assert!(workspace.at("out/bin/placed").exists());
    assert_eq!(fs::read_dir(workspace.at("out/numactl")).unwrap().count(), 1);
    assert!(!workspace.at("out/systemd").exists());
    write_stack(&workspace, "targets=\"bin\"");
    build(&workspace, &["--only", "numactl"]);
}

#[test]
fn an_unknown_target_and_one_that_the_stack_lacks_are_usage_errors() {
    let workspace = Workspace::new("");
    let output = workspace.run(&["build", "--only", "systmd"]);
    let stderr = text(&output.stderr);
    assert_eq!(exit_code(&output), 2);
    assert!(stderr.contains("a similar value exists: 'systemd'"), "{stderr}");
    for target in TARGETS {
        assert!(stderr.contains(target), "{stderr}");
    }
    write_stack(&workspace, "{ targets \"docs\" \"bin\" }");
    for check in [&[][..], &["--check"]] {
        let output = workspace.run(&[&["build", "--only", "docs,systemd"], check].concat());
        assert_eq!(exit_code(&output), 2);
        assert_eq!(
            text(&output.stderr).lines().skip_while(|line| !line.starts_with("error")).collect::<Vec<_>>(),
            [
                "error: the stack does not have the target `systemd`, only `bin`, `numactl` and `docs`",
                "write `bin`, `numactl` or `docs` after `--only`, or add `systemd` to the `targets` of the stack",
            ]
        );
        assert!(!workspace.at("out").exists());
    }
}

#[test]
fn helps_name_the_same_targets() {
    let workspace = Workspace::new("");
    let args = ["build", "--check", "--out", "there", "--only", "docs", "--only", "bin"];
    let help = "orchgen build --out there --only docs,bin`";
    let missing = text(&workspace.run(&args).stderr);
    assert!(missing.contains(help), "{missing}");
    workspace.run(&["build", "--out", "there"]);
    fs::write(workspace.at("there/bin/basic"), "edited\n").unwrap();
    let edited = text(&workspace.run(&args).stderr);
    assert!(edited.contains("orchgen build --out there --only docs,bin --force`"), "{edited}");
    // Only a build of all targets replaces a manifest.
    fs::write(workspace.at("there/.orchgen-manifest.json"), "damaged").unwrap();
    let output = workspace.run(&["build", "--force", "--out", "there", "--only", "docs"]);
    let damaged = text(&output.stderr);
    assert_eq!(exit_code(&output), 1);
    assert!(damaged.contains("orchgen build --out there --force`"), "{damaged}");
}
