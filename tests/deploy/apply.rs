//! The state machine: it ends what it began after any interruption.

use super::model::{Fault, Model, tree};
use orchgen::deploy::{Applied, DeployError, Manager, Outcome, Tree};
use std::fs;

/// A stack before and after a change of everything: ports, a model, a removed and a new role, roles on demand.
fn before() -> Tree {
    tree(
        r#"role "same" model="a" port=8080
role "port" model="a" port=8081
role "swap" model="a" port=8082
role "model" model="a" port=8083
role "gone" model="b" port=8084
role "lazy" model="a" port=8085 residency="warm"
role "goes" model="a" port=8086 residency="warm"
role "turns" model="a" port=8087"#,
    )
}

fn after() -> Tree {
    tree(
        r#"role "same" model="a" port=8080
role "port" model="a" port=8082
role "swap" model="a" port=8081
role "model" model="b" port=8083
role "new" model="b" port=8084
role "lazy" model="a" port=8085 residency="warm" slots=2
role "comes" model="a" port=8088 residency="warm"
role "turns" model="a" port=8087 residency="warm""#,
    )
}

/// The same change with a role that cannot start.
fn broken() -> Tree {
    tree(
        r#"role "same" model="a" port=8080
role "port" model="a" port=8082
role "swap" model="a" port=8081
role "new" model="b" port=8084
role "lazy" model="a" port=8085 residency="warm" slots=2
role "comes" model="bad" port=8088 residency="warm"
role "model" model="bad" port=8083"#,
    )
}

/// A run that installed a generation.
fn applied(number: u32) -> Outcome {
    Outcome::Applied(Applied { number, ..Applied::default() })
}

#[track_caller]
fn with(tree: &Tree) -> Model {
    let model = Model::new();
    assert_eq!(model.apply(tree, None), Ok(applied(1)));
    model.assert_is(tree, "first installation");
    model
}

#[test]
fn a_change_a_rollback_and_a_second_run() {
    let (old, new) = (before(), after());
    let model = with(&old);
    assert_eq!(model.apply(&old, None), Ok(Outcome::Unchanged));
    let same = model.running.borrow()["rig-same.service"].clone();
    assert_eq!(model.apply(&new, None), Ok(applied(2)));
    model.assert_is(&new, "second generation");
    assert_eq!(model.apply(&old, Some(1)), Ok(applied(1)));
    model.assert_is(&old, "rollback");
    assert_eq!(model.running.borrow()["rig-same.service"], same, "it was not touched");
    assert_eq!(model.apply(&new, None), Ok(applied(3)));
    let generations = model.deployer().state.generations().unwrap();
    let listed: Vec<(u32, bool)> = generations.iter().map(|one| (one.number, one.is_current)).collect();
    assert_eq!(listed, [(1, false), (2, false), (3, true)]);
}

#[test]
fn a_role_that_cannot_start_restores_everything() {
    let old = before();
    let model = with(&old);
    let same = model.running.borrow()["rig-same.service"].clone();
    let Ok(Outcome::Failed(failure)) = model.apply(&broken(), None) else { panic!("the run succeeds") };
    assert_eq!(failure.restored, Ok(()));
    assert_eq!(failure.message.as_deref(), Some("the last message of rig-comes-backend.service"));
    assert_eq!(failure.role.as_deref(), Some("comes"));
    model.assert_is(&old, "restored");
    assert_eq!(model.running.borrow()["rig-same.service"], same, "it was not touched");
    assert_eq!(model.deployer().state.generations().unwrap().len(), 1);
}

#[test]
fn a_first_installation_that_fails_leaves_nothing() {
    let model = Model::new();
    let Ok(Outcome::Failed(failure)) = model.apply(&broken(), None) else { panic!("the run succeeds") };
    assert_eq!(failure.restored, Ok(()));
    assert_eq!(model.up(), Vec::<String>::new());
    let left = fs::read_dir(&model.layout.units).unwrap().count();
    assert_eq!(left, 0, "no unit is left");
    assert_eq!(model.deployer().state.current(), Ok(None));
}

