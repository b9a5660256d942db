//! Who may ask, and what must not be told.

use super::{beside, gives, only, role};
use crate::support::{Compiled, compile};
use orchgen::diag::report::{Style, human::human};

fn listening(rest: &str) -> String {
    role("x", &format!("port=9000 {rest}"))
}

#[test]
fn what_other_machines_reach_asks_for_a_key() {
    for exposed in ["0.0.0.0", "::", "10.0.0.1", "fe80::1", "::ffff:10.0.0.1"] {
        gives(&["exposed-without-key"], &listening(&format!("listen=\"{exposed}\"")));
        gives(&[], &listening(&format!("listen=\"{exposed}\" key-file=\"/etc/keys/x\"")));
    }
    for own in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
        gives(&[], &listening(&format!("listen=\"{own}\"")));
    }
    gives(&["exposed-without-key"], &listening("{ listen \"127.0.0.1\" \"10.0.0.1\" \"10.0.0.2\" }"));
    // A key that stands in the registry is one as well; that is said instead.
    gives(&["secret-in-registry"], &listening("listen=\"10.0.0.1\" { env { LLAMA_API_KEY \"swordfish\" } }"));
    // It is for people to decide, with a reason.
    gives(
        &[],
        &listening("listen=\"10.0.0.1\" { allow \"exposed-without-key\" because=\"behind a firewall\" }"),
    );
}

fn with_defaults(defaults: &str) -> Compiled {
    let base = crate::language::BASE.replace(
        "engine=\"llama.cpp\"\nengine",
        &format!("engine=\"llama.cpp\" {{ defaults {{ {defaults} }} }}\nengine"),
    );
    compile(&[("base.kdl", &base), ("case.kdl", &(listening("") + &role("y", "port=9001")))])
}

#[test]
fn a_default_is_said_once_and_at_the_stack() {
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
fn secrets_are_known_by_name_and_by_form() {
    let env = |name: &str, value: &str| listening(&format!("{{ env {{ {name} \"{value}\" }} }}"));
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
        gives(&["secret-in-registry"], &env(name, "swordfish"));
    }
    for name in
        ["TOKENIZERS_PARALLELISM", "MAX_TOKENS", "HF_TOKEN_PATH", "KEY", "SSH_KEYBOARD", "HF_HOME", "MONKEY"]
    {
        gives(&[], &env(name, "swordfish"));
    }
    for harmless in ["", "/etc/keys/x", "true", "0", "4096", "none"] {
        gives(&[], &env("HF_TOKEN", harmless));
    }
    for key in [
        "sk-abcdefghijklmnop0123",
        "hf_abcdefghijklmnop0123",
        "ghp_abcdefghijklmnop0123",
        "AKIAABCDEFGHIJKLMNOP",
    ] {
        gives(&["secret-in-registry"], &env("ANYTHING", key));
        gives(&["secret-in-registry"], &listening(&format!("{{ option \"alias\" value=\"{key}\" }}")));
    }
    for word in ["sk-short", "hf_home", "sk-a value with blanks in it"] {
        gives(&[], &env("ANYTHING", word));
    }
    let engine =
        "engine \"other\" profile=\"llama.cpp-b9093\" bin=\"/b\" { env { HF_TOKEN \"swordfish\" } }\n";
    gives(&["secret-in-registry"], &(engine.to_owned() + &listening("engine=\"other\"")));
}

#[test]
fn a_key_of_clients_is_said_once() {
    for name in ["api-key", "--api-key", "hf-token"] {
        gives(&["secret-in-registry"], &listening(&format!("{{ option \"{name}\" value=\"swordfish\" }}")));
    }
}

const STYLES: [Style; 3] = [
    Style { width: 80, colour: false, unicode: true, narrated: false, verbose: true, most: usize::MAX },
    Style { width: 200, colour: true, unicode: false, narrated: false, verbose: false, most: usize::MAX },
    Style { width: 80, colour: false, unicode: true, narrated: true, verbose: false, most: usize::MAX },
];

#[test]
fn no_format_repeats_a_secret() {
    let text = listening("{\n    slots 1\n    env { HF_TOKEN \"swordfish-é-🦀\" }\n    pooling \"clss\"\n}")
        + "role \"y\" tier=\"A\" residency=\"hot\" model=\"plain\" port=9001 context=1 {\n    option \"api-key\" value=\"swordfish\"\n}\n";
    let compiled = beside(&text);
    assert_eq!(
        compiled.codes(),
        ["secret-in-registry", "unknown-word", "secret-in-registry"],
        "{}",
        compiled.report()
    );
    assert!(!compiled.report().contains("swordfish"), "{}", compiled.report());
    for style in STYLES {
        // The finding beside it draws its line as well.
        let drawn = human(&compiled.findings, &compiled.loaded.map, style);
        assert!(drawn.contains("HF_TOKEN") && drawn.contains("***"), "{drawn}");
        assert!(!drawn.contains("swordfish") && !drawn.contains('🦀'), "{drawn}");
    }
}

#[test]
fn a_secret_over_several_lines_keeps_the_lines() {
    let text = "roles:\n  x:\n    {tier: A, residency: hot, model: plain, port: 9000, context: 1, env: {HF_TOKEN: \"sword\n      fish\"}}\n  y: {tier: Z, model: plain}\n";
    let compiled = compile(&[("base.kdl", crate::language::BASE), ("case.yaml", text)]);
    assert_eq!(compiled.codes(), ["secret-in-registry", "unknown-name"], "{}", compiled.report());
    let drawn = human(&compiled.findings, &compiled.loaded.map, STYLES[0]);
    assert!(!drawn.contains("sword") && !drawn.contains("fish"), "{drawn}");
    assert!(drawn.contains("case.yaml:5:"), "{drawn}");
}

#[test]
fn keys_lie_in_folders_of_their_own() {
    for misplaced in [
        "/srv/models/key",
        "/srv/models/deep/key",
        "/tmp/key",
        "/var/tmp/k/key",
        "/dev/null",
        "/proc/self/environ",
    ] {
        gives(&["misplaced-key-file"], &listening(&format!("key-file=\"{misplaced}\"")));
    }
    for fine in ["/etc/keys/x", "/run/secrets/x", "/srv/keys", "/opt/key", "/home/llm/key", "/tmpkeys/x"] {
        gives(&[], &listening(&format!("key-file=\"{fine}\"")));
    }
    let finding = only(&listening("key-file=\"/tmp/key\""));
    assert_eq!(
        finding.message,
        "the key file of role `x` lies where no key belongs: `/tmp` is emptied at boot"
    );
}
