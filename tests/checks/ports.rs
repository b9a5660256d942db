//! Who meets whom on a port.

use super::{beside, gives, labelled, only};
use crate::support::compile;

const CONFLICT: &[&str] = &["port-conflict"];

/// A served role that asks for a key, wherever it listens.
fn role(name: &str, rest: &str) -> String {
    super::role(name, &format!("key-file=\"/etc/keys/k\" {rest}"))
}

fn warm(name: &str, rest: &str) -> String {
    role(name, rest).replace("\"hot\"", "\"warm\"")
}

#[test]
fn one_number_on_two_addresses_is_legal() {
    gives(&[], &role("x", "port=8000 listen=\"10.0.0.1\""));
    gives(&[], &role("x", "port=8000 listen=\"::1\""));
    gives(&[], "service \"x\" port=8000 listen=\"10.0.0.1\"");
    gives(CONFLICT, &role("x", "port=8000 listen=\"127.0.0.1\""));
    gives(CONFLICT, "service \"x\" port=8000");
}

#[test]
fn an_address_that_stands_for_all_meets_every_other() {
    for all in ["0.0.0.0", "::"] {
        gives(CONFLICT, &role("x", &format!("port=8000 listen=\"{all}\"")));
        gives(CONFLICT, &format!("service \"x\" port=8000 listen=\"{all}\""));
        let two =
            [role("x", "port=9000 listen=\"10.0.0.1\""), role("y", &format!("port=9000 listen=\"{all}\""))];
        gives(CONFLICT, &two.concat());
    }
    let finding = only(&role("x", "port=8000 listen=\"::\""));
    assert_eq!(finding.notes, ["`127.0.0.1` and `::` meet: one of them stands for every address"]);
}

#[test]
fn one_address_is_one_however_it_is_spelled() {
    let two = |a: &str, b: &str| {
        [role("x", &format!("port=9000 listen=\"{a}\"")), role("y", &format!("port=9000 listen=\"{b}\""))]
            .concat()
    };
    gives(CONFLICT, &two("::1", "0:0:0:0:0:0:0:1"));
    gives(CONFLICT, &two("fe80::A", "FE80:0::000a"));
    gives(CONFLICT, &two("::ffff:127.0.0.1", "127.0.0.1"));
    gives(&[], &two("fe80::a", "fe80::b"));
}

#[test]
fn ranges_meet_where_they_overlap_and_are_said_once() {
    let two = |a: &str, b: &str| {
        [role("x", &format!("ports=\"{a}\"")), role("y", &format!("ports=\"{b}\""))].concat()
    };
    gives(CONFLICT, &two("9000-9005", "9003-9008"));
    gives(CONFLICT, &two("9000-9005", "9000-9005"));
    gives(CONFLICT, &two("9000-9005", "9005"));
    gives(&[], &two("9000-9004", "9005-9008"));
    gives(&["port-conflict"; 2], &(two("9000-9005", "9003-9008") + "service \"s\" port=9002"));
}

#[test]
fn hidden_ports_meet_what_listens_on_the_loopback() {
    gives(&[], &warm("x", "port=9000"));
    gives(CONFLICT, &(warm("x", "port=9000") + "service \"s\" port=19000"));
    gives(CONFLICT, &(warm("x", "port=9000") + "service \"s\" port=19000 listen=\"0.0.0.0\""));
    gives(&[], &(warm("x", "port=9000") + "service \"s\" port=19000 listen=\"10.0.0.1\""));
    gives(CONFLICT, &(warm("x", "port=9000") + &role("y", "port=19000")));
    gives(CONFLICT, &(warm("x", "ports=\"9000-9003\"") + &role("y", "port=19003")));
    gives(CONFLICT, &(warm("x", "port=9000 backend=9001") + &warm("y", "port=9001 backend=9002")));
    gives(CONFLICT, &(warm("x", "port=9000 backend=9010") + &warm("y", "port=9001 backend=9010")));
    // Its own socket, on every address.
    gives(CONFLICT, &warm("x", "port=9000 backend=9000"));
    // A role that starts at boot has none.
    gives(&[], &(role("x", "port=9000") + &role("y", "port=19000")));
    let finding = only(&(warm("x", "port=9000") + &role("y", "port=19000")));
    assert_eq!(
        finding.message,
        "the backend of role `x` and role `y` both listen on port 19000 of host `box`"
    );
    assert_eq!(finding.subject.unwrap().name, "x");
    assert_eq!(finding.help, ["give the on-demand role another `backend`"]);
}

