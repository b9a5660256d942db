//! Threads, CPUs and sets of CPUs, and the nodes that they are on.

use super::{beside, gives, labelled, only, role};

/// A role on the base's host with a placement.
fn placed(name: &str, port: u16, placement: &str) -> String {
    role(name, &format!("port={port} {{ placement {placement} }}"))
}

/// A host with four CPUs on each of two nodes, and something more.
fn far(more: &str) -> String {
    format!("host \"far\" memory=\"64 GB\" {{ numa 0 cpus=\"0-3\"; numa 1 cpus=\"4-7\"; {more} }}\n")
}

fn on_far(name: &str, port: u16, placement: &str) -> String {
    placed(name, port, placement)
        .replace("role \"", "role \"on-")
        .replace("residency", "host=\"far\" residency")
}

#[test]
fn threads_are_held_against_the_cpus_that_a_role_is_held_to() {
    let many = &["more-threads-than-cpus"];
    for (fits, most) in [("cpus=\"0-3\"", 4), ("numa=\"bind 1\" cpus=\"8-11\"", 4)] {
        gives(&[], &placed("x", 9000, &format!("{fits} threads={most}")));
        gives(many, &placed("x", 9000, &format!("{fits} threads={}", most + 1)));
    }
    // 16 CPUs on each node, 32 in all; interleaved memory holds a role to none of them.
    gives(many, &placed("x", 9000, "numa=\"bind 0\" threads=17"));
    gives(many, &placed("x", 9000, "numa=\"spread\" threads=17"));
    for all in ["threads=33", "numa=\"interleave\" threads=33", "numa=\"interleave 0\" threads=33"] {
        gives(many, &placed("x", 9000, all));
    }
    gives(&[], &placed("x", 9000, "numa=\"interleave 0\" threads=16"));
    let finding = only(&placed("x", 9000, "numa=\"bind 0\" threads=17"));
    assert_eq!(finding.message, "role `x` has 17 threads for 16 CPUs: 0-7,16-23");
    assert_eq!(finding.help, ["use 8, one a physical core, or at most 16"]);
    let finding = only(&placed("x", 9000, "cpus=\"3\" threads=2"));
    assert_eq!(
        (finding.message.as_str(), finding.help[0].as_str()),
        ("role `x` has 2 threads for 1 CPU: 3", "use at most 1")
    );
}

#[test]
fn more_threads_than_cores_are_a_note_where_cores_can_be_counted() {
    let note = &["more-threads-than-cores"];
    for (placement, cores) in [("numa=\"bind 0\"", 8), ("numa=\"interleave\"", 16), ("cpus=\"0-31\"", 16)] {
        gives(&[], &placed("x", 9000, &format!("{placement} threads={cores}")));
        gives(note, &placed("x", 9000, &format!("{placement} threads={}", cores + 1)));
        gives(note, &placed("x", 9000, &format!("{placement} threads={}", 2 * cores)));
    }
    // Which of these share a core depends on the machine.
    gives(&[], &placed("x", 9000, "cpus=\"0-6\" threads=7"));
    // One hardware thread a core.
    gives(&[], &(far("") + &on_far("x", 9000, "numa=\"bind 0\" threads=4")));
    let compiled = beside(&placed("x", 9000, "numa=\"bind 0\" threads=9"));
    assert!(compiled.checked.is_some(), "a note stops nothing");
    assert_eq!(compiled.findings.findings()[0].message, "role `x` has 9 threads for 8 physical cores");
}

#[test]
fn the_smallest_node_counts_where_instances_are_spread() {
    let host = "host \"far\" memory=\"64 GB\" { numa 0 cpus=\"0-7\"; numa 1 cpus=\"8-9\" }\n".to_owned();
    let spread = |ports: &str| {
        on_far("x", 9000, "numa=\"spread\" threads=3").replace("port=9000", &format!("ports=\"{ports}\""))
    };
    gives(&[], &(host.clone() + &spread("9000")));
    gives(&["more-threads-than-cpus"], &(host.clone() + &spread("9000-9005")));
    // The first node has too few cores and the second too few CPUs, which is one cause.
    let paired = host.replace("memory=", "smt=2 memory=");
    let five = spread("9000-9005").replace("threads=3", "threads=5");
    gives(&["more-threads-than-cpus"], &(paired + &five));
}

