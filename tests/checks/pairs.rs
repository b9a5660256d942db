//! Bans, pairs, and speculation that families forbid.

use super::{assert_codes, compile_with_base, label_texts, role, single_finding};

const BANNED: &[&str] = &["banned-draft"];

fn role_with_draft() -> String {
    role("x", "port=9000 draft=\"tiny\"")
}

#[test]
fn a_ban_matches_a_model_a_family_or_a_title() {
    for (target, draft) in [
        ("plain", "tiny"),
        ("qwen2", "tiny"),
        ("plain", "qwen2"),
        ("Plain-*", "*"),
        ("Plain-?B", "Tiny-0.5B*"),
        ("*", "*"),
        ("*7B", "*iny*"),
    ] {
        assert_codes(
            BANNED,
            &(role_with_draft() + &format!("ban target=\"{target}\" draft=\"{draft}\" failure=\"f\"")),
        );
    }
    for (target, draft) in
        [("tiny", "plain"), ("qwen3moe", "tiny"), ("Plain-", "*"), ("Plain-??B", "*"), ("*", "plain*")]
    {
        let target = if target == "Plain-" { "Plain-*X" } else { target };
        assert_codes(
            &[],
            &(role_with_draft() + &format!("ban target=\"{target}\" draft=\"{draft}\" failure=\"f\"")),
        );
    }
}

#[test]
fn an_exception_is_not_banned() {
    let ban = |except: &str| {
        role_with_draft() + &format!("ban target=\"*\" draft=\"*\" failure=\"f\" except=\"{except}\"")
    };
    assert_codes(&[], &ban("Plain-*"));
    assert_codes(&[], &ban("Plain-7B"));
    assert_codes(BANNED, &ban("Tiny-*"));
}

#[test]
fn a_model_name_has_priority_over_a_family_name() {
    // A family and a model have the same name: the word means the model.
    let family = "family \"plain\" arch=\"llama\"\nmodel \"other\" family=\"plain\" title=\"Other\" quant=\"q\" size=\"1 GB\" file=\"o\"\nquirk \"q\" models=\"other\" issue=\"i\"\n";
    let other =
        "role \"o\" tier=\"A\" residency=\"hot\" model=\"other\" context=1 port=9001 draft=\"tiny\"\n";
    assert_codes(
        BANNED,
        &format!("{family}{}ban target=\"plain\" draft=\"tiny\" failure=\"f\"", role_with_draft()),
    );
    assert_codes(&[], &format!("{family}{other}ban target=\"plain\" draft=\"tiny\" failure=\"f\""));
}

#[test]
fn a_glob_may_match_no_model_but_a_name_must_exist() {
    assert_codes(
        &[],
        "ban target=\"Gone-*\" draft=\"*\" failure=\"f\"\npair target=\"Gone-?\" draft=\"*Gone*\"",
    );
    assert_codes(&["unknown-name"], "ban target=\"Gone\" draft=\"*\" failure=\"f\"");
}

#[test]
fn two_bans_of_one_draft_give_one_finding_for_the_first() {
    let text = role_with_draft()
        + "ban target=\"plain\" draft=\"tiny\" failure=\"one\"\nban target=\"*\" draft=\"*\" failure=\"two\"";
    let finding = single_finding(&text);
    assert_eq!(
        finding.message,
        "role `x` uses the draft `Tiny-0.5B` for `Plain-7B`, but a ban forbids it: one"
    );
}

#[test]
fn a_banned_draft_labels_its_target_and_its_ban() {
    let compiled = compile_with_base(
        &(role_with_draft() + "ban target=\"qwen2\" draft=\"tiny\" failure=\"f\" note=\"seen twice\""),
    );
    let finding = &compiled.findings.findings()[0];
    let places: Vec<String> = label_texts(&compiled, finding).into_iter().map(|(_, text)| text).collect();
    assert_eq!(places, ["\"tiny\"", "\"plain\"", "\"qwen2\""]);
    assert_eq!(finding.notes, ["seen twice"]);
    assert_eq!(finding.help, ["remove `draft`: no draft is known to work with this target"]);
}

