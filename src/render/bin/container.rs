//! `bin/ROLE` of a role in a container: runs its container in the foreground, with all settings that its unit has.

use std::borrow::Cow;

use serde::Serialize;

use super::context::host_name;
use super::{
    ARGUMENT_LINE, InstanceView, LockedMemory, VaryingArgument, files, instances, locked_memory,
    probe_addresses, varying_arguments, words,
};
use crate::plan::{Container, Plan, Role, Word};
use crate::render::RenderError;
use crate::render::command::option_lines;
use crate::render::container::{ContainerView, KEY_PATH, TMP, bind_mount};
use crate::render::quote::shell;
use crate::render::template::{Field, Quoted};

/// The template data of the script.
#[derive(Serialize)]
pub(super) struct ContainerScript<'p> {
    /// The host, if there are several.
    host: Option<Field<'p>>,
    name: Field<'p>,
    title: Field<'p>,
    image: Field<'p>,
    instances: Vec<InstanceView<'p>>,
    last_instance: usize,
    /// The quoted options, one per line: variables, files and folders, devices.
    env: Quoted,
    mounts: Quoted,
    devices: Quoted,
    /// The quoted option that mounts the file with the keys.
    key: Quoted,
    /// True if a group of the user can own the devices.
    has_device_files: bool,
    /// The limit of the memory in GiB.
    memory: Option<Field<'p>>,
    locks: bool,
    lock: Option<LockedMemory>,
    tmp: &'static str,
    /// The quoted addresses to connect to, to check that the port is free.
    addresses: Quoted,
    command: InnerCommand<'p>,
}

/// The command in the container, and the files that it needs.
#[derive(Serialize)]
struct InnerCommand<'p> {
    program: Field<'p>,
    args: Quoted,
    files: Quoted,
    has_image: bool,
    env: Vec<(&'p str, Field<'p>)>,
    key: Option<Field<'p>>,
}

/// The data of the script. All instances have the same container, except its name, port and placement.
pub(super) fn view<'p>(
    plan: &'p Plan,
    role: &'p Role,
    container: &'p Container,
) -> Result<ContainerScript<'p>, RenderError> {
    let views = role.processes.iter().map(|process| ContainerView::new(plan, role, container, process));
    let views: Vec<ContainerView<'_>> = views.collect::<Result<_, _>>()?;
    let Some(first) = views.first() else { return Err(RenderError::new(&role.name, "it has no process")) };
    let varying = varying_arguments(role)?;
    let one_each = |(instance, view)| InstanceView { wrapper: None, own: Some(own(view)), ..instance };
    let key = first.secret.as_ref().map(|(_, file)| *file);
    Ok(ContainerScript {
        host: host_name(plan, role.host),
        name: Field::from(&*role.name),
        title: Field::from(&*role.title),
        image: Field::from(&*container.image),
        instances: instances(plan, role, &varying).into_iter().zip(&views).map(one_each).collect(),
        last_instance: views.len().saturating_sub(1),
        env: options(first.env.iter().map(|(name, value)| format!("--env={name}={value}"))),
        mounts: options(
            first.mounts.iter().map(|(path, writes)| format!("{},ro={}", bind_mount(path, path), !writes)),
        ),
        devices: options(first.devices.iter().map(|device| format!("--device={device}"))),
        key: options(key.iter().map(|file| format!("{},ro=true", bind_mount(file, KEY_PATH)))),
        has_device_files: !container.device_files.is_empty(),
        memory: first.memory.map(|memory| memory.to_string().into()),
        locks: first.locks,
        lock: locked_memory(role),
        tmp: TMP,
        addresses: words(" ", probe_addresses(role)),
        command: InnerCommand {
            program: Field::from(&*role.program),
            args: arguments(role, first, &varying),
            files: words(ARGUMENT_LINE, files(role)),
            has_image: false,
            env: first.env.iter().map(|(name, value)| (*name, Field::from(*value))).collect(),
            key: key.map(Field::from),
        },
    })
}

/// The quoted arguments of the program, one line per option with its values.
fn arguments(role: &Role, view: &ContainerView<'_>, varying: &[VaryingArgument<'_>]) -> Quoted {
    let args = role.processes.first().map_or(&[][..], |process| &process.args);
    let quoted = |index: usize, word: &Word| match varying.iter().position(|(at, _)| *at == index) {
        Some(n) => Cow::Owned(format!("\"$arg_{}\"", n + 1)),
        None if matches!(word, Word::Port(_)) && role.processes.len() > 1 => Cow::Borrowed("\"$port\""),
        None => Cow::Owned(shell(view.args.get(index).copied().unwrap_or_default()).into_owned()),
    };
    option_lines(args, ARGUMENT_LINE, quoted).into()
}

/// The options of the container of one instance.
fn own(view: &ContainerView<'_>) -> Quoted {
    let name = [format!("--name={}", view.name)].into_iter();
    let ports = view.ports.iter().map(|port| format!("--publish={port}"));
    let cpus = view.cpus.iter().map(|cpus| format!("--cpuset-cpus={cpus}"));
    let node = view.node.iter().map(|node| format!("--cpuset-mems={node}"));
    let all: Vec<String> = name.chain(ports).chain(cpus).chain(node).collect();
    words(" ", all.iter().map(String::as_str))
}

/// Quoted options, one per line.
fn options(options: impl Iterator<Item = String>) -> Quoted {
    let all: Vec<String> = options.collect();
    words(ARGUMENT_LINE, all.iter().map(String::as_str))
}
