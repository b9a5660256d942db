//! Servers that run on this machine, from their processes. The source of truth is proc(5) of Linux 6.12.
//!
//! Each process becomes a file `/proc/PID`: the words of its command line, then its variables and its other settings, one per line.

use super::prefix;
use super::shell;
use super::source::{
    At, MemoryPolicy, Program, Reader, Server, SourceGateway, SourceGatewayKind, Start, Word,
};
use crate::source::RunningProcess;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The starts of the variables that change how a server runs. The others are those of any login.
const VARIABLES: &[&str] = &[
    "LLAMA_",
    "GGML_",
    "CUDA_",
    "HIP_",
    "ROCR_",
    "HSA_",
    "VK_",
    "NVIDIA_",
    "OMP_",
    "MALLOC_",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "HF_",
    "SYCL_",
    "ONEAPI_",
    "GPU_",
    "KMP_",
    "GOMP_",
    "RADV_",
    "AMD_",
    "MESA_",
];

/// Variables with secrets.
const SECRETS: &[&str] = &["HF_TOKEN"];

/// Services that start any program: the unit of such a process is not that of a server.
const OTHER_SERVICES: &[&str] = &["cron", "crond", "atd", "ssh", "sshd", "docker", "containerd", "podman"];

/// A process as text, with the lines of its settings.
struct Listing<'p> {
    process: &'p RunningProcess,
    file: usize,
    text: String,
    line: u32,
}

impl Listing<'_> {
    fn at(&self, line: u32) -> At {
        At { file: self.file, line }
    }

    /// Adds a line and returns its place.
    fn add(&mut self, line: &str) -> At {
        self.line += 1;
        let _ = writeln!(self.text, "{line}");
        self.at(self.line)
    }

    fn word(&mut self, name: &str, value: &str) -> Word {
        let at = self.add(&format!("{name}{}", quoted(value)));
        Word::new(value, at)
    }
}

/// Reads processes of servers. Routers become gateways, and their children servers of the gateway.
pub fn read(reader: &mut Reader<'_>, processes: &[RunningProcess]) {
    let is_parent = |process: &&RunningProcess| processes.iter().any(|other| other.parent == process.pid);
    let parents: BTreeSet<u32> = processes.iter().filter(is_parent).map(|process| process.pid).collect();
    let mut routers = BTreeMap::new();
    for process in processes.iter().filter(|process| is_router(process, &parents)) {
        routers.insert(process.pid, read_router(reader, process));
    }
    for process in processes.iter().filter(|process| !routers.contains_key(&process.pid)) {
        read_server(reader, process, routers.get(&process.parent).copied());
    }
}

/// True if a process is a router: it has options for models, or its children are servers.
fn is_router(process: &RunningProcess, parents: &BTreeSet<u32>) -> bool {
    let is_option = |word: &String| word.starts_with("--models-preset") || word.starts_with("--models-dir");
    parents.contains(&process.pid) || process.args.iter().any(is_option)
}

/// The command line as words, one per line.
fn list<'p>(reader: &mut Reader<'_>, process: &'p RunningProcess) -> (Listing<'p>, Vec<Word>) {
    let file = reader.add_file(format!("/proc/{}", process.pid), "");
    let mut listing = Listing { process, file, text: String::new(), line: 0 };
    let mut words: Vec<Word> = process.args.iter().map(|word| listing.word("", word)).collect();
    let program = process.program.as_deref().map(|path| path.trim_end_matches(" (deleted)"));
    if let (Some(first), Some(path)) = (words.first_mut(), program)
        && (!first.text.starts_with('/') || !prefix::is_server(&first.text))
        && prefix::is_server(path)
    {
        path.clone_into(&mut first.text);
    }
    (listing, words)
}

fn finish(reader: &mut Reader<'_>, listing: Listing<'_>) {
    if let Some(file) = reader.found.files.get_mut(listing.file) {
        file.text = listing.text;
    }
}

