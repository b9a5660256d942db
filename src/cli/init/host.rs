//! The host of a registry: its CPUs, memory, GPUs and systemd.

use super::engines::Device;
use crate::diag::{Line, words};
use crate::hir::{Bytes, CpuList};
use crate::import::assemble::slug;
use crate::source::{Card, MachineFacts};
use crate::syntax::{Language, write_line};
use std::collections::{BTreeMap, BTreeSet};

/// The name of a host whose name is unknown.
const DEFAULT_NAME: &str = "box";

/// The known facts of a machine.
pub(super) struct HostFacts<'f> {
    /// The texts of the kernel.
    pub(super) machine: &'f MachineFacts,
    /// The version of systemd.
    pub(super) systemd: Option<u32>,
    /// The GPUs that llama-server finds, or why they are unknown.
    pub(super) devices: &'f Result<Vec<Device>, String>,
    /// The language of examples in comments.
    pub(super) language: Language,
}

/// An item, and the comments above it.
pub(super) struct Described {
    pub(super) line: Line,
    pub(super) comments: Vec<String>,
}

/// The host. What is unknown becomes a comment.
pub(super) fn host(facts: &HostFacts<'_>) -> Described {
    let machine = facts.machine;
    let name = machine.hostname.split('.').next().unwrap_or_default().to_lowercase();
    let name = if name.is_empty() || name == "localhost" { DEFAULT_NAME.to_owned() } else { slug(&name) };
    let mut described = Described { line: Line::of("host", name), comments: Vec::new() };
    let nodes = nodes(machine);
    described.memory(machine, &nodes);
    described.cpus(machine, &nodes, facts.language);
    match facts.systemd {
        Some(version) => described.field(Line::of("systemd", u64::from(version))),
        None => described.comment("The version of systemd is unknown: without `systemd`, it is 252."),
    }
    described.gpus(&machine.cards, facts);
    described
}

/// A NUMA node with CPUs.
struct Node {
    number: u32,
    cpus: CpuList,
    memory: Option<u64>,
}

/// The NUMA nodes with CPUs that are on.
fn nodes(machine: &MachineFacts) -> Vec<Node> {
    let online = CpuList::parse(&machine.online_cpus);
    let node = |(number, node): (&u32, &crate::source::MachineNode)| {
        let cpus = CpuList::parse(&node.cpus)?;
        let cpus = online.as_ref().map_or_else(|| cpus.clone(), |online| cpus.intersection(online));
        let memory = memory(&node.meminfo);
        (!cpus.is_empty()).then_some(Node { number: *number, cpus, memory })
    };
    machine.nodes.iter().filter_map(node).collect()
}

/// The bytes of a line `MemTotal:  32489496 kB` or `Node 0 MemTotal:  32489496 kB`. `None` for no memory.
fn memory(meminfo: &str) -> Option<u64> {
    let value =
        |line: &str| Some(line.split_once("MemTotal:")?.1.trim().strip_suffix("kB")?.trim().to_owned());
    let kibibytes: u64 = meminfo.lines().find_map(value)?.parse().ok()?;
    kibibytes.checked_mul(1024).filter(|bytes| *bytes > 0)
}

/// A size that the registry can write, not larger than the real one.
fn size(bytes: u64) -> String {
    Bytes(bytes).rounded_down().to_string()
}

impl Described {
    fn field(&mut self, line: Line) {
        self.line.fields.push(line);
    }

    fn comment(&mut self, text: impl Into<String>) {
        self.comments.push(text.into());
    }

