//! The objects of a role or router: Deployment, Service, and the `ConfigMap` with the preset file of a router.

use super::GENERATED;
use super::api::{
    ConfigMap, Deployment, DeploymentSpec, DeploymentStrategy, LabelSelector, ObjectMeta, PodTemplateSpec,
    Service, ServicePort, ServiceSpec,
};
use super::names::{Labels, NamedPort};
use super::pod::pod_spec;
use super::probes::Probes;
use super::volumes::{MountedVolume, SECRET_KEY};
use crate::plan::kubernetes::{DnsLabel, GpuResource, Suffix, file_stem, namespace, object_name};
use crate::plan::{Mount, POD_USER, Plan, Pod, Role, Start, Word};
use crate::render::quote::{line, shell};
use crate::render::yaml::to_yaml;
use crate::render::{RenderError, presets};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The annotation with the hash of the preset file. A change of it replaces the pods.
const PRESETS_HASH: &str = "orchgen/presets-hash";

/// A role or a router with everything that its objects need.
pub(super) struct Workload<'p> {
    pub(super) role: &'p Role,
    pub(super) pod: &'p Pod,
    name: DnsLabel,
    namespace: DnsLabel,
    labels: Labels,
    pub(super) port: NamedPort,
    /// `None` if the server has no health path.
    pub(super) probes: Option<Probes>,
    pub(super) volumes: Vec<MountedVolume>,
    /// The name of the secret with the API keys, and the file of the host that has them.
    pub(super) secret: Option<(DnsLabel, &'p str)>,
    presets: Option<Presets>,
}

/// The preset file of a router.
struct Presets {
    name: DnsLabel,
    file: String,
    text: String,
}

impl<'p> Workload<'p> {
    /// The path of the file with the objects of a pod. `None` if no object can have its name, which the checks report.
    pub(super) fn file(plan: &Plan, pod: &Pod) -> Option<String> {
        let role = plan.roles.get(pod.role)?;
        object_name(&plan.stack, &role.name)?;
        Some(format!("{}.yaml", file_stem(&role.name)?))
    }

    /// The role of a pod with its names. Fails for values that the checks report.
    pub(super) fn new(plan: &'p Plan, pod: &'p Pod) -> Result<Self, RenderError> {
        let role =
            plan.roles.get(pod.role).ok_or_else(|| RenderError::new("a pod", "its role is missing"))?;
        let fail = |why: &str| RenderError::new(&role.name, why);
        let name = object_name(&plan.stack, &role.name).ok_or_else(|| fail("no object can have its name"))?;
        let first = role.processes.first().ok_or_else(|| fail("it has no process"))?;
        let port = NamedPort::http(first.port).ok_or_else(|| fail("it has no port"))?;
        let has_key = pod.args.iter().any(|word| matches!(word, Word::KeyFile(_)));
        let key_file = role.key_file.as_deref().filter(|_| has_key);
        let secret = key_file.and_then(|file| Some((name.with(Suffix::ApiKey)?, file)));
        let presets = Presets::new(plan, role, pod, &name)?;
        let component = if role.is_gateway() { "gateway" } else { "server" };
        Ok(Self {
            volumes: mounted(pod, secret.as_ref().map(|(name, _)| name), presets.as_ref())
                .ok_or_else(|| fail("a mount cannot have one of its paths"))?,
            namespace: namespace(&plan.stack)
                .ok_or_else(|| fail("no namespace can have the name of the stack"))?,
            labels: Labels::of_role(&plan.stack, &role.name, &name, component),
            probes: role.health_path().map(|path| Probes::new(path, port, role.load_time)),
            role,
            pod,
            name,
            port,
            secret,
            presets: presets.map(|(presets, _)| presets),
        })
    }

    /// All objects as a text.
    pub(super) fn text(&self) -> Result<String, RenderError> {
        let mut text = self.header();
        text.push_str(&to_yaml(&self.role.name, &self.deployment())?);
        text.push_str("---\n");
        text.push_str(&to_yaml(&self.role.name, &self.service())?);
        if let Some(presets) = &self.presets {
            text.push_str("---\n");
            text.push_str(&to_yaml(&self.role.name, &self.config_map(presets))?);
        }
        Ok(text)
    }

    fn header(&self) -> String {
        let mut text = String::from(GENERATED);
        let mut comment = |comment: &str| {
            writeln!(text, "# {}", line(comment)).ok();
        };
        comment(&format!("{}: {}", self.role.name, self.role.title));
        if self.role.start == Start::OnDemand {
            comment("It starts on demand, so it has no replica. To start it:");
            comment(&format!(
                "kubectl --namespace {} scale deployment/{} --replicas={}",
                self.namespace,
                self.name,
                self.role.processes.len()
            ));
        }
        if let Some((name, file)) = &self.secret {
            comment("The secret with the API keys must exist. To create it:");
            comment(&format!(
                "kubectl --namespace {} create secret generic {name} --from-file={SECRET_KEY}={}",
                self.namespace,
                shell(file)
            ));
        }
        self.about_volumes(&mut comment);
        if self.pod.gpus.keys().any(|resource| *resource != GpuResource::Nvidia) {
            comment(
                "The container runtime must give the device files to the user of the pod: device_ownership_from_security_context.",
            );
        }
        if self.role.lock {
            comment(
                "The container runtime must allow locked memory (LimitMEMLOCK=infinity), because the pod has no IPC_LOCK.",
            );
        }
        text
    }

