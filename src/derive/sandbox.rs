//! The sandbox level of a role and the device files that it allows: both follow from the GPUs of the role.

use super::program::ServedProgram;
use super::role::ServedRole;
use crate::hir::{Hardening, Host, ProcessSettings, Stack};
use std::sync::Arc;

/// A class of device files that GPU drivers use.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum DeviceClass {
    /// The device files of NVIDIA's driver: `/dev/nvidia0`, `/dev/nvidiactl`, `/dev/nvidia-uvm` and others.
    Nvidia,
    /// The device files of the other GPU drivers, in `/dev/dri`.
    Drm,
    /// The compute device file of AMD's driver.
    Kfd,
}

impl DeviceClass {
    /// All classes.
    pub const ALL: &'static [Self] = &[Self::Nvidia, Self::Drm, Self::Kfd];
}

/// Some classes of device files.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct DeviceClasses([bool; DeviceClass::ALL.len()]);

impl DeviceClasses {
    /// The classes, in the order of [`DeviceClass::ALL`].
    pub fn iter(self) -> impl Iterator<Item = DeviceClass> {
        DeviceClass::ALL.iter().zip(self.0).filter(|(_, is_in)| *is_in).map(|(class, _)| *class)
    }
}

impl FromIterator<DeviceClass> for DeviceClasses {
    fn from_iter<I: IntoIterator<Item = DeviceClass>>(classes: I) -> Self {
        let mut found = Self::default();
        for class in classes {
            for (known, is_in) in DeviceClass::ALL.iter().zip(&mut found.0) {
                *is_in |= *known == class;
            }
        }
        found
    }
}

impl ServedRole {
    /// The GPUs that its processes use, each once. `None` on a host without GPUs.
    pub fn used_gpus(&self) -> Option<Vec<Arc<str>>> {
        let gpus = self.gpus.as_ref()?;
        Some(gpus.all().into_iter().cloned().collect())
    }
}

impl ServedProgram {
    /// The GPUs that its processes use. `None` if its placement does not name them.
    pub fn used_gpus(&self) -> Option<Vec<Arc<str>>> {
        let gpus = self.program.placement.gpu.as_ref()?;
        Some(gpus.devices.iter().map(|name| name.value.clone()).collect())
    }
}

/// The sandbox level of a role. A role with GPUs gets `gpu` by default. If the whole stack has `gpu`, a role that is known to
/// use no GPU gets `default`.
pub fn hardening(stack: &Stack, process: &ProcessSettings, gpus: Option<&[Arc<str>]>) -> Hardening {
    let of_role = process.hardening.map(|level| level.value);
    let of_stack = stack.hardening.map(|level| level.value);
    match gpus {
        Some([]) => of_role.or(of_stack.filter(|level| *level != Hardening::Gpu)).unwrap_or_default(),
        Some(_) => of_role.or(of_stack).unwrap_or(Hardening::Gpu),
        None => of_role.or(of_stack).unwrap_or_default(),
    }
}

/// The device files that the level `gpu` allows: those of the GPUs of the role, or of all drivers if its GPUs are unknown.
pub fn device_classes(host: &Host, gpus: Option<&[Arc<str>]>) -> DeviceClasses {
    let Some(gpus) = gpus.filter(|gpus| !gpus.is_empty()) else {
        return DeviceClass::ALL.iter().copied().collect();
    };
    let title = |gpu: &str| host.gpu(gpu).and_then(|gpu| gpu.title.as_ref()).map(|title| &*title.value);
    gpus.iter().flat_map(|gpu| classes(gpu, title(gpu))).copied().collect()
}

/// The classes of one GPU. The name of the back end is the first part of its name (`GGML_CUDA_NAME`, `GGML_SYCL_NAME` and
/// `GGML_VK_NAME` in `ggml/include` of llama.cpp b11434).
fn classes(gpu: &str, title: Option<&str>) -> &'static [DeviceClass] {
    match gpu.trim_end_matches(|c: char| c.is_ascii_digit()) {
        "CUDA" => &[DeviceClass::Nvidia],
        "ROCm" => &[DeviceClass::Drm, DeviceClass::Kfd],
        "SYCL" => &[DeviceClass::Drm],
        "Vulkan" if title.is_some_and(names_another_maker) => &[DeviceClass::Drm],
        "Vulkan" => &[DeviceClass::Nvidia, DeviceClass::Drm],
        // All GPUs, or a back end whose device files are unknown.
        _ => DeviceClass::ALL,
    }
}

/// True if the product name of a GPU shows that NVIDIA did not make it.
fn names_another_maker(title: &str) -> bool {
    const WORDS: &[&str] = &["AMD", "Radeon", "Intel", "Arc", "llvmpipe"];
    let mut words = title.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| WORDS.iter().any(|known| known.eq_ignore_ascii_case(word)))
}
