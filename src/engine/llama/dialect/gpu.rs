//! Options that place a model, its draft and its projector on GPUs.

use super::argv::ArgvBuilder;
use super::{Intent, OverrideValue, ServerSpec, Sparsity, UncheckedIntent};
use crate::engine::llama::architecture::{Class, architecture};
use crate::engine::llama::options::Owner;

/// The devices of a model, a draft or a projector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Devices<'a> {
    /// No device: everything is in the memory of the host.
    #[default]
    Host,
    /// All devices that the engine finds.
    Found,
    /// The devices with these names.
    Named(&'a [&'a str]),
}

/// The placement of a process on GPUs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GpuSpec<'a> {
    /// The devices of the model.
    pub devices: Devices<'a>,
    /// The layers on the devices.
    pub layers: LayersSpec,
    /// The share of each device. Empty if one device has everything, or if the engine decides.
    pub shares: &'a [u64],
    /// The value of `--split-mode`. `None` means the engine's default, `layer`.
    pub split_mode: Option<&'a str>,
    /// The leading layers whose experts stay on the host.
    pub host_experts: HostExperts,
    /// True if the KV cache stays on the host.
    pub cache_on_host: bool,
    /// The memory in MiB that each device keeps free if the engine fits the layers.
    pub margins: &'a [u64],
    /// The device of the projector, which uses only the first one.
    pub projector: Devices<'a>,
    /// The placement of the draft. `None` means that of the model.
    pub draft: Option<DraftGpuSpec<'a>>,
}

/// The placement of a draft on GPUs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DraftGpuSpec<'a> {
    /// The devices. `None` means those of the model.
    pub devices: Option<Devices<'a>>,
    /// The layers on the devices.
    pub layers: LayersSpec,
    /// The leading layers whose experts stay on the host.
    pub host_experts: HostExperts,
}

/// The layers on devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LayersSpec {
    /// All layers.
    #[default]
    All,
    /// As many as fit: the engine decides.
    Fit,
    /// This number of layers, from the last one. The output matrix counts as one.
    Count(u32),
}

/// Leading layers whose experts stay on the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostExperts {
    /// This number of layers.
    Count(u32),
    /// All layers.
    All,
}

impl Default for HostExperts {
    fn default() -> Self {
        Self::Count(0)
    }
}

/// A part of the placement on GPUs that a build may be unable to express.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum GpuIntent {
    /// The devices.
    Devices,
    /// The layers on the devices.
    Layers,
    /// The shares of several devices.
    Split,
    /// The division between several devices.
    SplitMode,
    /// Experts on the host.
    HostExperts,
    /// The place of the KV cache.
    CachePlace,
    /// The devices of the draft.
    Draft,
}

const DEVICE: &[&str] = &["--device"];
const LAYERS: &[&str] = &["--n-gpu-layers", "--gpu-layers"];
const DRAFT_DEVICE: &[&str] = &["--spec-draft-device", "--device-draft"];
const DRAFT_LAYERS: &[&str] = &["--spec-draft-ngl", "--n-gpu-layers-draft", "--gpu-layers-draft"];

/// The number of layers that means all of them to a build without the word `all`: no model has as many.
const MORE_THAN_ALL: &str = "999";

/// The back ends that can split by rows: the others have no split buffers (`ggml_backend_split_buffer_type`). A build between
/// b9093 and b10434 is unknown; so is one without a number.
fn row_splitters(build: Option<u32>) -> Option<&'static [&'static str]> {
    match build? {
        // llama.cpp of March to June 2026: `ggml-cuda` (also of ROCm and MUSA) and `ggml-sycl` have them.
        ..=9093 => Some(&["CUDA", "ROCm", "MUSA", "SYCL"]),
        // llama.cpp b11434: only `ggml-sycl`; so in the tree of August 2026 before b10434.
        10434.. => Some(&["SYCL"]),
        _ => None,
    }
}

