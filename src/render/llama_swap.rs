//! `llama-swap/GATEWAY.yaml`: the configuration of llama-swap for a gateway (`config-schema.json` of llama-swap, August 2026).
//!
//! ```yaml
//! healthCheckTimeout: 80
//! startPort: 18000
//! models:
//!   chat:
//!     cmd: |-
//!       /opt/llama.cpp/bin/llama-server
//!       --model /srv/models/chat.gguf
//!       --host 127.0.0.1
//!       --port ${PORT}
//!     proxy: http://127.0.0.1:${PORT}
//!     ttl: 900
//! matrix:
//!   vars: {chat: chat, embed: embed}
//!   sets: {set1: chat & embed}
//! ```
//!
//! The file is written from these types, so it has no unknown key and no name of a model that does not exist.

use super::command::option_lines;
use super::quote::{line, llama_swap_word};
use super::yaml::to_yaml;
use super::{ArtifactCollector, OutputTarget, RenderError};
use crate::plan::llama_swap::{API_KEY, KEY_FILE, PEER_KEY};
use crate::plan::{
    Gateway, Hardening, Models, Placement, Plan, Role, Start, Swap, SwapPeer, SwappedModel, UnitScope, Word,
};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

pub(super) static TARGET: OutputTarget = OutputTarget::new("llama-swap", &[], artifacts);

/// Seconds that llama-swap waits for a model of which the load time is unknown. It has no setting for an unlimited time.
const LONGEST_LOAD: u64 = 3600;

/// The least number of seconds that llama-swap waits for a model (`internal/config/load.go` of August 2026).
const SHORTEST_LOAD: u64 = 15;

/// The number of requests to one model at the same time. llama-swap refuses more with the status 429, from the eleventh on by
/// default (`internal/router/scheduler/fifo.go` of August 2026). The server of a model lets them wait instead.
const REQUESTS: u32 = 65_535;

/// The configuration file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Config<'p> {
    health_check_timeout: u64,
    start_port: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    performance: Option<Performance>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    api_keys: &'static [&'static str],
    /// By default, `/v1/models` lists only the names of roles.
    #[serde(skip_serializing_if = "<&bool as std::ops::Not>::not")]
    include_aliases_in_list: bool,
    models: Entries<&'p str, Model<'p>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    matrix: Option<Matrix<'p>>,
    #[serde(skip_serializing_if = "Entries::is_empty")]
    groups: Entries<&'static str, Group<'p>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hooks: Option<Hooks<'p>>,
    #[serde(skip_serializing_if = "Entries::is_empty")]
    peers: Entries<&'p str, Peer<'p>>,
}

/// A server to which llama-swap forwards the requests for its names, as they are.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Peer<'p> {
    proxy: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<String>,
    models: Vec<&'p str>,
    timeouts: Timeouts,
}

/// The limits of a connection. By default llama-swap waits 60 seconds for an answer (`internal/config/peer.go` of August 2026),
/// and 0 is no limit: a peer may load a model first, or read a long prompt.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Timeouts {
    response_header: u64,
}

/// The monitor of the machine. It reads `/proc`.
#[derive(Serialize)]
struct Performance {
    disabled: bool,
}

/// A model.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Model<'p> {
    name: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'p str>,
    cmd: String,
    proxy: &'static str,
    check_endpoint: &'p str,
    ttl: u64,
    concurrency_limit: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<&'p str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    env: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filters: Option<Filters<'p>>,
}

/// The settings that llama-swap writes into requests, by the name that the client sent.
#[derive(Serialize)]
struct Filters<'p> {
    #[serde(rename = "setParamsByID")]
    by_name: Entries<&'p str, Entries<&'static str, &'p serde_json::Value>>,
}

/// The sets of models that may run at the same time.
#[derive(Serialize)]
struct Matrix<'p> {
    vars: Entries<String, &'p str>,
    #[serde(skip_serializing_if = "Entries::is_empty")]
    evict_costs: Entries<String, u64>,
    sets: Entries<String, String>,
}

