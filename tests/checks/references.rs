//! Retired models, stale measurements, slips of days, expectations that say nothing.

use super::{gives, only, role};

const OLD: &str = "model \"old\" family=\"qwen2\" title=\"Old\" quant=\"q\" size=\"0.1 GB\" file=\"old\" retired=\"it stutters\"\n";

#[test]
fn a_retired_model_is_used_by_nothing() {
    let used = |text: &str| format!("{OLD}{text}");
    for text in [
        &*role("x", "port=9000 draft=\"old\""),
        "role \"x\" tier=\"A\" model=\"old\"",
        "pair target=\"plain\" draft=\"old\"",
        "pair target=\"old\" draft=\"tiny\"",
    ] {
        gives(
            &["retired-model"],
            &used(text).replace("0.1 GB", if text.contains("target=\"old\"") { "3 GB" } else { "0.1 GB" }),
        );
    }
    // What warns of it stays, and so does what speaks of many.
    gives(&[], &used("ban target=\"old\" draft=\"*\" failure=\"f\""));
    gives(&[], &used("quirk \"q\" models=\"old\" issue=\"i\""));
    gives(&[], &used("pair target=\"qwen2\" draft=\"Old*\""));
    gives(&[], OLD);
    let finding = only(&used("role \"x\" tier=\"A\" model=\"old\""));
    assert_eq!(finding.message, "role `x` lists `Old`, which is retired: it stutters");
    let finding =
        only(&used("role \"x\" tier=\"A\" model=\"old\"").replace("retired=\"it stutters\"", "{ retired }"));
    assert_eq!(finding.message, "role `x` lists `Old`, which is retired");
}

#[test]
fn a_retired_default_is_said_once() {
    let base = crate::language::BASE.replace(
        "engine=\"llama.cpp\"\nengine",
        "engine=\"llama.cpp\" { defaults { model \"old\"; context 1; residency \"hot\" } }\nengine",
    );
    let text = format!("{OLD}role \"x\" tier=\"A\" port=9000\nrole \"y\" tier=\"A\" port=9001\n");
    let compiled = crate::support::compile(&[("base.kdl", &base), ("case.kdl", &text)]);
    assert_eq!(compiled.codes(), ["retired-model"], "{}", compiled.report());
    assert_eq!(compiled.findings.findings()[0].subject.as_ref().unwrap().kind, "stack");
}

#[test]
fn a_measurement_is_of_the_engine_that_serves() {
    let old = "engine \"old\" profile=\"llama.cpp-b9093\" bin=\"/opt/old\"\n";
    let with = |rest: &str, under: &str| {
        format!(
            "{old}{} {{ measured \"9 t/s\" {under} }}\n",
            role("x", &format!("port=9000 {rest}")).trim_end()
        )
    };
    gives(&["stale-measurement"], &with("", "engine=\"old\""));
    gives(&[], &with("engine=\"old\"", "engine=\"old\""));
    gives(&["stale-measurement"], &with("engine=\"old\"", "engine=\"llama.cpp\""));
    gives(&[], &with("engine=\"old\"", ""));
    let sharing =
        format!("{old}role \"x\" tier=\"A\" shares=\"basic\" {{ measured \"9 t/s\" engine=\"old\" }}");
    gives(&["stale-measurement"], &sharing);
    let listed =
        format!("{old}role \"x\" tier=\"A\" model=\"plain\" {{ measured \"9 t/s\" engine=\"old\" }}");
    gives(&[], &listed);
}

#[test]
fn a_quirk_is_found_before_it_is_fixed() {
    let quirk = |found: &str, fixed: &str| {
        format!("quirk \"q\" models=\"plain\" issue=\"i\" found=\"{found}\" fixed=\"{fixed}\"")
    };
    gives(&["impossible-dates"], &quirk("2026-02-02", "2026-02-01"));
    gives(&[], &quirk("2026-02-02", "2026-02-02"));
    gives(&[], &quirk("2026-02-02", "b9093"));
    gives(&[], "quirk \"q\" models=\"plain\" issue=\"i\" fixed=\"2026-02-01\"");
}

#[test]
fn an_expectation_can_fail_and_says_why_it_did() {
    let cold = "residency \"cold\" title=\"c\" start=\"boot\"\n";
    gives(&["empty-expectation"], &format!("{cold}expect \"e\" residency=\"cold\" fits=\"1 GB\""));
    gives(&[], "expect \"e\" residency=\"hot\" fits=\"30 GB\"");
    let sharing = "role \"s\" tier=\"A\" shares=\"basic\"\nexpect \"e\" role=\"s\" port=8000";
    let finding = only(sharing);
    assert_eq!(
        finding.message,
        "expectation `e` does not hold: role `s` shares `basic`, which listens on 8000"
    );
    let listed = "role \"s\" tier=\"A\" model=\"plain\"\nexpect \"e\" role=\"s\" port=8000";
    assert_eq!(only(listed).message, "expectation `e` does not hold: role `s` is not served");
}
