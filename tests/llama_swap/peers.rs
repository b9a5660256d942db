//! Peers in the configuration of llama-swap, in the documents and in `stack.json`.

use super::{config, mapping, texts};
use crate::support::{Compiled, compile};
use proptest::prelude::*;
use serde_yaml::Value;
use std::collections::BTreeSet;

/// A gateway on `big` with peers on both hosts.
pub(super) const PEERS: &str = r#"
stack "home" engine="e" { defaults { context 512; store "m" } }
engine "e" profile="llama.cpp-b11669" bin="/opt/llama/bin"
host "big" memory="256 GB" address="192.0.2.7"
host "small" memory="256 GB" address="192.0.2.8"
store "m" path="/srv/models"
gateway "front" port=8000 host="big" kind="llama-swap" bin="/usr/bin/llama-swap" { peer "routed" "alone" "speech" "near" }
gateway "routed" port=8100 host="small" listen="0.0.0.0" key-file="/etc/keys/routed"
model "chat" arch="qwen2" size="4 GB" file="chat.gguf"
role "chat" model="chat" gateway="front" host="big"
role "far" model="chat" gateway="routed" host="small" alias="gpt-4o"
role "sharer" shares="far"
role "alone" model="chat" ports="8200-8201" host="small" listen="192.0.2.9" key-file="/etc/keys/alone"
role "speech" port=8300 host="small" listen="0.0.0.0" memory="1 GB" { command "/usr/bin/speech" "{port}" }
role "near" model="chat" port=8400 host="big" listen="::"
"#;

fn peers() -> Compiled {
    compile(&[("stack.kdl", PEERS)])
}

