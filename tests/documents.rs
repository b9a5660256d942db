//! The documents: compared with the manually written one, updated with the registry, and well-formed for any text.

mod cells;
mod columns;
mod gateways;
mod hosts;
mod places;

use crate::support::assert_snapshot;
use crate::support::{Compiled, compile, compile_folder};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

const REFERENCE: &str = "docs/MODEL_REFERENCE.md";
const QUIRKS: &str = "docs/QUIRKS.md";

fn project() -> &'static Path {
    crate::support::repository()
}

/// The text of each generated file.
#[track_caller]
fn files(compiled: &Compiled) -> BTreeMap<String, String> {
    compiled.files().into_iter().map(|(path, (text, _))| (path, text)).collect()
}

#[test]
fn the_registry_of_the_project_has_no_finding() {
    let compiled = compile_folder(&project().join("registry"));
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
}

/// The registry of the project with changed files. A replaced text must exist.
struct Edited(BTreeMap<String, String>);

impl Edited {
    fn new() -> Self {
        let files = std::fs::read_dir(project().join("registry")).unwrap().map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).unwrap())
        });
        Self(files.collect())
    }

    #[track_caller]
    fn replace(mut self, file: &str, old: &str, new: &str) -> Self {
        let text = self.0.get_mut(file).unwrap();
        assert!(text.contains(old), "{file} has no {old}");
        *text = text.replace(old, new);
        self
    }

    /// Removes the text from `start` up to the next blank line.
    #[track_caller]
    fn without_block(mut self, file: &str, start: &str) -> Self {
        let text = self.0.get_mut(file).unwrap();
        let from = text.find(start).unwrap();
        let to = text[from..].find("\n\n").map_or(text.len(), |end| from + end + 2);
        text.replace_range(from..to, "");
        self
    }

    /// Removes the text from `start` to the next `end`.
    #[track_caller]
    fn without_lines(mut self, file: &str, start: &str, end: &str) -> Self {
        let text = self.0.get_mut(file).unwrap();
        let from = text.find(start).unwrap();
        let to = from + text[from..].find(end).unwrap() + end.len();
        text.replace_range(from..to, "");
        self
    }

    #[track_caller]
    fn files(&self) -> BTreeMap<String, String> {
        let texts: Vec<(&str, &str)> = self.0.iter().map(|(name, text)| (&**name, &**text)).collect();
        let compiled = compile(&texts);
        assert!(compiled.findings.is_empty(), "{}", compiled.report());
        files(&compiled)
    }
}

/// Asserts that no file contains the old word, and that each file that contained it contains the new one. File names change too.
#[track_caller]
fn assert_replaced(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
    old: &str,
    new: &str,
) {
    assert_absent(after, old);
    let mut count = 0;
    for (path, text) in before {
        if !path.contains(old) && !text.contains(old) {
            continue;
        }
        count += 1;
        let renamed = path.replace(old, new);
        let new_text = after.get(&renamed);
        assert!(new_text.is_some(), "{renamed} is missing");
        assert!(!text.contains(old) || new_text.unwrap().contains(new), "{renamed} does not contain {new}");
    }
    assert!(count > 0, "no file contained {old}");
}

#[track_caller]
fn assert_absent(after: &BTreeMap<String, String>, old: &str) {
    for (path, text) in after {
        assert!(!path.contains(old) && !text.contains(old), "{path} still contains {old}");
    }
}

#[test]
fn a_renamed_role_changes_everywhere() {
    let after = Edited::new().replace("roles.yaml", "worker_general", "helper_one").files();
    let before = Edited::new().files();
    assert_replaced(&before, &after, "worker_general", "helper_one");
    assert!(after[REFERENCE].contains("*(shared with helper_one)*"));
}

#[test]
fn a_changed_port_changes_everywhere() {
    let before = Edited::new().files();
    let after = Edited::new().replace("roles.yaml", "port: 8083", "port: 9183").files();
    assert_replaced(&before, &after, "8083", "9183");
    let after = Edited::new().replace("roles.yaml", "8090-8095", "9190-9191").files();
    assert_absent(&after, "8095");
    assert!(after[REFERENCE].contains("| embedder (2x) | BGE-large-en-v1.5 | F16 | 9190-9191 |"));
}

