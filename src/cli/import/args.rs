//! The options of `orchgen import`.

use crate::cli::init::RegistryFormat;
use crate::cli::reports::parse_max_findings;
use crate::import::Format;
use clap::builder::PossibleValue;
use clap::{Args as Arguments, ValueEnum};
use std::path::PathBuf;

/// The examples of `--help`.
pub(in crate::cli) const EXAMPLES: &str = "Examples:
  orchgen import config.yaml                 read a llama-swap file or a compose file
  orchgen import /etc/systemd/system/llama-*.service
                                             read units, with their drop-ins and environment files
  orchgen import start.sh --profile b11669 --out registry
                                             read a script that runs this build of llama.cpp
  orchgen import --running                   read the llama-server processes of this machine
  echo 'llama-server -m m.gguf -ngl 99' | orchgen import - --dry-run
                                             read a command line; write nothing

Exit codes:
  0  success
  1  a setting is lost, with `--strict`
  2  usage or I/O error";

#[derive(Arguments, Debug)]
pub(in crate::cli) struct ImportArgs {
    /// Files to read, or folders with them. `-` reads standard input, for example a command line
    #[arg(value_name = "FILE", required_unless_present = "running")]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// Read the llama-server processes of this machine instead of files
    #[arg(long, conflicts_with = "files")]
    pub(in crate::cli) running: bool,
    /// Folder of the new registry
    #[arg(long, value_name = "FOLDER", default_value = "registry")]
    pub(in crate::cli) out: PathBuf,
    /// Format of the files; by default, the name and the content of each file show it
    #[arg(long, value_name = "FORMAT")]
    pub(in crate::cli) from: Option<Format>,
    /// Profile of the llama.cpp build: a built-in profile, such as b11669, or a file of `orchgen engine probe`. The default is
    /// the build that a path or an image names, else the latest built-in profile
    #[arg(long, value_name = "PROFILE")]
    pub(in crate::cli) profile: Option<String>,
    /// Language of the registry
    #[arg(long, value_name = "LANGUAGE", default_value = "kdl")]
    pub(in crate::cli) format: RegistryFormat,
    /// Report: for users on standard error, or JSON on standard output
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(in crate::cli) report: ImportReport,
    /// Exit with 1 if a setting is lost
    #[arg(long)]
    pub(in crate::cli) strict: bool,
    /// Write nothing; only print the report
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// Maximum number of findings in the report for users (`all` for no limit)
    #[arg(long, value_name = "N", default_value = "100", value_parser = parse_max_findings)]
    pub(in crate::cli) max_findings: usize,
}

/// The form of the report of an import.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::cli) enum ImportReport {
    /// Findings with source excerpts, and one line for each server
    Human,
    /// One JSON object
    Json,
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.word()))
    }
}
