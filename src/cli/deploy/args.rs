//! The options of the commands about a host. The doc comments are the `--help` texts.

use super::fleet::{ChosenHost, HostPlace};
use crate::cli::folders::RegistryFolder;
use crate::hir::UnitScope;
use crate::render::quote::shell;
use clap::{Args as Arguments, ValueEnum};
use std::path::PathBuf;

pub(in crate::cli) const DIFF_HELP: &str = "Exit codes:
  0  no differences
  1  differences found, or the registry has errors
  2  usage or I/O error

Examples:
  orchgen diff            show what `orchgen build` would change
  orchgen diff | less     the same, page by page";

pub(in crate::cli) const PLAN_HELP: &str = "Exit codes:
  0  success; with `--detailed-exitcode`: nothing changes
  1  the registry has errors; with `--detailed-exitcode` also usage and I/O errors
  2  usage or I/O error, or a host does not answer; with `--detailed-exitcode`: something changes

Examples:
  orchgen plan                            compare with the last build, out/
  orchgen plan --against origin/main --output-format markdown
                                          for a pull request
  orchgen plan --against host             compare with what runs on this machine
  orchgen plan --against host --host small
                                          the same on another machine, over ssh";

pub(in crate::cli) const APPLY_HELP: &str = "Exit codes:
  0  applied, or nothing to do
  1  not applied, and nothing was changed: edited files, the host changed, out/ is out of date, or the answer was no
  2  usage or I/O error, or a host does not answer
  3  a step failed, and the previous state is restored
  4  a step failed, and the previous state could not be restored: read the message

With several hosts, the exit code is the highest one. A host that does not answer is reported, and the others go on. After
any other failure, the hosts that follow are not changed.

Examples:
  orchgen build && sudo orchgen apply     show the plan, ask, and apply it
  sudo orchgen apply --yes                in a pipeline
  sudo orchgen apply --dry-run            print the commands only
  orchgen apply --host small              install on another machine, over ssh
  orchgen apply --all-hosts --yes         one host after another";

pub(in crate::cli) const ROLLBACK_HELP: &str = "Exit codes:
  0  returned, or nothing to do
  1  not returned, and nothing was changed: edited files, the host changed, or the answer was no
  2  usage or I/O error
  3  a step failed, and the state before is restored
  4  a step failed, and the state before could not be restored: read the message

`rollback` returns on this machine. For another one, build an earlier commit and run `orchgen apply --host NAME`.

Examples:
  sudo orchgen rollback       return to the generation that was current before
  sudo orchgen rollback 3     return to generation 3";

pub(in crate::cli) const GENERATIONS_HELP: &str = "Exit codes:
  0  success
  2  usage or I/O error

Examples:
  orchgen generations                     list what was applied on this machine
  orchgen generations --user              the same for the units of this user";

pub(in crate::cli) const ON_HOST_HELP: &str = "Standard input is a request in JSON, and standard output the answer. Programs of the same version use it.

Examples:
  orchgen status --host small       runs `orchgen on-host` on `small`, over ssh
  orchgen on-host <request.json     the same here, with a request of a file";

/// The hosts of the registry that a command is about.
#[derive(Arguments, Debug)]
pub(in crate::cli) struct HostArgs {
    /// A host of the registry; repeat it for several. If the host is another machine, its `address` is reached with ssh
    #[arg(long, value_name = "NAME")]
    pub(super) host: Vec<String>,
    /// All hosts of the registry, in the order of declaration
    #[arg(long, conflicts_with = "host")]
    pub(super) all_hosts: bool,
    /// Run here: this machine is the host, although it has another name and address
    #[arg(long, requires = "host")]
    pub(super) local: bool,
}

impl HostArgs {
    /// True if a failure of a host is reported, and the command goes on.
    pub(super) fn goes_on(&self, host: &ChosenHost) -> bool {
        self.all_hosts || self.host.len() > 1 || host.place != HostPlace::Here
    }

    /// True if the user chose hosts.
    pub(super) fn is_given(&self) -> bool {
        self.all_hosts || !self.host.is_empty()
    }
}

