//! `orchgen init`: writes a first registry: a small example, or what this machine has.

mod engines;
mod from_host;
mod host;
mod models;

use super::RunStatus;
use super::args::OutputArgs;
use super::folders::operand;
use super::session;
use crate::diag::words;
use crate::emit;
use crate::hir::schema::schema;
use crate::import::assemble::slug;
use crate::source::is_registry;
use crate::syntax::Language;
use clap::{Args as Arguments, ValueEnum};
use std::path::{Path, PathBuf};

/// The file name of the JSON Schema of a YAML registry. Because of the extension, orchgen does not read it as part of
/// the registry.
const SCHEMA: &str = "orchgen.schema.json";

#[derive(Arguments, Debug)]
pub(in crate::cli) struct InitArgs {
    /// Folder of the new registry
    #[arg(default_value = "registry", value_name = "REGISTRY")]
    registry: PathBuf,
    /// Language of the registry
    #[arg(long, value_name = "LANGUAGE", default_value = "yaml")]
    format: RegistryFormat,
    /// Write what this machine has: CPUs, NUMA nodes, memory, GPUs, systemd, llama.cpp. Unknown values become comments. Runs
    /// `systemctl --version`, `llama-server --version` and `llama-server --list-devices`. If orchgen does not know the build, it also runs
    /// all programs of that folder with `--help`
    #[arg(long)]
    from_host: bool,
    /// Folder with model files, also below it. Each model becomes an item with its facts
    #[arg(long, value_name = "FOLDER", requires = "from_host")]
    models: Vec<PathBuf>,
    /// Folder with the programs of llama.cpp. The default is the first of PATH and of the usual folders
    #[arg(long, value_name = "FOLDER", requires = "from_host")]
    bin: Option<PathBuf>,
    /// Examine another machine, whose `/sys` and `/proc` are below this folder. No program is run
    #[arg(long, value_name = "FOLDER", requires = "from_host", conflicts_with = "bin")]
    root: Option<PathBuf>,
    /// Name of the stack, the prefix of all unit names
    #[arg(long, value_name = "NAME", default_value = "home", requires = "from_host")]
    name: String,
}

/// A language for registries.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::cli) enum RegistryFormat {
    /// YAML 1.2, with a JSON Schema for editors
    Yaml,
    /// KDL 2.0
    Kdl,
}

impl RegistryFormat {
    /// The language of the files.
    pub(in crate::cli) fn language(self) -> Language {
        match self {
            Self::Yaml => Language::Yaml,
            Self::Kdl => Language::Kdl,
        }
    }
}

pub(super) fn run(command: &InitArgs, output: OutputArgs) -> RunStatus {
    let folder = &command.registry;
    if is_registry(folder) {
        let name = words::quoted(&folder.to_string_lossy());
        return session::fail(format!(
            "{name} already contains a registry: choose another folder, or run `orchgen check{}`",
            operand(folder)
        ));
    }
    if command.from_host { write_from_host(command, output) } else { write_example(command, output) }
}

/// Writes the registry of this machine.
fn write_from_host(command: &InitArgs, output: OutputArgs) -> RunStatus {
    let folder = &command.registry;
    if slug(&command.name) != command.name {
        let (name, new) = (words::quoted(&command.name), words::quoted(&slug(&command.name)));
        return session::fail(format!("{name} cannot be the name of a stack: write {new}"));
    }
    let found = match from_host::from_host(command) {
        Ok(found) => found,
        Err(error) => return session::fail(error),
    };
    let files: Vec<(&str, &str)> =
        found.files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    if let Err(error) = emit::create(folder, &files) {
        return session::fail(error);
    }
    if !output.quiet {
        let lines = found.summary.iter().fold(String::new(), |all, line| all + line + "\n");
        session::print_stderr(&format!("{lines}{}", written(folder, &files)));
        session::print_stderr(
            "next: run `orchgen add role NAME --model MODEL`; the end of the file has an example\n",
        );
    }
    RunStatus::Clean
}

/// Writes the example.
fn write_example(command: &InitArgs, output: OutputArgs) -> RunStatus {
    let folder = &command.registry;
    let schema = schema();
    let files: &[(&str, &str)] = match command.format {
        RegistryFormat::Yaml => &[
            ("stack.yaml", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/init/stack.yaml"))),
            (SCHEMA, &schema),
        ],
        RegistryFormat::Kdl => {
            &[("stack.kdl", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/init/stack.kdl")))]
        }
    };
    if let Err(error) = emit::create(folder, files) {
        return session::fail(error);
    }
    if !output.quiet {
        session::print_stderr(&(written(folder, files) + &next_steps(folder)));
    }
    RunStatus::Clean
}

/// The line with the names of new files.
fn written(folder: &Path, files: &[(&str, &str)]) -> String {
    let shown = |(name, _): &(&str, &str)| words::printable(&folder.join(name).to_string_lossy());
    let names: Vec<String> = files.iter().map(shown).collect();
    format!("wrote {}\n", words::all_of(&names))
}

/// The next steps for the user.
fn next_steps(folder: &Path) -> String {
    let operand = operand(folder);
    format!(
        "Replace the paths of the engine and of the model with yours. Then run:
  orchgen check{operand}            reports errors in the registry
  orchgen build{operand}            writes units, scripts and documents into out/
  orchgen build --check{operand}    verifies in CI that out/ is up to date
"
    )
}
