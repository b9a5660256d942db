//! A build that ends at any step is repaired by the next one.

use super::{put, set, tree};
use orchgen::emit::{EmitError, Force, Outcome, Step, Watch, check, write};
use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Stops before the step of this number and all later ones.
struct Dies {
    at: usize,
    steps: AtomicUsize,
}

impl Watch for Dies {
    fn step(&self, _: Step) -> ControlFlow<()> {
        let step = self.steps.fetch_add(1, Ordering::SeqCst);
        if step < self.at { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

type Files<'f> = &'f [(&'f str, &'f str)];

const ONE: Files<'static> = &[
    ("a", "1"),
    ("bin/x", "1"),
    ("d/e/f", "1"),
    ("same", "s"),
    ("swap", "1"),
    ("turn/p", "1"),
    ("turn/q/r", "1"),
];
const TWO: Files<'static> =
    &[("a", "2"), ("bin/x", "2"), ("new/n", "2"), ("same", "s"), ("swap/in", "2"), ("turn", "2")];
const THREE: Files<'static> = &[("a", "3"), ("bin/x", "1"), ("new/m", "3"), ("same", "s"), ("swap", "3")];

/// A build that is killed before a step; whether it was.
fn dies(out: &Path, files: Files<'_>, (force, at): (Force, usize)) -> bool {
    let watch = Dies { at, steps: AtomicUsize::new(0) };
    match write(out, &set(files), force, &watch) {
        Err(EmitError::Stopped) => true,
        Ok(Outcome::Written(_)) => false,
        other => unreachable!("{files:?} {at}: {other:?}"),
    }
}

fn clean(files: Files<'_>) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("out"), &set(files), Force::No, &()).unwrap();
    tree(dir.path())
}

fn repaired(root: &Path, files: Files<'_>, case: &str) {
    match write(&root.join("out"), &set(files), Force::No, &()).unwrap() {
        Outcome::Written(_) => {}
        Outcome::Refused(conflicts) => unreachable!("{case}: {conflicts:?}"),
    }
    assert_eq!(tree(root), clean(files), "{case}");
    assert_eq!(check(&root.join("out"), &set(files)).unwrap(), [], "{case}");
}

/// Kills a build before every step there is, and lets each state be repaired by a build of `then`.
fn killed_everywhere(start: Option<Files<'_>>, next: Files<'_>, then: Files<'_>) -> usize {
    for at in 0.. {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        if let Some(start) = start {
            write(&out, &set(start), Force::No, &()).unwrap();
        }
        if !dies(&out, next, (Force::No, at)) {
            return at;
        }
        repaired(dir.path(), then, &format!("killed at {at}"));
    }
    unreachable!()
}

#[test]
fn a_killed_first_build_is_repaired() {
    assert!(killed_everywhere(None, ONE, ONE) > ONE.len());
    assert!(killed_everywhere(None, ONE, TWO) > ONE.len());
}

#[test]
fn a_killed_build_is_repaired_by_itself() {
    assert!(killed_everywhere(Some(ONE), TWO, TWO) > 15);
    assert!(killed_everywhere(Some(TWO), ONE, ONE) > 15);
}

#[test]
fn a_killed_build_is_repaired_by_the_one_before() {
    assert!(killed_everywhere(Some(ONE), TWO, ONE) > 15);
}

#[test]
fn a_killed_build_is_repaired_by_a_third() {
    assert!(killed_everywhere(Some(ONE), TWO, THREE) > 15);
    assert!(killed_everywhere(Some(THREE), TWO, ONE) > 15);
}

#[test]
fn two_killed_builds_are_repaired() {
    for first in 0.. {
        let mut ended = true;
        for second in 0.. {
            let dir = tempfile::tempdir().unwrap();
            let out = dir.path().join("out");
            write(&out, &set(ONE), Force::No, &()).unwrap();
            ended = !dies(&out, TWO, (Force::No, first));
            if !dies(&out, THREE, (Force::No, second)) {
                break;
            }
            let then = if (first + second) % 2 == 0 { ONE } else { TWO };
            repaired(dir.path(), then, &format!("killed at {first} and {second}"));
        }
        if ended {
            return;
        }
    }
}

#[test]
fn a_killed_forced_build_is_repaired_by_force_and_never_takes_an_edit_for_its_own() {
    for at in 0.. {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        write(&out, &set(ONE), Force::No, &()).unwrap();
        for edited in ["a", "d/e/f", "same"] {
            put(&out.join(edited), "by hand");
        }
        put(&out.join("new"), "in the way");
        let ended = !dies(&out, TWO, (Force::Yes, at));
        let edits = ["a", "d/e/f", "same", "new"].iter().filter(|path| {
            fs::read_to_string(out.join(path)).is_ok_and(|text| text == "by hand" || text == "in the way")
        });
        let edits = edits.count();
        match write(&out, &set(TWO), Force::No, &()).unwrap() {
            Outcome::Written(_) => assert_eq!(edits, 0, "killed at {at}"),
            Outcome::Refused(conflicts) => assert_eq!(conflicts.len(), edits, "killed at {at}"),
        }
        write(&out, &set(TWO), Force::Yes, &()).unwrap();
        assert_eq!(tree(dir.path()), clean(TWO), "killed at {at}");
        if ended {
            return;
        }
    }
}

#[test]
fn what_lies_where_files_are_staged_is_cleared_and_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let (out, away) = (dir.path().join("out"), tempfile::tempdir().unwrap());
    put(&away.path().join("mine"), "mine");
    symlink(away.path(), dir.path().join(".out.orchgen-staging")).unwrap();
    write(&out, &set(ONE), Force::No, &()).unwrap();
    assert_eq!(tree(dir.path()), clean(ONE));
    symlink(away.path(), out.join(".orchgen-staging")).unwrap();
    put(&dir.path().join(".out.orchgen-staging/half"), "half");
    repaired(dir.path(), ONE, "links");
    put(&out.join(".orchgen-staging/0"), "torn");
    put(&out.join(".orchgen-staging/deep/0"), "torn");
    repaired(dir.path(), TWO, "leftovers");
    assert_eq!(fs::read_to_string(away.path().join("mine")).unwrap(), "mine");
}
