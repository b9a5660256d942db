//! The files of containers: units of podman, compose files and scripts.

pub(crate) mod facts;
mod findings;
mod next_step;
mod rig;
mod scripts;

use crate::support::{Compiled, assert_snapshot, compile};
use facts::{Facts, of_compose, of_quadlet};
use std::collections::BTreeMap;

const STACK: &str = include_str!("containers/stack.kdl");

/// An image without a digest, because the digest of an image that is made here is not known.
const IMAGE: &str = "localhost/image:1";

/// The texts of the role `odd`: folder, file, and the value of an option, an alias and a variable.
pub(crate) struct Texts {
    folder: &'static str,
    file: &'static str,
    word: &'static str,
}

pub(crate) const PLAIN: Texts = Texts { folder: "/srv/odd", file: "odd", word: "odd" };

/// Texts with the special characters of INI files, systemd, podman's lists of mounts, YAML and compose.
pub(crate) const HOSTILE: Texts = Texts {
    folder: "/srv/a b,c:d\"e'f%h$5$\\h;i#j\u{e4}\u{1f600}",
    file: "%n $1 $$ \\x41 \"'`; #, =é",
    word: "a;b \"c\" 'd' %h $e ${f} \\n \\ #g: {h} [i], - *j &k !l ?m\tn\no \u{2028}\u{85}\u{feff}ß",
};

/// The compiled stack. The lock has the facts of some models.
pub(crate) fn stack(texts: &Texts, more: &str) -> Compiled {
    let quoted = |text: &str| {
        let quoted =
            text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t");
        quoted.replace('\u{2028}', "\\u{2028}").replace('\u{85}', "\\u{85}").replace('\u{feff}', "\\u{feff}")
    };
    let text = STACK
        .replace("IMAGE", IMAGE)
        .replace("ODD_TITLE", "Odd $HOME")
        .replace("ODD_FOLDER", &quoted(texts.folder))
        .replace("ODD_FILE", &quoted(texts.file))
        .replace("ODD_ALIAS", &quoted(&texts.word.replace([',', '\n', '\t'], ".")))
        .replace("ODD_WORD", &quoted(texts.word));
    compile(&[("stack.kdl", &text), ("more.kdl", more), ("registry.lock", &lock())])
}

/// A lock of models with 4 layers and files of 2 GB.
fn lock() -> String {
    let facts = "\"architecture\": \"qwen2\", \"parameters\": {\"block_count\": 4, \"embedding_length\": 256, \
        \"context_length\": 8192, \"feed_forward_length\": 512, \"attention.head_count\": 4, \"attention.head_count_kv\": 2}";
    let model = |(name, file): (&str, &str)| {
        format!(
            "\"{name}\": {{\"file\": \"{file}\", \"header\": \"0\", \"size\": 2000000000, {facts}, \
             \"vocabulary\": {{\"type\": \"gpt2\", \"size\": 1000}}, \"tensors\": {{\"bytes\": {{\"q6_K\": 2000000000}}}}}}"
        )
    };
    let models = [("plain", "plain.gguf"), ("small", "/srv/other/small.gguf")].map(model);
    format!("{{\"format_version\": 1, \"models\": {{{}}}}}", models.join(", "))
}

/// The files of a target, by the path below its folder.
fn files(compiled: &Compiled, target: &str) -> BTreeMap<String, String> {
    let own = |(path, (text, _)): (String, (String, bool))| {
        Some((path.strip_prefix(target)?.strip_prefix('/')?.to_owned(), text))
    };
    compiled.files().into_iter().filter_map(own).collect()
}

fn facts_of_quadlet(compiled: &Compiled) -> BTreeMap<String, Facts> {
    let units = files(compiled, "quadlet").into_iter();
    units.map(|(name, text)| (name.replace(".container", ""), of_quadlet(&text))).collect()
}

#[test]
fn all_targets_have_the_same_containers() {
    for texts in [&PLAIN, &HOSTILE] {
        let compiled = stack(texts, "");
        let mut quadlet = facts_of_quadlet(&compiled);
        let compose = of_compose(&files(&compiled, "compose")["compose.yaml"]);
        assert_eq!(quadlet.len(), 7);
        assert_eq!(quadlet, compose);
        // No service waits for the health check of a script.
        for facts in quadlet.values_mut() {
            facts.health.clear();
        }
        assert_eq!(quadlet, scripts::facts_of_scripts(&compiled));
    }
}

/// Snapshots of one unit with GPUs and of the compose file.
#[test]
fn the_files_match_the_snapshots() {
    let compiled = stack(&PLAIN, "");
    let units = files(&compiled, "quadlet");
    for name in ["code", "drafted", "spread-1", "amd"] {
        assert_snapshot!("containers", name, &units[&format!("big-stack-{name}.container")]);
    }
    assert_snapshot!("containers", "compose", &files(&compiled, "compose")["compose.yaml"]);
}

