//! `write_file` writes one file that is not an artifact, atomically and without leftovers.

use super::mode;
use orchgen::emit::write_file;
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
fn a_file_is_created_with_its_parent_folders_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/b/report.json");
    write_file(&path, b"one").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"one");
    assert_eq!(names(path.parent().unwrap()), ["report.json"]);
}

#[test]
fn equal_content_is_not_written_and_new_content_keeps_the_mode() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x");
    fs::write(&path, "one").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let before = fs::metadata(&path).unwrap();
    write_file(&path, b"one").unwrap();
    let after = fs::metadata(&path).unwrap();
    assert_eq!((before.ino(), before.mtime_nsec()), (after.ino(), after.mtime_nsec()));
    write_file(&path, b"two").unwrap();
    assert_eq!((fs::read(&path).unwrap(), mode(&path)), (b"two".to_vec(), 0o640));
    assert_ne!(
        fs::metadata(&path).unwrap().ino(),
        before.ino(),
        "the file is replaced, not overwritten in place"
    );
}

#[test]
fn symlinks_are_followed_and_devices_are_written_in_place() {
    let dir = tempfile::tempdir().unwrap();
    let (real, link) = (dir.path().join("real"), dir.path().join("link"));
    fs::write(&real, "one").unwrap();
    symlink(&real, &link).unwrap();
    write_file(&link, b"two").unwrap();
    assert_eq!(fs::read(&real).unwrap(), b"two");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    write_file(Path::new("/dev/null"), b"gone").unwrap();
    let full = write_file(Path::new("/dev/full"), b"gone").unwrap_err().to_string();
    assert_eq!(full, "cannot write `/dev/full`: the disk is full");
}

#[test]
fn a_failed_write_is_reported_and_leaves_no_files() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    fs::create_dir(dir.path().join("folder")).unwrap();
    for path in ["folder", "file/x", "file/x/y"] {
        let message = write_file(&dir.path().join(path), b"bytes").unwrap_err().to_string();
        assert!(
            message.starts_with("cannot ") && message.contains(path.split("/y").next().unwrap()),
            "{message}"
        );
    }
    assert_eq!(names(dir.path()), ["file", "folder"]);
    assert!(names(&dir.path().join("folder")).is_empty());
}
