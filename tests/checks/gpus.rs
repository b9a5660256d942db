//! Placements on GPUs: names, parts that have no effect, builds that cannot, and sandboxes that hide the GPUs of a role.

use crate::support::{Compiled, compile};

const BASE: &str = r#"
stack "s" STACK
engine "e" profile="llama.cpp-b11669" bin="/opt/e"
host "h" memory="64 GB" cpus="0-7" { gpu "CUDA0" memory="24 GB"; gpu "CUDA1" memory="12 GB" }
model "m" arch="qwen2" size="1 GB" file="/srv/m.gguf"
model "d" arch="qwen2" size="0.5 GB" file="/srv/d.gguf"
"#;

fn compiled(stack: &str, role: &str) -> Compiled {
    compile(&[("stack.kdl", &(BASE.replace("STACK", stack) + role))])
}

/// The findings except notes about models that no role uses.
fn codes(stack: &str, role: &str) -> Vec<&'static str> {
    compiled(stack, role).codes().into_iter().filter(|code| *code != "unused-item").collect()
}

const WITH_GPU: &str = r#"role "r" model="m" port=9000 context=512 { placement gpu="CUDA0" }"#;

#[test]
fn a_declared_level_that_hides_the_gpus_is_an_error() {
    for role in [
        r#"role "r" model="m" port=9000 context=512 hardening="LEVEL" { placement gpu="CUDA0" }"#,
        r#"role "r" model="m" port=9000 context=512 hardening="LEVEL" { draft "d" gpu="CUDA1" }"#,
        r#"role "r" port=9000 memory="1 GB" hardening="LEVEL" { command "/bin/x" "{port}"; placement gpu="CUDA0" }"#,
    ] {
        for (level, expected) in
            [("strict", &["hidden-gpu"][..]), ("default", &["hidden-gpu"]), ("gpu", &[]), ("off", &[])]
        {
            assert_eq!(codes("", &role.replace("LEVEL", level)), expected, "{role} {level}");
        }
    }
}

#[test]
fn the_level_of_the_stack_and_of_defaults_counts_too() {
    for stack in ["hardening=\"strict\"", "{ defaults { hardening \"strict\" } }"] {
        let found = compiled(stack, WITH_GPU);
        let finding = found.findings.findings().iter().find(|one| one.code.name == "hidden-gpu").unwrap();
        assert_eq!(finding.subject.as_ref().unwrap().kind, "role");
        assert_eq!(finding.message, "`hardening` `strict` hides the GPU `CUDA0` of role `r`");
        let help = ["write `hardening \"gpu\"` in the role", "or remove `hardening"];
        assert!(
            finding.help.iter().zip(help).all(|(help, start)| help.starts_with(start)),
            "{:?}",
            finding.help
        );
    }
    // The level of the role wins.
    let of_role = WITH_GPU.replace("context=512", "context=512 hardening=\"gpu\"");
    assert!(codes("hardening=\"strict\"", &of_role).is_empty());
    assert!(codes("hardening=\"gpu\"", WITH_GPU).is_empty() && codes("", WITH_GPU).is_empty());
}

#[test]
fn a_role_without_a_gpu_may_have_any_level() {
    for placement in ["", "{ placement gpu=\"none\" }", "{ placement threads=2 }"] {
        let role = format!("role \"r\" model=\"m\" port=9000 context=512 hardening=\"strict\" {placement}");
        assert!(codes("hardening=\"strict\"", &role).is_empty(), "{placement}");
    }
    // Without units, the level has no effect.
    assert!(codes("hardening=\"strict\" { targets \"bin\" }", WITH_GPU).is_empty());
}

/// A host with GPUs of three back ends, and one without any.
const HOSTS: &str = r#"
stack "s" engine="e" { defaults { host "h"; context 512 } }
engine "e" profile="llama.cpp-b11669" bin="/opt/e"
engine "spring" profile="llama.cpp-b9093" bin="/opt/spring"
engine "august" profile="llama.cpp-b10434" bin="/opt/august"
host "h" memory="64 GB" cpus="0-7" {
    gpu "CUDA0" memory="24 GB"; gpu "CUDA1" memory="12 GB"
    gpu "Vulkan0" memory="8 GB"; gpu "Vulkan1" memory="8 GB"
    gpu "SYCL0" memory="16 GB"; gpu "SYCL1" memory="16 GB"
}
host "bare" memory="64 GB" cpus="0-7"
model "m" arch="qwen2" size="1 GB" file="/srv/m.gguf"
model "d" arch="qwen2" size="0.5 GB" file="/srv/d.gguf"
model "moe" arch="qwen3moe" size="3 GB" file="/srv/moe.gguf"
model "state" arch="mamba2" size="1 GB" file="/srv/state.gguf"
"#;

