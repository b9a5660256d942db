//! `orchgen add model` and `orchgen add role`: where the item goes, its layout, and what is refused.

use crate::facts::build::Gguf;
use crate::support::{compile_folder, orchgen};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

const BASE: &str = "stack \"home\" engine=\"llama.cpp\"
engine \"llama.cpp\" profile=\"llama.cpp-b11669\" bin=\"/usr/bin\"
";

/// A registry of one file, next to model files.
struct Registry {
    folder: tempfile::TempDir,
    name: &'static str,
}

impl Registry {
    fn new(name: &'static str, text: &str) -> Self {
        let registry = Self { folder: tempfile::tempdir().unwrap(), name };
        fs::create_dir_all(registry.at("registry")).unwrap();
        fs::write(registry.at(&format!("registry/{name}")), text).unwrap();
        registry
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn text(&self) -> String {
        fs::read_to_string(self.at(&format!("registry/{}", self.name))).unwrap()
    }

    /// Writes a model file.
    fn model(&self, path: &str, arch: &str) {
        let gguf = Gguf::new(arch).u32("general.file_type", 15).u32(&format!("{arch}.context_length"), 4096);
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, gguf.tensor("token_embd.weight", &[64, 64]).bytes()).unwrap();
    }

    fn add(&self, args: &[&str]) -> Output {
        Command::new(orchgen())
            .arg("add")
            .args(args)
            .current_dir(self.folder.path())
            .env_clear()
            .output()
            .unwrap()
    }

    /// Adds an item, and returns the new text after the first part that is equal.
    #[track_caller]
    fn added(&self, args: &[&str]) -> String {
        let before = self.text();
        let output = self.add(args);
        let messages = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{messages}");
        let after = self.text();
        assert!(after != before, "{messages}");
        let compiled = compile_folder(&self.at("registry"));
        assert!(!compiled.findings.has_errors(), "{}", compiled.report());
        after
    }

    /// The message of an item that is not added.
    #[track_caller]
    fn refused(&self, code: i32, args: &[&str]) -> String {
        let before = self.text();
        let output = self.add(args);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{message}");
        assert_eq!(self.text(), before);
        message
    }
}

fn kdl(rest: &str) -> Registry {
    Registry::new("stack.kdl", &format!("{BASE}{rest}"))
}

fn yaml(rest: &str) -> Registry {
    let base = "stack: {name: home, engine: llama.cpp}\nengines:\n  llama.cpp: {profile: llama.cpp-b11669, bin: /usr/bin}\n";
    Registry::new("stack.yaml", &format!("{base}{rest}"))
}

const ROLE: &[&str] = &["role", "new", "--model", "m", "--context", "4096"];

#[test]
fn a_role_of_kdl_follows_the_last_role_in_its_layout() {
    let model = "model \"m\" size=\"1 GB\" file=\"/m.gguf\"\n";
    let new = "role \"new\" model=\"m\" port=8081 context=4096";
    for (roles, expected) in [
        // The comment of the line stays on it, and what follows stays below.
        (
            "role \"a\" model=\"m\" port=8080 context=512 // first\n// end\nexpect \"x\" residency=\"hot\" fits=\"24 GB\"\n",
            format!("role \"a\" model=\"m\" port=8080 context=512 // first\n{new}\n// end\nexpect"),
        ),
        // Empty lines between roles.
        (
            "role \"a\" model=\"m\" port=8080 context=512\n\n// b\nrole \"b\" model=\"m\" port=8090 context=512\n\n",
            format!("context=512\n\n{new}\n\n"),
        ),
        // A block of several lines.
        (
            "role \"a\" model=\"m\" port=8080 {\n    context 512\n}\n",
            format!("{{\n    context 512\n}}\n{new}\n"),
        ),
        // Another node follows on the line: the new one goes to the end.
        (
            "role \"a\" model=\"m\" port=8080 context=512; model \"n\" size=\"1 GB\" file=\"/n.gguf\"\n",
            format!("/n.gguf\"\n\n{new}\n"),
        ),
        // No role: after an empty line, and after a last comment without a line break.
        ("// the end", format!("// the end\n\n{}\n", new.replace("8081", "8080"))),
        ("\n\n\n", format!("/m.gguf\"\n\n{}\n", new.replace("8081", "8080"))),
    ] {
        let registry = kdl(&format!("{model}{roles}"));
        let text = registry.added(ROLE);
        assert!(text.contains(&expected), "{text}");
    }
}

