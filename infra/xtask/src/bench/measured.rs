use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::{Duration, Instant};

use super::runtime_api::{RuntimeApi, Told};
use crate::error::Error;
use crate::workspace::Workspace;

/// How long a function may take to its last poll: start-up under callgrind, or all its events.
const LONGEST_RUN: Duration = Duration::from_secs(300);
/// How long callgrind may take to write its file.
const LONGEST_END: Duration = Duration::from_secs(60);
const GLANCE: Duration = Duration::from_millis(20);

/// A packaged function as a process of ours. Dropping it kills it.
#[derive(Debug)]
pub struct Measured {
    child: Child,
    program: String,
    log: PathBuf,
    counts: PathBuf,
}

impl Measured {
    /// Starts it as Lambda does.
    ///
    /// # Errors
    ///
    /// If it can not be started.
    pub fn natively(workspace: &Workspace, function: &str, api: SocketAddr) -> Result<Self, Error> {
        let binary = workspace.target.join(format!("release/placet-{function}"));
        Self::start(workspace, function, "native", workspace.command(binary, []), api)
    }

    /// Starts it with its instructions counted.
    ///
    /// # Errors
    ///
    /// If it can not be started.
    pub fn under_callgrind(
        workspace: &Workspace,
        function: &str,
        api: SocketAddr,
    ) -> Result<Self, Error> {
        let mut valgrind = workspace.command("valgrind", ["--tool=callgrind"]);
        let counts = counts_file(workspace, function);
        valgrind.arg(format!("--callgrind-out-file={}", counts.display()));
        valgrind.arg(workspace.target.join(format!("release/placet-{function}")));
        Self::start(workspace, function, "callgrind", valgrind, api)
    }

    fn start(
        workspace: &Workspace,
        function: &str,
        how: &str,
        mut command: Command,
        api: SocketAddr,
    ) -> Result<Self, Error> {
        let folder = workspace.target.join("bench");
        std::fs::create_dir_all(&folder).map_err(Error::file(&folder))?;
        let log = folder.join(format!("{function}.{how}.log"));
        let output = File::create(&log).map_err(Error::file(&log))?;
        let errors = output.try_clone().map_err(Error::file(&log))?;
        let counts = counts_file(workspace, function);
        let _ = std::fs::remove_file(&counts);
        command.stdout(output).stderr(errors).stdin(Stdio::null());
        command.env_clear().envs(environment(workspace, function, api));
        let program = format!("placet-{function}");
        match command.spawn() {
            Ok(child) => Ok(Self { child, program, log, counts }),
            Err(source) => Err(Error::Start { command: program, source }),
        }
    }

    /// Waits until it polls and there is no event left. Returns how many events it failed on.
    ///
    /// # Errors
    ///
    /// If it ends, or can not start, or takes longer than five minutes.
    pub fn until_idle(&mut self, api: &RuntimeApi) -> Result<usize, Error> {
        let deadline = Instant::now() + LONGEST_RUN;
        let mut failed = 0;
        while Instant::now() < deadline {
            match api.told.recv_timeout(GLANCE) {
                Ok(Told::Idle) => return Ok(failed),
                Ok(Told::Failed) => failed += 1,
                Ok(Told::CouldNotStart(why)) => {
                    return Err(self.problem(&format!("reported that it can not start: {why}")));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(self.problem("the Runtime API stub ended"));
                }
                Err(RecvTimeoutError::Timeout) => {
                    if let Ok(Some(status)) = self.child.try_wait() {
                        return Err(self.problem(&format!("ended before it polled: {status}")));
                    }
                }
            }
        }
        Err(self.problem("did not poll for an event in time"))
    }

    /// Ends it, and reads what callgrind counted.
    ///
    /// # Errors
    ///
    /// If callgrind writes no total.
    pub fn counted_instructions(mut self) -> Result<u64, Error> {
        // SIGTERM: callgrind writes its file when the process dies of it. A shell can send it on
        // every machine, the standard library can not.
        let kill = format!("kill -TERM {}", self.child.id());
        let _ = Command::new("sh").args(["-c", &kill]).status();
        let deadline = Instant::now() + LONGEST_END;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            thread::sleep(GLANCE);
        }
        let counts = std::fs::read_to_string(&self.counts).unwrap_or_default();
        let total = counts.lines().find_map(|line| line.strip_prefix("totals:"));
        let total = total.and_then(|total| total.split_whitespace().next()?.parse().ok());
        total.ok_or_else(|| self.problem("callgrind wrote no total"))
    }

    /// The most memory it had resident, in bytes.
    ///
    /// # Errors
    ///
    /// If the system does not tell.
    pub fn peak_memory(&self) -> Result<u64, Error> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(&path).map_err(Error::file(Path::new(&path)))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|peak| peak.split_whitespace().next()?.parse::<u64>().ok());
        peak.map(|kibibytes| kibibytes * 1024)
            .ok_or_else(|| self.problem("the system does not tell its peak memory"))
    }

    fn problem(&self, problem: &str) -> Error {
        Error::Measurement {
            program: self.program.clone(),
            problem: problem.to_owned(),
            log: self.log.clone(),
        }
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn counts_file(workspace: &Workspace, function: &str) -> PathBuf {
    workspace.target.join(format!("bench/{function}.callgrind"))
}

/// What Lambda sets, and what `template.yaml` sets, with AWS where the Runtime API is.
fn environment(
    workspace: &Workspace,
    function: &str,
    api: SocketAddr,
) -> Vec<(&'static str, String)> {
    let aws = format!("http://{api}");
    let mut variables = vec![
        ("AWS_LAMBDA_RUNTIME_API", api.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", format!("placet-{function}")),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "bench".to_owned()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "bench".to_owned()),
        ("AWS_REGION", "eu-central-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "bench".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "bench".to_owned()),
        ("AWS_SESSION_TOKEN", "bench".to_owned()),
        ("AWS_ENDPOINT_URL_DYNAMODB", aws.clone()),
        ("AWS_ENDPOINT_URL_SQS", aws.clone()),
        ("PLACET_TABLE", "placet".to_owned()),
        ("PLACET_QUEUE_URL", format!("{aws}/000000000000/placet")),
        ("PLACET_CONFIG", workspace.root.join("placet.yaml").display().to_string()),
        ("PLACET_LOG", "error".to_owned()),
        ("PATH", std::env::var("PATH").unwrap_or_default()),
    ];
    // Made up here, known to nobody else, and valid only for this measurement.
    if function == "inbox" {
        variables.push(("PLACET_LINK_SECRET", "a link secret for a measurement only".to_owned()));
    }
    if function == "webhook" {
        let secret = "whsec_YSB3ZWJob29rIHNlY3JldCBmb3IgYSBtZWFzdXJlbWVudA==";
        variables.push(("PLACET_SECRET_HUMANLAYER", secret.to_owned()));
    }
    variables
}
