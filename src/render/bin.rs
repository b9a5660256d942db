//! Launch scripts: `bin/ROLE` serves a role in the foreground, as its unit does. `bin/prompt/MODEL` is a one-shot
//! command.
//!
//! Each script runs the command line of the plan through its placement wrapper. Before that, it reports missing files
//! and programs with distinct exit codes.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use serde::Serialize;

use super::artifact::RenderError;
use super::template::skeleton::{PackedLines, Placeholder, PlaceholderTexts, SkeletonCache};
use super::template::{Template, Templates};
use super::{ArtifactCollector, OutputTarget};
use crate::plan::{Plan, Process, Prompt, Role, TargetName, Word};

static ROLE: Template = crate::template!("bin/role.sh.j2");
static PROMPT: Template = crate::template!("bin/prompt.sh.j2");
static FAIL: Template = crate::template!("bin/fail.sh.j2");
static COMMAND: Template = crate::template!("bin/command.sh.j2");
static FILES: Template = crate::template!("bin/files.sh.j2");
static EXEC: Template = crate::template!("bin/exec.sh.j2");

pub(super) static TARGET: OutputTarget = OutputTarget {
    name: TargetName::Bin,
    templates: &[&ROLE, &PROMPT, &FAIL, &COMMAND, &FILES, &EXEC],
    artifacts,
};

/// The template data of the script of a role.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct RoleView {
    name: Placeholder,
    model: Placeholder,
    behind_socket: bool,
    instances: Vec<InstanceView>,
    last_instance: usize,
    wrappers: Vec<Placeholder>,
    addresses: Vec<Placeholder>,
    lock: Option<LockedMemory>,
    command: CommandView,
}

/// The data that differs between the instances of a role.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct InstanceView {
    number: usize,
    listens_at: Placeholder,
    port: Placeholder,
    arguments: Vec<Placeholder>,
    wrapper: Option<Placeholder>,
}

/// The memory that a process locks.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct LockedMemory {
    kib: Placeholder,
    size: Placeholder,
}

/// The template data of the script of a one-shot command.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct PromptView {
    model: Placeholder,
    title: Placeholder,
    role: Placeholder,
    command: CommandView,
}

/// The command to run, and the files that it needs.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct CommandView {
    program: Placeholder,
    parts: Vec<ArgumentPart>,
    files: Vec<Placeholder>,
    has_image: bool,
    env: Vec<EnvVariable>,
    /// True if the program path contains `=`: `env` would parse it as a variable, so `nice -n 0` is put before it.
    needs_nice: bool,
    /// The name of the wrapper, as a bash expression.
    wrapper: Option<Placeholder>,
    /// The relative path from the folder of the script to the output folder.
    path_to_root: &'static str,
}

/// Lines of arguments, each with one option and its values, followed by an optional bash variable.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct ArgumentPart {
    lines: Placeholder,
    variable: Option<Placeholder>,
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct EnvVariable {
    name: Placeholder,
    value: Placeholder,
}

/// The skeletons that all scripts of a build share.
struct ScriptSkeletons {
    roles: SkeletonCache<RoleView>,
    prompts: SkeletonCache<PromptView>,
}

fn artifacts<'p>(plan: &'p Plan, templates: &'p Templates, collector: &mut ArtifactCollector<'_, 'p>) {
    let scripts =
        Arc::new(ScriptSkeletons { roles: SkeletonCache::new(&ROLE), prompts: SkeletonCache::new(&PROMPT) });
    for role in &plan.roles {
        let scripts = scripts.clone();
        collector.program(format!("bin/{}", role.name), move || {
            let mut texts = PlaceholderTexts::default();
            scripts.roles.render(templates, role_view(plan, role, &mut texts)?, &texts)
        });
    }
    for prompt in &plan.prompts {
        let scripts = scripts.clone();
        collector.program(format!("bin/prompt/{}", prompt.model), move || {
            let mut texts = PlaceholderTexts::default();
            scripts.prompts.render(templates, prompt_view(plan, prompt, &mut texts), &texts)
        });
    }
}

