//! The declared registry as typed data with resolved names. The checks validate its meaning later.
//!
//! Each kind of items has its own file, where `declare!` defines its type and the table of its fields. The tables define
//! the registry language: parsing, findings about the shape of a registry, suggestions and the JSON Schema are derived
//! from them.

#[macro_use]
mod declare;

mod accessors;
pub mod codes;
mod context;
mod cpus;
mod draft;
mod engine;
mod expect;
mod family;
mod gateway;
mod gpu;
mod host;
mod id;
mod kind;
mod known_files;
pub mod kubernetes;
pub mod lower;
mod model;
mod placement;
mod process;
mod quantity;
mod quirk;
mod rare;
mod registry;
mod residency;
mod role;
mod rule;
pub mod schema;
mod service;
mod setting;
mod shape;
mod shard;
mod stack;
mod store;
mod tier;
mod unused;

pub use context::{Context, ContextField, Slots, SlotsField};
pub use cpus::CpuList;
pub use draft::{Draft, DraftKind, Lookup, LookupKind};
pub use engine::Engine;
pub use expect::{Expect, Expected};
pub use family::{Family, ForbidRule, ForbiddenFeature, Need};
pub use gateway::{Gateway, GatewayKind, MAX_SETS, Peer, RoleSet};
pub use gpu::{AUTO_GPU, CachePlace, CpuExperts, Gpu, GpuLayers, GpuPlacement, NO_GPU, SplitMode};
pub use host::{CpuSet, Host, NumaNode};
pub use id::{Arena, Id};
pub use kind::{ItemKind, KINDS, Naming};
pub use known_files::{KnownFile, KnownFiles};
pub use model::{Advice, Experts, Model, Projector, Repo, Retired};
pub use placement::{Cpus, NumaPolicy, Placement};
pub use process::{ProcessSettings, Program};
pub use quantity::{Bytes, Date, Factor, PortRange, Rate, Seconds, Share};
pub use quirk::Quirk;
pub use rare::{Adapter, RareFields};
pub use registry::Registry;
pub use residency::{Residency, Start};
pub use role::{MODEL_POOLING, Measured, Override, Role, RoleKind, Serving};
pub use rule::{Ban, Pair, Pattern, glob_matches};
pub use service::Service;
pub use setting::{EngineOption, EngineSetting, EntriesOf, Setting};
pub use shape::{Field, Presence, Shape, Table};
pub use shard::{all_shards, first_shard};
pub use stack::{Hardening, Stack, TargetName, UnitScope};
pub use store::{Mount, Store};
pub use tier::Tier;
pub use unused::{Unused, UnusedDefault};

use crate::diag::{Subject, words};
use crate::source::{Span, Spanned};
use std::fmt;
use std::sync::Arc;

/// A name or a text with its place in the source.
pub type Text = Spanned<Arc<str>>;

/// A finding that the registry suppresses on one item, with the reason.
#[derive(Clone, PartialEq, Debug)]
pub struct Allow {
    /// The name or number of the code.
    pub code: Text,
    /// The reason why the finding is acceptable here.
    pub because: Text,
}

/// The common part of all items: name, place and suppressed findings. Comparison ignores the place.
#[derive(Clone, Debug)]
pub struct Head {
    /// The word of the kind: `role`, `model`, `host`.
    pub kind: &'static str,
    /// The name. For a kind without names, a short description of the item.
    pub name: Text,
    /// The source of the item, from its name to its end.
    pub span: Span,
    /// Suppressed findings.
    pub allow: Vec<Allow>,
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.allow == other.allow
    }
}

/// The kind and the quoted name, as messages print it.
impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, words::quoted(&self.name))
    }
}

impl From<&Head> for Subject {
    fn from(head: &Head) -> Self {
        Self::new(head.kind, &*head.name.value)
    }
}

/// An item is printed as its head, and a finding about it is about its head.
macro_rules! print_items {
    ($($item:ident)+) => {$(
        impl fmt::Display for $item {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.head.fmt(f)
            }
        }

        impl From<&$item> for Subject {
            fn from(item: &$item) -> Self {
                Self::from(&item.head)
            }
        }
    )+};
}

print_items!(Stack Engine Host Store Tier Residency Gateway Family Model Role Pair Ban Quirk Service Expect);
