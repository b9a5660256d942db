//! Registries that a reader wrote from README and `schema --field` alone, one folder for each: all drafts in order, and the
//! findings of those that had any. The last draft has none.

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
fn each_registry_needs_at_most_two_drafts() {
    let all = fs::read_dir(repository().join("tests/first_drafts")).unwrap();
    let folders: Vec<PathBuf> = all.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(folders.len(), 12);
    for folder in folders {
        let drafts = drafts(&folder);
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
