//! A role: a use of a model under a name that clients know, with the settings of its server processes.

use super::placement::PLACEMENT;
use super::rare::{Adapter, RareFields};
use super::setting::CACHE_TYPE;
use super::shape::{Field, Shape, Table};
use super::stack::HARDENING;
use super::{
    Context, ContextField, Date, Draft, Engine, EngineOption, EngineSetting, Head, Id, Lookup, Model,
    ProcessSettings, Program, Rate, Setting, Slots, SlotsField, Text, Tier,
};
use crate::source::Spanned;
use std::sync::Arc;

/// A use of a model under a name that clients know.
#[derive(Clone, PartialEq, Debug)]
pub struct Role {
    /// Its name.
    pub head: Head,
    /// The tier under which the documents list it. `None` if the registry declares no tiers.
    pub tier: Option<Spanned<Id<Tier>>>,
    /// The name used for it in memory tables. The default is the name of the role.
    pub group: Option<Text>,
    /// A measured generation speed.
    pub measured: Option<Box<Spanned<Measured>>>,
    /// Its purpose.
    pub purpose: Option<Text>,
    /// A note for users.
    pub note: Option<Text>,
    /// The options that a gateway writes into requests for this role. Only a role that shares another one has them.
    pub requests: Box<[EngineOption]>,
    /// Served, shared or only listed.
    pub kind: RoleKind,
}

/// How requests for a role are served.
#[derive(Clone, PartialEq, Debug)]
pub enum RoleKind {
    /// By the processes of another role.
    Shares(Spanned<Id<Role>>),
    /// Not served: the documents only list the model, for example a draft of other roles.
    Listed(Spanned<Id<Model>>),
    /// By its own processes of an engine.
    Served(Arc<Serving>),
    /// By its own processes of another program.
    Program(Arc<Program>),
}

/// The settings of server processes of an engine.
#[derive(Clone, PartialEq, Debug)]
pub struct Serving {
    /// The settings that do not depend on the program.
    pub process: ProcessSettings,
    /// The engine. If it is the default of the stack, the place is the field of the stack. `None` only if the name is
    /// unknown, which is already reported.
    pub engine: Option<Spanned<Id<Engine>>>,
    /// The model.
    pub model: Spanned<Id<Model>>,
    /// A file with API keys. Clients must send one of them.
    pub key_file: Option<Box<Text>>,
    /// The maximum number of tokens of one request, or of all slots that share a cache. The default is the trained
    /// context, at the name of the role.
    pub context: Spanned<Context>,
    /// The number of requests that a process handles at the same time.
    pub slots: Spanned<Slots>,
    /// The logical batch size, in tokens.
    pub batch: Option<Spanned<u32>>,
    /// The number of experts per token.
    pub experts: Option<Spanned<u32>>,
    /// The draft.
    pub draft: Option<Box<Spanned<Draft>>>,
    /// Speculation from n-grams of the prompt.
    pub lookup: Option<Box<Spanned<Lookup>>>,
    /// Metadata overrides.
    pub overrides: Vec<Override>,
    /// The pooling of embeddings, or [`MODEL_POOLING`]. If it is set, the role serves embeddings.
    pub pooling: Option<Box<Text>>,
    /// The fields that become engine options as they are, in the order of the table of fields.
    pub settings: Vec<EngineSetting>,
    /// Engine options without their own field.
    pub options: Vec<EngineOption>,
    /// The fields that few roles have. They are in a box, because a large registry has many roles.
    pub rare: Option<Box<RareFields>>,
}

declare! {
    /// A metadata override of a family or a role.
    pub block Override = with_value("key") {
        /// The metadata key.
        key: Text = required("key", Shape::Text).example("qwen3moe.expert_used_count"),
        /// The new value.
        value: Spanned<Setting> = required("value", Shape::Setting).example("4"),
        /// The reason.
        why: Option<Text> = optional("why", Shape::Text).example("faster, and no worse in our tests"),
    }
}

declare! {
    /// A measured generation speed.
    pub block Measured = with_principal("speed") {
        /// The generation speed in tokens per second, such as `6.3 t/s` or `~15 t/s`.
        speed: Rate = required("speed", Shape::TokenRate),
        /// The date of the measurement.
        date: Option<Spanned<Date>> = optional("date", Shape::Date),
        /// The engine that was measured.
        engine: Option<Spanned<Id<Engine>>> = optional("engine", Shape::Name("engine")),
    }
}

