//! Measures the packaged functions: a cold start of each of the five, and a webhook from its event to its
//! answer. Computes the cost of an idle month and the limits of scale from counted costs.
//!
//! Callgrind counts instructions, because their number is the same on every run and every machine. Wall time
//! on a busy machine is not. Memory is measured without callgrind.

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
    /// All parts.
    All,
    /// The cold starts.
    Start,
    /// The accepted webhooks.
    Webhook,
    /// The computed cost of an idle month, in dollars.
    Idle,
    /// The simulation of ten minutes of webhooks.
    Scale,
}

/// Builds and measures, and prints Markdown tables.
///
/// # Errors
///
/// If a tool is missing, a function fails, or a target is missed.
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

/// Builds one package at a time. In a common build Cargo would compile each with the union of all features,
/// and the binaries would differ from the deployed ones.
fn build(workspace: &Workspace, part: Part) -> Result<(), Error> {
    let functions = start::FUNCTIONS.iter().map(|(function, _)| *function);
    for function in functions.filter(|function| part != Part::Webhook || *function == "webhook") {
        workspace.run(workspace.cargo(&format!("build --release --package placet-{function}")))?;
    }
    Ok(())
}
