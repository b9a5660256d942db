//! Conflicts of ports.

use super::{assert_codes, compile_with_base, label_texts, single_finding};
use crate::support::compile;

const CONFLICT: &[&str] = &["port-conflict"];

/// A served role with a key file, so that it may listen on any address.
fn role(name: &str, rest: &str) -> String {
    super::role(name, &format!("key-file=\"/etc/keys/k\" {rest}"))
}

fn warm(name: &str, rest: &str) -> String {
    role(name, rest).replace("\"hot\"", "\"warm\"")
}

#[test]
fn two_addresses_may_have_the_same_port() {
    assert_codes(&[], &role("x", "port=8000 listen=\"10.0.0.1\""));
    assert_codes(&[], &role("x", "port=8000 listen=\"::1\""));
    assert_codes(&[], "service \"x\" port=8000 listen=\"10.0.0.1\"");
    assert_codes(CONFLICT, &role("x", "port=8000 listen=\"127.0.0.1\""));
    assert_codes(CONFLICT, "service \"x\" port=8000");
}

#[test]
fn a_wildcard_address_conflicts_with_every_other_of_its_version() {
    for (all, one) in [("0.0.0.0", "10.0.0.1"), ("::", "fd00::1")] {
        assert_codes(CONFLICT, &role("x", &format!("port=8000 listen=\"{all}\"")));
        assert_codes(CONFLICT, &format!("service \"x\" port=8000 listen=\"{all}\""));
        let two = [
            role("x", &format!("port=9000 listen=\"{one}\"")),
            role("y", &format!("port=9000 listen=\"{all}\"")),
        ];
        assert_codes(CONFLICT, &two.concat());
    }
    let two = |one: &str, other: &str| {
        [role("x", &format!("port=9000 {{ {one} }}")), role("y", &format!("port=9000 {{ {other} }}"))]
            .concat()
    };
    assert_codes(&[], &two("listen \"0.0.0.0\"", "listen \"::1\""));
    assert_codes(&[], &two("listen \"0.0.0.0\"", "listen \"fd00::1\" \"::1\""));
    // A server with two addresses binds `::` without the IPv4 addresses.
    assert_codes(&[], &two("listen \"::\" \"10.0.0.1\"", "listen \"127.0.0.1\""));
    assert_codes(&[], &role("x", "port=9000 { listen \"0.0.0.0\" \"::\" }"));
}

#[test]
fn the_only_address_of_a_server_includes_ipv4_if_it_is_the_ipv6_wildcard() {
    let finding = single_finding(&role("x", "port=8000 listen=\"::\""));
    assert_eq!(finding.notes, ["`127.0.0.1` and `::` overlap: `::` alone also includes every IPv4 address"]);
    let lan = role("y", "port=9000 listen=\"0.0.0.0\"");
    assert_codes(CONFLICT, &(role("x", "port=9000 listen=\"::\"") + &lan));
    // A socket of systemd leaves the IPv4 addresses to others.
    assert_codes(&[], &(warm("x", "port=9000 listen=\"::\"") + &lan));
    let served = compile_with_base(&warm("x", "port=9000 listen=\"::\"")).files();
    let socket = served.iter().find(|(path, _)| path.ends_with("-x.socket")).unwrap();
    assert!(socket.1.0.contains("BindIPv6Only=ipv6-only\n"), "{}", socket.1.0);
}

#[test]
fn different_spellings_are_one_address() {
    let two = |a: &str, b: &str| {
        [role("x", &format!("port=9000 listen=\"{a}\"")), role("y", &format!("port=9000 listen=\"{b}\""))]
            .concat()
    };
    assert_codes(CONFLICT, &two("::1", "0:0:0:0:0:0:0:1"));
    assert_codes(CONFLICT, &two("fe80::A", "FE80:0::000a"));
    assert_codes(CONFLICT, &two("::ffff:127.0.0.1", "127.0.0.1"));
    assert_codes(&[], &two("fe80::a", "fe80::b"));
}

#[test]
fn overlapping_port_ranges_give_one_finding() {
    let two = |a: &str, b: &str| {
        [role("x", &format!("ports=\"{a}\"")), role("y", &format!("ports=\"{b}\""))].concat()
    };
    assert_codes(CONFLICT, &two("9000-9005", "9003-9008"));
    assert_codes(CONFLICT, &two("9000-9005", "9000-9005"));
    assert_codes(CONFLICT, &two("9000-9005", "9005"));
    assert_codes(&[], &two("9000-9004", "9005-9008"));
    assert_codes(&["port-conflict"; 2], &(two("9000-9005", "9003-9008") + "service \"s\" port=9002"));
}

