//! The installed files and the units of a stack, compared with the output.

use super::report::{Difference, DifferenceKind, StackStatus};
use super::words::Words;
use super::{Description, OutFolder};
use crate::deploy::{Seen, TreeFile, installable};
use crate::render::deployment::DeployedHost;
use std::collections::BTreeMap;

/// The most names in a text.
const MAX_NAMES: usize = 5;

/// Names for users, at most [`MAX_NAMES`] of them.
fn names(all: &[&str]) -> String {
    let shown: Vec<String> = all.iter().take(MAX_NAMES).map(|name| format!("`{name}`")).collect();
    match all.len().checked_sub(MAX_NAMES).filter(|rest| *rest > 0) {
        Some(rest) => format!("{} and {rest} more", shown.join(", ")),
        None => shown.join(", "),
    }
}

fn file_name(key: &str) -> &str {
    key.split_once('/').map_or(key, |(_, name)| name)
}

/// Compares the installed files. Returns false if none of them is installed.
pub(super) fn compare(described: &Description<'_>, seen: &Seen, status: &mut StackStatus) -> bool {
    let planned = installable(&described.tree, &described.host);
    if planned.keys().all(|key| !seen.installed.contains_key(key)) {
        if !planned.is_empty() {
            status.differences.push(Difference {
                kind: DifferenceKind::NotInstalled,
                item: None,
                text: "no unit of the stack is installed".to_owned(),
                help: Some(described.apply()),
            });
        }
        return false;
    }
    for (key, file) in &planned {
        let (kind, what) = match seen.installed.get(key) {
            None => (DifferenceKind::MissingFile, "is missing"),
            Some(installed) if is_mask(installed) && key.starts_with("units/") => {
                (DifferenceKind::Masked, "is masked or empty")
            }
            Some(installed) if installed.bytes != file.bytes => {
                (DifferenceKind::EditedFile, described.edited())
            }
            Some(_) => continue,
        };
        let path = described.layout.path(key).display().to_string();
        let help = if kind == DifferenceKind::Masked {
            described.words().systemctl("unmask", file_name(key))
        } else {
            format!("{} shows the difference", described.plan())
        };
        status.differences.push(Difference {
            kind,
            text: format!("`{path}` {what}"),
            item: Some(path),
            help: Some(help),
        });
    }
    true
}

/// True for a symlink to `/dev/null`, which [`Seen`] reads as an empty file.
fn is_mask(file: &TreeFile) -> bool {
    file.bytes.is_empty()
}

/// Checks drop-ins, masks, and the start at boot.
pub(super) fn check_units(described: &Description<'_>, seen: &Seen, status: &mut StackStatus) {
    let words = described.words();
    for (name, unit) in &seen.units {
        let own = |path: &&String| is_own_drop_in(path, name);
        for path in unit.state.drop_ins.iter().filter(own) {
            status.notes.push(format!("`{name}` has the drop-in `{path}`"));
        }
        let is_reported =
            status.differences.iter().any(|one| one.item.as_deref().is_some_and(|item| item.ends_with(name)));
        if unit.state.load == "masked" && !is_reported {
            status.differences.push(Difference {
                kind: DifferenceKind::Masked,
                item: Some(name.clone()),
                text: format!("`{name}` is masked"),
                help: Some(words.systemctl("unmask", name)),
            });
        }
    }
    check_target(described, seen, words, status);
}

fn check_target(described: &Description<'_>, seen: &Seen, words: Words<'_>, status: &mut StackStatus) {
    let Some(target) = &described.host.target else { return };
    let Some(unit) = seen.unit(target).filter(|unit| unit.state.load == "loaded") else { return };
    let is_enabled =
        matches!(&*unit.state.enabled, "enabled" | "enabled-runtime" | "static" | "generated" | "indirect");
    if !is_enabled {
        status.differences.push(Difference {
            kind: DifferenceKind::NotEnabled,
            item: Some(target.clone()),
            text: format!("`{target}` is not enabled: the stack does not start at boot"),
            help: Some(words.systemctl("enable", target)),
        });
    }
}

/// True if a drop-in is for this unit, and not for all units of its type.
fn is_own_drop_in(path: &str, unit: &str) -> bool {
    let folder = path.rsplit('/').nth(1).unwrap_or_default();
    let kind = unit.rsplit('.').next().unwrap_or_default();
    folder.strip_suffix(".d").is_some_and(|name| name != kind)
}

/// Compares the output folder with the current generation.
pub(super) fn compare_out(
    described: &Description<'_>,
    out: &OutFolder<'_>,
    host: Option<&DeployedHost>,
    status: &mut StackStatus,
) {
    let (name, generation) = (out.name, status.generation.unwrap_or_default());
    let Some(host) = host else {
        status.notes.push(format!("`{name}` has no host `{}`", described.host.name));
        return;
    };
    let current = installable(&described.tree, &described.host);
    let new = installable(out.tree, host);
    let differing = differing(&current, &new);
    if !differing.is_empty() {
        status.differences.push(Difference {
            kind: DifferenceKind::OutDiffers,
            item: Some(name.to_owned()),
            text: format!("`{name}` differs from generation {generation} in {}", names(&differing)),
            help: Some(described.apply()),
        });
    }
}

/// The names of the files that differ.
fn differing<'f>(
    current: &'f BTreeMap<String, &TreeFile>,
    new: &'f BTreeMap<String, &TreeFile>,
) -> Vec<&'f str> {
    let bytes = |files: &BTreeMap<String, &'f TreeFile>, key: &str| files.get(key).map(|file| &*file.bytes);
    let mut keys: Vec<&str> = current.keys().chain(new.keys()).map(String::as_str).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter().filter(|key| bytes(current, key) != bytes(new, key)).map(file_name).collect()
}
