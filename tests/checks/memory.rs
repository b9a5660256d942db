//! Budgets: which parts are summed, how the sum is printed, and that the suggested changes are enough.

use super::behind_gateway;
use crate::support::{Compiled, compile};
use orchgen::compile::lower;
use orchgen::diag::{Diagnostic, Diagnostics};
use orchgen::engine::memory::{Owner, PartKind};
use proptest::prelude::*;
use std::fmt::Write as _;

const HEAD: &str = "stack \"s\" engine=\"e\"\nengine \"e\" profile=\"llama.cpp-b11434\" bin=\"/b\"\nhost \"a\" memory=\"9 TB\"\nhost \"b\" memory=\"9 TB\"\n\
    tier \"A\" title=\"a\"\nresidency \"free\" title=\"f\" start=\"boot\"\nfamily \"f\" arch=\"qwen3moe\"\nstore \"s\" path=\"/s\"\n";

fn model(name: &str, size: &str, rest: &str) -> String {
    format!(
        "model \"{name}\" family=\"f\" title=\"{name}-title\" quant=\"q\" size=\"{size}\" file=\"{name}.gguf\" {rest}\n\
         role \"listed-{name}\" tier=\"A\" model=\"{name}\"\n"
    )
}

fn role(name: &str, model: &str, port: usize, rest: &str) -> String {
    format!(
        "role \"{name}\" tier=\"A\" residency=\"hot\" host=\"a\" model=\"{model}\" port={port} context=1 {rest}\n"
    )
}

fn residency(budget: &str, rest: &str) -> String {
    format!("residency \"hot\" title=\"h\" start=\"boot\" budget=\"{budget}\" {rest}\n")
}

fn run(parts: &[String]) -> Compiled {
    compile(&[("a.kdl", &format!("{HEAD}{}", parts.concat()))])
}

#[track_caller]
fn over_budget(parts: &[String]) -> Diagnostic {
    let compiled = run(parts);
    let [finding] = compiled.findings.findings() else { panic!("{}", compiled.report()) };
    assert_eq!(finding.code.name, "over-budget");
    finding.clone()
}

#[track_caller]
fn assert_fits(parts: &[String]) {
    let compiled = run(parts);
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
}

#[test]
fn a_file_counts_once_for_all_roles_that_read_it() {
    let models = [model("m", "10 GB", ""), model("d", "1 GB", "")].concat();
    let roles = [
        role("one", "m", 1, "draft=\"d\""),
        role("two", "m", 2, "draft=\"d\""),
        role("three", "d", 3, ""),
        role("four", "d", 4, "draft=\"d\" { allow \"own-draft\" because=\"it reads its file twice\" }"),
        role("five", "m", 5, "").replace("port=5", "ports=\"5-9\""),
    ]
    .concat();
    assert_fits(&[residency("11 GB", ""), models.clone(), roles.clone()]);
    let finding = over_budget(&[residency("10.9 GB", ""), models, roles]);
    assert_eq!(finding.message, "residency `hot` takes 11 GB on host `a`, 0.1 GB over its budget of 10.9 GB");
}

#[test]
fn a_file_is_identified_by_its_path_and_not_by_its_model() {
    let same = model("m", "10 GB", "") + &model("n", "10 GB", "").replace("n.gguf", "/s/m.gguf");
    let roles = role("one", "m", 1, "") + &role("two", "n", 2, "");
    assert_fits(&[residency("10 GB", ""), same.clone(), roles.clone()]);
    let finding = over_budget(&[residency("10 GB", ""), same.replace("/s/m.gguf", "/t/m.gguf"), roles]);
    assert!(finding.message.contains("takes 20 GB"), "{}", finding.message);
}

#[test]
fn a_projector_counts() {
    let with = model("m", "10 GB", "{ projector \"p.gguf\" size=\"0.5 GB\" }");
    assert_fits(&[residency("10.5 GB", ""), with.clone(), role("one", "m", 1, "")]);
    over_budget(&[residency("10.4 GB", ""), with, role("one", "m", 1, "")]);
}

#[test]
fn a_budget_applies_to_each_host() {
    let models = model("m", "10 GB", "") + &model("n", "10 GB", "");
    let both = role("one", "m", 1, "") + &role("two", "n", 2, "").replace("host=\"a\"", "host=\"b\"");
    assert_fits(&[residency("10 GB", ""), models.clone(), both.clone()]);
    let compiled = run(&[residency("9 GB", ""), models, both]);
    assert_eq!(compiled.codes(), ["over-budget"; 2]);
    assert!(compiled.findings.findings()[1].message.contains("on host `b`"));
}

