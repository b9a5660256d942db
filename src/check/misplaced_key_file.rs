//! A key file in a place where keys do not belong.

use super::{Check, owner};
use crate::diag::{Diagnostics, words};
use crate::hir::Registry;
use crate::source::Span;
use std::collections::BTreeSet;
use std::path::Path;

declare_code! {
    /// ## What it finds
    /// A `key-file` that lies in a folder of model files, below `/tmp` or `/var/tmp`, or below `/dev`, `/proc` or `/sys`.
    ///
    /// ## Why
    /// Servers see the folders of their model files, so every one of them would see the key. What lies in `/tmp` is gone after
    /// a boot, and the unit fails for want of it. And llama-server takes an empty file, as `/dev/null` is one, for no key at
    /// all and serves everybody. Whether a unit may read the file is no question: systemd reads it as root and hands it over.
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
    static MISPLACED_KEY_FILE = 359, "misplaced-key-file", Warning;
}

pub(super) static CHECK: Check = Check { code: &MISPLACED_KEY_FILE, run };

/// Folders that hold no keys, each with what is wrong there.
const FOLDERS: &[(&str, &str)] = &[
    ("/tmp", "is emptied at boot"),
    ("/var/tmp", "is emptied in time"),
    ("/dev", "holds devices and no keys"),
    ("/proc", "is the kernel's and holds no keys"),
    ("/sys", "is the kernel's and holds no keys"),
];

fn run(registry: &Registry, findings: &mut Diagnostics) {
    if registry.served().all(|(_, serving)| serving.key_file.is_none()) {
        return;
    }
    let shown = folders_of_models(registry);
    let mut said: BTreeSet<Span> = BTreeSet::new();
    for (role, serving) in registry.served() {
        let Some(file) = &serving.key_file else { continue };
        let mut above = Path::new(&*file.value).ancestors().skip(1).filter_map(Path::to_str);
        let why = above.find_map(|folder| {
            let known = FOLDERS.iter().find(|(known, _)| *known == folder).map(|(_, why)| *why);
            let why = known
                .or_else(|| shown.contains(folder).then_some("is shown to the servers of its models"))?;
            Some(format!("`{}` {why}", words::printable(folder)))
        });
        let (kind, name) = owner(registry, role, file.span);
        // A default stands at one place for many roles.
        let Some(why) = why.filter(|_| kind == "role" || said.insert(file.span)) else { continue };
        let message =
            format!("the key file of {kind} {} lies where no key belongs: {why}", words::quoted(name));
        let finding =
            MISPLACED_KEY_FILE.at(file.span, "expected a folder of keys", message).about(kind, name);
        findings.report(finding.help("keep it in a folder of its own that only root reads, as `/etc/keys`"));
    }
}

/// The folders that hold files of models.
fn folders_of_models(registry: &Registry) -> BTreeSet<String> {
    let mut folders = BTreeSet::new();
    for model in registry.models.iter() {
        let files = std::iter::once(&model.file).chain(model.projector.as_ref().map(|one| &one.file));
        for path in files.map(|file| registry.path_of(model, file)) {
            let folder = Path::new(&path).parent().and_then(Path::to_str).filter(|folder| *folder != "/");
            folders.extend(folder.map(ToOwned::to_owned));
        }
    }
    folders
}
