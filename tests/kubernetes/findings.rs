//! The findings about roles, gateways, stores and names that cannot be pods, or that are different there.

use crate::support::{Compiled, compile};
use orchgen::diag::{Diagnostic, Severity};

/// A stack without findings, with the facts of its models.
const STACK: &str = "stack \"home\" engine=\"e\" { targets \"kubernetes\" }
engine \"e\" profile=\"llama.cpp-b11669\" image=\"ghcr.io/ggml-org/llama.cpp@sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881\"
host \"box\" memory=\"64 GB\" smt=2 { numa 0 cpus=\"0-3\"; numa 1 cpus=\"4-7\"; gpu \"CUDA0\" memory=\"24 GB\" }
store \"models\" path=\"/srv/models\" claim=\"models\"
residency \"warm\" title=\"on demand\" start=\"on-demand\"
residency \"hot\" title=\"at boot\" start=\"boot\"
family \"qwen2\" arch=\"qwen2\"
model \"plain\" family=\"qwen2\" size=\"2 GB\" file=\"plain.gguf\"
role \"chat\" residency=\"hot\" model=\"plain\" port=8080 context=4096 key-file=\"/etc/keys/chat\"
";

/// The facts of models: name and file.
fn lock(models: &[(&str, &str)]) -> String {
    let entry = |(name, file): &(&str, &str)| {
        format!(
            "\"{name}\": {{\"file\": \"{file}\", \"header\": \"0\", \"size\": 2000000000, \
             \"architecture\": \"qwen2\", \"parameters\": {{\"block_count\": 4, \"embedding_length\": 256, \"context_length\": 8192, \
             \"feed_forward_length\": 512, \"attention.head_count\": 4, \"attention.head_count_kv\": 2}}, \
             \"vocabulary\": {{\"type\": \"gpt2\", \"size\": 1000}}, \"tensors\": {{\"bytes\": {{\"q6_K\": 2000000000}}, \
             \"layers\": [[4, 450000000, 0]], \"input\": 100000000, \"output\": {{\"q6_K\": 100000000}}, \
             \"token_embd\": {{\"q6_K\": 100000000}}}}}}"
        )
    };
    let entries: Vec<String> = models.iter().map(entry).collect();
    format!("{{\"format_version\": 1, \"models\": {{{}}}}}", entries.join(", "))
}

/// The stack itself, which has what the help names.
const GOOD: &[(&str, &str)] = &[];

/// A text that adds the facts of the model `other` to the lock.
const LOCKED: &str = "// LOCKED";

/// A mistake: its code, its message, and the same stack after the help.
struct Mistake {
    /// Texts of the stack, and what is there instead.
    changes: &'static [(&'static str, &'static str)],
    code: &'static str,
    message: &'static str,
    /// The first help.
    help: &'static str,
    /// The changes after the help.
    after: &'static [(&'static str, &'static str)],
}

const IMAGE: &str = " image=\"ghcr.io/ggml-org/llama.cpp@sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881\"";
const KEY: &str = " key-file=\"/etc/keys/chat\"";

/// The stack with changed texts. The last line can be changed too: `END`.
pub(super) fn changed(changes: &[(&str, &str)]) -> Compiled {
    let text = changes.iter().fold(format!("{STACK}// END\n"), |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replacen(old, new, 1)
    });
    let (_, rest) = text.split_once(" file=\"").unwrap();
    let (file, _) = rest.split_once('"').unwrap();
    let mut models = vec![("plain", file)];
    models.extend(text.contains(LOCKED).then_some(("other", "other.gguf")));
    compile(&[("a.kdl", &text), ("registry.lock", &lock(&models))])
}

/// The findings, without the sums of a host.
fn findings(compiled: &Compiled) -> Vec<&Diagnostic> {
    compiled.findings.findings().iter().filter(|finding| finding.code.name != "unschedulable-pods").collect()
}

/// The finding about the sums of a host.
#[track_caller]
pub(super) fn sum(compiled: &Compiled) -> &Diagnostic {
    let found = compiled.findings.findings().iter().find(|finding| finding.code.name == "unschedulable-pods");
    found.unwrap_or_else(|| panic!("{}", compiled.report()))
}

