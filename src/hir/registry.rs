//! The registry: all declared items.

use super::{
    Arena, Ban, Engine, Expect, Family, Gateway, Head, Host, Model, Pair, Quirk, Residency, Role, Service,
    Stack, Store, Tier, Unused,
};

/// All declared items, as typed data with resolved names. The checks validate their meaning later.
///
/// Items that could not be read are absent; they are already reported. Each arena is in the order of declaration.
#[derive(Clone, PartialEq, Debug)]
pub struct Registry {
    /// The stack.
    pub stack: Stack,
    /// Engine builds.
    pub engines: Arena<Engine>,
    /// Machines.
    pub hosts: Arena<Host>,
    /// Folders of model files.
    pub stores: Arena<Store>,
    /// Tiers: headings of the documents.
    pub tiers: Arena<Tier>,
    /// Load policies.
    pub residencies: Arena<Residency>,
    /// Gateways: one address for several roles.
    pub gateways: Arena<Gateway>,
    /// Families of models.
    pub families: Arena<Family>,
    /// Models.
    pub models: Arena<Model>,
    /// Roles.
    pub roles: Arena<Role>,
    /// Pairs of target and draft that work.
    pub pairs: Arena<Pair>,
    /// Pairs of target and draft that must not be used.
    pub bans: Arena<Ban>,
    /// Known problems of models.
    pub quirks: Arena<Quirk>,
    /// External processes.
    pub services: Arena<Service>,
    /// Assertions on the result.
    pub expects: Arena<Expect>,
    /// Items without a reference.
    pub unused: Unused,
}

impl Registry {
    /// The heads of all items, in the order of the kinds in the language.
    pub fn heads(&self) -> impl Iterator<Item = &Head> {
        let places = (self.engines.iter().map(|item| &item.head))
            .chain(self.hosts.iter().map(|item| &item.head))
            .chain(self.stores.iter().map(|item| &item.head))
            .chain(self.tiers.iter().map(|item| &item.head))
            .chain(self.residencies.iter().map(|item| &item.head))
            .chain(self.gateways.iter().map(|item| &item.head));
        let models = (self.families.iter().map(|item| &item.head))
            .chain(self.models.iter().map(|item| &item.head))
            .chain(self.roles.iter().map(|item| &item.head));
        let rules = (self.pairs.iter().map(|item| &item.head))
            .chain(self.bans.iter().map(|item| &item.head))
            .chain(self.quirks.iter().map(|item| &item.head))
            .chain(self.services.iter().map(|item| &item.head))
            .chain(self.expects.iter().map(|item| &item.head));
        std::iter::once(&self.stack.head).chain(places).chain(models).chain(rules)
    }
}
