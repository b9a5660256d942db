//! Options that have no field: what each code finds at its edges, and where it says it.

use super::{beside, gives, labelled, only, role};
use crate::support::{Compiled, compile};

fn with(options: &str) -> String {
    role("x", &format!("port=9000 {{ {options} }}"))
}

fn under(profile: &str, rest: &str) -> String {
    format!("engine \"e\" profile=\"{profile}\" bin=\"/e\"\n")
        + &role("x", &format!("engine=\"e\" port=9000 {{ {rest} }}"))
}

#[track_caller]
fn code_and_help(text: &str) -> (&'static str, String) {
    let finding = only(text);
    assert_eq!(finding.subject.as_ref().map(|subject| &*subject.name), Some("x"));
    (finding.code.name, finding.help.join("; "))
}

#[test]
fn every_fault_has_its_code_and_says_what_to_do() {
    for (option, code, help) in [
        ("\"tpo-k\" value=2", "unknown-option", "write `--top-k`"),
        ("\"image\" value=\"x\"", "unknown-option", ""),
        ("\"mlock\"", "removed-option", "use the field `placement`"),
        ("\"no-mmap\"", "removed-option", "use --load-mode"),
        ("\"spec-ngram-size-n\" value=3", "removed-option", "use the respective --spec-ngram-*-size-n"),
        ("\"defrag-thold\" value=0.1", "deprecated-option", "remove it"),
        ("\"top-k\" value=\"8k\"", "option-value", "write a whole number, digits alone"),
        ("\"top-k\" value=0.5", "option-value", "write a whole number, digits alone"),
        ("\"top-k\" value=3000000000", "option-value", "write a whole number, digits alone"),
        ("\"top-k\"", "option-value", "add `value`"),
        ("\"jinja\" value=#true", "option-value", "remove the value"),
        ("\"split-mode\" value=\"rows\"", "option-value", "write none, layer, row, tensor"),
        ("\"cpu-range\" value=\"5-2\"", "option-value", "the lower one first"),
        ("\"poll\" value=300", "option-value", "write 0 to 100"),
        ("\"n-predict\" value=\"\"", "out-of-range", ""),
        ("\"spec-ngram-mod-n-max\" value=2000", "option-value", "write a whole number from 0 to 1024"),
        ("\"control-vector-layer-range\" value=\"1 x\"", "option-value", "write both in one text"),
        ("\"chat-template\" value=\"llama3\"", "option-value", "chat-template-file"),
        ("\"chat-template-kwargs\" value=\"{\"", "option-value", "write a JSON object"),
        ("\"seed\" value=-2", "option-value", "from -1 to 4294967295"),
        ("\"port\" value=1", "owned-option", "use the field `port`"),
        ("\"-ngld\" value=1", "idle-option", "add the field `draft`, or remove it"),
        ("\"version\"", "owned-option", "remove it"),
        ("\"api-prefix\" value=\"/p\"", "owned-option", "remove it"),
        ("\"ssl-key-file\" value=\"/k\"", "owned-option", "remove it"),
        ("\"gpt-oss-20b-default\"", "owned-option", "remove it"),
        ("\"spec-type\" value=\"draft-eagle3\"", "lone-option", "use the field `draft`"),
        ("\"spec-type\" value=\"ngram-cache\"", "lone-option", "lookup-cache-static"),
        ("\"cpu-mask-batch\" value=\"ff\"", "idle-option", "add the option `threads-batch`"),
        ("\"spec-draft-cpu-mask\" value=\"ff\"", "idle-option", "remove it"),
        ("\"n-cpu-moe\" value=3", "idle-option", "remove it"),
        ("\"models-max\" value=3", "idle-option", "remove it"),
    ] {
        let (found, said) = code_and_help(&with(&format!("option {option}")));
        assert_eq!(found, code, "{option}: {said}");
        assert!(said.contains(help), "{option}: {said}");
    }
}

#[test]
fn what_the_build_takes_is_taken() {
    for option in [
        "\"top_k\" value=20",
        "\"--temp\" value=0.7",
        "\"temp\" value=1e-3",
        "\"seed\" value=-1",
        "\"no-mmproj-offload\"",
        "\"spec-type\" value=\"ngram-mod,ngram-simple\"",
        "\"spec-default\"",
        "\"chat-template\" value=\"chatml\"",
        "\"chat-template\" value=\"{{ messages }}\"",
        "\"chat-template\" value=\"llama3\"; option \"no-jinja\"",
        "\"cpu-mask-batch\" value=\"0xff\"; option \"threads-batch\" value=2",
        "\"control-vector-layer-range\" value=\"1 2\"",
        "\"lora\" value=\"/a\"; option \"lora\" value=\"/b\"",
        "\"sleep-idle-seconds\" value=-1",
        "\"metrics\"",
        "\"gpu-layers\" value=\"all\"",
        "\"logit-bias\" value=\"15043-0.5\"",
        "\"override-tensor\" value=\"exps=CPU\"",
    ] {
        gives(&[], &with(&format!("option {option}")));
    }
    // A model with experts has some to leave on the CPU, and one with a draft has its threads.
    let experts = role("x", "port=9000 { option \"n-cpu-moe\" value=3 }").replace("\"plain\"", "\"mixture\"");
    gives(&[], &experts);
    gives(&[], &with("draft \"tiny\"; option \"spec-draft-threads\" value=2"));
}

