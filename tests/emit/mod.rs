//! Writing the output: changes, conflicts, and recovery after a crash.

mod conflicts;
mod crash;
mod partial;
mod single;
mod words;
mod writing;

use orchgen::emit::{ChangeKind, EmitError, FileChange, Force, Outcome, Written, check, write};
use orchgen::render::{Artifact, ArtifactPath, ArtifactSet};
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;

/// A set of artifacts. Those below `bin/` are programs.
fn set(files: &[(&str, &str)]) -> ArtifactSet<'static> {
    let mut set = ArtifactSet::default();
    for (path, text) in files {
        let (path, text) = (ArtifactPath::new(*path).unwrap(), (*text).to_owned());
        let render = move || Ok(text.clone());
        let program = path.as_str().starts_with("bin/");
        let artifact = if program { Artifact::program(path, render) } else { Artifact::file(path, render) };
        assert!(set.add(artifact).is_ok());
    }
    set
}

fn build(out: &Path, files: &[(&str, &str)]) -> Outcome {
    write(out, &set(files), Force::No, &()).unwrap()
}

fn written(outcome: Outcome) -> Written {
    match outcome {
        Outcome::Written(written) => written,
        Outcome::Refused(conflicts) => unreachable!("refused: {conflicts:?}"),
    }
}

fn refused(outcome: Outcome) -> Vec<(String, ChangeKind)> {
    match outcome {
        Outcome::Written(written) => unreachable!("written: {written:?}"),
        Outcome::Refused(conflicts) => pairs(conflicts),
    }
}

fn pairs(changes: Vec<FileChange>) -> Vec<(String, ChangeKind)> {
    changes.into_iter().map(|change| (change.path.to_string(), change.kind)).collect()
}

fn drift(out: &Path, files: &[(&str, &str)]) -> Vec<(String, ChangeKind)> {
    pairs(check(out, &set(files)).unwrap())
}

/// Every entry below a folder: path, mode (with the file type) and content. Symlinks are not followed.
fn tree(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            let kind = metadata.file_type();
            let content = if kind.is_dir() {
                folders.push(path.clone());
                String::new()
            } else if kind.is_symlink() {
                fs::read_link(&path).unwrap().display().to_string()
            } else if kind.is_fifo() {
                "fifo".to_owned()
            } else {
                String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned()
            };
            let name = path.strip_prefix(root).unwrap().display();
            found.push(format!("{name} {:o} {content}", metadata.mode()));
        }
    }
    found.sort();
    found
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn reason(error: &EmitError) -> String {
    error.to_string()
}