fn role_view<'p>(
    plan: &'p Plan,
    role: &'p Role,
    texts: &mut PlaceholderTexts<'p>,
) -> Result<RoleView, RenderError> {
    let varying = varying_arguments(role)?;
    let mut wrappers: Vec<&str> =
        role.processes.iter().filter_map(|process| wrapper(plan, process.placement)).collect();
    if !wrappers.is_empty() && wrappers.len() != role.processes.len() {
        return Err(RenderError::new(&role.name, "only some of its instances have a placement"));
    }
    wrappers.sort_unstable();
    wrappers.dedup();
    let files = role.files.iter().map(|file| &**file).chain(role.key_file.as_deref());
    Ok(RoleView {
        name: texts.placeholder(&*role.name),
        model: texts.placeholder(&*role.model),
        behind_socket: role.processes.iter().any(|process| process.backend.is_some()),
        last_instance: role.processes.len().saturating_sub(1),
        addresses: texts.list(probe_addresses(role)),
        lock: role.lock.then(|| LockedMemory {
            kib: texts.placeholder(role.bytes.0.div_ceil(1024).to_string()),
            size: texts.placeholder(role.bytes.to_string()),
        }),
        command: CommandView {
            program: texts.placeholder(&*role.program),
            parts: role_parts(role, &varying, texts),
            files: texts.list(files),
            has_image: false,
            env: env(&role.env, texts),
            needs_nice: role.program.contains('='),
            wrapper: texts.optional((!wrappers.is_empty()).then_some("$placement")),
            path_to_root: "..",
        },
        instances: instances(plan, role, &varying, texts),
        wrappers: texts.list(wrappers),
    })
}

/// An argument that differs between the instances of a role.
struct VaryingArgument<'p> {
    index: usize,
    variable: Cow<'static, str>,
    is_port: bool,
    /// The value for each instance.
    values: Vec<&'p str>,
}

fn varying_arguments(role: &Role) -> Result<Vec<VaryingArgument<'_>>, RenderError> {
    if role.processes.len() < 2 {
        return Ok(Vec::new());
    }
    let all: Vec<&[Word]> = role.processes.iter().map(|process| &*process.args).collect();
    let Some((first, others)) = all.split_first() else { return Ok(Vec::new()) };
    if others.iter().any(|other| other.len() != first.len()) {
        return Err(RenderError::new(&role.name, "its instances have different numbers of arguments"));
    }
    let ports: Vec<String> = role.processes.iter().map(|process| server_port(process).to_string()).collect();
    let mut varying = Vec::new();
    let mut numbered = 0;
    for (index, word) in first.iter().enumerate() {
        if others.iter().all(|other| other.get(index) == Some(word)) {
            continue;
        }
        let values: Vec<&str> = all.iter().filter_map(|words| words.get(index)).map(Word::text).collect();
        let is_port = values == ports;
        numbered += usize::from(!is_port);
        let variable = if is_port { Cow::Borrowed("port") } else { Cow::Owned(format!("arg_{numbered}")) };
        varying.push(VaryingArgument { index, variable, is_port, values });
    }
    Ok(varying)
}

/// The port of the server process itself, not of its socket.
fn server_port(process: &Process) -> u16 {
    process.backend.unwrap_or(process.port)
}

fn instances<'p>(
    plan: &'p Plan,
    role: &'p Role,
    varying: &[VaryingArgument<'p>],
    texts: &mut PlaceholderTexts<'p>,
) -> Vec<InstanceView> {
    let numbered = varying.iter().filter(|argument| !argument.is_port);
    let instance = |(number, process): (usize, &'p Process)| InstanceView {
        number,
        listens_at: texts.placeholder(listen_text(role, process)),
        port: texts.placeholder(server_port(process).to_string()),
        arguments: texts.list(numbered.clone().filter_map(|argument| argument.values.get(number).copied())),
        wrapper: texts.optional(wrapper(plan, process.placement)),
    };
    role.processes.iter().enumerate().map(instance).collect()
}

/// The address and port of a process, for the help text.
fn listen_text(role: &Role, process: &Process) -> String {
    match process.backend {
        Some(port) => format!("127.0.0.1 port {port}"),
        None => format!("{} port {}", role.addresses.join(", "), process.port),
    }
}