/// The code, the message and the helps of each finding of a role, without notes about models that no role uses.
pub(super) fn findings(text: &str) -> Vec<(&'static str, String, Vec<String>)> {
    let found = compile(&[("stack.kdl", &(HOSTS.to_owned() + text))]);
    let all = found.findings.findings().iter().filter(|one| one.code.name != "unused-item");
    all.map(|one| (one.code.name, one.message.clone(), one.help.clone())).collect()
}

/// The findings of a role with these fields: the code, the beginning of the message after the role, and the helps.
#[track_caller]
pub(super) fn assert_role(role: &str, expected: &[(&str, &str, &[&str])]) {
    let found = findings(&format!("role \"r\" port=9000 {role}"));
    let shown: Vec<(&str, &str, Vec<&str>)> = found
        .iter()
        .map(|(code, message, help)| (*code, &**message, help.iter().map(|help| &**help).collect()))
        .collect();
    let expected: Vec<(&str, &str, Vec<&str>)> =
        expected.iter().map(|(code, message, help)| (*code, *message, help.to_vec())).collect();
    assert_eq!(shown, expected, "{role}");
}

const PRINT: &str = "the name and the memory that `llama-server --list-devices` prints";

#[test]
fn names_of_gpus_are_those_of_the_host() {
    let all = format!(
        "the GPUs of host `h` are `CUDA0`, `CUDA1`, `Vulkan0`, `Vulkan1`, `SYCL0` and `SYCL1`; another one needs a `gpu` \
         with {PRINT}"
    );
    let unknown = |name: &str| format!("`gpu` of role `r` is `{name}`, which is no GPU of host `h`");
    for (gpu, name, first) in [
        ("CUDA7", "CUDA7", None),
        ("cuda0", "cuda0", None),
        ("rtx", "rtx", None),
        // A suggestion keeps the other names.
        ("CUDA0,CUDX1", "CUDX1", Some("write `\"CUDA0,CUDA1\"`")),
    ] {
        let help: Vec<&str> = first.into_iter().chain([&*all]).collect();
        assert_role(
            &format!("model=\"m\" {{ placement gpu=\"{gpu}\" layers=5 }}"),
            &[("unknown-name", &unknown(name), &help)],
        );
        let draft = format!("model=\"m\" {{ draft \"d\" gpu=\"{gpu}\" layers=5 }}");
        assert_role(&draft, &[("unknown-name", &unknown(name), &help)]);
    }
    let on_bare = "model=\"m\" host=\"bare\" { placement gpu=\"NAME\" }";
    let message = |name: &str| format!("`gpu` of role `r` is `{name}`, which is no GPU of host `bare`");
    let line = format!("write `gpu \"CUDA0\" memory=\"24 GB\"` in host `bare`, with {PRINT}");
    assert_role(&on_bare.replace("NAME", "CUDA0"), &[("unknown-name", &message("CUDA0"), &[&line])]);
    let text = format!("declare the GPUs in host `bare`, each as `gpu` with {PRINT}");
    for name in ["RTX4090", "cuda0", "card"] {
        assert_role(&on_bare.replace("NAME", name), &[("unknown-name", &message(name), &[&text])]);
    }
}

#[test]
fn a_gpu_is_named_once_and_none_is_alone() {
    for placement in
        ["gpu=\"CUDA0,CUDA0\"", "{ gpu \"CUDA0\"; gpu \"CUDA0\" }", "{ gpu \"CUDA0\" \"CUDA0\" }"]
    {
        let role = format!("model=\"m\" {{ placement {placement} }}");
        let message = "role `r` names the GPU `CUDA0` twice";
        assert_role(&role, &[("conflicting-fields", message, &["name each GPU once"])]);
    }
    let message = "role `r` has the GPU `none` and others";
    let help: &[&str] = &["keep either `none` or the names of the GPUs"];
    for role in ["placement gpu=\"CUDA0,none\"", "draft \"d\" gpu=\"none,CUDA1\""] {
        assert_role(&format!("model=\"m\" {{ {role} }}"), &[("conflicting-fields", message, help)]);
    }
    for placement in
        ["gpu=\"CUDA0, CUDA1\"", "{ gpu \"CUDA0\" \"CUDA1\" }", "{ gpu \"CUDA0\"; gpu \"CUDA1\" }"]
    {
        assert_role(&format!("model=\"m\" {{ placement {placement} }}"), &[]);
    }
}

