//! The hosts in the documents and in `stack.json`: sums by place, services, and the columns of hosts.

use super::{PLAIN_LOCK, QUIRKS, REFERENCE, TWO_HOSTS, assert_well_formed, files, rows};
use crate::support::compile;
use serde_json::{Value, json};

/// Two hosts with NUMA nodes, a GPU, services, a quirk and speeds. `nine` is on both nodes of its host.
fn stack() -> String {
    let hosts = TWO_HOSTS
        .replace(
            "host \"left\" memory=\"64 GB\"",
            "host \"left\" memory=\"64 GB\" address=\"192.0.2.7\" reserve=\"4 GB\"",
        )
        .replace(
            "host \"right\" memory=\"64 GB\" cpus=\"0-7\" smt=2",
            "host \"right\" memory=\"64 GB\" { numa 0 cpus=\"0-7\" memory=\"32 GB\"; numa 1 cpus=\"8-15\"; gpu \"CUDA0\" memory=\"24 GB\" }",
        );
    hosts
        + r#"
model "third" arch="qwen2" size="6 GB" file="third.gguf"
role "nine" model="third" port=9009 host="right" { placement numa="interleave" gpu="none" }
role "paint" host="right" port=9010 memory="2 GB" { command "/usr/bin/paint" "{port}"; placement gpu="CUDA0" }
service "search" host="left" port=8888 listen="0.0.0.0" memory="1 GB" cpus="0-1"
service "backup" host="right" memory="3 GB"
quirk "repeats" models="tiny" issue="It repeats."
"#
}

#[test]
fn the_reference_has_the_sums_of_each_host_and_the_services() {
    let compiled = compile(&[("stack.kdl", &stack())]);
    let files = files(&compiled);
    let text = &files[REFERENCE];
    assert_well_formed(text);
    assert_eq!(
        rows(text, "## Hosts"),
        [
            "| Host | Address | Place | Available | Sum | May Grow |",
            "| --- | --- | --- | --- | --- | --- |",
            "| left | 192.0.2.7 | `RAM` | 59 GB | at least 4 GB | 8.59 GB |",
            "| right | — | `RAM` | 58 GB | at least 13 GB | 26 GB |",
            "| right | — | `node 0` | 32 GB | at least 3 GB | — |",
            "| right | — | `node 1` | — | at least 3 GB | — |",
            "| right | — | `CUDA0` | 23 GB | unknown | — |",
        ]
    );
    assert_eq!(
        rows(text, "## Services")[2..],
        ["| search | left | `http://192.0.2.7:8888` | 1 GB | 0-1 |", "| backup | right | none | 3 GB | — |",]
    );
    assert_eq!(
        rows(&files["docs/RESULTS.md"], "# Results")[2..],
        ["| three | Tiny | Q8_0 | — | — | 9 t/s | — | right |"]
    );
    assert!(files[QUIRKS].contains("- **Models:** Tiny\n- **Hosts:** right\n- **Issue:** It repeats.\n"));
}

#[test]
fn one_host_has_no_tables_of_hosts() {
    let one = stack()
        .replace("host=\"left\"", "host=\"right\"")
        .replace("two\" model=\"plain\" port=8080", "two\" model=\"plain\" port=8090");
    let files = files(&compile(&[("stack.kdl", &one)]));
    for (path, words) in [
        (REFERENCE, &["## Hosts", "## Services", "Host |"][..]),
        (QUIRKS, &["Hosts:"]),
        ("docs/RESULTS.md", &["Host |"]),
    ] {
        assert!(words.iter().all(|word| !files[path].contains(word)), "{}", files[path]);
    }
    // Programs read the sums of a single host too.
    let json: Value = serde_json::from_str(&files["stack.json"]).unwrap();
    assert_eq!(json["hosts"][1]["roles"], json!(["one", "two", "three", "four", "nine", "paint"]));
}

