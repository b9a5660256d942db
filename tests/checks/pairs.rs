//! Bans and what families forbid.

use super::{beside, gives, labelled, only, role};

const BANNED: &[&str] = &["banned-draft"];

fn drafting() -> String {
    role("x", "port=9000 draft=\"tiny\"")
}

#[test]
fn a_ban_is_by_model_family_or_title() {
    for (target, draft) in [
        ("plain", "tiny"),
        ("qwen2", "tiny"),
        ("plain", "qwen2"),
        ("Plain-*", "*"),
        ("Plain-?B", "Tiny-0.5B*"),
        ("*", "*"),
        ("*7B", "*iny*"),
    ] {
        gives(BANNED, &(drafting() + &format!("ban target=\"{target}\" draft=\"{draft}\" failure=\"f\"")));
    }
    for (target, draft) in
        [("tiny", "plain"), ("qwen3moe", "tiny"), ("Plain-", "*"), ("Plain-??B", "*"), ("*", "plain*")]
    {
        let target = if target == "Plain-" { "Plain-*X" } else { target };
        gives(&[], &(drafting() + &format!("ban target=\"{target}\" draft=\"{draft}\" failure=\"f\"")));
    }
}

#[test]
fn an_exception_is_left_out() {
    let ban = |except: &str| {
        drafting() + &format!("ban target=\"*\" draft=\"*\" failure=\"f\" except=\"{except}\"")
    };
    gives(&[], &ban("Plain-*"));
    gives(&[], &ban("Plain-7B"));
    gives(BANNED, &ban("Tiny-*"));
}

#[test]
fn a_name_comes_before_a_family_and_both_before_a_glob() {
    // A family called as a model: the word means the model.
    let family = "family \"plain\" arch=\"llama\"\nmodel \"other\" family=\"plain\" title=\"Other\" quant=\"q\" size=\"1 GB\" file=\"o\"\nquirk \"q\" models=\"other\" issue=\"i\"\n";
    let other =
        "role \"o\" tier=\"A\" residency=\"hot\" model=\"other\" context=1 port=9001 draft=\"tiny\"\n";
    gives(BANNED, &format!("{family}{}ban target=\"plain\" draft=\"tiny\" failure=\"f\"", drafting()));
    gives(&[], &format!("{family}{other}ban target=\"plain\" draft=\"tiny\" failure=\"f\""));
}

#[test]
fn rules_outlive_models() {
    gives(&[], "ban target=\"Gone-*\" draft=\"*\" failure=\"f\"\npair target=\"Gone-?\" draft=\"*Gone*\"");
    gives(&["unknown-name"], "ban target=\"Gone\" draft=\"*\" failure=\"f\"");
}

#[test]
fn two_bans_of_one_draft_are_one_finding_at_the_first() {
    let text = drafting()
        + "ban target=\"plain\" draft=\"tiny\" failure=\"one\"\nban target=\"*\" draft=\"*\" failure=\"two\"";
    let finding = only(&text);
    assert_eq!(finding.message, "role `x` drafts for `Plain-7B` with `Tiny-0.5B`, which is banned: one");
}

#[test]
fn a_banned_draft_is_shown_with_its_target_and_its_ban() {
    let compiled =
        beside(&(drafting() + "ban target=\"qwen2\" draft=\"tiny\" failure=\"f\" note=\"seen twice\""));
    let finding = &compiled.findings.findings()[0];
    let places: Vec<String> = labelled(&compiled, finding).into_iter().map(|(_, text)| text).collect();
    assert_eq!(places, ["\"tiny\"", "\"plain\"", "\"qwen2\""]);
    assert_eq!(finding.notes, ["seen twice"]);
    assert_eq!(finding.help, ["remove `draft`: no draft is known to work with this target"]);
}

#[test]
fn a_pair_says_what_to_do_instead() {
    let ban = "ban target=\"plain\" draft=\"tiny\" failure=\"f\"\n";
    let help = |pair: &str| only(&format!("{}{ban}{pair}", drafting())).help.concat();
    assert_eq!(
        help("pair target=\"qwen2\" draft=\"small-mixture\""),
        "draft with `small-mixture`, which a pair names for this target"
    );
    assert_eq!(
        help("pair target=\"plain\" instead=\"experts\""),
        "remove `draft`, and use fewer experts instead"
    );
    assert_eq!(help("pair target=\"plain\" instead=\"wait\""), "remove `draft`, and instead: wait");
    assert_eq!(
        help("pair target=\"mixture\" draft=\"small-mixture\""),
        "remove `draft`: no draft is known to work with this target"
    );
}

#[test]
fn what_a_family_forbids_is_said_at_the_deed() {
    let recurrent =
        |rest: &str| role("x", &format!("port=9000 {rest}")).replace("\"plain\"", "\"recurrent\"");
    let finding = only(&recurrent("draft=\"tiny\""));
    assert_eq!(finding.code.name, "forbidden-speculation");
    assert_eq!(
        finding.message,
        "role `x` drafts for `Recurrent-8B`, and family `qwen3next` forbids it: state corruption"
    );
    assert_eq!(finding.notes, ["its state cannot be rolled back"]);
    let finding = only(&recurrent("lookup=3"));
    assert_eq!(finding.code.name, "forbidden-lookup");
    assert_eq!(
        finding.message,
        "role `x` uses lookup with `Recurrent-8B`, and family `qwen3next` forbids it: state corruption"
    );
    gives(&[], &recurrent("lookup=#false"));
}

#[test]
fn what_is_banned_and_forbidden_is_one_finding() {
    let text = role("x", "port=9000 draft=\"tiny\"").replace("\"plain\"", "\"recurrent\"")
        + "ban target=\"recurrent\" draft=\"*\" failure=\"f\"";
    gives(BANNED, &text);
}

