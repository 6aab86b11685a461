use std::process::{Command, Stdio};

use super::measured::{Aws, Measured, program};
use super::runtime_api::RuntimeApi;
use crate::error::Error;
use crate::workspace::Workspace;

/// The most that a function may cost.
struct Budget {
    /// Instructions from the start of the process to its first poll of the Runtime API.
    instructions: u64,
    /// Bytes of the package to deploy.
    zipped: u64,
    /// Bytes of resident memory at its peak.
    memory: u64,
}

/// A sender waits for the webhook function, so its budget is the smallest.
fn budget(function: &str) -> Budget {
    let (instructions, zipped) = match function {
        "webhook" => (5_000_000, 4_000_000),
        _ => (7_000_000, 6_000_000),
    };
    Budget { instructions, zipped, memory: 15_000_000 }
}

/// The number of events that a function answers before its memory is read.
const INVOCATIONS: usize = 200;

/// The functions, each with the sample event that it answers.
pub const FUNCTIONS: [(&str, &str); 5] = [
    ("approval", "approval-health"),
    ("webhook", "webhook-unsigned"),
    ("inbox", "inbox-list"),
    ("worker", "worker-poison"),
    ("timer", "timer-schedule"),
];

/// The numbers of one function.
struct Row {
    function: &'static str,
    instructions: u64,
    binary: u64,
    zipped: u64,
    memory: u64,
}

/// Measures all five functions and prints a Markdown table. Returns the functions that missed a target.
///
/// # Errors
///
/// If a function does not start.
pub fn run(workspace: &Workspace) -> Result<Vec<String>, Error> {
    let rows = FUNCTIONS
        .iter()
        .map(|(function, event)| measure(workspace, function, event))
        .collect::<Result<Vec<_>, _>>()?;
    print(&rows);
    let missed = rows.iter().filter(|row| !row.meets_targets());
    Ok(missed.map(|row| row.function.to_owned()).collect())
}

fn measure(workspace: &Workspace, function: &'static str, event: &str) -> Result<Row, Error> {
    eprintln!("measuring placet-{function}");
    let path = workspace.root.join(format!("events/{event}.json"));
    let event = std::fs::read(&path).map_err(Error::file(&path))?;
    let binary = program(workspace, function);
    let size = std::fs::metadata(&binary).map_err(Error::file(&binary))?.len();
    Ok(Row {
        function,
        instructions: instructions(workspace, function)?,
        binary: size,
        zipped: zipped(workspace, function)?,
        memory: memory(workspace, function, event)?,
    })
}

fn instructions(workspace: &Workspace, function: &str) -> Result<u64, Error> {
    let api = RuntimeApi::start(Vec::new()).map_err(Error::Loopback)?;
    let mut process = Measured::under_callgrind(workspace, function, &api, &Aws::refusing(&api))?;
    process.until_idle(&api)?;
    process.counted_instructions()
}

fn memory(workspace: &Workspace, function: &str, event: Vec<u8>) -> Result<u64, Error> {
    let api = RuntimeApi::start(vec![event; INVOCATIONS]).map_err(Error::Loopback)?;
    let mut process = Measured::natively(workspace, function, &api, &Aws::refusing(&api))?;
    let failed = process.until_idle(&api)?.failed;
    if failed > 0 {
        eprintln!(
            "  {failed} of {INVOCATIONS} invocations ended in an error, because the AWS stub refuses calls"
        );
    }
    process.peak_memory()
}

/// The size of a zip archive of `zip -9 -X` with the binary as its only entry `bootstrap`, in bytes.
///
/// The entry is the deflate stream that gzip writes. Gzip adds 18 bytes to the stream. Zip adds three records
/// of 30, 46 and 22 bytes, and the nine letters of the name twice.
fn zipped(workspace: &Workspace, function: &str) -> Result<u64, Error> {
    let binary = program(workspace, function);
    let mut gzip: Command = workspace.command("gzip", ["-9", "--no-name", "--stdout"]);
    let output = gzip.arg(&binary).stderr(Stdio::inherit()).output();
    let output = output.map_err(|source| Error::Start { command: "gzip".to_owned(), source })?;
    if !output.status.success() {
        return Err(Error::Failed { command: "gzip".to_owned(), status: output.status });
    }
    Ok(output.stdout.len() as u64 - 18 + 30 + 46 + 22 + 2 * 9)
}

impl Row {
    fn meets_targets(&self) -> bool {
        let Budget { instructions, zipped, memory } = budget(self.function);
        self.instructions <= instructions && self.zipped <= zipped && self.memory <= memory
    }
}

fn print(rows: &[Row]) {
    println!("| function | instructions to the first poll | binary | zip -9 | peak memory | |");
    println!("| --- | ---: | ---: | ---: | ---: | --- |");
    for row in rows {
        println!(
            "| {} | {} | {} | {} | {} | {} |",
            row.function,
            millions(row.instructions),
            megabytes(row.binary),
            megabytes(row.zipped),
            megabytes(row.memory),
            if row.meets_targets() { "ok" } else { "over" },
        );
    }
    for function in ["webhook", "any other"] {
        let Budget { instructions, zipped, memory } = budget(function);
        println!(
            "| *{function}, at most* | {} | | {} | {} | |",
            millions(instructions),
            megabytes(zipped),
            megabytes(memory),
        );
    }
    println!(
        "\nMB = 1,000,000 bytes. Peak memory: VmHWM after {INVOCATIONS} sample events. AWS is a loopback stub \
         without TLS\nthat refuses every call: handshakes and waiting for AWS are not in these numbers."
    );
}

fn millions(count: u64) -> String {
    format!("{:.2} M", count as f64 / 1e6)
}

fn megabytes(bytes: u64) -> String {
    format!("{:.2} MB", bytes as f64 / 1e6)
}
