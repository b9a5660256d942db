//! Gateways: settings and values that a router cannot give to one model, and names of several roles.

use super::{assert_codes, compile_with_base, label_texts, single_finding};
use crate::language::BASE;
use crate::support::{Compiled, compile};
use orchgen::diag::Diagnostic;

pub(super) const FRONT: &str = "gateway \"front\" port=9000\n";
/// A role with its own address, or with `gateway`.
pub(super) fn role(name: &str, residency: &str, rest: &str) -> String {
    format!("role \"{name}\" tier=\"A\" residency=\"{residency}\" model=\"plain\" context=4096 {rest}\n")
}

/// A role behind the gateway `front`.
pub(super) fn routed(name: &str, rest: &str) -> String {
    role(name, "hot", &format!("gateway=\"front\" {rest}"))
}

pub(super) fn model(name: &str, rest: &str) -> String {
    format!("model \"{name}\" family=\"qwen2\" title=\"M\" quant=\"q\" size=\"1 GB\" {rest}\n")
}

/// The base with fields in `defaults`.
pub(super) fn with_defaults(defaults: &str, text: &str) -> Compiled {
    let base = BASE.replace(
        "engine=\"llama.cpp\"\nengine",
        &format!("engine=\"llama.cpp\" {{ defaults {{ {defaults} }} }}\nengine"),
    );
    compile(&[("base.kdl", &base), ("case.kdl", text)])
}

pub(super) fn with_base(from: &str, to: &str, text: &str) -> Compiled {
    compile(&[("base.kdl", &BASE.replace(from, to)), ("case.kdl", text)])
}

#[track_caller]
pub(super) fn only(compiled: &Compiled) -> Diagnostic {
    let [finding] = compiled.findings.findings() else { panic!("{}", compiled.report()) };
    finding.clone()
}

/// The codes after each help that names a change was followed, one help at a time.
#[track_caller]
fn codes_after_helps(text: &str) -> Vec<(String, Vec<&'static str>)> {
    let compiled = compile_with_base(text);
    let fixes = compiled.findings.findings().iter().flat_map(|finding| &finding.fixes);
    fixes
        .map(|fix| {
            let mut edits = fix.edits.clone();
            edits.sort_by_key(|edit| std::cmp::Reverse(edit.span));
            let (mut base, mut case) = (BASE.to_owned(), text.to_owned());
            for edit in edits {
                let name = compiled.loaded.map.get(edit.span.file).unwrap().name();
                let file = if name == "base.kdl" { &mut base } else { &mut case };
                file.replace_range(edit.span.range(), &edit.text);
            }
            (fix.title.clone(), compile(&[("base.kdl", &base), ("case.kdl", &case)]).codes())
        })
        .collect()
}

/// Asserts the helps of all findings, and the codes after each of them.
#[track_caller]
pub(super) fn assert_helps(text: &str, expected: &[(&str, &[&str])]) {
    let found = codes_after_helps(text);
    let found: Vec<(&str, &[&str])> =
        found.iter().map(|(title, codes)| (title.as_str(), codes.as_slice())).collect();
    assert_eq!(found, expected, "{text}");
}

pub(super) const UNUSED: &[&str] = &["unused-item"];

/// The help with the other kind of gateway.
const SWAP: &str = "or write `kind=\"llama-swap\"` and `bin=\"/usr/local/bin/llama-swap\"` in the gateway, if llama-swap is installed: it runs each role separately";

