mod words;

use crate::error::Error;
use crate::workspace::Workspace;

/// Runs all checks of the code that do not run it.
///
/// # Errors
///
/// At the first finding.
pub fn run(workspace: &Workspace) -> Result<(), Error> {
    workspace.run(workspace.cargo("fmt --all --check"))?;
    workspace.run(workspace.cargo("fmt --manifest-path fuzz/Cargo.toml --check"))?;
    workspace.run(workspace.cargo("clippy --workspace --all-targets -- -D warnings"))?;
    let mut targets = workspace.cargo("clippy --manifest-path fuzz/Cargo.toml --bins --target-dir");
    targets.arg(workspace.target.join("fuzz")).args(["--", "-D", "warnings"]);
    workspace.run(targets)?;
    words::check(workspace)?;
    workspace.need_cargo_tool("deny")?;
    workspace.run(workspace.cargo("deny check bans licenses sources"))
}
