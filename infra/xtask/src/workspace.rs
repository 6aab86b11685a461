use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::Error;

/// The repository on this machine, with functions that run programs in it.
#[derive(Debug)]
pub struct Workspace {
    /// The repository's root.
    pub root: PathBuf,
    /// Cargo's target folder.
    pub target: PathBuf,
    /// `PATH` with the tools of the project first.
    path: OsString,
}

impl Workspace {
    /// The workspace of this xtask; the current folder if Cargo did not start xtask.
    ///
    /// # Errors
    ///
    /// If there is no current folder.
    pub fn find() -> Result<Self, Error> {
        let root = match std::env::var_os("CARGO_MANIFEST_DIR") {
            Some(package) => Path::new(&package).join("../..").canonicalize(),
            None => std::env::current_dir(),
        }
        .map_err(Error::file("."))?;
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => root.join(folder),
            None => root.join("target"),
        };
        let mut path = target.join("tools/bin").into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        Ok(Self { root, target, path })
    }

    /// A command that runs in the root of the repository.
    pub fn command<'a>(
        &self,
        program: impl AsRef<Path>,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Command {
        let mut command = Command::new(program.as_ref());
        command.args(arguments).current_dir(&self.root).env("PATH", &self.path);
        command.stdin(Stdio::null());
        command
    }

    /// A Cargo command with the arguments in one line.
    pub fn cargo(&self, arguments: &str) -> Command {
        self.command("cargo", arguments.split_whitespace())
    }

    /// Prints a command and runs it with its output on our terminal.
    ///
    /// # Errors
    ///
    /// If the command cannot be started or fails.
    pub fn run(&self, mut command: Command) -> Result<(), Error> {
        let line = self.line(&command);
        eprintln!("\n$ {line}");
        match command.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(Error::Failed { command: line, status }),
            Err(source) => Err(Error::Start { command: line, source }),
        }
    }

    /// Whether a command succeeds. Its output is not shown.
    pub fn succeeds(&self, mut command: Command) -> bool {
        let silent = command.stdout(Stdio::null()).stderr(Stdio::null());
        silent.status().is_ok_and(|status| status.success())
    }

    /// Installs a Cargo subcommand in the target folder if this machine does not have it.
    ///
    /// # Errors
    ///
    /// If the installation fails.
    pub fn need_cargo_tool(&self, name: &str) -> Result<(), Error> {
        if self.succeeds(self.cargo(&format!("{name} --version"))) {
            return Ok(());
        }
        eprintln!(
            "cargo-{name} is missing: installing it into target/tools (once, takes some minutes)"
        );
        let mut install = self.cargo(&format!("install cargo-{name} --locked --root"));
        install.arg(self.target.join("tools"));
        self.run(install)
    }

    /// The path of a program on the `PATH`.
    pub fn which(&self, program: &str) -> Option<PathBuf> {
        std::env::split_paths(&self.path)
            .map(|folder| folder.join(program))
            .find(|path| path.is_file())
    }

    /// The command line as a person types it in the root.
    fn line(&self, command: &Command) -> String {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let relative = |word: &std::ffi::OsStr| {
            let path = Path::new(word);
            path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
        };
        words.map(relative).collect::<Vec<_>>().join(" ")
    }
}
