//! What was declared, typed and with names resolved; not yet known to make sense.
//!
//! Each type of the domain has its file, with the table of its fields beside it. The tables are the language: reading,
//! findings of shape, suggestions and documentation are made from them.

pub mod codes;
mod cpus;
mod engine;
mod expect;
mod extent;
mod family;
mod files;
mod host;
mod id;
mod kind;
mod known;
mod load;
pub mod lower;
mod model;
mod quantity;
mod quirk;
mod registry;
mod residency;
mod role;
mod rule;
pub mod schema;
mod service;
mod shape;
mod site;
mod stack;
mod store;
mod taken;
mod tier;
mod unused;

pub use cpus::CpuList;
pub use engine::Engine;
pub use expect::{Expect, Expected};
pub use extent::Extent;
pub use family::{Advice, ExpertAdvice, Family, Forbidden, Forbids, Need};
pub use files::{Files, Held, Piece};
pub use host::{CpuSet, Gpu, Host, NumaNode};
pub use id::{Arena, Id, Named};
pub use kind::{KINDS, Kind};
pub use known::{Known, Said, Unsaid};
pub use load::{Change, Line, Load, Loads, Together};
pub use model::{Experts, Model, Projector};
pub use quantity::{Bytes, Date, Factor, PortRange, Rate, Seconds, Share};
pub use quirk::Quirk;
pub use registry::Registry;
pub use residency::{Residency, Start};
pub use role::{
    Cpus, Draft, EngineOption, Measured, Numa, Override, Placement, Role, Serving, Setting, Work,
};
pub use rule::{Ban, Pair, Pattern, glob_matches};
pub use service::Service;
pub use shape::{Field, Presence, Shape, Table};
pub use stack::{Hardening, Stack, TargetName};
pub use store::Store;
pub use taken::{FilePart, Own, Taken, Taking};
pub use tier::Tier;
pub use unused::Unused;

use crate::source::{Span, Spanned};

/// A name or a text with the place where it stands.
pub type Text = Spanned<Box<str>>;

/// A finding that the registry wants silenced on one item, with the reason.
#[derive(Clone, PartialEq, Debug)]
pub struct Allow {
    /// The name or number of the code.
    pub code: Text,
    /// Why it is all right here.
    pub because: Text,
}

/// What every item has: its name, its place and what it allows. Compares without the place.
#[derive(Clone, Debug)]
pub struct Head {
    /// The name; for a kind without names, what the item is about.
    pub name: Text,
    /// The item from its name to its end.
    pub span: Span,
    /// Findings that are silenced on it.
    pub allow: Vec<Allow>,
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.allow == other.allow
    }
}