#[test]
fn with_at_once_only_the_largest_roles_count() {
    let models = model("m", "10 GB", "") + &model("n", "20 GB", "") + &model("o", "5 GB", "");
    let roles = role("one", "m", 1, "") + &role("two", "n", 2, "") + &role("three", "o", 3, "");
    let routed = |budget, rest| [behind_gateway(&(residency(budget, rest) + &models + &roles), "host=\"a\"")];
    assert_fits(&routed("20 GB", "at-once=1"));
    assert_fits(&routed("30 GB", "at-once=2"));
    assert_fits(&[residency("35 GB", "at-once=9"), models.clone(), roles.clone()]);
    let finding = over_budget(&routed("29 GB", "at-once=2"));
    assert!(finding.message.contains("takes 30 GB"), "{}", finding.message);
}

#[test]
fn the_sum_is_printed_line_by_line() {
    let models = model("m", "10.5 GB", "{ projector \"p.gguf\" size=\"600 MB\" }") + &model("d", "1 GB", "");
    let roles =
        role("first", "m", 1, "draft=\"d\"") + &role("second", "d", 2, "") + &role("third", "m", 3, "");
    let finding = over_budget(&[residency("12 GB", ""), models, roles]);
    assert_eq!(
        finding.notes[0].lines().collect::<Vec<_>>(),
        [
            "first    m-title              10.5 GB  10.5 GB",
            "first    d-title (draft)         1 GB  11.5 GB",
            "first    m-title (projector)   0.6 GB  12.1 GB",
            "third    m-title (projector)   0.6 GB  12.7 GB",
            "budget                          12 GB",
            "over by                        0.7 GB",
        ]
    );
    assert_eq!(
        finding.help,
        [
            "move roles `third` and `first` to another residency, which frees 11.7 GB",
            "or write `budget=\"12.7 GB\"`"
        ]
    );
}

#[test]
fn a_long_sum_is_shortened_with_a_count_of_the_rest() {
    let many: String = (0..60)
        .map(|n| model(&format!("m{n}"), "1 GB", "") + &role(&format!("r{n}"), &format!("m{n}"), n + 1, ""))
        .collect();
    let finding = over_budget(&[residency("1 GB", ""), many]);
    let lines: Vec<&str> = finding.notes[0].lines().collect();
    assert_eq!(lines.len(), 43, "{lines:#?}");
    assert!(lines[40].starts_with("and 20 more") && lines[40].ends_with("60 GB"), "{}", lines[40]);
    assert_eq!(finding.secondary.len(), 6);
}

#[test]
fn the_smallest_sufficient_role_is_suggested() {
    let models: String = [("a", 3), ("b", 5), ("c", 9)]
        .iter()
        .map(|(name, size)| model(name, &format!("{size} GB"), ""))
        .collect();
    let roles: String = ["a", "b", "c"]
        .iter()
        .zip(1..)
        .map(|(name, port)| role(&format!("r{name}"), name, port, ""))
        .collect();
    let finding = over_budget(&[residency("13 GB", ""), models.clone(), roles.clone()]);
    assert_eq!(
        finding.help,
        ["move role `rb` to another residency, which frees 5 GB", "or write `budget=\"17 GB\"`"]
    );
    let finding = over_budget(&[residency("4 GB", ""), models, roles]);
    assert_eq!(finding.help[0], "move roles `rc` and `rb` to another residency, which frees 14 GB");
}

