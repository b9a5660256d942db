//! Roles on GPUs, served by their units: the layers of each process are on the devices of the plan. The devices are those of
//! the software driver for Vulkan.

use super::rig::{Rig, ask};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const REGISTRY: &str = include_str!("gpu.kdl");

/// The device of each layer of each model that a server loaded, in the order of the log: the model, then its draft. The last
/// layer is the output layer.
fn layers(journal: &str) -> Vec<Vec<String>> {
    let mut models: Vec<Vec<String>> = Vec::new();
    for line in journal.lines() {
        let Some((_, rest)) = line.split_once("load_tensors: layer ") else { continue };
        let (layer, device) = rest.split_once(" assigned to device ").unwrap();
        if layer.trim() == "0" {
            models.push(Vec::new());
        }
        let device = device.split(',').next().unwrap();
        models.last_mut().unwrap().push(device.to_owned());
    }
    models
}

/// The kinds of buffers on each device: `model`, `KV`, `compute`, `output`.
fn buffers(journal: &str) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in journal.lines() {
        let Some((before, _)) = line.split_once(" buffer size = ") else { continue };
        let mut words = before.split_whitespace().rev();
        let (kind, device) = (words.next().unwrap(), words.next().unwrap());
        found.entry(device.to_owned()).or_default().push(kind.to_owned());
    }
    found
}

fn devices(journal: &str) -> Vec<String> {
    buffers(journal).into_keys().filter(|name| name.starts_with("Vulkan")).collect()
}

#[track_caller]
fn assert_answers(rig: &Rig, role: &str, port: u16) {
    let unit = format!("rig-{role}.service");
    assert_eq!(rig.state(&unit), "active", "{unit}: {}", rig.journal(&unit));
    let body = r#"{"prompt":"hello hello hello","n_predict":4}"#;
    // The driver compiles its programs at the first request, which may take longer than the time limit of a request.
    let answer = (0..4).find_map(|_| ask(port, "/completion", body, ""));
    let answer = answer.unwrap_or_else(|| panic!("{unit}: {}", rig.journal(&unit))).json();
    assert!(answer["tokens_predicted"].as_u64() > Some(0), "{answer}");
    rig.report(&format!("`{role}` answered"));
}

/// Asserts on which devices the layers of the models are. A server whose number of layers is given loads its models twice: first
/// only to measure their memory.
#[track_caller]
fn assert_layers(journal: &str, expected: &[&str]) {
    let found: Vec<String> = layers(journal).iter().map(|devices| devices.join(" ")).collect();
    assert_eq!(found, expected, "{journal}");
}

#[test]
fn the_layers_of_each_role_are_on_the_devices_of_the_plan() {
    let rig = Rig::boot();
    // On a machine with GPUs, udev creates this group.
    assert!(rig.chroot(&["groupadd", "-f", "-r", "render"]).status().unwrap().success());
    rig.install(REGISTRY);
    rig.output(&["systemctl", "daemon-reload"]);
    rig.output(&["systemctl", "start", "rig.target"]);
    rig.report("started the target");
    for (role, port) in
        [("whole", 18301), ("part", 18302), ("halves", 18303), ("experts", 18304), ("plain", 18305)]
    {
        assert_answers(&rig, role, port);
    }
    let journal = |role: &str| rig.journal(&format!("rig-{role}.service"));

    let whole = journal("whole");
    let whole_on = "Vulkan0 Vulkan0 Vulkan0 Vulkan0 Vulkan0";
    assert_layers(&whole, &[whole_on; 2]);
    assert!(!devices(&whole).contains(&"Vulkan1".to_owned()), "{whole}");
    // The last layer and the output layer are on the GPU, and the KV cache is not.
    let part = journal("part");
    let part_on = "CPU CPU CPU Vulkan1 Vulkan1";
    assert_layers(&part, &[part_on; 2]);
    let of_device = buffers(&part).remove("Vulkan1").unwrap();
    assert!(!of_device.contains(&"KV".to_owned()) && of_device.contains(&"model".to_owned()), "{part}");
    assert!(!devices(&part).contains(&"Vulkan0".to_owned()), "{part}");
    // One third and two thirds of five layers; the draft has one layer and the output layer.
    let halves = journal("halves");
    let target = "Vulkan0 Vulkan0 Vulkan1 Vulkan1 Vulkan1";
    let draft = "Vulkan1 Vulkan1";
    assert_layers(&halves, &[target, draft, target, draft]);
    // The experts of the first layer are in the memory of the host.
    let experts = journal("experts");
    let experts_on = "Vulkan1 Vulkan1 Vulkan1";
    assert_layers(&experts, &[experts_on; 2]);
    let kept = experts.lines().filter(|line| line.contains("buffer type overridden to"));
    let kept: BTreeSet<&str> =
        kept.filter_map(|line| line.split("tensor ").last()?.split(' ').next()).collect();
    assert!(kept.len() == 3 && kept.iter().all(|name| name.starts_with("blk.0.ffn_")), "{kept:?}");

    let plain = journal("plain");
    assert_layers(&plain, &["CPU CPU CPU CPU CPU"]);
    assert_eq!(devices(&plain), [""; 0], "{plain}");
    // The log of the server of a model is in the log of the router.
    let routed = "Vulkan1 Vulkan1 Vulkan1 Vulkan1 Vulkan1";
    assert_layers(&journal("front"), &[routed; 2]);
    let body = r#"{"model":"routed-plain","prompt":"hello","max_tokens":1}"#;
    assert_eq!(ask(18306, "/v1/completions", body, "").unwrap().status, 200, "{}", journal("front"));
    assert_layers(&journal("front"), &[routed, routed, "CPU CPU CPU"]);
    rig.report("each process has its layers where the plan puts them");
    assert_sandboxes(&rig);
}

/// A role with a GPU may use devices, and the role without one has none.
fn assert_sandboxes(rig: &Rig) {
    let shown = |role: &str, property: &str| rig.show(&format!("rig-{role}.service"), property);
    for role in ["whole", "part", "halves", "experts"] {
        assert_eq!(
            (shown(role, "PrivateDevices"), shown(role, "DevicePolicy")),
            ("no".into(), "closed".into())
        );
        assert_eq!(shown(role, "MemoryDenyWriteExecute"), "no");
    }
    assert_eq!(shown("plain", "PrivateDevices"), "yes");
    // The software driver has a title, so the devices of NVIDIA are closed for it. ProtectClock= allows `char-rtc`.
    assert_eq!(shown("whole", "DeviceAllow"), "char-rtc r\nchar-drm rw");
    assert_eq!(shown("part", "DeviceAllow"), "char-rtc r\nchar-drm rw\nchar-nvidia* rw");
    // The device files of all models behind a gateway.
    assert_eq!(shown("front", "DeviceAllow"), "char-rtc r\nchar-drm rw\nchar-nvidia* rw");
    let title = rig.show("rig-halves.service", "Description");
    assert_eq!(title, "halves: target on Vulkan0, Vulkan1");
}
