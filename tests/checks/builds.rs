//! Settings whose effect depends on the build or on the file: YaRN, MTP layers, kinds of drafts, shared caches.

use super::{assert_codes, compile_with_base, role};
use crate::language::BASE;
use crate::support::compile;

/// The helps of the first finding with a code.
fn helps(text: &str, code: &str) -> Vec<String> {
    let compiled = compile_with_base(text);
    let finding = compiled.findings.findings().iter().find(|finding| finding.code.name == code);
    finding.map_or_else(|| panic!("{}", compiled.report()), |finding| finding.help.clone())
}

fn on(profile: &str) -> String {
    format!("engine \"other\" profile=\"{profile}\" bin=\"/opt/other/bin\"\n")
}

#[test]
fn yarn_extends_the_trained_context_since_b11434() {
    let with = |profile: &str, context: u64, options: &str| {
        let role = role("a", &format!("port=9000 engine=\"other\" {{ {options} }}"));
        on(profile) + &role.replace("context=4096", &format!("context={context}"))
    };
    let yarn = "option \"rope-scaling\" value=\"yarn\"; option \"rope-scale\" value=4";
    let linear = yarn.replace("yarn", "linear");
    let original = format!("{yarn}; option \"yarn-orig-ctx\" value=16384");
    let half = yarn.replace("\"rope-scale\" value=4", "\"rope-freq-scale\" value=0.5");
    for (profile, context, options, codes) in [
        ("llama.cpp-b11434", 131_072, yarn, &[][..]),
        ("llama.cpp-b11669", 131_072, yarn, &[]),
        ("llama.cpp-b11669", 131_073, yarn, &["untrained-context"]),
        ("llama.cpp-b11669", 65_536, &half, &[]),
        ("llama.cpp-b11669", 65_537, &half, &["untrained-context"]),
        ("llama.cpp-b11669", 65_536, &original, &[]),
        ("llama.cpp-b11669", 65_537, &original, &["untrained-context"]),
        ("llama.cpp-b11669", 65_536, &linear, &["untrained-context"]),
        ("llama.cpp-b10434", 65_536, yarn, &["untrained-context"]),
    ] {
        assert_codes(codes, &with(profile, context, options));
    }
    let help = helps(&with("llama.cpp-b10434", 65_536, yarn), "untrained-context");
    assert!(help.iter().any(|line| line.contains("`qwen2.context_length` with 65536")), "{help:?}");
    assert!(help.iter().any(|line| line.contains("`yarn-orig-ctx` with 32768")), "{help:?}");
}

#[test]
fn an_override_hides_the_original_context_from_yarn() {
    let options = "override \"qwen2.context_length\" 131072; option \"rope-scaling\" value=\"yarn\"";
    let text = role("a", &format!("port=9000 {{ {options} }}"));
    assert_codes(&["spoiled-yarn"], &text);
    let help = helps(&text, "spoiled-yarn");
    assert!(help[0].contains("`yarn-orig-ctx` with the value 32768"), "{help:?}");
    let whole = text.replace(options, &format!("{options}; option \"yarn-orig-ctx\" value=32768"));
    assert_codes(&[], &whole);
}

#[test]
fn the_lock_decides_if_a_model_drafts_with_its_own_layers() {
    let text = role("a", "port=9000 { option \"spec-type\" value=\"draft-mtp,ngram-mod\" }");
    for (layers, codes) in [
        ("", &["missing-mtp-layers"][..]),
        ("\"nextn_predict_layers\": 0", &["missing-mtp-layers"]),
        ("\"nextn_predict_layers\": 1", &[]),
    ] {
        let lock = format!(
            "{{\"format_version\": 1, \"models\": {{\"plain\": {{\"file\": \"plain.gguf\", \"header\": \"0\", \"size\": 4400000000, \"parameters\": {{{layers}}}}}}}}}"
        );
        let compiled = compile(&[("base.kdl", BASE), ("case.kdl", &text), ("registry.lock", &lock)]);
        assert_eq!(compiled.codes(), codes, "{layers} {}", compiled.report());
    }
    let compiled = compile_with_base(&text);
    assert!(compiled.findings.not_checked().iter().any(|entry| entry.check == "missing-mtp-layers"));
}

#[test]
fn the_architecture_of_a_draft_decides_its_kind() {
    for (arch, kind) in [
        ("gemma4-assistant", "draft-mtp"),
        ("eagle3", "draft-eagle3"),
        ("dflash", "draft-dflash"),
        ("qwen3", "draft-simple"),
    ] {
        let text = format!(
            "family \"helper\" arch=\"{arch}\"\nmodel \"helper\" family=\"helper\" title=\"H\" quant=\"Q8_0\" size=\"0.1 GB\" file=\"h.gguf\"\n{}",
            role("a", "port=9000 draft=\"helper\"")
        );
        let arguments = compile_with_base(&text).arguments("a");
        assert!(arguments.contains(&format!("--spec-type {kind}")), "{arch}: {arguments}");
    }
}

#[test]
fn options_without_a_field_are_not_sent_to_a_wrong_field() {
    for (settings, part) in [
        ("slots=4 { option \"kv-unified\" }", "write `slots 4 shared=#true` instead of this option"),
        (
            "{ draft \"tiny\"; option \"spec-type\" value=\"draft-mtp\" }",
            "write `draft \"tiny\" kind=\"mtp\"` instead of this option",
        ),
        ("{ option \"spec-draft-n-max\" value=2 }", "use `max` of the field `draft`"),
        (
            "{ option \"cache-type-k\" value=\"q8_0\" }",
            "write `cache-type k=\"q8_0\"` instead of this option",
        ),
        (
            "{ option \"override-kv\" value=\"qwen2.context_length=int:6\" }",
            "`override \"qwen2.context_length\" value=6`",
        ),
    ] {
        let help = helps(&role("a", &format!("port=9000 {settings}")), "owned-option");
        assert!(help.iter().any(|line| line.contains(part)), "{settings}: {help:?}");
    }
}

#[test]
fn an_override_with_a_type_before_its_value_is_shown_without_it() {
    for (value, to) in [("int:6", "6"), ("6", "6"), ("u32: 7", "7")] {
        let text = role("a", &format!("port=9000 {{ override \"qwen2.block_count\" \"{value}\" }}"));
        assert_eq!(helps(&text, "override-type"), [format!("write `{to}`")]);
    }
}

#[test]
fn a_deprecated_key_of_template_arguments_is_reported_at_the_value() {
    let with = |json: &str| {
        role("a", &format!("port=9000 {{ option \"chat-template-kwargs\" value=#\"{json}\"# }}"))
    };
    let text = with("{\"enable_thinking\": false, \"x\": 1}");
    assert_codes(&["deprecated-option"], &text);
    let help = helps(&text, "deprecated-option");
    assert!(help[0].ends_with("set the option `reasoning` to `off`"), "{help:?}");
    assert_codes(&[], &with("{\"thinking\": false}"));
}

#[test]
fn a_name_at_hugging_face_is_no_file() {
    let text = "model \"hub\" family=\"qwen2\" title=\"H\" quant=\"Q4_0\" size=\"1 GB\" file=\"acme/tiny-GGUF:Q4_0\"\n\
                role \"hub\" tier=\"A\" model=\"hub\"\n";
    let help = helps(text, "out-of-range");
    assert!(help[0].contains("`repo` with the value `acme/tiny-GGUF`"), "{help:?}");
}
