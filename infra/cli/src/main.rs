//! The `placet` command. It runs the system on this machine and has the commands for operators.

mod banner;
mod check;
mod completions;
mod dev;
mod dotenv;
mod engines;
mod environment;
mod init;
mod key;
mod link;
mod logging;
mod mail;
mod server;
mod session;
mod settle;
mod start;
mod style;
mod variables;
mod watch;
mod webhook;

use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

/// Hold an operation until the right person has approved it, then run it once.
///
/// Without a command, `placet dev` runs. Settings are environment variables or lines in `.env`. docs/SETTINGS.md
/// lists them.
#[derive(Debug, Parser)]
#[command(name = "placet", version, propagate_version = true)]
struct Placet {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the whole system on this machine (the default)
    Dev(dev::Arguments),
    /// Show webhooks, decisions, executions and deliveries as they happen
    Watch(watch::Arguments),
    /// Write a placet.yaml with comments and examples
    Init,
    /// Read placet.yaml and print what needs attention and what it means
    Check,
    /// Print a link with which a person signs in to the inbox, once
    Invite(session::Invitation),
    /// List and end the sessions of people
    Session(session::Arguments),
    /// Print a link with which a person decides an operation, or settles an unknown outcome; or revoke one
    Link(link::Arguments),
    /// Settle the unknown outcomes of many operations in the same way
    Settle(settle::Arguments),
    /// Create, list and revoke API keys
    Key(key::Arguments),
    /// Send a test mail
    #[command(subcommand)]
    Mail(mail::Command),
    /// Explain a webhook source, or send what its sender would send
    #[command(subcommand)]
    Webhook(webhook::Command),
    /// Run only the embedded DynamoDB, SQS and S3, in memory, until stopped
    Engines,
    /// Print the completions of a shell
    Completions(completions::Arguments),
}

/// Prints a line, without its colours if standard output is no terminal. A reader that has read enough ends
/// the command.
pub(crate) fn say(line: impl Display) {
    let mut out = anstream::stdout().lock();
    if writeln!(out, "{line}").is_err() {
        std::process::exit(0);
    }
}

/// A command of this program as the user types it: after `cargo run --` if cargo started this program.
pub(crate) fn command(arguments: &str) -> String {
    let cargo = std::env::var_os("CARGO_MANIFEST_DIR").is_some();
    format!("{} {arguments}", if cargo { "cargo run --" } else { "placet" })
}

/// A sentence that names what is wrong and what to do.
type Failure = Box<dyn std::error::Error>;

/// A command that calls itself `placet` in its version, and so do the commands below it.
fn named(command: clap::Command) -> clap::Command {
    command.display_name("placet").mut_subcommands(named)
}

#[tokio::main]
async fn main() -> ExitCode {
    let matches = named(Placet::command()).get_matches();
    let command = Placet::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()).command;
    match run(command.unwrap_or(Command::Dev(dev::Arguments::default()))).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let style = style::ERROR;
            anstream::eprintln!("{style}error:{style:#} {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Dev(arguments) => dev::run(&arguments).await,
        Command::Watch(arguments) => watch::run(&arguments).await,
        Command::Init => init::run(),
        Command::Check => check::run().await,
        Command::Invite(arguments) => session::invite(&arguments),
        Command::Session(arguments) => session::run(&arguments).await,
        Command::Link(arguments) => link::run(&arguments).await,
        Command::Settle(arguments) => settle::run(&arguments).await,
        Command::Key(arguments) => key::run(&arguments).await,
        Command::Mail(command) => mail::run(&command).await,
        Command::Webhook(command) => webhook::run(&command).await,
        Command::Engines => engines::run().await,
        Command::Completions(arguments) => completions::run(&arguments),
    }
}
