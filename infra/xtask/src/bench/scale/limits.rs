//! The limits of AWS, and what our functions use of them.

use super::super::counted::Counted;
use super::super::webhook::MOST_INSTRUCTIONS;

/// Concurrent executions of an established account.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub const DEFAULT_ACCOUNT: f64 = 1_000.0;
/// Concurrent executions of a new account: often ten, until AWS raises the quota (same page).
pub const NEW_ACCOUNT: f64 = 10.0;
/// The most requests a second of an execution environment (same page).
const REQUESTS: f64 = 10.0;
/// The environments that a function gains each second.
/// <https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html>
const NEW_ENVIRONMENTS: f64 = 100.0;
/// The environments that a function can get at once (same page).
const BURST: f64 = 1_000.0;

/// The concurrent batches with which Lambda begins to empty a queue.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>
const FIRST_POLLERS: f64 = 5.0;
/// The concurrent batches that Lambda adds each second: 300 a minute (same page).
const NEW_POLLERS: f64 = 5.0;
/// The most concurrent batches of a queue (same page).
pub const MOST_POLLERS: f64 = 1_250.0;
/// The most messages of a queue that are received and not yet deleted.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html>
const IN_FLIGHT: f64 = 120_000.0;

/// Write units a second of a new table on demand, and of each of its indexes. DynamoDB doubles both after
/// their peak was reached, but not within 30 minutes. So they are constant for the ten minutes of the
/// simulation.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/warm-throughput.html>
pub const TABLE_WRITES: f64 = 4_000.0;
/// Read units a second of a new table on demand (same page).
pub const TABLE_READS: f64 = 12_000.0;
/// Write units a second of one partition key.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>
pub const KEY_WRITES: f64 = 1_000.0;
/// The largest share of an index's writes that one of its eight partition keys gets. The test
/// `infra/local/tests/system/scale/partitions.rs` checks this share.
pub const HOTTEST_SHARE: f64 = 1.5 / 8.0;

/// Messages in a full batch of the queue `work`, as in `template.yaml`.
const BATCH: f64 = 10.0;
/// The share of a CPU of a function: 256 MB as in `template.yaml`, where 1,769 MB give one CPU.
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>
const CPU: f64 = 256.0 / 1_769.0;
/// Assumed: instructions a second of one CPU.
const INSTRUCTIONS: f64 = 2e9;
/// Assumed: the time of a call to DynamoDB, in seconds.
const DYNAMODB: f64 = 0.005;
/// Assumed: the time of a call to SQS, in seconds.
const SQS: f64 = 0.020;

/// The costs and the limits of a deployment.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// The counted costs.
    pub counted: Counted,
    /// Concurrent executions of the account.
    pub account: f64,
    /// The parameter `WorkerConcurrency`, or the limit of Lambda without it.
    pub workers: f64,
}

/// A limit that a deployment can reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Concurrent executions of the account.
    Account,
    /// Concurrent workers.
    Workers,
    /// Write units of the table.
    TableWrites,
    /// Write units of the index with the most.
    IndexWrites,
    /// Write units of the hottest partition key.
    KeyWrites,
    /// Read units of the table.
    TableReads,
    /// Messages in flight.
    InFlight,
}

impl Limit {
    /// All limits, in the order of the printed table.
    pub const ALL: [Self; 7] = [
        Self::Account,
        Self::TableWrites,
        Self::IndexWrites,
        Self::KeyWrites,
        Self::TableReads,
        Self::Workers,
        Self::InFlight,
    ];

    /// The name in the printed table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "concurrency of the account",
            Self::Workers => "workers",
            Self::TableWrites => "writes of the table",
            Self::IndexWrites => "writes of the index `list`",
            Self::KeyWrites => "writes of one partition key",
            Self::TableReads => "reads of the table",
            Self::InFlight => "messages in flight",
        }
    }

    /// How to raise the limit.
    pub const fn raise(self) -> &'static str {
        match self {
            Self::Account => "ask AWS for a higher quota of concurrent executions",
            Self::Workers => "raise or remove `WorkerConcurrency`; Lambda's own limit is fixed",
            Self::TableWrites => "raise the warm throughput of the table",
            Self::IndexWrites => "raise the warm throughput of the index",
            Self::KeyWrites => {
                "raise the number of shards of an index (`SHARDS` in `store/key.rs`)"
            }
            Self::TableReads => "raise the warm throughput of the table",
            Self::InFlight => "nothing: the workers end first",
        }
    }
}

impl Setup {
    /// The use of this limit by a stored webhook and by a processed message, in the unit of [`Self::has`].
    pub fn uses(&self, limit: Limit) -> (f64, f64) {
        let Counted { stored, processed, .. } = &self.counted;
        match limit {
            Limit::Account => (self.webhook_environments(1.0), 1.0 / self.messages_a_worker()),
            Limit::Workers => (0.0, 1.0 / self.messages_a_worker()),
            Limit::TableWrites => (stored.table, processed.table),
            Limit::IndexWrites => (stored.list.max(stored.due), processed.list.max(processed.due)),
            Limit::KeyWrites => {
                let (stored, processed) = self.uses(Limit::IndexWrites);
                (stored * HOTTEST_SHARE, processed * HOTTEST_SHARE)
            }
            Limit::TableReads => (stored.reads, processed.reads),
            Limit::InFlight => (0.0, BATCH / self.messages_a_worker()),
        }
    }

    /// The size of the limit.
    pub fn has(&self, limit: Limit) -> f64 {
        match limit {
            Limit::Account => self.account,
            Limit::Workers => self.workers,
            Limit::TableWrites | Limit::IndexWrites => TABLE_WRITES,
            Limit::KeyWrites => KEY_WRITES,
            Limit::TableReads => TABLE_READS,
            Limit::InFlight => IN_FLIGHT,
        }
    }

    /// The most webhooks a second that can be stored and processed within the limit.
    pub fn most(&self, limit: Limit) -> f64 {
        let (stored, processed) = self.uses(limit);
        self.has(limit) / (stored + processed)
    }

    /// The environments of the webhook function that `rate` webhooks a second need.
    pub fn webhook_environments(&self, rate: f64) -> f64 {
        let cost = &self.counted.stored;
        let seconds = cpu_seconds() + (cost.table + cost.reads) * DYNAMODB + cost.sqs * SQS;
        rate * seconds.max(1.0 / REQUESTS)
    }

    /// The messages that a worker processes in a second while its batches are full. The records of a batch
    /// run at the same time: they share the CPU and wait for AWS together.
    pub fn messages_a_worker(&self) -> f64 {
        let cost = &self.counted.processed;
        let seconds = BATCH * cpu_seconds() + (cost.table + cost.reads) * DYNAMODB;
        BATCH / seconds.max(1.0 / REQUESTS)
    }

    /// The most environments of the webhook function in this second.
    pub fn webhook_room(second: f64) -> f64 {
        BURST + NEW_ENVIRONMENTS * second
    }

    /// The most workers after `busy` seconds with a backlog.
    pub fn worker_room(&self, busy: f64) -> f64 {
        (FIRST_POLLERS + NEW_POLLERS * busy).min(self.workers)
    }
}

/// The CPU time of a webhook in seconds. The target of `cargo xtask bench webhook` also serves for the
/// worker, which verifies nothing.
fn cpu_seconds() -> f64 {
    MOST_INSTRUCTIONS as f64 / (INSTRUCTIONS * CPU)
}
