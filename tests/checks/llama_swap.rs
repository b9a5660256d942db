//! Gateways of the kind `llama-swap`: their fields, and what llama-swap cannot give to one model.

use super::gateways::{assert_helps, role, with_base};
use super::{assert_codes, compile_with_base, single_finding};
use crate::support::compile;

const SWAP: &str = "gateway \"front\" port=9000 kind=\"llama-swap\" bin=\"/usr/local/bin/llama-swap\"\n";

/// A role behind the gateway `front`.
fn swapped(name: &str, rest: &str) -> String {
    role(name, "hot", &format!("gateway=\"front\" {rest}"))
}

/// A role that another program serves, behind the gateway `front`.
fn program(rest: &str) -> String {
    format!(
        "role \"speech\" tier=\"A\" residency=\"hot\" gateway=\"front\" memory=\"1 GB\" {rest} {{ command \"/usr/bin/x\" \"{{port}}\" }}\n"
    )
}

#[test]
fn each_kind_has_its_own_fields() {
    let text = SWAP.replace(" bin=\"/usr/local/bin/llama-swap\"", "") + &swapped("x", "");
    assert_eq!(single_finding(&text).message, "gateway `front` has no `bin`");
    assert_helps(&text, &[("add `bin=\"/usr/local/bin/llama-swap\"`: the program", &[])]);

    let text = SWAP.replace("port", "engine=\"llama.cpp\" port") + &swapped("x", "");
    assert_eq!(
        single_finding(&text).message,
        "gateway `front` has `engine`, but its `kind` is `llama-swap`: each of its roles has its own engine"
    );
    assert_helps(
        &text,
        &[("remove `engine=\"llama.cpp\"`", &[]), ("or write `kind=\"router\"`", &["conflicting-fields"])],
    );
    for field in ["bin=\"/b/x\"", "backend=19500"] {
        let text = format!("gateway \"front\" port=9000 {field}\n") + &swapped("x", "");
        let finding = single_finding(&text);
        assert!(finding.message.ends_with("but its `kind` is `router`: its program is that of an engine"));
        assert_eq!(finding.help[0], format!("remove `{field}`"));
    }
}

/// The fields of the kind that was meant are not reported.
#[test]
fn a_wrong_kind_is_the_only_finding() {
    let text =
        SWAP.replace("llama-swap\" bin", "llamaswap\" bin") + &swapped("x", "") + &program("health=\"/\"");
    assert_eq!(single_finding(&text).message, "`kind` of gateway `front` cannot be `llamaswap`");
}

/// Of a router, all these are errors.
#[test]
fn each_role_has_its_own_engine_environment_placement_and_key() {
    let text = SWAP.to_owned()
        + "engine \"other\" profile=\"llama.cpp-b11669\" bin=\"/o\"\n"
        + &swapped("a", "engine=\"other\" { env { OMP_NUM_THREADS \"8\" } }")
        + &swapped("b", "key-file=\"/etc/keys/b\" { placement numa=\"bind 0\" }")
        + &swapped("c", "{ placement numa=\"interleave\" cpus=\"0-3\" threads=4 }")
        + &program("health=\"/\"");
    assert_codes(&[], &text);
}

#[test]
fn all_roles_have_the_host_and_the_sandbox_of_the_gateway() {
    let text = SWAP.to_owned() + &swapped("x", "hardening=\"strict\"");
    assert_eq!(
        single_finding(&text).message,
        "role `x` has `hardening` `strict`, but gateway `front` has none, and all its models run in one unit"
    );
    assert_helps(
        &text,
        &[
            ("write `hardening=\"strict\"` in the gateway, for all its roles", &[]),
            ("or remove `hardening=\"strict\"`", &[]),
            ("or write `port=8100` in the role instead of `gateway`", &["unused-item"]),
        ],
    );
    let text = "host \"two\" memory=\"64 GB\" cpus=\"0-7\"\n".to_owned()
        + &SWAP.replace("port", "host=\"box\" port")
        + &program("health=\"/\" host=\"two\"");
    assert_eq!(
        single_finding(&text).message,
        "role `speech` has `host` `two`, but gateway `front` has `box`, and all its models run in one unit"
    );
}

