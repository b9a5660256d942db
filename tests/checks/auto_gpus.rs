//! GPUs of unknown memory, and `gpu "auto"`: all GPUs that the engine finds.

use super::gpu_memory::LOCK;
use crate::support::{Compiled, compile};

const HEAD: &str = r#"
stack "home" engine="e"
engine "e" profile="llama.cpp-b11669" bin="/usr/bin"
model "dense" file="/m/dense.gguf" size="8.6 GB" arch="qwen3"
model "seeing" file="/m/dense.gguf" size="8.6 GB" arch="qwen3" { projector file="/m/p.gguf" }
model "small" file="/m/small.gguf" size="0.5 GB" arch="qwen3"
model "moe" file="/m/moe.gguf" size="18.6 GB" arch="qwen3moe"
"#;

/// The roles on a host with these GPUs.
fn text(gpus: &str, roles: &str) -> String {
    format!("{HEAD}host \"box\" memory=\"64 GB\" cpus=\"0-15\" {{ systemd 255; {gpus} }}\n{roles}\n")
}

fn unlocked(gpus: &str, roles: &str) -> Compiled {
    compile(&[("a.kdl", &text(gpus, roles))])
}

fn locked(gpus: &str, roles: &str) -> Compiled {
    compile(&[("a.kdl", &text(gpus, roles)), ("registry.lock", LOCK)])
}

/// A role with these fields on a host with `gpu "auto"`.
fn on_auto(fields: &str) -> Compiled {
    unlocked("gpu \"auto\"", &format!("role \"r\" port=9000 context=4096 {fields}"))
}

/// The codes of the findings without those of unused items.
fn codes(compiled: &Compiled) -> Vec<&'static str> {
    compiled.codes().into_iter().filter(|code| !matches!(*code, "unused-item" | "caches-over-host")).collect()
}

/// The options about devices in the command line of the role `r`.
#[track_caller]
fn options(compiled: &Compiled) -> String {
    assert_eq!(codes(compiled), Vec::<&str>::new(), "{}", compiled.report());
    let words = compiled.arguments("r").replace(" --fit off", "");
    let words: Vec<&str> = words.split(' ').collect();
    let named = ["device", "gpu-layers", "ngl", "split", "moe", "kv-off", "mmproj-", "fit", "no-mmproj"];
    let mut shown = Vec::new();
    for (at, word) in words.iter().enumerate() {
        if word.starts_with("--") && named.iter().any(|part| word.contains(part)) {
            shown.push(*word);
            shown.extend(words.get(at + 1).filter(|next| !next.starts_with('-')));
        }
    }
    shown.join(" ")
}

/// The checks that could not run, with the reasons.
fn not_checked(compiled: &Compiled) -> Vec<(&'static str, &str)> {
    let all = compiled.findings.not_checked().iter().map(|entry| (entry.check, &*entry.why));
    all.filter(|(_, why)| !why.contains("`orchgen lock`")).collect()
}

#[test]
fn the_command_line_of_a_role_on_all_gpus_names_none() {
    for (fields, expected) in [
        ("model=\"dense\" { placement gpu=\"auto\" }", "--n-gpu-layers all"),
        ("model=\"dense\" { placement gpu=\"auto\" layers=99 }", "--n-gpu-layers 99"),
        (
            "model=\"dense\" { placement gpu=\"auto\" layers=99 split=\"3:2\" }",
            "--n-gpu-layers 99 --tensor-split 3,2",
        ),
        ("model=\"dense\" { placement gpu=\"auto\" split=\"1\" }", "--n-gpu-layers all --tensor-split 1"),
        ("model=\"dense\" { placement gpu=\"auto\" layers=\"fit\" }", "--fit on"),
        (
            "model=\"dense\" { placement gpu=\"auto\" split-mode=\"none\" }",
            "--n-gpu-layers all --split-mode none",
        ),
        (
            "model=\"dense\" { placement gpu=\"auto\" split-mode=\"row\" }",
            "--n-gpu-layers all --split-mode row",
        ),
        (
            "model=\"moe\" { placement gpu=\"auto\" cpu-experts=20 kv=\"host\" }",
            "--n-gpu-layers all --n-cpu-moe 20 --no-kv-offload",
        ),
        (
            "model=\"seeing\" { placement gpu=\"auto\"; draft \"small\" }",
            "--n-gpu-layers all --spec-draft-ngl all",
        ),
        (
            "model=\"dense\" { placement gpu=\"auto\"; draft \"small\" gpu=\"auto\" layers=5 }",
            "--n-gpu-layers all --spec-draft-ngl 5",
        ),
        (
            "model=\"dense\" { placement gpu=\"auto\"; draft \"small\" gpu=\"none\" }",
            "--n-gpu-layers all --spec-draft-device none",
        ),
        ("model=\"dense\"", "--device none"),
    ] {
        assert_eq!(options(&on_auto(fields)), expected, "{fields}");
    }
    // These variables select what the engine finds.
    for variable in ["CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "GGML_VK_VISIBLE_DEVICES"] {
        let fields = format!("model=\"dense\" {{ placement gpu=\"auto\"; env {variable}=\"1\" }}");
        assert_eq!(options(&on_auto(&fields)), "--n-gpu-layers all", "{variable}");
    }
}

