//! `orchgen init --from-host`: a registry of what this machine has.

use super::engines::{Build, Device, ProfileChoice, folders};
use super::host::{Described, HostFacts, host};
use super::models::{FoundModels, find};
use super::{InitArgs, RegistryFormat, SCHEMA};
use crate::cli::engine::program::{deadline, run};
use crate::diag::report::hanging;
use crate::diag::{Line, words};
use crate::engine::{Family, Profile};
use crate::hir::schema::schema;
use crate::import::assemble::Item;
use crate::import::write::write;
use crate::source::{MachineFacts, find_program};
use crate::syntax::{Language, write_entry, write_line};
use std::path::Path;

/// Folders with the program systemctl.
const SYSTEM_FOLDERS: &str = "/usr/bin:/bin";

/// The files of a registry, and lines about what was found.
pub(super) struct FromHost {
    /// Each file with its name and text.
    pub(super) files: Vec<(String, String)>,
    /// A line for each part of the machine.
    pub(super) summary: Vec<String>,
}

/// Examines this machine. An error names a folder that cannot be read.
pub(super) fn from_host(command: &InitArgs) -> Result<FromHost, String> {
    if let Some(root) = command.root.as_deref().filter(|root| !root.is_dir()) {
        return Err(format!(
            "{} is no folder: write the folder with the `sys` and `proc` of a machine",
            words::quoted(&root.to_string_lossy())
        ));
    }
    let machine = MachineFacts::read(command.root.as_deref().unwrap_or(Path::new("/")));
    let found = find(&command.models)?;
    // Programs of a recorded machine are for that machine.
    let folders = if command.root.is_some() { Vec::new() } else { folders(command.bin.as_deref()) };
    let mut builds: Vec<Build> = folders.iter().map(|folder| Build::examine(folder)).collect();
    // The first build that can be used is the engine.
    builds.sort_by_key(|build| matches!(build.profile, ProfileChoice::None(_)));
    let server = Family::LlamaCpp.server();
    if let (Some(folder), []) = (&command.bin, builds.as_slice()) {
        let folder = words::quoted(&folder.to_string_lossy());
        return Err(format!(
            "{folder} has no program {server}: write the folder with the programs of llama.cpp"
        ));
    }
    let devices = match (builds.first(), &command.root) {
        (Some(build), _) => build.devices(),
        (None, Some(_)) => Err(format!("no {server} runs for a recorded machine")),
        (None, None) => Err(format!("no {server} was found on PATH or in the usual folders")),
    };
    let systemd = if command.root.is_some() { None } else { systemd_version() };
    let facts =
        HostFacts { machine: &machine, systemd, devices: &devices, language: command.format.language() };
    let survey =
        Survey { name: &command.name, host: host(&facts), builds: &builds, found, devices: &devices };
    Ok(survey.registry(command.format))
}

/// The version of systemd, from the first line of `systemctl --version`: `systemd 257 (257.9-1)`.
fn systemd_version() -> Option<u32> {
    let program = find_program("systemctl", SYSTEM_FOLDERS)?;
    let output = run(Path::new(&program), "--version", deadline()).ok()?;
    let version = output.out.lines().next()?.strip_prefix("systemd ")?.split(' ').next()?;
    version.parse().ok()
}

/// All that was found.
struct Survey<'s> {
    name: &'s str,
    host: Described,
    builds: &'s [Build],
    found: FoundModels,
    devices: &'s Result<Vec<Device>, String>,
}

