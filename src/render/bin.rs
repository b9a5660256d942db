//! Launch scripts: `bin/ROLE` serves a role in the foreground as its unit does, `bin/prompt/MODEL` asks a model once.
//!
//! Each runs the argv of the plan through its placement wrapper, and says before it what is missing, by an exit code of its own.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use serde::Serialize;

use super::artifact::RenderError;
use super::template::skeleton::{Hole, Lines, Skeletons, Texts};
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
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct RoleView {
    name: Hole,
    model: Hole,
    hidden: bool,
    instances: Vec<Instance>,
    last: usize,
    wrappers: Vec<Hole>,
    addresses: Vec<Hole>,
    lock: Option<Lock>,
    run: Run,
}

/// What differs between the processes of a role.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Instance {
    number: usize,
    place: Hole,
    port: Hole,
    own: Vec<Hole>,
    wrapper: Option<Hole>,
}

/// What a process locks in memory.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Lock {
    kib: Hole,
    size: Hole,
}

/// What the script of a one-shot command knows.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct PromptView {
    model: Hole,
    title: Hole,
    role: Hole,
    run: Run,
}

/// What is run, and what has to be there for it.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Run {
    program: Hole,
    parts: Vec<Part>,
    files: Vec<Hole>,
    image: bool,
    env: Vec<Variable>,
    /// Whether `env` would take the program for one more variable.
    shield: bool,
    /// The name of the wrapper, in the words of bash.
    placed: Option<Hole>,
    /// The way from the folder of the script to the root of what is made.
    up: &'static str,
}

/// Lines of arguments, an option with its values on each, and the name of a variable of the script that follows them.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    lines: Hole,
    variable: Option<Hole>,
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Variable {
    name: Hole,
    value: Hole,
}

/// The scripts of a run, as far as they are the same.
struct Scripts {
    roles: Skeletons<RoleView>,
    prompts: Skeletons<PromptView>,
}

fn artifacts<'p>(plan: &'p Plan, templates: &'p Templates, claims: &mut Claims<'_, 'p>) {
    let scripts = Arc::new(Scripts { roles: Skeletons::new(&ROLE), prompts: Skeletons::new(&PROMPT) });
    for role in &plan.roles {
        let scripts = scripts.clone();
        claims.program(format!("bin/{}", role.name), move || {
            let mut texts = Texts::default();
            scripts.roles.render(templates, role_view(plan, role, &mut texts)?, &texts)
        });
    }
    for prompt in &plan.prompts {
        let scripts = scripts.clone();
        claims.program(format!("bin/prompt/{}", prompt.model), move || {
            let mut texts = Texts::default();
            scripts.prompts.render(templates, prompt_view(plan, prompt, &mut texts), &texts)
        });
    }
}

fn role_view<'p>(plan: &'p Plan, role: &'p Role, texts: &mut Texts<'p>) -> Result<RoleView, RenderError> {
    let columns = columns(role)?;
    let mut wrappers: Vec<&str> =
        role.processes.iter().filter_map(|process| wrapper(plan, process.placement)).collect();
    if !wrappers.is_empty() && wrappers.len() != role.processes.len() {
        return Err(RenderError::new(&role.name, "some of its instances are placed and some are not"));
    }
    wrappers.sort_unstable();
    wrappers.dedup();
    let files = role.files.iter().map(|file| &**file).chain(role.key_file.as_deref());
    Ok(RoleView {
        name: texts.hole(&*role.name),
        model: texts.hole(&*role.model),
        hidden: role.processes.iter().any(|process| process.backend.is_some()),
        last: role.processes.len().saturating_sub(1),
        addresses: texts.each(addresses(role)),
        lock: role.lock.then(|| Lock {
            kib: texts.hole(role.bytes.0.div_ceil(1024).to_string()),
            size: texts.hole(role.bytes.to_string()),
        }),
        run: Run {
            program: texts.hole(&*role.program),
            parts: role_parts(role, &columns, texts),
            files: texts.each(files),
            image: false,
            env: env(&role.env, texts),
            shield: role.program.contains('='),
            placed: texts.maybe((!wrappers.is_empty()).then_some("$placement")),
            up: "..",
        },
        instances: instances(plan, role, &columns, texts),
        wrappers: texts.each(wrappers),
    })
}

/// An argument that differs between the instances of a role.
struct Column<'p> {
    at: usize,
    variable: Cow<'static, str>,
    is_port: bool,
    /// Its text for each instance.
    values: Vec<&'p str>,
}

