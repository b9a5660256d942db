//! Gateways in wrong forms: each message names the text to write.

use super::gateways::{FRONT, assert_helps, routed};
use super::{assert_codes, compile_with_base, single_finding};
use crate::language::BASE;
use crate::support::{Compiled, compile};

const ROLE: &str = "roles: {x: {tier: A, residency: hot, model: plain, gateway: front, context: 4096}}\n";

fn yaml(text: &str) -> Compiled {
    compile(&[("base.kdl", BASE), ("case.yaml", text)])
}

/// The codes, and the first help of the first finding.
fn first_help(compiled: &Compiled) -> (Vec<&'static str>, String) {
    let help = compiled.findings.findings().first().and_then(|finding| finding.help.first());
    (compiled.codes(), help.cloned().unwrap_or_default())
}

#[test]
fn a_gateway_needs_a_port() {
    let finding = single_finding(&("gateway \"front\"\n".to_owned() + &routed("x", "")));
    assert_eq!(finding.message, "gateway `front` has no `port`");
    assert_eq!(finding.help, ["add `port=8000`: the port that clients use"]);
    let compiled = compile_with_base(&("gateway \"front\" 9000\n".to_owned() + &routed("x", "")));
    assert_eq!(compiled.codes(), ["missing-field", "bad-name"], "{}", compiled.report());
    assert_eq!(compiled.findings.findings()[1].help, ["write `port=9000`"]);
    let url = "gateway \"front\" port=\"127.0.0.1:9000\"\n".to_owned() + &routed("x", "");
    assert_helps(&url, &[("write `port=9000`: a port alone, without a mapping or an address", &[])]);
}

#[test]
fn a_gateway_of_yaml_has_fields() {
    for (gateways, codes, help) in [
        (
            "gateways:\n  - {name: front, port: 9000}\n",
            ["wrong-type"],
            "write `gateways: {front: {port: 9000}}`",
        ),
        ("gateways: {front: 9000}\n", ["wrong-type"], "write `{port: 9000}`"),
        ("gateway: {front: {port: 9000}}\n", ["unknown-kind"], "write `gateways`"),
    ] {
        assert_eq!(
            first_help(&yaml(&(gateways.to_owned() + ROLE))),
            (codes.to_vec(), help.to_owned()),
            "{gateways}"
        );
    }
}

#[test]
fn a_role_names_one_gateway() {
    let gateways = "gateways: {front: {port: 9000}}\n".to_owned();
    for written in ["{front: {port: 9000}}", "{name: front}"] {
        let text = gateways.clone() + &ROLE.replace("gateway: front", &format!("gateway: {written}"));
        let expected = (vec!["wrong-type"], "write `gateway: front`".to_owned());
        assert_eq!(first_help(&yaml(&text)), expected, "{written}");
    }
    assert!(
        yaml(&(gateways.clone() + &ROLE.replace("gateway: front", "gateway: [front]"))).findings.is_empty()
    );
    let two = gateways + &ROLE.replace("gateway: front", "gateway: [front, back]");
    assert_eq!(
        first_help(&yaml(&two)),
        (vec!["wrong-type"], "keep one value, such as `gateway: front`".to_owned())
    );
}

#[test]
fn another_kind_is_not_possible() {
    for kind in ["swap-llama", "litellm", "nginx"] {
        let text = format!("gateway \"front\" port=9000 kind=\"{kind}\"\n") + &routed("x", "");
        let finding = single_finding(&text);
        assert_eq!(finding.message, format!("`kind` of gateway `front` cannot be `{kind}`"));
        assert_eq!(finding.primary.text, "expected `router` or `llama-swap`");
    }
    // The word of llama.cpp for a gateway.
    let text = "router \"front\" port=9000\n".to_owned() + &routed("x", "");
    assert_eq!(compile_with_base(&text).findings.findings()[0].help, ["write `gateway`"]);
}

#[test]
fn a_field_of_another_item_is_not_one_of_a_gateway() {
    for (field, help) in [
        ("alias=\"a\"", "move it to a role"),
        ("at-once=1", "move it to a residency"),
        ("env=\"x\"", "move it to an engine or a role"),
    ] {
        let text = FRONT.replace("9000", &format!("9000 {field}")) + &routed("x", "");
        let finding = single_finding(&text);
        assert_eq!((finding.code.name, &*finding.help[0]), ("unknown-field", help));
    }
    let placed = FRONT.replace("9000", "9000 { placement threads=8 gpu=\"CUDA0\" }") + &routed("x", "");
    assert_codes(&["unknown-field"; 2], &placed);
    let finding = compile_with_base(&placed).findings.findings()[0].clone();
    assert_eq!(
        finding.help,
        ["move it to the `placement` of a role", "the fields here are `numa` and `cpus`"]
    );
}

