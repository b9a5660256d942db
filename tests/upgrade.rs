//! `orchgen engine diff`: its output, and that its predictions are correct.

use crate::support::{assert_snapshot, visible};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const FORK: &str = "llama.cpp-2026-03-fork";
const B11669: &str = "llama.cpp-b11669";

/// A temporary folder with a registry.
struct Project(tempfile::TempDir);

impl Project {
    /// The registry of orchgen, with another profile.
    fn with_registry(profile: &str) -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        fs::create_dir(project.at("registry")).unwrap();
        let registry = crate::support::repository().join("registry");
        for entry in fs::read_dir(registry).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), project.at("registry").join(entry.file_name())).unwrap();
        }
        project.pin(FORK, profile);
        project
    }

    fn new(text: &str) -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        fs::create_dir(project.at("registry")).unwrap();
        fs::write(project.at("registry/stack.kdl"), text).unwrap();
        project
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    /// Replaces the profile, which is named once.
    fn pin(&self, old: &str, new: &str) {
        let path = self.at("registry/stack.kdl");
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(old).count(), 1, "the profile is named once");
        fs::write(&path, text.replace(old, new)).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(crate::support::orchgen());
        command.args(args).current_dir(self.0.path());
        command
    }

    fn orchgen(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// The JSON output of a diff with this registry, and the exit code.
    fn diff(&self, old: &str, new: &str) -> (Value, Option<i32>) {
        let output =
            self.orchgen(&["engine", "diff", old, new, "--registry", "registry", "--output-format", "json"]);
        let report = String::from_utf8(output.stderr).unwrap();
        let document =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {report}"));
        (document, output.status.code())
    }

    /// Each command line that `orchgen build` writes, by kind, name and instance, as its script prints it.
    fn lines(&self) -> BTreeMap<(String, String, u64), Vec<String>> {
        let output = self.orchgen(&["build", "--quiet"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let stack: Value = serde_json::from_slice(&fs::read(self.at("out/stack.json")).unwrap()).unwrap();
        let mut lines = BTreeMap::new();
        for role in stack["roles"].as_array().unwrap().iter().filter(|role| role["shares"].is_null()) {
            let name = role["name"].as_str().unwrap();
            for instance in 0..role["endpoints"].as_array().unwrap().len() {
                let argv = argv_of(&self.at("out/bin").join(name), &[&instance.to_string()]);
                lines.insert(("role".to_owned(), name.to_owned(), instance as u64), argv);
            }
        }
        for script in fs::read_dir(self.at("out/bin/prompt")).unwrap() {
            let path = script.unwrap().path();
            let takes_image = fs::read_to_string(&path).unwrap().contains("expected a text and an image");
            let args: &[&str] = if takes_image { &["PROMPT", "IMAGE"] } else { &["PROMPT"] };
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            lines.insert(("model".to_owned(), name, 0), argv_of(&path, args));
        }
        lines
    }
}

/// The program without its folder, and its arguments.
fn argv_of(script: &Path, args: &[&str]) -> Vec<String> {
    let output = Command::new(script).args(["--dry-run", "--print0"]).args(args).output().unwrap();
    assert!(output.status.success(), "{}: {}", script.display(), String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut argv: Vec<String> = text.split_terminator('\0').map(str::to_owned).collect();
    let tool = argv.remove(0).rsplit('/').next().unwrap().to_owned();
    argv.insert(0, tool);
    argv
}

fn words(value: &Value) -> Option<Vec<String>> {
    value.as_array().map(|words| words.iter().map(|word| word.as_str().unwrap().to_owned()).collect())
}

#[test]
fn predicted_command_lines_equal_those_after_the_change() {
    for (old, new) in
        [(FORK, B11669), (B11669, FORK), (FORK, "llama.cpp-b11434"), ("llama.cpp-b11434", B11669)]
    {
        let project = Project::with_registry(old);
        let before = project.lines();
        let (document, code) = project.diff(old, new);
        assert_eq!(code, Some(0), "{old} -> {new}: {}", document["registry"]["report"]);
        let mut predicted = before.clone();
        for change in document["registry"]["commands"].as_array().unwrap() {
            let key = (
                change["kind"].as_str().unwrap().to_owned(),
                change["name"].as_str().unwrap().to_owned(),
                change["instance"].as_u64().unwrap(),
            );
            assert_eq!(predicted.get(&key).cloned(), words(&change["old"]), "{key:?} of {old} -> {new}");
            match words(&change["new"]) {
                Some(argv) => predicted.insert(key, argv),
                None => predicted.remove(&key),
            };
        }
        let unchanged = document["registry"]["unchanged_commands"].as_u64().unwrap();
        let changed = document["registry"]["commands"].as_array().unwrap().len() as u64;
        assert!(unchanged + changed >= before.len() as u64);
        project.pin(old, new);
        let after = project.lines();
        assert_eq!(predicted, after, "{old} -> {new}");
        assert_eq!(before == after, changed == 0);
        // A change back and forth gives the same bytes.
        let upgraded = tree(&project);
        project.pin(new, old);
        assert_eq!(project.lines(), before);
        project.pin(old, new);
        project.lines();
        assert_eq!(tree(&project), upgraded);
    }
}

/// All files in `out` with their texts.
fn tree(project: &Project) -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![project.at("out")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path).unwrap();
                files.insert(path, text);
            }
        }
    }
    files
}

