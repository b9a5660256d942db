//! Memory of hosts and of their nodes: what is summed, and that one cause is one finding.

use super::{gives, only, role};
use std::fmt::Write as _;

const HOST: &[&str] = &["over-host-memory"];
const NODE: &[&str] = &["over-node-memory"];
const LOCKED: &[&str] = &["locked-over-node"];

/// Residencies without a budget, and a host of their own with two nodes.
fn far(memory: &str, nodes: [&str; 2], rest: &str) -> String {
    format!(
        "host \"far\" memory=\"{memory}\" reserve=\"0 B\" {rest} {{ numa 0 memory=\"{}\"; numa 1 memory=\"{}\" }}\n\
        residency \"open\" title=\"o\" start=\"boot\"\nresidency \"asked\" title=\"a\" start=\"on-demand\"\n",
        nodes[0], nodes[1]
    )
}

/// A host that is one node.
fn plain(memory: &str, reserve: &str) -> String {
    far("900 GB", ["1 GB", "1 GB"], "").replace("\"far\"", "\"other\"")
        + &format!("host \"far\" memory=\"{memory}\" {reserve}\n")
}

fn model(name: &str, size: &str) -> String {
    format!(
        "model \"{name}\" family=\"qwen2\" title=\"{name}-title\" quant=\"q\" size=\"{size}\" file=\"{name}.gguf\"\n"
    )
}

fn on(name: &str, model: &str, ports: &str, placement: &str) -> String {
    let placement = if placement.is_empty() { String::new() } else { format!("{{ placement {placement} }}") };
    role(name, &format!("ports=\"{ports}\" host=\"far\" {placement}"))
        .replace("\"plain\"", &format!("\"{model}\""))
        .replace("\"hot\"", "\"open\"")
}

fn asked(role: &str) -> String {
    role.replace("\"open\"", "\"asked\"")
}

#[test]
fn a_host_holds_its_files_beside_the_reserve() {
    let roles = model("m", "10 GB") + &on("a", "m", "1", "") + &on("b", "m", "2", "");
    gives(&[], &(plain("10.6 GB", "") + &roles));
    gives(HOST, &(plain("10.5 GB", "") + &roles));
    gives(&[], &(plain("12 GB", "reserve=\"2 GB\"") + &roles));
    gives(HOST, &(plain("12 GB", "reserve=\"2.1 GB\"") + &roles));
    gives(HOST, &(plain("12 GB", "reserve=\"100 percent\"") + &roles));
    let finding = only(&(plain("12 GB", "reserve=\"2.1 GB\"") + &roles));
    assert_eq!(
        finding.message,
        "host `far` has to hold 10 GB, 0.1 GB over the 9.9 GB that its reserve leaves"
    );
    assert_eq!(finding.subject.unwrap().kind, "host");
}

#[test]
fn residencies_and_services_are_summed_line_by_line() {
    let text = plain("20 GB", "reserve=\"1 GB\"")
        + &model("m", "10 GB")
        + &model("n", "6 GB")
        + &on("a", "m", "1", "")
        + &asked(&on("b", "n", "2", ""))
        + &asked(&on("c", "m", "3", ""))
        + "service \"db\" host=\"far\" memory=\"4 GB\"\nservice \"quiet\" host=\"far\"\n";
    let finding = only(&text);
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
            "take role `b` off the host, which frees 6 GB",
            "let fewer roles of residency `asked` run at a time, with `at-once` 1",
            "lower `reserve`: 0 B are left for it",
        ]
    );
}

