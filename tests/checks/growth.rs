//! Prompt caches and checkpoints of the size that engines have by default: sums do not count them, and one note for each
//! host names the line that caps them.

use crate::support::{Compiled, compile};
use std::fmt::Write as _;

const HEAD: &str = "stack \"s\" engine=\"e\"\nengine \"e\" profile=\"llama.cpp-b11669\" bin=\"/b\"\n";

/// A lock of models with 4 layers and files of 2 GB: `plain` has only a KV cache, `hybrid` also a recurrent state.
fn lock(models: &[&str]) -> String {
    let plain = "\"architecture\": \"qwen2\", \"parameters\": {\"block_count\": 4, \"embedding_length\": 256, \"context_length\": 8192, \
         \"feed_forward_length\": 512, \"attention.head_count\": 4, \"attention.head_count_kv\": 2}";
    // The state of a sequence has 4 x 4 x (3 x 8192 + 128 x 8192) bytes.
    let hybrid = "\"architecture\": \"mamba\", \"parameters\": {\"block_count\": 4, \"context_length\": 8192, \"embedding_length\": 256, \
         \"ssm.conv_kernel\": 4, \"ssm.inner_size\": 8192, \"ssm.state_size\": 128, \"ssm.time_step_rank\": 16}";
    let model = |name: &&str| {
        let facts = if name.starts_with("hybrid") { hybrid } else { plain };
        format!(
            "\"{name}\": {{\"file\": \"/{name}.gguf\", \"header\": \"0\", \"size\": 2000000000, {facts}, \
             \"vocabulary\": {{\"type\": \"gpt2\", \"size\": 1000}}, \"tensors\": {{\"bytes\": {{\"q6_K\": 2000000000}}}}}}"
        )
    };
    let models: Vec<String> = models.iter().map(model).collect();
    format!("{{\"format_version\": 1, \"models\": {{{}}}}}", models.join(", "))
}

/// A host with a role for each model, each with more fields.
fn registry(memory: &str, roles: &[(&str, &str)], rest: &str) -> Compiled {
    let mut text = format!("{HEAD}host \"h\" memory=\"{memory}\"\n{rest}\n");
    let mut models: Vec<&str> = roles.iter().map(|(model, _)| *model).collect();
    for (n, (model, fields)) in roles.iter().enumerate() {
        let port = if fields.contains("ports=") || fields.contains("gateway=") {
            String::new()
        } else {
            format!("port={}", 9000 + n)
        };
        writeln!(text, "role \"r{n}\" model=\"{model}\" {port} {fields}").unwrap();
    }
    models.dedup();
    for model in &models {
        writeln!(text, "model \"{model}\" file=\"/{model}.gguf\"").unwrap();
    }
    compile(&[("a.kdl", &text), ("registry.lock", &lock(&models))])
}

/// The help of the only finding, which is a note about the host.
fn cap(compiled: &Compiled) -> String {
    let [finding] = compiled.findings.findings() else { panic!("{}", compiled.report()) };
    assert_eq!(finding.code.name, "caches-over-host");
    finding.help.join("; ")
}

#[test]
fn two_small_models_on_a_small_host_pass_with_one_note() {
    let roles = [("one", "context=4096"), ("two", "context=4096")];
    assert!(registry("32 GB", &roles, "").findings.is_empty());
    let compiled = registry("16 GB", &roles, "");
    assert!(compiled.checked.is_some());
    assert_eq!(cap(&compiled), "write `defaults prompt-cache=\"5.58 GB\"` in the stack");
    let capped = compiled_with_defaults("prompt-cache \"5.58 GB\"", "16 GB", &roles);
    assert!(capped.findings.is_empty(), "{}", capped.report());
    assert!(capped.arguments("r0").contains("--cache-ram 5322 "), "{}", capped.arguments("r0"));
    let zero = compiled_with_defaults("prompt-cache \"0 B\"; checkpoints 0", "16 GB", &roles);
    assert!(
        zero.findings.is_empty() && zero.arguments("r0").contains("-ctxcp 0"),
        "{}",
        zero.arguments("r0")
    );
    assert!(zero.arguments("r0").contains("--cache-ram 0"), "{}", zero.arguments("r0"));
}