/// Models that swap each other, or that stay.
#[derive(Serialize)]
struct Group<'p> {
    swap: bool,
    exclusive: bool,
    persistent: bool,
    members: Vec<&'p str>,
}

#[derive(Serialize)]
struct Hooks<'p> {
    on_startup: OnStartup<'p>,
}

#[derive(Serialize)]
struct OnStartup<'p> {
    preload: Vec<&'p str>,
}

/// A mapping in the order of its entries.
struct Entries<K, V>(Vec<(K, V)>);

impl<K, V> Entries<K, V> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Serialize, V: Serialize> Serialize for Entries<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

fn artifacts<'p>(plan: &'p Plan, collector: &mut ArtifactCollector<'p>) {
    for gateway in &plan.gateways {
        if let Models::LlamaSwap(swap) = &gateway.models {
            collector.text(format!("llama-swap/{}.yaml", gateway.name), move || text(plan, gateway, swap));
        }
    }
}

fn text(plan: &Plan, gateway: &Gateway, swap: &Swap) -> Result<String, RenderError> {
    let mut text = String::from("# @generated by orchgen. DO NOT EDIT.\n# Regenerate: orchgen build\n");
    if plan.scope == UnitScope::System {
        writeln!(text, "# The unit of the gateway reads it as {}", line(&gateway.file)).ok();
    }
    if swap.is_stricter {
        text.push_str(STRICTER);
    } else if !swap.alone.is_empty() {
        let names = swap.alone.iter().map(|name| line(name)).collect::<Vec<_>>().join(", ");
        writeln!(text, "{ALONE}: {names}").ok();
    }
    let error = |why: &str| RenderError::new(&gateway.name, why);
    let role =
        |model: &SwappedModel| plan.roles.get(model.role).ok_or_else(|| error("a role of it is missing"));
    let roles =
        swap.models.iter().map(|one| Ok((one, role(one)?))).collect::<Result<Vec<_>, RenderError>>()?;
    let server = plan.roles.get(gateway.server).ok_or_else(|| error("its server is missing"))?;
    let models = roles.iter().map(|(one, role)| Ok((&*role.name, model(one, role, server)?)));
    let at_boot = roles.iter().filter(|(_, role)| role.start == Start::Boot).map(|(_, role)| &*role.name);
    let preload: Vec<&str> = at_boot.collect();
    let load = swap.load_time.map_or(LONGEST_LOAD, |time| time.0.max(SHORTEST_LOAD));
    // Its service sees only processes there, and the monitor would log an error every few seconds.
    let hides_proc = matches!(server.hardening, Hardening::Strict | Hardening::Default);
    let config = Config {
        health_check_timeout: load,
        start_port: swap.first_port,
        performance: hides_proc.then_some(Performance { disabled: true }),
        api_keys: if swap.has_key { &[API_KEY] } else { &[] },
        include_aliases_in_list: roles.iter().any(|(_, role)| aliases(role).next().is_some()),
        models: Entries(models.collect::<Result<_, RenderError>>()?),
        matrix: (!swap.is_stricter).then(|| matrix(swap, &roles)),
        groups: if swap.is_stricter { groups(&roles) } else { Entries(Vec::new()) },
        hooks: (!preload.is_empty()).then_some(Hooks { on_startup: OnStartup { preload } }),
        peers: peers(swap, server),
    };
    text.push_str(&to_yaml(&gateway.name, &config)?);
    Ok(text)
}

fn peers<'p>(swap: &'p Swap, server: &Role) -> Entries<&'p str, Peer<'p>> {
    let keys = server.llama_swap().map(|swap| &*swap.peer_keys).unwrap_or_default();
    let peer = |peer: &'p SwapPeer| {
        let number = peer.key_file.as_ref().and_then(|file| keys.iter().position(|key| key == file));
        let view = Peer {
            proxy: &peer.url,
            api_key: number.map(|number| peer_key(number + 1)),
            models: peer.names.iter().map(|name| &**name).collect(),
            timeouts: Timeouts { response_header: 0 },
        };
        (&*peer.name, view)
    };
    Entries(swap.peers.iter().map(peer).collect())
}