const CANNOT: &[Mistake] = &[
    Mistake {
        changes: &[(IMAGE, " bin=\"/opt/bin\"")],
        code: "kubernetes-cannot",
        message: "engine `e` has no `image`, which the pods of role `chat` need",
        help: "write the `image` of the same build, with its digest. The images of llama.cpp are in \
               `ghcr.io/ggml-org/llama.cpp`, and `podman image inspect --format '{{index .RepoDigests 0}}'` prints the digest",
        after: &[("engine \"e\"", "engine \"e\" bin=\"/opt/bin\"")],
    },
    Mistake {
        changes: &[(
            "// END",
            "role \"web\" residency=\"hot\" port=9000 { command \"/usr/bin/web\" \"{port}\" }",
        )],
        code: "kubernetes-cannot",
        message: "role `web` runs a program of its host, and a pod has only the programs of an image",
        help: "serve the role with an engine that has an `image`, or in another stack",
        after: &[(
            "// END",
            "role \"web\" residency=\"hot\" model=\"plain\" port=9000 context=4096 key-file=\"/etc/keys/web\"",
        )],
    },
    Mistake {
        changes: &[
            ("port=8080 context=4096 key-file=\"/etc/keys/chat\"", "gateway=\"front\" context=4096"),
            (
                "// END",
                "gateway \"front\" port=8000 kind=\"llama-swap\" bin=\"/usr/bin/llama-swap\" backend=18100",
            ),
        ],
        code: "kubernetes-cannot",
        message: "gateway `front` is one of llama-swap, which runs programs of its host and has no image",
        help: "write `kind=\"router\"` in the gateway",
        after: &[
            ("port=8080 context=4096 key-file=\"/etc/keys/chat\"", "gateway=\"front\" context=4096"),
            ("// END", "gateway \"front\" port=8000 key-file=\"/etc/keys/front\""),
        ],
    },
    Mistake {
        changes: &[(
            "// END",
            "model \"other\" family=\"qwen2\" size=\"2 GB\" file=\"other.gguf\"\n\
             role \"two\" residency=\"hot\" model=\"other\" port=8081 context=4096 key-file=\"/k\"",
        )],
        code: "kubernetes-cannot",
        message: "the memory of role `two` is unknown, but its pod requests memory: the lock has no facts of its model: run \
                  `orchgen lock` where the file is",
        help: "run `orchgen lock` where the model files are",
        after: &[(
            "// END",
            "model \"other\" family=\"qwen2\" size=\"2 GB\" file=\"other.gguf\"\n\
             role \"two\" residency=\"hot\" model=\"other\" port=8081 context=4096 key-file=\"/k\"\n// LOCKED",
        )],
    },
    Mistake {
        changes: &[("numa 0 cpus=\"0-3\"; numa 1 cpus=\"4-7\"; ", "")],
        code: "kubernetes-cannot",
        message: "the number of CPUs of role `chat` is unknown, but a pod has whole CPUs",
        help: "write `threads` in `placement` of the role, or `cpus` in host `box`",
        after: &[("numa 0 cpus=\"0-3\"; numa 1 cpus=\"4-7\"; ", "cpus \"0-7\"; ")],
    },
    Mistake {
        changes: &[
            ("numa 0 cpus=\"0-3\"; numa 1 cpus=\"4-7\"; ", ""),
            ("port=8080 context=4096 key-file=\"/etc/keys/chat\"", "gateway=\"front\" context=4096"),
            ("// END", "gateway \"front\" port=8000 key-file=\"/etc/keys/front\""),
        ],
        code: "kubernetes-cannot",
        message: "the number of CPUs of gateway `front` is unknown, but a pod has whole CPUs",
        help: "write `cpus` in `placement` of the gateway, or in host `box`",
        after: &[
            ("numa 0 cpus=\"0-3\"; numa 1 cpus=\"4-7\"; ", "cpus \"0-7\"; "),
            ("port=8080 context=4096 key-file=\"/etc/keys/chat\"", "gateway=\"front\" context=4096"),
            ("// END", "gateway \"front\" port=8000 key-file=\"/etc/keys/front\""),
        ],
    },
    Mistake {
        changes: &[
            ("gpu \"CUDA0\"", "gpu \"Vulkan0\""),
            (KEY, " key-file=\"/etc/keys/chat\" { placement gpu=\"Vulkan0\" }"),
        ],
        code: "kubernetes-cannot",
        message: "no device plugin has `Vulkan0` of role `chat` as a resource",
        help: "use a build and GPUs of CUDA (`CUDA0`), ROCm (`ROCm0`) or SYCL (`SYCL0`)",
        after: &[(KEY, " key-file=\"/etc/keys/chat\" { placement gpu=\"CUDA0\" }")],
    },
    Mistake {
        changes: &[("path=\"/srv/models\"", "path=\"/srv/7:b\"")],
        code: "kubernetes-cannot",
        message: "role `chat` needs `/srv/7:b/plain.gguf`, but the path of a mount in a pod cannot have `:`",
        help: "rename the folder or the file",
        after: &[("path=\"/srv/models\"", "path=\"/srv/7-b\"")],
    },
    Mistake {
        changes: &[("path=\"/srv/models\"", "path=\"/usr\"")],
        code: "kubernetes-cannot",
        message: "the model files of role `chat` are in `/usr`, which would hide that folder of the image",
        help: "move the files to a separate folder, such as `/srv/models`",
        after: GOOD,
    },
];

