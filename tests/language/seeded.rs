//! Any number of independent faults gives as many findings, each at its line, in both languages.

use super::faults::{self, APART, Fault};
use super::{BASE, said};
use crate::support::{Compiled, compile};
use orchgen::catalogue::codes;
use orchgen::syntax::Language;
use proptest::prelude::*;
use std::fmt::Write as _;
use std::sync::OnceLock;

const ROLES: usize = 200;

/// A slip in a role: the field that it changes, what KDL and YAML write instead, and the code.
type Slip = (&'static str, &'static str, &'static str, &'static str);

const SLIPS: &[Slip] = &[
    ("context", "contxt=4096", "contxt: 4096", "unknown-field"),
    ("context", "", "", "missing-field"),
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

/// What the roles stand on beside the base.
const MODELS: &str = r#"
model "dense" family="qwen2" title="Dense" quant="Q4" size="1 GB" file="/w/dense.gguf" trained-context=8192
model "banned" family="qwen2" title="Banned" quant="Q4" size="1 GB" file="/w/banned.gguf"
model "large" family="qwen2" title="Large" quant="Q4" size="2 GB" file="/w/large.gguf"
model "old" family="qwen2" title="Old" quant="Q4" size="0.5 GB" file="/w/old.gguf" retired="it stutters"
ban target="dense" draft="banned" failure="it does not work"
pair target="dense" draft="large"
"#;

/// The base with room for the models of all faults at once, and a host for roles that name none.
fn base() -> String {
    let changes = [
        ("engine=\"llama.cpp\"\nengine", "engine=\"llama.cpp\" { defaults { host \"box\" } }\nengine"),
        ("memory=\"64 GB\"", "memory=\"640 GB\""),
        ("memory=\"32 GB\"", "memory=\"320 GB\""),
        ("budget=\"40 GB\"", "budget=\"400 GB\""),
    ];
    let base = changes.iter().fold(BASE.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    base + MODELS
}

/// Each role on a line.
fn role(language: Language, n: usize, slip: Option<&Slip>) -> String {
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
        match slip.filter(|slip| slip.0 == name) {
            Some(slip) if kdl && slip.1.contains('{') => write!(children, " {{ {} }}", slip.1).unwrap(),
            Some(slip) => fields.push(if kdl { slip.1 } else { slip.2 }.to_owned()),
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

/// Compiles the roles in two files, with slips by the number of the role, and faults beside them.
fn with(language: Language, slips: &[(usize, &Slip)], faults: &[&Fault]) -> Compiled {
    let kdl = language == Language::Kdl;
    let text = |roles: std::ops::Range<usize>| {
        let slip = |n| slips.iter().find(|(role, _)| *role == n).map(|(_, slip)| *slip);
        let all: String = roles.map(|n| role(language, n, slip(n))).collect();
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

/// Where a finding lies: file, line and code.
type Place = (String, u32, &'static str);

fn places(compiled: &Compiled) -> Vec<Place> {
    let place = |finding: &orchgen::diag::Diagnostic| {
        let span = finding.primary.span;
        let file = compiled.loaded.map.get(span.file).unwrap();
        (file.name().to_owned(), file.position(span.start).line, finding.code.name)
    };
    compiled.findings.findings().iter().map(place).collect()
}

/// The place of a slip: its role has a line of its own.
fn place(language: Language, role: usize, slip: &Slip) -> Place {
    let extension = if language == Language::Kdl { "kdl" } else { "yaml" };
    let file = if role < ROLES / 2 { "b" } else { "c" };
    (format!("{file}.{extension}"), u32::try_from(role % (ROLES / 2)).unwrap() + 2, slip.3)
}

/// All faults, each with the place at which it is said alone in KDL and in YAML.
fn faults() -> &'static [(Fault, Place, Place)] {
    static FAULTS: OnceLock<Vec<(Fault, Place, Place)>> = OnceLock::new();
    FAULTS.get_or_init(|| {
        let alone = |fault: Fault| {
            let [kdl, yaml] = [Language::Kdl, Language::Yaml].map(|language| {
                let compiled = with(language, &[], &[&fault]);
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
        faults::all().into_iter().map(alone).collect()
    })
}

#[test]
fn each_slip_alone_is_said_with_its_code() {
    for language in [Language::Kdl, Language::Yaml] {
        let sound = with(language, &[], &[]);
        assert!(sound.findings.is_empty(), "{}", sound.report());
        for slip in SLIPS {
            let compiled = with(language, &[(141, slip)], &[]);
            assert_eq!(places(&compiled), [place(language, 141, slip)], "{}", compiled.report());
        }
    }
}

#[test]
fn every_kind_of_fault_is_seeded_or_has_a_reason_why_not() {
    for code in codes().into_iter().filter(|code| code.number < 400) {
        let is_seeded = faults().iter().any(|(fault, ..)| fault.code == code.name);
        let is_apart = APART.iter().any(|(apart, _)| *apart == code.name);
        assert!(is_seeded != is_apart, "{} is both or neither", code.name);
    }
    for (apart, why) in APART {
        assert!(codes().iter().any(|code| code.name == *apart) && !why.is_empty(), "{apart}");
    }
    let of_meaning = codes().into_iter().filter(|code| (300..400).contains(&code.number)).count();
    assert!(of_meaning >= 35, "{of_meaning} codes of meaning");
}

/// Faults of text have the words of their language; the other faults have the same in both.
#[test]
fn each_fault_is_said_in_both_languages_with_the_same_words() {
    for (fault, ..) in faults().iter().filter(|(fault, ..)| fault.is_translated) {
        let [kdl, yaml] =
            [Language::Kdl, Language::Yaml].map(|language| said(&with(language, &[], &[fault])));
        if fault.code != "unknown-kind" {
            assert_eq!(kdl, yaml, "{}", fault.kdl.1);
        }
    }
}

#[test]
fn all_faults_at_once_are_as_many_findings() {
    let all: Vec<&Fault> = faults().iter().map(|(fault, ..)| fault).collect();
    for language in [Language::Kdl, Language::Yaml] {
        let compiled = with(language, &[], &all);
        let expected: Vec<&Place> = faults()
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
    fn so_many_faults_so_many_findings(
        roles in proptest::sample::subsequence((1..ROLES).collect::<Vec<_>>(), 0..=20),
        kinds in proptest::collection::vec(0..SLIPS.len(), 20),
        others in proptest::sample::subsequence((0..faults().len()).collect::<Vec<_>>(), 1..=20),
    ) {
        let slips: Vec<(usize, &Slip)> = roles.iter().zip(&kinds).map(|(role, kind)| (*role, &SLIPS[*kind])).collect();
        let others: Vec<&(Fault, Place, Place)> = others.iter().map(|n| &faults()[*n]).collect();
        let beside: Vec<&Fault> = others.iter().map(|(fault, ..)| fault).collect();
        for language in [Language::Kdl, Language::Yaml] {
            let compiled = with(language, &slips, &beside);
            let of_roles = slips.iter().map(|(role, slip)| place(language, *role, slip));
            let of_others =
                others.iter().map(|(_, kdl, yaml)| if language == Language::Kdl { kdl } else { yaml }.clone());
            let expected: Vec<Place> = of_roles.chain(of_others).collect();
            prop_assert_eq!(places(&compiled), expected, "{}", compiled.report());
        }
    }
}
