//! The rim: what the user typed, one subcommand a file, and the exit code.

mod args;
mod baseline;
mod build;
mod check;
mod completions;
mod engine;
mod explain;
pub mod fix;
mod init;
mod inspect;
mod levels;
mod lock;
mod memory;
mod reports;
mod schema;
mod session;

use args::{Args, Command};
use clap::Parser;
use std::process::ExitCode;

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// Nothing is wrong.
    Clean,
    /// There are findings of severity error, or the output differs.
    Findings,
    /// The run could not begin or not go on.
    CannotRun,
}

/// Runs the command of the process's arguments.
pub fn run() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // A closed pipe is no reason to fail, and there is nowhere else to say it.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    // In a thread of the pool, so that it takes what the pool gives back: each thread has a heap of its own.
    let end = match &args.command {
        Command::Build(command) => rayon::scope(|_| build::run(command, args.output)),
        Command::Check(command) => rayon::scope(|_| check::run(command, args.output)),
        Command::Engine(command) => rayon::scope(|_| engine::run(command, args.output)),
        Command::Lock(command) => rayon::scope(|_| lock::run(command, args.output)),
        Command::Memory(command) => rayon::scope(|_| memory::run(command, args.output)),
        Command::Inspect(command) => inspect::run(command),
        Command::Explain(command) => explain::run(command, args.output),
        Command::Init(command) => init::run(command, args.output),
        Command::Schema => schema::run(),
        Command::Completions(command) => completions::run(command),
    };
    ExitCode::from(match end {
        End::Clean => 0,
        End::Findings => 1,
        End::CannotRun => 2,
    })
}
