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