#[test]
fn a_peer_has_its_address_its_names_and_its_key() {
    let (text, config) = config(&peers(), "front");
    let of = |name: &str| {
        let peer = &config["peers"][name];
        (peer["proxy"].as_str().unwrap().to_owned(), texts(&peer["models"]), peer["apiKey"].as_str())
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(mapping(&config, &["peers"]).len(), 4);
    assert_eq!(
        of("routed"),
        (
            "http://192.0.2.8:8100".to_owned(),
            names(&["far", "sharer", "gpt-4o"]),
            Some("${env.ORCHGEN_PEER_KEY_1}")
        )
    );
    assert_eq!(
        of("alone"),
        ("http://192.0.2.9:8200".to_owned(), names(&["alone"]), Some("${env.ORCHGEN_PEER_KEY_2}"))
    );
    assert_eq!(of("speech"), ("http://192.0.2.8:8300".to_owned(), names(&["speech"]), None));
    assert_eq!(of("near"), ("http://[::1]:8400".to_owned(), names(&["near"]), None));
    assert_eq!(config["peers"]["near"]["timeouts"]["responseHeader"], Value::from(0));
    // No generated file has a key.
    assert!(text.contains("    apiKey: \"${env.ORCHGEN_PEER_KEY_1}\"\n"), "{text}");
    let without = PEERS.replace(" { peer \"routed\" \"alone\" \"speech\" \"near\" }", "");
    let (text, _) = super::config(&compile(&[("stack.kdl", &without)]), "front");
    assert!(!text.contains("peers"), "{text}");
}

#[test]
fn the_documents_and_stack_json_have_the_peers() {
    let files = peers().files();
    let reference = &files["docs/MODEL_REFERENCE.md"].0;
    assert!(
        reference.contains(
            "| `chat`; `far`, `sharer`, `gpt-4o` (by `routed` on small); `alone` (by `alone` on small); "
        ),
        "{reference}"
    );
    let json: serde_json::Value = serde_json::from_str(&files["stack.json"].0).unwrap();
    assert_eq!(json["gateways"][0]["peers"].as_array().unwrap().len(), 4);
    assert_eq!(
        json["gateways"][0]["peers"][0],
        serde_json::json!({
            "name": "routed", "host": "small", "endpoint": "http://192.0.2.8:8100",
            "names": ["far", "sharer", "gpt-4o"]
        })
    );
    assert!(json["gateways"][1].get("peers").is_none());
    let report = &files["report.html"].0;
    assert!(report.contains("By routed on small") && report.contains(":8000 · and 4 peers"), "{report}");
    // The sandbox lets the gateway connect to them, and it gets their keys as files.
    let unit = &files["systemd/big/home-front.service"].0;
    assert!(
        unit.contains("LoadCredential=peer-1:/etc/keys/routed\nLoadCredential=peer-2:/etc/keys/alone\n"),
        "{unit}"
    );
    assert!(unit.contains("192.0.2.8") && unit.contains("192.0.2.9"), "{unit}");
}

/// The names for which a configuration has a model, an alias or a peer.
fn routed(config: &Value) -> Vec<String> {
    let mut all = Vec::new();
    for (name, model) in mapping(config, &["models"]) {
        all.push(name.as_str().unwrap().to_owned());
        all.extend(texts(&model["aliases"]));
    }
    for (name, peer) in config["peers"].as_mapping().into_iter().flatten() {
        let models = texts(&peer["models"]);
        all.extend(models.iter().map(|model| format!("{}/{model}", name.as_str().unwrap())));
        all.extend(models);
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// With any names of roles, aliases and peers, each name is routed once, or orchgen reports an error.
    #[test]
    fn each_name_is_routed_once(
        aliases in prop::collection::vec(prop::sample::select(vec!["a", "b", "chat", "far", "alone", "routed/far", "alone/a"]), 4),
        chosen in prop::collection::btree_set(prop::sample::select(vec!["routed", "alone", "speech", "near"]), 1..4),
    ) {
        let peers = chosen.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(" ");
        let mut text = PEERS.replace("\"routed\" \"alone\" \"speech\" \"near\"", &peers).replace("alias=\"gpt-4o\"", "ALIAS");
        for (role, alias) in ["chat", "far", "alone", "near"].iter().zip(&aliases) {
            let start = format!("role \"{role}\" model=\"chat\"");
            text = text.replace(&start, &format!("{start} alias=\"{alias}\"")).replace(" ALIAS", "");
        }
        let compiled = compile(&[("stack.kdl", &text)]);
        if compiled.checked.is_some() {
            let (_, config) = config(&compiled, "front");
            let all = routed(&config);
            let unique: BTreeSet<&String> = all.iter().collect();
            prop_assert_eq!(all.len(), unique.len(), "{:?}", all);
        } else {
            let known = ["ambiguous-name", "repeated-alias", "port-conflict"];
            prop_assert!(compiled.codes().iter().any(|code| known.contains(code)), "{}", compiled.report());
        }
    }
}

mod tools {
    use super::{PEERS, peers};
    use crate::outside::{self, folder, python_tool};
    use crate::support::repository;
    use std::fs;
    use std::process::Command;

    #[test]
    fn the_schema_of_llama_swap_accepts_peers() {
        let folder = folder();
        peers().write(folder.path());
        let output = python_tool("check-jsonschema")
            .arg("--schemafile")
            .arg(repository().join("tests/llama_swap/config-schema.json"))
            .arg(folder.path().join("llama-swap/front.yaml"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }

    /// The copy of the configuration that the unit writes with these key files, and the output of its command.
    fn write_keys(gateway_key: &str, routed: &str) -> (std::process::Output, String) {
        let text = PEERS.replace("kind=\"llama-swap\"", &format!("kind=\"llama-swap\" {gateway_key}"));
        let compiled = crate::support::compile(&[("stack.kdl", &text)]);
        let files = compiled.files();
        let unit = files["systemd/big/home-front.service"].0.replace("\\\n", " ");
        let start = "ExecStartPre=:/bin/bash -c '";
        let mut commands = unit.lines().filter_map(|line| line.strip_prefix(start));
        let command = commands.find(|line| line.contains("CREDENTIALS_DIRECTORY")).unwrap();
        let (script, words) = command.split_once("' \"- ").unwrap();
        let script = script.replace("\\\\", "\\").replace("%%", "%");
        let words = outside::split_words(&format!("\"- {words}"));
        assert_eq!(words[1..3], ["/etc/orchgen/home/front.yaml", "%t/home-front/front.yaml"]);
        let dir = folder();
        for (name, key) in [("api-key", "own\n"), ("peer-1", routed), ("peer-2", "other & 'key'\nsecond\n")] {
            outside::write(&dir.path().join(name), key, 0o600);
        }
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        outside::write(&from, &files["llama-swap/front.yaml"].0, 0o644);
        let mut command = Command::new("/bin/bash");
        command.args(["-c", &script, &words[0]]).arg(&from).arg(&to).args(&words[3..]);
        let output = command.env("CREDENTIALS_DIRECTORY", dir.path()).output().unwrap();
        let path = dir.path().join("script");
        outside::write(&path, &format!("#!/bin/bash\n{script}\n"), 0o755);
        assert_eq!(outside::shellcheck([path]), "");
        (output, fs::read_to_string(to).unwrap_or_default())
    }

    #[test]
    fn the_unit_writes_the_first_key_of_each_peer_into_its_copy() {
        for gateway_key in ["", "key-file=\"/etc/keys/own\" listen=\"0.0.0.0\""] {
            let (output, text) = write_keys(gateway_key, "# all\n\nit's 100%\n");
            assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
            let config: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
            assert_eq!(config["peers"]["routed"]["apiKey"], "it's 100%", "{text}");
            assert_eq!(config["peers"]["alone"]["apiKey"], "other & 'key'");
            assert_eq!(config["apiKeys"][0].as_str(), (!gateway_key.is_empty()).then_some("own"));
        }
        for (keys, message) in [
            ("\n#\n", "the key file of a peer has no key"),
            ("a\r\n", "the key of a peer has a control character, or a dollar sign and a brace"),
            ("a${B}\n", "the key of a peer has a control character, or a dollar sign and a brace"),
        ] {
            let (output, _) = write_keys("", keys);
            assert_eq!(output.status.code(), Some(1), "{keys:?}");
            assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), message);
        }
    }
}