impl Role {
    /// The settings of the engine processes of this role. `None` if it has none.
    pub fn serving(&self) -> Option<&Serving> {
        match &self.kind {
            RoleKind::Served(serving) => Some(serving),
            RoleKind::Program(_) | RoleKind::Shares(_) | RoleKind::Listed(_) => None,
        }
    }

    /// The settings of the processes of this role, of any program. `None` if it has no processes.
    pub fn process(&self) -> Option<&ProcessSettings> {
        match &self.kind {
            RoleKind::Served(serving) => Some(&serving.process),
            RoleKind::Program(program) => Some(&program.process),
            RoleKind::Shares(_) | RoleKind::Listed(_) => None,
        }
    }
}

/// The pooling that the model file states.
pub const MODEL_POOLING: &str = "model";

const OPTION: Table = Table::with_value(
    "name",
    &[
        Field::required("name", Shape::Text, "The long name of the option, with or without leading dashes.")
            .example("temp"),
        Field::optional("value", Shape::Setting, "The value of the option. A switch has none.")
            .example("0.7"),
    ],
);

/// The field that makes a role one of another program.
pub(super) const COMMAND: &str = "command";

/// The fields that have an effect only with `command`.
pub(super) const OF_COMMAND: &[&str] = &["health", "memory", "reads", "writes"];

