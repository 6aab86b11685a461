use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::{Duration, Instant};

use super::delivery;
use super::runtime_api::{RuntimeApi, Told};
use crate::error::Error;
use crate::workspace::Workspace;

/// How long a function may take until its last poll. This includes its start under callgrind or all its
/// events.
const LONGEST_RUN: Duration = Duration::from_secs(300);
/// How long callgrind may take to write its file.
const LONGEST_END: Duration = Duration::from_secs(60);
const GLANCE: Duration = Duration::from_millis(20);

/// Ticks per second of the CPU times in `/proc`: 100 on every Linux.
const TICKS: f64 = 100.0;

/// The AWS endpoints of a function.
#[derive(Debug)]
pub struct Aws {
    /// Endpoint of DynamoDB.
    pub dynamodb: String,
    /// Endpoint of SQS.
    pub sqs: String,
    /// URL of the queue `work`.
    pub queue_url: String,
}

impl Aws {
    /// Endpoints that refuse every call.
    pub fn refusing(api: &RuntimeApi) -> Self {
        let url = format!("http://{}", api.address);
        let queue_url = format!("{url}/000000000000/placet");
        Self { dynamodb: url.clone(), sqs: url, queue_url }
    }
}

/// How a function answered its events.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answers {
    /// Answers with the status 200.
    pub accepted: usize,
    /// Answers with another status or without a status.
    pub refused: usize,
    /// Errors instead of answers.
    pub failed: usize,
}

impl Answers {
    fn all(self) -> usize {
        self.accepted + self.refused + self.failed
    }
}

/// The path of the packaged binary of a function.
pub fn program(workspace: &Workspace, function: &str) -> PathBuf {
    workspace.target.join(format!("release/placet-{function}"))
}

/// A packaged function as a child process. Dropping this kills the process.
#[derive(Debug)]
pub struct Measured {
    child: Child,
    program: String,
    log: PathBuf,
    counts: PathBuf,
}

impl Measured {
    /// Starts the function as Lambda does.
    ///
    /// # Errors
    ///
    /// If the process cannot be started.
    pub fn natively(
        workspace: &Workspace,
        function: &str,
        api: &RuntimeApi,
        aws: &Aws,
    ) -> Result<Self, Error> {
        let command = workspace.command(program(workspace, function), []);
        let variables = environment(workspace, function, api, aws);
        Self::start(workspace, function, "native", command, variables)
    }

    /// Starts the function under callgrind, which counts its instructions.
    ///
    /// # Errors
    ///
    /// If the process cannot be started.
    pub fn under_callgrind(
        workspace: &Workspace,
        function: &str,
        api: &RuntimeApi,
        aws: &Aws,
    ) -> Result<Self, Error> {
        let mut valgrind = workspace.command("valgrind", ["--tool=callgrind"]);
        let counts = counts_file(workspace, function);
        valgrind.arg(format!("--callgrind-out-file={}", counts.display()));
        valgrind.arg(program(workspace, function));
        let variables = environment(workspace, function, api, aws);
        Self::start(workspace, function, "callgrind", valgrind, variables)
    }

