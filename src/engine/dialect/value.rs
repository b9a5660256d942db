//! The values of options, held against what the placeholder of each promises.
//!
//! The engine reads what it can of a value and drops the rest without a word (`8k` is 8; llama.cpp b11434, `common/arg.cpp`), so
//! a value has to be one that it reads to its end.

use crate::engine::OptionRecord;

/// Placeholders of a value that is a number, all profiles.
const NUMBERS: &[&str] = &["N", "P", "INDEX", "PORT", "SECONDS", "SIMILARITY", "SEED", "L"];

/// Options whose number may have a fraction, by any of their names without dashes, sorted (llama.cpp b11434,
/// `common/arg.cpp`: those that read their text themselves).
const FRACTIONS: &[&str] = &[
    "adaptive-decay",
    "adaptive-target",
    "defrag-thold",
    "draft-p-min",
    "draft-p-split",
    "dry-base",
    "dry-multiplier",
    "dynatemp-exp",
    "dynatemp-range",
    "frequency-penalty",
    "min-p",
    "mirostat-ent",
    "mirostat-lr",
    "presence-penalty",
    "repeat-penalty",
    "rope-freq-base",
    "rope-freq-scale",
    "rope-scale",
    "slot-prompt-similarity",
    "spec-draft-p-min",
    "spec-draft-p-split",
    "spec-synth-len",
    "temp",
    "temperature",
    "top-n-sigma",
    "top-nsigma",
    "top-p",
    "typical",
    "typical-p",
    "video-fps",
    "xtc-probability",
    "xtc-threshold",
    "yarn-attn-factor",
    "yarn-beta-fast",
    "yarn-beta-slow",
    "yarn-ext-factor",
];

/// The builds from which on bounds are known: read in the source of the one, tried on the program of the other.
const B11434: u32 = 11434;
const B11669: u32 = 11669;
/// The most layers of a model (llama.cpp b11434, `LLAMA_MAX_LAYERS`). The engine writes a line for each, and a number of many millions
/// keeps it busy for good.
const LAYERS: i64 = 512;
/// The largest whole number that the engine reads.
const MOST: i64 = i32::MAX as i64;

/// Whole numbers that options take, both ends included, sorted by one of their names without dashes; with the build from
/// which on that is known.
const BOUNDS: &[(&str, i64, i64, u32)] = &[
    ("checkpoint-min-step", 0, MOST, B11669),
    ("dry-penalty-last-n", 0, MOST, B11669),
    ("moe-cache-mib", 0, MOST, B11669),
    ("n-cpu-ffn", 0, LAYERS, B11434),
    ("n-cpu-moe", 0, LAYERS, B11434),
    ("n-cpu-moe-draft", 0, LAYERS, B11434),
    ("prio", -1, 3, B11434),
    ("prio-batch", 0, 3, B11434),
    ("reasoning-budget", -1, MOST, B11669),
    ("repeat-last-n", 0, MOST, B11669),
    ("sleep-idle-seconds", 1, MOST, B11434),
    ("spec-draft-n-ubatch", 0, MOST, B11669),
    ("spec-draft-prio", 0, 3, B11669),
    ("spec-draft-prio-batch", 0, 3, B11669),
    ("spec-ngram-map-k-min-hits", 1, 65535, B11434),
    ("spec-ngram-map-k-size-m", 1, 1024, B11434),
    ("spec-ngram-map-k-size-n", 1, 1024, B11434),
    ("spec-ngram-map-k4v-min-hits", 1, 65535, B11434),
    ("spec-ngram-map-k4v-size-m", 1, 1024, B11434),
    ("spec-ngram-map-k4v-size-n", 1, 1024, B11434),
    ("spec-ngram-mod-n-match", 1, 1024, B11434),
    ("spec-ngram-mod-n-max", 0, 1024, B11434),
    ("spec-ngram-mod-n-min", 0, 1024, B11434),
    ("spec-ngram-simple-min-hits", 1, 65535, B11434),
    ("spec-ngram-simple-size-m", 1, 1024, B11434),
    ("spec-ngram-simple-size-n", 1, 1024, B11434),
];

/// The most hexadecimal digits of a CPU mask: 512 bits (llama.cpp b11434, `common/common.cpp`).
const MASK_DIGITS: usize = 128;

/// Whether the engine takes a value as it stands; what it takes instead where not.
pub(super) fn fits(build: Option<u32>, option: &OptionRecord, value: &str) -> Result<(), String> {
    let placeholder = option.value.as_deref().unwrap_or_default();
    if option.lists(value) && value != placeholder {
        return Ok(());
    }
    let known = option.choices.iter().chain(&option.accepts).filter(|word| *word != placeholder);
    let mut words: Vec<&str> = Vec::new();
    for word in known.map(String::as_str) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    let words = words.join(", ");
    let (fits, expected) = if option.takes_list_of_choices() {
        (value.split(',').all(|word| option.lists(word)), format!("one or more of {words}"))
    } else if !option.choices.is_empty() {
        (false, words)
    } else if !words.is_empty() {
        (is_whole(value), format!("a whole number or {words}"))
    } else if NUMBERS.contains(&placeholder) {
        number(build, option, value)
    } else {
        let (fits, expected) = plain(option, placeholder, value);
        (fits, expected.to_owned())
    };
    if fits { Ok(()) } else { Err(expected) }
}

