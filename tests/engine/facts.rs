//! Metadata keys and architectures.

use super::{profile, profiles};
use orchgen::engine::architecture::{Class, architecture, names};
use orchgen::engine::keys::{Array, KeyVerdict, ValueKind, key, spelled};

const INT: KeyVerdict =
    KeyVerdict::Known { kind: ValueKind::Int, array: Array::Never, scalar_effective: true };

#[test]
fn the_tables_are_those_of_the_profile_they_come_from() {
    let build = profile("b11434");
    assert_eq!(names().collect::<Vec<_>>(), build.architectures());
    assert_eq!(names().count(), 154);
    let text = include_str!("../../src/engine/metadata.json");
    let table: serde_json::Value = serde_json::from_str(text).unwrap();
    let rows = table["keys"].as_array().unwrap();
    let of_profile = build.metadata_keys().iter().map(|row| (row.key.as_str(), row.kind.as_str()));
    let of_table = rows.iter().map(|row| (row["key"].as_str().unwrap(), row["type"].as_str().unwrap()));
    assert!(of_table.clone().eq(of_profile));
    assert!(of_table.map(|(key, _)| key).is_sorted());
    assert_eq!(text.lines().filter(|line| line.starts_with("  {")).count(), rows.len());
}

#[test]
fn experts_are_known_to_every_build() {
    for profile in profiles() {
        for arch in ["qwen3moe", "qwen3next", "qwen3vlmoe", "llama"] {
            let verdict = key(profile, arch, &format!("{arch}.expert_used_count"));
            let known =
                KeyVerdict::Known { kind: ValueKind::Int, array: Array::Maybe, scalar_effective: true };
            assert_eq!(verdict, known, "{arch} under {}", profile.name());
        }
        assert_eq!(key(profile, "qwen2", "qwen2.context_length"), INT);
        assert_eq!(
            key(profile, "qwen3moe", "qwen3next.expert_used_count"),
            KeyVerdict::OtherArchitecture { arch: "qwen3next" }
        );
        assert_eq!(key(profile, "qwen3moe", "qwen3moe.expert_used_coun"), KeyVerdict::Unknown);
        assert_eq!(
            key(profile, "qwen3moe", "qwen3.nonsense"),
            KeyVerdict::OtherArchitecture { arch: "qwen3" }
        );
        assert_eq!(key(profile, "qwen3moe", "expert_used_count"), KeyVerdict::Unknown);
        assert_eq!(key(profile, "qwen3moe", ""), KeyVerdict::Unknown);
        assert_eq!(key(profile, "qwen3moe", "{arch}.expert_used_count"), KeyVerdict::Unknown);
    }
}

#[test]
fn a_key_has_a_type_and_may_be_out_of_reach() {
    let build = profile("b11434");
    let kind = |name: &str| {
        let KeyVerdict::Known { kind, array, scalar_effective } = key(build, "qwen3", name) else {
            panic!("{name} is not known");
        };
        (kind, array, scalar_effective)
    };
    assert_eq!(kind("qwen3.rope.freq_base"), (ValueKind::Float, Array::Never, true));
    assert_eq!(kind("tokenizer.ggml.add_bos_token"), (ValueKind::Bool, Array::Never, true));
    assert_eq!(kind("qwen3.rope.scaling.type"), (ValueKind::Str, Array::Never, true));
    assert_eq!(kind("tokenizer.chat_template"), (ValueKind::Str, Array::Never, false));
    assert_eq!(kind("general.sampling.temp"), (ValueKind::Float, Array::Never, false));
    assert_eq!(kind("tokenizer.ggml.tokens"), (ValueKind::Str, Array::Always, false));
    assert_eq!(kind("qwen3.deepstack_mapping"), (ValueKind::Int, Array::Always, false));
}

#[test]
fn what_an_older_build_may_lack_is_not_checked() {
    let young = "qwen3.attn_res.block_size";
    assert_eq!(key(profile("b11434"), "qwen3", young), INT);
    assert_eq!(key(profile("b11669"), "qwen3", young), INT);
    for build in ["2026-03-fork", "2026-03-22-g49bfddeca", "b9093", "b10434"] {
        assert_eq!(key(profile(build), "qwen3", young), KeyVerdict::NotChecked, "{build}");
    }
    assert_eq!(key(profile("b11434"), "ours", "ours.own_key"), KeyVerdict::NotChecked);
    assert_eq!(key(profile("b11434"), "ours", "ours.context_length"), INT);
}

#[test]
fn suggestions_begin_with_what_the_architecture_reads_itself() {
    let keys = spelled("qwen3next");
    assert!(keys[..9].contains(&"qwen3next.ssm.state_size".to_owned()));
    assert!(keys.contains(&"qwen3next.expert_used_count".to_owned()));
    assert!(keys.contains(&"tokenizer.ggml.add_bos_token".to_owned()));
    assert_eq!(keys.len(), 251);
}

#[test]
fn an_architecture_says_what_it_is() {
    let arch = |name: &str| architecture(name).unwrap();
    assert!(arch("mamba").is_recurrent() && !arch("mamba").is_hybrid());
    assert!(arch("qwen3next").is_hybrid() && !arch("qwen3next").is_recurrent());
    assert!(arch("qwen3next").has_memory() && arch("qwen3next").names_experts());
    assert!(!arch("bert").has_memory() && !arch("llada").has_memory());
    assert!(arch("llada").is(Class::Diffusion) && arch("qwen35").is(Class::RecurrentPartialRollback));
    assert!(arch("clip").is(Class::NotLoadable) && !arch("qwen2").names_experts());
    assert!(architecture("qwen").is_some() && architecture("qwen99").is_none());
}
