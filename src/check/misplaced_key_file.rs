//! A key file in a folder that is not suitable for keys.

use super::owner;
use crate::derive::Derived;
use crate::diag::{Diagnostics, words};
use crate::hir::{Host, Id, Registry, UnitScope};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

declare_code! {
    /// ## What it finds
    /// A `key-file` in a folder with model files, or below `/tmp`, `/var/tmp`, `/dev`, `/proc` or `/sys`.
    ///
    /// ## Why
    /// - Servers can read the folders of their model files, so each of them could read the key.
    /// - Files in `/tmp` are deleted at boot. Then the unit fails.
    /// - llama-server treats an empty file, such as `/dev/null`, as no key. Then it serves all clients.
    ///
    /// Permissions do not matter: systemd reads the file as root and passes it on. In a stack with `scope` `user`, the user
    /// must be able to read it.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096, key-file: /srv/models/key}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra: {tier: A, residency: hot, model: plain, port: 9000, context: 4096, key-file: /etc/keys/extra}
    /// ```
    pub(super) static MISPLACED_KEY_FILE = 359, "misplaced-key-file", Warning;
}

/// Folders that are not suitable for keys, with the reason.
const FOLDERS: &[(&str, &str)] = &[
    ("/tmp", "is emptied at boot"),
    ("/var/tmp", "is emptied periodically"),
    ("/dev", "contains devices"),
    ("/proc", "belongs to the kernel"),
    ("/sys", "belongs to the kernel"),
];

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let of_roles = registry.served().filter_map(|(role, serving)| {
        let file = serving.key_file.as_deref()?;
        Some((owner(registry, role, file.span), file, serving.host.value))
    });
    let of_gateways =
        registry.gateways.iter().filter_map(|one| Some((&one.head, one.key_file.as_ref()?, one.host.value)));
    let mut folders: BTreeMap<Id<Host>, BTreeSet<String>> = BTreeMap::new();
    for (owner, file, host) in of_roles.chain(of_gateways) {
        let model_folders = folders.entry(host).or_insert_with(|| model_folders(registry, host));
        let mut above = Path::new(&*file.value).ancestors().skip(1).filter_map(Path::to_str);
        let why = above.find_map(|folder| {
            let known = FOLDERS.iter().find(|(known, _)| *known == folder).map(|(_, why)| *why);
            let why = known.or_else(|| {
                model_folders
                    .contains(folder)
                    .then_some("is readable by the servers that load models from it")
            })?;
            Some(format!("`{}` {why}", words::printable(folder)))
        });
        let Some(why) = why else { continue };
        let message = format!("the key file of {owner} is in an unsuitable folder: {why}");
        let finding = MISPLACED_KEY_FILE.at(file.span, "expected a folder for keys", message).about(owner);
        findings.report(finding.help(match registry.stack.scope {
            UnitScope::System => {
                "move the file to a separate folder that only root can read, such as `/etc/keys`"
            }
            UnitScope::User => "move the file to a separate folder that only you can read",
        }));
    }
}

/// The folders of a host with model files.
fn model_folders(registry: &Registry, host: Id<Host>) -> BTreeSet<String> {
    let mut folders = BTreeSet::new();
    for model in registry.models.iter() {
        let files = std::iter::once(&model.file).chain(model.projector.as_ref().map(|one| &one.file));
        let files = files.filter(|file| registry.is_file_on(model, file, host));
        for path in files.map(|file| registry.path_of(model, file, host)) {
            let folder = Path::new(&path).parent().and_then(Path::to_str).filter(|folder| *folder != "/");
            folders.extend(folder.map(ToOwned::to_owned));
        }
    }
    folders
}
