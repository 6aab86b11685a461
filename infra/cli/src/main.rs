//! The `placet` command: the system on this machine, and the operator's verbs.

mod check;
mod dev;
mod engines;
mod environment;
mod key;
mod link;
mod options;
mod webhook;

use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

const USAGE: &str = "\
placet [COMMAND]

  dev                 run the whole system on this machine (default)
  check               read placet.yaml and print what it means
  link [--project P] CALL_ID [24h]
                      print a link that lets its bearer decide or answer, or settle an unknown outcome;
                      human_contact/CALL_ID is a question, also where a call has the same id
  key create [--project P] [--name N] [--role agent|responder|admin] [--expires 90d] [--channel N]
                      make an API key and print it, this once
  key list [--project P]
                      print what keys there are, never the keys
  key revoke ID [--project P]
                      take a key back, by the id that `list` prints
  webhook explain SOURCE
                      print what a webhook source takes, its preset expanded
  webhook sign SOURCE [--id ID] [--url URL] < BODY
                      print a curl line that sends BODY as the sender would
  webhook send SOURCE --file FILE [--id ID] [--url URL]
                      send FILE as the sender would
  engines             run only the embedded DynamoDB, SQS and S3, in memory, until killed
  help                print this

Settings are environment variables, see README.md.";

/// Prints a line. Whoever reads along may have read enough: then there is nothing more to say.
pub(crate) fn say(line: impl Display) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{line}").is_err() {
        std::process::exit(0);
    }
}

/// A sentence that names the thing and the mend.
type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ended = match arguments.as_slice() {
        [] | ["dev"] => dev::run().await,
        ["check"] => check::run(),
        ["link", rest @ ..] => link::run(rest).await,
        ["key", rest @ ..] => key::run(rest).await,
        ["webhook", rest @ ..] => webhook::run(rest).await,
        ["engines"] => engines::run().await,
        ["help" | "--help" | "-h"] => {
            say(USAGE);
            Ok(())
        }
        _ => Err(format!("unknown command: {}\n\n{USAGE}", arguments.join(" ")).into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("placet: {failure}");
            ExitCode::FAILURE
        }
    }
}
