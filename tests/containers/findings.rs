//! The findings about images and containers.

use super::IMAGE;
use crate::support::{Compiled, compile};

const DIGEST: &str = "sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";

fn registry(image: &str, stack: &str, host: &str, role: &str) -> Compiled {
    let text = format!(
        "stack \"s\" engine=\"e\" {stack}\nengine \"e\" profile=\"llama.cpp-b11669\" {image}\n{host}\n\
         model \"m\" file=\"/srv/models/m.gguf\"\nrole \"a\" model=\"m\" context=4096 {role}\n"
    );
    compile(&[("a.kdl", &text)])
}

/// The messages with the code, the first help, and the codes after each fix.
fn only(compiled: &Compiled) -> (&'static str, String, String) {
    let [finding] = compiled.findings.findings() else { panic!("{}", compiled.report()) };
    (finding.code.name, finding.message.clone(), finding.help.first().cloned().unwrap_or_default())
}

fn with_image(image: &str) -> Compiled {
    registry(&format!("image=\"{image}\""), "", "", "port=8080")
}

#[test]
fn an_image_is_a_registry_a_name_and_a_digest() {
    for good in [
        "ghcr.io/ggml-org/llama.cpp",
        "localhost/image",
        "localhost:5000/a/b_c/d-e:v1.2",
        "r.io/a:server-cuda",
    ] {
        let compiled = with_image(&format!("{good}@{DIGEST}"));
        assert!(compiled.findings.is_empty(), "{}", compiled.report());
    }
    let short = format!("ghcr.io/a@{}", &DIGEST[..70]);
    let upper = format!("ghcr.io/a@{}", DIGEST.to_uppercase());
    for bad in [
        "llama.cpp",
        "ggml-org/llama.cpp",
        "docker://ghcr.io/a",
        "ghcr.io/",
        "ghcr.io/A",
        "ghcr.io/a:",
        "ghcr.io/a b",
        "ghcr.io/a:b/c",
        "ghcr.io//a",
        "/srv/image",
        "ghcr.io/a@sha512:00",
        "ghcr.io/a.image",
        "ghcr.io/a$b",
        &short,
        &upper,
    ] {
        assert_eq!(only(&with_image(bad)).0, "bad-image", "{bad}");
    }
    let (code, message, help) = only(&with_image("ghcr.io/ggml-org/llama.cpp:server"));
    assert_eq!(
        (code, &*message),
        ("image-without-digest", "`image` of engine `e` has no digest, so its build can change")
    );
    assert!(help.contains("`podman pull ghcr.io/ggml-org/llama.cpp:server`"), "{help}");
}

#[test]
fn an_engine_has_programs_an_image_or_both_with_kubernetes() {
    let (code, message, _) = only(&registry("", "", "", "port=8080"));
    assert_eq!((code, &*message), ("missing-field", "engine `e` has no `bin`"));
    let both = format!("bin=\"/opt/bin\" image=\"ghcr.io/a@{DIGEST}\"");
    let (code, message, help) = only(&registry(&both, "", "", "port=8080"));
    let wanted = "engine `e` has both `bin` and `image`, but only the target `kubernetes` uses both";
    assert_eq!((code, &*message), ("unserved-image", wanted));
    assert_eq!(help, "remove `bin=\"/opt/bin\"` for containers");
    let compiled = registry(&both, "{ targets \"systemd\" }", "", "port=8080");
    let helps = &compiled.findings.findings()[0].help;
    assert_eq!(helps[1], format!("or remove `image` for units and scripts"));
    assert_eq!(helps[2], "or write `targets \"systemd\" \"kubernetes\"` in the stack for both");
    let compiled = registry(&both, "{ targets \"systemd\" \"kubernetes\" }", "", "port=8080");
    assert!(!compiled.codes().contains(&"unserved-image"), "{}", compiled.report());
}

#[test]
fn a_stack_without_targets_for_containers_serves_no_image() {
    let image = format!("image=\"ghcr.io/a@{DIGEST}\"");
    let compiled = registry(&image, "{ targets \"systemd\" \"docs\" }", "", "port=8080");
    let (code, _, help) = only(&compiled);
    assert_eq!(code, "unserved-image");
    assert_eq!(
        help,
        "write `targets \"systemd\" \"docs\" \"quadlet\"` in the stack, or `compose` for Docker"
    );
    let with_scripts = registry(&image, "{ targets \"systemd\" \"bin\" }", "", "port=8080");
    assert_eq!(only(&with_scripts).0, "unserved-image");
    for targets in ["\"systemd\" \"quadlet\"", "\"systemd\" \"compose\"", "\"bin\""] {
        let compiled = registry(&image, &format!("{{ targets {targets} }}"), "", "port=8080");
        assert!(compiled.findings.is_empty(), "{}", compiled.report());
    }
    let compiled = registry(&image, "{ targets \"kubernetes\" }", "", "port=8080");
    assert!(!compiled.codes().contains(&"unserved-image"), "{}", compiled.report());
}

