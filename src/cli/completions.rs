//! `orchgen completions`.

use super::RunStatus;
use super::args::{Args, CompletionsArgs};
use super::session;
use clap::CommandFactory;

pub(super) fn run(command: &CompletionsArgs) -> RunStatus {
    let mut script = Vec::new();
    clap_complete::generate(command.shell, &mut Args::command(), "orchgen", &mut script);
    session::print_stdout(&String::from_utf8_lossy(&script))
}
