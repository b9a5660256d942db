//! The official test suite, as the `kdl` crate ships it.

use super::oracle::{ours, rightmost, theirs};
use super::read;
use kdl::KdlDocument;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Cases in which this reader and the suite differ, each with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[(
    "zero_space_before_slashdash_arg_fail",
    "KDL 2.0.1 lets `/-` stand in for the blank before a value; the suite of today has the case as one that passes",
)];

/// The folder of the suite, found through cargo since nobody knows where a registry lies.
fn folder() -> PathBuf {
    let metadata = |offline: &[&str]| {
        Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1"])
            .args(offline)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .ok()
            .filter(|output| output.status.success())
    };
    let output = metadata(&["--offline"]).or_else(|| metadata(&[])).unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let kdl = packages.iter().find(|package| package["name"] == "kdl").unwrap();
    Path::new(kdl["manifest_path"].as_str().unwrap()).with_file_name("tests").join("test_cases")
}

/// What is wrong with one case, if anything is.
fn differs(folder: &Path, name: &str, text: &str) -> Option<String> {
    let (document, findings) = read(text);
    let faults: Vec<_> = findings.findings().iter().filter(|f| f.code.name != "type-annotation").collect();
    if name.ends_with("_fail") {
        return faults.is_empty().then(|| "is read without a finding".to_owned());
    }
    if let Some(fault) = faults.first() {
        return Some(format!("is refused: {}", fault.message));
    }
    let nodes = rightmost(ours(&document.nodes));
    if let Ok(expected) = std::fs::read_to_string(folder.join("expected_kdl").join(format!("{name}.kdl"))) {
        let oracle = KdlDocument::parse_v2(&expected).unwrap();
        if nodes != rightmost(theirs(oracle.nodes())) {
            return Some(format!("gives {nodes:?} where {expected:?} is expected"));
        }
        let (again, findings) = read(&expected);
        let clean = findings.findings().iter().all(|f| f.code.name == "type-annotation");
        if !clean || ours(&again.nodes) != theirs(oracle.nodes()) {
            return Some("is expected to give text that reads otherwise here".to_owned());
        }
    }
    let oracle = KdlDocument::parse_v2(text).ok()?;
    (ours(&document.nodes) != theirs(oracle.nodes())).then(|| "is read otherwise by the kdl crate".to_owned())
}

#[test]
fn the_official_suite_passes() {
    let folder = folder();
    let mut cases: Vec<PathBuf> =
        std::fs::read_dir(folder.join("input")).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() > 300, "the suite has {} cases", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        let name = case.file_stem().unwrap().to_string_lossy().into_owned();
        let excepted = EXCEPTIONS.iter().any(|(exception, _)| *exception == name);
        match differs(&folder, &name, &std::fs::read_to_string(&case).unwrap()) {
            Some(how) if !excepted => wrong.push(format!("{name} {how}")),
            None if excepted => wrong.push(format!("{name} is an exception and passes")),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
