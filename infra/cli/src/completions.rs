//! `placet completions`: what a shell needs to complete the command line.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::{Failure, Placet, say};

/// The options of `placet completions`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The shell, as in `source <(placet completions bash)`
    shell: Shell,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Placet::command(), "placet", &mut script);
    say(String::from_utf8(script)?.trim_end());
    Ok(())
}
