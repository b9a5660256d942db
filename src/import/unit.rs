//! Units of systemd: `*.service` with drop-ins, templates, and files of variables.
//!
//! The rules are those of systemd 252: systemd.syntax(7), systemd.unit(5), systemd.service(5) and systemd.exec(5). Each instance of a
//! template, and each command of a oneshot unit, is a server.

pub(super) mod command;
pub(super) mod env_file;
pub(super) mod install;
pub(super) mod name;
mod placement;
pub(super) mod reasons;
mod script;
pub(super) mod settings;
pub(super) mod shell;
pub(super) mod specifiers;
pub(super) mod syntax;
pub(super) mod variables;
pub(super) mod words;

use super::prefix;
use super::source::{At, Loss, Program, Reader, Server, Start, Word};
use command::Command;
use install::Instance;
use name::UnitName;
use settings::Settings;
use specifiers::Context;
use variables::Variables;

const SECTIONS: &[&str] = &["Unit", "Service", "Install"];

/// Names of variables that the engine, its libraries or the loader read. They stay if they also fill in the command line.
const OF_ENGINES: &[&str] = &[
    "LLAMA_",
    "GGML_",
    "GGUF_",
    "CUDA_",
    "NVIDIA_",
    "HIP_",
    "ROCR_",
    "ROCM_",
    "HSA_",
    "VK_",
    "ZE_",
    "SYCL_",
    "ONEAPI_",
    "OMP_",
    "KMP_",
    "GOMP_",
    "OPENBLAS_",
    "MKL_",
    "BLIS_",
    "LD_",
    "MALLOC_",
    "HF_",
    "XDG_",
    "HOME",
    "PATH",
    "TMPDIR",
];

/// True if a text is a unit with a service.
pub fn is_unit(text: &str) -> bool {
    text.lines().map(str::trim).take(100_000).any(|line| line == "[Service]")
        && !super::quadlet::is_quadlet(text)
}

/// Reads a unit.
pub fn read(reader: &mut Reader<'_>, file: usize) {
    let name = UnitName::new(file_name(reader, file), "service");
    if !name.is_template() {
        read_unit(reader, file, &name, None);
        return;
    }
    let instances = install::instances(reader, file, &name);
    for instance in &instances {
        read_unit(reader, file, &instance.name, Some(instance));
    }
    if instances.is_empty() {
        let first = reader.found.servers.len();
        read_unit(reader, file, &name, None);
        only_template(reader, first);
    }
}

/// Of the servers of a template without an instance, keeps one, and no report except the reason.
pub(super) fn only_template(reader: &mut Reader<'_>, first: usize) {
    reader.found.servers.truncate(first + 1);
    for server in reader.found.servers.iter_mut().skip(first) {
        server.losses.clear();
    }
}

/// The base name of a file.
pub(super) fn file_name<'r>(reader: &'r Reader<'_>, file: usize) -> &'r str {
    reader.found.files.get(file).map_or("", |file| prefix::base_name(&file.path))
}

/// The last line of a file that is not empty.
pub(super) fn last_line(reader: &Reader<'_>, file: usize) -> u32 {
    let text = reader.found.files.get(file).map_or("", |file| &file.text);
    u32::try_from(text.trim_end().lines().count()).unwrap_or(u32::MAX).max(1)
}

/// Reports that a template has no known instance.
pub(super) fn without_instance(name: &UnitName, server: &mut Server) {
    let what = format!("{}.{}: template", name.stem, name.suffix);
    let why =
        "no instance is known; set `DefaultInstance=`, or import the folder with the links of the instances";
    server.unreadable = Some(Loss { what, at: server.at, why: why.to_owned() });
}

fn read_unit(reader: &mut Reader<'_>, file: usize, name: &UnitName, instance: Option<&Instance>) {
    let settings = Settings::load(reader, file, name);
    let path = reader.found.files.get(file).map(|file| file.path.clone()).unwrap_or_default();
    let is_user = install::is_user(&path, &settings);
    let context = Context { name: name.clone(), is_user, path, around: reader.around };
    let mut server = Server::new(name.stem.clone(), At { file, line: 1 }, Program::Path(Word::default()));
    server.last_line = last_line(reader, file);
    server.is_user = is_user;
    server.losses.clone_from(&settings.faults);
    let variables = Variables::read(reader, &settings, "Service", &context, &mut server.losses);
    folder(&settings, &context, &mut server);
    placement::apply(&settings, &mut server);
    install::apply(&settings, &mut server);
    if let Some(instance) = instance {
        let start = if instance.is_wanted { Start::Boot } else { Start::Manual };
        server.start = (start, server.start.1.filter(|_| instance.is_wanted));
    }
    install::socket(reader, file, name, &mut server);
    reasons::report(&settings, &mut server, SECTIONS);
    reasons::report_others(&settings, &mut server, SECTIONS);
    if name.is_template() {
        without_instance(name, &mut server);
    }
    let commands = commands(&settings, &context, &variables, &mut server);
    if commands.is_empty() && server.unreadable.is_none() {
        reader.found.losses.append(&mut server.losses);
        let what = format!("{}.service: no ExecStart=", name.stem);
        reader.lose(what, server.at, "the unit starts no program");
        return;
    }
    push(reader, server, commands, &variables);
}

