//! The service of a server process.

use std::borrow::Cow;

use serde::Serialize;

use super::Place;
use super::sandbox::{Sandbox, is_loopback};
use crate::plan::{Memory, Placement, Role, Seconds, Start, Word};
use crate::render::artifact::RenderError;
use crate::render::template::skeleton::{Hole, Lines, Texts};

/// What a server's service says.
#[expect(clippy::struct_excessive_bools, reason = "each is one question of the template")]
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ServerView {
    unit: Hole,
    description: Hole,
    target: Hole,
    slice: Hole,
    folders: Vec<Hole>,
    /// Whether the network has to be there first.
    online: bool,
    warm: bool,
    start_limit: Hole,
    user: Option<Hole>,
    group: Option<Hole>,
    env: Vec<(Hole, Hole)>,
    /// Whether the engine is to be kept from configuration files of the user.
    config_home: bool,
    variables: Option<Hole>,
    key_file: Option<Hole>,
    /// Where the server is asked from its own machine.
    address: Hole,
    port: Hole,
    program: Hole,
    /// The arguments before the key file, an option and its values a line.
    args: Hole,
    /// Those after it.
    more_args: Hole,
    load_time: Option<Hole>,
    bytes: Hole,
    lock: bool,
    numa_policy: Option<&'static str>,
    numa_mask: Hole,
    cpus: Option<Hole>,
    sandbox: Sandbox,
}

/// The service of a server: at its own port, or hidden behind a proxy.
pub(super) fn text(place: &Place<'_>) -> Result<String, RenderError> {
    let mut texts = Texts::default();
    let view = view(place, &mut texts)?;
    place.shared.servers.render(place.shared.templates, view, &texts)
}

fn view<'v>(place: &'v Place<'_>, texts: &mut Texts<'v>) -> Result<ServerView, RenderError> {
    let (role, host, process) = (place.role, place.host, place.process);
    let warm = role.start == Start::OnDemand;
    let (args, has_key, more_args) = args(place)?;
    let (numa_policy, numa_mask) = memory(place);
    let suffix = if warm { "-backend.service" } else { ".service" };
    let port = texts.hole(process.backend.unwrap_or(process.port).to_string());
    Ok(ServerView {
        unit: texts.hole(place.name() + suffix),
        description: texts.hole(place.description("")),
        target: texts.hole(place.names().group_target(place.group)),
        slice: texts.hole(place.names().group_slice(place.group)),
        folders: texts.each(role.folders.iter().map(|folder| &**folder)),
        online: !warm && role.addresses.iter().any(|address| has_to_be_there(address)),
        warm,
        start_limit: texts.hole(start_limit(role)),
        user: texts.maybe(host.user.as_deref()),
        group: texts.maybe(host.group.as_deref()),
        env: texts.pairs(&role.env),
        config_home: !role.env.iter().any(|(name, _)| &**name == "XDG_CONFIG_HOME"),
        variables: texts.maybe(Some(variables(place))),
        key_file: texts.maybe(role.key_file.as_deref().filter(|_| has_key)),
        address: texts.hole(if warm { "127.0.0.1" } else { gate(role) }),
        port,
        program: texts.hole(&*role.program),
        args: texts.hole(args),
        more_args: texts.hole(more_args),
        load_time: texts.maybe(role.load_time.map(|time| time.to_string())),
        bytes: texts.hole(role.bytes.to_string()),
        lock: role.lock,
        numa_policy,
        numa_mask: texts.hole(numa_mask),
        cpus: texts.maybe(cpus(place)),
        sandbox: Sandbox::server(place, port, texts),
    })
}

/// The arguments before the key file, whether there is one, and those after it; an option with its values a line.
fn args(place: &Place<'_>) -> Result<(Lines, bool, Lines), RenderError> {
    let (mut before, mut after, mut has_key) = (Lines::default(), Lines::default(), false);
    for word in place.process.args.iter() {
        match word {
            Word::Text(text) => {
                let lines = if has_key { &mut after } else { &mut before };
                if is_option(text) { lines.begin(text) } else { lines.word(text) }
            }
            Word::KeyFile if !has_key => has_key = true,
            Word::KeyFile | Word::Prompt | Word::Image => {
                let why = "a server is asked nothing on its command line";
                return Err(RenderError::new(&place.role.name, why));
            }
        }
    }
    Ok((before, has_key, after))
}

fn is_option(word: &str) -> bool {
    let mut bytes = word.bytes();
    bytes.next() == Some(b'-') && bytes.next().is_some_and(|byte| !byte.is_ascii_digit())
}

/// Whether the network has to be there before a server can listen at an address.
fn has_to_be_there(address: &str) -> bool {
    !is_loopback(address) && !matches!(address, "0.0.0.0" | "::")
}

/// Where to ask from the machine itself: at a loopback address if the server listens at one.
fn gate(role: &Role) -> &str {
    let local = |address: &str| match address {
        "0.0.0.0" => Some("127.0.0.1"),
        "::" => Some("::1"),
        _ => None,
    };
    let own = role.addresses.iter().find(|address| is_loopback(address)).map(|address| &**address);
    own.or_else(|| role.addresses.iter().find_map(|address| local(address)))
        .or_else(|| role.addresses.first().map(|address| &**address))
        .unwrap_or("127.0.0.1")
}

/// Long enough that five loads which fail at their very end are still too many.
fn start_limit(role: &Role) -> String {
    let whole = |load: Seconds| format!("{}s", load.0.saturating_mul(5) + 60);
    role.load_time.map_or_else(|| "1h".to_owned(), whole)
}

/// The variables that the engine must not see, without those that the role sets.
fn variables<'v>(place: &'v Place<'_>) -> Cow<'v, str> {
    let engine = place.role.engine;
    let all = engine.and_then(|engine| place.shared.variables.get(engine)).map_or("", String::as_str);
    let is_own = |name: &str| place.role.env.iter().any(|(own, _)| **own == *name);
    if !place.role.env.is_empty() && all.split(' ').any(is_own) {
        let others: Vec<&str> = all.split(' ').filter(|name| !is_own(name)).collect();
        return Cow::Owned(others.join(" "));
    }
    Cow::Borrowed(all)
}

fn memory(place: &Place<'_>) -> (Option<&'static str>, String) {
    match placement(place).and_then(|placement| placement.memory.as_ref()) {
        None => (None, String::new()),
        Some(Memory::Bind(node)) => (Some("bind"), node.to_string()),
        Some(Memory::Interleave(nodes)) if nodes.is_empty() => (Some("interleave"), "all".to_owned()),
        Some(Memory::Interleave(nodes)) => {
            (Some("interleave"), nodes.iter().map(u32::to_string).collect::<Vec<_>>().join(","))
        }
    }
}

fn cpus(place: &Place<'_>) -> Option<Cow<'static, str>> {
    let placement = placement(place)?;
    match (&placement.cpus, &placement.memory) {
        (Some(cpus), _) => Some(Cow::Owned(cpus.to_string())),
        // The CPUs of a node that memory is bound to, which systemd knows where the registry does not.
        (None, Some(Memory::Bind(_))) => Some(Cow::Borrowed("numa")),
        (None, _) => None,
    }
}

fn placement<'v>(place: &'v Place<'_>) -> Option<&'v Placement> {
    place.shared.plan.placements.get(place.process.placement?)
}