/// The names in backquotes.
fn backquoted_names(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn the_suggested_changes_are_enough(
        sizes in proptest::collection::vec(1_u64..50_000, 2..8),
        roles in proptest::collection::vec((0..8_usize, proptest::option::of(0..8_usize)), 2..12),
        at_once in proptest::option::of(1..6_usize),
        budget in 1_u64..200_000,
    ) {
        let mut models = String::new();
        for (n, size) in sizes.iter().enumerate() {
            models += &model(&format!("m{n}"), &format!("{size} MB"), "");
        }
        let mut all = String::new();
        for (n, (own, draft)) in roles.iter().enumerate() {
            let draft = draft.filter(|draft| draft % sizes.len() != own % sizes.len());
            let draft = draft.map(|draft| format!("draft=\"m{}\"", draft % sizes.len())).unwrap_or_default();
            write!(all, "{}", role(&format!("r{n}"), &format!("m{}", own % sizes.len()), n + 1, &draft)).unwrap();
        }
        let limit = at_once.map(|n| format!("at-once={n}")).unwrap_or_default();
        // Only a gateway can enforce `at-once`.
        let run_with = |budget: &str, roles: &str| {
            let text = residency(budget, &limit) + &models + roles;
            run(&[if at_once.is_some() { behind_gateway(&text, "host=\"a\"") } else { text }])
        };
        let compiled = run_with(&format!("{budget} MB"), &all);
        if let [finding] = compiled.findings.findings() {
            prop_assert_eq!(finding.code.name, "over-budget");
            let raised = finding.help[1].strip_prefix("or write `budget=\"").unwrap().trim_end_matches("\"`");
            let again = run_with(raised, &all);
            prop_assert!(again.findings.is_empty(), "{}: {}", raised, again.report());
            let mut moved = all;
            for name in backquoted_names(&finding.help[0]) {
                let start = format!("role \"{name}\" tier=\"A\" residency=\"hot\"");
                prop_assert!(moved.contains(&start));
                moved = moved.replace(&start, &start.replace("hot", "free").replace("role ", " role "));
            }
            let again = run_with(&format!("{budget} MB"), &moved);
            let no_advice = finding.help[0] == "move several roles to another residency";
            // The gateway may have no role left.
            let fits = again.codes().iter().all(|code| *code == "unused-item");
            prop_assert!(no_advice || fits, "{:?}: {}", finding.help, again.report());
        } else {
            prop_assert!(compiled.findings.is_empty(), "{}", compiled.report());
        }
    }
}

/// A lock of models with 4 layers and 2 KV heads of 64. One half of the weights is mapped, the other half is repacked.
fn lock(models: &[&str]) -> String {
    let model = |name: &&str| {
        format!(
            "\"{name}\": {{\"file\": \"{name}.gguf\", \"header\": \"0\", \"size\": 10000000000, \"architecture\": \"qwen3moe\", \
             \"parameters\": {{\"block_count\": 4, \"embedding_length\": 256, \"context_length\": 8192, \"feed_forward_length\": 512, \
             \"attention.head_count\": 4, \"attention.head_count_kv\": 2, \"expert_count\": 8, \"expert_used_count\": 2, \
             \"expert_feed_forward_length\": 64}}, \
             \"vocabulary\": {{\"type\": \"gpt2\", \"size\": 1000}}, \
             \"tensors\": {{\"bytes\": {{\"q4_K\": 5000000000, \"q6_K\": 5000000000}}, \"in_rows_of_8\": {{\"q4_K\": 5000000000}}}}}}"
        )
    };
    let models: Vec<String> = models.iter().map(model).collect();
    format!("{{\"format_version\": 1, \"models\": {{{}}}}}", models.join(", "))
}

fn compile_with_lock(parts: &[String], models: &[&str]) -> Compiled {
    compile(&[("a.kdl", &format!("{HEAD}{}", parts.concat())), ("registry.lock", &lock(models))])
}

/// A role with a KV cache of 8 MiB (8.39 MB): 4096 tokens of 4 layers in f16.
fn served(name: &str, port: usize, rest: &str) -> String {
    role(name, "m", port, "").replace("context=1", &format!("context=4096 {rest}"))
}

#[test]
fn with_a_lock_the_sum_has_all_parts_of_memory() {
    let roles =
        [served("one", 1, "slots=3"), served("two", 2, "prompt-cache=\"1 GiB\""), role("three", "n", 3, "")]
            .concat();
    let models = model("m", "10 GB", "") + &model("n", "2 GB", "");
    let compiled = compile_with_lock(&[residency("10 GB", ""), models, roles], &["m"]);
    let [finding] = compiled.findings.findings() else { panic!("{}", compiled.report()) };
    let lines: Vec<&str> = finding.notes[0].lines().collect();
    let line = |start: &str| {
        lines.iter().position(|line| line.split_whitespace().collect::<Vec<_>>().join(" ").starts_with(start))
    };
    let expected = [
        // Mapped weights count once for both roles, repacked weights count for each.
        "one m-title 5 GB 5 GB",
        "one m-title (weights, repacked) 5 GB 10 GB",
        "one m-title (KV cache) 0.03 GB",
        "one m-title (compute buffer) ",
        "one m-title (output buffer) 0.01 MB",
        "two m-title (weights, repacked) 5 GB",
        "two m-title (KV cache) 8.39 MB",
        "two m-title (compute buffer) ",
        "two m-title (output buffer) ",
        "two m-title (prompt cache) 1.07 GB",
        // The third model is not in the lock: only its file counts.
        "three n-title 2 GB",
    ];
    for (at, start) in expected.into_iter().enumerate() {
        assert_eq!(line(start), Some(at), "{start}\n{}", finding.notes[0]);
    }
    let not_checked_reasons: Vec<&str> = compiled
        .findings
        .not_checked()
        .iter()
        .filter(|entry| entry.check == "over-budget")
        .map(|entry| entry.why.as_str())
        .collect();
    assert_eq!(
        not_checked_reasons,
        ["role `three`: the lock has no facts of its model: run `orchgen lock` where the file is"]
    );
}

