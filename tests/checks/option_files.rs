//! Files, machines and tensors in the values of options, and options that open a role to other machines.

use super::{assert_codes, role, single_finding};

fn option(name: &str, value: &str) -> String {
    role("x", &format!("port=9000 {{ option \"{name}\" value=#\"{value}\"# }}"))
}

#[test]
fn a_path_must_be_absolute() {
    for (name, value, help) in [
        ("json-schema-file", "schemas/chat.json", "the service starts in the folder `/`"),
        ("grammar-file", "./a.gbnf", "the service starts in the folder `/`"),
        ("log-file", "~/logs/x.log", "only a shell replaces `~`"),
        ("slot-save-path", "$HOME/slots", "variables are not replaced"),
        ("slot-save-path", "/var/lib/../slots", "without `..`"),
        ("control-vector", "/srv/a.gguf,b.gguf", "the service starts in the folder `/`"),
        ("control-vector-scaled", "a.gguf:0.5", "the service starts in the folder `/`"),
        ("path", "C:\\www", "the service starts in the folder `/`"),
    ] {
        let finding = single_finding(&option(name, value));
        assert_eq!(finding.code.name, "option-value", "{name} {value}");
        assert!(finding.message.contains("must be a full path"), "{}", finding.message);
        assert!(finding.help.concat().contains(help), "{name} {value}: {:?}", finding.help);
    }
    for (name, value) in [
        ("json-schema-file", "/srv/chat.json"),
        ("control-vector", "/srv/a.gguf,/srv/b.gguf"),
        ("control-vector-scaled", "/srv/a.gguf:0.5,/srv/b:c.gguf:1"),
        ("slot-save-path", "/var/lib/llama/slots"),
        ("log-file", "/var/log/llama/x.log"),
        ("log-file", "/dev/null"),
    ] {
        assert_codes(&[], &option(name, value));
    }
}

#[test]
fn a_machine_of_rpc_has_a_port() {
    for value in ["gpubox", "[::1]:50052", "10.0.0.1:", "10.0.0.1:0", ":50052", "10.0.0.1:50052,gpubox"] {
        let finding = single_finding(&option("rpc", value));
        assert_eq!(
            (finding.code.name, &*finding.help.concat()),
            ("option-value", "write addresses with ports, such as `192.168.0.2:50052`"),
            "{value}"
        );
    }
    assert_codes(&[], &option("rpc", "10.0.0.1:50052,gpubox:50052"));
}

#[test]
fn a_written_file_is_in_a_folder_that_systemd_creates() {
    for (name, value, why, to) in [
        ("log-file", "/srv/x.log", "temporary user", "/var/log/page/x.log"),
        ("log-file", "/var/log/x.log", "only root can write in `/var/log` itself", "/var/log/page/x.log"),
        ("slot-save-path", "/tmp/slots", "`/tmp` is separate for each service", "/var/lib/page/slots"),
        ("slot-save-path", "/home/anna/slots/", "temporary user", "/var/lib/page/slots"),
        ("log-prompts-dir", "/var/lib", "only root can write", "/var/log/page/lib"),
    ] {
        let finding = single_finding(&option(name, value));
        assert_eq!(finding.code.name, "unwritable-path");
        assert!(finding.message.contains(why), "{}", finding.message);
        let help = finding.help.concat();
        assert!(help.contains(to), "{help}");
        assert_codes(&[], &option(name, to));
    }
    // A user of the host may own the folder.
    let with_user = crate::language::BASE.replacen("host \"box\"", "host \"box\" user=\"llama\"", 1);
    let text = option("log-file", "/srv/x.log");
    let compiled = crate::support::compile(&[("base.kdl", &with_user), ("case.kdl", &text)]);
    assert_eq!(compiled.codes(), [""; 0], "{}", compiled.report());
}