#[test]
fn backend_ports_conflict_with_other_ports_on_loopback() {
    assert_codes(&[], &warm("x", "port=9000"));
    assert_codes(CONFLICT, &(warm("x", "port=9000") + "service \"s\" port=19000"));
    assert_codes(CONFLICT, &(warm("x", "port=9000") + "service \"s\" port=19000 listen=\"0.0.0.0\""));
    assert_codes(&[], &(warm("x", "port=9000") + "service \"s\" port=19000 listen=\"10.0.0.1\""));
    assert_codes(CONFLICT, &(warm("x", "port=9000") + &role("y", "port=19000")));
    assert_codes(CONFLICT, &(warm("x", "ports=\"9000-9003\"") + &role("y", "port=19003")));
    assert_codes(CONFLICT, &(warm("x", "port=9000 backend=9001") + &warm("y", "port=9001 backend=9002")));
    assert_codes(CONFLICT, &(warm("x", "port=9000 backend=9010") + &warm("y", "port=9001 backend=9010")));
    // The backend conflicts with the socket of the same role.
    assert_codes(CONFLICT, &warm("x", "port=9000 backend=9000"));
    // A role that starts at boot has no backend.
    assert_codes(&[], &(role("x", "port=9000") + &role("y", "port=19000")));
    let finding = single_finding(&(warm("x", "port=9000") + &role("y", "port=19000")));
    assert_eq!(
        finding.message,
        "the backend of role `x` and role `y` both listen on port 19000 of host `box`"
    );
    assert_eq!(finding.subject.unwrap().name, "x");
    assert_eq!(finding.help, ["write `backend=19001` in role `x`"]);
}

#[test]
fn a_role_that_listens_twice_on_a_port_is_reported() {
    let finding = single_finding(&role("x", "port=9000 { listen \"10.0.0.1\" \"10.0.0.1\" }"));
    assert_eq!(finding.message, "role `x` listens twice on port 9000 of host `box`");
    assert_codes(CONFLICT, &role("x", "ports=\"9000-9009\" { listen \"0.0.0.0\" \"127.0.0.1\" }"));
}

#[test]
fn a_role_that_shares_another_does_not_listen() {
    assert_codes(&[], "role \"x\" tier=\"A\" shares=\"basic\"\nrole \"y\" tier=\"A\" shares=\"basic\"");
}

#[test]
fn two_hosts_may_use_the_same_port() {
    let text = "stack \"s\" engine=\"e\"\nengine \"e\" profile=\"llama.cpp-b11434\" bin=\"/b\"\nhost \"a\" memory=\"90 GB\"\nhost \"b\" memory=\"90 GB\"\n\
        tier \"A\" title=\"a\"\nresidency \"hot\" title=\"h\" start=\"boot\"\nfamily \"f\" arch=\"llama\"\n\
        model \"plain\" family=\"f\" title=\"M\" quant=\"q\" size=\"1 GB\" file=\"/m\"\n";
    let on = |host: &str| role(&format!("on-{host}"), &format!("port=9000 host=\"{host}\""));
    let both = compile(&[("a.kdl", &format!("{text}{}{}", on("a"), on("b")))]);
    assert!(both.findings.is_empty(), "{}", both.report());
    let one = compile(&[("a.kdl", &format!("{text}{}service \"s\" host=\"b\" port=9000", on("b")))]);
    assert_eq!(one.codes(), ["port-conflict"]);
}

#[test]
fn the_other_listener_is_labeled_in_its_file() {
    let compiled = compile_with_base(&role("x", "port=8000"));
    let finding = &compiled.findings.findings()[0];
    let expected =
        [("case.kdl", "8000"), ("base.kdl", "8000")].map(|(file, text)| (file.to_owned(), text.to_owned()));
    assert_eq!(label_texts(&compiled, finding), expected);
    assert_eq!(finding.secondary[0].text, "role `basic` listens here");
}

#[test]
fn a_port_range_with_many_conflicts_gives_one_finding_with_few_labels() {
    let service = |port: u32| format!("service \"s{port}\" port={port}\n");
    let services: Vec<String> = (9000..9020).map(service).collect();
    let finding =
        single_finding(&(services.concat() + &role("x", "ports=\"9000-9999\" prompt-cache=\"0 B\"")));
    assert_eq!(finding.message, "role `x` and service `s9000` both listen on port 9000 of host `box`");
    assert_eq!(finding.secondary.len(), 6);
}

/// 4 roles with 2000 addresses and 65535 ports each are 500 million pairs: too many to visit one by one.
#[test]
fn all_ports_on_many_addresses_are_checked_quickly() {
    let address = |n: u32| format!(" \"10.0.{}.{}\"", n / 250, n % 250);
    let addresses = (0..2000).map(address).collect::<Vec<_>>().concat();
    let roles: String = (0..4)
        .map(|n| {
            role(&format!("x{n}"), "ports=\"1-65535\"").replace('\n', &format!(" {{ listen{addresses} }}\n"))
        })
        .collect();
    let compiled = compile_with_base(&roles);
    assert_eq!(compiled.codes().iter().filter(|code| **code == "port-conflict").count(), 3);
}
