//! The shell around the state machine: load, reduce, write with a version condition, then the
//! effect (law 2).
//!
//! A write that meets another version is reduced again on what is there now; a command that no
//! longer applies is then refused by the state machine, not by the store. The effect comes after
//! the write and may be lost with the process; the due time that the same write has set makes the
//! timer repeat it, so a failed send is logged and not reported.

use std::time::Duration;

use placet_core::{
    Command, Content, Effect, Job, Message, NewOperation, Operation, OperationId, Refusal,
    Transition, Write,
};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{Put, Runtime, StoreError};

/// How often a command is reduced again when others keep writing. Every round, one of them wins.
pub(crate) const ROUNDS: usize = 100;

/// The largest specification, in bytes of JSON. Below DynamoDB's 400 KB an item also needs room for
/// the result (64 KB), the comment (16 KB, also in the history) and up to twenty attempts.
const LARGEST: usize = 200 * 1024;

/// What an asker brings.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Whose it is, and the asker's id of it.
    pub id: OperationId,
    /// The asker's id of the run it belongs to.
    pub run_id: String,
    /// What is asked.
    pub content: Content,
    /// The rest of the specification, kept and echoed.
    pub extras: Map<String, Value>,
    /// Through which door it came.
    pub by: String,
}

/// What came of a creation.
#[derive(Debug)]
pub enum Created {
    /// It is new.
    New(Box<Operation>),
    /// The same was asked before; this is how it stands.
    Before(Box<Operation>),
}

/// Why an operation was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The id is taken by something else.
    #[error("call_id {0} already exists with other content: choose a new id")]
    Conflict(String),
    /// It does not fit.
    #[error("the specification has {size} bytes, at most {LARGEST} are kept")]
    TooLarge {
        /// The bytes of JSON it has.
        size: usize,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a command changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// There is no such operation of this tenant.
    #[error("there is no call with id {0}")]
    NotFound(String),
    /// The state machine refuses.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Others wrote first, again and again.
    #[error("operation {0} is being written by others all the time: try again in a moment")]
    Busy(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Runtime {
    /// Creates an operation as `placet.yaml` wants it handled, or finds the one that was created with the
    /// same id and content.
    ///
    /// # Errors
    ///
    /// If the id is taken by other content, the specification is too large, or the store fails.
    pub async fn create(&self, asked: Asked) -> Result<Created, CreateError> {
        let operation = Operation::create(self.handled(asked), &write_id(), self.clock.now());
        let content = serde_json::to_vec(&operation.content).unwrap_or_default().len();
        let size = content + serde_json::to_vec(&operation.extras).unwrap_or_default().len();
        if size > LARGEST {
            return Err(CreateError::TooLarge { size });
        }
        match self.store.create_operation(&operation).await? {
            Put::Stored => {
                if operation.upstream.is_some() {
                    self.follow_up(&operation, Effect::Consult).await;
                }
                Ok(Created::New(Box::new(operation)))
            }
            Put::Existing(existing) if existing.asks_the_same(&operation) => {
                Ok(Created::Before(Box::new(existing)))
            }
            Put::Existing(existing) => Err(CreateError::Conflict(existing.call_id)),
        }
    }

    fn handled(&self, asked: Asked) -> NewOperation {
        let function = asked.content.function();
        NewOperation {
            plan: function.and_then(|function| self.config.plan(function)),
            time_to_decide: self.config.time_to_decide(function),
            upstream: self.config.upstream(&asked.id.tenant, function).map(|one| one.base_url()),
            tenant: asked.id.tenant,
            call_id: asked.id.call_id,
            run_id: asked.run_id,
            content: asked.content,
            extras: asked.extras,
            by: asked.by,
        }
    }

    /// Applies a command to an operation and hands back what it has become. `command` is asked
    /// again for each version of the operation that is met.
    ///
    /// # Errors
    ///
    /// If there is no such operation, the command does not apply, or the store fails.
    pub async fn command(
        &self,
        id: &OperationId,
        command: impl Fn(&Operation) -> Command,
    ) -> Result<Operation, CommandError> {
        let found = self.store.operation(id, true).await?;
        let current = found.ok_or_else(|| CommandError::NotFound(id.call_id.clone()))?;
        self.change(current, command).await
    }

    /// The same to an operation as it was read, or to what has become of it since.
    ///
    /// # Errors
    ///
    /// If it is gone, the command does not apply, or the store fails.
    pub async fn change(
        &self,
        mut current: Operation,
        command: impl Fn(&Operation) -> Command,
    ) -> Result<Operation, CommandError> {
        let id = current.id();
        let write_id = write_id();
        let announce = self.config.told(&id).next().map(|_| self.config.defaults.redrive.0);
        for _ in 0..ROUNDS {
            let write = Write { id: &write_id, at: self.clock.now(), announce };
            let Transition { operation, effect } = current.apply(&command(&current), write)?;
            match self.store.replace_operation(&operation).await? {
                Put::Stored => {
                    if let Some(effect) = effect {
                        self.follow_up(&operation, effect).await;
                    }
                    return Ok(operation);
                }
                Put::Existing(Some(other)) => current = other,
                Put::Existing(None) => return Err(CommandError::NotFound(id.call_id)),
            }
        }
        Err(CommandError::Busy(id.call_id))
    }

    /// Puts on the queue what must follow a write, again if need be.
    pub async fn follow_up(&self, operation: &Operation, effect: Effect) {
        let path = operation.id().path();
        let (job, id, delay) = match effect {
            Effect::Execute(delay) => (Job::Execute, operation.call_id.as_str(), delay),
            Effect::Tell => (Job::Tell, path.as_str(), Duration::ZERO),
            Effect::Consult => (Job::Consult, path.as_str(), Duration::ZERO),
        };
        self.enqueue(job, &operation.tenant, id, delay).await;
    }

    /// Puts a job on the queue. If that fails, the timer does it once the item is due.
    pub async fn enqueue(&self, job: Job, tenant: &str, id: &str, delay: Duration) {
        if let Err(error) = self.queue.send(&Message::new(job, tenant, id), delay).await {
            tracing::warn!(%error, ?job, tenant, id, "not enqueued, the timer will drive it");
        }
    }
}

/// An id for a call whose asker chose none.
pub fn new_call_id() -> String {
    format!("call-{}", Uuid::now_v7().simple())
}

/// An id that no other write of the same item has: 64 random bits. It stays in the history, so it is
/// short.
pub(crate) fn write_id() -> String {
    let random =
        u64::from_be_bytes(Uuid::new_v4().into_bytes()[8..].try_into().unwrap_or_default());
    format!("{random:016x}")
}