const NAMES: &[Mistake] = &[
    Mistake {
        changes: &[("stack \"home\"", "stack \"7b\"")],
        code: "kubernetes-name",
        message: "the name of stack `7b` does not start with a letter, as names of objects in Kubernetes do",
        help: "write another name, such as `stack-7b`",
        after: &[("stack \"home\"", "stack \"stack-7b\"")],
    },
    Mistake {
        changes: &[(
            "stack \"home\"",
            "stack \"hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh\"",
        )],
        code: "kubernetes-name",
        message: "the name of stack `hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh` is too long for the \
                  names of objects in Kubernetes",
        help: "write another name, such as `hhhhhhhhhhhhhhhhhhhhhhhh`",
        after: &[("stack \"home\"", "stack \"hhhhhhhhhhhhhhhhhhhhhhhh\"")],
    },
    Mistake {
        changes: &[(
            "role \"chat\"",
            "role \"chat.with.a.very.long.name.that.describes.the.model.and.more\"",
        )],
        code: "kubernetes-name",
        message: "the name of role `chat.with.a.very.long.name.that.describes.the.model.and.more` is too long for an object in \
                  Kubernetes",
        help: "write another name, such as `chat.with.a.very.long.name.that.describes.the.mode`, here and where it is used",
        after: &[("role \"chat\"", "role \"chat.with.a.very.long.name.that.describes.the.mode\"")],
    },
    Mistake {
        changes: &[("role \"chat\"", "role \"Namespace\"")],
        code: "kubernetes-name",
        message: "role `Namespace` would have the same file as other objects of stack `home`",
        help: "write another name, such as `Namespace-2`, here and where it is used",
        after: &[("role \"chat\"", "role \"Namespace-2\"")],
    },
    Mistake {
        changes: &[
            ("role \"chat\"", "role \"Chat_1\""),
            (
                "// END",
                "role \"chat-1\" residency=\"hot\" model=\"plain\" port=8081 context=4096 key-file=\"/k\"",
            ),
        ],
        code: "kubernetes-name",
        message: "role `chat-1` and role `Chat_1` would both be `home-chat-1` in Kubernetes",
        help: "write another name, such as `chat-1-2`, here and where it is used",
        after: &[
            ("role \"chat\"", "role \"Chat_1\""),
            (
                "// END",
                "role \"chat-1-2\" residency=\"hot\" model=\"plain\" port=8081 context=4096 key-file=\"/k\"",
            ),
        ],
    },
    Mistake {
        changes: &[("stack \"home\"", "stack \"kube-system\"")],
        code: "kubernetes-name",
        message: "the name of stack `kube-system` is that of a namespace of the cluster",
        help: "write another name, such as `stack-kube-system`",
        after: &[("stack \"home\"", "stack \"stack-kube-system\"")],
    },
    Mistake {
        changes: &[("stack \"home\"", "stack \"default\"")],
        code: "kubernetes-name",
        message: "the name of stack `default` is that of a namespace of the cluster",
        help: "write another name, such as `stack-default`",
        after: &[("stack \"home\"", "stack \"stack-default\"")],
    },
    Mistake {
        changes: &[("host \"box\"", "host \"My_Box.lan\"")],
        code: "kubernetes-name",
        message: "the name of host `My_Box.lan` is no name of a node in Kubernetes",
        help: "write the name of the node, such as `my-box.lan`, here and where it is used",
        after: &[("host \"box\"", "host \"my-box.lan\"")],
    },
    Mistake {
        changes: &[
            (
                "claim=\"models\"",
                "claim=\"models\" { allow \"kubernetes-differs\" because=\"ReadOnlyMany\" }",
            ),
            ("port=8080", "host=\"box\" port=8080"),
            (
                "// END",
                "host \"Box\" memory=\"64 GB\" cpus=\"0-7\"\n\
                 role \"two\" host=\"Box\" residency=\"hot\" model=\"plain\" port=8081 context=4096 key-file=\"/k\"",
            ),
        ],
        code: "kubernetes-name",
        message: "host `Box` and host `box` would both be the node `box` in Kubernetes",
        help: "write the name of the node, such as `box-2`, here and where it is used",
        after: &[
            (
                "claim=\"models\"",
                "claim=\"models\" { allow \"kubernetes-differs\" because=\"ReadOnlyMany\" }",
            ),
            ("port=8080", "host=\"box\" port=8080"),
            (
                "// END",
                "host \"box-2\" memory=\"64 GB\" cpus=\"0-7\"\n\
                 role \"two\" host=\"box-2\" residency=\"hot\" model=\"plain\" port=8081 context=4096 key-file=\"/k\"",
            ),
        ],
    },
];

