//! The words of messages: counts, lists, quoted names, and suggestions for misspelt names.

use orchgen::diag::nearest;
use orchgen::diag::words::{all_of, any_of, count, is_control_like, printable, quoted};

/// All fields of the registry language, including those of blocks.
const FIELDS: &[&str] = &[
    "verified",
    "engine",
    "title",
    "targets",
    "hardening",
    "defaults",
    "profile",
    "bin",
    "env",
    "memory",
    "reserve",
    "cpus",
    "smt",
    "numa",
    "cpuset",
    "exclusive",
    "gpu",
    "address",
    "systemd",
    "user",
    "group",
    "path",
    "speed",
    "budget",
    "start",
    "idle",
    "at-once",
    "arch",
    "label",
    "tokenizer",
    "forbid",
    "failure",
    "why",
    "experts",
    "advise",
    "avoid",
    "for",
    "override",
    "value",
    "needs",
    "family",
    "quant",
    "size",
    "file",
    "store",
    "projector",
    "total",
    "default",
    "trained-context",
    "retired",
    "tier",
    "residency",
    "host",
    "model",
    "shares",
    "port",
    "ports",
    "listen",
    "key-file",
    "backend",
    "context",
    "slots",
    "batch",
    "draft",
    "max",
    "min",
    "p-min",
    "lookup",
    "pooling",
    "placement",
    "threads",
    "lock",
    "cache-type",
    "flash-attention",
    "prompt-cache",
    "checkpoints",
    "option",
    "measured",
    "date",
    "purpose",
    "note",
    "target",
    "except",
    "speedup",
    "instead",
    "models",
    "issue",
    "symptom",
    "workaround",
    "found",
    "fixed",
    "allow",
    "because",
    "fits",
];

fn suggested(word: &str) -> Option<&'static str> {
    nearest(word, FIELDS.iter().copied())
}

/// All misspellings: the word with one character removed, two neighbors swapped, or one character inserted.
fn misspellings(word: &str) -> Vec<String> {
    let chars: Vec<char> = word.chars().collect();
    let mut all = Vec::new();
    for at in 0..=chars.len() {
        let (before, after) = chars.split_at(at);
        let with = |middle: &str, after: &[char]| {
            before.iter().collect::<String>() + middle + &after.iter().collect::<String>()
        };
        all.extend(('a'..='z').chain(['-', '_']).map(|c| with(&c.to_string(), after)));
        if let [_, rest @ ..] = after {
            all.push(with("", rest));
        }
        if let [a, b, rest @ ..] = after {
            all.push(with(&format!("{b}{a}"), rest));
        }
    }
    all
}

/// The number of misspellings, the number with a correct suggestion, and a description of the others.
fn count_suggestions(keep: impl Fn(&str, &str) -> bool) -> (usize, usize, Vec<String>) {
    let (mut all, mut right, mut wrong) = (0, 0, Vec::new());
    for name in FIELDS {
        let misspelt = misspellings(name);
        for word in misspelt.iter().filter(|word| !FIELDS.contains(&word.as_str()) && keep(name, word)) {
            all += 1;
            match suggested(word) {
                Some(found) if found == *name => right += 1,
                other => wrong.push(format!("{word}: expected {name}, found {other:?}")),
            }
        }
    }
    (all, right, wrong)
}

#[test]
fn a_misspelt_field_is_suggested_correctly() {
    let (all, right, wrong) = count_suggestions(|_, _| true);
    assert!(all > 10_000, "{all} misspellings");
    assert!(right * 100 >= all * 98, "{right} of {all}: {wrong:#?}");
}

#[test]
fn each_kind_of_misspelling_is_suggested_correctly() {
    let kinds = [(-1, "removed"), (0, "swapped"), (1, "inserted")];
    for (longer, kind) in kinds {
        let is_kind = |name: &str, word: &str| word.len().cast_signed() - name.len().cast_signed() == longer;
        let (all, right, wrong) = count_suggestions(is_kind);
        // Some names differ by one character, such as `model` and `models`. Then both suggestions are correct.
        assert!(right * 100 >= all * 97, "{kind}: {right} of {all}: {wrong:#?}");
    }
}

