//! The parser of `--help` texts: its grammar, and arbitrary text.

use orchgen::engine::help::parse_help;
use orchgen::engine::version::parse_version;
use orchgen::engine::{ClosedLists, OptionRecord, Profile, Repeat, Tools, profile_from_help};
use proptest::prelude::*;
use std::collections::BTreeMap;

const HELP: &str = include_str!("../probe/help.txt");

#[test]
fn every_form_of_an_option_is_parsed() {
    let parsed = parse_help(HELP);
    let option = |title: &str| parsed.options.iter().find(|option| option.title() == title).unwrap();
    assert_eq!(parsed.not_understood, Vec::<String>::new());
    assert_eq!(option("--help").names, ["-h", "--help", "--usage"]);
    assert_eq!(option("--help").value, None);
    assert_eq!(option("--model").value.as_deref(), Some("FNAME"));
    assert_eq!(option("--ctx-size").env.as_deref(), Some("LLAMA_ARG_CTX_SIZE"));
    assert_eq!(option("--kv-offload").negative, ["-nkvo", "--no-kv-offload"]);
    assert_eq!(option("--flash-attn").choices, ["on", "off", "auto"]);
    assert_eq!(option("--cache-type-k").choices, ["f16", "q8_0"]);
    assert_eq!(option("--pooling").choices, ["none", "mean", "cls"]);
    assert_eq!(option("--control-vector-layer-range").values, Some(2));
    assert_eq!(option("--mlock").deprecated.as_deref(), Some("use --load-mode"));
    assert_eq!(option("--draft-max").removed.as_deref(), Some("use --spec-draft-n-max or --spec-default"));
}

#[test]
fn the_help_text_of_a_list_of_addresses_gives_a_separator() {
    let separator = |text: &str| parse_help(text).options.into_iter().next().unwrap().separator;
    let pad = " ".repeat(40);
    assert_eq!(separator("--host HOST                             address to listen on\n"), None);
    let text =
        format!("--host HOST                             addresses, comma-separated,\n{pad}or a socket\n");
    assert_eq!(separator(&text).as_deref(), Some(","));
}

#[test]
fn every_line_that_begins_with_a_dash_is_an_option() {
    let heads = HELP.lines().filter(|line| line.starts_with('-') && !line.starts_with("-----")).count();
    let parsed = parse_help(HELP);
    assert_eq!((parsed.options.len(), parsed.not_understood.len()), (heads, 0));
    let trailing = HELP.lines().map(|line| format!("{line}  ")).collect::<Vec<_>>().join("\n");
    assert_eq!(parse_help(&trailing), parsed, "trailing blanks are ignored");
    assert_eq!(parse_help(&HELP.replace('\n', "\r\n")), parsed, "Windows line endings are accepted");
}

fn parse_one(text: &str) -> OptionRecord {
    let parsed = parse_help(text);
    assert_eq!(parsed.not_understood, Vec::<String>::new(), "{text}");
    assert_eq!(parsed.options.len(), 1, "{text}");
    parsed.options.into_iter().next().unwrap()
}

/// The lines that the parser does not understand.
fn not_understood(text: &str) -> Vec<String> {
    parse_help(text).not_understood
}

#[test]
fn special_cases_of_the_grammar_are_parsed() {
    let pad = " ".repeat(40);
    let record = parse_one(&format!(
        "-kvo,  --kv-offload, -nkvo, --no-kv-offload\n{pad}whether\n{pad}\n\n{pad}(env: A_B)\n"
    ));
    assert_eq!(record.names, ["-kvo", "--kv-offload"]);
    assert_eq!(record.negative, ["-nkvo", "--no-kv-offload"]);
    assert_eq!((record.value, record.env.as_deref()), (None, Some("A_B")));
    let record = parse_one(&format!("{:37}   text\n", "--no-host"));
    assert_eq!((record.names.len(), record.negative.len()), (1, 0));
    let record = parse_one(&format!("--range START END\n{pad}text\n"));
    assert_eq!((record.value.as_deref(), record.values), (Some("START END"), Some(2)));
    let record =
        parse_one(&format!("-ot,   --override-tensor <tensor name pattern>=<buffer type>,...\n{pad}text\n"));
    assert_eq!(record.value.as_deref(), Some("<tensor name pattern>=<buffer type>,..."));
    assert_eq!((record.values, record.choices.len()), (None, 0));
    let record =
        parse_one(&format!("{:37}   the argument has been removed. use --b or\n{pad}--c\n", "--a N"));
    assert_eq!(record.removed.as_deref(), Some("use --b or --c"));
    let record = parse_one(&format!("{:37}   DEPRECATED in favor of `--lm`: x\n", "--a"));
    assert_eq!((record.deprecated.as_deref(), record.removed), (Some("use --lm"), None));
    let record = parse_one(&format!("{:37}   level\n{pad} - 0: none\n{pad} - 1: some\n", "-v N"));
    assert!(record.choices.is_empty(), "an indented list of numbers is not a list of choices");
    // An option without text at the end of the help.
    assert_eq!(parse_one("--a").names, ["--a"]);
}

