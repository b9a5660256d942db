//! The command line of `orchgen import`: exit codes, output folders, standard input, formats, and the form of the report.

use super::expectation::Case;
use super::workspace::{Workspace, case_folder};
use crate::outside::python_tool;
use crate::support::lower;
use orchgen::import::Format;
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::process::{Output, Stdio};

const SWAP: &str =
    "models:\n  a:\n    cmd: /usr/bin/llama-server -m /m/a.gguf -c 4096 -np 1 -fit off --port ${PORT}\n";
/// The same with a setting that no registry has.
const LOSSY: &str = "models:\n  a:\n    cmd: /usr/bin/llama-server -m /m/a.gguf -c 4096 -np 1 -fit off --port ${PORT}\n    unlisted: true\n";
const LINE: &str = "llama-server -m /m/b.gguf -ngl 9 --port 9000\n";

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("{output:?}"))
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn strict_fails_if_a_setting_is_lost() {
    for (text, args, expected) in [
        (SWAP, &["import", "a.yaml", "--strict"][..], 0),
        (LOSSY, &["import", "a.yaml"], 0),
        (LOSSY, &["import", "a.yaml", "--strict"], 1),
        (LOSSY, &["import", "a.yaml", "--strict", "--report", "json"], 1),
        (LOSSY, &["import", "a.yaml", "--strict", "--dry-run"], 1),
    ] {
        let workspace = Workspace::new(&[("a.yaml", text)]);
        let output = workspace.run(args);
        assert_eq!(code(&output), expected, "{args:?}: {}", stderr(&output));
        // The registry is written also with losses.
        assert_eq!(workspace.at("registry").exists(), !args.contains(&"--dry-run"), "{args:?}");
    }
}

#[test]
fn a_dry_run_writes_nothing() {
    let workspace = Workspace::new(&[("a.yaml", LOSSY)]);
    let output = workspace.run(&["import", "a.yaml", "--dry-run"]);
    assert_eq!(code(&output), 0);
    assert!(stderr(&output).contains("would write registry/stack.kdl"), "{}", stderr(&output));
    let names: Vec<_> =
        fs::read_dir(workspace.at(".")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["a.yaml"]);
}

#[test]
fn existing_files_are_not_overwritten() {
    let workspace = Workspace::new(&[("a.yaml", SWAP), ("registry/own.kdl", "stack \"mine\"\n")]);
    let output = workspace.run(&["import", "a.yaml"]);
    assert_eq!(code(&output), 2);
    assert_eq!(
        stderr(&output),
        "error: `registry` already contains a registry: choose another folder with `--out FOLDER`\n"
    );
    assert_eq!(workspace.registry(), "stack \"mine\"\n");
    assert_eq!(code(&workspace.run(&["import", "a.yaml", "--out", "other"])), 0);
    assert_eq!(code(&workspace.run(&["import", "a.yaml", "--out", "other"])), 2);
    // A file of another kind with the name of a registry file, and a file in place of the folder.
    let workspace = Workspace::new(&[("a.yaml", SWAP), ("file", "text"), ("folder/notes.txt", "text")]);
    assert_eq!(code(&workspace.run(&["import", "a.yaml", "--out", "file"])), 2);
    assert_eq!(fs::read_to_string(workspace.at("file")).unwrap(), "text");
    assert_eq!(code(&workspace.run(&["import", "a.yaml", "--out", "folder"])), 0);
    assert_eq!(fs::read_to_string(workspace.at("folder/notes.txt")).unwrap(), "text");
}

