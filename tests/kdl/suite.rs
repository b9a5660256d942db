//! The official KDL test suite, from the package of the `kdl` crate.

use super::oracle::{from_crate, from_orchgen, rightmost};
use super::read;
use kdl::KdlDocument;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Cases where orchgen intentionally differs from the suite, with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[(
    "zero_space_before_slashdash_arg_fail",
    "KDL 2.0.1 allows `/-` in place of the space before a value; the current suite lists this case as valid",
)];

/// The folder of the suite. Only cargo knows where the package is on disk.
pub(crate) fn folder() -> PathBuf {
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

/// Describes how orchgen differs from the expected result of a case. None if it does not differ.
fn differs(folder: &Path, name: &str, text: &str) -> Option<String> {
    let (document, findings) = read(text);
    let faults: Vec<_> = findings.findings().iter().filter(|f| f.code.name != "type-annotation").collect();
    if name.ends_with("_fail") {
        return faults.is_empty().then(|| "is parsed without a finding".to_owned());
    }
    if let Some(fault) = faults.first() {
        return Some(format!("is refused: {}", fault.message));
    }
    let nodes = rightmost(from_orchgen(&document.nodes));
    if let Ok(expected) = std::fs::read_to_string(folder.join("expected_kdl").join(format!("{name}.kdl"))) {
        let oracle = KdlDocument::parse_v2(&expected).unwrap();
        if nodes != rightmost(from_crate(oracle.nodes())) {
            return Some(format!("gives {nodes:?} where {expected:?} is expected"));
        }
        let (again, findings) = read(&expected);
        let clean = findings.findings().iter().all(|f| f.code.name == "type-annotation");
        if !clean || from_orchgen(&again.nodes) != from_crate(oracle.nodes()) {
            return Some("has an expected text that orchgen parses differently".to_owned());
        }
    }
    let oracle = KdlDocument::parse_v2(text).ok()?;
    (from_orchgen(&document.nodes) != from_crate(oracle.nodes()))
        .then(|| "is parsed differently by the kdl crate".to_owned())
}

mod tools {
    use super::*;

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
}
