//! Threads, CPUs, cpusets and NUMA nodes.

use super::{assert_codes, compile_with_base, label_texts, role, single_finding};

/// A role with a placement on the host of the base.
fn placed(name: &str, port: u16, placement: &str) -> String {
    role(name, &format!("port={port} {{ placement {placement} }}"))
}

/// A host `far` with two nodes of four CPUs each, and more fields.
fn host_with_nodes(more: &str) -> String {
    format!("host \"far\" memory=\"64 GB\" {{ numa 0 cpus=\"0-3\"; numa 1 cpus=\"4-7\"; {more} }}\n")
}

fn on_far(name: &str, port: u16, placement: &str) -> String {
    placed(name, port, placement)
        .replace("role \"", "role \"on-")
        .replace("residency", "host=\"far\" residency")
}

#[test]
fn a_role_has_at_most_as_many_batch_threads_as_cpus() {
    let batch = |threads: u32, placement: &str| {
        placed("x", 9000, placement).replace("port=9000", &format!("port=9000 threads-batch={threads}"))
    };
    // Reading a prompt may use both hardware threads of each core.
    assert_codes(&[], &batch(16, "numa=\"bind 0\" threads=8"));
    let finding = single_finding(&batch(17, "numa=\"bind 0\" threads=8"));
    assert_eq!(finding.code.name, "more-threads-than-cpus");
    assert_eq!(finding.message, "role `x` has 17 batch threads for 16 CPUs: 0-7,16-23");
    assert_eq!(finding.help, ["write `threads-batch=16`"]);
}

#[test]
fn threads_are_distributed_over_several_nodes_and_no_chosen_cpus() {
    assert_codes(&[], &placed("x", 9000, "numa=\"distribute\""));
    let finding = single_finding(&placed("x", 9000, "numa=\"distribute\" cpus=\"0-7\" threads=4"));
    assert_eq!(finding.code.name, "conflicting-fields");
    assert_eq!(finding.help, ["remove `cpus=\"0-7\"`", "or remove `numa=\"distribute\"`"]);
    let host = "host \"far\" memory=\"64 GB\" cpus=\"0-7\"\n".to_owned();
    let finding = single_finding(&(host + &on_far("x", 9000, "numa=\"distribute\"")));
    assert_eq!(finding.code.name, "unknown-node");
    assert_eq!(finding.help, ["remove `numa=\"distribute\"`"]);
}

#[test]
fn a_role_has_at_most_as_many_threads_as_cpus() {
    let many = &["more-threads-than-cpus"];
    for (fits, most) in [("cpus=\"0-3\"", 4), ("numa=\"bind 1\" cpus=\"8-11\"", 4)] {
        assert_codes(&[], &placed("x", 9000, &format!("{fits} threads={most}")));
        assert_codes(many, &placed("x", 9000, &format!("{fits} threads={}", most + 1)));
    }
    // Each of the two nodes has 16 CPUs. Interleaved memory does not restrict the CPUs of a role.
    assert_codes(many, &placed("x", 9000, "numa=\"bind 0\" threads=17"));
    assert_codes(many, &placed("x", 9000, "numa=\"spread\" threads=17"));
    for all in ["threads=33", "numa=\"interleave\" threads=33", "numa=\"interleave 0\" threads=33"] {
        assert_codes(many, &placed("x", 9000, all));
    }
    assert_codes(&[], &placed("x", 9000, "numa=\"interleave 0\" threads=16"));
    let finding = single_finding(&placed("x", 9000, "numa=\"bind 0\" threads=17"));
    assert_eq!(finding.message, "role `x` has 17 threads for 16 CPUs: 0-7,16-23");
    assert_eq!(finding.help, ["write `threads=8`, one per physical core"]);
    let finding = single_finding(&placed("x", 9000, "cpus=\"3\" threads=2"));
    assert_eq!(
        (finding.message.as_str(), finding.help[0].as_str()),
        ("role `x` has 2 threads for 1 CPU: 3", "write `threads=1`")
    );
}

#[test]
fn more_threads_than_physical_cores_are_a_note_if_the_cores_are_known() {
    let note = &["more-threads-than-cores"];
    for (placement, cores) in [("numa=\"bind 0\"", 8), ("numa=\"interleave\"", 16), ("cpus=\"0-31\"", 16)] {
        assert_codes(&[], &placed("x", 9000, &format!("{placement} threads={cores}")));
        assert_codes(note, &placed("x", 9000, &format!("{placement} threads={}", cores + 1)));
        assert_codes(note, &placed("x", 9000, &format!("{placement} threads={}", 2 * cores)));
    }
    // The number of physical cores in 0-6 depends on the machine.
    assert_codes(&[], &placed("x", 9000, "cpus=\"0-6\" threads=7"));
    // This host has one hardware thread per core.
    assert_codes(&[], &(host_with_nodes("") + &on_far("x", 9000, "numa=\"bind 0\" threads=4")));
    let compiled = compile_with_base(&placed("x", 9000, "numa=\"bind 0\" threads=9"));
    assert!(compiled.checked.is_some(), "a note does not stop the build");
    assert_eq!(compiled.findings.findings()[0].message, "role `x` has 9 threads for 8 physical cores");
}

