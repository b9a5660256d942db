//! Retired models, stale measurements, impossible dates and empty expectations.

use super::{assert_codes, role, single_finding};

const OLD: &str = "model \"old\" family=\"qwen2\" title=\"Old\" quant=\"q\" size=\"0.1 GB\" file=\"old\" retired=\"it stutters\"\n";

#[test]
fn a_retired_model_must_not_be_used() {
    let used = |text: &str| format!("{OLD}{text}");
    for text in [
        &*role("x", "port=9000 draft=\"old\""),
        "role \"x\" tier=\"A\" model=\"old\"",
        "pair target=\"plain\" draft=\"old\"",
        "pair target=\"old\" draft=\"tiny\"",
    ] {
        assert_codes(
            &["retired-model"],
            &used(text).replace("0.1 GB", if text.contains("target=\"old\"") { "3 GB" } else { "0.1 GB" }),
        );
    }
    // Bans, quirks and globs may still match it.
    assert_codes(&[], &used("ban target=\"old\" draft=\"*\" failure=\"f\""));
    assert_codes(&[], &used("quirk \"q\" models=\"old\" issue=\"i\""));
    assert_codes(&[], &used("pair target=\"qwen2\" draft=\"Old*\""));
    assert_codes(&[], OLD);
    let finding = single_finding(&used("role \"x\" tier=\"A\" model=\"old\""));
    assert_eq!(finding.message, "role `x` lists `Old`, which is retired: it stutters");
    let finding = single_finding(
        &used("role \"x\" tier=\"A\" model=\"old\"").replace("retired=\"it stutters\"", "{ retired }"),
    );
    assert_eq!(finding.message, "role `x` lists `Old`, which is retired");
}

#[test]
fn a_retired_default_model_gives_one_finding() {
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
fn a_measurement_names_the_engine_of_its_role() {
    let old = "engine \"old\" profile=\"llama.cpp-b9093\" bin=\"/opt/old\"\n";
    let with = |rest: &str, under: &str| {
        format!(
            "{old}{} {{ measured \"9 t/s\" {under} }}\n",
            role("x", &format!("port=9000 {rest}")).trim_end()
        )
    };
    assert_codes(&["stale-measurement"], &with("", "engine=\"old\""));
    assert_codes(&[], &with("engine=\"old\"", "engine=\"old\""));
    assert_codes(&["stale-measurement"], &with("engine=\"old\"", "engine=\"llama.cpp\""));
    assert_codes(&[], &with("engine=\"old\"", ""));
    let sharing =
        format!("{old}role \"x\" tier=\"A\" shares=\"basic\" {{ measured \"9 t/s\" engine=\"old\" }}");
    assert_codes(&["stale-measurement"], &sharing);
    let listed =
        format!("{old}role \"x\" tier=\"A\" model=\"plain\" {{ measured \"9 t/s\" engine=\"old\" }}");
    assert_codes(&[], &listed);
}

#[test]
fn a_quirk_is_not_fixed_before_it_is_found() {
    let quirk = |found: &str, fixed: &str| {
        format!("quirk \"q\" models=\"plain\" issue=\"i\" found=\"{found}\" fixed=\"{fixed}\"")
    };
    assert_codes(&["impossible-dates"], &quirk("2026-02-02", "2026-02-01"));
    assert_codes(&[], &quirk("2026-02-02", "2026-02-02"));
    assert_codes(&[], &quirk("2026-02-02", "b9093"));
    assert_codes(&[], "quirk \"q\" models=\"plain\" issue=\"i\" fixed=\"2026-02-01\"");
}

#[test]
fn a_failed_expectation_gives_the_reason() {
    let cold = "residency \"cold\" title=\"c\" start=\"boot\"\n";
    assert_codes(&["empty-expectation"], &format!("{cold}expect \"e\" residency=\"cold\" fits=\"1 GB\""));
    assert_codes(&[], "expect \"e\" residency=\"hot\" fits=\"30 GB\"");
    let sharing = "role \"s\" tier=\"A\" shares=\"basic\"\nexpect \"e\" role=\"s\" port=8000";
    let finding = single_finding(sharing);
    assert_eq!(
        finding.message,
        "expectation `e` failed: role `s` shares `basic`, which listens on port 8000"
    );
    let listed = "role \"s\" tier=\"A\" model=\"plain\"\nexpect \"e\" role=\"s\" port=8000";
    assert_eq!(single_finding(listed).message, "expectation `e` failed: role `s` is not served");
}
