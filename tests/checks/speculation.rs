//! The kinds of drafting and of lookup, in each build.

use super::{assert_codes, compile_with_base, role, single_finding, with_first_fix};
use crate::language::BASE;
use crate::support::{Compiled, compile};
use orchgen::engine::Profile;
use orchgen::engine::dialect::{DRAFT_KINDS, LOOKUP_KINDS};
use orchgen::hir::{DraftKind, LookupKind};
use std::collections::BTreeSet;

fn engine(build: &str) -> String {
    format!("engine \"other\" profile=\"llama.cpp-{build}\" bin=\"/opt/other/bin\"\n")
}

fn with(build: &str, fields: &str) -> String {
    engine(build) + &role("a", &format!("port=9000 engine=\"other\" {{ {fields} }}"))
}

/// The options of speculation on a command line.
fn speculation(text: &str) -> String {
    let compiled = compile_with_base(text);
    assert!(compiled.findings.is_empty(), "{text}\n{}", compiled.report());
    let arguments = compiled.arguments("a");
    let words: Vec<&str> = arguments.split(' ').collect();
    let is_spec = |word: &str| word == "-md" || word.contains("spec-") || word.contains("draft-");
    let pairs = words.windows(2).filter(|pair| pair[0].starts_with('-') && is_spec(pair[0]));
    pairs.map(|pair| pair.join(" ")).collect::<Vec<_>>().join(" ")
}

/// Compiles items with a draft `helper` of an architecture.
fn helper(arch: &str, fields: &str) -> String {
    format!(
        "family \"helper\" arch=\"{arch}\"\nmodel \"helper\" family=\"helper\" title=\"H\" quant=\"Q8_0\" size=\"0.1 GB\" file=\"h.gguf\"\n{}",
        role("a", &format!("port=9000 {{ {fields} }}"))
    )
}

#[test]
fn the_words_of_the_language_are_the_types_of_the_builds() {
    let mut types = BTreeSet::new();
    for profile in Profile::built_in_names().iter().map(|name| Profile::built_in(name).unwrap()) {
        let option = profile.option("llama-server", "--spec-type");
        types.extend(option.into_iter().flat_map(|option| option.choices.clone()));
    }
    types.remove("none");
    let drafts = DRAFT_KINDS.iter().map(|(_, spec_type)| (*spec_type).to_owned());
    let lookups = LOOKUP_KINDS.iter().map(|kind| kind.spec_type.to_owned());
    assert_eq!(types, drafts.chain(lookups).collect());
    let words = |kinds: &[DraftKind]| kinds.iter().map(|kind| kind.word()).collect::<Vec<_>>();
    assert_eq!(words(DraftKind::ALL), DRAFT_KINDS.iter().map(|(word, _)| *word).collect::<Vec<_>>());
    let words: Vec<_> = LookupKind::ALL.iter().map(|kind| kind.word()).collect();
    assert_eq!(words, LOOKUP_KINDS.iter().map(|kind| kind.word).collect::<Vec<_>>());
}

#[test]
fn a_model_drafts_with_its_own_layers() {
    for build in ["b10434", "b11434", "b11669", "b12032"] {
        for (fields, max) in [("draft self=#true", 3), ("draft self=#true max=2 kind=\"mtp\"", 2)] {
            let line = speculation(&with(build, fields));
            assert_eq!(line, format!("--spec-draft-n-max {max} --spec-type draft-mtp"), "{build}");
        }
    }
    for build in ["2026-03-22-g49bfddeca", "2026-03-fork", "b9093"] {
        let finding = single_finding(&with(build, "draft self=#true"));
        assert_eq!(finding.code.name, "engine-cannot", "{build}");
        assert!(finding.message.contains("needs `--spec-type draft-mtp`"), "{}", finding.message);
        let help = finding.help.concat();
        assert!(help.contains("b10434") && help.contains("b12032"), "{help}");
    }
}