#[test]
fn a_role_of_yaml_follows_the_last_role_in_its_layout() {
    let model = "models: {m: {size: 1 GB, file: /m.gguf}}\n";
    let short = "new: {model: m, port: 8081, context: 4096}";
    for (roles, expected) in [
        (
            "roles:\n  a: {model: m, port: 8080, context: 512} # first\n# end\nexpects: {x: {residency: hot, fits: 24 GB}}\n",
            format!("context: 512}} # first\n  {short}\n# end\nexpects"),
        ),
        (
            "roles:\n    a:\n        model: m\n        port: 8080\n        context: 512\n",
            "context: 512\n    new:\n        model: m\n        port: 8081\n        context: 4096\n"
                .to_owned(),
        ),
        (
            "roles:\n  a: {model: m, port: 8080, context: 512}\n\n  # b\n  b: {model: m, port: 8090, context: 512}\n",
            format!("port: 8090, context: 512}}\n\n  {short}\n"),
        ),
        (
            "roles: {a: {model: m, port: 8080, context: 512}}\n",
            format!("roles: {{a: {{model: m, port: 8080, context: 512}}, {short}}}\n"),
        ),
        ("# the end", format!("# the end\n\nroles:\n  {}\n", short.replace("8081", "8080"))),
        ("roles:\n", format!("roles: {{{}}}\n", short.replace("8081", "8080"))),
    ] {
        let registry = yaml(&format!("{model}{roles}"));
        let text = registry.added(ROLE);
        assert!(text.contains(&expected), "{text}");
    }
}

#[test]
fn the_line_breaks_of_a_file_are_kept() {
    let registry = Registry::new(
        "stack.kdl",
        &format!("{BASE}model \"m\" size=\"1 GB\" file=\"/m.gguf\"\n").replace('\n', "\r\n"),
    );
    let text = registry.added(ROLE);
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{text:?}");
}

#[test]
fn the_change_is_printed_and_a_dry_run_writes_nothing() {
    let registry = kdl("model \"m\" size=\"1 GB\" file=\"/m.gguf\"\n");
    let before = registry.text();
    let output = registry.add(&[ROLE, &["--dry-run"]].concat());
    assert_eq!((output.status.code(), registry.text() == before), (Some(0), true));
    let diff = String::from_utf8(output.stdout).unwrap();
    assert!(diff.starts_with("--- a/registry/stack.kdl\n+++ b/registry/stack.kdl\n"), "{diff}");
    assert!(diff.contains("+role \"new\" model=\"m\" port=8080 context=4096\n"), "{diff}");
    let output = registry.add(&[ROLE, &["--dry-run", "--quiet"]].concat());
    assert_eq!((output.stderr.len(), output.stdout.is_empty()), (0, false));
}

#[test]
fn a_port_is_free_and_a_role_behind_the_default_gateway_has_none() {
    let models = "model \"m\" size=\"1 GB\" file=\"/m.gguf\"\n";
    let used = "role \"a\" model=\"m\" ports=\"8080-8082\" context=512\nservice \"s\" port=8084\n\
                role \"b\" model=\"m\" port=8083 context=512 residency=\"warm\" { backend port=18085 }\n";
    let text = kdl(&format!("{models}{used}")).added(ROLE);
    assert!(text.contains("role \"new\" model=\"m\" port=8086"), "{text}");
    let registry = Registry::new(
        "stack.kdl",
        &format!(
            "{}gateway \"front\" port=8000\n{models}",
            BASE.replace("\"\nengine", "\" { defaults { gateway \"front\" } }\nengine")
        ),
    );
    let text = registry.added(ROLE);
    assert!(text.contains("role \"new\" model=\"m\" context=4096\n"), "{text}");
}

