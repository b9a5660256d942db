//! Shapes of real configurations, written as short as a user would: each builds without findings in a few lines.

use crate::support::{compile, repository};
use std::collections::BTreeSet;
use std::fs;

/// The file of each shape, and its maximum number of lines without blank lines and comments.
const SHAPES: [(&str, usize); 6] = [
    // Ten models of one family of a repository, with shared settings.
    ("family.kdl", 25),
    // A chat model that drafts with its own layers, with quantized keys.
    ("mtp.kdl", 8),
    // Two workers, each bound to a NUMA node, with one shared draft.
    ("nodes.kdl", 14),
    // An embedder and a reranker.
    ("retrieval.kdl", 8),
    // A whisper server next to two llama servers.
    ("speech.yaml", 13),
    // A single model of a user, without root.
    ("user.kdl", 4),
];

#[test]
fn each_shape_is_short_and_builds_without_findings() {
    for (name, bound) in SHAPES {
        let text = fs::read_to_string(repository().join("tests/shapes").join(name)).unwrap();
        let is_code = |line: &&str| {
            let line = line.trim_start();
            !(line.is_empty() || line.starts_with("//") || line.starts_with('#'))
        };
        let lines = text.lines().filter(is_code).count();
        assert!(lines <= bound, "{name} has {lines} lines");
        let compiled = compile(&[(name, &text)]);
        assert!(compiled.findings.is_empty(), "{name}: {}", compiled.report());
        let files = compiled.files();
        for (role, _) in compiled.checked().registry().processes() {
            let name = &role.head.name.value;
            assert!(files.contains_key(&format!("bin/{name}")), "{name} is missing from {:?}", files.keys());
        }
    }
}

#[test]
fn each_file_is_a_shape() {
    let entries = fs::read_dir(repository().join("tests/shapes")).unwrap();
    let files: BTreeSet<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(files, SHAPES.map(|(name, _)| name.to_owned()).into());
}