#[test]
fn a_removed_model_disappears_everywhere() {
    let after = Edited::new()
        .without_block("models.yaml", "  qwen3-coder-480b:\n")
        .without_block("roles.yaml", "  architect_coding:\n")
        .without_lines("rules.kdl", "ban target=\"qwen3-coder-480b\"", "\n")
        .without_lines("rules.kdl", "quirk \"Qwen3-Coder-480B", "}\n")
        .files();
    for old in ["480b", "480B", "architect_coding", "8084", "BOS token"] {
        assert_absent(&after, old);
    }
    let text = &after[REFERENCE];
    assert!(text.contains("| WARM (load on demand) | architects, ingest, vision | ~203 GB |"), "{text}");
    assert!(text.contains("| Total available | All models loaded | ~257 GB |"));
    assert_well_formed(text);
}

#[test]
fn the_last_vision_model_and_all_rules_disappear_everywhere() {
    let mut edited = Edited::new()
        .without_block("models.yaml", "  qwen2.5-vl-7b:\n")
        .without_block("models.yaml", "  qwen3-vl-30b:\n")
        .without_block("roles.yaml", "  worker_vision:\n")
        .without_block("roles.yaml", "  vision_escalation:\n")
        .without_lines("families.kdl", "family \"qwen2.5-vl\"", "\n")
        .without_lines("families.kdl", "family \"qwen3-vl\"", "\n");
    edited.0.remove("rules.kdl");
    let after = edited.files();
    for old in ["VL", "Vision", "vision", "QUIRKS", "Speculative Decoding Pairs", "mmproj"] {
        assert_absent(&after, old);
    }
    assert!(!after.contains_key(QUIRKS));
    let text = &after[REFERENCE];
    assert!(text.contains("| Qwen3-Next-* | Any | SSM state corruption |"), "{text}");
    assert_well_formed(text);
}

/// The number of cells of a table row. An escaped `|` does not separate cells.
fn cells(row: &str) -> usize {
    let (mut count, mut escaped) = (0, false);
    for c in row.chars() {
        count += usize::from(c == '|' && !escaped);
        escaped = c == '\\' && !escaped;
    }
    count
}

/// Asserts that sections and tables are not empty, rows have as many cells as the header, code blocks are closed, and no two
/// blank lines follow each other.
#[track_caller]
fn assert_well_formed(text: &str) {
    assert!(text.starts_with("<!-- @generated by orchgen. DO NOT EDIT. Regenerate: orchgen build -->\n\n# "));
    assert!(text.ends_with('\n') && !text.ends_with("\n\n") && !text.contains("\n\n\n"), "{text}");
    let (mut in_code, mut last) = (false, String::new());
    let mut table: Vec<&str> = Vec::new();
    for line in text.lines().chain([""]) {
        if line.starts_with("```") {
            in_code = !in_code;
        }
        if in_code || line.starts_with("```") {
            "code".clone_into(&mut last);
            continue;
        }
        if line.starts_with('|') {
            table.push(line);
        } else if !table.is_empty() {
            assert!(
                table.len() > 2 && line.is_empty(),
                "a table without rows, or without a blank line before {line:?}: {table:#?}"
            );
            assert!(
                table.iter().all(|row| cells(row) == cells(table[0]) && row.ends_with('|')),
                "{table:#?}"
            );
            assert!(table[1].chars().all(|c| "|- ".contains(c)), "{table:#?}");
            table.clear();
        }
        if line.starts_with('#') {
            let level = |line: &str| line.bytes().take_while(|b| *b == b'#').count();
            let empty = last.starts_with('#') && level(line) <= level(&last);
            assert!(!empty, "no text between {last} and {line}");
        }
        assert_eq!(line.trim_end(), line);
        if !line.is_empty() {
            line.clone_into(&mut last);
        }
    }
    assert!(!in_code, "a code block is not closed");
}

