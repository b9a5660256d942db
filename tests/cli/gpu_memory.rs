//! `orchgen memory` on hosts with GPUs: a column for each place, the JSON object, and `--fit`.

use super::{Workspace, exit_code, text};
use serde_json::Value;
use std::fs;
use std::process::Output;

/// A dense model of 6.48 GB with 32 layers.
const LOCK: &str = r#"{"format_version": 1, "models": {
  "dense": {"file": "/m/dense.gguf", "header": "0", "size": 6480000000, "architecture": "qwen3", "quant": "Q6_K",
    "parameters": {"block_count": 32, "embedding_length": 2048, "attention.head_count": 16, "attention.head_count_kv": 8,
      "attention.key_length": 128, "attention.value_length": 128, "feed_forward_length": 6144, "context_length": 40960},
    "tensors": {"bytes": {"q6_K": 6480000000}, "layers": [[32, 190000000, 0]], "input": 200000000,
      "output": {"q6_K": 200000000}, "token_embd": {"q6_K": 200000000}},
    "vocabulary": {"size": 151936, "type": "gpt2"}}}}"#;

const STACK: &str = r#"
stack "home" engine="e"
engine "e" profile="llama.cpp-b11669" bin="/usr/bin"
host "box" memory="64 GB" cpus="0-15" {
    gpu "CUDA0" memory="12 GB"; gpu "CUDA1" memory="8 GB"; gpu "CUDA2" memory="8 GB"; gpu "CUDA3" memory="8 GB"
}
model "dense" file="/m/dense.gguf"
role "one" model="dense" port=1 context=16384 { placement gpu="CUDA0" }
role "all" model="dense" port=2 context=4096 { placement gpu="CUDA0,CUDA1,CUDA2,CUDA3" split="1:1:1:1" }
role "off" model="dense" port=3 context=4096
"#;

