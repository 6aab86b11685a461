//! The cost of one accepted webhook. The function verifies it, stores it in a real DynamoDB engine, sends a
//! message to a real queue and answers 200.

use std::time::Instant;

use super::delivery::{Carried, Delivery};
use super::engines::Engines;
use super::measured::{Answers, Measured};
use super::runtime_api::RuntimeApi;
use crate::error::Error;
use crate::workspace::Workspace;

/// The target: instructions per accepted webhook of 1 KB, the calls to AWS included.
pub const MOST_INSTRUCTIONS: u64 = 1_262_000;

/// Events before the counted ones. They include the start, the first connections and the first allocations.
const WARM_UP: usize = 50;
/// Events whose instructions are counted.
const COUNTED: usize = 200;
/// Events for the measurement of time.
const TIMED: usize = 5_000;

const DELIVERIES: [Delivery; 4] = [
    Delivery { bytes: 1_000, carried: Carried::Text },
    Delivery { bytes: 1_000, carried: Carried::Base64 },
    Delivery { bytes: 20_000, carried: Carried::Text },
    Delivery { bytes: 20_000, carried: Carried::Base64 },
];

/// The numbers of one kind of webhook.
struct Row {
    delivery: Delivery,
    instructions: u64,
    per_cpu_second: f64,
    per_second: f64,
}

/// Measures webhooks and prints a Markdown table. Returns the kinds that missed their target.
///
/// # Errors
///
/// If the engines do not start, or not every webhook is accepted, stored and enqueued.
pub fn run(workspace: &Workspace) -> Result<Vec<String>, Error> {
    let engines = Engines::start(workspace)?;
    let rows = DELIVERIES
        .iter()
        .map(|delivery| measure(workspace, &engines, *delivery))
        .collect::<Result<Vec<_>, _>>()?;
    print(&rows);
    let missed = rows.iter().filter(|row| !row.meets_target());
    Ok(missed.map(|row| format!("webhook of {}", row.delivery.name())).collect())
}

fn measure(workspace: &Workspace, engines: &Engines, delivery: Delivery) -> Result<Row, Error> {
    eprintln!("measuring webhooks of {}", delivery.name());
    let short = instructions(workspace, engines, delivery, WARM_UP)?;
    let long = instructions(workspace, engines, delivery, WARM_UP + COUNTED)?;
    let (per_cpu_second, per_second) = rates(workspace, engines, delivery)?;
    let instructions = long.saturating_sub(short) / COUNTED as u64;
    Ok(Row { delivery, instructions, per_cpu_second, per_second })
}

/// The instructions of a whole run with this number of events.
fn instructions(
    workspace: &Workspace,
    engines: &Engines,
    delivery: Delivery,
    events: usize,
) -> Result<u64, Error> {
    let queued = engines.queued()?;
    let api = RuntimeApi::start(delivery.events(workspace, events)?).map_err(Error::Loopback)?;
    let mut process = Measured::under_callgrind(workspace, "webhook", &api, &engines.aws)?;
    let answers = process.until_idle(&api)?;
    all_taken(&process, answers, events, engines.queued()? - queued)?;
    process.counted_instructions()
}

/// Webhooks per second of CPU time, and per second of real time.
fn rates(
    workspace: &Workspace,
    engines: &Engines,
    delivery: Delivery,
) -> Result<(f64, f64), Error> {
    let events = delivery.events(workspace, WARM_UP + TIMED)?;
    let queued = engines.queued()?;
    let api = RuntimeApi::start(events).map_err(Error::Loopback)?;
    let mut process = Measured::natively(workspace, "webhook", &api, &engines.aws)?;
    let warm_up = process.until_answered(&api, WARM_UP)?;
    let (began, cpu) = (Instant::now(), process.cpu_seconds()?);
    let answers = process.until_idle(&api)?;
    let (clock, cpu) = (began.elapsed().as_secs_f64(), process.cpu_seconds()? - cpu);
    let answers = Answers { accepted: answers.accepted + warm_up.accepted, ..answers };
    all_taken(&process, answers, WARM_UP + TIMED, engines.queued()? - queued)?;
    Ok((TIMED as f64 / cpu, TIMED as f64 / clock))
}

/// Checks that every webhook was accepted and enqueued. A refused or only stored webhook costs less.
fn all_taken(
    process: &Measured,
    answers: Answers,
    events: usize,
    enqueued: usize,
) -> Result<(), Error> {
    if answers.accepted == events && enqueued == events {
        return Ok(());
    }
    let accepted = answers.accepted;
    let problem = format!("of {events} webhooks, {accepted} were accepted and {enqueued} enqueued");
    Err(process.problem(&problem))
}

impl Delivery {
    fn name(self) -> String {
        let carried = match self.carried {
            Carried::Text => "text",
            Carried::Base64 => "base64",
        };
        format!("{} KB as {carried}", self.bytes / 1_000)
    }
}

impl Row {
    fn target(&self) -> Option<u64> {
        (self.delivery.bytes == 1_000).then_some(MOST_INSTRUCTIONS)
    }

    fn meets_target(&self) -> bool {
        self.target().is_none_or(|most| self.instructions <= most)
    }
}

fn print(rows: &[Row]) {
    println!("\n| accepted webhook | instructions | *at most* | | per CPU second | per second |");
    println!("| --- | ---: | ---: | --- | ---: | ---: |");
    for row in rows {
        println!(
            "| {} | {} | {} | {} | {:.0} | {:.0} |",
            row.delivery.name(),
            thousands(row.instructions),
            row.target().map(thousands).unwrap_or_default(),
            if row.meets_target() { "ok" } else { "over" },
            row.per_cpu_second,
            row.per_second,
        );
    }
    println!(
        "\nKB = 1,000 bytes of body. From the event to the answer, with PutItem and SendMessage to real engines on\n\
         loopback, without TLS. Instructions: {COUNTED} webhooks more, after {WARM_UP}; callgrind's CPU has no SHA \
         instructions, so hashing\ncounts in full. Rates: {TIMED} webhooks, one \
         at a time;\nper CPU second of the function, and by the clock, where the engines' time is in it."
    );
}

fn thousands(count: u64) -> String {
    format!("{:.1} k", count as f64 / 1e3)
}
