//! The options of a role that have no field, held against the build.

use std::borrow::Cow;

use super::argv::Argv;
use super::{Intent, NotChecked};
use crate::engine::{OptionRecord, Repeat, Side};

/// Options that orchgen writes itself, without their dashes, sorted; each with the field that says it.
const OWNED: &[(&str, &str)] = &[
    ("api-key", "key-file"),
    ("api-key-file", "key-file"),
    ("b", "batch"),
    ("batch-size", "batch"),
    ("c", "context"),
    ("cache-ram", "prompt-cache"),
    ("cache-type-k", "cache-type"),
    ("cache-type-v", "cache-type"),
    ("cd", "context"),
    ("cram", "prompt-cache"),
    ("ctk", "cache-type"),
    ("ctv", "cache-type"),
    ("ctx-size", "context"),
    ("ctx-size-draft", "context"),
    ("docker-repo", "model"),
    ("dr", "model"),
    ("draft-max", "draft"),
    ("draft-min", "draft"),
    ("draft-n-min", "draft"),
    ("draft-p-min", "draft"),
    ("embedding", "pooling"),
    ("embeddings", "pooling"),
    ("fa", "flash-attention"),
    ("fit", "context"),
    ("flash-attn", "flash-attention"),
    ("hf", "model"),
    ("hf-file", "model"),
    ("hf-repo", "model"),
    ("hf-repo-draft", "draft"),
    ("hfd", "draft"),
    ("hff", "model"),
    ("host", "listen"),
    ("kv-unified", "slots"),
    ("kvu", "slots"),
    ("lookup-ngram-min", "lookup"),
    ("m", "model"),
    ("md", "draft"),
    ("mlock", "placement"),
    ("mm", "projector"),
    ("mmproj", "projector"),
    ("mmproj-url", "projector"),
    ("mmu", "projector"),
    ("model", "model"),
    ("model-draft", "draft"),
    ("model-url", "model"),
    ("models-dir", "model"),
    ("models-preset", "model"),
    ("mu", "model"),
    ("np", "slots"),
    ("numa", "placement"),
    ("override-kv", "override"),
    ("parallel", "slots"),
    ("pooling", "pooling"),
    ("port", "port"),
    ("rerank", "pooling"),
    ("reranking", "pooling"),
    ("reuse-port", "port"),
    ("spec-draft-hf", "draft"),
    ("spec-draft-model", "draft"),
    ("spec-draft-n-max", "draft"),
    ("spec-draft-n-min", "draft"),
    ("spec-draft-p-min", "draft"),
    ("t", "placement"),
    ("threads", "placement"),
];

/// Options that print something and end the program: a server with one of them never serves.
const ENDS: &[&str] =
    &["--help", "--version", "--license", "--cache-list", "--completion-bash", "--list-devices"];

/// Options that bring a model of their own, by how their names begin.
const PRESETS: &[&str] = &["--embd-gemma-", "--fim-qwen-", "--gpt-oss-", "--vision-gemma-"];

/// Placeholders of a value that is a plain number (all five profiles).
const NUMBERS: &[&str] = &["N", "P", "INDEX", "PORT", "SECONDS", "SIMILARITY", "<0|1>", "<0...100>"];

/// The field of the registry that writes an engine option, where one does; with dashes or without, `_` like `-`.
pub fn owned(name: &str) -> Option<&'static str> {
    let name = name.trim_start_matches('-').replace('_', "-");
    let at = OWNED.binary_search_by(|(known, _)| (*known).cmp(name.as_str())).ok()?;
    OWNED.get(at).map(|(_, field)| *field)
}

/// An option of the registry that the build takes.
pub(super) struct Said<'p> {
    at: usize,
    option: &'p OptionRecord,
    words: Vec<String>,
}

/// Reads the options, and reports those that the build would refuse or misread.
pub(super) fn read<'p>(argv: &mut Argv<'p>, options: &[(&str, Option<&str>)]) -> Vec<Said<'p>> {
    let mut all: Vec<Said<'p>> = Vec::with_capacity(options.len());
    for (at, (name, value)) in options.iter().enumerate() {
        match one(argv, name, *value) {
            Err(why) => argv.cannot(Intent::OptionName(at), why),
            Ok((option, words)) => {
                let again = all.iter().any(|said| std::ptr::eq(said.option, option));
                if again && repeated(argv, at, option) {
                    continue;
                }
                all.push(Said { at, option, words });
            }
        }
    }
    all
}

/// Writes the options after everything else, those left out that a field has written meanwhile.
pub(super) fn write(argv: &mut Argv<'_>, options: Vec<Said<'_>>) {
    for said in options {
        let field = argv.written.iter().find(|(option, _)| std::ptr::eq(*option, said.option));
        if let Some((option, field)) = field {
            let why = format!("`{}` is written from the field `{field}`", option.title());
            argv.cannot(Intent::OptionName(said.at), why);
        } else {
            argv.args.extend(said.words.into_iter().map(Cow::Owned));
        }
    }
}

