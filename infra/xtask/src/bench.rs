//! What the packaged functions cost: a cold start of each of the five, and a webhook from its event
//! to its answer. And what follows from what was counted: an idle month, and how far it scales.
//!
//! Instructions are counted by callgrind, because they are the same on every run and every
//! machine, and wall time on a busy machine is not. Memory is read without it.

mod counted;
mod delivery;
mod engines;
mod idle;
mod measured;
mod runtime_api;
mod scale;
mod start;
mod webhook;

use crate::error::Error;
use crate::workspace::Workspace;

/// What to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Everything.
    All,
    /// The cold starts.
    Start,
    /// Accepted webhooks.
    Webhook,
    /// The dollars of an idle month, which are computed.
    Idle,
    /// Webhooks for ten minutes, which are simulated.
    Scale,
}

/// Builds, measures, prints Markdown tables.
///
/// # Errors
///
/// If something is missing, a function does not do its work, or a target is missed.
pub fn run(workspace: &Workspace, part: Part) -> Result<(), Error> {
    match part {
        Part::Idle => idle::run(workspace),
        Part::Scale => scale::run(workspace),
        Part::Start | Part::Webhook => measure(workspace, part),
        Part::All => {
            idle::run(workspace)?;
            println!();
            scale::run(workspace)?;
            measure(workspace, part)
        }
    }
}

fn measure(workspace: &Workspace, part: Part) -> Result<(), Error> {
    for (tool, mend) in [
        ("valgrind", "install it (Debian: apt-get install valgrind)"),
        ("gzip", "install it (Debian: apt-get install gzip)"),
    ] {
        if workspace.which(tool).is_none() {
            return Err(Error::Missing { tool, mend });
        }
    }
    build(workspace, part)?;
    let mut missed = Vec::new();
    if part != Part::Webhook {
        missed.extend(start::run(workspace)?);
    }
    if part != Part::Start {
        missed.extend(webhook::run(workspace)?);
    }
    if missed.is_empty() { Ok(()) } else { Err(Error::TargetsMissed(missed.join(", "))) }
}

/// One package at a time: built together, each would be compiled with the union of the features
/// that any of them asks for, and the binaries would not be those that are deployed.
fn build(workspace: &Workspace, part: Part) -> Result<(), Error> {
    let functions = start::FUNCTIONS.iter().map(|(function, _)| *function);
    for function in functions.filter(|function| part != Part::Webhook || *function == "webhook") {
        workspace.run(workspace.cargo(&format!("build --release --package placet-{function}")))?;
    }
    Ok(())
}
