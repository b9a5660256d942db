//! Memory of hosts and of their NUMA nodes: which parts are summed, and that one cause gives one finding.

use super::{assert_codes, behind_gateway, role, single_finding};
use std::fmt::Write as _;

const HOST: &[&str] = &["over-host-memory"];
const NODE: &[&str] = &["over-node-memory"];
const LOCKED: &[&str] = &["locked-over-node"];

/// A host `far` with two nodes, and two residencies without a budget.
fn host_with_nodes(memory: &str, nodes: [&str; 2], rest: &str) -> String {
    format!(
        "host \"far\" memory=\"{memory}\" reserve=\"0 B\" {rest} {{ numa 0 memory=\"{}\"; numa 1 memory=\"{}\" }}\n\
        residency \"open\" title=\"o\" start=\"boot\"\nresidency \"asked\" title=\"a\" start=\"on-demand\"\n",
        nodes[0], nodes[1]
    )
}

/// A host `far` without nodes.
fn host_without_nodes(memory: &str, reserve: &str) -> String {
    host_with_nodes("900 GB", ["1 GB", "1 GB"], "").replace("\"far\"", "\"other\"")
        + &format!("host \"far\" memory=\"{memory}\" {reserve}\n")
}

fn model(name: &str, size: &str) -> String {
    format!(
        "model \"{name}\" family=\"qwen2\" title=\"{name}-title\" quant=\"q\" size=\"{size}\" file=\"{name}.gguf\"\n"
    )
}

fn placed_role(name: &str, model: &str, ports: &str, placement: &str) -> String {
    let placement = if placement.is_empty() { String::new() } else { format!("{{ placement {placement} }}") };
    role(name, &format!("ports=\"{ports}\" host=\"far\" prompt-cache=\"0 B\" {placement}"))
        .replace("\"plain\"", &format!("\"{model}\""))
        .replace("\"hot\"", "\"open\"")
}

fn on_demand(role: &str) -> String {
    role.replace("\"open\"", "\"asked\"")
}

#[test]
fn files_must_fit_into_the_memory_that_the_reserve_leaves() {
    let roles = model("m", "10 GB") + &placed_role("a", "m", "1", "") + &placed_role("b", "m", "2", "");
    assert_codes(&[], &(host_without_nodes("10.6 GB", "") + &roles));
    assert_codes(HOST, &(host_without_nodes("10.5 GB", "") + &roles));
    assert_codes(&[], &(host_without_nodes("12 GB", "reserve=\"2 GB\"") + &roles));
    assert_codes(HOST, &(host_without_nodes("12 GB", "reserve=\"2.1 GB\"") + &roles));
    assert_codes(HOST, &(host_without_nodes("12 GB", "reserve=\"100 percent\"") + &roles));
    let finding = single_finding(&(host_without_nodes("12 GB", "reserve=\"2.1 GB\"") + &roles));
    assert_eq!(
        finding.message,
        "roles and services of host `far` need 10 GB, but only 9.9 GB are free (12 GB minus 2.1 GB `reserve`)"
    );
    assert_eq!(finding.subject.unwrap().kind, "host");
}

#[test]
fn residencies_and_services_are_summed_line_by_line() {
    let text = host_without_nodes("20 GB", "reserve=\"1 GB\"")
        + &model("m", "10 GB")
        + &model("n", "6 GB")
        + &placed_role("a", "m", "1", "")
        + &on_demand(&placed_role("b", "n", "2", ""))
        + &on_demand(&placed_role("c", "m", "3", ""))
        + "service \"db\" host=\"far\" memory=\"4 GB\"\nservice \"quiet\" host=\"far\"\n";
    let finding = single_finding(&text);
    assert_eq!(
        finding.notes[0].lines().collect::<Vec<_>>(),
        [
            "db       (service)   4 GB   4 GB",
            "a        m-title    10 GB  14 GB",
            "b        n-title     6 GB  20 GB",
            "memory              20 GB",
            "reserve              1 GB",
            "over by              1 GB",
        ]
    );
    assert_eq!(
        finding.help,
        [
            "move role `b` to another host, which frees 6 GB",
            "write `at-once=1` and `gateway \"front\" port=2 host=\"far\"` and `gateway=\"front\"` instead of `port`, so that fewer roles of residency `asked` run at a time",
            "write `reserve=\"0 B\"`",
        ]
    );
}

