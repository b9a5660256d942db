//! The settings that all server processes have, of an engine or of another program.

use super::{Bytes, Gateway, Hardening, Host, Id, Placement, PortRange, Residency, Serving, Text};
use crate::source::Spanned;
use std::ops::Deref;

/// The settings of a role's processes that do not depend on their program.
#[derive(Clone, PartialEq, Debug)]
pub struct ProcessSettings {
    /// The load policy.
    pub residency: Spanned<Id<Residency>>,
    /// The host. If the only host is implied, the place is the name of the role.
    pub host: Spanned<Id<Host>>,
    /// The gateway whose address clients use. `None`: the processes have their own ports.
    pub gateway: Option<Spanned<Id<Gateway>>>,
    /// The ports that clients use, one per process. Behind a gateway it is that of the gateway.
    pub ports: Spanned<PortRange>,
    /// The addresses that clients use. Empty means 127.0.0.1. Behind a gateway they are those of the gateway.
    pub listen: Vec<Text>,
    /// The backend port of an on-demand role, behind the systemd socket.
    pub backend: Option<Spanned<u16>>,
    /// The NUMA nodes and CPUs, and for an engine also its threads and locked memory.
    pub placement: Placement,
    /// Environment variables.
    pub env: Vec<(Text, Text)>,
    /// The sandbox level of its units. `None` means the level of the stack.
    pub hardening: Option<Spanned<Hardening>>,
}

/// The settings of server processes of a program that is no engine.
#[derive(Clone, PartialEq, Debug)]
pub struct Program {
    /// The settings that do not depend on the program.
    pub process: ProcessSettings,
    /// The program and its arguments, at least one word.
    pub words: Vec<Text>,
    /// The path of its health check.
    pub health: Option<Text>,
    /// The memory of each process.
    pub memory: Option<Spanned<Bytes>>,
    /// Files and folders that it reads.
    pub reads: Vec<Text>,
    /// Folders in which it writes.
    pub writes: Vec<Text>,
}

impl Program {
    /// The name of the program: the last part of its path.
    pub fn name(&self) -> &str {
        let path = self.words.first().map_or("", |path| &*path.value);
        path.rsplit('/').next().unwrap_or(path)
    }
}

impl Deref for Serving {
    type Target = ProcessSettings;

    fn deref(&self) -> &ProcessSettings {
        &self.process
    }
}

impl Deref for Program {
    type Target = ProcessSettings;

    fn deref(&self) -> &ProcessSettings {
        &self.process
    }
}
