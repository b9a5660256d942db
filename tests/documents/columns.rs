//! The columns that tiers have only if their roles need them, and the document of measured speeds.

use super::gateways::STACK;
use super::{REFERENCE, assert_well_formed, files, rows};
use crate::support::compile;

const RESULTS: &str = "docs/RESULTS.md";

/// The column of a table with this heading, without the two lines of the head.
fn column<'t>(rows: &[&'t str], heading: &str) -> Option<Vec<&'t str>> {
    let cells = |row: &'t str| row.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>();
    let at = cells(rows[0]).iter().position(|cell| *cell == heading)?;
    Some(rows[2..].iter().map(|row| cells(row)[at]).collect())
}

#[test]
fn a_tier_has_addresses_if_one_is_not_loopback() {
    let text = files(&compile(&[("stack.kdl", STACK)])).remove(REFERENCE).unwrap();
    let table = rows(&text, "### Tier t - All");
    let loopback = "127.0.0.1";
    assert_eq!(
        column(&table, "Address").unwrap(),
        [loopback, loopback, loopback, "192.0.2.7", "192.0.2.7", "127.0.0.1, ::1", loopback, loopback]
    );
    let local = STACK.replace(" listen=\"0.0.0.0\" key-file=\"/etc/keys/open\"", "").replace(" \"::1\"", "");
    let text = files(&compile(&[("stack.kdl", &local)])).remove(REFERENCE).unwrap();
    assert_eq!(column(&rows(&text, "### Tier t - All"), "Address"), None, "{text}");
}

#[test]
fn a_tier_has_context_and_slots_of_its_roles() {
    let stack = STACK.replace("role \"alone\" model=\"plain\"", "role \"alone\" model=\"plain\" slots=3");
    let stack =
        stack.replace("role \"local\" model=\"plain\"", "role \"local\" model=\"plain\" context=\"fit\"");
    let text = files(&compile(&[("stack.kdl", &stack)])).remove(REFERENCE).unwrap();
    assert_well_formed(&text);
    let table = rows(&text, "### Tier t - All");
    let contexts = ["512", "512", "512", "512", "512", "as much as fits", "512", "512"];
    assert_eq!(column(&table, "Context").unwrap(), contexts);
    assert_eq!(column(&table, "Slots").unwrap(), ["1", "1", "1", "1", "1", "1", "3", "3"]);
    // Without a known number and without slots there is no column.
    let stack = "stack \"small\" engine=\"e\"\nengine \"e\" profile=\"llama.cpp-b11669\" bin=\"/opt/llama/bin\"\n\
        tier \"t\" title=\"All\"\nmodel \"plain\" arch=\"qwen2\" size=\"4 GB\" file=\"/srv/plain.gguf\"\n\
        role \"chat\" tier=\"t\" model=\"plain\" port=8080";
    let text = files(&compile(&[("stack.kdl", stack)])).remove(REFERENCE).unwrap();
    let table = rows(&text, "### Tier t - All");
    assert_eq!((column(&table, "Context"), column(&table, "Slots")), (None, None), "{text}");
}

#[test]
fn results_mark_stale_speeds() {
    let stack = STACK
        .replace("engine \"e\"", "engine \"old\" profile=\"llama.cpp-b9093\" bin=\"/opt/old\"\nengine \"e\"");
    let stack = stack.replace(
        "role \"alone\" model=\"plain\" port=8003",
        "role \"alone\" model=\"plain\" port=8003 { measured \"~12 t/s\" engine=\"old\" date=\"2026-02-03\" }",
    );
    let stack = stack.replace(
        "role \"local\" model=\"plain\" gateway=\"both\"",
        "role \"local\" model=\"plain\" gateway=\"both\" { measured \"20 t/s\" engine=\"e\" }",
    );
    let stack = stack
        .replace("role \"helper\" shares=\"chat\"", "role \"helper\" shares=\"chat\" measured=\"7 t/s\"");
    let compiled = compile(&[("stack.kdl", &stack)]);
    assert_eq!(compiled.codes(), ["stale-measurement"], "{}", compiled.report());
    let all = files(&compiled);
    let text = &all[RESULTS];
    assert_well_formed(text);
    assert_eq!(
        rows(text, "# Results"),
        [
            "| Role | Model | Quant | Engine | Date | Speed | State |",
            "| --- | --- | --- | --- | --- | --- | --- |",
            "| helper | Plain | — | — | — | 7 t/s | — |",
            "| local | Plain | — | e | — | 20 t/s | current |",
            "| alone | Plain | — | old | 2026-02-03 | ~12 t/s | **stale**: e serves it now |",
        ]
    );
    assert!(all[REFERENCE].contains("[RESULTS.md](RESULTS.md)"));
    let without = files(&compile(&[("stack.kdl", STACK)]));
    assert!(!without.contains_key(RESULTS) && !without[REFERENCE].contains("RESULTS"));
}

#[test]
fn quick_commands_have_paths_and_scripts() {
    let all = files(&compile(&[("small.kdl", include_str!("small.kdl"))]));
    let text = &all[REFERENCE];
    let scripts: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("out/")).collect();
    assert!(scripts.len() > 4, "{text}");
    for script in scripts {
        let path = script.split(' ').next().unwrap();
        assert!(all.contains_key(path), "{path} is not written");
    }
    let quick = text.split("## Quick Commands").nth(1).unwrap();
    assert!(quick.contains("/opt/llama/bin/") && quick.contains("-m /nvme/gguf/mid.gguf"), "{quick}");
    let stack = include_str!("small.kdl").replace("{\n    defaults", "{\n    targets \"docs\"\n    defaults");
    let text = files(&compile(&[("small.kdl", &stack)])).remove(REFERENCE).unwrap();
    assert!(!text.contains("bin/prompt") && text.contains("/opt/llama/bin/"), "{text}");
}
