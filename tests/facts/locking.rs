//! `orchgen lock`, `check --locked` and `orchgen inspect` with real files.

use super::build::Gguf;
use crate::support::{assert_snapshot, visible};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

const REGISTRY: &str = r#"
stack "s" engine="llama.cpp"
engine "llama.cpp" profile="llama.cpp-b11434" bin="/opt/llama.cpp/bin"
host "box" memory="64 GB" cpus="0-7" smt=2
store "models" path="STORE" speed="2 GB/s"
tier "A" title="Everything"
residency "hot" title="always" start="boot"
family "qwen2" arch="qwen2"
model "target" family="qwen2" title="Target" quant="F32" file="target.gguf"
model "draft" family="qwen2" title="Draft" quant="F32" file="draft.gguf"
role "code" tier="A" residency="hot" model="target" port=8000 context=1024 draft="draft"
role "spare" tier="A" model="draft"
"#;

/// A temporary folder with a registry and its store, which has a target and a draft.
pub(super) struct Project(tempfile::TempDir);

impl Project {
    pub(super) fn new() -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(project.at("store")).unwrap();
        fs::create_dir_all(project.at("registry")).unwrap();
        project.registry(REGISTRY);
        project.put("target.gguf", &model(0, &[]));
        project.put("draft.gguf", &model(0, &[]));
        project
    }

    pub(super) fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    pub(super) fn registry(&self, text: &str) {
        let text = text.replace("STORE", self.at("store").to_str().unwrap());
        fs::write(self.at("registry/stack.kdl"), text).unwrap();
    }

    pub(super) fn put(&self, file: &str, gguf: &Gguf) {
        fs::write(self.at("store").join(file), gguf.bytes()).unwrap();
    }

    pub(super) fn lock(&self) -> String {
        fs::read_to_string(self.at("registry/registry.lock")).unwrap()
    }

    pub(super) fn run(&self, args: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(crate::support::orchgen());
        let output: Output = command.args(args).current_dir(self.0.path()).env_clear().output().unwrap();
        let text = |bytes: &[u8]| {
            String::from_utf8(bytes.to_vec()).unwrap().replace(self.0.path().to_str().unwrap(), "BASE")
        };
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    }

    /// The exit code and the names of the findings.
    pub(super) fn codes(&self, args: &[&str]) -> (i32, Vec<String>) {
        let (code, out, _) = self.run(&[args, &["--output-format", "json"]].concat());
        let report: serde_json::Value = serde_json::from_str(&out).unwrap();
        let names = report["findings"].as_array().unwrap().iter();
        (code, names.map(|finding| finding["name"].as_str().unwrap().to_owned()).collect())
    }
}

/// A model with eight tokens and these additional ones. `add_bos` is 0 or 1.
pub(super) fn model(add_bos: u8, more: &[&str]) -> Gguf {
    let tokens = [&["a", "b", "c", "d", "e", "f", "g", ","], more].concat();
    Gguf::new("qwen2")
        .u32("general.file_type", 0)
        .u32("qwen2.block_count", 1)
        .u32("qwen2.context_length", 4096)
        .u32("qwen2.embedding_length", 32)
        .u32s("qwen2.attention.head_count_kv", &[2])
        .text("tokenizer.ggml.model", "gpt2")
        .text("tokenizer.ggml.pre", "qwen2")
        .texts("tokenizer.ggml.tokens", &tokens)
        .u32("tokenizer.ggml.bos_token_id", 7)
        .u32("tokenizer.ggml.eos_token_id", 0)
        .flag("tokenizer.ggml.add_bos_token", add_bos)
        .tensor("token_embd.weight", &[32, tokens.len() as u64])
        .tensor("blk.0.attn_q.weight", &[32, 32])
}

