//! Launch scripts: `bin/ROLE` serves a role in the foreground, as its unit or its container does. `bin/prompt/MODEL` is a
//! one-shot command.
//!
//! Each script runs the command line of the plan, through its placement wrapper or in its container. Before that, it
//! reports missing files and programs with distinct exit codes.

mod container;
mod context;
mod fetch;

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use serde::Serialize;

use super::command::option_lines;
use super::names::Names;
use super::quote::shell;
use super::template::{Field, Quoted, Template};
use super::{ArtifactCollector, OutputTarget, RenderError};
use crate::plan::llama_swap::KEY_FILE;
use crate::plan::{Access, Family, OptionPath, Plan, PortPart, Process, Prompt, Role, Start, Word};
use context::{host_name, model_keys, peer_keys, wrapper};

static ROLE: Template = crate::template!("bin/role.sh.j2").repeated();
static CONTAINER: Template = crate::template!("bin/container.sh.j2").repeated();
static PROMPT: Template = crate::template!("bin/prompt.sh.j2").repeated();
static FETCH: Template = crate::template!("bin/fetch.sh.j2").repeated();
static FAIL: Template = crate::template!("bin/fail.sh.j2");
static OPTIONS: Template = crate::template!("bin/options.sh.j2");
static PRINT: Template = crate::template!("bin/print.sh.j2");
static PORT: Template = crate::template!("bin/port.sh.j2");
static COMMAND: Template = crate::template!("bin/command.sh.j2");
static FILES: Template = crate::template!("bin/files.sh.j2");
static EXEC: Template = crate::template!("bin/exec.sh.j2");

pub(super) static TARGET: OutputTarget = OutputTarget::new(
    "bin",
    &[&ROLE, &CONTAINER, &PROMPT, &FETCH, &FAIL, &OPTIONS, &PRINT, &PORT, &COMMAND, &FILES, &EXEC],
    artifacts,
);

/// The preset file of a gateway as a bash expression: the file in the output folder, so that no installation is needed.
const PRESET: &str = "\"$preset\"";

/// The start of each line of arguments.
const ARGUMENT_LINE: &str = "\n  ";

/// The template data of the script of a role.
#[derive(Serialize)]
struct RoleView<'p> {
    /// The kind of the item: a role or a gateway.
    what: &'static str,
    /// The host, if there are several.
    host: Option<Field<'p>>,
    name: Field<'p>,
    title: Field<'p>,
    on_demand: bool,
    systemctl: &'static str,
    instances: Vec<InstanceView<'p>>,
    last_instance: usize,
    wrappers: Vec<Field<'p>>,
    /// The quoted addresses to connect to, to check that the port is free.
    addresses: Quoted,
    lock: Option<LockedMemory>,
    command: CommandView<'p>,
}

/// The data that differs between the instances of a role.
#[derive(Serialize)]
struct InstanceView<'p> {
    number: usize,
    listens_at: Field<'p>,
    port: Field<'p>,
    arguments: Vec<Field<'p>>,
    wrapper: Option<Field<'p>>,
    /// The unit of its socket, if it has one.
    socket: Option<Field<'p>>,
    /// The quoted options of its container that differ from those of other instances.
    own: Option<Quoted>,
}

/// The memory that a process locks.
#[derive(Serialize)]
struct LockedMemory {
    kib: Field<'static>,
    size: Field<'static>,
}

/// The template data of the script of a one-shot command.
#[derive(Serialize)]
struct PromptView<'p> {
    model: Field<'p>,
    title: Field<'p>,
    role: Field<'p>,
    /// The host of the role, if there are several.
    host: Option<Field<'p>>,
    left_out: &'p [Arc<str>],
    reads_commands: bool,
    command: CommandView<'p>,
}

