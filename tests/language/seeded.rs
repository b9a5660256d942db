//! Any number of independent faults gives as many findings, each at its line, in both languages.

use super::{lines, said};
use crate::support::{Compiled, compile};
use orchgen::syntax::Language;
use proptest::prelude::*;
use std::fmt::Write as _;

const ROLES: usize = 60;
/// The lines of a fault: the kind, the field it changes, what KDL and YAML write instead, and the code.
type Fault = (&'static str, &'static str, &'static str, &'static str);

const FAULTS: &[Fault] = &[
    ("context", "contxt=4096", "contxt: 4096", "unknown-field"),
    ("context", "", "", "missing-field"),
    ("context", "context=\"4096\"", "context: \"4096\"", "wrong-type"),
    ("context", "context=0", "context: 0", "out-of-range"),
    ("model", "model=\"dens\"", "model: dens", "unknown-name"),
    ("residency", "residency=\"hott\"", "residency: hott", "unknown-name"),
    ("tier", "tier=\"Z\"", "tier: Z", "unknown-name"),
    ("port", "port=8000", "port: 8000", "port-conflict"),
    ("port", "port=65536", "port: 65536", "out-of-range"),
    ("slots", "slots=2 slots=3", "slots: 2, slots: 3", "duplicate-field"),
    ("slots", "pooling=\"clss\"", "pooling: clss", "unknown-word"),
    ("slots", "prompt-cache=4", "prompt-cache: 4", "bad-quantity"),
    ("slots", "draft=\"banned\"", "draft: banned", "banned-draft"),
    ("slots", "experts=4", "experts: 4", "too-many-experts"),
    (
        "slots",
        "override { key \"gemma3.block_count\"; value 4 }",
        "override: {key: gemma3.block_count, value: 4}",
        "unknown-override-key",
    ),
    (
        "slots",
        "option { name \"draft-max\"; value 4 }",
        "option: {name: draft-max, value: 4}",
        "removed-option",
    ),
    ("slots", "placement { numa \"bind 7\" }", "placement: {numa: bind 7}", "unknown-node"),
];

const FIELDS: [(&str, &str, &str); 6] = [
    ("tier", "tier=\"A\"", "tier: A"),
    ("residency", "residency=\"hot\"", "residency: hot"),
    ("model", "model=\"dense\"", "model: dense"),
    ("context", "context=4096", "context: 4096"),
    ("slots", "slots=2", "slots: 2"),
    ("port", "", ""),
];

const KDL_BASE: &str = r#"
stack "s" engine="e"
engine "e" profile="llama.cpp-b11434" bin="/bin"
host "h" memory="64 GB"
tier "A" title="A"
residency "hot" title="hot" start="boot" budget="4 GB"
family "llama" arch="llama"
model "dense" family="llama" title="Dense" quant="Q4" size="1 GB" file="/dense.gguf"
model "banned" family="llama" title="Banned" quant="Q4" size="1 GB" file="/banned.gguf"
ban target="dense" draft="banned" failure="it does not work"
"#;

/// Each role on a line; `faults` by role.
fn role(language: Language, n: usize, fault: Option<&Fault>) -> String {
    let kdl = language == Language::Kdl;
    let mut fields = Vec::new();
    let mut children = String::new();
    for (name, in_kdl, in_yaml) in FIELDS {
        let own = match (name, language) {
            ("port", Language::Kdl) => format!("port={}", 8000 + n),
            ("port", Language::Yaml) => format!("port: {}", 8000 + n),
            (_, Language::Kdl) => in_kdl.to_owned(),
            (_, Language::Yaml) => in_yaml.to_owned(),
        };
        match fault.filter(|fault| fault.0 == name) {
            Some(fault) if kdl && fault.1.contains('{') => write!(children, " {{ {} }}", fault.1).unwrap(),
            Some(fault) => fields.push(if kdl { fault.1 } else { fault.2 }.to_owned()),
            None => fields.push(own),
        }
    }
    fields.retain(|field| !field.is_empty());
    if kdl {
        format!("role \"r{n}\" {}{children}\n", fields.join(" "))
    } else {
        format!("  r{n}: {{{}}}\n", fields.join(", "))
    }
}

/// Compiles the roles in two files, with faults by the number of the role.
fn with(language: Language, faults: &[(usize, &Fault)]) -> Compiled {
    let kdl = language == Language::Kdl;
    let text = |roles: std::ops::Range<usize>| {
        let lines = roles
            .map(|n| role(language, n, faults.iter().find(|(role, _)| *role == n).map(|(_, fault)| *fault)));
        let all: String = lines.collect();
        if kdl { format!("// roles\n{all}") } else { format!("roles:\n{all}") }
    };
    let extension = if kdl { "kdl" } else { "yaml" };
    let (first, second) = (text(0..ROLES / 2), text(ROLES / 2..ROLES));
    compile(&[("a.kdl", KDL_BASE), (&format!("b.{extension}"), &first), (&format!("c.{extension}"), &second)])
}

/// The line of a role in its file.
fn line(role: usize) -> u32 {
    u32::try_from(role % (ROLES / 2)).unwrap() + 2
}

#[test]
fn each_fault_alone_is_said_with_its_code() {
    for language in [Language::Kdl, Language::Yaml] {
        assert!(with(language, &[]).findings.is_empty(), "{}", with(language, &[]).report());
        for fault in FAULTS {
            let compiled = with(language, &[(41, fault)]);
            assert_eq!(compiled.codes(), [fault.3], "{}", compiled.report());
            assert_eq!(lines(&compiled), [line(41)]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn so_many_faults_so_many_findings(
        roles in proptest::sample::subsequence((1..ROLES).collect::<Vec<_>>(), 1..=12),
        kinds in proptest::collection::vec(0..FAULTS.len(), 12),
    ) {
        let faults: Vec<(usize, &Fault)> = roles.iter().zip(&kinds).map(|(role, kind)| (*role, &FAULTS[*kind])).collect();
        let (kdl, yaml) = (with(Language::Kdl, &faults), with(Language::Yaml, &faults));
        let codes: Vec<&str> = faults.iter().map(|(_, fault)| fault.3).collect();
        let at: Vec<u32> = faults.iter().map(|(role, _)| line(*role)).collect();
        for compiled in [&kdl, &yaml] {
            prop_assert_eq!(compiled.codes(), codes.clone(), "{}", compiled.report());
            prop_assert_eq!(lines(compiled), at.clone());
        }
        prop_assert_eq!(said(&kdl), said(&yaml));
    }
}
