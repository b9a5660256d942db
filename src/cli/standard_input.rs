//! Standard input in place of a file, for editors: `orchgen check -` and `orchgen fmt -`.

use super::args::CheckArgs;
use super::{RunStatus, session};
use crate::diag::words::quoted;
use crate::source::{Loaded, MAX_FILE_BYTES, is_registry, is_registry_name, load_text, load_with};
use crate::syntax::likely_ending;
use clap::Args as Arguments;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The option about standard input.
#[derive(Arguments, Debug)]
pub(super) struct StdinArgs {
    /// Name of the file that standard input (`-`) replaces, for example `registry/roles.yaml`. Its ending is
    /// the language. `fmt` needs it; for `check`, the text decides by default
    #[arg(id = "stdin_filename", long = "stdin-filename", value_name = "NAME", help_heading = None::<&str>)]
    name: Option<PathBuf>,
}

impl StdinArgs {
    /// Reports a name without `-`.
    pub(super) fn refuse(&self, command: &str) -> Result<(), RunStatus> {
        let Some(name) = &self.name else { return Ok(()) };
        let name = name.to_string_lossy();
        Err(session::fail(format!(
            "`--stdin-filename` is the name of standard input: write `orchgen {command} - --stdin-filename {name}`"
        )))
    }

    /// Reads standard input as the only file of a registry.
    pub(super) fn load(&self) -> Result<Loaded, RunStatus> {
        let name = self.name()?;
        let bytes = read()?;
        let ending = || format!("stdin.{}", likely_ending(&String::from_utf8_lossy(&bytes)));
        let name = name.map_or_else(ending, |name| name.to_string_lossy().into_owned());
        Ok(load_text(&name, bytes))
    }

    /// Like [`Self::load`], but the name is required: the text alone does not always show its language, and a wrong one would
    /// change it.
    pub(super) fn load_named(&self) -> Result<Loaded, RunStatus> {
        if self.name.is_none() {
            return Err(session::fail(
                "the language of standard input is unknown: write `--stdin-filename NAME`, with a name that ends in .kdl or .yaml",
            ));
        }
        self.load()
    }

    fn name(&self) -> Result<Option<&Path>, RunStatus> {
        let Some(name) = self.name.as_deref() else { return Ok(None) };
        if is_registry_name(name) && name.file_name().is_some() {
            return Ok(Some(name));
        }
        let shown = quoted(&name.to_string_lossy());
        Err(session::fail(format!(
            "the file name {shown} does not end in .yaml, .yml or .kdl, which decides the language"
        )))
    }
}

/// Reads the registry of `check`: with `-`, standard input is one of its files, or the only one.
pub(super) fn load_registry(command: &CheckArgs) -> Result<Loaded, RunStatus> {
    let CheckArgs { common, stdin, fixes, .. } = command;
    if !common.registry.is_standard_input() {
        stdin.refuse("check")?;
        return session::read(common);
    }
    if command.update_baseline {
        return Err(session::fail(
            "`--update-baseline` reads files: write the folder of the registry instead of `-`",
        ));
    }
    if fixes.fix {
        return Err(session::fail(
            "`--fix` cannot change standard input: write `--diff` instead to print the changes, or run `orchgen check --fix` for the file",
        ));
    }
    let name = stdin.name()?;
    let folder = name.and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    if let Some(conflict) = common.reports.conflict(folder, common.baseline.as_deref()) {
        return Err(session::fail(conflict));
    }
    match name.and_then(|name| name.file_name()?.to_str()) {
        Some(file) if is_registry(folder) => load_with(folder, file, read()?).map_err(session::fail),
        _ => stdin.load(),
    }
}

/// The bytes of standard input.
fn read() -> Result<Vec<u8>, RunStatus> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes);
    let limit = usize::try_from(MAX_FILE_BYTES).unwrap_or(usize::MAX);
    match read {
        Ok(length) if length > limit => Err(session::fail("standard input has more than 64 MiB")),
        Ok(_) => Ok(bytes),
        Err(error) => Err(session::fail(format!("cannot read standard input: {error}"))),
    }
}
