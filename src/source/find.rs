//! Finds the registry of a project from any of its folders.

use super::load::is_registry;
use std::path::{Path, PathBuf};

/// The name of a registry folder.
pub const REGISTRY: &str = "registry";

/// The folder depth at which the search ends.
const MAX_DEPTH: usize = 64;

/// The folder `registry` of the working folder, else of its nearest parent that has one with registry files. The path is
/// relative to the working folder. If the working folder is in the registry, the path begins with `.`. If there is no
/// registry, the path is `registry`.
pub fn find_registry() -> PathBuf {
    let here = Path::new(REGISTRY);
    if here.symlink_metadata().is_ok() {
        return here.to_owned();
    }
    let working = Path::new(".").canonicalize().unwrap_or_default();
    let mut up = PathBuf::new();
    for folder in working.ancestors().skip(1).take(MAX_DEPTH) {
        up.push("..");
        if is_registry(&folder.join(REGISTRY)) {
            return inside(&working, &folder.join(REGISTRY)).unwrap_or_else(|| up.join(REGISTRY));
        }
    }
    here.to_owned()
}

/// The path of a registry from a folder in it. `None` if the folder is elsewhere.
fn inside(working: &Path, registry: &Path) -> Option<PathBuf> {
    let below = working.strip_prefix(registry).ok()?;
    let up: PathBuf = below.components().map(|_| "..").collect();
    Some(if up.as_os_str().is_empty() { PathBuf::from(".") } else { up })
}