const DIFFERS: &[Mistake] = &[
    Mistake {
        changes: &[(KEY, " key-file=\"/etc/keys/chat\" { placement numa=\"interleave\" }")],
        code: "kubernetes-differs",
        message: "role `chat` interleaves its memory over NUMA nodes, but its pod does not",
        help: "expect fewer tokens per second. For CPUs that no other pod uses, start the kubelet with \
               `--cpu-manager-policy=static` and reserved CPUs, such as `--reserved-cpus=0`",
        after: &[(
            KEY,
            " key-file=\"/etc/keys/chat\" { allow \"kubernetes-differs\" because=\"accepted\"; placement numa=\"interleave\" }",
        )],
    },
    Mistake {
        changes: &[(KEY, " key-file=\"/etc/keys/chat\" { placement numa=\"bind 1\" }")],
        code: "kubernetes-differs",
        message: "role `chat` is bound to a NUMA node, but the kubelet selects the node of its pod",
        help: "start the kubelet with `--cpu-manager-policy=static` and reserved CPUs, such as `--reserved-cpus=0`, and with \
               `--topology-manager-policy=single-numa-node`, `--memory-manager-policy=Static` and `--reserved-memory`",
        after: &[(
            KEY,
            " key-file=\"/etc/keys/chat\" { allow \"kubernetes-differs\" because=\"accepted\"; placement numa=\"bind 1\" }",
        )],
    },
    Mistake {
        changes: &[(KEY, " key-file=\"/etc/keys/chat\" { placement cpus=\"1-2\" threads=2 }")],
        code: "kubernetes-differs",
        message: "role `chat` uses the CPUs 1-2, but the kubelet selects the CPUs of its pod: only their number is kept",
        help: "start the kubelet with `--cpu-manager-policy=static` and reserved CPUs, such as `--reserved-cpus=0`",
        after: &[(KEY, " key-file=\"/etc/keys/chat\" { placement threads=2 }")],
    },
    Mistake {
        changes: &[(KEY, " key-file=\"/etc/keys/chat\" { placement lock=#true }")],
        code: "kubernetes-differs",
        message: "role `chat` locks its memory, but the container runtime limits the locked memory of its pod",
        help: "set `LimitMEMLOCK=infinity` for the container runtime of the node",
        after: &[(KEY, " key-file=\"/etc/keys/chat\" { placement lock=#false }")],
    },
    Mistake {
        changes: &[("residency=\"hot\"", "residency=\"warm\"")],
        code: "kubernetes-differs",
        message: "residency `warm` starts on demand, so no pod of `chat` runs until its Deployment is scaled",
        help: "to start it, run `kubectl --namespace home scale deployment/home-chat --replicas=1`",
        after: &[
            ("residency=\"hot\"", "residency=\"warm\""),
            (
                "start=\"on-demand\"",
                "start=\"on-demand\" { allow \"kubernetes-differs\" because=\"scaled by hand\" }",
            ),
        ],
    },
    Mistake {
        changes: &[(" claim=\"models\"", "")],
        code: "kubernetes-differs",
        message: "store `models` has no `claim`, so pods mount `/srv/models` of their node, and their namespace cannot be \
                  `restricted`",
        help: "write `claim=\"models\"`, with the name of a PersistentVolumeClaim that has the models",
        after: GOOD,
    },
    Mistake {
        changes: &[
            ("store \"models\" path=\"/srv/models\" claim=\"models\"\n", ""),
            (" file=\"plain.gguf\"", " file=\"/srv/models/plain.gguf\""),
        ],
        code: "kubernetes-differs",
        message: "`/srv/models` is in no store, so the pod of role `chat` mounts it from the node",
        help: "declare a `store` with the folder, and its `claim`",
        after: GOOD,
    },
    Mistake {
        changes: &[(KEY, " key-file=\"/etc/keys/chat\" { option \"slot-save-path\" \"/var/slots\" }")],
        code: "kubernetes-differs",
        message: "role `chat` writes to `/var/slots`, which is lost with its pod",
        help: "use the files only as a cache that the role can lose",
        after: &[(
            KEY,
            " key-file=\"/etc/keys/chat\" { allow \"kubernetes-differs\" because=\"accepted\"; option \"slot-save-path\" \"/var/slots\" }",
        )],
    },
    Mistake {
        changes: &[(KEY, "")],
        code: "kubernetes-differs",
        message: "all pods of the cluster can use the Services without a `key-file`: `chat`",
        help: "write `key-file` in these roles and gateways, or a NetworkPolicy in the cluster",
        after: GOOD,
    },
    Mistake {
        changes: &[("residency=\"hot\"", "residency=\"warm\""), ("port=8080", "ports=\"8080-8082\"")],
        code: "kubernetes-differs",
        message: "residency `warm` starts on demand, so no pod of `chat` runs until its Deployment is scaled",
        help: "to start it, run `kubectl --namespace home scale deployment/home-chat --replicas=3`",
        after: GOOD,
    },
    Mistake {
        changes: &[
            ("gpu \"CUDA0\" memory=\"24 GB\" }", "gpu \"ROCm0\" memory=\"24 GB\" }"),
            (KEY, " key-file=\"/etc/keys/chat\" { placement gpu=\"ROCm0\" }"),
        ],
        code: "kubernetes-differs",
        message: "pods of host `box` use `amd.com/gpu` without root, and the device files belong to root",
        help: "set `device_ownership_from_security_context = true` for the container runtime (containerd or CRI-O)",
        after: &[
            (
                "gpu \"CUDA0\" memory=\"24 GB\" }",
                "gpu \"ROCm0\" memory=\"24 GB\"; allow \"kubernetes-differs\" because=\"containerd is configured\" }",
            ),
            (KEY, " key-file=\"/etc/keys/chat\" { placement gpu=\"ROCm0\" }"),
        ],
    },
    Mistake {
        changes: &[
            ("port=8080", "host=\"box\" port=8080"),
            (
                "// END",
                "host \"two\" memory=\"64 GB\" cpus=\"0-7\"\n\
                 role \"two\" host=\"two\" residency=\"hot\" model=\"plain\" port=8081 context=4096 key-file=\"/k\"",
            ),
        ],
        code: "kubernetes-differs",
        message: "pods of 2 hosts mount the claim `models` of store `models`",
        help: "write `ReadOnlyMany` in `accessModes` of the PersistentVolumeClaim: `ReadWriteOnce` is for one node",
        after: &[
            (
                "claim=\"models\"",
                "claim=\"models\" { allow \"kubernetes-differs\" because=\"ReadOnlyMany\" }",
            ),
            ("port=8080", "host=\"box\" port=8080"),
            (
                "// END",
                "host \"two\" memory=\"64 GB\" cpus=\"0-7\"\n\
                 role \"two\" host=\"two\" residency=\"hot\" model=\"plain\" port=8081 context=4096 key-file=\"/k\"",
            ),
        ],
    },
    Mistake {
        changes: &[
            ("port=8080 context=4096 key-file=\"/etc/keys/chat\"", "gateway=\"front\" context=4096"),
            ("// END", "gateway \"front\" port=8000"),
        ],
        code: "kubernetes-differs",
        message: "all pods of the cluster can use the Services without a `key-file`: `front`",
        help: "write `key-file` in these roles and gateways, or a NetworkPolicy in the cluster",
        after: &[
            ("port=8080 context=4096 key-file=\"/etc/keys/chat\"", "gateway=\"front\" context=4096"),
            ("// END", "gateway \"front\" port=8000 key-file=\"/etc/keys/front\""),
        ],
    },
    Mistake {
        changes: &[
            ("port=8080 context=4096 key-file=\"/etc/keys/chat\"", "gateway=\"front\" context=4096"),
            (
                "// END",
                "gateway \"front\" port=8000 key-file=\"/etc/keys/front\" { placement numa=\"interleave\" }",
            ),
        ],
        code: "kubernetes-differs",
        message: "gateway `front` interleaves its memory over NUMA nodes, but its pod does not",
        help: "expect fewer tokens per second. For CPUs that no other pod uses, start the kubelet with \
               `--cpu-manager-policy=static` and reserved CPUs, such as `--reserved-cpus=0`",
        after: &[
            ("port=8080 context=4096 key-file=\"/etc/keys/chat\"", "gateway=\"front\" context=4096"),
            ("// END", "gateway \"front\" port=8000 key-file=\"/etc/keys/front\""),
        ],
    },
];

