//! Memory by device: what is summed on each GPU, which changes fit, and what does not count in RAM.

use crate::support::{Compiled, compile};
use orchgen::diag::Diagnostic;

/// A dense model with 32 layers, and a mixture of experts with 48 layers of which most bytes are experts.
pub(crate) const LOCK: &str = r#"{"format_version": 1, "models": {
  "dense": {"file": "/m/dense.gguf", "header": "0", "size": 8600000000, "architecture": "qwen3", "quant": "Q8_0",
    "parameters": {"block_count": 32, "embedding_length": 4096, "attention.head_count": 32, "attention.head_count_kv": 8,
      "attention.key_length": 128, "attention.value_length": 128, "feed_forward_length": 12288, "context_length": 40960},
    "tensors": {"bytes": {"q8_0": 8600000000}, "layers": [[32, 232000000, 0]], "input": 588000000, "output": {"q8_0": 588000000},
      "token_embd": {"q8_0": 588000000}}, "vocabulary": {"size": 151936, "type": "gpt2"}},
  "moe": {"file": "/m/moe.gguf", "header": "0", "size": 18450000000, "architecture": "qwen3moe", "quant": "Q4_K_M",
    "parameters": {"block_count": 48, "embedding_length": 2048, "attention.head_count": 32, "attention.head_count_kv": 4,
      "attention.key_length": 128, "attention.value_length": 128, "feed_forward_length": 6144, "expert_feed_forward_length": 768,
      "expert_count": 128, "expert_used_count": 8, "context_length": 40960},
    "tensors": {"bytes": {"q4_K": 18199000000, "q6_K": 250000000}, "layers": [[48, 10500000, 365000000]], "input": 175000000,
      "output": {"q6_K": 250000000}, "token_embd": {"q4_K": 175000000}}, "vocabulary": {"size": 151936, "type": "gpt2"}}}}"#;

const HEAD: &str = r#"
stack "home" engine="e"
engine "e" profile="llama.cpp-b11669" bin="/usr/bin"
model "dense" file="/m/dense.gguf" size="8.6 GB" arch="qwen3"
model "moe" file="/m/moe.gguf" size="18.6 GB" arch="qwen3moe"
model "big" file="/m/big.gguf" size="50 GB" arch="qwen3"
"#;

/// A host with one GPU of this memory, and a second one of 12 GB.
fn host(memory: &str) -> String {
    format!(
        "host \"box\" memory=\"64 GB\" cpus=\"0-15\" {{ gpu \"CUDA0\" memory=\"{memory}\"; gpu \"CUDA1\" memory=\"12 GB\" }}\n"
    )
}

fn role(name: &str, model: &str, port: u16, rest: &str) -> String {
    format!("role \"{name}\" model=\"{model}\" port={port} {rest}\n")
}

fn locked(text: &str) -> Compiled {
    compile(&[("a.kdl", &format!("{HEAD}{text}")), ("registry.lock", LOCK)])
}

fn unlocked(text: &str) -> Compiled {
    compile(&[("a.kdl", &format!("{HEAD}{text}"))])
}

/// The codes of the errors.
fn errors(compiled: &Compiled) -> Vec<&'static str> {
    compiled.codes().into_iter().filter(|code| !matches!(*code, "unused-item" | "caches-over-host")).collect()
}

#[track_caller]
fn over(compiled: &Compiled) -> &Diagnostic {
    let all = compiled.findings.findings().iter();
    let found: Vec<&Diagnostic> = all.filter(|one| one.code.name == "over-gpu-memory").collect();
    let [finding] = found.as_slice() else { panic!("{}", compiled.report()) };
    finding
}

fn is_over(text: &str) -> bool {
    locked(text).codes().contains(&"over-gpu-memory")
}

/// The reasons why the memory of GPUs is not checked.
fn unchecked(compiled: &Compiled) -> Vec<&str> {
    let all = compiled.findings.not_checked().iter().filter(|entry| entry.check == "over-gpu-memory");
    all.map(|entry| &*entry.why).collect()
}

