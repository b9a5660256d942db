//! The container of a role: the devices that it gets from the host, and their names inside.

use super::gpu::RoleGpus;
use crate::engine::Word;
use crate::engine::dialect::{rename_devices, rename_devices_in};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The back end whose devices are passed one by one.
const CUDA: &str = "CUDA";

/// The address that a server in a container listens on: the network of the container is separate.
pub(super) const ALL_ADDRESSES: &str = "0.0.0.0";

/// The devices of the host that a container gets.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ContainerDevices {
    /// The numbers of the NVIDIA GPUs, ascending. The container gets no others, and their number inside is their index here.
    pub nvidia: Vec<u32>,
    /// The device files of other GPUs. All devices of a driver are in the container, with the numbers of the host.
    pub files: BTreeSet<&'static str>,
    /// The GPUs whose device files are unknown.
    pub unknown: Vec<Arc<str>>,
}

impl ContainerDevices {
    /// The devices for the GPUs of a role. The names are those of the back ends of llama.cpp (`ggml/include` of b11434). `ROCm` needs
    /// `/dev/kfd` and `/dev/dri`, and the other back ends `/dev/dri` (`docs/docker.md` of b11669).
    pub(super) fn of(gpus: Option<&RoleGpus>) -> Self {
        let mut devices = Self::default();
        for gpu in gpus.into_iter().flat_map(RoleGpus::all) {
            let back_end = gpu.trim_end_matches(|c: char| c.is_ascii_digit());
            match (back_end, gpu.strip_prefix(CUDA).and_then(|number| number.parse().ok())) {
                (CUDA, Some(number)) => devices.nvidia.push(number),
                ("ROCm", _) => devices.files.extend(["/dev/dri", "/dev/kfd"]),
                ("Vulkan" | "SYCL", _) => devices.files.extend(["/dev/dri"]),
                _ => devices.unknown.push(gpu.clone()),
            }
        }
        devices.nvidia.sort_unstable();
        devices.nvidia.dedup();
        devices
    }

    /// The names of the host that are different inside. With `CUDA_DEVICE_ORDER=PCI_BUS_ID`, CUDA numbers the GPUs of the
    /// container from 0, in the order of their numbers on the host.
    fn names(&self) -> BTreeMap<String, String> {
        let pairs = self.nvidia.iter().enumerate();
        pairs.map(|(inside, number)| (format!("{CUDA}{number}"), format!("{CUDA}{inside}"))).collect()
    }

    /// The arguments of a process with the names of its GPUs inside.
    pub(super) fn rename(&self, args: &Arc<[Word]>) -> Arc<[Word]> {
        let names = self.names();
        if names.iter().all(|(outside, inside)| outside == inside) {
            return Arc::clone(args);
        }
        rename_devices(args, &names)
    }

    /// The value of an environment variable with the names of the GPUs inside.
    pub fn rename_variable(&self, name: &str, value: &Arc<str>) -> Arc<str> {
        rename_devices_in(name, value, &self.names()).into()
    }
}

/// The control character that podman's quadlet writes as one byte, which is not UTF-8 (`charNeedEscape` in
/// `pkg/systemd/parser/split.go` of podman 5.8).
const CUT: char = '\u{80}';

/// The reason why a word cannot be in a command line of a container, as a clause. quadlet ends a command line at an empty word
/// (`extractFirstWord` in the same file). It does not quote a lone `;`, which ends a command of systemd.
pub fn uncarried_word(word: &str) -> Option<&'static str> {
    match word {
        "" => Some("podman would drop all words after an empty one"),
        ";" => Some("systemd would read it as the end of the command"),
        _ => uncarried_value(word),
    }
}

/// The reason why a variable cannot have a value in a container, as a clause.
pub fn uncarried_value(value: &str) -> Option<&'static str> {
    value.contains(CUT).then_some("podman would write U+0080 as another byte")
}

/// The reason why a container cannot have a path of the host, as a clause. Mounts are records of CSV, and lists of paths of
/// systemd end with the line.
pub fn uncarried_path(path: &str) -> Option<&'static str> {
    if path.contains(['\n', '\r']) { Some("a mount cannot have a line break") } else { uncarried_value(path) }
}
