//! The family `ik_llama.cpp`: its command lines, and what is not checked.

use super::{assert_accepts, ik_profile, profile};
use orchgen::engine::dialect::{
    ContextSpec, DraftSpec, Intent, OverrideValue, PromptSpec, ServerSpec, lower_prompt, lower_server,
};
use orchgen::engine::keys::{KeyVerdict, check_key};
use orchgen::engine::memory::{Amount, MemoryOptions, Process, memory};
use orchgen::engine::options::Owner;
use orchgen::engine::pairing::{PairVerdict, check_pair};
use orchgen::engine::{Family, Profile};
use orchgen::facts::Facts;

const SERVER: ServerSpec<'_> = ServerSpec {
    model: "/m.gguf",
    names: &[],
    aliases: 0,
    hosts: &[],
    port: 8081,
    context: ContextSpec::Tokens(4096),
    slots: 2,
    shared: false,
    batch: None,
    arch: "",
    experts: None,
    overrides: &[],
    draft: None,
    lookup: None,
    pooling: None,
    is_embedder: false,
    is_decision: false,
    sparsity: orchgen::engine::dialect::Sparsity::Unknown,
    projector: None,
    template: None,
    adapters: &[],
    gpus: None,
    gpu: None,
    threads: Some(8),
    numa: orchgen::engine::dialect::NumaPlacement::SingleNode,
    lock: true,
    settings: &[(Owner::of("cache-type"), OverrideValue::Str("q8_0"))],
    key_file: Some("/keys"),
    metrics: false,
    route: None,
    options: &[("run-time-repack", None), ("mla-use", Some("3"))],
};

#[test]
fn a_server_has_the_options_of_its_build() {
    let lowered = lower_server(ik_profile(), &SERVER);
    assert_eq!(*lowered.errors, []);
    assert_accepts(ik_profile(), lowered.tool, &lowered.args);
    assert_eq!(
        lowered.texts().join(" "),
        "-m /m.gguf -c 8192 -np 2 -t 8 --mlock -ctk q8_0 -ctv q8_0 --host 127.0.0.1 --port 8081 \
         --api-key-file /keys --cache-ram 8192 --ctx-checkpoints 32 -b 2048 -ub 512 --spec-type none \
         --run-time-repack --mla-use 3"
    );
}

#[test]
fn errors_name_removed_options_and_no_builds_of_another_family() {
    let draft = DraftSpec { path: "/d.gguf", arch: "qwen2", ..DraftSpec::default() };
    let lowered = lower_server(ik_profile(), &ServerSpec { draft: Some(draft), ..SERVER });
    let error = lowered.errors.iter().find(|error| error.intent == Intent::DraftMax).unwrap();
    assert!(error.why.contains("has removed `--draft-max`"), "{}", error.why);
    assert!(error.builds.is_empty());
    let gone = |options| lower_server(ik_profile(), &ServerSpec { options, ..SERVER }).errors[0].why.clone();
    assert!(gone(&[("spec-ngram-size-n", Some("3"))]).contains("has removed"));
    assert!(gone(&[("no-repack", None)]).ends_with("has no option `no-repack`"));
    let lowered =
        lower_server(profile("b11669"), &ServerSpec { options: &[("mla-use", Some("3"))], ..SERVER });
    assert!(lowered.errors[0].why.ends_with("has no option `mla-use`"), "{}", lowered.errors[0].why);
    let prompt = lower_prompt(ik_profile(), &PromptSpec { model: "/m.gguf", ..PromptSpec::default() });
    assert_eq!((prompt.args.len(), prompt.not_checked[0].intent), (0, Intent::Tool));
}

#[test]
fn memory_pairs_and_keys_are_not_checked() {
    let (ik, facts) = (ik_profile(), Facts::default());
    let why = ik.family().unknown_facts().unwrap();
    assert_eq!(check_pair(ik, (&facts, &facts), &[], None), PairVerdict::Unknown(why));
    let options = MemoryOptions::new(ik, &[], []);
    let process = Process { profile: ik, options: &options, model: &facts, draft: None, projector: None };
    let parts = memory(&process);
    let amounts: Vec<&Amount> = parts.iter().map(|part| &part.amount).collect();
    assert_eq!(amounts, [&Amount::MayGrow(8192 << 20), &Amount::Unknown(why.to_owned())]);
    for key in ["llama.context_length", "llama.no_such_key", "qwen2.context_length"] {
        assert_eq!(check_key(ik, "llama", key), KeyVerdict::NotChecked);
    }
}

#[test]
fn every_family_has_a_profile_and_other_families_are_refused() {
    for family in Family::ALL {
        let mut built_in = Profile::built_in_names().iter().filter_map(|name| Profile::built_in(name));
        assert!(built_in.any(|profile| profile.family() == family), "{}", family.name());
        assert!(family.health_path().starts_with('/') && !family.server().contains('/'));
    }
    let json = r#"{"engine":"vllm","build":"x","source":"y","tools":[],"options":[]}"#;
    let error = Profile::parse("mine", json, Profile::built_in).unwrap_err().to_string();
    assert!(error.contains("`engine` must be `llama.cpp` or `ik_llama.cpp`, not `vllm`"), "{error}");
}
