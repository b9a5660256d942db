//! Finds model files in a folder.

use std::fs;
use std::io;
use std::path::Path;

/// The maximum depth of folders below the given one.
const MAX_DEPTH: usize = 8;

/// The maximum number of files and folders that are examined.
const MAX_ENTRIES: usize = 100_000;

/// The model files in a folder.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ModelFiles {
    /// Their paths relative to the folder, in byte order.
    pub files: Vec<String>,
    /// True if the folder has more files or is deeper than the limits, so that some are missing.
    pub is_cut: bool,
    /// Files with names that are not UTF-8. A registry cannot name them.
    pub unnamed: usize,
}

/// Finds the `*.gguf` files below a folder, also behind symlinks. Hidden folders are left out.
pub fn model_files(folder: &Path) -> io::Result<ModelFiles> {
    let mut found = ModelFiles::default();
    let mut open = vec![(String::new(), 0)];
    let mut entries = 0;
    // The folder itself must be readable. Folders below it can belong to others.
    fs::read_dir(folder)?;
    while let Some((below, depth)) = open.pop() {
        let Ok(names) = fs::read_dir(folder.join(&below)) else { continue };
        for entry in names.flatten() {
            entries += 1;
            if entries > MAX_ENTRIES {
                found.is_cut = true;
                found.files.sort_unstable();
                return Ok(found);
            }
            let Ok(name) = entry.file_name().into_string() else {
                found.unnamed += 1;
                continue;
            };
            let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
            let Ok(about) = fs::metadata(folder.join(&path)) else { continue };
            if about.is_dir() {
                if depth >= MAX_DEPTH {
                    found.is_cut = true;
                } else if !name.starts_with('.') {
                    open.push((path, depth + 1));
                }
            } else if about.is_file() && is_gguf(&name) {
                found.files.push(path);
            }
        }
    }
    found.files.sort_unstable();
    Ok(found)
}

fn is_gguf(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf"))
}
