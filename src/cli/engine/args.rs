//! The commands and options of `orchgen engine`. The doc comments are the `--help` texts.

use crate::cli::help;
use clap::{Args as Arguments, Subcommand, ValueEnum};
use std::path::PathBuf;

const PROBE_HELP: &str =
    "Each program runs twice, with `--version` and `--help`, for 10 seconds at most, and with a clean
environment. No model is loaded or downloaded.

Examples:
  orchgen engine probe /opt/llama.cpp/bin -o registry/mine.json
      then, in a registry: engine \"mine\" profile=\"mine.json\" bin=\"/opt/llama.cpp/bin\"
  orchgen engine probe /usr/bin/llama-server /usr/bin/llama-cli";

const SHOW_HELP: &str = "Examples:
  orchgen engine show llama.cpp-b11669                list all options
  orchgen engine show llama.cpp-b11669 ctx-size       show one option
  orchgen engine show registry/mine.json --draft-max  show an option of a probed profile";

const DIFF_HELP: &str = "Exit codes:
  0  success
  1  a role of the registry breaks
  2  usage or I/O error; or no engine of the registry has the profile OLD, or the registry
     already has errors

Examples:
  orchgen engine diff llama.cpp-b10434 llama.cpp-b11669
  orchgen engine diff llama.cpp-2026-03-fork registry/mine.json --registry registry
      then, in the registry: profile=\"mine.json\"";

/// The subcommands of `orchgen engine`.
#[derive(Arguments, Debug)]
pub(in crate::cli) struct EngineArgs {
    #[command(subcommand)]
    pub(super) command: EngineCommand,
}

/// The output format of `orchgen engine`.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum EngineFormat {
    /// Human-readable text
    Human,
    /// One JSON object with a stable schema
    Json,
}

#[derive(Subcommand, Debug)]
pub(super) enum EngineCommand {
    /// Create a profile of a llama.cpp build from the help texts of its programs
    #[command(after_help = PROBE_HELP)]
    Probe(ProbeArgs),
    /// List the built-in profiles
    #[command(after_help = help::after_options(help::CODES, help::ENGINE_LIST))]
    List(ListArgs),
    /// Show a profile, or one of its options
    #[command(after_help = SHOW_HELP)]
    Show(ShowArgs),
    /// Compare two builds: changed options, roles that break, old and new command lines
    #[command(after_help = DIFF_HELP)]
    Diff(DiffArgs),
}

#[derive(Arguments, Debug)]
pub(super) struct ProbeArgs {
    /// Programs of one build, or folders that contain `llama-*` programs
    #[arg(required = true, value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// File to write; missing folders are created. To use the profile in a registry, write it into the folder of the
    /// registry, and name the file without a path. The default is standard output
    #[arg(long, short, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Replace the file of `--out` if it exists with another content
    #[arg(long, requires = "out")]
    pub(super) force: bool,
}

#[derive(Arguments, Debug)]
pub(super) struct ListArgs {
    /// Output format
    #[arg(long = "output-format", value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    pub(super) format: EngineFormat,
}

#[derive(Arguments, Debug)]
pub(super) struct ShowArgs {
    /// Built-in profile or profile file
    #[arg(value_name = "NAME")]
    pub(super) profile: String,
    /// Option to show, in any spelling, with or without leading dashes
    #[arg(value_name = "OPTION", allow_hyphen_values = true)]
    pub(super) option: Option<String>,
    /// Output format
    #[arg(long = "output-format", value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    pub(super) format: EngineFormat,
}

#[derive(Arguments, Debug)]
pub(super) struct DiffArgs {
    /// Current profile: built-in name or file
    #[arg(value_name = "OLD")]
    pub(super) old: String,
    /// New profile: built-in name or file
    #[arg(value_name = "NEW")]
    pub(super) new: String,
    /// Folder of a registry. Also list its roles that break and its command lines that change, as if all engines with
    /// the profile OLD used NEW
    #[arg(long, value_name = "FOLDER")]
    pub(super) registry: Option<PathBuf>,
    /// Output format
    #[arg(long = "output-format", value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    pub(super) format: EngineFormat,
}
