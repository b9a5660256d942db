//! What the user may type, and nothing more.

use super::levels::Said;
use super::reports::Reports;
use crate::check::Demand;
use clap::{ArgGroup, Args as Arguments, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::path::PathBuf;

const EXIT_CODES: &str = "Exit codes:
  0  nothing is wrong
  1  a finding of severity error, a warning under `--deny warnings`, or output that differs
  2  the run could not begin or not go on

Examples:
  orchgen build                    compile registry/ into out/
  orchgen build --check            compare out/ with the registry, and write nothing
  orchgen check --report human --report sarif=orchgen.sarif
                                   say findings to people, and to code scanning
  orchgen check --baseline known.json --update-baseline
                                   take an old registry in: what is found today passes, what comes is found
  orchgen lock                     read the headers of all models into registry/registry.lock
  orchgen explain port-conflict    what a finding means and how to cure it";

/// Compiles a registry of language models into everything that serves them.
#[derive(Parser, Debug)]
#[command(name = "orchgen", version, about, after_help = EXIT_CODES, max_term_width = 100, infer_subcommands = false)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
    #[command(flatten)]
    pub(super) output: Output,
}

/// How the run speaks.
#[derive(Arguments, Clone, Copy, Debug)]
#[command(next_help_heading = "Output")]
pub(super) struct Output {
    /// When to colour; NO_COLOR, CLICOLOR_FORCE and FORCE_COLOR are obeyed where this is left out. With
    /// NO_GRAPHICS set, findings are sentences for screen readers
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: When,
    /// List what was not checked, and every file that is written
    #[arg(long, short, global = true)]
    pub(super) verbose: bool,
    /// Say findings and nothing else
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
}

/// When to colour.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum When {
    /// Where a terminal reads it
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    /// Check the registry and write everything that serves it
    Build(Build),
    /// Check the registry and write nothing
    #[command(visible_alias = "lint")]
    Check(Checking),
    /// Read what the model files say of themselves and keep it in `registry.lock`
    Lock(LockModels),
    /// Show what a model file says of itself
    Inspect(Inspect),
    /// Show what each role takes in memory, part by part, and what that is for residencies and hosts
    Memory(Memory),
    /// Say what a finding means, why it matters, and how to cure it
    Explain(Explain),
    /// Say what builds of the engine accept, and make a profile of one
    Engine(super::engine::Engine),
    /// Write a small registry to begin with
    Init(Init),
    /// Print the JSON Schema of a registry in YAML, for editors and validators
    Schema,
    /// Print the completions of a shell
    Completions(Completions),
}

/// Where the registry is, and what counts.
#[derive(Arguments, Debug)]
pub(super) struct Check {
    /// The folder of the registry
    #[arg(default_value = "registry", value_name = "REGISTRY")]
    pub(super) registry: PathBuf,
    /// Let warnings fail the run
    #[arg(long, value_name = "WHAT", help_heading = "Severity")]
    pub(super) deny: Vec<Deny>,
    #[command(flatten)]
    pub(super) said: Said,
    /// Let the findings that FILE lists pass: they are neither shown nor counted. A build shows errors all the same, since nothing
    /// can be written with one
    #[arg(long, value_name = "FILE", help_heading = "Severity")]
    pub(super) baseline: Option<PathBuf>,
    #[command(flatten)]
    pub(super) reports: Reports,
}

/// What fails a run besides errors.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Deny {
    /// Every warning
    Warnings,
}

#[derive(Arguments, Debug)]
pub(super) struct Checking {
    #[command(flatten)]
    pub(super) check: Check,
    /// Write all findings to the file of --baseline, so that they pass from then on
    #[arg(long, requires = "baseline", conflicts_with = "mending", help_heading = "Severity")]
    pub(super) update_baseline: bool,
    #[command(flatten)]
    pub(super) proof: Proof,
    #[command(flatten)]
    pub(super) mend: Mend,
}

