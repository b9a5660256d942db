//! Declared facts, drafts and pairs, compared with a lock.

use crate::language::BASE;
use crate::support::{Compiled, compile};

/// Compiles items together with the base and a lock of the models `plain` and `tiny`.
fn compile_with_lock(text: &str, plain: &str, tiny: &str, rest: &str) -> Compiled {
    let model = |name: &str, size: u64, more: &str| {
        format!("\"{name}\": {{\"file\": \"{name}.gguf\", \"header\": \"0\", \"size\": {size}{more}}}")
    };
    let (plain, tiny) = (model("plain", 4_400_000_000, plain), model("tiny", 500_000_000, tiny));
    let lock = format!("{{\"format_version\": 1, \"models\": {{{plain}, {tiny}}}{rest}}}");
    compile(&[("base.kdl", BASE), ("case.kdl", text), ("registry.lock", &lock)])
}

fn vocabulary(kind: &str, size: u64, digest: &str) -> String {
    format!(
        ", \"vocabulary\": {{\"type\": \"{kind}\", \"bos\": 7, \"size\": {size}, \"sha256_from_5\": \"{digest}\"}}"
    )
}

const DRAFTS: &str =
    "role \"r\" tier=\"A\" residency=\"hot\" model=\"plain\" port=9000 context=4096 draft=\"tiny\"\n";

#[test]
fn a_declared_size_may_differ_by_two_percent() {
    for (size, codes) in [
        (4_400_000_000_u64, &[][..]),
        (4_489_795_918, &[]),
        (4_313_725_491, &[]),
        (4_300_000_000, &["contradicted-fact"]),
        (4_500_000_000, &["contradicted-fact"]),
        (0, &["contradicted-fact"]),
    ] {
        // The registry declares 4.4 GB. `size` is the size of the file.
        let lock = format!(
            "{{\"format_version\": 1, \"models\": {{\"plain\": {{\"file\": \"plain.gguf\", \"header\": \"0\", \"size\": {size}}}}}}}"
        );
        let compiled = compile(&[("base.kdl", BASE), ("registry.lock", &lock)]);
        let differs = 4_400_000_000_u64.abs_diff(size) * 50 > size;
        assert_eq!(differs, !codes.is_empty(), "{size}");
        assert_eq!(compiled.codes(), codes, "{size}");
    }
}

/// A draft gives one finding: a ban, or a family that forbids speculation, has priority over the facts.
#[test]
fn a_banned_draft_is_not_also_reported_as_refuted() {
    let (one, other) = (vocabulary("gpt2", 1000, "a"), vocabulary("llama", 1000, "a"));
    assert_eq!(compile_with_lock(DRAFTS, &one, &other, "").codes(), ["refuted-draft"]);
    let ban = "ban target=\"plain\" draft=\"tiny\" failure=\"vocabulary differs\"\n";
    assert_eq!(compile_with_lock(&format!("{DRAFTS}{ban}"), &one, &other, "").codes(), ["banned-draft"]);
}

/// A text draft for a vision target is an error only if it is banned: the facts of both files do not show it.
#[test]
fn a_draft_of_a_vision_target_is_checked_by_its_vocabulary_alone() {
    let same = vocabulary("gpt2", 1000, "a");
    let eye = "model \"eye\" family=\"qwen2\" title=\"Eye\" quant=\"Q4_K_M\" size=\"1 GB\" file=\"eye.gguf\" projector=\"p.gguf\"\n";
    let role = DRAFTS.replace("\"plain\"", "\"eye\"");
    let compiled = compile_with_lock(&format!("{eye}{role}"), &same, &same, "");
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
    assert!(compiled.findings.not_checked().iter().any(|entry| entry.check == "refuted-draft"));
}

#[test]
fn a_pair_of_globs_is_refuted_if_one_of_its_models_is() {
    let (one, other) = (vocabulary("gpt2", 1000, "a"), vocabulary("gpt2", 2000, "b"));
    let pair = "pair target=\"Plain-*\" draft=\"Tiny-*\"\n";
    assert_eq!(compile_with_lock(pair, &one, &other, "").codes(), ["refuted-pair"]);
    assert!(compile_with_lock(pair, &one, &one, "").findings.is_empty());
    assert!(
        compile_with_lock("pair target=\"plain\" instead=\"experts\"\n", &one, &other, "")
            .findings
            .is_empty()
    );
    let unknown = compile_with_lock("pair target=\"Nothing-*\" draft=\"tiny\"\n", &one, &other, "");
    assert!(unknown.findings.is_empty(), "{}", unknown.report());
}