#[test]
fn the_stack_has_no_findings() {
    let compiled = changed(&[]);
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
}

/// Each mistake is the only finding, and what its help names is none.
#[test]
fn each_mistake_is_reported_and_its_help_solves_it() {
    for mistake in CANNOT.iter().chain(NAMES).chain(DIFFERS) {
        let compiled = changed(mistake.changes);
        let [finding] = findings(&compiled)[..] else { panic!("{}: {}", mistake.message, compiled.report()) };
        assert_eq!((finding.code.name, &*finding.message), (mistake.code, mistake.message));
        assert_eq!(finding.help[0], mistake.help, "{}", mistake.message);
        let is_note = mistake.code == "kubernetes-differs";
        assert_eq!(finding.severity == Severity::Note, is_note, "{}", mistake.message);
        assert_eq!(compiled.checked.is_some(), is_note, "{}", mistake.message);
        let compiled = changed(mistake.after);
        assert!(findings(&compiled).is_empty(), "{}: {}", mistake.message, compiled.report());
    }
}

/// Only stacks with the target have these findings.
#[test]
fn other_stacks_have_no_findings_of_kubernetes() {
    let other = (" { targets \"kubernetes\" }", "");
    for mistake in CANNOT.iter().chain(NAMES).chain(DIFFERS) {
        let changes: Vec<_> = std::iter::once(other).chain(mistake.changes.iter().copied()).collect();
        let compiled = changed(&changes);
        let found = compiled.codes();
        assert!(!found.iter().any(|code| code.starts_with("kubernetes-")), "{}: {found:?}", mistake.message);
    }
}

