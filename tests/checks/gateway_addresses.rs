//! The addresses of gateways and of the roles behind them: ports, names, keys, sandbox, and the command line.

use super::gateways::{FRONT, UNUSED, assert_helps, only, role, routed, with_base, with_defaults};
use super::{assert_codes, compile_with_base, label_texts, single_finding};

const CONFLICT: &[&str] = &["port-conflict"];

#[test]
fn a_role_behind_a_gateway_has_no_address() {
    for (name, field) in [
        ("port", "port=9001"),
        ("ports", "ports=\"9001-9002\""),
        ("listen", "listen=\"127.0.0.1\""),
        ("backend", "backend=9009"),
    ] {
        let text = FRONT.to_owned() + &routed("x", field);
        let finding = single_finding(&text);
        assert_eq!(
            (finding.code.name, finding.message.clone()),
            ("conflicting-fields", format!("role `x` has both `gateway` and `{name}`"))
        );
        let remove = format!("remove `{field}`");
        let own = ("or remove `gateway=\"front\"` for its own address", UNUSED);
        if name.starts_with("port") {
            assert_helps(&text, &[(&remove, &[]), own]);
        } else {
            assert_helps(&text, &[(&remove, &[])]);
        }
    }
}

#[test]
fn the_own_port_of_a_role_wins_over_a_gateway_of_the_defaults() {
    let routed = "role \"x\" tier=\"A\" residency=\"hot\" model=\"plain\" context=4096\n";
    for own in [
        "port=9001",
        "ports=\"9001-9002\"",
        // The role may also make it clear.
        "{ unset \"gateway\"; port 9001 }",
    ] {
        let text = FRONT.to_owned() + routed + &role("y", "hot", own);
        let compiled = with_defaults("gateway \"front\"", &text);
        assert!(compiled.findings.is_empty(), "{}", compiled.report());
        let files = compiled.files();
        assert!(files.keys().any(|path| path.starts_with("systemd/page-y")), "{:?}", files.keys());
        assert!(!files.keys().any(|path| path.starts_with("systemd/page-x")), "{:?}", files.keys());
        assert!(!files["router/front.ini"].0.contains("[y]"));
    }
    // Without the gateway of the defaults, the role needs a port.
    let text = FRONT.to_owned() + routed + &role("y", "hot", "{ unset \"gateway\" }");
    let finding = only(&with_defaults("gateway \"front\"", &text));
    assert_eq!(finding.message, "role `y` has no `port`");
    // An address of the defaults is not that of a role behind a gateway.
    let text = FRONT.to_owned() + routed + &role("y", "hot", "port=9001");
    let compiled = with_defaults("gateway \"front\"; listen \"127.0.0.2\"", &text);
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
    let compiled = with_defaults("gateway \"front\"", &(text + &role("z", "hot", "listen=\"127.0.0.1\"")));
    assert_eq!(only(&compiled).message, "role `z` has both `gateway` and `listen`");
}

#[test]
fn an_unknown_gateway_has_the_nearest_name() {
    let text = FRONT.to_owned() + &role("x", "hot", "gateway=\"frnt\"") + &routed("y", "");
    let finding = single_finding(&text);
    assert_eq!(finding.message, "role `x` uses gateway `frnt`, which is not declared");
    assert_eq!(finding.help, ["write `front`", "or declare gateway `frnt` with `port`"]);
    assert_helps(&text, &[("write `front`", &[])]);
    let none = single_finding(&(routed("x", "") + &routed("y", "")));
    assert_eq!(
        none.help,
        ["declare it, with your own values: `gateway \"front\" port=8000` (no gateway is declared yet)"]
    );
    let finding = only(&with_defaults("gateway \"frnt\"", &(FRONT.to_owned() + &routed("x", ""))));
    assert_eq!((finding.code.name, &*finding.help[0]), ("unknown-name", "write `front`"));
}

#[test]
fn a_gateway_without_roles_is_unused() {
    let finding = single_finding(FRONT);
    assert_eq!(finding.message, "nothing uses gateway `front`");
    assert_eq!(finding.help, ["remove gateway `front`", "or name it as the `gateway` of a role"]);
    assert_helps(FRONT, &[("remove gateway `front`", &[])]);
    let shared =
        FRONT.to_owned() + &routed("x", "") + "role \"y\" tier=\"A\" shares=\"x\" gateway=\"front\"\n";
    assert_helps(&shared, &[("remove `gateway`; configure role `x` instead", &[])]);
}

