//! The mistakes that the engine does not catch clearly at its start (LLAMA.md, "20 mistakes"): each is impossible, because of
//! how a command line is written, or it is a finding.

use super::{profile, profiles};
use crate::language::BASE;
use crate::support::{Compiled, compile};
use orchgen::engine::architecture::architecture;
use orchgen::engine::dialect::{Draft, Serve, serve};

/// How a mistake is prevented.
#[derive(Debug)]
enum Prevented {
    /// No registry can express it: the command line is written so that it cannot be made.
    Written(fn()),
    /// It is a finding of this code, of which the case has one.
    Found(&'static str, fn() -> Compiled),
    /// It shows in the files of the models: a finding of this code with the lock, and without it nothing is said to be fine.
    ByFacts(&'static str, fn() -> Compiled),
    /// The unit sees to it.
    Unit(fn()),
}
use Prevented::{ByFacts, Found, Unit, Written};

/// Number, mistake, and how it is prevented. A number that stands twice has several sides; 0 are those without a number.
const MISTAKES: &[(u8, &str, Prevented)] = &[
    (1, "a draft without a type of speculation", Written(drafts_have_a_type)),
    (2, "vocabularies that differ", ByFacts("refuted-draft", || on("draft \"tiny\""))),
    (
        3,
        "a type that needs a draft, without one",
        Found("lone-option", || option("spec-type", "draft-dflash")),
    ),
    (4, "a type that does not fit the draft", Written(drafts_have_the_type_of_their_architecture)),
    (
        4,
        "a type beside a draft",
        Found("owned-option", || on("draft \"tiny\"; option \"spec-type\" value=\"draft-dflash\"")),
    ),
    (4, "lookup in a file that is not named", Found("lone-option", || option("spec-type", "ngram-cache"))),
    (5, "more experts than there are", Found("too-many-experts", || mixture("experts 129"))),
    (
        5,
        "no experts at all",
        Found("too-many-experts", || mixture("override \"qwen3moe.expert_used_count\" value=0")),
    ),
    (
        5,
        "fewer experts than are used",
        Found("override-range", || mixture("override \"qwen3moe.expert_count\" value=4")),
    ),
    (5, "experts of a dense model", Found("too-many-experts", || on("experts 4"))),
    (
        6,
        "a key of another architecture",
        Found("unknown-override-key", || mixture("override \"qwen3.context_length\" value=4")),
    ),
    (
        6,
        "a key with a typo",
        Found("unknown-override-key", || mixture("override \"qwen3moe.contxt_length\" value=4")),
    ),
    (
        7,
        "a value of another type",
        Found("override-type", || mixture("override \"qwen3moe.context_length\" value=1.5")),
    ),
    (
        7,
        "a key that holds a list",
        Found("override-type", || mixture("override \"tokenizer.ggml.tokens\" value=\"x\"")),
    ),
    (7, "a key twice", Found("duplicate-field", twice)),
    (8, "a size with a unit", Found("wrong-type", || compile_role("context=\"8k\"", ""))),
    (8, "the same in an option", Found("option-value", || option("n-predict", "8k"))),
    (9, "slots that share a context", Written(slots_have_a_context_each)),
    (11, "more slots than tokens in a batch", Found("engine-cannot", || on("slots 16; batch 8"))),
    (11, "the same of an embedder", Written(embedders_take_a_request_at_once)),
    (12, "memory that nobody asked for", Written(memory_is_settled)),
    (13, "locked memory that is a copy", Written(locked_memory_is_no_copy)),
    (13, "locked memory beyond the limit", Unit(locked_memory_has_no_limit)),
    (14, "no model", Written(every_line_has_a_model)),
    (14, "a router", Found("owned-option", || option("models-dir", "/srv"))),
    (15, "one of two files for TLS", Found("owned-option", || option("ssl-key-file", "/k"))),
    (
        15,
        "a prefix that hides the health of the server",
        Found("owned-option", || option("api-prefix", "/p")),
    ),
    (16, "a port that is none", Found("out-of-range", || compile_role("context=4096", "").with_port(99999))),
    (17, "the name of a template for its text", Found("option-value", || option("chat-template", "llama3"))),
    (18, "values of a configuration file", Found("owned-option", || option("models-preset", "/x.ini"))),
    (19, "a mask for batches alone", Found("idle-option", || option("cpu-mask-batch", "ff"))),
    (
        19,
        "a mask for the draft",
        Found("idle-option", || on("draft \"tiny\"; option \"cpu-mask-draft\" value=\"ff\"")),
    ),
    (19, "CPUs from high to low", Found("option-value", || option("cpu-range", "5-2"))),
    (19, "CPUs without threads", Found("unknown-threads", || on("placement cpus=\"0-3\""))),
    (20, "inputs longer than a batch", Written(embedders_take_a_request_at_once)),
    (20, "ranking without its endpoint", Written(rankers_have_their_endpoint)),
    (0, "experts on the CPU of a dense model", Found("idle-option", || on("option \"cpu-moe\""))),
    (0, "variables of the machine", Unit(variables_do_not_leak)),
    (
        0,
        "a variable that stops the server",
        Found("engine-variable", || on("env { LLAMA_ARG_DRAFT_MAX \"3\" }")),
    ),
    (0, "a configuration file of the machine", Unit(configuration_files_do_not_leak)),
    (0, "a socket file that is left over", Found("owned-option", || option("host", "/run/x.sock"))),
    (0, "caches of keys and values of two types", Written(caches_have_one_type)),
    (0, "checkpoints of every slot by the dozen", Written(memory_is_settled)),
];

/// What a case is made of: a role of the base's model, and what it has besides.
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

fn on(rest: &str) -> Compiled {
    compile_role("context=4096", rest)
}

fn option(name: &str, value: &str) -> Compiled {
    on(&format!("option \"{name}\" value=\"{value}\""))
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

const PLAIN: Draft<'_> = Draft { path: "/d.gguf", arch: "qwen2", max: None, min: None, p_min: None };

fn wanted() -> Serve<'static> {
    Serve { model: "/m.gguf", port: 8080, context: 4096, slots: 4, threads: Some(8), ..Serve::default() }
}

/// The line of each build that can say what is wanted.
fn lines(wanted: &Serve<'_>) -> Vec<(&'static str, String)> {
    let all = profiles().into_iter().map(|profile| (profile, serve(profile, wanted)));
    let said = all.filter(|(_, lowered)| lowered.cannot.is_empty());
    let lines: Vec<_> =
        said.map(|(profile, lowered)| (profile.build(), format!("{} ", lowered.args.join(" ")))).collect();
    assert!(lines.len() >= 3, "{lines:?}");
    lines
}

#[track_caller]
fn all_have(wanted: &Serve<'_>, words: &[&str]) {
    for (build, line) in lines(wanted) {
        for word in words {
            assert!(line.contains(&format!("{word} ")), "{word} of {build}: {line}");
        }
    }
}

fn drafts_have_a_type() {
    for (build, line) in lines(&Serve { draft: Some(PLAIN), ..wanted() }) {
        // Older builds have no such type and draft with any file that they are given.
        let takes = profile(build).option("llama-server", "--spec-type").unwrap().lists("draft-simple");
        assert_eq!(line.contains("--spec-type draft-simple "), takes, "{build}: {line}");
    }
}

fn drafts_have_the_type_of_their_architecture() {
    assert!(architecture("eagle3").is_some() && architecture("dflash").is_some());
    all_have(
        &Serve { draft: Some(Draft { arch: "eagle3", ..PLAIN }), ..wanted() },
        &["--spec-type draft-eagle3"],
    );
    all_have(
        &Serve { draft: Some(Draft { arch: "dflash", ..PLAIN }), ..wanted() },
        &["--spec-type draft-dflash"],
    );
}

fn slots_have_a_context_each() {
    all_have(&wanted(), &["-c 16384", "-np 4", "--no-kv-unified"]);
}

fn embedders_take_a_request_at_once() {
    let embedder = Serve { pooling: Some("mean"), is_embedder: true, context: 2048, slots: 2, ..wanted() };
    all_have(&embedder, &["--embeddings", "-b 2048", "-ub 2048"]);
    let many = Serve { context: 8, slots: 16, ..embedder };
    all_have(&many, &["-np 16", "-b 16", "-ub 16"]);
}

fn memory_is_settled() {
    all_have(
        &wanted(),
        &["-c 16384", "--cache-ram 0", "-ctxcp 4", "--fit off", "--repack", "-b 2048", "-ub 512"],
    );
    all_have(&wanted(), &["--spec-type none"]);
}

fn locked_memory_is_no_copy() {
    all_have(&Serve { lock: true, ..wanted() }, &["--no-repack"]);
}

fn every_line_has_a_model() {
    all_have(&wanted(), &["-m /m.gguf", "--host 127.0.0.1", "--port 8080"]);
}

fn rankers_have_their_endpoint() {
    let ranker = Serve { pooling: Some("rank"), is_embedder: true, ..wanted() };
    all_have(&ranker, &["--embeddings", "--pooling rank", "--rerank"]);
}

fn caches_have_one_type() {
    all_have(&Serve { cache_type: Some("q8_0"), ..wanted() }, &["-ctk q8_0", "-ctv q8_0"]);
}

#[track_caller]
fn unit(compiled: &Compiled) -> String {
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
    compiled.files()["systemd/page-x.service"].0.clone()
}

fn locked_memory_has_no_limit() {
    assert!(unit(&on("placement lock=#true")).contains("LimitMEMLOCK=infinity"));
}

fn variables_do_not_leak() {
    let unit = unit(&on(""));
    let line = unit.lines().find(|line| line.starts_with("UnsetEnvironment=")).unwrap();
    let unset: Vec<&str> = line["UnsetEnvironment=".len()..].split(' ').collect();
    let build = profile("b11434");
    let mut seen = 0;
    for option in build.options().iter().filter(|option| build.takes("llama-server", option)) {
        if let Some(name) = &option.env {
            assert!(unset.contains(&name.as_str()), "{name}");
            let off = name.replace("LLAMA_ARG_", "LLAMA_ARG_NO_");
            // What is switched off by a variable of its own.
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
    let unit = unit(&on(""));
    assert!(unit.contains("Environment=XDG_CONFIG_HOME=/nonexistent\n"));
    assert!(unit.contains("InaccessiblePaths=-/etc/llama.cpp\n"));
}

#[test]
fn each_mistake_is_impossible_or_found() {
    for (number, mistake, prevented) in MISTAKES {
        match prevented {
            Written(holds) | Unit(holds) => holds(),
            Found(code, case) => {
                let compiled = case();
                let codes = compiled.codes();
                assert_eq!(codes, [*code], "{number} {mistake}: {}", compiled.report());
            }
            ByFacts(code, case) => {
                let compiled = case();
                assert!(compiled.findings.is_empty(), "{number} {mistake}: {}", compiled.report());
                let left = compiled.findings.not_checked();
                assert!(orchgen::catalogue::find(code).is_some(), "{code}");
                // That there is no lock is said once, whichever checks it keeps from speaking.
                let is_left =
                    left.iter().any(|left| left.check == *code || left.check == "contradicted-fact");
                assert!(is_left, "{number} {mistake}: {left:?}");
            }
        }
    }
}

#[test]
fn all_twenty_are_in_the_table() {
    // A context beyond the trained one, the tenth, is a matter of two fields of the registry and no engine's.
    for number in (1..=20).filter(|number| *number != 10) {
        assert!(MISTAKES.iter().any(|(listed, ..)| *listed == number), "{number}");
    }
}