/// Each setting that a container cannot have: the fields of the host and the role, and the first help.
#[test]
fn settings_that_a_container_cannot_have_are_errors() {
    let gpus = "host \"h\" memory=\"64 GB\" cpus=\"0-7\" { gpu \"CUDA0\" memory=\"24 GB\"; gpu \"CUDA1\" memory=\"24 GB\" }";
    let nodes = "host \"h\" memory=\"64 GB\" { numa 0; numa 1 }";
    let cases = [
        ("", "port=8080 residency=\"warm\"", "write `residency=\"hot\"` in the role"),
        ("", "port=8080 listen=\"::1\"", "write `listen=\"127.0.0.1\"`"),
        ("", "port=8080 hardening=\"strict\"", "remove `hardening=\"strict\"`"),
        (
            "",
            "port=8080 { placement numa=\"interleave\" threads=2 }",
            "write `numa=\"distribute\"`: the engine distributes its threads over the nodes",
        ),
        (
            nodes,
            "port=8080 { placement numa=\"bind 1\" threads=2 }",
            "write `cpus` in `numa 1` of the host, or in `placement` of the role",
        ),
        (
            "",
            "port=8080 { option \"rpc\" \"127.0.0.1:50052\" }",
            "write an address of this machine that the container can reach",
        ),
        (
            gpus,
            "port=8080 { placement gpu=\"CUDA0\"; option \"override-tensor\" \"exps=CUDA1\" }",
            "name a GPU of the role, or add it to `gpu` of `placement`",
        ),
    ];
    for (host, role, expected) in cases {
        let compiled = registry(&format!("image=\"ghcr.io/a@{DIGEST}\""), "", host, role);
        let found: Vec<_> =
            compiled.findings.findings().iter().filter(|one| one.code.name == "container-cannot").collect();
        let [finding] = found[..] else { panic!("{role}: {}", compiled.report()) };
        assert_eq!(finding.help[0], expected, "{}", compiled.report());
        assert!(!compiled.codes().contains(&"hidden-gpu"), "{}", compiled.report());
    }
}

/// `distribute` is an error there.
#[test]
fn on_a_host_with_one_node_there_is_nothing_to_interleave() {
    let host = "host \"h\" memory=\"64 GB\" cpus=\"0-7\"";
    let role = "port=8080 { placement numa=\"interleave\" threads=2 }";
    let compiled = registry(&format!("image=\"ghcr.io/a@{DIGEST}\""), "", host, role);
    let [finding] = compiled.findings.findings() else { panic!("{}", compiled.report()) };
    assert_eq!(finding.help, ["remove `numa=\"interleave\"`"]);
}

/// Without the order of the PCI bus, `CUDA0` can be another GPU than number 0 of `nvidia-smi`.
#[test]
fn different_gpus_need_the_order_of_the_bus() {
    let compile = |second: &str, env: &str| {
        let host = format!(
            "host \"h\" memory=\"64 GB\" cpus=\"0-7\" {{ gpu \"CUDA0\" memory=\"24 GB\"; gpu \"CUDA1\" memory=\"{second}\" }}"
        );
        let role = "port=8080 { placement gpu=\"CUDA0\" }\nrole \"b\" model=\"m\" context=512 port=8081 { placement gpu=\"CUDA1\" }";
        registry(&format!("image=\"ghcr.io/a@{DIGEST}\" {env}"), "", &host, role)
    };
    let (code, message, _) = only(&compile("12 GB", ""));
    assert_eq!(
        (code, &*message),
        (
            "renumbered-gpus",
            "the container of role `a` can have other GPUs of host `h` than those that it names"
        )
    );
    let compiled = compile("12 GB", "");
    assert_eq!(
        compiled.findings.findings()[0].help,
        [
            "compare the names of the host with those that `CUDA_DEVICE_ORDER=PCI_BUS_ID llama-server --list-devices` prints",
            "then write `env CUDA_DEVICE_ORDER=\"PCI_BUS_ID\"` in the engine"
        ]
    );
    for (second, env, codes) in [
        ("24 GB", "", &[][..]),
        ("12 GB", "{ env CUDA_DEVICE_ORDER=\"PCI_BUS_ID\" }", &[]),
        ("24 GB", "{ env CUDA_DEVICE_ORDER=\"FASTEST_FIRST\" }", &["renumbered-gpus"]),
    ] {
        assert_eq!(compile(second, env).codes(), codes, "{second} {env}");
    }
}