fn read_server(reader: &mut Reader<'_>, process: &RunningProcess, gateway: Option<usize>) {
    let (mut listing, words) = list(reader, process);
    if !prefix::is_server_command(&words) {
        reader.found.files.pop();
        return;
    }
    let unit = unit_of(&process.cgroup);
    let mut server = Server::new("", listing.at(1), Program::Gateway);
    let fallback = format!("server-{}", process.pid);
    let derived = shell::derive_name(&words, fallback);
    server.name = unit.clone().filter(|_| gateway.is_none() && !is_llama_swap(process)).unwrap_or(derived);
    server.is_user = process.cgroup.contains("/user@");
    server.gateway = gateway;
    (server.is_port_automatic, server.is_api_name) = (gateway.is_some(), gateway.is_some());
    if let Some(folder) = &process.folder {
        server.folder = Some(listing.word("cwd: ", folder));
    }
    read_environment(&mut listing, &mut server);
    read_placement(&mut listing, &mut server);
    read_start(&mut listing, &mut server, unit.as_deref());
    server.set_command(words);
    server.last_line = listing.line.max(1);
    finish(reader, listing);
    reader.found.servers.push(server);
}

/// The variables that matter for a server.
fn read_environment(listing: &mut Listing<'_>, server: &mut Server) {
    let Some(env) = &listing.process.env else {
        let at = listing.add("environ: not readable");
        server.lose(
            "environment",
            at,
            "only root and the user of the process may read it; run the import with `sudo`",
        );
        return;
    };
    let matters = |name: &str| VARIABLES.iter().any(|start| name.starts_with(start));
    for (name, value) in env.iter().filter(|(name, _)| matters(name)) {
        if SECRETS.contains(&name.as_str()) {
            let at = listing.add(&format!("{name}=…"));
            server.lose(
                name.clone(),
                at,
                "a registry has no secrets; add `EnvironmentFile=` in a drop-in of the unit",
            );
        } else {
            let word = listing.word(&format!("{name}="), value);
            server.set_variable(name.clone(), word);
        }
    }
}

/// The CPUs and the NUMA policy, if they are not the default.
fn read_placement(listing: &mut Listing<'_>, server: &mut Server) {
    let process = listing.process;
    let (cpus, online) = (numbers(&process.cpus), numbers(&process.online_cpus));
    if let (Some(cpus), Some(online)) = (cpus, online)
        && cpus != online
        && !cpus.is_superset(&online)
    {
        server.placement.cpus = Some(listing.word("Cpus_allowed_list: ", &process.cpus));
    }
    let (nodes, online) = (numbers(&process.nodes), numbers(&process.online_nodes));
    if let (Some(nodes), Some(online)) = (nodes, online)
        && !nodes.is_superset(&online)
    {
        let at = listing.add(&format!("Mems_allowed_list: {}", process.nodes));
        let what = format!("Mems_allowed_list: {}", process.nodes);
        server.lose(what, at, "the control group limits the nodes; bind the memory of the role to them");
    }
    let Some(policy) = process.policy.as_deref().filter(|policy| *policy != "default") else { return };
    let word = listing.word("numa_maps: ", policy);
    let (kind, nodes) = policy.split_once(':').unwrap_or((policy, ""));
    let nodes: Option<Vec<u32>> = numbers(nodes).map(|nodes| nodes.into_iter().collect());
    let kind = match (kind.split('=').next().unwrap_or_default(), nodes) {
        ("interleave", Some(nodes)) => Some((MemoryPolicy::Interleave, nodes)),
        ("bind", Some(nodes)) => Some((MemoryPolicy::Bind, nodes)),
        ("prefer", Some(nodes)) if nodes.len() == 1 => Some((MemoryPolicy::Preferred, nodes)),
        ("local", _) => Some((MemoryPolicy::Local, Vec::new())),
        _ => None,
    };
    match kind {
        Some((kind, nodes)) => server.placement.memory = Some((kind, nodes, word)),
        None => server.lose(format!("numa_maps: {policy}"), word.at, "systemd has no such policy"),
    }
}