fn compiled_with_defaults(defaults: &str, memory: &str, roles: &[(&str, &str)]) -> Compiled {
    let compiled = registry(memory, roles, "");
    let text = compiled.loaded.map.files().next().unwrap().1.text();
    let text = text.replace("engine=\"e\"\n", &format!("engine=\"e\" {{ defaults {{ {defaults} }} }}\n"));
    let models: Vec<&str> = roles.iter().map(|(model, _)| *model).collect();
    compile(&[("a.kdl", &text), ("registry.lock", &lock(&models))])
}

/// An embedder keeps no prompts: six of them need no memory for it.
#[test]
fn embedders_do_not_grow() {
    let fields = "ports=\"9100-9105\" pooling=\"last\" context=512";
    let compiled = registry("6 GB", &[("one", fields)], "");
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
    assert!(compiled.arguments("r0").contains("--cache-ram 0 -ctxcp 0"), "{}", compiled.arguments("r0"));
    // A default of the stack would also give prompt caches to embedders, so the help writes it into the other role.
    let compiled = registry("12 GB", &[("one", fields), ("two", "context=512")], "");
    let help = cap(&compiled);
    assert!(help.starts_with("write `prompt-cache=\"") && help.ends_with(" in role `r1`"), "{help}");
}

/// Checkpoints grow too. If no prompt cache is small enough, the help also lowers their number.
#[test]
fn checkpoints_are_capped_after_the_prompt_cache() {
    let state = 4 * 4 * (3 * 8192 + 128 * 8192) + 4096;
    let compiled = registry("8 GB", &[("hybrid", "context=4096")], "");
    assert!(cap(&compiled).contains("write `prompt-cache=\"4.92 GB\"` in role `r0`"), "{}", cap(&compiled));
    let many = "context=4096 slots=64";
    let compiled = registry("32 GB", &[("hybrid", many)], "");
    let help = cap(&compiled);
    let count: u64 = help.split("checkpoints=").nth(1).unwrap().split('`').next().unwrap().parse().unwrap();
    assert!(help.starts_with("write `prompt-cache=\"0 B\"` and `checkpoints="), "{help}");
    assert!(count * state * 64 < 30_000_000_000 && (count + 1) * state * 64 > 26_000_000_000, "{count}");
    let capped = format!("{many} prompt-cache=\"0 B\" checkpoints={count}");
    let compiled = registry("32 GB", &[("hybrid", &capped)], "");
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
    let more = format!("{many} prompt-cache=\"0 B\" checkpoints=32");
    let compiled = registry("32 GB", &[("hybrid", &more)], "");
    let [finding] = compiled.findings.findings() else { panic!("{}", compiled.report()) };
    assert_eq!(finding.code.name, "over-host-memory");
    assert!(finding.help[0].contains("are the largest part: write `checkpoints="), "{:?}", finding.help);
}

/// The prompt cache of the help also fits into budgets and expectations, which count it as soon as the registry states it.
#[test]
fn the_cap_fits_into_all_limits() {
    let warm = "gateway \"front\" port=8000\nresidency \"hot\" title=\"hot\" start=\"boot\" budget=\"3 GB\"\nresidency \"warm\" title=\"warm\" start=\"on-demand\" at-once=1\n\
                expect \"small\" residency=\"warm\" fits=\"2.5 GB\"";
    let roles = |more: &str| {
        [
            format!("residency=\"hot\" {more}"),
            format!("residency=\"warm\" gateway=\"front\" {more}"),
            format!("residency=\"warm\" gateway=\"front\" {more}"),
        ]
    };
    let list = |fields: &[String; 3]| {
        registry("16 GB", &[("one", &fields[0]), ("two", &fields[1]), ("two", &fields[2])], warm)
    };
    let help = cap(&list(&roles("context=4096")));
    let size = help.split('"').nth(1).unwrap();
    let compiled = list(&roles(&format!("context=4096 prompt-cache=\"{size}\"")));
    assert!(compiled.findings.is_empty(), "{size}: {}", compiled.report());
}
