//! Plans in words and in all formats, against folders, revisions and nothing.

use crate::support::{assert_snapshot, orchgen, visible};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

pub(super) const BEFORE: &str = r#"stack "rig" engine="llama.cpp" { defaults { context 512 } }
engine "llama.cpp" profile="llama.cpp-b11669" bin="/usr/bin"
host "box" memory="100 GB" cpus="0-7" systemd=262
store "models" path="/srv/models" speed="1 GB/s"
model "a" file="a.gguf" arch="qwen2" size="10 GB"
model "b" file="b.gguf" arch="qwen2" size="20 GB"
model "d" file="d.gguf" arch="qwen2" size="1 GB"
role "chat" model="a" port=8080 { options { temp 0.6 } }
role "code" model="a" port=8081
role "gone" model="b" port=8084
role "lazy" model="b" port=8085 residency="warm"
role "same" model="b" port=8086
role "idle" model="d" port=8087
"#;

pub(super) const AFTER: &str = r#"stack "rig" engine="llama.cpp" { defaults { context 512 } }
engine "llama.cpp" profile="llama.cpp-b11669" bin="/usr/bin"
host "box" memory="100 GB" cpus="0-7" systemd=262
store "models" path="/srv/models" speed="1 GB/s"
model "a" file="a.gguf" arch="qwen2" size="10 GB"
model "b" file="b.gguf" arch="qwen2" size="20 GB"
model "d" file="d.gguf" arch="qwen2" size="1 GB"
role "chat" model="b" port=8081 { options { temp 0.7 }; draft "d" }
role "code" model="a" port=8080 slots=2 { env { GGML_LOG "1" } }
role "lazy" model="b" port=8085 residency="warm" { placement cpus="0-3" threads=4 }
role "same" model="b" port=8086
role "idle" model="d" port=8087 purpose="nothing"
role "new" model="d" port=8088
"#;

/// A folder with a registry.
pub(super) struct Folder(tempfile::TempDir);

impl Folder {
    pub(super) fn new(registry: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::create_dir(folder.path().join("registry")).unwrap();
        folder.write(registry);
        folder
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn write(&self, registry: &str) {
        fs::write(self.path().join("registry/stack.kdl"), registry).unwrap();
    }

    pub(super) fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(orchgen());
        command
            .args(args)
            .current_dir(self.path())
            .env_clear()
            .env("COLUMNS", "100")
            .env("PATH", "/usr/bin:/bin");
        command.output().unwrap()
    }

