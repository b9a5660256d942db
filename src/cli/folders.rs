//! The folders that a command reads and writes. Without an argument they are those of the project around the working
//! folder, as for cargo and git.

use crate::render::quote::shell;
use crate::source::{REGISTRY, find_registry};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The name of the output folder, next to the registry.
const OUT: &str = "out";

/// The argument that means standard input.
pub(super) const STANDARD_INPUT: &str = "-";

/// The argument with the registry.
#[derive(clap::Args, Default, Debug)]
pub(super) struct RegistryFolder {
    /// Folder of the registry. The default is `registry` in the current folder, else in the nearest parent folder that
    /// has one
    #[arg(value_name = "REGISTRY")]
    given: Option<PathBuf>,
    #[arg(skip)]
    found: OnceLock<PathBuf>,
}

impl RegistryFolder {
    /// The path, relative to the working folder unless the user gave an absolute one.
    pub(super) fn path(&self) -> &Path {
        match &self.given {
            Some(given) => given,
            None => self.found.get_or_init(find_registry),
        }
    }

    /// True if the argument is `-`.
    pub(super) fn is_standard_input(&self) -> bool {
        self.given.as_deref() == Some(Path::new(STANDARD_INPUT))
    }

    /// The folder as an argument of further commands, with a blank before it; empty for the default folder.
    pub(super) fn operand(&self) -> String {
        self.given.as_deref().map(operand).unwrap_or_default()
    }

    /// The folder for generated files: the given one, else `out`. For a registry that was found in a parent folder, it is
    /// `out` next to this registry.
    pub(super) fn out(&self, given: Option<&Path>) -> PathBuf {
        match (given, &self.given) {
            (Some(given), _) => given.to_owned(),
            (None, Some(_)) => PathBuf::from(OUT),
            (None, None) => out_next_to(self.path()),
        }
    }
}

/// The output folder next to the registry around the working folder.
pub(super) fn default_out() -> PathBuf {
    out_next_to(&find_registry())
}

/// A folder as an argument of further commands, with a blank before it; empty for the default folder.
pub(super) fn operand(folder: &Path) -> String {
    if folder == Path::new(REGISTRY) {
        String::new()
    } else {
        format!(" {}", shell(&folder.to_string_lossy()))
    }
}

/// The output folder next to a registry.
fn out_next_to(registry: &Path) -> PathBuf {
    if registry.file_name() == Some(OsStr::new(REGISTRY)) {
        registry.with_file_name(OUT)
    } else {
        // The working folder is in the registry.
        Path::new("..").join(registry).components().collect::<PathBuf>().join(OUT)
    }
}