/// The records that the options name.
pub(super) fn records<'p>(options: &[Said<'p>]) -> Vec<&'p OptionRecord> {
    options.iter().map(|said| said.option).collect()
}

/// Reports an option that is given twice; true where it is refused.
fn repeated(argv: &mut Argv<'_>, at: usize, option: &OptionRecord) -> bool {
    let title = option.title();
    match option.repeat {
        Some(Repeat::List) => false,
        None if option.arity() > 0 => {
            let why = format!("{} does not say whether `{title}` may be given twice", argv.build());
            argv.not_checked.push(NotChecked { intent: Intent::OptionName(at), why });
            false
        }
        Some(Repeat::Last) | None => {
            argv.cannot(
                Intent::OptionName(at),
                format!("`{title}` is given twice, and the engine takes the last"),
            );
            true
        }
    }
}

fn one<'p>(
    argv: &Argv<'p>,
    name: &str,
    value: Option<&str>,
) -> Result<(&'p OptionRecord, Vec<String>), String> {
    let Some((option, spelling, side)) = argv.profile.find(argv.tool, name) else {
        return Err(unknown(argv, name));
    };
    if let Some(instead) = &option.removed {
        return Err(format!("`{spelling}` is removed from {} ({instead})", argv.build()));
    }
    if let Some(field) = option.spellings().find_map(|(name, _)| owned(name)) {
        return Err(format!("`{spelling}` is written from the field `{field}`"));
    }
    if option.names.iter().any(|name| ENDS.contains(&name.as_str())) {
        return Err(format!("`{spelling}` prints something and ends the program"));
    }
    if option.value.is_none() && PRESETS.iter().any(|start| option.title().starts_with(start)) {
        return Err(format!("`{spelling}` brings a model of its own, and `model` says which one is served"));
    }
    let mut words = vec![spelling.to_owned()];
    let arity = if side == Side::Off { 0 } else { option.arity() };
    match (arity, value) {
        (0, None) => {}
        (0, Some(_)) => return Err(format!("`{spelling}` takes no value")),
        (_, None) => {
            let value = option.value.as_deref().unwrap_or_default();
            return Err(format!("`{spelling}` takes a value ({value})"));
        }
        (1, Some(value)) => {
            fits(option, spelling, value)?;
            words.push(value.to_owned());
        }
        (n, Some(value)) => {
            let parts: Vec<&str> = value.split_whitespace().collect();
            if parts.len() != n {
                return Err(format!(
                    "`{spelling}` takes {n} values, separated by a blank, and has {}",
                    parts.len()
                ));
            }
            words.extend(parts.into_iter().map(str::to_owned));
        }
    }
    Ok((option, words))
}

fn unknown(argv: &Argv<'_>, name: &str) -> String {
    let shown = name.escape_debug();
    let dashed = if name.starts_with('-') { name.to_owned() } else { format!("--{name}") };
    let takers = argv.profile.takers(&dashed);
    match takers.split_first() {
        None => format!("{} of {} has no option `{shown}`", argv.tool, argv.build()),
        Some((first, [])) => {
            format!("`{shown}` is an option of {first} and not of {} in {}", argv.tool, argv.build())
        }
        Some((first, rest)) => {
            format!(
                "`{shown}` is an option of {first} and {} more and not of {} in {}",
                rest.len(),
                argv.tool,
                argv.build()
            )
        }
    }
}

/// Whether a value is one that the option reads as it stands.
fn fits(option: &OptionRecord, spelling: &str, value: &str) -> Result<(), String> {
    let shown = value.escape_debug();
    if value.contains('\0') {
        return Err(format!("the value of `{spelling}` holds a zero byte"));
    }
    if option.takes_list_of_choices() {
        let stranger = value.split(',').find(|word| !option.lists(word));
        return stranger.map_or(Ok(()), |word| Err(choices(option, spelling, word)));
    }
    if !option.allows(value) {
        return Err(choices(option, spelling, value));
    }
    let number = option.choices.is_empty()
        && !option.lists(value)
        && option.value.as_deref().is_some_and(|v| NUMBERS.contains(&v));
    // The engine reads the digits in front and drops the rest without a word (llama.cpp b11434, `common/arg.cpp`).
    if number && !is_number(value) {
        return Err(format!(
            "`{spelling}` takes a number, and `{shown}` is none that the engine reads to its end"
        ));
    }
    Ok(())
}

fn choices(option: &OptionRecord, spelling: &str, word: &str) -> String {
    format!("`{spelling}` takes {}, not `{}`", option.choices.join(", "), word.escape_debug())
}

/// Digits, with a sign and a decimal point where they are wanted: no unit, no exponent.
fn is_number(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let all = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    all(whole) && all(part)
}
