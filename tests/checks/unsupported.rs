//! Words of model files against the closed lists of the pinned builds.

use crate::language::BASE;
use crate::support::{Compiled, compile};

/// A model `odd` on a build, with more facts in the lock. `PROJECTOR_` before a word makes it the type of a projector.
fn locked(profile: &str, arch: &str, facts: &str) -> Compiled {
    let text = format!(
        "engine \"pinned\" profile=\"{profile}\" bin=\"/opt/pinned/bin\"
family \"odd\" arch=\"{arch}\"
model \"odd\" family=\"odd\" title=\"Odd\" quant=\"F32\" size=\"1 GB\" file=\"odd.gguf\" projector=\"eye.gguf\"
role \"odd\" tier=\"A\" residency=\"hot\" model=\"odd\" engine=\"pinned\" port=9000 context=4096
"
    );
    let entry = |file: &str, arch: &str, more: &str| {
        format!(
            "{{\"file\": \"{file}\", \"header\": \"0\", \"size\": 1000000000, \"architecture\": \"{arch}\"{more}}}"
        )
    };
    let (facts, eye) = match facts.strip_prefix("PROJECTOR_") {
        Some(kind) => ("", format!(", \"projector_type\": \"{kind}\"")),
        None => (facts, String::new()),
    };
    let (odd, eye) = (entry("odd.gguf", arch, facts), entry("eye.gguf", "clip", &eye));
    let lock = format!(
        "{{\"format_version\": 1, \"models\": {{\"odd\": {odd}}}, \"projectors\": {{\"odd\": {eye}}}}}"
    );
    compile(&[("base.kdl", BASE), ("case.kdl", &text), ("registry.lock", &lock)])
}

fn pre(kind: &str, pre: &str) -> String {
    format!(", \"vocabulary\": {{\"type\": \"{kind}\", \"size\": 9, \"pre\": \"{pre}\"}}")
}

fn tensors(kind: &str) -> String {
    format!(", \"tensors\": {{\"bytes\": {{\"f32\": 4, \"{kind}\": 400}}, \"count\": 2}}")
}

#[test]
fn each_list_of_the_build_decides() {
    let cases: &[(&str, &str, String, bool)] = &[
        ("llama.cpp-b11434", "k2-horizon", String::new(), false),
        ("llama.cpp-b11669", "k2-horizon", String::new(), true),
        ("llama.cpp-b11669", "flint", String::new(), false),
        ("llama.cpp-b12032", "flint", String::new(), true),
        ("llama.cpp-2026-03-fork", "gemma4", String::new(), false),
        ("ik_llama.cpp-8337e4cd3", "kimi-k3", String::new(), false),
        ("llama.cpp-b11669", "qwen2", pre("gpt2", "tulip"), false),
        ("llama.cpp-b11669", "qwen2", pre("gpt2", ""), true),
        ("llama.cpp-b11669", "qwen2", pre("gpt2", "default"), true),
        // Other vocabularies have no pre-tokenizer.
        ("llama.cpp-b11669", "qwen2", pre("llama", "tulip"), true),
        ("llama.cpp-b9093", "qwen2", pre("gpt2", "mellum2"), false),
        ("llama.cpp-b11434", "qwen2", pre("gpt2", "mellum2"), true),
        ("llama.cpp-b11669", "qwen2", tensors("iq5_ks"), false),
        ("ik_llama.cpp-8337e4cd3", "qwen2", tensors("iq5_ks"), true),
        ("ik_llama.cpp-8337e4cd3", "qwen2", tensors("nvfp4"), false),
        ("llama.cpp-b11669", "qwen2", tensors("nvfp4"), true),
        ("llama.cpp-b11434", "qwen2", "PROJECTOR_cohere2v".to_owned(), false),
        ("llama.cpp-b11669", "qwen2", "PROJECTOR_cohere2v".to_owned(), true),
    ];
    for (profile, arch, facts, is_known) in cases {
        let compiled = locked(profile, arch, facts);
        let found = compiled.codes().contains(&"unsupported-model");
        assert_eq!(found, !is_known, "{profile} {arch} {facts}\n{}", compiled.report());
    }
}

#[test]
fn the_help_names_a_build_a_replacement_or_another_engine() {
    for (profile, arch, facts, help) in [
        ("llama.cpp-b9093", "hy_v3", String::new(), "profile `llama.cpp-b10434` or newer"),
        (
            "llama.cpp-b11669",
            "qwen2",
            tensors("iq2_kl"),
            "serve it with ik_llama.cpp: profile `ik_llama.cpp-8337e4cd3`",
        ),
        ("llama.cpp-b11669", "qwen2", tensors("q4_0_8_8"), "use a file of type `Q4_0`"),
        ("llama.cpp-b11669", "qwen2", pre("gpt2", "tulip"), "no known build has `tulip`"),
    ] {
        let compiled = locked(profile, arch, &facts);
        let finding = compiled.findings.findings().iter().find(|finding| finding.code.number == 381).unwrap();
        let found = finding.help.iter().any(|line| line.contains(help));
        assert!(found, "{:?} does not contain {help}", finding.help);
    }
}

#[test]
fn a_list_that_the_profile_lacks_is_not_checked() {
    let compiled = locked("llama.cpp-b12032", "qwen2", &pre("gpt2", "tulip"));
    let why: Vec<&str> = (compiled.findings.not_checked().iter())
        .filter(|entry| entry.check == "unsupported-model")
        .map(|entry| entry.why.as_str())
        .collect();
    assert!(matches!(&why[..], [why] if why.contains("has no list `pre_tokenizers`")), "{why:?}");
    assert!(!compiled.codes().contains(&"unsupported-model"));
}

#[test]
fn a_misspelt_architecture_is_one_finding_with_the_right_word() {
    let role = "role \"a\" tier=\"A\" residency=\"hot\" model=\"m\" port=9000 context=4096\n";
    let model = "model \"m\" family=\"f\" title=\"M\" quant=\"Q8_0\" size=\"1 GB\" file=\"m.gguf\"\n";
    let text = format!("family \"f\" arch=\"qwen3_moe\"\n{model}{role}");
    let compiled = super::compile_with_base(&text);
    assert_eq!(compiled.codes(), ["unsupported-model"], "{}", compiled.report());
    let [finding] = compiled.findings.findings() else { panic!() };
    assert_eq!(finding.fixes.len(), 1, "{:?}", finding.fixes);
    assert_eq!(finding.fixes[0].edits[0].text, "\"qwen3moe\"");
}