/// The address of this machine is that of the pod.
#[test]
fn an_option_cannot_connect_to_the_node() {
    let rpc = |address: &str| {
        let role = format!(" key-file=\"/etc/keys/chat\" {{ option \"rpc\" \"{address}:50052\" }}");
        changed(&[(KEY, &role)])
    };
    let compiled = rpc("127.0.0.1");
    let found = findings(&compiled).into_iter().find(|finding| finding.code.name == "kubernetes-cannot");
    let found = found.unwrap_or_else(|| panic!("{}", compiled.report()));
    assert_eq!(
        (&*found.message, &*found.help[0]),
        (
            "option `rpc` of role `chat` connects to `127.0.0.1`, which is the pod itself",
            "write an address of the other server that the pod can reach, such as the name of its Service"
        )
    );
    assert_eq!(rpc("10.0.0.7").codes(), ["kubernetes-differs"], "its memory can be on the other machine");
}

/// A GPU of the host that a pod gets by number.
#[test]
fn all_gpus_of_a_host_have_no_number() {
    let compiled = changed(&[
        ("gpu \"CUDA0\" memory=\"24 GB\"", "gpu \"auto\""),
        (KEY, " key-file=\"/etc/keys/chat\" { placement gpu=\"auto\" }"),
    ]);
    let found = findings(&compiled);
    let messages: Vec<&str> = found.iter().map(|finding| &*finding.message).collect();
    assert!(
        messages.contains(&"role `chat` uses all GPUs, but a pod gets a number of GPUs"),
        "{messages:#?}"
    );
}