#[test]
fn lines_outside_the_grammar_are_listed() {
    let pad = " ".repeat(40);
    for line in ["-", "--", "---", "--a,", "--a, b", "--ä", "-a,  -a", "--a\u{1b}[31m", "--a \u{7}"] {
        assert_eq!(not_understood(&format!("{line}\n{pad}text\n")), [line], "{line:?}");
    }
    assert_eq!(not_understood("  -m, --model FNAME    the model\n"), ["  -m, --model FNAME    the model"]);
    assert_eq!(not_understood("--a\n          not at its column\n"), ["          not at its column"]);
    assert_eq!(not_understood("--a\n--b, --a\n"), ["--b, --a"], "a spelling belongs to one option");
    assert_eq!(not_understood("usage: x\n\n  a sentence\n"), Vec::<String>::new());
}

#[test]
fn the_version_is_found_among_other_lines() {
    let build = |text: &str| parse_version(text).map(|version| version.build());
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
fn options_that_differ_between_programs_are_listed_per_program() {
    let help_with = |value: &str| parse_help(&format!("--same\n--format {value}\n"));
    let helps = BTreeMap::from([
        ("llama-a".to_owned(), help_with("{a,b}")),
        ("llama-b".to_owned(), help_with("{c,d}")),
    ]);
    let file =
        profile_from_help(&parse_version("version: 5000 (x)").unwrap(), &helps, ClosedLists::default());
    let tools: Vec<(&str, &Tools)> = file.options.iter().map(|o| (o.title(), &o.tools)).collect();
    let some = |tool: &str| Tools::Some(vec![tool.to_owned()]);
    assert_eq!(
        tools,
        [("--format", &some("llama-a")), ("--format", &some("llama-b")), ("--same", &Tools::All)]
    );
    let profile = Profile::parse("x", &file.to_json(), |_| None).unwrap();
    assert_eq!(profile.option("llama-b", "--format").unwrap().choices, ["c", "d"]);
    assert_eq!((profile.build_number(), profile.metadata_keys().len()), (Some(5000), 0));
    assert_eq!(profile.option("llama-a", "--same").unwrap().repeat, None::<Repeat>);
}

/// Text that resembles help.
fn similar_to_help() -> impl Strategy<Value = String> {
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
    fn any_help_text_is_parsed_without_loss_and_gives_a_profile(text in similar_to_help(), version_line in "version: [0-9a-z.() ,-]{0,30}") {
        let parsed = parse_help(&text);
        let dashed = text.lines().filter(|line| line.starts_with('-') && !(line.len() > 12 && line.starts_with("----- ") && line.trim_end().ends_with(" -----")));
        prop_assert!(dashed.count() <= parsed.options.len() + parsed.not_understood.len());
        let version = parse_version(&version_line).or_else(|| parse_version("version: 1 (a)")).unwrap();
        let other = parse_help(&text.replace("--a", "--b"));
        let file = profile_from_help(&version, &BTreeMap::from([("llama-a".to_owned(), parsed), ("llama-b".to_owned(), other)]), ClosedLists::default());
        let profile = Profile::parse("x", &file.to_json(), |_| None);
        prop_assert!(profile.is_ok(), "{:?}", profile.err());
        prop_assert_eq!(orchgen::engine::ProfileFile::parse(&file.to_json()).unwrap(), file);
    }
}
