//! Names in Kubernetes. A value of each type is valid by construction: another text has no value of the type.

use super::TargetName;
use std::fmt;
use std::sync::Arc;

/// Maximum length of a label of DNS, of a label value and of the name of an object that is a part of host names.
const MAX_LENGTH: usize = 63;

/// The names of the files in the output folder that belong to no role.
const RESERVED: [&str; 2] = ["namespace", "kustomization"];

/// The name of an object: a label of RFC 1035, which all kinds accept (`IsDNS1035Label` in `k8s.io/apimachinery`,
/// `pkg/util/validation/validation.go`): lower case, digits and `-`. It starts with a letter and ends with a letter or digit.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct DnsLabel(Arc<str>);

/// The value of a label: letters, digits, `-`, `_` and `.`, with a letter or digit at both ends (`IsValidLabelValue` in the
/// same file).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LabelValue(Arc<str>);

/// The path of a mount: absolute and without `:` (`validateVolumeMounts` in `pkg/apis/core/validation/validation.go`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct MountPath(Arc<str>);

/// The use of an object whose name is made from that of a role.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Suffix {
    /// The secret with the API keys.
    ApiKey,
    /// The preset file of a router.
    Presets,
}

impl Suffix {
    const ALL: [Self; 2] = [Self::ApiKey, Self::Presets];

    const fn text(self) -> &'static str {
        match self {
            Self::ApiKey => "-api-key",
            Self::Presets => "-presets",
        }
    }

    const fn longest() -> usize {
        let [one, other] = [Self::ALL[0].text().len(), Self::ALL[1].text().len()];
        if one > other { one } else { other }
    }
}

/// Maximum length of the name of an object, so that all names that are made from it are valid.
const MAX_OBJECT: usize = MAX_LENGTH - Suffix::longest();

impl DnsLabel {
    /// A text that is a label already. `None` for another text.
    pub fn new(text: &str) -> Option<Self> {
        let is_valid = text.len() <= MAX_LENGTH
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && !text.ends_with('-')
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        is_valid.then(|| Self(text.into()))
    }

