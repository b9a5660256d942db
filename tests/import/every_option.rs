//! No option is silent: each option of each built-in profile is kept, changed or lost, and the written registry can be read.

use super::library::{import_texts, registry};
use crate::support::lower;
use orchgen::compile::Import;
use orchgen::engine::{OptionRecord, Profile};
use orchgen::import::Format;
use orchgen::import::report::ServerReport;
use orchgen::syntax::Language;
use proptest::prelude::*;
use proptest::sample::select;
use std::sync::LazyLock;

/// Options that the report does not list, each with the reason.
const ELSEWHERE: &[(&str, &str)] = &[
    ("--host", "the address of the role"),
    ("--port", "the address of the role"),
    ("--alias", "the names of the role"),
];

/// Options that make a server a router, whose models are the servers.
const ROUTERS: &[&str] = &["--models-preset"];

/// Values that the placeholder of an option suggests, as words of a shell. `None` for a switch.
fn values(record: &OptionRecord) -> Vec<Option<String>> {
    if record.arity() == 0 {
        return vec![None];
    }
    if !record.choices.is_empty() {
        let all = record.choices.iter().chain(&record.accepts);
        return all.map(|choice| Some(choice.clone())).collect();
    }
    let placeholder = record.value.as_deref().unwrap_or_default();
    let texts: &[&str] = match placeholder {
        "N" | "SEED" | "PORT" | "<0|1>" => &["4", "0", "-1", "1.0"],
        "FNAME" | "PATH" | "FILE" => &["/srv/files/a b.bin", "relative.bin"],
        "HOST" => &["0.0.0.0", "127.0.0.1,10.0.0.7"],
        _ => &["3", "0.5", "word", "/srv/x.bin", "a=CPU", "{\"a\": 1}", "k=int:3"],
    };
    let one = |text: &&str| {
        let word = orchgen::render::quote::shell(text).into_owned();
        Some(vec![word; record.arity()].join(" "))
    };
    texts.iter().map(one).collect()
}

/// An option with a value, and the words of a command line with it.
#[derive(Clone, Debug)]
struct Given {
    title: String,
    words: String,
}

/// Each option of the server of a profile, with each of its spellings for one value and each value for one spelling.
fn given(profile: &Profile) -> Vec<Given> {
    let server = profile.server();
    let records = profile.options().iter().filter(|record| {
        record.removed.is_none() && profile.tool_accepts(server, record) && !ROUTERS.contains(&record.title())
    });
    let of_record = |record: &OptionRecord| -> Vec<Given> {
        let all = values(record);
        let spellings: Vec<&str> = record.spellings().map(|(name, _)| name).collect();
        let words = |spelling: &str, value: &Option<String>| Given {
            title: record.title().to_owned(),
            words: value.as_ref().map_or_else(|| spelling.to_owned(), |value| format!("{spelling} {value}")),
        };
        let each_value = all.iter().map(|value| words(spellings[0], value));
        let each_spelling = spellings.iter().skip(1).map(|spelling| words(spelling, &all[0]));
        each_value.chain(each_spelling).collect()
    };
    records.flat_map(of_record).collect()
}

/// A command line with an option. The model is after it, so that another model does not replace it.
fn line(profile: &str, words: &[&Given], port: usize) -> String {
    let words: Vec<&str> = words.iter().map(|given| given.words.as_str()).collect();
    let folder = if profile.starts_with("ik_llama") { "ik_llama.cpp" } else { "llama.cpp" };
    format!("/opt/{folder}/llama-server {} -m /srv/m.gguf --port {port}\n", words.join(" "))
}

fn is_reported(own: &ServerReport, title: &str) -> bool {
    let is_elsewhere = ELSEWHERE.iter().any(|(name, _)| *name == title);
    let is_own = |text: &str| text == title;
    is_elsewhere
        || own.kept.iter().any(|kept| is_own(kept))
        || own.changed.iter().any(|change| is_own(&change.option))
        || own.lost.iter().any(|loss| loss.option.as_deref().is_some_and(is_own))
}

/// The faults of an import of one command line for each list of options.
fn faults(profile: &str, lines: &[Vec<&Given>], imported: &Import) -> Vec<String> {
    let mut faults = Vec::new();
    if imported.report.servers.len() != lines.len() {
        faults.push(format!("{} servers of {} lines", imported.report.servers.len(), lines.len()));
    }
    for (words, own) in lines.iter().zip(&imported.report.servers) {
        let silent = words.iter().filter(|given| !is_reported(own, &given.title));
        faults.extend(silent.map(|given| format!("{profile}: {} is silent", given.words)));
    }
    let files: Vec<(&str, &str)> =
        imported.files.iter().map(|file| (file.name.as_str(), file.text.as_str())).collect();
    let (_, lowered) = lower(&files);
    let unread = lowered.findings.findings().iter().filter(|finding| finding.code.number < 200);
    faults.extend(unread.map(|finding| format!("{profile}: {}", finding.message)));
    faults
}

#[test]
fn no_option_of_any_build_is_silent() {
    let mut all = Vec::new();
    let mut count = 0;
    for name in Profile::built_in_names() {
        let options = given(Profile::built_in(name).unwrap());
        let lines: Vec<Vec<&Given>> = options.iter().map(|given| vec![given]).collect();
        for (chunk, language) in lines.chunks(200).zip([Language::Kdl, Language::Yaml].into_iter().cycle()) {
            let text: String =
                chunk.iter().enumerate().map(|(at, words)| line(name, words, 9000 + at)).collect();
            let imported = import_texts(&[("commands.sh", &text)], Format::Shell, name, language);
            all.extend(faults(name, chunk, &imported));
            count += chunk.len();
        }
    }
    assert!(count > 2500, "{count} command lines");
    assert!(all.is_empty(), "{} faults of {count} command lines\n{}", all.len(), all.join("\n"));
}

/// The options of a profile for generated command lines. They do not end the program and do not replace the model.
static OPTIONS: LazyLock<Vec<Given>> =
    LazyLock::new(|| given(Profile::built_in("llama.cpp-b11669").unwrap()));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Also of several options at once, none is silent.
    #[test]
    fn no_option_is_silent_next_to_others(picked in prop::collection::vec(prop::collection::vec(select(&OPTIONS[..]), 1..9), 1..5)) {
        // An option that is given twice has the value of the last one.
        let lines: Vec<Vec<&Given>> = picked.iter().map(|words| words.iter().collect()).collect();
        let text: String = lines.iter().enumerate().map(|(at, words)| line("llama.cpp-b11669", words, 9000 + at)).collect();
        let imported = import_texts(&[("commands.sh", &text)], Format::Shell, "llama.cpp-b11669", Language::Kdl);
        let found = faults("llama.cpp-b11669", &lines, &imported);
        prop_assert!(found.is_empty(), "{}\n{}\n{}", text, found.join("\n"), registry(&imported));
    }
}
