//! The developer commands: `cargo xtask test`, `events`, `fuzz`, `lint` and `bench`.

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

  test [rust|python]     run all tests, or one half; install the tools that they need inside the project
  test quick             check the template, run the Rust tests and the sample events
  events [NAME...]       invoke all sample events of events/, or the named ones; compare their answers
  fuzz [SECONDS]         run each fuzz target for 10 seconds, or for SECONDS
  lint                   check formatting, clippy, words, and cargo-deny's bans, licences and sources
  bench [start|webhook]  measure start-up, size and memory of all packaged functions, and what an
                         accepted webhook costs
  bench idle             compute the cost of an idle month
  bench scale            simulate 1 to 5,000 webhooks a second for ten minutes within the limits of AWS:
                         which limit is reached first, and what to raise
  bench                  all four";

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
        ["test", "quick"] => test::run(&workspace, test::Suite::Quick),
        ["events", names @ ..] => events::run(&workspace, names),
        ["fuzz"] => fuzz::run(&workspace, fuzz::SECONDS),
        ["fuzz", seconds] => match seconds.parse() {
            Ok(seconds) => fuzz::run(&workspace, seconds),
            Err(_) => Err(Error::Usage(USAGE)),
        },
        ["bench"] => bench::run(&workspace, bench::Part::All),
        ["bench", "start"] => bench::run(&workspace, bench::Part::Start),
        ["bench", "webhook"] => bench::run(&workspace, bench::Part::Webhook),
        ["bench", "idle"] => bench::run(&workspace, bench::Part::Idle),
        ["bench", "scale"] => bench::run(&workspace, bench::Part::Scale),
        ["lint"] => lint::run(&workspace),
        _ => Err(Error::Usage(USAGE)),
    }
}