const SMALL: &str = r#"
stack "home" engine="llama.cpp" { defaults { tier "main"; residency "hot"; context 8192 } }
engine "llama.cpp" profile="llama.cpp-b10434" bin="/usr/bin"
host "box" memory="64 GB" cpus="0-15" smt=2
store "models" path="/srv/models"
tier "main" title="Everything"
residency "hot" title="always resident" start="boot" budget="40 GB"
family "qwen2" arch="qwen2"
model "coder" family="qwen2" title="Coder-7B" quant="Q4_K_M" size="4.7 GB" file="coder.gguf"
role "fine" model="coder" port=8080
role "direct" model="coder" port=8081 {
    option "reasoning-effort" value="low"
    option "direct-io"
}
"#;

#[test]
fn a_broken_role_is_listed_with_a_finding_at_its_field() {
    let project = Project::new(SMALL);
    let args = ["engine", "diff", "llama.cpp-b10434", B11669, "--registry", "registry"];
    let output = project.orchgen(&args);
    let (text, report) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(1), "{text}{report}");
    assert!(text.contains("  --direct-io") && text.contains("no longer exists: use --load-mode"), "{text}");
    assert!(text.contains("\nroles that break: direct\n"), "{text}");
    assert!(text.contains("not checked: defaults of options"), "{text}");
    let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words}: {text}"));
    assert!(place("roles that break: direct") < place("changes that can break"), "{text}");
    assert!(place("command lines change with") < place("changes that can break"), "{text}");
    assert!(report.contains("registry/stack.kdl:") && report.contains("direct-io"), "{report}");
    let (document, code) = project.diff("llama.cpp-b10434", B11669);
    assert_eq!(code, Some(1));
    assert_eq!(document["format_version"], 1);
    assert_eq!(document["registry"]["broken_roles"], serde_json::json!(["direct"]));
    let findings = document["registry"]["report"]["findings"].as_array().unwrap();
    assert!(
        findings
            .iter()
            .any(|finding| finding["subject"]["name"] == "direct" && finding["severity"] == "error")
    );
    assert!(findings.iter().all(|finding| finding["subject"]["name"] != "fine"));
    // A broken role has no new command line.
    let command = |name: &str| {
        let commands = document["registry"]["commands"].as_array().unwrap();
        commands.iter().find(|change| change["kind"] == "role" && change["name"] == name).cloned()
    };
    assert_eq!(command("direct").unwrap()["new"], Value::Null);
    assert!(words(&command("direct").unwrap()["old"]).unwrap().contains(&"--direct-io".to_owned()));
}