const MINIMAL: &str = r#"
stack "one" engine="upstream"
engine "upstream" profile="llama.cpp-b11434" bin="/opt/llama/bin"
host "box" memory="64 GB"
tier "a" title="All"
residency "always" title="from boot on" start="boot"
family "lama" arch="llama"
model "m" family="lama" title="Mid-8B" quant="Q4_K_M" size="5.5 GB" file="/srv/mid.gguf"
role "r" tier="a" residency="always" model="m" port=7000 context=4096
"#;

#[test]
fn a_small_registry_has_a_document_without_empty_sections() {
    let compiled = compile(&[("all.kdl", MINIMAL)]);
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
    let files = files(&compiled);
    let text = &files[REFERENCE];
    assert_well_formed(text);
    let headings: Vec<&str> = text.lines().filter(|line| line.starts_with("##")).collect();
    let expected = [
        "## Production Models by Role",
        "### Tier a - All",
        "## Memory Footprint",
        "## Quick Commands by Model Type",
        "### Dense Model",
    ];
    assert_eq!(headings, expected);
    assert!(text.contains("| r | Mid-8B | Q4_K_M | 7000 | — |"), "{text}");
    assert!(!text.contains("numactl") && !text.contains("verified") && !files.contains_key(QUIRKS));
}

#[test]
fn the_documents_of_a_registry_with_every_case_match_the_snapshots() {
    let compiled = compile(&[("small.kdl", include_str!("documents/small.kdl"))]);
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
    let files = files(&compiled);
    assert_well_formed(&files[REFERENCE]);
    assert_well_formed(&files[QUIRKS]);
    assert_snapshot!("documents", "reference", files[REFERENCE]);
    assert_snapshot!("documents", "quirks", files[QUIRKS]);
}

/// A registry with two hosts.
const TWO_HOSTS: &str = r#"
stack "pair" engine="e" { defaults { tier "t"; residency "hot"; context 4096; store "m" } }
engine "e" profile="llama.cpp-b11434" bin="/opt/llama/bin"
host "left" memory="64 GB" cpus="0-7" smt=2
host "right" memory="64 GB" cpus="0-7" smt=2
store "m" path="/srv/models"
tier "t" title="All"
residency "hot" title="always" start="boot"
family "qwen2" arch="qwen2"
model "plain" family="qwen2" title="Plain" quant="Q4_K_M" size="4 GB" file="plain.gguf" trained-context=32768
model "tiny" family="qwen2" title="Tiny" quant="Q8_0" size="1 GB" file="tiny.gguf" trained-context=32768
role "one" model="plain" port=8080 host="left"
role "two" model="plain" port=8080 host="right"
role "three" model="tiny" port=8081 host="right" measured="9 t/s"
role "four" shares="three"
"#;

/// The lines of a section that are rows of its table.
fn rows<'t>(text: &'t str, heading: &str) -> Vec<&'t str> {
    let section = text.split(heading).nth(1).unwrap_or_else(|| panic!("{heading}: {text}"));
    let section = section.split("\n#").next().unwrap();
    section.lines().filter(|line| line.starts_with('|')).collect()
}

#[test]
fn tables_name_the_hosts_if_there_are_several() {
    let text = files(&compile(&[("stack.kdl", TWO_HOSTS)])).remove(REFERENCE).unwrap();
    assert_well_formed(&text);
    let roles = rows(&text, "### Tier t - All");
    let hosts: Vec<&str> = roles.iter().filter_map(|row| row.split('|').nth(7)).map(str::trim).collect();
    assert_eq!(hosts, ["Host", "---", "left", "right", "right", "right"], "{text}");
    assert_eq!(
        rows(&text, "## Memory Footprint")[2..],
        [
            "| HOT (always) | one | ~4 GB | left |",
            "| HOT (always) | two, three | ~5 GB | right |",
            "| Total available | All models loaded | ~4 GB | left |",
            "| Total available | All models loaded | ~5 GB | right |",
        ]
    );
    // A host without roles needs no column.
    let one = TWO_HOSTS
        .replace("host=\"left\"", "host=\"right\"")
        .replace("two\" model=\"plain\" port=8080", "two\" model=\"plain\" port=8090");
    let text = files(&compile(&[("stack.kdl", &one)])).remove(REFERENCE).unwrap();
    assert!(!text.contains("| Host |"), "{text}");
    assert_eq!(
        rows(&text, "## Memory Footprint")[2..],
        ["| HOT (always) | one, two, three | ~5 GB |", "| Total available | All models loaded | ~5 GB |",]
    );
}

