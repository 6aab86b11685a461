//! The cost of an idle month with one project.
//!
//! Prices are in dollars for us-east-1. Each constant names its price page. A free amount is for the whole
//! account and does not end after a year.

use super::counted::Counted;
use super::scale::thousands;
use crate::error::Error;
use crate::workspace::Workspace;

/// Minutes of a month of 730 hours.
const MINUTES: f64 = 43_800.0;

/// The number of connections with which Lambda polls a queue. While the queue is quiet, Lambda may use two,
/// but not if the mapping has a maximum concurrency.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>
const POLLERS: f64 = 5.0;
/// The number of connections for a quiet queue, see [`POLLERS`].
const FEWEST_POLLERS: f64 = 2.0;
/// Polls a minute of each connection. A long poll of an empty queue takes 20 s, the longest that SQS allows.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html>
const POLLS_A_MINUTE: f64 = 3.0;

/// Memory of a function in GB, as in `template.yaml`.
const MEMORY: f64 = 0.25;
/// Assumed: AWS bills 50 ms for an idle run of the timer. Its queries run at the same time.
const TIMER_SECONDS: f64 = 0.05;
/// Assumed: Lambda logs three lines about a run and the timer logs none, 1 KB in all.
const LOG_BYTES: f64 = 1_000.0;
/// The timer lists the spool in each fifth minute (`functions/timer/src/spool.rs`).
const MINUTES_A_LOOK: f64 = 5.0;

/// The price of one unit, and the units that are free in a month.
#[derive(Clone, Copy, Debug)]
struct Price {
    dollars: f64,
    free: f64,
}

/// A request. <https://aws.amazon.com/sqs/pricing/>
const SQS: Price = Price { dollars: 0.40 / 1e6, free: 1e6 };
/// An invocation. <https://aws.amazon.com/lambda/pricing/>
const INVOCATION: Price = Price { dollars: 0.20 / 1e6, free: 1e6 };
/// A second with 1 GB on Arm. <https://aws.amazon.com/lambda/pricing/>
const GB_SECOND: Price = Price { dollars: 0.000_013_333_4, free: 400_000.0 };
/// A read unit on demand. <https://aws.amazon.com/dynamodb/pricing/on-demand/>
const READ_UNIT: Price = Price { dollars: 0.125 / 1e6, free: 0.0 };
/// A list request. <https://aws.amazon.com/s3/pricing/>
const LIST: Price = Price { dollars: 0.005 / 1e3, free: 0.0 };
/// A GB of ingested logs. <https://aws.amazon.com/cloudwatch/pricing/>
const LOG_GB: Price = Price { dollars: 0.50, free: 5.0 };
/// A run of a schedule. <https://aws.amazon.com/eventbridge/pricing/>
const SCHEDULE: Price = Price { dollars: 1.0 / 1e6, free: 14e6 };
/// A GB in the table for a month, without its continuous backup.
/// <https://aws.amazon.com/dynamodb/pricing/on-demand/>
const TABLE_GB: f64 = 0.25;
/// A GB of continuous backup for a month, see [`TABLE_GB`].
const BACKUP_GB: f64 = 0.20;
/// A GB in the bucket for a month. <https://aws.amazon.com/s3/pricing/>
const BLOB_GB: f64 = 0.023;
/// A GB of stored logs for a month. <https://aws.amazon.com/cloudwatch/pricing/>
const KEPT_LOG_GB: f64 = 0.03;

/// One line of the bill.
struct Line {
    what: &'static str,
    amount: f64,
    price: Price,
}

/// How Lambda polls the queues.
#[derive(Clone, Copy)]
struct Polling {
    queues: f64,
    pollers: f64,
}

const BOTH: Polling = Polling { queues: 2.0, pollers: POLLERS };
const ONE: Polling = Polling { queues: 1.0, ..BOTH };
const FEWEST: Polling = Polling { pollers: FEWEST_POLLERS, ..BOTH };