#[test]
fn what_is_advised_fits() {
    let roles: String = (1..=6).fold(String::new(), |mut all, n| {
        let name = format!("m{n}");
        write!(all, "{}{}", model(&name, &format!("{n} GB")), asked(&on(&name, &name, &n.to_string(), "")))
            .unwrap();
        all
    });
    let text = plain("16 GB", "reserve=\"1 GB\"") + &roles;
    let finding = only(&text);
    assert!(finding.help[0].starts_with("take role `m6` off the host"), "{:?}", finding.help);
    assert_eq!(finding.help[1], "let fewer roles of residency `asked` run at a time, with `at-once` 3");
    assert_eq!(finding.help[2], "give the host 22 GB of memory");
    gives(&[], &text.replace("start=\"on-demand\"", "start=\"on-demand\" at-once=3"));
    gives(HOST, &text.replace("start=\"on-demand\"", "start=\"on-demand\" at-once=4"));
    gives(&[], &text.replace("16 GB", "22 GB"));
    let percent = plain("16 GB", "reserve=\"10%\"") + &roles;
    assert_eq!(only(&percent).help[2], "give the host 23.4 GB of memory");
    gives(&[], &percent.replace("16 GB", "23.4 GB"));
}

#[test]
fn a_service_alone_can_be_too_large() {
    let finding = only(&(plain("4 GB", "") + "service \"db\" host=\"far\" memory=\"5 GB\"\n"));
    assert_eq!((finding.code.name, finding.help.len()), ("over-host-memory", 1));
}

#[test]
fn locked_files_and_projectors_count_once_a_process() {
    let four = |placement: &str| model("m", "10 GB") + &on("a", "m", "1-4", placement);
    gives(&[], &(plain("10 GB", "reserve=\"0 B\"") + &four("")));
    gives(HOST, &(plain("39 GB", "reserve=\"0 B\"") + &four("lock=#true")));
    gives(&[], &(plain("40 GB", "reserve=\"0 B\"") + &four("lock=#true")));
    let seer = four("").replace("file=\"m.gguf\"", "file=\"m.gguf\" { projector \"p.gguf\" size=\"1 GB\" }");
    gives(HOST, &(plain("13 GB", "reserve=\"0 B\"") + &seer));
    gives(&[], &(plain("14 GB", "reserve=\"0 B\"") + &seer));
    let finding = only(&(plain("13 GB", "reserve=\"0 B\"") + &seer));
    assert!(finding.notes[0].contains("m-title (projector), 4 copies"), "{}", finding.notes[0]);
}

#[test]
fn budgets_are_not_summed_and_one_that_is_overrun_is_the_cause() {
    let text = |budget: &str, memory: &str| {
        plain(memory, "reserve=\"0 B\"")
            .replace("start=\"boot\"", &format!("start=\"boot\" budget=\"{budget}\""))
            + &model("m", "10 GB")
            + &model("n", "3 GB")
            + &on("a", "m", "1", "")
            + &on("b", "n", "2", "")
    };
    gives(&[], &text("900 GB", "13 GB"));
    gives(&["over-budget"], &text("12 GB", "12 GB"));
    // Too small even for the budget.
    let mut both = ["over-budget", "over-host-memory"];
    both.sort_unstable();
    let compiled = super::beside(&text("12 GB", "11 GB"));
    let mut codes = compiled.codes();
    codes.sort_unstable();
    assert_eq!(codes, both, "{}", compiled.report());
    // A budget beyond the host would be no cure.
    assert_eq!(only(&text("12 GB", "12 GB")).help, ["move role `b` to another residency, which frees 3 GB"]);
}