/// Two GPUs, and roles that use them in different ways.
const WITH_GPUS: &str = r#"
stack "cards" engine="e" { defaults { context 4096; store "m"; placement threads=4 } }
engine "e" profile="llama.cpp-b11669" bin="/opt/llama/bin"
host "tower" memory="64 GB" cpus="0-7" {
    gpu "CUDA0" memory="24 GB" title="RTX 4090 | 24G"
    gpu "CUDA1" memory="12 GB" reserve="1.5 GB"
}
store "m" path="/srv/models"
model "plain" arch="qwen2" title="Plain" size="4 GB" file="plain.gguf"
model "tiny" arch="qwen2" title="Tiny" size="1 GB" file="tiny.gguf"
model "mixture" arch="qwen3moe" title="Mixture" size="17 GB" file="mixture.gguf"
model "eye" arch="qwen2vl" title="Eye" size="5 GB" file="eye.gguf" { projector "eye.mmproj.gguf" size="0.7 GB" gpu="none" }
role "code" model="plain" port=8080 { placement gpu="CUDA0" }
role "big" model="mixture" port=8081 { placement gpu="CUDA0,CUDA1" split="2:1" layers=20 cpu-experts=8 kv="host" }
role "look" model="eye" port=8082 { placement gpu="CUDA1" layers="fit" }
role "both" model="plain" port=8083 { placement gpu="CUDA0" cpu-experts=#null; draft "tiny" gpu="CUDA1" }
role "talk" model="tiny" port=8084
role "paint" port=8085 memory="2 GB" { command "/usr/bin/paint" "{port}"; placement gpu="CUDA1" }
role "speak" port=8086 memory="2 GB" { command "/usr/bin/speak" "{port}" }
"#;

#[test]
fn the_gpus_of_hosts_and_roles_are_in_the_documents() {
    let compiled = compile(&[("stack.kdl", WITH_GPUS)]);
    let files = files(&compiled);
    let text = &files[REFERENCE];
    assert_well_formed(text);
    assert_eq!(
        rows(text, "## GPUs")[2..],
        ["| `CUDA0` | RTX 4090 \\| 24G | 24 GB | 1.07 GB |", "| `CUDA1` | — | 12 GB | 1.5 GB |"]
    );
    assert_eq!(
        rows(text, "### Roles on GPUs")[2..],
        [
            "| code | `CUDA0` | all | — | — | with its layers |",
            "| big | `CUDA0`, `CUDA1` | 20 | 2:1 | 8 | RAM |",
            "| look | `CUDA1` | as many as fit | — | — | with its layers |",
            "| both | `CUDA0` | all | — | — | with its layers |",
            "| talk | none | — | — | — | — |",
            "| paint | `CUDA1` | — | — | — | — |",
        ]
    );
    assert!(text.contains("- look: the projector is in RAM\n- both: the draft is on `CUDA1`\n"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&files["stack.json"]).unwrap();
    let gpus: Vec<&serde_json::Value> =
        json["roles"].as_array().unwrap().iter().map(|role| &role["gpus"]).collect();
    let gpus = serde_json::to_value(gpus).unwrap();
    let expected = serde_json::json!([
        ["CUDA0"],
        ["CUDA0", "CUDA1"],
        ["CUDA1"],
        ["CUDA0", "CUDA1"],
        [],
        ["CUDA1"],
        null
    ]);
    assert_eq!(gpus, expected, "{json}");
    // A program whose GPUs are not known has no such field.
    assert!(json["roles"][6].get("gpus").is_none());
}

/// A lock with the facts of the model `plain`.
const PLAIN_LOCK: &str = r#"{"format_version": 1, "models": {
      "plain": {"architecture": "qwen2", "file": "plain.gguf", "header": "0", "size": 4000000000, "quant": "Q4_K_M",
        "parameters": {"attention.head_count": 28, "attention.head_count_kv": 4, "block_count": 28, "context_length": 32768,
          "embedding_length": 3584, "feed_forward_length": 18944},
        "tensors": {"bytes": {"f32": 1000000, "q4_K": 3200000000, "q6_K": 790000000}, "in_rows_of_8": {}},
        "vocabulary": {"size": 152064, "type": "gpt2"}}}}"#;