#[test]
fn a_second_one_is_led_to_the_first() {
    let compiled = beside(&with("option \"top-k\" value=1; option \"top_k\" value=2"));
    let [finding] = compiled.findings.findings() else { panic!("{}", compiled.report()) };
    assert_eq!(finding.code.name, "repeated-option");
    let places = labelled(&compiled, finding);
    assert_eq!((places[0].1.as_str(), places.last().unwrap().1.as_str()), ("\"top_k\"", "\"top-k\""));
}

#[test]
fn a_value_is_said_at_the_value() {
    let compiled = beside(&with("option \"top-k\" value=\"8k\""));
    assert_eq!(labelled(&compiled, &compiled.findings.findings()[0])[0].1, "\"8k\"");
    let compiled = beside(&with("option \"top-k\""));
    assert_eq!(labelled(&compiled, &compiled.findings.findings()[0])[0].1, "\"top-k\"");
}

#[test]
fn builds_that_can_are_named() {
    gives(&[], &under("llama.cpp-b9093", "option \"split-mode\" value=\"tensor\""));
    let march = only(&under("llama.cpp-2026-03-22-g49bfddeca", "option \"split-mode\" value=\"tensor\""));
    assert_eq!(march.code.name, "option-value");
    assert!(
        march.help.iter().any(|help| help.starts_with("builds that can: `llama.cpp-b9093`")),
        "{march:?}"
    );
    let early = only(&under("llama.cpp-b10434", "option \"lazy-mode\" value=\"on\""));
    assert_eq!(early.code.name, "unknown-option");
    assert!(
        early.help.iter().any(|help| help == "builds that can: `llama.cpp-b11434` and `llama.cpp-b11669`")
    );
}

#[test]
fn a_warning_may_be_allowed_and_an_error_not() {
    let allowed =
        |option: &str, code: &str| with(&format!("option {option}; allow \"{code}\" because=\"measured\""));
    gives(&[], &allowed("\"defrag-thold\" value=0.1", "deprecated-option"));
    gives(&[], &allowed("\"models-max\" value=3", "idle-option"));
    gives(&["option-value", "unused-allow"], &allowed("\"top-k\" value=\"8k\"", "option-value"));
}

#[test]
fn a_variable_of_an_option_is_said_where_it_does_not_do_what_it_says() {
    for (name, what) in [
        ("LLAMA_ARG_PORT", Some("overrides")),
        ("LLAMA_ARG_NO_KV_UNIFIED", Some("overrides")),
        ("LLAMA_ARG_DRAFT_MAX", Some("stops")),
        ("LLAMA_ARG_NONSENSE", Some("reads")),
        ("LLAMA_ARG_TOP_K", None),
        ("OMP_NUM_THREADS", None),
    ] {
        let text = with(&format!("env {{ {name} \"1\" }}"));
        match what {
            Some(what) => {
                let finding = only(&text);
                assert_eq!(finding.code.name, "engine-variable");
                assert!(finding.message.contains(what), "{}", finding.message);
            }
            None => gives(&[], &text),
        }
    }
    let engine =
        "engine \"e\" profile=\"llama.cpp-b11434\" bin=\"/e\" { env { LLAMA_ARG_CTX_SIZE \"1\" } }\n";
    let finding = only(&(engine.to_owned() + &role("x", "engine=\"e\" port=9000")));
    assert_eq!((finding.code.name, finding.subject.unwrap().kind), ("engine-variable", "engine"));
}

#[test]
fn a_number_beyond_its_key_is_said() {
    let overriding = |key: &str, value: &str| {
        role("x", &format!("port=9000 {{ override \"{key}\" value={value} }}"))
            .replace("\"plain\"", "\"mixture\"")
    };
    for (key, value, fits) in [
        ("qwen3moe.context_length", "-1", false),
        ("qwen3moe.context_length", "4294967296", false),
        ("qwen3moe.context_length", "4294967295", true),
        ("qwen3moe.expert_count", "7", false),
        ("qwen3moe.expert_count", "1025", false),
        ("qwen3moe.expert_count", "64", true),
        ("qwen3moe.expert_group_count", "3", false),
        ("qwen3moe.expert_group_count", "4", true),
        ("qwen3moe.expert_group_used_count", "0", false),
        ("tokenizer.ggml.bos_token_id", "-1", false),
    ] {
        let expected: &[&str] = if fits { &[] } else { &["override-range"] };
        gives(expected, &overriding(key, value));
    }
    let dense = role("x", "port=9000 { override \"qwen2.expert_count\" value=8 }");
    gives(&["override-range"], &dense);
}