#[test]
fn threads_of_the_defaults_are_said_once() {
    let text = crate::language::BASE.replace(
        "engine=\"llama.cpp\"\nengine",
        "engine=\"llama.cpp\" { defaults { placement threads=99 } }\nengine",
    );
    let compiled = crate::support::compile(&[("base.kdl", &text)]);
    assert_eq!(compiled.codes(), ["more-threads-than-cpus"], "{}", compiled.report());
}

#[test]
fn threads_are_not_summed_and_nothing_is_known_of_a_host_without_cpus() {
    let both = placed("x", 9000, "cpus=\"0-7\" threads=8") + &placed("y", 9001, "cpus=\"0-7\" threads=8");
    gives(&[], &both);
    gives(&[], &("host \"far\" memory=\"64 GB\"\n".to_owned() + &on_far("x", 9000, "threads=900")));
}

#[test]
fn an_exclusive_set_is_for_those_who_name_it() {
    let quiet = far("cpuset \"quiet\" cpus=\"2-3\" exclusive=#true; cpuset \"loud\" cpus=\"4-7\"");
    let beside = |roles: &[String]| quiet.clone() + &roles.concat();
    let owner = || on_far("owner", 9000, "cpus=\"quiet\" threads=2");
    gives(&[], &beside(&[owner(), on_far("second", 9001, "cpus=\"quiet\" threads=2")]));
    gives(&[], &beside(&[owner().replace("port=9000", "ports=\"9000-9003\"")]));
    gives(
        &[],
        &beside(&[
            owner(),
            on_far("free", 9001, "numa=\"interleave\""),
            on_far("loud", 9002, "cpus=\"loud\""),
        ]),
    );
    let taken = &["exclusive-cpus"];
    gives(taken, &beside(&[owner(), on_far("x", 9001, "cpus=\"0-2\" threads=3")]));
    gives(taken, &beside(&[on_far("x", 9001, "cpus=\"2-3\" threads=2")]));
    gives(taken, &beside(&[on_far("x", 9001, "numa=\"bind 0\"")]));
    gives(
        taken,
        &beside(&[on_far("x", 9001, "numa=\"spread\"").replace("port=9001", "ports=\"9001-9004\"")]),
    );
    gives(&[], &beside(&[on_far("x", 9001, "numa=\"bind 1\"")]));
    // Another host has CPUs of its own.
    gives(
        &[],
        &beside(
            &[placed("x", 9001, "cpus=\"2-3\" threads=2").replace("residency", "host=\"box\" residency")],
        ),
    );
}

#[test]
fn who_takes_exclusive_cpus_is_told_which_and_what_to_do() {
    let quiet = far("cpuset \"quiet\" cpus=\"2-3\" exclusive=#true");
    let compiled = beside(&(quiet.clone() + &on_far("x", 9001, "cpus=\"0-2\" threads=3")));
    let finding = &compiled.findings.findings()[0];
    assert_eq!(finding.message, "role `on-x` runs on CPU 2, exclusive to cpuset `quiet` of host `far`");
    assert_eq!(finding.help, ["leave 2 out of `cpus`"]);
    let places: Vec<String> = labelled(&compiled, finding).into_iter().map(|(_, text)| text).collect();
    assert_eq!(places, ["\"0-2\"", "\"2-3\""]);
    let finding = |role: &str| only(&(quiet.clone() + role)).help;
    assert_eq!(finding(&on_far("x", 9001, "cpus=\"3\" threads=1")), ["name the set: `cpus` `quiet`"]);
    assert_eq!(
        finding(&on_far("x", 9001, "numa=\"bind 0\"")),
        ["give it `cpus` without 2-3, or name the set: `cpus` `quiet`"]
    );
}

#[test]
fn a_service_is_off_exclusive_cpus_unless_the_set_is_its_own() {
    let quiet = far("cpuset \"quiet\" cpus=\"2-3\" exclusive=#true");
    let service = |cpus: &str| format!("{quiet}service \"s\" host=\"far\" cpus=\"{cpus}\"\n");
    gives(&["exclusive-cpus"], &service("0-2"));
    gives(&["exclusive-cpus"], &service("3"));
    gives(&[], &service("4-7"));
    gives(&[], &service("2-3"));
    gives(&["exclusive-cpus"], &(service("2-3") + &on_far("x", 9001, "cpus=\"quiet\" threads=2")));
    assert_eq!(only(&service("0-2")).subject.unwrap().kind, "service");
}