#[test]
fn a_draft_names_a_model_or_itself() {
    for (fields, code, help) in [
        ("draft \"tiny\" self=#true", "conflicting-fields", "remove `self=#true` to draft with the model"),
        (
            "draft self=#true kind=\"eagle3\"",
            "conflicting-fields",
            "write `\"mtp\"`: only MTP layers are part of the model",
        ),
        (
            "draft kind=\"mtp\" max=2",
            "missing-field",
            "write `draft self=#true max=2` if the model has its own MTP layers",
        ),
        ("draft max=2 kind=\"eagle3\"", "missing-field", "name the draft model in `model`"),
    ] {
        let finding = single_finding(&role("a", &format!("port=9000 {{ {fields} }}")));
        assert_eq!((finding.code.name, &*finding.help[0]), (code, help), "{fields}");
    }
}

#[test]
fn the_kind_of_a_draft_is_declared_or_follows_from_its_architecture() {
    for (arch, fields, kind) in [
        ("qwen2", "draft \"helper\" max=4", "simple"),
        ("qwen2", "draft \"helper\" max=4 kind=\"mtp\"", "mtp"),
        ("eagle3", "draft \"helper\" max=4", "eagle3"),
        ("gemma4-assistant", "draft \"helper\" max=4", "mtp"),
        ("dflash", "draft \"helper\" max=4", "dflash"),
        ("dflash", "draft \"helper\" max=4 kind=\"dspark\"", "dspark"),
    ] {
        let expected = format!("--spec-draft-n-max 4 --spec-type draft-{kind}");
        let line = speculation(&helper(arch, fields));
        assert!(line.ends_with(&expected), "{arch} {fields}: {line}");
    }
    for (arch, kind, to) in [
        ("qwen2", "eagle3", "write `kind=\"simple\"` for an ordinary draft model"),
        ("eagle3", "simple", "write `kind=\"eagle3\"`"),
        ("gemma4-assistant", "simple", "write `kind=\"mtp\"`"),
        ("dflash", "eagle3", "write `kind=\"dflash\"`"),
    ] {
        let finding = single_finding(&helper(arch, &format!("draft \"helper\" kind=\"{kind}\"")));
        assert_eq!((finding.code.name, &*finding.help.concat()), ("wrong-draft-kind", to), "{arch} {kind}");
    }
}

fn locked(text: &str, target: &str, draft: &str) -> Compiled {
    let model = |name: &str, parameters: &str| {
        format!(
            "\"{name}\": {{\"file\": \"{name}.gguf\", \"header\": \"0\", \"size\": 4400000000, \"architecture\": \"qwen2\", \
             \"parameters\": {{\"embedding_length\": 64{parameters}}}}}"
        )
    };
    let lock = format!(
        "{{\"format_version\": 1, \"models\": {{{}, {}}}}}",
        model("plain", target),
        model("tiny", draft).replace("4400000000", "500000000")
    );
    compile(&[("base.kdl", BASE), ("case.kdl", text), ("registry.lock", &lock)])
}

#[test]
fn the_lock_decides_about_layers_for_drafting() {
    let nextn = ", \"nextn_predict_layers\": 1";
    let wide = format!("{nextn}, \"embedding_length\": 128").replace(", \"embedding_length\"", ", \"x\"");
    for (fields, target, draft, codes) in [
        ("draft self=#true", nextn, "", &[][..]),
        ("draft self=#true", "", "", &["missing-mtp-layers"]),
        ("draft \"tiny\" kind=\"mtp\"", "", nextn, &[]),
        ("draft \"tiny\" kind=\"mtp\"", nextn, "", &["missing-mtp-layers"]),
        ("draft \"tiny\"", "", &*wide, &[]),
    ] {
        let text = role("a", &format!("port=9000 {{ {fields} }}"));
        let compiled = locked(&text, target, draft);
        assert_eq!(compiled.codes(), codes, "{fields}: {}", compiled.report());
    }
    // A locked draft with MTP layers that are as wide as the target drafts with them.
    let text = role("a", "port=9000 draft=\"tiny\"");
    assert!(locked(&text, "", nextn).arguments("a").contains("--spec-type draft-mtp"));
    assert!(locked(&text, "", "").arguments("a").contains("--spec-type draft-simple"));
}