#[test]
fn a_router_runs_no_command() {
    let text = FRONT.to_owned()
        + &routed("x", "")
        + "role \"c\" tier=\"A\" residency=\"hot\" gateway=\"front\" { command \"/usr/bin/x\" \"{port}\" }\n";
    let finding = single_finding(&text);
    assert_eq!(
        (finding.code.name, &*finding.message),
        (
            "gateway-cannot",
            "role `c` has a `command`, but the router of gateway `front` runs only models of its engine"
        )
    );
    assert_helps(&text, &[("write `port=8100` in the role instead of `gateway`", &[])]);
    let healthy = text.replace("{ command", "health=\"/\" { command");
    assert_helps(&healthy, &[("write `port=8100` in the role instead of `gateway`", &[]), (SWAP, &[])]);
    // The gateway of the defaults stays that of the other roles.
    let roles = "role \"x\" tier=\"A\" residency=\"hot\" model=\"plain\" context=4096\n\
                 role \"c\" tier=\"A\" residency=\"hot\" { command \"/usr/bin/x\" \"{port}\" }\n";
    let finding = only(&with_defaults("gateway \"front\"", &(FRONT.to_owned() + roles)));
    assert_eq!(finding.help[0], "write `port 8100` in the role instead of `gateway`");
}

#[test]
fn a_setting_of_a_role_must_be_that_of_its_gateway() {
    let one = |rest: &str| FRONT.to_owned() + &routed("x", rest) + &routed("y", "");
    for (field, value, rest, help) in [
        ("key-file", "/etc/keys/x", "key-file=\"/etc/keys/x\"", "key-file=\"/etc/keys/x\""),
        ("hardening", "strict", "hardening=\"strict\"", "hardening=\"strict\""),
        ("numa", "bind 0", "{ placement numa=\"bind 0\" }", "placement numa=\"bind 0\""),
        (
            "numa",
            "interleave 0,1",
            "{ placement numa=\"interleave 0,1\" }",
            "placement numa=\"interleave 0,1\"",
        ),
        ("numa", "interleave", "{ placement numa=\"interleave\" }", "placement numa=\"interleave\""),
        ("cpus", "0-3", "{ placement cpus=\"0-3\" threads=4 }", "placement cpus=\"0-3\""),
    ] {
        let finding = single_finding(&one(rest));
        assert_eq!(finding.code.name, "gateway-cannot");
        assert_eq!(
            finding.message,
            format!(
                "role `x` has `{field}` `{value}`, but gateway `front` has none, and its router runs all models in one unit"
            )
        );
        assert_eq!(finding.help[0], format!("write `{help}` in the gateway, for all its roles"));
        assert_eq!(finding.help.last().unwrap(), "or write `port=8100` in the role instead of `gateway`");
        // Without the key, clients would need none. So this is no help.
        assert_eq!(finding.help.len(), if field == "key-file" { 2 } else { 3 });
        for (title, codes) in codes_after_helps(&one(rest)) {
            let allowed: &[&str] = if title.contains("cpus") { &["unknown-threads"] } else { &[] };
            assert!(codes.iter().all(|code| allowed.contains(code)), "{title}: {codes:?}");
        }
    }
    // The same value twice is no difference.
    for (gateway, rest) in [
        ("key-file=\"/etc/k\"", "key-file=\"/etc/k\""),
        ("hardening=\"strict\"", "hardening=\"strict\""),
        ("{ placement numa=\"bind 0\" }", "{ placement numa=\"bind 0\" }"),
        ("{ placement cpus=\"0-3\" }", "{ placement cpus=\"0-3\" threads=4 }"),
        ("engine=\"llama.cpp\" host=\"box\"", "engine=\"llama.cpp\" host=\"box\""),
    ] {
        assert_codes(&[], &(format!("gateway \"front\" port=9000 {gateway}\n") + &routed("x", rest)));
    }
    // Threads are options of a model.
    assert_codes(&[], &one("{ placement threads=4 }"));
}

