//! The handler of a queue: it takes a batch of pointers and names the records that failed.

use std::sync::Arc;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use placet_core::backoff;
use placet_core::item::{Hold, Lane, Pointer, PointerError};
use tokio::task::JoinSet;

use super::again::Again;
use super::{Engine, Kinds, Memory};

/// From this receive on, after about two hours, a message of another format, or one whose item cannot be read,
/// goes to the dead-letter queue: a person has to see it before the queue forgets it.
const SET_ASIDE_AT: u32 = 16;

/// From this receive on, one whose item cannot be read is left to the timer, if the item is due.
const LEFT_AT: u32 = 3;

/// Processes a batch of a lane, each record on its own: one that panics, or meets a service that does not
/// answer, is reported as failed and is received again; the others are done.
///
/// The records run at the same time, as far as there is memory for them together; Lambda hands over at most ten (see
/// `template.yaml`).
pub async fn process_batch<W, List>(
    engine: &Engine,
    worker: &W,
    lane: Lane,
    event: SqsEvent,
) -> SqsBatchResponse
where
    W: Clone + Send + Sync + 'static,
    List: Kinds<W>,
{
    let memory = Arc::new(Memory::default());
    let mut running = JoinSet::new();
    let mut ids = Vec::new();
    for record in event.records {
        let (engine, worker, memory) = (engine.clone(), worker.clone(), memory.clone());
        let id = record.message_id.clone().unwrap_or_default();
        let task = running.spawn(async move {
            process::<W, List>(&engine, &worker, &memory, lane, &record).await
        });
        ids.push((task.id(), id));
    }
    let mut failures = Vec::new();
    while let Some(joined) = running.join_next_with_id().await {
        let (task, error) = match joined {
            Ok((_, Ok(()))) => continue,
            Ok((task, Err(error))) => (task, error.to_string()),
            Err(panicked) => (panicked.id(), panicked.to_string()),
        };
        let id = ids.iter().find(|(known, _)| *known == task).map(|(_, id)| id.clone());
        tracing::error!(message_id = id, error, "message not processed, it is received again");
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = id.unwrap_or_default();
        failures.push(failure);
    }
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failures;
    response
}

async fn process<W, List: Kinds<W>>(
    engine: &Engine,
    worker: &W,
    memory: &Memory,
    lane: Lane,
    record: &SqsMessage,
) -> Result<(), Again> {
    let body = record.body.as_deref().unwrap_or_default();
    let receives = record.attributes.get("ApproximateReceiveCount");
    let receives = receives.and_then(|count| count.parse().ok()).unwrap_or(1);
    let processed = match Pointer::parse(body) {
        Ok(pointer) => {
            let hold = Hold { lane, receives };
            let stepped = List::step::<List>(engine, worker, hold, memory, &pointer).await;
            if let Err(Again::Unreadable(error)) = &stepped
                && receives >= LEFT_AT
                && engine.store.pointed(&pointer).await?.is_some_and(|found| found.is_due())
            {
                let (item, id) = (&pointer.kind, &pointer.id);
                tracing::error!(error, item, id, "item left as it is, the timer brings it again");
                return Ok(());
            }
            stepped
        }
        // Another release wrote it, and may be running beside this one.
        Err(error @ PointerError::Format(_)) => Err(Again::Unreadable(error.to_string())),
        Err(error) => return set_aside(engine, body, &error.to_string()).await,
    };
    match &processed {
        Err(Again::Unreadable(error)) if receives >= SET_ASIDE_AT => {
            return set_aside(engine, body, error).await;
        }
        _ => {}
    }
    if let (Err(_), Some(handle)) = (&processed, &record.receipt_handle) {
        let id = record.message_id.as_deref().unwrap_or_default();
        let delay = backoff(receives, id, None);
        if let Err(error) = engine.queue.retry_after(lane, handle, delay).await {
            tracing::warn!(%error, message_id = id, "visibility not set");
        }
    }
    processed
}

/// Moves a message to the dead-letter queue, where a person sees it.
async fn set_aside(engine: &Engine, body: &str, error: &str) -> Result<(), Again> {
    let pointer = Pointer::parse(body).ok();
    let (item, id) = pointer.map(|pointer| (pointer.kind, pointer.id)).unzip();
    tracing::error!(error, item, id, "message moved to the dead-letter queue");
    let moved = engine.queue.send_to_dead_letters(body).await;
    moved.map_err(|error| Again::new(error.to_string()))
}
