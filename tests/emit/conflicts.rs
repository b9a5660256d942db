//! A build never overwrites or removes files that orchgen did not generate, except with force.

use super::{build, drift, put, refused, set, tree, written};
use orchgen::emit::{ChangeKind, EntryKind, Force, MANIFEST, Outcome, write};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// The state of the path `d/f` before the build.
#[derive(Clone, Copy, PartialEq, Debug)]
enum PathState {
    Missing,
    Old,
    New,
    Edited,
    Folder,
    FullFolder,
    Symlink,
    Fifo,
}

/// Brings the path into a state.
fn arrange(path: &Path, state: PathState, elsewhere: &Path) {
    let _ = fs::remove_file(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    match state {
        PathState::Missing => {}
        PathState::Old => fs::write(path, "old").unwrap(),
        PathState::New => fs::write(path, "new").unwrap(),
        PathState::Edited => fs::write(path, "by hand").unwrap(),
        PathState::Folder => fs::create_dir(path).unwrap(),
        PathState::FullFolder => put(&path.join("mine"), "mine"),
        PathState::Symlink => symlink(elsewhere, path).unwrap(),
        PathState::Fifo => {
            assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
        }
    }
}

/// True if the manifest lists the path, true if an artifact wants it, and the state of the path.
type Case = (bool, bool, PathState);

/// The expected effect of a build on the path.
#[derive(Clone, Copy)]
enum Effect {
    /// The build leaves the path alone.
    Unchanged,
    /// The build makes the change.
    Applied(fn() -> ChangeKind),
    /// A conflict. With force, the build makes the change.
    ConflictWithoutForce(fn() -> ChangeKind),
    /// A conflict with and without force.
    Conflict(fn() -> ChangeKind),
}

fn in_the_way(is: EntryKind) -> ChangeKind {
    ChangeKind::InTheWay { is, wanted: EntryKind::File }
}

fn expected_effect((listed, wanted, state): Case) -> Effect {
    use Effect::{Applied, Conflict, ConflictWithoutForce, Unchanged};
    match (wanted, listed, state) {
        (true, _, PathState::Missing) => Applied(|| ChangeKind::Create),
        (true, true, PathState::Old) => Applied(|| ChangeKind::Update),
        (true, true, PathState::Edited) => ConflictWithoutForce(|| ChangeKind::Edited),
        (true, false, PathState::Old | PathState::Edited) => ConflictWithoutForce(|| ChangeKind::Unlisted),
        (true, _, PathState::Folder | PathState::FullFolder) => Conflict(|| in_the_way(EntryKind::Folder)),
        (true, _, PathState::Symlink) => ConflictWithoutForce(|| in_the_way(EntryKind::Symlink)),
        (true, _, PathState::Fifo) => ConflictWithoutForce(|| in_the_way(EntryKind::Other)),
        (false, true, PathState::Old) => Applied(|| ChangeKind::Remove),
        (false, true, PathState::New | PathState::Edited | PathState::Symlink | PathState::Fifo) => {
            ConflictWithoutForce(|| ChangeKind::EditedStale)
        }
        (true, _, PathState::New) | (false, _, _) => Unchanged,
    }
}

fn check_case((listed, wanted, state): Case, force: Force) {
    let case = format!("listed {listed}, wanted {wanted}, {state:?}, {force:?}");
    let dir = tempfile::tempdir().unwrap();
    let (out, elsewhere) = (dir.path().join("out"), dir.path().join("elsewhere"));
    put(&elsewhere, "new");
    let (before, next): (&[_], &[_]) = (&[("k", "k"), ("d/f", "old")], &[("k", "k2"), ("d/f", "new")]);
    build(&out, if listed { before } else { &before[..1] });
    arrange(&out.join("d/f"), state, &elsewhere);
    let next = if wanted { next } else { &next[..1] };
    let effect = expected_effect((listed, wanted, state));
    let expected = match effect {
        Effect::Unchanged => None,
        Effect::Applied(change) | Effect::ConflictWithoutForce(change) | Effect::Conflict(change) => {
            Some(("d/f".to_owned(), change()))
        }
    };
    let untouched = tree(dir.path());
    let mut seen = drift(&out, next);
    assert!(seen.contains(&("k".to_owned(), ChangeKind::Update)), "{case}: {seen:?}");
    seen.retain(|(path, _)| path != "k");
    assert_eq!(seen, expected.clone().into_iter().collect::<Vec<_>>(), "{case}");

    let outcome = write(&out, &set(next), force, &()).unwrap();
    let refuses = matches!(effect, Effect::Conflict(_))
        || matches!(effect, Effect::ConflictWithoutForce(_)) && force == Force::No;
    if refuses {
        assert_eq!(refused(outcome), expected.into_iter().collect::<Vec<_>>(), "{case}");
        assert_eq!(tree(dir.path()), untouched, "{case}");
        return;
    }
    written(outcome);
    assert_eq!(fs::read_to_string(out.join("k")).unwrap(), "k2", "{case}");
    let metadata = fs::symlink_metadata(out.join("d/f"));
    if wanted {
        assert!(metadata.unwrap().is_file(), "{case}");
        assert_eq!(fs::read_to_string(out.join("d/f")).unwrap(), "new", "{case}");
    } else if expected.is_some() {
        assert!(!out.join("d").exists(), "{case}");
    } else if state != PathState::Missing {
        assert!(metadata.is_ok(), "{case}: a file that is not generated is kept");
    }
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "new", "{case}: a symlink is not followed");
    assert_eq!(drift(&out, next), [], "{case}");
}