#[test]
fn a_gateway_with_another_value_is_changed_or_the_role() {
    let text = "gateway \"front\" port=9000 key-file=\"/etc/keys/a\" { placement numa=\"interleave\" }\n"
        .to_owned()
        + &routed("x", "key-file=\"/etc/keys/b\"");
    let finding = single_finding(&text);
    assert_eq!(
        finding.message,
        "role `x` has `key-file` `/etc/keys/b`, but gateway `front` has `/etc/keys/a`, and its router runs all models in one unit"
    );
    assert_helps(
        &text,
        &[
            ("write `key-file=\"/etc/keys/b\"` in the gateway, for all its roles", &[]),
            ("or remove `key-file=\"/etc/keys/b\"`", &[]),
            ("or write `port=8100` in the role instead of `gateway`", UNUSED),
        ],
    );
    let spread = FRONT.to_owned() + &routed("x", "{ placement numa=\"spread\" }");
    assert_helps(
        &spread,
        &[
            ("remove `numa=\"spread\"`", &[]),
            ("or write `port=8100` in the role instead of `gateway`", UNUSED),
        ],
    );
}

#[test]
fn all_roles_of_a_router_have_its_engine_and_its_host() {
    let engine = "engine \"other\" profile=\"llama.cpp-b11669\" bin=\"/o\"\n".to_owned();
    let text = engine.clone() + FRONT + &routed("x", "engine=\"other\"") + &routed("y", "");
    let compiled = compile_with_base(&text);
    let finding = only(&compiled);
    assert_eq!(
        label_texts(&compiled, &finding),
        [("case.kdl", "\"other\""), ("case.kdl", "\"front\"")].map(|(a, b)| (a.to_owned(), b.to_owned()))
    );
    assert_helps(
        &text,
        &[
            ("write `engine=\"other\"` in the gateway, for all its roles", &[]),
            ("or remove `engine=\"other\"`", UNUSED),
            (SWAP, &[]),
            ("or write `port=8100` in the role instead of `gateway`", &[]),
        ],
    );
    // A role without `engine` has that of its gateway.
    assert_codes(&[], &(engine + "gateway \"front\" port=9000 engine=\"other\"\n" + &routed("x", "")));
    let host =
        "host \"two\" memory=\"64 GB\" cpus=\"0-7\"\ngateway \"front\" port=9000 host=\"box\"\n".to_owned();
    assert_helps(
        &(host.clone() + &routed("x", "host=\"two\"")),
        &[("write `host=\"two\"` in the gateway, for all its roles", &[]), ("or remove `host=\"two\"`", &[])],
    );
    assert_codes(&[], &(host + &routed("x", "")));
}

#[test]
fn all_models_of_a_router_have_one_environment() {
    let text = FRONT.to_owned() + &routed("x", "{ env { OMP_NUM_THREADS \"8\" } }");
    let finding = single_finding(&text);
    assert_eq!(
        finding.message,
        "role `x` sets the variable `OMP_NUM_THREADS` in `env`, but the router of gateway `front` gives all its models one environment"
    );
    assert_helps(
        &text,
        &[
            ("write `env OMP_NUM_THREADS=\"8\"` in the engine, for all its roles", &[]),
            ("or remove `OMP_NUM_THREADS \"8\"`", &[]),
            (SWAP, &[]),
            ("or write `port=8100` in the role instead of `gateway`", UNUSED),
        ],
    );
}

#[test]
fn a_default_that_no_router_can_give_is_reported_once() {
    let roles = FRONT.to_owned() + &routed("x", "") + &routed("y", "");
    for defaults in [
        "env { A \"b\" }",
        "key-file \"/etc/k\"",
        "hardening \"strict\"",
        "placement numa=\"bind 0\"",
        "placement cpus=\"0-3\" threads=4",
    ] {
        let compiled = with_defaults(defaults, &roles);
        let finding = only(&compiled);
        assert_eq!(finding.code.name, "gateway-cannot", "{defaults}");
        assert_eq!(finding.subject.as_ref().unwrap().kind, "stack", "{defaults}");
        assert!(finding.help.iter().all(|help| !help.contains("remove")), "{:?}", finding.help);
    }
    // A key file and a sandbox level of the gateway replace those of the defaults.
    let own = "gateway \"front\" port=9000 key-file=\"/etc/front\" hardening=\"gpu\"\n".to_owned();
    let compiled = with_defaults("key-file \"/etc/k\"; hardening \"strict\"", &(own + &routed("x", "")));
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
}

