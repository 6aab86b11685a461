//! Background work off the queue: run approved operations, work off webhook receipts, send webhooks.
//!
//! Each record of a batch is parsed and run on its own. One that can not be read, panics or meets
//! a service that does not answer is reported as failed and comes again, at last to the dead-letter
//! queue; the others are done.

mod answer;
mod client;
mod consult;
mod deliver;
mod execute;
pub mod executors;
mod outbound;
mod process;
mod tell;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
pub use executors::{Call, Functions};
use placet_core::{Job, Message, MessageError, OperationId};
use placet_runtime::blob::BlobError;
use placet_runtime::https::HttpsError;
use placet_runtime::{CommandError, DeliveryError, Runtime, StoreError};
use tokio::task::JoinSet;

/// The worker function.
#[derive(Clone)]
pub struct Worker {
    runtime: Runtime,
    functions: Functions,
    http: executors::HttpClient,
    outbound: outbound::OutboundClient,
}

/// Why a record was not done.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// Our own code broke off: another try may do it.
    #[error("to be tried again: {0}")]
    Panicked(String),
    /// A message names what is not the kind and id of an operation.
    #[error("{0:?} is not kind/call_id of an operation")]
    NoOperation(String),
    /// The table did not answer: another try may do it.
    #[error("to be tried again: {0}")]
    Store(#[from] StoreError),
    /// An operation could not be written: another try may do it.
    #[error("to be tried again: {0}")]
    Command(#[from] CommandError),
    /// A delivery could not be written: another try may do it.
    #[error("to be tried again: {0}")]
    Delivery(#[from] DeliveryError),
    /// The blob store did not answer: another try may do it.
    #[error("to be tried again: {0}")]
    Blob(#[from] BlobError),
    /// A subscription could not be confirmed: another try may do it.
    #[error("to be tried again: the subscription is not confirmed: {0}")]
    Confirm(HttpsError),
    /// It is no message of ours. No try will ever do it, and the dead-letter queue is for that.
    #[error(transparent)]
    Unreadable(#[from] MessageError),
}

impl Worker {
    /// The function over these services, with the functions it can run.
    pub fn new(runtime: Runtime, functions: Functions) -> Self {
        for (name, definition) in runtime.config.operations() {
            if let Some(problem) = functions.missing(definition) {
                tracing::error!(
                    function = name,
                    problem,
                    "approved operations of this name will fail"
                );
            }
        }
        for (name, endpoint) in runtime.config.endpoints() {
            if let Err(error) = endpoint.secrets.resolve(&runtime.environment) {
                tracing::warn!(endpoint = name, %error, "webhooks to this endpoint can not be signed");
            }
        }
        for (function, upstream) in runtime.config.upstreams() {
            if let Err(error) = upstream.api_key.text(&runtime.environment) {
                let url = upstream.base_url();
                tracing::warn!(function, url, %error, "nobody can be asked at this server");
            }
        }
        let allowed = runtime.config.outbound.clone();
        let outbound = outbound::OutboundClient::new(allowed, runtime.clock.clone());
        Self { runtime, functions, http: executors::HttpClient::new(), outbound }
    }

    /// Works off a batch and says which of its records have to come again.
    ///
    /// The records run at the same time; Lambda hands over at most ten (see `template.yaml`).
    pub async fn handle(&self, event: SqsEvent) -> SqsBatchResponse {
        let mut running = JoinSet::new();
        let mut ids = Vec::new();
        for record in event.records {
            let worker = self.clone();
            let id = record.message_id.clone().unwrap_or_default();
            let task = running.spawn(async move { worker.record(&record).await });
            ids.push((task.id(), id));
        }
        let mut failed = Vec::new();
        while let Some(joined) = running.join_next_with_id().await {
            let (task, problem) = match joined {
                Ok((_, Ok(()))) => continue,
                Ok((task, Err(error))) => (task, error.to_string()),
                Err(panicked) => (panicked.id(), panicked.to_string()),
            };
            let id = ids.iter().find(|(known, _)| *known == task).map(|(_, id)| id.clone());
            tracing::error!(message_id = id, error = problem, "queue message not done");
            failed.push(failure(id.unwrap_or_default()));
        }
        let mut response = SqsBatchResponse::default();
        response.batch_item_failures = failed;
        response
    }

    async fn record(&self, record: &SqsMessage) -> Result<(), JobError> {
        let message = Message::parse(record.body.as_deref().unwrap_or_default())?;
        let done = match message.job {
            Job::Execute => self.execute(&OperationId::call(message.tenant, message.id)).await,
            Job::Tell => self.tell(&operation_id(&message)?).await,
            Job::Consult => self.consult(&operation_id(&message)?).await,
            Job::Deliver => self.deliver(&message.tenant, &message.id).await,
            Job::Process => self.process(&message.id).await,
        };
        if let (Err(_), Some(handle)) = (&done, &record.receipt_handle) {
            self.come_again(record, handle).await;
        }
        done
    }

    /// Sets the visibility of a failed message by its receive count, instead of the whole timeout.
    async fn come_again(&self, record: &SqsMessage, handle: &str) {
        let received = record.attributes.get("ApproximateReceiveCount");
        let count = received.and_then(|count| count.parse().ok()).unwrap_or(1);
        let id = record.message_id.as_deref().unwrap_or_default();
        let delay = placet_core::backoff(count, id, None);
        if let Err(error) = self.runtime.queue.retry_after(handle, delay).await {
            tracing::warn!(%error, message_id = id, "visibility not set");
        }
    }
}

fn operation_id(message: &Message) -> Result<OperationId, JobError> {
    OperationId::parse(&message.tenant, &message.id)
        .ok_or_else(|| JobError::NoOperation(message.id.clone()))
}

fn failure(id: String) -> BatchItemFailure {
    let mut failure = BatchItemFailure::default();
    failure.item_identifier = id;
    failure
}
