//! `orchgen explain`: one page or all, for people, for a site and for programs.

use super::{Ground, code, text};
use crate::support::compile;
use serde_json::Value;

const BASE: &str = include_str!("../pages/base.kdl");

#[test]
fn it_takes_numbers_and_names_in_any_case_and_suggests_near_ones() {
    let ground = Ground::new("");
    for word in ["ORC302", "orc302", "302", "port-conflict", "Port-Conflict"] {
        let page = text(&ground.run(&["explain", word]).stdout);
        assert!(page.starts_with("error[ORC302] port-conflict\n"), "{word}: {page}");
        assert!(page.contains("\nInstead\n") && !page.contains("```"), "{word}: {page}");
    }
    for (word, near) in
        [("port-conflit", "port-conflict"), ("PORT-CONFLIT", "port-conflict"), ("orc3022", "ORC302")]
    {
        let unknown = ground.run(&["explain", word]);
        let said = text(&unknown.stderr);
        assert_eq!((code(&unknown), unknown.stdout.len()), (2, 0));
        assert!(said.contains(&format!("there is no code `{word}`; did you mean `{near}`?")), "{said}");
    }
    let said = text(&ground.run(&["explain", "\u{1b}[31mzzzzzzzz"]).stderr);
    assert!(!said.contains('\u{1b}') && !said.contains("did you mean"), "{said}");
    assert_eq!(code(&ground.run(&["explain", "--all", "ORC302"])), 2);
}

#[test]
fn every_code_is_in_the_object_with_examples_that_do_what_they_say() {
    let ground = Ground::new("");
    let output = ground.run(&["explain", "--all", "--output-format", "json"]);
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
            // A lock belongs to the registry before it.
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
    assert_eq!(ground.run(&["explain", "--output-format", "json"]).stdout, output.stdout);
    let one: Value =
        serde_json::from_slice(&ground.run(&["explain", "302", "--output-format", "json"]).stdout).unwrap();
    assert_eq!(one["codes"].as_array().unwrap().len(), 1);
}

#[test]
fn the_document_has_a_heading_for_each_code_and_links_that_lead_there() {
    let ground = Ground::new("");
    let document = text(&ground.run(&["explain", "--all", "--output-format", "markdown"]).stdout);
    let mut is_open = false;
    let mut headings = Vec::new();
    for line in document.lines() {
        is_open ^= line.starts_with("```");
        if !is_open && line.starts_with('#') {
            headings.push(line);
        }
    }
    assert_eq!(headings.iter().filter(|line| line.starts_with("# ")).count(), 1);
    for one in orchgen::catalogue::codes() {
        assert!(headings.contains(&&*format!("## {one} {}", one.name)), "{one}");
        let link = format!("(#{}-{})", one.to_string().to_lowercase(), one.name);
        assert!(document.contains(&link), "{link}");
    }
    let page = text(&ground.run(&["explain", "302", "--output-format", "markdown"]).stdout);
    assert!(page.starts_with("# ORC302 port-conflict\n\nSeverity: error\n\n## What it finds\n"), "{page}");
}

#[test]
fn colour_comes_only_where_it_is_wanted_and_pages_are_as_wide_as_their_reader() {
    let ground = Ground::new("");
    assert!(!ground.run(&["explain", "302"]).stdout.contains(&0x1b));
    assert!(ground.run(&["explain", "302", "--color", "always"]).stdout.contains(&0x1b));
    let narrow = ground.command(&["explain", "--all"]).env("COLUMNS", "50").output().unwrap();
    assert!(
        text(&narrow.stdout)
            .lines()
            .filter(|line| !line.starts_with("    "))
            .all(|line| { line.chars().count() <= 50 || line.contains('`') })
    );
    let listed = text(&ground.run(&["explain"]).stdout);
    assert_eq!(listed.lines().count(), orchgen::catalogue::codes().len());
}
