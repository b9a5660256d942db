//! Builds without conflicts.

use super::{build, drift, mode, put, reason, set, tree, written};
use orchgen::emit::{ChangeKind, Force, MANIFEST, Observer, Outcome, Step, write};
use orchgen::render::{Artifact, ArtifactPath};
use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

const FILES: &[(&str, &str)] = &[("a.txt", "a\n"), ("bin/run", "#!/bin/sh\n"), ("docs/x/y.md", "y\n")];

#[test]
fn a_first_build_creates_the_folder_with_modes_and_a_manifest() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("deep/er/out");
    let summary = written(build(&out, FILES));
    assert_eq!(
        (summary.created.len(), summary.updated.len(), summary.removed.len(), summary.unchanged),
        (3, 0, 0, 0)
    );
    assert_eq!(mode(&out), 0o755);
    assert_eq!(mode(&out.join("docs/x")), 0o755);
    assert_eq!(mode(&out.join("a.txt")), 0o644);
    assert_eq!(mode(&out.join("bin/run")), 0o755);
    assert_eq!(
        fs::read_to_string(out.join(MANIFEST)).unwrap(),
        concat!(
            "{\"format_version\":1,\"files\":[\n",
            "{\"path\":\"a.txt\",\"sha256\":\"87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7\",\"mode\":\"0644\"},\n",
            "{\"path\":\"bin/run\",\"sha256\":\"a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf\",\"mode\":\"0755\"},\n",
            "{\"path\":\"docs/x/y.md\",\"sha256\":\"3bb2abb69ebb27fbfe63c7639624c6ec5e331b841a5bc8c3ebc10b9285e90877\",\"mode\":\"0644\"}\n",
            "]}\n"
        )
    );
    let left: Vec<_> = fs::read_dir(out.parent().unwrap()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["out"]);
}

#[test]
fn a_repeated_build_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    build(&out, FILES);
    let stamps = || -> Vec<_> {
        ["", "a.txt", "bin", "bin/run", "docs/x/y.md", MANIFEST]
            .iter()
            .map(|name| fs::metadata(out.join(name)).unwrap())
            .map(|metadata| {
                (
                    metadata.ino(),
                    metadata.mtime(),
                    metadata.mtime_nsec(),
                    metadata.ctime(),
                    metadata.ctime_nsec(),
                )
            })
            .collect()
    };
    let before = stamps();
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(written(build(&out, FILES)).unchanged, 3);
    assert_eq!(stamps(), before);
    assert_eq!(drift(&out, FILES), []);
}

#[test]
fn only_changed_files_are_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    build(&out, FILES);
    let stamp = |name: &str| {
        let metadata = fs::metadata(out.join(name)).unwrap();
        (metadata.ino(), metadata.mtime_nsec())
    };
    let (same, changed) = (stamp("bin/run"), stamp("a.txt"));
    let next = [("a.txt", "b\n"), FILES[1], ("new/n", "n")];
    assert_eq!(
        drift(&out, &next),
        [
            ("a.txt".into(), ChangeKind::Update),
            ("docs/x/y.md".into(), ChangeKind::Remove),
            ("new/n".into(), ChangeKind::Create)
        ]
    );
    let summary = written(build(&out, &next));
    let names = |paths: Vec<ArtifactPath>| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(summary.created), ["new/n"]);
    assert_eq!(names(summary.updated), ["a.txt"]);
    assert_eq!(names(summary.removed), ["docs/x/y.md"]);
    assert_eq!(summary.unchanged, 1);
    assert_eq!(stamp("bin/run"), same);
    assert_ne!(stamp("a.txt"), changed);
    assert!(!out.join("docs").exists(), "emptied folders are removed");

    let clean = dir.path().join("clean");
    build(&clean, &next);
    assert_eq!(tree(&out), tree(&clean));
}

#[test]
fn emptied_folders_are_removed_and_those_with_external_files_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    build(&out, &[("a/b/c", "1"), ("d/e", "2"), ("f", "3")]);
    put(&out.join("d/mine"), "mine");
    fs::create_dir(out.join("empty")).unwrap();
    build(&out, &[("f", "3")]);
    assert!(!out.join("a").exists());
    assert!(!out.join("d/e").exists());
    assert_eq!(fs::read_to_string(out.join("d/mine")).unwrap(), "mine");
    assert!(out.join("empty").is_dir(), "a folder that no build created is kept");
}

