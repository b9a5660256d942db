//! The options that orchgen writes without an entry in the report, each with the reason.

use super::expectation::Wanted;
use super::options::{Options, plain, title};

/// The options with their values: the defaults of the engine, written out (llama.cpp b11669, `common/common.h`).
const DEFAULTS: &[(&str, &str)] = &[
    ("--batch-size", "2048"),
    ("--ubatch-size", "512"),
    ("--cache-ram", "8192"),
    ("--ctx-checkpoints", "32"),
    ("--spec-type", "none"),
    ("--repack", "on"),
    ("--fit", "on"),
];

/// True for an option that may appear without an entry in the report.
pub(super) fn is_permitted((name, value): (&str, &str), want: &Options, wanted: &Wanted) -> bool {
    let is_given = |spelling: &str| want.values.contains_key(&title(spelling));
    match name {
        // Without a number of slots the engine selects four that share one cache (`server-context.cpp` of b11669).
        "--parallel" => value == "4" && !is_given("--parallel"),
        "--kv-unified" => (value == "on") != is_given("--parallel"),
        // Threads keep the CPUs of a placement.
        "--numa" => value == "numactl" && wanted.placement.is_some(),
        _ => DEFAULTS.iter().any(|(known, default)| title(known) == name && plain(default) == value),
    }
}

/// Values that change the behavior of the engine need an entry.
#[test]
fn only_defaults_are_permitted() {
    let (none, plain) = (Options::default(), Wanted::default());
    let placed = Wanted { placement: Some(("bind".to_owned(), "0".to_owned())), ..Wanted::default() };
    assert!(is_permitted(("--batch-size", "2048"), &none, &plain));
    for (name, value) in [
        ("--fit", "off"),
        ("--cache-ram", "0"),
        ("--parallel", "1"),
        ("--repack", "off"),
        ("--ctx-size", "0"),
    ] {
        assert!(!is_permitted((name, value), &none, &plain), "{name} {value}");
    }
    assert!(!is_permitted(("--numa", "numactl"), &none, &plain));
    assert!(is_permitted(("--numa", "numactl"), &none, &placed));
}
