//! What others call in their repositories: the hooks of pre-commit and the action of GitHub, run as they run them.
//!
//! Here with the program that the tests have; `.ci/hooks` builds it from the repository as the other half of the hooks does.

use crate::outside::shellcheck;
use crate::tools::python_tool;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const BASE: &str = include_str!("pages/base.kdl");
const MANIFEST: &str = include_str!("../.pre-commit-hooks.yaml");
const ACTION: &str = include_str!("../.github/actions/orchgen/action.yml");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs a command; what it said on both streams, and whether it ended well.
#[track_caller]
fn run(command: &mut Command) -> (bool, String) {
    let Output { status, stdout, stderr } =
        command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    (status.success(), String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap())
}

/// Runs a command that ends well.
#[track_caller]
fn done(command: &mut Command) -> String {
    let (fine, said) = run(command);
    assert!(fine, "{command:?}: {said}");
    said
}

/// The search path with the tested program before all else.
#[expect(clippy::disallowed_methods, reason = "programs from outside are found on the path")]
fn path() -> std::ffi::OsString {
    let own = Path::new(env!("CARGO_BIN_EXE_orchgen")).parent().unwrap().to_owned();
    let rest = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths([own].into_iter().chain(std::env::split_paths(&rest))).unwrap()
}

/// A repository with a registry and its output, which uses the hooks.
struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new(hooks: &[&str]) -> Self {
        let scratch = Self(tempfile::tempdir().unwrap());
        let source = scratch.at("hooks");
        fs::create_dir_all(scratch.at("stack/registry")).unwrap();
        fs::create_dir(&source).unwrap();
        fs::write(source.join(".pre-commit-hooks.yaml"), MANIFEST).unwrap();
        scratch.git("hooks", &["init", "--quiet"]);
        scratch.git("hooks", &["add", "."]);
        let author = ["-c", "user.name=t", "-c", "user.email=t@localhost"];
        scratch.git("hooks", &[&author[..], &["commit", "--quiet", "-m", "hooks"]].concat());
        let revision = scratch.git("hooks", &["rev-parse", "HEAD"]);
        let listed: Vec<String> = hooks.iter().map(|id| format!("{{id: {id}}}")).collect();
        let config = format!(
            "repos: [{{repo: {}, rev: {}, hooks: [{}]}}]\n",
            source.display(),
            revision.trim(),
            listed.join(", ")
        );
        fs::write(scratch.at("stack/.pre-commit-config.yaml"), config).unwrap();
        fs::write(scratch.at("stack/registry/base.kdl"), BASE).unwrap();
        fs::write(scratch.at("stack/README.md"), "a stack\n").unwrap();
        done(Command::new(env!("CARGO_BIN_EXE_orchgen")).arg("build").current_dir(scratch.at("stack")));
        scratch.git("stack", &["init", "--quiet"]);
        scratch.git("stack", &["add", "."]);
        scratch
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    #[track_caller]
    fn git(&self, folder: &str, args: &[&str]) -> String {
        done(
            Command::new("git").args(args).current_dir(self.at(folder)).env("GIT_CONFIG_GLOBAL", "/dev/null"),
        )
    }

    fn hooks(&self, runner: &str, args: &[&str]) -> (bool, String) {
        let mut command = python_tool(runner);
        command.arg("run").args(args).current_dir(self.at("stack")).env("PATH", path());
        command.env("PRE_COMMIT_HOME", self.at("home")).env("PREK_HOME", self.at("home-of-prek"));
        run(command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("NO_COLOR", "1"))
    }
}

#[test]
fn every_runner_takes_the_manifest() {
    for runner in ["pre-commit", "prek"] {
        done(python_tool(runner).args(["validate-manifest", ".pre-commit-hooks.yaml"]).current_dir(root()));
    }
    let hooks: Vec<Value> = serde_yaml::from_str(MANIFEST).unwrap();
    let of = |language: &str| hooks.iter().filter(|hook| hook["language"] == language).collect::<Vec<_>>();
    let (built, installed) = (of("rust"), of("system"));
    assert_eq!((built.len(), installed.len(), hooks.len()), (2, 2, 4));
    for (built, installed) in built.iter().zip(installed) {
        assert_eq!(installed["id"], format!("{}-system", built["id"].as_str().unwrap()));
        for same in ["entry", "files", "pass_filenames", "name"] {
            assert_eq!(built[same], installed[same], "{same} of {}", built["id"]);
        }
        assert_eq!(built["pass_filenames"], false);
    }
}

#[test]
fn a_good_registry_passes_and_a_broken_one_fails_with_the_finding() {
    let scratch = Scratch::new(&["orchgen-check-system", "orchgen-build-check-system"]);
    for runner in ["pre-commit", "prek"] {
        let (fine, said) = scratch.hooks(runner, &["--all-files"]);
        assert!(fine && said.matches("Passed").count() == 2, "{runner}: {said}");
        let (fine, said) = scratch.hooks(runner, &["--files", "README.md"]);
        assert!(fine && said.matches("Skipped").count() == 2, "{runner}: {said}");
        let broken = BASE.replace("model=\"mixture\" port=8001", "model=\"mixtrue\" port=8001");
        fs::write(scratch.at("stack/registry/base.kdl"), broken).unwrap();
        let (fine, said) = scratch.hooks(runner, &["--all-files"]);
        assert!(
            !fine && said.contains("ORC210") && said.contains("did you mean `mixture`?"),
            "{runner}: {said}"
        );
        fs::write(scratch.at("stack/registry/base.kdl"), BASE.replace("port=8001", "port=8002")).unwrap();
        let (fine, said) = scratch.hooks(runner, &["--all-files"]);
        assert!(!fine && said.matches("Passed").count() == 1 && said.contains("ORC403"), "{runner}: {said}");
        fs::write(scratch.at("stack/registry/base.kdl"), BASE).unwrap();
    }
}

