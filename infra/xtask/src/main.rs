//! The project's chores: `cargo xtask test`, `cargo xtask bench`, `cargo xtask lint`.

mod bench;
mod error;
mod lint;
mod test;
mod workspace;

use std::process::ExitCode;

use crate::error::Error;
use crate::workspace::Workspace;

const USAGE: &str = "\
Usage: cargo xtask <verb>

  test [rust|python]  run every test (or one half), installing what that needs inside the project
  bench               measure start-up, size and memory of the five packaged functions
  lint                formatting, clippy, and cargo-deny's bans, licences and sources";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<(), Error> {
    let workspace = Workspace::find()?;
    match words {
        ["test"] => test::run(&workspace, test::Suite::All),
        ["test", "rust"] => test::run(&workspace, test::Suite::Rust),
        ["test", "python"] => test::run(&workspace, test::Suite::Python),
        ["bench"] => bench::run(&workspace),
        ["lint"] => lint::run(&workspace),
        _ => Err(Error::Usage(USAGE)),
    }
}
