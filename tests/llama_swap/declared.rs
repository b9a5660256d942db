//! The sets that a gateway declares: the matrix has exactly these, and sums count the largest.

use super::{config, mapping};
use crate::support::{Compiled, compile};
use orchgen::derive::MemoryScope;
use proptest::prelude::*;
use serde_yaml::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;

const BASE: &str = "stack \"s\" engine=\"e\"\nengine \"e\" profile=\"llama.cpp-b11669\" bin=\"/b\"\n\
    residency \"hot\" start=\"boot\"\nresidency \"warm\" start=\"on-demand\"\n";

/// A set of roles as a bit mask.
type Mask = u32;

fn roles_of(mask: Mask) -> impl Iterator<Item = usize> {
    (0..32).filter(move |n| mask & 1 << n != 0)
}

/// A registry with roles of these sizes behind `g`, which declares these sets. The first roles start at boot.
fn registry(host: &str, sizes: &[u64], at_boot: usize, sets: &[Mask]) -> String {
    let mut text = format!(
        "{BASE}host \"h\" {host} cpus=\"0-3\"\ngateway \"g\" port=8000 kind=\"llama-swap\" bin=\"/b/swap\" {{\n"
    );
    for set in sets {
        let names = roles_of(*set).fold(String::new(), |text, n| format!("{text} \"r{n}\""));
        writeln!(text, "set{names}").unwrap();
    }
    text.push_str("}\n");
    for (n, size) in sizes.iter().enumerate() {
        let residency = if n < at_boot { "hot" } else { "warm" };
        writeln!(text, "model \"m{n}\" size=\"{size} GB\" file=\"/m{n}.gguf\"").unwrap();
        writeln!(text, "role \"r{n}\" model=\"m{n}\" residency=\"{residency}\" gateway=\"g\" context=512")
            .unwrap();
    }
    text
}

/// The sets of a file, as masks of roles named `r0`, `r1` ..
fn matrix(config: &Value) -> Vec<Mask> {
    let variables = mapping(config, &["matrix", "vars"]);
    let role = |variable: &str| variables[variable].as_str().unwrap()[1..].parse::<usize>().unwrap();
    let set = |set: &Value| set.as_str().unwrap().split(" & ").map(role).fold(0, |mask, n| mask | 1 << n);
    mapping(config, &["matrix", "sets"]).values().map(set).collect()
}

fn masks(roles: usize) -> impl Strategy<Value = Vec<Mask>> {
    prop::collection::vec(1..1_u32 << roles, 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    /// llama-swap allows a combination of models if a set has all of them, and each model alone.
    #[test]
    fn the_matrix_allows_exactly_the_declared_combinations(sets in masks(7), at_boot in 0..7_usize) {
        let all = registry("", &[1; 7], at_boot, &sets);
        let (written, config) = config(&compile(&[("a.kdl", &all)]), "g");
        let found = matrix(&config);
        let allows = |sets: &[Mask], of: Mask| sets.iter().any(|set| of & !set == 0);
        for combination in 1..1_u32 << 7 {
            let expected = combination.is_power_of_two() || allows(&sets, combination);
            prop_assert_eq!(allows(&found, combination), expected, "{:b}: {}", combination, all);
        }
        // No set is part of another one, and no note explains another order.
        for (n, set) in found.iter().enumerate() {
            prop_assert!(found.iter().enumerate().all(|(m, other)| m == n || set & !other != 0), "{:?}", found);
        }
        prop_assert!(config["groups"].is_null() && !written.contains("# There are") && !written.contains("# Each of these"));
    }

    /// The sum of the host is that of the largest set, or of the largest role alone.
    #[test]
    fn the_sum_is_that_of_the_largest_set(
        sizes in prop::collection::vec(1..20_u64, 5),
        sets in masks(5),
        at_boot in 0..5_usize,
    ) {
        let total = |set: Mask| roles_of(set).map(|n| sizes[n]).sum::<u64>();
        let alone = sizes.iter().copied().max().unwrap();
        let largest = sets.iter().map(|set| total(*set)).max().unwrap().max(alone);
        let codes = |memory: u64| {
            let host = format!("memory=\"{memory} GB\" reserve=\"0 B\"");
            let compiled = compile(&[("a.kdl", &registry(&host, &sizes, at_boot, &sets))]);
            (compiled.codes().contains(&"over-host-memory"), compiled)
        };
        prop_assert!(!codes(largest).0);
        if largest > 1 {
            let (is_over, compiled) = codes(largest - 1);
            prop_assert!(is_over);
            let finding = compiled.findings.findings().iter().find(|one| one.code.name == "over-host-memory").unwrap();
            prop_assert!(finding.message.contains(&format!("need {largest} GB")), "{}", finding.message);
            assert_help_fits(&compiled)?;
        }
    }
}

/// After the change of the help that removes roles from sets, the host fits.
fn assert_help_fits(compiled: &Compiled) -> Result<(), TestCaseError> {
    let findings = compiled.findings.findings();
    let finding = findings.iter().find(|one| one.code.name == "over-host-memory").unwrap();
    let Some(fix) = finding.fixes.iter().find(|fix| fix.title.contains("so that fewer roles run together"))
    else {
        return Ok(());
    };
    let mut edits = fix.edits.clone();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.span));
    let mut text = compiled.loaded.map.files().next().unwrap().1.text().to_owned();
    for edit in edits {
        text.replace_range(edit.span.range(), &edit.text);
    }
    let after = compile(&[("a.kdl", &text)]);
    prop_assert!(after.checked.is_some(), "{}: {text}\n{}", fix.title, after.report());
    Ok(())
}