#[test]
fn the_gpus_of_a_container_are_numbered_in_the_order_of_the_host() {
    let facts = facts_of_quadlet(&stack(&PLAIN, ""));
    let value = |name: &str, option: &str| {
        let args = &facts[name].args;
        let at = args.iter().position(|word| word == option).unwrap_or_else(|| panic!("{args:?}"));
        args[at + 1].clone()
    };
    // CUDA1 and CUDA3 are passed, so they are CUDA0 and CUDA1 inside. The order of the shares stays.
    assert_eq!(facts["big-stack-code"].devices, ["nvidia.com/gpu=1", "nvidia.com/gpu=3"]);
    assert_eq!(value("big-stack-code", "--device"), "CUDA1,CUDA0");
    assert_eq!(value("big-stack-code", "--tensor-split"), "2,1");
    assert_eq!(value("big-stack-code", "--override-tensor"), "exps=CUDA1,ffn.*=CPU");
    // The draft has another GPU.
    assert_eq!(facts["big-stack-drafted"].devices, ["nvidia.com/gpu=0", "nvidia.com/gpu=2"]);
    assert_eq!(value("big-stack-drafted", "--device"), "CUDA0");
    assert_eq!(value("big-stack-drafted", "--spec-draft-device"), "CUDA1");
    // All devices of other drivers are in the container.
    assert_eq!(facts["big-stack-amd"].devices, ["/dev/dri", "/dev/kfd"]);
    assert_eq!(value("big-stack-amd", "--device"), "ROCm0");
    assert_eq!(facts["big-stack-vulkan"].devices, ["/dev/dri"]);
    let order = |name: &str| facts[name].env.get("CUDA_DEVICE_ORDER").cloned();
    assert_eq!(order("big-stack-code").as_deref(), Some("PCI_BUS_ID"));
    assert_eq!(order("big-stack-amd"), None);
}

/// Roles in containers have no unit and no one-shot command, which would run a program of the host.
#[test]
fn only_roles_of_the_host_have_units_and_one_shot_commands() {
    let compiled = stack(&PLAIN, "");
    let all = compiled.files();
    let named = |part: &str| all.keys().filter(|path| path.contains(part)).cloned().collect::<Vec<_>>();
    let scripts = ["amd", "code", "drafted", "local", "odd", "prompt/small", "spread", "vulkan"];
    assert_eq!(named("bin/"), scripts.map(|name| format!("bin/{name}")));
    assert_eq!(named(".service"), ["systemd/big-stack-local.service"]);
    let target = &all["systemd/big-stack-always.target"].0;
    assert!(
        target.contains("Wants=big-stack-local.service\n") && !target.contains("big-stack-code"),
        "{target}"
    );
    let stack: serde_json::Value = serde_json::from_str(&all["stack.json"].0).unwrap();
    assert_eq!(stack["roles"][0]["image"], IMAGE);
    assert_eq!(stack["roles"][6]["image"], serde_json::Value::Null);
}

/// Without the units of the stack, containers start at boot. With them, they join the target and the slice.
#[test]
fn units_of_podman_join_the_stack_only_if_it_has_units() {
    let lines = |compiled: &Compiled| {
        let unit = files(compiled, "quadlet")["s-a.container"].clone();
        let own = |line: &&str| ["PartOf=", "Slice=", "WantedBy="].iter().any(|key| line.starts_with(key));
        unit.lines().filter(own).map(str::to_owned).collect::<Vec<_>>()
    };
    let registry = |stack: &str| {
        let rest = "engine \"e\" profile=\"llama.cpp-b11669\" image=\"localhost/image:1\"\n\
             model \"m\" file=\"/srv/models/m.gguf\"\nrole \"a\" model=\"m\" port=8080 context=4096\n";
        compile(&[("a.kdl", &format!("stack \"s\" {stack}\n{rest}"))])
    };
    assert_eq!(lines(&registry("")), ["PartOf=s-hot.target", "Slice=s-hot.slice", "WantedBy=s-hot.target"]);
    assert_eq!(lines(&registry("{ targets \"quadlet\" }")), ["WantedBy=multi-user.target"]);
    assert_eq!(lines(&registry("scope=\"user\" { targets \"quadlet\" }")), ["WantedBy=default.target"]);
    // Nothing has a unit, so there is no target without content.
    let only_compose = registry("{ targets \"systemd\" \"compose\" }").files();
    assert_eq!(only_compose.keys().collect::<Vec<_>>(), ["compose/compose.yaml"]);
}

#[test]
fn the_files_of_several_hosts_are_in_separate_folders() {
    let more = "host \"far\" memory=\"64 GB\"\n\
        role \"other\" residency=\"always\" model=\"small\" port=8150 context=4096 host=\"far\"\n";
    let text = STACK
        .replace("IMAGE", IMAGE)
        .replace("ODD_FOLDER", "/srv/odd")
        .replace(" residency=\"always\" model", " residency=\"always\" host=\"tower\" model");
    let compiled = compile(&[("stack.kdl", &text), ("more.kdl", more)]);
    assert!(files(&compiled, "quadlet/far").contains_key("big-stack-other.container"));
    assert_eq!(files(&compiled, "compose").len(), 2, "{}", compiled.report());
    assert!(files(&compiled, "compose/far")["compose.yaml"].contains("\"other\":"));
}