#[test]
fn the_folder_of_a_manually_deleted_file_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    build(&out, &[("a/b/c", "1"), ("f", "3")]);
    fs::remove_file(out.join("a/b/c")).unwrap();
    build(&out, &[("f", "3")]);
    assert!(!out.join("a").exists());
}

#[test]
fn a_wrong_mode_is_fixed_and_another_umask_is_not_drift() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    build(&out, FILES);
    let set_mode = |name: &str, bits| {
        fs::set_permissions(out.join(name), fs::Permissions::from_mode(bits)).unwrap();
    };
    set_mode("a.txt", 0o664);
    assert_eq!(drift(&out, FILES), []);
    set_mode("bin/run", 0o644);
    assert_eq!(drift(&out, FILES), [("bin/run".into(), ChangeKind::Mode { executable: true })]);
    assert_eq!(written(build(&out, FILES)).updated.len(), 2);
    assert_eq!((mode(&out.join("a.txt")), mode(&out.join("bin/run"))), (0o644, 0o755));
}

#[test]
fn a_file_becomes_a_folder_and_a_folder_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let (out, clean) = (dir.path().join("out"), dir.path().join("clean"));
    let (one, two): (&[_], &[_]) =
        (&[("x", "1"), ("y/a/b", "2"), ("y/c", "3")], &[("x/p/q", "1"), ("y", "2")]);
    for next in [one, two, one, two] {
        written(build(&out, next));
        assert_eq!(drift(&out, next), []);
        build(&clean, next);
        assert_eq!(tree(&out), tree(&clean));
        fs::remove_dir_all(&clean).unwrap();
    }
}

#[test]
fn a_lost_manifest_is_recreated_if_no_file_differs() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    build(&out, FILES);
    let before = tree(&out);
    fs::remove_file(out.join(MANIFEST)).unwrap();
    assert_eq!(drift(&out, FILES), [(MANIFEST.into(), ChangeKind::Create)]);
    assert_eq!(written(build(&out, FILES)).unchanged, 3);
    assert_eq!(tree(&out), before);
}

#[test]
fn an_empty_set_can_be_built() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    build(&out, &[]);
    assert_eq!(fs::read_to_string(out.join(MANIFEST)).unwrap(), "{\"format_version\":1,\"files\":[\n]}\n");
    build(&out, FILES);
    build(&out, &[]);
    assert_eq!(tree(&out).len(), 1);
}

#[test]
fn check_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("no/out");
    assert_eq!(drift(&out, FILES).len(), 3);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    build(&out, FILES);
    put(&out.join("a.txt"), "mine");
    let stamp = fs::metadata(&out).unwrap().ctime_nsec();
    let before = tree(dir.path());
    drift(&out, &[("a.txt", "b"), ("n", "n")]);
    assert_eq!((tree(dir.path()), fs::metadata(&out).unwrap().ctime_nsec()), (before, stamp));
}

#[test]
fn the_output_folder_may_be_a_symlink() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("real/out")).unwrap();
    let out = dir.path().join("out");
    symlink("real/out", &out).unwrap();
    build(&out, FILES);
    assert!(fs::symlink_metadata(&out).unwrap().is_symlink());
    assert!(dir.path().join("real/out/bin/run").is_file());
}

