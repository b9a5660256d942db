//! Options without a field: edge cases of each code, and the places of findings.

use super::{assert_codes, compile_with_base, label_texts, role, single_finding};
use crate::language::BASE;
use crate::support::{Compiled, compile};

fn role_with(options: &str) -> String {
    role("x", &format!("port=9000 {{ {options} }}"))
}

fn role_under(profile: &str, rest: &str) -> String {
    format!("engine \"e\" profile=\"{profile}\" bin=\"/e\"\n")
        + &role("x", &format!("engine=\"e\" port=9000 {{ {rest} }}"))
}

#[track_caller]
fn code_and_help(text: &str) -> (&'static str, String) {
    let finding = single_finding(text);
    assert_eq!(finding.subject.as_ref().map(|subject| &*subject.name), Some("x"));
    (finding.code.name, finding.help.join("; "))
}

/// A value of a map, `true` and `false` of a switch, lists and several values, in both languages.
#[test]
fn options_are_maps_lists_and_booleans() {
    let base = BASE.replace("role \"", "role \"base-");
    let line = |name: &str, text: &str| compile(&[("base.kdl", &*base), (name, text)]).arguments("x");
    let kdl = line(
        "x.kdl",
        &role_with(
            "options { temp 0.7; jinja #true; warmup #false; \"no-cont-batching\"; control-vector \"/a.gguf\" \"/b.gguf\"; control-vector-layer-range 1 20 }; option \"seed\" 3; option \"perf\" #false; overrides { qwen2.context_length 4096 }",
        ),
    );
    let yaml = line(
        "x.yaml",
        "roles: {x: {tier: A, residency: hot, model: plain, context: 4096, port: 9000, options: {temp: 0.7, jinja: true, warmup: false, no-cont-batching: , control-vector: [/a.gguf, /b.gguf], control-vector-layer-range: [1, 20]}, option: [{name: seed, value: 3}, {name: perf, value: false}], overrides: {qwen2.context_length: 4096}}}",
    );
    assert_eq!(kdl, yaml);
    let expected = "--temp 0.7 --jinja --no-warmup --no-cont-batching --control-vector /a.gguf --control-vector /b.gguf --control-vector-layer-range 1 20 --seed 3 --no-perf";
    assert!(kdl.contains(expected), "{kdl}");
    assert!(kdl.contains("qwen2.context_length=int:4096"), "{kdl}");
}