#[test]
fn a_registry_is_locked_and_verified() {
    let project = Project::new();
    assert_eq!(project.run(&["check", "--locked"]).0, 1, "no sizes are known");
    assert_eq!(project.run(&["check"]).0, 0);
    let (code, out, err) = project.run(&["lock"]);
    assert_eq!((code, &*out), (0, ""), "{err}");
    assert_eq!(err, "no findings\nregistry/registry.lock: 2 models locked\n");
    assert_eq!(project.codes(&["check", "--locked"]), (0, vec![]));
    assert_eq!(project.codes(&["lock", "--check"]), (0, vec![]));
    let before = project.lock();
    assert!(project.run(&["lock"]).2.ends_with("2 models locked, none changed\n"));
    assert_eq!(project.lock(), before);
    assert_snapshot!("facts", "lock", &before);
}

#[test]
fn a_replaced_draft_fails_with_the_reason() {
    let project = Project::new();
    assert_eq!(project.run(&["lock"]).0, 0);
    project.put("draft.gguf", &model(1, &[]));
    // Only `lock` reads the model files.
    assert_eq!(project.codes(&["lock", "--check"]), (1, vec!["stale-lock".into()]));
    assert_eq!(project.run(&["lock"]).0, 0);
    let (code, _, report) = project.run(&["build", "--locked"]);
    assert_eq!(code, 1);
    // The snapshot does not include the number of errors and unchecked items.
    assert_snapshot!("facts", "swapped-draft", report.split("\n1 error").next().unwrap());
    assert!(!project.at("out").exists());
}

#[test]
fn the_first_different_token_comes_from_the_lock_alone() {
    let project = Project::new();
    project.put("target.gguf", &model(0, &["one", "two"]));
    project.put("draft.gguf", &model(0, &["one", "zwei", "drei"]));
    assert_eq!(project.run(&["lock"]).0, 0);
    fs::remove_dir_all(project.at("store")).unwrap();
    let (code, report, _) = project.run(&["check", "--locked", "--output-format", "json"]);
    assert_eq!(code, 1);
    assert!(report.contains("token 9 is `two` for the target and `zwei` for the draft"), "{report}");
}

#[test]
fn a_few_extra_tokens_are_a_warning_and_many_are_an_error() {
    let project = Project::new();
    project.put("draft.gguf", &model(0, &["more"]));
    assert_eq!(project.run(&["lock"]).0, 0);
    // With one more token, the draft is also the larger file.
    assert_eq!(
        project.codes(&["check", "--locked"]),
        (0, vec!["larger-draft".into(), "uneven-vocabularies".into()])
    );
    let many: Vec<String> = (0..129).map(|n| format!("more {n}")).collect();
    project.put("draft.gguf", &model(0, &many.iter().map(String::as_str).collect::<Vec<_>>()));
    assert_eq!(project.run(&["lock"]).0, 0);
    assert_eq!(
        project.codes(&["check", "--locked"]),
        (1, vec!["larger-draft".into(), "refuted-draft".into()])
    );
}

#[test]
fn missing_and_damaged_files_do_not_prevent_locking_the_others() {
    let project = Project::new();
    fs::remove_file(project.at("store/draft.gguf")).unwrap();
    assert_eq!(project.codes(&["lock"]), (1, vec!["missing-model".into()]));
    assert!(project.lock().contains("\"target\"") && !project.lock().contains("\"draft\""));
    // `lock` keeps the facts of a missing file, and removes those of a damaged one.
    project.put("draft.gguf", &model(0, &[]));
    assert_eq!(project.run(&["lock"]).0, 0);
    fs::remove_file(project.at("store/draft.gguf")).unwrap();
    let whole = project.lock();
    assert_eq!(project.codes(&["lock"]), (1, vec!["missing-model".into()]));
    assert_eq!(project.lock(), whole);
    let bytes = model(0, &[]).bytes();
    fs::write(project.at("store/draft.gguf"), &bytes[..bytes.len() - 1000]).unwrap();
    let (code, _, report) = project.run(&["lock"]);
    assert_eq!(code, 1);
    assert!(report.contains("it is truncated"), "{report}");
    assert!(!project.lock().contains("\"draft\""));
    let locked = ["not-checked".to_owned(), "not-checked".to_owned()];
    assert_eq!(project.codes(&["check", "--locked"]).1, locked);
}

