//! Metadata overrides: keys, types, and the command line.

use super::{assert_codes, compile_with_base, single_finding};

fn role_with(model: &str, overrides: &str) -> String {
    format!(
        "role \"x\" tier=\"A\" residency=\"hot\" model=\"{model}\" context=4096 port=9000 {{ {overrides} }}\n"
    )
}

#[test]
fn a_key_of_another_architecture_suggests_the_right_key() {
    let finding = single_finding(&role_with("mixture", "override \"qwen3next.expert_used_count\" value=4"));
    assert_eq!(finding.code.name, "unknown-override-key");
    assert_eq!(
        finding.message,
        "role `x` overrides `qwen3next.expert_used_count`, which the engine ignores for the architecture `qwen3moe`"
    );
    assert_eq!(finding.primary.text, "a key of `qwen3next`");
    assert_eq!(finding.help, ["write `qwen3moe.expert_used_count`"]);
    assert_eq!(finding.secondary[0].text, "the architecture is `qwen3moe`");
}

#[test]
fn an_unknown_key_suggests_the_nearest() {
    let finding = single_finding(&role_with("mixture", "override \"qwen3moe.expert_use_count\" value=4"));
    assert_eq!(finding.help, ["write `qwen3moe.expert_used_count`"]);
    let finding = single_finding(&role_with("mixture", "override \"zzz.zzz\" value=4"));
    assert_eq!(finding.help, ["use a key of `qwen3moe`, such as `qwen3moe.context_length`"]);
}

#[test]
fn the_value_has_the_type_of_the_key() {
    for (key, value, code) in [
        ("qwen3moe.expert_used_count", "4", None),
        ("qwen3moe.expert_used_count", "4.0", Some("override-type")),
        ("qwen3moe.expert_used_count", "\"4\"", Some("override-type")),
        ("qwen3moe.expert_used_count", "#true", Some("override-type")),
        ("qwen3moe.rope.freq_base", "10000.5", None),
        ("qwen3moe.rope.freq_base", "10000", None),
        ("qwen3moe.rope.freq_base", "\"10000\"", Some("override-type")),
        ("tokenizer.ggml.add_bos_token", "#false", None),
        ("tokenizer.ggml.add_bos_token", "0", Some("override-type")),
        ("tokenizer.ggml.add_bos_token", "\"false\"", Some("override-type")),
        ("qwen3moe.rope.scaling.type", "\"yarn\"", None),
        ("qwen3moe.rope.scaling.type", "1", Some("override-type")),
        ("tokenizer.ggml.tokens", "\"x\"", Some("override-type")),
    ] {
        let codes: Vec<&str> = code.into_iter().collect();
        assert_codes(&codes, &role_with("mixture", &format!("override \"{key}\" value={value}")));
    }
    let finding =
        single_finding(&role_with("mixture", "override \"qwen3moe.expert_used_count\" value=\"4\""));
    assert_eq!(finding.primary.text, "expected a whole number, found the string `4`");
}

#[test]
fn the_command_line_has_the_type_that_the_key_needs() {
    let text = role_with(
        "mixture",
        "override \"qwen3moe.rope.freq_base\" value=10000; override \"qwen3moe.context_length\" value=4096",
    );
    let compiled = compile_with_base(&text);
    let args = compiled.arguments("x");
    assert!(args.contains("qwen3moe.rope.freq_base=float:10000"), "{args}");
    assert!(args.contains("qwen3moe.context_length=int:4096"), "{args}");
}

#[test]
fn a_wrong_override_of_a_family_gives_one_finding() {
    let family = "family \"f\" arch=\"qwen3moe\" { override \"qwen3next.context_length\" value=4 }\n\
        model \"m\" family=\"f\" title=\"M\" quant=\"q\" size=\"1 GB\" file=\"m\"\n";
    let roles = role_with("m", "note \"one\"")
        + &role_with("m", "note \"two\"").replace("\"x\"", "\"y\"").replace("9000", "9001");
    let finding = single_finding(&format!("{family}{roles}"));
    assert_eq!(finding.subject.unwrap().kind, "family");
}

#[test]
fn keys_of_an_unknown_architecture_are_not_checked() {
    let text = "family \"new\" arch=\"brandnew\"\nmodel \"m\" family=\"new\" title=\"M\" quant=\"q\" size=\"1 GB\" file=\"m\"\n".to_owned()
        + &role_with("m", "override \"brandnew.some_key\" value=4");
    let compiled = compile_with_base(&text);
    assert_eq!(compiled.codes(), ["unsupported-model"], "{}", compiled.report());
    assert!(compiled.findings.not_checked().iter().any(|entry| entry.check == "unknown-override-key"));
}

#[test]
fn a_draft_that_inherits_an_override_gives_a_warning() {
    let role_with_draft =
        |overrides: &str| role_with("mixture", &format!("draft \"small-mixture\"; {overrides}"));
    assert_codes(
        &["inherited-override"],
        &role_with_draft("override \"qwen3moe.expert_used_count\" value=4"),
    );
    assert_codes(&["inherited-override"], &role_with_draft("experts 4"));
    assert_codes(&[], &role_with_draft("note \"n\""));
    // A draft of another architecture does not read the key.
    assert_codes(
        &[],
        &role_with("mixture", "draft \"tiny\"; override \"qwen3moe.expert_used_count\" value=4"),
    );
    // A wrong key gives no finding about the draft.
    assert_codes(
        &["unknown-override-key"],
        &role_with_draft("override \"qwen3moe.expert_use_count\" value=4"),
    );
}

#[test]
fn an_unsupported_override_is_reported_at_its_key() {
    let family = "family \"f\" arch=\"qwen3moe\" { override \"qwen3moe.block_count\" value=9 }\n\
        model \"m\" family=\"f\" title=\"M\" quant=\"q\" size=\"1 GB\" file=\"m\"\n";
    let text = role_with("m", "experts 4; override \"qwen3moe.expert_used_count\" value=4");
    let compiled = compile_with_base(&format!("{family}{text}"));
    let [finding] = compiled.findings.findings() else { panic!("{}", compiled.report()) };
    assert_eq!(finding.code.name, "engine-cannot");
    assert_eq!(compiled.loaded.map.text(finding.primary.span), "\"qwen3moe.expert_used_count\"");
}