#[test]
fn every_wrong_option_has_a_code_and_a_help() {
    for (option, code, help) in [
        ("\"tpo-k\" value=2", "unknown-option", "write `top-k`"),
        ("\"image\" value=\"x\"", "unknown-option", ""),
        ("\"mlock\"", "removed-option", "write `placement lock=#true`"),
        ("\"no-mmap\"", "removed-option", "write `option \"load-mode\" \"none\"` instead of this option"),
        ("\"spec-ngram-size-n\" value=3", "removed-option", "use the respective --spec-ngram-*-size-n"),
        ("\"defrag-thold\" value=0.1", "deprecated-option", "remove this option"),
        ("\"top-k\" value=\"8k\"", "option-value", "write `8192`; the option takes"),
        ("\"top-k\" value=0.5", "option-value", "write a 32-bit whole number, digits only"),
        ("\"top-k\" value=3000000000", "option-value", "write a 32-bit whole number, digits only"),
        ("\"top-k\"", "option-value", "add the value after the name: a 32-bit whole number"),
        ("\"jinja\" value=\"true\"", "option-value", "write `option \"jinja\"`: the option takes no value"),
        ("\"rope-scaling\" value=\"yarm\"", "option-value", "write `\"yarn\"`"),
        ("\"cpu-range\" value=\"5-2\"", "option-value", "a range of CPUs below 512 such as `0-7`"),
        ("\"poll\" value=300", "option-value", "write `100`"),
        ("\"n-predict\" value=\"\"", "out-of-range", ""),
        ("\"spec-ngram-mod-n-max\" value=2000", "option-value", "write `1024`"),
        ("\"control-vector-layer-range\" value=\"1 x\"", "option-value", "write both numbers in one string"),
        ("\"chat-template\" value=\"llama3\"", "option-value", "add the option `no-jinja`"),
        ("\"top-k\" value=\"20.0\"", "option-value", "write `20`"),
        ("\"chat-template-kwargs\" value=\"{\"", "option-value", "write a JSON object"),
        ("\"seed\" value=-2", "option-value", "from -1 to 4294967295"),
        ("\"port\" value=1", "owned-option", "remove this option: `port` sets it"),
        ("\"-ngld\" value=1", "owned-option", "use `layers` of the field `draft`"),
        ("\"version\"", "owned-option", "remove this option"),
        ("\"versin\"", "unknown-option", ""),
        ("\"no-mlock\"", "unknown-option", "remove this option: only `lock` of `placement` locks memory"),
        ("\"ctx-sizes\" value=9", "unknown-option", "write `context=9` instead"),
        ("\"embd-tiny-en-default\"", "owned-option", "remove this option"),
        ("\"fim-qwen-2b-default\"", "owned-option", "remove this option"),
        ("\"kv-unified-per-slot\" value=9", "owned-option", "remove this option: `context` sets it"),
        ("\"fit-ctx\" value=9", "owned-option", "write `context \"fit\" least=9` instead of this option"),
        (
            "\"fit-target\" value=\"512,512\"",
            "idle-option",
            "write `fit` as the `context`, or remove the option",
        ),
        (
            "\"spec-ngram-mod-n-max\" value=9",
            "idle-option",
            "the option `spec-type` with the value `ngram-mod`",
        ),
        ("\"lookup-cache-static\" value=\"/srv/n.bin\"", "idle-option", "with the value `ngram-cache`"),
        ("\"lora-init-without-apply\"", "idle-option", "add the field `lora`"),
        ("\"api-prefix\" value=\"/p\"", "owned-option", "remove this option"),
        ("\"ssl-key-file\" value=\"/k\"", "owned-option", "remove this option"),
        ("\"gpt-oss-20b-default\"", "owned-option", "remove this option"),
        ("\"spec-type\" value=\"draft-eagle3\"", "lone-option", "use the field `draft`"),
        ("\"spec-type\" value=\"ngram-cache\"", "lone-option", "lookup-cache-static"),
        ("\"cpu-mask-batch\" value=\"ff\"", "idle-option", "add the field `threads-batch`"),
        ("\"spec-draft-cpu-mask\" value=\"ff\"", "idle-option", "remove this option"),
        ("\"n-cpu-moe\" value=3", "owned-option", "declare the GPUs in host `box`"),
        ("\"models-max\" value=3", "idle-option", "remove this option"),
    ] {
        let (found, message) = code_and_help(&role_with(&format!("option {option}")));
        assert_eq!(found, code, "{option}: {message}");
        assert!(message.contains(help), "{option}: {message}");
    }
    let (found, message) = code_and_help(&role_with("prompt-cache \"0 B\"; option \"cache-idle-slots\""));
    assert_eq!((found, &*message), ("idle-option", "set the field `prompt-cache`, or remove the option"));
}

