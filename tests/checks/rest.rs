//! Sharing, NUMA nodes, expectations, backend ports, idle times, and labels in other files.

use super::{assert_codes, compile_with_base, label_texts, role, single_finding};

#[test]
fn a_role_can_share_only_a_served_role() {
    assert_codes(&["shares-a-sharer"], "role \"x\" tier=\"A\" shares=\"x\"");
    assert_codes(
        &["shares-a-sharer"],
        "role \"l\" tier=\"A\" model=\"plain\"\nrole \"x\" tier=\"A\" shares=\"l\"",
    );
    assert_codes(
        &["shares-a-sharer"; 2],
        "role \"x\" tier=\"A\" shares=\"y\"\nrole \"y\" tier=\"A\" shares=\"x\"",
    );
    let finding =
        single_finding("role \"x\" tier=\"A\" shares=\"basic\"\nrole \"y\" tier=\"A\" shares=\"x\"");
    assert_eq!(finding.message, "role `y` shares `x`, which shares `basic`");
    assert_eq!(finding.help, ["write `shares=\"basic\"`"]);
}

#[test]
fn a_role_without_a_port_is_served_as_soon_as_it_has_one() {
    let text = "stack \"s\"\nengine \"l\" profile=\"llama.cpp-b11669\" bin=\"/e\"\nmodel \"m\" file=\"/m.gguf\"\nrole \"chat\" model=\"m\" slots=2 context=512\n";
    let compiled = crate::support::compile(&[("stack.kdl", text)]);
    let [finding] = compiled.findings.findings() else { panic!("{}", compiled.report()) };
    let message = "role `chat` is listed and not served (it has no `port`), so `slots` and `context` would have no effect";
    assert_eq!((finding.code.name, finding.message.as_str()), ("not-served", message));
    assert_eq!(finding.help, ["add `port=8080`", "or remove `slots` and `context`"]);
}

#[test]
fn a_placement_names_existing_nodes() {
    let on = |numa: &str| role("x", &format!("port=9000 {{ placement numa=\"{numa}\" }}"));
    for sound in ["bind 1", "interleave", "interleave 0,1", "spread"] {
        assert_codes(&[], &on(sound));
    }
    for missing in ["bind 2", "interleave 1,2"] {
        assert_codes(&["unknown-node"], &on(missing));
    }
    assert_eq!(single_finding(&on("bind 2")).help, ["write `numa=\"bind 0\"`", "write `numa=\"bind 1\"`"]);
}

#[test]
fn a_failed_expectation_reports_the_actual_value() {
    assert_codes(
        &[],
        "expect \"e\" role=\"basic\" port=8000\nexpect \"f\" residency=\"hot\" fits=\"21.9 GB\"",
    );
    let finding = single_finding("expect \"e\" role=\"basic\" port=8002");
    assert_eq!(finding.message, "expectation `e` failed: role `basic` listens on port 8000");
    let finding = single_finding("expect \"f\" residency=\"hot\" fits=\"21.8 GB\"");
    assert_eq!(finding.message, "expectation `f` failed: residency `hot` needs 21.9 GB, more than 21.8 GB");
    assert_codes(&[], &(role("r", "ports=\"9000-9003\"") + "expect \"e\" role=\"r\" port=9002"));
    assert_codes(
        &["failed-expectation"],
        "role \"l\" tier=\"A\" model=\"plain\"\nexpect \"e\" role=\"l\" port=9002",
    );
}

#[test]
fn a_backend_port_is_at_most_65535() {
    let warm = |rest: &str| role("x", rest).replace("\"hot\"", "\"warm\"");
    assert_codes(&[], &warm("port=55535"));
    assert_codes(&["missing-backend-port"], &warm("port=55536"));
    assert_codes(&[], &warm("port=55536 backend=40000"));
    assert_codes(&["missing-backend-port"], &warm("ports=\"55530-55536\""));
    assert_codes(&["missing-backend-port"], &warm("ports=\"9000-9003\" backend=65533"));
    assert_codes(&[], &role("x", "port=55536"));
}

#[test]
fn only_an_on_demand_residency_has_an_idle_time() {
    assert_codes(&["idle-at-boot"], "residency \"r\" title=\"t\" start=\"boot\" idle=\"5 min\"");
    assert_codes(&[], "residency \"r\" title=\"t\" start=\"on-demand\"");
}

#[test]
fn secondary_labels_are_in_the_file_of_their_item() {
    let cases = [
        (
            role("x", "port=9000")
                .replace("\"plain\"", "\"mixture\"")
                .replace("port=9000", "port=9000 experts=1"),
            ["1", "1"],
        ),
        (role("x", "port=9000 experts=3"), ["3", "\"qwen2\""]),
        ("residency \"HOT\" title=\"t\" start=\"boot\"".to_owned(), ["\"HOT\"", "\"hot\""]),
    ];
    for (text, expected) in cases {
        let compiled = compile_with_base(&text);
        let [finding] = compiled.findings.findings() else { panic!("{}", compiled.report()) };
        let expected = [("case.kdl", expected[0]), ("base.kdl", expected[1])];
        let labels = label_texts(&compiled, finding);
        let labels: Vec<(&str, &str)> =
            labels.iter().map(|(file, text)| (file.as_str(), text.as_str())).collect();
        assert_eq!(labels, expected);
    }
}
