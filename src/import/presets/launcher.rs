//! The command line and the environment of the router.

use super::merge::{self, Setting};
use super::{OptionTable, PresetOption, options};
use crate::import::source::{
    At, Program, Published, Reader, Server, SourceGateway, SourceGatewayKind, SourcePlacement, Start, Word,
};
use std::collections::BTreeMap;

/// The settings that the models of a router take from it.
#[derive(Debug, Default)]
pub(super) struct Launcher {
    /// The options of the router, each once.
    pub(super) overrides: Vec<Setting>,
    /// True if a variable of the router selects a model.
    pub(super) has_model_variable: bool,
    /// The index of the gateway.
    gateway: usize,
    env: Vec<(String, Word)>,
    folder: Option<Word>,
    mounts: Vec<(String, String)>,
    placement: SourcePlacement,
    gpus: Option<&'static str>,
    is_user: bool,
}

impl Launcher {
    /// Sets everything that a model takes from the router.
    pub(super) fn equip(&self, server: &mut Server) {
        server.gateway = Some(self.gateway);
        server.env.clone_from(&self.env);
        server.folder.clone_from(&self.folder);
        server.mounts.clone_from(&self.mounts);
        server.placement = self.placement.clone();
        server.gpus = self.gpus;
        server.is_user = self.is_user;
    }
}

/// An option of the router: from its command line, or from its environment.
struct Given {
    option: PresetOption,
    value: Option<Word>,
    at: At,
    /// The option as it is written, without a secret.
    written: String,
    is_on: bool,
}

/// Reads the command line of the router, and adds its gateway.
pub(super) fn read(
    reader: &mut Reader<'_>,
    file: usize,
    router: Option<Server>,
    table: &dyn OptionTable,
) -> Launcher {
    let mut launcher = Launcher { gateway: reader.found.gateways.len(), ..Launcher::default() };
    let mut gateway = SourceGateway::new(SourceGatewayKind::Router, At { file, line: 1 });
    if let Some(router) = router {
        gateway.at = router.at;
        gateway.is_user = router.is_user;
        adopt(reader, router, &mut gateway, &mut launcher, table);
    }
    reader.found.gateways.push(gateway);
    launcher
}

fn adopt(
    reader: &mut Reader<'_>,
    router: Server,
    gateway: &mut SourceGateway,
    launcher: &mut Launcher,
    table: &dyn OptionTable,
) {
    report(reader, &router);
    gateway.program = match router.program {
        Program::Path(word) => Some(word),
        Program::Image { tool, .. } => tool,
        Program::Gateway => None,
    };
    let from_env = variables(router.env, table, launcher);
    let from_words = command_line(reader, router.args, table);
    let mut last: BTreeMap<String, Given> = BTreeMap::new();
    for given in from_env.into_iter().chain(from_words) {
        if let Some(other) = last.insert(given.option.title.clone(), given) {
            let winner = last.get(&other.option.title).map_or("", |winner| &winner.written);
            if winner != other.written {
                reader.lose(other.written, other.at, format!("`{winner}` wins"));
            }
        }
    }
    let mut last: Vec<Given> = last.into_values().collect();
    last.sort_by_key(|given| given.at);
    for given in last {
        apply(reader, given, gateway, launcher);
    }
    publish(reader, router.published, gateway);
    launcher.folder = router.folder;
    launcher.mounts = router.mounts;
    launcher.placement = router.placement;
    launcher.gpus = router.gpus;
    launcher.is_user = router.is_user;
}

/// Reports the settings of the server that have no field of a gateway.
fn report(reader: &mut Reader<'_>, router: &Server) {
    reader.found.losses.extend(router.losses.iter().cloned());
    reader.found.losses.extend(router.unreadable.iter().cloned());
    for change in &router.changes {
        reader.lose(format!("{}: {}", change.option, change.was), change.at, change.why.clone());
    }
    if let (Start::OnDemand, at) = router.start {
        let why = "orchgen starts the router with the machine";
        reader.lose(format!("{}: start at the first request", router.name), at.unwrap_or(router.at), why);
    }
    if let Some(health) = &router.health {
        reader.lose(
            format!("health check {}", health.text),
            health.at,
            "orchgen asks the router for its models",
        );
    }
    if let Some((seconds, at)) = router.idle {
        let why = "a router does not end when it is idle";
        reader.lose(format!("idle time of the router: {seconds} s"), at, why);
    }
}

