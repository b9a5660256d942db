//! A page of the guide with its steps.

use super::blocks::{Step, assert_output, assert_part, steps};
use crate::support::{Compiled, compile, repository};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// The profile of a probed build.
const PROBED: &str = include_str!("../../src/engine/llama/profiles/llama.cpp-b11669.json");

/// A page of `templates/guide`.
pub(crate) struct Page {
    name: String,
    pub(super) text: String,
    steps: Vec<(usize, Step)>,
}

/// Runs the commands of a page, and has its files.
pub(crate) trait Machine {
    /// True if it has a booted systemd and a real llama-server.
    fn has_systemd(&self) -> bool;
    /// Writes a file of the page.
    fn write(&self, path: &str, text: &str);
    /// The text of a file.
    fn read(&self, path: &str) -> String;
    /// Fails if the registry has findings.
    fn check(&self);
    /// Runs commands in bash. Returns their output and the exit code.
    fn run(&self, commands: &str) -> (String, i32);
    /// The text of the page as this machine prints it.
    fn expected(&self, text: &str) -> String {
        text.to_owned()
    }
}

/// The names of all pages.
pub(super) fn pages() -> BTreeSet<String> {
    let entries = fs::read_dir(repository().join("templates/guide")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| name.strip_suffix(".md").map(str::to_owned)).collect()
}

impl Page {
    pub(crate) fn read(name: &str) -> Self {
        let text = fs::read_to_string(repository().join(format!("templates/guide/{name}.md"))).unwrap();
        Self { name: name.to_owned(), steps: steps(&text), text }
    }

    /// The whole text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn needs_rig(&self) -> bool {
        self.steps.iter().any(|(_, step)| matches!(step, Step::Commands(commands) if commands.in_rig))
    }

    /// Writes the files of the page, and runs those of its commands that this machine can run.
    #[track_caller]
    pub(crate) fn run(&self, machine: &impl Machine) {
        // The outer `None`: no commands yet. The inner one: another machine runs them.
        let mut output = None;
        for (line, step) in &self.steps {
            let place = format!("templates/guide/{}.md:{line}", self.name);
            match step {
                Step::File { path, text, .. } => machine.write(path, text),
                Step::Variant { .. } => {}
                Step::Commands(commands) if machine.has_systemd() || !commands.in_rig => {
                    let (text, code) = machine.run(&commands.text);
                    assert_eq!(code, i32::from(commands.fails), "{place}: {}\n{text}", commands.text);
                    let checks = ["orchgen check", "orchgen build"];
                    if !commands.fails && checks.iter().any(|check| commands.text.contains(check)) {
                        machine.check();
                    }
                    output = Some(Some(text));
                }
                Step::Commands(_) => output = Some(None),
                Step::Output(pattern) => {
                    let output = output.as_ref().unwrap_or_else(|| panic!("{place}: no commands before"));
                    if let Some(output) = output {
                        assert_output(&place, &machine.expected(pattern), output);
                    }
                }
                Step::Excerpt { path, text } => {
                    assert_part(&place, &machine.expected(text), &machine.read(path));
                }
            }
        }
    }

    /// The registry of the page and its variants compile without findings, in KDL as in YAML.
    #[track_caller]
    pub(super) fn check_registry(&self, lock: Option<String>) {
        // A page names this profile if a command of it creates a profile.
        let probed = self.text.contains("mine.json").then(|| ("mine.json".to_owned(), PROBED.to_owned()));
        let lock = lock.map(|text| ("registry.lock".to_owned(), text));
        let mut kdl: BTreeMap<String, String> = probed.into_iter().chain(lock).collect();
        let mut yaml = kdl.clone();
        for (line, step) in &self.steps {
            let place = format!("templates/guide/{}.md:{line}", self.name);
            match step {
                Step::File { path, text, yaml: twin } if path.starts_with("registry/") => {
                    kdl.insert(path.clone(), text.clone());
                    let (path, text) = twin.clone().unwrap_or_else(|| (path.clone(), text.clone()));
                    yaml.insert(path, text);
                }
                Step::Variant { kdl: items, yaml: twin } => {
                    let mut files = without(&kdl, items);
                    files.insert("registry/variant.kdl".to_owned(), items.clone());
                    let variant = assert_compiles(&place, &files);
                    if let Some(twin) = twin {
                        files.remove("registry/variant.kdl");
                        files.insert("registry/variant.yaml".to_owned(), twin.clone());
                        assert_same(&place, &variant, &assert_compiles(&place, &files));
                    }
                }
                Step::File { .. } | Step::Commands(_) | Step::Output(_) | Step::Excerpt { .. } => {}
            }
        }
        if !kdl.is_empty() {
            let (kdl, yaml) = (assert_compiles(&self.name, &kdl), assert_compiles(&self.name, &yaml));
            assert_same(&self.name, &kdl, &yaml);
        }
    }
}

/// Files without the items of KDL that have the kind and the name of one of these items.
fn without(files: &BTreeMap<String, String>, items: &str) -> BTreeMap<String, String> {
    let names: BTreeSet<String> = nodes(items).iter().map(|node| head(node)).collect();
    let keep = |text: &String| nodes(text).into_iter().filter(|node| !names.contains(&head(node))).collect();
    let kept = |(path, text): (&String, &String)| {
        // A profile and the lock.
        let is_kept = !path.starts_with("registry/");
        (path.clone(), if is_kept { text.clone() } else { keep(text) })
    };
    files.iter().map(kept).collect()
}

/// The nodes of a document in KDL. A node starts at the begin of a line.
fn nodes(text: &str) -> Vec<String> {
    let mut nodes: Vec<String> = Vec::new();
    for line in text.lines() {
        let is_start = line.starts_with(|c: char| c.is_alphabetic());
        match nodes.last_mut() {
            Some(node) if !is_start => node.extend([line, "\n"]),
            _ => nodes.push(format!("{line}\n")),
        }
    }
    nodes
}

/// The kind and the name of a node.
fn head(node: &str) -> String {
    node.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn assert_compiles(place: &str, files: &BTreeMap<String, String>) -> Compiled {
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (&**path, &**text)).collect();
    let compiled = compile(&files);
    assert!(compiled.findings.is_empty(), "{place}: {}", compiled.report());
    compiled
}

/// Fails if two registries give other files.
#[track_caller]
fn assert_same(place: &str, kdl: &Compiled, yaml: &Compiled) {
    let (kdl, yaml) = (kdl.files(), yaml.files());
    assert_eq!(kdl.keys().collect::<Vec<_>>(), yaml.keys().collect::<Vec<_>>(), "{place}");
    for (path, text) in kdl {
        assert_eq!(text, yaml[&path], "{place}: {path}");
    }
}