#[test]
fn errors_of_the_file_system_are_reported_in_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    put(&path("file"), "");
    symlink("nowhere", path("dangling")).unwrap();
    let fails =
        |out: &Path, files: &[(&str, &str)]| reason(&write(out, &set(files), Force::No, &()).unwrap_err());
    let root = dir.path().display();
    assert_eq!(fails(&path("file"), FILES), format!("cannot use `{root}/file`: it is not a folder"));
    assert_eq!(fails(&path("file/out"), FILES), format!("cannot use `{root}/file/out`: it is not a folder"));
    assert_eq!(
        fails(&path("dangling"), FILES),
        format!("cannot use `{root}/dangling`: no such file or folder")
    );
    assert_eq!(
        fails(&path("out"), &[("a", ""), ("a-", ""), ("a/b", "")]),
        "cannot write `a`: it would be both a file and a folder"
    );
    assert_eq!(
        fails(&path("out"), &[(MANIFEST, "")]),
        "cannot write `.orchgen-manifest.json`: names that start with `.orchgen-` are reserved"
    );
    let long = "n".repeat(300);
    assert!(
        fails(&path("out"), &[("a", ""), (&long, "")]).ends_with("a file name can have at most 255 bytes")
    );
    assert_eq!(tree(dir.path()).len(), 2, "a failed build leaves no files");
    build(&path("out"), FILES);
    let before = tree(dir.path());
    assert!(
        fails(&path("out"), &[("a", ""), (&long, "")]).ends_with("a file name can have at most 255 bytes")
    );
    assert_eq!(tree(dir.path()), before);
}

#[test]
fn each_text_is_rendered_once_per_build() {
    static RENDERED: AtomicUsize = AtomicUsize::new(0);
    let mut set = set(&[]);
    for n in 0..500 {
        let path = ArtifactPath::new(format!("f{n}")).unwrap();
        let render = move || {
            RENDERED.fetch_add(1, Ordering::Relaxed);
            Ok(n.to_string())
        };
        assert!(set.add(Artifact::file(path, render)).is_ok());
    }
    let dir = tempfile::tempdir().unwrap();
    for times in 1..=3 {
        write(&dir.path().join("out"), &set, Force::No, &()).unwrap();
        assert_eq!(RENDERED.load(Ordering::Relaxed), 500 * times);
    }
}

/// Calls a function at the first step of a build, and counts how often the build waits for another one.
struct CallbackObserver<'t> {
    at_first_step: &'t (dyn Fn() + Sync),
    has_called: Mutex<bool>,
    waits: AtomicUsize,
}

impl Observer for CallbackObserver<'_> {
    fn waiting(&self) {
        self.waits.fetch_add(1, Ordering::Relaxed);
    }

    fn step(&self, _: Step) -> ControlFlow<()> {
        if !std::mem::replace(&mut *self.has_called.lock().unwrap(), true) {
            (self.at_first_step)();
        }
        ControlFlow::Continue(())
    }
}

#[test]
fn the_second_of_two_concurrent_builds_waits() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    for (first, second) in [("1", "2"), ("3", "4")] {
        let started = AtomicBool::new(false);
        let waiter = CallbackObserver {
            at_first_step: &|| {},
            has_called: Mutex::new(true),
            waits: AtomicUsize::new(0),
        };
        let at_first_step = || {
            started.store(true, Ordering::Relaxed);
            while waiter.waits.load(Ordering::Relaxed) == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
        };
        let worker = CallbackObserver {
            at_first_step: &at_first_step,
            has_called: Mutex::new(false),
            waits: AtomicUsize::new(0),
        };
        std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                while !started.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(1));
                }
                written(write(&out, &set(&[("a", second), ("b", second)]), Force::No, &waiter).unwrap())
            });
            written(write(&out, &set(&[("a", first)]), Force::No, &worker).unwrap());
            assert_eq!(
                other.join().unwrap().updated.len(),
                1,
                "the second build sees the files of the first one"
            );
        });
        let count = |observer: &CallbackObserver<'_>| observer.waits.load(Ordering::Relaxed);
        assert_eq!((count(&waiter), count(&worker)), (1, 0));
        assert_eq!(fs::read_to_string(out.join("a")).unwrap(), second);
        written(build(&out, &[("a", second)]));
    }
}

#[test]
fn many_concurrent_builds_end_in_a_consistent_state() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    std::thread::scope(|scope| {
        for n in 0..6 {
            let out = &out;
            scope.spawn(move || {
                let text = n.to_string();
                let files = [("a/x", text.as_str()), ("b/y", text.as_str())];
                assert!(matches!(build(out, &files), Outcome::Written(_)));
            });
        }
    });
    let text = fs::read_to_string(out.join("a/x")).unwrap();
    assert_eq!(drift(&out, &[("a/x", &text), ("b/y", &text)]), []);
}
