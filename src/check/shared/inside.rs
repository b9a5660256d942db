//! Settings of a role that no container can have: those of podman and Docker, and those of pods.

use super::pods;
use crate::derive::ServedRole;
use crate::diag::{Code, Diagnostic, words};
use crate::engine::dialect::{devices_in, is_device_name};
use crate::hir::{Registry, Setting};
use crate::source::Span;
use std::net::IpAddr;

/// Folders that images have. A mount would hide them.
const OF_IMAGES: [&str; 16] = [
    "",
    "/app",
    "/bin",
    "/dev",
    "/etc",
    "/lib",
    "/lib64",
    "/proc",
    "/run",
    "/sbin",
    "/sys",
    "/tmp",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/local",
];

/// A finding with its place.
pub(in crate::check) type Found = Option<(Span, Diagnostic)>;

/// A finding with its place.
pub(in crate::check) fn found(
    code: &'static Code,
    place: Span,
    label: &str,
    message: &str,
) -> (Span, Diagnostic) {
    (place, code.at(place, label, words::printable(message)))
}

/// An option with a GPU that the container does not have, or with an address of this machine.
pub(in crate::check) fn option(code: &'static Code, registry: &Registry, served: &ServedRole) -> Found {
    let role = registry.roles.get(served.id);
    let command = served.known_command()?;
    let gpus = served.used_gpus().unwrap_or_default();
    let options = served.serving.options.iter();
    let mut texts =
        options.filter_map(|option| match option.value.as_ref().map(|value| (&value.value, value.span)) {
            Some((Setting::Text(text), span)) => Some((&*option.name.value, &**text, span)),
            _ => None,
        });
    let is_missing = |gpu: &&str| is_device_name(gpu) && !gpus.iter().any(|own| **own == **gpu);
    let is_local =
        |peer: &str| peer == "localhost" || peer.parse().is_ok_and(|peer: IpAddr| peer.is_loopback());
    let local = command.peers.iter().find(|peer| is_local(peer));
    texts.find_map(|(name, text, span)| {
        if let Some(gpu) = devices_in(name, text).find(is_missing) {
            let message = format!(
                "option {} of {role} names {}, which its container does not have",
                words::quoted(name),
                words::quoted(gpu)
            );
            let (place, finding) = found(code, span, "not in the container", &message);
            return Some((place, finding.help("name a GPU of the role, or add it to `gpu` of `placement`")));
        }
        let peer = local.filter(|peer| text.contains(&***peer))?;
        let message = format!(
            "option {} of {role} connects to {}, which is the container itself",
            words::quoted(name),
            words::quoted(peer)
        );
        let (place, finding) = found(code, span, "not this machine", &message);
        Some((place, finding.help("write an address of this machine that the container can reach")))
    })
}

/// Model files in a folder that would hide one of the image.
pub(in crate::check) fn folder(code: &'static Code, registry: &Registry, served: &ServedRole) -> Found {
    let role = registry.roles.get(served.id);
    let folder = |path: &str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
    // A pod mounts a file of the root folder alone.
    let is_pod = served.container.is_none() || pods::is_only_target(registry);
    let folders = served.files.iter().map(|(_, file)| folder(&file.path));
    let folders = folders.filter(|folder| !is_pod || !folder.is_empty());
    // A pod mounts the whole store.
    let claimed = registry.stores.iter().filter(|store| store.claim.is_some());
    let stores = claimed.map(|store| store.path.value.trim_end_matches('/'));
    let stores = stores.filter(|store| served.files.iter().any(|(_, file)| is_below(&file.path, store)));
    let folders = folders.chain(stores.filter(|_| pods::target(registry).is_some()).map(str::to_owned));
    let hidden = folders.into_iter().find(|folder| OF_IMAGES.contains(&folder.as_str()))?;
    let shown = if hidden.is_empty() { "/" } else { &hidden };
    let place = served.serving.model.span;
    let message =
        format!("the model files of {role} are in `{shown}`, which would hide that folder of the image");
    let (place, finding) = found(code, place, "in a folder of the system", &message);
    Some((place, finding.help("move the files to a separate folder, such as `/srv/models`")))
}

/// True if a path is below a folder.
fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}
