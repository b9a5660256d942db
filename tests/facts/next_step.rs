//! The last line of `orchgen build` is the next command.

use super::locking::Project;
use std::fs;
use std::process::Command;

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
    let apply = "next: run `sudo orchgen apply`";
    assert_eq!(last_line(&project, &["--out", "new out"]), "next: run `sudo orchgen apply --out 'new out'`");
    assert_eq!(last_line(&project, &[]), apply);
    let registry = read(&project);
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
    assert_eq!(install, "next: run `sudo orchgen apply`");
}

#[test]
fn units_of_a_user_are_installed_without_root() {
    let project = project();
    project.registry(&read(&project).replacen("stack \"s\"", "stack \"s\" scope=\"user\"", 1));
    project.run(&["lock"]);
    assert_eq!(last_line(&project, &[]), "next: run `orchgen apply` as the user of the services");
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
    assert_eq!(line, "next: run `sudo orchgen apply` on each host");
    let addressed = read(&project).replace("host \"box\"", "host \"box\" address=\"box.lan\"");
    project.registry(&addressed.replace("host \"other\"", "host \"other\" address=\"192.0.2.8\""));
    let line = last_line(&project, &[]);
    assert_eq!(line, "next: run `orchgen apply --all-hosts`, or run `sudo orchgen apply` on each host");
}

#[test]
fn a_stack_of_other_programs_has_units_to_install() {
    let project = project();
    project.registry(
        "stack \"s\" engine=\"l\"\nengine \"l\" profile=\"llama.cpp-b11669\" bin=\"/e\"\n\
         role \"listen\" port=8082 { command \"/usr/bin/whisper-server\" \"--port\" \"{port}\" }\n",
    );
    let line = last_line(&project, &[]);
    assert_eq!(line, "next: run `sudo orchgen apply`");
}

/// A project with two gateways.
fn with_gateways(stack: &str) -> Project {
    let project = project();
    let roles = "gateway \"front\" port=8100 listen=\"0.0.0.0\" key-file=\"/etc/keys/front\"\ngateway \"back\" port=8101\n\
                 role \"chat\" tier=\"A\" residency=\"hot\" model=\"target\" gateway=\"front\" context=1024 alias=\"org/chat\"\n\
                 role \"helper\" tier=\"A\" shares=\"chat\"\n\
                 role \"other\" tier=\"A\" residency=\"hot\" model=\"target\" gateway=\"back\" context=1024\n";
    let text = read(&project).replace("port=8000 context=1024 draft=\"draft\"", "port=8000 context=1024");
    let text = text.replacen("stack \"s\"", &format!("stack \"s\" {stack}"), 1).replace("b11434", "b11669");
    project.registry(&(text + roles));
    project.run(&["lock"]);
    project
}

/// Runs the commands of a last line in a root folder, with programs that print the arguments of `systemctl` and `loginctl`.
/// Returns what they print, and the files in the root folder.
#[track_caller]
fn run_printed(project: &Project, line: &str) -> (String, Vec<String>) {
    let root = project.at("root");
    fs::remove_dir_all(&root).ok();
    for folder in ["etc/systemd/system", "home", "bin"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    for name in ["systemctl", "loginctl"] {
        let stub = format!("#!/bin/sh\necho \"{name} $*\"\n");
        crate::outside::write(&root.join("bin").join(name), &stub, 0o755);
    }
    let (_, command) = line.strip_prefix("next: ").unwrap().split_once(": ").unwrap();
    let command = command.replace(" /etc/", &format!(" {}/etc/", root.display()));
    let mut bash = Command::new("bash");
    bash.args(["-c", &command]).current_dir(project.at("")).env("HOME", root.join("home"));
    bash.env("PATH", format!("{}:/usr/bin:/bin", root.join("bin").display()));
    let output = bash.output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else {
                files.push(entry.strip_prefix(&root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    files.sort();
    files.retain(|path| !path.starts_with("bin/"));
    (String::from_utf8(output.stdout).unwrap(), files)
}

#[test]
fn a_build_names_the_addresses_of_gateways() {
    let project = with_gateways("");
    let (code, _, stderr) = project.run(&["build", "--out", "new out"]);
    assert_eq!(code, 0, "{stderr}");
    let lines: Vec<&str> = stderr.lines().rev().take(3).collect();
    assert_eq!(lines[2], "gateway `front`: http://127.0.0.1:8100 serves chat, helper, org/chat");
    assert_eq!(lines[1], "gateway `back`: http://127.0.0.1:8101 serves other");
    assert_eq!(lines[0], "next: run `sudo orchgen apply --out 'new out'`");
    // Other machines reach it at the address of its host.
    let text = read(&project).replace("host \"box\"", "host \"box\" address=\"192.0.2.7\"");
    project.registry(&text);
    let (_, _, stderr) = project.run(&["build"]);
    assert!(stderr.contains("gateway `front`: http://192.0.2.7:8100 serves "), "{stderr}");
}

#[test]
fn units_and_scripts_are_written_with_their_preset_files() {
    for only in ["systemd", "bin"] {
        let project = with_gateways("");
        let last = last_line(&project, &["--only", only]);
        assert!(project.at("out/router/front.ini").exists(), "{only}");
        if only == "systemd" {
            assert_eq!(last, "next: run `sudo orchgen apply`");
        } else {
            assert_eq!(last, "next: run `out/bin/back` to serve");
        }
        // The same for a stack that names the target.
        let project = with_gateways(&format!("targets=\"{only}\""));
        last_line(&project, &[]);
        assert!(project.at("out/router/front.ini").exists() && !project.at("out/docs").exists(), "{only}");
    }
    let project = with_gateways("");
    last_line(&project, &["--only", "docs,stack-json"]);
    assert!(!project.at("out/router").exists());
}

#[test]
fn a_build_of_preset_files_alone_installs_them() {
    let project = with_gateways("");
    let last = last_line(&project, &["--only", "router"]);
    let install = "next: run as root: install -D -m 644 -t /etc/orchgen/s out/router/*.ini";
    assert_eq!(last, install);
    let (printed, files) = run_printed(&project, &last);
    assert_eq!((&*printed, files.len()), ("", 2));
    let changed = read(&project).replace("gateway=\"back\" context=1024", "gateway=\"back\" context=512");
    project.registry(&changed);
    let last = last_line(&project, &["--only", "router"]);
    assert_eq!(last, format!("{install} && systemctl try-restart s-back.service"));
    assert_eq!(run_printed(&project, &last).0, "systemctl try-restart s-back.service\n");
    // Without gateways, the target has no files.
    let project = self::project();
    project.run(&["lock"]);
    assert!(last_line(&project, &["--only", "router"]).starts_with("out: "));
}
