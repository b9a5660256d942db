//! Placement wrappers: `numactl/PLACEMENT` runs a command with a memory policy and on CPUs, one for each distinct placement.
//!
//! Units do not use them, as systemd places their processes itself.

use serde::Serialize;

use super::template::{Template, Templates};
use super::{Claims, Target};
use crate::plan::{Placement, Plan, TargetName};

static WRAPPER: Template = crate::template!("numactl/placement.sh.j2");

pub(super) static TARGET: Target = Target { name: TargetName::Numactl, templates: &[&WRAPPER], artifacts };

/// What the template knows.
#[derive(Serialize)]
struct View<'p> {
    name: &'p str,
    options: Vec<String>,
}

fn artifacts<'p>(plan: &'p Plan, templates: &'p Templates, claims: &mut Claims<'_, 'p>) {
    for placement in &plan.placements {
        claims.program(format!("numactl/{}", placement.name), move || {
            templates.render(&WRAPPER, &view(placement))
        });
    }
}

fn view(placement: &Placement) -> View<'_> {
    View { name: &placement.name, options: placement.numactl() }
}
