//! The service of a server process.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use super::super::llama_swap::peer_key;
use super::paths::PathSettings;
use super::sandbox::{SandboxText, is_local};
use super::{ProcessContext, UnitView};
use crate::plan::llama_swap::{API_KEY, KEY_FILE};
use crate::plan::{MemoryPolicy, NO_CACHE, Placement, Role, Server, Start, Word, is_loopback};
use crate::render::command::option_lines;
use crate::render::quote::systemd_word;
use crate::render::template::{Field, Quoted};

/// The template data of the service of a server.
#[expect(clippy::struct_excessive_bools, reason = "each is a separate condition of the template")]
#[derive(Serialize)]
pub(super) struct ServerView<'p> {
    unit: UnitView<'p>,
    /// The folders that must be mounted.
    folders: Vec<Field<'p>>,
    /// The folders that systemd creates: setting and value.
    directories: BTreeSet<(&'static str, &'p str)>,
    /// True if NVIDIA's driver must be loaded before the start.
    loads_nvidia: bool,
    /// True if the service must wait for the network.
    needs_network: bool,
    on_demand: bool,
    start_limit: Field<'p>,
    group: Option<Field<'p>>,
    env: Vec<(&'p str, Cow<'p, str>)>,
    /// The variable that hides the cache of downloaded models from a router.
    cache_variable: Option<&'static str>,
    /// True to hide the user's configuration files from the engine.
    hide_config_home: bool,
    variables: Quoted,
    key_file: Option<Field<'p>>,
    /// The address for health checks from the same machine.
    address: Field<'p>,
    program: Field<'p>,
    /// The names of the models that a gateway loads at its start.
    at_boot: Vec<Field<'p>>,
    /// The folder with the file that configures a gateway, if the sandbox hides it otherwise.
    preset_folder: Option<String>,
    /// The key files of the models of llama-swap, and the start of the variables with their paths.
    model_keys: Vec<Field<'p>>,
    key_variable: &'static str,
    /// The key files of the peers of llama-swap.
    peer_keys: Vec<Field<'p>>,
    /// The configuration file of llama-swap and its copy with keys, if clients must send one.
    keyed_file: Option<KeyedFile>,
    /// The quoted arguments, one line per option with its values.
    args: Quoted,
    load_time: Option<Field<'p>>,
    /// The reason why the load time is unknown.
    no_load_time: &'static str,
    bytes: Field<'p>,
    lock: bool,
    numa_policy: Option<&'static str>,
    numa_mask: Field<'p>,
    cpus: Option<Field<'p>>,
    sandbox: Quoted,
    /// The port that the sandbox allows.
    bind_port: Option<Field<'p>>,
    kernel: Quoted,
}

/// A configuration file of which a copy has the keys.
#[derive(Serialize)]
struct KeyedFile {
    /// The line that the keys replace, the file, and its copy, as words of a unit.
    words: Quoted,
    /// The copy, as a word of a unit.
    #[serde(skip)]
    copy: String,
}

/// The service of a server, which listens on the port of the role or behind a proxy.
pub(super) fn view<'p>(
    context: ProcessContext<'p>,
    (sandbox, variables): (&SandboxText, &Quoted),
) -> ServerView<'p> {
    let ProcessContext { plan, host, role, process, .. } = context;
    let unit = context.unit();
    let on_demand = role.start == Start::OnDemand;
    let has_key = process.args.iter().any(|word| matches!(word, Word::KeyFile(_)));
    let placement = process.placement.and_then(|placement| plan.placements.get(placement));
    let (numa_policy, numa_mask) = memory(placement);
    let paths = PathSettings::of(context);
    let swap = role.llama_swap();
    let keyed_file = swap.and_then(|_| keyed_file(context));
    let listens_outside = !on_demand && role.addresses.iter().any(|address| needs_network(address));
    ServerView {
        folders: paths.folders.into_iter().chain(paths.mounts).map(Field::from).collect(),
        directories: paths.directories,
        loads_nvidia: !unit.of_user && role.may_use_cuda(),
        needs_network: listens_outside || role.peers.iter().any(|peer| !is_local(peer)),
        on_demand,
        start_limit: role.start_limit().into(),
        group: host.group.as_deref().map(Field::from),
        env: env(context),
        cache_variable: cache_variable(role),
        hide_config_home: role.engine_family().is_some() && !sets(role, "XDG_CONFIG_HOME"),
        variables: unset_variables(context).unwrap_or_else(|| variables.clone()),
        key_file: role.key_file.as_deref().filter(|_| has_key || swap.is_some()).map(Field::from),
        address: if on_demand { "127.0.0.1" } else { role.health_address() }.into(),
        program: Field::from(&*role.program),
        args: option_lines(&process.args, " \\\n    ", |_, word| match (word, word.text()) {
            // The path of the credential.
            (Word::KeyFile(_), _) => Cow::Borrowed("%d/api-key"),
            (Word::PresetFile(_), _) if keyed_file.is_some() => {
                Cow::Owned(keyed_file.as_ref().map(|file| file.copy.clone()).unwrap_or_default())
            }
            (Word::PresetFile(_), path) if unit.of_user => Cow::Owned(user_preset(path)),
            (_, text) => systemd_word(text),
        })
        .into(),
        at_boot: at_boot(role).iter().map(|name| Field::from(&**name)).collect(),
        model_keys: swap.iter().flat_map(|swap| &swap.key_files).map(|file| Field::from(&**file)).collect(),
        key_variable: KEY_FILE,
        peer_keys: peer_keys(role).iter().map(|file| Field::from(&**file)).collect(),
        preset_folder: unit.of_user.then(|| preset_folder(context)).flatten().filter(|_| !sandbox.off),
        load_time: role.load_time.ok().map(|time| time.to_string().into()),
        no_load_time: role.load_time.err().unwrap_or_default(),
        bytes: role.bytes.map(|bytes| bytes.to_string()).unwrap_or_default().into(),
        lock: role.lock,
        numa_policy,
        numa_mask: numa_mask.into(),
        cpus: placement.and_then(cpus).map(Field::from),
        sandbox: sandbox.sandbox.clone(),
        bind_port: (!sandbox.off && !unit.of_user).then(|| context.server_port().to_string().into()),
        kernel: sandbox.kernel.clone(),
        keyed_file,
        unit,
    }
}