/// The build from which it is known which architectures can be split by tensors (`llm_arch_supports_sm_tensor` of
/// `src/llama-arch.cpp`).
const TENSOR_SPLIT_SINCE: u32 = 11434;

/// Writes where a model, its draft and its projector are.
pub(super) fn write(argv: &mut ArgvBuilder<'_>, gpu: &GpuSpec<'_>, has: Files) {
    let origin = (Intent::Gpu(GpuIntent::Devices), "placement");
    match gpu.devices {
        Devices::Host => {
            argv.write_option(origin, DEVICE, "none");
            // Builds without an own device for the projector take the first GPU of the machine.
            if has.projector {
                argv.write_flag(origin, &["--no-mmproj-offload"]);
            }
            if has.draft {
                let draft = gpu.draft.unwrap_or_default();
                write_draft(argv, &draft, draft.devices.unwrap_or_default());
            }
            return;
        }
        Devices::Found => {}
        Devices::Named(names) => {
            argv.write_option(origin, DEVICE, names.join(","));
        }
    }
    write_layers(argv, LAYERS, gpu.layers);
    write_split(argv, gpu);
    write_experts(argv, gpu.host_experts, [&["--cpu-moe"], &["--n-cpu-moe"]]);
    if gpu.cache_on_host {
        argv.write_flag((Intent::Gpu(GpuIntent::CachePlace), "placement"), &["--no-kv-offload"]);
    }
    if has.draft {
        let draft = gpu.draft.unwrap_or(DraftGpuSpec { layers: gpu.layers, ..DraftGpuSpec::default() });
        // Not all builds give a draft the devices of its target.
        write_draft(argv, &draft, draft.devices.unwrap_or(gpu.devices));
    }
    if has.projector {
        write_projector(argv, gpu.projector);
    }
}

impl GpuSpec<'_> {
    /// True if the engine decides how many layers are on the devices.
    pub(super) fn fits_layers(&self) -> bool {
        self.layers == LayersSpec::Fit && self.devices != Devices::Host
    }
}

/// The files of a process in addition to the model.
#[derive(Clone, Copy)]
pub(super) struct Files {
    pub(super) draft: bool,
    pub(super) projector: bool,
}

/// Writes the number of layers. If the engine fits them, the option is not written: with it, the engine gives up fitting
/// (`common_params_fit_impl` in `common/fit.cpp` of llama.cpp b11434).
fn write_layers(argv: &mut ArgvBuilder<'_>, spellings: &[&'static str], layers: LayersSpec) {
    let value = match layers {
        LayersSpec::Fit => return,
        LayersSpec::Count(count) => count.to_string(),
        LayersSpec::All => {
            let knows_all = argv.find_option(spellings).is_some_and(|(_, option)| option.lists_value("all"));
            if knows_all { "all" } else { MORE_THAN_ALL }.to_owned()
        }
    };
    argv.write_option((Intent::Gpu(GpuIntent::Layers), "placement"), spellings, value);
}

/// Writes the shares of several devices. Without them the engine divides by the memory that is free at the start.
fn write_split(argv: &mut ArgvBuilder<'_>, gpu: &GpuSpec<'_>) {
    if let Some(mode) = gpu.split_mode {
        argv.write_option(
            (Intent::Gpu(GpuIntent::SplitMode), "placement"),
            &["--split-mode"],
            mode.to_owned(),
        );
    }
    if !gpu.shares.is_empty() {
        let shares = gpu.shares.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
        argv.write_option((Intent::Gpu(GpuIntent::Split), "placement"), &["--tensor-split"], shares);
    }
}

fn write_experts(argv: &mut ArgvBuilder<'_>, experts: HostExperts, [all, count]: [&[&'static str]; 2]) {
    let origin = (Intent::Gpu(GpuIntent::HostExperts), "placement");
    match experts {
        HostExperts::Count(0) => {}
        HostExperts::Count(layers) => {
            argv.write_option(origin, count, layers.to_string());
        }
        HostExperts::All => argv.write_flag(origin, all),
    }
}

