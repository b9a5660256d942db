//! Unused items, and items that unreadable text may name.

use super::{assert_codes, single_finding};
use crate::language::BASE;
use crate::support::compile;

const SPARE: &str =
    "model \"spare\" family=\"qwen2\" title=\"Spare\" quant=\"q\" size=\"1 GB\" file=\"spare.gguf\"\n";

#[test]
fn items_that_nothing_names_are_reported() {
    assert_eq!(single_finding(SPARE).message, "nothing uses model `spare`");
    assert_eq!(single_finding("family \"odd\" arch=\"llama\"").message, "nothing uses family `odd`");
    let engine = "engine \"other\" profile=\"llama.cpp-b9093\" bin=\"/b\"\n";
    assert_eq!(single_finding(engine).message, "nothing uses engine `other`");
    // An unused model uses its family.
    assert_codes(&["unused-item"], &(SPARE.replace("qwen2", "odd") + "family \"odd\" arch=\"llama\""));
    assert_codes(&[], &SPARE.replace('\n', " retired=\"too slow\"\n"));
}

#[test]
fn every_field_that_names_a_model_counts_as_use() {
    for naming in [
        "role \"x\" tier=\"A\" model=\"spare\"",
        "role \"x\" tier=\"A\" residency=\"hot\" model=\"plain\" port=9000 context=1 draft=\"spare\"",
        "ban target=\"spare\" draft=\"*\" failure=\"f\"",
        "ban target=\"*\" draft=\"spare\" failure=\"f\"",
        "pair target=\"plain\" draft=\"spare\"",
        "quirk \"q\" models=\"spare\" issue=\"i\"",
    ] {
        assert_codes(&[], &format!("{SPARE}{naming}"));
    }
    // A glob that matches a model does not name it.
    assert_codes(
        &["unused-item"],
        &format!("{SPARE}ban target=\"Spare\" draft=\"X*\" failure=\"f\"")
            .replace("\"Spare\" draft", "\"Spare*\" draft"),
    );
    let engine = "engine \"other\" profile=\"llama.cpp-b9093\" bin=\"/b\"\n";
    let measured = "role \"x\" tier=\"A\" model=\"plain\" { measured \"9 t/s\" engine=\"other\" }";
    assert_codes(&[], &format!("{engine}{measured}"));
}

#[test]
fn stores_tiers_residencies_services_and_cpusets_are_never_unused() {
    let text = "store \"s\" path=\"/s\"\ntier \"Z\" title=\"z\"\nresidency \"cold\" title=\"c\" start=\"on-demand\"\nservice \"s\"\n";
    let base = BASE.replace("store \"models\"", "store \"s2\" path=\"/s2\"\nstore \"models\"").replace(
        "engine=\"llama.cpp\"\nengine",
        "engine=\"llama.cpp\" { defaults { store \"models\" } }\nengine",
    );
    let base = base
        .replace("smt=2 {", "smt=2 {\n    cpuset \"own\" cpus=\"0-3\"\n    gpu \"CUDA0\" memory=\"24 GB\"");
    let compiled = compile(&[("base.kdl", &base), ("case.kdl", text)]);
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
}

