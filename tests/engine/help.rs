//! Help texts read as records: the seven of real builds, and whatever else a program may print.

use super::profile;
use crate::support::shared;
use orchgen::engine::help::{Help, help};
use orchgen::engine::version::version;
use orchgen::engine::{OptionRecord, Profile, Repeat, Tools, probed};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn text(name: &str) -> String {
    std::fs::read_to_string(shared("engine/help").join(format!("{name}.txt"))).unwrap()
}

fn helps(build: &str, tools: &[&str]) -> BTreeMap<String, Help> {
    tools.iter().map(|tool| ((*tool).to_owned(), help(&text(&format!("{tool}-{build}"))))).collect()
}

/// The profile that is known of a build, as it was published.
fn published(name: &str) -> Profile {
    let path = shared("engine/profiles").join(format!("llama.cpp-{name}.json"));
    Profile::parse(name, &std::fs::read_to_string(path).unwrap(), |_| None).unwrap()
}

/// What a program takes, by title: the facts that a help text can tell.
fn told(profile: &Profile, tool: &str) -> BTreeMap<String, OptionRecord> {
    let all = profile.options().iter().filter(|option| profile.takes(tool, option));
    let told = |option: &OptionRecord| OptionRecord {
        tools: Tools::All,
        repeat: None,
        requires: None,
        separator: None,
        ..option.clone()
    };
    all.map(|option| (option.title().to_owned(), told(option))).collect()
}

const TOOLS: [&str; 5] =
    ["llama-server", "llama-cli", "llama-completion", "llama-speculative", "llama-lookup"];

#[test]
fn the_help_of_real_builds_says_what_is_known_of_them() {
    for (build, tools, said) in [
        ("b10434", &TOOLS[..1], "version: 0.1.0-dev (build 1, commit 7e4c0a9)"),
        ("b11669", &TOOLS[..], "version: 0.7.0 (build 11669, commit Debian)"),
    ] {
        let known = published(build);
        let file = probed(&version(said).unwrap(), &helps(build, tools));
        assert!(file.not_understood.is_empty(), "{:?}", file.not_understood);
        let found = Profile::parse("probed", &file.text(), |_| None).unwrap();
        assert_eq!(found.options().len(), known.options().len(), "{build}");
        for tool in tools {
            assert_eq!(told(&found, tool), told(&known, tool), "{tool} of {build}");
        }
        // Merged as the known file is.
        let shape = |profile: &Profile| {
            let one = |option: &OptionRecord| {
                let takers = tools.iter().filter(|tool| profile.takes(tool, option)).count();
                (option.title().to_owned(), option.tools == Tools::All, takers)
            };
            profile.options().iter().map(one).collect::<Vec<_>>()
        };
        assert_eq!(shape(&found), shape(&known), "{build}");
    }
}

