//! Settings of units for the files, folders and machines that options name.

use super::settings;
use crate::support::compile;

const STACK: &str = r#"
stack "s" engine="e" { defaults { tier "t"; context 512; residency "boot" } }
engine "e" profile="llama.cpp-b11669" bin="/opt/e"
host "h" memory="64 GB" cpus="0-7" smt=1 HOST
store "m" path="/srv/m"
tier "t" title="T"
residency "boot" title="boot" start="boot"
residency "later" title="later" start="on-demand"
family "f" arch="qwen3"
model "a" family="f" title="A" quant="Q8_0" size="5 GB" file="a.gguf"
"#;

/// The unit of a role with these options.
fn unit(options: &str) -> String {
    let text = STACK.replace("HOST", "") + &format!("role \"r\" model=\"a\" port=9000 {{ {options} }}\n");
    compile(&[("stack.kdl", &text)]).files()["systemd/s-r.service"].0.clone()
}

#[test]
fn a_file_that_is_read_is_visible_and_mounted() {
    let unit = unit(
        "template \"/home/anna/chat.jinja\"; option \"grammar-file\" value=\"/srv/m/a.gbnf\"; \
         lora \"/data/l1.gguf\" scale=0.5; lora \"/data/l2.gguf\"; option \"path\" value=\"/home/anna/www/\"",
    );
    let visible = settings(&unit, "BindReadOnlyPaths");
    assert_eq!(
        visible,
        ["/opt/e", "/srv/m", "/data/l1.gguf", "/data/l2.gguf", "/home/anna/chat.jinja", "/home/anna/www"]
    );
    let mounted = settings(&unit, "RequiresMountsFor");
    assert_eq!(mounted, ["/opt/e", "/srv/m", "/data", "/home/anna", "/home/anna/www"]);
    assert!(settings(&unit, "ReadWritePaths").is_empty() && settings(&unit, "StateDirectory").is_empty());
}

#[test]
fn systemd_creates_written_folders_in_its_places() {
    for (options, setting, value) in [
        ("option \"slot-save-path\" value=\"/var/lib/llama/slots\"", "StateDirectory", "llama/slots"),
        ("option \"slot-save-path\" value=\"/var/lib/llama/\"", "StateDirectory", "llama"),
        ("option \"log-file\" value=\"/var/log/llama/a b.log\"", "LogsDirectory", "llama"),
        (
            "option \"lookup-cache-dynamic\" value=\"/var/cache/ngrams/x.bin\"; option \"spec-type\" value=\"ngram-cache\"",
            "CacheDirectory",
            "ngrams",
        ),
        ("option \"log-prompts-dir\" value=\"/run/llama/prompts\"", "RuntimeDirectory", "llama/prompts"),
    ] {
        let unit = unit(options);
        assert_eq!(settings(&unit, setting), [value], "{options}");
        assert!(settings(&unit, "ReadWritePaths").is_empty(), "{unit}");
    }
    let both = unit("hardening \"off\"; option \"log-file\" value=\"/var/log/llama/a.log\"");
    assert_eq!(settings(&both, "LogsDirectory"), ["llama"]);
    assert!(settings(&both, "BindReadOnlyPaths").is_empty());
}

#[test]
fn other_written_folders_are_opened() {
    let unit = unit(
        "option \"slot-save-path\" value=\"/srv/slots\"; option \"log-file\" value=\"/home/anna/logs/a.log\"",
    );
    assert_eq!(settings(&unit, "ReadWritePaths"), ["/srv/slots"]);
    assert_eq!(settings(&unit, "BindPaths"), ["/home/anna/logs"]);
    let mounted = settings(&unit, "RequiresMountsFor");
    assert!(mounted.contains(&"/srv/slots") && mounted.contains(&"/home/anna/logs"), "{mounted:?}");
}

#[test]
fn variables_that_set_options_name_files_too() {
    let unit =
        unit("env { LLAMA_ARG_LOG_FILE \"/var/log/llama/a.log\"; LLAMA_ARG_STATIC_PATH \"/home/anna/www\" }");
    assert_eq!(settings(&unit, "LogsDirectory"), ["llama"]);
    assert!(settings(&unit, "BindReadOnlyPaths").contains(&"/home/anna/www"));
}

#[test]
fn files_of_the_kernel_need_no_setting() {
    let unit = unit("option \"log-file\" value=\"/dev/stderr\"");
    assert_eq!(settings(&unit, "RequiresMountsFor"), ["/opt/e", "/srv/m"]);
    assert!(settings(&unit, "ReadWritePaths").is_empty());
}

#[test]
fn machines_of_options_are_opened_and_no_others() {
    let plain = unit("slots 1");
    assert_eq!(settings(&plain, "IPAddressAllow"), ["localhost"]);
    let remote = unit("option \"rpc\" value=\"10.0.0.1:50052,localhost:50053,10.0.0.2:50052\"");
    assert_eq!(settings(&remote, "IPAddressDeny"), ["any"]);
    assert_eq!(settings(&remote, "IPAddressAllow"), ["localhost", "10.0.0.1", "10.0.0.2"]);
    assert_eq!(settings(&remote, "Wants"), ["network-online.target"]);
    let local = unit("option \"rpc\" value=\"127.0.0.1:50052\"");
    assert_eq!((settings(&local, "IPAddressAllow"), settings(&local, "Wants").len()), (vec!["localhost"], 0));
    // The address of a name is not known here.
    assert!(settings(&unit("option \"rpc\" value=\"gpubox:50052\""), "IPAddressDeny").is_empty());
    assert_eq!(
        settings(&unit("env { LLAMA_ARG_RPC \"10.0.0.3:1\" }"), "IPAddressAllow"),
        ["localhost", "10.0.0.3"]
    );
}

#[test]
fn the_backend_of_an_on_demand_role_has_the_settings_and_its_proxy_does_not() {
    let text = STACK.replace("HOST", "")
        + "role \"r\" model=\"a\" port=9000 residency=\"later\" { option \"grammar-file\" value=\"/home/anna/g.gbnf\"; option \"slot-save-path\" value=\"/var/lib/x\" }\n";
    let files = compile(&[("stack.kdl", &text)]).files();
    let backend = &files["systemd/s-r-backend.service"].0;
    assert!(settings(backend, "BindReadOnlyPaths").contains(&"/home/anna/g.gbnf"));
    assert_eq!(settings(backend, "StateDirectory"), ["x"]);
    let proxy = &files["systemd/s-r.service"].0;
    assert!(settings(proxy, "BindReadOnlyPaths").is_empty() && settings(proxy, "StateDirectory").is_empty());
    let script = &files["bin/r"].0;
    assert!(script.contains("  /home/anna/g.gbnf\n"), "the script checks the file: {script}");
}
