//! Everything that follows for one role that another program serves.

use super::endpoint::Endpoint;
use super::memory::RoleMemory;
use super::placement::{PerInstance, ProcessPlacement};
use crate::engine::command::{Command, CommandFault, CommandSpec, lower};
use crate::engine::dialect::OptionPath;
use crate::engine::{Access, Word};
use crate::hir::{Id, Program, Registry, Role, Text};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A role that another program serves, and everything that follows for its processes.
#[derive(Clone, Debug)]
pub struct ServedProgram {
    /// The role.
    pub id: Id<Role>,
    /// Its settings.
    pub program: Arc<Program>,
    /// Its addresses and ports.
    pub endpoint: Endpoint,
    /// The full path of the program.
    pub path: Arc<str>,
    /// The arguments of the first process.
    args: Arc<[Word]>,
    /// The environment of its processes, in byte order of names. The words for the port and the address are those of
    /// the first process.
    pub env: Vec<(Arc<str>, Word)>,
    /// The reasons why it cannot serve.
    pub faults: Vec<CommandFault>,
    /// The placement of its processes.
    pub placement: PerInstance<ProcessPlacement>,
    /// The memory of each of its processes.
    pub memory: RoleMemory,
}

impl ServedProgram {
    /// `sharers` are the names of the roles that share its processes.
    pub(super) fn new(
        registry: &Registry,
        id: Id<Role>,
        program: &Arc<Program>,
        sharers: &[Arc<str>],
    ) -> Self {
        // Without a gateway it is not known if the program knows names.
        let name = program.gateway.map(|_| registry.roles.get(id).head.name.value.clone());
        let sharers = sharers.iter().filter(|_| name.is_some()).cloned();
        let names = name.iter().cloned().chain(sharers).collect();
        let endpoint = Endpoint::new(registry, program, names);
        let host = registry.hosts.get(program.host.value);
        let (words, reads, writes) = (texts(&program.words), texts(&program.reads), texts(&program.writes));
        let env: Vec<(&str, &str)> =
            program.env.iter().map(|(name, value)| (&*name.value, &*value.value)).collect();
        let Command { program: path, args, env, faults } = lower(&CommandSpec {
            words: &words,
            host: endpoint.server_addresses().first().copied().unwrap_or_default(),
            port: endpoint.server_port(0),
            health: program.health.as_ref().map(|health| &*health.value),
            reads: &reads,
            writes: &writes,
            env: &env,
        });
        let env: BTreeMap<&str, Word> = env.into_iter().collect();
        Self {
            id,
            path: path.into(),
            args: args.into(),
            env: env.into_iter().map(|(name, value)| (name.into(), value)).collect(),
            faults,
            placement: PerInstance::new(program, host, |n| ProcessPlacement::new(program, host, n)),
            memory: RoleMemory::declared(program.memory.map(|memory| memory.value)),
            endpoint,
            program: Arc::clone(program),
        }
    }

    /// The arguments of the process of an instance.
    pub fn line(&self, instance: usize) -> Arc<[Word]> {
        self.endpoint.with_port(&self.args, instance)
    }

    /// True if an argument or a variable has its address.
    pub fn names_host(&self) -> bool {
        let mut words = self.args.iter().chain(self.env.iter().map(|(_, word)| word));
        words.any(Word::has_host)
    }

    /// The files and folders that it uses. A path is bound as it is: it can be a file or a folder.
    pub fn paths(&self) -> Vec<OptionPath> {
        let path = |access| {
            move |path: &Text| OptionPath {
                path: (&*path.value).into(),
                access,
                is_folder: true,
                option: None,
            }
        };
        let reads = self.program.reads.iter().map(path(Access::Read));
        reads.chain(self.program.writes.iter().map(path(Access::Write))).collect()
    }
}

fn texts(list: &[Text]) -> Vec<&str> {
    list.iter().map(|text| &*text.value).collect()
}
