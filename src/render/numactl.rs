//! Placement wrappers: `numactl/PLACEMENT` runs a command with a NUMA memory policy and on a set of CPUs. Each distinct
//! placement has one wrapper.
//!
//! Units do not use wrappers, because systemd itself sets NUMA policy and CPU affinity.

use serde::Serialize;

use super::template::{Template, Templates};
use super::{ArtifactCollector, OutputTarget};
use crate::plan::{Placement, Plan, TargetName};

static WRAPPER: Template = crate::template!("numactl/placement.sh.j2");

pub(super) static TARGET: OutputTarget =
    OutputTarget { name: TargetName::Numactl, templates: &[&WRAPPER], artifacts };

/// The data of the template.
#[derive(Serialize)]
struct WrapperView<'p> {
    name: &'p str,
    options: Vec<String>,
}

fn artifacts<'p>(plan: &'p Plan, templates: &'p Templates, collector: &mut ArtifactCollector<'_, 'p>) {
    for placement in &plan.placements {
        collector.program(format!("numactl/{}", placement.name), move || {
            templates.render(&WRAPPER, &view(placement))
        });
    }
}

fn view(placement: &Placement) -> WrapperView<'_> {
    WrapperView { name: &placement.name, options: placement.numactl() }
}