/// The command to run, and the files that it needs.
#[derive(Serialize)]
struct CommandView<'p> {
    program: Field<'p>,
    /// The file that configures a gateway, below the output folder.
    preset: Option<Field<'p>>,
    /// The quoted arguments, one line per option with its values.
    args: Quoted,
    /// The quoted files, one per line.
    files: Quoted,
    /// The start of the names of variables that the program reads as options. Empty if the program is no engine.
    variable_prefix: &'static str,
    /// Other variables that the program reads as API keys.
    hidden_variables: Vec<&'static str>,
    /// True if the engine reads configuration files of the user.
    hides_config: bool,
    has_image: bool,
    env: Vec<(String, &'p str)>,
    /// The key file of llama-swap, which reads one key from a variable.
    key: Option<Field<'p>>,
    /// The key files of the peers of llama-swap.
    peer_keys: Vec<Field<'p>>,
    /// The variables whose value has the port or the address: the name, a bash expression, and what it is.
    filled_env: Vec<(&'p str, Quoted, &'static str)>,
    /// True if the program path contains `=`: `env` would parse it as a variable, so `nice -n 0` is put before it.
    needs_nice: bool,
    /// The name of the wrapper, as a bash expression.
    wrapper: Option<Field<'p>>,
    /// The relative path from the folder of the script to the output folder.
    path_to_root: &'static str,
}

fn artifacts<'p>(plan: &'p Plan, collector: &mut ArtifactCollector<'p>) {
    for role in plan.roles.iter().filter(|role| !role.processes.is_empty()) {
        let path = format!("bin/{}", role.name);
        match role.container.as_deref() {
            Some(container) => {
                collector.file(path, &CONTAINER, || container::view(plan, role, container));
            }
            None => collector.file(path, &ROLE, || role_view(plan, role)),
        }
    }
    for fetch in &plan.fetches {
        collector.file(format!("bin/fetch/{}", fetch.model), &FETCH, || Ok(fetch::fetch_view(fetch)));
    }
    for prompt in &plan.prompts {
        collector.file(format!("bin/prompt/{}", prompt.model), &PROMPT, || Ok(prompt_view(plan, prompt)));
    }
}

fn role_view<'p>(plan: &'p Plan, role: &'p Role) -> Result<RoleView<'p>, RenderError> {
    let varying = varying_arguments(role)?;
    let mut wrappers: Vec<&str> =
        role.processes.iter().filter_map(|process| wrapper(plan, process.placement)).collect();
    if !wrappers.is_empty() && wrappers.len() != role.processes.len() {
        return Err(RenderError::new(&role.name, "only some of its instances have a placement"));
    }
    wrappers.sort_unstable();
    wrappers.dedup();
    let args = role.processes.first().map_or(&[][..], |process| &process.args);
    let quoted = |index: usize, word: &'p Word| match varying.iter().position(|(at, _)| *at == index) {
        Some(n) => Cow::Owned(format!("\"$arg_{}\"", n + 1)),
        None => shell_word(role, word),
    };
    Ok(RoleView {
        what: role.kind(),
        host: host_name(plan, role.host),
        name: Field::from(&*role.name),
        title: Field::from(&*role.title),
        on_demand: role.start == Start::OnDemand,
        systemctl: plan.scope.systemctl(),
        last_instance: role.processes.len().saturating_sub(1),
        addresses: words(" ", probe_addresses(role)),
        lock: locked_memory(role),
        command: CommandView {
            program: Field::from(&*role.program),
            args: option_lines(args, ARGUMENT_LINE, quoted).into(),
            preset: preset_path(role).map(Field::from),
            // The router reports which models lack a file, and serves the others.
            files: if role.is_gateway() {
                let keys = role.key_file.iter().chain(model_keys(role)).chain(peer_keys(role));
                let own = keys.map(|file| shell(file));
                let files = [Cow::Borrowed(PRESET)].into_iter().chain(own);
                files.collect::<Vec<_>>().join(ARGUMENT_LINE).into()
            } else {
                words(ARGUMENT_LINE, files(role))
            },
            variable_prefix: family(role).map_or("", Family::variable_prefix),
            hidden_variables: family(role).map_or_else(Vec::new, |family| {
                hidden_variables(family, family.device_variables().filter(|_| role.names_gpus()))
            }),
            hides_config: role.engine_family().is_some(),
            has_image: false,
            env: env(&role.env)
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .chain((1..).zip(model_keys(role)).map(|(n, file)| (format!("{KEY_FILE}{n}"), &**file)))
                .collect(),
            key: role.llama_swap().and(role.key_file.as_deref()).map(Field::from),
            peer_keys: peer_keys(role).map(|file| Field::from(&**file)).collect(),
            filled_env: filled_env(role),
            needs_nice: role.program.contains('='),
            wrapper: (!wrappers.is_empty()).then_some(Field::from("$placement")),
            path_to_root: "..",
        },
        instances: instances(plan, role, &varying),
        wrappers: wrappers.into_iter().map(Field::from).collect(),
    })
}

