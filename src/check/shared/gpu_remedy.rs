//! The fields of `placement` for options that place a model on GPUs.

use super::faults::FaultyRole;
use crate::diag::{Change, Line, words};
use crate::engine::options::places_on_gpus;
use crate::hir::{AUTO_GPU, EngineOption, Gpu, NO_GPU, Placement, Setting, SplitMode};

/// The number of layers from which an option means all of them: 99 and 999 are usual.
const MEANS_ALL: u64 = 99;

/// The largest share of a split that the registry accepts.
const LARGEST_SHARE: u32 = 1_000_000;

/// True if the option places the model on GPUs.
pub(super) fn is_of_gpus(option: &EngineOption) -> bool {
    places_on_gpus(&option.name)
}

/// Writes the fields of `placement` for all options of the role that place the model on GPUs. `None` if the host declares no
/// such GPU, or if a value has another form there. The first of these options has the fields; the others are removed.
pub(super) fn gpu_fields(role: &FaultyRole, option: &EngineOption) -> Option<Change> {
    let options = role.options_with(option);
    let all: Vec<&EngineOption> = options.into_iter().filter(|other| is_of_gpus(other)).collect();
    let mut given = GivenOptions::default();
    for other in &all {
        given.add(other)?;
    }
    let lines = given.lines(role)?;
    let is_first = all.first().is_none_or(|first| first.name.span == option.name.span);
    if lines.is_empty() || !is_first {
        return Some(Change::field("option", option.name.span));
    }
    if !has_placement(role, option) {
        let placement = lines.into_iter().fold(Line::new("placement"), Line::with);
        return Some(role.instead(option, None, placement));
    }
    let removal = Change::field("option", option.name.span);
    let sets = lines.into_iter().map(|line| role.set_in(option, "placement", line));
    Some(Change::All(std::iter::once(removal).chain(sets).collect()))
}

/// True if the item of the option, a role or the `defaults` of the stack, has the block `placement`.
fn has_placement(role: &FaultyRole, option: &EngineOption) -> bool {
    let Placement { numa, cpus, threads, lock, gpu } = &role.serving.placement;
    let gpu = gpu.as_deref();
    let places = [
        numa.as_ref().map(|numa| numa.span),
        cpus.as_ref().map(|cpus| cpus.span),
        threads.map(|threads| threads.span),
        lock.map(|lock| lock.span),
        gpu.and_then(|gpu| gpu.devices.first()).map(|name| name.span),
        gpu.and_then(|gpu| gpu.layers).map(|layers| layers.span),
        gpu.and_then(|gpu| gpu.split.as_ref()).map(|split| split.span),
        gpu.and_then(|gpu| gpu.split_mode).map(|mode| mode.span),
        gpu.and_then(|gpu| gpu.cpu_experts).map(|experts| experts.span),
        gpu.and_then(|gpu| gpu.kv).map(|kv| kv.span),
    ];
    places.into_iter().flatten().any(|place| role.is_next_to(option, place))
}

/// The meaning of the options of a role for its GPUs.
#[derive(Default)]
struct GivenOptions {
    /// The names of devices.
    devices: Option<Vec<String>>,
    layers: Option<GivenLayers>,
    /// The shares of the devices.
    split: Option<Vec<u32>>,
    split_mode: Option<String>,
    /// The index of the device of `split-mode` `none`.
    main: usize,
    cpu_experts: Option<Line>,
    is_cache_on_host: bool,
}

/// A number of layers in an option.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum GivenLayers {
    All,
    Fit,
    Count(u64),
}

impl GivenLayers {
    /// `None` if the text is no number of layers.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text.parse::<i64>().map(u64::try_from) {
            Ok(Ok(layers)) if layers < MEANS_ALL => Some(Self::Count(layers)),
            Ok(_) => Some(Self::All),
            Err(_) if text == "all" => Some(Self::All),
            Err(_) if text == "auto" => Some(Self::Fit),
            Err(_) => None,
        }
    }

    /// The field. `None` for the default.
    pub(super) fn line(self) -> Option<Line> {
        match self {
            Self::All => None,
            Self::Fit => Some(Line::of("layers", "fit")),
            Self::Count(layers) => Some(Line::of("layers", layers)),
        }
    }
}

impl GivenOptions {
    /// Adds an option. `None` if its value has no field.
    fn add(&mut self, option: &EngineOption) -> Option<()> {
        let text = text_of(option);
        let is_off = matches!(option.value.as_ref().map(|value| &value.value), Some(Setting::Flag(false)));
        match option.name.trim_start_matches('-') {
            "device" | "dev" => self.devices = Some(names(&text)).filter(|names| !names.is_empty()),
            "gpu-layers" | "n-gpu-layers" | "ngl" => self.layers = Some(GivenLayers::parse(&text)?),
            "tensor-split" | "ts" => self.split = Some(shares(&text)?),
            "split-mode" | "sm" => self.split_mode = Some(text),
            "main-gpu" | "mg" => self.main = text.parse().ok()?,
            "cpu-moe" | "cmoe" => self.cpu_experts = Some(Line::of("cpu-experts", "all")),
            "n-cpu-moe" | "ncmoe" => {
                self.cpu_experts = Some(Line::of("cpu-experts", text.parse::<u64>().ok()?));
            }
            "no-kv-offload" | "nkvo" => self.is_cache_on_host = !is_off,
            "kv-offload" | "kvo" => self.is_cache_on_host = is_off,
            _ => return None,
        }
        Some(())
    }