#[test]
fn patterns_of_tensors_are_regular_expressions() {
    for (value, why, help) in [
        ("[0-9\\.ffn=CPU", "a `[` has no `]`", "add the `]`"),
        ("(a=CPU", "a `(` has no `)`", "add the `)`"),
        ("a)=CPU", "a `)` has no `(`", "add the `(`"),
        ("*exps*=CPU", "nothing before it", "write `.*`"),
        ("blk.{x}=CPU", "a `{` is not followed by a number", "write `\\{`"),
        ("a=CPU,[z-a]=CPU", "not from a lower to a higher", "lower character first"),
        ("(?<n>a)=CPU", "a `(?` is not followed by", "without a name"),
        ("a\\=CPU", "followed by nothing", "remove it"),
        // The engine splits at the first `=`.
        ("a(?=b)=CPU", "a `(?` is not followed by", "without a name"),
        ("(a)\\2=CPU", "names no group before it", "remove it"),
        ("exps", "has no `=` with a buffer type in `exps`", "write `exps=CPU`"),
        ("blk\\.\\d{1,2}\\.=CPU", "has no `=`", "write the pattern without `,`"),
        ("a=CPU, b=CPU", "a blank around `b=CPU`", "write `a=CPU,b=CPU`"),
        ("a=", "needs a pattern and a buffer type", "such as `exps=CPU`"),
        ("a=CUDA0", "the host declares no `gpu`", "write `CPU` instead of `CUDA0`"),
        ("a=cpu", "the host declares no `gpu`", "write `CPU` instead of `cpu`"),
    ] {
        for name in ["override-tensor", "-ot"] {
            let finding = single_finding(&option(name, value));
            assert_eq!(finding.code.name, "option-value", "{value}");
            assert!(finding.message.contains(why), "{value}: {}", finding.message);
            assert!(finding.help.concat().contains(help), "{value}: {:?}", finding.help);
        }
    }
    for value in [
        "exps=CPU",
        "blk\\.([0-9]*[02468])\\.ffn_.*_exps\\.=CPU",
        "\\.ffn_(up|down)_exps=CPU,\\.ffn_gate_exps=CPU",
        "[[:digit:]]+\\.(?:a|b)(?!c)=CPU",
        "[^]-]{2}a*?=CPU",
        "exps=RPC0[10.0.0.1:50052]",
    ] {
        assert_codes(&[], &option("override-tensor", value));
    }
}

#[test]
fn a_buffer_type_is_one_of_the_declared_gpus() {
    let base = crate::language::BASE.replacen("host \"box\" ", "host \"two\" memory=\"64 GB\" cpus=\"0-7\" smt=1 { gpu \"CUDA0\" memory=\"8 GB\"; gpu \"CUDA1\" memory=\"8 GB\" }\nhost \"box\" ", 1);
    let codes = |buffer: &str| {
        let role = option("override-tensor", &format!("exps={buffer}")).replacen(
            "role \"x\"",
            "role \"x\" host=\"two\"",
            1,
        );
        let text = base.clone() + &role;
        crate::support::compile(&[("base.kdl", &text)])
    };
    for buffer in ["CUDA0", "CUDA1", "CPU", "Metal"] {
        let compiled = codes(buffer);
        assert!(!compiled.codes().contains(&"option-value"), "{}", compiled.report());
    }
    for buffer in ["CUDA2", "ROCm0", "cpu"] {
        let compiled = codes(buffer);
        assert!(compiled.codes().contains(&"option-value"), "{buffer}: {}", compiled.report());
    }
}

/// A role that other machines reach, with an option.
fn reachable(option: &str) -> String {
    role("x", &format!("port=9000 key-file=\"/etc/keys/k\" listen=\"0.0.0.0\" {{ {option} }}"))
}

#[test]
fn options_that_give_clients_more_than_answers_are_reported_if_others_reach_the_role() {
    for option in [
        "option \"webui-mcp-proxy\"",
        "option \"tools\" value=\"all\"; engine \"e\"",
        "option \"agent\"; engine \"e\"",
        "option \"mcp-servers-json\" value=\"{}\"; engine \"e\"",
        "option \"mcp-servers-config\" value=\"/etc/mcp.json\"; engine \"e\"",
        "option \"cors-credentials\"; engine \"e\"",
        "option \"cors-credentials\"; option \"cors-origins\" value=\"*\"; engine \"e\"",
    ] {
        let (engine, option) = match option.strip_suffix("; engine \"e\"") {
            Some(option) => {
                ("engine \"e\" profile=\"llama.cpp-b11669\" bin=\"/e\"\n", format!("{option}; engine \"e\""))
            }
            None => ("", option.to_owned()),
        };
        for (listen, is_exposed) in
            [("0.0.0.0", true), ("192.168.1.2", true), ("127.0.0.1", false), ("::1", false)]
        {
            let text = engine.to_owned()
                + &role(
                    "x",
                    &format!("port=9000 key-file=\"/etc/keys/k\" {{ listen \"{listen}\"; {option} }}"),
                );
            let expected: &[&str] = if is_exposed { &["exposed-option"] } else { &[] };
            assert_codes(expected, &text);
        }
    }
    assert_codes(&[], &reachable("option \"no-webui-mcp-proxy\""));
}

#[test]
fn a_tunnel_exposes_every_address() {
    let engine = "engine \"e\" profile=\"llama.cpp-b12032\" bin=\"/e\"\n";
    let text = engine.to_owned() + &role("x", "port=9000 engine=\"e\" { option \"connect\" }");
    assert_codes(&["exposed-option"], &text);
}

#[test]
fn files_are_exposed_without_a_key_only() {
    assert_codes(&[], &reachable("option \"path\" value=\"/srv/www\""));
    let text = role("x", "port=9000 listen=\"0.0.0.0\" { option \"media-path\" value=\"/srv/www\" }");
    assert_codes(&["exposed-without-key", "exposed-option"], &text);
}