fn workspace(stack: &str) -> Workspace {
    let workspace = Workspace::new("");
    fs::write(workspace.at("registry/base.kdl"), stack).unwrap();
    fs::write(workspace.at("registry/registry.lock"), LOCK).unwrap();
    workspace
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn each_place_has_a_column() {
    let workspace = workspace(STACK);
    for columns in ["80", "72", "120"] {
        let output = workspace.command(&["memory"]).env("COLUMNS", columns).output().unwrap();
        assert_eq!((exit_code(&output), text(&output.stderr)), (0, String::new()));
        let table = text(&output.stdout);
        let longest = table.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(longest <= columns.parse().unwrap(), "{columns}: {table}");
        assert!(table.starts_with("sums "), "{table}");
        let headers = table.lines().filter(|line| line.contains(" RAM "));
        let headers: Vec<Vec<&str>> = headers.map(|line| line.split_whitespace().collect()).collect();
        // The last title has no room next to five places on a narrow terminal.
        let names = |line: &[&str]| {
            line.iter().copied().filter(|name| *name != "certainty").collect::<Vec<_>>().join(" ")
        };
        let headers: Vec<String> = headers.iter().map(|line| names(line)).collect();
        assert_eq!(headers, ["part RAM CUDA0", "part RAM CUDA0 CUDA1 CUDA2 CUDA3"]);
        let row = |start: &str| table.lines().find(|line| line.trim_start().starts_with(start)).unwrap();
        assert!(row("GPU `CUDA0` of `box`").contains("of 12 GB, 1.07 GB reserved"), "{table}");
        assert!(!table.contains(" over"), "{table}");
    }
}

#[test]
fn a_gpu_that_is_too_small_is_marked() {
    let output = workspace(&STACK.replace("12 GB", "9 GB")).run(&["memory"]);
    assert_eq!(exit_code(&output), 1);
    assert_eq!(text(&output.stderr), "the registry has 1 error: run `orchgen check`\n");
    let table = text(&output.stdout);
    let row = table.lines().find(|line| line.contains("GPU `CUDA0` of `box`")).unwrap();
    assert!(row.contains("of 9 GB, 1.07 GB reserved: 2.") && row.ends_with(" GB over"), "{table}");
    let output = workspace(&STACK.replace("12 GB", "9 GB")).run(&["memory", "--output-format", "json"]);
    assert_eq!(exit_code(&output), 1);
    let report = json(&output);
    let gpu = &report["hosts"][0]["gpus"][0];
    let number = |name: &str| gpu[name].as_u64().unwrap();
    assert_eq!(number("over"), number("bytes") - (9_000_000_000 - (1 << 30)));
}

#[test]
fn the_json_object_has_the_places() {
    let report = json(&workspace(STACK).run(&["memory", "--output-format", "json"]));
    let role =
        |name: &str| report["roles"].as_array().unwrap().iter().find(|role| role["name"] == name).unwrap();
    let of_parts = |role: &Value, gpu: Option<&str>| -> u64 {
        let parts = role["parts"].as_array().unwrap().iter();
        let here = parts.filter(|part| part.get("gpu").and_then(Value::as_str) == gpu);
        here.filter_map(|part| part["bytes"].as_u64()).sum()
    };
    for (name, count) in [("one", 1), ("all", 4), ("off", 0)] {
        let role = role(name);
        let gpus = role["gpus"].as_array().unwrap();
        assert_eq!((gpus.len(), &role["is_whole"]), (count, &Value::Bool(true)), "{role}");
        assert_eq!(role["bytes"], of_parts(role, None));
        for gpu in gpus {
            assert_eq!(gpu["bytes"], of_parts(role, gpu["name"].as_str()), "{role}");
        }
    }
    let host = &report["hosts"][0];
    let names: Vec<&str> =
        host["gpus"].as_array().unwrap().iter().map(|gpu| gpu["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["CUDA0", "CUDA1", "CUDA2", "CUDA3"]);
    let sum =
        role("one")["gpus"][0]["bytes"].as_u64().unwrap() + role("all")["gpus"][0]["bytes"].as_u64().unwrap();
    let first = &host["gpus"][0];
    assert_eq!(
        (&first["bytes"], &first["over"], &first["is_whole"]),
        (&sum.into(), &0.into(), &Value::Bool(true))
    );
    assert_eq!((&first["memory"], &first["reserve"]), (&12_000_000_000_u64.into(), &(1_u64 << 30).into()));
    // The file of 6.48 GB is mapped once, and the token embeddings are a part of it.
    let ram = host["bytes"].as_u64().unwrap();
    assert!((6_480_000_000..9_000_000_000).contains(&ram), "{ram}");
}

#[test]
fn fit_prints_the_largest_settings() {
    let small = workspace(&STACK.replace("12 GB", "9 GB"));
    let output = small.run(&["memory", "--fit", "one", "--output-format", "json"]);
    assert_eq!((exit_code(&output), text(&output.stderr)), (1, String::new()));
    let report = json(&output);
    assert_eq!(
        (&report["role"], &report["layers"], &report["fits"]),
        (&"one".into(), &32.into(), &Value::Bool(false))
    );
    let settings = report["settings"].as_array().unwrap();
    let fields: Vec<&str> = settings.iter().map(|setting| setting["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["placement.layers"]);
    for setting in settings {
        let gpu = &setting["gpus"][0];
        assert!(gpu["bytes"].as_u64() <= gpu["free"].as_u64(), "{setting}");
    }
    // The proposed layers fit, and one more does not.
    let layers: u64 = settings[0]["value"].as_str().unwrap().parse().unwrap();
    for (layers, code) in [(layers, 0), (layers + 1, 1)] {
        let stack = STACK.replace("12 GB", "9 GB").replace(
            "{ placement gpu=\"CUDA0\" }",
            &format!("{{ placement gpu=\"CUDA0\" layers={layers} }}"),
        );
        let changed = workspace(&stack);
        assert_eq!(exit_code(&changed.run(&["check"])), code, "{layers}");
        assert_eq!(exit_code(&changed.run(&["memory", "--fit", "one"])), code, "{layers}");
    }
    let table = text(&small.run(&["memory", "--fit", "one"]).stdout);
    assert!(
        table.starts_with("`one` does not fit as declared; its model has 32 layers\n  GPU `CUDA0`: "),
        "{table}"
    );
    let output = workspace(STACK).run(&["memory", "--fit", "one"]);
    assert_eq!(exit_code(&output), 0);
    let table = text(&output.stdout);
    assert!(table.starts_with("`one` fits as declared;"), "{table}");
    let row = table.lines().find(|line| line.trim_start().starts_with("placement.layers")).unwrap();
    assert_eq!(row.split_whitespace().nth(1), Some("all"), "{table}");
}

/// A role that the engine fits may take any memory next to this one.
#[test]
fn fit_names_what_it_does_not_count() {
    let stack = STACK.replace("split=\"1:1:1:1\"", "layers=\"fit\"");
    let workspace = workspace(&stack);
    let table = text(&workspace.run(&["memory", "--fit", "one"]).stdout);
    let why = "the engine fits the layers to the free memory of the device";
    assert!(table.contains(&format!("\n  GPU `CUDA0`: not counted: role `all`: {why}\n")), "{table}");
    let report = json(&workspace.run(&["memory", "--fit", "one", "--output-format", "json"]));
    let entry = &report["not_counted"][0];
    assert_eq!((&entry["gpu"], &entry["role"], &entry["why"]), (&"CUDA0".into(), &"all".into(), &why.into()));
    assert_eq!(report["not_counted"].as_array().unwrap().len(), 1);
}

#[test]
fn fit_needs_a_role_with_gpus() {
    let workspace = workspace(STACK);
    for (role, code, message) in [
        ("off", 1, "role `off` has nothing to fit: it has no GPU\n"),
        ("onee", 2, "no engine serves a role `onee`: did you mean `one`?\n"),
        ("nowhere", 2, "no engine serves a role `nowhere`\n"),
    ] {
        for format in ["human", "json"] {
            let output = workspace.run(&["memory", "--fit", role, "--output-format", format]);
            assert_eq!((exit_code(&output), text(&output.stderr)), (code, message.to_owned()));
            assert_eq!(text(&output.stdout), "");
        }
    }
    let fitted = STACK
        .replace("context=16384 { placement gpu=\"CUDA0\" }", "{ context \"fit\"; placement gpu=\"CUDA0\" }");
    let output = self::workspace(&fitted).run(&["memory", "--fit", "one"]);
    let message = "role `one` has nothing to fit: the engine fits its context and its layers\n";
    assert_eq!((exit_code(&output), text(&output.stderr)), (1, message.to_owned()));
    fs::remove_file(workspace.at("registry/registry.lock")).unwrap();
    let output = workspace.run(&["memory", "--fit", "one"]);
    assert_eq!(exit_code(&output), 1);
    assert!(text(&output.stderr).starts_with("role `one` has nothing to fit: "), "{}", text(&output.stderr));
}

/// Without the memory of a GPU, only what is on it is known.
#[test]
fn a_gpu_of_unknown_memory_has_no_limit() {
    let workspace = workspace(&STACK.replace("gpu \"CUDA0\" memory=\"12 GB\"", "gpu \"CUDA0\""));
    let output = workspace.run(&["memory"]);
    let table = text(&output.stdout);
    let row = table.lines().find(|line| line.trim_start().starts_with("GPU `CUDA0` of `box`")).unwrap();
    assert!(row.contains("the memory of the GPU is not declared"), "{table}");
    let report = json(&workspace.run(&["memory", "--output-format", "json"]));
    let gpu = &report["hosts"][0]["gpus"][0];
    assert_eq!((&gpu["memory"], &gpu["reserve"], &gpu["over"]), (&Value::Null, &Value::Null, &0.into()));
    assert!(gpu["bytes"].as_u64() > Some(6_000_000_000), "{gpu}");
    let output = workspace.run(&["memory", "--fit", "one"]);
    let message = "role `one` has nothing to fit: the memory of GPU `CUDA0` is not declared\n";
    assert_eq!((exit_code(&output), text(&output.stderr)), (1, message.to_owned()));
}
