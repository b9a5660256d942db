//! `orchgen init`: writes a small example registry.

use super::RunStatus;
use super::args::OutputArgs;
use super::folders::operand;
use super::session;
use crate::diag::words;
use crate::emit;
use crate::hir::schema::schema;
use crate::source::is_registry;
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
}

/// A language for registries.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::cli) enum RegistryFormat {
    /// YAML 1.2, with a JSON Schema for editors
    Yaml,
    /// KDL 2.0
    Kdl,
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
        let shown = |(name, _): &(&str, &str)| words::printable(&folder.join(name).to_string_lossy());
        let names: Vec<String> = files.iter().map(shown).collect();
        session::print_stderr(&format!("wrote {}\n{}", words::all_of(&names), next_steps(folder)));
    }
    RunStatus::Clean
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
