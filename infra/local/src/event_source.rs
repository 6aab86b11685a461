//! The SQS event source mapping: what Lambda runs between a queue and a function.
//!
//! It deletes a message only after the function has returned and has not reported the message as failed.
//! After an error, a panic or a lost response the message stays in flight. The queue shows the message again
//! when its visibility timeout ends; the function may have changed that timeout.
//!
//! [`EventSource::run`] does this with several pollers. [`EventSource::drain`] is for tests: it runs one
//! batch after the other on the caller's task, until no message is visible.
//!
//! In AWS the service makes these calls, not the function. Give the event source its own client, so that
//! faults and counts of the function's calls do not include them.

mod record;

use std::ops::AddAssign;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName};
use placet_runtime::describe;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::chaos::{Arrival, Chaos, Fate};
use crate::engines::REGION;
use crate::function::{Function, Invocation, invoke};

const LONG_POLL_SECONDS: i32 = 20;
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(1);
/// How long running batches may continue after a shutdown.
const SHUTDOWN_BOUND: Duration = Duration::from_secs(10);
/// The most batches of a drain. A drain with more batches feeds itself.
const MAX_DRAIN_BATCHES: usize = 1_000;

/// Why the event source failed.
#[derive(Debug, thiserror::Error)]
pub enum EventSourceError {
    /// A call to the queue failed.
    #[error("SQS {call} failed: {reason}")]
    Sqs {
        /// Name of the call.
        call: &'static str,
        /// The error of the SDK.
        reason: String,
    },
    /// The queue still had messages after `MAX_DRAIN_BATCHES` batches.
    #[error(
        "the queue is not empty after {MAX_DRAIN_BATCHES} batches: the function sends a new message for each message it gets"
    )]
    Endless,
}

/// What a drain did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DrainReport {
    /// Invocations of the function.
    pub batches: usize,
    /// Records that the function got, repeats included.
    pub delivered: usize,
    /// Records whose message was deleted.
    pub deleted: usize,
    /// Records that the function reported as failed, and all records of a batch that failed as a whole.
    pub failed: usize,
    /// Records that chaos delivered a second time.
    pub duplicated: usize,
    /// Records that chaos delayed.
    pub delayed: usize,
    /// Batches whose response chaos discarded.
    pub replies_dropped: usize,
    /// Batches that chaos killed.
    pub killed: usize,
}

impl AddAssign for DrainReport {
    fn add_assign(&mut self, other: Self) {
        self.batches += other.batches;
        self.delivered += other.delivered;
        self.deleted += other.deleted;
        self.failed += other.failed;
        self.duplicated += other.duplicated;
        self.delayed += other.delayed;
        self.replies_dropped += other.replies_dropped;
        self.killed += other.killed;
    }
}

/// How many messages of a queue the function processes at the same time.
#[derive(Clone, Copy, Debug)]
pub struct Slots {
    /// The most messages of a batch and of a receive.
    pub batch: usize,
    /// The most batches that [`EventSource::run`] runs at the same time.
    pub pollers: usize,
}

/// Connects a queue to a function.
#[derive(Debug)]
pub struct EventSource {
    client: Client,
    queue_url: String,
    queue_arn: String,
    slots: Slots,
    function: Function,
}

impl EventSource {
    /// Receives the messages of `queue_url` through `client` and passes them to `function`.
    pub fn new(
        client: Client,
        queue_url: impl Into<String>,
        slots: Slots,
        function: Function,
    ) -> Self {
        let queue_url = queue_url.into();
        let mut path = queue_url.rsplit('/');
        let name = path.next().unwrap_or_default();
        let account = path.next().unwrap_or_default();
        Self {
            queue_arn: format!("arn:aws:sqs:{REGION}:{account}:{name}"),
            client,
            queue_url,
            slots,
            function,
        }
    }

    /// Polls until `shutdown`, then waits up to 10 s for running batches. It logs errors of the queue and
    /// polls again after a second.
    pub async fn run(self: Arc<Self>, shutdown: impl Future<Output = ()>) {
        let (close, closing) = watch::channel(false);
        let mut pollers = JoinSet::new();
        for _ in 0..self.slots.pollers {
            pollers.spawn(Arc::clone(&self).poll(closing.clone()));
        }
        shutdown.await;
        close.send_replace(true);
        let finished = async { while pollers.join_next().await.is_some() {} };
        if tokio::time::timeout(SHUTDOWN_BOUND, finished).await.is_err() {
            tracing::warn!("batches were still running at the shutdown");
        }
    }

    async fn poll(self: Arc<Self>, mut closing: watch::Receiver<bool>) {
        loop {
            let received = tokio::select! {
                _ = closing.wait_for(|closing| *closing) => return,
                received = self.receive(LONG_POLL_SECONDS) => received,
            };
            let worked = match received {
                Ok(batch) if batch.is_empty() => Ok(()),
                Ok(batch) => self.work(batch).await,
                Err(error) => Err(error),
            };
            if let Err(error) = worked {
                tracing::error!(%error, "event source failed, polls again after a pause");
                tokio::time::sleep(PAUSE_AFTER_ERROR).await;
            }
        }
    }

    async fn work(&self, batch: Vec<Message>) -> Result<(), EventSourceError> {
        let event = record::sqs_event(&batch, &self.queue_arn);
        let invocation = invoke(&self.function, event, None).await;
        let (done, _) = self.judge(invocation, batch);
        self.delete(&done).await
    }

    /// Delivers until no message is visible.
    ///
    /// # Errors
    /// If a call to the queue fails, or if messages do not stop coming.
    pub async fn drain(&self) -> Result<DrainReport, EventSourceError> {
        self.drain_with(&mut Chaos::none()).await
    }

