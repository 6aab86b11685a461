use crate::error::Error;
use crate::virtualenv;
use crate::workspace::Workspace;

/// Builds the functions and invokes sample events, all or these, as `events/invoke.py` says.
///
/// # Errors
///
/// If something is missing, or an answer is not the one in `events/README.md`.
pub fn run(workspace: &Workspace, names: &[&str]) -> Result<(), Error> {
    workspace.run(workspace.cargo("build --workspace --bins"))?;
    let environment = virtualenv::ready(workspace)?;
    let mut invoke = workspace.command(environment.join("bin/python"), ["events/invoke.py"]);
    invoke.arg("--programs").arg(workspace.target.join("debug")).args(names);
    workspace.run(invoke)
}
