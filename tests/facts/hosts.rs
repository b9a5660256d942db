//! `orchgen lock` on the machines of a stack with two hosts, each with its own folder of model files.

use super::locking::{Project, model};
use std::fs;

const REGISTRY: &str = r#"
stack "s" engine="llama.cpp"
engine "llama.cpp" profile="llama.cpp-b11434" bin="/opt/llama.cpp/bin"
host "big" memory="64 GB" cpus="0-7" address="big.invalid"
host "small" memory="64 GB" cpus="0-7" address="small.invalid"
store "data" path="STORE/big" { mount "big"; mount "small" path="STORE/small"; }
model "chat" arch="qwen2" quant="F32" file="chat.gguf"
model "both" arch="qwen2" quant="F32" file="both.gguf"
model "embed" arch="qwen2" quant="F32" file="embed.gguf"
role "chat" model="chat" host="big" port=8000 context=1024
role "one" model="both" host="big" port=8001 context=1024
role "two" model="both" host="small" port=8001 context=1024
role "embed" model="embed" host="small" port=8002 context=1024 { template "STORE/small/chat.jinja" }
"#;

/// The project, with the files of both hosts.
fn project() -> Project {
    let project = Project::new();
    project.registry(REGISTRY);
    for (host, files) in [("big", ["chat", "both"]), ("small", ["both", "embed"])] {
        fs::create_dir_all(project.at("store").join(host)).unwrap();
        for file in files {
            project.put(&format!("{host}/{file}.gguf"), &model(0, &[]));
        }
    }
    fs::write(project.at("store/small/chat.jinja"), "{{ messages }}").unwrap();
    project
}

/// Moves the folder of a host away, as on another machine. Returns what moves it back.
fn without<'p>(project: &'p Project, host: &str) -> impl FnOnce() + 'p {
    let (from, to) = (project.at("store").join(host), project.at(&format!("away-{host}")));
    fs::rename(&from, &to).unwrap();
    move || fs::rename(to, from).unwrap()
}

/// The summary of a run without findings.
#[track_caller]
fn summary(project: &Project, args: &[&str]) -> String {
    let (code, _, err) = project.run(args);
    assert_eq!(code, 0, "{err}");
    err.lines().find(|line| line.starts_with("registry/registry.lock: ")).unwrap_or_default().to_owned()
}

#[test]
fn each_host_reads_its_files_and_keeps_the_facts_of_the_other() {
    let project = project();
    let back = without(&project, "small");
    assert_eq!(
        summary(&project, &["lock", "--host", "big"]),
        "registry/registry.lock: 2 models locked, 1 without facts: run `orchgen lock` on `small`"
    );
    let of_big = project.lock();
    assert!(of_big.contains("\"chat\"") && of_big.contains("\"both\"") && !of_big.contains("\"embed\""));
    assert_eq!(
        summary(&project, &["lock", "--check", "--host", "big"]),
        "registry/registry.lock: up to date, 1 without facts: run `orchgen lock` on `small`"
    );
    back();
    let back = without(&project, "big");
    assert_eq!(
        summary(&project, &["lock", "--host", "small"]),
        "registry/registry.lock: 3 models locked, 1 changed, 1 kept (files of other hosts)"
    );
    assert_eq!(
        summary(&project, &["lock", "--check", "--host", "small"]),
        "registry/registry.lock: up to date, 1 kept (files of other hosts)"
    );
    back();
    let back = without(&project, "small");
    let whole = project.lock();
    assert_eq!(
        summary(&project, &["lock", "--host", "big"]),
        "registry/registry.lock: 3 models locked, none changed, 1 kept (files of other hosts)"
    );
    assert_eq!(project.lock(), whole);
    back();
    assert_eq!(project.codes(&["check", "--locked"]), (0, vec![]));
}

#[test]
fn a_file_of_this_host_is_required() {
    let project = project();
    assert_eq!(project.run(&["lock", "--host", "small"]).0, 0);
    for file in ["embed.gguf", "both.gguf", "chat.jinja"] {
        let path = project.at("store/small").join(file);
        fs::rename(&path, project.at("away")).unwrap();
        assert_eq!(project.codes(&["lock", "--host", "small"]), (1, vec!["missing-model".into()]), "{file}");
        assert_eq!(project.codes(&["lock", "--host", "big"]), (0, vec![]), "{file}");
        fs::rename(project.at("away"), path).unwrap();
    }
    // A model without a role is required on the hosts of its store.
    project.registry(&(REGISTRY.to_owned() + "model \"spare\" arch=\"qwen2\" quant=\"F32\" file=\"spare.gguf\"\nrole \"spare\" model=\"spare\"\n"));
    assert_eq!(project.codes(&["lock", "--host", "big"]), (1, vec!["missing-model".into()]));
    project.registry(&(REGISTRY.replace("mount \"big\"; ", "").replace("STORE/big", "STORE/small")));
    assert_eq!(project.codes(&["lock", "--host", "small"]), (0, vec![]));
}

#[test]
fn another_file_under_the_same_name_is_drift() {
    let project = project();
    assert_eq!(project.run(&["lock", "--host", "big"]).0, 0);
    project.put("small/both.gguf", &model(1, &["more"]));
    assert_eq!(project.codes(&["lock", "--check", "--host", "big"]), (0, vec![]));
    let names = ["stale-lock".to_owned(), "stale-lock".to_owned()];
    assert_eq!(project.codes(&["lock", "--check", "--host", "small"]), (1, names.to_vec()));
}

