//! The kinds of items that a registry can declare, each with its words and its table of fields.

use super::shape::{Field, Presence, Table};
use super::{
    Ban, Engine, Family, Host, Model, Pair, Quirk, Residency, Service, Store, Tier, expect, gateway, role,
    stack,
};

/// A kind of items, with the table of its fields.
#[derive(PartialEq, Eq, Debug)]
pub struct ItemKind {
    /// The word in KDL (singular).
    pub word: &'static str,
    /// The key in YAML (plural).
    pub plural: &'static str,
    /// The form of its names.
    pub naming: Naming,
    /// Its fields, without `allow`, which all kinds have.
    pub table: &'static Table,
    /// One sentence for users.
    pub doc: &'static str,
    /// An example name. Empty if items of this kind have no names.
    pub example: &'static str,
    /// Optional fields that an example shows in addition to the required ones.
    pub example_fields: &'static [&'static str],
}

/// The form of the names of a kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Naming {
    /// `[A-Za-z0-9][A-Za-z0-9._-]*`.
    Word,
    /// Any text that is not empty.
    Text,
    /// Items have no names.
    None,
    /// There is only one item. In YAML, its name is the field `name`.
    One,
}

/// All kinds of items, in the order of the documentation.
pub static KINDS: &[ItemKind] = &[
    ItemKind::new("stack", "stack", Naming::One, &stack::TABLE)
        .doc("The stack: its name, and its global settings and defaults. A registry has exactly one.")
        .example("home", &["engine"]),
    ItemKind::new("engine", "engines", Naming::Word, &Engine::TABLE)
        .doc("Builds of llama.cpp on disk or in a container image, by name.")
        .example("llama.cpp", &["bin"]),
    ItemKind::new("host", "hosts", Naming::Word, &Host::TABLE)
        .doc("Machines with their memory, CPUs, NUMA nodes and GPUs, by name.")
        .example("box", &["memory", "cpus"]),
    ItemKind::new("store", "stores", Naming::Word, &Store::TABLE)
        .doc("Folders of model files, by name.")
        .example("models", &[]),
    ItemKind::new("tier", "tiers", Naming::Word, &Tier::TABLE)
        .doc("Headings under which the documents list roles, by name.")
        .example("A", &["title"]),
    ItemKind::new("residency", "residencies", Naming::Word, &Residency::TABLE)
        .doc("Load policies, by name: when models are loaded, and their memory budget.")
        .example("hot", &["title", "budget"]),
    ItemKind::new("gateway", "gateways", Naming::Word, &gateway::TABLE)
        .doc("Servers that give several roles one address, by name. The `model` of a request selects the role.")
        .example("front", &["kind"]),
    ItemKind::new("family", "families", Naming::Word, &Family::TABLE)
        .doc("Families, by name: models with the same architecture and tokenizer.")
        .example("qwen3-moe", &[]),
    ItemKind::new("model", "models", Naming::Word, &Model::TABLE)
        .doc("GGUF model files with their declared properties, by name.")
        .example("qwen3-30b-a3b", &["family", "title", "quant", "size"]),
    ItemKind::new("role", "roles", Naming::Word, &role::TABLE)
        .doc("Uses of models, by the name that clients know, with the settings of their server processes.")
        .example("frontdoor", &["tier", "residency", "model", "port", "context"]),
    ItemKind::new("pair", "pairs", Naming::None, &Pair::TABLE)
        .doc("Drafts that are known to work with a target, or targets without a known draft.")
        .example("", &["draft"]),
    ItemKind::new("ban", "bans", Naming::None, &Ban::TABLE)
        .doc("Drafts that must not be used with a target.")
        .example("", &[]),
    ItemKind::new("quirk", "quirks", Naming::Text, &Quirk::TABLE)
        .doc("Known problems of models. The name of a quirk can be any string.")
        .example("long prompts repeat", &[]),
    ItemKind::new("service", "services", Naming::Word, &Service::TABLE)
        .doc("External processes that use a port, memory or CPUs of a host, by name.")
        .example("searxng", &["port"]),
    ItemKind::new("expect", "expects", Naming::Text, &expect::TABLE)
        .doc("Assertions on the compiled stack that every build checks. Their names can be any string.")
        .example("hot fits", &["residency", "fits"]),
];

impl ItemKind {
    const fn new(word: &'static str, plural: &'static str, naming: Naming, table: &'static Table) -> Self {
        Self { word, plural, naming, table, doc: "", example: "", example_fields: &[] }
    }

    const fn doc(self, doc: &'static str) -> Self {
        Self { doc, ..self }
    }

    const fn example(self, example: &'static str, example_fields: &'static [&'static str]) -> Self {
        Self { example, example_fields, ..self }
    }

    /// True for a field that the example of the kind has.
    pub fn is_in_example(&self, field: &Field) -> bool {
        field.presence == Presence::Required || self.example_fields.contains(&field.name)
    }

    /// The kind with this KDL word.
    pub fn of_word(word: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.word == word)
    }

    /// The kind with this YAML key.
    pub fn of_plural(plural: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.plural == plural)
    }
}