fn columns(role: &Role) -> Result<Vec<Column<'_>>, RenderError> {
    if role.processes.len() < 2 {
        return Ok(Vec::new());
    }
    let all: Vec<Vec<Word>> = role.processes.iter().map(|process| process.args.words()).collect();
    let Some((first, others)) = all.split_first() else { return Ok(Vec::new()) };
    if others.iter().any(|other| other.len() != first.len()) {
        return Err(RenderError::new(&role.name, "its instances have different numbers of arguments"));
    }
    let ports: Vec<String> = role.processes.iter().map(|process| listens(process).to_string()).collect();
    let mut columns = Vec::new();
    let mut own = 0;
    for (at, word) in first.iter().enumerate() {
        if others.iter().all(|other| other.get(at) == Some(word)) {
            continue;
        }
        let values: Vec<&str> =
            all.iter().filter_map(|words| words.get(at)).map(|word| word.text()).collect();
        let is_port = values == ports;
        own += usize::from(!is_port);
        let variable = if is_port { Cow::Borrowed("port") } else { Cow::Owned(format!("own_{own}")) };
        columns.push(Column { at, variable, is_port, values });
    }
    Ok(columns)
}

/// The port that a process listens at itself.
fn listens(process: &Process) -> u16 {
    process.backend.unwrap_or(process.port)
}

fn instances<'p>(
    plan: &'p Plan,
    role: &'p Role,
    columns: &[Column<'p>],
    texts: &mut Texts<'p>,
) -> Vec<Instance> {
    let own = columns.iter().filter(|column| !column.is_port);
    let instance = |(number, process): (usize, &'p Process)| Instance {
        number,
        place: texts.hole(place(role, process)),
        port: texts.hole(listens(process).to_string()),
        own: texts.each(own.clone().filter_map(|column| column.values.get(number).copied())),
        wrapper: texts.maybe(wrapper(plan, process.placement)),
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

fn env<'p, T: AsRef<str>>(env: &'p [(T, T)], texts: &mut Texts<'p>) -> Vec<Variable> {
    texts.pairs(env).into_iter().map(|(name, value)| Variable { name, value }).collect()
}

fn role_parts<'p>(role: &'p Role, columns: &[Column<'p>], texts: &mut Texts<'p>) -> Vec<Part> {
    let mut layout = Layout::new(texts);
    let words = role.processes.first().into_iter().flat_map(|process| process.args.iter());
    for (at, word) in words.enumerate() {
        match (columns.iter().find(|column| column.at == at), word) {
            (Some(column), _) => layout.variable(column.variable.clone()),
            (None, Word::Text(text)) => layout.text(text),
            (None, Word::KeyFile | Word::Prompt | Word::Image) => {
                layout.text(role.key_file.as_deref().unwrap_or_default());
            }
        }
    }
    layout.end()
}

fn prompt_view<'p>(plan: &'p Plan, prompt: &'p Prompt, texts: &mut Texts<'p>) -> PromptView {
    let mut layout = Layout::new(texts);
    for word in prompt.args.iter() {
        match word {
            Word::Text(text) => layout.text(text),
            Word::Prompt => layout.variable(Cow::Borrowed("text")),
            Word::Image => layout.variable(Cow::Borrowed("image")),
            // A one-shot command serves nobody, so it has no keys.
            Word::KeyFile => {}
        }
    }
    let parts = layout.end();
    PromptView {
        model: texts.hole(&*prompt.model),
        title: texts.hole(&*prompt.title),
        role: texts.hole(&*prompt.role),
        run: Run {
            program: texts.hole(format!("{}/{}", prompt.bin, prompt.tool)),
            parts,
            files: texts.each(prompt.files.iter().map(|file| &**file)),
            image: prompt.args.iter().any(|word| word == Word::Image),
            env: env(&prompt.env, texts),
            shield: prompt.bin.contains('=') || prompt.tool.contains('='),
            placed: texts.maybe(wrapper(plan, prompt.placement)),
            up: "../..",
        },
    }
}

/// Arguments, laid out for people.
struct Layout<'t, 'p> {
    texts: &'t mut Texts<'p>,
    parts: Vec<Part>,
    lines: Lines,
}

impl<'t, 'p> Layout<'t, 'p> {
    fn new(texts: &'t mut Texts<'p>) -> Self {
        Self { texts, parts: Vec::new(), lines: Lines::default() }
    }

    fn text(&mut self, word: &str) {
        let is_option =
            word.strip_prefix('-').is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()));
        if is_option { self.lines.begin(word) } else { self.lines.word(word) }
    }

    fn variable(&mut self, name: Cow<'static, str>) {
        let lines = self.texts.hole(std::mem::take(&mut self.lines));
        let variable = Some(self.texts.hole(name));
        self.parts.push(Part { lines, variable });
    }

    /// The parts, with what stands after the last variable.
    fn end(mut self) -> Vec<Part> {
        if !self.lines.is_empty() {
            let lines = self.texts.hole(self.lines);
            self.parts.push(Part { lines, variable: None });
        }
        self.parts
    }
}
