//! Metadata overrides: keys, types, and what is written to the command line.

use super::{beside, gives, only};

fn on(model: &str, overrides: &str) -> String {
    format!(
        "role \"x\" tier=\"A\" residency=\"hot\" model=\"{model}\" context=4096 port=9000 {{ {overrides} }}\n"
    )
}

#[test]
fn a_key_of_another_architecture_is_led_back() {
    let finding = only(&on("mixture", "override \"qwen3next.expert_used_count\" value=4"));
    assert_eq!(finding.code.name, "unknown-override-key");
    assert_eq!(
        finding.message,
        "role `x` overrides `qwen3next.expert_used_count`, which the engine ignores for `qwen3moe`"
    );
    assert_eq!(finding.primary.text, "a key of `qwen3next`");
    assert_eq!(finding.help, ["write `qwen3moe.expert_used_count`"]);
    assert_eq!(finding.secondary[0].text, "the architecture is `qwen3moe`");
}

#[test]
fn an_unknown_key_is_led_to_the_nearest() {
    let finding = only(&on("mixture", "override \"qwen3moe.expert_use_count\" value=4"));
    assert_eq!(finding.help, ["write `qwen3moe.expert_used_count`"]);
    let finding = only(&on("mixture", "override \"zzz.zzz\" value=4"));
    assert_eq!(finding.help, ["name a key of `qwen3moe`, as `qwen3moe.context_length`"]);
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
        gives(&codes, &on("mixture", &format!("override \"{key}\" value={value}")));
    }
    let finding = only(&on("mixture", "override \"qwen3moe.expert_used_count\" value=\"4\""));
    assert_eq!(finding.primary.text, "expected a whole number, found the text `4`");
}

#[test]
fn the_engine_reads_types_exactly_so_the_command_line_has_the_one_of_the_key() {
    let text = on(
        "mixture",
        "override \"qwen3moe.rope.freq_base\" value=10000; override \"qwen3moe.context_length\" value=4096",
    );
    let compiled = beside(&text);
    let checked = compiled.checked();
    let role = checked.registry().roles.iter().find(|role| *role.head.name.value == *"x").unwrap();
    let args = checked.serve(role.serving().unwrap(), 0).unwrap().args.join(" ");
    assert!(args.contains("qwen3moe.rope.freq_base=float:10000"), "{args}");
    assert!(args.contains("qwen3moe.context_length=int:4096"), "{args}");
}

#[test]
fn overrides_of_a_family_are_checked_once_and_not_at_each_role() {
    let family = "family \"f\" arch=\"qwen3moe\" { override \"qwen3next.context_length\" value=4 }\n\
        model \"m\" family=\"f\" title=\"M\" quant=\"q\" size=\"1 GB\" file=\"m\"\n";
    let roles =
        on("m", "note \"one\"") + &on("m", "note \"two\"").replace("\"x\"", "\"y\"").replace("9000", "9001");
    let finding = only(&format!("{family}{roles}"));
    assert_eq!(finding.subject.unwrap().kind, "family");
}

#[test]
fn an_architecture_that_is_not_known_leaves_its_keys_unchecked() {
    let text = "family \"new\" arch=\"brandnew\"\nmodel \"m\" family=\"new\" title=\"M\" quant=\"q\" size=\"1 GB\" file=\"m\"\n".to_owned()
        + &on("m", "override \"brandnew.some_key\" value=4");
    let compiled = beside(&text);
    assert_eq!(compiled.codes(), ["unknown-architecture"], "{}", compiled.report());
    assert!(compiled.findings.not_checked().iter().any(|left| left.check == "unknown-override-key"));
}

#[test]
fn a_draft_of_the_same_architecture_inherits_and_is_warned_of() {
    let drafting = |overrides: &str| on("mixture", &format!("draft \"small-mixture\"; {overrides}"));
    gives(&["inherited-override"], &drafting("override \"qwen3moe.expert_used_count\" value=4"));
    gives(&["inherited-override"], &drafting("experts 4"));
    gives(&[], &drafting("note \"n\""));
    // Another architecture does not read the key.
    gives(&[], &on("mixture", "draft \"tiny\"; override \"qwen3moe.expert_used_count\" value=4"));
    // A key that is refused is silent about the draft.
    gives(&["unknown-override-key"], &drafting("override \"qwen3moe.expert_use_count\" value=4"));
}

#[test]
fn an_override_that_cannot_be_expressed_is_said_at_its_own_key() {
    let family = "family \"f\" arch=\"qwen3moe\" { override \"qwen3moe.block_count\" value=9 }\n\
        model \"m\" family=\"f\" title=\"M\" quant=\"q\" size=\"1 GB\" file=\"m\"\n";
    let text = on("m", "experts 4; override \"qwen3moe.expert_used_count\" value=4");
    let compiled = beside(&format!("{family}{text}"));
    let [finding] = compiled.findings.findings() else { panic!("{}", compiled.report()) };
    assert_eq!(finding.code.name, "engine-cannot");
    assert_eq!(compiled.loaded.map.text(finding.primary.span), "\"qwen3moe.expert_used_count\"");
}