#[test]
fn adapters_are_locked_by_their_paths_and_counted() {
    let project = Project::new();
    let adapter = |arch: &str| Gguf::new(arch).tensor("blk.0.attn_q.weight.lora_a", &[64, 8]);
    project.put("l1.gguf", &adapter("qwen2"));
    project.put("l2.gguf", &adapter("qwen2"));
    let adapters = |lines: &str| {
        project.registry(
            &REGISTRY.replace("context=1024 draft=\"draft\"", &format!("context=1024 {{ {lines} }}")),
        );
    };
    adapters("lora \"STORE/l1.gguf\"; lora \"STORE/l2.gguf\" scale=0.5");
    assert_eq!(project.codes(&["lock"]), (0, vec![]));
    let lock = project.lock();
    let locked = serde_json::from_str::<serde_json::Value>(&lock).unwrap()["adapters"].clone();
    assert_eq!(locked.as_object().unwrap().len(), 2, "{lock}");
    assert_eq!(project.codes(&["lock", "--check"]), (0, vec![]));
    let (_, memory, _) = project.run(&["memory"]);
    assert_eq!(memory.matches("  adapters").count(), 2, "{memory}");
    // A replaced adapter, one of another architecture, and one that is not used any more.
    project.put("l2.gguf", &adapter("llama"));
    assert_eq!(project.codes(&["lock", "--check"]), (1, vec!["stale-lock".into()]));
    project.run(&["lock"]);
    assert_eq!(project.codes(&["check"]), (1, vec!["foreign-adapter".into()]));
    adapters("lora \"STORE/l1.gguf\"");
    assert_eq!(project.codes(&["lock", "--check"]), (1, vec!["stale-lock".into()]));
    // Missing files: the facts of an adapter are kept.
    fs::remove_file(project.at("store/l1.gguf")).unwrap();
    assert_eq!(project.codes(&["lock"]), (1, vec!["missing-model".into()]));
    assert!(project.lock().contains("l1.gguf"), "{}", project.lock());
    project.registry(
        &REGISTRY
            .replace("context=1024 draft=\"draft\"", "context=1024 { template \"/nonexistent/chat.jinja\" }"),
    );
    assert_eq!(project.codes(&["lock"]), (1, vec!["missing-model".into()]));
}

#[test]
fn unlocked_models_are_counted_as_not_checked_and_fail_with_locked() {
    let project = Project::new();
    project.registry(&REGISTRY.replace("quant=\"F32\"", "quant=\"F32\" size=\"1 GB\""));
    let (code, _, report) = project.run(&["check"]);
    assert_eq!((code, &*report), (0, "no findings; 2 checks could not run; --verbose lists them\n"));
    let (code, names) = project.codes(&["check", "--locked"]);
    assert_eq!((code, names), (1, vec!["not-checked".to_owned()]));
    // The lock lacks one model. It is counted for each check: as a model, and as the draft of a role.
    fs::remove_file(project.at("store/draft.gguf")).unwrap();
    assert_eq!(project.run(&["lock"]).0, 1);
    let names = project.codes(&["check", "--locked"]).1;
    assert_eq!(names, ["contradicted-fact", "not-checked", "not-checked"]);
    project.put("draft.gguf", &model(0, &[]));
    // A declared size is compared with the file.
    assert_eq!(project.run(&["lock"]).0, 0);
    assert_eq!(project.codes(&["check"]), (1, vec!["contradicted-fact".to_owned(); 2]));
}

#[test]
fn every_declared_fact_is_compared_with_the_file() {
    let project = Project::new();
    assert_eq!(project.run(&["lock"]).0, 0);
    for (from, to, message) in [
        (
            "quant=\"F32\" file=\"target",
            "quant=\"Q8_0\" file=\"target",
            "declared as `Q8_0`, but its file is `F32`",
        ),
        (
            "title=\"Target\"",
            "title=\"Target\" trained-context=1024",
            "a trained context of 1024, but its file has 4096",
        ),
        (
            "file=\"target.gguf\"",
            "file=\"target.gguf\" { experts total=8; }",
            "with 8 experts, but its file has none",
        ),
        ("arch=\"qwen2\"", "arch=\"llama\"", "with the architecture `llama`, but its file has `qwen2`"),
    ] {
        project.registry(&REGISTRY.replacen(from, to, 1));
        let (code, out, _) = project.run(&["check", "--output-format", "json"]);
        assert_eq!(code, 1, "{out}");
        assert!(out.contains(message), "{message}: {out}");
        assert!(out.contains("registry/registry.lock"), "{out}");
    }
    for same in ["quant=\"f32\" file=\"target", "quant=\"UD-Q4_K_XL\" file=\"target"] {
        project.registry(&REGISTRY.replacen("quant=\"F32\" file=\"target", same, 1));
        assert_eq!(project.codes(&["check", "--locked"]), (0, vec![]), "{same}");
    }
}

