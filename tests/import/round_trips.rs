//! Files that orchgen writes are imported again: the new build has the same models, names and commands.

use super::library::{PROFILE, arguments, compiled, import_texts, registry};
use super::options::Options;
use crate::containers::facts::{of_compose, of_quadlet};
use crate::llama_swap::words::split;
use crate::support::{Compiled, compile};
use orchgen::compile::Import;
use orchgen::import::Format;
use orchgen::syntax::Language;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const LLAMA_SWAP: &str = include_str!("../llama_swap/stack.kdl");
const CONTAINERS: &str = include_str!("../containers/stack.kdl");
const SYSTEMD: &str = include_str!("../systemd/stack.kdl");
const ROUTER: &str = include_str!("../scripts/gateways.kdl");

#[track_caller]
fn import_of(files: &[(String, String)], format: Format) -> (Import, Compiled) {
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let imported = import_texts(&files, format, PROFILE, Language::Kdl);
    let again = compiled(&imported);
    assert!(again.checked.is_some(), "{}\n{}", again.report(), registry(&imported));
    (imported, again)
}

/// The files of a folder of an output, by their names.
fn files_of(compiled: &Compiled, folder: &str, ending: &str) -> Vec<(String, String)> {
    let files = compiled.files();
    let own = files.iter().filter(|(path, _)| path.starts_with(folder) && path.ends_with(ending));
    own.map(|(path, (text, _))| (path.rsplit('/').next().unwrap().to_owned(), text.clone())).collect()
}

/// The options of a command line without its address and names. orchgen writes `--numa` for hosts with several nodes, which
/// the sources do not have.
fn options(args: &[String]) -> BTreeMap<String, String> {
    let mut options = Options::read(args).values;
    options.retain(|name, _| !["--host", "--port", "--alias", "--numa"].contains(&name.as_str()));
    options
}

/// A model of a llama-swap file.
#[derive(Debug, PartialEq)]
struct Model {
    program: String,
    options: BTreeMap<String, String>,
    rest: Vec<String>,
    names: BTreeSet<String>,
    ttl: u64,
    env: BTreeSet<String>,
    endpoint: String,
}

fn models(config: &Value) -> BTreeMap<String, Model> {
    let model = |(name, model): (&String, &Value)| {
        let words = split(model["cmd"].as_str().unwrap(), &[("PORT", "18000")]);
        let texts = |key: &str| -> BTreeSet<String> {
            let list = model[key].as_array().into_iter().flatten();
            list.map(|text| text.as_str().unwrap().to_owned()).collect()
        };
        let at = words.iter().position(|word| word == "--").map_or(0, |at| at + 1);
        let found = Options::read(&words[at + 1..]);
        let mut names = texts("aliases");
        names.insert(name.clone());
        let model = Model {
            // The placement of another program is not compared.
            program: words[if words[at].ends_with("/llama-server") { 0 } else { at }..=at].join(" "),
            options: options(&words[at + 1..]),
            rest: found.rest,
            names,
            ttl: model["ttl"].as_u64().unwrap_or_default(),
            env: texts("env"),
            endpoint: model["checkEndpoint"].as_str().unwrap_or("/health").to_owned(),
        };
        (name.clone(), model)
    };
    config["models"].as_object().unwrap().iter().map(model).collect()
}

/// The sets of models that can be in memory at the same time.
fn sets(config: &Value) -> BTreeSet<BTreeSet<String>> {
    let matrix = &config["matrix"];
    let model = |name: &str| matrix["vars"][name.trim()].as_str().unwrap_or(name).to_owned();
    let all = matrix["sets"].as_object().into_iter().flatten();
    all.map(|(_, set)| set.as_str().unwrap().split('&').map(model).collect()).collect()
}

fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

#[test]
fn llama_swap_files_come_back() {
    let lines: Vec<&str> = LLAMA_SWAP.lines().filter(|line| !line.contains("own-key")).collect();
    let text = lines.join("\n");
    let original = compile(&[("stack.kdl", &text)]);
    for gateway in ["front", "keyed"] {
        let text = original.files().remove(&format!("llama-swap/{gateway}.yaml")).unwrap().0;
        let (imported, again) = import_of(&[("config.yaml".to_owned(), text.clone())], Format::LlamaSwap);
        let written = again.files().remove("llama-swap/config.yaml").unwrap().0;
        let (before, after) = (yaml(&text), yaml(&written));
        let (was, is) = (models(&before), models(&after));
        assert_eq!(was.keys().collect::<Vec<_>>(), is.keys().collect::<Vec<_>>(), "{}", registry(&imported));
        for (name, model) in &was {
            assert_eq!(model, &is[name], "{gateway} {name}: {}", registry(&imported));
        }
        assert_eq!(sets(&before), sets(&after), "{gateway}: {}", registry(&imported));
        assert_eq!(before["hooks"], after["hooks"], "{gateway}");
    }
}

/// The sections of a preset file.
fn sections(text: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut found: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut section = String::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            name.clone_into(&mut section);
            found.entry(section.clone()).or_default();
        } else if let Some((key, value)) = line.split_once(" = ").filter(|_| !line.starts_with(';')) {
            found.entry(section.clone()).or_default().insert(key.to_owned(), value.to_owned());
        }
    }
    found.remove("");
    found
}