impl Survey<'_> {
    fn registry(self, format: RegistryFormat) -> FromHost {
        let summary = self.summary();
        let language = format.language();
        let mark = match language {
            Language::Yaml => "# ",
            Language::Kdl => "// ",
        };
        let end = self.last_comments(language);
        let profiles = self.profiles();
        let mut files: Vec<(String, String)> = Vec::new();
        let items = self.items();
        for file in write(&items, language) {
            let text = with_comments(&file.text, mark, &end, language);
            files.push((file.name, text));
        }
        if language == Language::Yaml {
            files.push((SCHEMA.to_owned(), schema()));
        }
        files.extend(profiles);
        FromHost { files, summary }
    }

    /// The profiles that were probed.
    fn profiles(&self) -> Vec<(String, String)> {
        let first = self.builds.first().map(|build| &build.profile);
        match first {
            Some(ProfileChoice::Probed(name, text)) => vec![(name.clone(), text.clone())],
            Some(ProfileChoice::BuiltIn(_) | ProfileChoice::None(_)) | None => Vec::new(),
        }
    }

    fn items(self) -> Vec<Item> {
        let engine = self.engine();
        let mut stack = Line::of("stack", self.name);
        if let Some(engine) = engine.as_ref().and_then(|engine| engine.line.values.first()) {
            stack = stack.with(Line::new("engine").value(engine.clone()));
        }
        let item = |section, described: Described| {
            let lines = described.comments.iter().flat_map(|comment| wrapped(comment));
            Item { section, line: described.line, comments: lines.collect() }
        };
        let mut items = vec![Item {
            section: "stack",
            line: stack,
            comments: vec!["The name of the stack is the prefix of all unit names.".to_owned()],
        }];
        items.extend(engine.map(|engine| item("engines", engine)));
        // A host without any field has no place for comments.
        items.extend(
            Some(self.host).filter(|host| !host.line.fields.is_empty()).map(|host| item("hosts", host)),
        );
        items.extend(self.found.stores.into_iter().map(|store| item("stores", store)));
        items.extend(self.found.models.into_iter().map(|model| item("models", model)));
        items
    }

    /// The engine of the first build, if it has a profile. Other builds are comments.
    fn engine(&self) -> Option<Described> {
        let (first, others) = self.builds.split_first()?;
        let profile = match &first.profile {
            ProfileChoice::BuiltIn(name) => (*name).to_owned(),
            ProfileChoice::Probed(file, _) => file.clone(),
            ProfileChoice::None(_) => return None,
        };
        let name = Family::LlamaCpp.name();
        let line = Line::of("engine", name).with(Line::of("profile", profile));
        let line = line.with(Line::of("bin", first.folder.as_str()));
        let version = first.version.as_deref().unwrap_or_default();
        let mut comments = vec![format!("llama-server prints {}", words::printable(version))];
        comments.extend(others.iter().map(other_build));
        Some(Described { line, comments })
    }

    /// The lines at the end of the file: what to add.
    fn last_comments(&self, language: Language) -> Vec<String> {
        let mut lines = Vec::new();
        if self.host.line.fields.is_empty() {
            lines.extend(self.host.comments.iter().flat_map(|comment| wrapped(comment)));
        }
        if self.engine().is_none() {
            lines.extend(wrapped(&format!("{} Write the folder of yours:", self.why_no_engine())));
            lines.push(example_engine(language));
        }
        if self.found.stores.is_empty() {
            lines.push(
                "Models: `orchgen init --from-host --models FOLDER` lists those of a folder, and".to_owned(),
            );
            lines.push("`orchgen add model FILE` adds one.".to_owned());
        }
        lines.push("A role is a use of a model, with a separate server. This command adds one:".to_owned());
        let model = self.found.largest.clone().unwrap_or_else(|| "MODEL".to_owned());
        lines.push(format!("orchgen add role chat --model {model}{}", self.gpu_option()));
        lines
    }

    /// Why there is no engine: the first program cannot be used, or there is none, and then GPUs are unknown too.
    fn why_no_engine(&self) -> String {
        let why = match (self.builds.first().map(|build| &build.profile), self.devices) {
            (Some(ProfileChoice::None(why)), _) | (None, Err(why)) => why,
            _ => "",
        };
        format!("The engine is unknown: {}.", words::printable(why))
    }

    /// The option of a role that uses the first GPU.
    fn gpu_option(&self) -> String {
        let first = self.devices.as_deref().unwrap_or_default().first();
        first.map(|device| format!(" --gpu {}", device.name)).unwrap_or_default()
    }

    /// A line for each part of the machine.
    fn summary(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let value = |name: &str| {
            let field = self.host.line.fields.iter().find(|field| field.name == name)?;
            Some(field.values.first()?.clone().into_text())
        };
        let count = |name: &str| self.host.line.fields.iter().filter(|field| field.name == name).count();
        let mut parts: Vec<String> = Vec::new();
        parts.extend(value("memory").map(|memory| format!("{memory} of memory")));
        parts.extend(value("cpus").map(|cpus| format!("CPUs {cpus}")));
        parts.extend(
            Some(count("numa")).filter(|nodes| *nodes > 0).map(|nodes| words::count(nodes, "NUMA node")),
        );
        parts.extend(Some(count("gpu")).filter(|gpus| *gpus > 0).map(|gpus| words::count(gpus, "GPU")));
        parts.extend(value("systemd").map(|version| format!("systemd {version}")));
        let name = self.host.line.values.first().map(|name| name.clone().into_text()).unwrap_or_default();
        let parts = if parts.is_empty() { "nothing is known".to_owned() } else { parts.join(", ") };
        lines.push(format!("host {}: {parts}", words::quoted(&name)));
        match self.engine() {
            Some(engine) => {
                let profile = engine.line.fields.first().and_then(|field| field.values.first());
                let profile = profile.map(|name| name.clone().into_text()).unwrap_or_default();
                let folder = self.builds.first().map_or("", |build| &build.folder);
                lines.push(format!(
                    "engine: {} with profile {}",
                    words::printable(folder),
                    words::printable(&profile)
                ));
            }
            None => lines.push(self.why_no_engine()),
        }
        if !self.found.stores.is_empty() {
            let models = words::count(self.found.models.len(), "model");
            let stores = words::count(self.found.stores.len(), "folder");
            lines.push(format!("{models} in {stores}"));
        }
        lines
    }
}

