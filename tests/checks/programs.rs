//! Roles that another program serves.

use super::{assert_codes, compile_with_base, single_finding};

/// A role with a command and further fields.
fn program(rest: &str) -> String {
    format!(
        "role \"extra\" tier=\"A\" residency=\"hot\" port=9000 {{ command \"/bin/serve\" \"{{port}}\"; {rest} }}"
    )
}

#[test]
fn a_command_needs_no_engine_and_no_model() {
    for rest in [
        "",
        "memory \"2 GB\"",
        "health \"/ready?all=1\"",
        "reads \"/srv/a b\"",
        "listen \"::1\"",
        "writes \"/var/lib/x\"",
        "placement cpus=\"0-3\"",
        "env PORT=\"{port}\"",
        "measured \"6 t/s\"",
        "hardening \"strict\"",
    ] {
        assert_codes(&[], &program(rest));
    }
}

#[test]
fn variables_of_a_shell_are_found_in_its_env() {
    assert_codes(&["literal-variable"], &program("env CACHE=\"$HOME/cache\""));
}

#[test]
fn a_field_of_an_engine_is_one_finding_on_a_command() {
    for field in [
        "model \"plain\"",
        "engine \"llama.cpp\"",
        "context 4096",
        "key-file \"/etc/key\"",
        "draft \"plain\"",
        "option \"temp\" 0.7",
        "alias \"other\"",
        "shares \"other\"",
        "placement threads=4",
        "placement lock=#true",
    ] {
        let finding = single_finding(&program(field));
        assert_eq!(finding.code.name, "conflicting-fields", "{field}");
        assert!(finding.message.contains("has both `command` and"), "{}", finding.message);
    }
    for field in ["health \"/x\"", "memory \"1 GB\"", "reads \"/x\"", "writes \"/x\""] {
        let text = format!(
            "role \"extra\" tier=\"A\" residency=\"hot\" model=\"plain\" port=9000 context=4096 {{ {field} }}"
        );
        assert_codes(&["conflicting-fields"], &text);
    }
}

#[test]
fn defaults_of_engines_do_not_apply_to_a_command() {
    let base = crate::language::BASE.replace(
        "stack \"t\" engine=\"llama.cpp\"",
        "stack \"t\" engine=\"llama.cpp\" { defaults { context 4096; slots 2; option \"temp\" 0.7 } }",
    );
    let compiled = crate::support::compile(&[("base.kdl", &base), ("case.kdl", &program(""))]);
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
}

#[test]
fn a_stack_of_programs_needs_no_engine() {
    let listen = "role \"listen\" port=8082 { command \"/p\" \"{port}\" }\n";
    let stack = "stack \"s\"\n".to_owned();
    let codes = |text: &str| crate::support::compile(&[("stack.kdl", text)]).codes();
    assert!(codes(&(stack.clone() + listen)).is_empty());
    assert!(codes(&(stack.clone() + listen + "role \"speech\" shares=\"listen\"\n")).is_empty());
    let model = "model \"m\" file=\"/m.gguf\"\nrole \"chat\" model=\"m\" port=8080\n";
    assert_eq!(codes(&(stack.clone() + listen + model)), ["missing-field"]);
    assert_eq!(codes(&stack), ["missing-field"]);
}

