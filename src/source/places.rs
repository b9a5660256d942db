//! Where the files of a run lie for whoever reads a report elsewhere: seen from the root of the repository.

use super::{FileId, SourceMap};
use std::path::{Component, Path, PathBuf};

/// The files of a run as a report names them to programs: with `/` between folders, from the root of the repository that the
/// working folder lies in, else from the working folder. Symlinks are followed. What lies outside has its whole path.
#[derive(Clone, Default, Debug)]
pub struct Places {
    names: Vec<String>,
}

impl Places {
    /// Finds out where the files of a map are; what is not there is named by where it would be.
    pub fn find(map: &SourceMap) -> Self {
        let here = Path::new(".").canonicalize().unwrap_or_default();
        let root = here.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(&here);
        Self { names: map.files().map(|(_, file)| name(Path::new(file.name()), &here, root)).collect() }
    }

    /// The name of a file; as people see it where nobody found out where it is, and empty for a file of another map.
    pub fn name<'a>(&'a self, file: FileId, map: &'a SourceMap) -> &'a str {
        let found = usize::try_from(file.0).ok().and_then(|number| self.names.get(number));
        found.map(String::as_str).or_else(|| map.get(file).map(super::SourceFile::name)).unwrap_or_default()
    }
}

fn name(path: &Path, here: &Path, root: &Path) -> String {
    let real = real(&here.join(path));
    let shown = real.strip_prefix(root).unwrap_or(&real);
    shown.to_string_lossy().into_owned()
}

/// The path without symlinks, as far as it exists.
fn real(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(part),
        }
    }
    let above = plain.ancestors().skip(1).find_map(|folder| Some((folder, folder.canonicalize().ok()?)));
    match above {
        Some((folder, real)) => plain.strip_prefix(folder).map_or(plain.clone(), |rest| real.join(rest)),
        None => plain,
    }
}
