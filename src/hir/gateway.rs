//! A gateway: one address for several roles, where the `model` of a request selects the role.

use super::shape::{Field, Shape, Table};
use super::stack::HARDENING;
use super::{Cpus, Engine, Hardening, Head, Host, Id, NumaPolicy, Role, Text};
use crate::source::Spanned;

/// A server that gives several roles one address.
#[derive(Clone, PartialEq, Debug)]
pub struct Gateway {
    /// Its name.
    pub head: Head,
    /// The program.
    pub kind: GatewayKind,
    /// The port that clients use.
    pub port: Spanned<u16>,
    /// The addresses to listen on. Empty means 127.0.0.1.
    pub listen: Vec<Text>,
    /// A file with API keys. Clients must send one of them.
    pub key_file: Option<Text>,
    /// The engine whose router it is. If it is the default of the stack, the place is the field of the stack. `None` for
    /// another program, or if the name is unknown, which is already reported.
    pub engine: Option<Spanned<Id<Engine>>>,
    /// The program, if it is no engine: an absolute path.
    pub bin: Option<Text>,
    /// The first of the ports of the servers of its models, if the gateway does not select them itself.
    pub backend: Option<Spanned<u16>>,
    /// The sets of roles that may be in memory at the same time. Empty if orchgen computes them.
    pub sets: Vec<RoleSet>,
    /// The gateways and roles that it forwards requests to, in addition to its own roles.
    pub peers: Vec<Spanned<Peer>>,
    /// The host. If the only host is implied, the place is the name of the gateway.
    pub host: Spanned<Id<Host>>,
    /// The sandbox level of its unit. `None` means the level of the stack.
    pub hardening: Option<Spanned<Hardening>>,
    /// The NUMA memory policy of all its models.
    pub numa: Option<Spanned<NumaPolicy>>,
    /// The CPUs of all its models.
    pub cpus: Option<Box<Spanned<Cpus>>>,
    /// True if the servers of its models answer `/metrics`.
    pub metrics: bool,
}

/// Roles of a gateway that may be in memory at the same time, with all subsets. The places are those of the names; a name may be
/// that of a role that shares the one of the id.
pub type RoleSet = Spanned<Vec<Spanned<Id<Role>>>>;

/// A server that a gateway forwards requests to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Peer {
    /// Another gateway, with its own roles.
    Gateway(Id<Gateway>),
    /// A role.
    Role(Id<Role>),
}

/// The maximum number of sets of a gateway.
pub const MAX_SETS: usize = 200;

declare_words! {
    /// The program of a gateway.
    pub enum GatewayKind {
        /// The router of llama-server.
        Router = "router",
        /// llama-swap.
        LlamaSwap = "llama-swap",
    }
}

/// The placement of a gateway. A model without its own has it.
pub(super) const PLACEMENT: Table = Table::of(&[
    Field::optional(
        "numa",
        Shape::Numa,
        "The NUMA policy of the models: `interleave`, `interleave 0,1`, `bind 0`, or `distribute` (by the engine).",
    ),
    Field::optional(
        "cpus",
        Shape::CpuSet,
        "The CPUs of the models: a list such as `0-47`, or the name of a cpuset of the host.",
    ),
]);

/// A set of roles of a gateway.
const SET: Table = Table::with_principal(
    "roles",
    &[Field::required("roles", Shape::Names("role"), "The names of the roles, all behind the gateway.")],
);

/// The fields of a gateway.
pub(super) static TABLE: Table = Table::of(&[
    Field::required("port", Shape::Port, "The port that clients use, such as `8000`, 1 to 65535."),
    Field::repeated("listen", Shape::Address, "An IP address to listen on; default 127.0.0.1.")
        .default("127.0.0.1"),
    Field::optional(
        "kind",
        Shape::Word(GatewayKind::WORDS),
        "The program: `router` is the router of llama-server, `llama-swap` is llama-swap; default `router`.",
    )
    .default("router"),
    Field::optional(
        "engine",
        Shape::Name("engine"),
        "For `router`: the engine whose llama-server is the router, and runs all models; default: the engine of the stack.",
    ),
    Field::optional("bin", Shape::Path, "For `llama-swap`: the program, an absolute path. Required there.")
        .example("/usr/local/bin/llama-swap"),
    Field::optional(
        "backend",
        Shape::Port,
        "For `llama-swap`: the first of the hidden ports of its models, one each; default: `port` plus 10000.",
    ),
    Field::repeated(
        "set",
        Shape::Block(&SET),
        "For `llama-swap`: the names of roles that may be in memory together. Roles in no set run alone. Default: the sets that fit into memory. Several sets in YAML: `[{roles: [a, b]}, {roles: [c, d]}]`.",
    ),
    Field::repeated(
        "peer",
        Shape::Name("gateway"),
        "For `llama-swap`: another gateway, or a role with its own port, on any host. The gateway also answers for its names. The host of the gateway needs the key file of the peer, at the same path.",
    )
    .example("embedder"),
    Field::optional(
        "key-file",
        Shape::Path,
        "A file with API keys, one per line. Clients must send one of them. Behind llama-swap, a role with its own file needs a key that is in both.",
    )
    .example("/etc/orchgen/keys"),
    Field::optional(
        "host",
        Shape::Name("host"),
        "The host that runs the gateway and its roles. Required if there are several hosts.",
    ),
    Field::optional(
        "hardening",
        HARDENING,
        "The sandbox level of its unit; default: the level of the stack, or `gpu` if a role uses a GPU.",
    ),
    Field::optional(
        "placement",
        Shape::Block(&PLACEMENT),
        "The NUMA nodes and CPUs of its models. For `llama-swap`: of the models without their own placement.",
    ),
    Field::optional(
        "metrics",
        Shape::Flag,
        "True if the gateway answers `/metrics?model=NAME` for each of its roles; default false.",
    )
    .default("false"),
]);
