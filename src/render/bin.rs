//! Launch scripts: `bin/ROLE` serves a role in the foreground as its unit does, `bin/prompt/MODEL` asks a model once.
//!
//! Each runs the argv of the plan through its placement wrapper, and says before it what is missing, by an exit code of its own.

use std::borrow::Cow;
use std::net::IpAddr;

use serde::Serialize;

use super::artifact::RenderError;
use super::template::{Template, Templates};
use super::{Claims, Target};
use crate::plan::{Plan, Process, Prompt, Role, TargetName, Word};

static ROLE: Template = crate::template!("bin/role.sh.j2");
static PROMPT: Template = crate::template!("bin/prompt.sh.j2");
static FAIL: Template = crate::template!("bin/fail.sh.j2");
static COMMAND: Template = crate::template!("bin/command.sh.j2");
static FILES: Template = crate::template!("bin/files.sh.j2");
static EXEC: Template = crate::template!("bin/exec.sh.j2");

pub(super) static TARGET: Target =
    Target { name: TargetName::Bin, templates: &[&ROLE, &PROMPT, &FAIL, &COMMAND, &FILES, &EXEC], artifacts };

/// What the script of a role knows.
#[derive(Serialize)]
struct RoleView<'p> {
    name: &'p str,
    model: &'p str,
    hidden: bool,
    instances: Vec<Instance<'p>>,
    last: usize,
    wrappers: Vec<&'p str>,
    addresses: Vec<Cow<'p, str>>,
    lock: Option<Lock>,
    run: Run<'p>,
}

/// What differs between the processes of a role.
#[derive(Serialize)]
struct Instance<'p> {
    number: usize,
    place: String,
    port: u16,
    own: Vec<&'p str>,
    wrapper: Option<&'p str>,
}

/// What a process locks in memory.
#[derive(Serialize)]
struct Lock {
    kib: u64,
    size: String,
}

/// What the script of a one-shot command knows.
#[derive(Serialize)]
struct PromptView<'p> {
    model: &'p str,
    title: &'p str,
    role: &'p str,
    run: Run<'p>,
}

/// What is run, and what has to be there for it.
#[derive(Serialize)]
struct Run<'p> {
    program: Cow<'p, str>,
    parts: Vec<Part<'p>>,
    files: Vec<&'p str>,
    image: bool,
    env: Vec<Variable<'p>>,
    /// Whether `env` would take the program for one more variable.
    shield: bool,
    /// The name of the wrapper, in the words of bash.
    placed: Option<&'p str>,
    /// The way from the folder of the script to the root of what is made.
    up: &'static str,
}

/// Lines of arguments, an option with its values on each, and the name of a variable of the script that follows them.
#[derive(Default, Serialize)]
struct Part<'p> {
    lines: Vec<Vec<&'p str>>,
    variable: Option<Cow<'static, str>>,
}

#[derive(Serialize)]
struct Variable<'p> {
    name: &'p str,
    value: &'p str,
}

fn artifacts<'p>(plan: &'p Plan, templates: &'p Templates, claims: &mut Claims<'_, 'p>) {
    for role in &plan.roles {
        claims
            .program(format!("bin/{}", role.name), move || templates.render(&ROLE, &role_view(plan, role)?));
    }
    for prompt in &plan.prompts {
        claims.program(format!("bin/prompt/{}", prompt.model), move || {
            templates.render(&PROMPT, &prompt_view(plan, prompt))
        });
    }
}

fn role_view<'p>(plan: &'p Plan, role: &'p Role) -> Result<RoleView<'p>, RenderError> {
    let columns = columns(role)?;
    let instances = instances(plan, role, &columns);
    let mut wrappers: Vec<&str> = instances.iter().filter_map(|instance| instance.wrapper).collect();
    if !wrappers.is_empty() && wrappers.len() != instances.len() {
        return Err(RenderError::new(&role.name, "some of its instances are placed and some are not"));
    }
    wrappers.dedup();
    wrappers.sort_unstable();
    wrappers.dedup();
    let mut files: Vec<&str> = role.files.iter().map(|file| &**file).collect();
    files.extend(role.key_file.as_deref());
    Ok(RoleView {
        name: &role.name,
        model: &role.model,
        hidden: role.processes.iter().any(|process| process.backend.is_some()),
        last: instances.len().saturating_sub(1),
        addresses: addresses(role),
        lock: role.lock.then(|| Lock { kib: role.bytes.0.div_ceil(1024), size: role.bytes.to_string() }),
        run: Run {
            program: Cow::Borrowed(&role.program),
            parts: role_parts(role, &columns),
            files,
            image: false,
            env: env(&role.env),
            shield: role.program.contains('='),
            placed: (!wrappers.is_empty()).then_some("$placement"),
            up: "..",
        },
        instances,
        wrappers,
    })
}

/// An argument that differs between the instances of a role.
struct Column {
    at: usize,
    variable: Cow<'static, str>,
    is_port: bool,
}

