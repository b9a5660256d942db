//! A limit on the roles of a residency that run at the same time: what enforces it, and what memory sums count.

use super::gateways::{FRONT, UNUSED, assert_helps, model, role, with_base, with_defaults};
use super::{assert_codes, compile_with_base, label_texts, single_finding};
use crate::support::compile;
use proptest::prelude::*;
use std::fmt::Write as _;

const SWAP: &str = "residency \"swap\" title=\"S\" start=\"on-demand\" at-once=1\n";

/// The residency `swap`, and roles of it, each with fields about its address.
fn swapped(roles: &[(&str, &str)]) -> String {
    SWAP.to_owned() + &roles.iter().map(|(name, address)| role(name, "swap", address)).collect::<String>()
}

const LIMITS_EACH: &str = "or write `kind=\"llama-swap\"` and `bin=\"/usr/local/bin/llama-swap\"` in the gateway, if llama-swap is installed: it limits each residency";

const REMOVED: &str = "or remove `at-once=1`: then all its roles may run";

#[test]
fn nothing_enforces_at_once_of_roles_with_their_own_ports() {
    let text = swapped(&[("x", "port=9000"), ("y", "port=9001")]);
    let compiled = compile_with_base(&text);
    let [finding] = compiled.findings.findings() else { panic!("{}", compiled.report()) };
    assert_eq!(
        (finding.code.name, &*finding.message),
        (
            "unenforced-at-once",
            "nothing enforces `at-once` 1 of residency `swap`: clients can use all its 2 roles at the same time"
        )
    );
    assert_eq!(
        label_texts(&compiled, finding).into_iter().map(|label| label.1).collect::<Vec<_>>(),
        ["1", "9000"]
    );
    assert_helps(
        &text,
        &[
            (
                "write `gateway \"front\" port=9000` and `gateway=\"front\"` in its roles instead of `port`: a gateway loads only so many models at a time",
                &[],
            ),
            (REMOVED, &[]),
        ],
    );
    let yaml = "residencies: {swap: {title: S, start: on-demand, at-once: 1}}\nroles:\n  \
        x: {tier: A, residency: swap, model: plain, port: 9000, context: 4096}\n  \
        y: {tier: A, residency: swap, model: tiny, port: 9001, context: 4096}\n";
    let compiled = compile(&[("base.kdl", crate::language::BASE), ("case.yaml", yaml)]);
    assert_eq!(
        compiled.findings.findings()[0].help[0],
        "write `gateways: {front: {port: 9000}}` and `gateway: front` in its roles instead of `port`: a gateway loads only so many models at a time"
    );
}

#[test]
fn a_limit_that_is_never_reached_needs_no_gateway() {
    let two = swapped(&[("x", "port=9000"), ("y", "port=9001")]);
    assert_codes(&[], &two.replace("at-once=1", "at-once=2"));
    assert_codes(&[], &two.replace("at-once=1", "at-once=3"));
    assert_codes(&[], &two.replace("on-demand\" at-once=1", "boot\" at-once=2"));
    assert_codes(&[], &swapped(&[("x", "ports=\"9000-9001\"")]));
    // The limit is one of each host.
    let host = "host \"two\" memory=\"64 GB\" cpus=\"0-7\"\n";
    let hosts = [("x", "port=9000 host=\"box\""), ("y", "port=9000 host=\"two\"")];
    assert_codes(&[], &(swapped(&hosts) + host));
    let four = [hosts[0], hosts[1], ("z", "port=9001 host=\"two\"")];
    let finding = single_finding(&(swapped(&four) + host));
    assert!(
        finding.help[0]
            .starts_with("write `gateway \"front\" port=9000 host=\"two\"` and `gateway=\"front\"`"),
        "{:?}",
        finding.help
    );
}

#[test]
fn a_gateway_enforces_at_once() {
    let behind = [("x", "gateway=\"front\""), ("y", "gateway=\"front\"")];
    assert_codes(&[], &(FRONT.to_owned() + &swapped(&behind)));
    let options = compile_with_base(&(FRONT.to_owned() + &swapped(&behind)));
    let unit = &options.files()["systemd/page-front.service"].0;
    assert!(unit.contains(" --models-max 1 "), "{unit}");
    let three = [behind[0], behind[1], ("z", "gateway=\"front\"")];
    let text = (FRONT.to_owned() + &swapped(&three)).replace("at-once=1", "at-once=2");
    let unit = compile_with_base(&text).files()["systemd/page-front.service"].0.clone();
    assert!(unit.contains(" --models-max 2 "), "{unit}");
}