    /// The name of an object that belongs to the object with this name. `None` if that is not the name of a role.
    pub fn with(&self, suffix: Suffix) -> Option<Self> {
        Self::new(&format!("{self}{}", suffix.text()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl LabelValue {
    /// A text as the value of a label. Other characters become `-`, and a long text is cut off.
    pub fn of(text: &str) -> Self {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let kept = text.chars().map(|c| if is_allowed(c) { c } else { '-' });
        let kept: String = kept.skip_while(|c| !c.is_ascii_alphanumeric()).take(MAX_LENGTH).collect();
        Self(kept.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()).into())
    }

    /// The value as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl MountPath {
    /// A path as the path of a mount. `None` for the root folder, and for a path that no mount can have.
    pub fn new(path: &str) -> Option<Self> {
        let is_valid = path.starts_with('/') && path != "/" && !path.contains([':', '\0']);
        is_valid.then(|| Self(path.into()))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&DnsLabel> for LabelValue {
    fn from(label: &DnsLabel) -> Self {
        Self(label.0.clone())
    }
}

impl fmt::Display for DnsLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for LabelValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A resource that a device plugin offers: whole GPUs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum GpuResource {
    /// The plugin of NVIDIA (`NVIDIA/k8s-device-plugin`, `README.md`).
    Nvidia,
    /// The plugin of AMD (`ROCm/k8s-device-plugin`, `README.md`).
    Amd,
    /// The plugin of Intel, for GPUs with the driver `i915` (`intel/intel-device-plugins-for-kubernetes`,
    /// `cmd/gpu_plugin/README.md` of 0.35). A GPU with the driver `xe` is `gpu.intel.com/xe`.
    Intel,
}

impl GpuResource {
    /// The resource for a GPU of llama.cpp: `CUDA0`, `ROCm0`, `SYCL0`. `None` for a back end that does not determine the driver
    /// (Vulkan), that Kubernetes does not have (Metal), or for the GPU `auto`.
    pub fn of(gpu: &str) -> Option<Self> {
        match gpu.trim_end_matches(|c: char| c.is_ascii_digit()) {
            "CUDA" => Some(Self::Nvidia),
            "ROCm" => Some(Self::Amd),
            "SYCL" => Some(Self::Intel),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nvidia => "nvidia.com/gpu",
            Self::Amd => "amd.com/gpu",
            Self::Intel => "gpu.intel.com/i915",
        }
    }
}

/// The name of the Deployment and the Service of a role or gateway: `STACK-ROLE`, in lower case, with `-` instead of other
/// characters. `None` if it is too long, does not start with a letter, or would need the file of another object.
pub fn object_name(stack: &str, role: &str) -> Option<DnsLabel> {
    let name = format!("{}-{}", hyphenated(stack), file_stem(role)?);
    DnsLabel::new(&name).filter(|_| name.len() <= MAX_OBJECT)
}

/// The name of the file with the objects of a role or gateway, without `.yaml`. `None` if no object can have it.
pub fn file_stem(role: &str) -> Option<String> {
    Some(hyphenated(role)).filter(|stem| !stem.is_empty() && !RESERVED.contains(&&**stem))
}

/// The name of the namespace of a stack. `None` if it does not start with a letter, is too long, or is a namespace of the
/// cluster ([`is_of_cluster`]).
pub fn namespace(stack: &str) -> Option<DnsLabel> {
    DnsLabel::new(&hyphenated(stack)).filter(|_| !is_of_cluster(stack))
}

/// The DNS name of the Service of a role or gateway, for all pods of the cluster. `None` if it has no valid name.
pub fn service_host(stack: &str, role: &str) -> Option<Arc<str>> {
    Some(format!("{}.{}", object_name(stack, role)?, namespace(stack)?).into())
}

/// True if processes run only as pods: no other target starts servers, or programs of gateways.
pub fn are_only_pods(targets: impl IntoIterator<Item = TargetName>) -> bool {
    let starts = [TargetName::Quadlet, TargetName::Compose, TargetName::Systemd, TargetName::Bin];
    let mut has_pods = false;
    let is_other = |target: TargetName| {
        has_pods |= target == TargetName::Kubernetes;
        starts.contains(&target)
    };
    !targets.into_iter().any(is_other) && has_pods
}

/// True if the namespace of a stack would be one that each cluster has: `default`, or one with the prefix `kube-`, which is reserved
/// (`concepts/overview/working-with-objects/namespaces` of the Kubernetes documentation).
pub fn is_of_cluster(stack: &str) -> bool {
    let name = hyphenated(stack);
    name == "default" || name.starts_with("kube-")
}

/// The value of the label `kubernetes.io/hostname` of the node of a host: the name in lower case, as the kubelet writes it
/// (`GetHostname` in `k8s.io/component-helpers`, `node/util/hostname.go`). `None` if no node has it: it would be no subdomain of
/// RFC 1123 (`IsDNS1123Subdomain` in `k8s.io/apimachinery`), or too long for a label.
pub fn node_name(host: &str) -> Option<LabelValue> {
    let name = host.to_lowercase();
    let is_part = |part: &str| {
        let is_allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        part.bytes().all(is_allowed) && !part.is_empty() && !part.starts_with('-') && !part.ends_with('-')
    };
    (name.len() <= MAX_LENGTH && name.split('.').all(is_part)).then(|| LabelValue(name.into()))
}

/// A name in lower case, with `-` instead of other characters, and none at the ends.
fn hyphenated(name: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    name.chars().map(allowed).collect::<String>().trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_objects_are_labels() {
        let name = |stack: &str, role: &str| object_name(stack, role).map(|name| name.to_string());
        assert_eq!(name("Home", "chat_7B.v2").as_deref(), Some("home-chat-7b-v2"));
        assert_eq!(name("home", "7b_").as_deref(), Some("home-7b"));
        assert_eq!(name("7b", "chat"), None);
        assert_eq!(name("home", "Namespace"), None);
        let longest = "r".repeat(MAX_OBJECT - "s-".len());
        let label = object_name("s", &longest).unwrap();
        assert!(Suffix::ALL.iter().all(|suffix| label.with(*suffix).is_some()));
        assert_eq!(object_name("s", &format!("{longest}r")), None);
    }

    #[test]
    fn namespaces_of_the_cluster_are_no_names() {
        for name in ["default", "Default", "kube-system", "kube_public"] {
            assert_eq!(namespace(name), None, "{name}");
        }
        assert_eq!(namespace("kubes").unwrap().as_str(), "kubes");
    }

    #[test]
    fn names_of_nodes_are_in_lower_case() {
        assert_eq!(node_name("Box-1.Lan").unwrap().as_str(), "box-1.lan");
        for name in ["my_box", "box-", "a..b", "", &"b".repeat(64)] {
            assert_eq!(node_name(name), None, "{name}");
        }
    }

    #[test]
    fn values_of_labels_are_cut_off() {
        assert_eq!(LabelValue::of("_My box!").as_str(), "My-box");
        assert_eq!(LabelValue::of(&"x.".repeat(40)).as_str().len(), 63);
        assert_eq!(LabelValue::of("…").as_str(), "");
    }
}
