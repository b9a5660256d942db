//! The `defaults` of the stack: how they merge into roles, `unset`, and findings about them.

use crate::support::{Compiled, compile};

/// A registry with these defaults and roles.
fn with_defaults(defaults: &str, roles: &str) -> Compiled {
    let text = format!(
        r#"
stack "p" engine="e" {{ defaults {{ tier "A"; residency "hot"; context 4096; {defaults} }} }}
engine "e" profile="llama.cpp-b11669" bin="/usr/bin"
host "box" memory="64 GB" cpus="0-15"
store "m" path="/srv/models"
tier "A" title="A"
residency "hot" title="always" start="boot"
family "f" arch="qwen3moe"
model "x" family="f" title="X" quant="Q4_K_M" size="1 GB" file="x.gguf"
{roles}
"#
    );
    compile(&[("case.kdl", &text)])
}

#[track_caller]
fn messages(defaults: &str, roles: &str) -> Vec<String> {
    let compiled = with_defaults(defaults, roles);
    let findings = compiled.findings.findings().iter();
    findings.map(|one| format!("{}: {} ({})", one.code.name, one.message, one.help.join("; "))).collect()
}

#[test]
fn a_role_takes_the_options_variables_and_placement_that_it_does_not_set() {
    let compiled = with_defaults(
        r#"option "temp" 0.2; option "jinja"; env { A "1"; B "1" }; placement threads=4 numa="interleave""#,
        r#"role "plain" model="x" port=9000
role "own" model="x" port=9001 { option "--temp" 0.7; option "top-k" 3; env { B "2" }; placement cpus="0-7" }"#,
    );
    let registry = compiled.checked().registry().clone();
    let own = registry.roles.iter().find(|role| *role.head.name.value == *"own").unwrap().serving().unwrap();
    assert_eq!(
        own.env.iter().map(|(a, b)| format!("{}={}", a.value, b.value)).collect::<Vec<_>>(),
        ["B=2", "A=1"]
    );
    assert_eq!(own.placement.threads.unwrap().value, 4);
    assert!(own.placement.cpus.is_some() && own.placement.numa.is_some());
    assert!(compiled.arguments("plain").contains("--temp 0.2 --jinja"), "{}", compiled.arguments("plain"));
    let line = compiled.arguments("own");
    assert!(line.contains("--temp 0.7 --top-k 3 --jinja"), "{line}");
    assert!(!line.contains("0.2"), "{line}");
}

#[test]
fn options_are_the_same_by_any_of_their_names() {
    for (default, own) in
        [("temp", "temperature"), ("cache-reuse", "--cache_reuse"), ("no-mmap", "mmap"), ("lm", "load-mode")]
    {
        let value = |name: &str| match name {
            "lm" | "load-mode" => " \"none\"",
            name if name.contains("mmap") => "",
            _ => " 1",
        };
        let compiled = with_defaults(
            &format!("option \"{default}\"{}", value(default)),
            &format!(
                "role \"a\" model=\"x\" port=9000\nrole \"b\" model=\"x\" port=9001 {{ option \"{own}\"{} }}",
                value(own)
            ),
        );
        let repeated = compiled.codes().contains(&"repeated-option");
        assert!(!repeated, "{default} {own}: {}", compiled.report());
    }
}

#[test]
fn a_role_unsets_options_overrides_variables_and_fields() {
    let compiled = with_defaults(
        r#"option "temp" 0.2; env { A "1" }; placement threads=4 lock=#true; override "qwen3moe.context_length" 4096; lookup"#,
        r#"role "plain" model="x" port=9000
role "own" model="x" port=9001 { unset "temperature" "A" "lock" "qwen3moe.context_length" "lookup" }"#,
    );
    let registry = compiled.checked().registry().clone();
    let own = registry.roles.iter().find(|role| *role.head.name.value == *"own").unwrap().serving().unwrap();
    assert!(own.options.is_empty() && own.env.is_empty() && own.overrides.is_empty() && own.lookup.is_none());
    assert!(own.placement.lock.is_none());
    assert_eq!(own.placement.threads.unwrap().value, 4);
}

