use crate::error::Error;
use crate::virtualenv;
use crate::workspace::Workspace;

/// Builds the functions and invokes all sample events, or the named ones, with `events/invoke.py`.
///
/// # Errors
///
/// If a tool is missing, or an answer differs from `events/README.md`.
pub fn run(workspace: &Workspace, names: &[&str]) -> Result<(), Error> {
    workspace.run(workspace.cargo("build --workspace --bins"))?;
    let environment = virtualenv::ready(workspace)?;
    let mut invoke = workspace.command(environment.join("bin/python"), ["events/invoke.py"]);
    invoke.arg("--programs").arg(workspace.target.join("debug")).args(names);
    workspace.run(invoke)
}
