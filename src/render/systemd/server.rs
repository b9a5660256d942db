//! The service of a server process.

use std::borrow::Cow;

use serde::Serialize;

use super::ProcessContext;
use super::sandbox::{Sandbox, is_loopback};
use crate::plan::{MemoryPolicy, Placement, Role, Seconds, Start, Word};
use crate::render::artifact::RenderError;
use crate::render::template::skeleton::{PackedLines, Placeholder, PlaceholderTexts};

/// The template data of the service of a server.
#[expect(clippy::struct_excessive_bools, reason = "each is a separate condition of the template")]
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ServerView {
    unit: Placeholder,
    description: Placeholder,
    target: Placeholder,
    slice: Placeholder,
    folders: Vec<Placeholder>,
    /// True if the service must wait for the network.
    needs_network: bool,
    on_demand: bool,
    start_limit: Placeholder,
    user: Option<Placeholder>,
    group: Option<Placeholder>,
    env: Vec<(Placeholder, Placeholder)>,
    /// True to hide the user's configuration files from the engine.
    hide_config_home: bool,
    variables: Option<Placeholder>,
    key_file: Option<Placeholder>,
    /// The address for health checks from the same machine.
    address: Placeholder,
    port: Placeholder,
    program: Placeholder,
    /// The arguments before the key file, one line per option with its values.
    args: Placeholder,
    /// The arguments after the key file.
    args_after_key: Placeholder,
    load_time: Option<Placeholder>,
    bytes: Placeholder,
    lock: bool,
    numa_policy: Option<&'static str>,
    numa_mask: Placeholder,
    cpus: Option<Placeholder>,
    sandbox: Sandbox,
}

/// Renders the service of a server, which listens on the port of the role or behind a proxy.
pub(super) fn text(context: &ProcessContext<'_>) -> Result<String, RenderError> {
    let mut texts = PlaceholderTexts::default();
    let view = view(context, &mut texts)?;
    context.shared.servers.render(context.shared.templates, view, &texts)
}

fn view<'v>(
    context: &'v ProcessContext<'_>,
    texts: &mut PlaceholderTexts<'v>,
) -> Result<ServerView, RenderError> {
    let (role, host, process) = (context.role, context.host, context.process);
    let on_demand = role.start == Start::OnDemand;
    let (args, has_key, args_after_key) = args(context)?;
    let (numa_policy, numa_mask) = memory(context);
    let suffix = if on_demand { "-backend.service" } else { ".service" };
    let port = texts.placeholder(process.backend.unwrap_or(process.port).to_string());
    Ok(ServerView {
        unit: texts.placeholder(context.name() + suffix),
        description: texts.placeholder(context.description("")),
        target: texts.placeholder(context.names().group_target(context.group)),
        slice: texts.placeholder(context.names().group_slice(context.group)),
        folders: texts.list(role.folders.iter().map(|folder| &**folder)),
        needs_network: !on_demand && role.addresses.iter().any(|address| needs_network(address)),
        on_demand,
        start_limit: texts.placeholder(start_limit(role)),
        user: texts.optional(host.user.as_deref()),
        group: texts.optional(host.group.as_deref()),
        env: texts.pairs(&role.env),
        hide_config_home: !role.env.iter().any(|(name, _)| &**name == "XDG_CONFIG_HOME"),
        variables: texts.optional(Some(variables(context))),
        key_file: texts.optional(role.key_file.as_deref().filter(|_| has_key)),
        address: texts.placeholder(if on_demand { "127.0.0.1" } else { health_address(role) }),
        port,
        program: texts.placeholder(&*role.program),
        args: texts.placeholder(args),
        args_after_key: texts.placeholder(args_after_key),
        load_time: texts.optional(role.load_time.map(|time| time.to_string())),
        bytes: texts.placeholder(role.bytes.to_string()),
        lock: role.lock,
        numa_policy,
        numa_mask: texts.placeholder(numa_mask),
        cpus: texts.optional(cpus(context)),
        sandbox: Sandbox::server(context, port, texts),
    })
}