/// A number, and the ones that the option takes.
fn number(build: Option<u32>, option: &OptionRecord, value: &str) -> (bool, String) {
    if has_fraction(option) {
        let (above, expected) = floor(build, option);
        let fits = is_decimal(value) && value.parse::<f32>().is_ok_and(above);
        return (fits, expected.to_owned());
    }
    if option.value.as_deref() == Some("SEED") {
        let fits = value == "-1" || (is_digits(value) && value.parse::<u32>().is_ok());
        return (fits, "a whole number from -1 to 4294967295".to_owned());
    }
    // Minus one is never.
    if option.title() == "--sleep-idle-seconds" && value == "-1" {
        return (true, String::new());
    }
    match bounds(build, option) {
        None => (is_whole(value), "a whole number, digits alone".to_owned()),
        Some((low, high)) => {
            let fits = is_whole(value) && value.parse::<i64>().is_ok_and(|n| (low..=high).contains(&n));
            let most = if high == MOST { "on".to_owned() } else { format!("to {high}") };
            (fits, format!("a whole number from {low} {most}"))
        }
    }
}

/// What a number with a fraction has to be, besides one.
fn floor(build: Option<u32>, option: &OptionRecord) -> (fn(f32) -> bool, &'static str) {
    match option.title() {
        "--repeat-penalty" if build.is_some_and(|build| build >= B11669) => (|n| n > 0.0, "a number above 0"),
        "--spec-synth-len" => (|n| n >= 0.0, "a number from 0 on"),
        _ => (|_| true, "a number"),
    }
}

/// A value that is neither a word of a closed set nor a number.
fn plain(option: &OptionRecord, placeholder: &str, value: &str) -> (bool, &'static str) {
    let each = |fits: fn(&str) -> bool| value.split(',').all(fits);
    match placeholder {
        "<0|1>" => (matches!(value, "0" | "1"), "0 or 1"),
        "<0...100>" => (is_digits(value) && value.parse::<u8>().is_ok_and(|n| n <= 100), "0 to 100"),
        "lo-hi" => (is_range(value), "two CPUs below 512 as `0-7`, the lower one first"),
        "M" => (is_mask(value), "a mask of up to 128 hexadecimal digits"),
        "JSON" | "SCHEMA" => (is_object(value), "a JSON object"),
        _ if option.names.iter().any(|name| name == "--chat-template-kwargs") => {
            (is_object(value), "a JSON object")
        }
        "N0,N1,N2,..." => (value.split([',', '/']).all(is_decimal), "numbers with commas"),
        "P0,P1,..." => (each(is_decimal), "numbers with commas"),
        "MiB0,MiB1,MiB2,..." => (each(is_whole), "whole numbers with commas"),
        "TOKEN_ID(+/-)BIAS" => (is_bias(value), "a token and its bias as `15043+1`"),
        "FNAME:SCALE,..." => (each(is_scaled), "files with scales as `a.gguf:0.5`"),
        "<tensor name pattern>=<buffer type>,..." => {
            (each(is_placed), "patterns with buffer types as `exps=CPU`")
        }
        "FNAME" | "PATH" | "FILE" | "DIR" | "JINJA_TEMPLATE_FILE" => (!value.is_empty(), "a path"),
        _ => (true, ""),
    }
}

/// The arguments of an option that takes several: whole numbers.
pub(super) fn fit_together(parts: &[&str]) -> bool {
    parts.iter().all(|part| is_whole(part))
}

/// Whether the number of an option may have a fraction.
fn has_fraction(option: &OptionRecord) -> bool {
    let known = |name: &String| FRACTIONS.binary_search(&name.trim_start_matches('-')).is_ok();
    option.names.iter().any(known)
}

/// The whole numbers that an option takes, both ends included; none where any within 32 bits is taken.
fn bounds(build: Option<u32>, option: &OptionRecord) -> Option<(i64, i64)> {
    let bounded = |name: &String| {
        let name = name.trim_start_matches('-');
        let at = BOUNDS.binary_search_by(|(known, ..)| (*known).cmp(name)).ok()?;
        let (_, low, high, since) = BOUNDS.get(at)?;
        build.is_some_and(|build| build >= *since).then_some((*low, *high))
    };
    option.names.iter().find_map(bounded)
}

fn is_digits(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit())
}

/// Digits with a sign where one is wanted, within 32 bits: no unit, no exponent.
fn is_whole(value: &str) -> bool {
    is_digits(value.strip_prefix('-').unwrap_or(value)) && value.parse::<i32>().is_ok()
}

/// A number with or without a fraction or an exponent, as large as the engine can hold: no unit.
fn is_decimal(value: &str) -> bool {
    let begins = value.strip_prefix('-').unwrap_or(value).bytes().next().is_some_and(|b| b.is_ascii_digit());
    begins && value.parse::<f32>().is_ok_and(f32::is_finite)
}

fn is_range(value: &str) -> bool {
    let Some((low, high)) = value.split_once('-') else { return false };
    let cpu = |text: &str| text.parse::<u16>().ok().filter(|cpu| is_digits(text) && *cpu < 512);
    matches!((cpu(low), cpu(high)), (Some(low), Some(high)) if low <= high)
}

fn is_mask(value: &str) -> bool {
    let digits = value.strip_prefix("0x").unwrap_or(value);
    (1..=MASK_DIGITS).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

fn is_object(value: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(value).is_ok_and(|value| value.is_object())
}

fn is_bias(value: &str) -> bool {
    let Some((token, bias)) = value.split_once(['+', '-']) else { return false };
    is_digits(token) && is_decimal(bias)
}

fn is_placed(value: &str) -> bool {
    value.split_once('=').is_some_and(|(pattern, buffer)| !pattern.is_empty() && !buffer.is_empty())
}

fn is_scaled(value: &str) -> bool {
    value.rsplit_once(':').is_some_and(|(file, scale)| !file.is_empty() && is_decimal(scale))
}
