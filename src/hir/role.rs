//! A role: what a model is used for, and how it is served.

use super::shape::{Field, Shape, Table};
use super::stack::HARDENING;
use super::{
    Bytes, CpuList, Date, Engine, Hardening, Head, Host, Id, Model, Named, PortRange, Rate, Residency, Text,
    Tier,
};
use crate::source::Spanned;

/// What a model is used for.
#[derive(Clone, PartialEq, Debug)]
pub struct Role {
    /// Its name.
    pub head: Head,
    /// The tier it is listed under.
    pub tier: Spanned<Id<Tier>>,
    /// The word that stands for it in sums; default its name.
    pub group: Option<Text>,
    /// What was measured.
    pub measured: Option<Spanned<Measured>>,
    /// What it is for.
    pub purpose: Option<Text>,
    /// Whatever else people should know.
    pub note: Option<Text>,
    /// How it is done.
    pub work: Work,
}

/// How a role is done.
#[derive(Clone, PartialEq, Debug)]
pub enum Work {
    /// By another role's process.
    Shares(Spanned<Id<Role>>),
    /// By no process: the model is listed, as a draft of others is.
    Listed(Spanned<Id<Model>>),
    /// By processes of its own.
    Served(Box<Serving>),
}

/// A role's own processes.
#[derive(Clone, PartialEq, Debug)]
pub struct Serving {
    /// When its model is in memory.
    pub residency: Spanned<Id<Residency>>,
    /// Where; the place is the role's name where the only host is implied.
    pub host: Spanned<Id<Host>>,
    /// Under which build; the place is the stack's field where the role names none. None only where that was said to be unknown.
    pub engine: Option<Spanned<Id<Engine>>>,
    /// Which model.
    pub model: Spanned<Id<Model>>,
    /// The ports, one process each.
    pub ports: Spanned<PortRange>,
    /// Addresses to listen at; empty means 127.0.0.1.
    pub listen: Vec<Text>,
    /// A file with the keys that clients have to show.
    pub key_file: Option<Text>,
    /// The hidden port behind the socket of an on-demand role.
    pub backend: Option<Spanned<u16>>,
    /// Tokens of one request.
    pub context: Spanned<u64>,
    /// Requests at once.
    pub slots: Spanned<u32>,
    /// Tokens computed in one step.
    pub batch: Option<Spanned<u32>>,
    /// Experts used for a token.
    pub experts: Option<Spanned<u32>>,
    /// The model that drafts.
    pub draft: Option<Spanned<Draft>>,
    /// Drafting from the prompt's own n-grams: the least length of one, where it is said.
    pub lookup: Option<Spanned<Option<u32>>>,
    /// Metadata overrides.
    pub overrides: Vec<Override>,
    /// How embeddings are pooled; its presence makes the role an embedder.
    pub pooling: Option<Text>,
    /// Where on the host.
    pub placement: Placement,
    /// The type of the KV cache.
    pub cache_type: Option<Text>,
    /// Flash attention: `on`, `off` or `auto`.
    pub flash_attention: Option<Text>,
    /// Memory for prompts of earlier requests; none means none.
    pub prompt_cache: Option<Spanned<Bytes>>,
    /// Engine options that have no field.
    pub options: Vec<EngineOption>,
    /// Environment.
    pub env: Vec<(Text, Text)>,
    /// How far the units are locked in; none means as the stack says.
    pub hardening: Option<Spanned<Hardening>>,
}

/// A draft model and how far ahead it goes.
#[derive(Clone, PartialEq, Debug)]
pub struct Draft {
    /// The model.
    pub model: Spanned<Id<Model>>,
    /// The most tokens it drafts.
    pub max: Option<Spanned<u32>>,
    /// The fewest tokens that are worth checking.
    pub min: Option<Spanned<u32>>,
    /// The least probability of a token, 0 to 1, as written.
    pub p_min: Option<Spanned<f64>>,
}

/// A metadata value that is overridden.
#[derive(Clone, PartialEq, Debug)]
pub struct Override {
    /// The key.
    pub key: Text,
    /// The value instead.
    pub value: Spanned<Setting>,
    /// The reason.
    pub why: Option<Text>,
}