/// The fields of a role.
pub(super) static TABLE: Table = Table::of(&[
    Field::optional(
        "tier",
        Shape::Name("tier"),
        "The tier under which the documents list the role. Required here or in `defaults`, if tiers are declared.",
    ),
    Field::optional(
        "residency",
        Shape::Name("residency"),
        "The load policy. A registry without residencies has `hot` (boot; the default of a role with a port or a gateway) and `warm` (on demand, unloaded after 15 minutes). In other registries, a role without `residency` is listed, but not served.",
    ),
    Field::optional(
        "group",
        Shape::Text,
        "Name used for the role in memory tables; default: the name of the role.",
    )
    .example("assistants"),
    Field::optional(
        "host",
        Shape::Name("host"),
        "The host that runs the role. Required if there are several hosts and it has no `gateway`.",
    ),
    Field::optional("engine", Shape::Name("engine"), "The engine; default: the engine of the gateway or the stack."),
    Field::optional("model", Shape::Name("model"), "The model. Required, unless the role has `shares` or `command`."),
    Field::optional("shares", Shape::Name("role"), "The role whose processes also serve this role.")
        .example("coder"),
    Field::optional(
        "gateway",
        Shape::Name("gateway"),
        "The gateway whose address serves the role under its name. Such a role needs no `port`.",
    ),
    Field::optional("port", Shape::Port, "The port that the role listens on, 1 to 65535."),
    Field::optional(
        "ports",
        Shape::Ports,
        "A range of ports, such as `8090-8095`, with one process per port.",
    ),
    Field::repeated("listen", Shape::Address, "An IP address to listen on; default 127.0.0.1.")
        .default("127.0.0.1"),
    Field::repeated(
        "alias",
        Shape::ApiName,
        "A further name at the API. The names of the role and of the roles that share it are always accepted.",
    )
    .example("gpt-4o"),
    Field::optional("key-file", Shape::Path, "A file with API keys, one per line. Clients must send one of them.")
        .example("/etc/orchgen/keys"),
    Field::repeated(
        COMMAND,
        Shape::Text,
        "A program that serves the role instead of an engine, with its arguments. `{host}` and `{port}`, also in `127.0.0.1:{port}`, are replaced.",
    )
    .example("/usr/bin/whisper-server"),
    Field::optional(
        "health",
        Shape::Text,
        "For `command`: the path that answers with a success as soon as the program is ready, such as `/health`.",
    ),
    Field::optional("memory", Shape::Size, "For `command`: the memory of each process, such as `4 GB`."),
    Field::repeated("reads", Shape::Path, "For `command`: files and folders that the program reads.")
        .example("/srv/models/whisper"),
    Field::repeated("writes", Shape::Path, "For `command`: folders in which the program writes.")
        .example("/var/lib/whisper"),
    Field::optional(
        "backend",
        Shape::Block(&Table::with_principal(
            "port",
            &[Field::required("port", Shape::Port, "The backend port, such as `18080`.")],
        )),
        "The backend port of an on-demand role, behind its socket; default: its port + 10000.",
    ),
    Field::optional(
        "context",
        Shape::Block(&ContextField::TABLE),
        "Maximum tokens of one request, prompt and answer (of all slots, if they share a cache); default: the context for which the model was trained.",
    )
    .example("32768")
    .default("trained")
    .unit("tokens"),
    Field::optional(
        "slots",
        Shape::Block(&SlotsField::TABLE),
        "Number of requests that a process handles at the same time, 1 to 256, with separate KV caches or a shared one; default 1.",
    )
    .default("1")
    .example("4")
    .unit("requests"),
    Field::optional(
        "batch",
        Shape::Count(1, 1 << 20),
        "Logical batch size; default: the engine's default, written explicitly to the command line.",
    )
    .example("2048")
    .unit("tokens"),
    Field::optional(
        "threads-batch",
        Shape::Count(1, 8192),
        "Number of threads that read prompts and batches; default: the number of compute threads.",
    )
    .example("64")
    .unit("threads")
    .engine_setting(),
    Field::optional(
        "experts",
        Shape::Count(1, 1024),
        "Number of experts per token; default: the default of the model.",
    )
    .example("4")
    .unit("experts"),
    Field::optional(
        "draft",
        Shape::Block(&Draft::TABLE),
        "A draft for speculative decoding: a draft model, or `self`.",
    ),
    Field::optional(
        "lookup",
        Shape::Block(&Lookup::TABLE),
        "Speculation from n-grams of the prompt, without a draft model.",
    ),
    Field::optional(
        "template",
        Shape::Path,
        "A file with the chat template (Jinja); default: the template in the model file.",
    )
    .example("/srv/templates/chat.jinja"),
    Field::distinct(
        "lora",
        Shape::Block(&Adapter::TABLE),
        "An adapter (LoRA) for the model. Sums count it, and `orchgen lock` reads its header.",
    ),
    Field::distinct("override", Shape::Block(&Override::TABLE), "A metadata override."),
    Field::optional("overrides", Shape::Entries("override"), "Metadata overrides by key."),
    Field::optional(
        "pooling",
        Shape::Word(&["model", "none", "mean", "cls", "last", "rank"]),
        "The pooling of embeddings; `model` is that of the model file. A role with `pooling` serves embeddings (with `rank`: a reranker). \
         Needs `context`, or the trained context of the model in the lock.",
    ),
    Field::optional("placement", Shape::Block(&PLACEMENT), "The NUMA nodes, CPUs, threads and GPUs of the role."),
    Field::optional(
        "cache-type",
        Shape::Block(&CACHE_TYPE),
        "The data type of the KV cache, or one of keys (`k`) and one of values (`v`); default f16.",
    )
    .engine_setting(),
    Field::optional(
        "flash-attention",
        Shape::Word(&["on", "off", "auto"]),
        "Flash attention; default: the engine's default.",
    )
    .engine_setting(),
    Field::optional(
        "prompt-cache",
        Shape::SizeOrZero,
        "Memory of a process for the prompts of earlier requests, such as `4 GiB`, or `0 B` for none; default: the engine's own (8 GiB), or none with `pooling`.",
    )
    .engine_setting(),
    Field::optional(
        "checkpoints",
        Shape::Count(0, 1 << 16),
        "Context checkpoints of a slot, if the model has a recurrent state or a sliding window; default: the engine's own (32), or none with `pooling`.",
    )
    .example("8")
    .unit("checkpoints")
    .engine_setting(),
    Field::repeated("option", Shape::Block(&OPTION), "An engine option without its own field."),
    Field::optional(
        "options",
        Shape::Entries("option"),
        "Engine options by name. A list is a repeated option, `true` a switch, `false` its negative form.",
    ),
    Field::optional("env", Shape::Map, "Environment variables of the role's processes."),
    UNSET,
    Field::optional(
        "hardening",
        HARDENING,
        "The sandbox level of the role's units; default: the level of the stack, or `gpu` for a role with GPUs.",
    ),
    Field::optional("measured", Shape::Block(&Measured::TABLE), "A measured generation speed."),
    Field::optional("purpose", Shape::Text, "The purpose of the role.")
        .example("answers simple questions and forwards the others"),
    Field::optional("note", Shape::Text, "A note for users.").example("do not restart during office hours"),
]);

/// A field of roles that `defaults` do not have.
pub(super) const UNSET: Field = Field::repeated(
    "unset",
    Shape::Text,
    "A default that the role does not take: an option, override, variable, part of `placement` or other field.",
)
.example("draft");

/// A field of the stack's `defaults`, in addition to the fields of a role.
pub(super) static DEFAULT_STORE: Field =
    Field::optional("store", Shape::Name("store"), "The default store of models.");

/// The fields of the stack's `defaults`.
pub(super) fn default_fields() -> impl Iterator<Item = &'static Field> + Clone {
    TABLE.fields.iter().filter(|field| field.name != UNSET.name).chain([&DEFAULT_STORE])
}
