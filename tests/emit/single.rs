//! One file that is no artifact: whole or not at all, and never more than it.

use super::mode;
use orchgen::emit::put;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_is_made_with_the_folders_above_it_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/b/report.json");
    put(&path, b"one").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"one");
    assert_eq!(names(path.parent().unwrap()), ["report.json"]);
}

#[test]
fn equal_bytes_touch_nothing_and_others_keep_the_mode() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x");
    fs::write(&path, "one").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let before = fs::metadata(&path).unwrap();
    put(&path, b"one").unwrap();
    let after = fs::metadata(&path).unwrap();
    assert_eq!((before.ino(), before.mtime_nsec()), (after.ino(), after.mtime_nsec()));
    put(&path, b"two").unwrap();
    assert_eq!((fs::read(&path).unwrap(), mode(&path)), (b"two".to_vec(), 0o640));
    assert_ne!(fs::metadata(&path).unwrap().ino(), before.ino(), "it was replaced, not written into");
}

#[test]
fn a_symlink_is_followed_and_a_device_written_into() {
    let dir = tempfile::tempdir().unwrap();
    let (real, link) = (dir.path().join("real"), dir.path().join("link"));
    fs::write(&real, "one").unwrap();
    symlink(&real, &link).unwrap();
    put(&link, b"two").unwrap();
    assert_eq!(fs::read(&real).unwrap(), b"two");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    put(Path::new("/dev/null"), b"gone").unwrap();
    let full = put(Path::new("/dev/full"), b"gone").unwrap_err().to_string();
    assert_eq!(full, "cannot write `/dev/full`: the disk is full");
}

#[test]
fn what_cannot_be_written_is_said_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    fs::create_dir(dir.path().join("folder")).unwrap();
    for path in ["folder", "file/x", "file/x/y"] {
        let said = put(&dir.path().join(path), b"bytes").unwrap_err().to_string();
        assert!(said.starts_with("cannot ") && said.contains(path.split("/y").next().unwrap()), "{said}");
    }
    assert_eq!(names(dir.path()), ["file", "folder"]);
    assert!(names(&dir.path().join("folder")).is_empty());
}
