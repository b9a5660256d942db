//! The host of the registry that this machine is.

use crate::cli::deploy::is_here;
use crate::diag::words;
use crate::hir::{Host, Id, Registry};

/// A registry, and the host that this machine is.
#[derive(Clone, Copy)]
pub(super) struct Machine<'r> {
    pub(super) registry: &'r Registry,
    /// `None` if it is unknown.
    pub(super) host: Option<Id<Host>>,
}

impl<'r> Machine<'r> {
    /// Finds the host: the given one, the only one, or the one that has the name or the address of this machine. The error is
    /// for a name that no host has.
    pub(super) fn find(registry: &'r Registry, given: Option<&str>) -> Result<Self, String> {
        let mut machine = Self { registry, host: None };
        let hosts = &registry.hosts;
        machine.host = match given {
            Some(given) => {
                let found = hosts.entries().find(|(_, host)| *host.head.name.value == *given);
                let unknown = || {
                    let (name, known) = (words::quoted(given), words::any_of(&machine.names()));
                    format!("the registry has no host {name}, only {known}")
                };
                Some(found.ok_or_else(unknown)?.0)
            }
            None if hosts.len() == 1 => hosts.entries().next().map(|(id, _)| id),
            // The name is enough to read files, and an address may need a slow look-up.
            None => machine.only(|host| is_here(&host.head.name, None)).or_else(|| {
                machine.only(|host| {
                    let address = host.address.as_ref().map(|address| &*address.value);
                    is_here(&host.head.name, address)
                })
            }),
        };
        Ok(machine)
    }

    /// The only host with a property.
    fn only(self, has: impl Fn(&Host) -> bool) -> Option<Id<Host>> {
        let mut found = self.registry.hosts.entries().filter(|(_, host)| has(host));
        let first = found.next()?.0;
        found.next().is_none().then_some(first)
    }

    fn names(self) -> Vec<String> {
        self.registry.hosts.iter().map(|host| words::quoted(&host.head.name)).collect()
    }

    /// The help about a missing file.
    pub(super) fn help(self) -> String {
        if let Some(host) = self.host {
            let put = "put the file at this path or correct the path, then run `orchgen lock` again";
            let is_one_of_several = self.registry.hosts.len() > 1;
            let name = words::quoted(&self.registry.hosts.get(host).head.name);
            let other = format!("; if this machine is not {name}, run it on {name}");
            return put.to_owned() + if is_one_of_several { &other } else { "" };
        }
        let names = words::any_of(&self.names());
        format!(
            "write `--host` with the name of this machine, {names}: then only the files of this host are required"
        )
    }
}
