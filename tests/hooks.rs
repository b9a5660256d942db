//! The pre-commit hooks and the GitHub action of this repository, run as in the repositories that use them.
//!
//! The tests use the orchgen under test, as the `-system` hooks do. `.ci/hooks` tests the hooks that build orchgen.

use crate::outside::python_tool;
use crate::outside::shellcheck;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const BASE: &str = include_str!("pages/base.kdl");
const MANIFEST: &str = include_str!("../.pre-commit-hooks.yaml");
const ACTION: &str = include_str!("../.github/actions/orchgen/action.yml");

fn root() -> &'static Path {
    crate::support::repository()
}

/// Runs a command. Returns true if it succeeded, and both output streams.
#[track_caller]
fn run(command: &mut Command) -> (bool, String) {
    let Output { status, stdout, stderr } =
        command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    (status.success(), String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap())
}

/// Runs a command that must succeed, and returns its output.
#[track_caller]
fn run_ok(command: &mut Command) -> String {
    let (succeeded, output) = run(command);
    assert!(succeeded, "{command:?}: {output}");
    output
}

/// The variable `PATH` with the folder of the orchgen under test in front.
#[expect(clippy::disallowed_methods, reason = "git, bash and the hook runners are on the path")]
fn path() -> std::ffi::OsString {
    let orchgen_dir = Path::new(crate::support::orchgen()).parent().unwrap().to_owned();
    let rest = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths([orchgen_dir].into_iter().chain(std::env::split_paths(&rest))).unwrap()
}

