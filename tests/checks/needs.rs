//! What models need, what they were trained for, and what they cannot do.

use super::{gives, only, role};

const SEEING: &str = "family \"seeing\" arch=\"qwen2vl\" needs=\"projector\"\n";

fn model(rest: &str) -> String {
    format!(
        "model \"eye\" family=\"seeing\" title=\"Eye\" quant=\"q\" size=\"1 GB\" file=\"eye.gguf\" {rest}\n"
    )
}

fn on(model: &str, rest: &str) -> String {
    role("x", &format!("port=9000 {rest}")).replace("\"plain\"", &format!("\"{model}\""))
}

#[test]
fn a_projector_is_needed_by_what_is_served_and_not_by_a_draft() {
    gives(&["unmet-need"], &[SEEING, &model(""), &on("eye", "")].concat());
    gives(&["unmet-need"], &[SEEING, &model(""), "role \"l\" tier=\"A\" model=\"eye\""].concat());
    gives(&[], &[SEEING, &model("{ projector \"p.gguf\" }"), &on("eye", "")].concat());
    gives(&[], &[SEEING, &model(""), &on("plain", "draft=\"eye\"")].concat());
    // Both of it: the model is served too.
    let both =
        on("plain", "draft=\"eye\"") + &on("eye", "").replace("\"x\"", "\"y\"").replace("9000", "9001");
    gives(&["unmet-need"], &[SEEING, &model(""), &both].concat());
}

#[test]
fn a_projector_is_a_file_of_its_own() {
    let with = |file: &str| [SEEING, &model(&format!("{{ projector \"{file}\" }}")), &on("eye", "")].concat();
    gives(&[], &with("mmproj.gguf"));
    assert_eq!(only(&with("eye.gguf")).message, "the projector of model `eye` is its own weights");
    assert_eq!(
        only(&with("plain.gguf")).message,
        "the projector of model `eye` is the weights of model `plain`"
    );
    gives(&["misplaced-projector"], &with("/srv/models/plain.gguf"));
    gives(&[], &with("/srv/other/plain.gguf"));
}

#[test]
fn a_template_engine_that_is_needed_stays_on() {
    let family = "family \"talking\" arch=\"qwen2\" needs=\"jinja\"\n";
    let model = model("").replace("\"seeing\"", "\"talking\"");
    gives(&[], &[family, &model, &on("eye", "")].concat());
    for name in ["no-jinja", "--no-jinja"] {
        gives(&["unmet-need"], &[family, &model, &on("eye", &format!("{{ option \"{name}\" }}"))].concat());
    }
    gives(&[], &on("plain", "{ option \"no-jinja\" }"));
}

#[test]
fn a_context_is_at_most_the_trained_one() {
    let with =
        |context: &str, rest: &str| on("plain", rest).replace("context=4096", &format!("context={context}"));
    gives(&[], &with("32768", ""));
    gives(&["untrained-context"], &with("32769", ""));
    // Each slot has the context of one request.
    gives(&[], &with("32768", "slots=4"));
    gives(&[], &with("65536", "{ override \"qwen2.context_length\" value=65536 }"));
    let finding = only(&with("65537", "{ override \"qwen2.context_length\" value=65536 }"));
    assert_eq!(
        finding.message,
        "role `x` has a context of 65537 tokens, and `Plain-7B` is stretched to 65536"
    );
    gives(&[], &on("mixture", "").replace("context=4096", "context=1000000"));
}

#[test]
fn a_default_context_shows_the_role_that_it_is_too_long_for() {
    let base = crate::language::BASE.replace(
        "engine=\"llama.cpp\"\nengine",
        "engine=\"llama.cpp\" { defaults { context 99999 } }\nengine",
    );
    let text = "role \"x\" tier=\"A\" residency=\"hot\" model=\"plain\" port=9000\n";
    let compiled = crate::support::compile(&[("base.kdl", &base), ("case.kdl", text)]);
    assert_eq!(compiled.codes(), ["untrained-context"], "{}", compiled.report());
    let finding = &compiled.findings.findings()[0];
    let labels: Vec<&str> = finding.secondary.iter().map(|label| &*label.text).collect();
    assert_eq!(labels, ["trained for this", "holds for this role"]);
}

#[test]
fn what_keeps_no_cache_needs_none() {
    let bert = "family \"bert\" arch=\"bert\"\nmodel \"e\" family=\"bert\" title=\"E\" quant=\"q\" size=\"1 GB\" file=\"e\"\n";
    let with = |rest: &str| format!("{bert}{}", on("e", &format!("pooling=\"cls\" {rest}")));
    gives(&[], &with(""));
    gives(&["without-cache"], &with("lookup=3"));
    gives(&["without-cache"], &with("prompt-cache=\"1 GiB\""));
    gives(&["without-cache"], &with("draft=\"tiny\""));
    gives(&["without-cache"; 2], &with("draft=\"tiny\" prompt-cache=\"1 GiB\""));
    gives(&["banned-draft"], &(with("draft=\"tiny\"") + "ban target=\"e\" draft=\"*\" failure=\"f\""));
}

#[test]
fn names_that_load_no_model_are_said_at_the_family() {
    let family =
        |arch: &str| format!("family \"f\" arch=\"{arch}\"\nban target=\"f\" draft=\"*\" failure=\"f\"");
    gives(&["unloadable-architecture"], &family("clip"));
    gives(&["unloadable-architecture"], &family("gptj"));
    gives(&["unknown-architecture"], &family("clipp"));
}
