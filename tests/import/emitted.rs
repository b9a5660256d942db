//! The processes of a build, read from the files of its output.

use crate::containers::facts::{Facts, of_compose, of_quadlet};
use crate::llama_swap::words::split;
use crate::outside::split_words;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// A process of a build.
#[derive(Clone, Debug, Default)]
pub(super) struct Emitted {
    pub(super) role: String,
    /// The program and its arguments.
    pub(super) words: Vec<String>,
    pub(super) names: BTreeSet<String>,
    pub(super) ports: BTreeSet<u16>,
    pub(super) host: String,
    pub(super) env: BTreeMap<String, String>,
    /// The memory policy and its nodes.
    pub(super) memory: Option<(String, String)>,
    pub(super) cpus: Option<String>,
    pub(super) start: String,
    pub(super) idle: u64,
    /// The roles that may be in memory at the same time, if a gateway decides.
    pub(super) together: Option<BTreeSet<String>>,
}

/// All processes below an output folder, except further instances.
#[track_caller]
pub(super) fn read(out: &Path) -> Vec<Emitted> {
    let stack: Value = serde_json::from_str(&text(&out.join("stack.json")).unwrap()).unwrap();
    let name = stack["stack"].as_str().unwrap();
    let roles = stack["roles"].as_array().unwrap().iter().filter(|role| role["shares"].is_null());
    roles.map(|role| process(out, name, role)).collect()
}

