//! The stack: its name, and its global settings and defaults.

use super::shape::{Field, Shape, Table};
use super::{Date, Engine, Head, Id, Text};
use crate::source::Spanned;

/// The global settings of a registry.
#[derive(Clone, PartialEq, Debug)]
pub struct Stack {
    /// Its name, which is the first part of all unit names.
    pub head: Head,
    /// The date of the last manual verification.
    pub verified: Option<Spanned<Date>>,
    /// The default engine of roles. `None` only if its name is unknown, which is already reported.
    pub engine: Option<Spanned<Id<Engine>>>,
    /// Its display name.
    pub title: Option<Text>,
    /// The output targets. Empty means all except [`TargetName::OPT_IN`].
    pub targets: Vec<Spanned<TargetName>>,
    /// True if `targets` could not be read (already reported): no check may depend on them.
    pub has_unread_targets: bool,
    /// The default sandbox level of units. `None` means that the level of each role follows from its GPUs.
    pub hardening: Option<Spanned<Hardening>>,
    /// The service manager that runs the units.
    pub scope: UnitScope,
    /// True if it has `defaults`.
    pub has_defaults: bool,
}

declare_words! {
    /// An output target.
    pub enum TargetName {
        /// systemd units.
        Systemd = "systemd",
        /// Preset files of routers, for gateways.
        Router = "router",
        /// Configuration files of llama-swap, for gateways.
        LlamaSwap = "llama-swap",
        /// Container units of podman.
        Quadlet = "quadlet",
        /// A compose file of containers.
        Compose = "compose",
        /// Launch scripts and one-shot commands.
        Bin = "bin",
        /// numactl wrappers for placements.
        Numactl = "numactl",
        /// Documents.
        Docs = "docs",
        /// One HTML page with everything: roles, memory, topology, starts, findings.
        Report = "report",
        /// The stack as JSON.
        StackJson = "stack-json",
        /// The addresses of metrics for Prometheus.
        Prometheus = "prometheus",
        /// The description of the units by which `plan`, `apply` and `status` work.
        Deploy = "deploy",
        /// Manifests of Kubernetes. Only if it is declared.
        Kubernetes = "kubernetes",
    }
}

impl Stack {
    /// True if a stack has an output target, declared or by default. False if `targets` could not be read.
    pub fn has_target(&self, name: TargetName) -> bool {
        let is_default = self.targets.is_empty() && name != TargetName::OPT_IN;
        !self.has_unread_targets && (is_default || self.targets.iter().any(|target| target.value == name))
    }
}

impl TargetName {
    /// The target that a stack has only if it is declared.
    pub const OPT_IN: Self = Self::Kubernetes;
}

declare_words! {
    /// The sandbox level of a unit.
    #[derive(Default)]
    pub enum Hardening {
        /// Like `default`, and without system call groups that a CPU server does not require.
        Strict = "strict",
        /// Without privileges that a CPU server never needs.
        #[default]
        Default = "default",
        /// Like `default`, with access to the GPU devices of the role, or to all of them if they are unknown.
        Gpu = "gpu",
        /// No sandbox.
        Off = "off",
    }
}

declare_words! {
    /// The service manager that runs the units.
    #[derive(Default)]
    pub enum UnitScope {
        /// The manager of the system: `systemctl`.
        #[default]
        System = "system",
        /// The manager of a user: `systemctl --user`.
        User = "user",
    }
}

impl UnitScope {
    /// The command that controls the units.
    pub fn systemctl(self) -> &'static str {
        match self {
            Self::System => "systemctl",
            Self::User => "systemctl --user",
        }
    }

    /// The target of systemd that starts the units at boot.
    pub fn boot_target(self) -> &'static str {
        match self {
            Self::System => "multi-user.target",
            Self::User => "default.target",
        }
    }
}

/// The words of a hardening field.
pub(super) const HARDENING: Shape = Shape::Word(Hardening::WORDS);

/// The fields of a stack.
pub(super) static TABLE: Table = Table::with_principal(
    "name",
    &[
        Field::required(
            "name",
            Shape::Text,
            "The name of the stack, such as `home`: the first part of all unit names.",
        ),
        Field::optional("verified", Shape::Date, "Date of the last manual verification."),
        Field::optional(
            "engine",
            Shape::Name("engine"),
            "The default engine of roles. Optional if there is only one engine.",
        ),
        Field::optional("title", Shape::Text, "Display name of the stack.").example("Home models"),
        Field::optional(
            "targets",
            Shape::Words(TargetName::WORDS),
            "The output targets; default: all except `kubernetes`.",
        ),
        Field::optional(
            "hardening",
            HARDENING,
            "The sandbox level of units; default: `default`, and `gpu` for a role with GPUs.",
        )
        .default("default"),
        Field::optional(
            "scope",
            Shape::Word(UnitScope::WORDS),
            "Who runs the units: `system`, or `user` (`systemctl --user`, without root); default `system`.",
        )
        .default("system")
        .example("user"),
        Field::optional(
            "defaults",
            Shape::Defaults,
            "Default values for the fields of all roles, and the default `store` of models.",
        ),
    ],
);
