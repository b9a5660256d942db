//! Documents of a stack whose hosts have a model at different paths, or a DNS name as their address.

use super::{REFERENCE, assert_well_formed, files};
use crate::support::compile;

const STACK: &str = r#"
stack "fleet" engine="e" { defaults { context 512; store "data"; residency "hot"; key-file "/etc/keys/all" } }
engine "e" profile="llama.cpp-b11669" bin="/opt/llama/bin"
host "big" memory="64 GB" cpus="0-7" address="big.example.org"
host "small" memory="64 GB" cpus="0-7" address="192.0.2.8"
store "data" path="/data/models" title="Model files" MOUNTS
residency "hot" title="always" start="boot"
gateway "front" port=8000 host="big" listen="0.0.0.0" key-file="/etc/keys/all"
model "chat" arch="qwen2" title="Chat" size="4 GB" file="chat.gguf" repo="lab/Chat-GGUF" trained-context=32768
role "one" model="chat" gateway="front"
role "two" model="chat" host="small" port=8001 listen="0.0.0.0"
role "three" model="chat" host="big" port=8002 listen="::"
"#;

fn stack(mounts: &str) -> String {
    STACK.replace("MOUNTS", mounts)
}

#[test]
fn each_distinct_path_is_listed() {
    let compiled = compile(&[("a.kdl", &stack("{ mount \"big\"; mount \"small\" path=\"/srv/models\"; }"))]);
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
    let files = files(&compiled);
    assert_well_formed(&files[REFERENCE]);
    let locations = "/data/models/  # Model files on big\n/srv/models/   # Model files on small\n";
    assert!(files[REFERENCE].contains(locations), "{}", files[REFERENCE]);
    let script = &files["bin/fetch/chat"];
    assert!(script.contains("/data/models/lab/Chat-GGUF/chat.gguf"), "{script}");
    assert!(script.contains("/srv/models/lab/Chat-GGUF/chat.gguf"), "{script}");
}

#[test]
fn with_one_path_the_documents_stay_the_same() {
    let written = |mounts: &str| {
        let compiled = compile(&[("a.kdl", &stack(mounts))]);
        assert!(compiled.findings.is_empty(), "{}", compiled.report());
        files(&compiled)
    };
    let plain = written("");
    assert!(plain["bin/fetch/chat"].contains("files=(\n  /data/models/lab/Chat-GGUF/chat.gguf\n)\n"));
    assert_eq!(written("{ mount \"big\"; mount \"small\"; }"), plain);
    assert_eq!(written("{ mount \"big\" path=\"/data/models/\"; mount \"small\"; }"), plain);
}

#[test]
fn the_name_of_a_host_is_in_its_addresses() {
    let files = files(&compile(&[("a.kdl", &stack(""))]));
    let stack: serde_json::Value = serde_json::from_str(&files["stack.json"]).unwrap();
    let text = stack.to_string();
    for address in ["http://big.example.org:8000", "http://192.0.2.8:8001", "http://big.example.org:8002"] {
        assert!(text.contains(address), "{address}: {text}");
    }
    assert!(!text.contains("0.0.0.0:"), "{text}");
    assert!(files[REFERENCE].contains("`http://big.example.org:8000`"), "{}", files[REFERENCE]);
    assert!(files[REFERENCE].contains("big.example.org"), "{}", files[REFERENCE]);
}