#[test]
fn stack_json_has_hosts_and_services() {
    let files = files(&compile(&[("stack.kdl", &stack())]));
    let json: Value = serde_json::from_str(&files["stack.json"]).unwrap();
    assert_eq!(
        json["hosts"][0],
        json!({
            "name": "left", "address": "192.0.2.7", "memory": 64_000_000_000_u64,
            "places": [
                {"place": "RAM", "room": 59_000_000_000_u64, "sum": 4_000_000_000_u64, "complete": false}
            ],
            "may_grow": 8_u64 << 30, "roles": ["one"]
        })
    );
    let right = &json["hosts"][1];
    let places: Vec<&str> =
        right["places"].as_array().unwrap().iter().map(|one| one["place"].as_str().unwrap()).collect();
    assert_eq!(places, ["RAM", "node 0", "node 1", "CUDA0"]);
    assert_eq!(right["address"], Value::Null);
    assert_eq!(right["places"][2]["room"], Value::Null);
    assert_eq!(right["roles"], json!(["two", "three", "four", "nine", "paint"]));
    assert_eq!(
        json["services"],
        json!([
            {
                "name": "search", "host": "left", "endpoint": "http://192.0.2.7:8888",
                "memory": 1_000_000_000, "cpus": "0-1"
            },
            {"name": "backup", "host": "right", "endpoint": null, "memory": 3_000_000_000_u64, "cpus": null}
        ])
    );
    // The size of one model is unknown, so the sum of its host is unknown.
    let unknown = stack().replace("title=\"Plain\" quant=\"Q4_K_M\" size=\"4 GB\"", "title=\"Plain\"");
    let files = self::files(&compile(&[("stack.kdl", &unknown)]));
    let json: Value = serde_json::from_str(&files["stack.json"]).unwrap();
    assert_eq!(json["hosts"][0]["places"][0]["sum"], Value::Null, "{json}");
    assert!(
        rows(&files[REFERENCE], "## Hosts")[2].ends_with("| unknown | 8.59 GB |"),
        "{}",
        files[REFERENCE]
    );
}

#[test]
fn a_sum_is_complete_if_all_headers_are_known() {
    let files = files(&compile(&[("stack.kdl", &stack()), ("registry.lock", PLAIN_LOCK)]));
    let json: Value = serde_json::from_str(&files["stack.json"]).unwrap();
    let (left, right) = (&json["hosts"][0]["places"][0], &json["hosts"][1]["places"][0]);
    assert_eq!((&left["complete"], &right["complete"]), (&json!(true), &json!(false)), "{json}");
    let cells = rows(&files[REFERENCE], "## Hosts")[2].split('|').map(str::trim).nth(5);
    assert!(cells.is_some_and(|sum| sum.starts_with('~')), "{}", files[REFERENCE]);
}

#[test]
fn scripts_name_their_host_if_there_are_several() {
    let of_two = files(&compile(&[("stack.kdl", &stack())]));
    for (path, host, usage) in [
        ("bin/one", "left", "This is a role of host left."),
        ("bin/paint", "right", "This is a role of host right."),
        ("bin/prompt/tiny", "right", "with the settings of role three of host right."),
    ] {
        let text = &of_two[path];
        assert!(text.contains(&format!("# For host {host}\nset -euo")) && text.contains(usage), "{text}");
    }
    let one = stack().replace(
        "host \"left\" memory=\"64 GB\" address=\"192.0.2.7\" reserve=\"4 GB\" cpus=\"0-7\" smt=2",
        "",
    );
    let one = one
        .replace("host=\"left\"", "host=\"right\"")
        .replace("two\" model=\"plain\" port=8080", "two\" model=\"plain\" port=8090");
    let of_one = files(&compile(&[("stack.kdl", &one)]));
    for (path, text) in of_one.iter().filter(|(path, _)| path.starts_with("bin/")) {
        assert!(!text.contains("# For host") && !text.contains("of host"), "{path}: {text}");
    }
}
