//! Words that were misspelt: which are written anew, and in which quotes.

use super::{becomes, mended};
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
        becomes("yaml", "unknown-name", &role("mixtuer"), &role("mixture"));
        let flow = |model: &str| {
            format!(
                "roles:\n  extra: {{tier: A, residency: hot, model: {open}{model}{close}, port: 9000, context: 4096}}"
            )
        };
        becomes("yaml", "unknown-name", &flow("mixtuer"), &flow("mixture"));
    }
    for quotes in [["", ""], ["\"", "\""], ["#\"", "\"#"], ["##\"", "\"##"]] {
        let [open, close] = quotes;
        let role = |model: &str| {
            format!(
                "// head\r\nrole \"extra\" tier=\"A\" residency=\"hot\" port=9000 context=4096 {{ // the role\r\n    model {open}{model}{close} /* why */\r\n}}"
            )
        };
        becomes("kdl", "unknown-name", &role("mixtuer"), &role("mixture"));
        let line = |model: &str| {
            format!(
                "\u{feff}role \"extra\" tier=\"A\" residency=\"hot\" port=9000 context=4096 model={open}{model}{close}; // end\n"
            )
        };
        becomes("kdl", "unknown-name", &line("mixtuer"), &line("mixture"));
    }
}

#[test]
fn keys_are_written_as_the_language_has_them() {
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
    for said in ["ctx", "Context", "contxet", "context_size", "konntekst"] {
        let is_near = said != "konntekst";
        for (language, write) in [("kdl", &kdl as &dyn Fn(&str) -> String), ("kdl", &child), ("yaml", &yaml)]
        {
            if is_near {
                becomes(language, "unknown-field", &write(said), &write("context"));
            } else {
                assert_eq!(mended(language, &write(said), FixLevel::Safe), write(said));
            }
        }
    }
    becomes("yaml", "unknown-field", &yaml("'ctx'"), &yaml("'context'"));
    becomes("kdl", "unknown-field", &kdl("\"ctx\""), &kdl("\"context\""));
    let dashes = |key: &str| {
        format!(
            "models: {{big: {{family: qwen2, title: Big, quant: Q4, size: 1 GB, file: /a, retired: true, {key}: 4096}}}}\n"
        )
    };
    becomes("yaml", "unknown-field", &dashes("trained_context"), &dashes("trained-context"));
    let split = |key: &str| {
        format!(
            "roles: {{extra: {{tier: A, residency: hot, model: plain, port: 9000, context: 4096, \"{key}\":\n  true}}}}\n"
        )
    };
    becomes("yaml", "unknown-field", &split("lokup"), &split("lookup"));
}

#[test]
fn kinds_are_written_in_the_number_of_the_language() {
    let yaml = |kind: &str| format!("{kind}:\n  Z: {{title: last}}  # the last\n");
    for said in ["tier", "teirs", "Tiers"] {
        becomes("yaml", "unknown-kind", &yaml(said), &yaml("tiers"));
    }
    let kdl = |kind: &str| format!("{kind} \"Z\" title=\"last\"  // the last\n");
    for said in ["tiers", "teir", "Tier"] {
        becomes("kdl", "unknown-kind", &kdl(said), &kdl("tier"));
    }
    // These look like the other language throughout.
    for (language, text) in [("kdl", "tiers {\n    Z title=\"last\"\n}\n"), ("yaml", "tier: Z\n")] {
        assert_eq!(mended(language, text, FixLevel::Unsafe), text);
    }
}

#[test]
fn words_names_of_rules_codes_and_keys_of_overrides() {
    let kdl = |rest: &str| {
        format!(
            "role \"extra\" tier=\"A\" residency=\"hot\" model=\"mixture\" port=9000 context=4096 {{ {rest} }}\n"
        )
    };
    becomes("kdl", "unknown-word", &kdl("pooling maen"), &kdl("pooling mean"));
    becomes("kdl", "unknown-word", &kdl("flash-attention \"onn\""), &kdl("flash-attention \"on\""));
    let keyed = |key: &str| kdl(&format!("override \"{key}\" value=4"));
    becomes(
        "kdl",
        "unknown-override-key",
        &keyed("qwen3moe.expert_used_cuont"),
        &keyed("qwen3moe.expert_used_count"),
    );
    let ban = |draft: &str| format!("bans:\n  - target: plain\n    draft: {draft}\n    failure: none\n");
    becomes("yaml", "unknown-name", &ban("mixtre"), &ban("mixture"));
    let arch = |arch: &str| format!("family \"odd\" arch={arch}\n");
    becomes("kdl", "unknown-architecture", &arch("qwen3-moe"), &arch("qwen3moe"));
    let allow =
        |code: &str| format!("families: {{odd: {{arch: ours, allow: {{code: {code}, because: ours}}}}}}\n");
    // The warning that it silences is gone too.
    assert_eq!(mended("yaml", &allow("unknown-arhitecture"), FixLevel::Safe), allow("unknown-architecture"));
}