#[test]
fn a_node_holds_what_is_bound_to_it_or_interleaved_over_it() {
    let nodes = || far("90 GB", ["10 GB", "40 GB"], "");
    let one = |placement: &str| nodes() + &model("m", "20 GB") + &on("a", "m", "1", placement);
    gives(NODE, &one("numa=\"bind 0\""));
    gives(&[], &one("numa=\"bind 1\""));
    gives(&[], &one("numa=\"interleave\""));
    gives(&[], &one("numa=\"interleave 0,1\""));
    gives(NODE, &one("numa=\"interleave 0\""));
    gives(NODE, &one("numa=\"interleave\"").replace("20 GB", "20.2 GB"));
    // Placed nowhere, so it is not known which node has it.
    gives(&[], &one(""));
    // The first of the instances is on the small node; two instances do not tell where a mapped file lies.
    gives(NODE, &one("numa=\"spread\""));
    gives(&[], &one("numa=\"spread\"").replace("ports=\"1\"", "ports=\"1-2\""));
    let finding =
        only(&(one("numa=\"bind 0\"") + &model("n", "1 GB") + &on("b", "n", "2", "numa=\"interleave\"")));
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
fn a_mapped_file_counts_on_a_node_where_all_its_readers_are_placed_alike() {
    let text = |second: &str| {
        far("90 GB", ["10 GB", "40 GB"], "")
            + &model("m", "12 GB")
            + &on("a", "m", "1", "numa=\"bind 0\"")
            + &on("b", "m", "2", second)
    };
    gives(NODE, &text("numa=\"bind 0\""));
    for other in ["", "numa=\"bind 1\"", "numa=\"interleave\""] {
        gives(&[], &text(other));
    }
    let left = super::beside(&text(""));
    assert!(left.findings.not_checked().iter().any(|left| left.check == "over-node-memory"));
}

#[test]
fn locked_memory_is_held_against_the_node_by_process() {
    let text = |ports: &str, placement: &str| {
        far("90 GB", ["10 GB", "40 GB"], "") + &model("m", "4 GB") + &on("a", "m", ports, placement)
    };
    gives(&[], &text("1-2", "numa=\"bind 0\" lock=#true"));
    gives(LOCKED, &text("1-3", "numa=\"bind 0\" lock=#true"));
    gives(&[], &text("1-3", "numa=\"bind 0\""));
    gives(&[], &text("1-5", "numa=\"interleave\" lock=#true"));
    gives(LOCKED, &text("1-6", "numa=\"interleave\" lock=#true"));
    // Round the nodes: the third and the fifth are on the first one too.
    gives(&[], &text("1-4", "numa=\"spread\" lock=#true"));
    gives(LOCKED, &text("1-5", "numa=\"spread\" lock=#true"));
    // Locked and mapped together are too many, locked alone are not.
    let both =
        text("1", "numa=\"bind 0\" lock=#true") + &model("n", "7 GB") + &on("b", "n", "7", "numa=\"bind 0\"");
    gives(NODE, &both);
    let finding = only(&text("1-3", "numa=\"bind 0\" lock=#true"));
    assert_eq!(
        finding.message,
        "files locked on NUMA node 0 of host `far` take 12 GB, 2 GB over its memory of 10 GB"
    );
}

#[test]
fn a_host_or_a_budget_that_is_too_small_is_said_and_not_its_nodes() {
    let roles = model("m", "60 GB") + &on("a", "m", "1", "numa=\"bind 0\"");
    gives(HOST, &(far("50 GB", ["10 GB", "40 GB"], "") + &roles));
    let budget =
        far("90 GB", ["30 GB", "40 GB"], "").replace("start=\"boot\"", "start=\"boot\" budget=\"20 GB\"");
    gives(&["over-budget"], &(budget + &roles));
}

#[test]
fn the_largest_on_a_node_count_where_not_all_run_at_once() {
    let text = far("90 GB", ["10 GB", "40 GB"], "").replace("start=\"boot\"", "start=\"boot\" at-once=1")
        + &model("m", "6 GB")
        + &model("n", "30 GB")
        + &on("a", "m", "1", "numa=\"bind 0\"")
        + &on("b", "m", "2", "numa=\"bind 0\" lock=#true")
        + &on("c", "n", "3", "numa=\"bind 1\"");
    gives(&[], &text);
    gives(NODE, &text.replace("at-once=1", "at-once=2"));
}

#[test]
fn nodes_have_no_more_memory_than_their_host() {
    let host = |memory: &str| far(memory, ["10 GB", "40 GB"], "");
    gives(&[], &host("50 GB"));
    gives(&["node-memory-over-host"], &host("49.9 GB"));
    assert_eq!(
        only(&host("49 GB")).message,
        "2 NUMA nodes of host `far` have 50 GB, 1 GB more than the 49 GB of the host"
    );
}
