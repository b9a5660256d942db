//! Names of units.

use crate::plan::{Group, Process, Role};

/// Builds the unit names of one stack.
#[derive(Clone, Copy)]
pub(super) struct Names<'p> {
    pub(super) stack: &'p str,
}

impl Names<'_> {
    /// The first part of the unit names of a process: `STACK-ROLE`, or `STACK-ROLE-INSTANCE` if the role has several.
    pub(super) fn process(self, role: &Role, process: &Process) -> String {
        match process.instance {
            Some(n) => format!("{}-{}-{n}", self.stack, role.name),
            None => format!("{}-{}", self.stack, role.name),
        }
    }

    /// The target of the whole stack.
    pub(super) fn target(self) -> String {
        format!("{}.target", self.stack)
    }

    /// The target of a residency.
    pub(super) fn group_target(self, group: &Group) -> String {
        format!("{}-{}.target", self.stack, group.name)
    }

    /// The slice of the whole stack.
    pub(super) fn slice(self) -> String {
        format!("{}.slice", self.stack.replace('-', "_"))
    }

    /// The slice of a residency. `-` nests slices, so a `-` within a name becomes `_`.
    pub(super) fn group_slice(self, group: &Group) -> String {
        format!("{}-{}.slice", self.stack.replace('-', "_"), group.name.replace('-', "_"))
    }
}
