//! Peers of gateways: those that are not possible, those that the gateway cannot reach, and names that two servers have.

use super::compile_with_base;
use super::gateways::{assert_helps, only};

/// Two hosts, with a gateway on the first one. `PEERS` are its fields.
const HOSTS: &str = "host \"far\" memory=\"64 GB\" cpus=\"0-7\" address=\"192.0.2.7\"\nhost \"mute\" memory=\"64 GB\" cpus=\"0-7\"\n";

fn stack(peers: &str, more: &str) -> String {
    format!(
        "{HOSTS}gateway \"front\" port=9000 host=\"box\" KEY kind=\"llama-swap\" bin=\"/usr/bin/llama-swap\" PEERS\n\
         role \"near\" tier=\"A\" residency=\"hot\" model=\"plain\" gateway=\"front\" host=\"box\" context=4096\n{more}"
    )
    .replace("PEERS", peers)
    .replace("KEY", if peers.contains("key-file") { "" } else { "key-file=\"/etc/keys/front\"" })
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
        &[("write `listen=\"192.0.2.7\"` and `key-file=\"/etc/orchgen/keys\"` in role `extra`", &[])],
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
        ["write `address=\"192.168.1.11\"` in host `mute`, with its address for other machines"]
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
    assert!(unknown.message.contains("has the `peer` `extro`, which is not declared"), "{}", unknown.message);
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
    assert_codes(&alone, &["unreachable-peer"]);
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

#[test]
fn a_gateway_without_a_key_does_not_open_a_peer_with_one() {
    let text = stack("peer=\"extra\"", &role("extra", "far", 9300, OPEN))
        .replace("key-file=\"/etc/keys/front\"", "");
    let finding = only(&compile_with_base(&text));
    assert_eq!(finding.code.name, "unprotected-peer");
    assert_eq!(
        finding.message,
        "gateway `front` has no `key-file`, but sends a key of `/etc/keys/far` to its peer role `extra`"
    );
    assert_helps(&text, &[("write `key-file=\"/etc/keys/far\"` in gateway `front`", &[])]);
}

#[test]
fn a_service_or_a_host_is_no_peer() {
    let more = format!("{}service \"search\" host=\"far\"\n", role("extra", "far", 9300, OPEN));
    for (peer, end, help) in [
        (
            "search",
            "which is a service",
            "name a gateway or a role: the gateway knows no model names of a service",
        ),
        ("far", "which is a host", "name a gateway or a role of this host: `extra`"),
        ("mute", "which is a host", "name a gateway or a role: host `mute` has no roles"),
        ("zzz", "which is not declared", "name a gateway or a role with its own `port`"),
        // The gateway itself is not offered.
        ("frontt", "which is not declared", "name a gateway or a role with its own `port`"),
    ] {
        let finding = only(&compile_with_base(&stack(&format!("peer=\"{peer}\""), &more)));
        assert_eq!(finding.code.name, "unknown-name");
        assert!(finding.message.ends_with(end), "{}", finding.message);
        assert_eq!(finding.help, [help]);
    }
}

#[test]
fn a_host_has_an_address_that_other_machines_reach() {
    let hosts = |far: &str| {
        format!(
            "host \"far\" memory=\"64 GB\" address=\"{far}\"\nhost \"near\" memory=\"64 GB\" address=\"192.0.2.9\"\nservice \"db\" host=\"near\"\n"
        ) + &role("extra", "far", 9300, OPEN)
    };
    for address in ["192.0.2.7", "far.example.org"] {
        assert_codes(&hosts(address), &[]);
    }
    for address in ["192.0.2.9", "127.0.0.1", "::1", "localhost", "far.localhost", "fd00::7"] {
        assert_codes(&hosts(address), &["host-address"]);
    }
    for address in ["0.0.0.0", "::", "255.255.255.255", "224.0.0.1", "ff02::1"] {
        assert_codes(&hosts(address), &["bad-quantity"]);
    }
    let family = hosts("fd00::7");
    assert_helps(&family, &[("write `listen=\"::\"`, which takes IPv4 and IPv6", &[])]);
    assert_codes(&family.replace("listen=\"0.0.0.0\"", "listen=\"fd00::7\""), &[]);
}

#[test]
fn a_role_on_another_host_can_be_a_peer_of_its_gateway() {
    let text = stack(
        "",
        "role \"extra\" tier=\"A\" residency=\"hot\" model=\"plain\" gateway=\"front\" host=\"far\" context=4096\n",
    );
    let finding = only(&compile_with_base(&text));
    assert_eq!(finding.code.name, "gateway-cannot");
    let first = &finding.fixes[0].title;
    assert!(first.contains("listen=\"192.0.2.7\"") && first.contains("peer"), "{first}");
}

#[test]
fn a_wrong_gateway_gives_one_finding() {
    let text = stack("", "");
    for (old, new, code) in [
        ("host=\"box\" key-file", "host=\"boxx\" key-file", "unknown-name"),
        ("kind=\"llama-swap\"", "kind=\"litellm\"", "unknown-word"),
    ] {
        let text = text.replace("gateway=\"front\" host=\"box\"", "gateway=\"front\"").replace(old, new);
        assert_codes(&text, &[code]);
    }
}

#[test]
fn a_peer_with_several_ports_is_reached_only_at_the_first() {
    let several = role("extra", "far", 9300, OPEN).replace("port=9300", "ports=\"9300-9301\"");
    let text = stack("peer=\"extra\"", &several);
    let finding = only(&compile_with_base(&text));
    assert_eq!(finding.code.name, "partial-peer");
    assert_eq!(
        finding.message,
        "gateway `front` reaches only port 9300 of its peer role `extra`, which has 9300-9301"
    );
    assert_helps(&text, &[("write `port=9300` in role `extra`, for one process", &[])]);
}

#[test]
fn another_name_of_a_target_is_one_finding() {
    for (word, target) in
        [("k8s", "kubernetes"), ("docker", "compose"), ("podman", "quadlet"), ("prom", "prometheus")]
    {
        let compiled =
            super::gateways::with_base("stack \"page\"", &format!("stack \"page\" targets=\"{word}\""), "");
        let finding = only(&compiled);
        assert_eq!(finding.code.name, "unknown-word", "{word}");
        assert!(finding.fixes[0].title.contains(&format!("`{target}`")), "{}", finding.fixes[0].title);
    }
}
