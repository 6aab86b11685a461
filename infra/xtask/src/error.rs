use std::path::PathBuf;
use std::process::ExitStatus;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line has no such verb or a wrong argument.
    #[error("no such verb or argument\n\n{0}")]
    Usage(&'static str),
    /// A program could not be started.
    #[error("cannot start `{command}`: {source}")]
    Start {
        /// The command line.
        command: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A program ran and failed.
    #[error("`{command}` failed: {status}")]
    Failed {
        /// The command line.
        command: String,
        /// Its exit status.
        status: ExitStatus,
    },
    /// Files hold words that are not plain.
    #[error("words that are not plain:\n{0}")]
    Words(String),
    /// A tool is not on this machine and cannot be installed inside the project.
    #[error("{tool} is missing: {mend}")]
    Missing {
        /// The name of the tool.
        tool: &'static str,
        /// How to install the tool.
        mend: &'static str,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The loopback server for the measured programs cannot listen.
    #[error("cannot open a loopback port: {0}")]
    Loopback(std::io::Error),
    /// A measured program did not behave as Lambda requires.
    #[error("{program}: {problem}; its output is in {log}")]
    Measurement {
        /// The name of the program.
        program: String,
        /// What happened.
        problem: String,
        /// The file with the output of the program.
        log: PathBuf,
    },
    /// The webhook secret of the measurement has an invalid form.
    #[error("the webhook secret of the measurement is invalid: {0}")]
    Secret(#[from] placet_core::webhook::KeyError),
    /// The embedded engines did not start or do not answer.
    #[error("`placet engines`: {0}; its output is in target/bench/engines.log")]
    Engines(String),
    /// A sample event is not JSON.
    #[error("{path}: {source}")]
    Json {
        /// The path of the file.
        path: PathBuf,
        /// The error of the parser.
        source: serde_json::Error,
    },
    /// A counted row is missing in `docs/COSTS.md`.
    #[error(
        "docs/COSTS.md lacks a counted row: run UPDATE=1 cargo test -p placet-local --test system cost"
    )]
    NotCounted,
    /// The measurement is complete and misses targets.
    #[error("missed targets: {0}")]
    TargetsMissed(String),
}

impl Error {
    /// Makes an error of `path`, for `map_err`.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        |source| Self::File { path, source }
    }
}