#[test]
fn a_role_joins_the_gateway_of_the_others() {
    let text =
        FRONT.to_owned() + &swapped(&[("x", "gateway=\"front\""), ("y", "port=9001"), ("z", "port=9002")]);
    let help = "write `gateway=\"front\"` in its roles instead of `port`: a gateway loads only so many models at a time";
    assert_helps(&text, &[(help, &[]), (REMOVED, &[])]);
    // A gateway with roles of another residency cannot enforce the limit.
    let free = "residency \"free\" title=\"F\" start=\"on-demand\"\n".to_owned();
    let finding = single_finding(&(text + &free + &role("v", "free", "gateway=\"front\"")));
    assert!(finding.help[0].starts_with("write `gateway \"gateway\" port=9001` and"), "{:?}", finding.help);
}

#[test]
fn the_roles_of_a_limited_residency_have_one_gateway() {
    let text = FRONT.to_owned()
        + "gateway \"back\" port=9001\n"
        + &swapped(&[("x", "gateway=\"front\""), ("y", "gateway=\"back\"")]);
    let finding = single_finding(&text);
    assert_eq!(
        finding.message,
        "nothing enforces `at-once` 1 of residency `swap`: its roles are behind several gateways"
    );
    assert_eq!(finding.help[1], "or declare a residency for the roles of each gateway");
    // The other gateway is then unused.
    assert_helps(&text, &[("write `gateway=\"front\"` in its other roles: they need one gateway", UNUSED)]);
}

#[test]
fn a_gateway_has_one_limit_for_all_its_residencies() {
    let text = FRONT.to_owned()
        + "residency \"free\" title=\"F\" start=\"on-demand\"\n"
        + &swapped(&[("x", "gateway=\"front\""), ("y", "gateway=\"front\"")])
        + &role("z", "free", "gateway=\"front\"");
    let compiled = compile_with_base(&text);
    let [finding] = compiled.findings.findings() else { panic!("{}", compiled.report()) };
    assert_eq!(
        finding.message,
        "gateway `front` cannot enforce `at-once` 1 of residency `swap`: it has one limit for the models of all its residencies"
    );
    assert_eq!(label_texts(&compiled, finding)[1].1, "\"free\"");
    let help = "write `gateway \"gateway\" port=9001` and `gateway=\"gateway\"` in its roles: they need their own gateway";
    assert_helps(&text, &[(help, &[]), (LIMITS_EACH, &[]), (REMOVED, &[])]);
}

#[test]
fn a_residency_cannot_start_more_roles_than_may_run() {
    let boot = |text: String| text.replace("start=\"on-demand\" at-once", "start=\"boot\" at-once");
    let ports = boot(swapped(&[("x", "port=9000"), ("y", "port=9001")]));
    assert_eq!(
        single_finding(&ports).message,
        "residency `swap` starts 2 roles at boot, but `at-once` allows 1"
    );
    let both =
        "write `start=\"on-demand\"` and `gateway \"front\" port=9000` and `gateway=\"front\"` in its roles";
    assert_helps(&ports, &[(both, &[]), (REMOVED, &[])]);
    let behind = boot(FRONT.to_owned() + &swapped(&[("x", "gateway=\"front\""), ("y", "gateway=\"front\"")]));
    assert_helps(&behind, &[("write `start=\"on-demand\"`", &[]), (REMOVED, &[])]);
    let mixed = boot(FRONT.to_owned() + &swapped(&[("x", "gateway=\"front\""), ("y", "port=9001")]));
    let joined = "write `start=\"on-demand\"` and `gateway=\"front\"` in its roles";
    assert_helps(&mixed, &[(joined, &[]), (REMOVED, &[])]);
}

