//! Reads files of all formats.

use super::given::Builds;
use super::presets::{OptionTable, PresetOption};
use super::source::{At, Program, Reader, Server, SourceText, Sources, Surroundings, Word};
use super::{compose, llama_swap, presets, quadlet, shell, unit};
use crate::engine::{Profile, Switch};
use crate::source::RunningProcess;

/// A format of configurations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// The YAML file of llama-swap.
    LlamaSwap,
    /// The preset file of the router of llama-server.
    Presets,
    /// A service unit of systemd.
    Systemd,
    /// A container unit of podman.
    Quadlet,
    /// A compose file.
    Compose,
    /// A shell script, or a file with command lines.
    Shell,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 6] =
        [Self::LlamaSwap, Self::Presets, Self::Systemd, Self::Quadlet, Self::Compose, Self::Shell];

    /// The name on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::LlamaSwap => "llama-swap",
            Self::Presets => "router",
            Self::Systemd => "systemd",
            Self::Quadlet => "quadlet",
            Self::Compose => "compose",
            Self::Shell => "shell",
        }
    }

    /// The kind of file, as a noun with its article.
    pub fn description(self) -> &'static str {
        match self {
            Self::LlamaSwap => "a configuration of llama-swap",
            Self::Presets => "a preset file of the router",
            Self::Systemd => "a unit of systemd",
            Self::Quadlet => "a container unit of podman",
            Self::Compose => "a compose file",
            Self::Shell => "a script, or a list of command lines",
        }
    }

    /// The format of a file, by its name and its content. `None` if no format fits.
    pub fn of(path: &str, text: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        match ending {
            "service" => return Some(Self::Systemd),
            "container" => return Some(Self::Quadlet),
            "ini" => return Some(Self::Presets),
            "sh" | "bash" => return Some(Self::Shell),
            _ => {}
        }
        if text.starts_with("#!") {
            return Some(Self::Shell);
        }
        if matches!(ending, "yaml" | "yml" | "json") {
            return match (llama_swap::is_llama_swap(text), compose::is_compose(text)) {
                (true, _) => Some(Self::LlamaSwap),
                (_, true) => Some(Self::Compose),
                _ => None,
            };
        }
        if unit::is_unit(text) {
            let is_container = text.lines().any(|line| line.trim() == "[Container]");
            return Some(if is_container { Self::Quadlet } else { Self::Systemd });
        }
        let is_presets = presets::is_presets(text);
        let has_command = text.contains("llama-server") || text.contains("llama serve");
        match (is_presets, has_command) {
            (true, false) => Some(Self::Presets),
            (_, true) => Some(Self::Shell),
            _ => None,
        }
    }
}

/// A file to read.
#[derive(Clone, Debug)]
pub struct Input {
    /// The path, as the user wrote it.
    pub path: String,
    /// The text.
    pub text: String,
    /// The format.
    pub format: Format,
}

/// Reads files. `folder` is the working folder of the user, and `profile` knows the options of presets.
pub fn read(around: &dyn Surroundings, folder: &str, inputs: Vec<Input>, profile: &Profile) -> Sources {
    let mut reader = Reader::new(around);
    folder.clone_into(&mut reader.found.folder);
    let table = ProfileTable { builds: Builds { profile } };
    // A script can launch a router with one of the presets: then its options count.
    let (presets, others): (Vec<Input>, Vec<Input>) =
        inputs.into_iter().partition(|input| input.format == Format::Presets);
    // A unit or a script can launch llama-swap with one of the files: then its address counts.
    let (swaps, launchers): (Vec<Input>, Vec<Input>) =
        others.into_iter().partition(|input| input.format == Format::LlamaSwap);
    let others = launchers.into_iter().chain(swaps);
    let mut served: Vec<usize> = Vec::new();
    for input in others {
        let is_read = |(at, file): (usize, &SourceText)| served.contains(&at) && file.path == input.path;
        if reader.found.files.iter().enumerate().any(is_read) {
            continue;
        }
        let first = reader.found.servers.len();
        let is_script =
            input.text.starts_with("#!") || [".sh", ".bash"].iter().any(|end| input.path.ends_with(end));
        let file = reader.add_file(input.path, input.text);
        match input.format {
            Format::LlamaSwap => llama_swap::read(&mut reader, file),
            Format::Systemd => unit::read(&mut reader, file),
            Format::Quadlet => quadlet::read(&mut reader, file),
            Format::Compose => compose::read(&mut reader, file),
            Format::Shell if is_script => shell::read(&mut reader, file),
            Format::Shell => shell::read_commands(&mut reader, file),
            Format::Presets => {}
        }
        served.extend(launch_routers(&mut reader, first, &table));
        served.extend(launch_swaps(&mut reader, first));
    }
    for input in presets {
        if reader
            .found
            .files
            .iter()
            .enumerate()
            .any(|(at, file)| served.contains(&at) && file.path == input.path)
        {
            continue;
        }
        let file = reader.add_file(input.path, input.text);
        presets::read(&mut reader, file, None, &table);
    }
    reader.found
}

/// Reads processes of this machine.
pub fn read_running(
    around: &dyn Surroundings,
    folder: &str,
    processes: &[RunningProcess],
    profile: &Profile,
) -> Sources {
    let mut reader = Reader::new(around);
    folder.clone_into(&mut reader.found.folder);
    super::running::read(&mut reader, processes);
    launch_routers(&mut reader, 0, &ProfileTable { builds: Builds { profile } });
    reader.found
}

