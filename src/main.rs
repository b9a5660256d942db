//! The `orchgen` command: runs [`orchgen::cli`] and exits with its code.

use std::process::ExitCode;

fn main() -> ExitCode {
    orchgen::cli::run()
}