fn sets_of(compiled: &Compiled) -> Vec<String> {
    let (_, config) = config(compiled, "g");
    let sets = mapping(&config, &["matrix", "sets"]);
    sets.values().map(|set| set.as_str().unwrap().to_owned()).collect()
}

/// The sets follow the declaration without any facts, also of roles that start at boot. A name may be that of a role that shares
/// another one.
#[test]
fn sets_in_both_languages() {
    let kdl = "stack \"s\" engine=\"e\"\nengine \"e\" profile=\"llama.cpp-b11669\" bin=\"/b\"\n\
        gateway \"g\" port=8000 kind=\"llama-swap\" bin=\"/b/swap\" {\n    set \"code\" \"embed\"\n    set \"exact\" \"code\" \"chat\"\n    set \"embed\"\n}\n\
        model \"m\" file=\"/m.gguf\"\n\
        role \"code\" model=\"m\" residency=\"warm\" gateway=\"g\" context=512\n\
        role \"chat\" model=\"m\" residency=\"hot\" gateway=\"g\" context=512\n\
        role \"embed\" model=\"m\" residency=\"warm\" gateway=\"g\" context=512\n\
        role \"other\" model=\"m\" residency=\"hot\" gateway=\"g\" context=512\n\
        role \"exact\" shares=\"code\"\n";
    let yaml = "stack: {name: s, engine: e}\nengines: {e: {profile: llama.cpp-b11669, bin: /b}}\n\
        gateways:\n  g:\n    port: 8000\n    kind: llama-swap\n    bin: /b/swap\n    set:\n\
        \x20     - roles: [code, embed]\n      - [exact, code, chat]\n      - embed\n\
        models: {m: {file: /m.gguf}}\nroles:\n\
        \x20 code: {model: m, residency: warm, gateway: g, context: 512}\n\
        \x20 chat: {model: m, residency: hot, gateway: g, context: 512}\n\
        \x20 embed: {model: m, residency: warm, gateway: g, context: 512}\n\
        \x20 other: {model: m, residency: hot, gateway: g, context: 512}\n\
        \x20 exact: {shares: code}\n";
    let yaml = yaml
        .replace("- [exact, code, chat]", "- roles: [exact, code, chat]")
        .replace("- embed\n", "- roles: embed\n");
    for compiled in [compile(&[("a.kdl", kdl)]), compile(&[("a.yaml", &yaml)])] {
        assert!(compiled.findings.is_empty(), "{}", compiled.report());
        assert_eq!(sets_of(&compiled), ["code & embed", "code & chat", "other"]);
        assert_eq!(compiled.checked().derived().gateways[0].most, 2);
    }
    // One set alone is a list of names in YAML.
    let (before, after) = yaml.split_once("\n      - roles").unwrap();
    let one = format!("{before} [code, embed]\nmodels{}", after.split_once("\nmodels").unwrap().1);
    assert_eq!(sets_of(&compile(&[("a.yaml", &one)])), ["code & embed", "chat", "other"]);
}

/// A set that is part of another one, a repeated set, and the same set in another order change nothing.
#[test]
fn sets_that_add_nothing_are_left_out() {
    let text = registry("", &[1; 3], 0, &[0b1, 0b11, 0b11])
        .replace("set \"r0\"\n", "set \"r1\" \"r0\"\nset \"r0\"\n");
    assert_eq!(sets_of(&compile(&[("a.kdl", &text)])), ["r0 & r1", "r2"]);
}