/// Adds the server of each command. Only the first one has the losses of the unit.
fn push(reader: &mut Reader<'_>, server: Server, commands: Vec<Command>, variables: &Variables) {
    if commands.is_empty() {
        reader.found.servers.push(server);
        return;
    }
    let mut pattern = server.clone();
    pattern.losses.clear();
    let mut first = Some(server);
    for (number, command) in (1..).zip(commands) {
        let mut server = first.take().unwrap_or_else(|| pattern.clone());
        if number > 1 {
            server.name = format!("{}-{number}", server.name);
        }
        for (name, value) in variables.iter() {
            let is_of_engine = OF_ENGINES.iter().any(|start| name.starts_with(start));
            if is_of_engine || !command.used.contains(name) {
                server.env.push((name.clone(), value.clone()));
            }
        }
        marks(&command, &mut server);
        server.losses.extend(command.losses);
        let words = shell::unwrap(command.words, variables, &mut server);
        let unreadable = server.unreadable.take();
        prefix::apply(words, &mut server);
        server.unreadable = unreadable
            .or_else(|| server.unreadable.clone())
            .or_else(|| script::unread(reader.around, &server));
        reader.found.servers.push(server);
    }
}

/// The maximum number of commands of a unit.
const MAX_COMMANDS: usize = 64;

/// The commands of a unit: several only if it is oneshot.
fn commands(
    settings: &Settings,
    context: &Context<'_>,
    variables: &Variables,
    server: &mut Server,
) -> Vec<Command> {
    let is_oneshot = settings.last("Service", "Type").is_some_and(|setting| setting.value == "oneshot");
    let mut found = Vec::new();
    for setting in settings.list("Service", "ExecStart") {
        if found.len() > MAX_COMMANDS {
            server.lose("further ExecStart=", setting.at, "orchgen reads at most 64 commands of a unit");
            break;
        }
        match command::commands(setting, context, variables) {
            Ok(commands) => found.extend(commands),
            Err(why) => {
                let loss = Loss {
                    what: setting.written(),
                    at: setting.at,
                    why: format!("systemd refuses it: {why}"),
                };
                server.unreadable.get_or_insert(loss);
            }
        }
    }
    found.truncate(MAX_COMMANDS);
    let second = found.get(1).filter(|_| !is_oneshot).map(|command| command.at);
    if let Some(at) = second {
        let what = "ExecStart=: more than one command".to_owned();
        let why = "systemd refuses the unit; an empty `ExecStart=` in a drop-in discards the earlier command"
            .to_owned();
        server.unreadable.get_or_insert(Loss { what, at, why });
        found.truncate(1);
    }
    found
}

/// Reports the characters in front of the program.
fn marks(command: &Command, server: &mut Server) {
    let program = command.words.first().map_or("", |word| &word.text);
    for mark in command.marks.chars() {
        let why = match mark {
            '-' => "systemd takes a failure for a success; orchgen's units restart after one",
            '+' | '!' => "systemd starts the program with more privileges; orchgen's units have none",
            '|' => "systemd starts the program in a shell; orchgen's units do not",
            _ => continue,
        };
        server.lose(format!("ExecStart={mark}{program}"), command.at, why);
    }
}

/// `WorkingDirectory=`.
fn folder(settings: &Settings, context: &Context<'_>, server: &mut Server) {
    let Some(setting) = settings.last("Service", "WorkingDirectory") else { return };
    let path = setting.value.strip_prefix('-').unwrap_or(&setting.value);
    if path == "~" {
        let account = settings.last("Service", "User").filter(|user| user.value != "root");
        server.folder = match context.home().filter(|_| account.is_none() || context.is_user) {
            Some(home) => Some(Word::new(home, setting.at)),
            None => Some(Word { text: "~".to_owned(), at: setting.at, is_dynamic: true }),
        };
        return;
    }
    let path = context.expand(path);
    server.folder = Some(Word { text: path.text, at: setting.at, is_dynamic: path.is_dynamic });
}
