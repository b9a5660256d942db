//! The measured speeds of roles, for the documents.

use super::text;
use crate::hir::{self, Date, Engine, Id, Registry};
use serde::Serialize;
use std::sync::Arc;

/// A measured speed.
#[derive(Debug, Serialize)]
pub struct Measurement {
    /// The role.
    pub role: Arc<str>,
    /// The title of its model. `None` for a role of another program.
    pub model: Option<Arc<str>>,
    /// The quantization of the model, if it is known.
    pub quant: Option<Arc<str>>,
    /// The measured engine. `None` if the registry does not name it.
    pub engine: Option<Arc<str>>,
    /// The date of the measurement.
    pub date: Option<Date>,
    /// The speed in tokens per second, as written.
    pub speed: Arc<str>,
    /// The host of the role. `None` if it has no server.
    pub host: Option<Arc<str>>,
    /// The engine that serves the role now, if it is not the measured one.
    pub replaced_by: Option<Arc<str>>,
}

/// The measurements of all roles, in the order of declaration.
pub(super) fn measurements(registry: &Registry) -> Vec<Measurement> {
    registry.roles.iter().filter_map(|role| measurement(registry, role)).collect()
}

fn measurement(registry: &Registry, role: &hir::Role) -> Option<Measurement> {
    let measured = &role.measured.as_ref()?.value;
    let name = |id: Id<Engine>| registry.engines.get(id).head.name.value.clone();
    let model = registry.model_of_role(role).map(|model| registry.models.get(model));
    let engine = measured.engine.map(|engine| engine.value);
    let serves = registry.engine_of_role(role).map(|engine| engine.value);
    let host = registry.provider(role).process().map(|process| registry.hosts.get(process.host.value));
    Some(Measurement {
        host: host.map(|host| host.head.name.value.clone()),
        role: role.head.name.value.clone(),
        model: model.map(|model| model.title.value.clone()),
        quant: model.and_then(|model| text(model.quant.as_ref())),
        engine: engine.map(name),
        date: measured.date.map(|date| date.value),
        speed: measured.speed.0.clone(),
        replaced_by: serves.filter(|serves| engine.is_some_and(|engine| engine != *serves)).map(name),
    })
}
