//! The commands and options. The doc comments are the `--help` texts.

use super::deploy::args as deploy;
use super::folders::RegistryFolder;
use super::help;
use super::levels::SeverityArgs;
use super::reports::Reports;
use super::standard_input::StdinArgs;
use crate::check::NotCheckedPolicy;
use crate::hir::TargetName;
use crate::render::quote::shell;
use clap::builder::PossibleValue;
use clap::{ArgGroup, Args as Arguments, Parser, Subcommand, ValueEnum};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "Examples:
  orchgen build                    compile registry/ into out/
  orchgen build --check            compare out/ with the registry; write nothing
  orchgen build --only docs        write only the documents
  orchgen check --report human --report sarif=orchgen.sarif
                                   print findings, and write them as SARIF for code scanning
  orchgen check --baseline known.json --update-baseline
                                   accept today's findings, report only new ones
  orchgen init --from-host --models /srv/models
                                   write a registry of this machine and its models
  orchgen add role chat --model qwen3-8b
                                   add a role to the registry
  orchgen import config.yaml       read a configuration of another tool, and write a registry
  sudo orchgen apply               install out/ on this machine, restart what changed, verify
  orchgen lock                     record the facts of all model files in registry/registry.lock
  orchgen explain port-conflict    explain a finding and how to fix it
  orchgen schema --field role.draft
                                   describe a field, with examples in KDL and YAML

`orchgen COMMAND --help` describes all options of a command.";

/// Compiles a registry of GGUF models into systemd units, launch scripts and documents.
#[derive(Parser, Debug)]
#[command(name = "orchgen", version = env!("ORCHGEN_VERSION"), about)]
#[command(after_help = help::after_options(help::CHECK_CODES, EXAMPLES))]
#[command(max_term_width = 100, infer_subcommands = false)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Output options of all commands.
#[derive(Arguments, Clone, Copy, Debug)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputArgs {
    /// When to use color. NO_COLOR, CLICOLOR_FORCE and FORCE_COLOR are respected by default. If NO_GRAPHICS is
    /// set, findings are printed as sentences for screen readers
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: ColorWhen,
    /// Also list the checks that could not run, and each written file
    #[arg(long, short, global = true)]
    pub(super) verbose: bool,
    /// Print only findings with their summary; no progress or success messages
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
}

