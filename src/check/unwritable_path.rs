//! A file or folder that the service of a role cannot write.

use super::owner;
use crate::derive::Derived;
use crate::diag::{Change, Diagnostic, Diagnostics, words};
use crate::engine::Access;
use crate::engine::dialect::OptionPath;
use crate::hir::{EngineOption, Hardening, ProcessSettings, Registry, TargetName, UnitScope};
use crate::source::Span;
use std::collections::BTreeSet;
use std::path::Path;

declare_code! {
    /// ## What it finds
    /// An `option` of a role, or a folder in `writes`, that its service cannot write, or that only the service sees:
    ///
    /// - a path below `/tmp` or `/var/tmp`, which are separate for each service;
    /// - a file directly in `/var/log`, `/var/lib`, `/var/cache` or `/run`, which belong to root;
    /// - any other path, if the host has no `user` and no `group`;
    /// - in a stack with `scope` `user`: a path below `/var/log`, `/var/lib`, `/var/cache` or `/run`.
    ///
    /// ## Why
    /// A service without `user` runs as a temporary user, which owns no files. For a folder below `/var/log`, `/var/lib`,
    /// `/var/cache` or `/run`, orchgen writes `LogsDirectory=`, `StateDirectory=`, `CacheDirectory=` or
    /// `RuntimeDirectory=`: systemd creates the folder, and the user of the service can write it. The service manager of a
    /// user cannot create folders there, and its services can write where the user can.
    ///
    /// ## Example
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "log-file" "/srv/logs/extra.log"
    /// }
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 {
    ///     option "log-file" "/var/log/llama/extra.log"
    /// }
    /// ```
    pub(super) static UNWRITABLE_PATH = 365, "unwritable-path", Warning;
}

/// Folders in which systemd creates folders for services.
const FOLDERS_OF_SYSTEMD: [&str; 4] = ["/var/log", "/var/lib", "/var/cache", "/run"];

/// Folders that are separate for each service.
const PRIVATE_FOLDERS: [&str; 2] = ["/tmp", "/var/tmp"];

/// Folders of the kernel, such as `/dev/stderr`.
const FOLDERS_OF_THE_KERNEL: [&str; 3] = ["/dev", "/proc", "/sys"];

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    if !registry.stack.has_target(TargetName::Systemd) {
        return;
    }
    of_programs(derived, findings);
    let mut reported: BTreeSet<Span> = BTreeSet::new();
    // A container mounts the folder of the host.
    for (role, served, command) in derived.commands().filter(|(_, served, _)| served.container.is_none()) {
        for path in command.paths.iter().filter(|path| path.access == Access::Write) {
            let option = path.option.and_then(|at| served.serving.options.get(at));
            let Some((option, value)) = option.and_then(|option| Some((option, option.value.as_ref()?)))
            else {
                continue;
            };
            let Some(why) = reason(registry, &served.serving, path) else { continue };
            let shown = words::quoted(&path.path);
            let owner = owner(registry, role, value.span);
            // A default applies to many roles, but is reported once.
            if owner.kind != "role" && !reported.insert(value.span) {
                continue;
            }
            let message = format!("option {} of {role} names {shown}, {why}", words::quoted(&option.name));
            let finding = UNWRITABLE_PATH.at(value.span, "cannot be written", message).about(owner);
            let to = || usable_path(registry, option, path);
            findings.report(with_help(registry, finding, value.span, to));
        }
    }
}

/// Reports folders in which another program writes and that its service cannot write.
fn of_programs(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    for served in &derived.programs {
        let role = registry.roles.get(served.id);
        let written = served.paths().into_iter().filter(|path| path.access == Access::Write);
        for (path, text) in written.zip(&served.program.writes) {
            let Some(why) = reason(registry, &served.program, &path) else { continue };
            let message = format!("`writes` of {role} names {}, {why}", words::quoted(text));
            let finding = UNWRITABLE_PATH.at(text.span, "cannot be written", message).about(role);
            let to = || path_below("/var/lib", registry, &path);
            findings.report(with_help(registry, finding, text.span, to));
        }
    }
}

/// A finding with the path to write instead. The folders of a user are not known.
fn with_help(registry: &Registry, finding: Diagnostic, span: Span, to: impl Fn() -> String) -> Diagnostic {
    match registry.stack.scope {
        UnitScope::System => finding.remedy("write `{}`", Change::Value { span, to: to().into() }),
        UnitScope::User => finding.help("write the full path of a folder that you own"),
    }
}

/// The reason why a service cannot write a path, as a clause.
fn reason(registry: &Registry, process: &ProcessSettings, one: &OptionPath) -> Option<String> {
    let path = Path::new(&*one.path);
    let folder = if one.is_folder { path } else { path.parent()? };
    let is_below = |above: &&str| path.starts_with(above);
    if FOLDERS_OF_THE_KERNEL.iter().any(is_below) {
        return None;
    }
    let of_gateway = process.gateway.map(|gateway| registry.gateways.get(gateway.value).hardening);
    let own = of_gateway.unwrap_or(process.hardening);
    let declared = own.or(registry.stack.hardening).map(|hardening| hardening.value);
    let has_sandbox = declared != Some(Hardening::Off);
    if let Some(private) = PRIVATE_FOLDERS.iter().find(|above| is_below(above) && has_sandbox) {
        return Some(format!("but `{private}` is separate for each service"));
    }
    if registry.stack.scope == UnitScope::User {
        let is_of_user = path.starts_with("/run/user");
        let why = |above| format!("but only root can create folders in `{above}`");
        return FOLDERS_OF_SYSTEMD.iter().find(|above| is_below(above) && !is_of_user).map(why);
    }
    if let Some(above) = FOLDERS_OF_SYSTEMD.iter().find(|above| folder == Path::new(above)) {
        return Some(format!("but only root can write in `{above}` itself"));
    }
    let host = registry.hosts.get(process.host.value);
    let is_created = FOLDERS_OF_SYSTEMD.iter().any(is_below);
    let is_temporary = host.user.is_none() && host.group.is_none() && !is_created;
    is_temporary.then(|| format!("but {host} has no `user`, and a temporary user cannot write there"))
}

/// A path with the same last part that systemd creates for the service.
fn usable_path(registry: &Registry, option: &EngineOption, one: &OptionPath) -> String {
    path_below(if option.name.contains("log") { "/var/log" } else { "/var/lib" }, registry, one)
}

/// A path in a folder for the stack, with the same last part.
fn path_below(above: &str, registry: &Registry, one: &OptionPath) -> String {
    let stack = &*registry.stack.head.name.value;
    let last = Path::new(&*one.path).file_name().and_then(|name| name.to_str()).unwrap_or("files");
    format!("{above}/{stack}/{last}")
}
