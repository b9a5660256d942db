//! The servers that a source declares, as far as its format describes them: command lines, variables, and how each starts.
//! Readers make them, and know nothing about options of an engine. Raising interprets the command lines.

use std::collections::BTreeMap;

/// A place in a source.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct At {
    /// The file, an index into [`Sources::files`].
    pub file: usize,
    /// The line, counted from 1.
    pub line: u32,
}

/// A text with its place. The text is expanded: its variables, macros and escapes are replaced.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Word {
    /// The text.
    pub text: String,
    /// The line on which it is written.
    pub at: At,
    /// True if a part of it is known only when the source runs, such as `$(nproc)`. The text then has that part as written.
    pub is_dynamic: bool,
}

/// A file that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceText {
    /// The path as the user wrote it, or relative to it.
    pub path: String,
    /// The text.
    pub text: String,
}

/// All servers, gateways and settings of the sources.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Sources {
    /// The absolute path of the working folder of the user. Relative paths of files start here.
    pub folder: String,
    /// The files that were read.
    pub files: Vec<SourceText>,
    /// The servers, in the order of the sources.
    pub servers: Vec<Server>,
    /// The gateways: llama-swap files and routers.
    pub gateways: Vec<SourceGateway>,
    /// The settings of a whole file that no registry has.
    pub losses: Vec<Loss>,
}

/// A setting that is not imported, with the reason.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Loss {
    /// The setting as the source has it, such as `cmdStop: docker stop x`. It begins with the name of the setting.
    pub what: String,
    /// The place.
    pub at: At,
    /// The reason, as a clause without a full stop, such as `systemd stops the process`.
    pub why: String,
}

/// A setting that the registry has in another form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// The setting or the option.
    pub option: String,
    /// The value in the source.
    pub was: String,
    /// The value in the registry.
    pub is: String,
    /// The reason, as a clause without a full stop.
    pub why: String,
    /// The place.
    pub at: At,
}

/// The program of a server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Program {
    /// A program on the host: its name or path.
    Path(Word),
    /// A program in a container image. `tool` is the program in it, if the source names one.
    Image {
        /// The image with its tag or digest.
        image: Word,
        /// The program in the image.
        tool: Option<Word>,
    },
    /// The program of the gateway of the server.
    Gateway,
}

/// When a server starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Start {
    /// With the machine, or with its gateway.
    Boot,
    /// At the first request.
    OnDemand,
    /// By hand, or not stated.
    #[default]
    Manual,
}

/// The CPUs and NUMA nodes of a server.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SourcePlacement {
    /// The memory policy: `interleave`, `bind`, `preferred` or `local`, with its nodes as numbers (`all` as no number).
    pub memory: Option<(MemoryPolicy, Vec<u32>, Word)>,
    /// The nodes to whose CPUs the process is bound. The word is the option with its value.
    pub cpu_nodes: Option<(Vec<u32>, Word)>,
    /// The CPUs as a list such as `0-7,16`. The text of the word is the list.
    pub cpus: Option<Word>,
}

/// A memory policy of a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MemoryPolicy {
    /// Pages alternate between nodes.
    Interleave,
    /// Pages are only on these nodes.
    Bind,
    /// Pages are on this node while it has room.
    Preferred,
    /// Pages are on the node of the CPU that first uses them: the default of Linux.
    Local,
}

/// A name of a server that changes settings of each request.
#[derive(Clone, PartialEq, Debug)]
pub struct Persona {
    /// The name at the API.
    pub name: Word,
    /// The settings: names of fields of a request, with their values as JSON.
    pub settings: Vec<(String, serde_json::Value, At)>,
}

