//! Options of llama-server that users write as fields of a role: each has one finding, and its fix leaves none.

use crate::support::{compile, fixed};
use orchgen::cli::fix::FixLevel;

/// Spellings with a value in both languages, and the line of the fix in KDL.
const WORDS: &[(&str, &str, &str)] = &[
    ("n_ctx", "8192", "context 8192"),
    ("n-ctx", "8192", "context 8192"),
    ("nCtx", "8192", "context 8192"),
    ("ctx-size", "8192", "context 8192"),
    ("ctx_size", "8192", "context 8192"),
    ("ctxSize", "8192", "context 8192"),
    ("--ctx-size", "8192", "context 8192"),
    ("-c", "8192", "context 8192"),
    ("c", "8192", "context 8192"),
    ("num_ctx", "8192", "context 8192"),
    ("max-model-len", "8192", "context 8192"),
    ("LLAMA_ARG_CTX_SIZE", "8192", "context 8192"),
    ("parallel", "2", "slots 2"),
    ("n_parallel", "2", "slots 2"),
    ("np", "2", "slots 2"),
    ("-np", "2", "slots 2"),
    ("LLAMA_ARG_N_PARALLEL", "2", "slots 2"),
    ("batch-size", "512", "batch 512"),
    ("n_batch", "512", "batch 512"),
    ("b", "512", "batch 512"),
    ("threads", "4", "placement threads=4"),
    ("n_threads", "4", "placement threads=4"),
    ("t", "4", "placement threads=4"),
    ("--threads", "4", "placement threads=4"),
    ("LLAMA_ARG_THREADS", "4", "placement threads=4"),
    ("mlock", "true", "placement lock=#true"),
    ("use_mlock", "true", "placement lock=#true"),
    ("flash_attn", "true", "flash-attention \"on\""),
    ("flash-attn", "\"on\"", "flash-attention \"on\""),
    ("fa", "\"auto\"", "flash-attention \"auto\""),
    ("LLAMA_ARG_FLASH_ATTN", "\"on\"", "flash-attention \"on\""),
    ("temp", "0.7", "options temp=0.7"),
    ("--temp", "0.7", "options temp=0.7"),
    ("temperature", "0.7", "options temp=0.7"),
    ("top-k", "40", "options top-k=40"),
    ("top_k", "40", "options top-k=40"),
    ("topK", "40", "options top-k=40"),
    ("top_p", "0.9", "options top-p=0.9"),
    ("topP", "0.9", "options top-p=0.9"),
    ("min_p", "0.1", "options min-p=0.1"),
    ("repeat_penalty", "1.1", "options repeat-penalty=1.1"),
    ("repeatPenalty", "1.1", "options repeat-penalty=1.1"),
    ("presence_penalty", "0.5", "options presence-penalty=0.5"),
    ("seed", "42", "options seed=42"),
    ("n_predict", "256", "options predict=256"),
    ("max_tokens", "256", "options predict=256"),
    ("num_predict", "256", "options predict=256"),
    ("n", "256", "options predict=256"),
    ("ubatch", "256", "options ubatch-size=256"),
    ("ubatch_size", "256", "options ubatch-size=256"),
    ("n_ubatch", "256", "options ubatch-size=256"),
    ("ub", "256", "options ubatch-size=256"),
    ("ngl", "0", "placement layers=0"),
    ("-ngl", "0", "placement layers=0"),
    ("n-gpu-layers", "0", "placement layers=0"),
    ("n_gpu_layers", "0", "placement layers=0"),
    ("nGpuLayers", "0", "placement layers=0"),
    ("gpu_layers", "0", "placement layers=0"),
    ("LLAMA_ARG_N_GPU_LAYERS", "0", "placement layers=0"),
    ("jinja", "true", "options jinja=#true"),
    ("--jinja", "true", "options jinja=#true"),
    ("jinja", "1", "options jinja=#true"),
    ("no-warmup", "true", "options warmup=#false"),
    ("warmup", "false", "options warmup=#false"),
    ("no-mmap", "true", "options load-mode=\"none\""),
    ("no_mmap", "true", "options load-mode=\"none\""),
    ("use_mmap", "false", "options load-mode=\"none\""),
    ("mmap", "false", "options load-mode=\"none\""),
    ("rope_scaling", "\"linear\"", "options rope-scaling=\"linear\""),
    ("rope-freq-base", "10000", "options rope-freq-base=10000"),
    ("reasoning_format", "\"none\"", "options reasoning-format=\"none\""),
    ("cache_reuse", "256", "options cache-reuse=256"),
    ("chat_template", "\"chatml\"", "options chat-template=\"chatml\""),
    ("slot-prompt-similarity", "0.5", "options slot-prompt-similarity=0.5"),
    ("log_colors", "\"off\"", "options log-colors=\"off\""),
    ("verbose", "true", "options verbose=#true"),
];

