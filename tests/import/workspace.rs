//! A temporary folder in which the program imports files and builds the registry.

use crate::support::repository;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The folder. `registry` and `out` are in it.
pub(super) struct Workspace(tempfile::TempDir);

impl Workspace {
    /// A folder with files, by their paths.
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        let workspace = Self(tempfile::tempdir().unwrap());
        for (path, text) in files {
            workspace.write(path, text.as_bytes());
        }
        workspace
    }

    /// A folder with the input of a case.
    pub(super) fn of_case(name: &str) -> Self {
        let workspace = Self::new(&[]);
        copy(&case_folder(name).join("input"), workspace.0.path());
        workspace
    }

    pub(super) fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    pub(super) fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(super) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(crate::support::orchgen());
        command.args(args).current_dir(self.0.path()).env_clear().stdin(Stdio::null());
        command
    }

    pub(super) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Imports files, and returns the report.
    #[track_caller]
    pub(super) fn import(&self, args: &[&str], variables: &[(String, String)]) -> Value {
        let all = [&["import", "--report", "json"], args].concat();
        let output = self.command(&all).envs(variables.iter().cloned()).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
    }

    /// Builds the registry into `out`.
    #[track_caller]
    pub(super) fn build(&self) -> PathBuf {
        let output = self.run(&["build"]);
        let registry = self.registry();
        assert!(output.status.success(), "{}\n{registry}", String::from_utf8_lossy(&output.stderr));
        self.at("out")
    }

    /// The text of all files of the registry.
    pub(super) fn registry(&self) -> String {
        let mut paths: Vec<PathBuf> =
            fs::read_dir(self.at("registry")).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
    }
}

/// The folder of a case.
pub(super) fn case_folder(name: &str) -> PathBuf {
    repository().join("tests/import/cases").join(name)
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}