#[test]
fn sets_that_meet_an_exclusive_one_are_said_and_not_the_roles_that_name_them() {
    let sets = |a: &str, b: &str| far(&format!("cpuset \"a\" cpus=\"0-2\"{a}; cpuset \"b\" cpus=\"2-4\"{b}"));
    let closed = " exclusive=#true";
    gives(&[], &sets("", ""));
    for (a, b) in [(closed, ""), ("", closed), (closed, closed)] {
        gives(&["exclusive-cpus"], &sets(a, b));
        gives(
            &["exclusive-cpus"],
            &(sets(a, b)
                + &on_far("x", 9001, "cpus=\"a\" threads=1")
                + &on_far("y", 9002, "cpus=\"b\" threads=1")),
        );
    }
    let finding = only(&sets("", closed));
    assert_eq!(finding.message, "cpuset `b` of host `far` is exclusive, and `a` has its CPU 2");
}

#[test]
fn bound_memory_is_near_its_cpus() {
    let far = &["far-memory"];
    gives(&[], &placed("x", 9000, "numa=\"bind 0\" cpus=\"0-3,16-19\" threads=4"));
    gives(far, &placed("x", 9000, "numa=\"bind 0\" cpus=\"8-11\" threads=4"));
    gives(far, &placed("x", 9000, "numa=\"bind 0\" cpus=\"0-15\" threads=16"));
    gives(&[], &placed("x", 9000, "numa=\"interleave\" cpus=\"8-11\" threads=4"));
    gives(&[], &placed("x", 9000, "numa=\"interleave 0\" cpus=\"8-11\" threads=4"));
    let spread = |ports: &str| {
        placed("x", 9000, "numa=\"spread\" cpus=\"0-3\" threads=4")
            .replace("port=9000", &format!("ports=\"{ports}\""))
    };
    gives(&[], &spread("9000"));
    gives(far, &spread("9000-9001"));
    let finding = only(&placed("x", 9000, "numa=\"bind 0\" cpus=\"0-15\" threads=16"));
    assert_eq!(
        finding.message,
        "role `x` runs on CPUs 8-15 of NUMA node 1, and its memory is bound to node 0"
    );
    // A node without a list of CPUs has some all the same, and a node that is not there is said as such.
    let host = "host \"far\" memory=\"64 GB\" cpus=\"0-7\" { numa 0; numa 1 cpus=\"4-7\" }\n".to_owned();
    gives(&[], &(host + &on_far("x", 9000, "numa=\"bind 0\" cpus=\"4-7\" threads=4")));
    gives(&["unknown-node"], &placed("x", 9000, "numa=\"bind 7\" cpus=\"8-11\" threads=4"));
}

#[test]
fn cpus_that_the_host_lacks_are_said_where_they_are_written() {
    let lacking = &["unknown-cpu"];
    gives(lacking, &far("cpuset \"s\" cpus=\"6-9\""));
    gives(lacking, &(far("cpuset \"s\" cpus=\"6-9\"") + &on_far("x", 9000, "cpus=\"s\" threads=2")));
    gives(lacking, &(far("") + "service \"s\" host=\"far\" cpus=\"8\""));
    gives(&[], &(far("") + "service \"s\" host=\"far\" cpus=\"0-7\""));
    gives(lacking, "host \"far\" memory=\"64 GB\" cpus=\"0-7\" { numa 0 cpus=\"0-3\"; numa 1 cpus=\"4-8\" }");
    gives(&[], "host \"far\" memory=\"64 GB\" { cpuset \"s\" cpus=\"6-9\" }");
    assert_eq!(
        only(&far("cpuset \"s\" cpus=\"6-9\"")).message,
        "cpuset `s` has CPUs 8-9, which host `far` does not have"
    );
}

#[test]
fn a_cpu_is_on_one_node() {
    let host = |b: &str, c: &str| {
        format!(
            "host \"far\" memory=\"64 GB\" {{ numa 0 cpus=\"0-3,8-11\"; numa 1 cpus=\"{b}\"; numa 2 cpus=\"{c}\" }}"
        )
    };
    gives(&[], &host("4-7", "12"));
    gives(&["overlapping-nodes"], &host("4-8", "12"));
    gives(&["overlapping-nodes"; 2], &host("4-8", "8"));
    assert_eq!(only(&host("4-9", "12")).message, "NUMA nodes 0 and 1 of host `far` both have CPUs 8-9");
}