#[test]
fn a_registry_that_cannot_be_compared_gives_exit_code_2() {
    let project = Project::new(SMALL);
    let run = |args: &[&str]| {
        let output = project.orchgen(&[&["engine", "diff"], args].concat());
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, report) = run(&[FORK, B11669, "--registry", "registry"]);
    assert_eq!(code, Some(2));
    assert!(
        report.contains(
            "no engine of `registry` uses the profile `llama.cpp-2026-03-fork`; it uses `llama.cpp-b10434`"
        ),
        "{report}"
    );
    let (code, report) = run(&["llama.cpp-b1", B11669]);
    assert_eq!(code, Some(2));
    assert!(report.contains("unknown profile `llama.cpp-b1`"), "{report}");
    let (code, report) = run(&["llama.cpp-b10434", B11669, "--registry", "nowhere"]);
    assert_eq!(code, Some(2));
    assert!(report.contains("cannot read `nowhere`"), "{report}");
    fs::write(project.at("registry/more.kdl"), "role \"bad\" model=\"codr\" port=9000\n").unwrap();
    let (code, report) = run(&["llama.cpp-b10434", B11669, "--registry", "registry"]);
    assert_eq!(code, Some(2));
    assert!(
        report.contains("`registry` already has errors with `llama.cpp-b10434`") && report.contains("`codr`"),
        "{report}"
    );
    // Without a registry, differences are no failure.
    let (code, report) = run(&["llama.cpp-b10434", B11669]);
    assert_eq!((code, report.as_str()), (Some(0), ""));
}

#[test]
fn differences_are_printed_as_text() {
    let project = Project::new(SMALL);
    let text = |old: &str, new: &str| {
        String::from_utf8(project.orchgen(&["engine", "diff", old, new]).stdout).unwrap()
    };
    assert_snapshot!("cli", "engine_diff", text("llama.cpp-b10434", B11669));
    let styled = |columns: &str, color: &str| {
        let mut command = project.command(&[
            "engine",
            "diff",
            "llama.cpp-b10434",
            B11669,
            "--color",
            color,
            "--registry",
            "registry",
        ]);
        String::from_utf8(command.env("COLUMNS", columns).output().unwrap().stdout).unwrap()
    };
    assert_snapshot!("cli", "engine_diff_60", styled("60", "never"));
    let colored = styled("100", "always");
    assert_eq!(visible(&colored), styled("100", "never"));
    assert_snapshot!("cli", "engine_diff_color", colored.replace('\u{1b}', "\\e"));
    let same = text(B11669, B11669);
    assert!(same.contains("no option differs"), "{same}");
    let march = text("llama.cpp-2026-03-22-g49bfddeca", "llama.cpp-b9093");
    let line =
        |option: &str| march.lines().find(|line| line.trim_start().starts_with(option)).unwrap().to_owned();
    assert!(
        line("--draft ").contains("refused: use --spec-draft-n-max or --spec-ngram-mod-n-max"),
        "{march}"
    );
    assert!(march.contains("renamed to --spec-draft-model; the old name still works"), "{march}");
    let words: Vec<&str> = march.split_whitespace().collect();
    assert!(
        words.join(" ").contains(
            "environment variable LLAMA_ARG_MODEL_DRAFT is now ignored; LLAMA_ARG_SPEC_DRAFT_MODEL replaces it"
        ),
        "{march}"
    );
}

#[test]
fn the_text_fits_the_terminal() {
    let project = Project::with_registry(FORK);
    for columns in [60, 90] {
        let mut command = project.command(&["engine", "diff", FORK, B11669, "--registry", "registry"]);
        let output = command.env("COLUMNS", columns.to_string()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        // A long word stays whole, for example a list of choices.
        let has_wide_words = |line: &&str| line.trim_end().rfind(' ').is_some_and(|at| at > columns);
        let wide: Vec<&str> = text.lines().filter(has_wide_words).collect();
        assert!(wide.is_empty(), "{columns}: {wide:#?}");
    }
}

#[test]
fn changed_arguments_of_command_lines_are_printed() {
    let project = Project::with_registry(FORK);
    let output = project.orchgen(&["engine", "diff", FORK, B11669, "--registry", "registry"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.lines().next().unwrap().contains(": no role breaks; "), "{text}");
    assert!(
        text.contains("\n  - --draft-max\n  + --spec-draft-n-max\n")
            || text.contains("--spec-draft-n-max 24"),
        "{text}"
    );
}
