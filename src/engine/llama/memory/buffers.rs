//! The compute buffers of a context, by place.

use super::{Amount, ENCODERS_KNOWN_SINCE, KNOWN_SINCE, Owner, Part, PartKind, Place, Process, cache_types};
use crate::engine::architecture::{Architecture, architecture};
use crate::engine::compute::{self, ContextParams, DeviceOptions, MAX_VULKAN_TENSOR};
use crate::engine::offload::Offload;
use crate::facts::Facts;

/// The compute buffers of a model or draft, and true if the engine uses flash attention with them.
pub(super) fn compute(
    process: &Process<'_>,
    facts: &Facts,
    params: &ContextParams,
    owner: Owner,
    offload: &Offload,
) -> (Vec<Part>, bool) {
    let flash_attention = params.flash_attention;
    if offload.devices.is_empty() {
        let amount = compute_amount(process, facts, params, owner);
        return (vec![Part::on_host(PartKind::Compute, owner, amount)], flash_attention);
    }
    if process.profile.build_number().is_none_or(|build| build < KNOWN_SINCE) {
        let why =
            || Amount::Unknown("the compute buffers of devices are not known for this build".to_owned());
        return (offload.parts(PartKind::Compute, owner, why), flash_attention);
    }
    let options = DeviceOptions {
        cache_types: cache_types(process.options, owner),
        op_offload: process.options.offloads_operations(),
        auto_flash_attention: process.options.auto_flash_attention,
        max_vulkan_tensor: MAX_VULKAN_TENSOR,
    };
    match compute::compute_buffers(facts, params, offload, &options) {
        Err(why) => {
            let why = || Amount::Unknown(why.clone());
            (offload.parts(PartKind::Compute, owner, why), flash_attention)
        }
        Ok(buffers) => {
            let amount = |bytes| Amount::Within { bytes, percent: buffers.margin_percent };
            let host = Part::on_host(PartKind::Compute, owner, amount(buffers.host));
            let devices = offload.devices.iter().zip(&buffers.devices).map(|(device, bytes)| Part {
                kind: PartKind::Compute,
                owner,
                place: Place::Device(device.as_ref().into()),
                amount: amount(*bytes),
            });
            (std::iter::once(host).chain(devices).collect(), buffers.flash_attention)
        }
    }
}

/// The compute buffer of a model or draft.
fn compute_amount(process: &Process<'_>, facts: &Facts, params: &ContextParams, owner: Owner) -> Amount {
    let has_memory =
        facts.architecture.as_deref().and_then(architecture).is_none_or(Architecture::has_memory);
    let since = if has_memory { KNOWN_SINCE } else { ENCODERS_KNOWN_SINCE };
    let is_known = process.profile.build_number().is_some_and(|build| build >= since);
    // Older builds may reserve another number of outputs. The tokens of the batch are an upper bound.
    let params = if is_known { *params } else { ContextParams { outputs: params.ubatch, ..*params } };
    match compute::compute_buffer(facts, &params) {
        Ok(_) if !is_known && owner == Owner::Draft => {
            Amount::Unknown("the draft context of a build before b11434 is not known".to_owned())
        }
        Ok(estimate) if is_known => {
            Amount::Within { bytes: estimate.bytes, percent: estimate.margin_percent }
        }
        Ok(estimate) => Amount::AtMost(estimate.bytes),
        Err(why) => Amount::Unknown(why),
    }
}