#[test]
fn all_options_of_a_role_are_written() {
    let registry = kdl(
        "host \"box\" memory=\"64 GB\" cpus=\"0-7\" { gpu \"CUDA0\" memory=\"24 GB\" }\nhost \"other\" memory=\"64 GB\"\n\
         tier \"A\" title=\"first\"\nmodel \"m\" arch=\"qwen2\" size=\"9 GB\" file=\"/m.gguf\"\nmodel \"d\" arch=\"qwen2\" size=\"1 GB\" file=\"/d.gguf\"\n",
    );
    let args = [
        "role",
        "new",
        "--model",
        "m",
        "--draft",
        "d",
        "--port",
        "9000",
        "--residency",
        "warm",
        "--host",
        "box",
    ];
    let more = [
        "--context",
        "fit",
        "--slots",
        "2",
        "--alias",
        "gpt-4o",
        "--alias",
        "x",
        "--gpu",
        "CUDA0",
        "--tier",
        "A",
    ];
    let text = registry.added(&[&args[..], &more].concat());
    let expected = "role \"new\" tier=\"A\" model=\"m\" draft=\"d\" port=9000 residency=\"warm\" host=\"box\" context=\"fit\" slots=2 {\n    \
                    alias \"gpt-4o\" \"x\"\n    placement gpu=\"CUDA0\"\n}\n";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn an_encoder_gets_the_pooling_that_the_help_names() {
    let registry = kdl("model \"e\" arch=\"bert\" size=\"1 GB\" file=\"/e.gguf\"\n");
    let args = ["role", "new", "--model", "e", "--context", "512"];
    assert!(registry.refused(1, &args).contains("write `pooling=\"mean\"`"));
    let text = registry.added(&[&args[..], &["--pooling", "mean"]].concat());
    assert!(text.contains("pooling=\"mean\""), "{text}");
}

#[test]
fn a_role_off_the_gpus_of_its_host_is_noted() {
    let host = "host \"box\" memory=\"64 GB\" { gpu \"CUDA0\" memory=\"24 GB\" }\n";
    let registry = kdl(&format!("{host}model \"m\" size=\"1 GB\" file=\"/m.gguf\"\n"));
    let message = String::from_utf8(registry.add(ROLE).stderr).unwrap();
    let note = "note: the role does not use the GPUs of host `box`; `--gpu CUDA0` places it there\n";
    assert!(message.contains(note), "{message}");
}

#[test]
fn what_check_would_refuse_is_not_written() {
    let registry = kdl(
        "model \"coder\" size=\"1 GB\" file=\"/m.gguf\"\nrole \"a\" model=\"coder\" port=8080 context=512\n",
    );
    for (code, args, expected) in [
        (2, &["role", "b", "--model", "codr"][..], "no model is named `codr`: did you mean `coder`?"),
        (
            2,
            &["role", "b", "--model", "zzzzzzzz"],
            "no model is named `zzzzzzzz`: the registry has `coder`; `orchgen add model FILE`",
        ),
        (1, &["role", "a", "--model", "coder"], "role `a` is declared twice"),
        (1, &["role", "b", "--model", "coder", "--port", "8080"], "write `port=8081` in role `b`"),
        (1, &["role", "b", "--model", "coder", "--residency", "warn"], "`warm`"),
        (1, &["role", "b", "--model", "coder", "--port", "http"], "port"),
        (1, &["role", "b c", "--model", "coder"], "b-c"),
        (1, &["role", "b", "--model", "coder", "--gateway", "front"], "gateway"),
        (1, &["role", "b", "--model", "coder", "--gpu", "CUDA0"], "CUDA0"),
        (1, &["role", "b", "--model", "coder", "--context", "many"], "trained"),
        (2, &["role", "b"], "--model"),
        (2, &["role", "b", "--model", "coder", "--port", "1", "--gateway", "g"], "cannot be used with"),
    ] {
        let message = registry.refused(code, args);
        assert!(message.contains(expected), "{args:?}: {message}");
        assert!(code == 2 || message.contains("so nothing is written"), "{message}");
    }
}

#[test]
fn errors_that_the_registry_has_anyway_do_not_stop_an_addition() {
    let registry = kdl(
        "model \"m\" size=\"1 GB\" file=\"/m.gguf\"\nrole \"a\" model=\"missing\" port=8080 context=512\n",
    );
    let output = registry.add(ROLE);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && !message.contains("missing"), "{message}");
    assert!(message.contains("note: the registry has other errors"), "{message}");
    let registry = kdl("model \"m\" size=\"1 GB\" file=\"/m.gguf\"\nrole \"a\" model=\"m {\n");
    let message = registry.refused(2, ROLE);
    assert!(message.contains("`registry/stack.kdl` has syntax errors: run `orchgen check`"), "{message}");
}

