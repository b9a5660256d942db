//! How a unit starts (systemd.unit(5), `[Install]` and Template units), and which manager runs it.

use super::name::UnitName;
use super::settings::Settings;
use super::syntax;
use crate::import::source::{At, Reader, Server, Start, join};
use std::collections::BTreeSet;

/// The maximum number of instances of a template.
const MAX_INSTANCES: usize = 64;

/// Targets that start with the machine, or with the session of a user.
const AT_BOOT: &[&str] = &["multi-user.target", "default.target", "graphical.target"];

/// True if a user manager runs the unit: its folder shows it, or it is wanted by the default target only.
pub(crate) fn is_user(path: &str, settings: &Settings) -> bool {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let folders: Vec<&str> = folder.split('/').collect();
    let is_under = |parent, name| folders.windows(2).any(|pair| pair == [parent, name]);
    let last = folders.last().copied().unwrap_or_default();
    let is_home = is_under("home", "user") && !is_under("systemd", "user");
    if folders.contains(&".config") || is_under("systemd", "users") || (last == "user" && !is_home) {
        return true;
    }
    if last == "system" || is_under("systemd", "system") || is_under("containers", "systemd") {
        return false;
    }
    let wanted: Vec<&str> = targets(settings, "WantedBy").collect();
    wanted.contains(&"default.target")
        && !wanted.iter().any(|target| *target != "default.target" && AT_BOOT.contains(target))
}

fn targets<'s>(settings: &'s Settings, key: &'s str) -> impl Iterator<Item = &'s str> {
    settings.list("Install", key).into_iter().flat_map(|setting| setting.value.split_whitespace())
}

/// Sets when the unit starts, and reports a user manager and unusual targets.
pub(crate) fn apply(settings: &Settings, server: &mut Server) {
    for key in ["WantedBy", "RequiredBy"] {
        for setting in settings.list("Install", key) {
            server.start = (Start::Boot, server.start.1.or(Some(setting.at)));
            let is_usual = setting.value.split_whitespace().all(|target| AT_BOOT.contains(&target));
            if !server.is_user && !is_usual {
                server.lose(
                    setting.written(),
                    setting.at,
                    "orchgen starts the role with the machine, not with this target",
                );
            }
        }
    }
}

/// Reads the socket of the unit: with it, the unit starts at the first connection.
pub(crate) fn socket(reader: &mut Reader<'_>, file: usize, name: &UnitName, server: &mut Server) {
    let folder = reader.folder_of(file);
    let template = format!("{}@.socket", name.prefix());
    let names = [format!("{}.socket", name.stem), template];
    let known = reader.around.names(&folder);
    let Some(socket) = names.iter().find(|name| known.contains(name)) else { return };
    let Some(index) = reader.companion(file, socket) else {
        server.lose(socket.clone(), server.at, "the file cannot be read");
        return;
    };
    let text = reader.found.files.get(index).map_or("", |file| &file.text);
    let parsed = syntax::parse(text, index);
    let service = format!("{}.{}", name.stem, name.suffix);
    let is_other = |setting: &&syntax::Setting| setting.key == "Service" && setting.value != service;
    if parsed.settings.iter().any(|setting| is_other(&setting)) {
        return;
    }
    for setting in
        parsed.settings.iter().filter(|setting| setting.section == "Socket" && !setting.value.is_empty())
    {
        server.lose(setting.written(), setting.at, "orchgen writes a socket for roles that start on demand");
    }
    if server.start.0 == Start::Manual {
        server.start = (Start::OnDemand, Some(At { file: index, line: 1 }));
    }
}

/// An instance of a template.
pub(crate) struct Instance {
    /// The name.
    pub(crate) name: UnitName,
    /// True if a target starts it.
    pub(crate) is_wanted: bool,
}

/// The instances of a template: that of `DefaultInstance=`, those with a link or with drop-ins next to it, and those with a link in the
/// folder of a target.
pub(crate) fn instances(reader: &mut Reader<'_>, file: usize, template: &UnitName) -> Vec<Instance> {
    let settings = Settings::load(reader, file, template);
    let folder = reader.folder_of(file);
    let mut wanted = BTreeSet::new();
    let mut found = BTreeSet::new();
    let default = settings.last("Install", "DefaultInstance").map(|setting| setting.value.clone());
    let is_wanted =
        ["WantedBy", "RequiredBy"].into_iter().any(|key| targets(&settings, key).next().is_some());
    wanted.extend(default.clone().filter(|_| is_wanted));
    found.extend(default);
    let start = format!("{}@", template.prefix());
    let instance = |name: &str| {
        let name = name.strip_suffix(".d").unwrap_or(name);
        let name = name.strip_prefix(&start)?.strip_suffix(template.suffix)?.strip_suffix('.')?;
        (!name.is_empty()).then(|| name.to_owned())
    };
    found.extend(reader.around.names(&folder).iter().filter_map(|name| instance(name)));
    let kinds = [("wants", "WantedBy"), ("requires", "RequiredBy")];
    for (kind, key) in kinds {
        let all: BTreeSet<&str> = targets(&settings, key).chain(AT_BOOT.iter().copied()).collect();
        for target in all.into_iter().take(MAX_INSTANCES) {
            let links = reader.around.names(&join(&folder, &format!("{target}.{kind}")));
            wanted.extend(links.iter().filter_map(|name| instance(name)));
        }
    }
    found.extend(wanted.iter().cloned());
    if found.len() > MAX_INSTANCES {
        let what = format!("{} instances of {}", found.len(), template.stem);
        reader.lose(what, At { file, line: 1 }, "orchgen reads at most 64 instances of a template");
    }
    let instances = found.into_iter().take(MAX_INSTANCES);
    instances
        .map(|name| Instance { is_wanted: wanted.contains(&name), name: template.with_instance(&name) })
        .collect()
}
