//! What the pinned build cannot do, under an old and a new profile.

use super::{beside, gives, only};
use crate::support::compile;

fn on(profile: &str, rest: &str) -> String {
    format!(
        "engine \"e\" profile=\"{profile}\" bin=\"/e\"\n\
         role \"x\" tier=\"A\" residency=\"hot\" model=\"plain\" engine=\"e\" context=4096 port=9000 {{ {rest} }}\n"
    )
}

const OLD: &str = "llama.cpp-2026-03-fork";
const NEW: &str = "llama.cpp-b11434";

#[test]
fn every_field_is_expressed_by_the_new_build() {
    let all = "slots 4; batch 512; draft \"tiny\" max=16 min=1 p-min=0.5; pooling \"mean\"; cache-type \"q8_0\"; flash-attention \"on\"; \
        prompt-cache \"1 GiB\"; key-file \"/etc/keys\"; placement threads=4 lock=#true";
    gives(&[], &on(NEW, all));
}

#[test]
fn an_option_that_was_renamed_is_unknown_to_the_new_build_and_known_to_the_old() {
    let old = beside(&on(OLD, "option \"draft-max\" value=16; draft \"tiny\""));
    let new = only(&on(NEW, "option \"draft-max\" value=16"));
    assert_eq!(new.code.name, "removed-option");
    assert!(new.message.starts_with("option `draft-max` of role `x`"), "{}", new.message);
    assert_eq!(new.help, ["use the field `draft`"]);
    assert!(!old.codes().contains(&"unknown-profile"), "{}", old.report());
}

#[test]
fn a_misspelt_option_is_led_to_the_nearest() {
    let finding = only(&on(NEW, "option \"no-mmprj\""));
    assert_eq!(
        (finding.code.name, finding.primary.text.as_str()),
        ("unknown-option", "did you mean `--no-mmproj`?")
    );
    assert_eq!(finding.help, ["write `--no-mmproj`"]);
    assert_eq!(finding.subject.unwrap().name, "x");
}

#[test]
fn a_number_that_the_draft_has_is_said_at_the_number() {
    let compiled = compile(&[
        ("a.kdl", crate::language::BASE),
        ("b.kdl", &on(OLD, "draft \"tiny\" max=16 p-min=0.5; lookup 3")),
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
fn a_role_of_an_unknown_profile_is_silent() {
    gives(
        &["unknown-profile"],
        &on("llama.cpp-b1", "option \"nonsense\" value=16; override \"zzz\" value=1"),
    );
}
