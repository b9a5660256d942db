//! Options of a role without a field.

use super::{assert_accepts, profile};
use orchgen::engine::dialect::{ContextSpec, DraftSpec, Intent, Lowered, ServerSpec, lower_server};
use orchgen::engine::options::{ROWS, Setter, owning_field, row_of};
use orchgen::engine::{Access, Profile, Word};
use orchgen::hir::KINDS;
use std::collections::BTreeSet;

type Options<'a> = &'a [(&'a str, Option<&'a str>)];

fn lower_with(build: &str, options: Options<'_>) -> Lowered {
    lower_server(
        profile(build),
        &ServerSpec {
            model: "/m.gguf",
            port: 8080,
            context: ContextSpec::Tokens(4096),
            slots: 1,
            options,
            ..ServerSpec::default()
        },
    )
}

/// The error for one option.
fn error_of(build: &str, name: &str, value: Option<&str>) -> String {
    let lowered = lower_with(build, &[(name, value)]);
    assert_eq!(lowered.errors.len(), 1, "{name} {value:?}: {:?}", lowered.errors);
    assert_eq!(lowered.errors[0].intent, Intent::OptionName(0));
    lowered.errors[0].why.clone()
}

#[test]
fn options_are_written_last_with_the_spelling_of_the_build() {
    let options: Options<'_> = &[
        ("top_k", Some("20")),
        ("--temp", Some("0.7")),
        ("-n", Some("64")),
        ("no-warmup", None),
        ("reasoning-format", Some("none")),
        ("rope-scale", Some("2")),
    ];
    for build in ["2026-03-fork", "b9093", "b10434", "b11434", "b11669"] {
        let lowered = lower_with(build, options);
        assert_eq!(*lowered.errors, [], "{build}");
        assert_accepts(profile(build), "llama-server", &lowered.args);
        let at = lowered.args.iter().position(|word| word.text() == "--top-k").unwrap();
        let tail: Vec<&str> = lowered.args[at..].iter().map(AsRef::as_ref).collect();
        assert_eq!(
            tail,
            [
                "--top-k",
                "20",
                "--temp",
                "0.7",
                "-n",
                "64",
                "--no-warmup",
                "--reasoning-format",
                "none",
                "--rope-scale",
                "2"
            ]
        );
    }
}

#[test]
fn an_option_replaces_the_default_of_orchgen() {
    let lowered = lower_with("b11669", &[("ubatch-size", Some("256")), ("no-repack", None)]);
    assert_eq!(*lowered.errors, []);
    assert_accepts(profile("b11669"), "llama-server", &lowered.args);
    assert!(!lowered.texts().iter().any(|word| ["-ub", "--repack"].contains(word)));
}

#[test]
fn a_wrong_option_gives_an_error_with_the_reason() {
    let b = "b11669";
    assert_eq!(error_of(b, "tempp", None), "llama-server of llama.cpp-b11669 has no option `tempp`");
    assert!(error_of(b, "mlock", None).contains("has no option `mlock`; llama.cpp-b10434 had it"));
    assert_eq!(
        error_of(b, "image", Some("x.png")),
        "llama-server of llama.cpp-b11669 has no option `image`; it belongs to llama-cli"
    );
    assert!(error_of(b, "interactive-first", None).contains("it belongs to llama-completion"));
    assert!(
        error_of(b, "draft-max", Some("3"))
            .contains("llama.cpp-b11669 has removed `--draft-max` (use --spec-draft-n-max")
    );
    assert!(error_of("2026-03-fork", "draft-max", Some("3")).contains("the field `draft`"));
    assert!(error_of(b, "port", Some("1")).contains("the field `port` sets `--port`"));
    assert!(error_of(b, "-c", Some("1")).contains("the field `context`"));
    assert!(error_of(b, "no-kv-unified", None).contains("the field `slots`"));
    assert!(error_of(b, "spec-draft-model", Some("x")).contains("the field `draft`"));
    assert!(error_of(b, "version", None).contains("prints something and exits"));
    assert!(error_of(b, "gpt-oss-20b-default", None).contains("selects a predefined model"));
    assert_eq!(error_of(b, "jinja", Some("true")), "`--jinja` takes no value");
    assert_eq!(error_of(b, "top-k", None), "`--top-k` needs a value (N)");
    assert!(error_of(b, "top-k", Some("8k")).contains("must be a 32-bit whole number"));
    assert!(error_of(b, "top-k", Some("1e5")).contains("must be a 32-bit whole number"));
    assert!(error_of(b, "top-k", Some("")).contains("must be a 32-bit whole number"));
    assert!(
        error_of(b, "rope-scaling", Some("yarm"))
            .contains("must be one of none, linear, yarn; `yarm` is not")
    );
    assert!(error_of(b, "split-mode", Some("row")).contains("the field `placement`"));
    assert!(error_of(b, "spec-type", Some("ngram-mod,ngrm")).contains("`ngram-mod,ngrm` is not"));
    assert!(
        error_of("b9093", "spec-type", Some("ngram-mod,ngram-simple"))
            .contains("`ngram-mod,ngram-simple` is not")
    );
    assert!(error_of(b, "control-vector-layer-range", Some("1")).contains("needs 2 whole numbers"));
    assert!(error_of(b, "x\u{1b}[31m", None).contains("\\u{1b}"));
}

