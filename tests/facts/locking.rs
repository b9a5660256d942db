//! `orchgen lock`, `--locked` and `orchgen inspect`, with real files.

use super::build::Gguf;
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

/// A registry whose store lies beside it, with a target and a draft.
struct Ground(tempfile::TempDir);

impl Ground {
    fn new() -> Self {
        let ground = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(ground.at("store")).unwrap();
        fs::create_dir_all(ground.at("registry")).unwrap();
        ground.registry(REGISTRY);
        ground.put("target.gguf", &model(0, &[]));
        ground.put("draft.gguf", &model(0, &[]));
        ground
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn registry(&self, text: &str) {
        let text = text.replace("STORE", self.at("store").to_str().unwrap());
        fs::write(self.at("registry/stack.kdl"), text).unwrap();
    }

    fn put(&self, file: &str, gguf: &Gguf) {
        fs::write(self.at("store").join(file), gguf.bytes()).unwrap();
    }

    fn lock(&self) -> String {
        fs::read_to_string(self.at("registry/registry.lock")).unwrap()
    }

    fn run(&self, args: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orchgen"));
        let output: Output = command.args(args).current_dir(self.0.path()).env_clear().output().unwrap();
        let text = |bytes: &[u8]| {
            String::from_utf8(bytes.to_vec()).unwrap().replace(self.0.path().to_str().unwrap(), "BASE")
        };
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    }

    /// The exit code and the names of the findings.
    fn codes(&self, args: &[&str]) -> (i32, Vec<String>) {
        let (code, out, _) = self.run(&[args, &["--output-format", "json"]].concat());
        let report: serde_json::Value = serde_json::from_str(&out).unwrap();
        let names = report["findings"].as_array().unwrap().iter();
        (code, names.map(|finding| finding["name"].as_str().unwrap().to_owned()).collect())
    }
}

/// A model with eight tokens and as many more as are given; `add_bos` is 0 or 1.
fn model(add_bos: u8, more: &[&str]) -> Gguf {
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

fn snapshot(name: &str, text: &str) {
    insta::with_settings!(
        {
            snapshot_path => "../snapshots/facts", prepend_module_to_snapshot => false, omit_expression => true,
        },
        { insta::assert_snapshot!(name, text) }
    );
}

#[test]
fn a_registry_is_locked_and_proved() {
    let ground = Ground::new();
    assert_eq!(ground.run(&["check"]).0, 1, "sizes are missing");
    let (code, out, err) = ground.run(&["lock"]);
    assert_eq!((code, &*out), (0, ""), "{err}");
    assert_eq!(err, "no findings\nregistry/registry.lock: 2 models locked\n");
    assert_eq!(ground.codes(&["check", "--locked"]), (0, vec![]));
    assert_eq!(ground.codes(&["lock", "--check"]), (0, vec![]));
    let before = ground.lock();
    assert!(ground.run(&["lock"]).2.ends_with("2 models locked, none changed\n"));
    assert_eq!(ground.lock(), before);
    snapshot("lock", &before);
}

#[test]
fn a_swapped_draft_fails_with_its_reason() {
    let ground = Ground::new();
    assert_eq!(ground.run(&["lock"]).0, 0);
    ground.put("draft.gguf", &model(1, &[]));
    // The lock is believed until somebody looks.
    assert_eq!(ground.codes(&["lock", "--check"]), (1, vec!["stale-lock".into()]));
    assert_eq!(ground.run(&["lock"]).0, 0);
    let (code, _, said) = ground.run(&["build", "--locked"]);
    assert_eq!(code, 1);
    // How much was not checked is no part of it.
    snapshot("swapped-draft", said.split("\n1 error").next().unwrap());
    assert!(!ground.at("out").exists());
}

#[test]
fn the_first_token_that_differs_is_named_from_the_lock_alone() {
    let ground = Ground::new();
    ground.put("target.gguf", &model(0, &["one", "two"]));
    ground.put("draft.gguf", &model(0, &["one", "zwei", "drei"]));
    assert_eq!(ground.run(&["lock"]).0, 0);
    fs::remove_dir_all(ground.at("store")).unwrap();
    let (code, said, _) = ground.run(&["check", "--locked", "--output-format", "json"]);
    assert_eq!(code, 1);
    assert!(said.contains("token 9 is `two` for the target and `zwei` for the draft"), "{said}");
}

#[test]
fn a_few_tokens_more_are_a_warning_and_many_are_an_error() {
    let ground = Ground::new();
    ground.put("draft.gguf", &model(0, &["more"]));
    assert_eq!(ground.run(&["lock"]).0, 0);
    // With a token more it is also the larger file.
    assert_eq!(
        ground.codes(&["check", "--locked"]),
        (0, vec!["larger-draft".into(), "uneven-vocabularies".into()])
    );
    let many: Vec<String> = (0..129).map(|n| format!("more {n}")).collect();
    ground.put("draft.gguf", &model(0, &many.iter().map(String::as_str).collect::<Vec<_>>()));
    assert_eq!(ground.run(&["lock"]).0, 0);
    assert_eq!(
        ground.codes(&["check", "--locked"]),
        (1, vec!["larger-draft".into(), "refuted-draft".into()])
    );
}

#[test]
fn what_is_not_there_or_broken_does_not_keep_the_rest_from_being_locked() {
    let ground = Ground::new();
    fs::remove_file(ground.at("store/draft.gguf")).unwrap();
    assert_eq!(ground.codes(&["lock"]), (1, vec!["missing-model".into()]));
    assert!(ground.lock().contains("\"target\"") && !ground.lock().contains("\"draft\""));
    // Facts of a file that lies elsewhere are kept; those of a broken one are not.
    ground.put("draft.gguf", &model(0, &[]));
    assert_eq!(ground.run(&["lock"]).0, 0);
    fs::remove_file(ground.at("store/draft.gguf")).unwrap();
    let whole = ground.lock();
    assert_eq!(ground.codes(&["lock"]), (1, vec!["missing-model".into()]));
    assert_eq!(ground.lock(), whole);
    let bytes = model(0, &[]).bytes();
    fs::write(ground.at("store/draft.gguf"), &bytes[..bytes.len() - 1000]).unwrap();
    let (code, _, said) = ground.run(&["lock"]);
    assert_eq!(code, 1);
    assert!(said.contains("it is cut short"), "{said}");
    assert!(!ground.lock().contains("\"draft\""));
    let locked = ["missing-field".to_owned()];
    assert_eq!(ground.codes(&["check", "--locked"]).1, locked);
}

#[test]
fn what_is_not_locked_is_counted_and_fails_where_all_has_to_be_proved() {
    let ground = Ground::new();
    ground.registry(&REGISTRY.replace("quant=\"F32\"", "quant=\"F32\" size=\"1 GB\""));
    let (code, _, said) = ground.run(&["check"]);
    assert_eq!((code, &*said), (0, "no findings; 2 things were not checked; --verbose lists them\n"));
    let (code, names) = ground.codes(&["check", "--locked"]);
    assert_eq!((code, names), (1, vec!["not-checked".to_owned()]));
    // With a lock of some, the others are counted one by one: a model, and the draft of a role.
    fs::remove_file(ground.at("store/draft.gguf")).unwrap();
    assert_eq!(ground.run(&["lock"]).0, 1);
    let names = ground.codes(&["check", "--locked"]).1;
    assert_eq!(names, ["contradicted-fact", "not-checked", "not-checked"]);
    ground.put("draft.gguf", &model(0, &[]));
    // A size that is declared is held against the file.
    assert_eq!(ground.run(&["lock"]).0, 0);
    assert_eq!(ground.codes(&["check"]), (1, vec!["contradicted-fact".to_owned(); 2]));
}

#[test]
fn every_declared_fact_is_held_against_the_file() {
    let ground = Ground::new();
    assert_eq!(ground.run(&["lock"]).0, 0);
    for (from, to, said) in [
        (
            "quant=\"F32\" file=\"target",
            "quant=\"Q8_0\" file=\"target",
            "declared as `Q8_0`, and its file is `F32`",
        ),
        (
            "title=\"Target\"",
            "title=\"Target\" trained-context=1024",
            "a trained context of 1024, and its file has 4096",
        ),
        (
            "file=\"target.gguf\"",
            "file=\"target.gguf\" { experts total=8; }",
            "with 8 experts, and its file has none",
        ),
        ("arch=\"qwen2\"", "arch=\"llama\"", "with the architecture `llama`, and its file has `qwen2`"),
    ] {
        ground.registry(&REGISTRY.replacen(from, to, 1));
        let (code, out, _) = ground.run(&["check", "--output-format", "json"]);
        assert_eq!(code, 1, "{out}");
        assert!(out.contains(said), "{said}: {out}");
        assert!(out.contains("registry/registry.lock"), "{out}");
    }
    for same in ["quant=\"f32\" file=\"target", "quant=\"UD-Q4_K_XL\" file=\"target"] {
        ground.registry(&REGISTRY.replacen("quant=\"F32\" file=\"target", same, 1));
        assert_eq!(ground.codes(&["check", "--locked"]), (0, vec![]), "{same}");
    }
}

#[test]
fn shards_are_one_model() {
    let ground = Ground::new();
    let shard = |number: u16, gguf: Gguf| gguf.u16("split.no", number).u16("split.count", 3);
    ground.put("big-00001-of-00003.gguf", &shard(0, model(0, &[])));
    ground.put(
        "big-00002-of-00003.gguf",
        &shard(1, Gguf::new("qwen2").tensor("blk.0.attn_k.weight", &[32, 32])),
    );
    let registry = REGISTRY.replace("file=\"target.gguf\"", "file=\"big-00001-of-00003.gguf\"");
    ground.registry(&registry);
    assert_eq!(ground.run(&["lock"]).0, 0);
    let (code, out, _) = ground.run(&["check", "--output-format", "json"]);
    assert!(
        code == 1 && out.contains("lacks 1 file of its 3 shards") && out.contains("without number 3"),
        "{out}"
    );
    ground.put("big-00003-of-00003.gguf", &shard(2, Gguf::new("qwen2")));
    assert_eq!(ground.codes(&["lock", "--check"]), (1, vec!["stale-lock".into()]));
    assert_eq!(ground.run(&["lock"]).0, 0);
    assert_eq!(ground.codes(&["check", "--locked"]), (0, vec![]));
    // Another shard than it says, and a shard that is named in place of the first.
    ground.put("big-00003-of-00003.gguf", &shard(0, Gguf::new("qwen2")));
    let json = ["lock", "--output-format", "json"];
    assert!(ground.run(&json).1.contains("shard 3, byte 0: its `split.no` is not 2"));
    ground.registry(&registry.replace("00001-of", "00002-of"));
    assert!(ground.run(&json).1.contains("this is shard 2 of 3"));
}

#[test]
fn a_lock_of_no_use_is_said_and_written_anew() {
    let ground = Ground::new();
    let path = ground.at("registry/registry.lock");
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
        assert_eq!(ground.codes(&["check", "--locked"]), (1, vec![name.into()]), "{text}");
        assert_eq!(ground.codes(&["lock", "--check"]), (1, vec![name.into()]), "{text}");
        assert_eq!(ground.codes(&["lock"]), (0, vec![]), "{text}");
        assert_eq!(ground.codes(&["check", "--locked"]), (0, vec![]), "{text}");
    }
    fs::write(&path, b"\xff\xfe\0").unwrap();
    assert_eq!(ground.codes(&["check"]), (1, vec!["not-utf8".into()]));
    assert_eq!(ground.codes(&["lock"]), (0, vec![]));
    fs::remove_file(&path).unwrap();
    assert_eq!(ground.codes(&["lock", "--check"]), (1, vec!["stale-lock".into()]));
    assert!(!path.exists());
}

/// Whatever is cut out of a lock or put into it: it is read or refused, and nothing panics.
#[test]
fn a_lock_that_was_edited_by_hand() {
    let ground = Ground::new();
    ground.put("draft.gguf", &model(0, &["x"]));
    assert_eq!(ground.run(&["lock"]).0, 0);
    let (lock, registry) = (ground.lock(), fs::read_to_string(ground.at("registry/stack.kdl")).unwrap());
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
fn a_file_is_shown_to_people_and_programs() {
    let ground = Ground::new();
    let (code, out, err) = ground.run(&["inspect", "store/target.gguf"]);
    assert_eq!((code, &*err), (0, ""));
    snapshot("inspect", &out);
    let (_, out, _) = ground.run(&["inspect", "store/target.gguf", "--output-format", "json"]);
    let shown: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(shown["facts"]["vocabulary"]["size"], 8);
    assert_eq!(shown["tensors"][0]["name"], "token_embd.weight");
    for (file, said) in [
        ("store", "it is not a file"),
        ("nowhere.gguf", "there is no such file"),
        ("registry/stack.kdl", "byte 0: the file does not begin with `GGUF`"),
    ] {
        let (code, _, err) = ground.run(&["inspect", file]);
        assert!(code == 2 && err.contains(said), "{err}");
    }
}