#[test]
fn options_that_the_build_accepts_give_no_finding() {
    for option in [
        "\"top_k\" value=20",
        "\"--temp\" value=0.7",
        "\"temp\" value=1e-3",
        "\"seed\" value=-1",
        "\"no-warmup\"",
        "\"spec-type\" value=\"ngram-mod,ngram-simple\"",
        "\"spec-default\"",
        "\"chat-template\" value=\"chatml\"",
        "\"chat-template\" value=\"{{ messages }}\"",
        "\"chat-template\" value=\"llama3\"; option \"no-jinja\"",
        "\"control-vector-layer-range\" value=\"1 2\"",
        "\"control-vector\" value=\"/a\"; option \"control-vector\" value=\"/b\"",
        "\"sleep-idle-seconds\" value=-1",
        "\"metrics\"",
        "\"no-op-offload\"",
        "\"logit-bias\" value=\"15043-0.5\"",
        "\"override-tensor\" value=\"exps=CPU\"",
    ] {
        assert_codes(&[], &role_with(&format!("option {option}")));
    }
    assert_codes(&[], &role("x", "port=9000 threads-batch=2 { option \"cpu-mask-batch\" value=\"0xff\" }"));
    // This option has an effect with a draft.
    assert_codes(&[], &role_with("draft \"tiny\"; option \"spec-draft-threads\" value=2"));
}

#[test]
fn a_repeated_option_labels_the_first_one() {
    let compiled = compile_with_base(&role_with("option \"top-k\" value=1; option \"top_k\" value=2"));
    let [finding] = compiled.findings.findings() else { panic!("{}", compiled.report()) };
    assert_eq!(finding.code.name, "repeated-option");
    let places = label_texts(&compiled, finding);
    assert_eq!((places[0].1.as_str(), places.last().unwrap().1.as_str()), ("\"top_k\"", "\"top-k\""));
}

#[test]
fn a_wrong_value_is_labeled_at_the_value() {
    let compiled = compile_with_base(&role_with("option \"top-k\" value=\"8k\""));
    assert_eq!(label_texts(&compiled, &compiled.findings.findings()[0])[0].1, "\"8k\"");
    let compiled = compile_with_base(&role_with("option \"top-k\""));
    assert_eq!(label_texts(&compiled, &compiled.findings.findings()[0])[0].1, "\"top-k\"");
}

#[test]
fn the_help_lists_builds_that_support_it() {
    let early = single_finding(&role_under("llama.cpp-b10434", "option \"lazy-mode\" value=\"on\""));
    assert_eq!(early.code.name, "unknown-option");
    assert!(early.help.iter().any(|help| help
        == "use a build that supports it: `llama.cpp-b11434`, `llama.cpp-b11669` or `llama.cpp-b12032`"));
}

#[test]
fn warnings_can_be_allowed_and_errors_cannot() {
    let allowed = |option: &str, code: &str| {
        role_with(&format!("option {option}; allow \"{code}\" because=\"measured\""))
    };
    assert_codes(&[], &allowed("\"defrag-thold\" value=0.1", "deprecated-option"));
    assert_codes(&[], &allowed("\"models-max\" value=3", "idle-option"));
    assert_codes(&["option-value", "unused-allow"], &allowed("\"top-k\" value=\"8k\"", "option-value"));
}

#[test]
fn a_variable_of_an_option_is_reported_if_it_has_another_effect() {
    for (name, what) in [
        ("LLAMA_ARG_PORT", Some("overrides")),
        ("LLAMA_ARG_NO_KV_UNIFIED", Some("overrides")),
        ("LLAMA_ARG_DRAFT_MAX", Some("stops")),
        ("LLAMA_ARG_NONSENSE", Some("reads")),
        ("LLAMA_ARG_TOP_K", None),
        ("OMP_NUM_THREADS", None),
    ] {
        let text = role_with(&format!("env {{ {name} \"1\" }}"));
        match what {
            Some(what) => {
                let finding = single_finding(&text);
                assert_eq!(finding.code.name, "engine-variable");
                assert!(finding.message.contains(what), "{}", finding.message);
            }
            None => assert_codes(&[], &text),
        }
    }
    let engine =
        "engine \"e\" profile=\"llama.cpp-b11434\" bin=\"/e\" { env { LLAMA_ARG_CTX_SIZE \"1\" } }\n";
    let finding = single_finding(&(engine.to_owned() + &role("x", "engine=\"e\" port=9000")));
    assert_eq!((finding.code.name, finding.subject.unwrap().kind), ("engine-variable", "engine"));
}