#[test]
fn an_option_given_twice_is_an_error_if_the_last_wins() {
    let twice: Options<'_> = &[("top-k", Some("1")), ("top_k", Some("2"))];
    let lowered = lower_with("b11434", twice);
    assert_eq!(lowered.errors[0].intent, Intent::OptionName(1));
    assert!(lowered.errors[0].why.contains("given twice"));
    assert_eq!(
        *lower_with("b11434", &[("control-vector", Some("/a")), ("control-vector", Some("/b"))]).errors,
        []
    );
    // A profile from `--help` does not have this fact.
    let lowered = lower_with("b11669", twice);
    assert_eq!((lowered.errors.len(), lowered.not_checked[0].intent), (0, Intent::OptionName(1)));
}

#[test]
fn an_option_that_a_field_also_sets_is_an_error() {
    let options: Options<'_> = &[("spec-type", Some("ngram-mod"))];
    assert_eq!(*lower_with("b11669", options).errors, []);
    let draft = Some(DraftSpec { path: "/d.gguf", ..DraftSpec::default() });
    let spec = ServerSpec {
        model: "/m.gguf",
        port: 1,
        context: ContextSpec::Tokens(256),
        slots: 1,
        draft,
        options,
        ..ServerSpec::default()
    };
    let lowered = lower_server(profile("b11669"), &spec);
    assert_eq!(lowered.errors[0].why, "the field `draft` sets `--spec-type`");
    let options: Options<'_> = &[("load-mode", Some("none"))];
    assert_eq!(*lower_with("b11669", options).errors, []);
    let spec = ServerSpec { draft: None, lock: true, options, ..spec };
    let lowered = lower_server(profile("b11669"), &spec);
    assert_eq!(lowered.errors[0].why, "the field `placement` sets `--load-mode`");
}

#[test]
fn the_error_lists_builds_with_the_option() {
    let lowered = lower_with("b11669", &[("verbose-prompt", None)]);
    assert_eq!(lowered.errors.len(), 1);
    assert_eq!(lowered.errors[0].builds, ["llama.cpp-2026-03-22-g49bfddeca", "llama.cpp-2026-03-fork"]);
}

/// A name is in one row, and some built-in build has an option with it. The field of an option does not depend on the
/// spelling.
#[test]
fn the_table_has_options_of_known_builds() {
    let builds: Vec<&Profile> =
        Profile::built_in_names().iter().filter_map(|name| Profile::built_in(name)).collect();
    for row in ROWS {
        for name in row.names {
            assert!(row_of(name).is_some_and(|found| std::ptr::eq(found, row)), "{name} is in two rows");
            let has = |build: &&Profile| build.tools().any(|tool| build.option(tool, name).is_some());
            assert!(builds.iter().any(has), "no build has {name}");
        }
    }
    for build in builds {
        for option in build.options() {
            let long = option.spellings().filter(|(name, _)| name.starts_with("--"));
            let mut owners = long.filter_map(|(name, _)| row_of(name)?.owner);
            assert!(owners.all(|owner| Some(owner) == option.row().unwrap().owner), "{}", option.title());
        }
    }
}

/// A field of a role that becomes an option as it is has a row in both tables, and some build has the option.
#[test]
fn the_tables_of_fields_and_options_agree() {
    let role = KINDS.iter().find(|kind| kind.word == "role").unwrap();
    let fields: BTreeSet<&str> =
        role.table.fields.iter().filter(|field| field.is_engine_setting).map(|field| field.name).collect();
    let setters: Vec<Setter> = ROWS.iter().filter_map(|row| row.setter).collect();
    assert_eq!(fields, setters.iter().map(|setter| setter.owner.field).collect());
    for setter in setters {
        let has =
            |name: &&str| Profile::built_in(name).unwrap().first_spelling("llama-server", setter.spellings);
        assert!(Profile::built_in_names().iter().any(|name| has(name).is_some()), "{setter:?}");
    }
}

#[test]
fn the_owning_field_is_found_for_any_spelling() {
    for name in ["port", "--port", "no-such", "-np", "ctx_size", "--kv_unified", "cd", "top-k"] {
        let expected = match name {
            "port" | "--port" => Some("port"),
            "-np" | "--kv_unified" => Some("slots"),
            "ctx_size" | "cd" => Some("context"),
            _ => None,
        };
        assert_eq!(owning_field(name), expected, "{name}");
    }
    // Each field owns an option of some build.
    for field in ["model", "draft", "lookup", "key-file", "placement", "pooling", "listen", "projector"] {
        assert!(
            ["m", "md", "lookup-ngram-min", "api-key", "numa", "rerank", "host", "mm"]
                .iter()
                .any(|name| owning_field(name) == Some(field))
        );
    }
}

#[test]
fn a_path_in_an_option_is_a_typed_word() {
    let options: Options<'_> = &[("slot-save-path", Some("/slots")), ("lookup-cache-static", Some("/n.bin"))];
    for build in ["b11434", "b11669"] {
        let lowered = lower_with(build, options);
        assert_eq!(*lowered.errors, [], "{build}");
        let paths: Vec<&Word> = lowered
            .args
            .iter()
            .filter(|word| matches!(word, Word::ReadPath(_) | Word::WritePath(_)))
            .collect();
        let path = Word::path;
        assert_eq!(paths, [&path("/slots", Access::Write), &path("/n.bin", Access::Read)], "{build}");
    }
}
