//! Runs the fuzz targets in `fuzz/` on stable Rust.
//!
//! The targets have the layout of cargo-fuzz. They are built with the flags that cargo-fuzz uses for
//! `--sanitizer none`, so neither cargo-fuzz nor a nightly compiler is needed. We have no unsafe code, so a
//! sanitizer would find little. The targets look for panics, wrong answers, endless work and high memory use.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::workspace::Workspace;

/// The default run time of each target, in seconds.
pub const SECONDS: u32 = 10;

/// Compiler flags for the coverage that guides libFuzzer.
const FLAGS: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    --cfg fuzzing";

/// Builds all targets and runs each target for `seconds`. The runs start from the inputs in `fuzz/corpus` and
/// from the inputs that earlier runs left in the target folder.
///
/// # Errors
///
/// If a target fails on an input. The input is then in `fuzz/artifacts`.
pub fn run(workspace: &Workspace, seconds: u32) -> Result<(), Error> {
    if workspace.which("c++").is_none() {
        let mend = "install it, because libFuzzer is C++ (Debian: apt-get install g++)";
        return Err(Error::Missing { tool: "a C++ compiler", mend });
    }
    let host = host(workspace)?;
    let folder = workspace.target.join("fuzz");
    let mut build = workspace.cargo("build --release --bins --manifest-path fuzz/Cargo.toml");
    // With `--target`, Cargo builds build scripts and macros without the flags.
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
    // libFuzzer writes new inputs to the first folder.
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

/// The target triple of this machine.
fn host(workspace: &Workspace) -> Result<String, Error> {
    let command = "rustc -vV".to_owned();
    let output = workspace.command("rustc", ["-vV"]).output();
    let output = output.map_err(|source| Error::Start { command: command.clone(), source })?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or(Error::Failed { command, status: output.status })
}
