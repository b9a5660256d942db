//! Recognizes configurations of other tools in YAML by their keys.

use crate::diag::Diagnostic;
use crate::diag::words::quoted;
use crate::hir::codes::UNKNOWN_KIND;
use crate::syntax::{Document, Language, Node, Scalar, Value};

/// The finding for a YAML document that configures another tool. Nothing else of the file is read.
pub(in crate::hir::lower) fn other_tool(document: &Document) -> Option<Diagnostic> {
    if document.language != Language::Yaml {
        return None;
    }
    let section = |key: &str| document.nodes.iter().find(|node| node.key == key);
    let entry_with = |section: Option<&'_ Node<'_>>, keys: &[&str]| {
        let entries = section.into_iter().flat_map(|section| section.fields.iter().enumerate());
        let mut found = entries.filter_map(|(at, entry)| Some((at, field(entry, keys)?.key_span)));
        found.next()
    };
    let models = section("models");
    if let (Some(models), Some((at, span))) = (models, entry_with(models, &["cmd"])) {
        let message = "this file is a configuration of llama-swap, not a registry";
        let finding = UNKNOWN_KIND.at(span, "a registry has no command lines", message);
        return Some(swap_help(finding, models.fields.get(at)?));
    }
    let services = section("services");
    if let (Some(services), Some((at, span))) =
        (services, entry_with(services, &["image", "build", "command"]))
    {
        let message = "this file is for Docker Compose, not a registry";
        let finding = UNKNOWN_KIND.at(span, "a registry has no containers", message);
        return Some(compose_help(finding, services.fields.get(at)?));
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

/// The words of all values of a field.
fn words_of<'n>(node: &'n Node<'_>) -> impl Iterator<Item = &'n str> {
    let text = |arg: &'n Scalar<'_>| match &arg.value {
        Value::String(text) => Some(&**text),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) => None,
    };
    node.args.iter().filter_map(text).flat_map(|text| text.split([' ', '\n', '=']))
}

/// The model file that a command line names.
fn model_file<'n>(entry: &'n Node<'_>, keys: &[&str]) -> Option<&'n str> {
    words_of(field(entry, keys)?).find(|word| {
        let extension = std::path::Path::new(word).extension();
        extension.is_some_and(|extension| extension.eq_ignore_ascii_case("gguf"))
    })
}

/// A name of the entry that an item can have.
fn item_name(entry: &Node) -> String {
    super::super::guess::name::similar(&entry.key).unwrap_or_else(|| "chat".to_owned())
}

fn model_and_role(finding: Diagnostic, entry: &Node, file: Option<&str>) -> Diagnostic {
    let name = item_name(entry);
    let file = file.unwrap_or("FILE.gguf");
    finding
        .help(format!(
            "write each model as an item: {}",
            quoted(&format!(
                "models: {{{name}: {{family: FAMILY, title: {name}, quant: QUANT, file: {file}}}}}"
            ))
        ))
        .help(format!(
            "write each command line as a role: {}; other options become `option`",
            quoted(&format!("roles: {{{name}: {{model: {name}, port: PORT, context: TOKENS}}}}"))
        ))
        .help("run `orchgen init NEW_FOLDER` to get an example with all other items")
}

fn swap_help(finding: Diagnostic, entry: &Node) -> Diagnostic {
    model_and_role(finding, entry, model_file(entry, &["cmd"]))
}

fn compose_help(finding: Diagnostic, entry: &Node) -> Diagnostic {
    model_and_role(finding, entry, model_file(entry, &["command", "entrypoint"]))
}
