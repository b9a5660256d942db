//! Peers of gateways: those that are not possible, those that the gateway cannot reach, and names that two servers have.

use super::compile_with_base;
use super::gateways::{assert_helps, only};

/// Two hosts, with a gateway on the first one. `PEERS` are its fields.
const HOSTS: &str = "host \"far\" memory=\"64 GB\" cpus=\"0-7\" address=\"192.0.2.7\"\nhost \"mute\" memory=\"64 GB\" cpus=\"0-7\"\n";

fn stack(peers: &str, more: &str) -> String {
    format!(
        "{HOSTS}gateway \"front\" port=9000 host=\"box\" kind=\"llama-swap\" bin=\"/usr/bin/llama-swap\" PEERS\n\
         role \"near\" tier=\"A\" residency=\"hot\" model=\"plain\" gateway=\"front\" host=\"box\" context=4096\n{more}"
    )
    .replace("PEERS", peers)
}

#[track_caller]
fn assert_codes(text: &str, codes: &[&str]) {
    super::assert_codes(codes, text);
}

/// A role on a host.
fn role(name: &str, host: &str, port: u16, rest: &str) -> String {
    format!(
        "role \"{name}\" tier=\"A\" residency=\"hot\" model=\"plain\" port={port} host=\"{host}\" context=4096 {rest}\n"
    )
}

const OPEN: &str = "listen=\"0.0.0.0\" key-file=\"/etc/keys/far\"";

#[test]
fn a_peer_on_any_host_that_listens_there_is_possible() {
    let swap = "gateway \"other\" port=9100 host=\"far\" kind=\"llama-swap\" bin=\"/usr/bin/llama-swap\" listen=\"192.0.2.7\" key-file=\"/k\" peer=\"front\"\n\
        role \"behind\" tier=\"A\" residency=\"hot\" model=\"plain\" gateway=\"other\" host=\"far\" context=4096\n";
    let router = "gateway \"routed\" port=9200 host=\"far\" listen=\"0.0.0.0\" key-file=\"/k\"\n\
        role \"deep\" tier=\"A\" residency=\"hot\" model=\"plain\" gateway=\"routed\" host=\"far\" context=4096\n";
    let front = "listen=\"192.0.2.1\" key-file=\"/k\" { peer \"other\" \"routed\" \"here\" \"there\" }";
    let more = format!(
        "{swap}{router}{}{}",
        role("here", "box", 9300, ""),
        role("there", "mute", 9300, "listen=\"192.0.2.9\" key-file=\"/k\"")
    );
    assert_codes(&stack(front, &more), &[]);
}

#[test]
fn a_peer_on_another_host_needs_an_address() {
    let far = role("extra", "far", 9300, "");
    assert_helps(
        &stack("peer=\"extra\"", &far),
        &[("write `listen=\"192.0.2.7\"` in role `extra`, and a `key-file`", &["exposed-without-key"])],
    );
    let finding = only(&compile_with_base(&stack("peer=\"extra\"", &far)));
    assert_eq!(
        finding.message,
        "gateway `front` on host `box` cannot reach its peer role `extra` on host `far`: it listens only on loopback"
    );
    let mute = role("extra", "mute", 9300, OPEN);
    let finding = only(&compile_with_base(&stack("peer=\"extra\"", &mute)));
    assert_eq!(finding.code.name, "unreachable-peer");
    assert_eq!(
        finding.help,
        ["write the `address` of host `mute` for other machines, such as `192.168.1.11`"]
    );
    // Its own address is enough.
    assert_codes(&stack("peer=\"extra\"", &mute.replace("0.0.0.0", "192.0.2.9")), &[]);
    assert_codes(&stack("peer=\"extra\"", &role("extra", "far", 9300, OPEN)), &[]);
}

