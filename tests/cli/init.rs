//! `orchgen init` and `orchgen schema`: their output is valid, and no existing file is overwritten.

use super::{Workspace, exit_code, text};
use crate::outside::python_tool;
use crate::support::{compile, compile_folder, lower};
use std::fs;

/// An empty folder.
fn empty() -> Workspace {
    let workspace = Workspace::new("");
    fs::remove_dir_all(workspace.at("registry")).unwrap();
    workspace
}

#[test]
fn the_new_registry_passes_check_and_builds() {
    for language in ["yaml", "kdl"] {
        let workspace = empty();
        let output = workspace.run(&["init", "--format", language]);
        let stderr = text(&output.stderr);
        assert_eq!((exit_code(&output), output.stdout.len()), (0, 0), "{stderr}");
        assert!(
            stderr.starts_with(&format!("wrote registry/stack.{language}"))
                && stderr.contains("orchgen check"),
            "{stderr}"
        );
        for args in
            [&["check", "--deny", "warnings"][..], &["build", "--deny", "warnings"], &["build", "--check"]]
        {
            let output = workspace.run(args);
            assert_eq!(exit_code(&output), 0, "{language} {args:?}: {}", text(&output.stderr));
        }
        let compiled = compile_folder(&workspace.at("registry"));
        assert!(compiled.findings.is_empty(), "{}", compiled.report());
        assert!(compiled.checked().registry().roles.len() >= 2);
    }
}

/// The new registry in a language.
fn read(language: &str) -> String {
    let workspace = empty();
    workspace.run(&["init", "--format", language]);
    fs::read_to_string(workspace.at(&format!("registry/stack.{language}"))).unwrap()
}

/// The text with its optional lines: a comment mark and a letter start them.
fn with_optional_lines(text: &str, mark: &str) -> String {
    let line = |line: &str| {
        let (indent, rest) = line.split_at(line.len() - line.trim_start().len());
        let code = rest.strip_prefix(mark).filter(|rest| rest.starts_with(char::is_alphabetic));
        format!("{indent}{}\n", code.unwrap_or(rest))
    };
    text.lines().map(line).collect()
}

#[test]
fn the_optional_lines_are_correct_in_both_languages() {
    let (yaml, kdl) = (with_optional_lines(&read("yaml"), "#"), with_optional_lines(&read("kdl"), "//"));
    for (name, text) in [("a.yaml", &yaml), ("a.kdl", &kdl)] {
        let compiled = compile(&[(name, text)]);
        assert!(compiled.findings.is_empty(), "{}", compiled.report());
        let registry = compiled.checked().registry();
        assert_eq!((registry.roles.len(), registry.models.len()), (4, 2));
    }
    assert!(lower(&[("a.yaml", &yaml)]).0 == lower(&[("a.kdl", &kdl)]).0);
}

#[test]
fn both_languages_give_the_same_registry() {
    let (yaml, kdl) = (read("yaml"), read("kdl"));
    assert!(lower(&[("a.yaml", &yaml)]).0 == lower(&[("a.kdl", &kdl)]).0);
    let comments =
        |text: &str, mark: &str| text.lines().filter(|line| line.trim_start().starts_with(mark)).count();
    assert!(comments(&yaml, "#") > 12 && comments(&kdl, "//") > 12);
}

#[test]
fn init_overwrites_nothing_and_a_failed_run_leaves_no_files() {
    let workspace = empty();
    workspace.run(&["init", "some where"]);
    fs::write(workspace.at("some where/stack.yaml"), "mine").unwrap();
    for language in ["yaml", "kdl"] {
        let output = workspace.run(&["init", "some where", "--format", language]);
        assert_eq!(exit_code(&output), 2);
        assert!(
            text(&output.stderr).contains("error: `some where` already contains a registry"),
            "{output:?}"
        );
    }
    assert_eq!(fs::read(workspace.at("some where/stack.yaml")).unwrap(), b"mine");
    assert_eq!(fs::read_dir(workspace.at("some where")).unwrap().count(), 2);
    fs::create_dir(workspace.at("other")).unwrap();
    fs::write(workspace.at("other/orchgen.schema.json"), "mine").unwrap();
    let output = workspace.run(&["init", "other"]);
    let stderr = text(&output.stderr);
    assert_eq!(exit_code(&output), 2);
    assert!(stderr.contains("cannot write `other/orchgen.schema.json`: it already exists"), "{stderr}");
    assert_eq!(fs::read_dir(workspace.at("other")).unwrap().count(), 1);
    fs::write(workspace.at("file"), "").unwrap();
    let output = workspace.run(&["init", "file"]);
    assert_eq!(exit_code(&output), 2);
    assert!(text(&output.stderr).starts_with("error: cannot create the folder `file`"), "{output:?}");
    assert_eq!(exit_code(&workspace.run(&["init", "deep/in/it", "--quiet"])), 0);
    assert_eq!(exit_code(&workspace.run(&["check", "deep/in/it"])), 0);
}

#[test]
fn init_prints_the_next_commands_with_the_folder_that_it_wrote() {
    let workspace = empty();
    let stderr = text(&workspace.run(&["init", "some where"]).stderr);
    assert!(stderr.contains("orchgen build --check 'some where'"), "{stderr}");
    assert_eq!(text(&workspace.run(&["init", "quiet", "--quiet"]).stderr), "");
}

mod tools {
    use super::*;

    #[test]
    fn the_registry_names_its_schema_file_which_equals_the_printed_schema() {
        let workspace = empty();
        workspace.run(&["init"]);
        let printed = workspace.run(&["schema"]);
        assert_eq!(exit_code(&printed), 0);
        let yaml = fs::read_to_string(workspace.at("registry/stack.yaml")).unwrap();
        let named =
            yaml.lines().next().unwrap().strip_prefix("# yaml-language-server: $schema=").unwrap().to_owned();
        assert_eq!(fs::read(workspace.at("registry").join(&named)).unwrap(), printed.stdout);
        let mut command = python_tool("check-jsonschema");
        command
            .arg("--schemafile")
            .arg(workspace.at("registry").join(&named))
            .arg(workspace.at("registry/stack.yaml"));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}