#[test]
fn the_model_on_all_gpus_is_not_in_ram() {
    let role = "role \"r\" model=\"dense\" port=9000 context=4096 { placement gpu=\"auto\" LAYERS }";
    for (layers, at_most) in [("", 3_u64), ("layers=16", 8), ("split=\"3:2\"", 3), ("split-mode=\"none\"", 3)]
    {
        let found = locked("gpu \"auto\"", &role.replace("LAYERS", layers));
        assert_eq!(codes(&found), Vec::<&str>::new(), "{}", found.report());
        let memory = &found.checked().derived().roles[0].memory;
        let on_host = memory.counted.iter().filter(|part| part.gpu.is_none()).map(|part| part.bytes.0);
        assert!(on_host.sum::<u64>() < at_most * 1_000_000_000, "{layers}");
        assert!(memory.is_computed());
        let reason = ("over-gpu-memory", "GPU `auto`: its `memory` is not declared");
        assert!(not_checked(&found).contains(&reason), "{:?}", not_checked(&found));
    }
    // A declared size is on the GPUs, too.
    let found = unlocked("gpu \"auto\"", &role.replace("LAYERS", "split=\"3:2\""));
    let memory = &found.checked().derived().roles[0].memory;
    assert!(memory.counted.iter().all(|part| part.gpu == Some(0)) && !memory.lacks_size);
}

#[test]
fn sums_on_a_gpu_of_unknown_memory_are_not_checked() {
    let role = "role \"r\" model=\"dense\" port=9000 context=4096 { placement gpu=\"CUDA0\" }";
    let unknown = [("over-gpu-memory", "GPU `CUDA0`: its `memory` is not declared")];
    let found = locked("gpu \"CUDA0\"", role);
    assert_eq!((codes(&found), not_checked(&found)), (vec![], unknown.to_vec()));
    // Without a role on it, there is no sum.
    assert_eq!(not_checked(&locked("gpu \"CUDA0\"", &role.replace("CUDA0", "none"))), []);
    assert_eq!(codes(&locked("gpu \"CUDA0\" memory=\"4 GB\"", role)), ["over-gpu-memory"]);
    // An expectation has its own limit.
    let role = role.replace("port", "residency=\"hot\" port");
    let expect = format!(
        "residency \"hot\" start=\"boot\"\n{role}\nexpect \"small\" residency=\"hot\" gpu=\"CUDA0\" fits=\"1 GB\""
    );
    assert_eq!(codes(&locked("gpu \"CUDA0\"", &expect)), ["failed-expectation"]);
}

