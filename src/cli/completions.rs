//! `orchgen completions`.

use super::End;
use super::args::{Args, Completions};
use super::session;
use clap::CommandFactory;

pub(super) fn run(command: &Completions) -> End {
    let mut script = Vec::new();
    clap_complete::generate(command.shell, &mut Args::command(), "orchgen", &mut script);
    session::print(&String::from_utf8_lossy(&script))
}