#[test]
fn lookup_has_every_kind() {
    for (build, fields, expected) in [
        ("b11669", "lookup", "--spec-ngram-simple-size-n 3 --spec-type ngram-simple"),
        ("b11669", "lookup kind=\"map-k\"", "--spec-ngram-map-k-size-n 12 --spec-type ngram-map-k"),
        ("b11669", "lookup 8 kind=\"map-k4v\"", "--spec-ngram-map-k4v-size-n 8 --spec-type ngram-map-k4v"),
        ("b11669", "lookup kind=\"mod\"", "--spec-ngram-mod-n-match 24 --spec-type ngram-mod"),
        (
            "b11669",
            "lookup kind=\"cache\"; option \"lookup-cache-dynamic\" value=\"/var/lib/page/n.bin\"",
            "--spec-type ngram-cache",
        ),
        ("b9093", "lookup kind=\"mod\"", "--spec-ngram-mod-n-match 24 --spec-type ngram-mod"),
        ("2026-03-22-g49bfddeca", "lookup kind=\"map-k\"", "--spec-ngram-size-n 12 --spec-type ngram-map-k"),
        ("2026-03-fork", "lookup 5 kind=\"simple\"", "--spec-ngram-size-n 5 --spec-type ngram-simple"),
        (
            "b11669",
            "draft self=#true; lookup kind=\"mod\"",
            "--spec-draft-n-max 3 --spec-ngram-mod-n-match 24 --spec-type ngram-mod,draft-mtp",
        ),
    ] {
        assert_eq!(speculation(&with(build, fields)), expected, "{build} {fields}");
    }
    for (build, fields, part) in [
        ("b11669", "lookup kind=\"cache\"", "needs an n-gram file"),
        (
            "b11669",
            "lookup 3 kind=\"cache\"; option \"lookup-cache-static\" value=\"/srv/n.bin\"",
            "has no effect",
        ),
        ("b9093", "draft \"tiny\"; lookup kind=\"mod\"", "exclude each other"),
    ] {
        let finding = single_finding(&with(build, fields));
        assert_eq!(finding.code.name, "engine-cannot", "{fields}");
        assert!(finding.message.contains(part), "{}", finding.message);
    }
}

#[test]
fn options_of_speculation_become_the_fields() {
    let mtp = "option \"spec-type\" value=\"draft-mtp\"; option \"spec-draft-n-max\" value=2";
    for (arch, fields, after) in [
        ("qwen2", mtp, "draft self=#true max=2"),
        (
            "qwen2",
            "draft \"helper\" max=4; option \"spec-type\" value=\"draft-mtp\"",
            "draft \"helper\" kind=\"mtp\" max=4",
        ),
        ("qwen2", "draft \"helper\"; option \"spec-draft-n-max\" value=7", "draft \"helper\" max=7"),
        (
            "qwen2",
            "draft \"helper\" max=4; option \"draft-p-min\" value=0.5",
            "draft \"helper\" max=4 p-min=0.5",
        ),
        (
            "dflash",
            "draft \"helper\" max=7; option \"spec-type\" value=\"draft-dflash,draft-mtp,ngram-mod\"",
            "lookup kind=\"mod\"",
        ),
        ("qwen2", "lookup 4; option \"spec-type\" value=\"ngram-map-k\"", "lookup 4 kind=\"map-k\""),
    ] {
        let mut text = helper(arch, fields);
        for _ in 0..9 {
            let compiled = compile_with_base(&text);
            if compiled.codes().iter().all(|code| *code != "owned-option") {
                break;
            }
            text = with_first_fix(&text);
        }
        assert!(text.contains(after), "{fields}: {text}");
        assert_codes(&[], &text);
    }
}
