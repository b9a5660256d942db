//! The README is correct: its registry compiles, its report is the output of orchgen, and the linked files exist.

use crate::support::compile;
use orchgen::diag::report::{Style, human::human};

const README: &str = include_str!("../README.md");

/// The code blocks in a language.
fn blocks(language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let starts = README.split(&fence).skip(1);
    starts.map(|start| start.split_once("```").unwrap().0.to_owned()).collect()
}

/// The registry with a machine and a draft, which follows the minimal one.
fn registry() -> String {
    blocks("kdl")[1].clone()
}

#[test]
fn the_first_registry_has_four_lines_and_serves() {
    let minimal = &blocks("kdl")[0];
    assert_eq!(minimal.lines().count(), 4);
    let compiled = compile(&[("registry/stack.kdl", minimal)]);
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
    assert!(compiled.files().contains_key("systemd/home-code.service"));
}

#[test]
fn the_larger_registry_compiles_to_the_listed_files() {
    let registry = registry();
    assert!(registry.lines().count() <= 20, "{} lines", registry.lines().count());
    let compiled = compile(&[("registry/stack.kdl", &registry)]);
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
    let files = compiled.files();
    for path in [
        "systemd/home.target",
        "systemd/home-front.service",
        "router/front.ini",
        "bin/front",
        "bin/prompt/coder-7b",
        "docs/MODEL_REFERENCE.md",
        "stack.json",
    ] {
        assert!(files.contains_key(path), "{path} is missing from {:?}", files.keys());
    }
}

#[test]
fn a_role_in_yaml_gives_the_same_options_as_in_kdl() {
    let (kdl, yaml) = (registry(), "roles: {code: {model: coder-7b, draft: coder-0.5b, alias: gpt-4o}}\n");
    let rest: Vec<&str> = kdl.lines().filter(|line| !line.starts_with("role \"code\"")).collect();
    let rest = rest.join("\n") + "\n";
    let mixed = compile(&[("roles.yaml", yaml), ("stack.kdl", &rest)]);
    assert!(mixed.findings.is_empty(), "{}", mixed.report());
    let (mixed, kdl) = (mixed.files(), compile(&[("stack.kdl", &kdl)]).files());
    assert_eq!(mixed["router/front.ini"], kdl["router/front.ini"]);
}

#[test]
fn the_report_is_the_output_of_orchgen() {
    let role = "role \"chat\" model=\"coder-7b\" residency=\"warm\" slots=2";
    let mistake = format!("{role} {{\n    override \"qwen2.rope.freq_bas\" value=10000.0\n}}");
    let registry = registry();
    assert!(registry.contains(role));
    let compiled = compile(&[("registry/stack.kdl", &registry.replace(role, &mistake))]);
    let style = Style { width: 90, unicode: true, ..Style::default() };
    let output = human(&compiled.findings, &compiled.loaded.map, style);
    let report = &blocks("text")[0];
    assert!(output.starts_with(report), "{output}");
}

#[test]
fn linked_files_exist() {
    let root = crate::support::repository();
    let links = README.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
    let mut count = 0;
    for link in links {
        assert!(root.join(link).exists(), "{link} does not exist");
        count += 1;
    }
    assert!(count >= 4);
    assert!(README.lines().count() <= 160);
    assert!(README.contains("bash .ci/test") && root.join(".ci/test").is_file());
}
