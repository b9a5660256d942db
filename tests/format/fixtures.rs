//! All registries of the repository: files, the README, and the examples of the pages of findings.

use super::check_registry;
use crate::support::repository;
use orchgen::catalogue::codes;
use std::path::{Path, PathBuf};

/// All files in YAML and KDL below some folders.
pub(super) fn files() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        ["registry", "templates", "tests"].iter().map(|name| repository().join(name)).collect();
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|ending| ["kdl", "yaml", "yml"].iter().any(|one| ending == *one))
            {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The text of a file, unless it is not UTF-8.
pub(super) fn read(path: &Path) -> Option<String> {
    String::from_utf8(std::fs::read(path).unwrap()).ok()
}

#[test]
fn every_fixture_keeps_its_meaning() {
    let (mut formatted, mut invalid) = (0, Vec::new());
    for path in files() {
        let name = path.strip_prefix(repository()).unwrap().to_string_lossy().into_owned();
        match read(&path).and_then(|text| check_registry(&name, &text)) {
            Some(_) => formatted += 1,
            None => invalid.push(name),
        }
    }
    assert!(formatted > 100, "{formatted}");
    // Files with mistakes.
    invalid.retain(|name| !name.starts_with("tests/careless/") && !name.starts_with("tests/fuzz/"));
    assert_eq!(invalid, Vec::<String>::new());
}

#[test]
fn every_example_keeps_its_meaning() {
    let mut formatted = 0;
    for code in codes() {
        for example in ["Example", "Instead"].iter().flat_map(|title| code.examples(title)) {
            if example.language != "lock" {
                let name = format!("{}.{}", code.name, example.language);
                formatted += usize::from(check_registry(&name, &example.text).is_some());
            }
        }
    }
    assert!(formatted > 200, "{formatted}");
}

/// The blocks of code of a text in Markdown: language and text.
fn blocks(text: &str) -> Vec<(String, String)> {
    let starts = text.split("```").skip(1).step_by(2);
    starts.filter_map(|block| block.split_once('\n')).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
}

#[test]
fn the_readme_and_the_examples_are_formatted() {
    let readme = include_str!("../../README.md");
    let mut wrong = Vec::new();
    for (language, text) in blocks(readme) {
        if language == "kdl" || language == "yaml" {
            let new = check_registry(&format!("README.{language}"), &text).unwrap();
            if new != text {
                wrong.push(format!("README.md\n{text}\n{new}"));
            }
        }
    }
    for (name, text) in [
        ("stack.kdl", include_str!("../../templates/init/stack.kdl")),
        ("stack.yaml", include_str!("../../templates/init/stack.yaml")),
    ] {
        if check_registry(name, text).as_deref() != Some(text) {
            wrong.push(name.to_owned());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_registry_of_the_repository_is_formatted() {
    for path in files().into_iter().filter(|path| path.starts_with(repository().join("registry"))) {
        let (name, text) = (path.to_string_lossy(), read(&path).unwrap());
        assert!(check_registry(&name, &text) == Some(text), "{name}: run `orchgen fmt`");
    }
}
