//! The project's chores: `cargo xtask test`, `events`, `fuzz`, `lint` and `bench`.

mod bench;
mod error;
mod events;
mod fuzz;
mod lint;
mod test;
mod virtualenv;
mod workspace;

use std::process::ExitCode;

use crate::error::Error;
use crate::workspace::Workspace;

const USAGE: &str = "\
Usage: cargo xtask <verb>

  test [rust|python]     run every test (or one half), installing what that needs inside the project
  events [NAME...]       invoke the sample events of events/, or these, and compare the answers
  fuzz [seconds]         run every fuzz target so long, 10 seconds if nothing is said
  lint                   formatting, clippy, and cargo-deny's bans, licences and sources
  bench [start|webhook]  measure the packaged functions: start-up, size and memory of all five, and
                         what an accepted webhook costs";

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
        ["events", names @ ..] => events::run(&workspace, names),
        ["fuzz"] => fuzz::run(&workspace, fuzz::SECONDS),
        ["fuzz", seconds] => match seconds.parse() {
            Ok(seconds) => fuzz::run(&workspace, seconds),
            Err(_) => Err(Error::Usage(USAGE)),
        },
        ["bench"] => bench::run(&workspace, bench::Part::All),
        ["bench", "start"] => bench::run(&workspace, bench::Part::Start),
        ["bench", "webhook"] => bench::run(&workspace, bench::Part::Webhook),
        ["lint"] => lint::run(&workspace),
        _ => Err(Error::Usage(USAGE)),
    }
}