#[test]
fn the_suggested_changes_fit() {
    let roles: String = (1..=6).fold(String::new(), |mut all, n| {
        let name = format!("m{n}");
        write!(
            all,
            "{}{}",
            model(&name, &format!("{n} GB")),
            on_demand(&placed_role(&name, &name, &n.to_string(), ""))
        )
        .unwrap();
        all
    });
    let text = host_without_nodes("16 GB", "reserve=\"1 GB\"") + &roles;
    let finding = single_finding(&text);
    assert!(finding.help[0].starts_with("move role `m6` to another host"), "{:?}", finding.help);
    assert_eq!(
        finding.help[1],
        "write `at-once=3` and `gateway \"front\" port=1 host=\"far\"` and `gateway=\"front\"` instead of `port`, so that fewer roles of residency `asked` run at a time"
    );
    assert_eq!(finding.help[2], "write `memory=\"22 GB\"`, if the host has that much");
    let routed = behind_gateway(&text, "host=\"far\"");
    let limited = |most: u8| routed.replace("title=\"a\"", &format!("title=\"a\" at-once={most}"));
    assert_codes(&[], &limited(3));
    assert_codes(HOST, &limited(4));
    assert_eq!(
        single_finding(&routed).help[1],
        "write `at-once=3`, so that fewer roles of residency `asked` run at a time"
    );
    assert_codes(&[], &text.replace("16 GB", "22 GB"));
    let percent = host_without_nodes("16 GB", "reserve=\"10%\"") + &roles;
    assert_eq!(single_finding(&percent).help[2], "write `memory=\"23.4 GB\"`, if the host has that much");
    assert_codes(&[], &percent.replace("16 GB", "23.4 GB"));
}

#[test]
fn one_service_can_exceed_the_host() {
    let finding =
        single_finding(&(host_without_nodes("4 GB", "") + "service \"db\" host=\"far\" memory=\"5 GB\"\n"));
    assert_eq!((finding.code.name, finding.help.len()), ("over-host-memory", 1));
}

#[test]
fn locked_files_and_projectors_count_once_per_process() {
    let four = |placement: &str| model("m", "10 GB") + &placed_role("a", "m", "1-4", placement);
    assert_codes(&[], &(host_without_nodes("10 GB", "reserve=\"0 B\"") + &four("")));
    assert_codes(HOST, &(host_without_nodes("39 GB", "reserve=\"0 B\"") + &four("lock=#true")));
    assert_codes(&[], &(host_without_nodes("40 GB", "reserve=\"0 B\"") + &four("lock=#true")));
    let with_projector =
        four("").replace("file=\"m.gguf\"", "file=\"m.gguf\" { projector \"p.gguf\" size=\"1 GB\" }");
    assert_codes(HOST, &(host_without_nodes("13 GB", "reserve=\"0 B\"") + &with_projector));
    assert_codes(&[], &(host_without_nodes("14 GB", "reserve=\"0 B\"") + &with_projector));
    let finding = single_finding(&(host_without_nodes("13 GB", "reserve=\"0 B\"") + &with_projector));
    assert!(finding.notes[0].contains("m-title (projector), 4 copies"), "{}", finding.notes[0]);
}

#[test]
fn budgets_are_not_summed_and_an_exceeded_budget_is_the_cause() {
    let text = |budget: &str, memory: &str| {
        host_without_nodes(memory, "reserve=\"0 B\"")
            .replace("start=\"boot\"", &format!("start=\"boot\" budget=\"{budget}\""))
            + &model("m", "10 GB")
            + &model("n", "3 GB")
            + &placed_role("a", "m", "1", "")
            + &placed_role("b", "n", "2", "")
    };
    assert_codes(&[], &text("900 GB", "13 GB"));
    assert_codes(&["over-budget"], &text("12 GB", "12 GB"));
    // The host is too small even for the budget.
    let mut both = ["over-budget", "over-host-memory"];
    both.sort_unstable();
    let compiled = super::compile_with_base(&text("12 GB", "11 GB"));
    let mut codes = compiled.codes();
    codes.sort_unstable();
    assert_eq!(codes, both, "{}", compiled.report());
    // A budget above the memory of the host is no solution.
    assert_eq!(
        single_finding(&text("12 GB", "12 GB")).help,
        ["move role `b` to another residency, which frees 3 GB"]
    );
}

#[test]
fn a_node_counts_memory_bound_to_it_or_interleaved_over_it() {
    let nodes = || host_with_nodes("90 GB", ["10 GB", "40 GB"], "");
    let one = |placement: &str| nodes() + &model("m", "20 GB") + &placed_role("a", "m", "1", placement);
    assert_codes(NODE, &one("numa=\"bind 0\""));
    assert_codes(&[], &one("numa=\"bind 1\""));
    assert_codes(&[], &one("numa=\"interleave\""));
    assert_codes(&[], &one("numa=\"interleave 0,1\""));
    assert_codes(NODE, &one("numa=\"interleave 0\""));
    assert_codes(NODE, &one("numa=\"interleave\"").replace("20 GB", "20.2 GB"));
    // Without a placement, the node of the file is unknown.
    assert_codes(&[], &one(""));
    // One instance is on the small node. With two instances, the node of a mapped file is unknown.
    assert_codes(NODE, &one("numa=\"spread\""));
    assert_codes(&[], &one("numa=\"spread\"").replace("ports=\"1\"", "ports=\"1-2\""));
    let finding = single_finding(
        &(one("numa=\"bind 0\"") + &model("n", "1 GB") + &placed_role("b", "n", "2", "numa=\"interleave\"")),
    );
    assert_eq!(
        finding.message,
        "roles placed on NUMA node 0 of host `far` take 20.5 GB, 10.5 GB over its memory of 10 GB"
    );
    assert_eq!(
        finding.notes[0].lines().collect::<Vec<_>>(),
        [
            "a                   m-title         20 GB    20 GB",
            "b                   n-title, 1/2   0.5 GB  20.5 GB",
            "memory of the node                  10 GB",
            "over by                           10.5 GB",
        ]
    );
    assert_eq!(finding.help, ["place role `a` on other nodes, which frees 20 GB here"]);
}