#[test]
fn parts_need_a_gpu() {
    for (part, gpu) in [
        ("layers=5", "CUDA0"),
        ("layers=\"all\"", "CUDA0"),
        ("split=\"1:2\"", "CUDA0,CUDA1"),
        ("split=\"1:2:3\"", "CUDA0,CUDA1,Vulkan0"),
        ("split-mode=\"layer\"", "CUDA0,CUDA1"),
        ("cpu-experts=5", "CUDA0"),
        ("kv=\"host\"", "CUDA0"),
    ] {
        let (name, _) = part.split_once('=').unwrap();
        let message = format!("`{name}` of role `r` has no effect without a GPU");
        let (add, remove) = (format!("add `gpu=\"{gpu}\"`"), format!("remove `{part}`"));
        let or_remove = format!("or {remove}");
        let role = |rest: &str| format!("model=\"moe\" {rest} {{ placement {part} }}");

        assert_role(&role(""), &[("conflicting-fields", &message, &[&add, &or_remove])]);
        let off = role("").replace("placement", "placement gpu=\"none\"");
        assert_role(&off, &[("conflicting-fields", &message, &[&remove])]);
        let declare = "declare the GPUs in the host, each as `gpu` with its name and `memory`, or all as `gpu` `auto`, and name them in `gpu` of `placement`";
        assert_role(&role("host=\"bare\""), &[("conflicting-fields", &message, &[declare, &or_remove])]);
    }
    // More shares than the host has GPUs.
    let seven = "model=\"m\" { placement split=\"1:1:1:1:1:1:1\" }";
    let message = "`split` of role `r` has no effect without a GPU";
    assert_role(seven, &[("conflicting-fields", message, &["remove `split=\"1:1:1:1:1:1:1\"`"])]);
    // No layer on a GPU is the same as no GPU.
    for placement in ["layers=0", "gpu=\"none\" layers=0"] {
        assert_role(&format!("model=\"m\" {{ placement {placement} }}"), &[]);
    }
}

#[test]
fn parts_of_defaults_are_for_roles_with_gpus() {
    for (defaults, role, expected) in [
        ("layers=30", "", &[][..]),
        ("layers=30 kv=\"host\" cpu-experts=2", "placement gpu=\"none\"", &[]),
        ("gpu=\"CUDA0\" layers=30", "placement gpu=\"none\"", &[]),
        ("gpu=\"CUDA0,CUDA1\" split=\"2:1\" split-mode=\"layer\"", "placement gpu=\"CUDA1\"", &[]),
        ("gpu=\"none\" layers=30", "", &["conflicting-fields"]),
        ("gpu=\"CUDA0,CUDA1\" split=\"2:1:1\"", "", &["conflicting-fields"]),
        ("gpu=\"none\"", "placement layers=30", &["conflicting-fields"]),
        ("gpu=\"CUDA0\" layers=30", "context \"fit\"", &["conflicting-fields"]),
        ("gpu=\"CUDA0\" layers=30", "context \"fit\"; placement layers=\"fit\"", &[]),
        ("gpu=\"CUDA0\" cpu-experts=30", "context \"fit\"; placement cpu-experts=0", &[]),
    ] {
        let hosts = HOSTS.replace("context 512", &format!("context 512; placement {defaults}"));
        let text = format!("{hosts}role \"r\" model=\"moe\" port=9000 {{ {role} }}");
        let text = text.replace("{  }", "");
        let found = compile(&[("stack.kdl", &text)]);
        let codes: Vec<&str> = found.codes().into_iter().filter(|code| *code != "unused-item").collect();
        assert_eq!(codes, expected, "{defaults}: {role}\n{}", found.report());
    }
}

#[test]
fn a_split_has_one_share_for_each_gpu() {
    let number = "write the share of each GPU as a whole number, such as 3 and 2 for 60 and 40 percent";
    for (split, help) in [
        ("2,1", "write `split=\"2:1\"`"),
        ("2/1", "write `split=\"2:1\"`"),
        ("2 1", "write `split=\"2:1\"`"),
        ("60%:40%", number),
        ("0.6:0.4", number),
        ("0:0", number),
        ("2000000:1", number),
        ("-1:1", number),
    ] {
        let message = format!("`split` of role `r` must be shares such as `2:1`, not `{split}`");
        let role = format!("model=\"m\" {{ placement gpu=\"CUDA0,CUDA1\" split=\"{split}\" }}");
        assert_role(&role, &[("wrong-type", &message, &[help])]);
    }
    for (gpu, split, count, help) in [
        ("CUDA0,CUDA1", "1:1:1", "3 shares for 2 GPUs", "write `split=\"1:1\"`"),
        ("CUDA0,CUDA1", "3", "1 share for 2 GPUs", "write `split=\"3:1\"`"),
        ("CUDA0", "1:1", "2 shares for 1 GPU", "remove `split=\"1:1\"`: one GPU has everything"),
    ] {
        let message = format!("`split` of role `r` has {count}");
        let role = format!("model=\"m\" {{ placement gpu=\"{gpu}\" split=\"{split}\" }}");
        assert_role(&role, &[("conflicting-fields", &message, &[help])]);
    }
    let message = "`split-mode` of role `r` has no effect with one GPU";
    let help: &[&str] = &["remove `split-mode=\"layer\"`"];
    let role = "model=\"m\" { placement gpu=\"CUDA0\" split-mode=\"layer\" }";
    assert_role(role, &[("conflicting-fields", message, help)]);
}

