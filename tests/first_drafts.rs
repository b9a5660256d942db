//! Registries that readers wrote who did not know orchgen, one folder for each: all drafts in order, and the findings of those that
//! had any. The last draft has none. Those of `first_drafts` are from README and `schema --field` alone, and those of `guide_drafts`
//! from the guide alone, with the points that were not clear to the reader.

use crate::support::{compile, repository};
use std::fs;
use std::path::PathBuf;

/// The most drafts that a registry may need.
const MOST_DRAFTS: usize = 2;

/// The drafts of a folder, in order.
fn drafts(folder: &PathBuf) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_draft = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("draft-");
    let mut found: Vec<PathBuf> = entries.filter(is_draft).collect();
    found.sort();
    found
}

#[test]
fn each_registry_from_the_readme_needs_at_most_two_drafts() {
    assert_drafts(&folders("first_drafts", 12));
}

#[test]
fn each_registry_from_the_guide_needs_at_most_two_drafts() {
    let folders = folders("guide_drafts", 3);
    assert_drafts(&folders);
    for folder in folders {
        assert!(fs::read_to_string(folder.join("stuck.md")).unwrap().contains("\n1. "));
    }
}

/// The folders of a fixture.
#[track_caller]
fn folders(fixture: &str, count: usize) -> Vec<PathBuf> {
    let all = fs::read_dir(repository().join("tests").join(fixture)).unwrap();
    let folders: Vec<PathBuf> = all.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(folders.len(), count);
    folders
}

#[track_caller]
fn assert_drafts(folders: &[PathBuf]) {
    for folder in folders {
        let drafts = drafts(folder);
        assert!((1..=MOST_DRAFTS).contains(&drafts.len()), "{}", folder.display());
        for (number, draft) in drafts.iter().enumerate() {
            let (name, text) =
                (draft.file_name().unwrap().to_string_lossy(), fs::read_to_string(draft).unwrap());
            let compiled = compile(&[(&name, &text)]);
            let is_last = number + 1 == drafts.len();
            assert_eq!(compiled.findings.is_empty(), is_last, "{}\n{}", draft.display(), compiled.report());
            // The fixture has the codes of a draft with findings.
            if !is_last {
                let recorded =
                    fs::read_to_string(folder.join(format!("findings-{}.txt", number + 1))).unwrap();
                for finding in compiled.findings.findings() {
                    assert!(recorded.contains(finding.code.name), "{}: {recorded}", finding.code.name);
                }
            }
        }
    }
}
