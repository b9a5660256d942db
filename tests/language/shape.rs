//! Mistakes in the shape and the names of items: both languages report each one with the same codes and messages.

use super::{codes_and_messages, compile_with_base};
use crate::support::assert_snapshot;
use crate::support::{Compiled, compile};
use std::fmt::Write as _;

/// A mistake in KDL and in YAML, with the codes of its findings.
struct Case {
    name: &'static str,
    kdl: &'static str,
    yaml: &'static str,
    codes: Vec<&'static str>,
}

/// The cases of `shape.txt`: four lines each, separated by an empty line.
fn cases() -> Vec<Case> {
    let blocks = include_str!("shape.txt").split("\n\n");
    let cases = blocks.map(|block| {
        let mut lines = block.trim_end().lines().map(str::trim_start);
        let mut next = || lines.next().unwrap_or_else(|| panic!("{block}"));
        Case { name: next(), kdl: next(), yaml: next(), codes: next().split(' ').collect() }
    });
    cases.collect()
}

/// Writes severity, code, message, labels and help of each finding.
fn write_findings(compiled: &Compiled, out: &mut String) {
    for finding in compiled.findings.findings() {
        writeln!(out, "  {}[{}]: {}", finding.severity.word(), finding.code.name, finding.message).unwrap();
        writeln!(out, "    ^ {}", finding.primary.text).unwrap();
        finding.secondary.iter().for_each(|label| writeln!(out, "    - {}", label.text).unwrap());
        finding.help.iter().for_each(|help| writeln!(out, "    help: {help}").unwrap());
    }
}

/// Writes the helps of YAML that differ from those of KDL.
fn write_yaml_helps(kdl: &Compiled, yaml: &Compiled, out: &mut String) {
    for (kdl, yaml) in kdl.findings.findings().iter().zip(yaml.findings.findings()) {
        for help in yaml.help.iter().filter(|help| !kdl.help.contains(help)) {
            writeln!(out, "    yaml: {help}").unwrap();
        }
    }
}

fn labels(compiled: &Compiled) -> Vec<(&str, usize)> {
    compiled.findings.findings().iter().map(|f| (f.primary.text.as_str(), f.help.len())).collect()
}