#[test]
fn a_model_has_the_facts_of_its_header() {
    let registry = kdl("store \"models\" path=\"STORE\"\nfamily \"coders\" arch=\"qwen2\"\n");
    let store = registry.at("models").to_string_lossy().into_owned();
    fs::write(registry.at("registry/stack.kdl"), registry.text().replace("STORE", &store)).unwrap();
    registry.model("models/sub/Qwen2.5-Coder-7B-Q4_K_M.gguf", "qwen2");
    registry.model("models/Llama-3-8B-Q4_K_M.gguf", "llama");
    registry.model("elsewhere/Phi-4-Q4_K_M.gguf", "phi3");
    let text = registry.added(&["model", "models/sub/Qwen2.5-Coder-7B-Q4_K_M.gguf"]);
    let expected = "model \"qwen2.5-coder-7b\" family=\"coders\" quant=\"Q4_K_M\" size=\"";
    assert!(text.contains(expected) && text.contains("file=\"sub/Qwen2.5-Coder-7B-Q4_K_M.gguf\""), "{text}");
    let text = registry.added(&["model", "models/Llama-3-8B-Q4_K_M.gguf", "--name", "big"]);
    assert!(text.contains("model \"big\" arch=\"llama\""), "{text}");
    let text = registry.added(&["model", "elsewhere/Phi-4-Q4_K_M.gguf"]);
    let path = registry.at("elsewhere/Phi-4-Q4_K_M.gguf");
    assert!(text.contains(&format!("file=\"{}\"", path.display())), "{text}");
    let message = registry.refused(2, &["model", "models/Llama-3-8B-Q4_K_M.gguf"]);
    assert!(message.contains("model `big` already has this file"), "{message}");
    let message = registry.refused(2, &["model", "models/../models/Llama-3-8B-Q4_K_M.gguf", "--name", "big"]);
    assert!(message.contains("model `big` already has this file"), "{message}");
}

#[test]
fn a_model_of_several_stores_names_its_store() {
    let registry = kdl("store \"a\" path=\"TEST/a\"\nstore \"b\" path=\"TEST/a/b\"\n");
    let root = registry.folder.path().to_string_lossy().into_owned();
    fs::write(registry.at("registry/stack.kdl"), registry.text().replace("TEST", &root)).unwrap();
    registry.model("a/b/M-Q4_K_M.gguf", "qwen2");
    let text = registry.added(&["model", "a/b/M-Q4_K_M.gguf"]);
    assert!(text.contains("file=\"M-Q4_K_M.gguf\" store=\"b\""), "{text}");
}

#[test]
fn a_projector_next_to_a_model_is_named() {
    let registry = yaml("");
    let projector = || Gguf::new("clip").text("general.type", "mmproj").bytes();
    registry.model("one/Vision-Q4_K_M.gguf", "qwen2");
    fs::write(registry.at("one/mmproj-F16.gguf"), projector()).unwrap();
    let output = registry.add(&["model", "one/Vision-Q4_K_M.gguf", "--dry-run"]);
    let diff = String::from_utf8(output.stdout).unwrap();
    assert!(diff.contains("one/mmproj-F16.gguf"), "{diff} {}", String::from_utf8_lossy(&output.stderr));
    fs::write(registry.at("one/mmproj-BF16.gguf"), projector()).unwrap();
    let output = registry.add(&["model", "one/Vision-Q4_K_M.gguf", "--dry-run"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("note: several projectors fit: ")
            && message.contains("`--projector FILE` selects one"),
        "{message}"
    );
    let given = ["model", "one/Vision-Q4_K_M.gguf", "--dry-run", "--projector"];
    let output = registry.add(&[&given[..], &["one/mmproj-BF16.gguf"]].concat());
    assert!(String::from_utf8(output.stdout).unwrap().contains("one/mmproj-BF16.gguf"));
    let output = registry.add(&[&given[..], &["none"]].concat());
    assert!(!String::from_utf8(output.stdout).unwrap().contains("mmproj"));
    let message = registry.refused(2, &[&given[..], &["one/Vision-Q4_K_M.gguf"]].concat());
    assert!(message.contains("is no multimodal projector"), "{message}");
    let message = registry.refused(2, &["model", "one/mmproj-F16.gguf"]);
    assert!(
        message.contains("is a multimodal projector: add its model, with `--projector FILE`"),
        "{message}"
    );
}

#[test]
fn files_that_are_no_models_are_refused_with_the_reason() {
    let registry = kdl("");
    let write = |name: &str, bytes: &[u8]| fs::write(registry.at(name), bytes).unwrap();
    write("a.gguf", b"GGUF\x03\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff");
    write("b.gguf", b"hello");
    write("lora.gguf", &Gguf::new("qwen2").text("general.type", "adapter").bytes());
    write("m-00002-of-00003.gguf", b"");
    write("m-00001-of-00002.gguf", &Gguf::new("qwen2").u16("split.no", 0).u16("split.count", 2).bytes());
    for (file, expected) in [
        ("missing.gguf", "`missing.gguf` cannot be read"),
        ("a.gguf", "`a.gguf` cannot be read"),
        ("b.gguf", "`b.gguf` cannot be read"),
        ("lora.gguf", "is a LoRA adapter: name it as `lora` of a role"),
        ("m-00002-of-00003.gguf", "is a later shard: name the first one, "),
        ("m-00001-of-00002.gguf", "lacks 1 of its 2 shards: 2"),
        ("registry", "`registry` cannot be read"),
    ] {
        let message = registry.refused(2, &["model", file]);
        assert!(message.contains(expected), "{file}: {message}");
    }
}

#[test]
fn an_item_goes_to_the_file_that_has_items_of_its_kind() {
    let registry = kdl("");
    fs::write(registry.at("registry/models.yaml"), "models:\n  m: {size: 1 GB, file: /m.gguf}\n").unwrap();
    fs::write(registry.at("registry/roles.kdl"), "role \"a\" model=\"m\" port=8080 context=512\n").unwrap();
    fs::write(registry.at("registry/zzz.kdl"), "// nothing here\n").unwrap();
    registry.model("New-Q4_K_M.gguf", "qwen2");
    assert!(registry.add(&["model", "New-Q4_K_M.gguf"]).status.success());
    let models = fs::read_to_string(registry.at("registry/models.yaml")).unwrap();
    assert!(models.contains("\n  new: {arch: qwen2, quant: Q4_K_M, size: "), "{models}");
    assert!(registry.add(ROLE).status.success());
    let roles = fs::read_to_string(registry.at("registry/roles.kdl")).unwrap();
    assert!(roles.ends_with("role \"new\" model=\"m\" port=8081 context=4096\n"), "{roles}");
}

#[test]
fn without_a_registry_the_message_names_init() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(orchgen());
    let output =
        command.args(["add", "role", "a", "--model", "m"]).current_dir(folder.path()).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(message.contains("run `orchgen init` to create a registry"), "{message}");
}