#[test]
fn several_gpus_of_unknown_memory_have_no_default_split() {
    let role = "role \"r\" model=\"dense\" port=9000 context=4096 { placement gpu=\"CUDA0,CUDA1\" FIELDS }";
    for (gpus, fields, expected) in [
        ("gpu \"CUDA0\" memory=\"24 GB\"; gpu \"CUDA1\"", "", "--device CUDA0,CUDA1 --n-gpu-layers all"),
        (
            "gpu \"CUDA0\"; gpu \"CUDA1\"",
            "split=\"3:2\"",
            "--device CUDA0,CUDA1 --n-gpu-layers all --tensor-split 3,2",
        ),
        (
            "gpu \"CUDA0\"; gpu \"CUDA1\"",
            "split-mode=\"none\"",
            "--device CUDA0,CUDA1 --n-gpu-layers all --split-mode none",
        ),
        // The margin of a GPU without `memory` and `reserve` is the default of the engine.
        ("gpu \"CUDA0\"; gpu \"CUDA1\"", "layers=\"fit\"", "--device CUDA0,CUDA1 --fit on"),
        (
            "gpu \"CUDA0\"; gpu \"CUDA1\" reserve=\"2 GiB\"",
            "layers=\"fit\"",
            "--device CUDA0,CUDA1 --fit on --fit-target 1024,2048",
        ),
    ] {
        assert_eq!(options(&unlocked(gpus, &role.replace("FIELDS", fields))), expected, "{gpus} {fields}");
    }
    let found = locked("gpu \"CUDA0\" memory=\"24 GB\"; gpu \"CUDA1\"", &role.replace("FIELDS", ""));
    let reasons: Vec<&str> = not_checked(&found).into_iter().map(|(_, why)| why).collect();
    let divided = "the engine splits the layers by the free memory of the devices";
    assert!(reasons.contains(&&*format!("GPU `CUDA0`: role `r`: {divided}")), "{reasons:?}");
    assert!(reasons.contains(&"GPU `CUDA1`: its `memory` is not declared"), "{reasons:?}");
    // One of several GPUs has everything, and this one is large enough.
    let one = locked(
        "gpu \"CUDA0\" memory=\"24 GB\"; gpu \"CUDA1\" memory=\"2 GB\"",
        &role.replace("FIELDS", "split-mode=\"none\""),
    );
    assert_eq!(codes(&one), Vec::<&str>::new(), "{}", one.report());
}

/// A role with these GPUs.
fn placed(gpu: &str) -> String {
    format!("role \"r\" model=\"dense\" port=9000 context=4096 {{ placement gpu=\"{gpu}\" }}")
}

/// Checks that a role on a host with these GPUs has only this finding.
#[track_caller]
fn assert_finding(gpus: &str, role: &str, (code, message): (&str, &str), help: &[&str]) {
    let found = unlocked(gpus, role);
    assert_eq!(codes(&found), [code], "{}", found.report());
    let finding = found.findings.findings().iter().find(|one| one.code.name == code).unwrap();
    assert_eq!((&*finding.message, &*finding.help.join("\n")), (message, &*help.join("\n")));
}

#[test]
fn a_gpu_that_means_all_is_alone_and_has_no_memory() {
    let conflict = "conflicting-fields";
    assert_finding(
        "gpu \"auto\"; gpu \"CUDA0\" memory=\"8 GB\"",
        &placed("none"),
        (conflict, "host `box` has the GPU `auto` and others"),
        &["keep either `auto` or the names of the GPUs"],
    );
    for field in ["memory", "reserve"] {
        let message = format!("the GPU `auto` of host `box` has `{field}`, but `auto` can be several GPUs");
        assert_finding(
            &format!("gpu \"auto\" {field}=\"8 GB\""),
            &placed("auto"),
            (conflict, &message),
            &[&format!("remove `{field}=\"8 GB\"`"), "or declare each GPU instead of `auto`"],
        );
    }
    assert_finding(
        "gpu \"CUDA0\" reserve=\"8%\"",
        &placed("CUDA0"),
        (conflict, "`reserve` of GPU `CUDA0` of host `box` is a percentage, and its `memory` is unknown"),
        &["write the `memory` of the GPU, or a size such as `1.5 GB`"],
    );
}

