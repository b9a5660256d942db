//! What nothing names, and what might be named where text could not be read.

use super::{gives, only};
use crate::language::BASE;
use crate::support::compile;

const SPARE: &str =
    "model \"spare\" family=\"qwen2\" title=\"Spare\" quant=\"q\" size=\"1 GB\" file=\"spare.gguf\"\n";

#[test]
fn what_nothing_names_is_said() {
    assert_eq!(only(SPARE).message, "nothing uses model `spare`");
    assert_eq!(only("family \"odd\" arch=\"llama\"").message, "nothing uses family `odd`");
    let engine = "engine \"other\" profile=\"llama.cpp-b9093\" bin=\"/b\"\n";
    assert_eq!(only(engine).message, "nothing uses engine `other`");
    // A family of an unused model is used by it.
    gives(&["unused-item"], &(SPARE.replace("qwen2", "odd") + "family \"odd\" arch=\"llama\""));
    gives(&[], &SPARE.replace('\n', " retired=\"too slow\"\n"));
}

#[test]
fn every_way_of_naming_counts() {
    for naming in [
        "role \"x\" tier=\"A\" model=\"spare\"",
        "role \"x\" tier=\"A\" residency=\"hot\" model=\"plain\" port=9000 context=1 draft=\"spare\"",
        "ban target=\"spare\" draft=\"*\" failure=\"f\"",
        "ban target=\"*\" draft=\"spare\" failure=\"f\"",
        "pair target=\"plain\" draft=\"spare\"",
        "quirk \"q\" models=\"spare\" issue=\"i\"",
    ] {
        gives(&[], &format!("{SPARE}{naming}"));
    }
    // A glob names nothing.
    gives(
        &["unused-item"],
        &format!("{SPARE}ban target=\"Spare\" draft=\"X*\" failure=\"f\"")
            .replace("\"Spare\" draft", "\"Spare*\" draft"),
    );
    let engine = "engine \"other\" profile=\"llama.cpp-b9093\" bin=\"/b\"\n";
    let measured = "role \"x\" tier=\"A\" model=\"plain\" { measured \"9 t/s\" engine=\"other\" }";
    gives(&[], &format!("{engine}{measured}"));
}

#[test]
fn places_are_never_unused() {
    let text = "store \"s\" path=\"/s\"\ntier \"Z\" title=\"z\"\nresidency \"cold\" title=\"c\" start=\"on-demand\"\nservice \"s\"\n";
    let base = BASE.replace("store \"models\"", "store \"s2\" path=\"/s2\"\nstore \"models\"").replace(
        "engine=\"llama.cpp\"\nengine",
        "engine=\"llama.cpp\" { defaults { store \"models\" } }\nengine",
    );
    let base = base
        .replace("smt=2 {", "smt=2 {\n    cpuset \"own\" cpus=\"0-3\"\n    gpu \"card\" memory=\"24 GB\"");
    let compiled = compile(&[("base.kdl", &base), ("case.kdl", text)]);
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
}

/// A role, a rule or a model that is wrong may have named what nothing else names.
#[test]
fn what_could_not_be_read_may_name_it() {
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
        gives(&[code], &format!("{text}{SPARE}"));
        let apart = compile(&[("base.kdl", BASE), ("a.kdl", SPARE), ("b.kdl", &text)]);
        assert_eq!(apart.codes(), [code], "{}", apart.report());
    }
}

#[test]
fn what_cannot_have_been_meant_is_said_beside_other_faults() {
    let role = "role \"x\" tier=\"A\" residency=\"hot\" model=\"plian\" port=9000 context=1\n";
    gives(&["unknown-name", "unused-item"], &format!("{role}{SPARE}"));
    gives(
        &["wrong-type", "unused-item"],
        &format!("{}{SPARE}", role.replace("plian", "plain").replace("9000", "\"9000\"")),
    );
}

#[test]
fn yaml_says_the_same() {
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