fn polls(polling: Polling) -> f64 {
    polling.queues * polling.pollers * POLLS_A_MINUTE * MINUTES
}

/// The lines of the bill.
fn bill(counted: &Counted, polling: Polling) -> Vec<Line> {
    let runs = counted.timer.invocations * MINUTES;
    let reads = (counted.timer.reads + counted.project.reads) * MINUTES;
    let line = |what, amount, price| Line { what, amount, price };
    vec![
        line("requests with which Lambda polls the queues", polls(polling), SQS),
        line("invocations of the timer", runs, INVOCATION),
        line("GB-seconds of the timer", runs * TIMER_SECONDS * MEMORY, GB_SECOND),
        line("runs of its schedule", runs, SCHEDULE),
        line("read units of the timer", reads, READ_UNIT),
        line("list requests, for the spool", MINUTES / MINUTES_A_LOOK, LIST),
        line("GB of logs", runs * LOG_BYTES / 1e9, LOG_GB),
    ]
}

impl Line {
    fn dollars(&self) -> f64 {
        self.amount * self.price.dollars
    }

    /// The cost in an account that uses nothing else.
    fn after_free(&self) -> f64 {
        (self.amount - self.price.free).max(0.0) * self.price.dollars
    }
}

/// The cost of all lines, and the cost in an account that uses nothing else.
fn sum(bill: &[Line]) -> (f64, f64) {
    (bill.iter().map(Line::dollars).sum(), bill.iter().map(Line::after_free).sum())
}

/// The table in `docs/COSTS.md`.
pub fn table(counted: &Counted) -> String {
    let mut table =
        "| a month | amount | dollars | less what is free |\n| --- | ---: | ---: | ---: |\n"
            .to_owned();
    let both = bill(counted, BOTH);
    for line in &both {
        let (dollars, after) = (line.dollars(), line.after_free());
        let amount =
            if line.amount < 10.0 { format!("{:.2}", line.amount) } else { thousands(line.amount) };
        table += &format!("| {} | {amount} | {dollars:.3} | {after:.3} |\n", line.what);
    }
    for (what, polling) in [
        ("**together**", BOTH),
        ("with the queue `calls` switched off", ONE),
        ("with two pollers a queue instead of five", FEWEST),
    ] {
        let (dollars, after) = sum(&bill(counted, polling));
        table += &format!("| {what} | | {dollars:.2} | {after:.2} |\n");
    }
    let table_gb = TABLE_GB + BACKUP_GB;
    table += &format!("| each GB in the table, with its backup | 1 | {table_gb:.2} | |\n");
    table += &format!("| each GB in the bucket | 1 | {BLOB_GB:.3} | |\n");
    table + &format!("| each GB of logs that is kept | 1 | {KEPT_LOG_GB:.2} | |\n")
}

/// Prints the cost of an idle month.
///
/// # Errors
///
/// If the counted costs cannot be read.
pub fn run(workspace: &Workspace) -> Result<(), Error> {
    print!("{}", table(&Counted::read(workspace)?));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::counted::tests::counted;
    use super::*;

    #[test]
    fn each_queue_is_polled_fifteen_times_a_minute() {
        assert_eq!((polls(ONE), polls(BOTH)), (657_000.0, 1_314_000.0));
        assert_eq!(polls(FEWEST), 525_600.0);
    }

    #[test]
    fn free_units_cost_nothing() {
        let line = |amount| Line { what: "", amount, price: SQS };
        assert_eq!((line(1e6).after_free(), line(2e6).after_free()), (0.0, 0.4));
        assert_eq!(line(2e6).dollars(), 0.8);
    }

    #[test]
    fn a_queue_that_is_not_polled_costs_nothing() {
        let (both, one) = (sum(&bill(&counted(), BOTH)).0, sum(&bill(&counted(), ONE)).0);
        assert!((both - one - polls(ONE) * SQS.dollars).abs() < 1e-9, "{both} {one}");
    }
}
