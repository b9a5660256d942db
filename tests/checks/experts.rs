//! Numbers of experts.

use super::{gives, only};

fn on(model: &str, experts: u32) -> String {
    format!(
        "role \"x\" tier=\"A\" residency=\"hot\" model=\"{model}\" context=4096 port=9000 experts={experts}\n"
    )
}

#[test]
fn the_total_is_the_most() {
    gives(&[], &on("mixture", 128));
    gives(&["too-many-experts"], &on("mixture", 129));
    gives(&["too-many-experts"], &on("small-mixture", 17));
    let finding = only(&on("mixture", 129));
    assert_eq!(finding.message, "role `x` uses 129 experts, and `Mixture-30B` has 128");
    assert_eq!(finding.help, ["use at most 128"]);
}

#[test]
fn a_dense_model_has_none() {
    let finding = only(&on("plain", 2));
    assert_eq!(finding.message, "role `x` uses 2 experts, and `Plain-7B` has none");
    assert_eq!(finding.help, ["remove the number"]);
}

#[test]
fn avoided_numbers_are_of_the_model_and_of_its_family() {
    gives(&["avoided-experts"], &on("mixture", 1));
    gives(&[], &on("mixture", 2));
    let family = "family \"f\" arch=\"qwen3moe\" { experts { avoid 3 5; advise 6 for=\"quality\"; advise 4 } }\n\
        model \"m\" family=\"f\" title=\"M\" quant=\"q\" size=\"1 GB\" file=\"m\" { experts { total 8; avoid 2 } }\n";
    for avoided in [2, 3, 5] {
        let finding = only(&format!("{family}{}", on("m", avoided)));
        assert_eq!(finding.code.name, "avoided-experts");
        assert_eq!(finding.help, ["use 6 (quality) or 4"]);
    }
    gives(&[], &format!("{family}{}", on("m", 6)));
}

#[test]
fn an_override_of_the_key_counts_as_the_field() {
    let overriding = |value: &str| {
        format!(
            "{} {{ override \"qwen3moe.expert_used_count\" value={value} }}\n",
            on("mixture", 2).trim_end().replace(" experts=2", "")
        )
    };
    gives(&[], &overriding("4"));
    for too_many in ["129", "0", "-1"] {
        gives(&["too-many-experts"], &overriding(too_many));
    }
    gives(&["avoided-experts"], &overriding("1"));
    let family = "family \"f\" arch=\"qwen3moe\" { override \"qwen3moe.expert_used_count\" value=9 }\n\
        model \"m\" family=\"f\" title=\"M\" quant=\"q\" size=\"1 GB\" file=\"m\" { experts total=8 }\n";
    gives(&["too-many-experts"], &format!("{family}{}", on("m", 2).replace(" experts=2", "")));
    gives(&[], &format!("{family}{}", on("m", 2)));
}

fn model(experts: &str) -> String {
    format!(
        "model \"m\" family=\"qwen3moe\" title=\"M\" quant=\"q\" size=\"1 GB\" file=\"m\" {{ experts {experts} }}\n{}",
        on("m", 8)
    )
}

#[test]
fn a_model_speaks_of_no_more_experts_than_it_has() {
    gives(&[], &model("total=8 default=8 { advise 8; avoid 2 }"));
    gives(&["impossible-experts"], &model("total=8 default=9"));
    gives(&["impossible-experts"; 2], &model("total=8 { advise 9; avoid 10 }"));
    gives(&[], &model("default=9"));
    let compiled = only(&model("total=8 default=9"));
    assert_eq!(compiled.message, "model `m` uses 9 experts, and has 8");
}

#[test]
fn advice_does_not_contradict_itself() {
    gives(&["contradicted-advice"], &model("total=16 { advise 4; avoid 4 }"));
    // A role that follows it is not said again, whichever of the two holds.
    gives(&["contradicted-advice"], &model("total=16 { advise 8; avoid 8 }"));
    let family = |own: &str| {
        format!(
            "family \"f\" arch=\"qwen3moe\" {{ experts {{ avoid 8 }} }}\n{}",
            model(own).replace("\"qwen3moe\" title", "\"f\" title")
        )
    };
    gives(&["avoided-experts"], &family("total=16"));
    // The model knows better than its family.
    gives(&[], &family("total=16 { advise 8 }"));
}

#[test]
fn fewer_than_too_few_is_too_few() {
    let few = |experts: &str, used: &str| model(experts).replace("experts=8", &format!("experts={used}"));
    gives(&["too-few-experts"], &few("total=16 default=8 { avoid 3 }", "2"));
    gives(&["avoided-experts"], &few("total=16 default=8 { avoid 3 }", "3"));
    gives(&[], &few("total=16 default=8 { avoid 3 }", "4"));
    // What is advised is not too few, and a number above the default is avoided for being too many.
    gives(&[], &few("total=16 default=8 { avoid 3; advise 2 }", "2"));
    gives(&[], &few("total=16 default=8 { avoid 12 }", "4"));
    gives(&[], &few("total=16 { avoid 3 }", "2"));
    gives(&["too-few-experts"], &few("total=16 { avoid 3; advise 4 }", "2"));
    let finding = only(&few("total=16 default=8 { avoid 3; advise 4 for=\"speed\" }", "1"));
    assert_eq!(finding.message, "role `x` uses 1 expert of `M`, fewer than the 3 that degrade it");
    assert_eq!(finding.help, ["use 4 (speed)"]);
}
