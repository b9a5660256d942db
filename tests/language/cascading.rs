//! No cascading errors: items that refer to an item with a mistake add no findings.

use super::{BASE, codes_and_messages};
use crate::support::{Compiled, compile};

const YAML_BASE: &str = include_str!("base.yaml");

/// Items that refer to everything in the base. Role `r4` refers to an unknown role.
const REFERENCES_KDL: &str = r#"
role "r1" tier="A" residency="hot" model="plain" port=9001 context=1 draft="tiny"
role "r2" tier="A" residency="hot" model="mixture" port=9002 context=1 host="box" engine="llama.cpp"
role "r3" tier="A" shares="basic"
role "r4" tier="A" shares="r3x"
ban target="plain" draft="mixture" failure="f"
quirk "q" models="plain" issue="i"
service "s" host="box" port=7000
expect "e" role="r1" port=9001
"#;
const REFERENCES_YAML: &str = "
roles:
  r1: {tier: A, residency: hot, model: plain, port: 9001, context: 1, draft: tiny}
  r2: {tier: A, residency: hot, model: mixture, port: 9002, context: 1, host: box, engine: llama.cpp}
  r3: {tier: A, shares: basic}
bans: [{target: plain, draft: mixture, failure: f}]
quirks: {q: {models: plain, issue: i}}
services: {s: {host: box, port: 7000}}
expects: {e: {role: r1, port: 9001}}
";

fn compile_with_references(language: &str, base: &str) -> Compiled {
    let references = if language == "kdl" {
        REFERENCES_KDL.replace("role \"r4\" tier=\"A\" shares=\"r3x\"\n", "")
    } else {
        REFERENCES_YAML.to_owned()
    };
    compile(&[(&format!("a.{language}"), base), (&format!("b.{language}"), &references)])
}

#[test]
fn both_bases_have_no_finding_and_give_the_same_registry() {
    for (language, base) in [("kdl", BASE), ("yaml", YAML_BASE)] {
        let compiled = compile_with_references(language, base);
        assert!(compiled.findings.is_empty(), "{}", compiled.report());
    }
    let lowered = |name: &str, text: &str| crate::support::lower(&[(name, text)]).0;
    assert_eq!(
        super::parity::registry_text(&lowered("a.kdl", BASE)),
        super::parity::registry_text(&lowered("a.yaml", YAML_BASE))
    );
}

