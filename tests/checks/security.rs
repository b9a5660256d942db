//! Exposed servers, secrets and key files.

use super::{assert_codes, compile_with_base, role, single_finding};
use crate::support::{Compiled, compile};
use orchgen::diag::report::{Style, human::human};

fn listening_role(rest: &str) -> String {
    role("x", &format!("port=9000 {rest}"))
}

#[test]
fn a_role_that_other_machines_reach_needs_a_key() {
    for exposed in ["0.0.0.0", "::", "10.0.0.1", "fe80::1", "::ffff:10.0.0.1"] {
        assert_codes(&["exposed-without-key"], &listening_role(&format!("listen=\"{exposed}\"")));
        assert_codes(&[], &listening_role(&format!("listen=\"{exposed}\" key-file=\"/etc/keys/x\"")));
    }
    for own in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
        assert_codes(&[], &listening_role(&format!("listen=\"{own}\"")));
    }
    assert_codes(
        &["exposed-without-key"],
        &listening_role("{ listen \"127.0.0.1\" \"10.0.0.1\" \"10.0.0.2\" }"),
    );
    // A key in the registry protects the server too, but it is another finding.
    assert_codes(
        &["secret-in-registry"],
        &listening_role("listen=\"10.0.0.1\" { env { LLAMA_API_KEY \"swordfish\" } }"),
    );
    // The user may allow it with a reason.
    assert_codes(
        &[],
        &listening_role(
            "listen=\"10.0.0.1\" { allow \"exposed-without-key\" because=\"behind a firewall\" }",
        ),
    );
}

fn with_defaults(defaults: &str) -> Compiled {
    let base = crate::language::BASE.replace(
        "engine=\"llama.cpp\"\nengine",
        &format!("engine=\"llama.cpp\" {{ defaults {{ {defaults} }} }}\nengine"),
    );
    compile(&[("base.kdl", &base), ("case.kdl", &(listening_role("") + &role("y", "port=9001")))])
}

#[test]
fn a_wrong_default_gives_one_finding_at_the_stack() {
    for (defaults, code) in [
        ("listen \"0.0.0.0\"", "exposed-without-key"),
        ("key-file \"/tmp/key\"", "misplaced-key-file"),
        ("env { HF_TOKEN \"swordfish\" }", "secret-in-registry"),
    ] {
        let compiled = with_defaults(defaults);
        assert_eq!(compiled.codes(), [code], "{}", compiled.report());
        assert_eq!(compiled.findings.findings()[0].subject.as_ref().unwrap().kind, "stack");
    }
}

#[test]
fn secrets_are_recognized_by_their_name_or_form() {
    let env = |name: &str, value: &str| listening_role(&format!("{{ env {{ {name} \"{value}\" }} }}"));
    for name in [
        "HF_TOKEN",
        "LLAMA_API_KEY",
        "OPENAI_API_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "DB_PASSWORD",
        "CLIENT_SECRET",
        "token",
        "PASSWORD",
        "APIKEY",
    ] {
        assert_codes(&["secret-in-registry"], &env(name, "swordfish"));
    }
    for name in
        ["TOKENIZERS_PARALLELISM", "MAX_TOKENS", "HF_TOKEN_PATH", "KEY", "SSH_KEYBOARD", "HF_HOME", "MONKEY"]
    {
        assert_codes(&[], &env(name, "swordfish"));
    }
    for harmless in ["", "/etc/keys/x", "true", "0", "4096", "none"] {
        assert_codes(&[], &env("HF_TOKEN", harmless));
    }
    for key in [
        "sk-abcdefghijklmnop0123",
        "hf_abcdefghijklmnop0123",
        "ghp_abcdefghijklmnop0123",
        "AKIAABCDEFGHIJKLMNOP",
    ] {
        assert_codes(&["secret-in-registry"], &env("ANYTHING", key));
        assert_codes(
            &["secret-in-registry"],
            &listening_role(&format!("{{ option \"tags\" value=\"{key}\" }}")),
        );
    }
    for word in ["sk-short", "hf_home", "sk-a value with blanks in it"] {
        assert_codes(&[], &env("ANYTHING", word));
    }
    let engine =
        "engine \"other\" profile=\"llama.cpp-b9093\" bin=\"/b\" { env { HF_TOKEN \"swordfish\" } }\n";
    assert_codes(&["secret-in-registry"], &(engine.to_owned() + &listening_role("engine=\"other\"")));
}

#[test]
fn an_option_with_a_secret_gives_one_finding() {
    for name in ["api-key", "--api-key", "hf-token"] {
        assert_codes(
            &["secret-in-registry"],
            &listening_role(&format!("{{ option \"{name}\" value=\"swordfish\" }}")),
        );
    }
}

const STYLES: [Style; 3] = [
    Style {
        width: 80,
        color: false,
        unicode: true,
        screen_reader: false,
        links: None,
        verbose: true,
        max_findings: usize::MAX,
    },
    Style {
        width: 200,
        color: true,
        unicode: false,
        screen_reader: false,
        links: None,
        verbose: false,
        max_findings: usize::MAX,
    },
    Style {
        width: 80,
        color: false,
        unicode: true,
        screen_reader: true,
        links: None,
        verbose: false,
        max_findings: usize::MAX,
    },
];

