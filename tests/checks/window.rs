//! The window of a request: a context that the engine fits, and slots that share one cache.

use super::{assert_codes, compile_with_base, role};
use crate::language::BASE;
use crate::support::{Compiled, compile};
use orchgen::engine::Family;
use orchgen::engine::Profile;

/// The role `a` on each build of llama.cpp: its arguments, or the messages of the findings.
fn on_each_build(fields: &str) -> Vec<(String, Result<String, String>)> {
    let builds = Profile::built_in_of(Family::LlamaCpp).map(Profile::name);
    let result = |build: &str| {
        let text = BASE.replace("llama.cpp-b11434", build)
            + &role("a", &format!("port=9000 {fields}")).replace("context=4096", "");
        let compiled = compile(&[("a.kdl", &text)]);
        let messages: Vec<&str> = compiled.findings.findings().iter().map(|one| &*one.message).collect();
        if messages.is_empty() { Ok(compiled.arguments("a")) } else { Err(messages.join("; ")) }
    };
    builds.map(|build| (build.to_owned(), result(build))).collect()
}

#[test]
fn shared_slots_have_one_cache_in_each_build() {
    for (build, arguments) in on_each_build("context=65536 { slots 4 shared=#true }") {
        let arguments = arguments.unwrap();
        assert!(arguments.contains("-c 65536 -np 4 --kv-unified "), "{build}: {arguments}");
        assert!(!arguments.contains("--no-kv-unified"), "{build}: {arguments}");
    }
    // The trained context of 32768 tokens is for all slots together, so the engine reads it from the header.
    for (build, arguments) in on_each_build("{ slots 4 shared=#true }") {
        assert!(arguments.as_ref().unwrap().contains("-c 0 -np 4 --kv-unified "), "{build}: {arguments:?}");
    }
    for (build, arguments) in on_each_build("slots=4") {
        assert!(arguments.as_ref().unwrap().contains("-c 131072 -np 4 "), "{build}: {arguments:?}");
    }
}

#[test]
fn builds_fit_the_context_or_the_finding_names_those_that_do() {
    for (build, arguments) in
        on_each_build("{ context \"fit\" least=8192; option \"fit-target\" value=2048 }")
    {
        if build.contains("2026-03") {
            assert!(arguments.unwrap_err().contains("fits only the memory of a GPU"), "{build}");
            continue;
        }
        let arguments = arguments.unwrap();
        assert!(arguments.contains("--fit-ctx 8192 --fit on -np 1 "), "{build}: {arguments}");
        assert!(
            arguments.contains("--fit-target 2048") && !arguments.contains("-c "),
            "{build}: {arguments}"
        );
    }
    for (build, arguments) in on_each_build("{ context \"fit\"; slots 2 }") {
        let is_known = ["b11434", "b11669", "b12032"].iter().any(|known| build.ends_with(known));
        match arguments {
            Ok(arguments) => assert!(
                is_known && arguments.contains("--fit-ctx 4096 --fit on -np 2 "),
                "{build}: {arguments}"
            ),
            Err(why) => assert!(!is_known, "{build}: {why}"),
        }
    }
    for (build, arguments) in on_each_build("{ context \"fit\"; slots 2 shared=#true }") {
        assert_eq!(arguments.is_ok(), !build.contains("2026-03"), "{build}: {arguments:?}");
    }
    let compiled = compile_with_base(&role("a", "port=9000 { context \"fit\" }").replace("context=4096", ""));
    let json = &compiled.files()["stack.json"].0;
    assert!(json.contains("\"context\": null"), "{json}");
}

#[test]
fn fields_without_an_effect_are_reported() {
    let with = |fields: &str| role("a", &format!("port=9000 {{ {fields} }}")).replace("context=4096", "");
    assert_codes(&["conflicting-fields"], &with("context 4096 least=2048"));
    assert_codes(&["conflicting-fields"], &with("context \"trained\" least=2048"));
    assert_codes(&["conflicting-fields"], &with("context 4096; slots 1 shared=#true"));
    assert_codes(&["missing-field"], &with("context 4096; slots shared=#true"));
    assert_codes(&["untrained-context"], &with("context 131073; slots 4 shared=#true"));
    assert_codes(&[], &with("context 131072; slots 4 shared=#true"));
    assert_codes(&["untrained-context"], &with("context \"fit\" least=32769"));
    assert_codes(&["idle-option"], &with("context 4096; option \"fit-target\" value=9"));
    assert_codes(&["engine-cannot"], &with("context \"fit\"; pooling \"last\""));
}

/// A lock of the model `plain` with 4 layers and 2 KV heads of 64 and a trained context of 32768.
const LOCK: &str = r#"{"format_version": 1, "models": {"plain": {"file": "plain.gguf", "header": "0", "size": 4400000000,
  "architecture": "qwen2", "parameters": {"block_count": 4, "embedding_length": 256, "context_length": 32768,
  "feed_forward_length": 512, "attention.head_count": 4, "attention.head_count_kv": 2},
  "vocabulary": {"type": "gpt2", "size": 1000}, "tensors": {"bytes": {"q6_K": 4400000000}}}}}"#;

/// Bytes of the KV cache per token: 4 layers, keys and values of 2 heads of 64 in f16.
const TOKEN: u64 = 4 * 2 * 2 * 64 * 2;

fn memory(fields: &str) -> (u64, String) {
    let text = BASE.replace("role \"basic\"", "role \"other\"");
    let text = text + &role("a", &format!("port=9000 {{ {fields} }}")).replace("context=4096", "");
    let compiled: Compiled = compile(&[("a.kdl", &text), ("registry.lock", LOCK)]);
    let derived = compiled.checked();
    let role = derived
        .derived()
        .roles
        .iter()
        .find(|role| derived.registry().roles.get(role.id).head.name.value == "a".into())
        .unwrap();
    let of = |kind| role.memory.parts.iter().filter(move |part| part.kind == kind);
    let cache = of(orchgen::engine::memory::PartKind::Cache).map(|part| part.amount.bytes()).sum();
    let rest: Vec<String> =
        of(orchgen::engine::memory::PartKind::Rest).map(|part| format!("{:?}", part.amount)).collect();
    (cache, rest.join(" "))
}

#[test]
fn memory_counts_one_shared_cache_and_the_least_fitted_context() {
    assert_eq!(memory("context 8192; slots 4"), (4 * 8192 * TOKEN, String::new()));
    assert_eq!(memory("context 8192; slots 4 shared=#true"), (8192 * TOKEN, String::new()));
    assert_eq!(memory("slots 4 shared=#true"), (32768 * TOKEN, String::new()));
    for (fields, tokens) in [
        ("context \"fit\" least=8192", 8192),
        ("context \"fit\"", 4096),
        ("context \"fit\" least=8192; slots 2", 16384),
        ("context \"fit\" least=8192; slots 2 shared=#true", 8192),
    ] {
        let (cache, rest) = memory(fields);
        assert_eq!(cache, tokens * TOKEN, "{fields}");
        assert!(rest.contains("only its minimum"), "{fields}: {rest}");
    }
}