#[test]
fn workflow_and_action_are_what_github_takes_and_have_no_known_weakness() {
    for (schema, file) in [
        ("vendor.github-actions", ".github/actions/orchgen/action.yml"),
        ("vendor.github-workflows", ".github/workflows/ci.yml"),
    ] {
        let mut command = python_tool("check-jsonschema");
        done(command.args(["--builtin-schema", schema, file]).current_dir(root()));
    }
    let mut command = python_tool("zizmor");
    done(command.args(["--offline", "--no-progress", ".github"]).current_dir(root()));
}

/// The steps of the action: the script of each with its variables, where `inputs` stand for what a workflow gives.
fn steps(inputs: &[(&str, &str)]) -> Vec<(String, Vec<(String, String)>)> {
    let action: Value = serde_yaml::from_str(ACTION).unwrap();
    let steps = action["runs"]["steps"].as_array().unwrap().iter();
    let value = |text: &str| {
        let mut text = text.replace("${{ github.action_path }}", "/action");
        for (name, declared) in action["inputs"].as_object().unwrap() {
            let given = inputs.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
            let value = given.unwrap_or_else(|| declared["default"].as_str().unwrap());
            text = text.replace(&format!("${{{{ inputs.{name} }}}}"), value);
        }
        assert!(!text.contains("${{"), "{text}");
        text
    };
    let of = |step: &Value| {
        let variables = step["env"].as_object().unwrap().iter();
        let variables = variables.map(|(name, text)| (name.clone(), value(text.as_str().unwrap()))).collect();
        assert_eq!(step["shell"], "bash");
        (step["run"].as_str().unwrap().to_owned(), variables)
    };
    steps.map(of).collect()
}

/// Runs a step as GitHub does.
fn step(
    scratch: &Scratch,
    folder: &str,
    (script, variables): &(String, Vec<(String, String)>),
) -> (bool, String) {
    let file = scratch.at("step.sh");
    fs::write(&file, format!("#!/usr/bin/env bash\n{script}")).unwrap();
    assert_eq!(shellcheck(std::slice::from_ref(&file)), "");
    let mut command = Command::new("bash");
    command.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(&file).current_dir(scratch.at(folder));
    command
        .env("PATH", path())
        .env("RUNNER_TEMP", scratch.at("temp"))
        .env("GITHUB_OUTPUT", scratch.at("output"));
    run(command.envs(variables.iter().map(|(name, value)| (name, value))))
}

#[test]
fn the_action_builds_itself_or_what_is_asked_for() {
    let scratch = Scratch::new(&["orchgen-check-system"]);
    let cargo = scratch.at("bin/cargo");
    fs::create_dir(scratch.at("bin")).unwrap();
    fs::write(&cargo, "#!/bin/sh\nprintf '[%s]' \"$@\"\n").unwrap();
    fs::set_permissions(&cargo, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let with_cargo = |inputs: &[(&str, &str)]| {
        let (script, variables) = steps(inputs).swap_remove(0);
        let script = format!("PATH={}:$PATH\n{script}", scratch.at("bin").display());
        step(&scratch, "stack", &(script, variables))
    };
    let folder = scratch.at("temp/orchgen");
    let expected = format!("[install][--locked][--root][{}]", folder.display());
    assert_eq!(with_cargo(&[]), (true, format!("{expected}[--path][/action/../../..]")));
    let asked = with_cargo(&[("version", "0.1.0; true")]);
    assert_eq!(asked, (true, format!("{expected}[orchgen][--version][0.1.0; true]")));
}

#[test]
fn the_action_annotates_and_writes_sarif() {
    let scratch = Scratch::new(&["orchgen-check-system"]);
    fs::create_dir_all(scratch.at("temp/orchgen/bin")).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_orchgen"), scratch.at("temp/orchgen/bin/orchgen")).unwrap();
    let (fine, said) = step(&scratch, "stack", &steps(&[])[1]);
    assert!(fine && !said.contains("::error"), "{said}");
    assert!(!scratch.at("output").exists());
    fs::write(scratch.at("stack/registry/base.kdl"), BASE.replace("port=8001", "port=8000")).unwrap();
    let inputs = [("args", "check registry"), ("sarif-file", "a b.sarif"), ("working-directory", "stack")];
    let (fine, said) = step(&scratch, "stack", &steps(&inputs)[1]);
    assert!(!fine && said.contains("::error ") && said.contains("port-conflict"), "{said}");
    assert_eq!(fs::read_to_string(scratch.at("output")).unwrap(), "sarif-file=stack/a b.sarif\n");
    let sarif: Value = serde_json::from_slice(&fs::read(scratch.at("stack/a b.sarif")).unwrap()).unwrap();
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), 1);
}