#[test]
fn the_port_of_a_gateway_conflicts_with_others() {
    let gateway = FRONT.to_owned() + &routed("x", "");
    let second = "gateway \"back\" port=9000\n".to_owned() + &role("y", "hot", "gateway=\"back\"");
    for (text, message, help) in [
        (
            role("y", "hot", "port=9000"),
            "role `y` and gateway `front` both listen on port 9000 of host `box`",
            "write `port=9001` in role `y`",
        ),
        (
            "service \"s\" port=9000\n".to_owned(),
            "gateway `front` and service `s` both listen on port 9000 of host `box`",
            "write `port=9001` in gateway `front`",
        ),
        (
            second,
            "gateway `back` and gateway `front` both listen on port 9000 of host `box`",
            "write `port=9001` in gateway `back`",
        ),
    ] {
        let text = gateway.clone() + &text;
        assert_eq!(single_finding(&text).message, message);
        assert_helps(&text, &[(help, &[])]);
        assert_codes(&[], &text.replace("\"front\" port=9000", "\"front\" port=9000 listen=\"127.0.0.2\""));
        let all = "\"front\" port=9000 key-file=\"/etc/k\" listen=\"0.0.0.0\"";
        assert_codes(CONFLICT, &text.replace("\"front\" port=9000", all));
    }
    let backend = gateway.replace("9000", "19000") + &role("y", "warm", "port=9000");
    assert_helps(&backend, &[("write `backend=19001` in role `y`", &[])]);
    // The roles of a gateway have no port.
    assert_codes(&[], &(gateway + &routed("y", "") + &role("z", "hot", "port=9001")));
}

#[test]
fn only_root_can_give_a_gateway_a_low_port() {
    let text = FRONT.replace("9000", "80") + &routed("x", "");
    assert_codes(&[], &text);
    let finding = only(&with_base("stack \"page\"", "stack \"page\" scope=\"user\"", &text));
    assert_eq!(finding.code.name, "needs-root");
    assert_eq!(finding.message, "gateway `front` has port 80, and only root can listen below 1024");
    assert_eq!(finding.help, ["write `port=8080`"]);
}

#[test]
fn a_gateway_that_other_machines_reach_needs_a_key() {
    let open = FRONT.replace("9000", "9000 listen=\"0.0.0.0\"") + &routed("x", "");
    let finding = single_finding(&open);
    assert_eq!(finding.message, "gateway `front` listens on `0.0.0.0` without an API key");
    assert_eq!(finding.subject.unwrap().kind, "gateway");
    assert_helps(&open, &[("or write `listen=\"127.0.0.1\"`, behind a proxy that requires a key", &[])]);
    assert_codes(&[], &open.replace("listen=", "key-file=\"/etc/keys/k\" listen="));
    let temporary = single_finding(&open.replace("listen=\"0.0.0.0\"", "key-file=\"/tmp/k\""));
    assert_eq!(temporary.code.name, "misplaced-key-file");
    assert_eq!(
        temporary.message,
        "the key file of gateway `front` is in an unsuitable folder: `/tmp` is emptied at boot"
    );
}

#[test]
fn an_option_is_exposed_by_the_address_of_the_gateway() {
    let text = FRONT.replace("9000", "9000 key-file=\"/etc/keys/k\" listen=\"0.0.0.0\"")
        + &routed("x", "{ option \"webui-mcp-proxy\" }");
    let compiled = compile_with_base(&text);
    let finding = only(&compiled);
    assert_eq!(finding.code.name, "exposed-option");
    assert_eq!(label_texts(&compiled, &finding)[1].1, "\"0.0.0.0\"");
    assert_helps(&text, &[("remove this option", &[]), ("or write `listen=\"127.0.0.1\"`", &[])]);
    assert_codes(&[], &text.replace("0.0.0.0", "127.0.0.1"));
    // A key of the gateway protects the files that a role serves.
    let files = text.replace("\"webui-mcp-proxy\"", "\"media-path\" \"/srv/media\"");
    assert_codes(&[], &files);
    let without = files.replace("key-file=\"/etc/keys/k\" ", "");
    assert_codes(&["exposed-without-key", "exposed-option"], &without);
}