#[test]
fn a_budget_needs_a_gateway_for_its_residency() {
    let text = FRONT.to_owned() + &routed("x", "") + &role("y", "warm", "gateway=\"front\"");
    let finding = single_finding(&text);
    assert_eq!(
        finding.message,
        "gateway `front` cannot keep the `budget` of residency `hot`: its unit has the models of the residencies `hot` and `warm`"
    );
    assert_helps(
        &text,
        &[
            (
                "write `gateway \"gateway\" port=9001` and `gateway=\"gateway\"` in the roles of residency `hot`: they need their own gateway",
                &[],
            ),
            // The budget of the other residency is the next mistake.
            ("or remove `budget=\"40 GB\"`", &["gateway-cannot"]),
        ],
    );
}

#[test]
fn an_engine_may_have_no_router() {
    let text = "engine \"ik\" profile=\"ik_llama.cpp-8337e4cd3\" bin=\"/o\"\ngateway \"front\" port=9000 engine=\"ik\"\n";
    let compiled = compile_with_base(&(text.to_owned() + &routed("x", "")));
    let finding = only(&compiled);
    assert_eq!(
        finding.message,
        "gateway `front` is not possible: llama-server of ik_llama.cpp-8337e4cd3 has no `--models-preset`"
    );
    assert_eq!(label_texts(&compiled, &finding)[0].1, "\"ik\"");
    assert_eq!(
        finding.help,
        [
            "name an engine of llama.cpp in `engine` of the gateway, or give its roles their own `port` instead of `gateway`"
        ]
    );
}

#[test]
fn a_name_belongs_to_one_role_behind_a_gateway() {
    let sharing = "role \"z\" tier=\"A\" shares=\"x\"\n";
    for (text, name) in [
        (routed("x", "alias=\"g\"") + &routed("y", "alias=\"g\""), "g"),
        (routed("x", "") + &routed("y", "alias=\"x\""), "x"),
        (routed("x", "") + &routed("y", "alias=\"z\"") + sharing, "z"),
    ] {
        let text = FRONT.to_owned() + &text;
        let finding = single_finding(&text);
        assert_eq!(finding.code.name, "ambiguous-name");
        assert_eq!(
            finding.message,
            format!("alias `{name}` of role `y` is also a name of role `x` behind gateway `front`")
        );
        assert_helps(&text, &[(&format!("remove `alias=\"{name}\"`"), &[])]);
    }
    // Of a list, only the value is removed.
    let list = FRONT.to_owned() + &routed("x", "alias=\"g\"") + &routed("y", "{ alias \"g\" \"h\" }");
    assert_helps(&list, &[("remove `\"g\"`", &[])]);
    // Each of several roles has a finding. A default has one.
    let three: String = ["x", "y", "z"].iter().map(|name| routed(name, "alias=\"g\"")).collect();
    assert_codes(&["ambiguous-name"; 2], &(FRONT.to_owned() + &three));
    let compiled = with_defaults("alias \"g\"", &(FRONT.to_owned() + &routed("x", "") + &routed("y", "")));
    assert_eq!(only(&compiled).subject.unwrap().kind, "stack");
    // The names of two gateways, and of roles without one, are separate.
    let two = "gateway \"back\" port=9001\n".to_owned()
        + &routed("x", "alias=\"g\"")
        + &role("y", "hot", "alias=\"g\" gateway=\"back\"");
    assert_codes(&[], &(FRONT.to_owned() + &two));
    assert_codes(
        &[],
        &(role("x", "hot", "alias=\"g\" port=9000") + &role("y", "hot", "alias=\"g\" port=9001")),
    );
}
