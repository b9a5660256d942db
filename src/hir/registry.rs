//! All that was declared.

use super::{
    Arena, Ban, Engine, Expect, Family, Host, Model, Pair, Quirk, Residency, Role, Service, Stack, Store,
    Tier,
};

/// All that was declared, typed and with names resolved; not yet known to make sense.
///
/// Items that could not be read are not in it: they were said. Each arena is in the order of declaration.
#[derive(PartialEq, Debug)]
pub struct Registry {
    /// The stack.
    pub stack: Stack,
    /// Engine builds.
    pub engines: Arena<Engine>,
    /// Machines.
    pub hosts: Arena<Host>,
    /// Folders of model files.
    pub stores: Arena<Store>,
    /// Headings.
    pub tiers: Arena<Tier>,
    /// When models are in memory.
    pub residencies: Arena<Residency>,
    /// Families of models.
    pub families: Arena<Family>,
    /// Models.
    pub models: Arena<Model>,
    /// Roles.
    pub roles: Arena<Role>,
    /// Pairs that work.
    pub pairs: Arena<Pair>,
    /// Pairs that must not be used.
    pub bans: Arena<Ban>,
    /// Oddities.
    pub quirks: Arena<Quirk>,
    /// Processes that are not ours.
    pub services: Arena<Service>,
    /// Assertions on the result.
    pub expects: Arena<Expect>,
}