#[test]
fn an_unknown_machine_keeps_what_it_does_not_find() {
    let project = project();
    assert_eq!(project.run(&["lock"]).0, 0, "all files of both hosts are found");
    let whole = project.lock();
    let back = without(&project, "small");
    fs::create_dir(project.at("store/small")).unwrap();
    fs::write(project.at("store/small/chat.jinja"), "{{ messages }}").unwrap();
    assert_eq!(
        summary(&project, &["lock"]),
        "registry/registry.lock: 3 models locked, none changed, 1 kept (no file here)"
    );
    assert_eq!(project.lock(), whole);
    assert_eq!(project.codes(&["lock", "--check"]), (0, vec![]));
    // Without facts, a missing file is an error that names the option.
    fs::remove_file(project.at("registry/registry.lock")).unwrap();
    assert_eq!(project.codes(&["lock"]), (1, vec!["missing-model".into()]));
    let (_, _, report) = project.run(&["lock"]);
    let help = "write `--host` with the name of this machine, `big` or `small`: then only the files of this host are required";
    assert!(
        report.split_whitespace().collect::<Vec<_>>().join(" ").replace("│ ", "").contains(help),
        "{report}"
    );
    fs::remove_dir_all(project.at("store/small")).unwrap();
    back();
}

#[test]
fn the_host_is_found_by_name_or_address() {
    let project = project();
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let back = without(&project, "big");
    let of_small = "registry/registry.lock: 2 models locked, 1 without facts: run `orchgen lock` on `big`";
    // 127.0.0.0/8 is an address of every machine, 192.0.2.0/24 of none.
    for (old, new) in [
        ("small.invalid", "127.0.0.9".to_owned()),
        ("small.invalid", "localhost".to_owned()),
        ("\"small\"", format!("{:?}", name.trim())),
    ] {
        let text = REGISTRY.replace(old, &new).replace("big.invalid", "192.0.2.7");
        project.registry(&text);
        let _ = fs::remove_file(project.at("registry/registry.lock"));
        assert_eq!(summary(&project, &["lock"]), of_small, "{new}");
    }
    // Two hosts with an address of this machine: it is unknown which one it is.
    project.registry(&REGISTRY.replace("small.invalid", "127.0.0.9").replace("big.invalid", "127.0.0.8"));
    fs::remove_file(project.at("registry/registry.lock")).unwrap();
    assert_eq!(project.codes(&["lock"]), (1, vec!["missing-model".into()]));
    back();
}

#[test]
fn an_unknown_name_of_a_host_is_a_usage_error() {
    let project = project();
    let (code, _, err) = project.run(&["lock", "--host", "smal"]);
    assert_eq!((code, &*err), (2, "error: the registry has no host `smal`, only `big` or `small`\n"));
    assert!(!project.at("registry/registry.lock").exists());
}

#[test]
fn a_damaged_lock_keeps_the_facts_of_other_hosts() {
    let project = project();
    assert_eq!(project.run(&["lock"]).0, 0);
    let path = project.at("registry/registry.lock");
    let merged = format!("<<<<<<< HEAD\n{}", project.lock());
    let newer = project.lock().replacen("\"format_version\": 1", "\"format_version\": 99", 1);
    for (text, code) in [(merged, "damaged-lock"), (newer, "unknown-lock-format")] {
        fs::write(&path, &text).unwrap();
        assert_eq!(project.codes(&["lock", "--host", "big"]), (1, vec![code.into()]));
        assert_eq!(project.lock(), text);
    }
    fs::remove_file(path).unwrap();
    assert_eq!(project.run(&["lock"]).0, 0);
}

#[test]
fn a_lock_without_facts_is_not_written() {
    let project = project();
    let back = without(&project, "small");
    let (code, _, err) = project.run(&["lock", "--host", "small"]);
    let err = err.split_whitespace().collect::<Vec<_>>().join(" ");
    let err = err.replace("│ ", "");
    assert_eq!(code, 1, "{err}");
    assert!(
        err.contains("run `orchgen lock` again; if this machine is not `small`, run it on `small`"),
        "{err}"
    );
    assert!(err.contains("registry.lock: not written, because no file was read"), "{err}");
    assert!(!project.at("registry/registry.lock").exists());
    back();
}

#[test]
fn a_model_without_a_role_may_be_on_any_host_of_a_store_without_mounts() {
    let project = project();
    let text = |mount: &str| {
        let of_data = ["chat", "both", "embed"].iter().fold(REGISTRY.to_owned(), |text, name| {
            text.replace(&format!("file=\"{name}.gguf\""), &format!("file=\"{name}.gguf\" store=\"data\""))
        });
        let spare = "model \"spare\" arch=\"qwen2\" quant=\"F32\" file=\"spare.gguf\" store=\"rest\"";
        let listed = "role \"spare\" model=\"spare\"";
        format!("{of_data}store \"rest\" path=\"STORE/rest\" {mount}\n{spare}\n{listed}\n")
    };
    fs::create_dir(project.at("store/rest")).unwrap();
    project.put("rest/spare.gguf", &model(0, &[]));
    project.registry(&text(""));
    assert_eq!(project.codes(&["lock", "--host", "small"]), (0, vec![]));
    fs::remove_file(project.at("store/rest/spare.gguf")).unwrap();
    assert_eq!(project.codes(&["lock", "--host", "big"]), (0, vec![]));
    assert!(project.lock().contains("\"spare\""));
    project.registry(&text("{ mount \"big\"; }"));
    assert_eq!(project.codes(&["lock", "--host", "big"]), (1, vec!["missing-model".into()]));
}
