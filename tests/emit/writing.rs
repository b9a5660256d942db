//! What a build does where nothing is in its way.

use super::{build, drift, mode, put, reason, set, tree, written};
use orchgen::emit::{Force, MANIFEST, Outcome, Step, Watch, What, write};
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
fn a_first_build_makes_the_folder_with_modes_and_manifest() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("deep/er/out");
    let done = written(build(&out, FILES));
    assert_eq!((done.created.len(), done.updated.len(), done.removed.len(), done.unchanged), (3, 0, 0, 0));
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
fn the_same_build_again_touches_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    build(&out, FILES);
    let stamps = || -> Vec<_> {
        ["", "a.txt", "bin", "bin/run", "docs/x/y.md", MANIFEST]
            .iter()
            .map(|name| fs::metadata(out.join(name)).unwrap())
            .map(|about| (about.ino(), about.mtime(), about.mtime_nsec(), about.ctime(), about.ctime_nsec()))
            .collect()
    };
    let before = stamps();
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(written(build(&out, FILES)).unchanged, 3);
    assert_eq!(stamps(), before);
    assert_eq!(drift(&out, FILES), []);
}

#[test]
fn only_what_changed_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    build(&out, FILES);
    let stamp = |name: &str| {
        let about = fs::metadata(out.join(name)).unwrap();
        (about.ino(), about.mtime_nsec())
    };
    let (same, changed) = (stamp("bin/run"), stamp("a.txt"));
    let next = [("a.txt", "b\n"), FILES[1], ("new/n", "n")];
    assert_eq!(
        drift(&out, &next),
        [
            ("a.txt".into(), What::Update),
            ("docs/x/y.md".into(), What::Remove),
            ("new/n".into(), What::Create)
        ]
    );
    let done = written(build(&out, &next));
    let names = |paths: Vec<ArtifactPath>| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(done.created), ["new/n"]);
    assert_eq!(names(done.updated), ["a.txt"]);
    assert_eq!(names(done.removed), ["docs/x/y.md"]);
    assert_eq!(done.unchanged, 1);
    assert_eq!(stamp("bin/run"), same);
    assert_ne!(stamp("a.txt"), changed);
    assert!(!out.join("docs").exists(), "emptied folders go");

    let clean = dir.path().join("clean");
    build(&clean, &next);
    assert_eq!(tree(&out), tree(&clean));
}

#[test]
fn emptied_folders_go_and_those_with_foreign_files_stay() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    build(&out, &[("a/b/c", "1"), ("d/e", "2"), ("f", "3")]);
    put(&out.join("d/mine"), "mine");
    fs::create_dir(out.join("empty")).unwrap();
    build(&out, &[("f", "3")]);
    assert!(!out.join("a").exists());
    assert!(!out.join("d/e").exists());
    assert_eq!(fs::read_to_string(out.join("d/mine")).unwrap(), "mine");
    assert!(out.join("empty").is_dir(), "a folder that no build made is not ours");
}

#[test]
fn the_folder_of_a_file_deleted_by_hand_goes_too() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    build(&out, &[("a/b/c", "1"), ("f", "3")]);
    fs::remove_file(out.join("a/b/c")).unwrap();
    build(&out, &[("f", "3")]);
    assert!(!out.join("a").exists());
}

#[test]
fn a_wrong_mode_is_put_right_and_a_checkout_under_another_umask_is_no_drift() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    build(&out, FILES);
    let set_mode = |name: &str, bits| {
        fs::set_permissions(out.join(name), fs::Permissions::from_mode(bits)).unwrap();
    };
    set_mode("a.txt", 0o664);
    assert_eq!(drift(&out, FILES), []);
    set_mode("bin/run", 0o644);
    assert_eq!(drift(&out, FILES), [("bin/run".into(), What::Mode { executable: true })]);
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
fn a_lost_manifest_is_made_again_where_nothing_differs() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    build(&out, FILES);
    let before = tree(&out);
    fs::remove_file(out.join(MANIFEST)).unwrap();
    assert_eq!(drift(&out, FILES), [(MANIFEST.into(), What::Create)]);
    assert_eq!(written(build(&out, FILES)).unchanged, 3);
    assert_eq!(tree(&out), before);
}

