//! `orchgen engine show`.

use super::args::{Format, Show};
use super::named;
use crate::cli::{End, session};
use crate::diag::{nearest, words};
use crate::engine::dialect::owned;
use crate::engine::{OptionRecord, Profile, Repeat, Tools};
use serde::Serialize;

#[derive(Serialize)]
struct Shown<'p> {
    format_version: u32,
    name: &'p str,
    build: &'p str,
    source: &'p str,
    programs: Vec<&'p str>,
    options: Vec<&'p OptionRecord>,
}

pub(super) fn run(command: &Show) -> End {
    let profile = match named::profile(&command.profile) {
        Ok(profile) => profile,
        Err(end) => return end,
    };
    let options = match &command.option {
        None => profile.options().iter().collect(),
        Some(name) => match find(&profile, name) {
            Ok(options) => options,
            Err(why) => {
                session::report(&format!("error: {why}\n"));
                return End::CannotRun;
            }
        },
    };
    session::print(&match (command.format, &command.option) {
        (Format::Json, _) => json(&profile, options),
        (Format::Human, None) => whole(&profile),
        (Format::Human, Some(_)) => {
            options.iter().map(|option| one(&profile, option)).collect::<Vec<_>>().join("\n")
        }
    })
}

/// Every option of that spelling, since programs may have different ones.
fn find<'p>(profile: &'p Profile, name: &str) -> Result<Vec<&'p OptionRecord>, String> {
    let mut found: Vec<&OptionRecord> = Vec::new();
    for option in profile.tools().filter_map(|tool| profile.option(tool, name)) {
        if !found.iter().any(|other| std::ptr::eq(*other, option)) {
            found.push(option);
        }
    }
    if !found.is_empty() {
        return Ok(found);
    }
    let dashed = format!("--{}", name.trim_start_matches('-'));
    let spellings = profile.options().iter().flat_map(OptionRecord::spellings).map(|(name, _)| name);
    let near = nearest(&dashed, spellings).map(|near| format!("; did you mean {}?", words::quoted(near)));
    Err(format!(
        "{} has no option {}{}",
        words::quoted(profile.name()),
        words::quoted(name),
        near.unwrap_or_default()
    ))
}

fn json(profile: &Profile, options: Vec<&OptionRecord>) -> String {
    let shown = Shown {
        format_version: 1,
        name: profile.name(),
        build: profile.build(),
        source: profile.source(),
        programs: profile.tools().collect(),
        options,
    };
    // Only maps with keys that are not strings can fail, and there is none.
    serde_json::to_string(&shown).unwrap_or_default() + "\n"
}

/// The profile, with a line for each option.
fn whole(profile: &Profile) -> String {
    let keys = match profile.metadata_keys().len() {
        0 => "not known; the table of b11434 stands in for them".to_owned(),
        n => format!("{n}, and {}", words::count(profile.architectures().len(), "architecture")),
    };
    let programs: Vec<&str> = profile.tools().collect();
    let rows = [
        ("build", words::printable(profile.build())),
        ("source", words::printable(profile.source())),
        ("programs", list(&programs)),
        ("options", profile.options().len().to_string()),
        ("metadata keys", keys),
    ];
    let mut text = laid_out(profile.name(), &rows) + "\n";
    for option in profile.options() {
        text.push_str(&head(option));
        let fate = [("removed: ", &option.removed), ("deprecated: ", &option.deprecated)];
        for (word, instead) in fate {
            if let Some(instead) = instead {
                text.extend(["  (", word, &*words::printable(instead), ")"]);
            }
        }
        text.push('\n');
    }
    text
}

/// All that is known of an option; what is not known is said, or left out where it does not matter.
fn one(profile: &Profile, option: &OptionRecord) -> String {
    let value = match (option.arity(), &option.value) {
        (1, Some(value)) => words::printable(value),
        (n, Some(value)) => format!("{}, as {n} arguments", words::printable(value)),
        (_, None) => "none".to_owned(),
    };
    let env = option.env.as_ref().map(|env| match env.strip_prefix("LLAMA_ARG_") {
        Some(rest) if !option.negative.is_empty() => {
            format!("{env}, and LLAMA_ARG_NO_{rest} to switch it off")
        }
        _ => env.clone(),
    });
    let programs = match &option.tools {
        Tools::All => "every one of the profile".to_owned(),
        Tools::Some(_) => {
            list(&profile.tools().filter(|tool| profile.takes(tool, option)).collect::<Vec<_>>())
        }
    };
    let repeat = option.repeat.map(|repeat| match repeat {
        Repeat::List => "both values count",
        Repeat::Last => "the last value counts",
    });
    let field = option.spellings().find_map(|(name, _)| owned(name));
    let some = |words: &[String]| (!words.is_empty()).then(|| list(words));
    let rows = [
        ("off by", some(&option.negative)),
        ("value", Some(value)),
        ("choices", some(&option.choices)),
        ("also takes", some(&option.accepts)),
        ("several by", option.separator.clone()),
        ("environment", env),
        ("programs", Some(programs)),
        ("given twice", repeat.map(str::to_owned)),
        ("needs", option.requires.as_ref().map(|backend| format!("the backend {backend}"))),
        ("removed", option.removed.clone()),
        ("deprecated", option.deprecated.clone()),
        ("in a registry", field.map(|field| format!("the field `{field}` writes it"))),
    ];
    let rows: Vec<(&str, String)> =
        rows.into_iter().filter_map(|(name, value)| Some((name, words::printable(&value?)))).collect();
    laid_out(&head(&OptionRecord { negative: Vec::new(), ..option.clone() }), &rows)
}

/// As `--help` prints it: all names, and the placeholder.
fn head(option: &OptionRecord) -> String {
    let names: Vec<String> = option.spellings().map(|(name, _)| words::printable(name)).collect();
    let value = option.value.as_ref().map(|value| format!(" {}", words::printable(value)));
    names.join(", ") + &value.unwrap_or_default()
}

fn laid_out(title: &str, rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = rows.iter().map(|(name, value)| format!("  {name:width$}  {value}\n"));
    std::iter::once(format!("{}\n", words::printable(title))).chain(lines).collect()
}

fn list<S: AsRef<str>>(words: &[S]) -> String {
    words.iter().map(|word| words::printable(word.as_ref())).collect::<Vec<_>>().join(", ")
}