    /// The fields of the placement. `None` if the host does not have the GPUs.
    fn lines(mut self, role: &FaultyRole) -> Option<Vec<Line>> {
        let off = || vec![Line::of("gpu", NO_GPU)];
        let placed = role.serving.placement.gpus().devices.iter().map(|name| name.value.to_string());
        let placed = Some(placed.collect::<Vec<_>>()).filter(|placed| !placed.is_empty());
        let named = self.devices.take().or_else(|| placed.clone());
        if named.as_deref().is_some_and(|names| names == [NO_GPU]) {
            return Some(off());
        }
        if named.is_none() && self.layers == Some(GivenLayers::Count(0)) {
            return Some(off());
        }
        let gpus = self.gpus(role, named)?;
        let is_placed = placed.is_some_and(|placed| placed == gpus);
        let mut lines: Vec<Line> = Vec::new();
        lines.extend((!is_placed).then(|| Line::of("gpu", gpus.join(","))));
        let is_declared = role.serving.placement.gpus().layers.is_some();
        let all = || Line::of("layers", "all");
        lines.extend(self.layers.and_then(|layers| layers.line().or_else(|| is_declared.then(all))));
        if gpus.len() > 1 || gpus == [AUTO_GPU] {
            let split =
                self.split.map(|shares| shares.iter().map(u32::to_string).collect::<Vec<_>>().join(":"));
            lines.extend(split.map(|split| Line::of("split", split)));
            let mode = self.split_mode.filter(|mode| mode != "layer");
            lines.extend(mode.map(|mode| Line::of("split-mode", mode)));
        }
        lines.extend(self.cpu_experts);
        lines.extend(self.is_cache_on_host.then(|| Line::of("kv", "host")));
        Some(lines)
    }

    /// The names of the GPUs that the options mean.
    fn gpus(&self, role: &FaultyRole, named: Option<Vec<String>>) -> Option<Vec<String>> {
        let host = role.registry.hosts.get(role.serving.host.value);
        let all = || host.gpus.iter().map(|gpu| gpu.name.value.to_string());
        let mode = self.split_mode.as_deref().unwrap_or("layer");
        if named.is_none() && host.gpus.iter().any(Gpu::is_auto) {
            let has_fields = self.main == 0 && self.split.iter().flatten().all(|share| *share > 0);
            let is_word = SplitMode::ALL.iter().any(|known| known.word() == mode);
            return (has_fields && is_word).then(|| vec![AUTO_GPU.to_owned()]);
        }
        if named.iter().flatten().any(|name| host.gpu(name).is_none()) {
            return None;
        }
        if mode == "none" {
            return Some(vec![named.unwrap_or_else(|| all().collect()).get(self.main)?.clone()]);
        }
        if SplitMode::ALL.iter().all(|known| known.word() != mode) {
            return None;
        }
        let back_end = |name: &str| name.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
        let gpus = named.unwrap_or_else(|| {
            let first = all().next().map(|first| back_end(&first));
            let alike = all().filter(|name| Some(back_end(name)) == first);
            match &self.split {
                Some(shares) => all().take(shares.len()).collect(),
                // Without a list the engine uses all devices.
                None => alike.collect(),
            }
        });
        let fits = self.split.as_ref().is_none_or(|shares| shares.len() == gpus.len());
        let is_divided = mode == "layer" || gpus.len() > 1;
        (fits && is_divided && !gpus.is_empty()).then_some(gpus)
    }
}

/// The value of an option as text.
pub(super) fn text_of(option: &EngineOption) -> String {
    match option.value.as_ref().map(|value| &value.value) {
        Some(Setting::Text(text)) => text.to_string(),
        Some(Setting::Integer(number)) => number.to_string(),
        Some(Setting::Flag(_) | Setting::Float(_)) | None => String::new(),
    }
}

/// The names of devices in the value of an option.
pub(super) fn names(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// The shares of a split, with commas or slashes between them.
fn shares(text: &str) -> Option<Vec<u32>> {
    let share = |share: &str| share.trim().parse::<u32>().ok().filter(|share| *share <= LARGEST_SHARE);
    let shares: Vec<u32> = text.split([',', '/']).map(share).collect::<Option<_>>()?;
    shares.iter().any(|share| *share > 0).then_some(shares)
}

/// The help for an option that places a model on GPUs, if the host does not declare them.
pub(super) fn declare_gpus(role: &FaultyRole, option: &EngineOption) -> Option<String> {
    let host = role.registry.hosts.get(role.serving.host.value);
    if !is_of_gpus(option) {
        return None;
    }
    let print = "the name and the memory that `llama-server --list-devices` prints";
    if host.gpus.is_empty() {
        return Some(format!(
            "declare the GPUs in {host}: each `gpu` has {print}, and the name `auto` means all; then name them in `gpu` of the \
             field `placement`, instead of this option"
        ));
    }
    if host.gpu(AUTO_GPU).is_some() {
        return Some(format!(
            "declare each `gpu` of {host} instead of `auto`, with {print}; then name them in `gpu` of the field \
            `placement`, instead of this option"
        ));
    }
    let is_device = matches!(option.name.trim_start_matches('-'), "device" | "dev");
    let named = if is_device { names(&text_of(option)) } else { Vec::new() };
    let unknown = named.iter().find(|name| *name != NO_GPU && host.gpu(name).is_none())?;
    let known: Vec<String> = host.gpus.iter().map(|gpu| words::quoted(&gpu.name)).collect();
    Some(format!(
        "{} is no GPU of {host}, which has {}: declare it as another `gpu` with {print}; then name it in `gpu` of the field \
         `placement`, instead of this option",
        words::quoted(unknown),
        words::all_of(&known)
    ))
}