#[test]
fn each_combination_of_listed_wanted_and_state_has_the_expected_effect() {
    use PathState::{Edited, Fifo, Folder, FullFolder, Missing, New, Old, Symlink};
    for listed in [true, false] {
        for wanted in [true, false] {
            for state in [Missing, Old, New, Edited, Folder, FullFolder, Symlink, Fifo] {
                for force in [Force::No, Force::Yes] {
                    check_case((listed, wanted, state), force);
                }
            }
        }
    }
}

#[test]
fn a_hostile_manifest_removes_no_file_outside_the_output_folder() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    build(&out, &[("a", "a")]);
    put(&dir.path().join("victim"), "a");
    let text = fs::read_to_string(out.join(MANIFEST)).unwrap();
    for path in ["../victim", "/etc/hostname", "x/../../victim", "", ".", "x//y", MANIFEST, "x\\u0000y"] {
        put(&out.join(MANIFEST), &text.replace("\"a\"", &format!("\"{path}\"")));
        let before = tree(dir.path());
        let conflicts = refused(build(&out, &[("b", "b")]));
        assert!(
            matches!(&conflicts[..], [(at, ChangeKind::Damaged(_))] if at == MANIFEST),
            "{path}: {conflicts:?}"
        );
        assert_eq!(tree(dir.path()), before);
    }
    written(write(&out, &set(&[("b", "b")]), Force::Yes, &()).unwrap());
    assert!(out.join("a").is_file(), "a file that no manifest lists is kept");
    assert_eq!(fs::read_to_string(dir.path().join("victim")).unwrap(), "a");
}

#[test]
fn a_damaged_manifest_is_a_conflict() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    build(&out, &[("a", "a")]);
    let sound = fs::read_to_string(out.join(MANIFEST)).unwrap();
    let damaged = [
        String::new(),
        "{".repeat(100_000),
        "[]".to_owned(),
        "null".to_owned(),
        sound[..sound.len() / 2].to_owned(),
        format!("<<<<<<< HEAD\n{sound}=======\n{sound}>>>>>>> b\n"),
        sound.replace(":1,", ":2,"),
        sound.replace(":1,", ":-1,"),
        sound.replace("sha256\":\"c", "sha256\":\"C"),
        sound.replace("sha256\":\"", "sha256\":\"é"),
        "\u{feff}\u{0}".to_owned(),
    ];
    for text in damaged {
        put(&out.join(MANIFEST), &text);
        let before = tree(&out);
        let start: String = text.chars().take(60).collect();
        let files = [("a", "b")];
        let conflicts = refused(build(&out, &files));
        assert!(matches!(&conflicts[..], [(_, ChangeKind::Damaged(_))]), "{start}: {conflicts:?}");
        let seen = drift(&out, &files);
        assert!(
            matches!(&seen[..], [(_, ChangeKind::Damaged(_)), (_, ChangeKind::Update)]),
            "{start}: {seen:?}"
        );
        assert_eq!(tree(&out), before);
    }
    written(write(&out, &set(&[("a", "a")]), Force::Yes, &()).unwrap());
    assert_eq!(fs::read_to_string(out.join(MANIFEST)).unwrap(), sound);
    fs::remove_file(out.join(MANIFEST)).unwrap();
    symlink("a", out.join(MANIFEST)).unwrap();
    refused(build(&out, &[("a", "a")]));
    written(write(&out, &set(&[("a", "a")]), Force::Yes, &()).unwrap());
    assert_eq!(fs::read_to_string(out.join("a")).unwrap(), "a");
}