#[test]
fn a_gateway_cannot_run_every_role() {
    let programs = SWAP.to_owned()
        + "role \"p\" tier=\"A\" residency=\"swap\" port=9000 { command \"/p\" \"{port}\" }\n"
        + &role("q", "swap", "port=9001");
    assert_eq!(
        single_finding(&programs).help[0],
        "give role `p` another residency: it has a `command`, which no router runs; or use a gateway of `kind` `llama-swap` for all of them"
    );
    let several = swapped(&[("x", "ports=\"9000-9001\""), ("y", "port=9002")]);
    assert_eq!(
        single_finding(&several).help[0],
        "give role `x` one process: a router runs one for each role; then put the roles behind a gateway"
    );
    let elsewhere = swapped(&[("x", "port=9000 listen=\"127.0.0.2\""), ("y", "port=9001")]);
    assert!(single_finding(&elsewhere).help[0].starts_with("put its roles behind a gateway"));
    // Settings that all roles have become those of the gateway.
    let placed = "port=9000 key-file=\"/etc/k\" { placement numa=\"bind 0\" }";
    let text = swapped(&[("x", placed), ("y", &placed.replace("9000", "9001"))]);
    let help = "write `gateway \"front\" port=9000 key-file=\"/etc/k\" { placement numa=\"bind 0\" }` and `gateway=\"front\"` in its roles instead of `port`: a gateway loads only so many models at a time";
    assert_helps(&text, &[(help, &[]), (REMOVED, &[])]);
}

#[test]
fn a_port_of_the_defaults_is_replaced_in_the_role() {
    let text = swapped(&[("x", ""), ("y", "port=9001")]);
    let compiled = with_defaults("port 9000", &text);
    let [finding] = compiled.findings.findings() else { panic!("{}", compiled.report()) };
    assert!(finding.help[0].starts_with("write `gateway \"front\" port=9000` and `gateway=\"front\"`"));
}

/// A wrong registry: alternatives at the same port, of which only one should run.
#[test]
fn alternatives_at_one_port_become_roles_of_a_gateway_in_one_step() {
    let served = "or serve both at one address, by their names: write `gateway \"front\" port=9000` and `gateway=\"front\"`";
    let two = role("x", "warm", "port=9000") + &role("y", "warm", "port=9000");
    // The equal backend ports are no second mistake.
    assert_helps(&two, &[("write `port=9001` in role `y`", &[]), (served, &[])]);
    let swap = "write `gateway \"front\" port=9000` and `gateway=\"front\"` in its roles instead of `port`: a gateway loads only so many models at a time";
    assert_helps(
        &swapped(&[("x", "port=9000"), ("y", "port=9000")]),
        &[
            (swap, &[]),
            (REMOVED, &["port-conflict"]),
            ("write `port=9001` in role `y`", &["unenforced-at-once"]),
            (served, &[]),
        ],
    );
}

/// A wrong registry: one gateway for residencies with different limits.
#[test]
fn a_stack_with_several_residencies_gives_the_limited_one_its_own_gateway() {
    let residencies = "residency \"h\" title=\"H\" start=\"boot\"\nresidency \"w\" title=\"W\" start=\"on-demand\" idle=\"5 min\"\n";
    let own = residencies.to_owned()
        + &role("h1", "h", "port=9000")
        + &role("w1", "w", "port=9001")
        + &swapped(&[("s1", "port=9002"), ("s2", "port=9003")]);
    let title = "write `gateway \"front\" port=9002` and `gateway=\"front\"` in its roles instead of `port`: a gateway loads only so many models at a time";
    assert_helps(&own, &[(title, &[]), (REMOVED, &[])]);
    let one = own
        .replace("port=9000", "gateway=\"front\"")
        .replace("port=9001", "gateway=\"front\"")
        .replace("port=9002", "gateway=\"front\"")
        .replace("port=9003", "gateway=\"front\"");
    let title = "write `gateway \"gateway\" port=9001` and `gateway=\"gateway\"` in its roles: they need their own gateway";
    assert_helps(&(FRONT.to_owned() + &one), &[(title, &[]), (LIMITS_EACH, &[]), (REMOVED, &[])]);
}

#[test]
fn routers_of_old_builds_interrupt_requests() {
    let behind = swapped(&[("x", "gateway=\"front\""), ("y", "gateway=\"front\"")]);
    let text = |build: &str| {
        format!(
            "engine \"e\" profile=\"llama.cpp-{build}\" bin=\"/e\"\ngateway \"front\" port=9000 engine=\"e\"\n{behind}"
        )
    };
    let finding = single_finding(&text("b10434"));
    assert_eq!(finding.code.name, "interrupted-requests");
    assert_eq!(
        finding.message,
        "gateway `front` may lose requests when it unloads a model: the router of llama.cpp-b10434 does not wait for them"
    );
    assert_eq!(finding.help, ["use build b10865 of llama.cpp or a later one"]);
    for build in ["b11434", "b11669", "b12032"] {
        assert_codes(&[], &text(build));
    }
    assert_codes(&[], &text("b10434").replace("at-once=1", "at-once=2"));
    // Without a limit, no model leaves.
    assert_codes(&[], &text("b10434").replace(" at-once=1", ""));
    // The engine of the stack is the place if the gateway names none.
    let compiled = with_base("llama.cpp-b11434", "llama.cpp-b10434", &(FRONT.to_owned() + &behind));
    let [finding] = compiled.findings.findings() else { panic!("{}", compiled.report()) };
    assert_eq!(label_texts(&compiled, finding)[0], ("base.kdl".to_owned(), "\"llama.cpp\"".to_owned()));
}