#[test]
fn a_role_that_listens_twice_is_told_so() {
    let finding = only(&role("x", "port=9000 { listen \"10.0.0.1\" \"10.0.0.1\" }"));
    assert_eq!(finding.message, "role `x` listens twice on port 9000 of host `box`");
    gives(CONFLICT, &role("x", "ports=\"9000-9009\" { listen \"0.0.0.0\" \"127.0.0.1\" }"));
}

#[test]
fn a_role_that_shares_listens_nowhere() {
    gives(&[], "role \"x\" tier=\"A\" shares=\"basic\"\nrole \"y\" tier=\"A\" shares=\"basic\"");
}

#[test]
fn two_hosts_have_ports_of_their_own() {
    let text = "stack \"s\" engine=\"e\"\nengine \"e\" profile=\"llama.cpp-b11434\" bin=\"/b\"\nhost \"a\" memory=\"9 GB\"\nhost \"b\" memory=\"9 GB\"\n\
        tier \"A\" title=\"a\"\nresidency \"hot\" title=\"h\" start=\"boot\"\nfamily \"f\" arch=\"llama\"\n\
        model \"plain\" family=\"f\" title=\"M\" quant=\"q\" size=\"1 GB\" file=\"/m\"\n";
    let on = |host: &str| role(&format!("on-{host}"), &format!("port=9000 host=\"{host}\""));
    let both = compile(&[("a.kdl", &format!("{text}{}{}", on("a"), on("b")))]);
    assert!(both.findings.is_empty(), "{}", both.report());
    let one = compile(&[("a.kdl", &format!("{text}{}service \"s\" host=\"b\" port=9000", on("b")))]);
    assert_eq!(one.codes(), ["port-conflict"]);
}

#[test]
fn the_other_listener_is_shown_in_its_own_file() {
    let compiled = beside(&role("x", "port=8000"));
    let finding = &compiled.findings.findings()[0];
    let expected =
        [("case.kdl", "8000"), ("base.kdl", "8000")].map(|(file, text)| (file.to_owned(), text.to_owned()));
    assert_eq!(labelled(&compiled, finding), expected);
    assert_eq!(finding.secondary[0].text, "role `basic` listens here");
}

#[test]
fn a_place_that_meets_many_is_said_once_and_shows_some() {
    let service = |port: u32| format!("service \"s{port}\" port={port}\n");
    let services: Vec<String> = (9000..9020).map(service).collect();
    let finding = only(&(services.concat() + &role("x", "ports=\"9000-9999\"")));
    assert_eq!(finding.message, "role `x` and service `s9000` both listen on port 9000 of host `box`");
    assert_eq!(finding.secondary.len(), 6);
}

/// Half a thousand million pairs of an address and a port, which nobody may go through one by one.
#[test]
fn every_port_of_many_addresses_takes_no_time() {
    let address = |n: u32| format!(" \"10.0.{}.{}\"", n / 250, n % 250);
    let addresses = (0..2000).map(address).collect::<Vec<_>>().concat();
    let roles: String = (0..4)
        .map(|n| {
            role(&format!("x{n}"), "ports=\"1-65535\"").replace('\n', &format!(" {{ listen{addresses} }}\n"))
        })
        .collect();
    let compiled = beside(&roles);
    assert_eq!(compiled.codes().iter().filter(|code| **code == "port-conflict").count(), 3);
}