#[test]
fn an_empty_set_is_a_build_too() {
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
fn what_the_disk_refuses_is_a_sentence() {
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
        format!("cannot use `{root}/dangling`: there is no such folder or file")
    );
    assert_eq!(
        fails(&path("out"), &[("a", ""), ("a-", ""), ("a/b", "")]),
        "cannot write `a`: it would be both a file and a folder"
    );
    assert_eq!(
        fails(&path("out"), &[(MANIFEST, "")]),
        "cannot write `.orchgen-manifest.json`: the name is kept for orchgen itself"
    );
    let long = "n".repeat(300);
    assert!(fails(&path("out"), &[("a", ""), (&long, "")]).ends_with("a name may have 255 bytes"));
    assert_eq!(tree(dir.path()).len(), 2, "nothing is left of a build that failed");
    build(&path("out"), FILES);
    let before = tree(dir.path());
    assert!(fails(&path("out"), &[("a", ""), (&long, "")]).ends_with("a name may have 255 bytes"));
    assert_eq!(tree(dir.path()), before);
}

#[test]
fn texts_are_rendered_once_and_never_all_held() {
    static HELD: AtomicUsize = AtomicUsize::new(0);
    let mut set = set(&[]);
    for n in 0..500 {
        let path = ArtifactPath::new(format!("f{n}")).unwrap();
        let render = move || {
            HELD.fetch_add(1, Ordering::Relaxed);
            Ok(n.to_string())
        };
        assert!(set.add(Artifact::file(path, render)).is_ok());
    }
    let dir = tempfile::tempdir().unwrap();
    for times in 1..=3 {
        write(&dir.path().join("out"), &set, Force::No, &()).unwrap();
        assert_eq!(HELD.load(Ordering::Relaxed), 500 * times);
    }
}

/// Lets another build begin while this one is at work.
struct Together<'t> {
    meanwhile: &'t (dyn Fn() + Sync),
    once: Mutex<bool>,
    waited: AtomicUsize,
}

impl Watch for Together<'_> {
    fn waiting(&self) {
        self.waited.fetch_add(1, Ordering::Relaxed);
    }

    fn step(&self, _: Step) -> ControlFlow<()> {
        if !std::mem::replace(&mut *self.once.lock().unwrap(), true) {
            (self.meanwhile)();
        }
        ControlFlow::Continue(())
    }
}

#[test]
fn of_two_builds_at_once_one_waits() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    for (first, second) in [("1", "2"), ("3", "4")] {
        let started = AtomicBool::new(false);
        let waiter = Together { meanwhile: &|| {}, once: Mutex::new(true), waited: AtomicUsize::new(0) };
        let meanwhile = || {
            started.store(true, Ordering::Relaxed);
            while waiter.waited.load(Ordering::Relaxed) == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
        };
        let worker = Together { meanwhile: &meanwhile, once: Mutex::new(false), waited: AtomicUsize::new(0) };
        std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                while !started.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(1));
                }
                written(write(&out, &set(&[("a", second), ("b", second)]), Force::No, &waiter).unwrap())
            });
            written(write(&out, &set(&[("a", first)]), Force::No, &worker).unwrap());
            assert_eq!(other.join().unwrap().updated.len(), 1, "it saw what the first one wrote");
        });
        let waits = |watch: &Together<'_>| watch.waited.load(Ordering::Relaxed);
        assert_eq!((waits(&waiter), waits(&worker)), (1, 0));
        assert_eq!(fs::read_to_string(out.join("a")).unwrap(), second);
        written(build(&out, &[("a", second)]));
    }
}

#[test]
fn many_builds_at_once_end_in_a_whole_state() {
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