#[test]
fn all_gpus_and_names_of_gpus_are_for_different_hosts() {
    let unknown = |name: &str| format!("`gpu` of role `r` is `{name}`, which is no GPU of host `box`");
    let print = "the name and the memory that `llama-server --list-devices` prints";
    assert_finding(
        "gpu \"auto\"",
        &placed("CUDA0"),
        ("unknown-name", &unknown("CUDA0")),
        &[
            "write `gpu=\"auto\"`: host `box` does not name its GPUs",
            &format!("or declare each `gpu` of host `box` instead, with {print}"),
        ],
    );
    assert_finding(
        "",
        &placed("auto"),
        ("unknown-name", &unknown("auto")),
        &["write `gpu \"auto\"` in host `box`, which means all its GPUs"],
    );
    assert_finding(
        "gpu \"CUDA0\"",
        &placed("auto"),
        ("unknown-name", &unknown("auto")),
        &["the GPUs of host `box` are `CUDA0`; `auto` is for a host that declares `gpu` `auto` and no other"],
    );
    let mixed = unlocked("gpu \"auto\"", &placed("auto,CUDA0"));
    let messages: Vec<&str> = mixed.findings.findings().iter().map(|one| &*one.message).collect();
    assert!(messages.contains(&"role `r` has the GPU `auto` and others"), "{messages:?}");
}

#[test]
fn parts_of_a_placement_on_all_gpus_need_them() {
    let without = "`split` of role `r` has no effect without a GPU";
    let fields = "role \"r\" model=\"dense\" port=9000 context=4096 { FIELDS }";
    for (fields, message, help) in [
        ("placement gpu=\"none\" split=\"3:2\"", without, &["remove `split=\"3:2\"`"][..]),
        ("placement split=\"3:2\"", without, &["add `gpu=\"auto\"`", "or remove `split=\"3:2\"`"]),
        (
            "placement gpu=\"auto\" split-mode=\"none\" split=\"3:2\"",
            "`split` of role `r` has no effect with `split-mode` `none`",
            &["remove `split=\"3:2\"`"],
        ),
        (
            "draft \"small\" gpu=\"auto\"",
            "the draft of role `r` is on all GPUs, but its model is on none",
            &["add `placement gpu=\"auto\"`", "or remove `gpu=\"auto\"`"],
        ),
    ]
    .map(|(part, message, help)| (fields.replace("FIELDS", part), message, help))
    {
        assert_finding("gpu \"auto\"", &fields, ("conflicting-fields", message), help);
    }
}

/// A split of the defaults is for the roles that several GPUs divide.
#[test]
fn a_role_on_one_of_all_gpus_ignores_the_split_of_the_defaults() {
    let role = "role \"r\" model=\"dense\" port=9000 context=4096 { placement gpu=\"auto\" split-mode=\"none\" }\n\
        role \"o\" model=\"dense\" port=9001 context=4096 { placement gpu=\"auto\" }";
    let text = text("gpu \"auto\"", role);
    let stack = "stack \"home\" engine=\"e\" { defaults { placement split=\"3:2\" } }";
    let found = compile(&[("a.kdl", &text.replace("stack \"home\" engine=\"e\"", stack))]);
    assert_eq!(options(&found), "--n-gpu-layers all --split-mode none");
    assert!(found.arguments("o").contains("--tensor-split 3,2"));
}

/// The fields that replace options of the engine are those of all GPUs.
#[test]
fn options_become_fields_of_all_gpus() {
    for (options, help) in [
        ("option \"ngl\" value=99", "write `placement gpu=\"auto\"` instead of this option"),
        (
            "option \"ts\" value=\"3,2\"",
            "write `placement gpu=\"auto\" split=\"3:2\"` instead of this option",
        ),
        (
            "option \"sm\" value=\"none\"",
            "write `placement gpu=\"auto\" split-mode=\"none\"` instead of this option",
        ),
        (
            "option \"device\" value=\"CUDA0\"",
            "declare each `gpu` of host `box` instead of `auto`, with the name and",
        ),
    ] {
        let found = on_auto(&format!("model=\"dense\" {{ {options} }}"));
        let finding = found.findings.findings().iter().find(|one| one.code.name == "owned-option").unwrap();
        assert!(finding.help[0].starts_with(help), "{:?}", finding.help);
    }
}

/// The back ends of all GPUs are unknown, and so is what they can do.
#[test]
fn a_split_by_rows_of_all_gpus_is_not_checked() {
    let found = on_auto("model=\"dense\" { placement gpu=\"auto\" split-mode=\"row\" }");
    let engine: Vec<_> =
        not_checked(&found).into_iter().filter(|(check, _)| *check == "engine-cannot").collect();
    assert!(engine.iter().any(|(_, why)| why.contains("back ends")), "{engine:?}");
}
