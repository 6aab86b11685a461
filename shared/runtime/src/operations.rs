//! The shell around the state machine: load, reduce, write with a version condition, then the
//! effect (law 2).
//!
//! A write that meets another version is reduced again on what is there now; a command that no
//! longer applies is then refused by the state machine, not by the store. The effect comes after
//! the write and may be lost with the process; the due time that the same write has set makes the
//! timer repeat it, so a failed send is logged and not reported.

use std::time::Duration;

use placet_core::{Command, Effect, Job, Message, NewOperation, Operation, Refusal, Transition};
use uuid::Uuid;

use crate::{Put, Runtime, StoreError};

/// How often a command is reduced again when others keep writing. Every round, one of them wins.
pub(crate) const ROUNDS: usize = 100;

/// The largest specification, in bytes of JSON. Below DynamoDB's 400 KB an item also needs room for
/// the result (64 KB), the comment (16 KB, also in the history) and up to twenty attempts.
const LARGEST: usize = 200 * 1024;

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
    #[error("operation {0} is being written by others all the time")]
    Busy(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Runtime {
    /// Creates an operation, or finds the one that was created with the same id and content.
    ///
    /// # Errors
    ///
    /// If the id is taken by other content, the specification is too large, or the store fails.
    pub async fn create(&self, new: NewOperation) -> Result<Created, CreateError> {
        let operation = Operation::create(new, &write_id(), self.clock.now());
        let extras = serde_json::to_vec(&operation.extras).unwrap_or_default().len();
        let size = operation.kwargs.to_string().len() + extras;
        if size > LARGEST {
            return Err(CreateError::TooLarge { size });
        }
        match self.store.create_operation(&operation).await? {
            Put::Stored => Ok(Created::New(Box::new(operation))),
            Put::Existing(existing) if existing.asks_the_same(&operation) => {
                Ok(Created::Before(Box::new(existing)))
            }
            Put::Existing(existing) => Err(CreateError::Conflict(existing.call_id)),
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
        tenant: &str,
        call_id: &str,
        command: impl Fn(&Operation) -> Command,
    ) -> Result<Operation, CommandError> {
        let not_found = || CommandError::NotFound(call_id.to_owned());
        let write = write_id();
        let mut current =
            self.store.operation(tenant, call_id, true).await?.ok_or_else(not_found)?;
        for _ in 0..ROUNDS {
            let transition = current.apply(&command(&current), &write, self.clock.now())?;
            match self.store.replace_operation(&transition.operation).await? {
                Put::Stored => return Ok(self.follow_up(transition).await),
                Put::Existing(Some(other)) => current = other,
                Put::Existing(None) => return Err(not_found()),
            }
        }
        Err(CommandError::Busy(call_id.to_owned()))
    }

    async fn follow_up(&self, transition: Transition) -> Operation {
        let operation = transition.operation;
        if let Some(Effect::Execute(delay)) = transition.effect {
            self.enqueue(Job::Execute, &operation.tenant, &operation.call_id, delay).await;
        }
        operation
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

/// An id that no other write has.
pub(crate) fn write_id() -> String {
    Uuid::now_v7().simple().to_string()
}
