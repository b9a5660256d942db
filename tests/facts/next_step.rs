//! The last line of `orchgen build` is the next command.

use super::locking::Project;
use std::fs;

/// A project whose registry has the sizes of its files, so that it builds without a lock.
fn project() -> Project {
    let project = Project::new();
    let size = |file: &str| fs::metadata(project.at("store").join(file)).unwrap().len();
    let mut text = read(&project);
    for file in ["target.gguf", "draft.gguf"] {
        let field = format!("file=\"{file}\"");
        text = text.replace(&field, &format!("{field} size=\"{} B\"", size(file)));
    }
    project.registry(&text);
    project
}

fn read(project: &Project) -> String {
    fs::read_to_string(project.at("registry/stack.kdl")).unwrap()
}

/// The last line that a build prints. The build must succeed.
#[track_caller]
fn last_line(project: &Project, args: &[&str]) -> String {
    let (code, _, stderr) = project.run(&[&["build"], args].concat());
    assert_eq!(code, 0, "{stderr}");
    stderr.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn a_build_without_facts_names_lock_and_a_build_with_facts_installs_the_units() {
    let project = project();
    let lock = "where the model files are, so that memory and drafts can be checked";
    assert_eq!(last_line(&project, &[]), format!("next: run `orchgen lock` {lock}"));
    assert_eq!(last_line(&project, &["./registry"]), format!("next: run `orchgen lock ./registry` {lock}"));
    project.run(&["lock"]);
    let install = |folder: &str, start: &str| {
        format!("next: run as root: cp {folder}/* /etc/systemd/system/ && systemctl daemon-reload && {start}")
    };
    let start = "systemctl enable --now s.target";
    assert_eq!(last_line(&project, &["--out", "new out"]), install("'new out/systemd'", start));
    // An active unit needs a restart if it changed.
    let restart = "systemctl enable s.target && systemctl restart s.target";
    let registry = read(&project);
    project.registry(&registry.replace("context=1024", "context=512"));
    assert_eq!(last_line(&project, &[]), install("out/systemd", restart));
    assert_eq!(last_line(&project, &[]), install("out/systemd", start));
    project.registry(&registry.replace("engine=\"llama.cpp\"\n", "engine=\"llama.cpp\" targets=\"bin\"\n"));
    assert_eq!(last_line(&project, &["--out", "scripts"]), "next: run `scripts/bin/code` to serve");
}

#[test]
fn a_build_of_some_targets_names_only_files_that_it_writes() {
    let project = project();
    project.run(&["lock"]);
    for only in ["docs", "stack-json,docs", "numactl"] {
        let last = last_line(&project, &["--only", only]);
        assert!(last.starts_with("out: "), "{only}: {last}");
    }
    assert_eq!(last_line(&project, &["--only", "bin,docs"]), "next: run `out/bin/code` to serve");
    let install = last_line(&project, &["--only", "systemd"]);
    assert!(install.starts_with("next: run as root: cp out/systemd/* "), "{install}");
}

#[test]
fn units_of_a_user_are_installed_without_root() {
    let project = project();
    project.registry(&read(&project).replacen("stack \"s\"", "stack \"s\" scope=\"user\"", 1));
    project.run(&["lock"]);
    let start = "next: run as the user of the services: mkdir -p ~/.config/systemd/user && \
                 cp out/systemd/* ~/.config/systemd/user/ && systemctl --user daemon-reload && \
                 systemctl --user enable --now s.target && loginctl enable-linger";
    assert_eq!(last_line(&project, &[]), start);
}

#[test]
fn only_reports_for_users_have_the_line() {
    let project = project();
    for args in [&["--quiet"][..], &["--check"], &["--output-format", "json"]] {
        let (_, stdout, stderr) = project.run(&[&["build"], args].concat());
        assert!(!stdout.contains("next:") && !stderr.contains("next:"), "{args:?}: {stderr}");
    }
    project.registry("role \"unread\"");
    let (code, _, stderr) = project.run(&["build"]);
    assert!(code == 1 && !stderr.contains("next:"), "{stderr}");
}

#[test]
fn each_host_has_its_folder_of_units() {
    let project = project();
    let registry = read(&project).replace("port=8000", "port=8000 host=\"box\"");
    let second = "host \"other\" memory=\"64 GB\" cpus=\"0-7\" smt=2\n\
                  role \"more\" tier=\"A\" residency=\"hot\" model=\"target\" port=8000 context=1024 host=\"other\"\n";
    project.registry(&(registry + second));
    project.run(&["lock"]);
    let line = last_line(&project, &[]);
    let start = "next: run as root on `box`, and for each other host with its folder: cp out/systemd/box/* /etc/systemd/system/ && ";
    assert!(line.starts_with(start), "{line}");
}

#[test]
fn a_stack_of_other_programs_has_units_to_install() {
    let project = project();
    project.registry(
        "stack \"s\" engine=\"l\"\nengine \"l\" profile=\"llama.cpp-b11669\" bin=\"/e\"\n\
         role \"listen\" port=8082 { command \"/usr/bin/whisper-server\" \"--port\" \"{port}\" }\n",
    );
    let line = last_line(&project, &[]);
    assert!(line.starts_with("next: run as root: cp out/systemd/* /etc/systemd/system/"), "{line}");
}