/// Keys of llama-swap are secrets, in any shape.
#[test]
fn keys_are_concealed() {
    for keys in
        ["apiKeys: [sk-one, sk-two]", "apiKeys: {a: sk-one}", "api-keys: sk-one", "apiKeys: [{a: [sk-one]}]"]
    {
        let text = format!(
            "gateways: {{front: {{port: 9000, kind: llama-swap, bin: /b/x, {keys}}}}}\nroles:\n  \
             x: {{tier: A, residency: hot, model: plain, gateway: front, context: 4096}}\n"
        );
        let compiled = yaml(&text);
        assert_eq!(compiled.codes(), ["unknown-field"], "{keys}");
        let human = orchgen::diag::report::human::human(
            &compiled.findings,
            &compiled.loaded.map,
            orchgen::diag::report::Style::default(),
        );
        assert!(!human.contains("sk-"), "{human}");
        assert!(compiled.findings.findings()[0].help[0].contains("`key-file`"));
    }
}

#[test]
fn a_wrong_placement_is_reported_at_the_gateway() {
    let placed = |placement: &str| {
        FRONT.replace("9000", &format!("9000 {{ placement {placement} }}"))
            + &routed("x", "{ placement threads=4 }")
            + &routed("y", "{ placement threads=4 }")
    };
    let text = placed("numa=\"bind 7\"");
    let finding = single_finding(&text);
    assert_eq!(finding.message, "gateway `front` is placed on NUMA node 7, which host `box` does not have");
    assert_helps(&text, &[("write `numa=\"bind 0\"`", &[]), ("write `numa=\"bind 1\"`", &[])]);
    let text = placed("cpus=\"0-3,99\"");
    let finding = single_finding(&text);
    assert_eq!(finding.message, "gateway `front` is placed on CPU 99, which host `box` does not have");
    assert_helps(&text, &[("write `cpus=\"0-3\"`", &[])]);
    let text = placed("numa=\"spread\"");
    assert_helps(&text, &[("write `numa=\"bind 0\"`, or another node", &[])]);
    let text = placed("cpus=\"0-3\" numa=\"distribute\"");
    assert_helps(&text, &[("remove `cpus=\"0-3\"`", &[]), ("or remove `numa=\"distribute\"`", &[])]);
}

#[test]
fn words_of_routers_name_their_place() {
    let at_once =
        "write `at-once` in the residency of its roles: the number of them that may run at the same time";
    let idle = "write `idle` in the residency of its roles: the time without requests after which a model is unloaded";
    let start = "write `start` in the residency of its roles: `boot` loads their models with the gateway, `on-demand` at the first request";
    let preset = "remove it: `orchgen build` writes the preset file from the roles of the gateway";
    let member = "write `front` as the `gateway` of each role behind it";
    for (written, help) in [
        ("models-max=1", at_once),
        ("models_max=1", at_once),
        ("ttl=300", idle),
        ("sleep-idle-seconds=300", idle),
        ("models-autoload=#true", start),
        ("models-preset=\"/etc/models.ini\"", preset),
        ("models-dir=\"/models\"", "declare each file as a model, and a role that serves it"),
        ("roles=\"x\"", member),
        ("models=\"plain\"", member),
        ("ctx-size=4096", "write `context` in its roles"),
        ("temp=0.7", "write it as the `option` `temp` of its roles"),
    ] {
        let text = format!("gateway \"front\" port=9000 {written}\n") + &routed("x", "");
        let finding = single_finding(&text);
        assert_eq!(
            (finding.code.name, &*finding.help),
            ("unknown-field", &[help.to_owned()][..]),
            "{written}"
        );
    }
}

#[test]
fn the_key_of_a_gateway_is_not_shown() {
    let text = "gateway \"front\" port=9000 api-key=\"sk-0123456789\"\n".to_owned() + &routed("x", "");
    let compiled = compile_with_base(&text);
    assert_eq!(compiled.codes(), ["unknown-field"], "{}", compiled.report());
    assert!(!compiled.report().contains("0123456789"), "{}", compiled.report());
    let help = &compiled.findings.findings()[0].help;
    assert_eq!(
        help,
        &["write a new key into a file that only root can read, and name that file in `key-file`"]
    );
}
