//! The view of a container, from which the targets `quadlet`, `compose` and `bin` write their files. All have the same
//! containers. Only those that start at boot have a health check.

use std::collections::BTreeMap;

use super::RenderError;
use super::names::Names;
use crate::plan::{
    Access, Container, Group, Host, MemoryPolicy, Placement, Plan, Process, Role, Seconds, Word,
    uncarried_path, uncarried_value, uncarried_word,
};

/// The name of the file with the API keys inside, and its path: podman and Docker mount secrets there.
pub(super) const KEY: &str = "api-key";
pub(super) const KEY_PATH: &str = "/run/secrets/api-key";

/// The only writable folder that is not the host's.
pub(super) const TMP: &str = "/tmp";

/// The times of a health check.
pub(super) const HEALTH_INTERVAL: &str = "10s";
pub(super) const HEALTH_TIMEOUT: &str = "10s";
pub(super) const HEALTH_RETRIES: u32 = 3;

/// The time in which failed health checks do not count, if the load time is unknown.
const LONG_START: &str = "1h";

/// Folders of the kernel, which an image has.
const OF_THE_KERNEL: [&str; 3] = ["/dev", "/proc", "/sys"];

/// One process with its role and residency.
#[derive(Clone, Copy)]
pub(super) struct ContainerContext<'p> {
    pub(super) plan: &'p Plan,
    pub(super) group: &'p Group,
    pub(super) role: &'p Role,
    pub(super) container: &'p Container,
    pub(super) process: &'p Process,
}

/// A container: everything that the targets write.
pub(super) struct ContainerView<'p> {
    /// The name of the container: `STACK-ROLE`, with the number of the instance.
    pub(super) name: String,
    /// The name without that of the stack.
    pub(super) short_name: String,
    /// The role, with the number of the instance, and the model.
    pub(super) title: String,
    pub(super) image: &'p str,
    /// The arguments of the entry point.
    pub(super) args: Vec<&'p str>,
    pub(super) env: BTreeMap<&'p str, &'p str>,
    /// The published addresses: address and port of the host, and port inside.
    pub(super) ports: Vec<String>,
    /// The files and folders of the host, at the same path inside, in byte order. True if the server writes there.
    pub(super) mounts: BTreeMap<&'p str, bool>,
    /// The devices: names of CDI, or device files.
    pub(super) devices: Vec<String>,
    pub(super) cpus: Option<String>,
    /// The NUMA node of its memory.
    pub(super) node: Option<u32>,
    /// The limit of its memory in GiB.
    pub(super) memory: Option<u64>,
    /// The name of the secret, and the file of the host with it. Scripts mount the file.
    pub(super) secret: Option<(String, &'p str)>,
    pub(super) locks: bool,
    /// The command of the health check.
    pub(super) health: [String; 4],
    /// The time in which failed health checks do not count.
    pub(super) start_period: String,
    /// The limit of the load time, or the reason why there is none.
    pub(super) load_time: Result<Seconds, &'static str>,
}

/// The containers of a host, in the order of the groups.
pub(super) fn of_host<'p>(plan: &'p Plan, host: &'p Host) -> Vec<ContainerContext<'p>> {
    let roles = host.groups.iter().flat_map(|group| group.roles.iter().map(move |number| (group, *number)));
    let roles = roles.filter_map(|(group, number)| {
        let role = plan.roles.get(number)?;
        Some((group, role, role.container.as_deref()?))
    });
    let all = roles.flat_map(|(group, role, container)| {
        let context = move |process| ContainerContext { plan, group, role, container, process };
        role.processes.iter().map(context)
    });
    all.collect()
}

impl<'p> ContainerContext<'p> {
    pub(super) fn names(&self) -> Names<'p> {
        Names { stack: &self.plan.stack }
    }

    /// The view. Fails for a text that the checks report.
    pub(super) fn view(self) -> Result<ContainerView<'p>, RenderError> {
        ContainerView::new(self.plan, self.role, self.container, self.process)
    }
}

impl<'p> ContainerView<'p> {
    /// The container of a process. Fails for a text that the checks report.
    pub(super) fn new(
        plan: &'p Plan,
        role: &'p Role,
        container: &'p Container,
        process: &'p Process,
    ) -> Result<Self, RenderError> {
        let name = Names { stack: &plan.stack }.process(role, process);
        let placement = process.placement.and_then(|number| plan.placements.get(number));
        let view = Self {
            short_name: process
                .instance
                .map_or_else(|| role.name.to_string(), |n| format!("{}-{n}", role.name)),
            title: role.full_title(process),
            image: &container.image,
            args: process.args.iter().map(argument).collect(),
            env: role.env.iter().map(|(name, value)| (&**name, &**value)).collect(),
            ports: role.addresses.iter().map(|address| published(address, process.port)).collect(),
            mounts: mounts(role),
            devices: devices(container),
            cpus: placement.and_then(|placement| placement.cpus.as_ref()).map(ToString::to_string),
            node: placement.and_then(bound_node),
            memory: container.memory.map(|memory| memory.0 >> 30),
            secret: secret(role, process).map(|file| (format!("{name}-{KEY}"), file)),
            locks: role.lock,
            health: health(role, process),
            start_period: role
                .load_time
                .map_or_else(|_| LONG_START.to_owned(), |time| format!("{}s", time.0)),
            load_time: role.load_time,
            name,
        };
        view.check().map(|()| view)
    }
}

