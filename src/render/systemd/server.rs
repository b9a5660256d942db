//! The service of a server process.

use std::borrow::Cow;

use serde::ser::{Error, SerializeSeq};
use serde::{Serialize, Serializer};

use super::sandbox::{Sandbox, is_loopback};
use super::{Place, SERVER};
use crate::plan::{Memory, Placement, Role, Seconds, Start, Word};
use crate::render::artifact::RenderError;

/// What a server's service says.
#[expect(clippy::struct_excessive_bools, reason = "each is one question of the template")]
#[derive(Serialize)]
struct ServerView<'p> {
    unit: String,
    description: String,
    target: String,
    slice: String,
    folders: Vec<&'p str>,
    /// Whether the network has to be there first.
    online: bool,
    warm: bool,
    start_limit: String,
    user: Option<&'p str>,
    group: Option<&'p str>,
    env: Vec<(&'p str, &'p str)>,
    /// Whether the engine is to be kept from configuration files of the user.
    config_home: bool,
    variables: Cow<'p, str>,
    key_file: Option<&'p str>,
    /// Where the server is asked from its own machine.
    address: &'p str,
    port: u16,
    program: &'p str,
    /// The arguments before the key file, an option and its values a line.
    args: Lines<'p>,
    /// Those after it.
    more_args: Lines<'p>,
    load_time: Option<String>,
    bytes: String,
    lock: bool,
    numa_policy: Option<&'static str>,
    numa_mask: String,
    cpus: Option<Cow<'static, str>>,
    sandbox: Sandbox<'p>,
}

/// Arguments, an option with its values a line.
struct Lines<'p>(Vec<Word<'p>>);

/// The words of one line.
struct Line<'l, 'p>(&'l [Word<'p>]);

impl Serialize for Lines<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.chunk_by(|_, next| !is_option(next)).map(Line))
    }
}

impl Serialize for Line<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut words = serializer.serialize_seq(Some(self.0.len()))?;
        for word in self.0 {
            match word {
                Word::Text(text) => words.serialize_element(text)?,
                Word::KeyFile | Word::Prompt | Word::Image => {
                    return Err(S::Error::custom("a server is asked nothing on its command line"));
                }
            }
        }
        words.end()
    }
}

fn is_option(word: &Word) -> bool {
    let Word::Text(text) = word else { return false };
    let mut bytes = text.bytes();
    bytes.next() == Some(b'-') && bytes.next().is_some_and(|byte| !byte.is_ascii_digit())
}

/// The service of a server: at its own port, or hidden behind a proxy.
pub(super) fn text(place: &Place<'_>) -> Result<String, RenderError> {
    place.render(&SERVER, &view(place))
}

fn view<'v>(place: &'v Place<'_>) -> ServerView<'v> {
    let (role, host, process) = (place.role, place.host, place.process);
    let warm = role.start == Start::OnDemand;
    let port = process.backend.unwrap_or(process.port);
    let mut args = process.args.words();
    let key = args.iter().position(|word| *word == Word::KeyFile);
    let rest = args.split_off(key.unwrap_or(args.len()));
    let more_args = rest.get(1..).unwrap_or_default().to_vec();
    let (numa_policy, numa_mask) = memory(place);
    let suffix = if warm { "-backend.service" } else { ".service" };
    ServerView {
        unit: place.name() + suffix,
        description: place.description(""),
        target: place.names().group_target(place.group),
        slice: place.names().group_slice(place.group),
        folders: role.folders.iter().map(|folder| &**folder).collect(),
        online: !warm && role.addresses.iter().any(|address| has_to_be_there(address)),
        warm,
        start_limit: start_limit(role),
        user: host.user.as_deref(),
        group: host.group.as_deref(),
        env: role.env.iter().map(|(name, value)| (&**name, &**value)).collect(),
        config_home: !role.env.iter().any(|(name, _)| &**name == "XDG_CONFIG_HOME"),
        variables: variables(place),
        key_file: role.key_file.as_deref().filter(|_| key.is_some()),
        address: if warm { "127.0.0.1" } else { gate(role) },
        port,
        program: &role.program,
        args: Lines(args),
        more_args: Lines(more_args),
        load_time: role.load_time.map(|time| time.to_string()),
        bytes: role.bytes.to_string(),
        lock: role.lock,
        numa_policy,
        numa_mask,
        cpus: cpus(place),
        sandbox: Sandbox::server(place, port),
    }
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