#[test]
fn an_unset_without_effect_is_reported() {
    let plain = "role \"plain\" model=\"x\" port=9000\n";
    for (own, message) in [
        (
            "unset \"tmep\"",
            "unknown-name: role `own` unsets `tmep`, which `defaults` do not set (remove `unset \"tmep\"`)",
        ),
        (
            "unset \"temp\"; option \"temp\" 0.7",
            "conflicting-fields: role `own` unsets `temp`, but it does not take this default (remove `unset \"temp\"`)",
        ),
    ] {
        let roles = format!("{plain}role \"own\" model=\"x\" port=9001 {{ {own} }}");
        assert_eq!(messages("option \"temp\" 0.2", &roles), [message]);
    }
    let [finding] = &*messages("unset \"temp\"", plain) else { panic!() };
    assert!(
        finding.starts_with("unknown-field: `defaults` of stack `p` has an unknown field `unset`"),
        "{finding}"
    );
}

#[test]
fn a_default_that_no_role_takes_is_reported_once() {
    let roles = r#"role "a" model="x" port=9000 { option "temp" 0.7; env { A "2" }; placement threads=2; key-file "/etc/a" }
role "b" model="x" port=9001 { unset "temp" "A" "threads" "key-file" }"#;
    assert_eq!(
        messages(r#"option "temp" 0.2; env { A "1" }; placement threads=4; key-file "/etc/k""#, roles),
        [
            "unused-item: no role takes `option` `temp` of the `defaults` of stack `p` (remove `option \"temp\" 0.2`)",
            "unused-item: no role takes `env` `A` of the `defaults` of stack `p` (remove `A \"1\"`)",
            "unused-item: no role takes `placement` `threads` of the `defaults` of stack `p` (remove `threads=4`)",
            "unused-item: no role takes `key-file` of the `defaults` of stack `p` (remove `key-file \"/etc/k\"`)",
        ]
    );
}

/// A wrong option is an error where it is, also if no role takes it. A right one is not.
#[test]
fn a_wrong_option_that_every_role_replaces_is_an_error() {
    for (default, error) in [
        (r#"option "tpo-k" 20"#, "unknown-option: option `tpo-k` of stack `p`"),
        (r#"option "temp" "warm""#, "option-value: option `temp` of stack `p`"),
        (r#"options { top-k "4k" }"#, "option-value: option `top-k` of stack `p`"),
        (r#"option "ctx-size" 512"#, "owned-option: option `ctx-size` of stack `p`"),
        (r#"option "temp" 0.5"#, ""),
    ] {
        let name = default.split([' ', '"', '{']).filter(|word| !word.is_empty()).nth(1).unwrap();
        let roles = format!("role \"a\" model=\"x\" port=9000 {{ unset \"{name}\" }}");
        let found = messages(default, &roles);
        let errors: Vec<&String> = found.iter().filter(|one| !one.starts_with("unused-item")).collect();
        let is_right = if error.is_empty() {
            errors.is_empty()
        } else {
            errors.len() == 1 && errors[0].starts_with(error)
        };
        assert!(is_right && found.len() == errors.len() + 1, "{default}: {found:#?}");
    }
}

/// One finding for a default, not one for each role.
#[test]
fn a_wrong_default_is_reported_once_where_it_is() {
    let roles = r#"role "a" model="x" port=9000
role "b" model="x" port=9001 { option "top-k" 3; override "qwen3moe.rope.freq_base" 1.5; env { B "2" }; placement cpus="0-7" }"#;
    for (defaults, message) in [
        ("option \"tpo-k\" 20", "unknown-option: option `tpo-k` of stack `p`"),
        ("option \"poll\" 300", "option-value: option `poll` of stack `p`"),
        ("override \"qwen3moe.contxt_length\" 20", "unknown-override-key: stack `p` overrides"),
        ("env { LLAMA_ARG_TPO_K \"20\" }", "engine-variable: stack `p` sets `LLAMA_ARG_TPO_K`"),
    ] {
        let found = messages(defaults, roles);
        assert!(found.len() == 1 && found[0].starts_with(message), "{defaults}: {found:?}");
    }
}