/// The most columns of a comment.
const WIDTH: usize = 116;

/// The lines of a comment.
fn wrapped(comment: &str) -> Vec<String> {
    hanging("", comment, WIDTH).lines().map(str::to_owned).collect()
}

/// An engine, as a comment. The latest profile is an example.
fn example_engine(language: Language) -> String {
    let profile = Profile::built_in_of(Family::LlamaCpp).last().map_or("PROFILE", Profile::name);
    let line = Line::of("engine", Family::LlamaCpp.name()).with(Line::of("profile", profile));
    let line = line.with(Line::of("bin", "/opt/llama.cpp/bin"));
    match language {
        Language::Kdl => write_line(language, &line),
        Language::Yaml => format!("engines: {{{}}}", write_entry(&line)),
    }
}

/// The comment about a further build.
fn other_build(build: &Build) -> String {
    let folder = words::printable(&build.folder);
    match &build.version {
        Ok(version) => format!("{folder} has another llama-server: {}", words::printable(version)),
        Err(why) => {
            format!("{folder} has another llama-server, which cannot be used: {}", words::printable(why))
        }
    }
}

/// The text of the registry with its first and last comments.
fn with_comments(text: &str, mark: &str, end: &[String], language: Language) -> String {
    let head = match language {
        Language::Yaml => format!("# yaml-language-server: $schema={SCHEMA}\n#\n"),
        Language::Kdl => String::new(),
    };
    let intro = [
        "This machine, as `orchgen init --from-host` found it. `orchgen check` reports errors, and `orchgen build` writes units,",
        "scripts and documents. `orchgen schema --field role` lists the fields of a role.",
    ];
    let lines = |lines: &[&str]| lines.iter().fold(String::new(), |all, line| all + mark + line + "\n");
    let end: Vec<&str> = end.iter().map(String::as_str).collect();
    format!("{head}{}\n{text}\n{}", lines(&intro), lines(&end))
}
