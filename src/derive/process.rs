//! The common part of all served roles, for any program.

use super::endpoint::Endpoint;
use super::memory::RoleMemory;
use super::program::ServedProgram;
use super::role::ServedRole;
use crate::hir::{Id, ProcessSettings, Role};

/// A role with its own processes, without what depends on their program.
#[derive(Clone, Copy, Debug)]
pub struct ServedProcess<'d> {
    /// The role.
    pub id: Id<Role>,
    /// Its settings.
    pub settings: &'d ProcessSettings,
    /// Its addresses and ports.
    pub endpoint: &'d Endpoint,
    /// The memory of each of its processes.
    pub memory: &'d RoleMemory,
    /// True if another program than an engine serves it.
    pub is_program: bool,
}

impl<'d> From<&'d ServedRole> for ServedProcess<'d> {
    fn from(role: &'d ServedRole) -> Self {
        let ServedRole { id, serving, endpoint, memory, .. } = role;
        Self { id: *id, settings: &serving.process, endpoint, memory, is_program: false }
    }
}

impl<'d> From<&'d ServedProgram> for ServedProcess<'d> {
    fn from(role: &'d ServedProgram) -> Self {
        let ServedProgram { id, program, endpoint, memory, .. } = role;
        Self { id: *id, settings: &program.process, endpoint, memory, is_program: true }
    }
}