/// One server process of a source. Several identical ones are several servers.
#[derive(Clone, PartialEq, Debug)]
pub struct Server {
    /// Its name in the source: the key, the name of the unit, or a name that the reader derives.
    pub name: String,
    /// True if clients use the name: the key of llama-swap, the section of a preset.
    pub is_api_name: bool,
    /// The first line.
    pub at: At,
    /// The last line.
    pub last_line: u32,
    /// The program.
    pub program: Program,
    /// The arguments after the program.
    pub args: Vec<Word>,
    /// Environment variables of the process, each once. Variables that only fill in the command line are not listed.
    pub env: Vec<(String, Word)>,
    /// The working folder. Relative paths start here.
    pub folder: Option<Word>,
    /// Folders of the host that a container has: the path inside, and the path on the host.
    pub mounts: Vec<(String, String)>,
    /// The CPUs and NUMA nodes.
    pub placement: SourcePlacement,
    /// The addresses that a container publishes: host address and port, and the port inside.
    pub published: Vec<Published>,
    /// True if the source selects the port: a model of llama-swap with `${PORT}`, or a model of a router.
    pub is_port_automatic: bool,
    /// Further names at the API, in addition to those of `--alias`.
    pub aliases: Vec<Word>,
    /// Names with other settings of each request.
    pub personas: Vec<Persona>,
    /// When it starts, with the place if the source states it.
    pub start: (Start, Option<At>),
    /// The seconds without a request after which it is unloaded. 0 means never. `None` if the source does not state it.
    pub idle: Option<(u64, At)>,
    /// The path of the health check, if it is not that of llama-server.
    pub health: Option<Word>,
    /// The gateway, as an index into [`Sources::gateways`].
    pub gateway: Option<usize>,
    /// The kind of its GPUs, if the source shows it: `CUDA`, `ROCm`, `Vulkan` or `SYCL`.
    pub gpus: Option<&'static str>,
    /// True if a user manager runs it (`systemctl --user`).
    pub is_user: bool,
    /// The reason why no role is possible, if the source shows one: for example the program is in a string for a shell.
    pub unreadable: Option<Loss>,
    /// Its settings that no registry has.
    pub losses: Vec<Loss>,
    /// Its settings that the reader had to change.
    pub changes: Vec<Change>,
}

/// An address at which a container is reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Published {
    /// The address of the host. `0.0.0.0` if the source has none.
    pub host: String,
    /// The port of the host.
    pub port: u16,
    /// The port in the container.
    pub inside: u16,
    /// The place.
    pub at: At,
}

/// The program of a gateway.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SourceGatewayKind {
    /// llama-swap.
    LlamaSwap,
    /// The router of llama-server.
    Router,
}

/// One address for several servers.
#[derive(Clone, PartialEq, Debug)]
pub struct SourceGateway {
    /// The program.
    pub kind: SourceGatewayKind,
    /// The place.
    pub at: At,
    /// The path of the program, if the source names it.
    pub program: Option<Word>,
    /// The port that clients use, if the source has it.
    pub port: Option<(u16, At)>,
    /// The address to listen on, if the source has it.
    pub listen: Option<Word>,
    /// A file with API keys.
    pub key_file: Option<Word>,
    /// The maximum number of models in memory (`--models-max`).
    pub most: Option<(u32, At)>,
    /// True if a user manager runs it.
    pub is_user: bool,
    /// The sets of servers that may be in memory together, as indices into [`Sources::servers`]: all maximal ones. `None` if any
    /// may be.
    pub sets: Option<Vec<Vec<usize>>>,
    /// The place of the declaration of the sets.
    pub sets_at: Option<At>,
}

impl SourceGateway {
    /// A gateway of which only the place is known.
    pub fn new(kind: SourceGatewayKind, at: At) -> Self {
        Self {
            kind,
            at,
            program: None,
            port: None,
            listen: None,
            key_file: None,
            most: None,
            is_user: false,
            sets: None,
            sets_at: None,
        }
    }
}

/// The environment of an import: further files, and variables. Readers use nothing else, so they are pure functions.
pub trait Surroundings {
    /// The text of a file that a source names, by its path: absolute, or relative to the working folder of the user. An error is the reason why
    /// it cannot be read.
    fn text(&self, path: &str) -> Result<String, String>;
    /// The names of the files in a folder, sorted. Empty if there is no such folder.
    fn names(&self, folder: &str) -> Vec<String>;
    /// A variable of the environment of the user.
    fn variable(&self, name: &str) -> Option<String>;
}

/// Files and variables in memory, for tests.
#[derive(Clone, Debug, Default)]
pub struct FixedSurroundings {
    /// The files by path.
    pub files: BTreeMap<String, String>,
    /// The variables.
    pub variables: BTreeMap<String, String>,
}