/// The macro for the key of a peer, by the number of its key file.
pub(super) fn peer_key(number: usize) -> String {
    format!("${{env.{PEER_KEY}{number}}}")
}

/// The note of a file with groups instead of a matrix.
const STRICTER: &str = "\
# There are too many models, or too many sets of models that fit into memory. So only one of the models that start on demand
# runs at a time.\n";

/// The note of a file in which some models run alone because facts are missing.
const ALONE: &str = "\
# Each of these runs without the others that start on demand, because not all memory of the host is known (see orchgen memory)";

fn model<'p>(model: &'p SwappedModel, role: &'p Role, server: &Role) -> Result<Model<'p>, RenderError> {
    let health = role.engine().map(|engine| engine.family.health_path());
    let health = health.or_else(|| role.other_program()?.health.as_deref());
    // The engine would read options from a file there.
    let has_home = role.env.iter().any(|(name, _)| **name == *CONFIG_HOME);
    let fills_port = has_port_only_in_env(model, role);
    let hidden = role.engine().filter(|_| !has_home).map(|_| format!("{CONFIG_HOME}={NO_FOLDER}"));
    let plain = role.env.iter().map(|(name, value)| format!("{name}={value}"));
    let filled = role.filled_env().filter(|(_, word)| !(fills_port && has_port(word)));
    let filled = filled.map(|(name, word)| format!("{name}={}", filled_text(word)));
    Ok(Model {
        name: &role.title,
        description: role.purpose.as_deref(),
        cmd: command(model, role, server),
        proxy: "http://127.0.0.1:${PORT}",
        // `gateway-cannot` reports programs without one.
        check_endpoint: health.ok_or_else(|| RenderError::new(&role.name, "it has no health check"))?,
        ttl: role.idle.filter(|_| role.start == Start::OnDemand).map_or(0, |idle| idle.0),
        concurrency_limit: REQUESTS,
        aliases: aliases(role).collect(),
        env: hidden.into_iter().chain(plain).chain(filled).collect(),
        filters: (!model.variants.is_empty()).then(|| filters(model)),
    })
}

/// The further names of a model.
fn aliases(role: &Role) -> impl Iterator<Item = &str> {
    role.names.iter().map(|name| &**name).filter(|name| *name != &*role.name)
}

/// The variable with the folder of the configuration files of a user, and a folder that does not exist.
const CONFIG_HOME: &str = "XDG_CONFIG_HOME";
const NO_FOLDER: &str = "/nonexistent";

fn filters(model: &SwappedModel) -> Filters<'_> {
    let by_name = model.variants.iter().map(|variant| {
        let settings = variant.settings.iter().map(|(field, value)| (*field, value));
        (&*variant.name, Entries(settings.collect()))
    });
    Filters { by_name: Entries(by_name.collect()) }
}

fn has_port(word: &Word) -> bool {
    word.around_port().is_some()
}

/// The value of a variable that has the port or the address.
fn filled_text(word: &Word) -> Cow<'_, str> {
    match word.around_port() {
        Some((before, after)) => Cow::Owned(format!("{before}{PORT}{after}")),
        None => Cow::Borrowed(word.text()),
    }
}

/// The word of a command that has the port. `None` if it does not have it.
fn port_word(word: &Word) -> Option<String> {
    let quoted =
        |text: &str| if text.is_empty() { String::new() } else { llama_swap_word(text).into_owned() };
    word.around_port().map(|(before, after)| format!("{}{PORT}{}", quoted(before), quoted(after)))
}

/// True if only variables have the port of a program. llama-swap accepts the macro in `proxy` only if the command has it too
/// (`internal/config/load.go` of August 2026).
fn has_port_only_in_env(model: &SwappedModel, role: &Role) -> bool {
    !model.args.iter().any(has_port) && role.filled_env().any(|(_, word)| has_port(word))
}