/// A profile of one's own: what `orchgen engine probe` would write of a build that nobody knows.
const OWN: &str = r#"{"engine":"llama.cpp","build":"b12000","source":"me","tools":["llama-server"],"options":[
  {"names":["-m","--model"],"value":"F","tools":"*"},
  {"names":["-c","--ctx-size"],"value":"N","tools":"*"},
  {"names":["-np","--parallel"],"value":"N","tools":"*"},
  {"names":["-t","--threads"],"value":"N","tools":"*"},
  {"names":["--host"],"value":"H","tools":"*"},
  {"names":["--port"],"value":"P","tools":"*"},
  {"names":["--override-kv"],"value":"KEY=TYPE:VALUE,...","tools":"*"},
  {"names":["--shiny"],"value":null,"tools":"*"}]}"#;

fn own(profile: &str, json: &str, rest: &str) -> Compiled {
    let text = format!("engine \"e\" profile=\"{profile}\" bin=\"/e\"\n")
        + &role("x", &format!("engine=\"e\" port=9000 {{ {rest} }}"))
            .replace("\"plain\"", "\"small-mixture\"");
    compile(&[("base.kdl", crate::language::BASE), ("case.kdl", &text), ("mine.json", json)])
}

#[test]
fn an_engine_may_have_a_profile_of_its_own() {
    let compiled = own("mine.json", OWN, "option \"shiny\"");
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
    let checked = compiled.checked();
    let role = checked.registry().roles.iter().find(|role| *role.head.name.value == *"x").unwrap();
    let args = checked.serve(role.serving().unwrap(), 0).unwrap().args.join(" ");
    assert!(args.contains("--host 127.0.0.1 --port 9000") && args.ends_with("--shiny"), "{args}");
    // It says of llama-cli neither that it is there nor that it is not.
    assert!(compiled.findings.not_checked().iter().any(|left| left.check == "missing-one-shot"));
    assert!(compiled.files()["systemd/page-x.service"].0.contains("--shiny"));
}

#[test]
fn keys_that_a_younger_build_may_have_are_not_checked_and_slips_are_said() {
    let key = |key: &str| own("mine.json", OWN, &format!("override \"{key}\" value=8192"));
    assert_eq!(key("qwen3moe.context_length").codes(), [""; 0]);
    let unknown = key("qwen3moe.something_of_tomorrow");
    assert!(unknown.findings.is_empty(), "{}", unknown.report());
    let left = unknown.findings.not_checked();
    assert!(
        left.iter().any(|left| left.check == "unknown-override-key" && left.subject.name == "x"),
        "{left:?}"
    );
    assert_eq!(key("qwen3moe.contxt_length").codes(), ["unknown-override-key"]);
    assert_eq!(key("context_length").codes(), ["unknown-override-key"]);
    assert_eq!(key("qwen3next.context_length").codes(), ["unknown-override-key"]);
}

#[test]
fn a_profile_file_that_is_missing_or_broken_is_said_at_the_field() {
    let missing = own("min.json", OWN, "note \"n\"");
    assert_eq!(missing.codes(), ["unknown-profile"]);
    let finding = &missing.findings.findings()[0];
    assert_eq!(finding.primary.text, "did you mean `mine.json`?");
    assert_eq!(missing.loaded.map.text(finding.primary.span), "\"min.json\"");
    for (json, why) in [
        ("{", "EOF while parsing"),
        ("[]", "line 1"),
        (
            "{\"engine\":\"llama.cpp\",\"build\":\"b\",\"source\":\"s\",\"tools\":[],\"options\":[],\"x\":1}",
            "unknown field `x`",
        ),
        (
            "{\"engine\":\"llama.cpp\",\"build\":\"b\",\"source\":\"s\",\"extends\":\"b0\",\"tools\":[],\"options\":[]}",
            "extends `b0`",
        ),
    ] {
        let broken = own("mine.json", json, "option \"nonsense\"");
        assert_eq!(broken.codes(), ["unreadable-profile"], "{json}");
        assert!(broken.findings.findings()[0].message.contains(why), "{}", broken.report());
    }
}

#[test]
fn a_profile_file_is_read_from_the_folder_of_the_registry() {
    let dir = tempfile::tempdir().unwrap();
    let text =
        "engine \"e\" profile=\"mine.json\" bin=\"/e\"\n".to_owned() + &role("x", "engine=\"e\" port=9000");
    for (name, text) in [("base.kdl", crate::language::BASE), ("case.kdl", &text), ("mine.json", OWN)] {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    let compiled = crate::support::compile_folder(dir.path());
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
    std::fs::write(dir.path().join("mine.json"), [0xff, 0xfe]).unwrap();
    let compiled = crate::support::compile_folder(dir.path());
    assert_eq!(compiled.codes(), ["unreadable-profile"]);
    assert!(compiled.findings.findings()[0].message.ends_with("it is not UTF-8"), "{}", compiled.report());
}
