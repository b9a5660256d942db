//! The command line: options, one file per command, and exit codes.

mod add;
mod args;
mod baseline;
mod build;
mod check;
mod completions;
pub mod deploy;
mod engine;
mod explain;
pub mod fix;
mod fmt;
mod folders;
pub mod foreign;
pub mod guide;
mod help;
mod import;
mod init;
mod inspect;
mod levels;
mod links;
mod lock;
mod man;
mod memory;
mod model_file;
mod report;
mod reports;
mod schema;
mod session;
mod standard_input;
pub mod table;
mod text_diff;
mod watch;

use args::{Args, Command};
use clap::{CommandFactory, Parser};
use std::process::ExitCode;

/// The status of a finished run. The order is that of the exit codes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum RunStatus {
    /// Success.
    Clean,
    /// There are errors, or warnings with `--deny warnings`, or the output is out of date.
    Findings,
    /// Usage or I/O error.
    CannotRun,
    /// Something changes (`plan --detailed-exitcode`).
    Changes,
    /// A step of `apply` failed, and the previous state is restored.
    Restored,
    /// A step of `apply` failed, and the previous state could not be restored.
    Broken,
}

/// All commands with their options, as clap parses them.
pub fn command() -> clap::Command {
    Args::command()
}

/// Runs the command that the process arguments name.
pub fn run() -> ExitCode {
    if let Some(status) = completions::answer(std::env::args_os()) {
        return exit_code(status);
    }
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let words: Option<Vec<String>> =
                std::env::args_os().map(|word| word.into_string().ok()).collect();
            if let Some(text) = words.and_then(|words| foreign::explain(&error, &words)) {
                session::print_stderr(&text);
                return exit_code(RunStatus::CannotRun);
            }
            // Ignore errors: the reader may have closed the pipe.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    // Run in a thread of the rayon pool: it can then reuse memory that other pool threads free, as each thread has its
    // own heap.
    let status = match &args.command {
        Command::Build(command) => rayon::scope(|_| flatten(build::run(command, args.output))),
        Command::Check(command) => rayon::scope(|_| flatten(check::run(command, args.output))),
        Command::Engine(command) => rayon::scope(|_| engine::run(command, args.output)),
        Command::Fmt(command) => rayon::scope(|_| flatten(fmt::run(command, args.output))),
        Command::Lock(command) => rayon::scope(|_| lock::run(command, args.output)),
        Command::Memory(command) => rayon::scope(|_| memory::run(command, args.output)),
        Command::Report(command) => rayon::scope(|_| report::run(command, args.output)),
        Command::Inspect(command) => inspect::run(command, args.output),
        Command::Diff(command) => rayon::scope(|_| flatten(deploy::diff(command, args.output))),
        Command::Plan(command) => rayon::scope(|_| flatten(deploy::plan(command, args.output))),
        Command::Apply(command) => rayon::scope(|_| flatten(deploy::apply(command, args.output))),
        Command::Rollback(command) => flatten(deploy::rollback(command, args.output)),
        Command::Generations(command) => flatten(deploy::generations(command, args.output)),
        Command::Status(command) => deploy::status::run(command, args.output),
        Command::OnHost => deploy::on_host(args.output),
        Command::Explain(command) => explain::run(command, args.output),
        Command::Guide(command) => guide::run(command, args.output),
        Command::Import(command) => rayon::scope(|_| import::run(command, args.output)),
        Command::Add(command) => rayon::scope(|_| add::run(command, args.output)),
        Command::Init(command) => init::run(command, args.output),
        Command::Schema(command) => rayon::scope(|_| schema::run(command, args.output)),
        Command::Completions(command) => completions::run(command),
        Command::Man(command) => man::run(command, args.output),
    };
    exit_code(status)
}

impl RunStatus {
    /// The status of another run of this program with an exit code.
    fn of_code(code: i32) -> Option<Self> {
        match code {
            0 => Some(Self::Clean),
            1 => Some(Self::Findings),
            2 => Some(Self::CannotRun),
            3 => Some(Self::Restored),
            4 => Some(Self::Broken),
            _ => None,
        }
    }
}

fn exit_code(status: RunStatus) -> ExitCode {
    ExitCode::from(match status {
        RunStatus::Clean => 0,
        RunStatus::Findings => 1,
        RunStatus::CannotRun | RunStatus::Changes => 2,
        RunStatus::Restored => 3,
        RunStatus::Broken => 4,
    })
}

/// The status of a command that may stop early.
fn flatten(status: Result<RunStatus, RunStatus>) -> RunStatus {
    status.unwrap_or_else(|status| status)
}