/// When to use color.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ColorWhen {
    /// Only if the output is a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    /// Check the registry and write units, scripts and documents
    ///
    /// Nothing is written if there are errors. Files that were edited manually are never overwritten without `--force`.
    #[command(after_help = help::after_options(help::CHECK_CODES, help::BUILD))]
    Build(BuildArgs),
    /// Check the registry and report findings
    ///
    /// Nothing is written, except with `--fix`, `--update-baseline` or `--report FORMAT=FILE`. With `-` as the registry, standard
    /// input is one of its files.
    #[command(visible_alias = "lint", after_help = help::after_options(help::CHECK_CODES, help::CHECK))]
    Check(CheckArgs),
    /// Format registry files: indentation, spaces and blank lines
    ///
    /// Only whitespace changes: indentation, blanks, empty lines and the kind of line ends. Values, comments and their order stay as
    /// they are. A file with syntax errors is not changed.
    #[command(after_help = super::fmt::HELP)]
    Fmt(super::fmt::FmtArgs),
    /// Print the changes that `build` would make as a unified diff
    #[command(after_help = deploy::DIFF_HELP)]
    Diff(deploy::DiffArgs),
    /// Print what changes: roles, units, time down and memory at each step
    #[command(after_help = deploy::PLAN_HELP)]
    Plan(deploy::PlanArgs),
    /// Install the output: show the plan, ask, restart what changed, verify, or roll back
    ///
    /// On the only host, or the one that is this machine; with `--host` on others, over ssh. Users, ports and keys of ssh are those of `~/.ssh/config`. If
    /// the other machine has no orchgen of this version, a temporary copy of this program runs there.
    ///
    /// Installed files that were edited, and drop-ins, are kept and reported. If a role does not start within its limit, the previous
    /// generation is restored. If `apply` is interrupted, run it again: it continues from what it finds.
    #[command(after_help = deploy::APPLY_HELP)]
    Apply(deploy::ApplyArgs),
    /// Return to an earlier generation
    #[command(after_help = deploy::ROLLBACK_HELP)]
    Rollback(deploy::RollbackArgs),
    /// List the generations that were applied on this machine
    #[command(after_help = deploy::GENERATIONS_HELP)]
    Generations(deploy::GenerationsArgs),
    /// Compare what runs with what was applied, on this machine or with `--host` on others
    ///
    /// Reports the state of each role, its memory, other arguments, changed model files and edited units. Nothing is changed,
    /// and no role is loaded.
    #[command(after_help = super::deploy::status::STATUS_HELP)]
    Status(super::deploy::status::StatusArgs),
    /// Answer `plan`, `apply` and `status` of another machine. They run it over ssh
    #[command(hide = true, after_help = deploy::ON_HOST_HELP)]
    OnHost,
    /// Read the headers of all model files and record their facts in `registry.lock`
    ///
    /// Commit the lock: machines without the model files can then check sizes, quants, drafts and memory.
    #[command(after_help = help::after_options(help::CHECK_CODES, help::LOCK))]
    Lock(super::lock::LockArgs),
    /// Print the facts and metadata of a GGUF file
    #[command(after_help = help::after_options(help::CODES, help::INSPECT))]
    Inspect(super::inspect::InspectArgs),
    /// Print the memory of each role, residency and host
    ///
    /// Each part has an error margin. A mapped file counts once in each sum, so the sums of residencies can add up to more
    /// than the sum of their host. Without a lock, only file sizes are counted.
    #[command(after_help = help::after_options(help::MEMORY_CODES, help::MEMORY))]
    Memory(super::memory::MemoryArgs),
    /// Write one HTML page about the stack: roles, memory, topology, starts, findings
    ///
    /// The page needs no network and no script. It is also written if the registry has errors: then roles that cannot be read are
    /// missing on it. `orchgen build` writes the same page as `out/report.html`.
    #[command(after_help = help::after_options(super::report::CODES, super::report::EXAMPLES))]
    Report(super::report::ReportArgs),
    /// Explain a finding: what it means, why it matters, how to fix it
    #[command(after_help = help::after_options(help::CODES, super::explain::EXPLAIN_HELP))]
    Explain(super::explain::ExplainArgs),
    /// Read the guide: install, recipes, what to do if a role does not start
    #[command(after_help = help::after_options(help::CODES, super::guide::EXAMPLES))]
    Guide(super::guide::GuideArgs),
    /// Show, create and compare profiles of llama.cpp builds
    #[command(after_help = help::after_options(help::CODES, help::ENGINE))]
    Engine(super::engine::EngineArgs),
    /// Write a first registry: an example, or with `--from-host` what this machine has
    ///
    /// Existing files are never overwritten.
    #[command(after_help = help::after_options(help::CODES, help::INIT))]
    Init(super::init::InitArgs),
    /// Add a model or a role to the registry
    ///
    /// The item is added where items of its kind are, in the layout of the file. The change is printed, and it is not written if the
    /// registry would have an error.
    #[command(after_help = help::after_options(help::ADD_CODES, help::ADD))]
    Add(super::add::AddArgs),
    /// Read configurations of other tools, and write a registry
    ///
    /// Reads llama-swap files, presets of the router, units of systemd with their drop-ins, container units of podman, compose
    /// files, shell scripts and command lines. Nothing is executed. Each setting is kept, or the report names it with its reason.
    /// Existing files are never overwritten.
    #[command(after_help = super::import::EXAMPLES)]
    Import(super::import::ImportArgs),
    /// Print the JSON Schema of YAML registries, or describe a field
    ///
    /// The schema is for editors and validators of YAML. `--field` is for users of both languages.
    #[command(after_help = help::after_options(help::CODES, help::SCHEMA))]
    Schema(super::schema::SchemaArgs),
    /// Print the completion script for a shell
    #[command(after_help = help::after_options(help::CODES, help::COMPLETIONS))]
    Completions(super::completions::CompletionsArgs),
    /// Write a man page for each command
    #[command(after_help = help::after_options(help::CODES, help::MAN))]
    Man(super::man::ManArgs),
}

/// Options of all commands that report findings.
#[derive(Arguments, Debug)]
pub(super) struct CommonArgs {
    #[command(flatten)]
    pub(super) registry: RegistryFolder,
    /// Fail if there are warnings
    #[arg(long, value_name = "WHAT", help_heading = "Severity")]
    pub(super) deny: Vec<Deny>,
    #[command(flatten)]
    pub(super) severity: SeverityArgs,
    /// Ignore the findings listed in FILE. `build` still reports errors
    #[arg(long, value_name = "FILE", help_heading = "Severity")]
    pub(super) baseline: Option<PathBuf>,
    #[command(flatten)]
    pub(super) reports: Reports,
}