/// Its file comes from the source, which also tells what `--help` does not: other spellings of on and off.
#[test]
fn the_server_of_b11434_says_what_its_source_says() {
    let file = probed(
        &version("version: 0.6.0-dev (build 0, commit unknown)").unwrap(),
        &helps("b11434", &TOOLS[..1]),
    );
    let found = Profile::parse("probed", &file.text(), |_| None).unwrap();
    let without = |options: BTreeMap<String, OptionRecord>| {
        let plain = |option: OptionRecord| {
            let said = option.accepts.contains(&"auto".to_owned()) && option.choices.is_empty();
            OptionRecord { accepts: if said { option.accepts } else { Vec::new() }, ..option }
        };
        options.into_iter().map(|(title, option)| (title, plain(option))).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(without(told(&found, "llama-server")), without(told(&published("b11434"), "llama-server")));
    assert_eq!(file.build, "0.6.0-dev");
}

#[test]
fn several_addresses_in_one_argument_are_told_by_the_help() {
    let separator = |build: &str| {
        let help = help(&text(&format!("llama-server-{build}")));
        help.options.into_iter().find(|option| option.title() == "--host").unwrap().separator
    };
    assert_eq!(separator("b10434"), None);
    for build in ["b11434", "b11669"] {
        assert_eq!(separator(build), profile(build).option("llama-server", "--host").unwrap().separator);
        assert_eq!(separator(build).as_deref(), Some(","));
    }
}

#[test]
fn every_line_that_begins_with_a_dash_is_accounted_for() {
    for entry in std::fs::read_dir(shared("engine/help")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let heads = text.lines().filter(|line| line.starts_with('-') && !line.starts_with("-----")).count();
        let stripped = text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        let read = help(&text);
        assert_eq!((read.options.len(), read.not_understood.len()), (heads, 0));
        assert_eq!(help(&stripped), read, "blanks at the end of lines carry nothing");
        assert_eq!(help(&text.replace('\n', "\r\n")), read, "nor does the way that lines end");
    }
}

fn only(text: &str) -> OptionRecord {
    let read = help(text);
    assert_eq!(read.not_understood, Vec::<String>::new(), "{text}");
    assert_eq!(read.options.len(), 1, "{text}");
    read.options.into_iter().next().unwrap()
}

/// Whether what it names is what is left over.
fn left(text: &str) -> Vec<String> {
    help(text).not_understood
}

#[test]
fn the_traps_of_the_grammar() {
    let pad = " ".repeat(40);
    let record = only(&format!(
        "-kvo,  --kv-offload, -nkvo, --no-kv-offload\n{pad}whether\n{pad}\n\n{pad}(env: A_B)\n"
    ));
    assert_eq!(record.names, ["-kvo", "--kv-offload"]);
    assert_eq!(record.negative, ["-nkvo", "--no-kv-offload"]);
    assert_eq!((record.value, record.env.as_deref()), (None, Some("A_B")));
    let record = only(&format!("{:37}   text\n", "--no-host"));
    assert_eq!((record.names.len(), record.negative.len()), (1, 0));
    let record = only(&format!("--range START END\n{pad}text\n"));
    assert_eq!((record.value.as_deref(), record.values), (Some("START END"), Some(2)));
    let record =
        only(&format!("-ot,   --override-tensor <tensor name pattern>=<buffer type>,...\n{pad}text\n"));
    assert_eq!(record.value.as_deref(), Some("<tensor name pattern>=<buffer type>,..."));
    assert_eq!((record.values, record.choices.len()), (None, 0));
    let record = only(&format!("{:37}   the argument has been removed. use --b or\n{pad}--c\n", "--a N"));
    assert_eq!(record.removed.as_deref(), Some("use --b or --c"));
    let record = only(&format!("{:37}   DEPRECATED in favor of `--lm`: x\n", "--a"));
    assert_eq!((record.deprecated.as_deref(), record.removed), (Some("use --lm"), None));
    let record = only(&format!("{:37}   level\n{pad} - 0: none\n{pad} - 1: some\n", "-v N"));
    assert!(record.choices.is_empty(), "a list of numbers with a blank before it is no closed set");
    // An option without text, and one at the very end.
    assert_eq!(only("--a").names, ["--a"]);
}

#[test]
fn what_does_not_follow_the_grammar_is_named() {
    let pad = " ".repeat(40);
    for line in ["-", "--", "---", "--a,", "--a, b", "--ä", "-a,  -a", "--a\u{1b}[31m", "--a \u{7}"] {
        assert_eq!(left(&format!("{line}\n{pad}text\n")), [line], "{line:?}");
    }
    assert_eq!(left("  -m, --model FNAME    the model\n"), ["  -m, --model FNAME    the model"]);
    assert_eq!(left("--a\n          not at its column\n"), ["          not at its column"]);
    assert_eq!(left("--a\n--b, --a\n"), ["--b, --a"], "a spelling belongs to one option");
    assert_eq!(left("usage: x\n\n  a sentence\n"), Vec::<String>::new());
}

#[test]
fn a_version_is_found_among_other_lines() {
    let build = |text: &str| version(text).map(|version| version.build());
    assert_eq!(
        build("load_backend: x\nversion: 0.7.0 (build 11669, commit Debian)\nbuilt with y\n").as_deref(),
        Some("b11669")
    );
    assert_eq!(build("version: 7924 (abcdef)").as_deref(), Some("b7924"));
    assert_eq!(build("version: 1 (571d0d5)").as_deref(), Some("571d0d5"));
    assert_eq!(build("version: 0.1.0-dev (build 1, commit 7e4c0a9)").as_deref(), Some("0.1.0-dev-7e4c0a9"));
    assert_eq!(build("version: 0.6.0-dev (build 0, commit unknown)").as_deref(), Some("0.6.0-dev"));
    assert_eq!(build("version: 0 (unknown)").as_deref(), Some("unknown"));
    for none in [
        "",
        "version: ",
        "version: 1.2",
        "version: x (y)",
        "version: 1.2 (build 3, commit z)",
        "1 (2)",
        "version: 1 (a b)",
        "version: 99999999999 (a)",
        "version: 0.7.0 (build 1)",
        "version: 1 ()",
        " version: 1 (a)",
    ] {
        assert_eq!(build(none), None, "{none:?}");
    }
}

#[test]
fn facts_that_differ_between_programs_are_listed_by_program() {
    let said = |value: &str| help(&format!("--same\n--format {value}\n"));
    let helps =
        BTreeMap::from([("llama-a".to_owned(), said("{a,b}")), ("llama-b".to_owned(), said("{c,d}"))]);
    let file = probed(&version("version: 5000 (x)").unwrap(), &helps);
    let tools: Vec<(&str, &Tools)> = file.options.iter().map(|o| (o.title(), &o.tools)).collect();
    let some = |tool: &str| Tools::Some(vec![tool.to_owned()]);
    assert_eq!(
        tools,
        [("--format", &some("llama-a")), ("--format", &some("llama-b")), ("--same", &Tools::All)]
    );
    let profile = Profile::parse("x", &file.text(), |_| None).unwrap();
    assert_eq!(profile.option("llama-b", "--format").unwrap().choices, ["c", "d"]);
    assert_eq!((profile.build_number(), profile.metadata_keys().len()), (Some(5000), 0));
    assert_eq!(profile.option("llama-a", "--same").unwrap().repeat, None::<Repeat>);
}

/// Lines that are nearly help.
fn near() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("----- common params -----".to_owned()),
        "-{1,3}[a-z,é -]{0,50}",
        "--?[a-z]{1,6},? {0,4}--?[a-z-]{0,12}( [A-Z<>|{},\\[\\]. ]{0,12})?",
        " {38,42}(- [a-z]{1,5}: x|\\(env: [A-Z_]{0,5}\\)|allowed values: [a-z, ]{0,9}|DEPRECATED in favor of `[a-z`]{0,4}|either an exact number, '[a-z']{0,9})",
        "[ -~é\\t\u{1b}]{0,60}",
        ".{0,60}",
    ];
    prop::collection::vec(line, 0..40).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn whatever_is_printed_is_read_without_loss_and_makes_a_profile(text in near(), said in "version: [0-9a-z.() ,-]{0,30}") {
        let read = help(&text);
        let dashed = text.lines().filter(|line| line.starts_with('-') && !(line.len() > 12 && line.starts_with("----- ") && line.trim_end().ends_with(" -----")));
        prop_assert!(dashed.count() <= read.options.len() + read.not_understood.len());
        let version = version(&said).or_else(|| version("version: 1 (a)")).unwrap();
        let other = help(&text.replace("--a", "--b"));
        let file = probed(&version, &BTreeMap::from([("llama-a".to_owned(), read), ("llama-b".to_owned(), other)]));
        let profile = Profile::parse("x", &file.text(), |_| None);
        prop_assert!(profile.is_ok(), "{:?}", profile.err());
        prop_assert_eq!(orchgen::engine::ProfileFile::parse(&file.text()).unwrap(), file);
    }
}