fn run_with_input(workspace: &Workspace, args: &[&str], text: &str) -> Output {
    let mut command = workspace.command(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn standard_input_is_read() {
    for (text, args, role) in [
        (LINE, &["import", "-", "--report", "json"][..], "b"),
        (SWAP, &["import", "-", "--from", "llama-swap", "--report", "json"], "a"),
        (
            "[Service]\nExecStart=/usr/bin/llama-server -m /m/c.gguf\n",
            &["import", "-", "--report", "json"],
            "c",
        ),
        ("[d]\nmodel = /m/d.gguf\n", &["import", "-", "--from", "router", "--report", "json"], "d"),
    ] {
        let workspace = Workspace::new(&[]);
        let output = run_with_input(&workspace, args, text);
        assert_eq!(code(&output), 0, "{text}: {}", stderr(&output));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["servers"][0]["from"]["file"], "-", "{report}");
        let found = report["servers"][0]["role"].as_str().unwrap();
        assert!(found == role || text.starts_with("[Service]"), "{found}");
        assert!(workspace.registry().contains("/m/"), "{}", workspace.registry());
    }
}

#[test]
fn unknown_formats_give_an_error_with_all_formats() {
    let workspace = Workspace::new(&[("a.txt", "hello\n")]);
    let output = workspace.run(&["import", "a.txt"]);
    assert_eq!(code(&output), 2);
    assert_eq!(
        stderr(&output),
        "error: `a.txt` has no format that orchgen knows: name it with `--from`, one of `llama-swap`, `router`, \
         `systemd`, `quadlet`, `compose` and `shell`\n"
    );
    let output = workspace.run(&["import", "a.txt", "--from", "toml"]);
    assert_eq!(code(&output), 2);
    for format in Format::ALL {
        assert!(stderr(&output).contains(format.word()), "{}", stderr(&output));
    }
    let output = workspace.run(&["import", "a.txt", "--profile", "b1"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).starts_with("error: no built-in profile is named `b1`"), "{}", stderr(&output));
    assert_eq!(code(&workspace.run(&["import"])), 2);
    assert_eq!(code(&workspace.run(&["import", "a.txt", "--running"])), 2);
}

/// A file without a format that another file names is no loss.
#[test]
fn files_without_a_format_are_companions_or_losses() {
    let unit =
        "[Service]\nEnvironmentFile=/etc/llm/vars\nExecStart=/usr/bin/llama-server -m ${M} --port 9000\n";
    let workspace = Workspace::new(&[("a.service", unit), ("vars", "M=/m/a.gguf\n"), ("other", "text\n")]);
    let report = workspace.import(&["a.service", "vars", "other"], &[]);
    let lost: Vec<&str> =
        report["lost"].as_array().unwrap().iter().map(|loss| loss["what"].as_str().unwrap()).collect();
    assert_eq!(lost, ["other"], "{report}");
    assert!(workspace.registry().contains("/m/a.gguf"), "{}", workspace.registry());
}

/// The cases by name.
fn cases() -> Vec<(String, Case)> {
    let entries = fs::read_dir(case_folder("")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let case = |name: String| {
        let text = fs::read_to_string(case_folder(&name).join("expect.txt")).unwrap();
        (name, Case::parse(&text))
    };
    names.into_iter().map(case).collect()
}

/// Imports a case with further arguments, and returns the report.
#[track_caller]
fn import_case(workspace: &Workspace, case: &Case, more: &[&str]) -> Value {
    let args: Vec<&str> = case.files.iter().chain(&case.options).map(String::as_str).collect();
    workspace.import(&[&args[..], more].concat(), &case.variables)
}

#[test]
fn both_languages_have_the_same_roles() {
    for (name, case) in cases() {
        let [kdl, yaml] = ["kdl", "yaml"].map(|language| {
            let workspace = Workspace::of_case(&name);
            let report = import_case(&workspace, &case, &["--format", language]);
            let mut files: Vec<(String, String)> = fs::read_dir(workspace.at("registry"))
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .map(|path| {
                    assert_eq!(path.extension().unwrap(), language);
                    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                    (name, fs::read_to_string(&path).unwrap())
                })
                .collect();
            files.sort();
            (report, files)
        });
        assert_eq!(kdl.0, yaml.0, "{name}");
        let lowered = [&kdl.1, &yaml.1].map(|files| {
            let files: Vec<(&str, &str)> =
                files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
            lower(&files).0
        });
        assert!(lowered[0] == lowered[1], "{name}:\n{:?}\n{:?}", kdl.1, yaml.1);
    }
}

/// The differences between a value and a schema. Supports only the keywords that `report.schema.json` uses.
fn mismatches(value: &Value, schema: &Value, root: &Value, at: &str) -> Vec<String> {
    if let Some(path) = schema["$ref"].as_str() {
        return mismatches(value, root.pointer(path.trim_start_matches('#')).unwrap(), root, at);
    }
    let mut wrong = Vec::new();
    let is = |kind: &Value| match kind.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_u64(),
        Some("null") => value.is_null(),
        other => unreachable!("{other:?}"),
    };
    let kinds = &schema["type"];
    let has_type = kinds.is_null() || kinds.as_array().map_or_else(|| is(kinds), |all| all.iter().any(is));
    let is_listed = schema.get("enum").is_none_or(|all| all.as_array().unwrap().contains(value));
    if !has_type || !is_listed || schema.get("const").is_some_and(|only| only != value) {
        wrong.push(format!("{at} is {value}"));
    }
    for (key, inner) in value.as_object().into_iter().flatten() {
        match schema["properties"].get(key) {
            Some(schema) => wrong.extend(mismatches(inner, schema, root, &format!("{at}.{key}"))),
            None => wrong.push(format!("{at} has {key}")),
        }
    }
    for key in schema["required"].as_array().into_iter().flatten().filter(|_| value.is_object()) {
        if value.get(key.as_str().unwrap()).is_none() {
            wrong.push(format!("{at} has no {key}"));
        }
    }
    for (number, inner) in value.as_array().into_iter().flatten().enumerate() {
        wrong.extend(mismatches(inner, &schema["items"], root, &format!("{at}[{number}]")));
    }
    wrong
}

fn faults(report: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(include_str!("report.schema.json")).unwrap();
    mismatches(report, &schema, &schema, "report")
}

#[test]
fn reports_match_their_schema() {
    let mut all = Vec::new();
    for (name, case) in cases() {
        let workspace = Workspace::of_case(&name);
        let report = import_case(&workspace, &case, &[]);
        assert_eq!(faults(&report), [""; 0], "{name}");
        all.push(report);
    }
    let mut broken = all.into_iter().find(|report| report["servers"][0]["lost"][0].is_object()).unwrap();
    broken["servers"][0]["role"] = json!(1);
    broken["servers"][0]["lost"][0]["line"] = json!("1");
    broken["servers"][0]["lost"][0]["option"] = json!(1);
    broken["more"] = json!(1);
    broken.as_object_mut().unwrap().remove("findings");
    assert_eq!(faults(&broken).len(), 5, "{:?}", faults(&broken));
}

/// Secrets are not in the registry.
#[test]
fn secrets_are_not_written() {
    for (name, text) in [
        ("a.sh", "llama-server -m /m/a.gguf --port 1 --api-key sesame-open\n"),
        (
            "a.sh",
            "LLAMA_API_KEY=sesame-open HF_TOKEN=sesame-open llama-server -m /m/a.gguf --port 1 -hft sesame-open\n",
        ),
        (
            "a.yaml",
            "apiKeys: [sesame-open]\nmodels:\n  a:\n    cmd: llama-server -m /m/a.gguf --api-key=sesame-open --api-key sesame-open\n    env: [HF_TOKEN=sesame-open]\n",
        ),
        (
            "a.service",
            "[Service]\nEnvironment=LLAMA_API_KEY=sesame-open\nExecStart=/usr/bin/llama-server -m /m/a.gguf --api-key sesame-open\n",
        ),
        ("a.ini", "[a]\nmodel = /m/a.gguf\napi-key = sesame-open\nhf-token = sesame-open\n"),
        (
            "compose.yaml",
            "services:\n  a:\n    image: ghcr.io/ggml-org/llama.cpp:server\n    command: -m /m/a.gguf --api-key sesame-open\n    environment: {LLAMA_API_KEY: sesame-open, HF_TOKEN: sesame-open}\n",
        ),
        (
            "a.container",
            "[Container]\nImage=ghcr.io/ggml-org/llama.cpp:server\nEnvironment=HF_TOKEN=sesame-open\nExec=-m /m/a.gguf --api-key sesame-open\n",
        ),
    ] {
        let workspace = Workspace::new(&[(name, text)]);
        workspace.import(&[name], &[]);
        assert!(!workspace.registry().contains("sesame"), "{name}: {}", workspace.registry());
    }
}

#[test]
fn the_report_for_users_names_files_and_next_steps() {
    let workspace = Workspace::new(&[("a.yaml", LOSSY)]);
    let output = workspace.run(&["import", "a.yaml", "--out", "the stack"]);
    let text = stderr(&output);
    assert!(output.stdout.is_empty() && text.contains("`unlisted: true` of role `a` is lost"), "{text}");
    assert!(text.contains("a.yaml:2: a: 4 kept, 1 lost\n"), "{text}");
    assert!(text.contains("wrote the stack/stack.kdl\n"), "{text}");
    assert!(text.contains("next: run `orchgen check 'the stack'`"), "{text}");
    let quiet = workspace.run(&["import", "a.yaml", "--out", "quiet", "--quiet"]);
    assert!(!stderr(&quiet).contains("next: "), "{}", stderr(&quiet));
    let few = workspace.run(&["import", "a.yaml", "--out", "few", "--max-findings", "1"]);
    assert_eq!(code(&few), 0, "{}", stderr(&few));
}

mod tools {
    use super::*;

    #[test]
    fn validators_accept_the_reports() {
        let schema = crate::support::repository().join("tests/import/report.schema.json");
        for (name, case) in cases() {
            let workspace = Workspace::of_case(&name);
            let report = import_case(&workspace, &case, &[]);
            workspace.write("report.json", report.to_string().as_bytes());
            let mut command = python_tool("check-jsonschema");
            command.arg("--schemafile").arg(&schema).arg(workspace.at("report.json"));
            let output = command.output().unwrap();
            assert!(output.status.success(), "{name}: {output:?}");
        }
    }
}
