//! Each independent fault gives exactly one finding at its line, in both languages and in any combination.

use super::faults::{self, Fault, NOT_SEEDED};
use super::{BASE, codes_and_messages};
use crate::support::{Compiled, compile};
use orchgen::catalogue::codes;
use orchgen::syntax::Language;
use proptest::prelude::*;
use std::fmt::Write as _;
use std::sync::OnceLock;

const ROLES: usize = 200;

/// A fault in a role: the field that it replaces, the replacement in KDL and in YAML, and the code.
type RoleFault = (&'static str, &'static str, &'static str, &'static str);

const ROLE_FAULTS: &[RoleFault] = &[
    ("context", "contxt=4096", "contxt: 4096", "unknown-field"),
    ("model", "", "", "missing-field"),
    ("context", "context=\"4096\"", "context: \"4096\"", "wrong-type"),
    ("context", "context=0", "context: 0", "out-of-range"),
    ("context", "context=99999", "context: 99999", "untrained-context"),
    ("model", "model=\"dens\"", "model: dens", "unknown-name"),
    ("residency", "residency=\"hott\"", "residency: hott", "unknown-name"),
    ("tier", "tier=\"Z\"", "tier: Z", "unknown-name"),
    ("port", "port=8000", "port: 8000", "port-conflict"),
    ("port", "port=65536", "port: 65536", "out-of-range"),
    ("slots", "slots=2 slots=3", "slots: 2, slots: 3", "duplicate-field"),
    ("slots", "pooling=\"clss\"", "pooling: clss", "unknown-word"),
    ("slots", "prompt-cache=4", "prompt-cache: 4", "bad-quantity"),
    ("slots", "draft=\"banned\"", "draft: banned", "banned-draft"),
    ("slots", "draft=\"dense\"", "draft: dense", "own-draft"),
    ("slots", "draft=\"large\"", "draft: large", "larger-draft"),
    ("slots", "draft=\"old\"", "draft: old", "retired-model"),
    ("slots", "experts=4", "experts: 4", "too-many-experts"),
    ("slots", "listen=\"0.0.0.0\"", "listen: 0.0.0.0", "exposed-without-key"),
    ("slots", "key-file=\"/tmp/key\"", "key-file: /tmp/key", "misplaced-key-file"),
    ("slots", "env { HF_TOKEN \"swordfish\" }", "env: {HF_TOKEN: swordfish}", "secret-in-registry"),
    (
        "slots",
        "override { key \"gemma3.block_count\"; value 4 }",
        "override: {key: gemma3.block_count, value: 4}",
        "unknown-override-key",
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

/// Models and rules that the role faults need, in addition to the base.
const MODELS: &str = r#"
model "dense" family="qwen2" title="Dense" quant="Q4" size="1 GB" file="/w/dense.gguf" trained-context=8192
model "banned" family="qwen2" title="Banned" quant="Q4" size="1 GB" file="/w/banned.gguf"
model "large" family="qwen2" title="Large" quant="Q4" size="2 GB" file="/w/large.gguf"
model "old" family="qwen2" title="Old" quant="Q4" size="0.5 GB" file="/w/old.gguf" retired="it stutters"
ban target="dense" draft="banned" failure="it does not work"
pair target="dense" draft="large"
"#;

/// The base with enough memory for the models of all faults together, and a default host for the roles.
fn base() -> String {
    let changes = [
        ("engine=\"llama.cpp\"\nengine", "engine=\"llama.cpp\" { defaults { host \"box\" } }\nengine"),
        ("memory=\"640 GB\"", "memory=\"6400 GB\""),
        ("memory=\"320 GB\"", "memory=\"3200 GB\""),
        ("budget=\"40 GB\"", "budget=\"400 GB\""),
    ];
    let base = changes.iter().fold(BASE.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    base + MODELS
}

/// One role on one line.
fn role(language: Language, n: usize, fault: Option<&RoleFault>) -> String {
    let kdl = language == Language::Kdl;
    let mut fields = Vec::new();
    let mut children = String::new();
    for (name, in_kdl, in_yaml) in FIELDS {
        let own = match (name, language) {
            ("port", Language::Kdl) => format!("port={}", 10_000 + n),
            ("port", Language::Yaml) => format!("port: {}", 10_000 + n),
            (_, Language::Kdl) => in_kdl.to_owned(),
            (_, Language::Yaml) => in_yaml.to_owned(),
        };
        match fault.filter(|fault| fault.0 == name) {
            Some(fault) if kdl && fault.1.contains('{') => write!(children, " {{ {} }}", fault.1).unwrap(),
            // Each role has its own unknown name: one name in several roles would be one finding.
            Some(fault) if fault.3 == "unknown-name" => {
                let own = if kdl { format!("{n}\"") } else { n.to_string() };
                fields.push((if kdl { fault.1 } else { fault.2 }).trim_end_matches('"').to_owned() + &own);
            }
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

/// Compiles the base, all roles in two files, and the files of `faults`. Each role fault has the number of its role.
fn compile_with(language: Language, role_faults: &[(usize, &RoleFault)], faults: &[&Fault]) -> Compiled {
    let kdl = language == Language::Kdl;
    let text = |roles: std::ops::Range<usize>| {
        let fault = |n| role_faults.iter().find(|(role, _)| *role == n).map(|(_, fault)| *fault);
        let all: String = roles.map(|n| role(language, n, fault(n))).collect();
        if kdl { format!("// roles\n{all}") } else { format!("roles:\n{all}") }
    };
    let extension = if kdl { "kdl" } else { "yaml" };
    let mut files = vec![
        ("a.kdl".to_owned(), base()),
        (format!("b.{extension}"), text(0..ROLES / 2)),
        (format!("c.{extension}"), text(ROLES / 2..ROLES)),
    ];
    for fault in faults {
        files.extend([fault.models.clone(), fault.file(language).clone()]);
    }
    compile(&files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect::<Vec<_>>())
}

/// The place of a finding: file, line and code.
type FindingPlace = (String, u32, &'static str);

fn places(compiled: &Compiled) -> Vec<FindingPlace> {
    let place = |finding: &orchgen::diag::Diagnostic| {
        let span = finding.primary.span;
        let file = compiled.loaded.map.get(span.file).unwrap();
        (file.name().to_owned(), file.position(span.start).line, finding.code.name)
    };
    compiled.findings.findings().iter().map(place).collect()
}

/// The expected place of the finding for a role fault.
fn place(language: Language, role: usize, fault: &RoleFault) -> FindingPlace {
    let extension = if language == Language::Kdl { "kdl" } else { "yaml" };
    let file = if role < ROLES / 2 { "b" } else { "c" };
    (format!("{file}.{extension}"), u32::try_from(role % (ROLES / 2)).unwrap() + 2, fault.3)
}

/// All faults, each with the places of its finding in KDL and in YAML if it is the only fault.
fn faults() -> &'static [(Fault, FindingPlace, FindingPlace)] {
    static FAULTS: OnceLock<Vec<(Fault, FindingPlace, FindingPlace)>> = OnceLock::new();
    FAULTS.get_or_init(|| {
        let with_places = |fault: Fault| {
            let [kdl, yaml] = [Language::Kdl, Language::Yaml].map(|language| {
                let compiled = compile_with(language, &[], &[&fault]);
                let [place] = places(&compiled).try_into().unwrap_or_else(|_| {
                    panic!("{}\n{}\n{}", fault.code, fault.file(language).1, compiled.report())
                });
                assert_eq!(place.2, fault.code, "{}", compiled.report());
                let own = [&fault.file(language).0, &fault.models.0];
                assert!(own.contains(&&place.0), "{}", compiled.report());
                place
            });
            (fault, kdl, yaml)
        };
        faults::all().into_iter().map(with_places).collect()
    })
}

#[test]
fn a_role_fault_alone_is_one_finding_with_its_code() {
    for language in [Language::Kdl, Language::Yaml] {
        let correct = compile_with(language, &[], &[]);
        assert!(correct.findings.is_empty(), "{}", correct.report());
        for fault in ROLE_FAULTS {
            let compiled = compile_with(language, &[(141, fault)], &[]);
            assert_eq!(places(&compiled), [place(language, 141, fault)], "{}", compiled.report());
        }
    }
}

#[test]
fn every_code_is_seeded_or_has_a_reason_why_not() {
    for code in codes().into_iter().filter(|code| code.number < 400) {
        let is_seeded = faults().iter().any(|(fault, ..)| fault.code == code.name);
        let is_exempt = NOT_SEEDED.iter().any(|(name, _)| *name == code.name);
        assert!(is_seeded != is_exempt, "{} must be either seeded or in NOT_SEEDED", code.name);
    }
    for (name, why) in NOT_SEEDED {
        assert!(codes().iter().any(|code| code.name == *name) && !why.is_empty(), "{name}");
    }
    let checks = codes().into_iter().filter(|code| (300..400).contains(&code.number)).count();
    assert!(checks >= 35, "{checks} codes of checks");
}

/// `unknown-kind` is exempt, because a kind has different words in KDL and in YAML.
#[test]
fn a_fault_has_the_same_messages_in_both_languages() {
    for (fault, ..) in faults().iter().filter(|(fault, ..)| fault.is_translated) {
        let [kdl, yaml] = [Language::Kdl, Language::Yaml]
            .map(|language| codes_and_messages(&compile_with(language, &[], &[fault])));
        if fault.code != "unknown-kind" {
            assert_eq!(kdl, yaml, "{}", fault.kdl.1);
        }
    }
}

#[test]
fn all_faults_together_give_the_findings_of_each() {
    let all: Vec<&Fault> = faults().iter().map(|(fault, ..)| fault).collect();
    for language in [Language::Kdl, Language::Yaml] {
        let compiled = compile_with(language, &[], &all);
        let expected: Vec<&FindingPlace> = faults()
            .iter()
            .map(|(_, kdl, yaml)| if language == Language::Kdl { kdl } else { yaml })
            .collect();
        let found = places(&compiled);
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{}", compiled.report());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn any_faults_together_give_the_findings_of_each(
        roles in proptest::sample::subsequence((1..ROLES).collect::<Vec<_>>(), 0..=20),
        kinds in proptest::collection::vec(0..ROLE_FAULTS.len(), 20),
        others in proptest::sample::subsequence((0..faults().len()).collect::<Vec<_>>(), 1..=20),
    ) {
        let role_faults: Vec<(usize, &RoleFault)> = roles.iter().zip(&kinds).map(|(role, kind)| (*role, &ROLE_FAULTS[*kind])).collect();
        let selected: Vec<&(Fault, FindingPlace, FindingPlace)> = others.iter().map(|n| &faults()[*n]).collect();
        let other_faults: Vec<&Fault> = selected.iter().map(|(fault, ..)| fault).collect();
        for language in [Language::Kdl, Language::Yaml] {
            let compiled = compile_with(language, &role_faults, &other_faults);
            let role_places = role_faults.iter().map(|(role, fault)| place(language, *role, fault));
            let other_places =
                selected.iter().map(|(_, kdl, yaml)| if language == Language::Kdl { kdl } else { yaml }.clone());
            let expected: Vec<FindingPlace> = role_places.chain(other_places).collect();
            prop_assert_eq!(places(&compiled), expected, "{}", compiled.report());
        }
    }
}