#[test]
fn a_mistake_in_a_referenced_item_has_no_cascading_findings() {
    let mut wrong = Vec::new();
    for block in include_str!("cascading.txt").split("\n\n") {
        let lines: Vec<&str> = block.trim_end().lines().map(str::trim_start).collect();
        let [mistake, kdl, yaml, codes] = lines[..] else { panic!("{block}") };
        let mut both = Vec::new();
        for (language, base, change) in [("kdl", BASE, kdl), ("yaml", YAML_BASE, yaml)] {
            let change = change.replace("\\n", "\n");
            let (from, to) = change.split_once(" => ").unwrap();
            assert!(base.contains(from), "{mistake}: {from}");
            let compiled = compile_with_references(language, &base.replacen(from, to, 1));
            // A mistake can drop a whole section in YAML, but only one item in KDL. The codes must still be the same.
            if compiled.codes().join(" ") != *codes {
                wrong.push(format!("{mistake} in {language}: {}", compiled.report()));
            }
            both.push(codes_and_messages(&compiled));
        }
        if codes != "unknown-kind" && both[0] != both[1] {
            wrong.push(format!("{mistake}: {both:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn an_unknown_field_suppresses_only_the_missing_field_with_a_similar_name() {
    let text = r#"model "x" family="qwen2" title="X" size="1 GB" quantt="x""#;
    let compiled = super::compile_with_base("kdl", text);
    assert_eq!(compiled.codes(), ["missing-field", "unknown-field"], "{}", compiled.report());
    assert_eq!(compiled.findings.findings()[0].message, "model `x` has no `file`");
}

#[test]
fn roles_that_share_a_role_with_a_mistake_have_no_finding() {
    let text = r#"
role "broken" tier="A" residency="hot" model="plain" port="x" context=1
role "one" tier="A" shares="broken"
role "two" tier="A" shares="one"
expect "e" role="broken" port=9000
expect "f" role="two" port=9000
"#;
    let compiled = super::compile_with_base("kdl", text);
    assert_eq!(compiled.codes(), ["wrong-type"], "{}", compiled.report());
}

#[test]
fn each_unknown_name_is_reported() {
    let compiled = super::compile_with_base(
        "kdl",
        &REFERENCES_KDL.replace("r3x", "nobody").replace("model=\"plain\"", "model=\"plian\""),
    );
    assert_eq!(compiled.codes(), ["unknown-name", "unknown-name"], "{}", compiled.report());
}

#[test]
fn ports_of_a_role_override_a_default_port() {
    let base = BASE.replace(
        "engine=\"llama.cpp\"\n",
        "engine=\"llama.cpp\" { defaults { port 8500; context 1; residency \"hot\" } }\n",
    );
    let text =
        "role \"x\" tier=\"A\" model=\"plain\" ports=\"9000-9001\"\nrole \"y\" tier=\"A\" model=\"plain\"\n";
    let compiled = compile(&[("a.kdl", &base), ("b.kdl", text)]);
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
}

#[test]
fn a_bad_name_is_reported_at_the_declaration_only() {
    let text = r#"
model "my model" family="qwen2" title="X" quant="q" size="1 GB" file="x"
role "x" tier="A" residency="hot" model="my model" port=9000 context=1
role "y" tier="A" model="my model"
ban target="my model" draft="tiny" failure="f"
"#;
    let compiled = super::compile_with_base("kdl", text);
    assert_eq!(compiled.codes(), ["bad-name"], "{}", compiled.report());
}

/// Items with syntax errors, and items that refer to the damaged or skipped items.
const DAMAGED_KDL: &str = r#"
role "one" tier="A" residency="hot" model="plain" port=9000 context=40x96
role "two" tier="A" shares="one"
model "lost" family="qwen2" title="L" quant="q" size="1 GB" file="l" trained-context=1..2
role "three" tier="A" residency="hot" model="lost" port=9001 context=1
tier "Q" title="open
role "four" tier="Q" shares="basic"
"#;
const DAMAGED_YAML: &str = "
roles:
  one: {tier: A, residency: hot, model: plain, port: 9000, context: 1
  two: {tier: A, shares: one}
models:
  lost: {family: qwen2, title: \"L, quant: q, size: 1 GB, file: l}
";

#[test]
fn references_to_items_with_syntax_errors_have_no_finding() {
    for (language, damaged) in [("kdl", DAMAGED_KDL), ("yaml", DAMAGED_YAML)] {
        let using = "role \"u\" tier=\"A\" residency=\"hot\" model=\"lost\" port=9100 context=1\nrole \"v\" tier=\"A\" shares=\"two\"\n";
        let files = [("a.kdl", BASE), (&format!("b.{language}"), damaged), ("c.kdl", using)];
        let compiled = compile(&files);
        let codes = compiled.codes();
        assert!(
            codes.len() >= 2 && codes.iter().all(|code| code.ends_with("-syntax")),
            "{}",
            compiled.report()
        );
        // Unrelated mistakes are still reported.
        let wrong =
            "role \"w\" tier=\"A\" shares=\"nobody\"\nrole \"x\" tier=\"A\" titel=\"t\" model=\"plain\"";
        let more = compile(&[files[0], files[1], files[2], ("d.kdl", wrong)]);
        assert_eq!(more.codes()[codes.len()..], ["unknown-name", "unknown-field"], "{}", more.report());
    }
}

#[test]
fn a_stack_host_or_store_with_a_syntax_error_is_not_reported_as_missing() {
    let base = BASE
        .replace("engine=\"llama.cpp\"\n", "engine=4x\n")
        .replace("memory=\"640 GB\"", "memory=6..4")
        .replace("path=\"/srv/models\"", "path=5y");
    let compiled = compile(&[
        ("a.kdl", &base),
        ("b.kdl", "role \"bare\" tier=\"A\" residency=\"hot\" model=\"plain\" port=9000"),
    ]);
    assert!(compiled.codes().iter().all(|code| *code == "kdl-syntax"), "{}", compiled.report());
}

/// A residency with one role and an expectation about it, for models, hosts and stores with a mistake.
const EXPECTATION: &str = r#"
residency "nightly" title="at night" start="on-demand"
role "translate" tier="A" residency="nightly" model="weights" port=9000 context=4096 host="box"
expect "the nights are quiet" residency="nightly" fits="8 GB"
"#;
const WEIGHTS: &str =
    "model \"weights\" family=\"qwen2\" title=\"W\" quant=\"Q4_K_M\" size=\"2 GB\" file=\"w.gguf\"\n";

#[test]
fn an_expectation_is_not_reported_as_empty_if_a_role_could_not_be_read() {
    let model = |from: &str, to: &str| EXPECTATION.to_owned() + &WEIGHTS.replace(from, to);
    let role = |from: &str, to: &str| WEIGHTS.to_owned() + &EXPECTATION.replace(from, to);
    for (code, text) in [
        ("unknown-field", model("quant", "quantt")),
        ("bad-quantity", model("2 GB", "2 apples")),
        ("missing-field", model(" file=\"w.gguf\"", "")),
        ("unknown-name", model("qwen2", "nobody")),
        ("unknown-name", role("host=\"box\"", "host=\"rack\"")),
        ("unknown-name", role("model=\"weights\"", "model=\"waits\"")),
        ("missing-field", role("port=9000 ", "")),
        ("wrong-type", role("context=4096", "context=\"much\"")),
        ("missing-field", role(" tier=\"A\"", "")),
    ] {
        let compiled = super::compile_with_base("kdl", &text);
        assert_eq!(compiled.codes(), [code], "{text}\n{}", compiled.report());
    }
    let store = BASE.replace("path=\"/srv/models\"", "path=\"models\"");
    let compiled = compile(&[("a.kdl", &store), ("b.kdl", &(WEIGHTS.to_owned() + EXPECTATION))]);
    assert_eq!(compiled.codes(), ["out-of-range"], "{}", compiled.report());
}

/// The roles are readable, or use another residency. So a mistake elsewhere is no reason for silence.
#[test]
fn an_empty_expectation_is_reported_next_to_other_mistakes() {
    let tier = "tier \"Q\" titel=\"x\"\n";
    let other = WEIGHTS.replace("size=\"2 GB\"", "size=2")
        + &EXPECTATION.replace("residency=\"nightly\" model", "residency=\"hot\" model");
    for (codes, text) in [
        (
            ["empty-expectation", "unknown-field"],
            format!(
                "{}{tier}",
                EXPECTATION.lines().filter(|line| !line.starts_with("role")).collect::<Vec<_>>().join("\n")
                    + "\n"
            ),
        ),
        (["bad-quantity", "empty-expectation"], other),
    ] {
        let compiled = super::compile_with_base("kdl", &text);
        assert_eq!(compiled.codes(), codes, "{text}\n{}", compiled.report());
    }
}

#[test]
fn a_name_that_several_items_use_has_one_finding_and_one_fix() {
    let role = |n: usize| {
        format!(
            "role \"r{n}\" tier=\"A\" residency=\"hot\" model=\"mixtur\" port={} context=4096\n",
            9000 + n
        )
    };
    let text: String = (0..9).map(role).collect();
    let compiled = super::compile_with_base("kdl", &text);
    let [finding] = compiled.findings.findings() else { panic!("{}", compiled.report()) };
    assert_eq!(finding.message, "role `r0` uses model `mixtur`, which is not declared");
    assert_eq!(finding.secondary.len(), 6);
    assert_eq!(finding.notes, ["also used in 2 other places"]);
    let fixed =
        crate::support::fixed(&[("base.kdl", BASE), ("case.kdl", &text)], orchgen::cli::fix::FixLevel::Safe);
    assert!(fixed.latest().findings.is_empty());
    assert!(fixed.latest().loaded.map.files().all(|(_, file)| !file.text().contains("mixtur\"")));
}

#[test]
fn no_item_is_reported_as_missing_next_to_a_syntax_error() {
    let role = "role \"x\" tier=\"A\" residency=\"hot\" model=\"m\" port=9000 context=1\n";
    for (name, text) in [
        ("a.yaml", "settings: {unclosed: [\n"),
        ("a.kdl", "host \"box {\n"),
        ("a.yaml", "[server]\nname = \"x\"\n"),
        ("a.kdl", "{\"services\": []}\n"),
    ] {
        let compiled = compile(&[(name, text), ("b.kdl", role)]);
        assert!(!compiled.codes().contains(&"missing-item"), "{text}: {}", compiled.report());
    }
}

#[test]
fn a_residency_with_a_mistake_does_not_make_the_engine_of_its_role_unused() {
    let text = "engine \"second\" profile=\"llama.cpp-b9093\" bin=\"/opt/second/bin\"\nresidency \"rare\" title=\"seldom\"\nrole \"r\" tier=\"A\" residency=\"rare\" model=\"plain\" port=9000 context=1 engine=\"second\"\n";
    let compiled = super::compile_with_base("kdl", text);
    assert_eq!(compiled.codes(), ["missing-field"], "{}", compiled.report());
}

#[test]
fn a_role_whose_shares_cannot_be_read_needs_no_port() {
    let base = BASE.replace(
        "engine=\"llama.cpp\"\n",
        "engine=\"llama.cpp\" { defaults { residency \"hot\"; context 1; host \"box\" } }\n",
    );
    for (code, role) in [
        ("wrong-type", "role \"r\" tier=\"A\" shares=#false"),
        ("unknown-field", "role \"r\" tier=\"A\" share=\"basic\""),
        ("missing-field", "role \"r\" tier=\"A\""),
    ] {
        let compiled = compile(&[("a.kdl", &base), ("b.kdl", role)]);
        assert_eq!(compiled.codes(), [code], "{role}: {}", compiled.report());
    }
}
