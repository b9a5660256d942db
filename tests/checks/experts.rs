//! The number of experts of roles, models and families.

use super::{assert_codes, single_finding};

fn role_with(model: &str, experts: u32) -> String {
    format!(
        "role \"x\" tier=\"A\" residency=\"hot\" model=\"{model}\" context=4096 port=9000 experts={experts}\n"
    )
}

#[test]
fn a_role_uses_at_most_the_total_number_of_experts() {
    assert_codes(&[], &role_with("mixture", 128));
    assert_codes(&["too-many-experts"], &role_with("mixture", 129));
    assert_codes(&["too-many-experts"], &role_with("small-mixture", 17));
    let finding = single_finding(&role_with("mixture", 129));
    assert_eq!(finding.message, "role `x` uses 129 experts, but `Mixture-30B` has 128");
    assert_eq!(finding.help, ["write `experts=128`"]);
}

#[test]
fn a_dense_model_has_no_experts() {
    let finding = single_finding(&role_with("plain", 2));
    assert_eq!(finding.message, "role `x` uses 2 experts, but `Plain-7B` has none");
    assert_eq!(finding.help, ["remove `experts=2`"]);
}

#[test]
fn avoided_numbers_come_from_the_model_and_its_family() {
    assert_codes(&["avoided-experts"], &role_with("mixture", 1));
    assert_codes(&[], &role_with("mixture", 2));
    let family = "family \"f\" arch=\"qwen3moe\" { experts { avoid 3 5; advise 6 for=\"quality\"; advise 4 } }\n\
        model \"m\" family=\"f\" title=\"M\" quant=\"q\" size=\"1 GB\" file=\"m\" { experts { total 8; avoid 2 } }\n";
    for avoided in [2, 3, 5] {
        let finding = single_finding(&format!("{family}{}", role_with("m", avoided)));
        assert_eq!(finding.code.name, "avoided-experts");
        assert_eq!(finding.help, ["write `experts=6`, advised for quality", "write `experts=4`"]);
    }
    assert_codes(&[], &format!("{family}{}", role_with("m", 6)));
}

#[test]
fn an_override_of_the_key_is_checked_like_the_field() {
    let overridden = |value: &str| {
        format!(
            "{} {{ override \"qwen3moe.expert_used_count\" value={value} }}\n",
            role_with("mixture", 2).trim_end().replace(" experts=2", "")
        )
    };
    assert_codes(&[], &overridden("4"));
    for too_many in ["129", "0", "-1"] {
        assert_codes(&["too-many-experts"], &overridden(too_many));
    }
    assert_codes(&["avoided-experts"], &overridden("1"));
    let family = "family \"f\" arch=\"qwen3moe\" { override \"qwen3moe.expert_used_count\" value=9 }\n\
        model \"m\" family=\"f\" title=\"M\" quant=\"q\" size=\"1 GB\" file=\"m\" { experts total=8 }\n";
    assert_codes(&["too-many-experts"], &format!("{family}{}", role_with("m", 2).replace(" experts=2", "")));
    assert_codes(&[], &format!("{family}{}", role_with("m", 2)));
}

fn model(experts: &str) -> String {
    format!(
        "model \"m\" family=\"qwen3moe\" title=\"M\" quant=\"q\" size=\"1 GB\" file=\"m\" {{ experts {experts} }}\n{}",
        role_with("m", 8)
    )
}

#[test]
fn a_model_names_at_most_its_total_number_of_experts() {
    assert_codes(&[], &model("total=8 default=8 { advise 8; avoid 2 }"));
    assert_codes(&["impossible-experts"], &model("total=8 default=9"));
    assert_codes(&["impossible-experts"; 2], &model("total=8 { advise 9; avoid 10 }"));
    assert_codes(&[], &model("default=9"));
    let compiled = single_finding(&model("total=8 default=9"));
    assert_eq!(compiled.message, "model `m` uses 9 experts, but has only 8");
}

#[test]
fn a_number_is_not_both_advised_and_avoided() {
    assert_codes(&["contradicted-advice"], &model("total=16 { advise 4; avoid 4 }"));
    // A role that uses the number gives no further finding.
    assert_codes(&["contradicted-advice"], &model("total=16 { advise 8; avoid 8 }"));
    let family = |own: &str| {
        format!(
            "family \"f\" arch=\"qwen3moe\" {{ experts {{ avoid 8 }} }}\n{}",
            model(own).replace("\"qwen3moe\" title", "\"f\" title")
        )
    };
    assert_codes(&["avoided-experts"], &family("total=16"));
    // The advice of a model overrides that of its family.
    assert_codes(&[], &family("total=16 { advise 8 }"));
}

#[test]
fn fewer_experts_than_an_avoided_number_below_the_default_are_too_few() {
    let role_with_advice =
        |experts: &str, used: &str| model(experts).replace("experts=8", &format!("experts={used}"));
    assert_codes(&["too-few-experts"], &role_with_advice("total=16 default=8 { avoid 3 }", "2"));
    assert_codes(&["avoided-experts"], &role_with_advice("total=16 default=8 { avoid 3 }", "3"));
    assert_codes(&[], &role_with_advice("total=16 default=8 { avoid 3 }", "4"));
    // An advised number is never too few. An avoided number above the default means too many experts.
    assert_codes(&[], &role_with_advice("total=16 default=8 { avoid 3; advise 2 }", "2"));
    assert_codes(&[], &role_with_advice("total=16 default=8 { avoid 12 }", "4"));
    assert_codes(&[], &role_with_advice("total=16 { avoid 3 }", "2"));
    assert_codes(&["too-few-experts"], &role_with_advice("total=16 { avoid 3; advise 4 }", "2"));
    let finding =
        single_finding(&role_with_advice("total=16 default=8 { avoid 3; advise 4 for=\"speed\" }", "1"));
    assert_eq!(finding.message, "role `x` uses 1 expert of `M`, but even 3 degrade it");
    assert_eq!(finding.help, ["write `experts=4`, advised for speed"]);
}