#[test]
fn mistakes_in_shape_have_the_same_findings_in_both_languages() {
    let mut wrong = Vec::new();
    let mut out = String::new();
    for Case { name, kdl, yaml, codes } in cases() {
        let (kdl, yaml) = (compile_with_base("kdl", kdl), compile_with_base("yaml", yaml));
        for (language, compiled) in [("kdl", &kdl), ("yaml", &yaml)] {
            if compiled.codes() != codes {
                wrong.push(format!("{name} in {language}: {:?}\n{}", compiled.codes(), compiled.report()));
            }
        }
        // A kind has different words in KDL and in YAML, so messages about kinds differ. A help has the text to write,
        // which differs.
        let is_same = codes_and_messages(&kdl) == codes_and_messages(&yaml) && labels(&kdl) == labels(&yaml);
        if !is_same && codes != ["unknown-kind"] {
            let both = [&kdl, &yaml].map(|compiled| (codes_and_messages(compiled), labels(compiled)));
            wrong.push(format!("{name}:\n{both:#?}"));
        }
        writeln!(out, "{name}").unwrap();
        write_findings(&kdl, &mut out);
        write_yaml_helps(&kdl, &yaml, &mut out);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert_snapshot!("language", "shape", out);
}

#[test]
fn every_finding_has_a_help_or_a_label_with_the_expected_value() {
    for Case { name, kdl, .. } in cases() {
        for finding in compile_with_base("kdl", kdl).findings.findings() {
            let all = format!("{name}: {} {} {:?}", finding.message, finding.primary.text, finding.help);
            assert!(!all.to_lowercase().contains("invalid"), "{all}");
            assert!(!finding.message.ends_with('.'), "{all}");
            assert!(!finding.help.is_empty() || finding.primary.text.starts_with("expected"), "{all}");
        }
    }
}

#[test]
fn a_duplicate_name_is_reported_at_the_later_declaration_with_a_label_at_the_earlier() {
    for (name, text) in [("b.kdl", "tier \"A\" title=\"again\""), ("b.yaml", "tiers: {A: {title: again}}")] {
        let compiled = compile(&[("a.kdl", super::BASE), (name, text)]);
        let [finding] = compiled.findings.findings() else { panic!("{}", compiled.report()) };
        let file =
            |span: orchgen::source::Span| compiled.loaded.map.get(span.file).unwrap().name().to_owned();
        assert_eq!((finding.code.name, file(finding.primary.span)), ("duplicate-name", name.to_owned()));
        assert_eq!(file(finding.secondary[0].span), "a.kdl");
        assert_eq!(finding.message, "tier `A` is declared twice");
    }
}

#[test]
fn a_section_that_is_a_list_is_one_finding() {
    for text in
        ["roles: [{name: x, tier: A}, {name: y, tier: A}]", "roles: [{name: x, tier: A, model: plain}]"]
    {
        let compiled = compile_with_base("yaml", &format!("{text}\nexpects: {{e: {{role: x, port: 1}}}}"));
        assert_eq!(
            codes_and_messages(&compiled),
            [("wrong-type", "`roles` is a list, not a block with names as keys".to_owned())]
        );
    }
    let compiled = compile_with_base("yaml", "tiers: {X: [{title: a}, {title: b}]}");
    assert_eq!(
        codes_and_messages(&compiled),
        [("wrong-type", "tier `X` is a list, not a block of fields".to_owned())]
    );
    let compiled = compile_with_base("yaml", "bans: no\ntiers: [A]\nroles: 5");
    assert_eq!(compiled.codes(), ["wrong-type"; 3], "{}", compiled.report());
    assert!(compile_with_base("yaml", "bans:\ntiers: ~").findings.is_empty());
}

#[test]
fn both_parts_of_a_duplicate_section_are_read() {
    let compiled = compile_with_base("yaml", "tiers: {X: {title: a}}\nhosts:\ntiers: {Y: {title: 5}}");
    assert_eq!(compiled.codes(), ["duplicate-field", "wrong-type"], "{}", compiled.report());
}

#[test]
fn type_annotations_are_findings() {
    let compiled = compile_with_base("kdl", "tier \"X\" title=(text)\"t\"\n(kind)tier \"Y\" title=\"t\"");
    assert_eq!(compiled.codes().len(), 2, "{}", compiled.report());
    let compiled = compile_with_base("yaml", "tiers: {X: {title: !text t}}");
    assert_eq!(compiled.codes().len(), 1, "{}", compiled.report());
}

#[test]
fn a_missing_stack_or_store_is_reported_once() {
    let two = "tier \"A\" title=\"a\"\nresidency \"hot\" title=\"h\" start=\"boot\"\nfamily \"f\" arch=\"llama\"\n\
        model \"m\" family=\"f\" title=\"M\" quant=\"q\" size=\"1 GB\" file=\"m\"\nmodel \"n\" family=\"f\" title=\"N\" quant=\"q\" size=\"1 GB\" file=\"n\"\n\
        role \"a\" tier=\"A\" residency=\"hot\" model=\"m\" port=1 context=1\nrole \"b\" tier=\"A\" residency=\"hot\" model=\"n\" port=2 context=1\n";
    let (stack, engine) =
        ("stack \"s\" engine=\"e\"\n", "engine \"e\" profile=\"llama.cpp-b11434\" bin=\"/b\"\n");
    let (host, store) = ("host \"h\" memory=\"90 GB\"\n", "store \"s\" path=\"/s\"\n");
    let all = [("stack", stack), ("store", store)];
    assert!(compile(&[("a.kdl", &format!("{two}{stack}{engine}{host}{store}"))]).findings.is_empty());
    assert!(compile(&[("a.kdl", &format!("{two}{stack}{engine}{store}"))]).findings.is_empty());
    for (kind, _) in all {
        let rest: String = all.iter().filter(|(other, _)| *other != kind).map(|(_, text)| *text).collect();
        let compiled = compile(&[("a.kdl", &format!("{two}{engine}{host}{rest}"))]);
        let [finding] = compiled.findings.findings() else { panic!("{kind}: {}", compiled.report()) };
        assert_eq!(finding.code.name, "missing-item");
        assert!(finding.message.starts_with(&format!("no {kind} is declared")), "{}", finding.message);
    }
}

#[test]
fn an_empty_registry_has_no_stack() {
    for files in [&[][..], &[("a.yaml", "")], &[("a.kdl", "// nothing\n"), ("b.yaml", "# nothing\n")]] {
        let compiled = compile(files);
        assert_eq!(codes_and_messages(&compiled), [("missing-item", "no stack is declared".to_owned())]);
        assert!(!compiled.report().is_empty());
    }
}
