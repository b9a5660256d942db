//! The types of the API of Kubernetes. The feature of the crate is the oldest version that it has, so that the manifests have
//! no field that a supported cluster does not know.

pub(super) use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy};
pub(super) use k8s_openapi::api::core::v1::{
    Capabilities, ConfigMap, ConfigMapVolumeSource, Container, ContainerPort, EmptyDirVolumeSource, EnvVar,
    HTTPGetAction, HostPathVolumeSource, Namespace, PersistentVolumeClaimVolumeSource, PodSecurityContext,
    PodSpec, PodTemplateSpec, Probe, ResourceRequirements, SeccompProfile, SecretVolumeSource,
    SecurityContext, Service, ServicePort, ServiceSpec, Sysctl, Volume, VolumeMount,
};
pub(super) use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
pub(super) use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
pub(super) use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