#[test]
fn a_pair_suggests_the_replacement_of_a_banned_draft() {
    let ban = "ban target=\"plain\" draft=\"tiny\" failure=\"f\"\n";
    let help = |pair: &str| single_finding(&format!("{}{ban}{pair}", role_with_draft())).help.concat();
    assert_eq!(
        help("pair target=\"qwen2\" draft=\"small-mixture\""),
        "write `\"small-mixture\"` as the draft: a pair names it for this target"
    );
    assert_eq!(
        help("pair target=\"plain\" instead=\"experts\""),
        "remove `draft`, and reduce `experts` instead"
    );
    assert_eq!(
        help("pair target=\"plain\" instead=\"wait\""),
        "remove `draft`; the pair suggests instead: wait"
    );
    assert_eq!(
        help("pair target=\"mixture\" draft=\"small-mixture\""),
        "remove `draft`: no draft is known to work with this target"
    );
}

#[test]
fn forbidden_speculation_is_reported_at_the_role_that_uses_it() {
    let recurrent =
        |rest: &str| role("x", &format!("port=9000 {rest}")).replace("\"plain\"", "\"recurrent\"");
    let finding = single_finding(&recurrent("draft=\"tiny\""));
    assert_eq!(finding.code.name, "forbidden-speculation");
    assert_eq!(
        finding.message,
        "role `x` uses a draft for `Recurrent-8B`, but family `qwen3next` forbids it: state corruption"
    );
    assert_eq!(finding.notes, ["its state cannot be rolled back"]);
    let finding = single_finding(&recurrent("lookup=3"));
    assert_eq!(finding.code.name, "forbidden-lookup");
    assert_eq!(
        finding.message,
        "role `x` uses lookup with `Recurrent-8B`, but family `qwen3next` forbids it: state corruption"
    );
    assert_codes(&[], &recurrent("lookup=#false"));
}

#[test]
fn a_draft_that_is_banned_and_forbidden_gives_one_finding() {
    let text = role("x", "port=9000 draft=\"tiny\"").replace("\"plain\"", "\"recurrent\"")
        + "ban target=\"recurrent\" draft=\"*\" failure=\"f\"";
    assert_codes(BANNED, &text);
}

#[test]
fn a_pair_and_a_ban_of_the_same_two_contradict_each_other() {
    let pair = "pair target=\"plain\" draft=\"tiny\"\n";
    for (target, draft) in [("plain", "tiny"), ("qwen2", "*"), ("*", "qwen2"), ("Plain-*", "Tiny-*")] {
        assert_codes(
            &["contradicted-pair"],
            &format!("{pair}ban target=\"{target}\" draft=\"{draft}\" failure=\"f\""),
        );
    }
    assert_codes(&[], &format!("{pair}ban target=\"tiny\" draft=\"plain\" failure=\"f\""));
    assert_codes(&[], &format!("{pair}ban target=\"qwen2\" draft=\"*\" except=\"Plain-*\" failure=\"f\""));
    // A ban may be an exception from a wider pair, but not cover the same models.
    assert_codes(
        &[],
        "pair target=\"qwen2\" draft=\"tiny\"\nban target=\"plain\" draft=\"tiny\" failure=\"f\"",
    );
    let both = |except: &str| {
        format!(
            "pair target=\"*-7B\" draft=\"qwen2\" {except}\nban target=\"*-7B\" draft=\"qwen2\" failure=\"f\""
        )
    };
    assert_codes(&["contradicted-pair"], &both(""));
    assert_codes(&[], &both("except=\"X*\""));
}