fn write_draft(argv: &mut ArgvBuilder<'_>, draft: &DraftGpuSpec<'_>, devices: Devices<'_>) {
    let origin = (Intent::Gpu(GpuIntent::Draft), "draft");
    match devices {
        Devices::Host => {
            argv.write_option(origin, DRAFT_DEVICE, "none");
            return;
        }
        Devices::Found => {}
        Devices::Named(names) => {
            argv.write_option(origin, DRAFT_DEVICE, names.join(","));
        }
    }
    write_layers(argv, DRAFT_LAYERS, draft.layers);
    let all = &["--spec-draft-cpu-moe", "--cpu-moe-draft"];
    let count = &["--spec-draft-n-cpu-moe", "--n-cpu-moe-draft"];
    write_experts(argv, draft.host_experts, [all, count]);
}

/// Writes the device of the projector. A build without this option takes the first GPU of the machine
/// (`tools/mtmd/clip.cpp` of llama.cpp b10434).
fn write_projector(argv: &mut ArgvBuilder<'_>, devices: Devices<'_>) {
    let origin = (Intent::Projector, "projector");
    let device = match devices {
        Devices::Host if argv.find_option(&["--mmproj-device"]).is_some() => {
            argv.write_option(origin, &["--mmproj-device"], "none");
            return;
        }
        Devices::Host => return argv.write_flag(origin, &["--no-mmproj-offload"]),
        Devices::Found => return,
        Devices::Named(names) => names.first().copied().unwrap_or_default(),
    };
    if argv.find_option(&["--mmproj-device"]).is_some() {
        argv.write_option(origin, &["--mmproj-device"], device.to_owned());
    } else if !device.ends_with('0') || device.ends_with("10") {
        let why = format!(
            "{} has no `--mmproj-device`: it puts the projector on the first GPU of the machine",
            argv.build()
        );
        argv.add_error(Intent::Projector, why);
    }
}

/// Lets the engine fit the layers of a process whose context has a number.
pub(super) fn write_fit(argv: &mut ArgvBuilder<'_>, gpu: &GpuSpec<'_>) {
    argv.write_option((Intent::Gpu(GpuIntent::Layers), "placement"), &["--fit"], "on");
    write_margins(argv, gpu);
}

/// Writes the memory that stays free on each device if the engine fits.
pub(super) fn write_margins(argv: &mut ArgvBuilder<'_>, gpu: &GpuSpec<'_>) {
    if !gpu.margins.is_empty() && argv.find_option(&["--fit-target"]).is_some() {
        let margins = gpu.margins.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
        argv.write_option((Intent::Gpu(GpuIntent::Layers), "reserve"), &["--fit-target"], margins);
    }
}

/// Checks what a build accepts and a server refuses or ignores.
pub(super) fn check(argv: &mut ArgvBuilder<'_>, gpu: &GpuSpec<'_>, spec: &ServerSpec<'_>) {
    if gpu.devices == Devices::Host {
        return;
    }
    if gpu.host_experts != HostExperts::Count(0) && spec.sparsity == Sparsity::Dense {
        argv.add_error(Intent::Gpu(GpuIntent::HostExperts), "the model has no experts".to_owned());
    }
    match gpu.split_mode {
        Some("row") => check_row_split(argv, gpu.devices),
        Some("tensor") => check_tensor_split(argv, spec),
        _ => {}
    }
}

