use std::path::PathBuf;
use std::process::ExitStatus;

/// Why a chore was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line makes no sense.
    #[error("no such verb\n\n{0}")]
    Usage(&'static str),
    /// A program could not be started.
    #[error("cannot start `{command}`: {source}")]
    Start {
        /// The command line.
        command: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A program ran and failed.
    #[error("`{command}` failed: {status}")]
    Failed {
        /// The command line.
        command: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// A text has words that it should not have.
    #[error("words that readers stumble over:\n{0}")]
    Words(String),
    /// A tool is not on this machine and cannot be installed inside the project.
    #[error("{tool} is missing: {mend}")]
    Missing {
        /// Its name.
        tool: &'static str,
        /// How to get it.
        mend: &'static str,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The loopback server for the measured programs could not be opened.
    #[error("cannot open a loopback port: {0}")]
    Loopback(std::io::Error),
    /// A measured program did not do what Lambda would see it do.
    #[error("{program}: {problem}; its output is in {log}")]
    Measurement {
        /// Which program.
        program: String,
        /// What happened instead.
        problem: String,
        /// The file that holds its output.
        log: PathBuf,
    },
    /// The webhook secret of the measurement has a form that is not taken any more.
    #[error("the webhook secret of the measurement: {0}")]
    Secret(#[from] placet_core::webhook::SecretFormat),
    /// The embedded engines did not start, or do not answer.
    #[error("`placet engines`: {0}; what it wrote is in target/bench/engines.log")]
    Engines(String),
    /// A sample event is not JSON.
    #[error("{path}: {source}")]
    Json {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The page has no table to compute with.
    #[error(
        "docs/COSTS.md lacks a row that was counted: UPDATE=1 cargo test -p placet-local --test system cost"
    )]
    NotCounted,
    /// The measurement is complete, and not good enough.
    #[error("missed targets: {0}")]
    TargetsMissed(String),
}

impl Error {
    /// For `map_err`: a failure at `path`.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        |source| Self::File { path, source }
    }
}
