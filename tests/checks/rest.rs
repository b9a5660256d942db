//! Sharing, nodes, expectations, idle times, and places in other files.

use super::{beside, gives, labelled, only, role};

#[test]
fn a_role_shares_one_that_is_served() {
    gives(&["shares-a-sharer"], "role \"x\" tier=\"A\" shares=\"x\"");
    gives(&["shares-a-sharer"], "role \"l\" tier=\"A\" model=\"plain\"\nrole \"x\" tier=\"A\" shares=\"l\"");
    gives(&["shares-a-sharer"; 2], "role \"x\" tier=\"A\" shares=\"y\"\nrole \"y\" tier=\"A\" shares=\"x\"");
    let finding = only("role \"x\" tier=\"A\" shares=\"basic\"\nrole \"y\" tier=\"A\" shares=\"x\"");
    assert_eq!(finding.message, "role `y` shares `x`, which shares `basic`");
    assert_eq!(finding.help, ["share `basic`"]);
}

#[test]
fn a_node_has_to_be_there() {
    let on = |numa: &str| role("x", &format!("port=9000 {{ placement numa=\"{numa}\" }}"));
    for sound in ["bind 1", "interleave", "interleave 0,1", "spread"] {
        gives(&[], &on(sound));
    }
    for missing in ["bind 2", "interleave 1,2"] {
        gives(&["unknown-node"], &on(missing));
    }
    assert_eq!(only(&on("bind 2")).help, ["name one of its nodes: `0` or `1`"]);
}

#[test]
fn an_expectation_holds_or_says_what_it_found() {
    gives(&[], "expect \"e\" role=\"basic\" port=8000\nexpect \"f\" residency=\"hot\" fits=\"21.9 GB\"");
    let finding = only("expect \"e\" role=\"basic\" port=8002");
    assert_eq!(finding.message, "expectation `e` does not hold: role `basic` listens on 8000");
    let finding = only("expect \"f\" residency=\"hot\" fits=\"21.8 GB\"");
    assert_eq!(finding.message, "expectation `f` does not hold: `hot` takes 21.9 GB, not 21.8 GB");
    gives(&[], &(role("r", "ports=\"9000-9003\"") + "expect \"e\" role=\"r\" port=9002"));
    gives(
        &["failed-expectation"],
        "role \"l\" tier=\"A\" model=\"plain\"\nexpect \"e\" role=\"l\" port=9002",
    );
}

#[test]
fn a_hidden_port_has_to_exist() {
    let warm = |rest: &str| role("x", rest).replace("\"hot\"", "\"warm\"");
    gives(&[], &warm("port=55535"));
    gives(&["missing-backend-port"], &warm("port=55536"));
    gives(&[], &warm("port=55536 backend=40000"));
    gives(&["missing-backend-port"], &warm("ports=\"55530-55536\""));
    gives(&["missing-backend-port"], &warm("ports=\"9000-9003\" backend=65533"));
    gives(&[], &role("x", "port=55536"));
}

#[test]
fn idle_is_for_what_starts_on_demand() {
    gives(&["idle-at-boot"], "residency \"r\" title=\"t\" start=\"boot\" idle=\"5 min\"");
    gives(&[], "residency \"r\" title=\"t\" start=\"on-demand\"");
}

#[test]
fn secondary_places_lie_in_the_files_that_they_speak_of() {
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
        let compiled = beside(&text);
        let [finding] = compiled.findings.findings() else { panic!("{}", compiled.report()) };
        let expected = [("case.kdl", expected[0]), ("base.kdl", expected[1])];
        let labels = labelled(&compiled, finding);
        let labels: Vec<(&str, &str)> =
            labels.iter().map(|(file, text)| (file.as_str(), text.as_str())).collect();
        assert_eq!(labels, expected);
    }
}