/// The memory that a process locks. `None` if it locks none, or an unknown size.
fn locked_memory(role: &Role) -> Option<LockedMemory> {
    let bytes = role.bytes.filter(|_| role.lock)?;
    Some(LockedMemory { kib: bytes.0.div_ceil(1024).to_string().into(), size: bytes.to_string().into() })
}

/// The file that configures a gateway, below the output folder.
fn preset_path(role: &Role) -> Option<String> {
    let mut words = role.processes.iter().flat_map(|process| process.args.iter());
    let preset = words.find(|word| matches!(word, Word::PresetFile(_)))?;
    let folder = if role.router().is_some() { "router" } else { "llama-swap" };
    Some(format!("{folder}/{}", preset.text().rsplit('/').next()?))
}

/// The family of the engine that reads variables of the caller as options: that of the role, or of the models of llama-swap.
fn family(role: &Role) -> Option<Family> {
    let of_models = role.llama_swap().and_then(|swap| swap.family);
    role.engine_family().map(|(_, family)| family).or(of_models)
}

/// A word of the command line of a process started by hand.
fn shell_word<'p>(role: &Role, word: &'p Word) -> Cow<'p, str> {
    match word {
        Word::Port(_) => match &*role.processes {
            // A process started by hand has the port of the socket.
            [one] => Cow::Owned(one.port.to_string()),
            _ => Cow::Borrowed("\"$port\""),
        },
        Word::PortPart(part) => Cow::Owned(shell_port_part(role, part)),
        Word::PresetFile(_) => Cow::Borrowed(PRESET),
        Word::Host(_) => Cow::Owned(shell(&role.own_addresses.join(",")).into_owned()),
        Word::Text(_)
        | Word::ModelFile(_)
        | Word::DraftFile(_)
        | Word::ProjectorFile(_)
        | Word::KeyFile(_)
        | Word::ReadPath(_)
        | Word::WritePath(_)
        | Word::Prompt
        | Word::Image => shell(word.text()),
    }
}

/// A word with the port of a process started by hand.
fn shell_port_part(role: &Role, part: &PortPart) -> String {
    let own = role.own_addresses.first().filter(|_| part.has_host());
    let own = own.map(|address| PortPart::socket_address(address, role.ports.first));
    let (before, after) = own.as_ref().unwrap_or(part).around();
    if let [one] = &*role.processes {
        return shell(&format!("{before}{}{after}", one.port)).into_owned();
    }
    let quoted = |text: &str| if text.is_empty() { String::new() } else { shell(text).into_owned() };
    format!("{}\"$port\"{}", quoted(before), quoted(after))
}

/// The variables whose value has the port or the address.
fn filled_env(role: &Role) -> Vec<(&str, Quoted, &'static str)> {
    let what = |word: &Word| match word.around_port() {
        Some(("", "")) => "its port",
        Some(_) => "a text with its port",
        None => "its address",
    };
    role.filled_env()
        .map(|(name, word)| (name, shell_word(role, word).into_owned().into(), what(word)))
        .collect()
}

fn prompt_view<'p>(plan: &'p Plan, prompt: &'p Prompt) -> PromptView<'p> {
    let quoted = |_, word: &'p Word| match (word, word.text()) {
        (Word::Prompt, _) => Cow::Borrowed("\"$text\""),
        (Word::Image, _) => Cow::Borrowed("\"$image\""),
        (_, text) => shell(text),
    };
    let program = format!("{}/{}", prompt.bin, prompt.tool);
    PromptView {
        model: Field::from(&*prompt.model),
        title: Field::from(&*prompt.title),
        role: Field::from(&*prompt.role),
        host: host_name(plan, prompt.host),
        left_out: &prompt.left_out,
        reads_commands: prompt.reads_commands(),
        command: CommandView {
            needs_nice: program.contains('='),
            program: program.into(),
            preset: None,
            args: option_lines(&prompt.args, ARGUMENT_LINE, quoted).into(),
            files: words(ARGUMENT_LINE, prompt.files.iter().map(|file| &**file)),
            variable_prefix: prompt.family.variable_prefix(),
            hidden_variables: hidden_variables(
                prompt.family,
                prompt.family.device_variables().filter(|_| places_on_gpus(&prompt.args)),
            ),
            hides_config: true,
            has_image: prompt.args.contains(&Word::Image),
            env: env(&prompt.env).into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            key: None,
            peer_keys: Vec::new(),
            filled_env: Vec::new(),
            wrapper: wrapper(plan, prompt.placement).map(Field::from),
            path_to_root: "../..",
        },
    }
}