#[test]
fn the_memory_of_known_headers_includes_caches_and_buffers() {
    let registry =
        TWO_HOSTS.replace("port=8080 host=\"left\"", "port=8080 host=\"left\" cache-type=\"f16\" slots=8");
    let compiled = compile(&[("stack.kdl", &registry), ("registry.lock", PLAIN_LOCK)]);
    let text = files(&compiled).remove(REFERENCE).unwrap();
    let sums: Vec<f64> = rows(&text, "## Memory Footprint")[2..]
        .iter()
        .map(|row| row.split('~').nth(1).unwrap().split(' ').next().unwrap().parse().unwrap())
        .collect();
    // A cache of 8 slots of 4096 tokens: 28 layers, 2 times 4 heads of 128, 2 bytes each.
    let cache = 8.0_f64 * 4096.0 * 28.0 * 2.0 * 4.0 * 128.0 * 2.0 / 1e9;
    assert!(sums[0] >= 3.5 + cache && sums[0] < 4.0 + cache + 2.0, "{text}");
    assert!(text.contains("The sums include KV caches and buffers"), "{text}");
    let without = files(&compile(&[("stack.kdl", TWO_HOSTS)])).remove(REFERENCE).unwrap();
    assert!(!without.contains("The sums include"), "{without}");
}

#[test]
fn hostile_text_breaks_no_table() {
    let plain = include_str!("documents/small.kdl");
    let odd = r"a|b `c <b>d</b>\n\n# e\n```\n| f -->";
    let mut text = plain.to_owned();
    for word in [
        "Big-70B",
        "Stream-3B",
        "Eye-Small",
        "Mixer-Mini",
        "Kid repeats itself",
        "Vocabulary differs",
        "Chat",
        "NVMe",
        "Harbour_2",
        "Stubborn ones",
        "speed",
        "Memory | recall",
        "It repeats *whole* lines",
        "lost state",
        "Falls out of step.",
        "Answers first; see `mid` when it is slow",
        "A larger batch",
        "from boot on",
        "Q5_K_M",
        "talk",
        "n-grams of its prompts repeat",
        "mini.gguf",
        "big/big.gguf",
        "/usr/lib/my malloc.so",
        "until the next build",
    ] {
        let (old, new) = (format!("\"{word}\""), format!("\"{odd}\""));
        assert!(text.contains(&old), "{word}");
        text = text.replace(&old, &new);
    }
    let compiled = compile(&[("small.kdl", &text)]);
    let files = files(&compiled);
    for path in [REFERENCE, QUIRKS] {
        let text = &files[path];
        assert_well_formed(text);
        assert_eq!(headings(text), headings(&self::files(&compile(&[("small.kdl", plain)]))[path]));
        assert_valid_bash(text);
        let prose = prose(text).join("\n");
        assert_eq!(prose.matches("<b>").count(), prose.matches("\\<b>").count(), "{text}");
    }
}

/// Asserts that all commands are valid bash.
#[track_caller]
fn assert_valid_bash(text: &str) {
    let blocks = text.split("```bash\n").skip(1).map(|rest| rest.split("\n```\n").next().unwrap());
    let script = blocks.collect::<Vec<_>>().join("\n");
    let output = Command::new("bash").args(["-n", "-c", &script]).output().unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{script}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The lines outside of code blocks.
fn prose(text: &str) -> Vec<&str> {
    let mut in_code = false;
    let outside = |line: &&str| {
        in_code ^= line.starts_with("```");
        !in_code
    };
    text.lines().filter(outside).collect()
}

/// The number of headings per level.
fn headings(text: &str) -> BTreeMap<usize, usize> {
    let mut levels = BTreeMap::new();
    for line in prose(text).into_iter().filter(|line| line.starts_with('#')) {
        *levels.entry(line.bytes().take_while(|b| *b == b'#').count()).or_default() += 1;
    }
    levels
}