#[test]
fn a_synonym_or_another_spelling_is_suggested_correctly() {
    let synonyms = [
        ("ctx", "context"),
        ("ctx_size", "context"),
        ("ctx-size", "context"),
        ("parallel", "slots"),
        ("RAM", "memory"),
        ("mmproj", "projector"),
        ("cache_type", "cache-type"),
        ("CacheType", "cache-type"),
        ("keyfile", "key-file"),
        ("PORT", "port"),
        ("flash attention", "flash-attention"),
        ("prompt.cache", "prompt-cache"),
        ("quantization", "quant"),
    ];
    for (word, name) in synonyms {
        assert_eq!(suggested(word), Some(name), "{word}");
    }
}

#[test]
fn unrelated_words_have_no_suggestion() {
    for word in [
        "kubernetes",
        "x",
        "zz",
        "foobar",
        "replicas",
        "image",
        "livenessProbe",
        "a",
        "qq",
        "日本語",
        "---",
        "",
    ] {
        assert_eq!(suggested(word), None, "{word}");
    }
    assert_eq!(nearest("port", []), None);
    assert_eq!(suggested(&"x".repeat(100_000)), None);
    assert_eq!(nearest("qwen3-coder-30b", ["bge-large-en-v1.5", "llama-3-8b"]), None);
}

#[test]
fn the_nearest_name_is_suggested_first() {
    assert_eq!(nearest("cache_types", ["cache-typos", "cache-types"]), Some("cache-types"));
    assert_eq!(nearest("Ports", ["sorts", "ports"]), Some("ports"));
    assert_eq!(nearest("modle", ["mode", "model"]), Some("model"), "a swap counts as one edit, not two");
    assert_eq!(nearest("a", ["b"]), None, "no character is the same");
    assert_eq!(nearest("ab", ["aa", "ac"]), Some("aa"), "the first of two equally near names");
    assert_eq!(nearest("модель", ["модели", "порт"]), Some("модели"), "characters count, not bytes");
}

#[test]
fn a_name_that_differs_much_is_not_suggested() {
    assert!(nearest("port", ["engine"]).is_none());
    assert!(nearest("port", ["ports"]).is_some());
}

#[test]
fn counts_and_lists_are_correct_english() {
    assert_eq!([count(0, "role"), count(1, "role"), count(12, "role")], ["0 roles", "1 role", "12 roles"]);
    assert_eq!(any_of::<&str>(&[]), "");
    assert_eq!(any_of(&["a"]), "a");
    assert_eq!(any_of(&["a", "b"]), "a or b");
    assert_eq!(all_of(&["a", "b", "c"]), "a, b and c");
    assert_eq!(all_of(&[String::from("a"), String::from("b")]), "a and b");
}

#[test]
fn control_characters_in_names_are_escaped() {
    assert_eq!(quoted("a\u{1b}[2J"), "`a\\u{1b}[2J`");
    assert_eq!(printable("a\nb\t\u{202e}\u{200b}\u{7f}"), "a\\nb\\t\\u{202e}\\u{200b}\\u{7f}");
    assert_eq!(printable("größe 模型 🚀 👨\u{200d}👩"), "größe 模型 🚀 👨\u{200d}👩");
    assert_eq!(printable(&"ü".repeat(200)), "ü".repeat(200));
    assert_eq!(printable(&"ü".repeat(201)), "ü".repeat(200) + "…");
    assert!(
        is_control_like('\u{9b}')
            && is_control_like('\u{2028}')
            && is_control_like('\u{e0041}')
            && !is_control_like(' ')
            && !is_control_like('é')
    );
}
