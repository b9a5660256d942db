//! Recognizes configurations of other tools in YAML by their keys.

use crate::diag::Diagnostic;
use crate::diag::words::quoted;
use crate::hir::codes::UNKNOWN_KIND;
use crate::syntax::{Document, Language, Node};

/// The finding for a YAML document that configures another tool. Nothing else of the file is read. `name` is the path of the file.
pub(in crate::hir::lower) fn other_tool(document: &Document, name: &str) -> Option<Diagnostic> {
    if document.language != Language::Yaml {
        return None;
    }
    let section = |key: &str| document.nodes.iter().find(|node| node.key == key);
    let entries = |key: &str| section(key).map_or(&[][..], |section| &section.fields);
    let place_of = |key: &str, keys: &[&str]| {
        entries(key).iter().find_map(|entry| field(entry, keys)).map(|field| field.key_span)
    };
    if let Some(span) = place_of("models", &["cmd"]) {
        let message = "this file is a configuration of llama-swap, not a registry";
        return Some(import(UNKNOWN_KIND.at(span, "a registry has no command lines", message), name));
    }
    if let Some(span) = place_of("services", &["image", "build", "command"]) {
        let message = "this file is for Docker Compose, not a registry";
        return Some(import(UNKNOWN_KIND.at(span, "a registry has no services", message), name));
    }
    let tools = [("model_list", "a configuration of LiteLLM"), ("apiVersion", "a manifest of Kubernetes")];
    let (key, what) = tools.iter().find(|(key, _)| section(key).is_some())?;
    let node = section(key)?;
    let message = format!("this file is {what}, not a registry");
    let finding = UNKNOWN_KIND.at(node.key_span, "not a kind of item", message);
    Some(
        finding.help("move it out of this folder; `orchgen init NEW_FOLDER` writes an example of a registry"),
    )
}

fn field<'n, 'd>(node: &'n Node<'d>, keys: &[&str]) -> Option<&'n Node<'d>> {
    node.fields.iter().find(|field| keys.contains(&&*field.key))
}

/// Adds the help for a file that orchgen imports.
fn import(finding: Diagnostic, name: &str) -> Diagnostic {
    finding.help(import_help(name))
}

/// The help for a file that orchgen imports: its path, and where the registry goes.
pub(super) fn import_help(name: &str) -> String {
    let base = name.rsplit('/').next().unwrap_or(name);
    format!(
        "move it out of this folder, and make a registry of it: `orchgen import {}`, with `--out FOLDER` for another folder than `registry`",
        if base.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) {
            base.to_owned()
        } else {
            quoted(base)
        }
    )
}