#[test]
fn a_word_that_needs_quotes_gets_them() {
    let yaml = |name: &str, said: &str| {
        format!("tiers: {{\"{name}\": {{title: t}}}}\nroles: {{extra: {{tier: {said}, shares: basic}}}}\n")
    };
    becomes("yaml", "unknown-name", &yaml("0x1e", "0x1-E"), &yaml("0x1e", "\"0x1e\""));
    becomes("yaml", "unknown-name", &yaml("true", "true_"), &yaml("true", "\"true\""));
    let kdl = |name: &str, said: &str| {
        format!("tier \"{name}\" title=\"t\"\nrole \"extra\" tier={said} shares=\"basic\"\n")
    };
    becomes("kdl", "unknown-name", &kdl("true", "true_"), &kdl("true", "\"true\""));
    becomes("kdl", "unknown-name", &kdl("1e-4", "_1e-4"), &kdl("1e-4", "\"1e-4\""));
}

#[test]
fn what_is_not_certain_is_left_or_asks_for_daring() {
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
    // Two are as near.
    assert_eq!(mended("kdl", &two("coder-c"), FixLevel::Unsafe), two("coder-c"));
    // A digit tells models from each other.
    let numbered = |model: &str| {
        format!(
            "model \"coder-7b\" family=\"qwen2\" title=\"C\" quant=\"Q4\" size=\"1 GB\" file=\"/c\"\n{}",
            role(model)
        )
    };
    assert_eq!(mended("kdl", &numbered("coder-8b"), FixLevel::Safe), numbered("coder-8b"));
    assert_eq!(mended("kdl", &numbered("coder-8b"), FixLevel::Unsafe), numbered("coder-7b"));
    // The field that was meant stands there already.
    let twice =
        "role \"extra\" tier=\"A\" residency=\"hot\" model=\"plain\" port=9000 context=4096 ctx=4096\n";
    assert_eq!(mended("kdl", twice, FixLevel::Unsafe), twice);
    // Nothing is near.
    assert_eq!(mended("kdl", &role("something"), FixLevel::Unsafe), role("something"));
    // An architecture of one letter more may be a newer one.
    let arch = |arch: &str| format!("family \"odd\" arch=\"{arch}\"\n");
    assert_eq!(mended("kdl", &arch("gemmma"), FixLevel::Safe), arch("gemmma"));
    assert_eq!(mended("kdl", &arch("gemmma"), FixLevel::Unsafe), arch("gemma"));
}

/// The one that is near is banned, so it was hardly meant.
#[test]
fn a_guess_of_which_other_findings_come_is_left_out() {
    let text = "ban target=\"plain\" draft=\"tiny\" failure=\"none\"\nrole \"extra\" tier=\"A\" residency=\"hot\" model=\"plain\" port=9000 context=4096 draft=\"tinny\"\n";
    let done = crate::support::fixed(&[("base.kdl", super::BASE), ("case.kdl", text)], FixLevel::Safe);
    assert_eq!((done.cured, done.changes.len()), (0, 0));
    assert_eq!(done.left_out, ["write `tiny` in role `extra`"]);
}

/// What an unreadable item has hidden is found as soon as it can be read, and fixed in the next round.
#[test]
fn what_comes_to_light_is_fixed_too() {
    let before = "families \"odd\" arch=\"qwen3-moe\" { lable \"x\" }\n";
    assert_eq!(mended("kdl", before, FixLevel::Safe), "family \"odd\" arch=\"qwen3moe\" { label \"x\" }\n");
}

/// A name of the defaults stands at one place, and an alias shows a text that stands elsewhere.
#[test]
fn one_place_that_many_findings_speak_of_is_changed_once() {
    let yaml = |model: &str| {
        format!(
            "roles:\n  one: {{tier: A, residency: hot, model: &m {model}, port: 9000, context: 4096}}\n  two: {{tier: A, residency: hot, model: *m, port: 9001, context: 4096}}\n"
        )
    };
    becomes("yaml", "unknown-name", &yaml("mixtuer"), &yaml("mixture"));
}