/// A host with the given memory, and roles with models of the given sizes behind a gateway.
fn host_with(memory: u64, sizes: &[u64], residencies: &[&str], limit: &str) -> Vec<&'static str> {
    let mut text = format!(
        "stack \"s\" engine=\"e\"\nengine \"e\" profile=\"llama.cpp-b11669\" bin=\"/b\"\n\
         host \"h\" memory=\"{memory} MB\" reserve=\"0 B\"\nfamily \"qwen2\" arch=\"qwen2\"\ngateway \"front\" port=9000\n"
    );
    for name in residencies {
        writeln!(text, "residency \"{name}\" title=\"{name}\" start=\"on-demand\" {limit}").unwrap();
    }
    for (n, (size, residency)) in sizes.iter().zip(residencies.iter().cycle()).enumerate() {
        let own = model(&format!("m{n}"), &format!("file=\"/m{n}.gguf\""));
        text += &own.replace("\"1 GB\"", &format!("\"{size} MB\""));
        writeln!(text, "role \"r{n}\" model=\"m{n}\" residency=\"{residency}\" gateway=\"front\" context=4096 prompt-cache=\"0 B\"").unwrap();
    }
    compile(&[("a.kdl", &text)]).codes()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]

    /// The sum of a limited residency is that of its largest roles, and otherwise that of all roles of all residencies.
    #[test]
    fn a_host_needs_the_memory_of_the_largest_roles(
        sizes in proptest::collection::vec(100_u64..50_000, 2..8),
        most in 1..8_usize,
        several in any::<bool>(),
    ) {
        let mut largest = sizes.clone();
        largest.sort_unstable_by_key(|size| std::cmp::Reverse(*size));
        let limit = format!("at-once={most}");
        let (counted, names, limit) = if several {
            (sizes.len(), ["one", "two"].as_slice(), "")
        } else {
            (most.min(sizes.len()), ["one"].as_slice(), limit.as_str())
        };
        let needed: u64 = largest.iter().take(counted).sum();
        prop_assert_eq!(host_with(needed, &sizes, names, limit), [""; 0]);
        prop_assert_eq!(host_with(needed - 1, &sizes, names, limit), ["over-host-memory"]);
    }
}

#[test]
fn a_limit_on_an_implied_residency_declares_the_residencies_in_use() {
    let base = "stack \"s\"\nhost \"h\" memory=\"40GiB\"\n\
                engine \"e\" profile=\"llama.cpp-b12032\" bin=\"/usr/bin\"\ngateway \"front\" port=8000\n\
                model \"m\" file=\"/m.gguf\" size=\"30GiB\"\nmodel \"n\" file=\"/n.gguf\" size=\"30GiB\"\n\
                role \"a\" model=\"m\" residency=\"warm\" gateway=\"front\" context=4096\n\
                role \"b\" model=\"n\" residency=\"warm\" gateway=\"front\" context=4096\n";
    for (more, declared) in [
        ("", "`residency \"warm\" start=\"on-demand\" idle=\"15min\" at-once=1`"),
        (
            "model \"s\" file=\"/s.gguf\" size=\"1GiB\"\nrole \"c\" model=\"s\" port=9000 context=4096\n",
            "`residency \"hot\" start=\"boot\"` and `residency \"warm\" start=\"on-demand\" idle=\"15min\" at-once=1` and `residency=\"hot\"`",
        ),
    ] {
        let text = base.to_owned() + more;
        let compiled = compile(&[("case.kdl", &text)]);
        let of_host =
            compiled.findings.findings().iter().find(|finding| finding.code.name == "over-host-memory");
        let finding = of_host.unwrap_or_else(|| panic!("{}", compiled.report()));
        let written = format!("write {declared}, so that fewer roles of residency `warm` run at a time");
        assert!(finding.help.contains(&written), "{}", compiled.report());
    }
}
