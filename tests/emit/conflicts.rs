//! What is not ours stays as it is.

use super::{build, drift, put, refused, set, tree, written};
use orchgen::emit::{Force, MANIFEST, Outcome, Thing, What, write};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// What somebody did to the path `d/f` before the build.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Found {
    Missing,
    Old,
    New,
    Edited,
    Folder,
    FullFolder,
    Symlink,
    Fifo,
}

fn arrange(path: &Path, found: Found, elsewhere: &Path) {
    let _ = fs::remove_file(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    match found {
        Found::Missing => {}
        Found::Old => fs::write(path, "old").unwrap(),
        Found::New => fs::write(path, "new").unwrap(),
        Found::Edited => fs::write(path, "by hand").unwrap(),
        Found::Folder => fs::create_dir(path).unwrap(),
        Found::FullFolder => put(&path.join("mine"), "mine"),
        Found::Symlink => symlink(elsewhere, path).unwrap(),
        Found::Fifo => assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success()),
    }
}

/// Whether the manifest lists the path, whether an artifact wants it, and what lies there.
type Case = (bool, bool, Found);

#[derive(Clone, Copy)]
enum Verdict {
    /// Nothing is to be done with the path.
    Left,
    /// This, without a word.
    Done(fn() -> What),
    /// A conflict, which force settles.
    Yields(fn() -> What),
    /// A conflict in any case.
    Stays(fn() -> What),
}

fn in_the_way(is: Thing) -> What {
    What::InTheWay { is, wanted: Thing::File }
}

fn verdict((listed, wanted, found): Case) -> Verdict {
    use Verdict::{Done, Left, Stays, Yields};
    match (wanted, listed, found) {
        (true, _, Found::Missing) => Done(|| What::Create),
        (true, true, Found::Old) => Done(|| What::Update),
        (true, true, Found::Edited) => Yields(|| What::Edited),
        (true, false, Found::Old | Found::Edited) => Yields(|| What::Unlisted),
        (true, _, Found::Folder | Found::FullFolder) => Stays(|| in_the_way(Thing::Folder)),
        (true, _, Found::Symlink) => Yields(|| in_the_way(Thing::Symlink)),
        (true, _, Found::Fifo) => Yields(|| in_the_way(Thing::Other)),
        (false, true, Found::Old) => Done(|| What::Remove),
        (false, true, Found::New | Found::Edited | Found::Symlink | Found::Fifo) => {
            Yields(|| What::EditedStale)
        }
        (true, _, Found::New) | (false, _, _) => Left,
    }
}

fn scenario((listed, wanted, found): Case, force: Force) {
    let case = format!("listed {listed}, wanted {wanted}, {found:?}, {force:?}");
    let dir = tempfile::tempdir().unwrap();
    let (out, elsewhere) = (dir.path().join("out"), dir.path().join("elsewhere"));
    put(&elsewhere, "new");
    let (before, next): (&[_], &[_]) = (&[("k", "k"), ("d/f", "old")], &[("k", "k2"), ("d/f", "new")]);
    build(&out, if listed { before } else { &before[..1] });
    arrange(&out.join("d/f"), found, &elsewhere);
    let next = if wanted { next } else { &next[..1] };
    let verdict = verdict((listed, wanted, found));
    let expected = match verdict {
        Verdict::Left => None,
        Verdict::Done(what) | Verdict::Yields(what) | Verdict::Stays(what) => {
            Some(("d/f".to_owned(), what()))
        }
    };
    let untouched = tree(dir.path());
    let mut seen = drift(&out, next);
    assert!(seen.contains(&("k".to_owned(), What::Update)), "{case}: {seen:?}");
    seen.retain(|(path, _)| path != "k");
    assert_eq!(seen, expected.clone().into_iter().collect::<Vec<_>>(), "{case}");

    let outcome = write(&out, &set(next), force, &()).unwrap();
    let refuses =
        matches!(verdict, Verdict::Stays(_)) || matches!(verdict, Verdict::Yields(_)) && force == Force::No;
    if refuses {
        assert_eq!(refused(outcome), expected.into_iter().collect::<Vec<_>>(), "{case}");
        assert_eq!(tree(dir.path()), untouched, "{case}");
        return;
    }
    written(outcome);
    assert_eq!(fs::read_to_string(out.join("k")).unwrap(), "k2", "{case}");
    let about = fs::symlink_metadata(out.join("d/f"));
    if wanted {
        assert!(about.unwrap().is_file(), "{case}");
        assert_eq!(fs::read_to_string(out.join("d/f")).unwrap(), "new", "{case}");
    } else if expected.is_some() {
        assert!(!out.join("d").exists(), "{case}");
    } else if found != Found::Missing {
        assert!(about.is_ok(), "{case}: what is not ours is left");
    }
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "new", "{case}: no symlink is written through");
    assert_eq!(drift(&out, next), [], "{case}");
}

