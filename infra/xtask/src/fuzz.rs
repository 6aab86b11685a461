//! Runs the fuzz targets in `fuzz/` on stable Rust.
//!
//! They are in cargo-fuzz's layout and built with the flags it uses for `--sanitizer none`, so that
//! neither it nor a nightly compiler needs to be installed. Without unsafe code of ours a sanitizer
//! would find little; what the targets look for is panics, wrong answers, endless work and memory.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::workspace::Workspace;

/// How long each target runs if nothing else is asked for.
pub const SECONDS: u32 = 10;

/// Coverage that libFuzzer is guided by.
const FLAGS: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    --cfg fuzzing";

/// Builds all targets and runs each of them for so many seconds, from the inputs in `fuzz/corpus`
/// and those that earlier runs found and left in the target folder.
///
/// # Errors
///
/// If a target finds something: the input is then in `fuzz/artifacts`.
pub fn run(workspace: &Workspace, seconds: u32) -> Result<(), Error> {
    if workspace.which("c++").is_none() {
        let mend = "install it, libFuzzer is made of it (Debian: apt-get install g++)";
        return Err(Error::Missing { tool: "a C++ compiler", mend });
    }
    let host = host(workspace)?;
    let folder = workspace.target.join("fuzz");
    let mut build = workspace.cargo("build --release --bins --manifest-path fuzz/Cargo.toml");
    // With a target named, build scripts and macros are built without the flags.
    build.args(["--target", &host, "--target-dir"]).arg(&folder);
    build.env("RUSTFLAGS", FLAGS).env_remove("CARGO_ENCODED_RUSTFLAGS");
    workspace.run(build)?;
    for target in targets(workspace)? {
        workspace.run(one(workspace, &folder, &host, &target, seconds)?)?;
    }
    Ok(())
}

fn one(
    workspace: &Workspace,
    folder: &Path,
    host: &str,
    target: &str,
    seconds: u32,
) -> Result<Command, Error> {
    let found = folder.join("corpus").join(target);
    let artifacts = workspace.root.join("fuzz/artifacts").join(target);
    for folder in [&found, &artifacts] {
        std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
    }
    let mut command = workspace.command(folder.join(host).join("release").join(target), []);
    command.arg(format!("-max_total_time={seconds}"));
    command.arg(format!("-artifact_prefix={}/", artifacts.display()));
    command.args(["-timeout=10", "-verbosity=0", "-print_funcs=0", "-print_final_stats=1"]);
    // What is new is written to the first of the folders.
    command.arg(found).arg(workspace.root.join("fuzz/corpus").join(target));
    Ok(command)
}

/// The names of the targets, sorted.
fn targets(workspace: &Workspace) -> Result<Vec<String>, Error> {
    let folder = workspace.root.join("fuzz/fuzz_targets");
    let entries = std::fs::read_dir(&folder).map_err(Error::file(&folder))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let paths = paths.collect::<Result<Vec<PathBuf>, _>>().map_err(Error::file(&folder))?;
    let names = paths.iter().filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()));
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    Ok(names)
}

/// What the compiler calls this machine.
fn host(workspace: &Workspace) -> Result<String, Error> {
    let command = "rustc -vV".to_owned();
    let output = workspace.command("rustc", ["-vV"]).output();
    let output = output.map_err(|source| Error::Start { command: command.clone(), source })?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or(Error::Failed { command, status: output.status })
}