#[test]
fn some_items_are_no_peers() {
    let other = "gateway \"other\" port=9100 host=\"far\" listen=\"0.0.0.0\" key-file=\"/k\"\n\
        role \"behind\" tier=\"A\" residency=\"hot\" model=\"plain\" gateway=\"other\" host=\"far\" context=4096\n\
        role \"listed\" tier=\"A\" model=\"plain\"\n";
    let far = role("extra", "far", 9300, OPEN) + "role \"sharer\" tier=\"A\" shares=\"extra\"\n";
    let more = format!("{other}{far}");
    for (peers, message, helps) in [
        ("peer=\"front\"", "is the gateway itself", &["remove `peer=\"front\"`"][..]),
        ("peer=\"near\"", "is behind the gateway already", &["remove `peer=\"near\"`"]),
        ("peer=\"behind\"", "is behind another gateway", &["remove `peer=\"behind\"`", "or write `other`"]),
        (
            "peer=\"sharer\"",
            "shares the process of another role",
            &["remove `peer=\"sharer\"`", "or write `extra`"],
        ),
        ("peer=\"listed\"", "is not served", &["remove `peer=\"listed\"`"]),
    ] {
        let text = stack(peers, &more);
        let finding = only(&compile_with_base(&text));
        assert_eq!(finding.code.name, "unreachable-peer", "{peers}");
        assert!(finding.message.ends_with(message), "{}", finding.message);
        let found: Vec<&str> = finding.fixes.iter().map(|fix| &*fix.title).collect();
        assert_eq!(found, helps, "{peers}");
        assert_helps(&text, &helps.iter().map(|help| (*help, &[][..])).collect::<Vec<_>>());
    }
    let twice = stack("{ peer \"extra\" \"extra\" }", &more);
    assert!(only(&compile_with_base(&twice)).message.ends_with("role `extra` is a peer already"));
    let unknown = only(&compile_with_base(&stack("peer=\"extro\"", &more)));
    assert_eq!(unknown.code.name, "unknown-name");
    assert!(unknown.message.contains("uses role `extro`"), "{}", unknown.message);
}

#[test]
fn a_router_has_no_peers_and_a_gateway_with_peers_has_a_role() {
    let router = stack("", &role("extra", "far", 9300, OPEN))
        .replace("kind=\"llama-swap\" bin=\"/usr/bin/llama-swap\"", "peer=\"extra\"");
    let finding = only(&compile_with_base(&router));
    assert_eq!(finding.code.name, "conflicting-fields");
    assert!(finding.message.ends_with("its `kind` is `router`: a router reaches only its own roles"));
    assert_helps(
        &router,
        &[
            ("remove `peer=\"extra\"`", &[]),
            ("or write `kind=\"llama-swap\"` and `bin=\"/usr/local/bin/llama-swap\"`", &[]),
        ],
    );
    let far = role("extra", "far", 9300, OPEN);
    let alone = stack("peer=\"extra\"", &far).replace("gateway=\"front\" host", "port=9400 host");
    assert_codes(&alone, &["unused-item", "unreachable-peer"]);
}

#[test]
fn a_name_of_a_peer_belongs_to_one_server() {
    let far = role("extra", "far", 9300, &format!("{OPEN} alias=\"gpt-4o\""));
    let second = role("second", "far", 9301, &format!("{OPEN} alias=\"gpt-4o\""));
    for (peers, more, name) in [
        ("peer=\"extra\"", far.clone(), None),
        ("{ peer \"extra\" \"second\" }", format!("{far}{second}"), Some("gpt-4o")),
        (
            "peer=\"extra\"",
            format!(
                "{far}role \"own\" tier=\"A\" residency=\"hot\" model=\"plain\" gateway=\"front\" host=\"box\" context=4096 alias=\"gpt-4o\"\n"
            ),
            Some("gpt-4o"),
        ),
        // llama-swap reserves this form.
        (
            "peer=\"extra\"",
            format!(
                "{far}role \"own\" tier=\"A\" residency=\"hot\" model=\"plain\" gateway=\"front\" host=\"box\" context=4096 alias=\"extra/gpt-4o\"\n"
            ),
            Some("extra/gpt-4o"),
        ),
    ] {
        let text = stack(peers, &more);
        match name {
            None => assert_codes(&text, &[]),
            Some(name) => {
                let finding = only(&compile_with_base(&text));
                assert_eq!(finding.code.name, "ambiguous-name");
                assert!(
                    finding.message.starts_with(&format!("`{name}` is a name of both ")),
                    "{}",
                    finding.message
                );
            }
        }
    }
    let hostile = role("extra", "far", 9300, &format!("{OPEN} alias=\"a${{PORT}}\""));
    assert_codes(&stack("peer=\"extra\"", &hostile), &["unroutable-value"]);
}