/// Two git repositories: one with the hooks, and one with a registry and its output that uses the hooks.
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
        run_ok(Command::new(crate::support::orchgen()).arg("build").current_dir(scratch.at("stack")));
        scratch.git("stack", &["init", "--quiet"]);
        scratch.git("stack", &["add", "."]);
        scratch
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    #[track_caller]
    fn git(&self, folder: &str, args: &[&str]) -> String {
        run_ok(
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

/// The steps of the action: the script of each one, and its environment variables for these inputs of a workflow.
fn steps(inputs: &[(&str, &str)]) -> Vec<(String, Vec<(String, String)>)> {
    let action: Value = serde_yaml::from_str(ACTION).unwrap();
    let steps = action["runs"]["steps"].as_array().unwrap().iter();
    let value = |text: &str| {
        let mut text = text.replace("${{ github.action_path }}", "/action");
        for (name, declared) in action["inputs"].as_object().unwrap() {
            let input = inputs.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
            let value = input.unwrap_or_else(|| declared["default"].as_str().unwrap());
            text = text.replace(&format!("${{{{ inputs.{name} }}}}"), value);
        }
        assert!(!text.contains("${{"), "{text}");
        text
    };
    let parse = |step: &Value| {
        let variables = step["env"].as_object().unwrap().iter();
        let variables = variables.map(|(name, text)| (name.clone(), value(text.as_str().unwrap()))).collect();
        assert_eq!(step["shell"], "bash");
        (step["run"].as_str().unwrap().to_owned(), variables)
    };
    steps.map(parse).collect()
}

/// Runs a step as GitHub does.
fn run_step(
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
        .env("GITHUB_OUTPUT", scratch.at("output"))
        .env("GITHUB_STEP_SUMMARY", scratch.at("summary"))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env_remove("GITHUB_BASE_REF");
    run(command.envs(variables.iter().map(|(name, value)| (name, value))))
}

mod tools {
    use super::*;

    #[test]
    fn every_runner_accepts_the_manifest() {
        for runner in ["pre-commit", "prek"] {
            run_ok(
                python_tool(runner).args(["validate-manifest", ".pre-commit-hooks.yaml"]).current_dir(root()),
            );
        }
        let hooks: Vec<Value> = serde_yaml::from_str(MANIFEST).unwrap();
        let in_language =
            |language: &str| hooks.iter().filter(|hook| hook["language"] == language).collect::<Vec<_>>();
        let (built, installed) = (in_language("rust"), in_language("system"));
        assert_eq!((built.len(), installed.len(), hooks.len()), (3, 3, 6));
        for (built, installed) in built.iter().zip(installed) {
            assert_eq!(installed["id"], format!("{}-system", built["id"].as_str().unwrap()));
            for key in ["entry", "files", "pass_filenames", "name"] {
                assert_eq!(built.get(key), installed.get(key), "{key} of {}", built["id"]);
            }
            // Only the formatter is about single files. The default is true.
            let has_files = built["entry"] == "orchgen fmt";
            assert_eq!(built.get("pass_filenames"), if has_files { None } else { Some(&Value::Bool(false)) });
        }
    }

    #[test]
    fn a_valid_registry_passes_and_a_broken_one_fails_with_the_finding() {
        let scratch = Scratch::new(&["orchgen-check-system", "orchgen-build-check-system"]);
        for runner in ["pre-commit", "prek"] {
            let (succeeded, output) = scratch.hooks(runner, &["--all-files"]);
            assert!(succeeded && output.matches("Passed").count() == 2, "{runner}: {output}");
            let (succeeded, output) = scratch.hooks(runner, &["--files", "README.md"]);
            assert!(succeeded && output.matches("Skipped").count() == 2, "{runner}: {output}");
            // Every kind of file that orchgen reads: a profile of an engine too.
            for file in ["base.kdl", "roles.yaml", "roles.yml", "registry.lock", "mine.json"] {
                let path = format!("registry/{file}");
                if file != "base.kdl" {
                    fs::write(scratch.at("stack").join(&path), "").unwrap();
                }
                let (_, output) = scratch.hooks(runner, &["--files", &path]);
                assert!(!output.contains("Skipped"), "{runner}: {file}: {output}");
                if file != "base.kdl" {
                    fs::remove_file(scratch.at("stack").join(&path)).unwrap();
                }
            }
            let broken = BASE.replace("model=\"mixture\" port=8001", "model=\"mixtrue\" port=8001");
            fs::write(scratch.at("stack/registry/base.kdl"), broken).unwrap();
            let (succeeded, output) = scratch.hooks(runner, &["--all-files"]);
            assert!(
                !succeeded && output.contains("ORC210") && output.contains("did you mean `mixture`?"),
                "{runner}: {output}"
            );
            fs::write(scratch.at("stack/registry/base.kdl"), BASE.replace("port=8001", "port=8002")).unwrap();
            let (succeeded, output) = scratch.hooks(runner, &["--all-files"]);
            assert!(
                !succeeded && output.matches("Passed").count() == 1 && output.contains("ORC403"),
                "{runner}: {output}"
            );
            fs::write(scratch.at("stack/registry/base.kdl"), BASE).unwrap();
        }
    }

    #[test]
    fn the_formatter_changes_only_the_given_files() {
        let scratch = Scratch::new(&["orchgen-fmt-system"]);
        let other = scratch.at("stack/registry/other.yaml");
        for runner in ["pre-commit", "prek"] {
            fs::write(scratch.at("stack/registry/base.kdl"), BASE.replace(" port=", "   port=")).unwrap();
            fs::write(&other, "roles:   {}\n").unwrap();
            let (succeeded, output) = scratch.hooks(runner, &["--files", "registry/base.kdl"]);
            assert!(!succeeded && output.contains("formatted 1 file\n"), "{runner}: {output}");
            assert_eq!(fs::read_to_string(scratch.at("stack/registry/base.kdl")).unwrap(), BASE);
            assert_eq!(fs::read_to_string(&other).unwrap(), "roles:   {}\n");
            let (succeeded, output) = scratch.hooks(runner, &["--files", "registry/base.kdl"]);
            assert!(succeeded, "{runner}: {output}");
            for file in ["README.md", "registry/registry.lock", "registry/mine.json"] {
                let (_, output) = scratch.hooks(runner, &["--files", file]);
                assert!(output.contains("Skipped"), "{runner}: {file}: {output}");
            }
        }
    }

    #[test]
    fn schemas_and_zizmor_accept_the_workflow_and_the_action() {
        for (schema, file) in [
            ("vendor.github-actions", ".github/actions/orchgen/action.yml"),
            ("vendor.github-workflows", ".github/workflows/ci.yml"),
        ] {
            let mut command = python_tool("check-jsonschema");
            run_ok(command.args(["--builtin-schema", schema, file]).current_dir(root()));
        }
        let mut command = python_tool("zizmor");
        run_ok(command.args(["--offline", "--no-progress", ".github"]).current_dir(root()));
    }

    #[test]
    fn the_action_installs_its_own_version_or_the_requested_one() {
        let scratch = Scratch::new(&["orchgen-check-system"]);
        let cargo = scratch.at("bin/cargo");
        fs::create_dir(scratch.at("bin")).unwrap();
        fs::write(&cargo, "#!/bin/sh\nprintf '[%s]' \"$@\"\n").unwrap();
        fs::set_permissions(&cargo, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let with_cargo = |inputs: &[(&str, &str)]| {
            let (script, variables) = steps(inputs).swap_remove(0);
            let script = format!("PATH={}:$PATH\n{script}", scratch.at("bin").display());
            run_step(&scratch, "stack", &(script, variables))
        };
        let folder = scratch.at("temp/orchgen");
        let expected = format!("[install][--locked][--root][{}]", folder.display());
        assert_eq!(with_cargo(&[]), (true, format!("{expected}[--path][/action/../../..]")));
        let asked = with_cargo(&[("version", "0.1.0; true")]);
        assert_eq!(asked, (true, format!("{expected}[orchgen][--version][0.1.0; true]")));
    }

    /// Puts a program where the action installs orchgen.
    fn install(scratch: &Scratch, write: impl FnOnce(&Path)) {
        fs::create_dir_all(scratch.at("temp/orchgen/bin")).unwrap();
        write(&scratch.at("temp/orchgen/bin/orchgen"));
    }

    /// Puts the orchgen under test where the action installs orchgen.
    fn install_orchgen(scratch: &Scratch) {
        install(scratch, |program| {
            fs::copy(crate::support::orchgen(), program).unwrap();
        });
    }

    #[test]
    fn the_action_prints_annotations_and_writes_sarif() {
        let scratch = Scratch::new(&["orchgen-check-system"]);
        install_orchgen(&scratch);
        let (succeeded, output) = run_step(&scratch, "stack", &steps(&[])[1]);
        assert!(succeeded && !output.contains("::error"), "{output}");
        assert!(!scratch.at("output").exists());
        fs::write(scratch.at("stack/registry/base.kdl"), BASE.replace("port=8001", "port=8000")).unwrap();
        let inputs = [("args", "registry"), ("sarif-file", "a b.sarif"), ("working-directory", "stack")];
        let (succeeded, output) = run_step(&scratch, "stack", &steps(&inputs)[1]);
        assert!(!succeeded && output.contains("::error ") && output.contains("port-conflict"), "{output}");
        assert_eq!(fs::read_to_string(scratch.at("output")).unwrap(), "sarif-file=stack/a b.sarif\n");
        let sarif: Value = serde_json::from_slice(&fs::read(scratch.at("stack/a b.sarif")).unwrap()).unwrap();
        assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn the_action_compares_out_and_annotates_each_finding_once() {
        let scratch = Scratch::new(&["orchgen-check-system"]);
        install_orchgen(&scratch);
        let (succeeded, output) = run_step(&scratch, "stack", &steps(&[])[2]);
        assert!(succeeded && !output.contains("::"), "{output}");
        let changed = BASE.replace("port=8001", "port=8002") + "family \"odd\" arch=\"qwen3-moe\"\n";
        fs::write(scratch.at("stack/registry/base.kdl"), changed).unwrap();
        let step = |args: &str, number: usize| run_step(&scratch, "stack", &steps(&[("args", args)])[number]);
        let annotations = |output: &str| {
            let all = output.lines().filter(|line| line.starts_with("::"));
            (all.clone().count(), all.filter(|line| line.contains("title=ORC403")).count())
        };
        let (succeeded, output) = step("", 1);
        assert!(succeeded && annotations(&output) == (2, 0), "{output}");
        let (succeeded, output) = step("", 2);
        let (all, drift) = annotations(&output);
        assert!(!succeeded && drift > 0 && all == drift, "{output}");
        // A run that cannot start has no report.
        fs::remove_file(scratch.at("temp/orchgen-annotations.txt")).unwrap();
        assert!(!step("--no-such-option", 2).0);
        let (succeeded, output) = step("--deny warnings", 1);
        assert!(!succeeded && annotations(&output) == (2, 0), "{output}");
    }

    /// A repository with a pull request. `main` and `topic` have two commits each, and `merge` merges both.
    fn pull_request() -> Scratch {
        let scratch = Scratch::new(&["orchgen-check-system"]);
        let git = |args: &[&str]| {
            let author = ["-c", "user.name=t", "-c", "user.email=t@localhost"];
            scratch.git("stack", &[&author[..], args].concat());
        };
        git(&["commit", "--quiet", "-m", "first"]);
        git(&["branch", "--move", "main"]);
        git(&["checkout", "--quiet", "-b", "topic"]);
        fs::write(scratch.at("stack/registry/base.kdl"), BASE.replace("port=8001", "port=8002")).unwrap();
        run_ok(Command::new(crate::support::orchgen()).arg("build").current_dir(scratch.at("stack")));
        git(&["commit", "--quiet", "--all", "-m", "change a port"]);
        git(&["checkout", "--quiet", "main"]);
        git(&["commit", "--quiet", "--allow-empty", "-m", "second"]);
        git(&["checkout", "--quiet", "-b", "merge"]);
        git(&["merge", "--quiet", "--no-ff", "-m", "merge", "topic"]);
        scratch
    }

    /// Clones the branch `merge` of a pull request as `clone`, and runs the last step for a base branch. Returns the summary.
    #[track_caller]
    fn plan(scratch: &Scratch, clone: &[&str], base: &str, against: &str) -> String {
        let _ = fs::remove_dir_all(scratch.at("clone"));
        let source = format!("file://{}", scratch.at("stack").display());
        scratch.git("", &[&["clone", "--quiet", "--branch", "merge"], clone, &[&*source, "clone"]].concat());
        let (script, mut variables) = steps(&[("against", against)]).pop().unwrap();
        if !base.is_empty() {
            variables.push(("GITHUB_BASE_REF".to_owned(), base.to_owned()));
        }
        let _ = fs::remove_file(scratch.at("summary"));
        let (succeeded, output) = run_step(scratch, "clone", &(script, variables));
        assert!(succeeded && output.is_empty(), "{output}");
        fs::read_to_string(scratch.at("summary")).unwrap()
    }

    #[test]
    fn the_plan_compares_with_the_base_branch_or_the_commit_before() {
        let scratch = pull_request();
        install(&scratch, |program| {
            crate::outside::write(program, "#!/bin/sh\nprintf '[%s]' \"$@\"\n", 0o755);
        });
        let called = |against: &str| format!("[plan][--against={against}][--output-format][markdown]");
        let shallow = ["--depth", "1"];
        for (clone, base, against, expected) in [
            (&[][..], "main", "", "origin/main"),
            (&["--depth", "2"], "main", "", "HEAD^"),
            (&["--depth", "2"], "", "", "HEAD^"),
            (&[], "", "", "HEAD^"),
            (&[], "main", "HEAD~2", "HEAD~2"),
            (&shallow, "main", "host", "host"),
            (&shallow, "main", "out", "out"),
        ] {
            assert_eq!(plan(&scratch, clone, base, against), called(expected), "{clone:?} {base} {against}");
        }
        let lacks = |revision: &str| {
            format!("orchgen cannot plan, because the clone lacks the revision `{revision}`")
        };
        let advice = ": set `fetch-depth: 2` or `fetch-depth: 0` of actions/checkout.\n";
        for (clone, base, against, expected) in [
            (&shallow[..], "main", "", lacks("origin/main") + advice),
            (&shallow, "", "", lacks("HEAD^") + advice),
            (&shallow, "", "HEAD~2", lacks("HEAD~2") + advice),
            (&[], "", "no-such-tag", lacks("no-such-tag") + ".\n"),
            (&[], "", "$(touch x)", lacks("$(touch x)") + ".\n"),
            (&[], "", "--output=x", lacks("--output=x") + ".\n"),
        ] {
            assert_eq!(plan(&scratch, clone, base, against), expected, "{clone:?} {base} {against}");
        }
        assert!(!scratch.at("clone/x").exists());
    }

    #[test]
    fn the_plan_of_a_pull_request_is_in_the_summary() {
        let scratch = pull_request();
        install_orchgen(&scratch);
        for (clone, base) in [(&[][..], "main"), (&["--depth", "2"], "main"), (&["--depth", "2"], "")] {
            let summary = plan(&scratch, clone, base, "");
            assert!(summary.contains("8002") && summary.contains("expert"), "{summary}");
            assert!(!summary.contains(&*scratch.at("").to_string_lossy()), "{summary}");
        }
    }
}
