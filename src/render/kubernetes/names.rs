//! Labels, ports and quantities. Each reference is made from the value that it refers to, so that it cannot name another one.

use super::api::{ApiQuantity, IntOrString};
use crate::plan::Bytes;
use crate::plan::kubernetes::{DnsLabel, LabelValue};
use std::collections::BTreeMap;
use std::num::NonZeroU16;

/// The prefix of the recommended labels (`concepts/overview/working-with-objects/common-labels` of the Kubernetes documentation).
const RECOMMENDED: &str = "app.kubernetes.io";

/// The program that manages the objects.
const MANAGER: &str = "orchgen";

/// The labels of an object. The selector is a part of them that never changes: Kubernetes rejects another selector of a
/// Deployment.
pub(super) struct Labels {
    selecting: Vec<(&'static str, LabelValue)>,
    others: Vec<(&'static str, LabelValue)>,
}

impl Labels {
    /// The labels of the objects of a role. `component` is the part of the stack.
    pub(super) fn of_role(stack: &str, role: &str, object: &DnsLabel, component: &str) -> Self {
        let selecting = vec![("name", LabelValue::of(role)), ("instance", object.into())];
        Self {
            selecting,
            others: [("component", LabelValue::of(component))].into_iter().chain(common(stack)).collect(),
        }
    }

    /// The labels of the namespace.
    pub(super) fn of_stack(stack: &str) -> Self {
        Self { selecting: Vec::new(), others: common(stack).into() }
    }

    /// All labels.
    pub(super) fn all(&self) -> BTreeMap<String, String> {
        self.selecting.iter().chain(&self.others).map(label).collect()
    }

    /// The labels that select the pods.
    pub(super) fn selector(&self) -> BTreeMap<String, String> {
        self.selecting.iter().map(label).collect()
    }
}

fn common(stack: &str) -> [(&'static str, LabelValue); 2] {
    [("part-of", LabelValue::of(stack)), ("managed-by", LabelValue::of(MANAGER))]
}

fn label((name, value): &(&str, LabelValue)) -> (String, String) {
    (format!("{RECOMMENDED}/{name}"), value.to_string())
}

/// A port with a name. The name of a port has at most 15 characters (`IsValidPortName` in `k8s.io/apimachinery`).
#[derive(Clone, Copy)]
pub(super) struct NamedPort {
    name: &'static str,
    number: NonZeroU16,
}

impl NamedPort {
    /// The port of a server, from 1 to 65535.
    pub(super) fn http(number: u16) -> Option<Self> {
        NonZeroU16::new(number).map(|number| Self { name: "http", number })
    }

    pub(super) fn number(self) -> i32 {
        self.number.get().into()
    }

    pub(super) fn name(self) -> String {
        self.name.to_owned()
    }

    /// A reference to the port of a container by its name.
    pub(super) fn reference(self) -> IntOrString {
        IntOrString::String(self.name())
    }
}

/// A quantity of a resource.
#[derive(Clone)]
pub(super) struct Quantity(String);

impl Quantity {
    /// A whole number of CPUs or devices.
    pub(super) fn whole(count: u32) -> Self {
        Self(count.to_string())
    }

    /// A number of bytes in the largest binary unit that divides it, rounded up to whole `Ki`.
    pub(super) fn bytes(bytes: Bytes) -> Self {
        const UNITS: [(&str, u64); 3] = [("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)];
        let exact = UNITS.iter().find(|(_, unit)| bytes.0 > 0 && bytes.0.is_multiple_of(*unit));
        let (suffix, unit) = exact.unwrap_or(&UNITS[2]);
        Self(format!("{}{suffix}", bytes.0.div_ceil(*unit)))
    }
}

impl From<Quantity> for ApiQuantity {
    fn from(quantity: Quantity) -> Self {
        Self(quantity.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_whole_binary_units() {
        let text = |bytes| Quantity::bytes(Bytes(bytes)).0;
        assert_eq!(text(48 << 30), "48Gi");
        assert_eq!(text((1 << 30) + (1 << 20)), "1025Mi");
        assert_eq!(text((1 << 20) + 1), "1025Ki");
        assert_eq!(text(0), "0Ki");
        assert_eq!(text(u64::MAX), "18014398509481984Ki");
    }

    #[test]
    fn a_port_is_not_zero() {
        assert!(NamedPort::http(0).is_none());
        assert_eq!(NamedPort::http(65535).unwrap().number(), 65535);
    }
}
