//! `orchgen memory`: the table, the JSON object, and sums with unknown parts.

use super::{BROKEN, Workspace, exit_code, text};
use crate::support::assert_snapshot;
use serde_json::Value;
use std::fs;

/// Two processes of `plain` with the draft `tiny`, which is not in the lock; `plain` with a prompt cache; and `tiny`
/// alone.
const ROLES: &str = "\
role \"pair\" tier=\"A\" residency=\"hot\" model=\"plain\" ports=\"9000-9001\" context=4096 slots=2 draft=\"tiny\"
role \"keeps\" tier=\"A\" residency=\"hot\" model=\"plain\" port=9002 context=4096 prompt-cache=\"1 GiB\"
role \"small\" tier=\"A\" residency=\"hot\" model=\"tiny\" port=9003 context=4096
";

/// A lock with those header values of a small model that memory sums need.
const LOCK: &str = r#"{"format_version": 1, "models": {
  "plain": {"architecture": "qwen2", "file": "plain.gguf", "header": "0", "size": 4400000000,
    "parameters": {"attention.head_count": 28, "attention.head_count_kv": 4, "block_count": 28, "context_length": 32768,
      "embedding_length": 3584, "feed_forward_length": 18944},
    "tensors": {"bytes": {"f32": 1000000, "q4_K": 3600000000, "q6_K": 790000000}, "in_rows_of_8": {"q4_K": 3600000000, "q6_K": 790000000},
      "output": {"q6_K": 447000000}},
    "vocabulary": {"size": 152064, "type": "gpt2"}}}}"#;

pub(super) fn workspace() -> Workspace {
    let workspace = Workspace::new(ROLES);
    fs::write(workspace.at("registry/registry.lock"), LOCK).unwrap();
    workspace
}

#[test]
fn the_default_output_is_a_table() {
    let output = workspace().run(&["memory"]);
    assert_eq!((exit_code(&output), text(&output.stderr)), (0, String::new()));
    assert_snapshot!("cli", "memory", text(&output.stdout));
}

#[test]
fn the_json_output_is_one_object() {
    let output = workspace().run(&["memory", "--output-format", "json"]);
    assert_eq!((exit_code(&output), text(&output.stderr)), (0, String::new()));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let role =
        |name: &str| report["roles"].as_array().unwrap().iter().find(|role| role["name"] == name).unwrap();
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
    let [unknown, file] = drafts.as_slice() else { panic!("{drafts:?}") };
    assert_eq!((&file["declared"], &file["bytes"]), (&true.into(), &500_000_000.into()));
    assert!(
        unknown["not_checked"].as_str().unwrap().contains("run `orchgen lock`")
            && unknown.get("bytes").is_none()
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
    assert_eq!(report["hosts"].as_array().unwrap().len(), 1);
}

/// A sum over a part of the registry would be wrong.
#[test]
fn a_registry_with_errors_gives_no_table() {
    let output = Workspace::new(BROKEN).run(&["memory"]);
    assert_eq!((exit_code(&output), text(&output.stdout)), (1, String::new()));
    assert!(
        text(&output.stderr).contains("uses model `plian`, which is not declared"),
        "{}",
        text(&output.stderr)
    );
    let output = Workspace::new("").run(&["memory", "nowhere"]);
    assert_eq!((exit_code(&output), text(&output.stdout)), (2, String::new()));
}

/// Users need the parts of a sum most when it is over its budget.
#[test]
fn an_exceeded_budget_is_listed() {
    let workspace = workspace();
    let registry = fs::read_to_string(workspace.at("registry/base.kdl")).unwrap();
    let small = "residency \"less\" title=\"less\" start=\"boot\" budget=\"1 GB\"\n\
                 role \"over\" tier=\"A\" residency=\"less\" model=\"plain\" port=9100 context=4096\n";
    fs::write(workspace.at("registry/base.kdl"), format!("{registry}{small}")).unwrap();
    assert_eq!(exit_code(&workspace.run(&["check"])), 1);
    let output = workspace.run(&["memory"]);
    assert_eq!(exit_code(&output), 1);
    assert_eq!(text(&output.stderr), "the registry has 1 error: run `orchgen check`\n");
    let table = text(&output.stdout);
    let row = |start: &str| table.lines().find(|line| line.trim().starts_with(start)).unwrap();
    assert!(
        row("residency `less` on").contains("of 1 GB: 3.")
            && row("residency `less` on").contains(" GB over; may grow to ")
    );
    assert!(!row("residency `hot` on").contains("over") && !row("host ").contains("over"), "{table}");
    let json = workspace.run(&["memory", "--output-format", "json", "--quiet"]);
    assert_eq!((exit_code(&json), text(&json.stderr)), (1, String::new()));
    let report: Value = serde_json::from_slice(&json.stdout).unwrap();
    let less =
        report["residencies"].as_array().unwrap().iter().find(|row| row["residency"] == "less").unwrap();
    assert_eq!(less["over"].as_u64().unwrap(), less["bytes"].as_u64().unwrap() - 1_000_000_000);
    assert_eq!(report["hosts"][0]["over"], 0);
}

/// Roles, services and the reserve use the memory of a host together.
#[test]
fn a_host_that_is_too_small_is_marked() {
    let workspace = Workspace::new("");
    let registry = fs::read_to_string(workspace.at("registry/base.kdl")).unwrap();
    let more = "host \"tiny-box\" memory=\"6 GB\" reserve=\"1 GB\"\n\
                service \"index\" host=\"tiny-box\" port=9500 memory=\"2 GB\"\n\
                role \"there\" tier=\"A\" residency=\"hot\" host=\"tiny-box\" model=\"plain\" port=9601 context=4096\n";
    fs::write(workspace.at("registry/base.kdl"), format!("{registry}{more}")).unwrap();
    let output = workspace.run(&["memory"]);
    let table = text(&output.stdout);
    let row = table.lines().find(|line| line.trim().starts_with("host `tiny-box`"));
    let row = row.unwrap_or_else(|| panic!("{}", text(&output.stderr)));
    assert!(
        row.contains("of 6 GB, 1 GB reserved, 2 GB for services: ") && row.contains(" GB over;"),
        "{table}"
    );
    assert_eq!(exit_code(&output), 1);
}

#[test]
fn the_table_fits_the_terminal() {
    let workspace = workspace();
    for columns in ["60", "80", "200"] {
        let output = workspace.command(&["memory"]).env("COLUMNS", columns).output().unwrap();
        let table = text(&output.stdout);
        let longest = table.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(longest <= columns.parse().unwrap(), "{columns}: {table}");
        let words = |table: &str| table.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(&table), words(&text(&workspace.run(&["memory"]).stdout)));
    }
}

