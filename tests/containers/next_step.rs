//! The last line of a build that writes containers.

use crate::support::orchgen;
use std::fs;
use std::process::Command;

/// The lines of a build of a stack with these targets.
fn lines(targets: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let registry = folder.path().join("registry");
    fs::create_dir(&registry).unwrap();
    let text = format!(
        "stack \"s\" {targets}\nengine \"e\" profile=\"llama.cpp-b11669\" image=\"localhost/image:1\"\n\
         model \"plain\" file=\"plain.gguf\"\nstore \"m\" path=\"/srv/models\"\n\
         role \"a\" model=\"plain\" port=8080 context=4096\n"
    );
    fs::write(registry.join("stack.kdl"), text).unwrap();
    fs::write(registry.join("registry.lock"), super::lock()).unwrap();
    let output = Command::new(orchgen()).arg("build").current_dir(folder.path()).output().unwrap();
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{messages}");
    messages.lines().map(str::to_owned).collect()
}

fn last_line(targets: &str) -> String {
    lines(targets).pop().unwrap_or_default()
}

#[test]
fn a_build_ends_with_the_command_that_starts_the_containers() {
    let prepare = "next: pull the images and create the secrets as the comments in the container units describe, then run";
    let alone = last_line("{ targets \"quadlet\" }");
    assert_eq!(alone, format!("{prepare} `sudo orchgen apply`"));
    let with_units = lines("");
    let [.., units, compose] = with_units.as_slice() else { panic!("{with_units:?}") };
    assert_eq!(*units, format!("{prepare} `sudo orchgen apply`"));
    let run = "run `docker compose -f out/compose/compose.yaml up -d`";
    assert_eq!(*compose, format!("or, instead of the container units, {run}"));
    let of_user = last_line("scope=\"user\" { targets \"quadlet\" }");
    assert_eq!(of_user, format!("{prepare} `orchgen apply` as the user of the services"));
    let compose = last_line("{ targets \"compose\" }");
    assert_eq!(compose, format!("next: {run}"));
}