/// The start, by the unit or the parent of the process.
fn read_start(listing: &mut Listing<'_>, server: &mut Server, unit: Option<&str>) {
    let process = listing.process;
    if is_container(&process.cgroup) {
        let at = listing.add(&format!("cgroup: {}", process.cgroup.trim().replace('\n', " ")));
        let why = "the process is in a container, so its paths are those inside; import its compose file or its unit";
        server.lose("container", at, why);
    }
    if process.program.as_deref().is_some_and(|path| path.ends_with(" (deleted)")) {
        let at = listing.add("exe: deleted");
        server.lose(
            "program",
            at,
            "its file was replaced since the start, so the new one may have other options",
        );
    }
    if server.gateway.is_some() {
        server.start = (Start::OnDemand, None);
    } else if is_llama_swap(process) {
        let parent = process.parent_args.join(" ");
        let at = listing.add(&format!("parent: {parent}"));
        server.start = (Start::OnDemand, Some(at));
        server.lose(
            format!("parent: {parent}"),
            at,
            "llama-swap starts it; import the configuration of llama-swap instead",
        );
    } else if unit.is_some() {
        let at = listing.add(&format!("cgroup: {}", process.cgroup.trim().replace('\n', " ")));
        server.start = (Start::Boot, Some(at));
    }
}

/// A router: its children have the options that it passes on.
fn read_router(reader: &mut Reader<'_>, process: &RunningProcess) -> usize {
    let (listing, words) = list(reader, process);
    let mut gateway = SourceGateway {
        program: words.first().cloned(),
        is_user: process.cgroup.contains("/user@"),
        ..SourceGateway::new(SourceGatewayKind::Router, listing.at(1))
    };
    let mut rest = words.iter().skip(1);
    while let Some(word) = rest.next() {
        let (name, value) = match word.text.split_once('=') {
            Some((name, value)) => (name, Some(Word { text: value.to_owned(), ..*word })),
            None => (word.text.as_str(), None),
        };
        let mut value = || value.clone().or_else(|| rest.next().cloned()).unwrap_or_default();
        match name {
            "--port" => gateway.port = value().text.parse().ok().map(|port| (port, word.at)),
            "--host" => gateway.listen = Some(value()),
            "--api-key-file" => gateway.key_file = Some(value()),
            "--models-max" => gateway.most = value().text.parse().ok().map(|most| (most, word.at)),
            "--models-preset" | "--models-dir" => {
                let what = format!("{name} {}", value().text);
                reader.lose(
                    what,
                    word.at,
                    "only models that are loaded are imported; import the presets for the others",
                );
            }
            "--api-key" => {
                value();
                reader.lose("--api-key", word.at, "a registry has no keys; use `--api-key-file`");
            }
            "--no-models-autoload" => {
                reader.lose(name, word.at, "a gateway of orchgen loads models at a request");
            }
            _ => {}
        }
    }
    finish(reader, listing);
    reader.found.gateways.push(gateway);
    reader.found.gateways.len() - 1
}

fn is_llama_swap(process: &RunningProcess) -> bool {
    process.parent_args.first().is_some_and(|program| prefix::base_name(program).starts_with("llama-swap"))
}

/// The name of the service in a text of `/proc/PID/cgroup`, without its ending.
fn unit_of(cgroup: &str) -> Option<String> {
    let paths = cgroup.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    let unit = |path: &str| Some(path.rsplit('/').next()?.strip_suffix(".service")?.to_owned());
    let mut units = paths.filter_map(unit);
    units.find(|unit| !unit.starts_with("user@") && !OTHER_SERVICES.contains(&unit.as_str()))
}

fn is_container(cgroup: &str) -> bool {
    ["/docker/", "/docker-", "/libpod-", "/lxc/", "/kubepods", "/cri-containerd-"]
        .iter()
        .any(|mark| cgroup.contains(mark))
}

/// The numbers of a list such as `0-7,16`. `None` if it is empty or not valid.
fn numbers(list: &str) -> Option<BTreeSet<u32>> {
    let mut found = BTreeSet::new();
    for part in list.trim().split(',').take(1024) {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to) = (from.trim().parse::<u32>().ok()?, to.trim().parse::<u32>().ok()?);
        found.extend(from..=to.min(8192));
    }
    Some(found)
}

/// A word on one line.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,+@%^".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    if word.chars().any(char::is_control) {
        return format!("$'{}'", word.escape_default());
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