/// An engine option that has no field.
#[derive(Clone, PartialEq, Debug)]
pub struct EngineOption {
    /// Its name, with or without the leading dashes.
    pub name: Text,
    /// Its value; none for a switch.
    pub value: Option<Spanned<Setting>>,
}

/// A value for the engine.
#[derive(Clone, PartialEq, Debug)]
pub enum Setting {
    /// A boolean.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// A text.
    Text(Box<str>),
}

/// Where on a host.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Placement {
    /// Which memory.
    pub numa: Option<Spanned<Numa>>,
    /// Which CPUs.
    pub cpus: Option<Spanned<Cpus>>,
    /// How many threads compute.
    pub threads: Option<Spanned<u32>>,
    /// Whether the weights are locked in memory.
    pub lock: Option<Spanned<bool>>,
}

/// Which memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Numa {
    /// Page by page over these nodes; over all where none is named.
    Interleave(Vec<u32>),
    /// One node, for memory and CPUs.
    Bind(u32),
    /// Each instance bound to the next node.
    Spread,
}

/// Which CPUs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cpus {
    /// The CPUs.
    pub list: CpuList,
    /// The name of the set of the host, where one was named.
    pub set: Option<Box<str>>,
}

/// What was measured.
#[derive(Clone, PartialEq, Debug)]
pub struct Measured {
    /// Tokens a second.
    pub speed: Rate,
    /// When.
    pub date: Option<Spanned<Date>>,
    /// Under which engine.
    pub engine: Option<Spanned<Id<Engine>>>,
}

impl Role {
    /// The processes of its own, where it has some.
    pub fn serving(&self) -> Option<&Serving> {
        match &self.work {
            Work::Served(serving) => Some(serving),
            Work::Shares(_) | Work::Listed(_) => None,
        }
    }
}

impl Named for Role {
    fn name(&self) -> &str {
        &self.head.name
    }
}

const DRAFT: Table = Table::with_principal(
    "model",
    &[
        Field::required("model", Shape::Name("model"), "The model that drafts.").example("qwen3-0.6b"),
        Field::optional("max", Shape::Count(1, 1024), "The most tokens it drafts, 1 to 1024.")
            .example("16")
            .counting("tokens"),
        Field::optional("min", Shape::Count(0, 1024), "The fewest drafted tokens worth checking, 0 to 1024.")
            .example("2")
            .counting("tokens"),
        Field::optional("p-min", Shape::Fraction, "The least probability of a drafted token, 0 to 1."),
    ],
);

const PLACEMENT: Table = Table::of(&[
    Field::optional(
        "numa",
        Shape::Numa,
        "Which memory: `interleave`, `interleave 0,1`, `bind 0` or `spread`.",
    ),
    Field::optional(
        "cpus",
        Shape::Text,
        "Which CPUs: a list as `0-47`, or the name of a cpuset of the host.",
    ),
    Field::optional(
        "threads",
        Shape::Count(1, 8192),
        "How many threads compute; default the physical cores of its CPUs.",
    )
    .example("48")
    .counting("threads"),
    Field::optional("lock", Shape::Flag, "Whether weights are locked in memory; default false.")
        .default("false"),
]);

const MEASURED: Table = Table::with_principal(
    "speed",
    &[
        Field::required("speed", Shape::TokenRate, "Tokens a second, as `6.3 t/s` or `~15 t/s`."),
        Field::optional("date", Shape::Date, "When it was measured."),
        Field::optional("engine", Shape::Name("engine"), "Under which engine it was measured."),
    ],
);