/// Runs a change with a fault before each change of the host, until it succeeds without the fault.
fn with_each_fault(
    (old, target): (&Tree, &Tree),
    fault: Fault,
    then: impl Fn(&Model, usize, Result<Outcome, DeployError>),
) -> usize {
    for at in 0.. {
        let model = with(old);
        model.set_fault(at, fault);
        let result = model.apply(target, None);
        if !model.clear_fault() {
            return at;
        }
        then(&model, at, result);
    }
    unreachable!()
}

#[test]
fn after_a_crash_at_each_step_the_next_run_finishes_or_returns() {
    let (old, new) = (before(), after());
    let steps = with_each_fault((&old, &new), Fault::Crash, |model, at, result| {
        assert_eq!(result, Err(DeployError::Stopped), "step {at}");
        let done = model.changes.borrow().clone();
        assert!(
            model.apply(&new, None).is_ok_and(|outcome| !matches!(outcome, Outcome::Failed(_))),
            "{done:?}"
        );
        model.assert_is(&new, &format!("finished after a crash at step {at}: {done:?}"));
    });
    assert!(steps > 50, "{steps} steps");
    with_each_fault((&old, &new), Fault::Crash, |model, at, _| {
        let done = model.changes.borrow().clone();
        assert_eq!(model.apply(&old, Some(1)), Ok(applied(1)), "{done:?}");
        model.assert_is(&old, &format!("returned after a crash at step {at}: {done:?}"));
    });
}

#[test]
fn after_a_crash_while_restoring_the_next_run_finishes_or_returns() {
    let (old, new) = (before(), after());
    let steps = with_each_fault((&old, &broken()), Fault::Crash, |model, at, _| {
        let done = model.changes.borrow().clone();
        if at % 2 == 0 {
            assert_eq!(model.apply(&old, Some(1)), Ok(applied(1)), "{done:?}");
            model.assert_is(&old, &format!("returned after a crash at step {at}: {done:?}"));
        } else {
            assert!(
                model.apply(&new, None).is_ok_and(|outcome| !matches!(outcome, Outcome::Failed(_))),
                "{done:?}"
            );
            model.assert_is(&new, &format!("another change after a crash at step {at}: {done:?}"));
        }
    });
    assert!(steps > 70, "{steps} steps");
}

#[test]
fn after_an_error_at_each_step_everything_is_as_before_or_the_next_run_repairs_it() {
    let (old, new) = (before(), after());
    for target in [&new, &broken()] {
        with_each_fault((&old, target), Fault::Error, |model, at, result| {
            let done = model.changes.borrow().clone();
            match result {
                Ok(Outcome::Failed(failure)) if failure.restored.is_ok() => {
                    model.assert_is(&old, &format!("restored after an error at step {at}: {done:?}"));
                }
                Err(DeployError::Failed(why)) => assert!(why.contains("No space"), "{why}"),
                Ok(Outcome::Failed(failure)) => {
                    let why = failure.restored.unwrap_err();
                    assert!(why.contains("No space"), "{why}: {done:?}");
                }
                other => panic!("{other:?} after an error at step {at}: {done:?}"),
            }
            assert!(
                model.apply(&new, None).is_ok_and(|outcome| !matches!(outcome, Outcome::Failed(_))),
                "{done:?}"
            );
            model.assert_is(&new, &format!("repaired after an error at step {at}: {done:?}"));
        });
    }
}