#[test]
fn credentials_need_the_origins_that_may_use_them() {
    let engine = "engine \"e\" profile=\"llama.cpp-b11669\" bin=\"/e\"\n";
    let text = |options: &str| {
        engine.to_owned()
            + &role(
                "x",
                &format!("port=9000 engine=\"e\" key-file=\"/k\" listen=\"0.0.0.0\" {{ {options} }}"),
            )
    };
    let finding = single_finding(&text("option \"cors-credentials\""));
    let help = finding.help.concat();
    assert!(help.contains("write `option \"no-cors-credentials\"`"), "{help}");
    assert_codes(&[], &text("option \"no-cors-credentials\""));
    assert_codes(
        &[],
        &text("option \"cors-credentials\"; option \"cors-origins\" value=\"https://chat.example\""),
    );
}

#[test]
fn a_file_has_one_writer() {
    let log = |name: &str, ports: &str, path: &str| {
        role(name, &format!("{ports} {{ option \"log-file\" value=\"{path}\" }}"))
    };
    let two =
        log("x", "port=9000", "/var/log/llama/all.log") + &log("y", "port=9001", "/var/log/llama/all.log");
    let finding = single_finding(&two);
    assert_eq!(finding.message, "role `x` and role `y` write `/var/log/llama/all.log`");
    assert_eq!(finding.help, ["write `\"/var/log/llama/all-y.log\"`"]);
    let other = two.replacen("all.log", "x.log", 1);
    assert_codes(&[], &other);
    assert_codes(&["written-twice"], &log("x", "ports=\"9000-9002\"", "/var/log/llama/all.log"));
    assert_codes(&[], &log("x", "ports=\"9000-9002\"", "/dev/stderr"));
    // Older versions of systemd give a folder to one temporary user.
    let folders = option("slot-save-path", "/var/lib/llama/slots")
        + &option("slot-save-path", "/var/lib/llama/slots/")
            .replace("\"x\"", "\"y\"")
            .replace("9000", "9001");
    let finding = single_finding(&folders);
    assert_eq!(
        (finding.code.name, finding.help.concat()),
        ("written-twice", "write `\"/var/lib/llama/slots-y\"`".into())
    );
    for (given, wanted) in [("user=\"llama\"", 0), ("systemd=262", 0), ("systemd=252", 1)] {
        let base = crate::language::BASE.replacen("host \"box\"", &format!("host \"box\" {given}"), 1);
        let compiled = crate::support::compile(&[("base.kdl", &base), ("case.kdl", &folders)]);
        assert_eq!(compiled.codes().len(), wanted, "{given}: {}", compiled.report());
    }
}

#[test]
fn a_variable_is_an_option_too() {
    let env = |name: &str, value: &str| {
        role("x", &format!("port=9000 listen=\"0.0.0.0\" key-file=\"/k\" {{ env {{ {name} \"{value}\" }} }}"))
    };
    let relative = single_finding(&env("LLAMA_ARG_STATIC_PATH", "www"));
    assert_eq!((relative.code.name, relative.help.len()), ("engine-variable", 1));
    assert_codes(&[], &env("LLAMA_ARG_STATIC_PATH", "/srv/www"));
    assert_codes(&["exposed-option"], &env("LLAMA_ARG_UI_MCP_PROXY", "1"));
    assert_codes(&[], &env("LLAMA_ARG_UI_MCP_PROXY", "0"));
}

#[test]
fn a_default_option_is_reported_once() {
    let text = r#"
stack "s" engine="e" {
    defaults { tier "t"; residency "r"; context 512; option "fit-target" value=9; option "log-file" value="/srv/x.log"; option "control-vector" value="a.gguf" }
}
engine "e" profile="llama.cpp-b11669" bin="/e"
host "h" memory="64 GB" cpus="0-7" smt=1
store "m" path="/m"
tier "t" title="T"
residency "r" title="R" start="boot"
family "f" arch="qwen3"
model "a" family="f" title="A" quant="Q8_0" size="5 GB" file="a.gguf"
role "x" model="a" port=9000
role "y" model="a" port=9001
role "z" model="a" port=9002
"#;
    let compiled = crate::support::compile(&[("stack.kdl", text)]);
    let mut codes = compiled.codes();
    codes.sort_unstable();
    assert_eq!(
        codes,
        ["idle-option", "option-value", "unwritable-path", "written-twice"],
        "{}",
        compiled.report()
    );
    let findings = compiled.findings.findings();
    assert!(
        findings
            .iter()
            .all(|finding| finding.subject.as_ref().is_some_and(|subject| subject.kind == "stack"))
    );
}
