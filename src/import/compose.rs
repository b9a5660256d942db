//! Reads compose files with servers of llama.cpp (the Compose Specification; compose-go of July 2026).

mod dotenv;
mod files;
mod image;
mod interpolate;
mod network;
mod recognize;
mod service;
mod settings;

use super::source::{At, Reader, Surroundings};
use super::words::is_secret;
use crate::syntax::yaml::tree;
use files::Project;
use service::ServiceReader;
use std::collections::BTreeMap;

/// Top-level keys without an effect on a server.
const SILENT: &[&str] = &["version", "name", "services"];

/// The names of compose files that compose finds, and of the files that it reads in addition.
const NAMES: &[&str] = &["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const OVERRIDES: &[&str] = &[
    "compose.override.yaml",
    "compose.override.yml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
];

/// True if a text is a compose file: it has `services` at the top level, and one of them has an image, a build or a command.
pub fn is_compose(text: &str) -> bool {
    const KEYS: &[&str] = &["image", "build", "extends", "command"];
    if text.trim_start().starts_with('{') {
        let root = tree(text).root.unwrap_or_default();
        let services = root.get("services").map_or(&[][..], |services| services.value.entries());
        return services.iter().any(|service| KEYS.iter().any(|key| service.value.get(key).is_some()));
    }
    let is_key = |line: &str, key: &str| {
        let line = line.trim_start_matches(['"', '\'']);
        let rest = line.strip_prefix(key).map(|rest| rest.trim_start_matches(['"', '\'']).trim_start());
        rest.is_some_and(|rest| rest.starts_with(':'))
    };
    let has_key = |line: &str| {
        let line = line.trim_start();
        KEYS.iter().any(|key| {
            is_key(line, key) || line.contains(&format!("{{{key}:")) || line.contains(&format!("{{ {key}:"))
        })
    };
    text.lines().any(|line| is_key(line, "services")) && text.lines().any(has_key)
}

/// Reads a file. Its services with a server of llama.cpp are servers.
pub fn read(reader: &mut Reader<'_>, file: usize) {
    let variables = Variables::read(reader, file);
    let lookup = |name: &str| variables.get(name);
    let Some(project) = Project::read(reader, file, &lookup) else { return };
    for entry in project.services() {
        service::read(reader, &project, &variables, entry);
    }
    lose_top_level(reader, &project);
    lose_overrides(reader, file);
}

/// The variables of a project: those of the user win over `.env`.
struct Variables<'r> {
    around: &'r dyn Surroundings,
    dotenv: BTreeMap<String, String>,
}

impl<'r> Variables<'r> {
    fn read(reader: &mut Reader<'r>, file: usize) -> Self {
        let mut variables = Self { around: reader.around, dotenv: BTreeMap::new() };
        let path = super::source::join(&reader.folder_of(file), ".env");
        if reader.around.text(&path).is_err() {
            return variables;
        }
        let Some(dotenv) = reader.companion(file, ".env") else { return variables };
        let text = reader.found.files.get(dotenv).map(|file| file.text.clone()).unwrap_or_default();
        let around = reader.around;
        let found = dotenv::read(&text, dotenv, &|name| around.variable(name));
        reader.found.losses.extend(found.losses);
        variables.dotenv = found.variables.into_iter().map(|(name, value)| (name, value.text)).collect();
        variables
    }

    /// The value of a variable. A secret has its name as its value, as in `${NAME}`.
    fn get(&self, name: &str) -> Option<String> {
        let value = self.around.variable(name).or_else(|| self.dotenv.get(name).cloned());
        value.map(|value| without_secret(name, value))
    }
}

/// The value of a variable, or its name in `${}` if the value is a secret.
fn without_secret(name: &str, value: String) -> String {
    if is_secret(name) && !value.is_empty() { format!("${{{name}}}") } else { value }
}

/// Reports the parts of the compose file that are no services.
fn lose_top_level(reader: &mut Reader<'_>, project: &Project) {
    let Some(source) = project.files.first() else { return };
    for entry in source.root.entries() {
        let key = entry.key.as_str();
        let is_empty = entry.value.is_null();
        if SILENT.contains(&key) || key.starts_with("x-") || is_empty {
            continue;
        }
        let names = entry.value.entries().iter().map(|entry| entry.key.as_str());
        let items =
            entry.value.items().iter().map(|item| item.scalar().map_or("…", |scalar| scalar.text.as_str()));
        let names: Vec<&str> = names
            .chain(items)
            .chain(entry.value.scalar().map(|scalar| scalar.text.as_str()))
            .take(10)
            .collect();
        let why = match key {
            "include" => "import each of these files too",
            "volumes" => {
                "the container engine selects the folders; copy their files into folders of the host"
            }
            "networks" => "a role has the network of its host",
            "secrets" | "configs" => "a role reads files of the host",
            _ => "no registry has it",
        };
        reader.lose(format!("{key}: {}", names.join(", ")), At { file: source.file, line: entry.line }, why);
    }
}

/// Reports a file that compose merges into this one.
fn lose_overrides(reader: &mut Reader<'_>, file: usize) {
    let path = reader.found.files.get(file).map(|file| file.path.clone()).unwrap_or_default();
    if !NAMES.contains(&path.rsplit('/').next().unwrap_or(&path)) {
        return;
    }
    let folder = reader.folder_of(file);
    for name in OVERRIDES {
        if reader.around.text(&super::source::join(&folder, name)).is_ok() {
            let why = "compose also reads this file; import the output of `docker compose config` instead";
            reader.lose(*name, At { file, line: 1 }, why);
        }
    }
}