#[test]
fn shards_are_one_model() {
    let project = Project::new();
    let shard = |number: u16, gguf: Gguf| gguf.u16("split.no", number).u16("split.count", 3);
    project.put("big-00001-of-00003.gguf", &shard(0, model(0, &[])));
    project.put(
        "big-00002-of-00003.gguf",
        &shard(1, Gguf::new("qwen2").tensor("blk.0.attn_k.weight", &[32, 32])),
    );
    let registry = REGISTRY.replace("file=\"target.gguf\"", "file=\"big-00001-of-00003.gguf\"");
    project.registry(&registry);
    assert_eq!(project.run(&["lock"]).0, 0);
    let (code, out, _) = project.run(&["check", "--output-format", "json"]);
    assert!(
        code == 1 && out.contains("lacks 1 of its 3 shards") && out.contains("missing shards: 3"),
        "{out}"
    );
    project.put("big-00003-of-00003.gguf", &shard(2, Gguf::new("qwen2")));
    assert_eq!(project.codes(&["lock", "--check"]), (1, vec!["stale-lock".into()]));
    assert_eq!(project.run(&["lock"]).0, 0);
    assert_eq!(project.codes(&["check", "--locked"]), (0, vec![]));
    // A shard with the wrong number, and a `file` that is not the first shard.
    project.put("big-00003-of-00003.gguf", &shard(0, Gguf::new("qwen2")));
    let json = ["lock", "--output-format", "json"];
    assert!(project.run(&json).1.contains("shard 3, byte 0: expected `split.no` 2"));
    project.registry(&registry.replace("00001-of", "00002-of"));
    let out = project.run(&json).1;
    assert!(out.contains("later-shard") && out.contains("big-00001-of-00003.gguf"), "{out}");
    // A name that does not show it.
    project.put("renamed.gguf", &shard(1, Gguf::new("qwen2")));
    project.registry(&registry.replace("big-00001-of-00003", "renamed"));
    assert!(project.run(&json).1.contains("this is shard 2 of 3"));
}

#[test]
fn an_unusable_lock_is_reported_and_rewritten() {
    let project = Project::new();
    let path = project.at("registry/registry.lock");
    for (text, name) in [
        ("", "damaged-lock"),
        ("{\"format_version\": 1, \"models\": {", "damaged-lock"),
        ("{\"format_version\": 1, \"models\": []}", "damaged-lock"),
        ("{\"format_version\": 1, \"colour\": 1}", "damaged-lock"),
        ("{\"format_version\": 1, \"models\": {\"target\": {\"file\": 7}}}", "damaged-lock"),
        ("{\"format_version\": 99}", "unknown-lock-format"),
        ("<<<<<<< HEAD\n", "damaged-lock"),
    ] {
        fs::write(&path, text).unwrap();
        assert_eq!(project.codes(&["check", "--locked"]), (1, vec![name.into()]), "{text}");
        assert_eq!(project.codes(&["lock", "--check"]), (1, vec![name.into()]), "{text}");
        assert_eq!(project.codes(&["lock"]), (0, vec![]), "{text}");
        assert_eq!(project.codes(&["check", "--locked"]), (0, vec![]), "{text}");
    }
    fs::write(&path, b"\xff\xfe\0").unwrap();
    assert_eq!(project.codes(&["check"]), (1, vec!["not-utf8".into()]));
    assert_eq!(project.codes(&["lock"]), (0, vec![]));
    fs::remove_file(&path).unwrap();
    assert_eq!(project.codes(&["lock", "--check"]), (1, vec!["stale-lock".into()]));
    assert!(!path.exists());
}

