//! Files, folders and variables that pods use in another way than units.

use super::pods;
use crate::check::owner;
use crate::derive::{Derived, Mount, MountSource, POD_USER, ServedRole, selects_gpus};
use crate::diag::{Code, Diagnostic, Diagnostics, words};
use crate::hir::{Registry, Role};
use crate::source::{Span, Spanned};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Folders with files of images, and those that each pod has.
const OF_PODS: [&str; 9] = ["/app", "/bin", "/dev", "/etc", "/lib", "/proc", "/sys", "/tmp", "/usr"];

/// Reports what differs for the mounts and the variables of pods.
pub(in crate::check) fn report(code: &'static Code, derived: &Derived, findings: &mut Diagnostics) {
    let mut reported: BTreeSet<Span> = BTreeSet::new();
    for served in pods::all_roles(derived) {
        let registry = &derived.registry;
        let case = Case {
            code,
            registry,
            role: registry.roles.get(served.id),
            served,
            mounts: derived.mounts(served),
        };
        findings.extend(case.written().chain(case.nested()));
        for (place, finding) in case.variables() {
            // A variable of an engine applies to many roles, but is reported once.
            if reported.insert(place) {
                findings.report(finding.about(owner(registry, case.role, place)));
            }
        }
    }
}

/// A role with the mounts of its pod.
struct Case<'r> {
    code: &'static Code,
    registry: &'r Registry,
    role: &'r Role,
    served: &'r ServedRole,
    mounts: Vec<Mount>,
}

impl Case<'_> {
    /// Folders of the node that the server writes: `fsGroup` never changes them.
    fn written(&self) -> impl Iterator<Item = Diagnostic> {
        let written = self.mounts.iter().filter(|mount| mount.writes && mount.is_of_node());
        written.map(|mount| {
            let path = &mount.path;
            let message = format!(
                "the pod of {} writes to {}, a folder of its node: user {POD_USER} must be able to write there",
                self.role,
                words::quoted(path)
            );
            let place = self.role.head.name.span;
            let finding = self.code.at(place, "writes to a folder of the node", message);
            let command = format!("run `chgrp {POD_USER} {path}` and `chmod g+w {path}` on the node");
            finding.about(self.role).help(command).help("or write to a separate folder")
        })
    }

    /// Mounts in a volume that the pod cannot write. The runtime of the container cannot create a folder there.
    fn nested(&self) -> impl Iterator<Item = Diagnostic> {
        Mount::nested_in_read_only(&self.mounts).map(|(inner, outer)| {
            let path = words::quoted(&inner.path);
            let message = format!(
                "the pod of {} mounts another volume at {path}, in {}, which it cannot write: the pod starts only if the \
                 folder exists there",
                self.role,
                words::quoted(&outer.path)
            );
            let finding = self.code.at(self.role.head.name.span, "a volume in a volume", message);
            let holder = match &outer.source {
                MountSource::Claim(claim) => format!("in the claim {}", words::quoted(claim)),
                MountSource::Folder | MountSource::File | MountSource::Empty => "on the node".to_owned(),
            };
            finding.about(self.role).help(format!("create the folder {path} {holder}"))
        })
    }

    /// Variables that pods do not get, and those with a path that is not in the pod.
    fn variables(&self) -> Vec<(Span, Diagnostic)> {
        let serving = &self.served.serving;
        let of_engine = serving.engine.iter().flat_map(|engine| &self.registry.engines.get(engine.value).env);
        let all = of_engine.chain(&serving.env);
        all.filter_map(|(name, value)| self.left_out(name).or_else(|| self.missing(name, value))).collect()
    }

    fn left_out(&self, name: &Spanned<Arc<str>>) -> Option<(Span, Diagnostic)> {
        let has_gpus = self.served.used_gpus().is_some_and(|gpus| !gpus.is_empty());
        if !has_gpus || !selects_gpus(&name.value) {
            return None;
        }
        let message = format!(
            "the pod of {} does not get the variable {}: the device plugin selects its GPUs",
            self.role,
            words::quoted(&name.value)
        );
        let finding = self.code.at(name.span, "not for pods", message);
        Some((name.span, finding.help("let the device plugin offer only the GPUs that pods may have")))
    }

    fn missing(&self, name: &Spanned<Arc<str>>, value: &Spanned<Arc<str>>) -> Option<(Span, Diagnostic)> {
        // A mount has the path of an option.
        if self.served.known_command()?.profile.variable(&name.value).is_some() {
            return None;
        }
        let is_known = |path: &str| {
            let is_of_pod = |folder: &str| {
                path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            self.mounts.iter().any(|mount| mount.has(path)) || OF_PODS.iter().any(|folder| is_of_pod(folder))
        };
        let mut paths = value.value.split(':').filter(|path| path.starts_with('/') && *path != "/");
        let path = paths.find(|path| !is_known(path)).filter(|_| value.value.starts_with('/'))?;
        let message = format!(
            "variable {} of {} names {}, which its pod has only if the image has it",
            words::quoted(&name.value),
            self.role,
            words::quoted(path)
        );
        let finding = self.code.at(value.span, "no mount of the pod", message);
        let help = format!(
            "remove the variable if {} is only on the host, or use an image with it",
            words::quoted(path)
        );
        Some((value.span, finding.help(help)))
    }
}