/// The addresses to connect to, to check that the port is free.
fn probe_addresses(role: &Role) -> Vec<Cow<'_, str>> {
    if role.processes.iter().any(|process| process.backend.is_some()) {
        return vec![Cow::Borrowed("127.0.0.1")];
    }
    let loopback = |address: &'_ str| match address.parse() {
        Ok(IpAddr::V4(ip)) if ip.is_unspecified() => Some("127.0.0.1"),
        Ok(IpAddr::V6(ip)) if ip.is_unspecified() => Some("::1"),
        Ok(_) | Err(_) => None,
    };
    role.addresses.iter().map(|address| Cow::Borrowed(loopback(address).unwrap_or(address))).collect()
}

fn wrapper(plan: &Plan, placement: Option<usize>) -> Option<&str> {
    plan.placements.get(placement?).map(|placement| &*placement.name)
}

fn env<'p, T: AsRef<str>>(env: &'p [(T, T)], texts: &mut PlaceholderTexts<'p>) -> Vec<EnvVariable> {
    texts.pairs(env).into_iter().map(|(name, value)| EnvVariable { name, value }).collect()
}

fn role_parts<'p>(
    role: &'p Role,
    varying: &[VaryingArgument<'p>],
    texts: &mut PlaceholderTexts<'p>,
) -> Vec<ArgumentPart> {
    let mut layout = ArgumentLayout::new(texts);
    let words = role.processes.first().into_iter().flat_map(|process| process.args.iter());
    for (index, word) in words.enumerate() {
        match varying.iter().find(|argument| argument.index == index) {
            Some(argument) => layout.variable(argument.variable.clone()),
            None => layout.text(word.text()),
        }
    }
    layout.finish()
}

fn prompt_view<'p>(plan: &'p Plan, prompt: &'p Prompt, texts: &mut PlaceholderTexts<'p>) -> PromptView {
    let mut layout = ArgumentLayout::new(texts);
    for word in &prompt.args {
        match (word, word.text()) {
            (Word::Prompt, _) => layout.variable(Cow::Borrowed("text")),
            (Word::Image, _) => layout.variable(Cow::Borrowed("image")),
            (_, text) => layout.text(text),
        }
    }
    let parts = layout.finish();
    PromptView {
        model: texts.placeholder(&*prompt.model),
        title: texts.placeholder(&*prompt.title),
        role: texts.placeholder(&*prompt.role),
        command: CommandView {
            program: texts.placeholder(format!("{}/{}", prompt.bin, prompt.tool)),
            parts,
            files: texts.list(prompt.files.iter().map(|file| &**file)),
            has_image: prompt.args.contains(&Word::Image),
            env: env(&prompt.env, texts),
            needs_nice: prompt.bin.contains('=') || prompt.tool.contains('='),
            wrapper: texts.optional(wrapper(plan, prompt.placement)),
            path_to_root: "../..",
        },
    }
}

/// Arranges arguments in readable lines.
struct ArgumentLayout<'t, 'p> {
    texts: &'t mut PlaceholderTexts<'p>,
    parts: Vec<ArgumentPart>,
    lines: PackedLines,
}

impl<'t, 'p> ArgumentLayout<'t, 'p> {
    fn new(texts: &'t mut PlaceholderTexts<'p>) -> Self {
        Self { texts, parts: Vec::new(), lines: PackedLines::default() }
    }

    fn text(&mut self, word: &str) {
        let is_option =
            word.strip_prefix('-').is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()));
        if is_option { self.lines.start_line(word) } else { self.lines.push_word(word) }
    }

    fn variable(&mut self, name: Cow<'static, str>) {
        let lines = self.texts.placeholder(std::mem::take(&mut self.lines));
        let variable = Some(self.texts.placeholder(name));
        self.parts.push(ArgumentPart { lines, variable });
    }

    /// All parts, including the words after the last variable.
    fn finish(mut self) -> Vec<ArgumentPart> {
        if !self.lines.is_empty() {
            let lines = self.texts.placeholder(self.lines);
            self.parts.push(ArgumentPart { lines, variable: None });
        }
        self.parts
    }
}
