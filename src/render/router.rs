//! `router/GATEWAY.ini`: the preset file of a gateway, with the options of each model (`common/preset.cpp` of llama.cpp b11434).
//!
//! ```ini
//! ; chat: Coder-7B
//! [chat]
//! load-on-startup = true
//! stop-timeout = 10
//! model = /srv/models/coder.gguf
//! ctx-size = 8192
//! ```

use super::{ArtifactCollector, OutputTarget, RenderError, presets};
use crate::plan::{Gateway, Models, Plan, PresetEntry, UnitScope};

pub(super) static TARGET: OutputTarget = OutputTarget::new("router", &[], artifacts);

fn artifacts<'p>(plan: &'p Plan, collector: &mut ArtifactCollector<'p>) {
    for gateway in &plan.gateways {
        if let Models::Router(models) = &gateway.models {
            collector.text(format!("router/{}.ini", gateway.name), move || text(plan, gateway, models));
        }
    }
}

fn text(
    plan: &Plan,
    gateway: &Gateway,
    models: &[(usize, Box<[PresetEntry]>)],
) -> Result<String, RenderError> {
    let place = format!("The unit of the gateway reads it as {}", gateway.file);
    let comments: Vec<String> = (plan.scope == UnitScope::System).then_some(place).into_iter().collect();
    presets::text(plan, &gateway.name, &comments, models)
}