/// The macro for the port of a model.
const PORT: &str = "${PORT}";

/// The command line of a model, one line per option.
fn command(model: &SwappedModel, role: &Role, server: &Role) -> String {
    let options = model.placement.iter().flat_map(Placement::numactl);
    let mut text: String =
        options.fold(String::new(), |text, option| format!("{text} {}", llama_swap_word(&option)));
    if !text.is_empty() {
        text = format!("numactl{text} -- ");
    }
    if has_port_only_in_env(model, role) {
        text.push_str("/usr/bin/env ");
        for (name, value) in role.filled_env().filter_map(|(name, word)| Some((name, port_word(word)?))) {
            write!(text, "{name}={value} ").ok();
        }
    }
    text.push_str(&llama_swap_word(&role.program));
    let keys = server.llama_swap().into_iter().flat_map(|swap| &swap.key_files);
    let key = (1..).zip(keys).find(|(_, file)| role.key_file.as_ref() == Some(file));
    let key = key.map_or(0, |(number, _)| number);
    text.push_str(&option_lines(&model.args, "\n", |_, word| {
        if let Some(word) = port_word(word) {
            Cow::Owned(word)
        } else if matches!(word, Word::KeyFile(_)) {
            Cow::Owned(format!("${{env.{KEY_FILE}{key}}}"))
        } else {
            llama_swap_word(word.text())
        }
    }));
    text
}

fn matrix<'p>(swap: &Swap, roles: &[(&SwappedModel, &'p Role)]) -> Matrix<'p> {
    let names = variables(roles.iter().map(|(_, role)| &*role.name));
    let name = |index: usize| names.get(index).cloned().unwrap_or_default();
    let set = |(number, set): (usize, &Vec<usize>)| {
        (format!("set{}", number + 1), set.iter().map(|index| name(*index)).collect::<Vec<_>>().join(" & "))
    };
    let costs =
        roles.iter().enumerate().map(|(index, (model, _))| Some((name(index), model.load_seconds?.max(1))));
    Matrix {
        vars: Entries(names.iter().cloned().zip(roles.iter().map(|(_, role)| &*role.name)).collect()),
        // Costs in different units could not be compared.
        evict_costs: Entries(costs.collect::<Option<_>>().unwrap_or_default()),
        sets: Entries(swap.sets.iter().enumerate().map(set).collect()),
    }
}

/// Maximum length of a variable (`config-schema.json`).
const MAX_VARIABLE: usize = 8;

/// A variable for each name: its letters and digits, with a number if several names have the same ones.
fn variables<'p>(names: impl Iterator<Item = &'p str>) -> Vec<String> {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut next: BTreeMap<String, u32> = BTreeMap::new();
    let all = names.map(|name| {
        let plain: String = name.chars().filter(char::is_ascii_alphanumeric).take(MAX_VARIABLE).collect();
        let mut variable = plain.clone();
        while !taken.insert(variable.clone()) {
            let number = next.entry(plain.clone()).and_modify(|number| *number += 1).or_insert(2).to_string();
            let kept = MAX_VARIABLE.saturating_sub(number.len()).min(plain.len());
            variable = format!("{}{number}", plain.get(..kept).unwrap_or_default());
        }
        variable
    });
    all.collect()
}

/// Groups with which one model on demand runs at a time, and those that start at boot stay.
fn groups<'p>(roles: &[(&SwappedModel, &'p Role)]) -> Entries<&'static str, Group<'p>> {
    let of =
        |start: Start| roles.iter().filter(move |(_, role)| role.start == start).map(|(_, role)| &*role.name);
    let (at_boot, on_demand): (Vec<&str>, Vec<&str>) =
        (of(Start::Boot).collect(), of(Start::OnDemand).collect());
    let group = |swap, members| Group { swap, exclusive: false, persistent: !swap, members };
    let groups = [("at-boot", group(false, at_boot)), ("on-demand", group(true, on_demand))];
    Entries(groups.into_iter().filter(|(_, group)| !group.members.is_empty()).collect())
}