    /// Standard output of a successful command.
    #[track_caller]
    pub(super) fn output(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The exit code and standard error of a command.
    pub(super) fn error(&self, args: &[&str]) -> (i32, String) {
        let output = self.run(args);
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }
}

fn changed() -> Folder {
    let folder = Folder::new(BEFORE);
    folder.output(&["build", "-q"]);
    folder.write(AFTER);
    folder
}

#[test]
fn plans_describe_roles_units_order_and_memory() {
    let folder = changed();
    let human = folder.output(&["plan"]);
    assert_snapshot!("deploy", "plan", &human);
    assert_snapshot!("deploy", "plan-markdown", &folder.output(&["plan", "--output-format", "markdown"]));
    assert_tables(&folder);
    let json: serde_json::Value =
        serde_json::from_str(&folder.output(&["plan", "--output-format", "json"])).unwrap();
    assert_snapshot!("deploy", "plan-json", &serde_json::to_string_pretty(&json).unwrap());
    let against = folder.path().join("out").to_string_lossy().into_owned();
    let other = folder.output(&["plan", "--against", &against]);
    assert_eq!(other.lines().skip(1).collect::<Vec<_>>(), human.lines().skip(1).collect::<Vec<_>>());
    assert!(!other.contains("rig-same"), "a role that does not change is in no step: {other}");
}

/// The plan on a narrow terminal, and with color.
fn assert_tables(folder: &Folder) {
    let run = |columns: &str, color: &str| {
        let mut command = Command::new(crate::support::orchgen());
        let command = command.args(["plan", "--color", color]).current_dir(folder.path()).env_clear();
        let output = command.env("COLUMNS", columns).env("LANG", "C.UTF-8").output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let narrow = run("60", "never");
    assert!(narrow.lines().all(|line| line.chars().count() <= 60), "{narrow}");
    assert_snapshot!("deploy", "plan_60", &narrow);
    let colored = run("100", "always");
    assert_eq!(visible(&colored), run("100", "never"));
    assert_snapshot!("deploy", "plan_color", colored.replace('\u{1b}', "\\e"));
}

#[test]
fn nothing_changes_after_a_build() {
    let folder = Folder::new(BEFORE);
    assert!(folder.output(&["plan"]).contains("6 added"), "without a build everything is new");
    folder.output(&["build", "-q"]);
    assert_eq!(folder.output(&["plan"]), "no changes against the last build\n");
    assert!(folder.output(&["plan", "--output-format", "markdown"]).contains("No changes."));
    assert_eq!(folder.run(&["plan", "--detailed-exitcode"]).status.code(), Some(0));
    assert_eq!(folder.output(&["diff"]), "");
}

#[test]
fn exit_codes_separate_changes_from_errors() {
    let folder = changed();
    assert_eq!(folder.run(&["plan"]).status.code(), Some(0));
    assert_eq!(folder.run(&["plan", "--detailed-exitcode"]).status.code(), Some(2));
    assert_eq!(folder.error(&["plan", "--against", "nowhere"]).0, 2);
    assert_eq!(folder.error(&["plan", "--against", "nowhere", "--detailed-exitcode"]).0, 1);
    let (code, error) = folder.error(&["plan", "--host", "bax"]);
    assert!(code == 2 && error.contains("no host `bax`, only `box`"), "{error}");
    folder.write(&AFTER.replace("port=8088", "port=8087"));
    let (code, error) = folder.error(&["plan"]);
    assert!(code == 1 && error.contains("port-conflict"), "{error}");
    let folder_without = folder.path().join("empty");
    fs::create_dir(&folder_without).unwrap();
    folder.write(AFTER);
    let (code, error) = folder.error(&["plan", "--against", "empty"]);
    assert!(code == 2 && error.contains("`empty` has no `deploy.json`: its stack has no units"), "{error}");
}

#[test]
fn a_diff_shows_each_changed_file() {
    let folder = changed();
    let output = folder.run(&["diff"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "--- a/out/systemd/rig-chat.service\n+++ b/out/systemd/rig-chat.service\n",
        "-    --port 8080 \\\n+    --port 8081 \\\n",
        "a/out/systemd/rig-gone.service",
        "b/out/systemd/rig-new.service",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("rig-same.service\n@@"), "{text}");
    folder.output(&["build", "-q"]);
    assert_eq!(folder.output(&["diff"]), "");
}

#[test]
fn apply_refuses_what_it_cannot_do() {
    let folder = Folder::new(BEFORE);
    let (code, error) = folder.error(&["apply", "--dry-run"]);
    assert!(code == 2 && error.contains("there is no folder `out`: run `orchgen build`"), "{error}");
    folder.output(&["build", "-q"]);
    folder.write(AFTER);
    let (code, error) = folder.error(&["apply", "--root", "system", "--yes"]);
    assert!(code == 1 && error.contains("out/ differs from the registry: run `orchgen build`"), "{error}");
    folder.output(&["build", "-q"]);
    let (code, error) = folder.error(&["apply", "--root", "system", "--yes", "--plan", "abc"]);
    assert!(code == 1 && error.contains("`abc` is not the number of the plan"), "{error}");
    let (code, error) = folder.error(&["apply", "--root", "system"]);
    assert!(code == 1 && error.contains("standard input is no terminal: write `--yes`"), "{error}");
    let (code, error) = folder.error(&["rollback", "--root", "system"]);
    assert!(code == 2 && error.contains("nothing is installed below system/var/lib/orchgen"), "{error}");
    let (code, error) = folder.error(&["generations", "--root", "elsewhere"]);
    assert!(code == 2 && error.contains("nothing is installed below elsewhere/var/lib/orchgen"), "{error}");
    fs::write(folder.path().join("out/deploy.json"), "{").unwrap();
    let (code, error) = folder.error(&["apply", "--out", "out", "--root", "system", "--yes"]);
    assert!(code == 2 && error.contains("`deploy.json` of `out` is damaged"), "{error}");
}

#[test]
fn a_stack_without_units_has_nothing_to_plan() {
    let folder = Folder::new(&BEFORE.replace("{ defaults", "{ targets \"docs\"; defaults"));
    let (code, error) = folder.error(&["plan"]);
    assert!(code == 2 && error.contains("add `systemd` or `quadlet` to its `targets`"), "{error}");
}

mod tools {
    use super::*;
    use crate::outside::python_tool;

    /// Runs git in a folder.
    #[track_caller]
    fn git(folder: &Folder, args: &[&str]) {
        let mut git = Command::new("git");
        git.arg("-C")
            .arg(folder.path())
            .args(["-c", "user.name=a", "-c", "user.email=a@example.org"])
            .args(args);
        let output = git.output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    #[test]
    fn a_plan_against_a_revision_of_git() {
        let folder = Folder::new(BEFORE);
        git(&folder, &["init", "-q"]);
        git(&folder, &["add", "-A"]);
        git(&folder, &["commit", "-q", "-m", "registry"]);
        let (code, error) = folder.error(&["plan", "--against", "HEAD"]);
        assert!(
            code == 2 && error.contains("`out` is not in the revision `HEAD`: commit the output"),
            "{error}"
        );
        folder.output(&["build", "-q"]);
        git(&folder, &["add", "-A"]);
        git(&folder, &["commit", "-q", "-m", "output"]);
        folder.write(AFTER);
        let expected = folder.output(&["plan"]);
        folder.output(&["build", "-q"]);
        let found = folder.output(&["plan", "--against", "HEAD"]);
        assert_eq!(found.replace("`HEAD`", "the last build"), expected);
        fs::create_dir(folder.path().join("below")).unwrap();
        let (code, error) = folder.error(&["plan", "--against", "origin/main"]);
        assert!(
            code == 2 && error.contains("`origin/main` is neither a folder nor a revision of git"),
            "{error}"
        );
        let (code, error) = folder.error(&["plan", "--against=--output=x"]);
        assert!(code == 2 && error.contains("neither a folder nor a revision"), "{error}");
    }

    #[test]
    fn plans_follow_their_schema() {
        let folder = changed();
        let first = Folder::new(BEFORE);
        let same = Folder::new(BEFORE);
        same.output(&["build", "-q"]);
        for (folder, name) in [(&folder, "changed"), (&first, "first"), (&same, "same")] {
            let json = folder.output(&["plan", "--output-format", "json"]);
            let file = folder.path().join("plan.json");
            fs::write(&file, json).unwrap();
            let schema = crate::support::repository().join("tests/deploy/plan.schema.json");
            let output =
                python_tool("check-jsonschema").arg("--schemafile").arg(schema).arg(&file).output().unwrap();
            assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stdout));
        }
    }

    #[test]
    fn a_system_that_does_not_run_gets_files_and_generations() {
        let folder = Folder::new(BEFORE);
        folder.output(&["build", "-q"]);
        fs::create_dir_all(folder.path().join("system/etc/systemd/system")).unwrap();
        folder.output(&["apply", "--root", "system", "--yes"]);
        let units = folder.path().join("system/etc/systemd/system");
        assert!(units.join("rig-chat.service").is_file());
        assert!(units.join("multi-user.target.wants/rig.target").is_symlink(), "it starts at boot");
        folder.write(AFTER);
        folder.output(&["build", "-q"]);
        folder.output(&["apply", "--root", "system", "--yes"]);
        assert!(!units.join("rig-gone.service").exists());
        let listed = folder.output(&["generations", "--root", "system"]);
        let (header, rows) = listed.split_once('\n').unwrap();
        assert_eq!(header, "generation  created                  host");
        assert_eq!(rows.lines().map(|line| line.ends_with("current")).collect::<Vec<_>>(), [false, true]);
        folder.output(&["rollback", "--root", "system", "--yes"]);
        assert!(units.join("rig-gone.service").is_file());
        let json = folder.output(&["generations", "--root", "system", "--output-format", "json"]);
        let listed: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(listed["generations"][0]["is_current"], true);
        let (code, error) = folder.error(&["rollback", "7", "--root", "system"]);
        assert!(
            code == 2 && error.contains("there is no generation 7, only `1` or `2`")
                || error.contains("only 1 or 2"),
            "{error}"
        );
    }
}
