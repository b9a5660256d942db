//! Misspelt words: which ones are fixed, and with which quotes.

use super::{apply_fixes, assert_fixed};
use orchgen::cli::fix::FixLevel;

#[test]
fn names_of_items_keep_their_quotes() {
    for quotes in [["", ""], ["\"", "\""], ["'", "'"]] {
        let [open, close] = quotes;
        let role = |model: &str| {
            format!(
                "# head\nroles:\n  extra: # the role\n    tier: A\n    model: {open}{model}{close}   # the model\n    residency: hot\n    port: 9000\n    context: 4096\n"
            )
        };
        assert_fixed("yaml", "unknown-name", &role("mixtuer"), &role("mixture"));
        let flow = |model: &str| {
            format!(
                "roles:\n  extra: {{tier: A, residency: hot, model: {open}{model}{close}, port: 9000, context: 4096}}"
            )
        };
        assert_fixed("yaml", "unknown-name", &flow("mixtuer"), &flow("mixture"));
    }
    for quotes in [["", ""], ["\"", "\""], ["#\"", "\"#"], ["##\"", "\"##"]] {
        let [open, close] = quotes;
        let role = |model: &str| {
            format!(
                "// head\r\nrole \"extra\" tier=\"A\" residency=\"hot\" port=9000 context=4096 {{ // the role\r\n    model {open}{model}{close} /* why */\r\n}}"
            )
        };
        assert_fixed("kdl", "unknown-name", &role("mixtuer"), &role("mixture"));
        let line = |model: &str| {
            format!(
                "\u{feff}role \"extra\" tier=\"A\" residency=\"hot\" port=9000 context=4096 model={open}{model}{close}; // end\n"
            )
        };
        assert_fixed("kdl", "unknown-name", &line("mixtuer"), &line("mixture"));
    }
}

#[test]
fn fields_are_fixed_in_the_spelling_of_the_language() {
    let kdl = |key: &str| {
        format!("role \"extra\" tier=\"A\" residency=\"hot\" model=\"plain\" port=9000 {key}=4096\n")
    };
    let child = |key: &str| {
        format!(
            "role \"extra\" tier=\"A\" residency=\"hot\" model=\"plain\" port=9000 {{\n    {key} 4096; slots 2\n}}\n"
        )
    };
    let yaml = |key: &str| {
        format!("roles: {{extra: {{tier: A, residency: hot, {key}: 4096, model: plain, port: 9000}}}}\n")
    };
    for word in ["ctx", "Context", "contxet", "context_size", "konntekst"] {
        let is_near = word != "konntekst";
        for (language, write) in [("kdl", &kdl as &dyn Fn(&str) -> String), ("kdl", &child), ("yaml", &yaml)]
        {
            if is_near {
                assert_fixed(language, "unknown-field", &write(word), &write("context"));
            } else {
                assert_eq!(apply_fixes(language, &write(word), FixLevel::Safe), write(word));
            }
        }
    }
    assert_fixed("yaml", "unknown-field", &yaml("'ctx'"), &yaml("'context'"));
    assert_fixed("kdl", "unknown-field", &kdl("\"ctx\""), &kdl("\"context\""));
    let dashes = |key: &str| {
        format!(
            "models: {{big: {{family: qwen2, title: Big, quant: Q4, size: 1 GB, file: /a, retired: true, {key}: 4096}}}}\n"
        )
    };
    assert_fixed("yaml", "unknown-field", &dashes("trained_context"), &dashes("trained-context"));
    let split = |key: &str| {
        format!(
            "roles: {{extra: {{tier: A, residency: hot, model: plain, port: 9000, context: 4096, \"{key}\":\n  true}}}}\n"
        )
    };
    assert_fixed("yaml", "unknown-field", &split("lokup"), &split("lookup"));
}

#[test]
fn kinds_are_fixed_to_singular_in_kdl_and_plural_in_yaml() {
    let yaml = |kind: &str| format!("{kind}:\n  Z: {{title: last}}  # the last\n");
    for word in ["tier", "teirs", "Tiers"] {
        assert_fixed("yaml", "unknown-kind", &yaml(word), &yaml("tiers"));
    }
    let kdl = |kind: &str| format!("{kind} \"Z\" title=\"last\"  // the last\n");
    for word in ["tiers", "teir", "Tier"] {
        assert_fixed("kdl", "unknown-kind", &kdl(word), &kdl("tier"));
    }
    // The whole text looks like the other language.
    for (language, text) in [("kdl", "tiers {\n    Z title=\"last\"\n}\n"), ("yaml", "tier: Z\n")] {
        assert_eq!(apply_fixes(language, text, FixLevel::Unsafe), text);
    }
}