#[test]
fn preset_files_come_back() {
    let original = compile(&[("stack.kdl", &ROUTER.replace("/rig", "/opt/rig"))]);
    let files = files_of(&original, "router/", ".ini");
    assert!(files.len() > 1, "{files:?}");
    for (name, text) in files {
        let (imported, again) = import_of(&[(name.clone(), text.clone())], Format::Presets);
        let written = again.files().remove("router/presets.ini").unwrap().0;
        assert_eq!(sections(&text), sections(&written), "{name}: {}", registry(&imported));
    }
}

/// The arguments of the servers of an import by the names of the original roles: their aliases.
fn by_port(compiled: &Compiled) -> BTreeMap<String, BTreeMap<String, String>> {
    let port = |args: &Vec<String>| Options::read(args).values["--port"].clone();
    arguments(compiled).values().map(|args| (port(args), options(args))).collect()
}

/// The options of both, without those that are equal.
fn differences(
    was: &BTreeMap<String, String>,
    is: &BTreeMap<String, String>,
    exceptions: &[&str],
) -> Vec<String> {
    let differs = |a: &BTreeMap<String, String>, b: &BTreeMap<String, String>, sign: &str| {
        let own = a
            .iter()
            .filter(|(name, value)| b.get(*name) != Some(value) && !exceptions.contains(&name.as_str()));
        own.map(|(name, value)| format!("{sign}{name} {value}")).collect::<Vec<_>>()
    };
    [differs(was, is, "-"), differs(is, was, "+")].concat()
}

#[test]
fn units_come_back() {
    let text = SYSTEMD.replace("VERSION USER", "257");
    let text = text.replace("BIN", "/opt/engine").replace("MODELS", "/srv/models");
    let text = text.replace(" lock=#true", "");
    let original = compile(&[("stack.kdl", &text)]);
    let files: Vec<(String, String)> = files_of(&original, "systemd/", ".service")
        .into_iter()
        .filter(|(_, text)| text.contains("/llama-server"))
        .collect();
    assert!(files.len() > 15, "{}", files.len());
    let (imported, again) = import_of(&files, Format::Systemd);
    let (before, after) = (by_port(&original), by_port(&again));
    let mut faults = Vec::new();
    for (port, was) in &before {
        match after.get(port) {
            Some(is) => {
                // The key file is a credential of the unit, and a variable of the unit is an option.
                let found = differences(was, is, &["--api-key-file", "--threads-http"]);
                faults.extend(found.iter().map(|text| format!("{port}: {text}")));
            }
            None => faults.push(format!("{port}: no role")),
        }
    }
    assert!(faults.is_empty(), "{}\n{}", faults.join("\n"), registry(&imported));
}

/// The fixture of the containers without its odd words.
fn containers() -> Compiled {
    let words = [
        ("IMAGE", "ghcr.io/example/llama.cpp:server-b11669"),
        ("ODD_TITLE", "Odd"),
        ("ODD_FOLDER", "/srv/odd"),
    ];
    let more = [("ODD_FILE", "odd"), ("ODD_ALIAS", "odd"), ("ODD_WORD", "odd")];
    let text =
        words.iter().chain(&more).fold(CONTAINERS.to_owned(), |text, (from, to)| text.replace(from, to));
    let text = text.replace(" lock=#true", "").replace("listen \"127.0.0.1\" ", "listen ");
    compile(&[("stack.kdl", &text)])
}

/// The containers of a build: the options with the variables, and the published ports.
type Containers = BTreeMap<String, (BTreeMap<String, String>, BTreeMap<String, String>)>;

fn quadlets(compiled: &Compiled) -> Containers {
    let all = files_of(compiled, "quadlet/", ".container").into_iter().map(|(_, text)| of_quadlet(&text));
    all.map(|facts| (facts.ports.join(" "), (options(&facts.args), facts.env))).collect()
}

fn composed(compiled: &Compiled) -> Containers {
    let text = compiled.files().remove("compose/compose.yaml").unwrap().0;
    let all = of_compose(&text).into_values();
    all.map(|facts| (facts.ports.join(" "), (options(&facts.args), facts.env))).collect()
}

#[track_caller]
fn assert_containers(before: &Containers, after: &Containers, imported: &Import) {
    let mut faults = Vec::new();
    for (ports, (was, env)) in before {
        let Some((is, now)) = after.get(ports) else {
            faults.push(format!("{ports}: no container"));
            continue;
        };
        faults.extend(differences(was, is, &[]).iter().map(|text| format!("{ports}: {text}")));
        faults.extend(differences(env, now, &[]).iter().map(|text| format!("{ports}: env {text}")));
    }
    assert!(!before.is_empty() && faults.is_empty(), "{}\n{}", faults.join("\n"), registry(imported));
}

#[test]
fn quadlets_come_back() {
    let original = containers();
    let (imported, again) = import_of(&files_of(&original, "quadlet/", ".container"), Format::Quadlet);
    assert_containers(&quadlets(&original), &quadlets(&again), &imported);
}

#[test]
fn compose_files_come_back() {
    let original = containers();
    let (imported, again) = import_of(&files_of(&original, "compose/", ".yaml"), Format::Compose);
    assert_containers(&composed(&original), &composed(&again), &imported);
}
