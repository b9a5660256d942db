//! Needs of models, their trained contexts, and features that they do not support.

use super::{assert_codes, role, single_finding};

const VISION_FAMILY: &str = "family \"seeing\" arch=\"qwen2vl\" needs=\"projector\"\n";

fn model(rest: &str) -> String {
    format!(
        "model \"eye\" family=\"seeing\" title=\"Eye\" quant=\"q\" size=\"1 GB\" file=\"eye.gguf\" {rest}\n"
    )
}

fn role_with(model: &str, rest: &str) -> String {
    role("x", &format!("port=9000 {rest}")).replace("\"plain\"", &format!("\"{model}\""))
}

#[test]
fn a_served_model_needs_its_projector_and_a_draft_does_not() {
    assert_codes(&["unmet-need"], &[VISION_FAMILY, &model(""), &role_with("eye", "")].concat());
    assert_codes(
        &["unmet-need"],
        &[VISION_FAMILY, &model(""), "role \"l\" tier=\"A\" model=\"eye\""].concat(),
    );
    assert_codes(&[], &[VISION_FAMILY, &model("{ projector \"p.gguf\" }"), &role_with("eye", "")].concat());
    assert_codes(&[], &[VISION_FAMILY, &model(""), &role_with("plain", "draft=\"eye\"")].concat());
    // The model is a draft of one role and served by another.
    let both = role_with("plain", "draft=\"eye\"")
        + &role_with("eye", "").replace("\"x\"", "\"y\"").replace("9000", "9001");
    assert_codes(&["unmet-need"], &[VISION_FAMILY, &model(""), &both].concat());
}

#[test]
fn a_projector_is_a_separate_file() {
    let with = |file: &str| {
        [VISION_FAMILY, &model(&format!("{{ projector \"{file}\" }}")), &role_with("eye", "")].concat()
    };
    assert_codes(&[], &with("mmproj.gguf"));
    assert_eq!(
        single_finding(&with("eye.gguf")).message,
        "the projector of model `eye` is its own weight file"
    );
    assert_eq!(
        single_finding(&with("plain.gguf")).message,
        "the projector of model `eye` is the weight file of model `plain`"
    );
    assert_codes(&["misplaced-projector"], &with("/srv/models/plain.gguf"));
    assert_codes(&[], &with("/srv/other/plain.gguf"));
}

#[test]
fn a_model_that_needs_jinja_must_not_disable_it() {
    let family = "family \"talking\" arch=\"qwen2\" needs=\"jinja\"\n";
    let model = model("").replace("\"seeing\"", "\"talking\"");
    assert_codes(&[], &[family, &model, &role_with("eye", "")].concat());
    for name in ["no-jinja", "--no-jinja"] {
        assert_codes(
            &["unmet-need"],
            &[family, &model, &role_with("eye", &format!("{{ option \"{name}\" }}"))].concat(),
        );
    }
    assert_codes(&[], &role_with("plain", "{ option \"no-jinja\" }"));
}

#[test]
fn a_context_is_at_most_the_trained_context() {
    let with = |context: &str, rest: &str| {
        role_with("plain", rest).replace("context=4096", &format!("context={context}"))
    };
    assert_codes(&[], &with("32768", ""));
    assert_codes(&["untrained-context"], &with("32769", ""));
    // `context` applies to one slot.
    assert_codes(&[], &with("32768", "slots=4"));
    assert_codes(&[], &with("65536", "{ override \"qwen2.context_length\" value=65536 }"));
    let finding = single_finding(&with("65537", "{ override \"qwen2.context_length\" value=65536 }"));
    assert_eq!(
        finding.message,
        "role `x` has a context of 65537 tokens, but `Plain-7B` is extended to 65536"
    );
    assert_codes(&[], &role_with("mixture", "").replace("context=4096", "context=1000000"));
}

#[test]
fn a_default_context_that_is_too_long_also_labels_the_role() {
    let base = crate::language::BASE.replace(
        "engine=\"llama.cpp\"\nengine",
        "engine=\"llama.cpp\" { defaults { context 99999 } }\nengine",
    );
    let text = "role \"x\" tier=\"A\" residency=\"hot\" model=\"plain\" port=9000\n";
    let compiled = crate::support::compile(&[("base.kdl", &base), ("case.kdl", text)]);
    assert_eq!(compiled.codes(), ["untrained-context"], "{}", compiled.report());
    let finding = &compiled.findings.findings()[0];
    let labels: Vec<&str> = finding.secondary.iter().map(|label| &*label.text).collect();
    assert_eq!(labels, ["trained for this", "applies to this role"]);
}

#[test]
fn models_without_a_kv_cache_cannot_use_it() {
    let bert = "family \"bert\" arch=\"bert\"\nmodel \"e\" family=\"bert\" title=\"E\" quant=\"q\" size=\"1 GB\" file=\"e\"\n";
    let with = |rest: &str| format!("{bert}{}", role_with("e", &format!("pooling=\"cls\" {rest}")));
    assert_codes(&[], &with(""));
    assert_codes(&["without-cache"], &with("lookup=3"));
    assert_codes(&["without-cache"], &with("prompt-cache=\"1 GiB\""));
    assert_codes(&["without-cache"], &with("draft=\"tiny\""));
    assert_codes(&["without-cache"; 2], &with("draft=\"tiny\" prompt-cache=\"1 GiB\""));
    assert_codes(&["banned-draft"], &(with("draft=\"tiny\"") + "ban target=\"e\" draft=\"*\" failure=\"f\""));
}

#[test]
fn unloadable_architectures_are_reported_at_the_family() {
    let family =
        |arch: &str| format!("family \"f\" arch=\"{arch}\"\nban target=\"f\" draft=\"*\" failure=\"f\"");
    assert_codes(&["unloadable-architecture"], &family("clip"));
    assert_codes(&["unloadable-architecture"], &family("gptj"));
    assert_codes(&["unknown-architecture"], &family("clipp"));
}