    /// The memory. That of nodes without CPUs is not counted: it can be that of a GPU or of a slower device.
    fn memory(&mut self, machine: &MachineFacts, nodes: &[Node]) {
        let Some(total) = memory(&machine.meminfo) else {
            return self.comment("The kernel lists no memory: write `memory`, so that sums are checked.");
        };
        let others: Vec<(u32, u64)> = machine
            .nodes
            .iter()
            .filter(|(number, _)| !nodes.is_empty() && nodes.iter().all(|node| node.number != **number))
            .filter_map(|(number, node)| Some((*number, memory(&node.meminfo)?)))
            .collect();
        let sum = |nodes: &[(u32, u64)]| nodes.iter().map(|(_, memory)| *memory).sum::<u64>();
        self.field(Line::of("memory", size(total.saturating_sub(sum(&others)))));
        let cards: BTreeSet<&str> = machine.cards.iter().map(|card| card.memory_node.as_str()).collect();
        let is_card = |(number, _): &(u32, u64)| cards.contains(number.to_string().as_str());
        let (of_cards, others): (Vec<_>, Vec<_>) = others.into_iter().partition(is_card);
        for (nodes, what) in [(of_cards, "of GPUs"), (others, "without CPUs")] {
            let numbers: Vec<String> = nodes.iter().map(|(number, _)| number.to_string()).collect();
            if !nodes.is_empty() {
                let (noun, verb) = if nodes.len() == 1 { ("node", "is") } else { ("nodes", "are") };
                let (numbers, memory) = (words::all_of(&numbers), size(sum(&nodes)));
                self.comment(format!(
                    "NUMA {noun} {numbers} {verb} memory {what}: {memory} are not counted."
                ));
            }
        }
    }

    fn cpus(&mut self, machine: &MachineFacts, nodes: &[Node], language: Language) {
        let Some(online) = CpuList::parse(&machine.online_cpus) else {
            return self.comment("The kernel lists no CPUs: write `cpus`, so that placements are checked.");
        };
        let mut by_threads: BTreeMap<u64, CpuList> = BTreeMap::new();
        for (cpu, siblings) in &machine.siblings {
            let (Some(own), Some(siblings)) = (CpuList::parse(&cpu.to_string()), CpuList::parse(siblings))
            else {
                continue;
            };
            let threads = siblings.intersection(&online).count();
            let group = by_threads.entry(threads).or_default();
            *group = CpuList::union([&*group, &own]);
        }
        by_threads.remove(&0);
        match by_threads.iter().collect::<Vec<_>>().as_slice() {
            [] => {
                self.comment(
                    "The kernel lists no cores: if a core has several hardware threads, write `smt`.",
                );
                self.all_cpus(&online, nodes);
            }
            [(threads, _)] => {
                if **threads > 1 {
                    self.field(Line::of("smt", **threads));
                }
                self.all_cpus(&online, nodes);
            }
            several => match CpuList::parse(&machine.offline_cpus) {
                Some(offline) => {
                    let most = several.iter().map(|(threads, _)| **threads).max().unwrap_or(1);
                    self.field(Line::of("smt", most));
                    self.comment(format!(
                        "Hardware threads are off: {}. The CPUs of a node with such a core need `threads` in placements.",
                        offline.describe()
                    ));
                    self.all_cpus(&online, nodes);
                }
                None => self.hybrid(several, nodes, language),
            },
        }
        self.fast_cpus(machine, language);
    }

    /// The CPUs by node if there are several nodes.
    fn all_cpus(&mut self, online: &CpuList, nodes: &[Node]) {
        if nodes.len() < 2 {
            return self.field(Line::of("cpus", online.to_string()));
        }
        for node in nodes {
            let line = Line::of("numa", u64::from(node.number)).principal("node");
            let line = line.with(Line::of("cpus", node.cpus.to_string()));
            let memory = node.memory.map(|memory| Line::of("memory", size(memory)));
            self.field(line.with_each(memory));
        }
    }

    /// CPUs of two kinds: the number of cores of all CPUs is not their number divided by `smt`, so each kind is a set.
    fn hybrid(&mut self, groups: &[(&u64, &CpuList)], nodes: &[Node], language: Language) {
        let most = groups.iter().map(|(threads, _)| **threads).max().unwrap_or(1);
        self.field(Line::of("smt", most));
        self.comment(format!(
            "The cores differ, so this host has a set of CPUs for each kind instead of `cpus`. A role that uses one needs \
             `threads` too, for example {}.",
            placement(language, &set_name(most))
        ));
        for node in nodes.iter().filter(|_| nodes.len() > 1) {
            let memory = node.memory.map(|memory| Line::of("memory", size(memory)));
            self.field(Line::of("numa", u64::from(node.number)).principal("node").with_each(memory));
        }
        for (threads, cpus) in groups.iter().rev() {
            let cores = cpus.count() / (**threads).max(1);
            let cores = words::count(usize::try_from(cores).unwrap_or(usize::MAX), "core");
            let of_each = words::count(usize::try_from(**threads).unwrap_or(usize::MAX), "hardware thread");
            self.comment(format!("{}: {cores} with {of_each} each.", cpus.describe()));
            let set = Line::of("cpuset", set_name(**threads)).principal("name");
            self.field(set.with(Line::of("cpus", cpus.to_string())));
        }
    }

