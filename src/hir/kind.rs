//! The kinds of things that a registry can declare, each with its words and its table.

use super::shape::Table;
use super::{engine, expect, family, host, model, quirk, residency, role, rule, service, stack, store, tier};

/// A kind of item, and the table of its fields.
#[derive(PartialEq, Eq, Debug)]
pub struct Kind {
    /// The word as KDL writes it.
    pub word: &'static str,
    /// The word as YAML writes it.
    pub plural: &'static str,
    /// What a name of it may be.
    pub naming: Naming,
    /// Its fields, without `allow`, which every kind takes.
    pub table: &'static Table,
    /// One sentence for people.
    pub doc: &'static str,
    /// What one of them may be called; empty where they have no names.
    pub example: &'static str,
    /// Fields that an example shows besides those that it needs.
    pub shown: &'static [&'static str],
}

/// What names a kind has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Naming {
    /// `[A-Za-z0-9][A-Za-z0-9._-]*`.
    Word,
    /// Any text that is not empty.
    Text,
    /// No name at all.
    None,
    /// There is one, and its name is the field `name` in YAML.
    One,
}

/// Every kind of thing that a registry can declare, in the order of the documentation.
pub static KINDS: &[Kind] = &[
    Kind {
        word: "stack",
        plural: "stack",
        naming: Naming::One,
        table: &stack::TABLE,
        doc: "The stack: its name, its engine, and what holds for all of it. There is one in a registry.",
        example: "home",
        shown: &[],
    },
    Kind {
        word: "engine",
        plural: "engines",
        naming: Naming::Word,
        table: &engine::TABLE,
        doc: "A build of llama.cpp on disk, by its name.",
        example: "llama.cpp",
        shown: &[],
    },
    Kind {
        word: "host",
        plural: "hosts",
        naming: Naming::Word,
        table: &host::TABLE,
        doc: "A machine with its memory and CPUs, by its name.",
        example: "box",
        shown: &["cpus"],
    },
    Kind {
        word: "store",
        plural: "stores",
        naming: Naming::Word,
        table: &store::TABLE,
        doc: "A folder with model files, by its name.",
        example: "models",
        shown: &[],
    },
    Kind {
        word: "tier",
        plural: "tiers",
        naming: Naming::Word,
        table: &tier::TABLE,
        doc: "A group of roles in the documents, by its name.",
        example: "A",
        shown: &[],
    },
    Kind {
        word: "residency",
        plural: "residencies",
        naming: Naming::Word,
        table: &residency::TABLE,
        doc: "When models are in memory, and how much they may take, by its name.",
        example: "hot",
        shown: &["budget"],
    },
    Kind {
        word: "family",
        plural: "families",
        naming: Naming::Word,
        table: &family::TABLE,
        doc: "Models of one architecture and tokenizer, by its name.",
        example: "qwen3-moe",
        shown: &[],
    },
    Kind {
        word: "model",
        plural: "models",
        naming: Naming::Word,
        table: &model::TABLE,
        doc: "A model file with what is known of it, by its name.",
        example: "qwen3-30b-a3b",
        shown: &["size"],
    },
    Kind {
        word: "role",
        plural: "roles",
        naming: Naming::Word,
        table: &role::TABLE,
        doc: "What a model is used for: one server, or several of one kind, by its name.",
        example: "frontdoor",
        shown: &["tier", "residency", "model", "port", "context"],
    },
    Kind {
        word: "pair",
        plural: "pairs",
        naming: Naming::None,
        table: &rule::PAIR,
        doc: "A draft model that is known to work with a target, or that none is.",
        example: "",
        shown: &["draft"],
    },
    Kind {
        word: "ban",
        plural: "bans",
        naming: Naming::None,
        table: &rule::BAN,
        doc: "A draft model that must not be used with a target.",
        example: "",
        shown: &[],
    },
    Kind {
        word: "quirk",
        plural: "quirks",
        naming: Naming::Text,
        table: &quirk::TABLE,
        doc: "Something odd about models, by a name that may be any text.",
        example: "long prompts repeat",
        shown: &[],
    },
    Kind {
        word: "service",
        plural: "services",
        naming: Naming::Word,
        table: &service::TABLE,
        doc: "A process that is started elsewhere and takes a port or memory of a host, by its name.",
        example: "searxng",
        shown: &["port"],
    },
    Kind {
        word: "expect",
        plural: "expects",
        naming: Naming::Text,
        table: &expect::TABLE,
        doc: "An assertion on the result that every build checks, by a name that may be any text.",
        example: "hot fits",
        shown: &["residency", "fits"],
    },
];

impl Kind {
    /// The kind that KDL writes so.
    pub fn of_word(word: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.word == word)
    }

    /// The kind that YAML writes so.
    pub fn of_plural(plural: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.plural == plural)
    }
}