#[test]
fn every_case_of_listed_wanted_and_found() {
    use Found::{Edited, Fifo, Folder, FullFolder, Missing, New, Old, Symlink};
    for listed in [true, false] {
        for wanted in [true, false] {
            for found in [Missing, Old, New, Edited, Folder, FullFolder, Symlink, Fifo] {
                for force in [Force::No, Force::Yes] {
                    scenario((listed, wanted, found), force);
                }
            }
        }
    }
}

#[test]
fn a_hostile_manifest_removes_nothing_outside() {
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
            matches!(&conflicts[..], [(at, What::Damaged(_))] if at == MANIFEST),
            "{path}: {conflicts:?}"
        );
        assert_eq!(tree(dir.path()), before);
    }
    written(write(&out, &set(&[("b", "b")]), Force::Yes, &()).unwrap());
    assert!(out.join("a").is_file(), "what no manifest lists is left");
    assert_eq!(fs::read_to_string(dir.path().join("victim")).unwrap(), "a");
}

#[test]
fn a_manifest_that_cannot_be_read_is_a_conflict() {
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
        assert!(matches!(&conflicts[..], [(_, What::Damaged(_))]), "{start}: {conflicts:?}");
        let seen = drift(&out, &files);
        assert!(matches!(&seen[..], [(_, What::Damaged(_)), (_, What::Update)]), "{start}: {seen:?}");
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

    let stands = [("bin".to_owned(), What::InTheWay { is: Thing::Symlink, wanted: Thing::Folder })];
    assert_eq!(drift(&out, &files), stands, "same bytes behind a symlink are not ours");
    assert_eq!(refused(build(&out, &files)), stands);
    assert_eq!(tree(dir.path()), before);

    // Nothing wants it any more: what lies behind the symlink is not removed, nor its emptied folders.
    written(build(&out, &files[2..]));
    assert!(away.join("sub/a").is_file() && away.join("b").is_file());
    assert!(fs::symlink_metadata(out.join("bin")).unwrap().is_symlink());

    written(write(&out, &set(&files), Force::Yes, &()).unwrap());
    assert!(fs::symlink_metadata(out.join("bin")).unwrap().is_dir());
    assert!(away.join("sub/a").is_file() && away.join("b").is_file());
    assert_eq!(drift(&out, &files), []);
}

#[test]
fn emptied_folders_behind_a_symlink_stay() {
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
fn a_file_where_a_folder_is_to_be_is_one_conflict() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    put(&out.join("bin"), "mine");
    let files = [("bin/a", "a"), ("bin/b/c", "c"), ("k", "k")];
    let before = tree(&out);
    let stands = ("bin".to_owned(), What::InTheWay { is: Thing::File, wanted: Thing::Folder });
    assert_eq!(refused(build(&out, &files)), [stands]);
    assert_eq!(tree(&out), before);
    let done = written(write(&out, &set(&files), Force::Yes, &()).unwrap());
    assert_eq!((done.created.len(), done.removed.len()), (3, 1));
    assert_eq!(drift(&out, &files), []);
}

#[test]
fn a_folder_of_ours_with_a_foreign_file_does_not_become_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    build(&out, &[("x/a", "a")]);
    for mine in ["x/mine", "x/deep/mine"] {
        put(&out.join(mine), "mine");
        let before = tree(&out);
        for force in [Force::No, Force::Yes] {
            let conflicts = refused(write(&out, &set(&[("x", "x")]), force, &()).unwrap());
            assert_eq!(conflicts, [("x".to_owned(), in_the_way(Thing::Folder))]);
            assert_eq!(tree(&out), before);
        }
        fs::remove_file(out.join(mine)).unwrap();
        let _ = fs::remove_dir(out.join("x/deep"));
    }
    assert!(matches!(build(&out, &[("x", "x")]), Outcome::Written(_)));
}

#[test]
fn what_a_leftover_journal_lists_gives_no_right_to_a_users_file() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    build(&out, &[("k", "k"), ("n", "n")]);
    let journal = fs::read_to_string(out.join(MANIFEST)).unwrap();
    fs::remove_dir_all(&out).unwrap();
    build(&out, &[("k", "k")]);
    put(&out.join(".orchgen-manifest.next.json"), &journal);
    put(&out.join("n"), "mine");
    assert_eq!(refused(build(&out, &[("k", "k"), ("n", "n")])), [("n".to_owned(), What::Unlisted)]);
    written(build(&out, &[("k", "k")]));
    assert_eq!(fs::read_to_string(out.join("n")).unwrap(), "mine");
    for torn in ["", "{", "{\"format_version\":9,\"files\":[]}"] {
        put(&out.join(".orchgen-manifest.next.json"), torn);
        written(build(&out, &[("k", "k")]));
        assert!(!out.join(".orchgen-manifest.next.json").exists());
    }
}
