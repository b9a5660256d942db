//! One part of the memory of a process: its use, its file, its place and its size.

use crate::engine::offload::Offload;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One part of the memory of a process.
#[derive(Clone, PartialEq, Debug)]
pub struct Part {
    /// The use of the memory.
    pub kind: PartKind,
    /// The file that needs it.
    pub owner: Owner,
    /// The memory that it is in.
    pub place: Place,
    /// The size.
    pub amount: Amount,
}

impl Part {
    /// A part in the memory of the host.
    pub fn on_host(kind: PartKind, owner: Owner, amount: Amount) -> Self {
        Self { kind, owner, place: Place::Host, amount }
    }
}

/// The memory that a part is in.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Place {
    /// The memory of the host, including buffers that it pins for a device.
    Host,
    /// The memory of a device, by its name in `--device`, such as `CUDA0`.
    Device(Arc<str>),
}

impl Place {
    pub(super) fn device(name: &str) -> Self {
        Self::Device(name.into())
    }
}

/// The use of a part of the memory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum PartKind {
    /// Weights mapped from the file, shared between all processes that map it.
    Mapped,
    /// Weights loaded into process memory.
    Loaded,
    /// Weights repacked into a layout of the CPU.
    Repacked,
    /// The KV cache of all slots.
    Cache,
    /// The recurrent state of all slots.
    State,
    /// The compute buffer.
    Compute,
    /// The output buffer: logits and embeddings.
    Output,
    /// The prompt cache, with prompts of earlier requests.
    PromptCache,
    /// Context checkpoints: copies of recurrent states and sliding windows.
    Checkpoints,
    /// Adapters (`LoRA`).
    Adapters,
    /// Anything else.
    Rest,
}

/// The file that needs a part.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Owner {
    /// The model.
    Model,
    /// The draft.
    Draft,
    /// The projector.
    Projector,
}

/// The size of a part, with its precision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Amount {
    /// A size with an error margin.
    Within {
        /// Bytes.
        bytes: u64,
        /// The error margin in percent, in both directions.
        percent: u8,
    },
    /// An upper bound in bytes.
    AtMost(u64),
    /// An upper bound in bytes by a default of the engine, which the registry does not state. Limits do not count it.
    MayGrow(u64),
    /// Not known; the reason as a clause.
    Unknown(String),
}

impl Amount {
    /// The bytes to count; 0 if the size is not known, or if only a default of the engine limits it.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Within { bytes, .. } | Self::AtMost(bytes) => *bytes,
            Self::MayGrow(_) | Self::Unknown(_) => 0,
        }
    }

    /// The bytes that the engine may take in addition, by its own defaults.
    pub fn growth(&self) -> u64 {
        if let Self::MayGrow(bytes) = self { *bytes } else { 0 }
    }

    /// An exact size, except for the alignment of tensors in their buffer.
    pub(super) fn exact(bytes: u64) -> Self {
        Self::Within { bytes, percent: 1 }
    }
}

impl Offload {
    /// The place with the index of a device, or the host.
    pub(super) fn place(&self, device: Option<usize>) -> Place {
        device.and_then(|device| self.devices.get(device)).map_or(Place::Host, |name| Place::device(name))
    }

    /// One part for each place with a size, in bytes.
    pub(super) fn placed(
        &self,
        kind: PartKind,
        owner: Owner,
        sums: &BTreeMap<Option<usize>, u64>,
    ) -> Vec<Part> {
        let part = |(device, bytes): (&Option<usize>, &u64)| Part {
            kind,
            owner,
            place: self.place(*device),
            amount: Amount::exact(*bytes),
        };
        sums.iter().map(part).collect()
    }

    /// One part for the host and one for each device.
    pub(super) fn parts(&self, kind: PartKind, owner: Owner, amount: impl Fn() -> Amount) -> Vec<Part> {
        everywhere(&self.devices, kind, owner, amount)
    }
}

/// One part for the host and one for each of some devices.
pub(super) fn everywhere(
    devices: &[Box<str>],
    kind: PartKind,
    owner: Owner,
    amount: impl Fn() -> Amount,
) -> Vec<Part> {
    let places = devices.iter().map(|name| Place::device(name));
    let part = |place| Part { kind, owner, place, amount: amount() };
    std::iter::once(Place::Host).chain(places).map(part).collect()
}