fn columns(role: &Role) -> Result<Vec<Column>, RenderError> {
    let Some((first, others)) = role.processes.split_first() else { return Ok(Vec::new()) };
    if others.iter().any(|other| other.args.len() != first.args.len()) {
        return Err(RenderError::new(&role.name, "its instances have different numbers of arguments"));
    }
    let mut columns = Vec::new();
    let mut own = 0;
    for (at, word) in first.args.iter().enumerate() {
        if others.iter().all(|other| other.args.get(at) == Some(word)) {
            continue;
        }
        let is_port =
            role.processes.iter().all(|process| text_at(process, at) == listens(process).to_string());
        own += usize::from(!is_port);
        let variable = if is_port { Cow::Borrowed("port") } else { Cow::Owned(format!("own_{own}")) };
        columns.push(Column { at, variable, is_port });
    }
    Ok(columns)
}

fn text_at(process: &Process, at: usize) -> &str {
    match process.args.get(at) {
        Some(Word::Text(text)) => text,
        Some(Word::KeyFile | Word::Prompt | Word::Image) | None => "",
    }
}

/// The port that a process listens at itself.
fn listens(process: &Process) -> u16 {
    process.backend.unwrap_or(process.port)
}

fn instances<'p>(plan: &'p Plan, role: &'p Role, columns: &[Column]) -> Vec<Instance<'p>> {
    let own = columns.iter().filter(|column| !column.is_port);
    let instance = |(number, process): (usize, &'p Process)| Instance {
        number,
        place: place(role, process),
        port: listens(process),
        own: own.clone().map(|column| text_at(process, column.at)).collect(),
        wrapper: wrapper(plan, process.placement),
    };
    role.processes.iter().enumerate().map(instance).collect()
}

/// Where a process listens, for people.
fn place(role: &Role, process: &Process) -> String {
    match process.backend {
        Some(port) => format!("127.0.0.1 port {port}"),
        None => format!("{} port {}", role.addresses.join(", "), process.port),
    }
}

/// Where to knock to find out whether the port is taken.
fn addresses(role: &Role) -> Vec<Cow<'_, str>> {
    if role.processes.iter().any(|process| process.backend.is_some()) {
        return vec![Cow::Borrowed("127.0.0.1")];
    }
    let knock = |address: &'_ str| match address.parse() {
        Ok(IpAddr::V4(ip)) if ip.is_unspecified() => Some("127.0.0.1"),
        Ok(IpAddr::V6(ip)) if ip.is_unspecified() => Some("::1"),
        Ok(_) | Err(_) => None,
    };
    role.addresses.iter().map(|address| Cow::Borrowed(knock(address).unwrap_or(address))).collect()
}

fn wrapper(plan: &Plan, placement: Option<usize>) -> Option<&str> {
    plan.placements.get(placement?).map(|placement| &*placement.name)
}

fn env(env: &[(Box<str>, Box<str>)]) -> Vec<Variable<'_>> {
    env.iter().map(|(name, value)| Variable { name, value }).collect()
}

fn role_parts<'p>(role: &'p Role, columns: &[Column]) -> Vec<Part<'p>> {
    let mut layout = Layout::new();
    let words = role.processes.first().map_or(&[][..], |process| &process.args);
    for (at, word) in words.iter().enumerate() {
        match (columns.iter().find(|column| column.at == at), word) {
            (Some(column), _) => layout.variable(column.variable.clone()),
            (None, Word::Text(text)) => layout.text(text),
            (None, Word::KeyFile | Word::Prompt | Word::Image) => {
                layout.text(role.key_file.as_deref().unwrap_or_default());
            }
        }
    }
    layout.0
}

fn prompt_view<'p>(plan: &'p Plan, prompt: &'p Prompt) -> PromptView<'p> {
    let mut layout = Layout::new();
    for word in &prompt.args {
        match word {
            Word::Text(text) => layout.text(text),
            Word::Prompt => layout.variable(Cow::Borrowed("text")),
            Word::Image => layout.variable(Cow::Borrowed("image")),
            // A one-shot command serves nobody, so it has no keys.
            Word::KeyFile => {}
        }
    }
    PromptView {
        model: &prompt.model,
        title: &prompt.title,
        role: &prompt.role,
        run: Run {
            program: Cow::Owned(format!("{}/{}", prompt.bin, prompt.tool)),
            parts: layout.0,
            files: prompt.files.iter().map(|file| &**file).collect(),
            image: prompt.args.contains(&Word::Image),
            env: env(&prompt.env),
            shield: prompt.bin.contains('=') || prompt.tool.contains('='),
            placed: wrapper(plan, prompt.placement),
            up: "../..",
        },
    }
}

/// Arguments, laid out for people.
struct Layout<'p>(Vec<Part<'p>>);

impl<'p> Layout<'p> {
    fn new() -> Self {
        Self(vec![Part::default()])
    }

    fn text(&mut self, word: &'p str) {
        let is_option =
            word.strip_prefix('-').is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()));
        let Some(part) = self.0.last_mut() else { return };
        match part.lines.last_mut() {
            Some(line) if !is_option => line.push(word),
            Some(_) | None => part.lines.push(vec![word]),
        }
    }

    fn variable(&mut self, name: Cow<'static, str>) {
        if let Some(part) = self.0.last_mut() {
            part.variable = Some(name);
        }
        self.0.push(Part::default());
    }
}
