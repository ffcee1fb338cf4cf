//! Parse, run, exit code. Nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    hamlet::cli::run(std::env::args_os(), &std::env::vars().collect())
}