#[test]
fn values_override_keys_bans_architectures_and_codes_are_fixed() {
    let kdl = |rest: &str| {
        format!(
            "role \"extra\" tier=\"A\" residency=\"hot\" model=\"mixture\" port=9000 context=4096 {{ {rest} }}\n"
        )
    };
    assert_fixed("kdl", "unknown-word", &kdl("pooling maen"), &kdl("pooling mean"));
    assert_fixed("kdl", "unknown-word", &kdl("flash-attention \"onn\""), &kdl("flash-attention \"on\""));
    let keyed = |key: &str| kdl(&format!("override \"{key}\" value=4"));
    assert_fixed(
        "kdl",
        "unknown-override-key",
        &keyed("qwen3moe.expert_used_cuont"),
        &keyed("qwen3moe.expert_used_count"),
    );
    let ban = |draft: &str| format!("bans:\n  - target: plain\n    draft: {draft}\n    failure: none\n");
    assert_fixed("yaml", "unknown-name", &ban("mixtre"), &ban("mixture"));
    let arch = |arch: &str| format!("family \"odd\" arch={arch}\n");
    assert_fixed("kdl", "unknown-architecture", &arch("qwen3-moe"), &arch("qwen3moe"));
    let allow =
        |code: &str| format!("families: {{odd: {{arch: ours, allow: {{code: {code}, because: ours}}}}}}\n");
    // The warning that it silences is gone too.
    assert_eq!(
        apply_fixes("yaml", &allow("unknown-arhitecture"), FixLevel::Safe),
        allow("unknown-architecture")
    );
}

#[test]
fn a_word_that_needs_quotes_gets_them() {
    let yaml = |name: &str, word: &str| {
        format!("tiers: {{\"{name}\": {{title: t}}}}\nroles: {{extra: {{tier: {word}, shares: basic}}}}\n")
    };
    assert_fixed("yaml", "unknown-name", &yaml("0x1e", "0x1-E"), &yaml("0x1e", "\"0x1e\""));
    assert_fixed("yaml", "unknown-name", &yaml("true", "true_"), &yaml("true", "\"true\""));
    let kdl = |name: &str, word: &str| {
        format!("tier \"{name}\" title=\"t\"\nrole \"extra\" tier={word} shares=\"basic\"\n")
    };
    assert_fixed("kdl", "unknown-name", &kdl("true", "true_"), &kdl("true", "\"true\""));
    assert_fixed("kdl", "unknown-name", &kdl("1e-4", "_1e-4"), &kdl("1e-4", "\"1e-4\""));
}

#[test]
fn uncertain_fixes_are_unsafe_or_not_made() {
    let role = |model: &str| {
        format!("role \"extra\" tier=\"A\" residency=\"hot\" model=\"{model}\" port=9000 context=4096\n")
    };
    let two = |model: &str| {
        let model_of = |name: &str| {
            format!(
                "model \"{name}\" family=\"qwen2\" title=\"{name}\" quant=\"Q4\" size=\"1 GB\" file=\"/{name}\"\n"
            )
        };
        format!("{}{}{}", model_of("coder-a"), model_of("coder-b"), role(model))
    };
    // Two names are equally close.
    assert_eq!(apply_fixes("kdl", &two("coder-c"), FixLevel::Unsafe), two("coder-c"));
    // A different digit is probably a different model.
    let numbered = |model: &str| {
        format!(
            "model \"coder-7b\" family=\"qwen2\" title=\"C\" quant=\"Q4\" size=\"1 GB\" file=\"/c\"\n{}",
            role(model)
        )
    };
    assert_eq!(apply_fixes("kdl", &numbered("coder-8b"), FixLevel::Safe), numbered("coder-8b"));
    assert_eq!(apply_fixes("kdl", &numbered("coder-8b"), FixLevel::Unsafe), numbered("coder-7b"));
    // The role has the suggested field already.
    let twice =
        "role \"extra\" tier=\"A\" residency=\"hot\" model=\"plain\" port=9000 context=4096 ctx=4096\n";
    assert_eq!(apply_fixes("kdl", twice, FixLevel::Unsafe), twice);
    // No name is similar.
    assert_eq!(apply_fixes("kdl", &role("something"), FixLevel::Unsafe), role("something"));
    // An architecture with one more letter may be a newer one.
    let arch = |arch: &str| format!("family \"odd\" arch=\"{arch}\"\n");
    assert_eq!(apply_fixes("kdl", &arch("gemmma"), FixLevel::Safe), arch("gemmma"));
    assert_eq!(apply_fixes("kdl", &arch("gemmma"), FixLevel::Unsafe), arch("gemma"));
}

