//! What AWS allows, and what our functions need of it.

use super::super::counted::Counted;
use super::super::webhook::MOST_INSTRUCTIONS;

/// Executions at the same time that an account with a history may have.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub const DEFAULT_ACCOUNT: f64 = 1_000.0;
/// A new account has fewer, often ten, until AWS raises the quota (same page).
pub const NEW_ACCOUNT: f64 = 10.0;
/// An execution environment takes so many requests a second at most (same page).
const REQUESTS: f64 = 10.0;
/// A function gets so many more environments each second.
/// <https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html>
const NEW_ENVIRONMENTS: f64 = 100.0;
/// The environments a function can get at once (same page).
const BURST: f64 = 1_000.0;

/// With how many batches at the same time Lambda begins to empty a queue.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>
const FIRST_POLLERS: f64 = 5.0;
/// How many more there are each second: 300 a minute (same page).
const NEW_POLLERS: f64 = 5.0;
/// The most (same page).
pub const MOST_POLLERS: f64 = 1_250.0;
/// Messages that are received and not yet deleted.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html>
const IN_FLIGHT: f64 = 120_000.0;

/// Write units a second of a new table on demand, and of each of its indexes. Both double once their peak was
/// reached, but not within 30 minutes, so they are the same for all of the ten.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/warm-throughput.html>
pub const TABLE_WRITES: f64 = 4_000.0;
/// Read units a second of a new table on demand (same page).
pub const TABLE_READS: f64 = 12_000.0;
/// Write units a second of one partition key.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>
pub const KEY_WRITES: f64 = 1_000.0;
/// The largest share of an index's writes that one of its eight partition keys gets. The test
/// `infra/local/tests/system/scale/partitions.rs` holds it.
pub const HOTTEST_SHARE: f64 = 1.5 / 8.0;

/// Messages in a full batch of the queue `work`, as in `template.yaml`.
const BATCH: f64 = 10.0;
/// Memory of a function, as in `template.yaml`; with 1,769 MB it has one CPU.
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>
const CPU: f64 = 256.0 / 1_769.0;
/// Assumed: instructions a second of a whole CPU.
const INSTRUCTIONS: f64 = 2e9;
/// Assumed: seconds that DynamoDB takes to answer a call.
const DYNAMODB: f64 = 0.005;
/// Assumed: seconds that SQS takes to answer a call.
const SQS: f64 = 0.020;

/// What a deployment has and needs.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// What was counted.
    pub counted: Counted,
    /// Executions at the same time in the account.
    pub account: f64,
    /// The parameter `WorkerConcurrency`, or what Lambda allows without one.
    pub workers: f64,
}

/// A limit that can be met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Executions at the same time.
    Account,
    /// Workers at the same time.
    Workers,
    /// Write units of the table.
    TableWrites,
    /// Write units of the index that has most.
    IndexWrites,
    /// Write units of the hottest partition key.
    KeyWrites,
    /// Read units of the table.
    TableReads,
    /// Messages in flight.
    InFlight,
}

impl Limit {
    /// All, as they are printed.
    pub const ALL: [Self; 7] = [
        Self::Account,
        Self::TableWrites,
        Self::IndexWrites,
        Self::KeyWrites,
        Self::TableReads,
        Self::Workers,
        Self::InFlight,
    ];

    /// Its name.
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

    /// What moves it.
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
    /// What a webhook and a processed message use of this limit, in the same unit as [`Self::has`].
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

    /// How much of it there is.
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

    /// How many webhooks a second can be stored and processed within it.
    pub fn most(&self, limit: Limit) -> f64 {
        let (stored, processed) = self.uses(limit);
        self.has(limit) / (stored + processed)
    }

    /// Environments of the webhook function for so many webhooks a second.
    pub fn webhook_environments(&self, rate: f64) -> f64 {
        let cost = &self.counted.stored;
        let seconds = cpu_seconds() + (cost.table + cost.reads) * DYNAMODB + cost.sqs * SQS;
        rate * seconds.max(1.0 / REQUESTS)
    }

    /// Messages that a worker processes in a second while its batches are full. The records of a batch run at
    /// the same time: they share the CPU, and wait together.
    pub fn messages_a_worker(&self) -> f64 {
        let cost = &self.counted.processed;
        let seconds = BATCH * cpu_seconds() + (cost.table + cost.reads) * DYNAMODB;
        BATCH / seconds.max(1.0 / REQUESTS)
    }

    /// How many environments of the webhook function there can be in this second.
    pub fn webhook_room(second: f64) -> f64 {
        BURST + NEW_ENVIRONMENTS * second
    }

    /// How many workers there can be after so many seconds with a backlog.
    pub fn worker_room(&self, busy: f64) -> f64 {
        (FIRST_POLLERS + NEW_POLLERS * busy).min(self.workers)
    }
}

/// What a webhook takes of the CPU. The target of `cargo xtask bench webhook` stands for the worker, too: it
/// verifies nothing.
fn cpu_seconds() -> f64 {
    MOST_INSTRUCTIONS as f64 / (INSTRUCTIONS * CPU)
}