/// The suggestions also hold for caches and repacked weights.
#[test]
fn the_suggested_changes_are_enough_with_a_lock() {
    let roles: String = (1..6).map(|n| served(&format!("r{n}"), n, "")).collect();
    let models = model("m", "10 GB", "");
    let compiled = compile_with_lock(&[residency("16 GB", ""), models.clone(), roles.clone()], &["m"]);
    let [finding] = compiled.findings.findings() else { panic!("{}", compiled.report()) };
    let moved = backquoted_names(&finding.help[0]).iter().fold(roles, |roles, name| {
        let start = format!("role \"{name}\" tier=\"A\" residency=\"hot\"");
        assert!(roles.contains(&start), "{:?}", finding.help);
        roles.replace(&start, &start.replace("hot", "free"))
    });
    let again = compile_with_lock(&[residency("16 GB", ""), models, moved], &["m"]);
    assert!(again.findings.is_empty(), "{}", again.report());
}

#[test]
fn no_sum_is_unchecked_if_all_facts_are_known() {
    let compiled =
        compile_with_lock(&[residency("20 GB", ""), model("m", "10 GB", ""), served("one", 1, "")], &["m"]);
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
    let sums = ["over-budget", "over-host-memory", "over-node-memory"];
    let not_checked_reasons: Vec<_> =
        compiled.findings.not_checked().iter().filter(|entry| sums.contains(&entry.check)).collect();
    assert!(not_checked_reasons.is_empty(), "{not_checked_reasons:?}");
}

/// Interleaved memory of a process is divided evenly between its nodes, including repacked weights and caches.
#[test]
fn a_node_counts_its_share_of_interleaved_memory() {
    let nodes = HEAD.replace(
        "host \"a\" memory=\"9 TB\"",
        "host \"a\" memory=\"9 TB\" {\n numa 0 cpus=\"0-7\" memory=\"2.6 GB\"\n numa 1 cpus=\"8-15\" memory=\"9 GB\"\n}",
    );
    let one = served("one", 1, "")
        .replace("context=4096", "context=4096 { placement numa=\"interleave\" }")
        .replace("} \n", "}\n");
    let text = format!("{nodes}{}{}{one}", residency("20 GB", ""), model("m", "10 GB", ""));
    let compiled = compile(&[("a.kdl", &text), ("registry.lock", &lock(&["m"]))]);
    assert_eq!(compiled.codes(), ["over-node-memory"], "{}", compiled.report());
    let note = &compiled.findings.findings()[0].notes[0];
    assert!(note.contains("m-title, 1/2") && note.contains("m-title (KV cache), 1/2"), "{note}");
}

/// A role that repacks fewer weights maps more of the file, and the rest of the file counts for that role.
#[test]
fn the_mapped_part_of_a_file_is_the_largest_that_any_role_maps() {
    let roles = [
        served("one", 1, ""),
        served("two", 2, "").replace("context=4096 ", "context=4096 { option \"no-repack\"; } "),
        served("three", 3, "").replace("context=4096 ", "context=4096 { option \"no-repack\"; } "),
    ]
    .concat();
    let compiled = compile_with_lock(&[residency("15 GB", ""), model("m", "10 GB", ""), roles], &["m"]);
    let [finding] = compiled.findings.findings() else { panic!("{}", compiled.report()) };
    let lines: Vec<String> =
        finding.notes[0].lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let weights: Vec<&String> =
        lines.iter().filter(|line| line.contains("m-title 5 GB") || line.contains("repacked")).collect();
    assert!(weights[0].starts_with("one m-title 5 GB 5 GB"), "{weights:?}");
    assert!(weights[1].starts_with("one m-title (weights, repacked) 5 GB 10 GB"), "{weights:?}");
    assert!(weights[2].starts_with("two m-title 5 GB 15"), "{weights:?}");
    assert_eq!(weights.len(), 3, "{lines:#?}");
}