/// The variables of the router that are options for it alone. The others are variables of the models.
fn variables(env: Vec<(String, Word)>, table: &dyn OptionTable, launcher: &mut Launcher) -> Vec<Given> {
    let mut found = Vec::new();
    for (name, word) in env {
        let option = options::find(table, &name).filter(|option| is_of_router(&option.title));
        let Some(option) = option else {
            let title = options::find(table, &name).map(|option| option.title);
            launcher.has_model_variable |= title.is_some_and(|title| options::is_model(&title));
            launcher.env.push((name, word));
            continue;
        };
        let is_secret = options::is_secret(&option.title);
        let written = if is_secret { name } else { format!("{name}={}", word.text) };
        let is_on = !option.is_negative && merge::is_truthy(&word.text);
        found.push(Given { option, at: word.at, value: Some(word), written, is_on });
    }
    found
}

/// The options of a command line. Words that are none are reported.
fn command_line(reader: &mut Reader<'_>, args: Vec<Word>, table: &dyn OptionTable) -> Vec<Given> {
    let mut found = Vec::new();
    let mut args = args.into_iter().peekable();
    args.next_if(|word| word.text == "serve");
    while let Some(word) = args.next() {
        let Some(option) = options::find(table, &word.text) else {
            let value = args.next_if(|next| !next.text.starts_with('-'));
            let written = value.map_or(word.text.clone(), |value| format!("{} {}", word.text, value.text));
            reader.lose(written, word.at, "llama-server does not know this option");
            continue;
        };
        let value = if option.takes_value { args.next() } else { None };
        let written = match &value {
            Some(value) if !options::is_secret(&option.title) => format!("{} {}", word.text, value.text),
            _ => word.text.clone(),
        };
        if option.takes_value && value.is_none() {
            reader.lose(written, word.at, "the value is missing");
            continue;
        }
        let is_on = !option.is_negative;
        found.push(Given { option, value, at: word.at, written, is_on });
    }
    found
}

/// True if an option does not reach the models.
fn is_of_router(title: &str) -> bool {
    let own = ["--alias", "--log-file", "--model", "--hf-repo"];
    own.contains(&title) || options::removed(title).is_some()
}

fn apply(reader: &mut Reader<'_>, given: Given, gateway: &mut SourceGateway, launcher: &mut Launcher) {
    let at = given.at;
    let text = given.value.as_ref().map_or("", |value| &value.text).to_owned();
    let why = match given.option.title.as_str() {
        "--models-preset" => return,
        "--models-max" => match text.parse() {
            Ok(most) => {
                gateway.most = Some((most, at));
                return;
            }
            Err(_) => "no number of models",
        },
        "--port" => match text.parse() {
            Ok(port) if port > 0 => {
                gateway.port = Some((port, at));
                return;
            }
            _ => "no port; set `port` of the gateway",
        },
        "--host" => {
            gateway.listen = given.value;
            return;
        }
        "--api-key-file" => {
            gateway.key_file = given.value;
            return;
        }
        "--models-autoload" if given.is_on => return,
        title => match of_router(title) {
            Some(why) => why,
            None => {
                let words = if given.option.takes_value {
                    vec![given.option.title.clone(), text]
                } else {
                    let word = if given.is_on { "1" } else { "0" };
                    let option = PresetOption { is_negative: false, ..given.option.clone() };
                    merge::words(&option, word).0
                };
                let title = given.option.title;
                launcher.overrides.push(Setting { title, words, at, written: given.written });
                return;
            }
        },
    };
    reader.lose(given.written, at, why);
}

/// The reason why an option of the router is lost.
fn of_router(title: &str) -> Option<&'static str> {
    Some(match title {
        "--models-autoload" => "a router of orchgen loads a model at its first request",
        "--models-dir" => "the models of a folder are unknown; write a section for each",
        "--api-key" => "a secret is not copied; write the key into a file, and set `key-file` of the gateway",
        "--ssl-key-file" | "--ssl-cert-file" => "orchgen has no TLS; put a proxy in front of the gateway",
        "--alias" => "a router has no name; models have names in their sections",
        "--log-file" | "--log-colors" => "only the router uses it; systemd logs to the journal",
        "--model" | "--hf-repo" => "with a model, llama-server is no router, and ignores the presets",
        "--mmproj" => "the router removes it; write it into the sections",
        _ => return None,
    })
}

/// The published port of a router in a container.
fn publish(reader: &mut Reader<'_>, published: Vec<Published>, gateway: &mut SourceGateway) {
    let inside = gateway.port.map_or(8080, |(port, _)| port);
    let mut is_found = false;
    for one in published {
        if one.inside == inside && !is_found {
            is_found = true;
            gateway.port = Some((one.port, one.at));
            gateway.listen = Some(Word::new(one.host, one.at));
        } else {
            let what = format!("port {}:{}:{}", one.host, one.port, one.inside);
            reader.lose(what, one.at, "a gateway has one port");
        }
    }
}
