//! `orchgen engine diff`: what it says, and that it comes true.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const FORK: &str = "llama.cpp-2026-03-fork";
const B11669: &str = "llama.cpp-b11669";

/// A folder with a registry.
struct Ground(tempfile::TempDir);

impl Ground {
    /// The registry of the project itself, under a build.
    fn own(profile: &str) -> Self {
        let ground = Self(tempfile::tempdir().unwrap());
        fs::create_dir(ground.at("registry")).unwrap();
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("registry");
        for entry in fs::read_dir(own).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), ground.at("registry").join(entry.file_name())).unwrap();
        }
        ground.pin(FORK, profile);
        ground
    }

    fn of(text: &str) -> Self {
        let ground = Self(tempfile::tempdir().unwrap());
        fs::create_dir(ground.at("registry")).unwrap();
        fs::write(ground.at("registry/stack.kdl"), text).unwrap();
        ground
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    /// Changes the build, and nothing else.
    fn pin(&self, old: &str, new: &str) {
        let path = self.at("registry/stack.kdl");
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(old).count(), 1, "the build is pinned at one place");
        fs::write(&path, text.replace(old, new)).unwrap();
    }

    fn orchgen(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_orchgen")).args(args).current_dir(self.0.path()).output().unwrap()
    }

    /// The document of a diff with this registry, and the exit code.
    fn diff(&self, old: &str, new: &str) -> (Value, Option<i32>) {
        let output =
            self.orchgen(&["engine", "diff", old, new, "--registry", "registry", "--output-format", "json"]);
        let said = String::from_utf8(output.stderr).unwrap();
        let document =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
        (document, output.status.code())
    }

    /// Every command line that a build writes, by kind, name and instance, as its script prints it.
    fn lines(&self) -> BTreeMap<(String, String, u64), Vec<String>> {
        let output = self.orchgen(&["build", "--quiet"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let stack: Value = serde_json::from_slice(&fs::read(self.at("out/stack.json")).unwrap()).unwrap();
        let mut lines = BTreeMap::new();
        for role in stack["roles"].as_array().unwrap().iter().filter(|role| role["shares"].is_null()) {
            let name = role["name"].as_str().unwrap();
            for instance in 0..role["endpoints"].as_array().unwrap().len() {
                let argv = printed(&self.at("out/bin").join(name), &[&instance.to_string()]);
                lines.insert(("role".to_owned(), name.to_owned(), instance as u64), argv);
            }
        }
        for script in fs::read_dir(self.at("out/bin/prompt")).unwrap() {
            let path = script.unwrap().path();
            let takes_image = fs::read_to_string(&path).unwrap().contains("it takes a text and an image");
            let given: &[&str] = if takes_image { &["PROMPT", "IMAGE"] } else { &["PROMPT"] };
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            lines.insert(("model".to_owned(), name, 0), printed(&path, given));
        }
        lines
    }
}

/// The program without its folder, and its arguments.
fn printed(script: &Path, given: &[&str]) -> Vec<String> {
    let output = Command::new(script).args(["--dry-run", "--print0"]).args(given).output().unwrap();
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
fn it_predicts_what_a_change_of_builds_makes_of_every_command_line() {
    for (old, new) in
        [(FORK, B11669), (B11669, FORK), (FORK, "llama.cpp-b11434"), ("llama.cpp-b11434", B11669)]
    {
        let ground = Ground::own(old);
        let before = ground.lines();
        let (document, code) = ground.diff(old, new);
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
        ground.pin(old, new);
        let after = ground.lines();
        assert_eq!(predicted, after, "{old} -> {new}");
        assert_eq!(before == after, changed == 0);
        // And back again, to the same bytes.
        let there = tree(&ground);
        ground.pin(new, old);
        assert_eq!(ground.lines(), before);
        ground.pin(old, new);
        ground.lines();
        assert_eq!(tree(&ground), there);
    }
}

/// Every file of `out` with its text.
fn tree(ground: &Ground) -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![ground.at("out")];
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
fn a_role_that_breaks_is_named_with_the_finding_at_its_intent() {
    let ground = Ground::of(SMALL);
    let args = ["engine", "diff", "llama.cpp-b10434", B11669, "--registry", "registry"];
    let output = ground.orchgen(&args);
    let (text, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(1), "{text}{said}");
    assert!(text.contains("  --direct-io") && text.contains("gone: use --load-mode"), "{text}");
    assert!(text.contains("\nroles that break: direct\n"), "{text}");
    assert!(text.contains("not checked: defaults of options"), "{text}");
    assert!(said.contains("registry/stack.kdl:") && said.contains("direct-io"), "{said}");
    let (document, code) = ground.diff("llama.cpp-b10434", B11669);
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
    // A command line that the new build cannot say has none.
    let of = |name: &str| {
        let commands = document["registry"]["commands"].as_array().unwrap();
        commands.iter().find(|change| change["kind"] == "role" && change["name"] == name).cloned()
    };
    assert_eq!(of("direct").unwrap()["new"], Value::Null);
    assert!(words(&of("direct").unwrap()["old"]).unwrap().contains(&"--direct-io".to_owned()));
}

#[test]
fn a_registry_that_cannot_be_compared_ends_with_two() {
    let ground = Ground::of(SMALL);
    let run = |args: &[&str]| {
        let output = ground.orchgen(&[&["engine", "diff"], args].concat());
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = run(&[FORK, B11669, "--registry", "registry"]);
    assert_eq!(code, Some(2));
    assert!(
        said.contains(
            "no engine of `registry` has the profile `llama.cpp-2026-03-fork`; there is `llama.cpp-b10434`"
        ),
        "{said}"
    );
    let (code, said) = run(&["llama.cpp-b1", B11669]);
    assert_eq!(code, Some(2));
    assert!(said.contains("there is no profile `llama.cpp-b1`"), "{said}");
    let (code, said) = run(&["llama.cpp-b10434", B11669, "--registry", "nowhere"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("cannot read `nowhere`"), "{said}");
    fs::write(ground.at("registry/more.kdl"), "role \"bad\" model=\"codr\" port=9000\n").unwrap();
    let (code, said) = run(&["llama.cpp-b10434", B11669, "--registry", "registry"]);
    assert_eq!(code, Some(2));
    assert!(
        said.contains("`registry` has errors under `llama.cpp-b10434` already") && said.contains("`codr`"),
        "{said}"
    );
    // Without a registry, a difference is no failure.
    let (code, said) = run(&["llama.cpp-b10434", B11669]);
    assert_eq!((code, said.as_str()), (Some(0), ""));
}

#[test]
fn a_difference_reads_like_a_sentence() {
    let ground = Ground::of(SMALL);
    let text = |old: &str, new: &str| {
        String::from_utf8(ground.orchgen(&["engine", "diff", old, new]).stdout).unwrap()
    };
    insta::assert_snapshot!("engine_diff_b10434_b11669", text("llama.cpp-b10434", B11669));
    let same = text(B11669, B11669);
    assert!(same.contains("no option differs"), "{same}");
    let march = text("llama.cpp-2026-03-22-g49bfddeca", "llama.cpp-b9093");
    let line =
        |option: &str| march.lines().find(|line| line.trim_start().starts_with(option)).unwrap().to_owned();
    assert!(
        line("--draft ").contains("refused: use --spec-draft-n-max or --spec-ngram-mod-n-max"),
        "{march}"
    );
    assert!(march.contains("is called --spec-draft-model; the old name is taken too"), "{march}");
    assert!(
        march.contains("LLAMA_ARG_MODEL_DRAFT is ignored, LLAMA_ARG_SPEC_DRAFT_MODEL sets it"),
        "{march}"
    );
}

#[test]
fn the_words_that_a_command_line_gets_are_shown() {
    let ground = Ground::own(FORK);
    let output = ground.orchgen(&["engine", "diff", FORK, B11669, "--registry", "registry"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("\n  - --draft-max\n  + --spec-draft-n-max\n")
            || text.contains("--spec-draft-n-max 24"),
        "{text}"
    );
}
