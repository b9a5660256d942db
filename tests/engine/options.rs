//! The options of a role that have no field.

use super::{assert_accepts, profile};
use orchgen::engine::dialect::{Draft, Intent, Lowered, Serve, owned, serve};

type Options<'a> = &'a [(&'a str, Option<&'a str>)];

fn with(build: &str, options: Options<'_>) -> Lowered {
    serve(
        profile(build),
        &Serve { model: "/m.gguf", port: 8080, context: 4096, slots: 1, options, ..Serve::default() },
    )
}

/// What is wrong with one option.
fn refused(build: &str, name: &str, value: Option<&str>) -> String {
    let lowered = with(build, &[(name, value)]);
    assert_eq!(lowered.cannot.len(), 1, "{name} {value:?}: {:?}", lowered.cannot);
    assert_eq!(lowered.cannot[0].intent, Intent::OptionName(0));
    lowered.cannot[0].why.clone()
}

#[test]
fn a_good_option_is_written_last_as_the_build_spells_it() {
    let options: Options<'_> = &[
        ("top_k", Some("20")),
        ("--temp", Some("0.7")),
        ("-ngl", Some("all")),
        ("no-mmproj-offload", None),
        ("reasoning-format", Some("none")),
        ("tensor-split", Some("3,1")),
    ];
    for build in ["2026-03-fork", "b9093", "b10434", "b11434", "b11669"] {
        let lowered = with(build, options);
        assert_eq!(lowered.cannot, [], "{build}");
        assert_accepts(profile(build), "llama-server", &lowered.args);
        let at = lowered.args.iter().position(|word| word == "--top-k").unwrap();
        let tail: Vec<&str> = lowered.args[at..].iter().map(AsRef::as_ref).collect();
        assert_eq!(
            tail,
            [
                "--top-k",
                "20",
                "--temp",
                "0.7",
                "-ngl",
                "all",
                "--no-mmproj-offload",
                "--reasoning-format",
                "none",
                "--tensor-split",
                "3,1"
            ]
        );
    }
}

#[test]
fn an_option_takes_the_place_of_a_default_that_is_settled() {
    let lowered = with("b11669", &[("ctx-checkpoints", Some("8")), ("no-repack", None)]);
    assert_eq!(lowered.cannot, []);
    assert_accepts(profile("b11669"), "llama-server", &lowered.args);
    assert!(!lowered.args.iter().any(|word| word == "-ctxcp" || word == "--repack"));
}

#[test]
fn a_bad_option_is_refused_with_its_reason() {
    let b = "b11669";
    assert_eq!(refused(b, "tempp", None), "llama-server of llama.cpp-b11669 has no option `tempp`");
    assert!(refused(b, "mlock", None).contains("has no option `mlock`, which llama.cpp-b10434 had"));
    assert!(refused(b, "image", Some("x.png")).contains("is an option of llama-cli and not of llama-server"));
    assert!(refused(b, "interactive-first", None).contains("is an option of llama-completion"));
    assert!(
        refused(b, "draft-max", Some("3")).contains("removed from llama.cpp-b11669 (use --spec-draft-n-max")
    );
    assert!(refused("2026-03-fork", "draft-max", Some("3")).contains("the field `draft`"));
    assert!(refused(b, "port", Some("1")).contains("written from the field `port`"));
    assert!(refused(b, "-c", Some("1")).contains("the field `context`"));
    assert!(refused(b, "no-kv-unified", None).contains("the field `slots`"));
    assert!(refused(b, "spec-draft-model", Some("x")).contains("the field `draft`"));
    assert!(refused(b, "version", None).contains("ends the program"));
    assert!(refused(b, "gpt-oss-20b-default", None).contains("brings a model of its own"));
    assert_eq!(refused(b, "jinja", Some("true")), "`--jinja` takes no value");
    assert_eq!(refused(b, "top-k", None), "`--top-k` takes a value (N)");
    assert!(refused(b, "top-k", Some("8k")).contains("takes a whole number"));
    assert!(refused(b, "top-k", Some("1e5")).contains("takes a whole number"));
    assert!(refused(b, "top-k", Some("")).contains("takes a whole number"));
    assert!(refused(b, "split-mode", Some("rows")).contains("takes none, layer, row, tensor, not `rows`"));
    assert!(refused("2026-03-fork", "split-mode", Some("tensor")).contains("not `tensor`"));
    assert!(refused(b, "spec-type", Some("ngram-mod,ngrm")).contains("not `ngram-mod,ngrm`"));
    assert!(
        refused("b9093", "spec-type", Some("ngram-mod,ngram-simple"))
            .contains("not `ngram-mod,ngram-simple`")
    );
    assert!(refused(b, "control-vector-layer-range", Some("1")).contains("takes 2 values"));
    assert!(refused(b, "x\u{1b}[31m", None).contains("\\u{1b}"));
}

#[test]
fn an_option_given_twice_is_refused_where_the_last_wins() {
    let twice: Options<'_> = &[("top-k", Some("1")), ("top_k", Some("2"))];
    let lowered = with("b11434", twice);
    assert_eq!(lowered.cannot[0].intent, Intent::OptionName(1));
    assert!(lowered.cannot[0].why.contains("given twice"));
    assert_eq!(with("b11434", &[("lora", Some("a")), ("lora", Some("b"))]).cannot, []);
    // A profile made from --help does not know.
    let lowered = with("b11669", twice);
    assert_eq!((lowered.cannot.len(), lowered.not_checked[0].intent), (0, Intent::OptionName(1)));
}

#[test]
fn an_option_that_a_field_writes_as_well_is_refused_there() {
    let options: Options<'_> = &[("spec-type", Some("ngram-mod"))];
    assert_eq!(with("b11669", options).cannot, []);
    let draft = Some(Draft { path: "/d.gguf", ..Draft::default() });
    let wanted =
        Serve { model: "/m.gguf", port: 1, context: 256, slots: 1, draft, options, ..Serve::default() };
    let lowered = serve(profile("b11669"), &wanted);
    assert_eq!(lowered.cannot[0].why, "`--spec-type` is written from the field `draft`");
    let options: Options<'_> = &[("load-mode", Some("none"))];
    assert_eq!(with("b11669", options).cannot, []);
    let wanted = Serve { draft: None, lock: true, options, ..wanted };
    let lowered = serve(profile("b11669"), &wanted);
    assert_eq!(lowered.cannot[0].why, "`--load-mode` is written from the field `placement`");
}

#[test]
fn the_builds_that_have_it_are_named() {
    let lowered = with("b11669", &[("swa-checkpoints", Some("3")), ("verbose-prompt", None)]);
    assert_eq!(lowered.cannot.len(), 1);
    assert_eq!(lowered.cannot[0].builds, ["llama.cpp-2026-03-22-g49bfddeca", "llama.cpp-2026-03-fork"]);
}

#[test]
fn ownership_is_by_any_spelling() {
    for name in ["port", "--port", "no-such", "-np", "ctx_size", "--kv_unified", "cd", "top-k"] {
        let expected = match name {
            "port" | "--port" => Some("port"),
            "-np" | "--kv_unified" => Some("slots"),
            "ctx_size" | "cd" => Some("context"),
            _ => None,
        };
        assert_eq!(owned(name), expected, "{name}");
    }
    // Every name of the list is one of an option, or of one that some build had.
    for field in ["model", "draft", "lookup", "key-file", "placement", "pooling", "listen", "projector"] {
        assert!(
            ["m", "md", "lookup-ngram-min", "api-key", "numa", "rerank", "host", "mm"]
                .iter()
                .any(|name| owned(name) == Some(field))
        );
    }
}
