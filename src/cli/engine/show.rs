//! `orchgen engine show`.

use super::args::{EngineFormat, ShowArgs};
use super::load_profile::load_profile;
use crate::cli::args::OutputArgs;
use crate::cli::table::{Section, Table, Text, Tone, hanging};
use crate::cli::{RunStatus, session};
use crate::diag::report::Style;
use crate::diag::{Similarity, Suggestion, suggest, words};
use crate::engine::profile::off_variable;
use crate::engine::{ClosedList, OptionRecord, Profile, Repeat, Tools};
use serde::Serialize;

/// The maximum number of options to list if a name is unknown.
const MAX_SIMILAR: usize = 4;

#[derive(Serialize)]
struct ShowJson<'p> {
    format_version: u32,
    name: &'p str,
    build: &'p str,
    source: &'p str,
    programs: Vec<&'p str>,
    options: Vec<&'p OptionRecord>,
}

pub(super) fn run(command: &ShowArgs, output: OutputArgs) -> RunStatus {
    let style = session::style(output, &std::io::stdout());
    let profile = match load_profile(&command.profile) {
        Ok(profile) => profile,
        Err(end) => return end,
    };
    let options = match &command.option {
        None => profile.options().iter().collect(),
        Some(name) => match find_options(&profile, name) {
            Ok(options) => options,
            Err(why) => return session::fail(why),
        },
    };
    session::print_stdout(&match (command.format, &command.option) {
        (EngineFormat::Json, _) => json(&profile, options),
        (EngineFormat::Human, None) => profile_text(&profile, style),
        (EngineFormat::Human, Some(_)) => {
            options.iter().map(|option| option_text(&profile, option, style)).collect::<Vec<_>>().join("\n")
        }
    })
}

/// The options with this spelling. There can be several, because programs may have different options of one name.
fn find_options<'p>(profile: &'p Profile, name: &str) -> Result<Vec<&'p OptionRecord>, String> {
    let mut found: Vec<&OptionRecord> = Vec::new();
    for option in profile.tools().filter_map(|tool| profile.option(tool, name)) {
        if !found.iter().any(|other| std::ptr::eq(*other, option)) {
            found.push(option);
        }
    }
    if !found.is_empty() {
        return Ok(found);
    }
    Err(format!(
        "{} has no option {}{}",
        words::quoted(profile.name()),
        words::quoted(name),
        other_builds(profile, name).or_else(|| similar_options(profile, name)).unwrap_or_default()
    ))
}

/// The latest built-in build that has the option, with its replacement and the field of a registry that sets it.
fn other_builds(profile: &Profile, name: &str) -> Option<String> {
    let builds = Profile::built_in_of(profile.family()).filter(|build| build.name() != profile.name());
    let has = |build: &'static Profile| {
        let server = build.option(build.server(), name);
        server
            .or_else(|| build.tools().find_map(|tool| build.option(tool, name)))
            .map(|option| (build, option))
    };
    let (build, option) = builds.filter_map(has).last()?;
    let instead = option.deprecated.as_ref().or(option.removed.as_ref());
    let instead = instead.map(|instead| format!(" ({})", words::printable(instead))).unwrap_or_default();
    let field = option.row().and_then(|row| row.owner);
    let field = field.map(|owner| format!("; in a registry, {}", owner.help())).unwrap_or_default();
    Some(format!("; {} has it{instead}{field}", words::quoted(build.name())))
}

/// The option that was likely meant, or the options whose name has this word.
fn similar_options(profile: &Profile, name: &str) -> Option<String> {
    let word = name.trim_start_matches('-');
    let spellings = || profile.options().iter().flat_map(OptionRecord::spellings).map(|(name, _)| name);
    if let Some(Suggestion { name, similarity: Similarity::Same | Similarity::Typo }) =
        suggest(&format!("--{word}"), spellings())
    {
        return Some(format!("; did you mean {}?", words::quoted(name)));
    }
    let has_word = |title: &&str| word.len() > 1 && title.contains(word);
    let mut with_word: Vec<&str> =
        profile.options().iter().map(OptionRecord::title).filter(has_word).collect();
    with_word.dedup();
    with_word.truncate(MAX_SIMILAR);
    let similar: Vec<String> = with_word.into_iter().map(words::quoted).collect();
    (!similar.is_empty()).then(|| format!("; see {}", words::all_of(&similar)))
}

fn json(profile: &Profile, options: Vec<&OptionRecord>) -> String {
    let json = ShowJson {
        format_version: 1,
        name: profile.name(),
        build: profile.build(),
        source: profile.source(),
        programs: profile.tools().collect(),
        options,
    };
    session::json_line(&json)
}