/// The arguments before the key file, true if there is a key file, and the arguments after it. Each line has one option
/// with its values.
fn args(context: &ProcessContext<'_>) -> Result<(PackedLines, bool, PackedLines), RenderError> {
    let (mut before, mut after, mut has_key) = (PackedLines::default(), PackedLines::default(), false);
    for word in &context.process.args {
        match (word, word.text()) {
            (Word::KeyFile(_), _) if !has_key => has_key = true,
            (Word::KeyFile(_) | Word::Prompt | Word::Image, _) => {
                let reason =
                    "the command line of a server cannot have a prompt, an image or a second key file";
                return Err(RenderError::new(&context.role.name, reason));
            }
            (_, text) => {
                let lines = if has_key { &mut after } else { &mut before };
                if is_option(text) { lines.start_line(text) } else { lines.push_word(text) }
            }
        }
    }
    Ok((before, has_key, after))
}

fn is_option(word: &str) -> bool {
    let mut bytes = word.bytes();
    bytes.next() == Some(b'-') && bytes.next().is_some_and(|byte| !byte.is_ascii_digit())
}

/// True if a server can listen on an address only after the network is up.
fn needs_network(address: &str) -> bool {
    !is_loopback(address) && !matches!(address, "0.0.0.0" | "::")
}

/// The address for health checks from the same machine: a loopback address if the server listens on one.
fn health_address(role: &Role) -> &str {
    let local = |address: &str| match address {
        "0.0.0.0" => Some("127.0.0.1"),
        "::" => Some("::1"),
        _ => None,
    };
    let loopback = role.addresses.iter().find(|address| is_loopback(address)).map(|address| &**address);
    loopback
        .or_else(|| role.addresses.iter().find_map(|address| local(address)))
        .or_else(|| role.addresses.first().map(|address| &**address))
        .unwrap_or("127.0.0.1")
}

/// `StartLimitIntervalSec=`: five times the load time plus a minute, so that five slow failures still reach the limit.
fn start_limit(role: &Role) -> String {
    let five_loads = |load: Seconds| format!("{}s", load.0.saturating_mul(5) + 60);
    role.load_time.map_or_else(|| "1h".to_owned(), five_loads)
}

/// The variables to unset, because the engine reads them as options. Variables that the role sets are excluded.
fn variables<'v>(context: &'v ProcessContext<'_>) -> Cow<'v, str> {
    let all = context.shared.variables.get(context.role.engine).map_or("", String::as_str);
    let is_set = |name: &str| context.role.env.iter().any(|(set, _)| **set == *name);
    if !context.role.env.is_empty() && all.split(' ').any(is_set) {
        let others: Vec<&str> = all.split(' ').filter(|name| !is_set(name)).collect();
        return Cow::Owned(others.join(" "));
    }
    Cow::Borrowed(all)
}

fn memory(context: &ProcessContext<'_>) -> (Option<&'static str>, String) {
    let Some(policy) = placement(context).and_then(|placement| placement.memory.as_ref()) else {
        return (None, String::new());
    };
    let word = if matches!(policy, MemoryPolicy::Bind(_)) { "bind" } else { "interleave" };
    (Some(word), policy.nodes(","))
}

fn cpus(context: &ProcessContext<'_>) -> Option<Cow<'static, str>> {
    let placement = placement(context)?;
    match (&placement.cpus, &placement.memory) {
        (Some(cpus), _) => Some(Cow::Owned(cpus.to_string())),
        // The registry does not know the CPUs of this node, but systemd does: `numa` means the CPUs of the bound nodes.
        (None, Some(MemoryPolicy::Bind(_))) => Some(Cow::Borrowed("numa")),
        (None, _) => None,
    }
}

fn placement<'v>(context: &'v ProcessContext<'_>) -> Option<&'v Placement> {
    context.shared.plan.placements.get(context.process.placement?)
}
