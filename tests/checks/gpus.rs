//! Sandboxes that hide the GPUs of a role.

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