/// The preset file in the configuration folder of the user, as a word of a command line. The names of stacks and gateways
/// have no characters that need quotes.
fn user_preset(path: &str) -> String {
    path.replacen("/etc/", "%E/", 1)
}

/// The folder of the preset file of a router that runs for a user.
fn preset_folder(context: ProcessContext<'_>) -> Option<String> {
    let preset = context.process.args.iter().find(|word| matches!(word, Word::PresetFile(_)))?;
    user_preset(preset.text()).rsplit_once('/').map(|(folder, _)| folder.to_owned())
}

/// The key files of the peers of llama-swap.
fn peer_keys(role: &Role) -> &[Arc<str>] {
    role.llama_swap().map(|swap| &*swap.peer_keys).unwrap_or_default()
}

/// The configuration file of llama-swap, and its copy with the keys. `None` if neither clients nor peers need a key.
fn keyed_file(context: ProcessContext<'_>) -> Option<KeyedFile> {
    let peer_keys = peer_keys(context.role);
    if context.role.key_file.is_none() && peer_keys.is_empty() {
        return None;
    }
    let words = &context.process.args;
    let path = words.iter().find(|word| matches!(word, Word::PresetFile(_)))?.text();
    let name = context.names().process(context.role, context.process);
    let from = if context.is_of_user() { user_preset(path) } else { path.to_owned() };
    let copy = format!("%t/{name}/{}", path.rsplit('/').next()?);
    // After `:`, systemd replaces no variables. The names of stacks and gateways have no characters that need quotes.
    let of_peers = (1..=peer_keys.len()).map(|number| format!(" \"\\\"{}\\\"\"", peer_key(number)));
    let of_peers: String = of_peers.collect();
    Some(KeyedFile { words: format!("\"- \\\"{API_KEY}\\\"\" {from} {copy}{of_peers}").into(), copy })
}

/// The names of the models that a gateway loads at its start.
fn at_boot(role: &Role) -> &[Arc<str>] {
    match &role.server {
        Server::Router(router) => &router.at_boot,
        Server::LlamaSwap(swap) => &swap.at_boot,
        Server::Engine(_) | Server::Program(_) => &[],
    }
}

/// The environment of a process.
fn env(context: ProcessContext<'_>) -> Vec<(&str, Cow<'_, str>)> {
    let plain = context.role.env.iter().map(|(name, value)| (&**name, Cow::Borrowed(&**value)));
    let port = context.server_port();
    let filled = context.role.filled_env();
    let filled = filled.map(|(name, word)| (name, Cow::Owned(word.with_port(port).text().to_owned())));
    plain.chain(filled).collect()
}

/// The variable that hides the cache of downloaded models from a router, unless its engine sets another folder.
fn cache_variable(role: &Role) -> Option<&'static str> {
    let name = role.router()?.family.cache_variable()?;
    role.env.iter().any(|(own, value)| **own == *name && **value == *NO_CACHE).then_some(name)
}

/// True if a role sets an environment variable.
fn sets(role: &Role, variable: &str) -> bool {
    role.env.iter().any(|(name, _)| **name == *variable)
}

/// True if a server can listen on an address only after the network is up.
fn needs_network(address: &str) -> bool {
    !is_loopback(address) && !matches!(address, "0.0.0.0" | "::")
}

/// The variables to unset for a role that sets variables: those that the engine reads as options and the role does not set.
fn unset_variables(context: ProcessContext<'_>) -> Option<Quoted> {
    if let Some(swap) = context.role.llama_swap() {
        let engines = swap.engines.iter().filter_map(|number| context.plan.engines.get(*number));
        let names: BTreeSet<&str> =
            engines.flat_map(|engine| &engine.variables).map(|name| &**name).collect();
        return Some(names.into_iter().collect::<Vec<_>>().join(" ").into());
    }
    let (number, _) = context.role.engine_family().filter(|_| !context.role.env.is_empty())?;
    let engine = context.plan.engines.get(number)?;
    let all = engine.variables.iter().map(|name| &**name);
    Some(all.filter(|name| !sets(context.role, name)).collect::<Vec<_>>().join(" ").into())
}

/// `NUMAPolicy=` and `NUMAMask=`.
fn memory(placement: Option<&Placement>) -> (Option<&'static str>, String) {
    let Some(policy) = placement.and_then(|placement| placement.memory.as_ref()) else {
        return (None, String::new());
    };
    let word = if matches!(policy, MemoryPolicy::Bind(_)) { "bind" } else { "interleave" };
    (Some(word), policy.nodes(","))
}

/// `CPUAffinity=`.
fn cpus(placement: &Placement) -> Option<String> {
    match (&placement.cpus, &placement.memory) {
        (Some(cpus), _) => Some(cpus.to_string()),
        // The registry does not know the CPUs of this node, but systemd does: `numa` means the CPUs of the bound nodes.
        (None, Some(MemoryPolicy::Bind(_))) => Some("numa".to_owned()),
        (None, _) => None,
    }
}