#[test]
fn the_smallest_node_limits_the_threads_of_spread_instances() {
    let host = "host \"far\" memory=\"64 GB\" { numa 0 cpus=\"0-7\"; numa 1 cpus=\"8-9\" }\n".to_owned();
    let spread = |ports: &str| {
        on_far("x", 9000, "numa=\"spread\" threads=3").replace("port=9000", &format!("ports=\"{ports}\""))
    };
    assert_codes(&[], &(host.clone() + &spread("9000")));
    assert_codes(&["more-threads-than-cpus"], &(host.clone() + &spread("9000-9005")));
    // The first node has too few cores and the second too few CPUs: one cause, one finding.
    let paired = host.replace("memory=", "smt=2 memory=");
    let five = spread("9000-9005").replace("threads=3", "threads=5");
    assert_codes(&["more-threads-than-cpus"], &(paired + &five));
}

#[test]
fn threads_of_the_defaults_give_one_finding() {
    let text = crate::language::BASE.replace(
        "engine=\"llama.cpp\"\nengine",
        "engine=\"llama.cpp\" { defaults { placement threads=99 } }\nengine",
    );
    let compiled = crate::support::compile(&[("base.kdl", &text)]);
    assert_eq!(compiled.codes(), ["more-threads-than-cpus"], "{}", compiled.report());
}

#[test]
fn threads_of_roles_are_not_summed_and_a_host_may_declare_no_cpus() {
    let both = placed("x", 9000, "cpus=\"0-7\" threads=8") + &placed("y", 9001, "cpus=\"0-7\" threads=8");
    assert_codes(&[], &both);
    assert_codes(&[], &("host \"far\" memory=\"64 GB\"\n".to_owned() + &on_far("x", 9000, "threads=900")));
}

#[test]
fn only_roles_that_name_an_exclusive_cpuset_may_use_its_cpus() {
    let quiet =
        host_with_nodes("cpuset \"quiet\" cpus=\"2-3\" exclusive=#true; cpuset \"loud\" cpus=\"4-7\"");
    let with_roles = |roles: &[String]| quiet.clone() + &roles.concat();
    let owner = || on_far("owner", 9000, "cpus=\"quiet\" threads=2");
    assert_codes(&[], &with_roles(&[owner(), on_far("second", 9001, "cpus=\"quiet\" threads=2")]));
    assert_codes(&[], &with_roles(&[owner().replace("port=9000", "ports=\"9000-9003\"")]));
    assert_codes(
        &[],
        &with_roles(&[
            owner(),
            on_far("free", 9001, "numa=\"interleave\""),
            on_far("loud", 9002, "cpus=\"loud\""),
        ]),
    );
    let conflict = &["exclusive-cpus"];
    assert_codes(conflict, &with_roles(&[owner(), on_far("x", 9001, "cpus=\"0-2\" threads=3")]));
    assert_codes(conflict, &with_roles(&[on_far("x", 9001, "cpus=\"2-3\" threads=2")]));
    assert_codes(conflict, &with_roles(&[on_far("x", 9001, "numa=\"bind 0\"")]));
    assert_codes(
        conflict,
        &with_roles(&[on_far("x", 9001, "numa=\"spread\"").replace("port=9001", "ports=\"9001-9004\"")]),
    );
    assert_codes(&[], &with_roles(&[on_far("x", 9001, "numa=\"bind 1\"")]));
    // The cpuset belongs to another host.
    assert_codes(
        &[],
        &with_roles(&[
            placed("x", 9001, "cpus=\"2-3\" threads=2").replace("residency", "host=\"box\" residency")
        ]),
    );
}

#[test]
fn a_finding_on_exclusive_cpus_names_the_cpus_and_the_fix() {
    let quiet = host_with_nodes("cpuset \"quiet\" cpus=\"2-3\" exclusive=#true");
    let compiled = compile_with_base(&(quiet.clone() + &on_far("x", 9001, "cpus=\"0-2\" threads=3")));
    let finding = &compiled.findings.findings()[0];
    assert_eq!(finding.message, "role `on-x` uses CPU 2 of the exclusive cpuset `quiet` of host `far`");
    assert_eq!(
        finding.help,
        [
            "write `cpus=\"0-1\"` and `threads=2`",
            "or write `cpus=\"quiet\"` and `threads=2` to use the set `quiet`"
        ]
    );
    let places: Vec<String> = label_texts(&compiled, finding).into_iter().map(|(_, text)| text).collect();
    assert_eq!(places, ["\"0-2\"", "\"2-3\""]);
    let finding = |role: &str| single_finding(&(quiet.clone() + role)).help;
    assert_eq!(
        finding(&on_far("x", 9001, "cpus=\"3\" threads=1")),
        ["write `cpus=\"quiet\"` to use the set `quiet`"]
    );
    assert_eq!(
        finding(&on_far("x", 9001, "numa=\"bind 0\"")),
        ["write `cpus=\"0-1\"`", "or write `cpus=\"quiet\"` to use the set `quiet`"]
    );
}

