//! Files that a server loads in addition to the model and its draft: a projector, and adapters (`LoRA`).

use super::part::everywhere;
use super::{
    Amount, KNOWN_SINCE, MemoryOptions, Owner, Part, PartKind, Place, Process, weights, without_empty,
};
use crate::facts::Facts;

/// The weights and the compute buffer of a projector. It is on one device or on the host (llama.cpp b11434,
/// `tools/mtmd/clip.cpp`).
pub(super) fn projector_parts(process: &Process<'_>, projector: &Facts) -> Vec<Part> {
    let owner = Owner::Projector;
    let follows_devices = process.profile.build_number().is_some_and(|build| build >= KNOWN_SINCE);
    let placement = &process.options.placement;
    let why = || Amount::Unknown("the compute buffer of a projector depends on the image".to_owned());
    let bytes = Amount::exact(weights::total_bytes(projector));
    match placement.projector(follows_devices) {
        Ok(device) => {
            let devices: Vec<Box<str>> = device.into_iter().map(Into::into).collect();
            let place = devices.first().map_or(Place::Host, |device| Place::device(device));
            let mut parts = vec![Part { kind: PartKind::Loaded, owner, place, amount: bytes }];
            parts.extend(everywhere(&devices, PartKind::Compute, owner, why));
            parts
        }
        Err(unknown) => {
            let devices = process.options.devices(Owner::Model);
            everywhere(&devices, PartKind::Loaded, owner, || Amount::Unknown(unknown.to_owned()))
        }
    }
}

/// The parts of an adapter: a copy of its tensors (measured with llama-server b11669), each on the device of the tensor that
/// it changes.
pub fn adapter_parts(options: &MemoryOptions, model: &Facts, adapter: &Facts) -> Vec<Part> {
    match options.offload(model, Owner::Model) {
        Ok(offload) => without_empty(weights::adapter_parts(adapter, &offload)),
        Err(why) => {
            let devices = options.devices(Owner::Model);
            everywhere(&devices, PartKind::Adapters, Owner::Model, || Amount::Unknown(why.clone()))
        }
    }
}