fn text(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

fn process(out: &Path, stack: &str, role: &Value) -> Emitted {
    let texts = |key: &str| role[key].as_array().into_iter().flatten().map(|word| word.as_str().unwrap());
    let mut found = Emitted {
        role: role["name"].as_str().unwrap().to_owned(),
        names: texts("names").map(str::to_owned).collect(),
        start: role["start"].as_str().unwrap_or_default().to_owned(),
        ..Emitted::default()
    };
    found.ports = texts("endpoints")
        .filter_map(|url| url.rsplit(':').next()?.trim_end_matches('/').parse().ok())
        .collect();
    let service = format!("{stack}-{}", found.role);
    if out.join("bin").join(&found.role).is_file() {
        found.words = printed(&out.join("bin").join(&found.role));
    }
    found.read_units(out, &service);
    found.read_containers(out, &service);
    if let Some(gateway) = role["gateway"].as_str() {
        found.read_llama_swap(out, gateway);
        found.read_presets(out, gateway);
    }
    let host = value_after(&found.words, "--host").filter(|_| found.host.is_empty());
    found.host = host.unwrap_or_else(|| std::mem::take(&mut found.host));
    found
}

/// The words that a script would run.
#[track_caller]
fn printed(script: &Path) -> Vec<String> {
    let output = Command::new("bash").arg(script).args(["--dry-run", "--print0"]).output().unwrap();
    assert!(output.status.success(), "{}: {output:?}", script.display());
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_terminator('\0').map(str::to_owned).collect()
}

fn value_after(words: &[String], option: &str) -> Option<String> {
    words.iter().position(|word| word == option).and_then(|at| words.get(at + 1)).cloned()
}

impl Emitted {
    /// The variables, the placement and the idle time of the units.
    fn read_units(&mut self, out: &Path, service: &str) {
        for ending in [".service", "-backend.service"] {
            let Some(text) = text(&out.join("systemd").join(format!("{service}{ending}"))) else { continue };
            for (key, value) in text.replace("\\\n", " ").lines().filter_map(|line| line.split_once('=')) {
                match key {
                    "Environment" => {
                        let word = split_words(value).remove(0).replace("%%", "%");
                        let (name, value) = word.split_once('=').unwrap();
                        self.env.insert(name.to_owned(), value.to_owned());
                    }
                    "NUMAPolicy" => value.clone_into(&mut self.memory.get_or_insert_default().0),
                    "NUMAMask" => value.clone_into(&mut self.memory.get_or_insert_default().1),
                    "CPUAffinity" => self.cpus = Some(value.to_owned()),
                    "ExecStart" => {
                        let idle = value.split_once("--exit-idle-time=").map(|(_, rest)| rest);
                        self.idle = idle.map_or(self.idle, |idle| seconds(idle.split(' ').next().unwrap()));
                    }
                    _ => {}
                }
            }
        }
    }

    fn read_containers(&mut self, out: &Path, service: &str) {
        let compose = text(&out.join("compose/compose.yaml")).map(|text| of_compose(&text));
        let quadlet = text(&out.join(format!("quadlet/{service}.container"))).map(|text| of_quadlet(&text));
        let found = quadlet.or_else(|| compose?.remove(service));
        let Some(Facts { args, env, ports, .. }) = found else { return };
        self.words = std::iter::once("llama-server".to_owned()).chain(args).collect();
        self.env.extend(env);
        ports[0].split(':').next().unwrap().clone_into(&mut self.host);
    }

    fn read_llama_swap(&mut self, out: &Path, gateway: &str) {
        let Some(text) = text(&out.join(format!("llama-swap/{gateway}.yaml"))) else { return };
        let config: Value = serde_yaml::from_str(&text).unwrap();
        let model = &config["models"][&self.role];
        let mut words = split(model["cmd"].as_str().unwrap(), &[("PORT", "18000")]);
        let wrapper: Vec<String> = match words.iter().position(|word| word == "--") {
            Some(at) if words[0] == "numactl" => words.drain(..=at).collect(),
            _ => Vec::new(),
        };
        for (option, value) in wrapper.iter().filter_map(|word| word.split_once('=')) {
            match option {
                "--membind" => self.memory = Some(("bind".to_owned(), value.to_owned())),
                "--interleave" => self.memory = Some(("interleave".to_owned(), value.to_owned())),
                "--physcpubind" => self.cpus = Some(value.to_owned()),
                _ => {}
            }
        }
        self.words = words;
        let env = model["env"].as_array().into_iter().flatten();
        let env = env.map(|one| one.as_str().unwrap().split_once('=').unwrap());
        self.env.extend(env.map(|(name, value)| (name.to_owned(), value.to_owned())));
        self.idle = model["ttl"].as_u64().unwrap_or_default();
        self.together = Some(together(&config["matrix"], &self.role));
    }

    /// The words that a router gives to the server of a section.
    fn read_presets(&mut self, out: &Path, gateway: &str) {
        let Some(text) = text(&out.join(format!("router/{gateway}.ini"))) else { return };
        let section = text.split(&format!("\n[{}]\n", self.role)).nth(1).unwrap();
        let entries = section.lines().take_while(|line| !line.starts_with('['));
        let router = printed(&out.join("bin").join(gateway));
        self.host = value_after(&router, "--host").unwrap_or_default();
        self.words = vec![router[0].clone()];
        for (key, value) in entries.filter_map(|line| line.split_once(" = ")) {
            match (key, value) {
                ("load-on-startup" | "stop-timeout" | "alias", _) => {}
                (_, "true") => self.words.push(format!("--{key}")),
                (_, "false") => self.words.push(format!("--no-{key}")),
                _ => self.words.extend([format!("--{key}"), value.to_owned()]),
            }
        }
        let unit = out.join("systemd");
        for entry in std::fs::read_dir(unit).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if let Some(service) = name.strip_suffix(&format!("-{gateway}.service")) {
                self.read_units(out, &format!("{service}-{gateway}"));
            }
        }
    }
}

/// The roles that are in a set with a role.
fn together(matrix: &Value, role: &str) -> BTreeSet<String> {
    let model = |name: &str| matrix["vars"][name].as_str().unwrap_or(name).to_owned();
    let sets = matrix["sets"].as_object().into_iter().flatten();
    let sets = sets.map(|(_, set)| -> BTreeSet<String> {
        set.as_str().unwrap().split('&').map(|name| model(name.trim())).collect()
    });
    sets.filter(|set| set.contains(role)).flatten().filter(|other| other != role).collect()
}

/// The seconds of a time span such as `1h 5min`.
fn seconds(span: &str) -> u64 {
    let digits = span.find(|c: char| !c.is_ascii_digit()).unwrap_or(span.len());
    let factor = match &span[digits..] {
        "h" => 3600,
        "min" => 60,
        _ => 1,
    };
    span[..digits].parse::<u64>().unwrap() * factor
}
