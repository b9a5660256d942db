//! A set of artifacts that covers a part of the output folder: a build ignores all other files.

use super::{build, drift, pairs, put, refused, set, tree, written};
use orchgen::emit::{ChangeKind, Force, MANIFEST, Outcome, check, write};
use orchgen::render::{ArtifactPath, ArtifactSet};
use std::fs;
use std::path::Path;

const FILES: &[(&str, &str)] = &[("bin/run", "1"), ("docs/a", "1"), ("docs/b/c", "1"), ("stack.json", "1")];

/// These files, as a set that covers only `docs`.
fn docs(files: &[(&str, &str)]) -> ArtifactSet<'static> {
    set(files).limited_to(vec!["docs"])
}

fn build_docs(out: &Path, files: &[(&str, &str)], force: Force) -> Outcome {
    write(out, &docs(files), force, &()).unwrap()
}

fn docs_drift(out: &Path, files: &[(&str, &str)]) -> Vec<(String, ChangeKind)> {
    pairs(check(out, &docs(files)).unwrap())
}

/// The paths that the manifest lists.
fn listed(out: &Path) -> Vec<String> {
    let text = fs::read_to_string(out.join(MANIFEST)).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    let files = manifest["files"].as_array().unwrap().iter();
    files.map(|file| file["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_partial_build_changes_only_the_files_that_it_covers() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    build(&out, FILES);
    put(&out.join("bin/run"), "edited");
    fs::remove_file(out.join("stack.json")).unwrap();
    put(&out.join("mine"), "mine");
    let next = [("docs/a", "2"), ("docs/d", "2")];
    assert_eq!(
        docs_drift(&out, &next),
        [
            ("docs/a".into(), ChangeKind::Update),
            ("docs/b/c".into(), ChangeKind::Remove),
            ("docs/d".into(), ChangeKind::Create),
        ]
    );
    let summary = written(build_docs(&out, &next, Force::No));
    let names = |paths: &[ArtifactPath]| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&summary.created), ["docs/d"]);
    assert_eq!(names(&summary.updated), ["docs/a"]);
    assert_eq!(names(&summary.removed), ["docs/b/c"]);
    assert_eq!(summary.unchanged, 0);
    assert!(!out.join("docs/b").exists(), "an emptied folder is removed");
    assert_eq!(fs::read_to_string(out.join("bin/run")).unwrap(), "edited");
    assert!(!out.join("stack.json").exists());
    assert_eq!(listed(&out), ["bin/run", "docs/a", "docs/d", "stack.json"]);

    // A later build of all files still knows the edit, the missing file and the stale file.
    assert_eq!(
        drift(&out, &next),
        [("bin/run".into(), ChangeKind::EditedStale)],
        "a stale file that was edited is kept"
    );
    put(&out.join("bin/run"), "1");
    written(build(&out, &next));
    let clean = dir.path().join("clean");
    build(&clean, &next);
    put(&clean.join("mine"), "mine");
    assert_eq!(tree(&out), tree(&clean));
}

#[test]
fn a_repeated_partial_build_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    build(&out, FILES);
    let files = [FILES[1], FILES[2]];
    for _ in 0..2 {
        let before = fs::metadata(out.join(MANIFEST)).unwrap().modified().unwrap();
        assert_eq!(written(build_docs(&out, &files, Force::No)).unchanged, 2);
        assert_eq!(fs::metadata(out.join(MANIFEST)).unwrap().modified().unwrap(), before);
        assert_eq!(docs_drift(&out, &files), []);
    }
    assert_eq!(drift(&out, FILES), []);
    assert_eq!(written(build(&out, FILES)).unchanged, FILES.len());
}

#[test]
fn partial_builds_of_all_parts_are_a_whole_build() {
    let dir = tempfile::tempdir().unwrap();
    let (out, clean) = (dir.path().join("out"), dir.path().join("clean"));
    build(&clean, FILES);
    for root in ["stack.json", "docs", "bin", "none"] {
        let is_in = |path: &str| path.split('/').next() == Some(root);
        let files: Vec<_> = FILES.iter().copied().filter(|(path, _)| is_in(path)).collect();
        let part = set(&files).limited_to(vec![root]);
        assert_eq!(written(write(&out, &part, Force::No, &()).unwrap()).created.len(), files.len());
    }
    assert_eq!(tree(&out), tree(&clean));
    assert_eq!(drift(&out, FILES), []);
}

#[test]
fn an_edit_is_a_conflict_only_in_a_covered_file() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    build(&out, FILES);
    put(&out.join("docs/a"), "edited");
    put(&out.join("stack.json"), "edited");
    let before = tree(&out);
    let expected = [("docs/a".into(), ChangeKind::Edited)];
    assert_eq!(refused(build_docs(&out, &FILES[1..3], Force::No)), expected);
    assert_eq!(tree(&out), before);
    written(build_docs(&out, &FILES[1..3], Force::Yes));
    assert_eq!(fs::read_to_string(out.join("docs/a")).unwrap(), "1");
    assert_eq!(fs::read_to_string(out.join("stack.json")).unwrap(), "edited");
}

#[test]
fn a_partial_build_never_replaces_a_damaged_manifest() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    build(&out, FILES);
    put(&out.join(MANIFEST), "damaged");
    let before = tree(&out);
    for force in [Force::No, Force::Yes] {
        let conflicts = refused(build_docs(&out, &[("docs/a", "2")], force));
        assert!(matches!(&conflicts[..], [(_, ChangeKind::Damaged(_))]), "{conflicts:?}");
        assert_eq!(tree(&out), before);
    }
    written(write(&out, &set(FILES), Force::Yes, &()).unwrap());
    assert_eq!(written(build_docs(&out, &FILES[1..3], Force::No)).unchanged, 2);
}