/// Without split buffers, builds since b10434 exit when they load the model, and earlier ones split by layers
/// (`make_gpu_buft_list` in `src/llama-model.cpp`).
fn check_row_split(argv: &mut ArgvBuilder<'_>, devices: Devices<'_>) {
    let intent = Intent::Gpu(GpuIntent::SplitMode);
    let Some(splitters) = row_splitters(argv.profile.build_number()) else {
        let why = "it is unknown which back ends of this build can split by rows".to_owned();
        return argv.not_checked.push(UncheckedIntent { intent, why });
    };
    let Devices::Named(names) = devices else {
        let why = "it is unknown which back ends the GPUs have".to_owned();
        return argv.not_checked.push(UncheckedIntent { intent, why });
    };
    let splits = |device: &str| splitters.iter().any(|back_end| device.starts_with(back_end));
    if let Some(device) = names.iter().find(|device| !splits(device)) {
        let back_end = device.trim_end_matches(|c: char| c.is_ascii_digit());
        let why = format!("the {back_end} back end of {} cannot split by rows", argv.build());
        argv.add_error(intent, why);
    }
}

/// A split by tensors needs flash attention (`llama_init_from_model` in `src/llama-context.cpp` of llama.cpp b11434) and an
/// architecture that is divisible.
fn check_tensor_split(argv: &mut ArgvBuilder<'_>, spec: &ServerSpec<'_>) {
    let is_known = argv.profile.build_number().is_some_and(|build| build >= TENSOR_SPLIT_SINCE);
    if !is_known {
        let why = "it is unknown which architectures this build can split by tensors".to_owned();
        argv.not_checked.push(UncheckedIntent { intent: Intent::Gpu(GpuIntent::SplitMode), why });
    } else if architecture(spec.arch).is_some_and(|arch| arch.is(Class::NoSplitModeTensor)) {
        let arch = spec.arch;
        let why = format!(
            "models of architecture `{arch}` cannot be split by tensors: the server would exit at startup"
        );
        argv.add_error(Intent::Gpu(GpuIntent::SplitMode), why);
    }
    if spec.settings.contains(&(Owner::of("flash-attention"), OverrideValue::Str("off"))) {
        let why = "a split by tensors needs flash attention, which is off".to_owned();
        argv.add_error(Intent::Gpu(GpuIntent::SplitMode), why);
    }
}

/// The names of the supported back ends, which they give to devices with a number (llama.cpp b11434, `ggml/src/ggml-*`).
pub const BACK_ENDS: &[&str] = &["CUDA", "ROCm", "Vulkan", "SYCL"];

/// The variable with the order of the numbers of CUDA GPUs, and the order of `nvidia-smi` and of the names of CDI. By default, the
/// fastest is the first (CUDA C++ Programming Guide, environment variables).
pub const CUDA_ORDER: (&str, &str) = ("CUDA_DEVICE_ORDER", "PCI_BUS_ID");

/// The back ends whose drivers read a variable with the list of visible devices, and give them new numbers.
pub const VISIBLE_DEVICES: &[(&str, &str)] =
    &[("CUDA", "CUDA_VISIBLE_DEVICES"), ("ROCm", "HIP_VISIBLE_DEVICES"), ("ROCm", "ROCR_VISIBLE_DEVICES")];

/// True if a back end of llama.cpp can give this name to a device: its own name and a number.
pub fn is_device_name(name: &str) -> bool {
    let number = BACK_ENDS.iter().find_map(|back_end| name.strip_prefix(back_end));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|c| c.is_ascii_digit()))
}

/// True if a device computes attention with caches of these types. If it cannot, the CPU does (`ggml-cuda/fattn.cu`).
/// `None` if it is unknown for the build or the back end.
pub fn computes_attention(build: Option<u32>, device: &str, [keys, values]: [&str; 2]) -> Option<bool> {
    if !["CUDA", "ROCm", "MUSA"].iter().any(|back_end| device.starts_with(back_end)) {
        return None;
    }
    let of = |types: &[&str]| types.contains(&keys) && types.contains(&values);
    let (plain, more) = (["f16", "bf16", "f32", "q8_0", "q4_0"], ["q4_1", "q5_0", "q5_1"]);
    match build? {
        // llama.cpp of March to August 2026, built without `GGML_CUDA_FA_ALL_QUANTS`.
        ..=10434 => Some(of(&plain) && keys == values),
        11434.. => Some(of(&[plain.as_slice(), more.as_slice()].concat())),
        _ => None,
    }
}