/// The words of a note, line by line.
fn lines(finding: &Diagnostic) -> Vec<String> {
    finding.notes[0].lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn the_sum_of_a_gpu_is_printed_line_by_line() {
    let text = host("20 GB") + &role("a", "moe", 1, "context=32768 { placement gpu=\"CUDA0\" }");
    let compiled = locked(
        &(text + &role("b", "dense", 2, "context=4096 { placement gpu=\"CUDA0,CUDA1\" split=\"1:3\" }")),
    );
    let finding = over(&compiled);
    assert_eq!(
        finding.message,
        "the roles on GPU `CUDA0` of host `box` need 24.1 GB, but only 18.9 GB are free (20 GB minus 1.07 GB `reserve`)"
    );
    let lines = lines(finding);
    for (at, start) in [
        // 48 layers with their experts, and the output matrix. The token embeddings stay on the host.
        "a moe 18.3 GB",
        // 32768 tokens of 48 layers with 4 heads of 128 keys and values of 2 bytes.
        "a moe (KV cache) 3.22 GB",
        "a moe (compute buffer) ",
        // A quarter of 33: 8 of 32 layers, rounded up.
        "b dense 2.09 GB",
        "b dense (KV cache) 0.15 GB",
        "b dense (compute buffer) ",
        "memory 20 GB",
        "reserve 1.07 GB",
        "over by ",
    ]
    .into_iter()
    .enumerate()
    {
        assert!(lines[at].starts_with(start), "{start}: {lines:#?}");
    }
    assert_eq!(errors(&compiled), ["over-gpu-memory"]);
    assert_eq!(unchecked(&compiled), [""; 0]);
    assert_eq!(finding.help.last().unwrap(), "or move role `a` to another GPU, which frees 21.6 GB");
}

/// The settings of a role that a change can replace.
#[derive(Clone, Copy)]
struct Settings<'s> {
    model: &'s str,
    memory: &'s str,
    context: u32,
    layers: Option<u32>,
    cpu_experts: Option<u32>,
    cache: &'s str,
    rest: &'s str,
}

impl Settings<'_> {
    fn text(self) -> String {
        let number =
            |name, value: Option<u32>| value.map(|value| format!(" {name}={value}")).unwrap_or_default();
        let (layers, experts) = (number("layers", self.layers), number("cpu-experts", self.cpu_experts));
        let Self { context, cache, rest, .. } = self;
        let rest = format!(
            "context={context} cache-type=\"{cache}\" {{ placement gpu=\"CUDA0\"{layers}{experts} {rest} }}"
        );
        host(self.memory) + &role("a", self.model, 1, &rest.replace(" cache-type=\"f16\"", ""))
    }
}

/// The number or word that a help writes.
fn written(help: &str) -> (&str, &str) {
    let line = help.split('`').nth(1).unwrap();
    let (field, value) = line.split_once(['=', ' ']).unwrap();
    (field, value.trim_matches('"'))
}

/// Each proposed change fits, and the next larger value does not.
#[test]
fn the_smallest_changes_fit_and_are_the_smallest() {
    let base = Settings {
        model: "moe",
        memory: "22 GB",
        context: 32768,
        layers: None,
        cpu_experts: None,
        cache: "f16",
        rest: "",
    };
    for (settings, expected) in [
        (base, &["cpu-experts", "layers", "context", "cache-type"][..]),
        (Settings { memory: "14 GB", ..base }, &["cpu-experts", "layers"]),
        (Settings { memory: "4 GB", context: 4096, ..base }, &["cpu-experts", "layers"]),
        (
            Settings { memory: "18 GB", layers: Some(40), ..base },
            &["cpu-experts", "layers", "context", "cache-type"],
        ),
        (
            Settings { memory: "14 GB", cpu_experts: Some(20), ..base },
            &["cpu-experts", "layers", "context", "cache-type"],
        ),
        (Settings { memory: "22 GB", context: 40960, cache: "q8_0", ..base }, &[]),
        (
            Settings { memory: "20.4 GB", context: 40960, cache: "q8_0", ..base },
            &["cpu-experts", "layers", "context"],
        ),
        (
            Settings { memory: "22 GB", rest: "; flash-attention \"off\"", ..base },
            &["cpu-experts", "layers", "context"],
        ),
        (
            Settings { memory: "10 GB", model: "dense", context: 16384, ..base },
            &["layers", "context", "cache-type"],
        ),
        (Settings { memory: "9 GB", model: "dense", context: 4096, ..base }, &["layers"]),
        (Settings { memory: "2 GB", model: "dense", context: 4096, ..base }, &["layers"]),
    ] {
        let compiled = locked(&settings.text());
        let found: Vec<(&str, &str)> = compiled
            .findings
            .findings()
            .iter()
            .filter(|one| one.code.name == "over-gpu-memory")
            .flat_map(|one| &one.help)
            .map(|help| written(help))
            .collect();
        let fields: Vec<&str> = found.iter().map(|(field, _)| *field).collect();
        assert_eq!(fields, expected, "{}\n{}", settings.text(), compiled.report());
        for (field, value) in found {
            let (smallest, larger) = changed(settings, (field, value));
            assert!(!is_over(&smallest.text()), "{field} {value}: {}", smallest.text());
            assert!(
                is_over(&larger.text()),
                "{field} {value} is not the smallest change: {}",
                settings.text()
            );
        }
    }
}

