//! Placement wrappers: `numactl/PLACEMENT` runs a command with a NUMA memory policy and on a set of CPUs. Each distinct
//! placement has one wrapper.
//!
//! Units do not use wrappers, because systemd itself sets NUMA policy and CPU affinity.

use serde::Serialize;

use super::template::Template;
use super::{ArtifactCollector, OutputTarget};
use crate::plan::Plan;

static WRAPPER: Template = crate::template!("numactl/placement.sh.j2");

pub(super) static TARGET: OutputTarget = OutputTarget::new("numactl", &[&WRAPPER], artifacts);

/// The data of the template.
#[derive(Serialize)]
struct WrapperView<'p> {
    name: &'p str,
    options: Vec<String>,
}

fn artifacts<'p>(plan: &'p Plan, collector: &mut ArtifactCollector<'p>) {
    for placement in &plan.placements {
        collector.file(format!("numactl/{}", placement.name), &WRAPPER, || {
            Ok(WrapperView { name: &placement.name, options: placement.numactl() })
        });
    }
}