impl Surroundings for FixedSurroundings {
    fn text(&self, path: &str) -> Result<String, String> {
        self.files.get(path).cloned().ok_or_else(|| "no such file or folder".to_owned())
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let start = format!("{folder}/");
        let names = self.files.keys().filter_map(|path| path.strip_prefix(&start));
        names.filter(|name| !name.contains('/')).map(str::to_owned).collect()
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }
}

/// A run of the readers: its surroundings, and everything that is found.
pub struct Reader<'s> {
    /// Files and variables.
    pub around: &'s dyn Surroundings,
    /// Everything that is found.
    pub found: Sources,
}

impl<'s> Reader<'s> {
    /// A run without sources.
    pub fn new(around: &'s dyn Surroundings) -> Self {
        Self { around, found: Sources::default() }
    }

    /// Adds a file, and returns its index.
    pub fn add_file(&mut self, path: impl Into<String>, text: impl Into<String>) -> usize {
        self.found.files.push(SourceText { path: path.into(), text: text.into() });
        self.found.files.len() - 1
    }

    /// Reads a file that a source names. The path is relative to the folder of `from`, unless it is absolute; a file that is not at its absolute
    /// path is also searched by its base name in the folder of `from`. `None` if it cannot be read; the caller reports that.
    pub fn companion(&mut self, from: usize, path: &str) -> Option<usize> {
        let folder = self.folder_of(from);
        let base = path.rsplit('/').next().unwrap_or(path);
        let own = if path.starts_with('/') { path.to_owned() } else { join(&folder, path) };
        let next_to = join(&folder, base);
        let found = [own, next_to].into_iter().find_map(|path| Some((self.around.text(&path).ok()?, path)));
        let (text, path) = found?;
        if let Some(known) = self.found.files.iter().position(|file| file.path == path) {
            return Some(known);
        }
        Some(self.add_file(path, text))
    }

    /// The folder of a file; empty for the working folder.
    pub fn folder_of(&self, file: usize) -> String {
        let path = self.found.files.get(file).map_or("", |file| &file.path);
        path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned()
    }

    /// Reports a setting of a whole file.
    pub fn lose(&mut self, what: impl Into<String>, at: At, why: impl Into<String>) {
        self.found.losses.push(Loss { what: what.into(), at, why: why.into() });
    }
}

/// A path in a folder. `.` and empty parts are removed.
pub fn join(folder: &str, path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    if folder.is_empty() || path.starts_with('/') { path.to_owned() } else { format!("{folder}/{path}") }
}

impl Word {
    /// A known text.
    pub fn new(text: impl Into<String>, at: At) -> Self {
        Self { text: text.into(), at, is_dynamic: false }
    }
}

impl Server {
    /// A server without settings.
    pub fn new(name: impl Into<String>, at: At, program: Program) -> Self {
        Self {
            name: name.into(),
            is_api_name: false,
            at,
            last_line: at.line,
            program,
            args: Vec::new(),
            env: Vec::new(),
            folder: None,
            mounts: Vec::new(),
            placement: SourcePlacement::default(),
            published: Vec::new(),
            is_port_automatic: false,
            aliases: Vec::new(),
            personas: Vec::new(),
            start: (Start::default(), None),
            idle: None,
            health: None,
            gateway: None,
            gpus: None,
            is_user: false,
            unreadable: None,
            losses: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// Reports a setting of this server.
    pub fn lose(&mut self, what: impl Into<String>, at: At, why: impl Into<String>) {
        self.losses.push(Loss { what: what.into(), at, why: why.into() });
    }

    /// Sets a variable. The last value of a name wins.
    pub fn set_variable(&mut self, name: impl Into<String>, value: Word) {
        let name = name.into();
        self.env.retain(|(known, _)| *known != name);
        self.env.push((name, value));
    }

    /// Sets the command: the words with the program first, after the words in front of it are read (see [`super::prefix`]).
    pub fn set_command(&mut self, words: Vec<Word>) {
        let mut words = words.into_iter();
        if let Some(program) = words.next() {
            self.program = Program::Path(program);
        }
        self.args = words.collect();
    }
}
