//! The files and folders that the options of a role name, as settings of its units.

use std::collections::BTreeSet;

use super::ProcessContext;
use crate::plan::{Access, OptionPath, UnitScope};

/// The settings for the paths of a role. All lists are sorted.
#[derive(Default)]
pub(super) struct PathSettings<'p> {
    /// The folders that the role needs without these paths.
    pub(super) folders: Vec<&'p str>,
    /// The folders that must be mounted.
    pub(super) mounts: BTreeSet<&'p str>,
    /// The files and folders that are read and are in no folder of the role.
    pub(super) reads: BTreeSet<&'p str>,
    /// The folders that are written.
    pub(super) writes: BTreeSet<&'p str>,
    /// The folders that are written and are hidden otherwise.
    pub(super) hidden: BTreeSet<&'p str>,
    /// The folders that systemd creates: the setting, and the path below the folder of that setting.
    pub(super) directories: BTreeSet<(&'static str, &'p str)>,
}

/// The settings for folders that systemd creates and gives to the user of the service, with the folder above them.
const DIRECTORIES: [(&str, &str); 4] = [
    ("CacheDirectory", "/var/cache/"),
    ("LogsDirectory", "/var/log/"),
    ("RuntimeDirectory", "/run/"),
    ("StateDirectory", "/var/lib/"),
];

/// Folders of which the sandbox shows an empty version.
const HIDDEN: [&str; 5] = ["/home", "/root", "/run/user", "/tmp", "/var/tmp"];

/// Folders of the kernel, which need no setting.
const OF_THE_KERNEL: [&str; 3] = ["/dev", "/proc", "/sys"];

impl<'p> PathSettings<'p> {
    pub(super) fn of(context: ProcessContext<'p>) -> Self {
        let mut settings = Self { folders: context.role.folders(), ..Self::default() };
        for path in &context.role.paths {
            settings.add(path, context.plan.scope);
        }
        settings
    }

    fn add(&mut self, one: &'p OptionPath, scope: UnitScope) {
        let path = one.path.trim_end_matches('/');
        let folder =
            if one.is_folder { path } else { path.rsplit_once('/').map_or("", |(folder, _)| folder) };
        if path.is_empty() || OF_THE_KERNEL.iter().any(|above| is_within(path, above)) {
            return;
        }
        if !folder.is_empty() && !self.folders.iter().any(|known| is_within(folder, known)) {
            self.mounts.insert(folder);
        }
        // For units of a user, these settings mean other folders.
        let created = directory(folder).filter(|_| scope == UnitScope::System);
        match (one.access, created) {
            (Access::Read, _) if self.folders.iter().any(|known| is_within(path, known)) => {}
            (Access::Read, _) => {
                self.reads.insert(path);
            }
            (Access::Write, Some(directory)) => {
                self.directories.insert(directory);
            }
            // The folders themselves are private to the service.
            (Access::Write, None) if HIDDEN.contains(&folder) || folder.is_empty() => {}
            (Access::Write, None) if HIDDEN.iter().any(|above| is_within(folder, above)) => {
                self.hidden.insert(folder);
            }
            (Access::Write, None) => {
                self.writes.insert(folder);
            }
        }
    }
}

/// The setting with which systemd creates a folder, and its path for that setting.
fn directory(folder: &str) -> Option<(&'static str, &str)> {
    let is_plain = |rest: &&str| {
        !rest.is_empty() && !rest.split('/').any(|part| part.is_empty() || part == "." || part == "private")
    };
    let found = DIRECTORIES
        .iter()
        .find_map(|(setting, above)| Some((*setting, folder.strip_prefix(above).filter(is_plain)?)))?;
    (!is_within(folder, "/run/user")).then_some(found)
}

/// True if a path is a folder or below it.
fn is_within(path: &str, folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