#[test]
fn a_role_that_uses_a_contradicted_pair_gives_no_further_finding() {
    let text = role_with_draft() + "pair target=\"plain\" draft=\"tiny\"\n";
    let compiled = compile_with_base(&format!("{text}ban target=\"plain\" draft=\"tiny\" failure=\"one\""));
    assert_eq!(compiled.codes(), ["contradicted-pair"], "{}", compiled.report());
    let finding = &compiled.findings.findings()[0];
    assert_eq!(finding.message, "pair `plain + tiny` names a draft that a ban forbids: one");
    let places: Vec<String> = label_texts(&compiled, finding).into_iter().map(|(_, text)| text).collect();
    assert_eq!(places, ["\"tiny\"", "\"tiny\""]);
    let recurrent = role_with_draft().replace("\"plain\"", "\"recurrent\"");
    assert_codes(&["contradicted-pair"], &(recurrent.clone() + "pair target=\"recurrent\" draft=\"tiny\""));
    assert_codes(
        &["forbidden-speculation", "contradicted-pair"],
        &(recurrent + "pair target=\"qwen3next\" draft=\"tiny\""),
    );
}

#[test]
fn a_family_also_forbids_pairs() {
    for pair in [
        "pair target=\"recurrent\" draft=\"tiny\"",
        "pair target=\"qwen3next\" draft=\"tiny\"",
        "pair target=\"recurrent\" lookup=#true instead=\"experts\"",
    ] {
        assert_codes(&["contradicted-pair"], pair);
    }
    assert_codes(&[], "pair target=\"recurrent\" instead=\"experts\"");
    assert_codes(&[], "pair target=\"Recurrent-*\" draft=\"tiny\"");
}

#[test]
fn rules_are_not_repeated_and_match_something() {
    assert_codes(&["repeated-rule"], &"pair target=\"qwen2\" draft=\"Tiny-*\"\n".repeat(2));
    assert_codes(&["repeated-rule"; 2], &"pair target=\"qwen2\" draft=\"Tiny-*\" max=3\n".repeat(3));
    assert_codes(&["repeated-rule"], &"ban target=\"*X\" draft=\"*\" failure=\"f\"\n".repeat(2));
    assert_codes(&["repeated-rule"], &"pair target=\"*X\" instead=\"experts\"\n".repeat(2));
    assert_codes(
        &[],
        "ban target=\"*X\" draft=\"*\" failure=\"f\"\nban target=\"*X\" draft=\"*\" except=\"YX\" failure=\"f\"",
    );
    assert_codes(&[], "pair target=\"plain\" draft=\"tiny\"\npair target=\"tiny\" draft=\"qwen2\"");
    assert_codes(&["empty-rule"], "pair target=\"plain\" except=\"*\"");
    assert_codes(
        &["empty-rule"],
        "ban target=\"plain\" draft=\"tiny\" except=\"Plain-7B\" failure=\"f\"\npair target=\"plain\" draft=\"tiny\"",
    );
    assert_codes(&[], "pair target=\"plain\" except=\"Tiny*\"");
}

#[test]
fn a_draft_is_a_smaller_model_than_its_target() {
    let on = |target: &str, draft: &str| {
        let target = format!("model=\"{target}\"");
        role("x", &format!("port=9000 draft=\"{draft}\"")).replace("model=\"plain\"", &target)
    };
    assert_codes(&["own-draft"], &on("plain", "plain"));
    assert_codes(&["own-draft"], "pair target=\"plain\" draft=\"plain\"");
    assert_codes(&[], "pair target=\"qwen2\" draft=\"plain\"");
    assert_codes(&["larger-draft"], &on("tiny", "plain"));
    // An MoE model reads only a part of its weights for each token.
    assert_codes(&[], &on("plain", "mixture"));
    assert_codes(&["larger-draft"], &on("small-mixture", "plain"));
    let same = "model \"same\" family=\"qwen2\" title=\"Same-7B\" quant=\"Q4_K_M\" size=\"4.4 GB\" file=\"same.gguf\"\n";
    assert_codes(&[], &format!("{same}{}", on("plain", "same")));
    // A banned or forbidden draft gives one finding.
    assert_codes(BANNED, &(on("plain", "plain") + "ban target=\"plain\" draft=\"*\" failure=\"f\""));
    assert_codes(BANNED, &(on("tiny", "plain") + "ban target=\"tiny\" draft=\"*\" failure=\"f\""));
    assert_codes(&["forbidden-speculation"], &on("recurrent", "recurrent"));
    assert_codes(&["own-draft"], &on("mixture", "mixture").replace("port=9000", "port=9000 experts=4"));
}