/// The settings with a change, and with the next larger value.
fn changed<'s>(settings: Settings<'s>, (field, value): (&str, &'s str)) -> (Settings<'s>, Settings<'s>) {
    let number = value.parse::<u32>().unwrap_or(0);
    match field {
        "layers" => {
            (Settings { layers: Some(number), ..settings }, Settings { layers: Some(number + 1), ..settings })
        }
        "cpu-experts" => (
            Settings { cpu_experts: Some(number), ..settings },
            Settings { cpu_experts: Some(number - 1), ..settings },
        ),
        "context" => {
            (Settings { context: number, ..settings }, Settings { context: number + 256, ..settings })
        }
        _ => {
            let larger = if value == "q8_0" { "f16" } else { "q8_0" };
            (Settings { cache: value, ..settings }, Settings { cache: larger, ..settings })
        }
    }
}

#[test]
fn roles_that_run_together_are_summed() {
    let on_gpu = "context=4096 { placement gpu=\"CUDA0\" }";
    let two = |residency: &str| {
        role("a", "dense", 1, &format!("residency=\"r\" {on_gpu}"))
            + &role("b", "dense", 2, &format!("residency=\"{residency}\" {on_gpu}"))
    };
    let residency = |rest: &str| {
        format!(
            "residency \"r\" title=\"R\" start=\"on-demand\" {rest}\nresidency \"q\" title=\"Q\" start=\"on-demand\"\n"
        )
    };
    // One role needs 8.6 GB.
    assert!(!is_over(
        &(host("11 GB") + &residency("") + &role("a", "dense", 1, &format!("residency=\"r\" {on_gpu}")))
    ));
    let finding = over(&locked(&(host("18 GB") + &residency("") + &two("r")))).clone();
    // Weights on a GPU are not shared like those of a mapped file.
    assert!(finding.message.contains("need 17.3 GB, but only 16.9 GB are free"), "{}", finding.message);
    assert!(!is_over(&(host("19 GB") + &residency("") + &two("r"))));
    assert!(!is_over(&(host("11 GB") + &residency("at-once=1") + &two("r"))));
    assert!(is_over(&(host("18 GB") + &residency("at-once=1") + &two("q"))));
    let several =
        |memory: &str| host(memory) + &role("a", "dense", 1, on_gpu).replace("port=1", "ports=\"1-2\"");
    assert!(is_over(&several("18 GB")) && !is_over(&several("19 GB")));
}

#[test]
fn a_role_that_the_engine_fits_is_not_checked() {
    for rest in [
        "context=4096 { placement gpu=\"CUDA0\" layers=\"fit\" }",
        "{ context \"fit\"; placement gpu=\"CUDA0\" }",
    ] {
        let compiled = locked(&(host("2 GB") + &role("a", "moe", 1, rest)));
        assert_eq!(errors(&compiled), [""; 0], "{}", compiled.report());
        let [why] = unchecked(&compiled)[..] else { panic!("{:?}", unchecked(&compiled)) };
        assert_eq!(why, "GPU `CUDA0`: role `a`: the engine fits the layers to the free memory of the device");
    }
    // A role next to it is checked.
    let both = role("a", "moe", 1, "context=4096 { placement gpu=\"CUDA0\" layers=\"fit\" }")
        + &role("b", "dense", 2, "context=4096 { placement gpu=\"CUDA0\" }");
    assert!(is_over(&(host("9 GB") + &both)));
}

/// An expectation about a GPU is also not checked then.
#[test]
fn an_expectation_about_unknown_memory_is_not_checked() {
    let expect = "expect \"small\" residency=\"hot\" gpu=\"CUDA0\" fits=\"1 GB\"\n";
    for (placement, why) in [
        (
            "gpu=\"CUDA0\" layers=\"fit\"",
            Some("GPU `CUDA0`: role `a`: the engine fits the layers to the free memory of the device"),
        ),
        ("gpu=\"CUDA1\" layers=\"fit\"", None),
        ("gpu=\"CUDA0\" layers=0", None),
    ] {
        let role = role("a", "moe", 1, &format!("residency=\"hot\" context=512 {{ placement {placement} }}"));
        let compiled = locked(&(host("24 GB") + &role + expect));
        assert_eq!(errors(&compiled), [""; 0], "{}", compiled.report());
        let skipped =
            compiled.findings.not_checked().iter().find(|entry| entry.check == "failed-expectation");
        assert_eq!(skipped.map(|entry| &*entry.why), why, "{placement}");
    }
}

/// If no change of the largest role is enough, another role may have one.
#[test]
fn a_change_of_another_role_is_proposed() {
    // The model of the largest role is not in the lock.
    let text = host("23.5 GB")
        + &role("large", "big", 1, "context=4096 { placement gpu=\"CUDA0,CUDA1\" split=\"1:3\" }")
        + &role("small", "dense", 2, "context=16384 { placement gpu=\"CUDA0\" }");
    let text = text.replace("12 GB", "48 GB");
    let compiled = locked(&text);
    let finding = over(&compiled);
    assert!(
        finding
            .help
            .iter()
            .any(|help| help.starts_with("write `context=") && help.contains("in role `small`")),
        "{:?}",
        finding.help
    );
    // Without the small role, the large one is still too large.
    let alone = text.replace("23.5 GB", "12 GB");
    assert!(!over(&locked(&alone)).help.iter().any(|help| help.starts_with("write ")));
}