#[test]
fn a_journal_that_ends_at_any_byte_changes_nothing() {
    let (old, new) = (
        tree("role \"same\" model=\"a\" port=8080\nrole \"gone\" model=\"a\" port=8081"),
        tree("role \"same\" model=\"b\" port=8080\nrole \"lazy\" model=\"b\" port=8081 residency=\"warm\""),
    );
    let crashed = |at| {
        let model = with(&old);
        model.set_fault(at, Fault::Crash);
        let result = model.apply(&new, None);
        (result == Err(DeployError::Stopped)).then_some(model)
    };
    let mut lengths = 0;
    // From the first line of the journal to the commit.
    for at in (2..).step_by(7).take_while(|at| crashed(*at).is_some()) {
        let journal = fs::read(crashed(at).unwrap().journal()).unwrap();
        for length in 0..=journal.len() {
            let model = crashed(at).unwrap();
            fs::write(model.journal(), &journal[..length]).unwrap();
            let (tree, rollback) = if length % 2 == 0 { (&new, None) } else { (&old, Some(1)) };
            assert!(model.apply(tree, rollback).is_ok_and(|outcome| !matches!(outcome, Outcome::Failed(_))));
            model.assert_is(tree, &format!("{length} bytes of the journal of step {at}"));
            lengths += 1;
        }
    }
    assert!(lengths > 300, "{lengths} lengths");
}

#[test]
fn damaged_generations_and_states_are_reported() {
    let old = before();
    let model = with(&old);
    let state = &model.layout.state;
    fs::write(state.join("current"), "seven\n").unwrap();
    let error = model.apply(&old, None).unwrap_err().to_string();
    assert!(error.contains("current has no number"), "{error}");
    fs::write(state.join("current"), "7\n").unwrap();
    let error = model.apply(&old, None).unwrap_err().to_string();
    assert!(error.contains("generation 7 is damaged: it has no description"), "{error}");
    fs::write(state.join("current"), "1\n").unwrap();
    let description = state.join("generations/1/out/deploy.json");
    let text = fs::read_to_string(&description).unwrap();
    fs::write(&description, text.replace("rig-same.service", "../../x")).unwrap();
    let error = model.apply(&old, None).unwrap_err().to_string();
    assert!(error.contains("generation 1 is damaged: its files changed"), "{error}");
    let mut files = old.files.clone();
    files.get_mut("deploy.json").unwrap().bytes = text.replace("rig-same.service", "../../x").into_bytes();
    let error = Tree::new(files, "the test").unwrap_err().to_string();
    assert!(error.contains("bad name"), "{error}");
    fs::write(&description, &text[..text.len() / 2]).unwrap();
    let error = model.apply(&old, None).unwrap_err().to_string();
    assert!(error.contains("is damaged"), "{error}");
    fs::write(&description, &text).unwrap();
    fs::remove_file(state.join("generations/1/out/systemd/rig-same.service")).unwrap();
    let error = model.apply(&old, None).unwrap_err().to_string();
    assert!(error.contains("generation 1 is damaged: its files changed"), "{error}");
}

#[test]
fn edited_files_are_kept_or_stop_the_run() {
    let (old, new) = (before(), after());
    let model = with(&old);
    let edit = |name: &str, text: &str| {
        let path = model.layout.units.join(name);
        let before = fs::read_to_string(&path).unwrap();
        fs::write(&path, before.clone() + text).unwrap();
        before
    };
    let unit = edit("rig-same.service", "# mine\n");
    let plan = model.deployer().prepare(&new, "box").unwrap().plan;
    assert_eq!(plan.conflicts().count(), 0, "nothing requires a change of it");
    assert_eq!(model.apply(&new, None), Ok(applied(2)));
    let path = model.layout.units.join("rig-same.service");
    assert_eq!(fs::read_to_string(&path).unwrap(), unit.clone() + "# mine\n");
    fs::write(&path, unit).unwrap();
    model.assert_is(&new, "all other files");

    edit("rig-port.service", "# mine\n");
    edit("rig-new.service", "# mine\n");
    let prepared = model.deployer().prepare(&old, "box").unwrap();
    let conflicts: Vec<&str> = prepared.plan.conflicts().collect();
    assert_eq!(conflicts, ["units/rig-new.service", "units/rig-port.service"], "one is removed, one changes");
    let outcome = model.deployer().apply((&old, "box"), &prepared, None);
    let Ok(Outcome::Applied(done)) = outcome else { panic!("{outcome:?}") };
    model.assert_is(&old, "the edited files are replaced");
    let saved = done.saved.unwrap().join("units/rig-port.service");
    assert!(fs::read_to_string(saved).unwrap().ends_with("# mine\n"));
}