/// The files that must exist: of the model, of the options, and with the keys.
fn files(role: &Role) -> Vec<&str> {
    let is_read = |path: &&OptionPath| path.access == Access::Read && !path.is_folder;
    let of_options = role.paths.iter().filter(is_read).map(|path| &*path.path);
    role.files.iter().map(|file| &**file).chain(of_options).chain(role.key_file.as_deref()).collect()
}

/// An argument that differs between the instances of a role: its index, and its value for each instance.
type VaryingArgument<'p> = (usize, Vec<&'p str>);

/// The arguments that differ between the instances of a role, except the port. The script has them as `arg_1`, `arg_2`.
fn varying_arguments(role: &Role) -> Result<Vec<VaryingArgument<'_>>, RenderError> {
    let Some((first, others)) = role.processes.split_first() else { return Ok(Vec::new()) };
    if others.iter().any(|other| other.args.len() != first.args.len()) {
        return Err(RenderError::new(&role.name, "its instances have different numbers of arguments"));
    }
    let values = |index| {
        let words = role.processes.iter().filter_map(move |process| process.args.get(index));
        words.map(Word::text).collect::<Vec<_>>()
    };
    let varies = |index: usize, word: &Word| others.iter().any(|other| other.args.get(index) != Some(word));
    let words = first.args.iter().enumerate();
    let varying = words.filter(|(index, word)| word.around_port().is_none() && varies(*index, word));
    Ok(varying.map(|(index, _)| (index, values(index))).collect())
}

fn instances<'p>(plan: &'p Plan, role: &'p Role, varying: &[VaryingArgument<'p>]) -> Vec<InstanceView<'p>> {
    let names = Names { stack: &plan.stack };
    let instance = |(number, process): (usize, &Process)| InstanceView {
        number,
        listens_at: format!("{} port {}", addresses(role).join(", "), process.port).into(),
        port: process.port.to_string().into(),
        arguments: varying
            .iter()
            .filter_map(|(_, values)| values.get(number).copied())
            .map(Field::from)
            .collect(),
        wrapper: wrapper(plan, process.placement).map(Field::from),
        socket: process.backend.map(|_| format!("{}.socket", names.process(role, process)).into()),
        own: None,
    };
    role.processes.iter().enumerate().map(instance).collect()
}

/// The addresses to connect to, to check that the port is free.
fn probe_addresses<'p>(role: &'p Role) -> Vec<&'p str> {
    let local = |address: &'p str| match address.parse() {
        Ok(IpAddr::V4(ip)) if ip.is_unspecified() => "127.0.0.1",
        Ok(IpAddr::V6(ip)) if ip.is_unspecified() => "::1",
        Ok(_) | Err(_) => address,
    };
    addresses(role).iter().map(|address| local(address)).collect()
}

/// The addresses of a process started by hand. A container publishes its port at all of them.
fn addresses(role: &Role) -> &[Arc<str>] {
    if role.container.is_some() { &role.addresses } else { &role.own_addresses }
}

/// Quoted words with a separator.
fn words<'p>(separator: &str, words: impl IntoIterator<Item = &'p str>) -> Quoted {
    words.into_iter().map(shell).collect::<Vec<_>>().join(separator).into()
}

/// The variables that the caller must not set and whose names do not start with the prefix of all options: those with API
/// keys, and for a program with numbers of GPUs those that change them.
fn hidden_variables(family: Family, devices: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    let names = family.key_variables().iter().copied().chain(devices);
    names.filter(|name| !name.starts_with(family.variable_prefix())).collect()
}

/// True if a command line names devices.
fn places_on_gpus(args: &[Word]) -> bool {
    let mut pairs = args.iter().zip(args.iter().skip(1)).map(|(name, value)| (name.text(), value.text()));
    pairs.any(|(name, value)| name == "--device" && value != "none")
}

fn env<T: AsRef<str>>(env: &[(T, T)]) -> Vec<(&str, &str)> {
    env.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect()
}
