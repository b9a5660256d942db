//! `orchgen engine`: lists, shows, creates and compares profiles of engine builds.

mod args;
mod diff;
mod diff_text;
mod list;
mod load_profile;
pub(super) mod probe;
pub(super) mod program;
mod show;
mod upgrade;

pub(super) use args::EngineArgs;

use super::RunStatus;
use super::args::OutputArgs;
use args::EngineCommand;

pub(super) fn run(command: &EngineArgs, output: OutputArgs) -> RunStatus {
    match &command.command {
        EngineCommand::Probe(command) => probe::run(command, output),
        EngineCommand::List(command) => list::run(command, output),
        EngineCommand::Show(command) => show::run(command, output),
        EngineCommand::Diff(command) => diff::run(command, output),
    }
}