fn not_checked(compiled: &Compiled) -> String {
    let entry = compiled.findings.not_checked().iter().find(|entry| entry.check == "over-budget");
    entry.map(|entry| entry.why.clone()).unwrap_or_default()
}

/// Bytes of the compute buffer of the first role.
fn compute_of(compiled: &Compiled) -> u64 {
    let findings = &mut Diagnostics::default();
    let derived = lower(&compiled.loaded, findings).derive(None, findings);
    let computed = derived.roles[0].memory.parts.iter().filter(|part| part.kind == PartKind::Compute);
    computed.map(|part| part.amount.bytes()).sum()
}

/// orchgen reads environment variables of the engine like its options.
#[test]
fn a_variable_counts_memory_like_its_option() {
    let with = |rest: &str| {
        let one = served("one", 1, "").replace("context=4096 ", &format!("context=4096 {{ {rest} }} "));
        compile_with_lock(&[residency("20 GB", ""), model("m", "10 GB", ""), one], &["m"])
    };
    let (plain, option) = (with(""), with("option \"spec-default\""));
    let variable = with("env { LLAMA_ARG_SPEC_TYPE \"ngram-mod\"; }");
    assert!(compute_of(&option) > compute_of(&plain));
    // Speculation types add up: `none` on the command line does not remove one (b11434, `common/arg.cpp`).
    assert_eq!(compute_of(&variable), compute_of(&option), "{}", variable.report());
    let loaded = with("env { LLAMA_ARG_OVERRIDE_TENSOR \"x=CPU\"; }");
    assert_eq!(not_checked(&plain), "");
    assert_eq!(not_checked(&loaded), "role `one`: `--override-tensor` may move weights to other devices");
}

/// `MemoryLow=` of a slice is the memory that its roles need.
#[test]
fn a_slice_protects_all_known_memory() {
    let low = |models: &[&str]| {
        let compiled = compile_with_lock(
            &[residency("20 GB", ""), model("m", "10 GB", ""), served("one", 1, "")],
            models,
        );
        let files = compiled.files();
        let slice = &files["systemd/a/s-hot.slice"];
        slice.0.lines().find_map(|line| line.strip_prefix("MemoryLow=")).unwrap().parse::<u64>().unwrap()
    };
    assert_eq!(low(&[]), 10_000_000_000);
    // The KV cache has 8 MiB; buffers come on top.
    assert!(low(&["m"]) > 10_000_000_000 + (8 << 20));
}

/// `experts` overrides the key of one architecture.
#[test]
fn experts_of_a_target_do_not_apply_to_a_draft_of_another_architecture() {
    let compute_of_draft = |arch: &str, rest: &str| {
        let lock = lock(&["m", "d"]);
        let (target, draft) = lock.split_once("\"d\"").unwrap();
        let lock = format!("{target}\"d\"{}", draft.replace("qwen3moe", arch));
        let role = served("one", 1, "draft=\"d\" experts=1").replace("experts=1", rest);
        let text = format!(
            "{HEAD}{}{}{}{role}",
            residency("90 GB", ""),
            model("m", "10 GB", ""),
            model("d", "10 GB", "")
        );
        let text = text.replace("b11434", "b11669");
        let compiled = compile(&[("a.kdl", &text), ("registry.lock", &lock)]);
        let findings = &mut Diagnostics::default();
        let derived = lower(&compiled.loaded, findings).derive(None, findings);
        let parts = derived.roles[0].memory.parts.to_vec();
        let draft =
            parts.into_iter().find(|part| part.kind == PartKind::Compute && part.owner == Owner::Draft);
        draft.unwrap().amount.bytes()
    };
    assert_eq!(compute_of_draft("olmoe", "experts=8"), compute_of_draft("olmoe", ""));
    assert!(compute_of_draft("qwen3moe", "experts=8") > compute_of_draft("qwen3moe", ""));
}

/// Several checks share results that all threads compute. A pool with few threads must not deadlock.
#[test]
fn parallel_checks_do_not_deadlock() {
    let roles: String = (1..9).map(|n| served(&format!("r{n}"), n, &format!("slots={n}"))).collect();
    let parts = [residency("90 GB", ""), model("m", "10 GB", ""), roles];
    for threads in [2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        for _ in 0..100 {
            let compiled = pool.install(|| compile_with_lock(&parts, &["m"]));
            assert!(compiled.findings.is_empty(), "{}", compiled.report());
        }
    }
}
