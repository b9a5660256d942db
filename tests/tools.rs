//! Programs from outside that tests run, beside those of `outside`: installed by `.ci/test` below `target/`, or on the path.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A program of the Python packages that `.ci/test` installs.
#[track_caller]
pub(crate) fn python_tool(name: &str) -> Command {
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/bin").join(name);
    let program = if installed.is_file() { installed } else { PathBuf::from(name) };
    let there = Command::new(&program).arg("--version").output();
    assert!(
        there.is_ok_and(|output| output.status.success()),
        "{name} is not there: run `bash .ci/test`, which installs it"
    );
    Command::new(program)
}