#[test]
fn only_bans_because_of_tokens_are_disproved() {
    let same = vocabulary("gpt2", 1000, "a");
    for (failure, is_disproved) in [
        ("BOS token mismatch (`BOS=','`)", true),
        ("vocabulary differs", true),
        ("EOS differs", true),
        ("slower than without", false),
        ("boson of the draft", true),
        ("SSM state corruption", false),
        ("", false),
    ] {
        let ban = format!("ban target=\"plain\" draft=\"tiny\" failure=\"{failure}\"\n");
        let compiled = compile_with_lock(&ban, &same, &same, "");
        let is_reported = compiled.codes().contains(&"disproved-ban");
        assert_eq!(is_reported, is_disproved, "{failure}: {}", compiled.report());
        assert!(
            !compile_with_lock(&ban, &same, &vocabulary("gpt2", 2000, "b"), "")
                .codes()
                .contains(&"disproved-ban")
        );
    }
    // A ban of all drafts includes models without known facts.
    let all = "ban target=\"plain\" draft=\"*\" failure=\"BOS token mismatch\"\n";
    assert!(compile_with_lock(all, &same, &same, "").findings.is_empty());
}

/// Builds with `--spec-replace` use the draft anyway and translate its tokens.
#[test]
fn an_older_build_translates_the_tokens_of_the_draft() {
    let engine = "engine \"old\" profile=\"llama.cpp-2026-03-fork\" bin=\"/opt/old\"\n";
    let role = format!("{engine}{}", DRAFTS.replace("context=4096", "context=4096 engine=\"old\""));
    let (one, other) = (vocabulary("gpt2", 1000, "a"), vocabulary("gpt2", 1000, "a").replace(": 7", ": 9"));
    assert_eq!(compile_with_lock(&role, &one, &other, "").codes(), ["translated-draft"]);
    // Newer builds compare BOS only if the vocabulary adds it.
    assert!(compile_with_lock(DRAFTS, &one, &other, "").findings.is_empty());
}

#[test]
fn a_projector_of_another_width_or_size_is_foreign() {
    let eye = "model \"eye\" family=\"qwen2\" title=\"Eye\" quant=\"Q4_K_M\" size=\"1 GB\" file=\"eye.gguf\" { projector \"p.gguf\" size=\"600 MB\"; }\nrole \"e\" tier=\"A\" model=\"eye\"\n";
    let lock = |width: u64, size: u64, more: &str| {
        let model = format!(
            "\"eye\": {{\"file\": \"eye.gguf\", \"header\": \"0\", \"size\": 1000000000, \"parameters\": {{\"embedding_length\": 3584{more}}}}}"
        );
        let projector = format!(
            "\"eye\": {{\"architecture\": \"clip\", \"file\": \"p.gguf\", \"header\": \"0\", \"size\": {size}, \"projector_width\": {width}}}"
        );
        format!("{{\"format_version\": 1, \"models\": {{{model}}}, \"projectors\": {{{projector}}}}}")
    };
    for (lock, codes) in [
        (lock(3584, 600_000_000, ""), &[][..]),
        (lock(2048, 600_000_000, ""), &["foreign-projector"]),
        (lock(3584, 700_000_000, ""), &["foreign-projector"]),
        (lock(2048, 600_000_000, ", \"n_deepstack_layers\": 3"), &[]),
    ] {
        let compiled = compile(&[("base.kdl", BASE), ("case.kdl", eye), ("registry.lock", &lock)]);
        assert_eq!(compiled.codes(), codes, "{lock} {}", compiled.report());
    }
}

/// A model without a declared size and context takes them from the lock. Their spans are in the lock.
#[test]
fn missing_fields_of_a_model_come_from_the_lock() {
    let model = "model \"new\" family=\"qwen2\" title=\"New\" quant=\"Q4_K_M\" file=\"new.gguf\"\n";
    let lock = "{\"format_version\": 1, \"models\": {\"new\": {\"file\": \"new.gguf\", \"header\": \"0\", \"size\": 1000000000, \"parameters\": {\"context_length\": 8192}}}}";
    let files = [("base.kdl", BASE), ("case.kdl", model), ("registry.lock", lock)];
    let (registry, compiled) = crate::support::lower(&files);
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
    let new = registry.models.iter().find(|model| &*model.head.name.value == "new").unwrap();
    let context = new.trained_context.unwrap();
    let (size, quant) = (new.size.unwrap(), new.quant.as_ref());
    assert_eq!((size.value.0, context.value, quant.is_some()), (1_000_000_000, 8192, true));
    let map = &compiled.loaded.map;
    assert_eq!((map.text(size.span), map.text(context.span)), ("1000000000", "8192"));
    // The lock entry of another file is not used.
    let files =
        [("base.kdl", BASE), ("case.kdl", model), ("registry.lock", &lock.replace("new.gguf", "old.gguf"))];
    let (registry, compiled) = crate::support::lower(&files);
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
    let new = registry.models.iter().find(|model| &*model.head.name.value == "new").unwrap();
    assert_eq!((new.size, new.trained_context), (None, None));
}