/// A container gets each GPU by its name.
#[test]
fn all_gpus_are_not_for_containers() {
    let host = "host \"h\" memory=\"64 GB\" cpus=\"0-7\" { gpu \"auto\" }";
    let image = format!("image=\"ghcr.io/a@{DIGEST}\"");
    let (code, message, help) = only(&registry(&image, "", host, "port=8080 { placement gpu=\"auto\" }"));
    assert_eq!(
        (code, &*message, &*help),
        (
            "container-cannot",
            "role `a` uses all GPUs, but a container gets each GPU by its name",
            "declare each `gpu` of the host, or use an engine with `bin`"
        )
    );
    // With GPUs of unknown memory, it is unknown whether CUDA has another order than `nvidia-smi`.
    let host = "host \"h\" memory=\"64 GB\" cpus=\"0-7\" { gpu \"CUDA0\"; gpu \"CUDA1\" memory=\"24 GB\" }";
    let compiled = registry(&image, "", host, "port=8080 { placement gpu=\"CUDA0\" }");
    assert_eq!(compiled.codes(), Vec::<&str>::new());
    assert!(compiled.findings.not_checked().iter().any(|entry| entry.check == "renumbered-gpus"));
}

#[test]
fn a_gateway_serves_no_container() {
    let text = format!(
        "stack \"s\" engine=\"e\"\nengine \"e\" profile=\"llama.cpp-b11669\" image=\"ghcr.io/a@{DIGEST}\"\n\
         engine \"host\" profile=\"llama.cpp-b11669\" bin=\"/opt/bin\"\ngateway \"front\" port=8000 engine=\"host\"\n\
         model \"m\" file=\"/srv/models/m.gguf\"\nrole \"a\" model=\"m\" context=4096 gateway=\"front\" engine=\"e\"\n"
    );
    let compiled = compile(&[("a.kdl", &text)]);
    let found = compiled.findings.findings().iter().find(|finding| finding.code.name == "container-cannot");
    let found = found.unwrap_or_else(|| panic!("{}", compiled.report()));
    assert_eq!(
        found.message,
        "role `a` is in a container, but gateway `front` starts its models on the host"
    );
    assert_eq!(found.help[0], "write `port=8100` in the role instead of `gateway`");
    let of_gateway = text.replace("engine=\"host\"\nmodel", "engine=\"e\"\nmodel");
    let compiled = compile(&[("a.kdl", &of_gateway)]);
    let messages: Vec<&str> = compiled.findings.findings().iter().map(|finding| &*finding.message).collect();
    let expected =
        "the engine of gateway `front` has an `image`, but a gateway runs its programs on the host";
    assert!(messages.contains(&expected), "{messages:#?}");
}

#[test]
fn a_mount_does_not_hide_a_folder_of_the_image() {
    for (folder, is_bad) in [
        ("", true),
        ("/usr", true),
        ("/usr/lib", true),
        ("/app", true),
        ("/tmp", true),
        ("/usr/share/models", false),
    ] {
        let text = format!(
            "stack \"s\"\nengine \"e\" profile=\"llama.cpp-b11669\" image=\"ghcr.io/a@{DIGEST}\"\n\
             model \"m\" file=\"{folder}/m.gguf\"\nrole \"a\" model=\"m\" context=4096 port=8080\n"
        );
        let compiled = compile(&[("a.kdl", &text)]);
        assert_eq!(compiled.codes().contains(&"container-cannot"), is_bad, "{}", compiled.report());
    }
}

/// Texts that podman or systemd would change are errors. All others reach the server: the tests with podman compare them.
#[test]
fn texts_that_would_arrive_changed_are_errors() {
    let image = format!("image=\"{IMAGE}\"");
    let codes = |role: &str| registry(&image, "", "", role).codes();
    for role in [
        "port=8080 { option \"reverse-prompt\" \";\" }",
        "port=8080 { env A=\"a\\u{80}b\" }",
        "port=8080 key-file=\"/etc/keys/a\\u{80}\"",
        "port=8080 { option \"reverse-prompt\" \"a\\u{80}\" }",
    ] {
        assert!(codes(role).contains(&"uncontainable-value"), "{role}: {:?}", codes(role));
    }
    for role in
        ["port=8080 { option \"reverse-prompt\" \"a;b\\n\\u{81}\" }", "port=8080 { env A=\";\"; env B=\"\" }"]
    {
        assert!(!codes(role).contains(&"uncontainable-value"), "{role}: {:?}", codes(role));
    }
    let text = "stack \"s\"\nengine \"e\" profile=\"llama.cpp-b11669\" image=\"localhost/image:1\"\n\
         model \"m\" file=\"/srv/a\\nb/m.gguf\"\nrole \"a\" model=\"m\" context=4096 port=8080\n";
    assert!(compile(&[("a.kdl", text)]).codes().contains(&"uncontainable-value"));
}