#[test]
fn without_a_lock_declared_sizes_are_on_the_gpus() {
    let split = |split: &str, first: &str| {
        let placement = format!("context=4096 {{ placement gpu=\"CUDA0,CUDA1\" {split} }}");
        unlocked(&(host(first) + &role("a", "moe", 1, &placement)))
    };
    // 18.6 GB by 1:1 are 9.3 GB on the second GPU of 12 GB.
    assert_eq!(errors(&split("split=\"1:1\"", "12 GB")), [""; 0]);
    assert_eq!(errors(&split("split=\"3:1\"", "12 GB")), ["over-gpu-memory"]);
    // By default the shares are the memory without the reserve: 22.9 and 10.9 GB.
    let compiled = split("", "24 GB");
    assert_eq!(errors(&compiled), [""; 0]);
    let reasons = unchecked(&compiled);
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    assert!(reasons.iter().all(|why| why.contains("role `a`: only file sizes are summed")), "{reasons:?}");
    let finding = over(&split("split=\"3:1\"", "12 GB")).clone();
    assert_eq!(lines(&finding)[0], "a moe 14 GB 14 GB");
    assert!(
        finding.help[0].starts_with("run `orchgen lock` where the model files are"),
        "{:?}",
        finding.help
    );
    // It is unknown how much of the file a number of layers is.
    for part in ["layers=10", "cpu-experts=10", "layers=\"fit\""] {
        let compiled = split(part, "2 GB");
        assert_eq!(errors(&compiled), [""; 0], "{part}: {}", compiled.report());
        assert_eq!(unchecked(&compiled).len(), 2, "{part}");
    }
}

/// The memory of the host has the token embeddings, some layers, experts, and buffers, but not what is on a GPU.
#[test]
fn ram_does_not_count_what_is_on_a_gpu() {
    let small = |budget: &str, placement: &str| {
        let host = host("60 GB").replace("64 GB", "8 GB");
        let residency = format!("residency \"r\" title=\"R\" start=\"boot\" {budget}\n");
        let role = role("a", "moe", 1, &format!("residency=\"r\" context=4096 {placement}"));
        format!("{host}{residency}{role}")
    };
    let budget = "budget=\"2 GB\"";
    let on_gpu = small("", "{ placement gpu=\"CUDA0\" }");
    for compile in [locked, unlocked] {
        assert_eq!(errors(&compile(&on_gpu)), [""; 0]);
        assert_eq!(errors(&compile(&small(budget, "{ placement gpu=\"CUDA0\" }"))), [""; 0]);
        assert_eq!(errors(&compile(&small("", ""))), ["over-host-memory"]);
        assert_eq!(errors(&compile(&small(budget, ""))), ["over-budget"]);
    }
    let expects = "expect \"little\" residency=\"r\" fits=\"1 GB\"\nexpect \"much\" residency=\"r\" gpu=\"CUDA0\" fits=\"19 GB\"\n";
    assert_eq!(errors(&locked(&(on_gpu + expects))), [""; 0]);
    let with_experts = small("", "{ placement gpu=\"CUDA0\" cpu-experts=8 }");
    assert_eq!(errors(&locked(&(with_experts + expects))), ["failed-expectation"]);
    // A part of the memory is on the host, which a lock knows.
    for (part, codes) in [
        ("layers=46", &[][..]),
        ("layers=20", &["over-budget"]),
        ("cpu-experts=4", &[]),
        ("cpu-experts=\"all\"", &["over-budget"]),
        ("kv=\"host\"", &[]),
    ] {
        let text = small(budget, &format!("{{ placement gpu=\"CUDA0\" {part} }}"));
        assert_eq!(errors(&locked(&text)), codes, "{part}");
    }
}

/// Protection from reclaim is for the memory of the host.
#[test]
fn units_protect_the_memory_of_the_host() {
    let protected = |placement: &str| -> u64 {
        let text = host("60 GB") + &role("a", "moe", 1, &format!("context=4096 {placement}"));
        let files = locked(&text).files();
        let lines = files.values().flat_map(|(text, _)| text.lines());
        lines.filter_map(|line| line.strip_prefix("MemoryLow=")?.parse().ok()).max().unwrap_or(0)
    };
    assert!((18_000_000_000..20_000_000_000).contains(&protected("")), "{}", protected(""));
    assert!(
        protected("{ placement gpu=\"CUDA0\" }") < 500_000_000,
        "{}",
        protected("{ placement gpu=\"CUDA0\" }")
    );
}
