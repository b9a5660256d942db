//! Gateways in the model reference and in `stack.json`.

use super::{REFERENCE, assert_well_formed, files, rows};
use crate::support::compile;
use serde_json::{Value, json};

pub(super) const STACK: &str = r#"
stack "portal" engine="e" { defaults { context 512; store "m"; tier "t"; residency "hot" } }
engine "e" profile="llama.cpp-b11669" bin="/opt/llama/bin"
host "left" memory="64 GB" address="192.0.2.7"
store "m" path="/srv/models"
tier "t" title="All"
residency "hot" title="always" start="boot"
residency "warm" title="on demand" start="on-demand"
residency "swap" title="one at a time" start="on-demand" at-once=1
gateway "front" port=8000
gateway "open" port=8001 listen="0.0.0.0" key-file="/etc/keys/open"
gateway "both" port=8002 { listen "127.0.0.1" "::1"; }
model "plain" arch="qwen2" title="Plain" size="4 GB" file="plain.gguf" trained-context=32768
model "embed" arch="bert" title="Embed" size="1 GB" file="embed.gguf"
role "chat" model="plain" gateway="front" alias="gpt-4o"
role "helper" shares="chat"
role "vectors" model="embed" gateway="front" residency="warm" pooling="cls"
role "one" model="plain" gateway="open" residency="swap"
role "two" model="embed" gateway="open" residency="swap" pooling="mean"
role "local" model="plain" gateway="both"
role "alone" model="plain" port=8003
role "friend" shares="alone"
"#;

#[test]
fn the_reference_has_one_table_of_gateways() {
    let compiled = compile(&[("stack.kdl", STACK)]);
    let text = files(&compiled).remove(REFERENCE).unwrap();
    assert_well_formed(&text);
    assert_eq!(
        rows(&text, "## Gateways"),
        [
            "| Gateway | Address | Models in Memory | Names |",
            "| --- | --- | --- | --- |",
            "| front | `http://127.0.0.1:8000` | at most 2 | `chat`, `helper`, `gpt-4o`; `vectors` |",
            "| open | `http://192.0.2.7:8001` (needs a key) | at most 1 | `one`; `two` |",
            "| both | `http://127.0.0.1:8002`, `http://[::1]:8002` | at most 1 | `local` |",
        ]
    );
    assert!(text.contains("| chat | Plain | — | 8000 | — |"), "{text}");
    let without: Vec<&str> =
        STACK.lines().filter(|line| !line.contains("gateway") && !line.contains("helper")).collect();
    let without = files(&compile(&[("stack.kdl", &without.join("\n"))]));
    assert!(!without[REFERENCE].contains("ateway") && !without["stack.json"].contains("gateway"));
}

#[test]
fn the_table_names_the_hosts_if_there_are_several() {
    let text = STACK.replace("host \"left\"", "host \"right\" memory=\"64 GB\"\nhost \"left\"");
    let text = text.replace("defaults { ", "defaults { host \"left\"; ");
    let text = text.replace("gateway \"front\"", "gateway \"front\" host=\"right\"");
    let text = text.replace("gateway=\"front\"", "gateway=\"front\" host=\"right\"");
    let text = text.replace("gateway \"open\"", "gateway \"open\" host=\"left\"");
    let text = text.replace("gateway \"both\"", "gateway \"both\" host=\"left\"");
    let text = files(&compile(&[("stack.kdl", &text)])).remove(REFERENCE).unwrap();
    assert_well_formed(&text);
    let hosts: Vec<&str> =
        rows(&text, "## Gateways").iter().map(|row| row.rsplit("| ").next().unwrap()).collect();
    assert_eq!(hosts, ["Host |", "--- |", "right |", "left |", "left |"]);
}

#[test]
fn hostile_aliases_break_no_table() {
    let alias = "a|b `c` ``d <b>e</b> --> *f* [g](h)";
    let text = STACK.replace("\"gpt-4o\"", &format!("\"{alias}\""));
    let text = files(&compile(&[("stack.kdl", &text)])).remove(REFERENCE).unwrap();
    assert_well_formed(&text);
    let row = rows(&text, "## Gateways")[2];
    // In a table, a `|` needs a backslash even in code.
    let code = "```a\\|b `c` ``d <b>e</b> --> *f* [g](h)```";
    assert!(row.contains(code), "{row}");
    assert_eq!(rows(&text, "## Gateways").len(), 5);
}

fn stack_json(text: &str) -> Value {
    serde_json::from_str(&files(&compile(&[("stack.kdl", text)]))["stack.json"]).unwrap()
}

#[test]
fn stack_json_has_the_address_of_the_gateway_of_each_role() {
    let json = stack_json(STACK);
    let role = |name: &str| {
        let roles = json["roles"].as_array().unwrap();
        let role = roles.iter().find(|role| role["name"] == name).unwrap();
        let of = |field: &str| role.get(field).cloned().unwrap_or(json!("missing"));
        json!([of("endpoints"), of("names"), of("gateway"), of("key_required"), of("shares"), of("start")])
    };
    let front = json!(["http://127.0.0.1:8000"]);
    let names = json!(["chat", "helper", "gpt-4o"]);
    assert_eq!(role("chat"), json!([front, names, "front", false, null, "boot"]));
    assert_eq!(role("helper"), json!([front, names, "front", false, "chat", "boot"]));
    assert_eq!(role("vectors"), json!([front, ["vectors"], "front", false, null, "on-demand"]));
    assert_eq!(role("one"), json!([["http://192.0.2.7:8001"], ["one"], "open", true, null, "on-demand"]));
    let alone = json!(["http://127.0.0.1:8003"]);
    assert_eq!(role("alone"), json!([alone, ["alone", "friend"], "missing", false, null, "boot"]));
    assert_eq!(role("friend"), json!([alone, ["alone", "friend"], "missing", false, "alone", "boot"]));
    assert_eq!(json["roles"].as_array().unwrap().len(), 8);
}

#[test]
fn stack_json_lists_the_gateways() {
    let gateway = |name: &str, endpoint: &str, roles: &[&str], at_once: u32, key: bool| {
        json!({
            "name": name, "host": "left", "endpoint": endpoint, "roles": roles, "at_once": at_once, "key_required": key,
        })
    };
    let expected = json!([
        gateway("front", "http://127.0.0.1:8000", &["chat", "vectors"], 2, false),
        gateway("open", "http://192.0.2.7:8001", &["one", "two"], 1, true),
        gateway("both", "http://127.0.0.1:8002", &["local"], 1, false),
    ]);
    assert_eq!(stack_json(STACK)["gateways"], expected);
}