#[test]
fn a_service_may_use_a_whole_exclusive_cpuset_if_no_role_does() {
    let quiet = host_with_nodes("cpuset \"quiet\" cpus=\"2-3\" exclusive=#true");
    let service = |cpus: &str| format!("{quiet}service \"s\" host=\"far\" cpus=\"{cpus}\"\n");
    assert_codes(&["exclusive-cpus"], &service("0-2"));
    assert_codes(&["exclusive-cpus"], &service("3"));
    assert_codes(&[], &service("4-7"));
    assert_codes(&[], &service("2-3"));
    assert_codes(&["exclusive-cpus"], &(service("2-3") + &on_far("x", 9001, "cpus=\"quiet\" threads=2")));
    assert_eq!(single_finding(&service("0-2")).subject.unwrap().kind, "service");
}

#[test]
fn cpusets_that_overlap_an_exclusive_one_are_reported_without_their_roles() {
    let sets = |a: &str, b: &str| {
        host_with_nodes(&format!("cpuset \"a\" cpus=\"0-2\"{a}; cpuset \"b\" cpus=\"2-4\"{b}"))
    };
    let closed = " exclusive=#true";
    assert_codes(&[], &sets("", ""));
    for (a, b) in [(closed, ""), ("", closed), (closed, closed)] {
        assert_codes(&["exclusive-cpus"], &sets(a, b));
        assert_codes(
            &["exclusive-cpus"],
            &(sets(a, b)
                + &on_far("x", 9001, "cpus=\"a\" threads=1")
                + &on_far("y", 9002, "cpus=\"b\" threads=1")),
        );
    }
    let finding = single_finding(&sets("", closed));
    assert_eq!(finding.message, "cpuset `b` of host `far` is exclusive, but `a` also has its CPU 2");
}

#[test]
fn memory_bound_to_another_node_than_the_cpus_is_far() {
    let far = &["far-memory"];
    assert_codes(&[], &placed("x", 9000, "numa=\"bind 0\" cpus=\"0-3,16-19\" threads=4"));
    assert_codes(far, &placed("x", 9000, "numa=\"bind 0\" cpus=\"8-11\" threads=4"));
    assert_codes(far, &placed("x", 9000, "numa=\"bind 0\" cpus=\"0-15\" threads=16"));
    assert_codes(&[], &placed("x", 9000, "numa=\"interleave\" cpus=\"8-11\" threads=4"));
    assert_codes(&[], &placed("x", 9000, "numa=\"interleave 0\" cpus=\"8-11\" threads=4"));
    let spread = |ports: &str| {
        placed("x", 9000, "numa=\"spread\" cpus=\"0-3\" threads=4")
            .replace("port=9000", &format!("ports=\"{ports}\""))
    };
    assert_codes(&[], &spread("9000"));
    assert_codes(far, &spread("9000-9001"));
    let finding = single_finding(&placed("x", 9000, "numa=\"bind 0\" cpus=\"0-15\" threads=16"));
    assert_eq!(
        finding.message,
        "role `x` runs on CPUs 8-15 of NUMA node 1, but its memory is bound to node 0"
    );
    // A node without a list of CPUs may have any. An unknown node is another finding.
    let host = "host \"far\" memory=\"64 GB\" cpus=\"0-7\" { numa 0; numa 1 cpus=\"4-7\" }\n".to_owned();
    assert_codes(&[], &(host + &on_far("x", 9000, "numa=\"bind 0\" cpus=\"4-7\" threads=4")));
    assert_codes(&["unknown-node"], &placed("x", 9000, "numa=\"bind 7\" cpus=\"8-11\" threads=4"));
}

#[test]
fn unknown_cpus_are_reported_at_the_item_that_lists_them() {
    let lacking = &["unknown-cpu"];
    assert_codes(lacking, &host_with_nodes("cpuset \"s\" cpus=\"6-9\""));
    assert_codes(
        lacking,
        &(host_with_nodes("cpuset \"s\" cpus=\"6-9\"") + &on_far("x", 9000, "cpus=\"s\" threads=2")),
    );
    assert_codes(lacking, &(host_with_nodes("") + "service \"s\" host=\"far\" cpus=\"8\""));
    assert_codes(&[], &(host_with_nodes("") + "service \"s\" host=\"far\" cpus=\"0-7\""));
    assert_codes(
        lacking,
        "host \"far\" memory=\"64 GB\" cpus=\"0-7\" { numa 0 cpus=\"0-3\"; numa 1 cpus=\"4-8\" }",
    );
    assert_codes(&[], "host \"far\" memory=\"64 GB\" { cpuset \"s\" cpus=\"6-9\" }");
    assert_eq!(
        single_finding(&host_with_nodes("cpuset \"s\" cpus=\"6-9\"")).message,
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
    assert_codes(&[], &host("4-7", "12"));
    assert_codes(&["overlapping-nodes"], &host("4-8", "12"));
    assert_codes(&["overlapping-nodes"; 2], &host("4-8", "8"));
    assert_eq!(
        single_finding(&host("4-9", "12")).message,
        "NUMA nodes 0 and 1 of host `far` both have CPUs 8-9"
    );
}
