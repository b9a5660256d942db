//! What the user may type after `orchgen engine`.

use clap::{Args as Arguments, Subcommand, ValueEnum};
use std::path::PathBuf;

const PROBE_HELP: &str =
    "Each program runs twice, with `--version` and with `--help`, for 10 seconds at the most, in an
environment of its own and without a model: nothing is loaded and nothing is downloaded.

Examples:
  orchgen engine probe /opt/llama.cpp/bin -o engines/mine.json
  orchgen engine probe /usr/bin/llama-server /usr/bin/llama-cli";

const SHOW_HELP: &str = "Examples:
  orchgen engine show llama.cpp-b11669               a line for each option
  orchgen engine show llama.cpp-b11669 ctx-size      all that is known of one
  orchgen engine show engines/mine.json --draft-max  of a profile that was probed";

const DIFF_HELP: &str = "Exit codes:
  0  nothing that is compared breaks
  1  a role of the registry breaks
  2  the profiles or the registry cannot be compared

Examples:
  orchgen engine diff llama.cpp-b10434 llama.cpp-b11669
  orchgen engine diff llama.cpp-2026-03-fork engines/mine.json --registry registry";

/// The subcommands of `orchgen engine`.
#[derive(Arguments, Debug)]
pub(in crate::cli) struct Engine {
    #[command(subcommand)]
    pub(super) command: Command,
}

/// A format of what is known of builds.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Format {
    /// Laid out for people
    Human,
    /// One object, stable, for programs
    Json,
}

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    /// Make a profile of the programs of a build, by asking them
    #[command(after_help = PROBE_HELP)]
    Probe(Probe),
    /// List the profiles that are built in
    List(List),
    /// Show what a profile knows, or all it knows of one option
    #[command(after_help = SHOW_HELP)]
    Show(Show),
    /// Say what changes from one build to another, and what that does to a registry
    #[command(after_help = DIFF_HELP)]
    Diff(Diff),
}

#[derive(Arguments, Debug)]
pub(super) struct Probe {
    /// Programs of one build, or folders of which every program `llama-*` is asked
    #[arg(required = true, value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// The file to write; standard output where it is left out
    #[arg(long, short, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
}

#[derive(Arguments, Debug)]
pub(super) struct List {
    /// How it is written
    #[arg(long = "output-format", value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    pub(super) format: Format,
}

#[derive(Arguments, Debug)]
pub(super) struct Show {
    /// A profile that is built in, or the file of one
    #[arg(value_name = "NAME")]
    pub(super) profile: String,
    /// An option by any of its spellings, with dashes or without
    #[arg(value_name = "OPTION", allow_hyphen_values = true)]
    pub(super) option: Option<String>,
    /// How it is written
    #[arg(long = "output-format", value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    pub(super) format: Format,
}

#[derive(Arguments, Debug)]
pub(super) struct Diff {
    /// The profile that is left: one that is built in, or the file of one
    #[arg(value_name = "OLD")]
    pub(super) old: String,
    /// The profile that comes in its place
    #[arg(value_name = "NEW")]
    pub(super) new: String,
    /// The folder of a registry: which roles break, and what every command line of an engine with OLD becomes
    #[arg(long, value_name = "FOLDER")]
    pub(super) registry: Option<PathBuf>,
    /// How it is written
    #[arg(long = "output-format", value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    pub(super) format: Format,
}