#[test]
fn units_that_were_copied_by_hand_are_taken_over() {
    let old = before();
    let model = Model::new();
    fs::create_dir_all(&model.layout.units).unwrap();
    let host = old.host(None).unwrap();
    for (key, file) in orchgen::deploy::installable(&old, host) {
        fs::write(model.layout.path(&key), &file.bytes).unwrap();
    }
    model.systemctl(&["daemon-reload"], std::time::Duration::ZERO).unwrap();
    model.systemctl(&["enable", "--now", "rig.target"], std::time::Duration::ZERO).unwrap();
    let before = model.running.borrow().clone();
    assert_eq!(model.apply(&old, None), Ok(applied(1)));
    assert_eq!(*model.running.borrow(), before, "nothing restarts");
    assert_eq!(model.apply(&after(), None), Ok(applied(2)));
    model.assert_is(&after(), "the next change");
}

#[test]
fn a_run_that_repairs_another_one_and_fails_returns_to_the_generation() {
    let (old, new, broken) = (before(), after(), broken());
    with_each_fault((&old, &new), Fault::Crash, |model, at, _| {
        if at < 2 {
            // Nothing was changed yet.
            return;
        }
        let done = model.changes.borrow().clone();
        let outcome = model.apply(&broken, None);
        let Ok(Outcome::Failed(failure)) = outcome else { panic!("{outcome:?} after {done:?}") };
        assert_eq!(failure.restored, Ok(()), "{done:?}");
        model.assert_is(&old, &format!("after a crash at step {at} and a failure: {done:?}"));
    });
}

#[test]
fn containers_are_installed_restarted_and_removed() {
    let engine = "engine \"image\" profile=\"llama.cpp-b11669\" image=\"localhost/image:1\"\n";
    let with_image = |roles: &str| tree(&format!("{engine}{roles}"));
    let old = with_image(
        r#"role "same" model="a" port=8080 engine="image"
role "port" model="a" port=8081 engine="image"
role "gone" model="a" port=8082 engine="image"
role "moves" model="a" port=8083 engine="image""#,
    );
    let new = with_image(
        r#"role "same" model="a" port=8080 engine="image"
role "port" model="b" port=8084 engine="image"
role "new" model="a" port=8082 engine="image"
role "moves" model="a" port=8083"#,
    );
    let model = with(&old);
    let same = model.running.borrow()["rig-same.service"].clone();
    assert!(model.layout.containers.join("rig-same.container").is_file());
    assert_eq!(model.apply(&new, None), Ok(applied(2)));
    model.assert_is(&new, "containers");
    assert!(!model.layout.containers.join("rig-moves.container").exists());
    assert_eq!(model.running.borrow()["rig-same.service"], same, "it was not touched");
    assert_eq!(model.apply(&old, Some(1)), Ok(applied(1)));
    model.assert_is(&old, "rolled back");
}

#[test]
fn a_role_that_was_down_before_does_not_stop_the_run() {
    let old = tree("role \"chat\" model=\"a\" port=8080\nrole \"down\" model=\"a\" port=8081");
    let new = tree("role \"chat\" model=\"b\" port=8080\nrole \"down\" model=\"a\" port=8081");
    let model = with(&old);
    model.break_unit("rig-down.service");
    let Ok(Outcome::Applied(done)) = model.apply(&new, None) else { panic!("it is still down") };
    assert_eq!(done.still_down, ["Job for rig-down.service failed"]);
    assert_eq!(
        model.up().iter().filter(|unit| unit.ends_with(".service")).collect::<Vec<_>>(),
        ["rig-chat.service"]
    );
    model.repair_unit("rig-down.service");
    assert_eq!(model.apply(&new, None), Ok(applied(2)));
    model.assert_is(&new, "it starts again");
    // A role that changes must start.
    model.break_unit("rig-down.service");
    let changed = tree("role \"chat\" model=\"b\" port=8080\nrole \"down\" model=\"b\" port=8081");
    assert!(matches!(model.apply(&changed, None), Ok(Outcome::Failed(_))));
}

