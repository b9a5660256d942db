//! Values of fields: sets of CPUs, and defaults that the table of fields declares.

use crate::support::{compile, lower};
use orchgen::hir::{CpuList, Share};

fn cpus(text: &str) -> CpuList {
    CpuList::parse(text).unwrap_or_else(|| panic!("{text}"))
}

/// The common CPUs and the remaining ones are the whole list, and they have nothing in common.
#[test]
fn intersection_and_difference_divide_a_list() {
    let lists = ["0-47,96-143", "0", "3-5,7", "40-100", "144-200", "0-8191", "1,3,5,7-9"];
    for (one, other) in lists.iter().flat_map(|one| lists.iter().map(move |other| (cpus(one), cpus(other)))) {
        let (common, rest) = (one.intersection(&other), one.difference(&other));
        assert_eq!(CpuList::union([&common, &rest]), one, "{one} and {other}");
        assert!(rest.intersection(&other).is_empty(), "{one} and {other}");
        assert_eq!(common, other.intersection(&one), "{one} and {other}");
    }
    assert_eq!(cpus("0-9").difference(&cpus("3-5")).to_string(), "0-2,6-9");
    assert_eq!(cpus("0-9,20").intersection(&cpus("8-20")).to_string(), "8-9,20");
}

/// A field that is absent or unreadable has the default of its table.
#[test]
fn a_default_in_the_table_is_the_value_of_an_absent_field() {
    for smt in ["", " smt=900"] {
        let (registry, _) = lower(&[("a.kdl", &format!("host \"a\" memory=\"64 GB\"{smt}\n"))]);
        let host = registry.hosts.iter().next().unwrap();
        assert_eq!((host.smt, host.systemd.value, host.reserve), (1, 252, Share::Percent(5)));
    }
}

/// The name of a claim is a DNS subdomain. A help writes the nearest one.
#[test]
fn the_name_of_a_claim_is_a_dns_name() {
    let longest = format!("{}.{}.b.c", "a".repeat(124), "a".repeat(124));
    for name in ["models", "m", "0.models-1.big", &longest] {
        let (registry, _) = lower(&[("a.kdl", &format!("store \"a\" path=\"/a\" claim=\"{name}\"\n"))]);
        let store = registry.stores.iter().next().unwrap();
        assert_eq!(store.claim.as_ref().map(|claim| &*claim.value), Some(name));
    }
    let too_long = format!("{longest}d");
    for (name, better) in [
        ("Models", "models"),
        ("my_models.", "my-models"),
        ("-a-.-b", "a.b"),
        ("..", "models"),
        ("\u{e9}", "models"),
        (&too_long, "models"),
    ] {
        let compiled = compile(&[("a.kdl", &format!("store \"a\" path=\"/a\" claim=\"{name}\"\n"))]);
        let found = compiled.findings.findings().iter().find(|finding| finding.code.name == "out-of-range");
        let found = found.unwrap_or_else(|| panic!("{name}: {}", compiled.report()));
        assert!(found.help[0].ends_with(&format!("`claim=\"{better}\"`")), "{name}: {:?}", found.help);
    }
}
