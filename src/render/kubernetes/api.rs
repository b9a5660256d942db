//! The types of the API of Kubernetes. The feature of the crate is the oldest version that it has, so that the manifests have
//! no field that a supported cluster does not know.

pub(super) use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec};
pub(super) use k8s_openapi::api::core::v1::{Container, PodSpec, PodTemplateSpec};
pub(super) use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
