//! The paths of source files in machine-readable reports, relative to the root of the repository.

use super::{FileId, SourceMap};
use std::path::{Path, PathBuf};

/// The paths of source files in machine-readable reports, with `/` between folders. They are relative to the root of
/// the repository that contains the working folder, else to the working folder. Symlinks are resolved. Files outside
/// have absolute paths.
#[derive(Clone, Default, Debug)]
pub struct ReportPaths {
    names: Vec<String>,
}

impl ReportPaths {
    /// Resolves the paths of all files in a map. A file that does not exist gets the path it would have.
    pub fn resolve(map: &SourceMap) -> Self {
        let here = Path::new(".").canonicalize().unwrap_or_default();
        let root = here.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(&here);
        Self {
            names: map.files().map(|(_, file)| report_path(Path::new(file.name()), &here, root)).collect(),
        }
    }

    /// The path of a file. The displayed name if the paths were not resolved, and empty for a file of another map.
    pub fn name<'a>(&'a self, file: FileId, map: &'a SourceMap) -> &'a str {
        let found = usize::try_from(file.0).ok().and_then(|number| self.names.get(number));
        found.map(String::as_str).or_else(|| map.get(file).map(super::SourceFile::name)).unwrap_or_default()
    }
}

fn report_path(path: &Path, here: &Path, root: &Path) -> String {
    let real = resolve_symlinks(&here.join(path));
    let shown = real.strip_prefix(root).unwrap_or(&real);
    shown.to_string_lossy().into_owned()
}

/// The path with symlinks resolved in the part that exists.
fn resolve_symlinks(path: &Path) -> PathBuf {
    let resolved = path.ancestors().find_map(|folder| {
        let rest = path.strip_prefix(folder).ok()?;
        Some(folder.canonicalize().ok()?.join(rest).components().collect())
    });
    resolved.unwrap_or_else(|| path.to_owned())
}
