//! `orchgen memory`: the table, the object, and what it does where it cannot know.

use super::{BROKEN, Ground, code, text};
use serde_json::Value;
use std::fs;

/// Two processes of `plain` that draft with `tiny`, of which the lock knows nothing; `tiny` by itself; and a projector.
const ROLES: &str = "\
role \"pair\" tier=\"A\" residency=\"hot\" model=\"plain\" ports=\"9000-9001\" context=4096 slots=2 draft=\"tiny\"
role \"keeps\" tier=\"A\" residency=\"hot\" model=\"plain\" port=9002 context=4096 prompt-cache=\"1 GiB\"
role \"small\" tier=\"A\" residency=\"hot\" model=\"tiny\" port=9003 context=4096
";

/// As much of the header of a small model as memory needs.
const LOCK: &str = r#"{"format_version": 1, "models": {
  "plain": {"architecture": "qwen2", "file": "plain.gguf", "header": "0", "size": 4400000000,
    "parameters": {"attention.head_count": 28, "attention.head_count_kv": 4, "block_count": 28, "context_length": 32768,
      "embedding_length": 3584, "feed_forward_length": 18944},
    "tensors": {"bytes": {"f32": 1000000, "q4_K": 3600000000, "q6_K": 790000000}, "in_rows_of_8": {"q4_K": 3600000000, "q6_K": 790000000},
      "output": {"q6_K": 447000000}},
    "vocabulary": {"size": 152064, "type": "gpt2"}}}}"#;

fn ground() -> Ground {
    let ground = Ground::new(ROLES);
    fs::write(ground.at("registry/registry.lock"), LOCK).unwrap();
    ground
}

#[test]
fn people_get_a_table() {
    let output = ground().run(&["memory"]);
    assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
    insta::assert_snapshot!("memory", text(&output.stdout));
}

#[test]
fn programs_get_an_object() {
    let output = ground().run(&["memory", "--output-format", "json"]);
    assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    let role =
        |name: &str| shown["roles"].as_array().unwrap().iter().find(|role| role["name"] == name).unwrap();
    let pair = role("pair");
    assert_eq!(
        (&pair["name"], &pair["processes"], &pair["is_whole"]),
        (&"pair".into(), &2.into(), &false.into())
    );
    let parts = pair["parts"].as_array().unwrap();
    // 28 layers, 4 heads of 128 for keys and for values, 2 slots of 4096 tokens in f16.
    let cache = parts.iter().find(|part| part["kind"] == "cache").unwrap();
    assert_eq!(
        (&cache["bytes"], &cache["within_percent"]),
        (&(28 * 2 * 4 * 128 * 2 * 8192).into(), &1.into())
    );
    let drafts: Vec<&Value> = parts.iter().filter(|part| part["of"] == "draft").collect();
    let [open, file] = drafts.as_slice() else { panic!("{drafts:?}") };
    assert_eq!((&file["declared"], &file["bytes"]), (&true.into(), &500_000_000.into()));
    assert!(
        open["not_checked"].as_str().unwrap().contains("run `orchgen lock`") && open.get("bytes").is_none()
    );
    let sum: u64 = parts.iter().filter_map(|part| part["bytes"].as_u64()).sum();
    assert_eq!(pair["bytes"], sum);
    let prompts = role("keeps")["parts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|part| part["kind"] == "prompt_cache")
        .unwrap();
    assert_eq!((&prompts["bytes"], &prompts["at_most"]), (&(1_u64 << 30).into(), &true.into()));
    let small = &role("small")["parts"];
    assert_eq!((&small[0]["declared"], &small[0]["bytes"]), (&true.into(), &500_000_000.into()));
    assert_eq!(shown["hosts"].as_array().unwrap().len(), 1);
}

/// A sum of a part is no sum.
#[test]
fn a_registry_with_errors_has_no_table() {
    let output = Ground::new(BROKEN).run(&["memory"]);
    assert_eq!((code(&output), text(&output.stdout)), (1, String::new()));
    assert!(text(&output.stderr).contains("names the unknown model `plian`"), "{}", text(&output.stderr));
    let output = Ground::new("").run(&["memory", "nowhere"]);
    assert_eq!((code(&output), text(&output.stdout)), (2, String::new()));
}

/// What is over its budget is what people want to see the parts of.
#[test]
fn a_budget_that_does_not_hold_is_shown() {
    let ground = ground();
    let registry = fs::read_to_string(ground.at("registry/base.kdl")).unwrap();
    let small = "residency \"less\" title=\"less\" start=\"boot\" budget=\"1 GB\"\n\
                 role \"over\" tier=\"A\" residency=\"less\" model=\"plain\" port=9100 context=4096\n";
    fs::write(ground.at("registry/base.kdl"), format!("{registry}{small}")).unwrap();
    assert_eq!(code(&ground.run(&["check"])), 1);
    let output = ground.run(&["memory"]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let table = text(&output.stdout);
    assert!(
        table.lines().any(|line| line.trim().starts_with("residency `less` on") && line.contains("of 1 GB")),
        "{table}"
    );
}

/// What the lock does not know of a model is said of the model; what it cannot tell of memory is no error under `--locked`.
#[test]
fn sums_are_no_error_where_everything_has_to_be_proved() {
    let output = ground().run(&["check", "--locked", "--output-format", "concise"]);
    let said = text(&output.stdout);
    assert!(said.contains("not-checked") && said.contains("`tiny`"), "{said}");
    assert!(!said.contains("over-budget") && !said.contains("over-host-memory"), "{said}");
}

/// Locked pages are counted once a process, and services take memory of their host.
#[test]
fn locked_weights_and_services_are_named() {
    let ground = ground();
    let registry = fs::read_to_string(ground.at("registry/base.kdl")).unwrap();
    let more = "service \"search\" port=9500 memory=\"3 GB\"\n\
                role \"fixed\" tier=\"A\" residency=\"hot\" model=\"plain\" ports=\"9600-9601\" context=4096 { placement lock=#true; }\n";
    fs::write(ground.at("registry/base.kdl"), format!("{registry}{more}")).unwrap();
    let table = text(&ground.run(&["memory"]).stdout);
    assert!(table.contains("weights, locked  4.39 GB  within 1 %\n"), "{table}");
    assert!(table.lines().last().unwrap().ends_with("3 GB for services"), "{table}");
    let shown: Value =
        serde_json::from_slice(&ground.run(&["memory", "--output-format", "json"]).stdout).unwrap();
    assert_eq!(shown["hosts"][0]["services"], 3_000_000_000_u64);
}
