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

/// The address of a host, or the codes of the findings about it.
fn address(text: &str) -> Result<String, Vec<&'static str>> {
    let (registry, compiled) =
        lower(&[("a.kdl", &format!("host \"a\" memory=\"64 GB\" address={text:?}\n"))]);
    let codes: Vec<&str> =
        compiled.codes().into_iter().filter(|code| !["missing-item", "unused-item"].contains(code)).collect();
    let host = registry.hosts.iter().next().and_then(|host| host.address.clone());
    if codes.is_empty() { Ok(host.unwrap().value.to_string()) } else { Err(codes) }
}

#[test]
fn the_address_of_a_host_is_a_number_or_a_dns_name() {
    let label = "a".repeat(63);
    let long = [&*label, &label, &label, &"a".repeat(61)].join(".");
    assert_eq!(long.len(), 253);
    for (text, read) in [
        ("10.0.0.7", "10.0.0.7"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("::1", "::1"),
        ("big", "big"),
        ("Big.Example.ORG", "big.example.org"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("7.example.b7", "7.example.b7"),
        ("a-b", "a-b"),
        (&*long, &*long),
    ] {
        assert_eq!(address(text).as_deref(), Ok(read), "{text}");
    }
    let wrong = [
        "10.0.0.256",
        "10.0.0",
        "1",
        "big.7",
        "-a",
        "a-",
        "a..b",
        ".a",
        "a.",
        "big_box",
        "bücher.example",
        "a b",
        "big:80",
        "http://big",
        "user@big",
        "",
        &"a".repeat(64),
        &(long.clone() + "b"),
    ];
    for text in wrong {
        assert!(address(text).is_err(), "{text}");
    }
}

#[test]
fn a_wrong_address_of_a_host_is_reported_with_the_reason() {
    for (text, reason) in [
        ("big_box.lan", "with `_`, which a DNS name cannot have"),
        ("10.0.0.256", "which ends in a number, but is not an IP address"),
        (&*"a".repeat(64), "which is longer than a DNS name can be: 253 characters, and 63 between dots"),
        ("bücher", "which is not an IP address or a DNS name"),
    ] {
        let (_, compiled) = lower(&[("a.kdl", &format!("host \"a\" memory=\"64 GB\" address={text:?}\n"))]);
        let expected = format!("`address` of host `a` is `{text}`, {reason}");
        let mut all = compiled.findings.findings().iter();
        assert!(all.any(|finding| finding.message == expected), "{expected}: {}", compiled.report());
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
