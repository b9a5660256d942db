//! Options and fields that an engine build does not support, under an old and a new profile.

use super::{assert_codes, compile_with_base, single_finding};
use crate::support::compile;

fn role_under(profile: &str, rest: &str) -> String {
    format!(
        "engine \"e\" profile=\"{profile}\" bin=\"/e\"\n\
         role \"x\" tier=\"A\" residency=\"hot\" model=\"plain\" engine=\"e\" context=4096 port=9000 {{ {rest} }}\n"
    )
}

const OLD: &str = "llama.cpp-2026-03-fork";
const NEW: &str = "llama.cpp-b11434";

#[test]
fn the_new_build_supports_every_field() {
    let all = "slots 4; batch 512; draft \"tiny\" max=16 min=1 p-min=0.5; pooling \"mean\"; cache-type \"q8_0\"; flash-attention \"on\"; \
        prompt-cache \"1 GiB\"; key-file \"/etc/keys\"; placement threads=4 lock=#true";
    assert_codes(&[], &role_under(NEW, all));
}

#[test]
fn a_removed_option_is_an_error_only_under_the_new_build() {
    let old = compile_with_base(&role_under(OLD, "option \"draft-max\" value=16; draft \"tiny\""));
    let new = single_finding(&role_under(NEW, "option \"draft-max\" value=16"));
    assert_eq!(new.code.name, "removed-option");
    assert!(new.message.starts_with("option `draft-max` of role `x`"), "{}", new.message);
    assert_eq!(new.help, ["use `max` of the field `draft`", "and remove this option"]);
    assert!(!old.codes().contains(&"unknown-profile"), "{}", old.report());
}

#[test]
fn a_misspelled_option_suggests_the_nearest_name() {
    let finding = single_finding(&role_under(NEW, "option \"no-mmprj\""));
    assert_eq!(
        (finding.code.name, finding.primary.text.as_str()),
        ("unknown-option", "did you mean `--no-mmproj`?")
    );
    assert_eq!(finding.help, ["write `no-mmproj`"]);
    assert_eq!(finding.subject.unwrap().name, "x");
}

#[test]
fn unsupported_draft_fields_are_reported_at_the_value() {
    let compiled = compile(&[
        ("a.kdl", crate::language::BASE),
        ("b.kdl", &role_under(OLD, "draft \"tiny\" max=16 p-min=0.5; lookup 3")),
    ]);
    for finding in compiled.findings.findings() {
        assert_eq!(finding.code.name, "engine-cannot", "{}", compiled.report());
        assert!(
            finding.secondary.iter().any(|label| label.text.contains("served by")),
            "{}",
            compiled.report()
        );
    }
}

#[test]
fn a_role_with_an_unknown_profile_gives_no_further_findings() {
    assert_codes(
        &["unknown-profile"],
        &role_under("llama.cpp-b1", "option \"nonsense\" value=16; override \"zzz\" value=1"),
    );
}

#[test]
fn a_part_of_a_profile_name_suggests_the_profile() {
    for (part, name) in [
        ("b11669", "llama.cpp-b11669"),
        ("11669", "llama.cpp-b11669"),
        ("llama-b11434-bin-ubuntu-x64", "llama.cpp-b11434"),
        ("ik_llama", "ik_llama.cpp-8337e4cd3"),
        ("ik_llama.cpp", "ik_llama.cpp-8337e4cd3"),
        ("Fork", "llama.cpp-2026-03-fork"),
        ("g49bfddeca", "llama.cpp-2026-03-22-g49bfddeca"),
    ] {
        let finding = single_finding(&role_under(part, "note \"n\""));
        assert_eq!(finding.code.name, "unknown-profile", "{part}");
        assert_eq!(finding.primary.text, format!("did you mean `{name}`?"), "{part}");
        assert_eq!(finding.help, [format!("write `{name}`")]);
    }
    for word in ["llama.cpp", "b1", "llama", "2026-03", "latest", "1166", "b116690"] {
        let finding = single_finding(&role_under(word, "note \"n\""));
        assert_eq!(finding.primary.text, "no such profile", "{word}");
    }
}
