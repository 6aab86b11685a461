//! The command line as its users meet it: what each command prints, and its exit code.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod configuration;
mod every;
mod help;
mod mistakes;
mod system;
mod variables;
mod wrong;

use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A folder with a `placet.yaml`.
fn folder(config: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("placet.yaml"), config).unwrap();
    folder
}

/// The command in a folder, without the variables of the one who runs the tests.
fn command(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_placet"));
    command.current_dir(folder).args(arguments.split_whitespace()).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let ours = ["PLACET_", "AWS_", "CLICOLOR", "NO_COLOR", "CARGO_MANIFEST_DIR"];
        if ours.iter().any(|start| name.starts_with(start)) {
            command.env_remove(name);
        }
    }
    command
}

/// What it prints and its exit code.
fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    format!("exit code {}\n{stdout}{stderr}", output.status.code().unwrap())
}

/// The message of a command that failed.
fn refusal(printed: &str) -> String {
    let message = printed.strip_prefix("exit code 1\nerror: ");
    message.unwrap_or_else(|| panic!("no refusal: {printed}")).trim_end().to_owned()
}

/// What the command prints in a folder that has no `placet.yaml`.
fn placet(arguments: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    printed(&mut command(folder.path(), arguments))
}