    /// Comments about the files that must exist, and their permissions.
    fn about_volumes(&self, comment: &mut impl FnMut(&str)) {
        if self.volumes.iter().any(MountedVolume::is_of_node) {
            comment(&format!(
                "The node must have the files at the same paths, and user {POD_USER} must be able to read them."
            ));
        }
        if self.volumes.iter().any(MountedVolume::is_written_claim) {
            comment(&format!(
                "fsGroup lets the server write the claim. It may change the group of all its files to {POD_USER}."
            ));
        }
        for (inner, outer) in Mount::nested_in_read_only(&self.pod.mounts) {
            comment(&format!(
                "{} must exist in the volume of {}, because the pod mounts another volume there.",
                inner.path, outer.path
            ));
        }
    }

    fn metadata(&self, name: &DnsLabel) -> ObjectMeta {
        ObjectMeta {
            name: Some(name.to_string()),
            namespace: Some(self.namespace.to_string()),
            labels: Some(self.labels.all()),
            ..ObjectMeta::default()
        }
    }

    fn deployment(&self) -> Deployment {
        let replicas = match self.role.start {
            Start::Boot => i32::try_from(self.role.processes.len()).unwrap_or(i32::MAX),
            Start::OnDemand => 0,
        };
        let hash = self.presets.as_ref().map(|presets| (PRESETS_HASH.to_owned(), presets.hash()));
        let template = ObjectMeta {
            labels: Some(self.labels.all()),
            annotations: hash.map(|hash| BTreeMap::from([hash])),
            ..ObjectMeta::default()
        };
        Deployment {
            metadata: self.metadata(&self.name),
            spec: Some(DeploymentSpec {
                replicas: Some(replicas),
                progress_deadline_seconds: self.probes.as_ref().map(Probes::deadline),
                selector: LabelSelector {
                    match_labels: Some(self.labels.selector()),
                    match_expressions: None,
                },
                // A second pod would need the memory and the GPUs again.
                strategy: Some(DeploymentStrategy {
                    type_: Some("Recreate".to_owned()),
                    rolling_update: None,
                }),
                template: PodTemplateSpec { metadata: Some(template), spec: Some(pod_spec(self)) },
                ..DeploymentSpec::default()
            }),
            status: None,
        }
    }

    fn service(&self) -> Service {
        let port = ServicePort {
            name: Some(self.port.name()),
            port: self.port.number(),
            target_port: Some(self.port.reference()),
            ..ServicePort::default()
        };
        Service {
            metadata: self.metadata(&self.name),
            spec: Some(ServiceSpec {
                type_: Some("ClusterIP".to_owned()),
                selector: Some(self.labels.selector()),
                ports: Some(vec![port]),
                ..ServiceSpec::default()
            }),
            status: None,
        }
    }

    fn config_map(&self, presets: &Presets) -> ConfigMap {
        ConfigMap {
            metadata: self.metadata(&presets.name),
            data: Some(BTreeMap::from([(presets.file.clone(), presets.text.clone())])),
            ..ConfigMap::default()
        }
    }
}

impl Presets {
    /// The preset file of a router, and its folder inside. `None` for a role.
    fn new(
        plan: &Plan,
        role: &Role,
        pod: &Pod,
        name: &DnsLabel,
    ) -> Result<Option<(Self, String)>, RenderError> {
        let path = pod.args.iter().find(|word| matches!(word, Word::PresetFile(_))).map(Word::text);
        let Some((folder, file)) = path.and_then(|path| path.rsplit_once('/')) else { return Ok(None) };
        let name =
            name.with(Suffix::Presets).ok_or_else(|| RenderError::new(&role.name, "its name is too long"))?;
        let text = presets::text(plan, &role.name, &[], &pod.presets)?;
        Ok(Some((Self { name, file: file.to_owned(), text }, folder.to_owned())))
    }

    /// A hash of the text: FNV-1a.
    fn hash(&self) -> String {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        format!("{:016x}", self.text.bytes().fold(0xcbf2_9ce4_8422_2325, step))
    }
}

/// The volumes of a pod: its files, the secret, the preset file and a folder for temporary files. `None` if a mount cannot have one
/// of the paths.
fn mounted(
    pod: &Pod,
    secret: Option<&DnsLabel>,
    presets: Option<&(Presets, String)>,
) -> Option<Vec<MountedVolume>> {
    let own = pod.mounts.iter().map(MountedVolume::of);
    let secret = secret.map(|name| MountedVolume::secret(name.clone()));
    let presets = presets.map(|(presets, folder)| MountedVolume::config_map(presets.name.clone(), folder));
    own.chain(secret).chain(presets).chain([MountedVolume::tmp()]).collect()
}