#[test]
fn a_command_that_cannot_serve_is_an_error() {
    let role =
        |words: &str| format!("role \"extra\" tier=\"A\" residency=\"hot\" port=9000 {{ command {words} }}");
    for (words, help) in [
        ("\"serve\" \"{port}\"", "`command -v serve` prints it"),
        ("\"/bin/serve --port {port}\"", "write `command \"/bin/serve\" \"--port\" \"{port}\"`"),
        ("\"/bin/serve\" \"--port\" \"9000\"", "write `\"{port}\"`"),
        ("\"/bin/serve\" \"${PORT}\"", "write `\"{port}\"`"),
        ("\"/bin/serve\" \"--listen\" \":${PORT}\"", "write `\":{port}\"`"),
        (
            "\"/bin/serve\" \"--url=http://127.0.0.1:$PORT/v1\"",
            "write `\"--url=http://127.0.0.1:{port}/v1\"`",
        ),
        ("\"/bin/serve\" \"{{port}}:80\" \"-p\" \"${PORT}\"", "write `\"{port}:80\"` and `\"{port}\"`"),
        ("\"/bin/serve\" \"-p\" \"9000:9000\"", "write `\"{port}:9000\"`"),
        (
            "\"/bin/serve -p ${PORT}:80 -x 9000\"",
            "write `command \"/bin/serve\" \"-p\" \"{port}:80\" \"-x\" \"9000\"`",
        ),
        ("\"/bin/serve --listen=:9000\"", "write `command \"/bin/serve\" \"--listen=:{port}\"`"),
        ("\"/bin/serve\" \"-p\" \"${PORT}:${PORT}\"", "`{port}` is replaced once in a word"),
        ("\"/bin/sh\" \"-c\" \"exec serve $PORT\"", "or set the variable in `env` to `{port}`"),
        ("\"/bin/serve\" \"--port={port}s\"", "`{port}` is replaced once in a word"),
        ("\"/bin/serve\" \"{port}:{port}\"", "write `{port}` once"),
        ("\"/bin/serve\" \"http://{host}:{port}/\"", "write `\"http://127.0.0.1:{port}/\"`"),
        ("\"/bin/serve\"", "then `{port}` as a word"),
    ] {
        let finding = single_finding(&role(words));
        assert_eq!(finding.code.name, "unusable-command", "{words}");
        assert!(finding.help.iter().any(|text| text.contains(help)), "{words}: {:?}", finding.help);
    }
    assert_codes(&["unusable-command"], &program("health \"http://127.0.0.1:9000/ready\""));
    assert_codes(&["unusable-command"], &program("listen \"127.0.0.1\" \"::1\"; env HOST=\"{host}\""));
    assert_codes(&["unusable-command"], &program("listen \"127.0.0.1\" \"::1\"; env AT=\"{host}:{port}\""));
    assert_codes(&["unusable-command"], &program("env URL=\"http://{host}:{port}\""));
    assert_codes(&[], &program("listen \"127.0.0.1\" \"::1\""));
}

/// The port as a part of a word is a port that the program knows.
#[test]
fn a_word_with_the_port_as_a_part_names_the_port() {
    for word in
        ["--port={port}", "127.0.0.1:{port}", "{host}:{port}", "{port}:8080", "http://[::1]:{port}/v1"]
    {
        let command = format!("command \"/bin/serve\" \"{word}\"");
        assert_codes(&[], &format!("role \"extra\" tier=\"A\" residency=\"hot\" port=9000 {{ {command} }}"));
        let env = format!("command \"/bin/serve\"; env AT=\"{word}\"");
        assert_codes(&[], &format!("role \"extra\" tier=\"A\" residency=\"hot\" port=9000 {{ {env} }}"));
    }
}

#[test]
fn a_command_takes_part_in_the_checks_of_all_processes() {
    let second = "role \"second\" tier=\"A\" residency=\"hot\" port=9000 { command \"/bin/b\" \"{port}\" }";
    assert_codes(&["port-conflict"], &format!("{}\n{second}", program("")));
    assert_codes(&["unwritable-path"], &program("writes \"/srv/x\""));
    assert_codes(&["unholdable-path"], &program("reads \"/srv/a\\\"b\""));
    assert_codes(&["secret-in-registry"], &program("env HF_TOKEN=\"swordfish\""));
    assert_codes(&["unknown-node"], &program("placement numa=\"bind 7\""));
    assert_codes(&["conflicting-fields"], &program("placement numa=\"distribute\""));
    assert_codes(&["over-budget"], &program("memory \"900 TB\""));
}

#[test]
fn unknown_properties_of_a_command_are_not_checked() {
    let compiled = compile_with_base(&program("listen \"0.0.0.0\""));
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
    let why = |check: &str| {
        compiled
            .findings
            .not_checked()
            .iter()
            .any(|entry| entry.check == check && entry.why.contains("serve"))
    };
    assert!(why("exposed-without-key"));
}