#[test]
fn a_pair_and_a_ban_of_the_same_two_contradict_each_other() {
    let pair = "pair target=\"plain\" draft=\"tiny\"\n";
    for (target, draft) in [("plain", "tiny"), ("qwen2", "*"), ("*", "qwen2"), ("Plain-*", "Tiny-*")] {
        gives(
            &["contradicted-pair"],
            &format!("{pair}ban target=\"{target}\" draft=\"{draft}\" failure=\"f\""),
        );
    }
    gives(&[], &format!("{pair}ban target=\"tiny\" draft=\"plain\" failure=\"f\""));
    gives(&[], &format!("{pair}ban target=\"qwen2\" draft=\"*\" except=\"Plain-*\" failure=\"f\""));
    // A rule over many may have exceptions; the same rule may not.
    gives(&[], "pair target=\"qwen2\" draft=\"tiny\"\nban target=\"plain\" draft=\"tiny\" failure=\"f\"");
    let both = |except: &str| {
        format!(
            "pair target=\"*-7B\" draft=\"qwen2\" {except}\nban target=\"*-7B\" draft=\"qwen2\" failure=\"f\""
        )
    };
    gives(&["contradicted-pair"], &both(""));
    gives(&[], &both("except=\"X*\""));
}

#[test]
fn a_role_that_drafts_as_a_contradicted_pair_says_is_not_said_again() {
    let text = drafting() + "pair target=\"plain\" draft=\"tiny\"\n";
    let compiled = beside(&format!("{text}ban target=\"plain\" draft=\"tiny\" failure=\"one\""));
    assert_eq!(compiled.codes(), ["contradicted-pair"], "{}", compiled.report());
    let finding = &compiled.findings.findings()[0];
    assert_eq!(
        finding.message,
        "the pair `plain + tiny` says that a draft works, and a ban says that it does not: one"
    );
    let places: Vec<String> = labelled(&compiled, finding).into_iter().map(|(_, text)| text).collect();
    assert_eq!(places, ["\"tiny\"", "\"tiny\""]);
    let recurrent = drafting().replace("\"plain\"", "\"recurrent\"");
    gives(&["contradicted-pair"], &(recurrent.clone() + "pair target=\"recurrent\" draft=\"tiny\""));
    gives(
        &["forbidden-speculation", "contradicted-pair"],
        &(recurrent + "pair target=\"qwen3next\" draft=\"tiny\""),
    );
}

#[test]
fn a_family_forbids_pairs_as_well() {
    for pair in [
        "pair target=\"recurrent\" draft=\"tiny\"",
        "pair target=\"qwen3next\" draft=\"tiny\"",
        "pair target=\"recurrent\" lookup=#true instead=\"experts\"",
    ] {
        gives(&["contradicted-pair"], pair);
    }
    gives(&[], "pair target=\"recurrent\" instead=\"experts\"");
    gives(&[], "pair target=\"Recurrent-*\" draft=\"tiny\"");
}

#[test]
fn a_rule_stands_once_and_is_for_something() {
    gives(&["repeated-rule"], &"pair target=\"qwen2\" draft=\"Tiny-*\"\n".repeat(2));
    gives(&["repeated-rule"; 2], &"pair target=\"qwen2\" draft=\"Tiny-*\" max=3\n".repeat(3));
    gives(&["repeated-rule"], &"ban target=\"*X\" draft=\"*\" failure=\"f\"\n".repeat(2));
    gives(&["repeated-rule"], &"pair target=\"*X\" instead=\"experts\"\n".repeat(2));
    gives(
        &[],
        "ban target=\"*X\" draft=\"*\" failure=\"f\"\nban target=\"*X\" draft=\"*\" except=\"YX\" failure=\"f\"",
    );
    gives(&[], "pair target=\"plain\" draft=\"tiny\"\npair target=\"tiny\" draft=\"qwen2\"");
    gives(&["empty-rule"], "pair target=\"plain\" except=\"*\"");
    gives(
        &["empty-rule"],
        "ban target=\"plain\" draft=\"tiny\" except=\"Plain-7B\" failure=\"f\"\npair target=\"plain\" draft=\"tiny\"",
    );
    gives(&[], "pair target=\"plain\" except=\"Tiny*\"");
}

#[test]
fn a_draft_is_another_and_smaller_model() {
    let on = |target: &str, draft: &str| {
        let target = format!("model=\"{target}\"");
        role("x", &format!("port=9000 draft=\"{draft}\"")).replace("model=\"plain\"", &target)
    };
    gives(&["own-draft"], &on("plain", "plain"));
    gives(&["own-draft"], "pair target=\"plain\" draft=\"plain\"");
    gives(&[], "pair target=\"qwen2\" draft=\"plain\"");
    gives(&["larger-draft"], &on("tiny", "plain"));
    // Of a mixture of experts only a part is read for each token.
    gives(&[], &on("plain", "mixture"));
    gives(&["larger-draft"], &on("small-mixture", "plain"));
    let same = "model \"same\" family=\"qwen2\" title=\"Same-7B\" quant=\"Q4_K_M\" size=\"4.4 GB\" file=\"same.gguf\"\n";
    gives(&[], &format!("{same}{}", on("plain", "same")));
    // What must not be used at all is said once.
    gives(BANNED, &(on("plain", "plain") + "ban target=\"plain\" draft=\"*\" failure=\"f\""));
    gives(BANNED, &(on("tiny", "plain") + "ban target=\"tiny\" draft=\"*\" failure=\"f\""));
    gives(&["forbidden-speculation"], &on("recurrent", "recurrent"));
    gives(&["own-draft"], &on("mixture", "mixture").replace("port=9000", "port=9000 experts=4"));
}
