//! `orchgen completions`.

use super::RunStatus;
use super::args::Args;
use super::session;
use clap::{Args as Arguments, CommandFactory};
use clap_complete::Shell;

#[derive(Arguments, Debug)]
pub(in crate::cli) struct CompletionsArgs {
    /// Shell that loads the script
    shell: Shell,
}

pub(super) fn run(command: &CompletionsArgs) -> RunStatus {
    let mut script = Vec::new();
    clap_complete::generate(command.shell, &mut Args::command(), "orchgen", &mut script);
    session::print_stdout(&String::from_utf8_lossy(&script))
}