/// The types that a KV cache can have (`common/arg.cpp` of b11434, lower case only).
const CACHE_TYPES: &[&str] = &["f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "iq4_nl", "q5_0", "q5_1"];

/// A metadata value that is overridden, of a family or a role.
pub(super) const OVERRIDE: Table = Table::with_principal(
    "key",
    &[
        Field::required("key", Shape::Text, "The metadata key.").example("qwen3moe.expert_used_count"),
        Field::required("value", Shape::Setting, "The value instead.").example("4"),
        Field::optional("why", Shape::Text, "The reason.").example("faster, and no worse in our tests"),
    ],
);

const OPTION: Table = Table::with_principal(
    "name",
    &[
        Field::required("name", Shape::Text, "The long name of the option, with or without dashes.")
            .example("temp"),
        Field::optional("value", Shape::Setting, "Its value; left out for a switch.").example("0.7"),
    ],
);

/// The fields of a role.
pub(super) static TABLE: Table = Table::of(&[
    Field::optional(
        "tier",
        Shape::Name("tier"),
        "The tier it is listed under; needed, here or in `defaults`.",
    ),
    Field::optional(
        "residency",
        Shape::Name("residency"),
        "When its model is in memory; without one it is listed and not served.",
    ),
    Field::optional("group", Shape::Text, "The word that stands for it in sums; default its name.")
        .example("assistants"),
    Field::optional("host", Shape::Name("host"), "Where it runs; may be left out where there is one host."),
    Field::optional("engine", Shape::Name("engine"), "The engine; default the stack's."),
    Field::optional("model", Shape::Name("model"), "Its model; needed unless it shares."),
    Field::optional("shares", Shape::Name("role"), "The role whose process does its work."),
    Field::optional("port", Shape::Port, "The port it listens at, 1 to 65535."),
    Field::optional("ports", Shape::Ports, "Ports as `8090-8095`, one process each."),
    Field::repeated("listen", Shape::Address, "An address to listen at; default 127.0.0.1.")
        .default("127.0.0.1"),
    Field::optional("key-file", Shape::Path, "A file with the keys that clients have to show.")
        .example("/etc/orchgen/keys"),
    Field::optional(
        "backend",
        Shape::Block(&Table::with_principal(
            "port",
            &[Field::required("port", Shape::Port, "The port, as `18080`.")],
        )),
        "The hidden port behind the socket of an on-demand role; default its port + 10000.",
    ),
    Field::optional(
        "context",
        Shape::Count(1, 1 << 31),
        "Tokens of one request; needed where it is served, here or in `defaults`.",
    )
    .example("32768")
    .counting("tokens"),
    Field::optional("slots", Shape::Count(1, 256), "Requests at once, 1 to 256; default 1.")
        .default("1")
        .example("4")
        .counting("requests"),
    Field::optional(
        "batch",
        Shape::Count(1, 1 << 20),
        "Tokens computed in one step; default the engine's, which is written out.",
    )
    .example("2048")
    .counting("tokens"),
    Field::optional("experts", Shape::Count(1, 1024), "Experts used for a token; default the model's.")
        .example("4")
        .counting("experts"),
    Field::optional("draft", Shape::Block(&DRAFT), "The model that drafts, for speculative decoding."),
    Field::optional(
        "lookup",
        Shape::Block(&Table::or_bare(
            "ngram-min",
            &[Field::optional(
                "ngram-min",
                Shape::Count(1, 1024),
                "The least length of an n-gram, 1 to 1024.",
            )
            .example("3")
            .counting("tokens")],
        )),
        "Drafting from the prompt's own n-grams.",
    ),
    Field::distinct("override", Shape::Block(&OVERRIDE), "A metadata value that is overridden."),
    Field::optional(
        "pooling",
        Shape::Word(&["none", "mean", "cls", "last", "rank"]),
        "How embeddings are pooled; makes the role an embedder.",
    ),
    Field::optional("placement", Shape::Block(&PLACEMENT), "Where on the host it runs."),
    Field::optional("cache-type", Shape::Word(CACHE_TYPES), "The type of the KV cache; default f16.")
        .default("f16")
        .example("q8_0"),
    Field::optional(
        "flash-attention",
        Shape::Word(&["on", "off", "auto"]),
        "Flash attention; default the engine's.",
    ),
    Field::optional(
        "prompt-cache",
        Shape::Size,
        "Memory for prompts of earlier requests, as `4 GiB`; default none.",
    ),
    Field::repeated("option", Shape::Block(&OPTION), "An engine option that has no field."),
    Field::optional("env", Shape::Map, "Environment variables."),
    Field::optional("hardening", HARDENING, "How far its units are locked in; default as the stack says."),
    Field::optional("measured", Shape::Block(&MEASURED), "What was measured."),
    Field::optional("purpose", Shape::Text, "What it is for.")
        .example("answers first, hands on what is hard"),
    Field::optional("note", Shape::Text, "Whatever else people should know.")
        .example("do not restart in office hours"),
]);

/// The field that `defaults` of the stack takes beside those of a role.
pub(super) static DEFAULT_STORE: Field =
    Field::optional("store", Shape::Name("store"), "The store of models that name none.");