#[test]
fn the_engine_does_not_fit_with_a_fixed_part() {
    for (fitted, context, layers) in
        [("context", "context \"fit\"", ""), ("layers", "context 512", "layers=\"fit\"")]
    {
        for part in ["split=\"1:1\"", "split-mode=\"tensor\"", "cpu-experts=4"] {
            let (name, _) = part.split_once('=').unwrap();
            let message =
                format!("role `r` has `{fitted}` `fit` and `{name}`, with which the engine does not fit");
            let (remove, or) = (format!("remove `{part}`"), format!("or give `{fitted}` a number"));
            let role =
                format!("model=\"moe\" {{ {context}; placement gpu=\"CUDA0,CUDA1\" {layers} {part} }}");
            assert_role(&role, &[("conflicting-fields", &message, &[&remove, &or])]);
        }
        for part in ["split-mode=\"layer\"", "cpu-experts=0", "kv=\"host\""] {
            assert_role(
                &format!("model=\"moe\" {{ {context}; placement gpu=\"CUDA0,CUDA1\" {layers} {part} }}"),
                &[],
            );
        }
    }
    for layers in ["layers=4", "layers=\"all\""] {
        let message = "role `r` has `context` `fit` and `layers`, with which the engine does not fit";
        let remove = format!("remove `{layers}`");
        let role = format!("model=\"m\" {{ context \"fit\"; placement gpu=\"CUDA0\" {layers} }}");
        assert_role(&role, &[("conflicting-fields", message, &[&remove, "or give `context` a number"])]);
    }
}

#[test]
fn parts_of_a_draft_need_a_draft_model_and_a_gpu() {
    for part in ["gpu=\"CUDA1\"", "layers=2", "cpu-experts=\"all\""] {
        let (name, _) = part.split_once('=').unwrap();
        let message = format!("`draft` of role `r` has `self` and `{name}`");
        let remove = format!("remove `{part}`");
        let role = format!("model=\"m\" {{ draft self=#true {part}; placement gpu=\"CUDA0\" }}");
        let found = findings(&format!("role \"r\" port=9000 {role}"));
        let conflict = ("conflicting-fields", message, vec![remove]);
        assert!(found.contains(&conflict), "{found:?}");
    }
    for part in ["layers=2", "cpu-experts=\"all\""] {
        let (name, _) = part.split_once('=').unwrap();
        let message = format!("`{name}` of the draft of role `r` has no effect without a GPU");
        let remove = format!("remove `{part}`");
        for role in ["draft \"d\" PART", "draft \"d\" gpu=\"none\" PART; placement gpu=\"CUDA0\""] {
            let role = format!("model=\"m\" {{ {} }}", role.replace("PART", part));
            assert_role(&role, &[("conflicting-fields", &message, &[&remove])]);
        }
        for role in ["draft \"d\" gpu=\"CUDA1\" PART", "draft \"d\" PART; placement gpu=\"CUDA0\""] {
            assert_role(&format!("model=\"m\" {{ {} }}", role.replace("PART", part)), &[]);
        }
    }
}

/// A field of a role is about its model: `gpu` and `layers` are parts of `placement`, and also of `draft`.
#[test]
fn parts_next_to_the_placement_belong_into_it() {
    for (fields, help) in [
        ("gpu=\"CUDA0\"", "write `{ placement gpu=\"CUDA0\" }`"),
        // It would have no effect alone.
        ("layers=5", "use `layers` of the field `placement`"),
        ("kv=\"host\"", "use `kv` of the field `placement`"),
        ("{ placement gpu=\"CUDA0\"; layers 5 }", "write `placement gpu=\"CUDA0\" layers=5`"),
    ] {
        let found = findings(&format!("role \"r\" model=\"m\" port=9000 {fields}"));
        let [(code, _, helps)] = &*found else { panic!("{found:?}") };
        assert_eq!((*code, &*helps[0]), ("unknown-field", help), "{fields}");
    }
}
