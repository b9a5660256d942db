//! Finds model files in a folder.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
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

/// Finds the `*.gguf` files below a folder, also behind symlinks. Each file and folder counts once. Hidden folders are left out.
pub fn model_files(folder: &Path) -> io::Result<ModelFiles> {
    let mut found = ModelFiles::default();
    let mut files: Vec<(bool, String, Identity)> = Vec::new();
    let mut open = vec![(String::new(), 0)];
    // The folder itself must be readable. Folders below it can belong to others.
    fs::read_dir(folder)?;
    let mut folders: BTreeSet<Identity> = fs::metadata(folder).iter().map(identity).collect();
    let mut entries = 0;
    'walk: while let Some((below, depth)) = open.pop() {
        let Ok(names) = fs::read_dir(folder.join(&below)) else { continue };
        for entry in names.flatten() {
            entries += 1;
            if entries > MAX_ENTRIES {
                found.is_cut = true;
                break 'walk;
            }
            let Ok(name) = entry.file_name().into_string() else {
                found.unnamed += 1;
                continue;
            };
            let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
            let Ok(about) = fs::metadata(folder.join(&path)) else { continue };
            if about.is_dir() && !name.starts_with('.') && folders.insert(identity(&about)) {
                if depth >= MAX_DEPTH {
                    found.is_cut = true;
                } else {
                    open.push((path, depth + 1));
                }
            } else if about.is_file() && is_gguf(&name) {
                let is_link = fs::symlink_metadata(folder.join(&path)).is_ok_and(|about| about.is_symlink());
                files.push((is_link, path, identity(&about)));
            }
        }
    }
    // Of several names of one file, the first that is no symlink.
    files.sort_unstable();
    let mut known = BTreeSet::new();
    let names = files.into_iter().filter_map(|(_, path, identity)| known.insert(identity).then_some(path));
    found.files = names.collect();
    found.files.sort_unstable();
    Ok(found)
}

/// The device and the inode of a file or folder.
type Identity = (u64, u64);

fn identity(about: &fs::Metadata) -> Identity {
    (about.dev(), about.ino())
}

fn is_gguf(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf"))
}