#[test]
fn a_gateway_and_a_role_have_different_units() {
    let named = |name: &str| {
        format!("gateway \"{name}\" port=9000\n") + &role("x", "hot", &format!("gateway=\"{name}\""))
    };
    for (name, other, message) in [
        ("y", role("y", "hot", "port=9001"), "role `y` and gateway `y` would have the same name"),
        ("Y", role("y", "hot", "port=9001"), "role `y` and gateway `Y` would have the same name"),
        (
            "y-backend",
            role("y", "warm", "port=9001"),
            "the backend of role `y` and gateway `y-backend` would have the same name",
        ),
        (
            "y-1",
            role("y", "hot", "ports=\"9001-9002\""),
            "instance 1 of role `y` and gateway `y-1` would have the same name",
        ),
        ("prompt", String::new(), "gateway `prompt` has the same name as the folder for one-shot commands"),
    ] {
        let finding = single_finding(&(named(name) + &other));
        assert_eq!((finding.code.name, &*finding.message), ("name-collision", message));
    }
    // The role is behind the gateway, so it has no unit.
    assert_codes(&[], &named("x"));
}

const TOWER: &str = "host \"tower\" memory=\"64 GB\" cpus=\"0-15\" { gpu \"CUDA0\" memory=\"24 GB\" }\n";

fn with_gpu(gateway: &str) -> String {
    TOWER.to_owned()
        + &format!("gateway \"front\" port=9000 host=\"tower\" {gateway}\n")
        + &routed("x", "{ placement gpu=\"CUDA0\" }")
}

#[test]
fn the_sandbox_of_a_gateway_may_hide_its_gpus() {
    assert_codes(&[], &with_gpu(""));
    assert_codes(&[], &with_gpu("hardening=\"gpu\""));
    let text = with_gpu("hardening=\"strict\"");
    let finding = single_finding(&text);
    assert_eq!(finding.message, "`hardening` `strict` hides the GPU `CUDA0` of gateway `front`");
    assert_helps(&text, &[("write `hardening=\"gpu\"`", &[])]);
    let compiled = with_base("stack \"page\"", "stack \"page\" hardening=\"default\"", &with_gpu(""));
    let finding = only(&compiled);
    assert_eq!(finding.help[0], "write `hardening=\"gpu\"` in the gateway");
    // The level of the gateway replaces that of the defaults, so that both helps do not contradict each other.
    let compiled = with_defaults("hardening \"default\"", &with_gpu("hardening=\"gpu\""));
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
    // A role that gets its own port also needs the host of its gateway.
    assert_helps(
        &with_gpu("").replace("context=4096", "context=4096 hardening=\"gpu\""),
        &[
            ("write `hardening=\"gpu\"` in the gateway, for all its roles", &[]),
            ("or remove `hardening=\"gpu\"`", &[]),
            ("or write `port=8100` and `host \"tower\"` in the role instead of `gateway`", UNUSED),
        ],
    );
}

/// The unit of the gateway `front`.
#[track_caller]
fn unit(build: &str, text: &str) -> String {
    let compiled = with_base("llama.cpp-b11434", build, text);
    let mut files = compiled.files().into_iter();
    files.find(|(path, _)| path.ends_with("page-front.service")).unwrap().1.0
}

#[test]
fn a_router_keeps_a_part_of_its_gpus_free_if_its_build_can() {
    assert!(unit("llama.cpp-b12032", &with_gpu("")).contains(" --models-memory-margin 1024"));
    for text in [FRONT.to_owned() + &routed("x", ""), with_gpu("").replace("{ placement gpu=\"CUDA0\" }", "")]
    {
        assert!(!unit("llama.cpp-b12032", &text).contains("memory-margin"));
    }
    assert!(!unit("llama.cpp-b11669", &with_gpu("")).contains("memory-margin"));
}

#[test]
fn a_preset_has_the_idle_time_and_the_metrics() {
    let preset = |text: &str| compile_with_base(text).files()["router/front.ini"].0.clone();
    let idle = preset(&(FRONT.to_owned() + &role("x", "warm", "gateway=\"front\"")));
    assert!(idle.contains("\nsleep-idle-seconds = 900\n"), "{idle}");
    assert!(!idle.contains("load-on-startup") && !idle.contains("metrics"), "{idle}");
    let metrics = preset(&(FRONT.replace("9000", "9000 metrics=#true") + &routed("x", "")));
    assert!(
        metrics.contains("\nmetrics = true\n") && metrics.contains("\nload-on-startup = true\n"),
        "{metrics}"
    );
    assert!(!metrics.contains("sleep-idle-seconds"), "{metrics}");
}