#[derive(Arguments, Debug)]
pub(in crate::cli) struct DiffArgs {
    #[command(flatten)]
    pub(super) registry: RegistryFolder,
    /// Folder of the last build. The default is that of `orchgen build`
    #[arg(long, value_name = "FOLDER")]
    pub(super) out: Option<PathBuf>,
}

/// The output format of `plan`.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::cli) enum PlanFormat {
    /// Text for a terminal
    Human,
    /// One JSON object
    Json,
    /// Markdown, for a pull request
    Markdown,
}

#[derive(Arguments, Debug)]
pub(in crate::cli) struct PlanArgs {
    #[command(flatten)]
    pub(super) registry: RegistryFolder,
    /// Compare with this: a folder with output, a revision of git, or `host` for what runs. The default is the
    /// last build
    #[arg(long, value_name = "WHAT")]
    pub(super) against: Option<String>,
    /// Folder of the last build. The default is that of `orchgen build`
    #[arg(long, value_name = "FOLDER")]
    pub(super) out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) hosts: HostArgs,
    /// Exit with 2 if something changes, and with 1 for every error
    #[arg(long)]
    pub(super) detailed_exitcode: bool,
    /// Output format
    #[arg(long = "output-format", value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    pub(super) format: PlanFormat,
}

/// Options of the commands that change a host.
#[derive(Arguments, Debug)]
pub(in crate::cli) struct ChangeArgs {
    /// Apply without asking
    #[arg(long, short)]
    pub(super) yes: bool,
    /// Print the plan and its commands; change nothing
    #[arg(long, conflicts_with = "yes")]
    pub(super) dry_run: bool,
    /// Apply only the plan with this number, which `orchgen plan --against host` and `orchgen apply` print
    #[arg(long = "plan", value_name = "ID")]
    pub(super) id: Option<String>,
    /// Replace installed files that were edited, or the output of another host. The content of edited files is saved, and the
    /// folder is printed
    #[arg(long)]
    pub(super) force: bool,
    /// Install into the system below this folder, which does not run: no unit is started
    #[arg(long, value_name = "FOLDER")]
    pub(super) root: Option<PathBuf>,
}

#[derive(Arguments, Debug)]
pub(in crate::cli) struct ApplyArgs {
    #[command(flatten)]
    pub(super) hosts: HostArgs,
    /// Folder with the output of `orchgen build`. The default is `out`, next to the registry
    #[arg(long, value_name = "FOLDER")]
    pub(super) out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) change: ChangeArgs,
}

impl ApplyArgs {
    /// The given options that are not about hosts, as words of a command line.
    pub(super) fn options(&self) -> String {
        let out = self.out.as_ref().map(|out| format!(" --out {}", shell(&out.to_string_lossy())));
        let flags = [(self.change.yes, " --yes"), (self.change.force, " --force")];
        let flags = flags.into_iter().filter(|(is_given, _)| *is_given).map(|(_, flag)| flag.to_owned());
        out.into_iter().chain(flags).collect()
    }
}

#[derive(Arguments, Debug)]
pub(in crate::cli) struct RollbackArgs {
    /// Number of a generation. The default is the one that was current before
    #[arg(value_name = "N")]
    pub(super) number: Option<u32>,
    #[command(flatten)]
    pub(super) stack: StackArgs,
    #[command(flatten)]
    pub(super) change: ChangeArgs,
}

#[derive(Arguments, Debug)]
pub(in crate::cli) struct GenerationsArgs {
    #[command(flatten)]
    pub(super) stack: StackArgs,
    /// The folder of another system, as for `apply`
    #[arg(long, value_name = "FOLDER")]
    pub(super) root: Option<PathBuf>,
    /// Output format
    #[arg(long = "output-format", value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    pub(super) format: crate::cli::args::DataFormat,
}

impl StackArgs {
    /// The service manager of the stack.
    pub(super) fn scope(&self) -> UnitScope {
        if self.user { UnitScope::User } else { UnitScope::System }
    }
}

/// Which of the installed stacks a command is about.
#[derive(Arguments, Debug)]
pub(in crate::cli) struct StackArgs {
    /// Name of the stack. The default is the only installed one
    #[arg(long, value_name = "NAME")]
    pub(super) stack: Option<String>,
    /// The units of this user, not those of the system
    #[arg(long)]
    pub(super) user: bool,
}
