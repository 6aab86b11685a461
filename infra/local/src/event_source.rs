//! The SQS event source mapping: what Lambda runs between a queue and a function.
//!
//! A message is deleted only after the function has answered and has not reported it as failed.
//! Anything else, an error, a panic, a lost answer, leaves it in flight, and the queue shows it
//! again when its visibility timeout ends, or when the function has said.
//!
//! [`EventSource::run`] does exactly that, with several pollers. [`EventSource::drain`] is for tests: one batch
//! after the other on the caller's task, until nothing is visible.
//!
//! In AWS these calls are made by the service and not by the function. Give the event source a
//! client of its own, so that faults and counts of the function's calls do not see them.

mod record;

use std::ops::AddAssign;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::chaos::{Arrival, Chaos, Fate};
use crate::engines::REGION;
use crate::function::{Function, Invocation, invoke};

const LONG_POLL_SECONDS: i32 = 20;
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(1);
/// How long batches in work may go on after a shutdown.
const SHUTDOWN_BOUND: Duration = Duration::from_secs(10);
/// A drain with more batches than this feeds itself.
const MAX_DRAIN_BATCHES: usize = 1_000;

/// Why the event source could not go on.
#[derive(Debug, thiserror::Error)]
pub enum EventSourceError {
    /// The queue did not answer.
    #[error("SQS {call} failed: {reason}")]
    Sqs {
        /// Name of the call.
        call: &'static str,
        /// What the SDK said.
        reason: String,
    },
    /// The queue still had messages after very many batches.
    #[error(
        "the queue is not empty after {MAX_DRAIN_BATCHES} batches: something sends a new message for each it gets"
    )]
    Endless,
}

/// What a drain did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DrainReport {
    /// Invocations of the function.
    pub batches: usize,
    /// Records handed to the function, repeats included.
    pub delivered: usize,
    /// Records whose message was deleted.
    pub deleted: usize,
    /// Records that failed by what the function did: reported, or with their whole batch.
    pub failed: usize,
    /// Records that chaos delivered once more than the queue did.
    pub duplicated: usize,
    /// Records that chaos held back.
    pub delayed: usize,
    /// Batches whose answer chaos threw away.
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

/// How much of a queue is in work at the same time.
#[derive(Clone, Copy, Debug)]
pub struct Slots {
    /// The largest batch, and the largest receive.
    pub batch: usize,
    /// How many batches [`EventSource::run`] has in work at the same time.
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
    /// Messages of `queue_url`, read through `client`, go to `function`.
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

    /// Polls until `shutdown`, then lets the batches in work finish for some seconds. Errors of
    /// the queue are logged and tried again.
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
            tracing::warn!("batches were cut off by the shutdown");
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
                tracing::error!(%error, "the event source goes on after a pause");
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

    /// Delivers until the queue shows nothing more.
    ///
    /// # Errors
    /// When the queue fails, or when messages do not stop coming.
    pub async fn drain(&self) -> Result<DrainReport, EventSourceError> {
        self.drain_with(&mut Chaos::none()).await
    }

    /// Delivers until neither the queue nor `chaos` has anything more.
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

    /// Splits a batch into what is done and what is not.
    fn judge(&self, invocation: Invocation, batch: Vec<Message>) -> (Vec<Message>, Vec<Message>) {
        let Invocation::Returned(response) = invocation else {
            return (Vec::new(), batch);
        };
        let Some(failures) = record::reported_failures(&response, &batch) else {
            let function = self.function.name;
            tracing::error!(function, %response, "malformed batch response, the batch failed");
            return (Vec::new(), batch);
        };
        batch.into_iter().partition(|m| m.message_id().is_some_and(|id| !failures.contains(id)))
    }

    async fn receive(&self, wait_seconds: i32) -> Result<Vec<Message>, EventSourceError> {
        // A long poll is silent for longer than any timeout a client may have been given.
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
            .collect::<Result<_, _>>()
            .map_err(|error| failed("DeleteMessageBatch", &error))?;
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
                "a message was not deleted and will be received again"
            );
        }
        Ok(())
    }
}

/// Lets a round pass for what is held back; what has waited long enough becomes ready.
fn release(held: Vec<(u32, Message)>, ready: &mut Vec<Message>) -> Vec<(u32, Message)> {
    let (still_held, released): (Vec<_>, Vec<_>) = held
        .into_iter()
        .map(|(rounds, message)| (rounds.saturating_sub(1), message))
        .partition(|(rounds, _)| *rounds > 0);
    ready.extend(released.into_iter().map(|(_, message)| message));
    still_held
}

/// The receipt handles, each with a name for its entry in a batch.
fn receipt_handles(messages: &[Message]) -> impl Iterator<Item = (String, &str)> {
    let handles = messages.iter().filter_map(Message::receipt_handle);
    handles.enumerate().map(|(index, handle)| (index.to_string(), handle))
}

fn failed(call: &'static str, error: &(impl std::error::Error + 'static)) -> EventSourceError {
    EventSourceError::Sqs { call, reason: DisplayErrorContext(error).to_string() }
}
