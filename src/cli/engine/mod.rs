//! `orchgen engine`: what builds of the engine accept, and what a change of builds does.

mod args;
mod diff;
mod hunks;
mod list;
mod named;
mod probe;
mod program;

mod show;
mod upgrade;
mod wording;

pub(super) use args::Engine;

use super::End;
use super::args::Output;
use args::Command;

pub(super) fn run(command: &Engine, output: Output) -> End {
    match &command.command {
        Command::Probe(command) => probe::run(command, output),
        Command::List(command) => list::run(command),
        Command::Show(command) => show::run(command),
        Command::Diff(command) => diff::run(command, output),
    }
}
