//! The binary `gordon-janitor`.

use std::process::ExitCode;

fn main() -> ExitCode {
    gordon_janitor::main()
}