    /// The CPUs that the kernel rates within 20 percent of the fastest, where they differ.
    fn fast_cpus(&mut self, machine: &MachineFacts, language: Language) {
        let rated =
            machine.capacities.iter().filter_map(|(cpu, text)| Some((*cpu, text.parse::<u64>().ok()?)));
        let rated: Vec<(u32, u64)> = rated.collect();
        let fastest = rated.iter().map(|(_, capacity)| *capacity).max().unwrap_or(0);
        let fast =
            rated.iter().filter(|(_, capacity)| capacity.saturating_mul(5) >= fastest.saturating_mul(4));
        let fast: Vec<String> = fast.map(|(cpu, _)| cpu.to_string()).collect();
        if let Some(cpus) = CpuList::parse(&fast.join(",")).filter(|_| fast.len() < rated.len()) {
            self.comment(format!(
                "The kernel rates CPUs {cpus} as the fastest. To use only these, write {} in a role.",
                placement(language, &cpus.to_string())
            ));
        }
    }

    fn gpus(&mut self, cards: &[Card], facts: &HostFacts<'_>) {
        let devices = facts.devices;
        let example = Line::of("gpu", "CUDA0").principal("name").with(Line::of("memory", "24 GB"));
        let example = write_line(facts.language, &example);
        let found = devices.as_deref().unwrap_or_default();
        let first = found.first().map(Device::back_end);
        let (own, others): (Vec<&Device>, Vec<&Device>) =
            found.iter().partition(|device| Some(device.back_end()) == first);
        if !others.is_empty() {
            let names: Vec<String> = others
                .iter()
                .map(|device| format!("{} ({})", device.name, words::printable(&device.title)))
                .collect();
            self.comment(format!(
                "Another back end lists {}. A card that is also in this list would count twice, so these are left out.",
                words::all_of(&names)
            ));
        }
        for device in own {
            let line = Line::of("gpu", device.name.as_str()).principal("name");
            let line = line.with(Line::of("memory", format!("{} MiB", device.mebibytes)));
            self.field(line.with(Line::of("title", words::printable(&device.title))));
        }
        let known: Vec<String> = cards.iter().filter_map(card_text).collect();
        if !found.is_empty() {
            return;
        }
        match (devices, known.as_slice()) {
            (Ok(_), []) => self.comment("llama-server lists no GPU."),
            (Err(why), []) => self.comment(format!("GPUs are unknown: {why}.")),
            (Ok(_), cards) => self.comment(format!(
                "The machine has {}, but this build of llama-server lists no GPU: install a build for it (CUDA, ROCm or Vulkan), \
                 then add the names that `llama-server --list-devices` prints, such as `{example}`.",
                words::all_of(cards)
            )),
            (Err(why), cards) => self.comment(format!(
                "The machine has {}, whose names for llama-server are unknown: {why}. Add the names that \
                 `llama-server --list-devices` prints, such as `{example}`.",
                words::all_of(cards)
            )),
        }
    }
}

/// A placement on CPUs, as an example.
fn placement(language: Language, cpus: &str) -> String {
    format!("`{}`", write_line(language, &Line::new("placement").with(Line::of("cpus", cpus))))
}

/// The name of a set of CPUs whose cores have this number of threads.
fn set_name(threads: u64) -> String {
    format!("threads-{threads}")
}

/// A card of a vendor that llama.cpp has a back end for. Cards of servers for a console are left out.
fn card_text(card: &Card) -> Option<String> {
    let vendor = match card.vendor.as_str() {
        "0x10de" => "NVIDIA",
        "0x1002" => "AMD",
        "0x8086" => "Intel",
        _ => return None,
    };
    let title = words::printable(&card.model);
    let title = title.trim_start_matches(vendor).trim_start();
    let title = if title.is_empty() { "GPU" } else { title };
    let memory = card.memory.parse().ok().map(|bytes| format!(" with {}", size(bytes)));
    Some(format!("{vendor} {title} at {}{}", words::printable(&card.slot), memory.unwrap_or_default()))
}
