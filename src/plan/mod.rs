//! What to start, where, with which arguments: every question answered.
//!
//! Planning takes what was checked and cannot fail, so it knows no findings. One process has one argv, here; units, scripts and
//! documents are projections of it.

mod argv;
mod engine;
mod group;
mod placement;
mod process;
mod prompt;
pub mod reference;
mod route;

pub use crate::hir::{Bytes, CpuList, Date, Forbids, Hardening, PortRange, Seconds, Start, TargetName};
pub use argv::{Argv, Word};
pub use engine::Engine;
pub use group::{Group, Host};
pub use placement::{Memory, Placement};
pub use process::{Process, Role};
pub use prompt::{Kind, Prompt};
pub use reference::Reference;
pub use route::Route;

use crate::check::Checked;
use crate::hir::Registry;

/// Everything that is to be, in the order of declaration.
#[derive(Debug)]
pub struct Plan {
    /// The name of the stack, the first part of every unit's.
    pub stack: Box<str>,
    /// What people call it.
    pub title: Option<Box<str>>,
    /// When somebody last held it against the machine.
    pub verified: Option<Date>,
    /// What is to be made.
    pub targets: Vec<TargetName>,
    /// The engines.
    pub engines: Vec<Engine>,
    /// The machines, with the groups of roles that start together.
    pub hosts: Vec<Host>,
    /// The roles that are served by processes of their own.
    pub roles: Vec<Role>,
    /// Every role that clients may ask for, shared ones too.
    pub routes: Vec<Route>,
    /// The one-shot command of each model that a role serves and that answers in text.
    pub prompts: Vec<Prompt>,
    /// The distinct placements of roles and one-shot commands.
    pub placements: Vec<Placement>,
    /// What the documents say beside all that.
    pub reference: Reference,
}

/// Plans what was checked.
pub fn plan(checked: &Checked) -> Plan {
    let registry = checked.registry();
    let ((roles, prompts, placements), mut reference) = rayon::join(
        || {
            let mut placements = placement::Placements::default();
            let roles = process::roles(checked, &mut placements);
            let prompts = prompt::prompts(checked, &mut placements);
            (roles, prompts, placements)
        },
        || reference::reference(registry),
    );
    reference.constraints = reference::constraints(registry, &prompts);
    let hosts = group::hosts(checked, &roles);
    Plan {
        stack: registry.stack.head.name.value.clone(),
        title: registry.stack.title.as_ref().map(|title| title.value.clone()),
        verified: registry.stack.verified.map(|date| date.value),
        targets: targets(registry, &placements.all),
        engines: engine::engines(checked),
        hosts,
        routes: route::routes(registry, &roles),
        roles,
        prompts,
        placements: placements.all,
        reference,
    }
}

/// What is asked for, everything where nothing is, and the wrappers with the scripts that run through them.
fn targets(registry: &Registry, placements: &[Placement]) -> Vec<TargetName> {
    let mut named: Vec<TargetName> = registry.stack.targets.iter().map(|target| target.value).collect();
    if named.is_empty() {
        named = vec![
            TargetName::Systemd,
            TargetName::Bin,
            TargetName::Numactl,
            TargetName::Docs,
            TargetName::StackJson,
        ];
    }
    if !placements.is_empty() && named.contains(&TargetName::Bin) {
        named.push(TargetName::Numactl);
    }
    named.sort_unstable();
    named.dedup();
    named
}
