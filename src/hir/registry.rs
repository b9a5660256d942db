//! All that was declared.

use super::{
    Arena, Ban, Engine, Expect, Family, Head, Host, Model, Pair, Quirk, Residency, Role, Service, Stack,
    Store, Tier, Unused,
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
    /// What nothing names.
    pub unused: Unused,
}

impl Registry {
    /// What every item has, with the word of its kind; kinds in the order of the language.
    pub fn heads(&self) -> impl Iterator<Item = (&'static str, &Head)> {
        let stack = std::iter::once(("stack", &self.stack.head));
        let places = (self.engines.iter().map(|item| ("engine", &item.head)))
            .chain(self.hosts.iter().map(|item| ("host", &item.head)))
            .chain(self.stores.iter().map(|item| ("store", &item.head)))
            .chain(self.tiers.iter().map(|item| ("tier", &item.head)))
            .chain(self.residencies.iter().map(|item| ("residency", &item.head)));
        let models = (self.families.iter().map(|item| ("family", &item.head)))
            .chain(self.models.iter().map(|item| ("model", &item.head)))
            .chain(self.roles.iter().map(|item| ("role", &item.head)));
        let rules = (self.pairs.iter().map(|item| ("pair", &item.head)))
            .chain(self.bans.iter().map(|item| ("ban", &item.head)))
            .chain(self.quirks.iter().map(|item| ("quirk", &item.head)))
            .chain(self.services.iter().map(|item| ("service", &item.head)))
            .chain(self.expects.iter().map(|item| ("expect", &item.head)));
        stack.chain(places).chain(models).chain(rules)
    }
}
