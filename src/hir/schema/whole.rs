//! The example registry with a value of a field, and with what the field needs to have an effect.

use super::{ExampleValue, FieldPath, example, shorthand};
use crate::hir::kind::{ItemKind, Naming};
use crate::hir::role;
use crate::hir::shape::{Field, Shape};
use serde_json::{Map, Value, json};

impl FieldPath {
    /// The example registry of the schema as JSON, with this value of the field, and of another field of the item.
    pub fn registry(&self, given: ExampleValue, other: Option<(&'static Field, ExampleValue)>) -> Value {
        let mut registry = example::registry();
        let Some(outermost) = self.fields.first() else { return registry };
        let value = self.value(given);
        if let Some(value) = &value {
            declare_names(&outermost.shape, value, &mut registry);
        }
        if let (Shape::Defaults, Some(inner)) = (&outermost.shape, self.fields.get(1))
            && let Some(role) = example_item("role", &mut registry)
        {
            // The own value of the role would win.
            role.remove(inner.name);
        }
        if self.kind.word == GATEWAY
            && let Some(role) = example_item("role", &mut registry)
        {
            // A gateway without a role has no effect.
            role.remove("port");
            role.insert(GATEWAY.to_owned(), json!(self.kind.example));
        }
        if self.kind.word == GATEWAY && outermost.name == SET {
            // A set of all roles has no effect.
            let coder = Value::from("coder");
            declare_names(&Shape::Name("role"), &coder, &mut registry);
        }
        if self.kind.word == GATEWAY
            && outermost.name == PEER
            && let Some(value) = &value
        {
            declare_peers(value, &mut registry);
        }
        let section = registry.get_mut(self.kind.plural);
        let item = match self.kind.naming {
            Naming::Word | Naming::Text => section.and_then(|section| section.get_mut(self.kind.example)),
            Naming::None => section.and_then(|section| section.get_mut(0)),
            Naming::One => section,
        };
        if let Some(item) = item.and_then(Value::as_object_mut) {
            self.fill(item, outermost, value, other);
        }
        if self.kind.word == "role"
            && outermost.name == BACKEND
            && let Some(hot) = example_item("residency", &mut registry)
        {
            // Only an on-demand role has a backend port.
            hot.insert("start".to_owned(), "on-demand".into());
        }
        if self
            .fields
            .iter()
            .any(|field| field.name == GPU || field.hints.needs.is_some_and(|(one, _)| one == GPU))
        {
            declare_gpus(self.kind, &mut registry);
        }
        registry
    }

    /// Gives an item the value of the outermost field, and of another field.
    fn fill(
        &self,
        item: &mut Map<String, Value>,
        outermost: &'static Field,
        value: Option<Value>,
        other: Option<(&'static Field, ExampleValue)>,
    ) {
        if let Some((other, value)) = other {
            let value = Self { kind: self.kind, fields: vec![other] }.value(value);
            item.remove(other.name);
            item.extend(value.map(|value| (other.name.to_owned(), value)));
        }
        let is_command = [role::COMMAND].iter().chain(role::OF_COMMAND).any(|name| *name == outermost.name);
        if let Some(command) =
            role::TABLE.field(role::COMMAND).filter(|_| is_command && self.kind.word == "role")
        {
            item.retain(|name, _| ["tier", "residency", "host", "port"].contains(&name.as_str()));
            item.insert(command.name.to_owned(), example::field(command));
        }
        if value.is_some() {
            make_room(self.kind, outermost.name, item);
        }
        item.remove(outermost.name);
        item.extend(value.map(|value| (outermost.name.to_owned(), value)));
        if self.kind.word == GATEWAY {
            select_program(outermost.name, item);
        }
    }
}

/// The kind of gateways, and the field of a role that names one.
const GATEWAY: &str = "gateway";

/// The field of an engine that excludes `bin`.
const IMAGE: &str = "image";

/// The fields that a role needs to share another one, with `shares`.
const OF_SHARING: &[&str] = &["tier", "shares"];

/// The first port of hidden servers: of an on-demand role, or of the models of llama-swap.
const BACKEND: &str = "backend";

/// The sets of roles of llama-swap.
const SET: &str = "set";

/// A peer of llama-swap.
const PEER: &str = "peer";

/// The example of a kind with names.
fn example_item<'r>(word: &str, registry: &'r mut Value) -> Option<&'r mut Map<String, Value>> {
    let kind = ItemKind::of_word(word)?;
    registry.get_mut(kind.plural)?.get_mut(kind.example)?.as_object_mut()
}

