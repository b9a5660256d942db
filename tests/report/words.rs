//! The grammar of messages, and the names that are suggested.

use orchgen::diag::nearest;
use orchgen::diag::words::{all_of, any_of, count, printable, quoted, steers};

/// The fields of the language, those of items within items included.
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

/// The word with one character taken out, two neighbours swapped, or one letter put in.
fn mutated(word: &str) -> Vec<String> {
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

/// How many slips there are, how many are understood, and what is said of the others.
fn understood(keep: impl Fn(&str, &str) -> bool) -> (usize, usize, Vec<String>) {
    let (mut all, mut right, mut wrong) = (0, 0, Vec::new());
    for name in FIELDS {
        let slips = mutated(name);
        for slip in slips.iter().filter(|slip| !FIELDS.contains(&slip.as_str()) && keep(name, slip)) {
            all += 1;
            match suggested(slip) {
                Some(found) if found == *name => right += 1,
                other => wrong.push(format!("{slip}: {name} was meant, {other:?} is said")),
            }
        }
    }
    (all, right, wrong)
}

#[test]
fn a_slip_of_the_finger_is_understood() {
    let (all, right, wrong) = understood(|_, _| true);
    assert!(all > 10_000, "{all} slips");
    assert!(right * 100 >= all * 98, "{right} of {all}: {wrong:#?}");
}

#[test]
fn each_kind_of_slip_is_understood() {
    let kinds = [(-1, "taken out"), (0, "swapped"), (1, "put in")];
    for (longer, kind) in kinds {
        let of_kind = |name: &str, slip: &str| slip.len().cast_signed() - name.len().cast_signed() == longer;
        let (all, right, wrong) = understood(of_kind);
        // Names of different items, such as `model` and `models`, can be a slip apart: none is wrong then.
        assert!(right * 100 >= all * 97, "{kind}: {right} of {all}: {wrong:#?}");
    }
}

#[test]
fn what_was_meant_is_found_by_sense_too() {
    let meant = [
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
    for (word, name) in meant {
        assert_eq!(suggested(word), Some(name), "{word}");
    }
}

#[test]
fn nothing_absurd_is_suggested() {
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
fn a_name_of_the_same_case_and_dashes_comes_first() {
    assert_eq!(nearest("cache_types", ["cache-typos", "cache-types"]), Some("cache-types"));
    assert_eq!(nearest("Ports", ["sorts", "ports"]), Some("ports"));
    assert_eq!(nearest("modle", ["mode", "model"]), Some("model"), "a swap is one slip, not two");
    assert_eq!(nearest("a", ["b"]), None, "nothing of it is left");
    assert_eq!(nearest("ab", ["aa", "ac"]), Some("aa"), "the first of several as near");
    assert_eq!(nearest("модель", ["модели", "порт"]), Some("модели"), "characters count, not bytes");
}

#[test]
fn names_that_differ_much_are_unlike() {
    assert!(nearest("port", ["engine"]).is_none());
    assert!(nearest("port", ["ports"]).is_some());
}

#[test]
fn counts_and_lists_read_well() {
    assert_eq!([count(0, "role"), count(1, "role"), count(12, "role")], ["0 roles", "1 role", "12 roles"]);
    assert_eq!(any_of::<&str>(&[]), "");
    assert_eq!(any_of(&["a"]), "a");
    assert_eq!(any_of(&["a", "b"]), "a or b");
    assert_eq!(all_of(&["a", "b", "c"]), "a, b and c");
    assert_eq!(all_of(&[String::from("a"), String::from("b")]), "a and b");
}

#[test]
fn names_cannot_steer_a_terminal() {
    assert_eq!(quoted("a\u{1b}[2J"), "`a\\u{1b}[2J`");
    assert_eq!(printable("a\nb\t\u{202e}\u{200b}\u{7f}"), "a\\nb\\t\\u{202e}\\u{200b}\\u{7f}");
    assert_eq!(printable("größe 模型 🚀 👨\u{200d}👩"), "größe 模型 🚀 👨\u{200d}👩");
    assert_eq!(printable(&"ü".repeat(200)), "ü".repeat(200));
    assert_eq!(printable(&"ü".repeat(201)), "ü".repeat(200) + "…");
    assert!(steers('\u{9b}') && steers('\u{2028}') && steers('\u{e0041}') && !steers(' ') && !steers('é'));
}
