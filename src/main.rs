//! The compiler for self-hosted model serving: hands its arguments to [`orchgen::cli`] and exits with its code.

use std::process::ExitCode;

fn main() -> ExitCode {
    orchgen::cli::run()
}