/// A lock with any text removed or inserted is read or rejected, without a panic.
#[test]
fn a_manually_edited_lock_does_not_panic() {
    let project = Project::new();
    project.put("draft.gguf", &model(0, &["x"]));
    assert_eq!(project.run(&["lock"]).0, 0);
    let (lock, registry) = (project.lock(), fs::read_to_string(project.at("registry/stack.kdl")).unwrap());
    for at in (0..lock.len()).step_by(7).filter(|at| lock.is_char_boundary(*at)) {
        for edited in [
            lock[..at].to_owned(),
            format!("{}é{}", &lock[..at], &lock[at..]),
            format!("{}{}", &lock[..at], &lock[(at + 5).min(lock.len())..]),
            lock[..at].to_owned() + "-99999999999999999999" + &lock[at..],
        ] {
            let compiled = crate::support::compile(&[("stack.kdl", &registry), ("registry.lock", &edited)]);
            let _ = compiled.report();
        }
    }
}

#[test]
fn lock_reports_what_a_check_finds_with_the_new_facts() {
    let project = Project::new();
    // The header has another quant. Only a check with the lock finds it.
    project.registry(&REGISTRY.replace("title=\"Target\" quant=\"F32\"", "title=\"Target\" quant=\"Q8_0\""));
    let (code, _, err) = project.run(&["lock"]);
    assert_eq!(
        (code, &*err),
        (
            0,
            "registry/registry.lock: 2 models locked\n\
             with these facts the registry has 1 error: run `orchgen check`\n"
        )
    );
    assert_eq!(project.run(&["check"]).0, 1);
    let (code, _, err) = project.run(&["lock", "--check"]);
    assert_eq!((code, &*err), (0, "registry/registry.lock: up to date\n"));
    let (code, _, err) = project.run(&["lock", "--quiet"]);
    assert_eq!((code, &*err), (0, ""));
    // Other reports have the findings of the lock only.
    let (_, out, _) = project.run(&["lock", "--output-format", "concise"]);
    assert_eq!(out, "");
}

#[test]
fn inspect_prints_a_file_as_text_and_as_json() {
    let project = Project::new();
    let (code, out, err) = project.run(&["inspect", "store/target.gguf"]);
    assert_eq!((code, &*err), (0, ""));
    assert_snapshot!("facts", "inspect", &out);
    let (_, colored, _) = project.run(&["inspect", "store/target.gguf", "--color", "always"]);
    assert_eq!(visible(&colored), out);
    assert_snapshot!("facts", "inspect_color", colored.replace('\u{1b}', "\\e"));
    let mut command = Command::new(crate::support::orchgen());
    command.args(["inspect", "store/target.gguf"]).current_dir(project.0.path()).env_clear();
    let narrow = command.env("COLUMNS", "60").output().unwrap().stdout;
    assert_snapshot!("facts", "inspect_60", String::from_utf8(narrow).unwrap());
    let (_, out, _) = project.run(&["inspect", "store/target.gguf", "--output-format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(document["facts"]["vocabulary"]["size"], 8);
    assert_eq!(document["tensors"][0]["name"], "token_embd.weight");
    let metadata = &document["metadata"];
    assert_eq!(metadata["general.architecture"], "qwen2");
    assert_eq!(metadata["qwen2.block_count"].as_u64(), Some(1));
    assert_eq!(document["metadata_types"]["qwen2.block_count"], "u32");
    assert_eq!(metadata["tokenizer.ggml.tokens"]["count"].as_u64(), Some(8));
    assert_eq!(document["metadata_types"]["tokenizer.ggml.tokens"], "arr[str]");
    for (file, message) in [
        ("store", "it is not a regular file"),
        ("nowhere.gguf", "there is no such file"),
        ("registry/stack.kdl", "byte 0: this is not a GGUF file"),
    ] {
        let (code, _, err) = project.run(&["inspect", file]);
        assert!(code == 2 && err.contains(message), "{err}");
    }
}
