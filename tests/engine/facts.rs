//! Metadata keys and architectures.

use super::{profile, profiles};
use orchgen::engine::architecture::{Class, architecture, names};
use orchgen::engine::keys::{Array, KeyVerdict, OverrideType, check_key, keys_for_architecture};

const INT: KeyVerdict =
    KeyVerdict::Known { kind: OverrideType::Int, array: Array::Never, scalar_effective: true };

#[test]
fn the_tables_match_the_profile_of_their_build() {
    let build = profile("b11434");
    assert_eq!(names().collect::<Vec<_>>(), build.lists().architectures);
    assert_eq!(names().count(), 154);
    let text = include_str!("../../src/engine/llama/metadata.json");
    let table: serde_json::Value = serde_json::from_str(text).unwrap();
    let rows = table["keys"].as_array().unwrap();
    let of_profile = build.metadata_keys().iter().map(|row| (row.key.as_str(), row.kind.as_str()));
    let of_table = rows.iter().map(|row| (row["key"].as_str().unwrap(), row["type"].as_str().unwrap()));
    assert!(of_table.clone().eq(of_profile));
    assert!(of_table.map(|(key, _)| key).is_sorted());
    assert_eq!(text.lines().filter(|line| line.starts_with("  {")).count(), rows.len());
}

#[test]
fn every_build_knows_the_key_of_experts() {
    for profile in profiles() {
        for arch in ["qwen3moe", "qwen3next", "qwen3vlmoe", "llama"] {
            let verdict = check_key(profile, arch, &format!("{arch}.expert_used_count"));
            let known =
                KeyVerdict::Known { kind: OverrideType::Int, array: Array::Maybe, scalar_effective: true };
            assert_eq!(verdict, known, "{arch} under {}", profile.name());
        }
        assert_eq!(check_key(profile, "qwen2", "qwen2.context_length"), INT);
        assert_eq!(
            check_key(profile, "qwen3moe", "qwen3next.expert_used_count"),
            KeyVerdict::OtherArchitecture { arch: "qwen3next" }
        );
        assert_eq!(check_key(profile, "qwen3moe", "qwen3moe.expert_used_coun"), KeyVerdict::Unknown);
        assert_eq!(
            check_key(profile, "qwen3moe", "qwen3.nonsense"),
            KeyVerdict::OtherArchitecture { arch: "qwen3" }
        );
        assert_eq!(check_key(profile, "qwen3moe", "expert_used_count"), KeyVerdict::Unknown);
        assert_eq!(check_key(profile, "qwen3moe", ""), KeyVerdict::Unknown);
        assert_eq!(check_key(profile, "qwen3moe", "{arch}.expert_used_count"), KeyVerdict::Unknown);
    }
}

#[test]
fn a_key_has_a_type_and_may_ignore_overrides() {
    let build = profile("b11434");
    let kind = |name: &str| {
        let KeyVerdict::Known { kind, array, scalar_effective } = check_key(build, "qwen3", name) else {
            panic!("{name} is not known");
        };
        (kind, array, scalar_effective)
    };
    assert_eq!(kind("qwen3.rope.freq_base"), (OverrideType::Float, Array::Never, true));
    assert_eq!(kind("tokenizer.ggml.add_bos_token"), (OverrideType::Bool, Array::Never, true));
    assert_eq!(kind("qwen3.rope.scaling.type"), (OverrideType::Str, Array::Never, true));
    assert_eq!(kind("tokenizer.chat_template"), (OverrideType::Str, Array::Never, false));
    assert_eq!(kind("general.sampling.temp"), (OverrideType::Float, Array::Never, false));
    assert_eq!(kind("tokenizer.ggml.tokens"), (OverrideType::Str, Array::Always, false));
    assert_eq!(kind("qwen3.deepstack_mapping"), (OverrideType::Int, Array::Always, false));
}

#[test]
fn keys_that_an_older_build_may_lack_are_not_checked() {
    let recent_key = "qwen3.attn_res.block_size";
    assert_eq!(check_key(profile("b11434"), "qwen3", recent_key), INT);
    assert_eq!(check_key(profile("b11669"), "qwen3", recent_key), INT);
    for build in ["2026-03-fork", "2026-03-22-g49bfddeca", "b9093", "b10434"] {
        assert_eq!(check_key(profile(build), "qwen3", recent_key), KeyVerdict::NotChecked, "{build}");
    }
    assert_eq!(check_key(profile("b11434"), "ours", "ours.own_key"), KeyVerdict::NotChecked);
    assert_eq!(check_key(profile("b11434"), "ours", "ours.context_length"), INT);
}

#[test]
fn suggestions_begin_with_keys_of_the_architecture() {
    let keys = keys_for_architecture("qwen3next");
    assert!(keys[..9].contains(&"qwen3next.ssm.state_size".to_owned()));
    assert!(keys.contains(&"qwen3next.expert_used_count".to_owned()));
    assert!(keys.contains(&"tokenizer.ggml.add_bos_token".to_owned()));
    assert_eq!(keys.len(), 251);
}

#[test]
fn an_architecture_has_its_classes() {
    let arch = |name: &str| architecture(name).unwrap();
    assert!(arch("mamba").is_recurrent() && !arch("mamba").is_hybrid());
    assert!(arch("qwen3next").is_hybrid() && !arch("qwen3next").is_recurrent());
    assert!(arch("qwen3next").has_memory() && arch("qwen3next").names_experts());
    assert!(!arch("bert").has_memory() && !arch("llada").has_memory());
    assert!(arch("llada").is(Class::Diffusion) && arch("qwen35").is(Class::RecurrentPartialRollback));
    assert!(arch("clip").is(Class::NotLoadable) && !arch("qwen2").names_experts());
    assert!(architecture("qwen").is_some() && architecture("qwen99").is_none());
}
