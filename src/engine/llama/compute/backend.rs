//! The back ends of devices: what they do not compute, and how they align memory.

/// The interface to a device. The size of compute buffers is known for these.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Api {
    /// CUDA, and `ROCm` and MUSA, which are built from the same sources (`ggml/src/ggml-cuda/`, b11434).
    Cuda,
    /// Vulkan (`ggml/src/ggml-vulkan/`, b11434).
    Vulkan,
}

/// Which back ends do not compute an operation; such an operation runs on the host.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Unsupported {
    pub(super) by_cuda: bool,
    pub(super) by_vulkan: bool,
}

impl Api {
    /// The interface to a device with this name, such as `CUDA0`.
    pub(super) fn of(device: &str) -> Option<Self> {
        match device.trim_end_matches(|c: char| c.is_ascii_digit()) {
            "CUDA" | "ROCm" | "MUSA" => Some(Self::Cuda),
            "Vulkan" => Some(Self::Vulkan),
            _ => None,
        }
    }

    /// The alignment of tensors on a device in bytes. That of Vulkan depends on the device
    /// (`minStorageBufferOffsetAlignment`, 16 to 256 on most); the difference is within the margin.
    pub(super) fn alignment(self) -> u64 {
        match self {
            Self::Cuda => 128,
            Self::Vulkan => 32,
        }
    }

    pub(super) fn supports(self, unsupported: Unsupported) -> bool {
        match self {
            Self::Cuda => !unsupported.by_cuda,
            Self::Vulkan => !unsupported.by_vulkan,
        }
    }
}

/// State space scans: `GGML_OP_SSM_SCAN` in `supports_op` of both back ends.
pub(super) fn unsupported_scan(state: u64, inner: u64, heads: Option<u64>) -> Unsupported {
    match heads {
        Some(heads) => {
            let is_head_known = inner.checked_div(heads).unwrap_or(0).is_multiple_of(16);
            Unsupported {
                by_cuda: !(matches!(state, 96 | 128 | 256) && is_head_known),
                by_vulkan: !(matches!(state, 128 | 256) && is_head_known),
            }
        }
        None => Unsupported { by_cuda: state != 16 || !inner.is_multiple_of(128), by_vulkan: true },
    }
}

/// Flash attention with heads of these sizes, and the number of query heads per head of keys
/// (`ggml_cuda_get_best_fattn_kernel` of `ggml/src/ggml-cuda/fattn.cu`, `supports_op` of Vulkan).
pub(super) fn unsupported_flash_attention(key: u64, value: u64, group: u64) -> Unsupported {
    let by_cuda = match key {
        40 | 64 | 72 | 80 | 96 | 112 | 128 | 256 => value != key,
        192 => value != 128 || !group.is_multiple_of(8),
        320 => value != 256 || !group.is_multiple_of(32),
        512 => value != key || group < 2,
        576 => value != 512 || group < 2,
        _ => true,
    };
    Unsupported { by_cuda, by_vulkan: !(key.is_multiple_of(8) && value.is_multiple_of(8)) }
}
