//! The kinds of items that a registry can declare, each with its words and its table of fields.

use super::shape::Table;
use super::{
    Ban, Engine, Family, Host, Model, Pair, Quirk, Residency, Service, Store, Tier, expect, role, stack,
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
    ItemKind {
        word: "stack",
        plural: "stack",
        naming: Naming::One,
        table: &stack::TABLE,
        doc: "The stack: its name, and its global settings and defaults. A registry has exactly one.",
        example: "home",
        example_fields: &[],
    },
    ItemKind {
        word: "engine",
        plural: "engines",
        naming: Naming::Word,
        table: &Engine::TABLE,
        doc: "Builds of llama.cpp on disk, by name.",
        example: "llama.cpp",
        example_fields: &[],
    },
    ItemKind {
        word: "host",
        plural: "hosts",
        naming: Naming::Word,
        table: &Host::TABLE,
        doc: "Machines with their memory, CPUs, NUMA nodes and GPUs, by name.",
        example: "box",
        example_fields: &["cpus"],
    },
    ItemKind {
        word: "store",
        plural: "stores",
        naming: Naming::Word,
        table: &Store::TABLE,
        doc: "Folders of model files, by name.",
        example: "models",
        example_fields: &[],
    },
    ItemKind {
        word: "tier",
        plural: "tiers",
        naming: Naming::Word,
        table: &Tier::TABLE,
        doc: "Headings under which the documents list roles, by name.",
        example: "A",
        example_fields: &[],
    },
    ItemKind {
        word: "residency",
        plural: "residencies",
        naming: Naming::Word,
        table: &Residency::TABLE,
        doc: "Load policies, by name: when models are loaded, and their memory budget.",
        example: "hot",
        example_fields: &["budget"],
    },
    ItemKind {
        word: "family",
        plural: "families",
        naming: Naming::Word,
        table: &Family::TABLE,
        doc: "Families, by name: models with the same architecture and tokenizer.",
        example: "qwen3-moe",
        example_fields: &[],
    },
    ItemKind {
        word: "model",
        plural: "models",
        naming: Naming::Word,
        table: &Model::TABLE,
        doc: "GGUF model files with their declared properties, by name.",
        example: "qwen3-30b-a3b",
        example_fields: &["size"],
    },
    ItemKind {
        word: "role",
        plural: "roles",
        naming: Naming::Word,
        table: &role::TABLE,
        doc: "Uses of models, by the name that clients know, with the settings of their server processes.",
        example: "frontdoor",
        example_fields: &["tier", "residency", "model", "port", "context"],
    },
    ItemKind {
        word: "pair",
        plural: "pairs",
        naming: Naming::None,
        table: &Pair::TABLE,
        doc: "Drafts that are known to work with a target, or targets without a known draft.",
        example: "",
        example_fields: &["draft"],
    },
    ItemKind {
        word: "ban",
        plural: "bans",
        naming: Naming::None,
        table: &Ban::TABLE,
        doc: "Drafts that must not be used with a target.",
        example: "",
        example_fields: &[],
    },
    ItemKind {
        word: "quirk",
        plural: "quirks",
        naming: Naming::Text,
        table: &Quirk::TABLE,
        doc: "Known problems of models. The name of a quirk can be any string.",
        example: "long prompts repeat",
        example_fields: &[],
    },
    ItemKind {
        word: "service",
        plural: "services",
        naming: Naming::Word,
        table: &Service::TABLE,
        doc: "External processes that use a port, memory or CPUs of a host, by name.",
        example: "searxng",
        example_fields: &["port"],
    },
    ItemKind {
        word: "expect",
        plural: "expects",
        naming: Naming::Text,
        table: &expect::TABLE,
        doc: "Assertions on the compiled stack that every build checks. Their names can be any string.",
        example: "hot fits",
        example_fields: &["residency", "fits"],
    },
];

impl ItemKind {
    /// The kind with this KDL word.
    pub fn of_word(word: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.word == word)
    }

    /// The kind with this YAML key.
    pub fn of_plural(plural: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.plural == plural)
    }
}