#[test]
fn a_mapped_file_counts_on_a_node_if_all_its_readers_share_one_placement() {
    let text = |second: &str| {
        host_with_nodes("90 GB", ["10 GB", "40 GB"], "")
            + &model("m", "12 GB")
            + &placed_role("a", "m", "1", "numa=\"bind 0\"")
            + &placed_role("b", "m", "2", second)
    };
    assert_codes(NODE, &text("numa=\"bind 0\""));
    for other in ["", "numa=\"bind 1\"", "numa=\"interleave\""] {
        assert_codes(&[], &text(other));
    }
    let compiled = super::compile_with_base(&text(""));
    assert!(compiled.findings.not_checked().iter().any(|entry| entry.check == "over-node-memory"));
}

#[test]
fn locked_memory_is_summed_per_process_and_node() {
    let text = |ports: &str, placement: &str| {
        host_with_nodes("90 GB", ["10 GB", "40 GB"], "")
            + &model("m", "4 GB")
            + &placed_role("a", "m", ports, placement)
    };
    assert_codes(&[], &text("1-2", "numa=\"bind 0\" lock=#true"));
    assert_codes(LOCKED, &text("1-3", "numa=\"bind 0\" lock=#true"));
    assert_codes(&[], &text("1-3", "numa=\"bind 0\""));
    assert_codes(&[], &text("1-5", "numa=\"interleave\" lock=#true"));
    assert_codes(LOCKED, &text("1-6", "numa=\"interleave\" lock=#true"));
    // `spread` cycles through the nodes: the third and the fifth instance are on the first node too.
    assert_codes(&[], &text("1-4", "numa=\"spread\" lock=#true"));
    assert_codes(LOCKED, &text("1-5", "numa=\"spread\" lock=#true"));
    // Locked and mapped files together exceed the node, locked files alone do not.
    let both = text("1", "numa=\"bind 0\" lock=#true")
        + &model("n", "7 GB")
        + &placed_role("b", "n", "7", "numa=\"bind 0\"");
    assert_codes(NODE, &both);
    let finding = single_finding(&text("1-3", "numa=\"bind 0\" lock=#true"));
    assert_eq!(
        finding.message,
        "files locked on NUMA node 0 of host `far` take 12 GB, 2 GB over its memory of 10 GB"
    );
}

#[test]
fn a_host_or_a_budget_that_is_too_small_hides_findings_of_its_nodes() {
    let roles = model("m", "60 GB") + &placed_role("a", "m", "1", "numa=\"bind 0\"");
    assert_codes(HOST, &(host_with_nodes("50 GB", ["10 GB", "40 GB"], "") + &roles));
    let budget = host_with_nodes("90 GB", ["30 GB", "40 GB"], "")
        .replace("start=\"boot\"", "start=\"boot\" budget=\"20 GB\"");
    assert_codes(&["over-budget"], &(budget + &roles));
}

#[test]
fn with_at_once_only_the_largest_roles_of_a_node_count() {
    let text = host_with_nodes("90 GB", ["10 GB", "40 GB"], "")
        .replace("title=\"o\"", "title=\"o\" at-once=1")
        + &model("m", "6 GB")
        + &placed_role("a", "m", "1", "")
        + &placed_role("b", "m", "2", "lock=#true");
    let text = behind_gateway(&text, "host=\"far\" { placement numa=\"bind 0\" }");
    assert_codes(&[], &text);
    assert_codes(NODE, &text.replace("at-once=1", "at-once=2"));
}

#[test]
fn nodes_have_at_most_the_memory_of_their_host() {
    let host = |memory: &str| host_with_nodes(memory, ["10 GB", "40 GB"], "");
    assert_codes(&[], &host("50 GB"));
    assert_codes(&["node-memory-over-host"], &host("49.9 GB"));
    assert_eq!(
        single_finding(&host("49 GB")).message,
        "the NUMA nodes of host `far` have 50 GB, 1 GB more than its `memory` of 49 GB"
    );
}
