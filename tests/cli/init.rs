//! `orchgen init` and `orchgen schema`: what they write is right, and nothing is written over.

use super::{Ground, code, text};
use crate::support::{compile_folder, lower};
use crate::tools::python_tool;
use std::fs;

/// An empty folder.
fn empty() -> Ground {
    let ground = Ground::new("");
    fs::remove_dir_all(ground.at("registry")).unwrap();
    ground
}

#[test]
fn what_it_writes_passes_check_and_builds() {
    for language in ["yaml", "kdl"] {
        let ground = empty();
        let output = ground.run(&["init", "--format", language]);
        let said = text(&output.stderr);
        assert_eq!((code(&output), output.stdout.len()), (0, 0), "{said}");
        assert!(
            said.starts_with(&format!("wrote registry/stack.{language}")) && said.contains("orchgen check"),
            "{said}"
        );
        for args in
            [&["check", "--deny", "warnings"][..], &["build", "--deny", "warnings"], &["build", "--check"]]
        {
            let output = ground.run(args);
            assert_eq!(code(&output), 0, "{language} {args:?}: {}", text(&output.stderr));
        }
        let compiled = compile_folder(&ground.at("registry"));
        assert!(compiled.findings.is_empty(), "{}", compiled.report());
        assert!(compiled.checked().registry().roles.len() >= 2);
    }
}

#[test]
fn both_languages_say_the_same() {
    let read = |language: &str| {
        let ground = empty();
        ground.run(&["init", "--format", language]);
        fs::read_to_string(ground.at(&format!("registry/stack.{language}"))).unwrap()
    };
    let (yaml, kdl) = (read("yaml"), read("kdl"));
    assert!(lower(&[("a.yaml", &yaml)]).0 == lower(&[("a.kdl", &kdl)]).0);
    let comments =
        |text: &str, mark: &str| text.lines().filter(|line| line.trim_start().starts_with(mark)).count();
    assert!(comments(&yaml, "#") > 12 && comments(&kdl, "//") > 12);
}

#[test]
fn the_schema_beside_it_is_the_one_that_is_printed_and_the_first_line_leads_there() {
    let ground = empty();
    ground.run(&["init"]);
    let printed = ground.run(&["schema"]);
    assert_eq!(code(&printed), 0);
    let yaml = fs::read_to_string(ground.at("registry/stack.yaml")).unwrap();
    let named =
        yaml.lines().next().unwrap().strip_prefix("# yaml-language-server: $schema=").unwrap().to_owned();
    assert_eq!(fs::read(ground.at("registry").join(&named)).unwrap(), printed.stdout);
    let mut command = python_tool("check-jsonschema");
    command.arg("--schemafile").arg(ground.at("registry").join(&named)).arg(ground.at("registry/stack.yaml"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn nothing_is_written_over_and_a_failure_leaves_nothing() {
    let ground = empty();
    ground.run(&["init", "some where"]);
    fs::write(ground.at("some where/stack.yaml"), "mine").unwrap();
    for language in ["yaml", "kdl"] {
        let output = ground.run(&["init", "some where", "--format", language]);
        assert_eq!(code(&output), 2);
        assert!(text(&output.stderr).contains("error: `some where` holds a registry already"), "{output:?}");
    }
    assert_eq!(fs::read(ground.at("some where/stack.yaml")).unwrap(), b"mine");
    assert_eq!(fs::read_dir(ground.at("some where")).unwrap().count(), 2);
    fs::create_dir(ground.at("other")).unwrap();
    fs::write(ground.at("other/orchgen.schema.json"), "mine").unwrap();
    let output = ground.run(&["init", "other"]);
    let said = text(&output.stderr);
    assert_eq!(code(&output), 2);
    assert!(
        said.contains("cannot write `other/orchgen.schema.json`: something of that name exists"),
        "{said}"
    );
    assert_eq!(fs::read_dir(ground.at("other")).unwrap().count(), 1);
    fs::write(ground.at("file"), "").unwrap();
    let output = ground.run(&["init", "file"]);
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).starts_with("error: cannot create the folder `file`"), "{output:?}");
    assert_eq!(code(&ground.run(&["init", "deep/in/it", "--quiet"])), 0);
    assert_eq!(code(&ground.run(&["check", "deep/in/it"])), 0);
}

#[test]
fn it_says_the_commands_for_the_folder_that_it_wrote() {
    let ground = empty();
    let said = text(&ground.run(&["init", "some where"]).stderr);
    assert!(said.contains("orchgen build --check 'some where'"), "{said}");
    assert_eq!(text(&ground.run(&["init", "quiet", "--quiet"]).stderr), "");
}
