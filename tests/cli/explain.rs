//! `orchgen explain`: one page or all pages, as text, Markdown and JSON.

use super::{Workspace, exit_code, text};
use crate::support::compile;
use serde_json::Value;

const BASE: &str = include_str!("../pages/base.kdl");

#[test]
fn codes_are_found_by_number_or_name_in_any_case_and_typos_get_a_suggestion() {
    let workspace = Workspace::new("");
    for word in ["ORC302", "orc302", "302", "port-conflict", "Port-Conflict"] {
        let page = text(&workspace.run(&["explain", word]).stdout);
        assert!(page.starts_with("error[ORC302] port-conflict\n"), "{word}: {page}");
        assert!(page.contains("\nInstead\n") && !page.contains("```"), "{word}: {page}");
    }
    for (word, near) in
        [("port-conflit", "port-conflict"), ("PORT-CONFLIT", "port-conflict"), ("orc3022", "ORC302")]
    {
        let unknown = workspace.run(&["explain", word]);
        let stderr = text(&unknown.stderr);
        assert_eq!((exit_code(&unknown), unknown.stdout.len()), (2, 0));
        assert!(stderr.contains(&format!("unknown code `{word}`; did you mean `{near}`?")), "{stderr}");
    }
    let stderr = text(&workspace.run(&["explain", "\u{1b}[31mzzzzzzzz"]).stderr);
    assert!(!stderr.contains('\u{1b}') && !stderr.contains("did you mean"), "{stderr}");
    assert_eq!(exit_code(&workspace.run(&["explain", "--all", "ORC302"])), 2);
}

#[test]
fn the_json_has_every_code_and_the_examples_give_the_findings_that_they_claim() {
    let workspace = Workspace::new("");
    let output = workspace.run(&["explain", "--all", "--output-format", "json"]);
    let all: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(all["format_version"], 1);
    let codes = all["codes"].as_array().unwrap();
    assert_eq!(codes.len(), orchgen::catalogue::codes().len());
    let mut tried = 0;
    for entry in codes {
        let keys: Vec<&str> = entry.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["bad", "code", "good", "name", "page", "severity", "summary"]);
        for key in ["code", "name", "page", "severity", "summary"] {
            assert!(entry[key].as_str().is_some_and(|text| !text.is_empty()), "{key} of {entry}");
        }
        for (key, expected) in [("bad", &[entry["name"].as_str().unwrap()][..]), ("good", &[])] {
            // A lock belongs to the registry text before it.
            for example in entry[key].as_array().unwrap().chunk_by(|_, next| next["language"] == "lock") {
                let name = |file: &Value| match file["language"].as_str().unwrap() {
                    "lock" => "registry.lock".to_owned(),
                    language => format!("example.{language}"),
                };
                let named: Vec<_> =
                    example.iter().map(|file| (name(file), file["text"].as_str().unwrap())).collect();
                let mut files = vec![("base.kdl", BASE)];
                files.extend(named.iter().map(|(name, text)| (name.as_str(), *text)));
                assert_eq!(compile(&files).codes(), expected, "{entry}");
                tried += 1;
            }
        }
    }
    assert!(tried > 80, "{tried} examples");
    assert_eq!(workspace.run(&["explain", "--output-format", "json"]).stdout, output.stdout);
    let page: Value =
        serde_json::from_slice(&workspace.run(&["explain", "302", "--output-format", "json"]).stdout)
            .unwrap();
    assert_eq!(page["codes"].as_array().unwrap().len(), 1);
}

#[test]
fn the_markdown_has_a_heading_for_each_code_and_links_to_it() {
    let workspace = Workspace::new("");
    let document = text(&workspace.run(&["explain", "--all", "--output-format", "markdown"]).stdout);
    let mut is_open = false;
    let mut headings = Vec::new();
    for line in document.lines() {
        is_open ^= line.starts_with("```");
        if !is_open && line.starts_with('#') {
            headings.push(line);
        }
    }
    assert_eq!(headings.iter().filter(|line| line.starts_with("# ")).count(), 1);
    for code in orchgen::catalogue::codes() {
        assert!(headings.contains(&&*format!("## {code} {}", code.name)), "{code}");
        let link = format!("(#{}-{})", code.to_string().to_lowercase(), code.name);
        assert!(document.contains(&link), "{link}");
    }
    let page = text(&workspace.run(&["explain", "302", "--output-format", "markdown"]).stdout);
    assert!(page.starts_with("# ORC302 port-conflict\n\nSeverity: error\n\n## What it finds\n"), "{page}");
}

#[test]
fn pages_have_color_only_on_request_and_wrap_at_columns() {
    let workspace = Workspace::new("");
    assert!(!workspace.run(&["explain", "302"]).stdout.contains(&0x1b));
    assert!(workspace.run(&["explain", "302", "--color", "always"]).stdout.contains(&0x1b));
    let narrow = workspace.command(&["explain", "--all"]).env("COLUMNS", "50").output().unwrap();
    assert!(
        text(&narrow.stdout)
            .lines()
            .filter(|line| !line.starts_with("    "))
            .all(|line| { line.chars().count() <= 50 || line.contains('`') })
    );
    let listed = text(&workspace.run(&["explain"]).stdout);
    assert_eq!(listed.lines().count(), 1 + orchgen::catalogue::codes().len(), "a header and the codes");
}