#[test]
fn a_folder_that_became_a_symlink_is_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let (out, away) = (dir.path().join("out"), dir.path().join("away"));
    let files = [("bin/sub/a", "a"), ("bin/b", "b"), ("k", "k")];
    build(&out, &files);
    fs::rename(out.join("bin"), &away).unwrap();
    symlink(&away, out.join("bin")).unwrap();
    let before = tree(dir.path());

    let conflict =
        [("bin".to_owned(), ChangeKind::InTheWay { is: EntryKind::Symlink, wanted: EntryKind::Folder })];
    assert_eq!(
        drift(&out, &files),
        conflict,
        "a folder behind a symlink conflicts, even if its files are equal"
    );
    assert_eq!(refused(build(&out, &files)), conflict);
    assert_eq!(tree(dir.path()), before);

    // No artifact wants `bin` any more. Files and folders behind the symlink are kept.
    written(build(&out, &files[2..]));
    assert!(away.join("sub/a").is_file() && away.join("b").is_file());
    assert!(fs::symlink_metadata(out.join("bin")).unwrap().is_symlink());

    written(write(&out, &set(&files), Force::Yes, &()).unwrap());
    assert!(fs::symlink_metadata(out.join("bin")).unwrap().is_dir());
    assert!(away.join("sub/a").is_file() && away.join("b").is_file());
    assert_eq!(drift(&out, &files), []);
}

#[test]
fn emptied_folders_behind_a_symlink_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (out, away) = (dir.path().join("out"), dir.path().join("away"));
    build(&out, &[("bin/sub/a", "a"), ("k", "k")]);
    fs::remove_dir_all(out.join("bin")).unwrap();
    fs::create_dir_all(away.join("sub")).unwrap();
    symlink(&away, out.join("bin")).unwrap();
    written(build(&out, &[("k", "k")]));
    assert!(away.join("sub").is_dir());
}

#[test]
fn a_file_in_place_of_a_folder_is_one_conflict() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    put(&out.join("bin"), "mine");
    let files = [("bin/a", "a"), ("bin/b/c", "c"), ("k", "k")];
    let before = tree(&out);
    let conflict =
        ("bin".to_owned(), ChangeKind::InTheWay { is: EntryKind::File, wanted: EntryKind::Folder });
    assert_eq!(refused(build(&out, &files)), [conflict]);
    assert_eq!(tree(&out), before);
    let written = written(write(&out, &set(&files), Force::Yes, &()).unwrap());
    assert_eq!((written.created.len(), written.removed.len()), (3, 1));
    assert_eq!(drift(&out, &files), []);
}

#[test]
fn a_generated_folder_with_an_external_file_is_not_replaced_by_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    build(&out, &[("x/a", "a")]);
    for mine in ["x/mine", "x/deep/mine"] {
        put(&out.join(mine), "mine");
        let before = tree(&out);
        for force in [Force::No, Force::Yes] {
            let conflicts = refused(write(&out, &set(&[("x", "x")]), force, &()).unwrap());
            assert_eq!(conflicts, [("x".to_owned(), in_the_way(EntryKind::Folder))]);
            assert_eq!(tree(&out), before);
        }
        fs::remove_file(out.join(mine)).unwrap();
        let _ = fs::remove_dir(out.join("x/deep"));
    }
    assert!(matches!(build(&out, &[("x", "x")]), Outcome::Written(_)));
}

#[test]
fn files_of_the_user_are_kept_even_if_a_leftover_journal_lists_them() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    build(&out, &[("k", "k"), ("n", "n")]);
    let journal = fs::read_to_string(out.join(MANIFEST)).unwrap();
    fs::remove_dir_all(&out).unwrap();
    build(&out, &[("k", "k")]);
    put(&out.join(".orchgen-manifest.next.json"), &journal);
    put(&out.join("n"), "mine");
    assert_eq!(refused(build(&out, &[("k", "k"), ("n", "n")])), [("n".to_owned(), ChangeKind::Unlisted)]);
    written(build(&out, &[("k", "k")]));
    assert_eq!(fs::read_to_string(out.join("n")).unwrap(), "mine");
    for damaged in ["", "{", "{\"format_version\":9,\"files\":[]}"] {
        put(&out.join(".orchgen-manifest.next.json"), damaged);
        written(build(&out, &[("k", "k")]));
        assert!(!out.join(".orchgen-manifest.next.json").exists());
    }
}