#[test]
fn an_override_outside_the_range_of_its_key_is_reported() {
    let overridden = |key: &str, value: &str| {
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
        assert_codes(expected, &overridden(key, value));
    }
    let dense = role("x", "port=9000 { override \"qwen2.expert_count\" value=8 }");
    assert_codes(&["override-range"], &dense);
}

/// A profile file, as `orchgen engine probe` writes it for a build without a built-in profile.
const PROFILE: &str = r#"{"engine":"llama.cpp","build":"b12000","source":"me","tools":["llama-server"],"options":[
  {"names":["-m","--model"],"value":"F","tools":"*"},
  {"names":["-c","--ctx-size"],"value":"N","tools":"*"},
  {"names":["-np","--parallel"],"value":"N","tools":"*"},
  {"names":["-t","--threads"],"value":"N","tools":"*"},
  {"names":["--host"],"value":"H","tools":"*"},
  {"names":["--port"],"value":"P","tools":"*"},
  {"names":["--override-kv"],"value":"KEY=TYPE:VALUE,...","tools":"*"},
  {"names":["--shiny"],"value":null,"tools":"*"}]}"#;

fn compile_with_profile(profile: &str, json: &str, rest: &str) -> Compiled {
    let text = format!("engine \"e\" profile=\"{profile}\" bin=\"/e\"\n")
        + &role("x", &format!("engine=\"e\" port=9000 {{ {rest} }}"))
            .replace("\"plain\"", "\"small-mixture\"");
    compile(&[("base.kdl", crate::language::BASE), ("case.kdl", &text), ("mine.json", json)])
}

#[test]
fn an_engine_can_use_a_profile_file() {
    let compiled = compile_with_profile("mine.json", PROFILE, "option \"shiny\"");
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
    let args = compiled.arguments("x");
    assert!(args.contains("--host 127.0.0.1 --port 9000") && args.ends_with("--shiny"), "{args}");
    // The profile does not list llama-cli, so orchgen cannot know if the build has it.
    assert!(compiled.findings.not_checked().iter().any(|entry| entry.check == "missing-one-shot"));
    assert!(compiled.files()["systemd/page-x.service"].0.contains("--shiny"));
}

#[test]
fn keys_of_an_unknown_build_are_not_checked_but_typos_are_reported() {
    let key =
        |key: &str| compile_with_profile("mine.json", PROFILE, &format!("override \"{key}\" value=8192"));
    assert_eq!(key("qwen3moe.context_length").codes(), [""; 0]);
    let unknown = key("qwen3moe.something_of_tomorrow");
    assert!(unknown.findings.is_empty(), "{}", unknown.report());
    let not_checked = unknown.findings.not_checked();
    assert!(
        not_checked.iter().any(|entry| entry.check == "unknown-override-key" && entry.subject.name == "x"),
        "{not_checked:?}"
    );
    assert_eq!(key("qwen3moe.contxt_length").codes(), ["unknown-override-key"]);
    assert_eq!(key("context_length").codes(), ["unknown-override-key"]);
    assert_eq!(key("qwen3next.context_length").codes(), ["unknown-override-key"]);
}