/// All pods of a Deployment are equal, so nodes must have the same number of CPUs.
#[test]
fn instances_have_the_same_number_of_cpus() {
    let spread = |cpus: &str| {
        let second = format!("numa 1 cpus=\"{cpus}\"");
        changed(&[
            ("numa 1 cpus=\"4-7\"", &second),
            ("port=8080", "ports=\"8080-8081\""),
            (KEY, " key-file=\"/etc/keys/chat\" { placement numa=\"spread\" }"),
        ])
    };
    assert_eq!(spread("4-7").codes(), ["unschedulable-pods", "kubernetes-differs"]);
    let compiled = spread("4-6");
    let found =
        findings(&compiled).into_iter().find(|finding| finding.code.name == "kubernetes-cannot").unwrap();
    assert_eq!(
        found.message,
        "the instances of role `chat` have 3 to 4 CPUs, but all pods of a Deployment are equal"
    );
}

/// The scheduler adds the requests of all pods that start at boot.
#[test]
fn pods_that_do_not_fit_into_their_host_are_warnings() {
    let two = |role: &str| {
        let second = format!(
            "role \"two\" residency=\"hot\" model=\"plain\" port=8081 context=4096 key-file=\"/k\" {{ placement {role} }}"
        );
        let first = format!(" key-file=\"/etc/keys/chat\" {{ placement {role} }}");
        changed(&[(KEY, &first), ("// END", &second)])
    };
    let small = two("threads=3");
    assert!(small.findings.is_empty(), "{}", small.report());
    let large = two("threads=5");
    let finding = sum(&large);
    assert_eq!(
        (finding.severity, &*finding.message),
        (Severity::Warning, "the pods of host `box` that start at boot request 10 CPUs, and it has 8")
    );
    assert_eq!(finding.notes, ["requests: role `chat` 5 and role `two` 5"]);
    let gpus = two("threads=3 gpu=\"CUDA0\"");
    assert_eq!(
        sum(&gpus).message,
        "the pods of host `box` that start at boot request 2 GPUs of `nvidia.com/gpu`, and it has 1"
    );
    // A pod requests its files, its caches, up to 8 GiB of prompts and 1 GiB.
    let memory = |gigabytes: u32| {
        let host = format!("memory=\"{gigabytes} GB\" reserve=\"1 GB\"");
        changed(&[("memory=\"64 GB\"", &host)])
    };
    assert!(!memory(16).codes().contains(&"unschedulable-pods"));
    let small = memory(8);
    assert!(
        sum(&small).message.ends_with("but only 7 GB are free (8 GB minus 1 GB `reserve`)"),
        "{}",
        sum(&small).message
    );
}

/// A projector needs memory that depends on the image, so its pod has no limit.
#[test]
fn a_pod_with_unknown_memory_has_no_limit() {
    let text = STACK.replace("file=\"plain.gguf\"", "file=\"plain.gguf\" projector=\"eye.gguf\"");
    let eye = "\"plain\": {\"architecture\": \"clip\", \"file\": \"eye.gguf\", \"header\": \"0\", \"size\": 600000000, \
        \"projector_width\": 256}";
    let all = lock(&[("plain", "plain.gguf")]);
    let with_eye = format!("{}, \"projectors\": {{{eye}}}}}", all.strip_suffix('}').unwrap());
    let compiled = compile(&[("a.kdl", &text), ("registry.lock", &with_eye)]);
    let [finding] = findings(&compiled)[..] else { panic!("{}", compiled.report()) };
    assert_eq!(
        (finding.code.name, &*finding.message),
        (
            "kubernetes-differs",
            "the pod of role `chat` has no memory limit, because a part is unknown: the compute buffer of a projector depends \
             on the image"
        )
    );
    let served = &compiled.checked().derived().roles[0];
    let pod = compiled.checked().derived().pod(served).unwrap();
    assert_eq!(pod.memory, None);
    assert!(pod.request.0 > 2_600_000_000, "{}", pod.request);
    // Without the facts of the projector, the request would be too small.
    let compiled = compile(&[("a.kdl", &text), ("registry.lock", &all)]);
    assert_eq!(findings(&compiled)[0].code.name, "kubernetes-cannot", "{}", compiled.report());
}

/// A store can be in another folder on a host. Its claim is mounted there.
#[test]
fn a_claim_is_mounted_in_the_folder_of_the_host() {
    let store = "claim=\"models\" { mount \"box\" path=\"/data/models\" }";
    let compiled = changed(&[("claim=\"models\"", store)]);
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
    let compiled = changed(&[("claim=\"models\"", "{ mount \"box\" path=\"/data/models\" }")]);
    let [finding] = findings(&compiled)[..] else { panic!("{}", compiled.report()) };
    assert!(finding.message.contains("pods mount `/data/models` of their node"), "{}", finding.message);
}

