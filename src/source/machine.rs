//! Facts of this machine as the kernel lists them below `/sys` and `/proc` (Linux 6.12, `Documentation/ABI`). The texts are not
//! interpreted here.

use super::load::file_names;
use super::processes::bounded_text;
use std::collections::BTreeMap;
use std::path::Path;

/// The most CPUs, NUMA nodes or GPUs that are read. The kernel supports 8192 CPUs.
const MAX_ENTRIES: usize = 8192;

/// The texts of the kernel about a machine. A text that cannot be read is empty.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct MachineFacts {
    /// The name of the machine.
    pub hostname: String,
    /// The CPUs that are on, such as `0-19`.
    pub online_cpus: String,
    /// The CPUs that are off. Empty if all are on.
    pub offline_cpus: String,
    /// For each CPU, the CPUs of its core.
    pub siblings: BTreeMap<u32, String>,
    /// For each CPU, its capacity relative to the fastest one, at most 1024. Empty on machines with equal CPUs.
    pub capacities: BTreeMap<u32, String>,
    /// The NUMA nodes.
    pub nodes: BTreeMap<u32, MachineNode>,
    /// `/proc/meminfo`.
    pub meminfo: String,
    /// The graphics cards.
    pub cards: Vec<Card>,
}

/// The texts about a NUMA node.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct MachineNode {
    /// Its CPUs, such as `0-7,16-23`. Empty for a node with memory alone.
    pub cpus: String,
    /// The lines of its memory.
    pub meminfo: String,
}

/// A graphics card with a driver.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Card {
    /// Its PCI address, such as `0000:01:00.0`.
    pub slot: String,
    /// The PCI number of its vendor, such as `0x10de`.
    pub vendor: String,
    /// Its product name, if the driver lists it.
    pub model: String,
    /// Its memory in bytes, if the driver lists it.
    pub memory: String,
    /// The number of the NUMA node that is its memory, if it is one.
    pub memory_node: String,
}

impl MachineFacts {
    /// Reads the machine whose `/sys` and `/proc` are below `root`.
    pub fn read(root: &Path) -> Self {
        let cpus = root.join("sys/devices/system/cpu");
        let of_cpus = |file: &str| {
            let numbers = numbered(&cpus, "cpu").into_iter();
            let texts = numbers.map(|(number, name)| (number, line(&cpus.join(name).join(file))));
            texts.filter(|(_, text)| !text.is_empty()).collect::<BTreeMap<u32, String>>()
        };
        Self {
            hostname: line(&root.join("proc/sys/kernel/hostname")),
            online_cpus: line(&cpus.join("online")),
            offline_cpus: line(&cpus.join("offline")),
            siblings: of_cpus("topology/thread_siblings_list"),
            capacities: of_cpus("cpu_capacity"),
            nodes: nodes(&root.join("sys/devices/system/node")),
            meminfo: bounded_text(&root.join("proc/meminfo")).unwrap_or_default(),
            cards: cards(root),
        }
    }
}

/// The first line of a file, without blanks around it. Empty if it cannot be read.
fn line(path: &Path) -> String {
    let text = bounded_text(path).unwrap_or_default();
    text.lines().next().unwrap_or_default().trim().to_owned()
}

/// The entries of a folder that are a word and a number, such as `cpu12`, in the order of their numbers.
fn numbered(folder: &Path, word: &str) -> BTreeMap<u32, String> {
    let names = file_names(folder).into_iter();
    let numbers = names.filter_map(|name| Some((name.strip_prefix(word)?.parse().ok()?, name)));
    numbers.take(MAX_ENTRIES).collect()
}

fn nodes(folder: &Path) -> BTreeMap<u32, MachineNode> {
    let node = |(number, name): (u32, String)| {
        let folder = folder.join(name);
        let meminfo = bounded_text(&folder.join("meminfo")).unwrap_or_default();
        (number, MachineNode { cpus: line(&folder.join("cpulist")), meminfo })
    };
    numbered(folder, "node").into_iter().map(node).collect()
}

/// The PCI number of NVIDIA.
const NVIDIA: &str = "0x10de";

/// The cards of the driver of NVIDIA, then those of other drivers.
fn cards(root: &Path) -> Vec<Card> {
    let mut cards: Vec<Card> = Vec::new();
    let nvidia = root.join("proc/driver/nvidia/gpus");
    for slot in file_names(&nvidia).into_iter().take(MAX_ENTRIES) {
        let texts = |file: &str| bounded_text(&nvidia.join(&slot).join(file)).unwrap_or_default();
        cards.push(Card {
            vendor: NVIDIA.to_owned(),
            model: field(&texts("information"), "Model"),
            memory_node: field(&texts("numa_status"), "Node"),
            slot: slot.clone(),
            ..Card::default()
        });
    }
    let drm = root.join("sys/class/drm");
    for name in numbered(&drm, "card").into_values() {
        let device = drm.join(name).join("device");
        let uevent = bounded_text(&device.join("uevent")).unwrap_or_default();
        let slot = uevent.lines().find_map(|line| line.strip_prefix("PCI_SLOT_NAME=")).unwrap_or_default();
        let vendor = line(&device.join("vendor"));
        if !vendor.is_empty() && cards.iter().all(|card| card.slot != slot) {
            let memory = line(&device.join("mem_info_vram_total"));
            cards.push(Card {
                slot: slot.to_owned(),
                vendor,
                model: line(&device.join("product_name")),
                memory,
                ..Card::default()
            });
        }
    }
    cards
}

/// The value of a line `NAME: VALUE`.
fn field(text: &str, name: &str) -> String {
    let value = text.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'));
    value.unwrap_or_default().trim().to_owned()
}
