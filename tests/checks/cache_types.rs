//! The data types of a KV cache: of keys, of values, or of both.

use super::{assert_codes, compile_with_base, role, single_finding, with_first_fix};
use crate::language::BASE;
use crate::support::compile;

fn cache(fields: &str) -> String {
    role("a", &format!("port=9000 {{ {fields} }}"))
}

/// The arguments that set the types of the cache.
fn arguments(fields: &str) -> String {
    let compiled = compile_with_base(&cache(fields));
    let arguments = compiled.arguments("a");
    let words: Vec<&str> = arguments.split(' ').collect();
    let pairs = words.windows(2).filter(|pair| matches!(pair[0], "-ctk" | "-ctv"));
    pairs.map(|pair| pair.join(" ")).collect::<Vec<_>>().join(" ")
}

#[test]
fn keys_and_values_have_one_type_or_two() {
    for (fields, expected) in [
        ("cache-type \"q8_0\"", "-ctk q8_0 -ctv q8_0"),
        ("cache-type k=\"q8_0\" v=\"f16\"", "-ctk q8_0 -ctv f16"),
        ("cache-type k=\"q8_0\"", "-ctk q8_0"),
        ("cache-type v=\"q5_1\"", "-ctv q5_1"),
    ] {
        assert_eq!(arguments(fields), expected, "{fields}");
    }
}

#[test]
fn only_a_quantized_cache_of_values_needs_flash_attention() {
    for (fields, codes) in [
        ("cache-type k=\"q8_0\"", &[][..]),
        ("cache-type k=\"q8_0\" v=\"f16\"", &[]),
        ("cache-type v=\"q8_0\"", &["engine-cannot"]),
        ("cache-type \"q8_0\"", &["engine-cannot"]),
    ] {
        assert_codes(codes, &cache(&format!("flash-attention \"off\"; {fields}")));
    }
    let text = cache("flash-attention \"off\"; cache-type \"q8_0\"");
    let help = &single_finding(&text).help;
    assert_eq!(help[0], "write `cache-type k=\"q8_0\"`: keys do not need flash attention");
}

#[test]
fn a_type_of_both_caches_excludes_a_type_of_one() {
    for (fields, line) in [
        ("cache-type \"q8_0\" v=\"f16\"", "write `cache-type k=\"q8_0\" v=\"f16\"`"),
        ("cache-type \"q8_0\" k=\"f16\"", "write `cache-type k=\"f16\" v=\"q8_0\"`"),
    ] {
        let finding = single_finding(&cache(fields));
        assert_eq!((finding.code.name, &*finding.help.concat()), ("conflicting-fields", line), "{fields}");
    }
}

#[test]
fn options_of_the_cache_become_the_field() {
    for (fields, after) in [
        ("option \"cache-type-k\" value=\"q8_0\"", "cache-type k=\"q8_0\""),
        ("option \"ctv\" value=\"q5_1\"", "cache-type v=\"q5_1\""),
        (
            "option \"cache-type-k\" value=\"q8_0\"; option \"cache-type-v\" value=\"q5_1\"",
            "cache-type k=\"q8_0\" v=\"q5_1\"",
        ),
        ("cache-type \"q8_0\"; option \"-ctv\" value=\"f16\"", "cache-type k=\"q8_0\" v=\"f16\""),
    ] {
        let mut text = with_first_fix(&cache(fields));
        while !compile_with_base(&text).findings.findings().is_empty() {
            text = with_first_fix(&text);
        }
        assert!(text.contains(after), "{fields}: {text}");
    }
}

/// `DeepSeek` stores keys and values together.
#[test]
fn a_model_with_latent_attention_needs_one_type() {
    let with = |profile: &str, fields: &str| {
        let parameters = "\"block_count\": 2, \"embedding_length\": 64, \"attention.head_count\": 4, \
             \"attention.head_count_kv\": 1, \"attention.kv_lora_rank\": 32, \"attention.key_length\": 64, \
             \"attention.value_length\": 32, \"attention.key_length_mla\": 32, \"attention.value_length_mla\": 32, \
             \"rope.dimension_count\": 32, \"leading_dense_block_count\": 2, \"feed_forward_length\": 64, \
             \"context_length\": 4096";
        let items = format!(
            "engine \"other\" profile=\"{profile}\" bin=\"/opt/other/bin\"\nfamily \"ds\" arch=\"deepseek2\"\n\
             model \"ds\" family=\"ds\" title=\"DS\" quant=\"Q8_0\" size=\"1 GB\" file=\"ds.gguf\"\n\
             role \"d\" tier=\"A\" residency=\"hot\" model=\"ds\" engine=\"other\" context=4096 port=9000 {{ {fields} }}\n"
        );
        let lock = format!(
            "{{\"format_version\": 1, \"models\": {{\"ds\": {{\"file\": \"ds.gguf\", \"header\": \"0\", \"size\": 1000000000, \
             \"architecture\": \"deepseek2\", \"parameters\": {{{parameters}}}}}}}}}"
        );
        compile(&[("base.kdl", BASE), ("case.kdl", &items), ("registry.lock", &lock)])
    };
    let different = "cache-type k=\"q8_0\"";
    for (profile, fields, codes) in [
        ("llama.cpp-b11669", different, &["unfitting-cache-type"][..]),
        ("llama.cpp-b11669", "cache-type \"q8_0\"", &[]),
        ("llama.cpp-b9093", different, &[]),
    ] {
        let compiled = with(profile, fields);
        assert_eq!(compiled.codes(), codes, "{profile} {fields}: {}", compiled.report());
    }
    let compiled = with("llama.cpp-b11669", different);
    assert_eq!(compiled.findings.findings()[0].help, ["write `cache-type \"q8_0\"`"]);
}