/// llama-swap passes the key of a client on, so a model has no other key by default.
#[test]
fn the_key_of_the_gateway_replaces_that_of_the_defaults() {
    let text = |key: &str| {
        format!(
            "stack \"s\" engine=\"e\" {{ defaults {{ key-file \"/etc/keys/default\"; gateway \"front\" }} }}\n\
             engine \"e\" profile=\"llama.cpp-b11669\" bin=\"/b\"\nmodel \"m\" file=\"/m.gguf\"\n\
             gateway \"front\" port=8000 kind=\"llama-swap\" bin=\"/b/swap\" {key}\n\
             role \"x\" model=\"m\" context=512\nrole \"y\" model=\"m\" context=512 key-file=\"/etc/keys/y\"\n"
        )
    };
    let keys = |key: &str| {
        let compiled = compile(&[("a.kdl", &text(key))]);
        assert!(compiled.findings.is_empty(), "{}", compiled.report());
        let unit = &compiled.files()["systemd/s-front.service"].0;
        let lines = unit.lines().filter_map(|line| line.strip_prefix("LoadCredential="));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(keys("key-file=\"/etc/keys/front\""), ["key-1:/etc/keys/y", "api-key:/etc/keys/front"]);
    assert_eq!(keys(""), ["key-1:/etc/keys/default", "key-2:/etc/keys/y"]);
}

#[test]
fn a_program_needs_a_health_check() {
    let text = SWAP.to_owned() + &program("");
    assert_eq!(
        single_finding(&text).message,
        "role `speech` has no `health`, and llama-swap would send it requests before it is ready"
    );
    assert_helps(
        &text,
        &[("write `health \"/health\"`, or another path that answers 200 as soon as it is ready", &[])],
    );
}

/// The words of a model of llama-swap have their place in a role.
#[test]
fn words_of_its_models_are_known_in_roles() {
    for (word, help) in [
        (
            "ttl=600",
            "write `idle` in the residency of the role: the time without requests after which its model is unloaded",
        ),
        (
            "cmd=\"/b/llama-server\"",
            "write `model` for a model of the engine, or `command` for another program",
        ),
        ("checkEndpoint=\"/h\"", "write `health` if the role has a `command`; the engine has a known path"),
        ("proxy=\"http://127.0.0.1:1\"", "remove it: the gateway selects the ports of its models"),
        (
            "filters=\"x\"",
            "write `option` in another role with `shares`: a gateway of llama-swap sets it in its requests",
        ),
    ] {
        assert_eq!(single_finding(&(SWAP.to_owned() + &swapped("x", word))).help, [help]);
    }
    let text = SWAP.to_owned() + &program("health=\"none\"");
    let help = "write the path that answers 200 as soon as the program is ready, such as `/health`";
    assert_eq!(single_finding(&text).help, [help]);
}

#[test]
fn llama_swap_listens_on_one_address() {
    let text = SWAP.trim_end().to_owned() + " { listen \"127.0.0.1\" \"::1\" }\n" + &swapped("x", "");
    assert_eq!(
        single_finding(&text).message,
        "gateway `front` has several addresses, and llama-swap listens on only one"
    );
    assert_eq!(single_finding(&text).help, ["write only `127.0.0.1`, or another one of them"]);
    let compiled = compile_with_base(&(SWAP.replace("port", "listen=\"::1\" port") + &swapped("x", "")));
    let unit = &compiled.files()["systemd/page-front.service"].0;
    assert!(unit.contains("--listen \"[::1]:9000\"\n"), "{unit}");
}

#[test]
fn its_models_have_ports() {
    let text = SWAP.replace("9000", "9000 backend=18500")
        + &swapped("x", "")
        + &swapped("y", "")
        + &role("z", "hot", "port=18501");
    assert_eq!(
        single_finding(&text).message,
        "a model of gateway `front` and role `z` both listen on port 18501 of host `box`"
    );
    assert_helps(&text, &[("write `backend=18502` in gateway `front`", &[])]);
    let text = SWAP.replace("9000", "60000") + &swapped("x", "");
    assert_eq!(
        single_finding(&text).message,
        "the last of the models of gateway `front` would listen on port 70000"
    );
    assert_helps(&text, &[("write `backend=18000`, or another free port of at most 65535", &[])]);
}

/// A role that shares another one does not think if its requests have this field.
#[test]
fn options_about_thinking_name_the_field_of_a_request() {
    let shared = |option: &str| {
        SWAP.to_owned()
            + &swapped("x", "")
            + &format!("role \"exact\" tier=\"A\" shares=\"x\" {{ option {option} }}\n")
    };
    let kwargs = r#"`option "chat-template-kwargs" "{\"enable_thinking\": false}"`"#;
    for option in ["\"reasoning\" \"off\"", "\"reasoning-budget\" 0", "\"enable_thinking\" #false"] {
        let text = shared(option);
        assert_eq!(single_finding(&text).code.name, "shared-option");
        let write = format!("write {kwargs}, if the role should not think");
        assert_helps(&text, &[(&write, &[]), ("or remove this option", &[])]);
    }
    let text = shared("\"chat-template-kwargs\" #false");
    let write = format!("write JSON, such as {kwargs}");
    assert_helps(&text, &[(&write, &[]), ("or remove this option", &[])]);
}

/// YAML has a block where the option has JSON.
#[test]
fn a_block_as_the_value_of_an_option_becomes_json() {
    let text = |value: &str| {
        format!(
            "stack: {{name: s, engine: e}}\nengines: {{e: {{profile: llama.cpp-b11669, bin: /b}}}}\n\
             gateways: {{front: {{port: 8000, kind: llama-swap, bin: /b/swap}}}}\n\
             models: {{m: {{file: /m.gguf}}}}\nroles:\n  x: {{model: m, gateway: front, context: 512}}\n  \
             exact: {{shares: x, options: {{chat-template-kwargs: {value}}}}}\n"
        )
    };
    let compiled = compile(&[("a.yaml", &text("{enable_thinking: false, mode: short}"))]);
    let [finding] = compiled.findings.findings() else { panic!("{}", compiled.report()) };
    let json = r#""{\"enable_thinking\":false,\"mode\":\"short\"}""#;
    assert_eq!(finding.help, [format!("write `chat-template-kwargs: {json}`, if its value is JSON")]);
    let compiled = compile(&[("a.yaml", &text(json))]);
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
}

/// llama-swap has a limit for each residency, so that no residency needs its own gateway.
#[test]
fn it_enforces_at_once_of_several_residencies() {
    let residencies = "residency \"one\" title=\"O\" start=\"on-demand\" at-once=1\n\
         residency \"two\" title=\"T\" start=\"on-demand\" at-once=2\n";
    let roles = |residency: &str, names: &[&str]| {
        names.iter().map(|name| role(name, residency, "gateway=\"front\"")).collect::<String>()
    };
    let text = residencies.to_owned() + &roles("one", &["a", "b"]) + &roles("two", &["c", "d", "e"]);
    assert_codes(&[], &(SWAP.to_owned() + &text));
    let router = "gateway \"front\" port=9000\n".to_owned() + &text;
    let compiled = compile_with_base(&router);
    assert_eq!(compiled.codes(), ["unenforced-at-once"; 2]);
    assert!(
        compiled.findings.findings()[0].help.contains(
            &"or write `kind=\"llama-swap\"` and `bin=\"/usr/local/bin/llama-swap\"` in the gateway, if llama-swap is installed: it limits each residency".to_owned()
        ),
        "{:?}",
        compiled.findings.findings()[0].help
    );
}

/// The sum of a host is that of the largest set, and a role that does not fit with those that stay in memory is an error.
#[test]
fn sums_count_the_largest_set() {
    let text = |size: &str| {
        let model = |name: &str| {
            format!(
                "model \"{name}\" family=\"qwen2\" title=\"{name}\" quant=\"q\" size=\"{size}\" file=\"/{name}.gguf\"\n"
            )
        };
        model("big")
            + &model("other")
            + SWAP
            + &role("stays", "hot", "gateway=\"front\"")
            + &role("a", "warm", "gateway=\"front\"").replace("plain", "big")
            + &role("b", "warm", "gateway=\"front\"").replace("plain", "other")
    };
    let codes = |text: &str| with_base(" budget=\"40 GB\"", "", text).codes();
    // Each of them fits, but not both.
    assert_eq!(codes(&text("400 GB")), <[&str; 0]>::default());
    assert_eq!(codes(&text("700 GB")), ["over-host-memory"]);
    let router = text("400 GB").replace(" kind=\"llama-swap\" bin=\"/usr/local/bin/llama-swap\"", "");
    assert_eq!(codes(&router), ["over-host-memory"]);
}

#[test]
fn values_that_llama_swap_would_replace_are_errors() {
    for (rest, message) in [
        (
            "alias=\"a${PORT}\"",
            "the configuration of llama-swap cannot have the alias `a${PORT}` of role `x`: it replaces `${NAME}` everywhere",
        ),
        (
            "purpose=\"for ${env.HOME}\"",
            "the configuration of llama-swap cannot have the purpose `for ${env.HOME}` of role `x`: it replaces `${NAME}` everywhere",
        ),
        (
            "key-file=\"/etc/my keys/x\"",
            "the configuration of llama-swap cannot have the path `/etc/my keys/x` of role `x`: it reads the path of a key file from a variable, without quotes",
        ),
    ] {
        let text = SWAP.to_owned() + &swapped("x", rest);
        let finding = single_finding(&text);
        assert_eq!((finding.code.name, &*finding.message), ("unroutable-value", message));
    }
    let text = SWAP.to_owned() + &program("health=\"/\"").replace("/usr/bin/x", "/opt/${FOO}");
    assert_eq!(single_finding(&text).help, ["write another program"]);
    // Words that YAML could read as numbers, dates or flags are texts in quotes.
    assert_codes(&[], &(SWAP.to_owned() + &swapped("2024-01-31", "alias=\"1_000\" purpose=\"yes\"")));
}

#[test]
fn options_of_a_role_that_shares_another_are_settings_of_requests() {
    let shares = |option: &str| {
        SWAP.to_owned()
            + &swapped("x", "")
            + &format!("role \"y\" tier=\"A\" shares=\"x\" {{ option {option} }}\n")
    };
    assert_codes(&[], &shares("\"temp\" 0.2"));
    assert_codes(&[], &shares("\"--top-k\" 5"));
    for (option, message) in [
        ("\"threads\" 4", "no request has it: it is decided when the process starts"),
        ("\"no-such\" 4", "no request has it: it is decided when the process starts"),
        ("\"temp\" \"hot\"", "the value of `--temp` must be a number; `hot` is not"),
        ("\"chat-template-kwargs\" \"[]\"", "must be a JSON object; `[]` is not"),
        (
            r#""chat-template-kwargs" "{\"a\": [{\"<<\": 1}]}""#,
            "is not possible: llama-swap cannot have the key `<<`",
        ),
    ] {
        let finding = single_finding(&shares(option));
        assert_eq!(finding.code.name, "shared-option");
        assert!(finding.message.ends_with(message), "{}", finding.message);
        if !option.contains("kwargs") {
            assert_helps(&shares(option), &[("remove this option", &[])]);
        }
    }
    let finding = single_finding(&shares("\"temp\" 0.2; option \"temperature\" 0.3"));
    assert_eq!(
        finding.message,
        "the option `temperature` of role `y` sets the same field of a request as another option"
    );
    assert_eq!(finding.help, ["remove this option"]);
    // Nothing else writes them into requests.
    let own = shares("\"temp\" 0.2").replace("gateway=\"front\"", "port=9100").replace(SWAP, "");
    let finding = single_finding(&own);
    assert_eq!(
        (finding.code.name, &*finding.message),
        ("not-served", "role `y` shares the process of role `x`, so `option` would have no effect")
    );
    let router = shares("\"temp\" 0.2").replace(" kind=\"llama-swap\" bin=\"/usr/local/bin/llama-swap\"", "");
    assert_helps(
        &router,
        &[
            ("remove `option`; configure role `x` instead", &[]),
            (
                "or write `kind=\"llama-swap\"` and `bin=\"/usr/local/bin/llama-swap\"` in the gateway, if llama-swap is installed: it writes them into each request",
                &[],
            ),
        ],
    );
}

#[test]
fn both_languages_have_it() {
    let yaml = "gateways: {front: {port: 9000, kind: llama-swap, bin: /usr/local/bin/llama-swap, backend: 18100}}\nroles:\n  \
        x: {tier: A, residency: hot, model: plain, gateway: front, context: 4096}\n  \
        y: {tier: A, shares: x, options: {temp: 0.2}}\n";
    let compiled = compile(&[("base.kdl", crate::language::BASE), ("case.yaml", yaml)]);
    assert_eq!(compiled.codes(), <[&str; 0]>::default(), "{}", compiled.report());
    let config = &compiled.files()["llama-swap/front.yaml"].0;
    assert!(config.contains("startPort: 18100\n") && config.contains("temperature: 0.2\n"), "{config}");
}

/// The gateway with sets.
fn with_sets(sets: &str) -> String {
    format!("{} {{ {sets} }}\n", SWAP.trim_end())
}

#[test]
fn sets_have_roles_of_their_gateway() {
    let roles = swapped("ask", "") + &swapped("run", "") + &role("own", "hot", "port=9100");
    let text = with_sets("set \"ask\" \"rnu\"") + &roles;
    let finding = single_finding(&text);
    assert_eq!(
        (finding.code.name, &*finding.message),
        ("unknown-name", "gateway `front` uses role `rnu`, which is not declared")
    );
    assert_helps(&text, &[("write `run`", &[])]);
    let text = with_sets("set \"ask\" \"own\"") + &roles;
    let finding = single_finding(&text);
    assert_eq!(
        (finding.code.name, &*finding.message),
        ("conflicting-fields", "a set of gateway `front` has role `own`, which is not behind the gateway")
    );
    assert_helps(&text, &[("remove `\"own\"`", &[]), ("or write `gateway=\"front\"` in role `own`", &[])]);
    let listed = "role \"listed\" tier=\"A\" model=\"plain\"\n";
    let text = with_sets("set \"listed\"; set \"ask\" \"run\"") + &roles + listed;
    assert_helps(&text, &[("remove `set \"listed\"`", &[])]);
    let text = with_sets("set \"ask\" \"run\" \"ask\"") + &roles;
    assert_eq!(single_finding(&text).message, "`set` of gateway `front` has `ask` twice");
    // Two names of one process are one member of the set.
    let shares = "role \"exact\" tier=\"A\" shares=\"ask\"\n";
    assert_codes(&[], &(with_sets("set \"ask\" \"exact\" \"run\"") + &roles + shares));
}

#[test]
fn a_router_has_no_sets() {
    let text = |sets: &str| {
        format!("gateway \"front\" port=9000 {{ {sets} }}\n") + &swapped("x", "") + &swapped("y", "")
    };
    let one = text("set \"x\" \"y\"");
    assert_eq!(
        single_finding(&one).message,
        "gateway `front` has `set`, but its `kind` is `router`: a router has one limit for all its models"
    );
    let at_once = "`at-once` of a residency is the number of its roles that may run at the same time";
    let kind = "or write `kind \"llama-swap\"` and `bin \"/usr/local/bin/llama-swap\"`";
    assert_helps(&one, &[(&format!("remove `set \"x\" \"y\"`: {at_once}"), &[]), (kind, &[])]);
    let two = text("set \"x\" \"y\"; set \"y\"");
    assert_helps(&two, &[(kind, &[])]);
    assert_eq!(single_finding(&two).help[0], format!("remove all sets: {at_once}"));
}

#[test]
fn a_set_has_no_more_roles_of_a_residency_than_at_once() {
    let text = |at_once: &str| {
        with_sets("set \"a\" \"b\" \"c\"; set \"a\" \"d\"; set \"c\" \"d\"")
            + &format!("residency \"few\" title=\"F\" start=\"on-demand\" at-once={at_once}\n")
            + "residency \"many\" title=\"M\" start=\"boot\"\n"
            + &["a", "b", "d"].map(|name| role(name, "few", "gateway=\"front\"")).concat()
            + &role("c", "many", "gateway=\"front\"")
    };
    assert_codes(&[], &text("2"));
    let compiled = compile_with_base(&text("1"));
    let found: Vec<(&str, &[String])> =
        compiled.findings.findings().iter().map(|one| (&*one.message, one.help.as_slice())).collect();
    let message = "a set of gateway `front` has 2 roles of residency `few`, but its `at-once` is 1";
    let raised = "or write `at-once=2` in residency `few`".to_owned();
    assert_eq!(
        found,
        [
            (message, &["remove `b` from the `set`".to_owned(), raised.clone()][..]),
            (message, &["remove `d` from the `set`".to_owned(), raised]),
        ]
    );
    assert_helps(
        &text("1"),
        &[
            ("remove `b` from the `set`", &["unenforced-at-once"]),
            ("or write `at-once=2` in residency `few`", &[]),
            ("remove `d` from the `set`", &["unenforced-at-once"]),
            ("or write `at-once=2` in residency `few`", &[]),
        ],
    );
}

/// The sum of a residency is that of its roles in one set.
#[test]
fn a_declared_set_is_within_the_budget() {
    let text = |sets: &str| {
        with_sets(sets)
            + "residency \"tight\" title=\"T\" start=\"on-demand\" budget=\"18 GB\"\n"
            + &["plain", "tiny", "mixture"]
                .map(|name| {
                    role(name, "tight", "gateway=\"front\"").replacen(
                        "model=\"plain\"",
                        &format!("model=\"{name}\""),
                        1,
                    )
                })
                .concat()
    };
    assert_codes(&[], &text("set \"mixture\" \"tiny\"; set \"plain\" \"tiny\""));
    let over = text("set \"mixture\" \"tiny\" \"plain\"; set \"plain\" \"tiny\"");
    let finding = single_finding(&over);
    assert_eq!(finding.code.name, "over-budget");
    let remove = "remove `plain` from the `set` with `mixture` and `tiny`, so that fewer roles run together";
    assert_eq!(finding.help[0], remove);
    assert_helps(&over, &[(remove, &[]), ("or write `budget=\"22.4 GB\"`", &[])]);
}

/// A role that gets its own port is no longer in a set.
#[test]
fn a_role_with_its_own_port_leaves_its_sets() {
    let text =
        with_sets("set \"x\" \"y\"; set \"x\"") + &swapped("x", "hardening=\"strict\"") + &swapped("y", "");
    let own = "or write `port=8100` in the role instead of `gateway`";
    let expected: &[(&str, &[&str])] = &[
        ("write `hardening \"strict\"` in the gateway, for all its roles", &[]),
        ("or remove `hardening=\"strict\"`", &[]),
        (own, &[]),
    ];
    assert_helps(&text, expected);
}

/// A list of lists is what users write first in YAML.
#[test]
fn a_list_of_lists_has_the_form_of_sets_as_help() {
    for key in ["set", "sets"] {
        let yaml = format!("gateways: {{front: {{port: 9000, {key}: [[x, y], [x]]}}}}\n");
        let compiled = compile(&[("base.kdl", crate::language::BASE), ("case.yaml", &yaml)]);
        let finding = &compiled.findings.findings()[0];
        assert_eq!(finding.code.name, "unexpected-shape");
        assert_eq!(finding.help, ["write each inner list as `roles` of a block"]);
    }
}