    /// Delivers until no message is visible and `chaos` holds none.
    ///
    /// # Errors
    /// As [`EventSource::drain`].
    pub async fn drain_with(&self, chaos: &mut Chaos) -> Result<DrainReport, EventSourceError> {
        let mut report = DrainReport::default();
        let mut ready = Vec::new();
        let mut held = Vec::new();
        loop {
            let received = self.receive(0).await?;
            let queue_is_empty = received.is_empty();
            held = release(held, &mut ready);
            for message in received {
                match chaos.arrival(message.message_id().unwrap_or_default()) {
                    Arrival::Once => ready.push(message),
                    Arrival::Twice => {
                        report.duplicated += 1;
                        ready.push(message.clone());
                        ready.push(message);
                    }
                    Arrival::Later { rounds } => {
                        report.delayed += 1;
                        held.push((rounds, message));
                    }
                }
            }
            if ready.is_empty() {
                if queue_is_empty && held.is_empty() {
                    return Ok(report);
                }
                continue;
            }
            if report.batches == MAX_DRAIN_BATCHES {
                return Err(EventSourceError::Endless);
            }
            chaos.reorder(&mut ready);
            let batch = ready.drain(..chaos.batch_size(ready.len(), self.slots.batch)).collect();
            self.deliver(batch, chaos, &mut report).await?;
        }
    }

    async fn deliver(
        &self,
        batch: Vec<Message>,
        chaos: &mut Chaos,
        report: &mut DrainReport,
    ) -> Result<(), EventSourceError> {
        report.batches += 1;
        report.delivered += batch.len();
        let ids: Vec<_> = batch.iter().filter_map(Message::message_id).collect();
        let fate = chaos.fate(&ids);
        let max_polls = match fate {
            Fate::Killed { polls } => Some(polls),
            Fate::Answered | Fate::ReplyDropped => None,
        };
        let event = record::sqs_event(&batch, &self.queue_arn);
        let invocation = invoke(&self.function, event, max_polls).await;
        let done = match (fate, &invocation) {
            (Fate::ReplyDropped, _) => {
                report.replies_dropped += 1;
                Vec::new()
            }
            (_, Invocation::Killed) => {
                report.killed += 1;
                Vec::new()
            }
            _ => {
                let (done, undone) = self.judge(invocation, batch);
                report.failed += undone.len();
                done
            }
        };
        report.deleted += done.len();
        self.delete(&done).await
    }

    /// Splits a batch into processed and failed messages.
    fn judge(&self, invocation: Invocation, batch: Vec<Message>) -> (Vec<Message>, Vec<Message>) {
        let Invocation::Returned(response) = invocation else {
            return (Vec::new(), batch);
        };
        let Some(failures) = record::reported_failures(&response, &batch) else {
            let function = self.function.name;
            tracing::error!(function, %response, "malformed batch response: the whole batch counts as failed");
            return (Vec::new(), batch);
        };
        batch.into_iter().partition(|m| m.message_id().is_some_and(|id| !failures.contains(id)))
    }

    async fn receive(&self, wait_seconds: i32) -> Result<Vec<Message>, EventSourceError> {
        // A long poll is silent for longer than any timeout of the client.
        let patient = aws_sdk_sqs::config::Builder::new().timeout_config(TimeoutConfig::disabled());
        let output = self
            .client
            .receive_message()
            .queue_url(&self.queue_url)
            .max_number_of_messages(i32::try_from(self.slots.batch).unwrap_or(1))
            .wait_time_seconds(wait_seconds)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All")
            .customize()
            .config_override(patient)
            .send()
            .await
            .map_err(|error| failed("ReceiveMessage", &error))?;
        Ok(output.messages.unwrap_or_default())
    }

    async fn delete(&self, messages: &[Message]) -> Result<(), EventSourceError> {
        let entries: Vec<_> = receipt_handles(messages)
            .map(|(id, handle)| {
                let entry = DeleteMessageBatchRequestEntry::builder().id(id);
                entry.receipt_handle(handle).build()
            })
            .collect::<Result<_, BuildError>>()
            .map_err(|error| EventSourceError::Sqs {
                call: "DeleteMessageBatch",
                reason: error.to_string(),
            })?;
        if entries.is_empty() {
            return Ok(());
        }
        let output = self
            .client
            .delete_message_batch()
            .queue_url(&self.queue_url)
            .set_entries(Some(entries))
            .send()
            .await
            .map_err(|error| failed("DeleteMessageBatch", &error))?;
        for failure in output.failed() {
            tracing::warn!(
                code = failure.code(),
                "message not deleted: the queue will send it again"
            );
        }
        Ok(())
    }
}

/// Counts one round for the held messages. A message with no rounds left becomes ready.
fn release(held: Vec<(u32, Message)>, ready: &mut Vec<Message>) -> Vec<(u32, Message)> {
    let (still_held, released): (Vec<_>, Vec<_>) = held
        .into_iter()
        .map(|(rounds, message)| (rounds.saturating_sub(1), message))
        .partition(|(rounds, _)| *rounds > 0);
    ready.extend(released.into_iter().map(|(_, message)| message));
    still_held
}

/// The receipt handles, each with an id for its entry in a batch request.
fn receipt_handles(messages: &[Message]) -> impl Iterator<Item = (String, &str)> {
    let handles = messages.iter().filter_map(Message::receipt_handle);
    handles.enumerate().map(|(index, handle)| (index.to_string(), handle))
}

fn failed<E>(call: &'static str, error: &SdkError<E>) -> EventSourceError
where
    E: ProvideErrorMetadata,
{
    EventSourceError::Sqs { call, reason: describe(error) }
}