#[test]
fn an_edited_file_stays_after_an_interruption() {
    let (old, new) = (before(), after());
    with_each_fault((&old, &new), Fault::Crash, |model, at, _| {
        let path = model.layout.units.join("rig-same.service");
        let unit = fs::read_to_string(&path).unwrap();
        fs::write(&path, unit.clone() + "# mine\n").unwrap();
        assert!(model.apply(&new, None).is_ok(), "{at}");
        assert_eq!(fs::read_to_string(&path).unwrap(), unit.clone() + "# mine\n", "{at}");
        fs::write(&path, unit).unwrap();
    });
}

#[test]
fn a_host_with_another_name_keeps_its_generations() {
    let old = before();
    let model = with(&old);
    let mut new = after();
    let text = String::from_utf8(new.files["deploy.json"].bytes.clone()).unwrap();
    new.deployment.hosts[0].name = "renamed".to_owned();
    let bytes = text.replace("\"name\": \"box\"", "\"name\": \"renamed\"").into_bytes();
    new.files.get_mut("deploy.json").unwrap().bytes = bytes;
    let deployer = model.deployer();
    for generation in [2, 3] {
        let prepared = deployer.prepare(&new, "renamed").unwrap();
        if generation == 2 {
            assert!(
                prepared.plan.steps.iter().any(|step| step.units.contains(&"rig-gone.service".to_owned()))
            );
            assert_eq!(deployer.apply((&new, "renamed"), &prepared, None), Ok(applied(2)));
        } else {
            assert_eq!(deployer.apply((&new, "renamed"), &prepared, None), Ok(Outcome::Unchanged));
        }
    }
    assert_eq!(model.apply(&old, Some(1)), Ok(applied(1)));
    model.assert_is(&old, "returned");
}

#[test]
fn a_machine_of_another_host_is_not_changed() {
    let model = with(&before());
    let mut new = after();
    let mut other = new.deployment.hosts[0].clone();
    other.name = "other".to_owned();
    new.deployment.hosts.push(other);
    let mut deployer = model.deployer();
    let error = deployer.prepare(&new, "other").err().unwrap().to_string();
    assert_eq!(
        error,
        "this machine has generation 1 of host `box`, not of `other`: write `--host box`, or `--force` to replace its output"
    );
    assert!(deployer.prepare(&new, "box").is_ok());
    deployer.is_forced = true;
    assert!(deployer.prepare(&new, "other").is_ok());
}

#[test]
fn units_that_were_copied_without_a_reload_restart() {
    let (old, new) = (before(), after());
    let model = with(&old);
    // No generation knows of the installation.
    fs::remove_dir_all(&model.layout.state).unwrap();
    let host = new.host(None).unwrap();
    for (key, file) in orchgen::deploy::installable(&new, host) {
        fs::write(model.layout.path(&key), &file.bytes).unwrap();
    }
    let Ok(Outcome::Applied(_)) = model.apply(&new, None) else { panic!("the run fails") };
    for role in ["port", "model"] {
        let unit = format!("rig-{role}.service");
        let installed = fs::read_to_string(model.layout.units.join(&unit)).unwrap();
        assert_eq!(model.running.borrow()[&unit].definition, installed, "{role}");
    }
}

#[test]
fn force_replaces_edited_files_that_need_no_change() {
    let old = before();
    let model = with(&old);
    let path = model.layout.units.join("rig-hot.slice");
    let unit = fs::read_to_string(&path).unwrap();
    fs::write(&path, unit.clone() + "# mine\n").unwrap();
    let mut deployer = model.deployer();
    assert!(deployer.prepare(&old, "box").unwrap().plan.is_empty());
    deployer.is_forced = true;
    let prepared = deployer.prepare(&old, "box").unwrap();
    assert_eq!(prepared.plan.conflicts().collect::<Vec<_>>(), ["units/rig-hot.slice"]);
    assert!(matches!(deployer.apply((&old, "box"), &prepared, None), Ok(Outcome::Applied(_))));
    assert_eq!(fs::read_to_string(&path).unwrap(), unit);
}
