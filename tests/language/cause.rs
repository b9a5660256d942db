//! One cause, one finding: what needs an item that could not be read is silent about it.

use super::{BASE, said};
use crate::support::{Compiled, compile};

const YAML_BASE: &str = include_str!("base.yaml");

/// Roles, rules and expectations that name everything in the base, without a context where the defaults have to give one.
const NAMING_KDL: &str = r#"
role "r1" tier="A" residency="hot" model="plain" port=9001 context=1 draft="tiny"
role "r2" tier="A" residency="hot" model="mixture" port=9002 context=1 host="box" engine="llama.cpp"
role "r3" tier="A" shares="basic"
role "r4" tier="A" shares="r3x"
ban target="plain" draft="mixture" failure="f"
quirk "q" models="plain" issue="i"
service "s" host="box" port=7000
expect "e" role="r1" port=9001
"#;
const NAMING_YAML: &str = "
roles:
  r1: {tier: A, residency: hot, model: plain, port: 9001, context: 1, draft: tiny}
  r2: {tier: A, residency: hot, model: mixture, port: 9002, context: 1, host: box, engine: llama.cpp}
  r3: {tier: A, shares: basic}
bans: [{target: plain, draft: mixture, failure: f}]
quirks: {q: {models: plain, issue: i}}
services: {s: {host: box, port: 7000}}
expects: {e: {role: r1, port: 9001}}
";

fn with(language: &str, base: &str) -> Compiled {
    let naming = if language == "kdl" {
        NAMING_KDL.replace("role \"r4\" tier=\"A\" shares=\"r3x\"\n", "")
    } else {
        NAMING_YAML.to_owned()
    };
    compile(&[(&format!("a.{language}"), base), (&format!("b.{language}"), &naming)])
}

#[test]
fn the_bases_have_no_fault_and_say_the_same() {
    for (language, base) in [("kdl", BASE), ("yaml", YAML_BASE)] {
        let compiled = with(language, base);
        assert!(compiled.findings.is_empty(), "{}", compiled.report());
    }
    let lowered = |name: &str, text: &str| crate::support::lower(&[(name, text)]).0;
    assert_eq!(
        super::parity::drawn(&lowered("a.kdl", BASE)),
        super::parity::drawn(&lowered("a.yaml", YAML_BASE))
    );
}

#[test]
fn one_cause_is_one_finding() {
    let mut wrong = Vec::new();
    for block in include_str!("cause.txt").split("\n\n") {
        let lines: Vec<&str> = block.trim_end().lines().map(str::trim_start).collect();
        let [what, kdl, yaml, codes] = lines[..] else { panic!("{block}") };
        let mut both = Vec::new();
        for (language, base, change) in [("kdl", BASE, kdl), ("yaml", YAML_BASE, yaml)] {
            let change = change.replace("\\n", "\n");
            let (from, to) = change.split_once(" => ").unwrap();
            assert!(base.contains(from), "{what}: {from}");
            let compiled = with(language, &base.replacen(from, to, 1));
            // A whole section is lost in YAML where KDL loses an item, so the words may differ and the codes may not.
            if compiled.codes().join(" ") != *codes {
                wrong.push(format!("{what} in {language}: {}", compiled.report()));
            }
            both.push(said(&compiled));
        }
        if codes != "unknown-kind" && both[0] != both[1] {
            wrong.push(format!("{what}: {both:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn an_unknown_field_hides_only_the_missing_one_that_it_resembles() {
    let text = r#"model "x" family="qwen2" title="X" size="1 GB" fil="x""#;
    let compiled = super::beside_base("kdl", text);
    assert_eq!(compiled.codes(), ["missing-field", "unknown-field"], "{}", compiled.report());
    assert_eq!(compiled.findings.findings()[0].message, "model `x` has no `quant`");
}

#[test]
fn roles_that_share_a_role_that_cannot_be_read_are_silent() {
    let text = r#"
role "broken" tier="A" residency="hot" model="plain" port="x" context=1
role "one" tier="A" shares="broken"
role "two" tier="A" shares="one"
expect "e" role="broken" port=9000
expect "f" role="two" port=9000
"#;
    let compiled = super::beside_base("kdl", text);
    assert_eq!(compiled.codes(), ["wrong-type"], "{}", compiled.report());
}

#[test]
fn a_name_that_is_wrong_in_several_places_is_said_at_each() {
    let compiled = super::beside_base(
        "kdl",
        &NAMING_KDL.replace("r3x", "nobody").replace("model=\"plain\"", "model=\"plian\""),
    );
    assert_eq!(compiled.codes(), ["unknown-name", "unknown-name"], "{}", compiled.report());
}

#[test]
fn a_default_port_gives_way_to_ports_of_a_role() {
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
fn a_bad_name_is_said_where_it_is_declared_and_not_where_it_is_used() {
    let text = r#"
model "my model" family="qwen2" title="X" quant="q" size="1 GB" file="x"
role "x" tier="A" residency="hot" model="my model" port=9000 context=1
role "y" tier="A" model="my model"
ban target="my model" draft="tiny" failure="f"
"#;
    let compiled = super::beside_base("kdl", text);
    assert_eq!(compiled.codes(), ["bad-name"], "{}", compiled.report());
}