/// The profile, with one line per option.
fn profile_text(profile: &Profile, style: Style) -> String {
    let keys = match profile.metadata_keys().len() {
        0 if profile.family().unknown_facts().is_some() => "unknown".to_owned(),
        0 => "unknown; the table of b11434 is used".to_owned(),
        n => n.to_string(),
    };
    let lists = ClosedList::ALL.map(|list| match profile.lists().get(list) {
        Some(known) => words::count(known.len(), list.word()),
        None => format!("{}s unknown", list.word()),
    });
    let lists = lists.join(", ");
    let programs: Vec<&str> = profile.tools().collect();
    let rows = [
        ("build", words::printable(profile.build())),
        ("source", words::printable(profile.source())),
        ("programs", joined(&programs)),
        ("options", profile.options().len().to_string()),
        ("metadata keys", keys),
        ("model files", lists),
    ];
    let mut text = titled_rows(profile.name(), &rows, style) + "\n";
    for option in profile.options() {
        let mut line = Text::from(usage(option));
        let states =
            [("removed", Tone::Bad, &option.removed), ("deprecated", Tone::Open, &option.deprecated)];
        for (word, tone, instead) in states {
            if let Some(instead) = instead {
                line = line.and(tone, format!("  ({word}: {})", words::printable(instead)));
            }
        }
        text.push_str(&hanging(&"".into(), &line, style));
    }
    text
}

/// All data about one option. Rows without data are omitted.
fn option_text(profile: &Profile, option: &OptionRecord, style: Style) -> String {
    let value = match (option.arity(), &option.value) {
        (1, Some(value)) => words::printable(value),
        (n, Some(value)) => format!("{}, as {n} arguments", words::printable(value)),
        (_, None) => "none".to_owned(),
    };
    let env = option.env.as_ref().map(|env| match off_variable(env) {
        Some(off) if !option.negative.is_empty() => format!("{env}; {off} disables the option"),
        _ => env.clone(),
    });
    let programs = match &option.tools {
        Tools::All => "all".to_owned(),
        Tools::Some(_) => {
            joined(&profile.tools().filter(|tool| profile.tool_accepts(tool, option)).collect::<Vec<_>>())
        }
    };
    let repeat = option.repeat.map(|repeat| match repeat {
        Repeat::List => "both values count",
        Repeat::Last => "the last value counts",
    });
    let field = option.row().and_then(|row| row.owner);
    let non_empty = |words: &[String]| (!words.is_empty()).then(|| joined(words));
    let rows = [
        ("negative", non_empty(&option.negative)),
        ("value", Some(value)),
        ("choices", non_empty(&option.choices)),
        ("also accepts", non_empty(&option.accepts)),
        ("separator", option.separator.clone()),
        ("environment", env),
        ("programs", Some(programs)),
        ("if repeated", repeat.map(str::to_owned)),
        ("needs", option.requires.as_ref().map(|backend| format!("the backend {backend}"))),
        ("removed", option.removed.clone()),
        ("deprecated", option.deprecated.clone()),
        ("in a registry", field.map(|owner| format!("written by the field `{}`", owner.field))),
    ];
    let rows: Vec<(&str, String)> =
        rows.into_iter().filter_map(|(name, value)| Some((name, words::printable(&value?)))).collect();
    titled_rows(&usage(&OptionRecord { negative: Vec::new(), ..option.clone() }), &rows, style)
}

/// All names and the placeholder, as `--help` prints them.
fn usage(option: &OptionRecord) -> String {
    let names: Vec<String> = option.spellings().map(|(name, _)| words::printable(name)).collect();
    let value = option.value.as_ref().map(|value| format!(" {}", words::printable(value)));
    names.join(", ") + &value.unwrap_or_default()
}

fn titled_rows(title: &str, rows: &[(&str, String)], style: Style) -> String {
    let tone = |name: &str| match name {
        "removed" => Tone::Bad,
        "deprecated" => Tone::Open,
        _ => Tone::Plain,
    };
    let rows = rows.iter().map(|(name, value)| (Text::from(*name), Text::new(tone(name), &**value)));
    let title = Text::new(Tone::Strong, words::printable(title));
    Table::new(vec![Section::pairs(Some(title), rows.collect())]).print(style)
}

fn joined<S: AsRef<str>>(words: &[S]) -> String {
    words.iter().map(|word| words::printable(word.as_ref())).collect::<Vec<_>>().join(", ")
}