/// Missing facts for memory sums do not count with `--locked`: missing headers are already reported per model.
#[test]
fn unknown_memory_sums_are_not_errors_under_locked() {
    let output = workspace().run(&["check", "--locked", "--output-format", "concise"]);
    let stdout = text(&output.stdout);
    assert!(stdout.contains("not-checked") && stdout.contains("`tiny`"), "{stdout}");
    assert!(!stdout.contains("over-budget") && !stdout.contains("over-host-memory"), "{stdout}");
}

/// Pages locked in memory count once per process, and services use memory of their host.
#[test]
fn locked_weights_and_services_are_listed() {
    let workspace = workspace();
    let registry = fs::read_to_string(workspace.at("registry/base.kdl")).unwrap();
    let more = "service \"search\" port=9500 memory=\"3 GB\"\n\
                role \"fixed\" tier=\"A\" residency=\"hot\" model=\"plain\" ports=\"9600-9601\" context=4096 { placement lock=#true; }\n";
    fs::write(workspace.at("registry/base.kdl"), format!("{registry}{more}")).unwrap();
    let table = text(&workspace.run(&["memory"]).stdout);
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(table.lines().any(|line| words(line) == "weights, locked 4.39 GB +/- 1 %"), "{table}");
    assert!(table.contains("3 GB for services; may grow to"), "{table}");
    let report: Value =
        serde_json::from_slice(&workspace.run(&["memory", "--output-format", "json"]).stdout).unwrap();
    assert_eq!(report["hosts"][0]["services"], 3_000_000_000_u64);
}

/// The models that gateways keep in memory: a number, or sets.
#[test]
fn gateways_have_the_models_that_they_keep() {
    let behind = |name: &str, gateway: &str, residency: &str| {
        format!(
            "role \"{name}\" tier=\"A\" residency=\"{residency}\" model=\"plain\" gateway=\"{gateway}\" context=4096\n"
        )
    };
    let text = "gateway \"front\" port=9100\n\
        gateway \"swap\" port=9200 kind=\"llama-swap\" bin=\"/usr/local/bin/llama-swap\"\n\
        residency \"stay\" title=\"S\" start=\"boot\"\n\
        residency \"pair\" title=\"P\" start=\"on-demand\" at-once=2\nresidency \"one\" title=\"O\" start=\"on-demand\" at-once=1\n"
        .to_owned()
        + &behind("a", "front", "pair")
        + &behind("b", "front", "pair")
        + &behind("c", "front", "pair")
        + &behind("d", "swap", "stay")
        + &behind("e", "swap", "one")
        + &behind("f", "swap", "one");
    let workspace = Workspace::new(&text);
    fs::write(workspace.at("registry/registry.lock"), LOCK).unwrap();
    let table = text_of(&workspace.run(&["memory"]));
    let expected = "\ngateway `front` keeps at most 2 models in memory\n\n\
        gateway `swap`: sets of models that may be in memory together\n  d, e\n  d, f\n";
    assert!(table.contains(expected), "{table}");
    let report: Value =
        serde_json::from_str(&text_of(&workspace.run(&["memory", "--output-format", "json"]))).unwrap();
    let expected = serde_json::json!([
        {"gateway": "front", "at_once": 2, "sets": [], "is_stricter": false, "alone": []},
        {"gateway": "swap", "at_once": 2, "sets": [["d", "e"], ["d", "f"]], "is_stricter": false, "alone": []}
    ]);
    assert_eq!(report["gateways"], expected);
}

/// The roles of llama-swap that are alone because their memory is unknown.
#[test]
fn roles_that_are_alone_have_a_reason() {
    let role = |name: &str| {
        format!(
            "role \"{name}\" tier=\"A\" residency=\"single\" model=\"plain\" gateway=\"swap\" context=4096\n"
        )
    };
    let text = "gateway \"swap\" port=9200 kind=\"llama-swap\" bin=\"/usr/local/bin/llama-swap\"\n\
        residency \"single\" title=\"S\" start=\"on-demand\"\n"
        .to_owned()
        + &role("a")
        + &role("b");
    let table = text_of(&Workspace::new(&text).run(&["memory"]));
    let expected = "\n  a\n  b\n  alone, because not all memory of the host is known: a, b\n";
    assert!(table.contains(expected), "{table}");
}

fn text_of(output: &std::process::Output) -> String {
    assert_eq!((exit_code(output), text(&output.stderr)), (0, String::new()));
    text(&output.stdout)
}
