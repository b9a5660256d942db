//! Mistakes that the engine does not report clearly at its start (LLAMA.md, "20 mistakes"). Generated command lines make a
//! mistake impossible, or orchgen reports a finding.

use super::{profile, profiles};
use crate::language::BASE;
use crate::support::{Compiled, compile};
use orchgen::engine::architecture::architecture;
use orchgen::engine::dialect::{ContextSpec, DraftSpec, OverrideValue, ServerSpec, lower_server};
use orchgen::engine::options::Owner;

/// How a mistake is prevented.
#[derive(Debug)]
enum Prevented {
    /// No registry can cause it: generated command lines exclude it.
    CommandLine(fn()),
    /// The case gives one finding with this code.
    Finding(&'static str, fn() -> Compiled),
    /// The model files show it. With a lock, it is a finding with this code; without a lock, the check is *not checked*.
    FindingWithLock(&'static str, fn() -> Compiled),
    /// The generated unit excludes it.
    Unit(fn()),
}
use Prevented::{CommandLine, Finding, FindingWithLock, Unit};

/// The number of a mistake in LLAMA.md, its description, and how it is prevented. A number may have several rows; 0 means that
/// the mistake has no number.
const MISTAKES: &[(u8, &str, Prevented)] = &[
    (1, "a draft without a type of speculation", CommandLine(drafts_have_a_speculation_type)),
    (2, "vocabularies that differ", FindingWithLock("refuted-draft", || role_with("draft \"tiny\""))),
    (
        3,
        "a type that needs a draft, without one",
        Finding("lone-option", || option("spec-type", "draft-dflash")),
    ),
    (4, "a type that does not fit the draft", CommandLine(drafts_have_the_type_of_their_architecture)),
    (
        4,
        "a type in addition to a draft",
        Finding("owned-option", || role_with("draft \"tiny\"; option \"spec-type\" value=\"draft-dflash\"")),
    ),
    (4, "lookup in a file that is not named", Finding("lone-option", || option("spec-type", "ngram-cache"))),
    (5, "more experts than there are", Finding("too-many-experts", || mixture("experts 129"))),
    (
        5,
        "zero experts",
        Finding("too-many-experts", || mixture("override \"qwen3moe.expert_used_count\" value=0")),
    ),
    (
        5,
        "fewer experts than are used",
        Finding("override-range", || mixture("override \"qwen3moe.expert_count\" value=4")),
    ),
    (5, "experts for a dense model", Finding("too-many-experts", || role_with("experts 4"))),
    (
        6,
        "a key of another architecture",
        Finding("unknown-override-key", || mixture("override \"qwen3.context_length\" value=4")),
    ),
    (
        6,
        "a key with a typo",
        Finding("unknown-override-key", || mixture("override \"qwen3moe.contxt_length\" value=4")),
    ),
    (
        7,
        "a value of another type",
        Finding("override-type", || mixture("override \"qwen3moe.context_length\" value=1.5")),
    ),
    (
        7,
        "a key with a list as value",
        Finding("override-type", || mixture("override \"tokenizer.ggml.tokens\" value=\"x\"")),
    ),
    (7, "a key twice", Finding("duplicate-field", twice)),
    (8, "a size with a unit", Finding("wrong-type", || compile_role("context=\"8k\"", ""))),
    (8, "the same in an option", Finding("option-value", || option("n-predict", "8k"))),
    (9, "slots that share a context", CommandLine(each_slot_has_a_whole_context)),
    (11, "more slots than tokens in a batch", Finding("engine-cannot", || role_with("slots 16; batch 8"))),
    (11, "the same of an embedder", CommandLine(the_batch_of_embedders_has_a_whole_request)),
    (12, "memory that the user did not ask for", CommandLine(memory_options_are_explicit)),
    (13, "locked memory that is repacked", CommandLine(locked_memory_is_not_repacked)),
    (13, "locked memory beyond the limit", Unit(locked_memory_has_no_limit)),
    (14, "no model", CommandLine(every_command_line_has_a_model)),
    (14, "a router (several models)", Finding("owned-option", || option("models-dir", "/srv"))),
    (15, "one of two files for TLS", Finding("owned-option", || option("ssl-key-file", "/k"))),
    (15, "a prefix that moves the health endpoint", Finding("owned-option", || option("api-prefix", "/p"))),
    (
        16,
        "a port out of range",
        Finding("out-of-range", || compile_role("context=4096", "").with_port(99999)),
    ),
    (
        17,
        "the name of a template instead of its text",
        Finding("option-value", || option("chat-template", "llama3")),
    ),
    (18, "values of a configuration file", Finding("owned-option", || option("models-preset", "/x.ini"))),
    (19, "a mask for batches alone", Finding("idle-option", || option("cpu-mask-batch", "ff"))),
    (
        19,
        "a mask for the draft",
        Finding("idle-option", || role_with("draft \"tiny\"; option \"cpu-mask-draft\" value=\"ff\"")),
    ),
    (19, "CPUs from high to low", Finding("option-value", || option("cpu-range", "5-2"))),
    (19, "CPUs without threads", Finding("unknown-threads", || role_with("placement cpus=\"0-3\""))),
    (20, "inputs longer than a batch", CommandLine(the_batch_of_embedders_has_a_whole_request)),
    (20, "ranking without its endpoint", CommandLine(rankers_have_their_endpoint)),
    (0, "experts of a dense model on the CPU", Finding("owned-option", || role_with("option \"cpu-moe\""))),
    (0, "variables of the machine", Unit(variables_do_not_leak)),
    (
        0,
        "a variable that stops the server",
        Finding("engine-variable", || role_with("env { LLAMA_ARG_DRAFT_MAX \"3\" }")),
    ),
    (0, "a configuration file of the machine", Unit(configuration_files_do_not_leak)),
    (0, "a stale socket file", Finding("owned-option", || option("host", "/run/x.sock"))),
    (0, "different types for the key and the value cache", CommandLine(caches_have_one_type)),
    (0, "defaults that differ between builds", CommandLine(memory_options_are_explicit)),
];

/// Compiles a role on the model `plain` of the base, with more fields.
fn compile_role(context: &str, rest: &str) -> Compiled {
    let role = format!(
        "role \"x\" tier=\"A\" residency=\"hot\" model=\"plain\" port=9000 {context} {{ note \"n\"; {rest} }}\n"
    );
    compile(&[("base.kdl", BASE), ("case.kdl", &role)])
}

trait WithPort {
    fn with_port(self, port: u32) -> Compiled;
}

impl WithPort for Compiled {
    fn with_port(self, port: u32) -> Compiled {
        let text =
            format!("role \"x\" tier=\"A\" residency=\"hot\" model=\"plain\" port={port} context=4096\n");
        compile(&[("base.kdl", BASE), ("case.kdl", &text)])
    }
}

fn role_with(rest: &str) -> Compiled {
    compile_role("context=4096", rest)
}

fn option(name: &str, value: &str) -> Compiled {
    role_with(&format!("option \"{name}\" value=\"{value}\""))
}

fn mixture(rest: &str) -> Compiled {
    let role = format!(
        "role \"x\" tier=\"A\" residency=\"hot\" model=\"mixture\" port=9000 context=4096 {{ {rest} }}\n"
    );
    compile(&[("base.kdl", BASE), ("case.kdl", &role)])
}

fn twice() -> Compiled {
    mixture(
        "override \"qwen3moe.context_length\" value=4096; override \"qwen3moe.context_length\" value=8192",
    )
}

const PLAIN: DraftSpec<'_> =
    DraftSpec { path: "/d.gguf", arch: "qwen2", kind: None, max: None, min: None, p_min: None };

fn base_spec() -> ServerSpec<'static> {
    ServerSpec {
        model: "/m.gguf",
        port: 8080,
        context: ContextSpec::Tokens(4096),
        slots: 4,
        threads: Some(8),
        ..ServerSpec::default()
    }
}

/// The command lines of all builds that support the settings.
fn lines(spec: &ServerSpec<'_>) -> Vec<(&'static str, String)> {
    let all = profiles().into_iter().map(|profile| (profile, lower_server(profile, spec)));
    let supported = all.filter(|(_, lowered)| lowered.errors.is_empty());
    let lines: Vec<_> = supported
        .map(|(profile, lowered)| (profile.build(), format!("{} ", lowered.texts().join(" "))))
        .collect();
    assert!(lines.len() >= 3, "{lines:?}");
    lines
}

#[track_caller]
fn assert_all_have(spec: &ServerSpec<'_>, words: &[&str]) {
    for (build, line) in lines(spec) {
        for word in words {
            assert!(line.contains(&format!("{word} ")), "{word} of {build}: {line}");
        }
    }
}

fn drafts_have_a_speculation_type() {
    for (build, line) in lines(&ServerSpec { draft: Some(PLAIN), ..base_spec() }) {
        // Older builds have no such type and use any file as the draft.
        let has_type =
            profile(build).option("llama-server", "--spec-type").unwrap().lists_value("draft-simple");
        assert_eq!(line.contains("--spec-type draft-simple "), has_type, "{build}: {line}");
    }
}

fn drafts_have_the_type_of_their_architecture() {
    assert!(architecture("eagle3").is_some() && architecture("dflash").is_some());
    assert_all_have(
        &ServerSpec { draft: Some(DraftSpec { arch: "eagle3", ..PLAIN }), ..base_spec() },
        &["--spec-type draft-eagle3"],
    );
    assert_all_have(
        &ServerSpec { draft: Some(DraftSpec { arch: "dflash", ..PLAIN }), ..base_spec() },
        &["--spec-type draft-dflash"],
    );
}

fn each_slot_has_a_whole_context() {
    assert_all_have(&base_spec(), &["-c 16384", "-np 4", "--no-kv-unified"]);
}

fn the_batch_of_embedders_has_a_whole_request() {
    let embedder = ServerSpec {
        pooling: Some("mean"),
        is_embedder: true,
        context: ContextSpec::Tokens(2048),
        slots: 2,
        ..base_spec()
    };
    assert_all_have(&embedder, &["--embeddings", "-b 2048", "-ub 2048"]);
    let many = ServerSpec { context: ContextSpec::Tokens(8), slots: 16, ..embedder };
    assert_all_have(&many, &["-np 16", "-b 16", "-ub 16"]);
}

fn memory_options_are_explicit() {
    assert_all_have(
        &base_spec(),
        &["-c 16384", "--cache-ram 8192", "-ctxcp 32", "--fit off", "--repack", "-b 2048", "-ub 512"],
    );
    assert_all_have(&base_spec(), &["--spec-type none"]);
}

fn locked_memory_is_not_repacked() {
    assert_all_have(&ServerSpec { lock: true, ..base_spec() }, &["--no-repack"]);
}

fn every_command_line_has_a_model() {
    assert_all_have(&base_spec(), &["-m /m.gguf", "--host 127.0.0.1", "--port 8080"]);
}

fn rankers_have_their_endpoint() {
    let ranker = ServerSpec { pooling: Some("rank"), is_embedder: true, ..base_spec() };
    assert_all_have(&ranker, &["--embeddings", "--pooling rank", "--rerank"]);
}

fn caches_have_one_type() {
    assert_all_have(
        &ServerSpec { settings: &[(Owner::of("cache-type"), OverrideValue::Str("q8_0"))], ..base_spec() },
        &["-ctk q8_0", "-ctv q8_0"],
    );
}

#[track_caller]
fn unit(compiled: &Compiled) -> String {
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
    compiled.files()["systemd/page-x.service"].0.clone()
}

fn locked_memory_has_no_limit() {
    assert!(unit(&role_with("placement lock=#true")).contains("LimitMEMLOCK=infinity"));
}

fn variables_do_not_leak() {
    let unit = unit(&role_with(""));
    let line = unit.lines().find(|line| line.starts_with("UnsetEnvironment=")).unwrap();
    let unset: Vec<&str> = line["UnsetEnvironment=".len()..].split(' ').collect();
    let build = profile("b11434");
    let mut seen = 0;
    for option in build.options().iter().filter(|option| build.tool_accepts("llama-server", option)) {
        if let Some(name) = &option.env {
            assert!(unset.contains(&name.as_str()), "{name}");
            let off = name.replace("LLAMA_ARG_", "LLAMA_ARG_NO_");
            // A negative variable switches the option off.
            assert!(
                option.negative.is_empty() || !name.starts_with("LLAMA_ARG_") || unset.contains(&&*off),
                "{off}"
            );
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}

fn configuration_files_do_not_leak() {
    let unit = unit(&role_with(""));
    assert!(unit.contains("Environment=XDG_CONFIG_HOME=/nonexistent\n"));
    assert!(unit.contains("InaccessiblePaths=-/etc/llama.cpp\n"));
}

#[test]
fn each_mistake_is_impossible_or_reported() {
    for (number, mistake, prevented) in MISTAKES {
        match prevented {
            CommandLine(test) | Unit(test) => test(),
            Finding(code, case) => {
                let compiled = case();
                let codes = compiled.codes();
                assert_eq!(codes, [*code], "{number} {mistake}: {}", compiled.report());
            }
            FindingWithLock(code, case) => {
                let compiled = case();
                assert!(compiled.findings.is_empty(), "{number} {mistake}: {}", compiled.report());
                let not_checked = compiled.findings.not_checked();
                assert!(orchgen::catalogue::find(code).is_some(), "{code}");
                // A missing lock is recorded once, for `contradicted-fact`.
                let is_recorded = not_checked
                    .iter()
                    .any(|entry| entry.check == *code || entry.check == "contradicted-fact");
                assert!(is_recorded, "{number} {mistake}: {not_checked:?}");
            }
        }
    }
}

#[test]
fn all_twenty_mistakes_are_in_the_table() {
    // Mistake 10, a context above the trained one, depends only on two fields of the registry.
    for number in (1..=20).filter(|number| *number != 10) {
        assert!(MISTAKES.iter().any(|(listed, ..)| *listed == number), "{number}");
    }
}
