//! The target `prometheus`: the processes with metrics, in the format of `file_sd_configs`.

use crate::support::{Compiled, compile};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Two hosts with roles of all kinds. Those with metrics are `plain`, `several`, `by-variable` and the ones at boot behind
/// `front`, `swap` and `locked`.
const STACK: &str = r#"
stack "home" engine="e" { defaults { context 512; store "m"; tier "t"; residency "hot" } }
engine "e" profile="llama.cpp-b11669" bin="/opt/llama/bin"
host "big" memory="256 GB" address="192.0.2.7"
host "small" memory="256 GB" address="2001:db8::7"
store "m" path="/srv/models"
tier "t" title="All"
residency "hot" title="always" start="boot"
residency "warm" title="on demand" start="on-demand"
gateway "front" port=8000 host="big" listen="0.0.0.0" metrics=#true key-file="/etc/keys/all"
gateway "swap" port=8001 host="small" kind="llama-swap" bin="/usr/bin/llama-swap" metrics=#true
gateway "sets" port=8102 host="small" kind="llama-swap" bin="/usr/bin/llama-swap" metrics=#true {
    set "in-all" "in-one"
    set "in-all" "other"
}
model "chat" arch="qwen2" size="4 GB" file="chat.gguf"
role "plain" model="chat" port=8010 host="big" listen="0.0.0.0" { options metrics=#true }
role "sharer" shares="plain"
role "several" model="chat" ports="8020-8021" host="small" listen="::" { options metrics=#true }
role "by-variable" model="chat" port=8030 host="small" { env { LLAMA_ARG_ENDPOINT_METRICS "1" } }
role "off" model="chat" port=8040 host="small" { env { LLAMA_ARG_ENDPOINT_METRICS "0" } }
role "without" model="chat" port=8050 host="small"
role "asleep" model="chat" port=8060 host="small" residency="warm" { options metrics=#true }
role "program" port=8070 host="big" memory="1 GB" { command "/usr/bin/paint" "{port}" "--metrics" }
role "routed" model="chat" gateway="front" host="big" alias="gpt-4o"
role "routed-warm" model="chat" gateway="front" host="big" residency="warm"
role "swapped" model="chat" gateway="swap" host="small"
role "swapped-warm" model="chat" gateway="swap" host="small" residency="warm"
role "in-all" model="chat" gateway="sets" host="small"
role "in-one" model="chat" gateway="sets" host="small"
role "other" model="chat" gateway="sets" host="small"
"#;

const PATH: &str = "prometheus/home.json";

#[track_caller]
fn text(compiled: &Compiled) -> String {
    compiled.files().remove(PATH).unwrap().0
}

fn groups(text: &str) -> Vec<Value> {
    serde_json::from_str::<Vec<Value>>(text).unwrap()
}

#[test]
fn each_process_with_metrics_has_one_entry() {
    let groups = groups(&text(&compile(&[("stack.kdl", STACK)])));
    let of = |host: &str, role: &str, more: &Value| {
        let mut labels = json!({"stack": "home", "host": host, "role": role, "tier": "t", "model": "chat"});
        let more = more.as_object().unwrap().clone();
        labels.as_object_mut().unwrap().extend(more);
        labels
    };
    let expected = [
        json!({"targets": ["192.0.2.7:8010"], "labels": of("big", "plain", &json!({}))}),
        json!({"targets": ["[2001:db8::7]:8020"], "labels": of("small", "several", &json!({"number": "0"}))}),
        json!({"targets": ["[2001:db8::7]:8021"], "labels": of("small", "several", &json!({"number": "1"}))}),
        json!({"targets": ["127.0.0.1:8030"], "labels": of("small", "by-variable", &json!({}))}),
        json!({"targets": ["192.0.2.7:8000"], "labels": of("big", "routed", &json!({
            "gateway": "front", "__param_model": "routed", "__param_autoload": "false",
            "__meta_orchgen_key_file": "/etc/keys/all"
        }))}),
        json!({"targets": ["127.0.0.1:8001"], "labels": of("small", "swapped", &json!({
            "gateway": "swap", "__metrics_path__": "/upstream/swapped/metrics"
        }))}),
        json!({"targets": ["127.0.0.1:8102"], "labels": of("small", "in-all", &json!({
            "gateway": "sets", "__metrics_path__": "/upstream/in-all/metrics"
        }))}),
    ];
    assert_eq!(groups, expected);
}

#[test]
fn there_is_no_file_without_metrics() {
    let without = STACK
        .replace("{ options metrics=#true }", "")
        .replace(" metrics=#true", "")
        .replace("METRICS \"1\"", "METRICS \"off\"");
    assert!(!compile(&[("stack.kdl", &without)]).files().contains_key(PATH));
    // A stack with other targets has none either.
    let other = STACK.replace("engine=\"e\" {", "engine=\"e\" { targets \"docs\";");
    assert!(!compile(&[("stack.kdl", &other)]).files().contains_key(PATH));
    let only = STACK.replace("engine=\"e\" {", "engine=\"e\" { targets \"prometheus\";");
    assert_eq!(compile(&[("stack.kdl", &only)]).files().into_keys().collect::<Vec<_>>(), [PATH]);
}

/// The rules of Prometheus: known keys, addresses without a scheme, and names of labels that all versions accept (`Validate` of
/// `config/config.go` and `UnmarshalJSON` of `discovery/targetgroup/targetgroup.go` of 2.42).
#[track_caller]
fn assert_valid(groups: &[Value]) {
    let mut known: BTreeSet<String> = BTreeSet::new();
    for group in groups {
        let group = group.as_object().unwrap();
        assert_eq!(group.keys().collect::<Vec<_>>(), ["labels", "targets"]);
        let targets = group["targets"].as_array().unwrap();
        assert_eq!(targets.len(), 1);
        targets[0].as_str().unwrap().parse::<std::net::SocketAddr>().unwrap();
        for (name, value) in group["labels"].as_object().unwrap() {
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            assert!(name.bytes().all(is_name) && !name.as_bytes()[0].is_ascii_digit(), "{name}");
            assert!(!["job", "instance"].contains(&&**name), "Prometheus sets {name}");
            assert!(value.is_string(), "{name}: {value}");
        }
        // Two equal sets of labels would be one series.
        assert!(known.insert(serde_json::to_string(group).unwrap()), "{group:?}");
    }
}

#[test]
fn labels_are_valid_with_any_names() {
    assert_valid(&groups(&text(&compile(&[("stack.kdl", STACK)]))));
    let hostile = STACK.replace("tier \"t\"", "tier \"9.a-b_C\"").replace("plain\"", "0.-_x\"");
    let hostile = hostile.replace("/etc/keys/all", "/etc/ä \\\\x22");
    let compiled = compile(&[("stack.kdl", &hostile)]);
    let groups = groups(&text(&compiled));
    assert_valid(&groups);
    assert_eq!(groups[0]["labels"]["role"], "0.-_x");
    assert_eq!(groups[4]["labels"]["__meta_orchgen_key_file"], "/etc/ä \\x22");
}

mod tools {
    use super::{PATH, STACK, groups, text};
    use crate::outside::{folder, python_tool};
    use crate::support::{compile, repository};
    use std::fs;
    use std::process::Command;

    /// The standard output of promtool, which must succeed.
    #[track_caller]
    fn run(command: &mut Command) -> String {
        let output = command.output().unwrap();
        let shown =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{shown}");
        shown
    }

    #[test]
    fn promtool_accepts_the_file_and_finds_each_process() {
        let folder = folder();
        let compiled = compile(&[("stack.kdl", STACK)]);
        compiled.write(folder.path());
        // The configuration that the guide shows, with the file of this test.
        let page = fs::read_to_string(repository().join("templates/guide/metrics.md")).unwrap();
        let config = page.split("```yaml prometheus.yml\n").nth(1).unwrap().split("```").next().unwrap();
        let of_guide = "/etc/prometheus/orchgen/home.json";
        assert!(config.contains(of_guide), "{config}");
        let config = config.replace(of_guide, &folder.path().join(PATH).display().to_string());
        let key = folder.path().join("home.key");
        fs::write(&key, "secret\n").unwrap();
        let config = config.replace("/etc/prometheus/home.key", &key.display().to_string());
        let path = folder.path().join("prometheus.yml");
        fs::write(&path, &config).unwrap();
        let shown = run(python_tool("promtool").args(["check", "config"]).arg(&path));
        assert!(shown.contains("SUCCESS") && !shown.contains("WARNING"), "{shown}");
        let found = run(python_tool("promtool")
            .args(["check", "service-discovery", "--timeout=3s"])
            .arg(&path)
            .arg("home"));
        let groups = groups(&text(&compiled));
        assert_eq!(found.matches("\"role\":").count(), 2 * groups.len(), "{found}");
        assert!(found.contains("\"instance\": \"192.0.2.7:8010\""), "{found}");
        assert!(!found.contains("\"error\""), "{found}");
        // promtool would refuse a damaged file.
        let damaged = text(&compiled).replace("\"role\"", "\"ro-le\"");
        fs::write(folder.path().join(PATH), damaged).unwrap();
        let output = python_tool("promtool").args(["check", "config"]).arg(&path).output().unwrap();
        assert!(!output.status.success());
    }
}