#[test]
fn a_missing_or_broken_profile_file_is_reported_at_the_field() {
    let missing = compile_with_profile("min.json", PROFILE, "note \"n\"");
    assert_eq!(missing.codes(), ["unknown-profile"]);
    let finding = &missing.findings.findings()[0];
    assert_eq!(finding.primary.text, "did you mean `mine.json`?");
    assert_eq!(missing.loaded.map.text(finding.primary.span), "\"min.json\"");
    let nested = compile_with_profile("registry/mine.json", PROFILE, "note \"n\"");
    let finding = &nested.findings.findings()[0];
    assert_eq!(finding.primary.text, "did you mean `mine.json`?");
    let absent = compile_with_profile("/etc/orchgen/other.json", PROFILE, "note \"n\"");
    let help = &absent.findings.findings()[0].help;
    assert!(help.iter().any(|help| help.ends_with("without a path: `other.json`")), "{help:?}");
    for (json, why) in [
        ("{", "the file ends too early, in line 1"),
        ("[]", "line 1, column 2: expected an object, found a list"),
        ("{}", "line 1, column 2: the field `engine` is missing"),
        ("profile: mine", "line 1, column 1: not valid JSON ("),
        ("{\"engine\":\"llama.cpp\",\"build\":7}", "expected a text, found the number 7"),
        (
            "{\"engine\":\"llama.cpp\",\"build\":\"b\",\"tools\":\"llama-server\"}",
            "expected a list of programs",
        ),
        ("{\"engine\":\"llama.cpp\",\"tools\":[],\"options\":{}}", "expected a list, found an object"),
        (
            "{\"engine\":\"llama.cpp\",\"options\":[{\"name\":\"-m\"}]}",
            "`name` is unknown; did you mean `names`?",
        ),
        (
            "{\"engine\":\"llama.cpp\",\"options\":[{\"names\":[\"-m\"],\"repeat\":\"often\"}]}",
            "the value `often` is unknown; expected `list` or `last`",
        ),
        ("{\"engine\":\"llama.cpp\",\"engine\":\"llama.cpp\"}", "the field `engine` is given twice"),
        (
            "{\"engine\":\"llama.cpp\",\"build\":\"b\",\"source\":\"s\",\"tools\":[],\"options\":[],\"x\":1}",
            "the field `x` is unknown",
        ),
        (
            "{\"engine\":\"llama.cpp\",\"build\":\"b\",\"source\":\"s\",\"extends\":\"b0\",\"tools\":[],\"options\":[]}",
            "extends `b0`",
        ),
    ] {
        let broken = compile_with_profile("mine.json", json, "option \"nonsense\"");
        assert_eq!(broken.codes(), ["unreadable-profile"], "{json}");
        assert!(broken.findings.findings()[0].message.contains(why), "{}", broken.report());
    }
}

#[test]
fn a_profile_file_is_read_from_the_registry_folder() {
    let dir = tempfile::tempdir().unwrap();
    let text =
        "engine \"e\" profile=\"mine.json\" bin=\"/e\"\n".to_owned() + &role("x", "engine=\"e\" port=9000");
    for (name, text) in [("base.kdl", crate::language::BASE), ("case.kdl", &text), ("mine.json", PROFILE)] {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    let compiled = crate::support::compile_folder(dir.path());
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
    std::fs::write(dir.path().join("mine.json"), [0xff, 0xfe]).unwrap();
    let compiled = crate::support::compile_folder(dir.path());
    assert_eq!(compiled.codes(), ["unreadable-profile"]);
    assert!(
        compiled.findings.findings()[0].message.ends_with("the file is not UTF-8"),
        "{}",
        compiled.report()
    );
}

/// The place of a deprecated key is the key, however the value is quoted.
#[test]
fn a_deprecated_key_is_marked_inside_of_the_value() {
    for value in [r##"#"{"enable_thinking": false}"#"##, r#""{\"a\": 1, \"enable_thinking\": false}""#] {
        let extra = format!(
            "engine \"new\" profile=\"llama.cpp-b11669\" bin=\"/opt/new/bin\"\n\
             role \"extra\" tier=\"A\" residency=\"hot\" model=\"plain\" engine=\"new\" port=9000 context=4096 {{\n\
             option \"chat-template-kwargs\" value={value}\n}}\n"
        );
        let compiled = compile(&[("a.kdl", crate::language::BASE), ("b.kdl", &extra)]);
        let findings = compiled.findings.findings();
        let finding = findings.iter().find(|one| one.code.name == "deprecated-option").unwrap();
        assert_eq!(compiled.loaded.map.text(finding.primary.span), "enable_thinking", "{value}");
    }
}
