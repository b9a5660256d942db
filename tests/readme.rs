//! The README does what it says: its registry compiles, its picture is what the program draws, the files that it names are there.

use crate::support::compile;
use orchgen::diag::report::{Style, human::human};

const README: &str = include_str!("../README.md");

fn block(language: &str) -> String {
    let start =
        README.split_once(&format!("```{language}\n")).unwrap_or_else(|| panic!("no {language} block")).1;
    start.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_first_registry_compiles_to_what_is_said_of_it() {
    let registry = block("kdl");
    assert!(registry.lines().count() <= 20, "{} lines", registry.lines().count());
    let compiled = compile(&[("registry/stack.kdl", &registry)]);
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
    let files = compiled.files();
    for path in [
        "systemd/home.target",
        "systemd/home-code.service",
        "systemd/home-chat.socket",
        "systemd/home-chat-backend.service",
        "bin/code",
        "bin/prompt/coder-7b",
        "docs/MODEL_REFERENCE.md",
        "stack.json",
    ] {
        assert!(files.contains_key(path), "{path} is missing from {:?}", files.keys());
    }
}

#[test]
fn the_same_in_yaml_is_the_same() {
    let (kdl, yaml) = (block("kdl"), "roles: {code: {model: coder-7b, port: 8080, draft: coder-0.5b}}\n");
    let rest: Vec<&str> = kdl.lines().filter(|line| !line.starts_with("role \"code\"")).collect();
    let rest = rest.join("\n") + "\n";
    let mixed = compile(&[("roles.yaml", yaml), ("stack.kdl", &rest)]);
    assert!(mixed.findings.is_empty(), "{}", mixed.report());
    let (one, other) = (mixed.files(), compile(&[("stack.kdl", &kdl)]).files());
    assert_eq!(one["systemd/home-code.service"], other["systemd/home-code.service"]);
}

#[test]
fn the_picture_is_what_the_program_draws() {
    let ban = "ban target=\"coder-7b\" draft=\"coder-0.5b\" failure=\"vocabulary differs\"\n";
    let compiled = compile(&[("registry/rules.kdl", ban), ("registry/stack.kdl", &block("kdl"))]);
    let style = Style { width: 90, unicode: true, ..Style::default() };
    let drawn = human(&compiled.findings, &compiled.loaded.map, style);
    let picture = block("text");
    assert!(drawn.starts_with(&picture), "{drawn}");
}

#[test]
fn the_files_that_it_names_are_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let links = README.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
    let mut seen = 0;
    for link in links {
        assert!(root.join(link).exists(), "{link}");
        seen += 1;
    }
    assert!(seen >= 4);
    assert!(README.contains("bash .ci/test") && root.join(".ci/test").is_file());
}