/// What is done to the registry itself.
#[derive(Arguments, Clone, Copy, Debug)]
#[command(next_help_heading = "Fixes", group(ArgGroup::new("mending").args(["fix", "diff"]).multiple(true)))]
pub(super) struct Mend {
    /// Mend in place what can be mended for sure, and say what is left
    #[arg(long)]
    pub(super) fix: bool,
    /// Write nothing; print what `--fix` would change as a unified diff, and exit with 1 if that is anything
    #[arg(long)]
    pub(super) diff: bool,
    /// Also make fixes that somebody has to look at, since there are other cures or comments go with them
    #[arg(long, requires = "mending")]
    pub(super) unsafe_fixes: bool,
}

/// How much has to be proved.
#[derive(Arguments, Clone, Copy, Debug)]
pub(super) struct Proof {
    /// Let everything fail the run that cannot be checked because a fact is not known
    #[arg(long)]
    pub(super) locked: bool,
}

#[derive(Arguments, Debug)]
pub(super) struct LockModels {
    #[command(flatten)]
    pub(super) check: Check,
    /// Write nothing; say what differs from the lock, and exit with 1 if anything does
    #[arg(long = "check")]
    pub(super) compare: bool,
}

#[derive(Arguments, Debug)]
pub(super) struct Inspect {
    /// A GGUF file, or the first of its shards
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// How it is shown: for people, or as one JSON object
    #[arg(long = "output-format", value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    pub(super) format: FileFormat,
}

#[derive(Arguments, Debug)]
pub(super) struct Memory {
    /// The folder of the registry
    #[arg(default_value = "registry", value_name = "REGISTRY")]
    pub(super) registry: PathBuf,
    /// How it is shown: for people, or as one JSON object
    #[arg(long = "output-format", value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    pub(super) format: FileFormat,
}

/// A format of what a file or a registry is found to be.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FileFormat {
    /// Laid out for people
    Human,
    /// One object, for programs
    Json,
}

#[derive(Arguments, Debug)]
pub(super) struct Build {
    #[command(flatten)]
    pub(super) check: Check,
    #[command(flatten)]
    pub(super) proof: Proof,
    /// The folder to write
    #[arg(long, default_value = "out", value_name = "FOLDER")]
    pub(super) out: PathBuf,
    /// Write nothing; say what differs, and exit with 1 if anything does
    #[arg(long = "check", conflicts_with = "force")]
    pub(super) compare: bool,
    /// Overwrite files that were edited by hand or that orchgen did not write
    #[arg(long)]
    pub(super) force: bool,
}

#[derive(Arguments, Debug)]
pub(super) struct Explain {
    /// A code by number or name, as ORC302 or port-conflict; all codes in a line each where it is left out
    #[arg(value_name = "CODE")]
    pub(super) code: Option<String>,
    /// Print the pages of all codes
    #[arg(long, conflicts_with = "code")]
    pub(super) all: bool,
    /// How pages are written
    #[arg(long = "output-format", value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    pub(super) format: PageFormat,
}

/// A format of pages.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum PageFormat {
    /// Laid out for a terminal
    Human,
    /// One document with headings, for a site
    Markdown,
    /// One object with all codes, their pages and examples, for programs
    Json,
}

#[derive(Arguments, Debug)]
pub(super) struct Init {
    /// The folder of the registry; nothing that is in it is overwritten
    #[arg(default_value = "registry", value_name = "REGISTRY")]
    pub(super) registry: PathBuf,
    /// The language to write
    #[arg(long, value_name = "LANGUAGE", default_value = "yaml")]
    pub(super) format: Language,
}

/// A language of registries.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Language {
    /// YAML 1.2, with the schema that editors read beside it
    Yaml,
    /// KDL 2.0
    Kdl,
}

#[derive(Arguments, Debug)]
pub(super) struct Completions {
    /// The shell
    pub(super) shell: Shell,
}

impl Proof {
    /// The same, as the checks take it.
    pub(super) fn demand(self) -> Demand {
        if self.locked { Demand::Everything } else { Demand::AsFarAsKnown }
    }
}