const BASE: &str = r#"
stack "p" engine="e"
engine "e" profile="llama.cpp-b11669" bin="/usr/bin"
host "box" memory="64 GB" cpus="0-15"
store "m" path="/srv/models"
tier "A" title="A"
residency "hot" title="always" start="boot"
family "f" arch="qwen2"
model "x" family="f" title="X" quant="Q4_K_M" size="1 GB" file="x.gguf"
"#;

fn role(language: &str, word: &str, value: &str) -> String {
    let context = if word.to_lowercase().contains("ctx") || word.contains("max-m") || word.ends_with('c') {
        ""
    } else {
        "context"
    };
    let quoted = format!("\"{word}\"");
    match language {
        "kdl" => {
            let context = if context.is_empty() { "" } else { "context 4096\n    " };
            let value =
                if ["true", "false"].contains(&value) { format!("#{value}") } else { value.to_owned() };
            format!(
                "role \"a\" tier=\"A\" residency=\"hot\" model=\"x\" port=9000 {{\n    {context}{quoted} {value}\n}}\n"
            )
        }
        _ => {
            let context = if context.is_empty() { "" } else { "    context: 4096\n" };
            format!(
                "roles:\n  a:\n    tier: A\n    residency: hot\n    model: x\n    port: 9000\n{context}    {quoted}: {value}\n"
            )
        }
    }
}

#[test]
fn each_word_has_one_finding_and_a_safe_fix_that_leaves_none() {
    assert!(WORDS.len() >= 66);
    let mut wrong = Vec::new();
    for (word, value, line) in WORDS {
        for language in ["kdl", "yaml"] {
            let (name, text) = (format!("role.{language}"), role(language, word, value));
            let files = [("base.kdl", BASE), (&*name, &*text)];
            let compiled = compile(&files);
            let [finding] = compiled.findings.findings() else {
                wrong.push(format!("{language} {word}: {:?}", compiled.codes()));
                continue;
            };
            let help = finding.help.join("; ");
            if language == "kdl"
                && !help.contains(line)
                && !help.contains("write `context`")
                && !help.contains("write `slots`")
            {
                wrong.push(format!("{word}: {help}, not {line}"));
            }
            let fixed = fixed(&files, FixLevel::Safe);
            let latest = fixed.latest();
            if !latest.findings.is_empty() {
                let text = latest.loaded.map.files().map(|(_, file)| file.text().to_owned()).last().unwrap();
                let found: Vec<_> =
                    latest.findings.findings().iter().map(|one| one.message.clone()).collect();
                wrong.push(format!("{language} {word}: {found:?}\n{help}\n{text}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Several words of one role become one map.
#[test]
fn several_words_of_a_role_are_fixed_together() {
    for (name, text, expected) in [
        (
            "role.yaml",
            "roles:\n  a:\n    tier: A\n    residency: hot\n    model: x\n    port: 9000\n    context: 4096\n    temp: 0.7\n    top_k: 40\n    threads: 4\n    jinja: true\n    mlock: true\n",
            "    context: 4096\n    options: {temp: 0.7, top-k: 40, jinja: true}\n    placement: {threads: 4, lock: true}\n",
        ),
        (
            "role.kdl",
            "role \"a\" tier=\"A\" residency=\"hot\" model=\"x\" temp=0.7 port=9000 context=4096 top_k=40\n",
            "role \"a\" tier=\"A\" residency=\"hot\" model=\"x\" port=9000 context=4096 { options temp=0.7 top-k=40 }\n",
        ),
        (
            "role.yaml",
            "roles:\n  a: {tier: A, residency: hot, model: x, port: 9000, options: {jinja: true}, context: 4096, temp: 0.7, seed: 1}\n",
            "options: {jinja: true, temp: 0.7, seed: 1}, context: 4096}\n",
        ),
    ] {
        let fixed = fixed(&[("base.kdl", BASE), (name, text)], FixLevel::Safe);
        let latest = fixed.latest();
        let new = latest.loaded.map.files().map(|(_, file)| file.text().to_owned()).last().unwrap();
        assert!(new.contains(expected) && latest.findings.is_empty(), "{new}");
    }
}
