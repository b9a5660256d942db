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
    let family = "family \"plain\" arch=\"llama\"\nmodel \"other\" family=\"plain\" title=\"Other\" quant=\"q\" size=\"1 GB\" file=\"o\"\n";
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
        help("pair target=\"recurrent\" draft=\"small-mixture\""),
        "remove `draft`: no draft is known to work with this target"
    );
    // A pair that names the draft that is banned is no way out.
    assert_eq!(
        help("pair target=\"plain\" draft=\"tiny\""),
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
    assert_eq!(finding.notes, ["recurrent state cannot be rolled back"]);
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
