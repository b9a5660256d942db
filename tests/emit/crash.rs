//! If a build is killed at any step, the next build repairs the output.

use super::{put, set, tree};
use orchgen::emit::{EmitError, Force, Observer, Outcome, Step, check, write};
use orchgen::render::ArtifactSet;
use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Stops the build before the step with this number.
struct StopAt {
    at: usize,
    steps: AtomicUsize,
}

impl Observer for StopAt {
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

/// Runs a build that stops before the step `at`. True if it was stopped, false if it had fewer steps.
fn build_until(out: &Path, files: Files<'_>, until: (Force, usize)) -> bool {
    build_set_until(out, &set(files), until)
}

fn build_set_until(out: &Path, files: &ArtifactSet<'_>, (force, at): (Force, usize)) -> bool {
    let observer = StopAt { at, steps: AtomicUsize::new(0) };
    match write(out, files, force, &observer) {
        Err(EmitError::Stopped) => true,
        Ok(Outcome::Written(_)) => false,
        other => unreachable!("{at}: {other:?}"),
    }
}

/// The files below `bin`, `new` and `turn`, as a set that covers only these roots.
fn part(files: Files<'_>) -> ArtifactSet<'static> {
    let roots = ["bin", "new", "turn"];
    let is_in = |path: &str| roots.iter().any(|root| path.split('/').next() == Some(*root));
    let files: Vec<(&str, &str)> = files.iter().copied().filter(|(path, _)| is_in(path)).collect();
    set(&files).limited_to(roots.to_vec())
}

/// The tree after a first build of these files.
fn fresh_tree(files: Files<'_>) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("out"), &set(files), Force::No, &()).unwrap();
    tree(dir.path())
}

/// Builds `files` and asserts that the result equals that of a first build.
fn assert_repaired(root: &Path, files: Files<'_>, case: &str) {
    match write(&root.join("out"), &set(files), Force::No, &()).unwrap() {
        Outcome::Written(_) => {}
        Outcome::Refused(conflicts) => unreachable!("{case}: {conflicts:?}"),
    }
    assert_eq!(tree(root), fresh_tree(files), "{case}");
    assert_eq!(check(&root.join("out"), &set(files)).unwrap(), [], "{case}");
}

/// Stops the build of `next` before each of its steps, and asserts each time that a build of `then` repairs the output.
/// Returns the number of steps.
fn assert_repaired_from_each_step(start: Option<Files<'_>>, next: Files<'_>, then: Files<'_>) -> usize {
    for at in 0.. {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        if let Some(start) = start {
            write(&out, &set(start), Force::No, &()).unwrap();
        }
        if !build_until(&out, next, (Force::No, at)) {
            return at;
        }
        assert_repaired(dir.path(), then, &format!("killed at {at}"));
    }
    unreachable!()
}

#[test]
fn a_killed_first_build_is_repaired() {
    assert!(assert_repaired_from_each_step(None, ONE, ONE) > ONE.len());
    assert!(assert_repaired_from_each_step(None, ONE, TWO) > ONE.len());
}

#[test]
fn repeating_a_killed_build_repairs_it() {
    assert!(assert_repaired_from_each_step(Some(ONE), TWO, TWO) > 15);
    assert!(assert_repaired_from_each_step(Some(TWO), ONE, ONE) > 15);
}

#[test]
fn the_previous_build_repairs_a_killed_build() {
    assert!(assert_repaired_from_each_step(Some(ONE), TWO, ONE) > 15);
}

#[test]
fn a_third_build_repairs_a_killed_build() {
    assert!(assert_repaired_from_each_step(Some(ONE), TWO, THREE) > 15);
    assert!(assert_repaired_from_each_step(Some(THREE), TWO, ONE) > 15);
}

#[test]
fn two_killed_builds_are_repaired() {
    for first in 0.. {
        let mut finished = true;
        for second in 0.. {
            let dir = tempfile::tempdir().unwrap();
            let out = dir.path().join("out");
            write(&out, &set(ONE), Force::No, &()).unwrap();
            finished = !build_until(&out, TWO, (Force::No, first));
            if !build_until(&out, THREE, (Force::No, second)) {
                break;
            }
            let then = if (first + second) % 2 == 0 { ONE } else { TWO };
            assert_repaired(dir.path(), then, &format!("killed at {first} and {second}"));
        }
        if finished {
            return;
        }
    }
}

#[test]
fn a_killed_partial_build_is_repaired_by_a_build_of_all_files() {
    for then in [ONE, TWO, THREE] {
        for at in 0.. {
            let dir = tempfile::tempdir().unwrap();
            let out = dir.path().join("out");
            write(&out, &set(ONE), Force::No, &()).unwrap();
            let finished = !build_set_until(&out, &part(TWO), (Force::No, at));
            assert_repaired(dir.path(), then, &format!("killed at {at}"));
            if finished {
                assert!(at > 10, "the partial build had {at} steps");
                break;
            }
        }
    }
}

#[test]
fn a_partial_build_between_a_killed_build_and_its_repair_keeps_the_journal_of_other_files() {
    for first in 0.. {
        let mut finished = true;
        // Every third step is enough, because the first build stops before each of its steps.
        for second in (first % 3..).step_by(3) {
            let dir = tempfile::tempdir().unwrap();
            let out = dir.path().join("out");
            write(&out, &set(ONE), Force::No, &()).unwrap();
            finished = !build_until(&out, TWO, (Force::No, first));
            let is_complete = !build_set_until(&out, &part(THREE), (Force::No, second));
            if is_complete {
                assert_eq!(check(&out, &part(THREE)).unwrap(), [], "killed at {first}");
            }
            let then = [ONE, TWO, THREE][(first + second) / 3 % 3];
            assert_repaired(dir.path(), then, &format!("killed at {first} and {second}"));
            if is_complete {
                break;
            }
        }
        if finished {
            return;
        }
    }
}

#[test]
fn a_killed_forced_build_is_repaired_with_force_and_edits_stay_conflicts_without() {
    for at in 0.. {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        write(&out, &set(ONE), Force::No, &()).unwrap();
        for edited in ["a", "d/e/f", "same"] {
            put(&out.join(edited), "by hand");
        }
        put(&out.join("new"), "in the way");
        let finished = !build_until(&out, TWO, (Force::Yes, at));
        let edits = ["a", "d/e/f", "same", "new"].iter().filter(|path| {
            fs::read_to_string(out.join(path)).is_ok_and(|text| text == "by hand" || text == "in the way")
        });
        let edits = edits.count();
        match write(&out, &set(TWO), Force::No, &()).unwrap() {
            Outcome::Written(_) => assert_eq!(edits, 0, "killed at {at}"),
            Outcome::Refused(conflicts) => assert_eq!(conflicts.len(), edits, "killed at {at}"),
        }
        write(&out, &set(TWO), Force::Yes, &()).unwrap();
        assert_eq!(tree(dir.path()), fresh_tree(TWO), "killed at {at}");
        if finished {
            return;
        }
    }
}

#[test]
fn leftovers_in_the_staging_folder_are_removed_and_symlinks_are_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let (out, away) = (dir.path().join("out"), tempfile::tempdir().unwrap());
    put(&away.path().join("mine"), "mine");
    symlink(away.path(), dir.path().join(".out.orchgen-staging")).unwrap();
    write(&out, &set(ONE), Force::No, &()).unwrap();
    assert_eq!(tree(dir.path()), fresh_tree(ONE));
    symlink(away.path(), out.join(".orchgen-staging")).unwrap();
    put(&dir.path().join(".out.orchgen-staging/half"), "half");
    assert_repaired(dir.path(), ONE, "symlinks");
    put(&out.join(".orchgen-staging/0"), "torn");
    put(&out.join(".orchgen-staging/deep/0"), "torn");
    assert_repaired(dir.path(), TWO, "leftovers");
    assert_eq!(fs::read_to_string(away.path().join("mine")).unwrap(), "mine");
}