impl ContainerView<'_> {
    /// True if it has its own CPUs or memory of one NUMA node.
    pub(super) fn is_pinned(&self) -> bool {
        self.cpus.is_some() || self.node.is_some()
    }

    /// Fails for a text that a file of a target cannot have.
    fn check(&self) -> Result<(), RenderError> {
        let mut words = self.args.iter().filter_map(|word| uncarried_word(word));
        let mut values = self.env.values().filter_map(|value| uncarried_value(value));
        let mut paths = self.mounts.keys().filter_map(|path| uncarried_path(path));
        // `uncontainable-value` reports other texts.
        match words.next().or_else(|| values.next()).or_else(|| paths.next()) {
            Some(why) => Err(RenderError::new(&self.name, why)),
            None => Ok(()),
        }
    }
}

/// A word of the command line.
fn argument(word: &Word) -> &str {
    if matches!(word, Word::KeyFile(_)) { KEY_PATH } else { word.text() }
}

/// The published port: quadlet and compose have the same form. An IPv6 address is reported.
fn published(address: &str, port: u16) -> String {
    format!("{address}:{port}:{port}")
}

fn devices(container: &Container) -> Vec<String> {
    let nvidia = container.nvidia.iter().map(|number| format!("nvidia.com/gpu={number}"));
    nvidia.chain(container.device_files.iter().map(|file| (*file).to_owned())).collect()
}

/// The files and folders that the server needs, without those in a folder of the list. True if it writes there.
fn mounts(role: &Role) -> BTreeMap<&str, bool> {
    let mut mounts: BTreeMap<&str, bool> = role.folders().into_iter().map(|folder| (folder, false)).collect();
    for one in &role.paths {
        let path = one.path.trim_end_matches('/');
        let above = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let (mount, writes) = match one.access {
            Access::Write if !one.is_folder => (above, true),
            Access::Write => (path, true),
            Access::Read => (path, false),
        };
        let is_known = |known: (&&str, &bool)| !writes && is_within(mount, known.0);
        if !OF_THE_KERNEL.iter().any(|kernel| is_within(path, kernel)) && !mounts.iter().any(is_known) {
            *mounts.entry(mount).or_default() |= writes;
        }
    }
    mounts
}

/// True if a path is a folder or below it.
fn is_within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn bound_node(placement: &Placement) -> Option<u32> {
    match &placement.memory {
        Some(MemoryPolicy::Bind(node)) => Some(*node),
        // `container-cannot` reports it.
        Some(MemoryPolicy::Interleave(_)) | None => None,
    }
}

/// The file with the API keys, if the command line names it.
fn secret<'p>(role: &'p Role, process: &Process) -> Option<&'p str> {
    let has_key = process.args.iter().any(|word| matches!(word, Word::KeyFile(_)));
    role.key_file.as_deref().filter(|_| has_key)
}

/// The health check, inside of the container. The images of llama.cpp have curl (`.devops/*.Dockerfile` of b11669).
fn health(role: &Role, process: &Process) -> [String; 4] {
    let path = role.engine_family().map_or("/", |(_, family)| family.health_path());
    let url = format!("http://127.0.0.1:{}{path}", process.port);
    ["curl".to_owned(), "-fsS".to_owned(), "-o/dev/null".to_owned(), url]
}

/// The option that mounts a file or folder of the host, without its last field: `ro=true` or `ro=false`. Its value is a record of
/// CSV. podman and Docker have the same form.
pub(super) fn bind_mount(source: &str, destination: &str) -> String {
    let field = |name: &str, path: &str| {
        let field = format!("{name}={path}");
        if is_plain(path) { field } else { format!("\"{}\"", field.replace('"', "\"\"")) }
    };
    let (source, destination) = (field("source", source), field("destination", destination));
    format!("--mount=type=bind,{source},{destination}")
}

/// True for a path without special characters. `Volume=` has no quotes, and `%` is a specifier of systemd.
pub(super) fn is_plain(path: &str) -> bool {
    path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-+@".contains(&b))
}
