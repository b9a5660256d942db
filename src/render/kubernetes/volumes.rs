//! The volumes of a pod. A volume and its mount are made from one value, so that they have the same name.

use super::api::{
    ConfigMapVolumeSource, EmptyDirVolumeSource, HostPathVolumeSource, PersistentVolumeClaimVolumeSource,
    SecretVolumeSource, Volume, VolumeMount,
};
use crate::plan::kubernetes::{DnsLabel, MountPath};
use crate::plan::{Mount, MountSource};

/// The folder of the secret with the API keys inside.
const SECRET_FOLDER: &str = "/run/secrets/orchgen";

/// The key of the secret, which is also the name of its file.
pub(super) const SECRET_KEY: &str = "api-key";

/// The folder for temporary files.
const TMP: &str = "/tmp";

/// Read access for the group of the pod.
const GROUP_CAN_READ: i32 = 0o440;

/// A volume that is mounted once.
pub(super) struct MountedVolume {
    path: MountPath,
    content: Content,
    writes: bool,
}

/// The content of a volume.
enum Content {
    Claim(String),
    /// A file or folder of the node, with its type.
    Node(&'static str),
    Secret(DnsLabel),
    ConfigMap(DnsLabel),
    Empty,
}

/// The path of the file with the API keys inside.
pub(super) fn key_path() -> String {
    format!("{SECRET_FOLDER}/{SECRET_KEY}")
}

impl MountedVolume {
    /// The volume of a planned mount. `None` for a path that no mount can have.
    pub(super) fn of(mount: &Mount) -> Option<Self> {
        let content = match &mount.source {
            MountSource::Claim(claim) => Content::Claim(claim.to_string()),
            MountSource::Folder => Content::Node("Directory"),
            MountSource::File => Content::Node("File"),
            MountSource::Empty => Content::Empty,
        };
        Some(Self { path: MountPath::new(&mount.path)?, content, writes: mount.writes })
    }

    /// The folder for temporary files.
    pub(super) fn tmp() -> Option<Self> {
        Some(Self { path: MountPath::new(TMP)?, content: Content::Empty, writes: true })
    }

    /// The secret with the API keys.
    pub(super) fn secret(name: DnsLabel) -> Option<Self> {
        Some(Self { path: MountPath::new(SECRET_FOLDER)?, content: Content::Secret(name), writes: false })
    }

    /// A folder with the data of a `ConfigMap`.
    pub(super) fn config_map(name: DnsLabel, folder: &str) -> Option<Self> {
        Some(Self { path: MountPath::new(folder)?, content: Content::ConfigMap(name), writes: false })
    }

    /// True if it is a file or folder of the node.
    pub(super) fn is_of_node(&self) -> bool {
        matches!(self.content, Content::Node(_))
    }

    /// True if it is a claim that the server writes.
    pub(super) fn is_written_claim(&self) -> bool {
        self.writes && matches!(self.content, Content::Claim(_))
    }

    /// Its name: the kind of its content, with its number in the pod.
    fn name(&self, number: usize) -> String {
        let kind = match self.content {
            Content::Claim(_) => "claim",
            Content::Node(_) => "node",
            Content::Secret(_) => "secret",
            Content::ConfigMap(_) => "presets",
            Content::Empty => "empty",
        };
        format!("{kind}-{number}")
    }

    fn volume(&self, number: usize) -> Volume {
        let volume = Volume { name: self.name(number), ..Volume::default() };
        match &self.content {
            Content::Claim(claim) => {
                let claim_name = claim.clone();
                let claim = PersistentVolumeClaimVolumeSource {
                    claim_name,
                    read_only: (!self.writes).then_some(true),
                };
                Volume { persistent_volume_claim: Some(claim), ..volume }
            }
            Content::Node(kind) => {
                let (path, type_) = (self.path.as_str().to_owned(), Some((*kind).to_owned()));
                Volume { host_path: Some(HostPathVolumeSource { path, type_ }), ..volume }
            }
            Content::Secret(name) => {
                let secret = SecretVolumeSource {
                    default_mode: Some(GROUP_CAN_READ),
                    secret_name: Some(name.to_string()),
                    ..SecretVolumeSource::default()
                };
                Volume { secret: Some(secret), ..volume }
            }
            Content::ConfigMap(name) => {
                let name = name.to_string();
                let config_map = ConfigMapVolumeSource { name, ..ConfigMapVolumeSource::default() };
                Volume { config_map: Some(config_map), ..volume }
            }
            Content::Empty => Volume { empty_dir: Some(EmptyDirVolumeSource::default()), ..volume },
        }
    }

    fn mount(&self, number: usize) -> VolumeMount {
        VolumeMount {
            name: self.name(number),
            mount_path: self.path.as_str().to_owned(),
            read_only: (!self.writes).then_some(true),
            ..VolumeMount::default()
        }
    }
}

/// The volumes of a pod.
pub(super) fn volumes(mounted: &[MountedVolume]) -> Vec<Volume> {
    mounted.iter().enumerate().map(|(number, one)| one.volume(number)).collect()
}

/// The mounts of its container.
pub(super) fn mounts(mounted: &[MountedVolume]) -> Vec<VolumeMount> {
    mounted.iter().enumerate().map(|(number, one)| one.mount(number)).collect()
}