#[test]
fn an_addition_that_would_change_another_item_is_refused_with_the_text_to_write() {
    let model = "models: {m: {size: 1 GB, file: /m.gguf}}\n";
    let role = "a: {model: m, port: 8080, context: 512}";
    for (roles, expected) in [
        // The blank lines belong to the value of the variable.
        (
            "roles:\n  a:\n    model: m\n    port: 8080\n    context: 512\n    env:\n      X: |+\n        text\n\n\n",
            "roles: {new: {",
        ),
        (&*format!("roles: {{{role} # c\n }}\n"), "roles: {new: {"),
        ("roles:\n  - {name: a, model: m, port: 8080, context: 512}\n", "roles: {new: {"),
    ] {
        let registry = yaml(&format!("{model}{roles}"));
        let message = registry.refused(2, &[ROLE, &["--port", "9000"]].concat());
        assert!(
            message.contains("has no place where orchgen can add a role") && message.contains(expected),
            "{message}"
        );
    }
    let registry = yaml(&format!(
        "{model}x-base: &base\n  b: {{model: m, port: 9001, context: 512}}\nroles:\n  {role}\n  <<: *base\n"
    ));
    assert!(registry.add(ROLE).status.success());
    let text = registry.text();
    assert!(
        text.contains("context: 512}\n  new: {model: m, port: 8081, context: 4096}\n  <<: *base\n"),
        "{text}"
    );
}

#[test]
fn paths_with_dots_and_symlinks_name_the_same_file() {
    let registry = kdl("store \"models\" path=\"STORE\"\n");
    let store = registry.at("models").to_string_lossy().into_owned();
    fs::write(registry.at("registry/stack.kdl"), registry.text().replace("STORE", &store)).unwrap();
    registry.model("models/A-Q4_K_M.gguf", "qwen2");
    registry.model("models/B-Q4_K_M.gguf", "qwen2");
    std::os::unix::fs::symlink(registry.at("models"), registry.at("link")).unwrap();
    let text = registry.added(&["model", "models/../models/A-Q4_K_M.gguf"]);
    assert!(text.contains("file=\"A-Q4_K_M.gguf\""), "{text}");
    let message = registry.refused(2, &["model", "link/A-Q4_K_M.gguf"]);
    assert!(message.contains("model `a` already has this file"), "{message}");
}