    fn start(
        workspace: &Workspace,
        function: &str,
        how: &str,
        mut command: Command,
        variables: Vec<(&'static str, String)>,
    ) -> Result<Self, Error> {
        let folder = workspace.target.join("bench");
        std::fs::create_dir_all(&folder).map_err(Error::file(&folder))?;
        let log = folder.join(format!("{function}.{how}.log"));
        let output = File::create(&log).map_err(Error::file(&log))?;
        let errors = output.try_clone().map_err(Error::file(&log))?;
        let counts = counts_file(workspace, function);
        let _ = std::fs::remove_file(&counts);
        command.stdout(output).stderr(errors).stdin(Stdio::null());
        command.env_clear().envs(variables);
        let program = format!("placet-{function}");
        match command.spawn() {
            Ok(child) => Ok(Self { child, program, log, counts }),
            Err(source) => Err(Error::Start { command: program, source }),
        }
    }

    /// Waits until the function polls and no event is left.
    ///
    /// # Errors
    ///
    /// If the function ends, cannot start, or takes longer than five minutes.
    pub fn until_idle(&mut self, api: &RuntimeApi) -> Result<Answers, Error> {
        self.until_answered(api, usize::MAX)
    }

    /// Waits until the function has answered `events` events or no event is left.
    ///
    /// # Errors
    ///
    /// If the function ends, cannot start, or takes longer than five minutes.
    pub fn until_answered(&mut self, api: &RuntimeApi, events: usize) -> Result<Answers, Error> {
        let deadline = Instant::now() + LONGEST_RUN;
        let mut answers = Answers::default();
        while Instant::now() < deadline {
            match api.told.recv_timeout(GLANCE) {
                Ok(Told::Idle) => return Ok(answers),
                Ok(Told::Answered { accepted: true }) => answers.accepted += 1,
                Ok(Told::Answered { accepted: false }) => answers.refused += 1,
                Ok(Told::Failed) => answers.failed += 1,
                Ok(Told::CouldNotStart(why)) => {
                    return Err(self.problem(&format!("reported that it cannot start: {why}")));
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
            if answers.all() >= events {
                return Ok(answers);
            }
        }
        Err(self.problem("did not poll for an event in time"))
    }

    /// Ends the process and reads the number of instructions from callgrind's file.
    ///
    /// # Errors
    ///
    /// If callgrind writes no total.
    pub fn counted_instructions(mut self) -> Result<u64, Error> {
        // Callgrind writes its file when SIGTERM ends the process. The standard library cannot send SIGTERM,
        // and a shell can on every machine.
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

    /// The peak of its resident memory, in bytes.
    ///
    /// # Errors
    ///
    /// If `/proc` does not have the number.
    pub fn peak_memory(&self) -> Result<u64, Error> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(&path).map_err(Error::file(Path::new(&path)))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|peak| peak.split_whitespace().next()?.parse::<u64>().ok());
        peak.map(|kibibytes| kibibytes * 1024)
            .ok_or_else(|| self.problem("its peak memory is not in /proc"))
    }

    /// Its CPU time so far, in seconds.
    ///
    /// # Errors
    ///
    /// If `/proc` does not have the number.
    pub fn cpu_seconds(&self) -> Result<f64, Error> {
        let path = format!("/proc/{}/stat", self.child.id());
        let stat = std::fs::read_to_string(&path).map_err(Error::file(Path::new(&path)))?;
        // The name of the program is in brackets and may hold spaces. The state, ten numbers, the ticks in
        // user mode and the ticks in system mode follow.
        let numbers = stat.rsplit_once(')').map(|(_, numbers)| numbers.split_whitespace());
        let ticks = numbers.map(|numbers| numbers.skip(11).take(2).flat_map(str::parse::<f64>));
        ticks
            .map(|ticks| ticks.sum::<f64>() / TICKS)
            .ok_or_else(|| self.problem("its CPU time is not in /proc"))
    }

    /// An error of the function, with the path of its output.
    pub fn problem(&self, problem: &str) -> Error {
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

/// The environment variables of Lambda and of `template.yaml`, with our AWS endpoints.
fn environment(
    workspace: &Workspace,
    function: &str,
    api: &RuntimeApi,
    aws: &Aws,
) -> Vec<(&'static str, String)> {
    let mut variables = vec![
        ("AWS_LAMBDA_RUNTIME_API", api.address.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", format!("placet-{function}")),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "bench".to_owned()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "bench".to_owned()),
        ("AWS_REGION", "eu-central-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "bench".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "bench".to_owned()),
        ("AWS_SESSION_TOKEN", "bench".to_owned()),
        ("AWS_ENDPOINT_URL_DYNAMODB", aws.dynamodb.clone()),
        ("AWS_ENDPOINT_URL_SQS", aws.sqs.clone()),
        ("PLACET_TABLE", "placet".to_owned()),
        ("PLACET_WORK_QUEUE_URL", aws.queue_url.clone()),
        ("PLACET_CALLS_QUEUE_URL", aws.queue_url.clone()),
        ("PLACET_DEAD_LETTER_QUEUE_URL", aws.queue_url.clone()),
        ("PLACET_LANE", "work".to_owned()),
        ("PLACET_CONFIG", workspace.root.join("placet.yaml").display().to_string()),
        ("PLACET_LOG", "info".to_owned()),
        ("MALLOC_MMAP_THRESHOLD_", "131072".to_owned()),
        ("PATH", std::env::var("PATH").unwrap_or_default()),
    ];
    // Secrets for this measurement only.
    if function == "inbox" {
        variables.push(("PLACET_LINK_SECRET", "a link secret for a measurement only".to_owned()));
    }
    if function == "webhook" {
        variables.push((delivery::SECRET_VARIABLE, delivery::SECRET.to_owned()));
    }
    variables
}