/// An item with an error may have named a model that no other item names.
#[test]
fn items_with_errors_may_name_a_model() {
    let role = |rest: &str| format!("role \"x\" tier=\"A\" residency=\"hot\" port=9000 context=1 {rest}\n");
    for (code, text) in [
        ("unknown-name", role("model=\"spaer\"")),
        ("unknown-name", role("model=\"quite-another\"")),
        ("unknown-name", role("model=\"plain\" draft=\"spar\"")),
        ("unknown-name", "ban target=\"spares\" draft=\"*\" failure=\"f\"\n".to_owned()),
        ("unknown-name", "quirk \"q\" models=\"spares\" issue=\"i\"\n".to_owned()),
        ("unknown-name", role("model=\"spare\"").replace("tier=\"A\"", "tier=\"Q\"")),
        ("unknown-field", role("modle=\"spare\"")),
        ("unknown-field", role("model=\"spare\" slost=2")),
        ("wrong-type", role("model=5")),
        ("wrong-type", role("model=\"spare\" slots=\"2\"")),
        ("missing-field", role("slots=2")),
        ("missing-field", role("model=\"spare\"").replace("port=9000 ", "")),
        ("duplicate-name", "role \"basic\" tier=\"A\" model=\"spare\"\n".to_owned()),
        ("unknown-kind", "rloe \"x\" tier=\"A\" model=\"spare\"\n".to_owned()),
        ("bad-name", "role \"x y\" tier=\"A\" model=\"spare\"\n".to_owned()),
        ("not-served", "role \"x\" tier=\"A\" model=\"spare\" port=1\n".to_owned()),
        ("kdl-syntax", "role \"x\" tier=\"A\" model=\"spare\" port=1x1\n".to_owned()),
    ] {
        assert_codes(&[code], &format!("{text}{SPARE}"));
        let apart = compile(&[("base.kdl", BASE), ("a.kdl", SPARE), ("b.kdl", &text)]);
        assert_eq!(apart.codes(), [code], "{}", apart.report());
    }
}

#[test]
fn an_unused_item_is_reported_if_the_wrong_name_is_not_similar() {
    let role = "role \"x\" tier=\"A\" residency=\"hot\" model=\"plian\" port=9000 context=1\n";
    assert_codes(&["unknown-name", "unused-item"], &format!("{role}{SPARE}"));
    assert_codes(
        &["wrong-type", "unused-item"],
        &format!("{}{SPARE}", role.replace("plian", "plain").replace("9000", "\"9000\"")),
    );
}

#[test]
fn yaml_gives_the_same_findings() {
    let spare = "models:\n  spare: {family: qwen2, title: Spare, quant: q, size: 1 GB, file: s}\n";
    for (codes, text) in [
        (&["unused-item"][..], ""),
        (&["unknown-kind"], "rolse:\n  x: {tier: A, model: spare}\n"),
        (&["wrong-type"], "roles:\n  - {name: x, tier: A, model: spare}\n"),
        (&["wrong-type"], "roles:\n  x: [{tier: A, model: spare}, {tier: A, model: spare}]\n"),
        (&["wrong-type"], "quirks: spare\n"),
    ] {
        let compiled = compile(&[("base.kdl", BASE), ("case.yaml", &format!("{text}{spare}"))]);
        assert_eq!(compiled.codes(), codes, "{text}: {}", compiled.report());
    }
}

#[test]
fn a_store_can_be_an_inventory_of_models() {
    let store = |allow: &str| {
        format!(
            "stack \"s\" engine=\"e\"\nengine \"e\" profile=\"llama.cpp-b11669\" bin=\"/usr/bin\"\nstore \"st\" path=\"/m\"{allow}\n\
             model \"a\" size=\"1 GB\" file=\"a.gguf\"\nmodel \"b\" size=\"1 GB\" file=\"b.gguf\"\n"
        )
    };
    let codes = |text: &str| crate::support::compile(&[("a.kdl", text)]).codes();
    let allow = store(" { allow \"unused-item\" because=\"roles use some of them\" }");
    assert_eq!(codes(&store("")), ["unused-item", "unused-item"]);
    assert!(codes(&allow).is_empty());
    // With a role for each model, the entry stays correct. Without any model it has no effect.
    let role = |name: &str, port: u16| format!("role \"{name}\" model=\"{name}\" port={port} context=512\n");
    assert!(codes(&(allow.clone() + &role("a", 1) + &role("b", 2))).is_empty());
    let without_models: Vec<&str> = allow.lines().filter(|line| !line.starts_with("model")).collect();
    let without_models = without_models.join(
        "
",
    );
    assert_eq!(codes(&without_models), ["unused-allow"]);
    // Other warnings of its models are covered too, and only used entries are correct.
    let other = store(" { allow \"unused-engine\" because=\"x\" }");
    assert!(codes(&other).contains(&"unused-allow"), "{:?}", codes(&other));
}