/// Findings that fail the run in addition to errors.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Deny {
    /// All warnings
    Warnings,
}

#[derive(Arguments, Debug)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) common: CommonArgs,
    /// Write all current findings to the file of `--baseline`. Later runs with this `--baseline` ignore them
    #[arg(long, requires = "baseline", conflicts_with = "fix_mode", help_heading = "Severity")]
    pub(super) update_baseline: bool,
    #[command(flatten)]
    pub(super) locked: LockedArgs,
    #[command(flatten)]
    pub(super) fixes: FixArgs,
    /// Check again each time a file of the registry changes, until Ctrl-C
    #[arg(long, conflicts_with_all = ["fix_mode", "update_baseline", "stdin_filename"], help_heading = None::<&str>)]
    pub(super) watch: bool,
    #[command(flatten)]
    pub(super) stdin: StdinArgs,
}

/// Options that change the registry.
#[derive(Arguments, Clone, Copy, Debug)]
#[command(next_help_heading = "Fixes", group(ArgGroup::new("fix_mode").args(["fix", "diff"]).multiple(true)))]
pub(super) struct FixArgs {
    /// Apply safe fixes to the registry and report the remaining findings
    #[arg(long)]
    pub(super) fix: bool,
    /// Print the changes of `--fix` as a unified diff; write nothing. Exit with 1 if there are changes
    #[arg(long)]
    pub(super) diff: bool,
    /// Also apply fixes that may change the meaning or drop comments; review them. Needs `--fix` or `--diff`
    #[arg(long, requires = "fix_mode")]
    pub(super) unsafe_fixes: bool,
}

/// Options about missing facts.
#[derive(Arguments, Clone, Copy, Debug)]
pub(super) struct LockedArgs {
    /// Fail if a check could not run because a fact is missing. Missing facts for memory sums do not count
    #[arg(long, help_heading = "Severity")]
    pub(super) locked: bool,
}

/// The output format of `inspect`, `memory` and `schema --field`.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum DataFormat {
    /// Table
    Human,
    /// One JSON object
    Json,
}

#[derive(Arguments, Debug)]
pub(super) struct BuildArgs {
    #[command(flatten)]
    pub(super) common: CommonArgs,
    #[command(flatten)]
    pub(super) locked: LockedArgs,
    /// Folder for the generated files. The default is `out` in the current folder, or next to a registry that was found
    /// in a parent folder
    #[arg(long, value_name = "FOLDER", help_heading = None::<&str>)]
    out: Option<PathBuf>,
    /// Compare the generated files with the registry; write nothing. Exit with 1 if they differ
    #[arg(long = "check", conflicts_with = "force", help_heading = None::<&str>)]
    pub(super) compare: bool,
    /// Write or compare only the files of these output targets, for example `systemd,docs`, and of the targets that
    /// they need. Ignore all other files
    #[arg(long, value_name = "TARGET", value_delimiter = ',', help_heading = None::<&str>)]
    pub(super) only: Vec<TargetName>,
    /// Overwrite files that were edited manually or that orchgen did not write, and remove stale files that were edited
    #[arg(long, help_heading = None::<&str>)]
    pub(super) force: bool,
}

impl ValueEnum for TargetName {
    fn value_variants<'a>() -> &'a [Self] {
        Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.word()))
    }
}

impl BuildArgs {
    /// The folder for the generated files.
    pub(super) fn out(&self) -> PathBuf {
        self.common.registry.out(self.out.as_deref())
    }

    /// The options `--out` of a command for the same folders, with a blank before it; empty for the default folder.
    pub(super) fn out_option(&self) -> String {
        let given = self.out.as_deref().filter(|out| *out != Path::new("out"));
        given.map(|out| format!(" --out {}", shell(&out.to_string_lossy()))).unwrap_or_default()
    }

    /// The option `--only` of a command for the same output targets, with a blank before it; empty for all targets.
    pub(super) fn only_option(&self) -> String {
        let words: Vec<&str> = self.only.iter().map(|target| target.word()).collect();
        if words.is_empty() { String::new() } else { format!(" --only {}", words.join(",")) }
    }
}

impl LockedArgs {
    /// Returns what the checks do if a fact is missing.
    pub(super) fn not_checked_policy(self) -> NotCheckedPolicy {
        if self.locked { NotCheckedPolicy::Deny } else { NotCheckedPolicy::Count }
    }
}