/// The memory of a model behind a router is that of the pod of the router.
#[test]
fn settings_behind_a_router_are_reported() {
    let compiled = changed(&[
        (
            "port=8080 context=4096 key-file=\"/etc/keys/chat\"",
            "gateway=\"front\" context=4096 { option \"slot-save-path\" \"/var/slots\"; placement lock=#true }",
        ),
        ("// END", "gateway \"front\" port=8000 key-file=\"/etc/keys/front\""),
    ]);
    let messages: Vec<&str> = findings(&compiled).iter().map(|finding| &*finding.message).collect();
    let expected = ["role `chat` locks its memory", "role `chat` writes to `/var/slots`"];
    for text in expected {
        assert!(messages.iter().any(|message| message.starts_with(text)), "{messages:#?}");
    }
}

/// TLS and a prefix break the probes, as options and as variables.
#[test]
fn variables_cannot_break_the_probes() {
    for name in ["LLAMA_ARG_API_PREFIX", "LLAMA_ARG_SSL_KEY_FILE"] {
        let env = format!(" key-file=\"/etc/keys/chat\" {{ env {{ {name} \"/k\" }} }}");
        let compiled = changed(&[(KEY, &env)]);
        let [finding] = findings(&compiled)[..] else { panic!("{}", compiled.report()) };
        assert_eq!(finding.code.name, "engine-variable");
        assert!(finding.message.ends_with("which request `/health` over plain HTTP"), "{}", finding.message);
        assert_eq!(finding.help, [format!("remove `{name} \"/k\"`")]);
    }
}

/// If all processes are pods, clients use the Services. Next to units, the Services are an additional address.
#[test]
fn clients_use_the_services_of_a_stack_of_pods() {
    let two = [("port=8080", "ports=\"8080-8081\"")];
    let endpoints = |targets: &'static str| {
        let bin = (IMAGE, &*format!(" bin=\"/opt/bin\"{IMAGE}"));
        let compiled = changed(&[two[0], bin, ("targets \"kubernetes\"", targets)]);
        let files = compiled.files();
        let stack: serde_json::Value = serde_json::from_str(&files["stack.json"].0).unwrap();
        let role = &stack["roles"][0];
        (role["endpoints"].clone(), role["service"].clone(), files)
    };
    let (urls, service, files) = endpoints("targets \"kubernetes\" \"stack-json\" \"docs\"");
    assert_eq!((urls, service), (serde_json::json!(["http://home-chat.home:8080"]), serde_json::Value::Null));
    assert!(
        files["docs/MODEL_REFERENCE.md"].0.contains("home-chat.home"),
        "{}",
        files["docs/MODEL_REFERENCE.md"].0
    );
    let (urls, service, _) = endpoints("targets \"kubernetes\" \"stack-json\" \"systemd\"");
    assert_eq!(urls, serde_json::json!(["http://127.0.0.1:8080", "http://127.0.0.1:8081"]));
    assert_eq!(service, "http://home-chat.home:8080");
}

/// The device plugin selects the GPUs. `renumbered-gpus` is about their numbers.
#[test]
fn a_pod_can_get_a_smaller_gpu() {
    let second = |memory: &str| {
        changed(&[
            ("memory=\"24 GB\" }", &format!("memory=\"{memory}\"; gpu \"CUDA1\" memory=\"12 GB\" }}")),
            (KEY, " key-file=\"/etc/keys/chat\" { placement gpu=\"CUDA0\" }"),
        ])
    };
    let compiled = second("24 GB");
    let found = findings(&compiled).into_iter().find(|finding| finding.code.name == "kubernetes-differs");
    let found = found.unwrap_or_else(|| panic!("{}", compiled.report()));
    assert_eq!(
        (&*found.message, &*found.help[0]),
        (
            "a pod of host `box` can get any GPU of `nvidia.com/gpu`, but `CUDA0` has 24 GB and `CUDA1` has 12 GB",
            "write `memory=\"12 GB\"` for all GPUs of the resource, so that each model fits into each of them"
        )
    );
    let compiled = second("12 GB");
    assert!(!compiled.codes().contains(&"kubernetes-differs"), "{}", compiled.report());
}