#[test]
fn no_report_format_prints_a_secret() {
    let text = listening_role(
        "{\n    slots 1\n    env { HF_TOKEN \"swordfish-é-🦀\" }\n    pooling \"clss\"\n}",
    ) + "role \"y\" tier=\"A\" residency=\"hot\" model=\"plain\" port=9001 context=1 {\n    option \"api-key\" value=\"swordfish\"\n}\n";
    let compiled = compile_with_base(&text);
    assert_eq!(
        compiled.codes(),
        ["secret-in-registry", "unknown-word", "secret-in-registry"],
        "{}",
        compiled.report()
    );
    assert!(!compiled.report().contains("swordfish"), "{}", compiled.report());
    for style in STYLES {
        // The excerpt of the other finding has the same line.
        let report = human(&compiled.findings, &compiled.loaded.map, style);
        assert!(report.contains("HF_TOKEN") && report.contains("***"), "{report}");
        assert!(!report.contains("swordfish") && !report.contains('🦀'), "{report}");
    }
}

#[test]
fn a_masked_secret_on_several_lines_keeps_line_numbers() {
    let text = "roles:\n  x:\n    {tier: A, residency: hot, model: plain, port: 9000, context: 1, env: {HF_TOKEN: \"sword\n      fish\"}}\n  y: {tier: Z, model: plain}\n";
    let compiled = compile(&[("base.kdl", crate::language::BASE), ("case.yaml", text)]);
    assert_eq!(compiled.codes(), ["secret-in-registry", "unknown-name"], "{}", compiled.report());
    let report = human(&compiled.findings, &compiled.loaded.map, STYLES[0]);
    assert!(!report.contains("sword") && !report.contains("fish"), "{report}");
    assert!(report.contains("case.yaml:5:"), "{report}");
}

#[test]
fn key_files_are_outside_of_model_and_temporary_folders() {
    for misplaced in [
        "/srv/models/key",
        "/srv/models/deep/key",
        "/tmp/key",
        "/var/tmp/k/key",
        "/dev/null",
        "/proc/self/environ",
    ] {
        assert_codes(&["misplaced-key-file"], &listening_role(&format!("key-file=\"{misplaced}\"")));
    }
    for valid in ["/etc/keys/x", "/run/secrets/x", "/srv/keys", "/opt/key", "/home/llm/key", "/tmpkeys/x"] {
        assert_codes(&[], &listening_role(&format!("key-file=\"{valid}\"")));
    }
    let finding = single_finding(&listening_role("key-file=\"/tmp/key\""));
    assert_eq!(
        finding.message,
        "the key file of role `x` is in an unsuitable folder: `/tmp` is emptied at boot"
    );
}

/// The findings of a stack of a user with these lines.
#[track_caller]
fn assert_codes_of_a_user(codes: &[&str], lines: &str) {
    let text = format!(
        "stack \"s\" scope=\"user\"\nengine \"l\" profile=\"llama.cpp-b11669\" bin=\"/e\"\nmodel \"m\" file=\"/home/ada/m.gguf\"\n{lines}\n"
    );
    let compiled = compile(&[("stack.kdl", &text)]);
    assert_eq!(compiled.codes(), codes, "{}", compiled.report());
}

#[test]
fn a_stack_of_a_user_has_no_settings_that_need_root() {
    let needs_root = ["needs-root"];
    assert_codes_of_a_user(&[], "role \"x\" model=\"m\" port=1024");
    assert_codes_of_a_user(&needs_root, "role \"x\" model=\"m\" port=1023");
    assert_codes_of_a_user(&needs_root, "role \"x\" model=\"m\" ports=\"1023-1024\"");
    assert_codes_of_a_user(
        &needs_root,
        "role \"y\" model=\"m\" port=8080\nrole \"x\" port=80 { command \"/p\" \"{port}\" }",
    );
    let on_demand = "role \"x\" model=\"m\" port=8080 residency=\"warm\"";
    assert_codes_of_a_user(&needs_root, &format!("{on_demand} {{ backend 80 }}"));
    assert_codes_of_a_user(&[], &format!("{on_demand} {{ backend 8081 }}"));
    assert_codes_of_a_user(&needs_root, "role \"x\" model=\"m\" port=8080 { placement lock=#true }");
    assert_codes_of_a_user(&[], "role \"x\" model=\"m\" port=8080 { placement lock=#false }");
    let role = "role \"x\" model=\"m\" port=8080\n";
    assert_codes_of_a_user(&needs_root, &format!("{role}host \"h\" user=\"ada\""));
    assert_codes_of_a_user(
        &["needs-root", "needs-root"],
        &format!("{role}host \"h\" user=\"ada\" group=\"ada\""),
    );
}

#[test]
fn options_of_a_user_write_where_the_user_can() {
    let role = |file: &str| format!("role \"x\" model=\"m\" port=8080 {{ option \"log-file\" \"{file}\" }}");
    assert_codes_of_a_user(&[], &role("/home/ada/logs/x.log"));
    assert_codes_of_a_user(&[], &role("/srv/logs/x.log"));
    for file in ["/var/log/llama/x.log", "/run/llama/x.log", "/tmp/x.log"] {
        assert_codes_of_a_user(&["unwritable-path"], &role(file));
    }
}