/// A lock with the same facts for the models of three roles.
fn lock() -> String {
    let model = |n: usize| {
        format!(
            r#""m{n}": {{"architecture": "qwen2", "file": "/m{n}.gguf", "header": "0", "size": 4400000000,
            "parameters": {{"attention.head_count": 28, "attention.head_count_kv": 4, "block_count": 28,
            "context_length": 32768, "embedding_length": 3584, "feed_forward_length": 18944}},
            "tensors": {{"bytes": {{"f32": 1000000, "q4_K": 3600000000, "q6_K": 790000000}}, "in_rows_of_8":
            {{"q4_K": 3600000000, "q6_K": 790000000}}, "output": {{"q6_K": 447000000}}}},
            "vocabulary": {{"size": 152064, "type": "gpt2"}}}}"#
        )
    };
    let models: Vec<String> = (0..3).map(model).collect();
    format!("{{\"format_version\": 1, \"models\": {{{}}}}}", models.join(","))
}

/// With a lock, the sum of a set has the caches and buffers of its roles.
#[test]
fn the_sum_of_a_declared_set_has_the_facts_of_the_lock() {
    let with = |memory: &str, sets: &[Mask]| {
        let text = registry(&format!("memory=\"{memory}\" reserve=\"0 B\""), &[4; 3], 0, sets);
        compile(&[("a.kdl", &text.replace("4 GB", "4.4 GB")), ("registry.lock", &lock())])
    };
    let total = |sets: &[Mask]| {
        let compiled = with("900 GB", sets);
        compiled.checked().derived().loads().of_hosts()[0].total(MemoryScope::HOST).0
    };
    let one = total(&[0b1]);
    assert!(one > 4_450_000_000, "{one}");
    assert_eq!((total(&[0b11, 0b110]), total(&[0b111])), (2 * one, 3 * one));
    let over = |memory: u64| {
        let compiled = with(&format!("{memory} B"), &[0b11, 0b100]);
        let findings = compiled.findings.findings().iter();
        let found = findings.filter(|one| one.code.name == "over-host-memory").cloned().collect::<Vec<_>>();
        (found, compiled)
    };
    assert!(over(2 * one).0.is_empty());
    let (found, compiled) = over(2 * one - 1);
    let [finding] = found.as_slice() else { panic!("{}", compiled.report()) };
    assert_eq!(finding.help[0], "remove `r1` from the `set` with `r0`, so that fewer roles run together");
    assert_help_fits(&compiled).unwrap();
}

#[test]
fn more_sets_than_possible_are_an_error() {
    let sets: Vec<Mask> = (0..201).map(|n| 1 << (n % 5) | 1 << (5 + n % 7)).collect();
    let compiled = compile(&[("a.kdl", &registry("", &[1; 12], 0, &sets))]);
    let [finding] = compiled.findings.findings() else { panic!("{}", compiled.report()) };
    assert_eq!(
        (finding.code.name, &*finding.message),
        ("out-of-range", "gateway `g` has 201 sets, but at most 200 are possible")
    );
    assert_eq!(compile(&[("a.kdl", &registry("", &[1; 12], 0, &sets[1..]))]).codes(), <[&str; 0]>::default());
}

/// Sets of another gateway on the same host are computed from the memory that the declared ones leave.
#[test]
fn computed_sets_leave_room_for_declared_ones() {
    let mut text = registry("memory=\"10 GB\" reserve=\"0 B\"", &[3, 3], 0, &[0b11])
        + "gateway \"f\" port=8001 kind=\"llama-swap\" bin=\"/b/swap\" backend=19000\nresidency \"many\" start=\"on-demand\" at-once=9\n";
    for n in 0..3 {
        writeln!(text, "model \"n{n}\" size=\"2 GB\" file=\"/n{n}.gguf\"").unwrap();
        writeln!(text, "role \"x{n}\" model=\"n{n}\" residency=\"many\" gateway=\"f\" context=512").unwrap();
    }
    let compiled = compile(&[("a.kdl", &text)]);
    let (_, config) = config(&compiled, "f");
    let sets: BTreeSet<&str> =
        mapping(&config, &["matrix", "sets"]).values().filter_map(Value::as_str).collect();
    assert_eq!(sets, BTreeSet::from(["x0 & x1", "x0 & x2", "x1 & x2"]));
}
