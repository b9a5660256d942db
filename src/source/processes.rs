//! The processes of this machine, from `/proc` (proc(5), Linux). Processes that end during the run are left out.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// The maximum size of a file in `/proc` that is read: command lines and environments have at most this size by default.
const MAX_BYTES: u64 = 4 << 20;

/// The maximum number of processes.
const MAX_PROCESSES: usize = 4096;

/// A process that runs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RunningProcess {
    /// Its number.
    pub pid: u32,
    /// The number of its parent.
    pub parent: u32,
    /// The words of its command line, with the program.
    pub args: Vec<String>,
    /// The words of the command line of its parent.
    pub parent_args: Vec<String>,
    /// Its variables at the start. `None` if they cannot be read.
    pub env: Option<Vec<(String, String)>>,
    /// Its working folder, if it can be read.
    pub folder: Option<String>,
    /// The path of its program, if it can be read. It ends with ` (deleted)` if the file was replaced.
    pub program: Option<String>,
    /// The text of its file `cgroup`.
    pub cgroup: String,
    /// The CPUs that it may use, as a list such as `0-7`.
    pub cpus: String,
    /// All CPUs that are online.
    pub online_cpus: String,
    /// The NUMA nodes whose memory it may use, as a list.
    pub nodes: String,
    /// All NUMA nodes that are online. Empty if the kernel has no NUMA.
    pub online_nodes: String,
    /// Its NUMA policy as in `numa_maps`, such as `interleave:0-1`.
    pub policy: Option<String>,
}

/// The processes whose program fits, in the order of their numbers. `is_wanted` gets the path of a program as its command line has it.
pub fn running(is_wanted: &dyn Fn(&str) -> bool) -> io::Result<Vec<RunningProcess>> {
    let mut pids: Vec<u32> = fs::read_dir("/proc")?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    pids.sort_unstable();
    let online = |path: &str| bounded_text(Path::new(path)).unwrap_or_default().trim().to_owned();
    let cpus = online("/sys/devices/system/cpu/online");
    let nodes = online("/sys/devices/system/node/online");
    let found = pids.into_iter().filter_map(|pid| process(pid, is_wanted));
    let with_machine =
        |process| RunningProcess { online_cpus: cpus.clone(), online_nodes: nodes.clone(), ..process };
    Ok(found.take(MAX_PROCESSES).map(with_machine).collect())
}

/// A process, if its program fits and if it still runs.
fn process(pid: u32, is_wanted: &dyn Fn(&str) -> bool) -> Option<RunningProcess> {
    let folder = Path::new("/proc").join(pid.to_string());
    let args = strings(&bounded_text(&folder.join("cmdline"))?);
    let program = link(&folder.join("exe"));
    let is_program = program.as_deref().is_some_and(|path| is_wanted(path.trim_end_matches(" (deleted)")));
    if !is_program && !is_wanted(args.first()?) {
        return None;
    }
    let status = bounded_text(&folder.join("status"))?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap_or_default().trim().to_owned()
    };
    let parent = field("PPid").parse().unwrap_or_default();
    let parent_args = bounded_text(&Path::new("/proc").join(field("PPid")).join("cmdline"));
    let variable =
        |text: String| text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    let environ = bounded_text(&folder.join("environ"));
    Some(RunningProcess {
        pid,
        parent,
        args,
        parent_args: strings(&parent_args.unwrap_or_default()),
        env: environ.map(|text| strings(&text).into_iter().filter_map(variable).collect()),
        folder: link(&folder.join("cwd")),
        program,
        cgroup: bounded_text(&folder.join("cgroup")).unwrap_or_default(),
        cpus: field("Cpus_allowed_list"),
        nodes: field("Mems_allowed_list"),
        policy: policy(&folder.join("numa_maps")),
        ..RunningProcess::default()
    })
}

/// The text of a file, at most [`MAX_BYTES`] of it.
pub(super) fn bounded_text(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The policy of the first mapping, which is that of the process. The rest of the file is not read: the kernel would walk all pages.
fn policy(path: &Path) -> Option<String> {
    let mut bytes = [0; 512];
    let length = File::open(path).ok()?.read(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(bytes.get(..length)?).into_owned();
    text.lines().next()?.split(' ').nth(1).map(str::to_owned)
}

pub(super) fn strings(text: &str) -> Vec<String> {
    let text = text.strip_suffix('\0').unwrap_or(text);
    if text.is_empty() { Vec::new() } else { text.split('\0').map(str::to_owned).collect() }
}

fn link(path: &Path) -> Option<String> {
    fs::read_link(path).ok()?.into_os_string().into_string().ok()
}