/// Reads the presets of the servers from `first` on that are routers. Returns their files.
fn launch_routers(reader: &mut Reader<'_>, first: usize, table: &dyn OptionTable) -> Vec<usize> {
    let launches = |server: &Server| server.gateway.is_none() && preset_of(server).is_some();
    let mut routers = Vec::new();
    let mut at = first;
    while at < reader.found.servers.len() {
        if reader.found.servers.get(at).is_some_and(launches) {
            routers.push(reader.found.servers.remove(at));
        } else {
            at += 1;
        }
    }
    let mut files = Vec::new();
    for router in routers {
        let Some((path, at)) = preset_of(&router) else { continue };
        match reader.companion(router.at.file, &path) {
            Some(file) => {
                files.push(file);
                presets::read(reader, file, Some(router), table);
            }
            None => {
                reader.lose(format!("--models-preset {path}"), at, "the file cannot be read: pass it too");
            }
        }
    }
    files
}

/// Reads the files of the servers from `first` on that are llama-swap. Returns these files.
fn launch_swaps(reader: &mut Reader<'_>, first: usize) -> Vec<usize> {
    let is_swap = |server: &Server| match &server.program {
        Program::Path(word) => super::prefix::base_name(&word.text).starts_with("llama-swap"),
        Program::Image { .. } | Program::Gateway => false,
    };
    let mut swaps = Vec::new();
    let mut at = first;
    while at < reader.found.servers.len() {
        if reader.found.servers.get(at).is_some_and(|server| is_swap(server) && server.gateway.is_none()) {
            swaps.push(reader.found.servers.remove(at));
        } else {
            at += 1;
        }
    }
    let mut files = Vec::new();
    for swap in swaps {
        let (config, listen) = (option_of(&swap, "config"), option_of(&swap, "listen"));
        let Some(file) = config.as_ref().and_then(|config| reader.companion(swap.at.file, &config.text))
        else {
            let what = config.map_or_else(
                || "llama-swap".to_owned(),
                |config| format!("llama-swap -config {}", config.text),
            );
            reader.lose(what, swap.at, "its configuration cannot be read: import that file");
            continue;
        };
        files.push(file);
        let gateways = reader.found.gateways.len();
        llama_swap::read(reader, file);
        reader.found.losses.extend(swap.losses);
        let Some(gateway) = reader.found.gateways.get_mut(gateways) else { continue };
        gateway.is_user = swap.is_user;
        if let Program::Path(program) = swap.program {
            gateway.program = Some(program);
        }
        let address = listen.as_ref().and_then(|word| word.text.rsplit_once(':').map(|parts| (parts, word)));
        if let Some(((host, port), word)) = address {
            gateway.port = port.parse().ok().map(|port| (port, word.at));
            let host = if host.is_empty() { "0.0.0.0" } else { host.trim_matches(['[', ']']) };
            gateway.listen = Some(Word::new(host, word.at));
        }
    }
    files
}

/// The value of an option of a program of Go: `-name value`, `--name value` or `--name=value`.
fn option_of(server: &Server, name: &str) -> Option<Word> {
    let mut words = server.args.iter();
    while let Some(word) = words.next() {
        let Some(option) = word.text.strip_prefix('-').map(|option| option.trim_start_matches('-')) else {
            continue;
        };
        match option.strip_prefix(name) {
            Some("") => return words.next().cloned(),
            Some(value) if value.starts_with('=') => {
                return Some(Word { text: value.trim_start_matches('=').to_owned(), ..word.clone() });
            }
            _ => {}
        }
    }
    None
}

/// The preset file of a router.
fn preset_of(server: &Server) -> Option<(String, At)> {
    let words = server.args.iter().zip(server.args.iter().skip(1));
    let word =
        words.filter(|(option, _)| option.text == "--models-preset").map(|(_, value)| value).next_back();
    let variable =
        || server.env.iter().find(|(name, _)| name == "LLAMA_ARG_MODELS_PRESET").map(|(_, value)| value);
    let value = word.or_else(variable)?;
    let is_engine = match &server.program {
        Program::Path(word) => super::prefix::is_server(&word.text),
        Program::Image { .. } => true,
        Program::Gateway => false,
    };
    is_engine.then(|| (value.text.clone(), value.at))
}

/// The options of presets, as a profile knows them.
struct ProfileTable<'p> {
    builds: Builds<'p>,
}

impl OptionTable for ProfileTable<'_> {
    fn find(&self, key: &str) -> Option<PresetOption> {
        let bare = key.trim_start_matches('-');
        let spellings = [format!("--{bare}"), format!("-{bare}")];
        let found = spellings.iter().find_map(|spelling| self.builds.find(spelling));
        let (record, switch) = match found {
            // `_` is not `-` in a key.
            Some((record, switch, _)) if !bare.contains('_') => (record, switch),
            _ => {
                let record = self.builds.variable(key)?;
                let is_on = record.env.as_deref() == Some(key);
                (record, if is_on { Switch::On } else { Switch::Off })
            }
        };
        Some(PresetOption {
            title: record.title().to_owned(),
            takes_value: record.arity() > 0,
            is_negative: switch == Switch::Off,
            negative: record.negative.last().cloned(),
        })
    }
}