/// The similar draft is banned for this target, so the user probably intended another one.
#[test]
fn a_fix_that_causes_another_finding_is_skipped() {
    let text = "ban target=\"plain\" draft=\"tiny\" failure=\"none\"\nrole \"extra\" tier=\"A\" residency=\"hot\" model=\"plain\" port=9000 context=4096 draft=\"tinny\"\n";
    let result = crate::support::fixed(&[("base.kdl", super::BASE), ("case.kdl", text)], FixLevel::Safe);
    assert_eq!((result.fixed_count, result.changed_files().len()), (0, 0));
    assert_eq!(result.skipped, ["write `tiny` in role `extra`"]);
}

/// The first round of fixes makes the item readable. Then its other typos are found, and the next round fixes them.
#[test]
fn findings_that_appear_after_a_fix_are_fixed_too() {
    let before = "families \"odd\" arch=\"qwen3-moe\" { lable \"x\" }\n";
    assert_eq!(
        apply_fixes("kdl", before, FixLevel::Safe),
        "family \"odd\" arch=\"qwen3moe\" { label \"x\" }\n"
    );
}

/// A YAML alias repeats the finding about its anchor, but the text to fix exists once.
#[test]
fn a_place_with_several_findings_is_fixed_once() {
    let yaml = |model: &str| {
        format!(
            "roles:\n  one: {{tier: A, residency: hot, model: &m {model}, port: 9000, context: 4096}}\n  two: {{tier: A, residency: hot, model: *m, port: 9001, context: 4096}}\n"
        )
    };
    assert_fixed("yaml", "unknown-name", &yaml("mixtuer"), &yaml("mixture"));
}

#[test]
fn an_option_with_its_value_in_the_name_keeps_the_value() {
    let kdl = |option: &str| {
        format!(
            "role \"x\" tier=\"A\" residency=\"hot\" model=\"plain\" port=9000 context=4096 {{ {option} }}\n"
        )
    };
    for (wrong, right) in [
        ("option \"--top-k 20\"", "option \"top-k\" 20"),
        ("option \"top-k=20\"", "option \"top-k\" 20"),
        ("option \"--temp 0.7\"", "option \"temp\" 0.7"),
    ] {
        assert_fixed("kdl", "unknown-option", &kdl(wrong), &kdl(right));
    }
    let yaml = |option: &str| {
        format!(
            "roles:\n  x: {{tier: A, residency: hot, model: plain, port: 9000, context: 4096, option: {option}}}\n"
        )
    };
    for (wrong, right) in [
        ("--top-k 20", "{name: top-k, value: 20}"),
        ("[metrics, --top-k 20]", "[metrics, {name: top-k, value: 20}]"),
    ] {
        assert_fixed("yaml", "unknown-option", &yaml(wrong), &yaml(right));
    }
    // The name is a guess, so the fix needs a review. The value stays.
    let unsafe_fixed = apply_fixes("kdl", &kdl("option \"--topk 20\""), FixLevel::Unsafe);
    assert_eq!(unsafe_fixed, kdl("option \"top-k\" 20"));
}

/// The dash belongs to the key, so `target` is not a misspelled word: a fix that writes it would break the text.
#[test]
fn a_list_dash_without_a_space_gets_one() {
    let before = "bans:\n  -{target: plain, draft: tiny, failure: none}\n";
    let after = "bans:\n  - {target: plain, draft: tiny, failure: none}\n";
    assert_eq!(apply_fixes("yaml", before, FixLevel::Unsafe), after);
    assert_eq!(apply_fixes("yaml", after, FixLevel::Unsafe), after);
}