/// Removes the fields that exclude another one.
fn make_room(kind: &ItemKind, name: &str, item: &mut Map<String, Value>) {
    match (kind.word, name) {
        ("engine", IMAGE) => {
            item.remove("bin");
        }
        ("role", "shares") => item.retain(|name, _| OF_SHARING.contains(&name.as_str())),
        ("role", GATEWAY) => {
            item.remove("port");
        }
        _ => {}
    }
}

/// Selects llama-swap for the fields that only it has, with its required field.
fn select_program(name: &str, item: &mut Map<String, Value>) {
    const LLAMA_SWAP: &str = "llama-swap";
    if ["bin", BACKEND, SET, PEER].contains(&name) {
        item.insert("kind".to_owned(), LLAMA_SWAP.into());
    }
    if item.get("kind").and_then(Value::as_str) == Some(LLAMA_SWAP) {
        item.entry("bin").or_insert_with(|| "/usr/local/bin/llama-swap".into());
    }
}

/// The field that names GPUs of the host.
const GPU: &str = "gpu";

/// Declares the GPUs that examples name. A field of another kind than roles has an effect only if the role has a GPU.
fn declare_gpus(kind: &ItemKind, registry: &mut Value) {
    let mut example = |word: &str, field: &str, value: Value| {
        if let Some(item) = example_item(word, registry) {
            item.entry(field).or_insert(value);
        }
    };
    if kind.word != "host" {
        example(
            "host",
            GPU,
            json!([{"name": "CUDA0", "memory": "24 GB"}, {"name": "CUDA1", "memory": "24 GB"}]),
        );
    }
    if kind.word == "model" {
        example("role", "placement", json!({"gpu": "CUDA0"}));
    }
}

/// Declares the peers of a gateway as roles with their own ports, because a gateway without roles is no peer.
fn declare_peers(value: &Value, registry: &mut Value) {
    let names = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    for (name, port) in names.iter().filter_map(Value::as_str).zip(9100_u16..) {
        if let Some(gateways) = registry.get_mut("gateways").and_then(Value::as_object_mut) {
            gateways.remove(name);
        }
        let role = example_item("role", registry).cloned();
        let roles = registry.get_mut("roles").and_then(Value::as_object_mut);
        if let (Some(mut role), Some(roles)) = (role, roles) {
            role.remove(GATEWAY);
            role.insert("port".to_owned(), port.into());
            roles.insert(name.to_owned(), role.into());
        }
    }
}

/// Declares the items that a value names, as copies of the example of their kind.
fn declare_names(shape: &Shape, value: &Value, registry: &mut Value) {
    match (shape, value) {
        (Shape::Name(kind) | Shape::Names(kind), Value::String(name)) => {
            let Some(kind) = ItemKind::of_word(kind) else { return };
            let Some(Value::Object(section)) = registry.get_mut(kind.plural) else { return };
            let copy = section.get(kind.example).cloned();
            if let (Some(mut copy), false) = (copy, section.contains_key(name)) {
                if let Some(file) = copy.get_mut("file") {
                    *file = format!("{name}.gguf").into();
                }
                if let Some(port) = copy.get_mut("port") {
                    *port = (port.as_u64().unwrap_or_default() + 1).into();
                }
                section.insert(name.clone(), copy);
            }
        }
        (Shape::Names(_), Value::Array(names)) => {
            for name in names {
                declare_names(shape, name, registry);
            }
        }
        (Shape::Block(table), Value::Object(fields)) => {
            for (name, value) in fields {
                if let Some(row) = table.field(name) {
                    declare_names(&row.shape, value, registry);
                }
            }
        }
        (Shape::Block(table), value) => {
            if let Some(principal) = shorthand(table) {
                declare_names(&principal.shape, value, registry);
            }
        }
        _ => {}
    }
}
